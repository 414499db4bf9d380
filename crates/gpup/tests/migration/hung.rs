//! What is collected of an adapter that hangs names the engine, who hangs there, and since when.

use std::time::Duration;

use dxgksim::dxgkrnl::Adapter;
use dxgksim::vidmm::TestProcess;
use gpup_core::device::abi::{COMPUTE_NODE, COPY_NODE};
use gpup_core::device::{Running, Whose};
use gpup_core::sched::Priority;
use gpup_guest::Workload;
use gpup_kmd::debug::{self, HEADER_BYTES, NODE_BYTES, Report};
use gpup_kmd::escape::Request;
use wddm::{
    D3DDDI_TESTCOMMANDBUFFER, D3DDDI_TESTCOMMANDBUFFEROP, VIDEO_ENGINE_TIMEOUT_DETECTED,
    VIDEO_TDR_TIMEOUT_DETECTED,
};

use crate::harness::{Host, Mode, VF_BYTES, boot, read_all, stop, wait_until, work};

const MODE: Mode = Mode { pause_vf: true, performant: true };
const SECOND: u64 = 1_000_000_000;

fn collect(adapter: &Adapter, reason: u32, room: usize) -> Report {
    Report::decode(&adapter.collect_debug_info(reason, room).unwrap()).expect("a report")
}

fn wait_hung(adapter: &Adapter, node: usize) {
    wait_until("the hang is noticed", || !adapter.is_responsive(node as u32).unwrap());
}

#[test]
fn a_vf_that_hangs_is_named_with_its_engine() {
    let machine = Host::new(MODE).start();
    let adapter = machine.adapter();
    let guest = boot(&machine, 1, &work(Workload::Matmul, 0));
    // Nobody waits for the engine, or the packet would be cut.
    let neighbour = machine.create_vf(0, VF_BYTES).unwrap();
    assert!(read_all(&neighbour).iter().all(|byte| *byte == 0));
    // Without a preemption timeout a pause does not cut the packet, but waits for it.
    let priority = Priority::Normal;
    let patient = Request::SetParameters { vf: 1, quantum_us: 4000, preempt_timeout_us: 0, priority };
    let hang = Request::Hang { vf: 1, node: COMPUTE_NODE as u32 };
    [patient, hang].iter().for_each(|request| adapter.escape(&mut request.encode()).unwrap());
    wait_hung(adapter, COMPUTE_NODE);
    let report = collect(adapter, VIDEO_ENGINE_TIMEOUT_DETECTED, 4096);
    assert_eq!((report.header.reason, report.header.driver), (0x141, debug::driver_version()));
    let [compute, copy] = [COMPUTE_NODE, COPY_NODE].map(|node| report.nodes[node]);
    assert!(!compute.responsive && copy.responsive, "{report:?}");
    let Some(Running { whose: Whose::Vf(1), since_ns }) = compute.running else { panic!("{compute:?}") };
    assert!(since_ns > SECOND, "{since_ns}");
    assert!(copy.last_completed > 0, "the neighbour was read");
    let [zero, one] = report.vfs[..] else { panic!("{report:?}") };
    assert_eq!((zero.vf, one.vf), (0, 1));
    assert!(one.standing.executes() && !one.standing.paused && one.counters[COMPUTE_NODE].packets > 0);
    // A VF's lock may be held by a call that waits for the hang: nobody waits for that one. The call ends by itself
    // after a while, which on a machine with much else to do is sometimes too early.
    let mut paused = false;
    let collected_beside = |paused: &mut bool| {
        std::thread::scope(|scope| {
            let pause = scope.spawn(|| guest.vgpu.set_pause(true).is_ok());
            std::thread::sleep(Duration::from_millis(200));
            let report = collect(adapter, VIDEO_TDR_TIMEOUT_DETECTED, 4096);
            assert_eq!(report.vfs.len(), 2);
            let waits = !pause.is_finished();
            *paused = pause.join().unwrap();
            waits
        })
    };
    assert!((0..20).any(|_| collected_beside(&mut paused)), "it was waited for");
    // For other reasons, at any level, the engines alone.
    let short = collect(adapter, 0x116 + 0x100, 4096);
    assert_eq!((short.vfs.len(), short.nodes.len()), (0, 2));
    assert_eq!(short.header.bytes as usize, HEADER_BYTES + 2 * NODE_BYTES);
    // A buffer that ends within the second VF.
    let cut =
        collect(adapter, VIDEO_TDR_TIMEOUT_DETECTED, HEADER_BYTES + 2 * NODE_BYTES + 2 * debug::VF_BYTES - 1);
    assert_eq!((cut.header.vfs, cut.vfs.len()), (2, 1));
    adapter.reset_engine(COMPUTE_NODE as u32).unwrap();
    wait_until("the engine works", || adapter.is_responsive(COMPUTE_NODE as u32).unwrap());
    let after = collect(adapter, VIDEO_ENGINE_TIMEOUT_DETECTED, 4096);
    assert!(after.nodes[COMPUTE_NODE].responsive);
    assert!(paused || after.vfs[1].counters[COMPUTE_NODE].resets > 0, "{after:?}");
    guest.destroy().unwrap();
    neighbour.destroy().unwrap();
    drop(neighbour);
    stop([machine]);
}

#[test]
fn a_test_buffer_that_hangs_is_named_by_its_fence() {
    let machine = Host::new(MODE).start();
    let adapter = machine.adapter();
    let vgpu = machine.create_vf(0, VF_BYTES).unwrap();
    let mut process: TestProcess = vgpu.test_process(COMPUTE_NODE as u32).unwrap().unwrap();
    let mut forever = D3DDDI_TESTCOMMANDBUFFER::zeroed();
    forever.Operation = D3DDDI_TESTCOMMANDBUFFEROP::D3DDDI_TESTCOMMANDBUFFEROP_INFINITE_LOOP;
    let buffer = process.build(forever).unwrap();
    let fence = process.start(&buffer).unwrap();
    wait_hung(adapter, COMPUTE_NODE);
    let compute = collect(adapter, VIDEO_ENGINE_TIMEOUT_DETECTED, 4096).nodes[COMPUTE_NODE];
    let Some(Running { whose: Whose::Host(runs), since_ns }) = compute.running else { panic!("{compute:?}") };
    assert!(runs == fence && since_ns > SECOND, "{compute:?}");
    assert_eq!(adapter.reset_engine(COMPUTE_NODE as u32).unwrap().last_aborted, fence);
    drop(process);
    vgpu.destroy().unwrap();
    drop(vgpu);
    stop([machine]);
}
