//! Hosts with trouble: VFs that hang, devices that are pulled out, power that goes and comes back.

use std::ops::ControlFlow;

use dxgksim::dxgkrnl::Adapter;
use dxgksim::guest::Bar;
use gpup::world::Machine;
use gpup_core::device::abi;
use gpup_guest::Workload;
use gpup_kmd::escape::Request;
use live_migration::{Event, Phase, Visit};
use wddm::DEVICE_POWER_STATE;

use crate::harness::{
    Host, How, Mode, VF_BYTES, assert_right, boot, free, in_every_mode, is_empty, settled, state, stop,
    wait_steps, wait_until, work,
};

in_every_mode!(
    a_source_is_pulled_out_in_every_phase,
    a_target_is_pulled_out_in_every_phase,
    a_neighbour_hangs_while_a_vf_moves,
    a_vf_hangs_while_it_moves,
    a_neighbour_hangs_on_the_paging_engine,
    a_vf_that_may_not_be_cut_does_not_move,
);

const NODE: u32 = abi::COMPUTE_NODE as u32;
/// The node that pages.
const PAGING: u32 = abi::COPY_NODE as u32;
const ALWAYS: Mode = Mode { pause_vf: true, performant: true };

/// Makes the next packet of a VF on the compute node hang.
fn hang(machine: &Machine, vf: u32) {
    hang_on(machine, vf, NODE);
}

fn hang_on(machine: &Machine, vf: u32, node: u32) {
    machine.adapter().escape(&mut Request::Hang { vf, node }.encode()).unwrap();
}

/// How long a VF's packet may run past its turn while another waits; 0 = for ever.
fn set_timeout(machine: &Machine, vf: u32, preempt_timeout_us: u32) {
    let priority = gpup_core::sched::Priority::Normal;
    let request = Request::SetParameters { vf, quantum_us: 1000, preempt_timeout_us, priority };
    machine.adapter().escape(&mut request.encode()).unwrap();
}

/// What recovers an adapter one of whose engines hangs.
type Recovery = fn(&Adapter);

fn one_engine(adapter: &Adapter) {
    wait_until("the hang is noticed", || !adapter.is_responsive(NODE).unwrap());
    adapter.reset_engine(NODE).unwrap();
    assert!(adapter.is_responsive(NODE).unwrap());
}

fn whole_adapter(adapter: &Adapter) {
    wait_until("the hang is noticed", || !adapter.is_responsive(NODE).unwrap());
    adapter.reset_adapter().unwrap();
}

fn nothing(_: &Adapter) {}

/// The hung VF alone is reset, its neighbours' results are right, and a function level reset makes it new.
#[test]
fn a_hung_vf_is_reset_and_its_neighbours_are_right() {
    let host = Host::new(ALWAYS).sized(4, VF_BYTES).start();
    let cases: [(&str, u32, Recovery); 3] = [
        ("preemption timeout", 20_000, nothing),
        ("engine reset", 0, one_engine),
        ("adapter reset", 0, whole_adapter),
    ];
    for (case, timeout, recover) in cases {
        let others = [Workload::Nbody, Workload::Matmul];
        let neighbours: Vec<_> =
            (1..).zip(others).map(|(vf, what)| boot(&host, vf, &work(what, 0))).collect();
        let hung = boot(&host, 0, &work(Workload::Stencil, 0));
        set_timeout(&host, 0, timeout);
        hang(&host, 0);
        recover(host.adapter());
        wait_until("the hung VF's guest is told", || hung.vm.failure().is_some());
        let bar = hung.vgpu.bar();
        assert_eq!(bar.read_u32(abi::reg::FAULT_CODE), abi::FaultCode::Reset as u32, "{case}");
        hung.vgpu.reset().unwrap();
        assert_eq!(bar.read_u32(abi::reg::STATUS), abi::status::READY, "{case}");
        hung.destroy().unwrap();
        for neighbour in neighbours {
            assert_right(neighbour, &host, case);
        }
        // The seat can be used again.
        assert_right(boot(&host, 0, &work(Workload::Stencil, 0)), &host, case);
    }
    stop([host]);
}

/// Paging is never reset: the migration beside a hung VF arrives with every page.
fn a_neighbour_hangs_while_a_vf_moves(mode: Mode) {
    let (here, there) = (Host::new(mode).start(), Host::new(mode).start());
    let guest = boot(&here, 0, &work(Workload::Writer, 1 << 20));
    let hung = boot(&here, 1, &work(Workload::Nbody, 0));
    set_timeout(&here, 1, 20_000);
    let how = How::new(mode).watched(|event| {
        if event == Event::Enter(Phase::Brownout) {
            hang(&here, 1);
        }
        ControlFlow::Continue(())
    });
    let (_, held) = how.migrate(&guest.vgpu, &guest.vm, &there).arrived("beside a hung VF");
    let what = guest.work.clone();
    guest.destroy().unwrap();
    assert_right(settled(held, &what), &there, "beside a hung VF");
    // Alone on its engine it would hang until somebody waits.
    let waits = boot(&here, 0, &work(Workload::Nbody, 0));
    wait_until("the hung VF's guest is told", || hung.vm.failure().is_some());
    assert_right(waits, &there, "who waited for the hung VF");
    hung.destroy().unwrap();
    stop([here, there]);
}

/// A VF hangs on the engine that pages, for ever, and the engine is reset under another VF's migration: no packet of
/// the paging is aborted, what waited is submitted again, and every page arrives.
fn a_neighbour_hangs_on_the_paging_engine(mode: Mode) {
    let host = Host::new(mode).sized(3, VF_BYTES).with("PreemptTimeoutUs", 0);
    let (here, there) = (host.start(), host.start());
    let guest = boot(&here, 0, &work(Workload::Writer, 1 << 20));
    let neighbour = boot(&here, 2, &work(Workload::Matmul, 0));
    let mut hung = None;
    let recover = || {
        let adapter = here.adapter();
        wait_until("the hang is noticed", || !adapter.is_responsive(PAGING).unwrap());
        adapter.reset_engine(PAGING).unwrap()
    };
    let recovery = std::thread::scope(|scope| {
        let mut recovery = None;
        let how = How::new(mode).watched(|event| {
            if event == Event::Enter(Phase::Brownout) {
                // A guest loads on the copy engine.
                hang_on(&here, 1, PAGING);
                hung = Some(here.boot(1, &work(Workload::Writer, 1 << 20)).unwrap());
                recovery = Some(scope.spawn(recover));
            }
            ControlFlow::Continue(())
        });
        let (_, held) = how.migrate(&guest.vgpu, &guest.vm, &there).arrived("behind a hung VF");
        let what = guest.work.clone();
        guest.destroy().unwrap();
        assert_right(settled(held, &what), &there, "behind a hung VF");
        recovery.unwrap().join().unwrap()
    });
    assert!(!recovery.adapter && recovery.submitted_again > 0, "{recovery:?}");
    let hung = hung.unwrap();
    wait_until("the hung VF's guest is told", || hung.vm.failure().is_some());
    hung.destroy().unwrap();
    assert_right(neighbour, &there, "beside a hung VF");
    stop([here, there]);
}

/// A VF whose packet hangs and may not be cut cannot be paused: its migration is refused, and leaves it as it was.
fn a_vf_that_may_not_be_cut_does_not_move(mode: Mode) {
    let (here, there) = (Host::new(mode).start(), Host::new(mode).start());
    let guest = boot(&here, 0, &work(Workload::Nbody, 1 << 20));
    let neighbour = boot(&here, 1, &work(Workload::Matmul, 0));
    set_timeout(&here, 0, 0);
    let before = state(&guest.vgpu);
    let how = How::new(mode).watched(|event| {
        if event == Event::Enter(Phase::Brownout) {
            hang(&here, 0);
            wait_until("the hang is noticed", || !here.adapter().is_responsive(NODE).unwrap());
        }
        ControlFlow::Continue(())
    });
    let error = how.migrate(&guest.vgpu, &guest.vm, &there).refused("a VF that cannot be paused");
    assert!(error.to_string().contains("STATUS_IO_TIMEOUT"), "{error}");
    wait_until("the target is empty", || is_empty(&there));
    assert_eq!(state(&guest.vgpu), before, "{error}");
    assert_eq!(guest.vm.failure(), None, "its packet was cut");
    // What helps is a reset: of the engine, or of the VF.
    guest.vgpu.reset().unwrap();
    guest.destroy().unwrap();
    assert_right(neighbour, &there, "beside a VF that hung");
    assert_right(boot(&here, 0, &work(Workload::Nbody, 0)), &there, "the seat afterwards");
    stop([here, there]);
}

/// A VF that hangs in its own brownout is reset there; the fault moves with it.
fn a_vf_hangs_while_it_moves(mode: Mode) {
    let (here, there) = (Host::new(mode).start(), Host::new(mode).start());
    let guest = boot(&here, 0, &work(Workload::Nbody, 1 << 20));
    let neighbour = boot(&here, 1, &work(Workload::Matmul, 0));
    let mut reset = false;
    let how = How::new(mode).watched(|event| {
        if event == Event::Enter(Phase::Brownout) && !std::mem::replace(&mut reset, true) {
            set_timeout(&here, 0, 0);
            hang(&here, 0);
            one_engine(here.adapter());
        }
        ControlFlow::Continue(())
    });
    let (_, held) = how.migrate(&guest.vgpu, &guest.vm, &there).arrived("a VF that hung");
    wait_until("the guest is told", || held.vm.failure().is_some());
    guest.destroy().unwrap();
    held.vm.stop();
    held.vgpu.destroy().unwrap();
    drop(held);
    assert_right(neighbour, &there, "beside a VF that hung");
    stop([here, there]);
}

fn a_source_is_pulled_out_in_every_phase(mode: Mode) {
    for phase in Phase::ALL {
        let (here, there) = (Host::new(mode).start(), Host::new(mode).start());
        let guest = boot(&here, 0, &work(Workload::Writer, 1 << 20));
        let how = How::new(mode).watched(|event| {
            if event == Event::Enter(phase) {
                here.adapter().surprise_remove().unwrap();
            }
            ControlFlow::Continue(())
        });
        let attempt = how.migrate(&guest.vgpu, &guest.vm, &there);
        // It never fails, and what is gone stays so.
        here.adapter().set_power(DEVICE_POWER_STATE::PowerDeviceD0).unwrap();
        if let Some(Visit::Running(held, _)) = attempt.target {
            let what = guest.work.clone();
            assert_right(settled(held, &what), &there, phase);
        }
        wait_until("the target is empty", || is_empty(&there));
        let _ = guest.vgpu.end();
        guest.destroy().unwrap();
        stop([here, there]);
    }
}

fn a_target_is_pulled_out_in_every_phase(mode: Mode) {
    let here = Host::new(mode).start();
    let room = free(&here);
    for phase in Phase::ALL {
        let there = Host::new(mode).start();
        let guest = boot(&here, 0, &work(Workload::Writer, 1 << 20));
        let before = state(&guest.vgpu);
        let how = How::new(mode).watched(|event| {
            if event == Event::Enter(phase) {
                there.adapter().surprise_remove().unwrap();
            }
            ControlFlow::Continue(())
        });
        let attempt = how.migrate(&guest.vgpu, &guest.vm, &there);
        match attempt.source {
            // The word was given before anybody knew: the VM went down with the target.
            Ok(_) => guest.destroy().unwrap(),
            Err(_) => {
                assert_eq!(state(&guest.vgpu), before, "{phase}");
                wait_steps(&guest.vm);
                assert_right(guest, &here, phase);
            }
        }
        if let Some(Visit::Running(held, _)) = attempt.target {
            held.vm.stop();
            held.vgpu.destroy().unwrap();
        }
        stop([there]);
    }
    assert_eq!(free(&here), room, "VRAM leaks");
    stop([here]);
}

/// Every VF in D3, the adapter in D3 and back: memory, rings and interrupts are as before.
#[test]
fn guests_sleep_and_work_on() {
    let (here, there) = (Host::new(ALWAYS).start(), Host::new(ALWAYS).start());
    let guests = [Workload::Nbody, Workload::Writer].into_iter().zip(0..);
    let guests: Vec<_> = guests.map(|(what, vf)| boot(&here, vf, &work(what, 1 << 20))).collect();
    for _ in 0..3 {
        guests.iter().for_each(|guest| guest.vgpu.power_off().unwrap());
        here.adapter().set_power(DEVICE_POWER_STATE::PowerDeviceD3).unwrap();
        here.adapter().set_power(DEVICE_POWER_STATE::PowerDeviceD0).unwrap();
        guests.iter().for_each(|guest| guest.vgpu.power_on().unwrap());
        guests.iter().for_each(|guest| wait_steps(&guest.vm));
    }
    for guest in guests {
        assert_right(guest, &there, "a guest that slept");
    }
    stop([here, there]);
}
