//! What an engine does with the packet it was told to run.

use core::sync::atomic::Ordering;

use super::command::Command;
use super::engine::Engine;
use super::kernels;
use super::memory::VfMemory;
use super::ring;
use super::transfer::{Chunk, HostPacket, Step};
use super::vf::Vf;
use crate::VfIndex;
use crate::device::Whose;
use crate::device::abi::{FLAG_FENCE, FLAG_INTERRUPT, FaultCode};
use crate::os::{Level, log};
use crate::sched::Grant;

impl Engine {
    /// Executes a command of a VF, if it still may.
    pub(super) fn run_guest(&mut self, index: VfIndex, grant: &Grant) -> u64 {
        let shared = self.shared.clone();
        let vf = &shared.vfs[index as usize];
        let Some(_flight) = vf.enter(self.index) else {
            return 0;
        };
        let registers = &vf.registers().nodes[self.index];
        let header = match ring::fetch(vf.bar(), self.index, registers.head(), &mut self.command) {
            Ok(None) => return 0,
            Ok(Some(header)) => Ok(header),
            Err(code) => Err(code),
        };
        let rates = &shared.config.rates;
        let turn = rates.turn(self.loaded.replace(index), Some(index));
        self.node().begin_packet(Whose::Vf(index));
        let (ticks, done) = match header {
            Ok(header) => {
                let (ticks, done) =
                    self.execute(vf, index, grant, turn, header.opcode, header.bytes as usize);
                (ticks, done.map(|()| header))
            }
            Err(code) => (rates.packet, Err(code)),
        };
        match done {
            Ok(header) => {
                let fence = (header.flags & FLAG_FENCE != 0).then_some(header.fence);
                registers.advance(header.bytes, ticks + turn, fence);
                registers.publish(vf.bar(), self.index);
                if header.flags & FLAG_INTERRUPT != 0 {
                    vf.raise(self.index);
                }
            }
            Err(code) => self.refuse(vf, index, code),
        }
        self.node().end_packet();
        ticks + turn
    }

    /// Executes what was fetched; the ticks are without the turn.
    fn execute(
        &mut self,
        vf: &Vf,
        index: VfIndex,
        grant: &Grant,
        turn: u64,
        opcode: u16,
        bytes: usize,
    ) -> (u64, core::result::Result<(), FaultCode>) {
        let shared = self.shared.clone();
        let packet = shared.config.rates.packet;
        if self.node().take_hang(Some(index)) {
            return (self.hang(Some((vf, grant))), Err(FaultCode::Reset));
        }
        let command = match Command::decode(self.index, opcode, &self.command[..bytes]) {
            Ok(command) => command,
            Err(code) => return (packet, Err(code)),
        };
        let Some(regions) = vf.regions() else {
            return (packet, Err(FaultCode::Reset));
        };
        let ticks = shared.config.rates.command(&command);
        let node = &shared.nodes[self.index];
        let mut memory =
            VfMemory { regions: &regions, writer: &mut self.writer, bar: vf.bar(), abort: vf.abort() };
        // The cost is known beforehand, so a packet that would be cut is not begun.
        if node.scheduler.lock().over_run(grant, ticks.saturating_add(turn)) {
            return (packet, Err(FaultCode::Reset));
        }
        match kernels::execute(&command, &mut memory, &mut self.scratch) {
            Ok(()) => (ticks, Ok(())),
            Err(code) => (packet, Err(code)),
        }
    }

    /// Stops a VF whose command was refused or cut.
    fn refuse(&self, vf: &Vf, index: VfIndex, code: FaultCode) {
        // A VF that is being reset has no one left to tell.
        if vf.abort().load(Ordering::Acquire) {
            return;
        }
        if code == FaultCode::Reset {
            self.node().note_cut(index);
            let _ = self.node().scheduler.lock().count_reset(index);
        }
        log(Level::Info, format_args!("VF {index} faulted on node {}: {code:?}", self.index));
        vf.fault(self.index, code);
    }

    /// Executes a chunk of the host's packet.
    pub(super) fn run_host(&mut self) -> u64 {
        self.node().begin_packet(Whose::Host(self.host.as_ref().map_or(0, HostPacket::fence)));
        if self.node().take_hang(None) {
            if let Some(host) = &mut self.host {
                host.stick();
            }
            let ticks = self.hang(None);
            self.node().end_packet();
            return ticks.max(1);
        }
        let turn = self.shared.config.rates.turn(self.loaded.take(), None);
        let mut chunk = Chunk::default();
        let Some((host, mut bench)) = self.host_bench() else {
            self.node().end_packet();
            return 0;
        };
        if let Some(preemptible) = host.looping(&mut bench) {
            let ticks = if preemptible {
                self.idle_in_loop()
            } else {
                host.stick();
                self.hang(None)
            };
            self.node().end_packet();
            return (ticks + turn).max(1);
        }
        let fence = host.fence();
        let step = host.step(&mut bench, &mut chunk);
        if chunk.flush {
            self.shared.tlb_epoch.fetch_add(1, Ordering::AcqRel);
        }
        self.node().end_packet();
        match step {
            Step::More => {}
            Step::Done => {
                self.host = None;
                self.node().queue.complete(fence);
                self.sink.completed(self.index, fence);
            }
            Step::Fault(fault) => {
                self.host = None;
                // Nothing more comes of it: to the host that is its end.
                self.node().queue.complete(fence);
                let node = self.index;
                log(Level::Warning, format_args!("host packet {fence} faulted on node {node}: {fault:x?}"));
                self.sink.faulted(node, fence, fault);
            }
        }
        // Even a chunk that did nothing takes a tick, so that every grant is accounted.
        (chunk.ticks + turn).max(1)
    }
}
