//! An adapter's life: surprise removal, power, recovery and reset of VFs in every phase of a migration.
//!
//! UNSAFETY: it is the other side of the DDI.
#![expect(unsafe_code)]

mod support;

use std::sync::atomic::{AtomicU32, Ordering};

use gpup_core::device::abi::{
    COMPUTE_NODE, FLAG_FENCE, FLAG_INTERRUPT, HEADER_BYTES, Opcode, RING_OFFSET, reg,
};
use support::host::{D0, D3, Host, MIB, SOURCE, TARGET, call, ddi};
use support::wait_until;
use wddm::*;

/// Where a VF can be in a migration, by the calls that lead there.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    Idle,
    Source,
    ImmutableSaved,
    MutableSized,
    MutableSaved,
    Target,
    ImmutableRestored,
    MutableRestored,
}

impl Stage {
    const ALL: [Self; 8] = [
        Self::Idle,
        Self::Source,
        Self::ImmutableSaved,
        Self::MutableSized,
        Self::MutableSaved,
        Self::Target,
        Self::ImmutableRestored,
        Self::MutableRestored,
    ];

    /// Whether the migration keeps the VF off its engines.
    fn holds(self) -> bool {
        !matches!(self, Self::Idle | Self::Source | Self::ImmutableSaved)
    }
}

/// Four VFs can be made.
fn start() -> Host {
    Host::start(&[])
}

impl Host {
    /// A VF of a megabyte, with power.
    fn vf(&self, vf: u32) {
        self.make(vf, MIB);
    }

    fn surprise(&self) -> NTSTATUS {
        ddi!(self, DxgkDdiNotifySurpriseRemoval, DXGK_SURPRISE_REMOVAL_TYPE::DxgkRemovalPnPNotify)
    }

    /// Lets a VF execute a command, to its last message.
    fn run(&self, vf: u32) {
        self.guest(vf).ring();
        self.guest(vf).wait();
        // The message follows the head; a pause waits for both.
        assert_eq!((self.pause(vf, true), self.pause(vf, false)), (STATUS_SUCCESS, STATUS_SUCCESS));
    }

    /// Asks for the size and, when `data` is given, the data.
    fn save(&self, vf: u32, data: Option<&mut Vec<u8>>) -> NTSTATUS {
        let mut size = 0;
        let status = self.save_mutable(vf, &mut size, std::ptr::null_mut());
        let Some(data) = data.filter(|_| status.is_success()) else { return status };
        data.resize(size as usize, 0);
        self.save_mutable(vf, &mut size, data.as_mut_ptr())
    }

    /// Leads VF `vf`, which is idle, to a stage; `peer` is another VF of the same host to come from.
    fn lead(&self, vf: u32, peer: u32, stage: Stage) {
        use Stage as S;
        let source = matches!(stage, S::Source | S::ImmutableSaved | S::MutableSized | S::MutableSaved);
        if stage != S::Idle {
            assert_eq!(self.prepare(vf, if source { SOURCE } else { TARGET }), STATUS_SUCCESS);
        }
        let mut data = Vec::new();
        match stage {
            S::Idle | S::Source | S::Target => {}
            S::ImmutableSaved => drop(self.immutable(vf)),
            S::MutableSized => assert_eq!(self.save(vf, None), STATUS_SUCCESS),
            S::MutableSaved => assert_eq!(self.save(vf, Some(&mut data)), STATUS_SUCCESS),
            S::ImmutableRestored | S::MutableRestored => {
                assert_eq!(self.prepare(peer, SOURCE), STATUS_SUCCESS);
                assert_eq!(self.restore_immutable(vf, &mut self.immutable(peer)), STATUS_SUCCESS);
                if stage == S::MutableRestored {
                    assert_eq!(self.save(peer, Some(&mut data)), STATUS_SUCCESS);
                    assert_eq!(self.restore_mutable(vf, &mut data), STATUS_SUCCESS);
                }
            }
        }
    }

    /// Writes an entry of a VF's MSI-X table: its message goes to `mailbox`.
    fn msix(&self, vf: u32, index: usize, mailbox: &AtomicU32, masked: bool) {
        let mut args = DXGKARG_GPUP_WRITE_VIRTUALIZED_MSIX::zeroed();
        (args.vfIndex, args.InterruptTableIndex) = (vf, index as i16);
        args.WriteValue.MessageAddress = mailbox.as_ptr().expose_provenance() as u64;
        (args.WriteValue.MessageData, args.WriteValue.VectorControl) = (7, u32::from(masked));
        assert_eq!(ddi!(self, DxgkDdiWriteVirtualizedInterrupt, &args), STATUS_SUCCESS);
    }

    /// The compute node of a VF as its guest has it mapped.
    fn guest(&self, vf: u32) -> Guest {
        let mut descriptor = CM_PARTIAL_RESOURCE_DESCRIPTOR::zeroed();
        let mut args = DXGKARG_GETBACKINGRESOURCE::zeroed();
        (args.VirtualFunctionIndex, args.Resource) = (vf, &mut descriptor);
        assert_eq!(call!(self.flexiov, DxgkDdiGetBackingResource, &mut args), STATUS_SUCCESS);
        // SAFETY: the driver's list.
        let mdl = unsafe { &*args.pMdl };
        Guest { bar: mdl.MappedSystemVa.cast() }
    }
}

/// A guest's hand on its BAR.
#[derive(Clone, Copy)]
struct Guest {
    bar: *mut u8,
}

impl Guest {
    fn register(&self, offset: usize) -> &AtomicU32 {
        // SAFETY: an aligned word of the BAR, which lives as long as the adapter is started.
        unsafe { AtomicU32::from_ptr(self.bar.wrapping_add(offset).cast()) }
    }

    fn tail(&self) -> &AtomicU32 {
        self.register(reg::NODE + COMPUTE_NODE * reg::NODE_STRIDE + reg::TAIL)
    }

    fn head(&self) -> u32 {
        self.register(reg::NODE + COMPUTE_NODE * reg::NODE_STRIDE + reg::HEAD).load(Ordering::Acquire)
    }

    /// Rings the doorbell for a command that does nothing but raise vector 0.
    fn ring(&self) {
        let tail = self.tail().load(Ordering::Relaxed);
        let header = [
            Opcode::Nop as u32 | u32::from(FLAG_FENCE | FLAG_INTERRUPT) << 16,
            HEADER_BYTES as u32,
            tail / 16 + 1,
            0,
        ];
        for (word, at) in header.into_iter().zip((RING_OFFSET + tail as usize..).step_by(4)) {
            self.register(at).store(word, Ordering::Relaxed);
        }
        self.tail().store(tail + HEADER_BYTES as u32, Ordering::Release);
    }

    fn is_done(&self) -> bool {
        self.head() == self.tail().load(Ordering::Relaxed)
    }

    fn wait(&self) {
        wait_until("the command is done", || self.is_done());
    }
}

/// Takes what arrived in a mailbox.
fn take(mailbox: &AtomicU32) -> u32 {
    mailbox.swap(0, Ordering::AcqRel)
}

#[test]
fn after_a_surprise_removal_nothing_comes_any_more() {
    for stage in Stage::ALL {
        let host = start();
        let mailbox = AtomicU32::new(0);
        (0..3).for_each(|vf| host.vf(vf));
        // VF 2 has a message waiting behind its mask.
        host.msix(2, 0, &mailbox, true);
        host.run(2);
        host.lead(0, 1, stage);
        assert_eq!(host.surprise(), STATUS_SUCCESS, "{stage:?}");
        let told = host.adapter.reports.interrupts();
        host.msix(2, 0, &mailbox, false);
        host.guest(2).ring();
        assert_eq!(host.power(D3), STATUS_SUCCESS);
        // These never fail; what is gone stays so.
        assert_eq!(host.power(D0), STATUS_SUCCESS, "{stage:?}");
        assert_eq!(ddi!(host, DxgkDdiResetFromTimeout), STATUS_SUCCESS);
        assert_eq!(ddi!(host, DxgkDdiRestartFromTimeout), STATUS_SUCCESS, "{stage:?}");
        assert_eq!((host.pause(2, true), host.pause(2, false)), (STATUS_SUCCESS, STATUS_SUCCESS));
        for vf in 0..2 {
            assert_eq!(host.end(vf), STATUS_SUCCESS, "{stage:?}");
        }
        assert_eq!((host.destroy(0), host.destroy(1)), (STATUS_SUCCESS, STATUS_SUCCESS));
        assert!(!host.guest(2).is_done(), "{stage:?}: a device that is gone works");
        assert_eq!(take(&mailbox), 0, "{stage:?}: a device that is gone wrote to memory");
        assert_eq!(host.adapter.reports.interrupts(), told, "{stage:?}");
        // VF 2 is still there when the adapter is stopped.
    }
}

#[test]
fn an_adapter_stops_in_every_phase_and_starts_again() {
    for stage in Stage::ALL {
        let host = start();
        (0..2).for_each(|vf| host.vf(vf));
        host.lead(0, 1, stage);
        let Host { adapter, .. } = host;
        let adapter = adapter.stop();
        // SAFETY: live arguments.
        let ended = unsafe { adapter.table.DxgkDdiEndLiveMigration.unwrap()(adapter.context, 0) };
        assert_eq!(ended, STATUS_INVALID_DEVICE_STATE, "{stage:?}");
        let (status, adapter) = adapter.try_start();
        assert_eq!(status, STATUS_SUCCESS, "{stage:?}");
        let host = Host::of(adapter);
        assert_eq!((host.destroy(0), host.set_count(2)), (STATUS_INVALID_PARAMETER, STATUS_SUCCESS));
        host.vf(0);
        host.guest(0).ring();
        host.guest(0).wait();
    }
}

#[test]
fn what_was_configured_before_d3cold_is_back_at_d0() {
    let host = start();
    let mailboxes = [AtomicU32::new(0), AtomicU32::new(0)];
    for (vf, mailbox) in (0..).zip(&mailboxes) {
        host.vf(vf);
        host.msix(vf, 0, mailbox, true);
        host.run(vf);
        assert_eq!(host.vf_power(vf, D3), STATUS_SUCCESS);
    }
    assert_eq!(host.power(D3), STATUS_SUCCESS);
    assert_eq!(host.set_count(2), STATUS_INVALID_DEVICE_STATE, "the VFs are still there");
    host.msix(1, 0, &mailboxes[1], false);
    assert_eq!(take(&mailboxes[1]), 0, "a device without power wrote to memory");
    assert_eq!(host.power(D0), STATUS_SUCCESS);
    for vf in 0..2 {
        assert_eq!((host.guest(vf).head(), host.vf_power(vf, D0)), (16, STATUS_SUCCESS));
    }
    assert_eq!([take(&mailboxes[0]), take(&mailboxes[1])], [0, 7], "pending behind a mask, and sent once");
    host.msix(0, 0, &mailboxes[0], false);
    assert_eq!(take(&mailboxes[0]), 7);
    for (vf, mailbox) in (0..).zip(&mailboxes) {
        host.guest(vf).ring();
        wait_until("the vector fires", || take(mailbox) == 7);
        host.guest(vf).wait();
    }
}

/// What is configured of a VF and of the adapter, as far as calls can ask for it.
fn configuration(host: &Host, vf: u32) -> (Vec<u8>, [u64; 3], (u32, i32), u16) {
    let mut info = DXGKARG_GETVIRTUALGPUINFO::zeroed();
    info.PartitionId = vf;
    assert_eq!(call!(host.partition, DxgkDdiGetVirtualGpuInfo, &mut info), STATUS_SUCCESS);
    let memory = info.Capability[0];
    let mut luid = LUID::zeroed();
    let mut asked = DXGKARG_QUERYVIRTUALFUNCTIONLUID { VirtualFunctionIndex: vf, pLuid: &raw mut luid };
    call!(host.sriov, DxgkDdiQueryVirtualFunctionLuid, &mut asked);
    let mut options = [0; 8];
    let mut count = DXGKARG_GETGPUPARTITIONINFO::zeroed();
    (count.NumGpuPartitionOptions, count.pGpuPartitionOptions) = (8, options.as_mut_ptr());
    assert_eq!(call!(host.partition, DxgkDdiGetGpuPartitionInfo, &mut count), STATUS_SUCCESS);
    let numbers = [memory.MinValue, memory.MaxValue, memory.CurrentValue];
    (host.config(vf), numbers, (luid.LowPart, luid.HighPart), count.CurrentGpuPartitionCount)
}

/// Config space, capabilities, LUIDs, the partition count, a pause and dirty pages outlast D3cold.
#[test]
fn a_configuration_outlasts_d3cold() {
    let host = start();
    assert_eq!(host.set_count(2), STATUS_SUCCESS);
    let bases = [0, 1].map(|vf| {
        host.vf(vf);
        host.write_config(vf, 0x04, &mut [0x06]);
        host.write_config(vf, 0x3C, &mut [0x50 + vf as u8]);
        host.basis(vf, MIB)
    });
    // A reset writes all of a VF's memory; it makes config space new.
    assert_eq!(host.reset(0), STATUS_SUCCESS);
    assert_eq!(host.pause(1, true), STATUS_SUCCESS);
    let before = [0, 1].map(|vf| configuration(&host, vf));
    assert_eq!((host.vf_power(0, D3), host.vf_power(1, D3)), (STATUS_SUCCESS, STATUS_SUCCESS));
    for _ in 0..3 {
        assert_eq!((host.power(D3), host.power(D0)), (STATUS_SUCCESS, STATUS_SUCCESS));
    }
    assert_eq!((host.vf_power(0, D0), host.vf_power(1, D0)), (STATUS_SUCCESS, STATUS_SUCCESS));
    assert_eq!([0, 1].map(|vf| configuration(&host, vf)), before);
    assert_eq!(bases.map(|basis| host.dirty(basis, true)), [256, 0]);
    host.guest(1).ring();
    host.guest(0).ring();
    host.guest(0).wait();
    assert!(!host.guest(1).is_done(), "its pause did not last");
    assert_eq!(host.pause(1, false), STATUS_SUCCESS);
    host.guest(1).wait();
    assert_eq!(host.reset(1), STATUS_SUCCESS);
    assert_eq!(bases.map(|basis| host.dirty(basis, false)), [0, 256], "nothing is tracked any more");
}

#[test]
fn without_power_nothing_runs_and_no_migration_is_lost() {
    for stage in Stage::ALL {
        let host = start();
        (0..3).for_each(|vf| host.vf(vf));
        host.lead(0, 1, stage);
        assert_eq!(host.power(D3), STATUS_SUCCESS);
        host.guest(2).ring();
        assert_eq!(host.power(D0), STATUS_SUCCESS);
        host.guest(2).wait();
        let status = host.save(0, Some(&mut Vec::new()));
        let source = matches!(
            stage,
            Stage::Source | Stage::ImmutableSaved | Stage::MutableSized | Stage::MutableSaved
        );
        assert_eq!(status.is_success(), source, "{stage:?}: {status:?}");
        assert_eq!((host.end(0), host.end(1)), (STATUS_SUCCESS, STATUS_SUCCESS));
        host.guest(0).ring();
        host.guest(0).wait();
    }
}

#[test]
fn a_vf_is_reset_in_every_state_that_does_not_hold_it() {
    for stage in Stage::ALL {
        for paused in [false, true] {
            let host = start();
            (0..2).for_each(|vf| host.vf(vf));
            let source = !matches!(stage, Stage::Target | Stage::ImmutableRestored | Stage::MutableRestored);
            // A target must not have run.
            if source {
                host.guest(0).ring();
                host.guest(0).wait();
            }
            host.lead(0, 1, stage);
            assert_eq!(host.pause(0, paused), STATUS_SUCCESS);
            let expected = if stage.holds() { STATUS_INVALID_DEVICE_STATE } else { STATUS_SUCCESS };
            assert_eq!(host.reset(0), expected, "{stage:?}");
            let head = if source && stage.holds() { 16 } else { 0 };
            assert_eq!(host.guest(0).head(), head, "{stage:?}: refused is unchanged, done is new");
            assert_eq!((host.end(0), host.end(1)), (STATUS_SUCCESS, STATUS_SUCCESS));
            host.guest(0).ring();
            assert_eq!(host.pause(0, false), STATUS_SUCCESS);
            host.guest(0).wait();
        }
    }
}

#[test]
fn partitions_change_only_without_vfs_and_adapters_do_not_touch_each_other() {
    let (one, other) = (start(), start());
    one.vf(0);
    for stage in [D3, D0] {
        assert_eq!(one.vf_power(0, stage), STATUS_SUCCESS);
        assert_eq!(one.set_count(2), STATUS_INVALID_DEVICE_STATE);
    }
    assert_eq!(other.set_count(2), STATUS_SUCCESS, "its VFs are its own");
    other.vf(0);
    assert_eq!(other.surprise(), STATUS_SUCCESS);
    one.guest(0).ring();
    one.guest(0).wait();
    drop(other);
    assert_eq!(ddi!(one, DxgkDdiResetFromTimeout), STATUS_SUCCESS);
    assert_eq!(ddi!(one, DxgkDdiRestartFromTimeout), STATUS_SUCCESS);
    one.guest(0).ring();
    one.guest(0).wait();
    assert_eq!((one.destroy(0), one.set_count(2)), (STATUS_SUCCESS, STATUS_SUCCESS));
}

#[test]
fn each_message_arrives_once() {
    let host = start();
    let mailbox = AtomicU32::new(0);
    host.vf(0);
    let guest = host.guest(0);
    for round in 0..200 {
        let masked = round % 3 == 0;
        host.msix(0, 0, &mailbox, masked);
        if masked {
            host.run(0);
            assert_eq!(take(&mailbox), 0, "round {round}: a masked vector fired");
            host.msix(0, 0, &mailbox, false);
            assert_eq!(take(&mailbox), 7, "round {round}: it did not wait");
        } else {
            guest.ring();
            wait_until("the vector fires", || take(&mailbox) == 7);
            guest.wait();
        }
        // To let it through once more sends nothing more.
        host.msix(0, 0, &mailbox, false);
        assert_eq!((host.pause(0, true), host.pause(0, false)), (STATUS_SUCCESS, STATUS_SUCCESS));
        assert_eq!(take(&mailbox), 0, "round {round}: it fired twice");
    }
}
