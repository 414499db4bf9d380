//! The scenario on the host, with the driver linked in: what `cargo xtask wine` runs in a kernel.
//!
//! UNSAFETY: hands the driver's entry point to the simulated Dxgkrnl.
#![expect(unsafe_code)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use dxgkrnl::check;
use dxgkrnl::scenario::{Plan, Progress, run};
use dxgksim::dxgkrnl::{Adapter, AdapterOptions, Driver};
use gpup_guest::Workload;
use gpup_kmd::os::host::set_setting;
use gpup_scene::report::{Report, Verdict};
use gpup_scene::size::vram_for;
use live_migration::Phase;

const PLAN: Plan = Plan {
    vfs: 2,
    vf: 1,
    vf_bytes: 4 << 20,
    workload: Workload::Matmul,
    seed: 7,
    fill: 50,
    warm_up_ns: 50_000_000,
    cool_down_ns: 50_000_000,
    bandwidth: None,
    scattered: false,
};

/// Slow enough to be stopped in the brownout.
const SLOW: Plan = Plan { bandwidth: Some(1_000_000), ..PLAN };

/// The contract is the driver's, so a test that looks at it must be alone.
static ALONE: Mutex<()> = Mutex::new(());

fn driver() -> Arc<Driver> {
    static DRIVER: OnceLock<Arc<Driver>> = OnceLock::new();
    let load = || {
        dxgksim::host::std_host::install();
        gpup_kmd::os::host::connect_dxgkrnl(dxgksim::dxgkrnl::register);
        // SAFETY: the driver is linked into this process, so its code stays where it is.
        Arc::new(unsafe { Driver::load(gpup_kmd::driver_entry, "gpup_kmd") }.unwrap())
    };
    DRIVER.get_or_init(load).clone()
}

fn adapter(faults: &[&str]) -> Arc<Adapter> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let driver = driver();
    let path = format!(r"\Registry\Machine\Standin{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    set_setting(&path, "NumberOfVfs", 4);
    set_setting(&path, "ScatterMapReserve", 1);
    set_setting(&path, "VramBytes", vram_for(PLAN.vf_bytes, 4).unwrap());
    faults.iter().for_each(|fault| set_setting(&path, fault, 1));
    Adapter::start(&driver, AdapterOptions { registry_path: path, ..AdapterOptions::default() }).unwrap()
}

/// Runs `plan`, with `disturb` beside it once the source is in the brownout.
fn disturbed(
    plan: &Plan,
    [source, target]: [&Arc<Adapter>; 2],
    disturb: impl FnOnce(&Progress) + Send,
) -> Report {
    let progress = Progress::default();
    std::thread::scope(|scope| {
        let progress = &progress;
        scope.spawn(move || {
            while progress.phase() < Some(Phase::Brownout) {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_millis(20));
            disturb(progress);
        });
        run(source, target, plan, progress)
    })
}

/// Nothing uses the adapter any more, and the driver kept every rule.
fn ends(adapters: [Arc<Adapter>; 2]) {
    let contract = adapters[0].contract().clone();
    for adapter in adapters {
        assert!(Arc::into_inner(adapter).is_some(), "something still uses the adapter");
    }
    assert_eq!(contract.violations(), []);
}

#[test]
fn a_vf_moves_and_everything_is_identical() {
    let _alone = ALONE.lock();
    let adapters = [adapter(&[]), adapter(&[])];
    for vf in [1, 0] {
        let plan = Plan { vf, ..PLAN };
        let report = run(&adapters[0], &adapters[1], &plan, &Progress::default());
        assert_eq!((report.verdict, &report.error), (Verdict::Identical, &None));
        assert_eq!((report.pages_compared, report.result_identical), (1024, Some(true)));
        assert_eq!(report.neighbours.len(), 1);
    }
    ends(adapters);
}

#[test]
fn a_vf_in_many_pieces_moves_too() {
    let _alone = ALONE.lock();
    let adapters = [adapter(&[]), adapter(&[])];
    let calls = |report: &Report| report.calls["DxgkDdiSetVirtualGpuResources2"];
    let [before, after] = [false, true].map(|scattered| {
        let report = run(&adapters[0], &adapters[1], &Plan { scattered, ..PLAN }, &Progress::default());
        assert_eq!((report.verdict, &report.error), (Verdict::Identical, &None));
        calls(&report)
    });
    // Each VF gets its memory so, in one piece or in many.
    assert_eq!((after.called, after.refused), (2 * before.called, 0));
    ends(adapters);
}

#[test]
fn the_driver_is_checked_beside_its_adapters() {
    let _alone = ALONE.lock();
    let adapters = [adapter(&[]), adapter(&[])];
    let checked = check::run(&driver(), adapters[0].options().clone());
    let not_kept: Vec<_> = checked.rules.iter().filter(|rule| rule.verdict != "kept").collect();
    assert!(not_kept.is_empty() && checked.rules.len() > 300, "{not_kept:#?}");
    assert!(checked.calls["DxgkDdiQueryAdapterInfo(SCATTER_RESERVE)"].called > 0);
    ends(adapters);
}

#[test]
fn without_dirty_marks_the_proof_fails() {
    let _alone = ALONE.lock();
    let adapters = [adapter(&["FaultNoDirtyMarks"]), adapter(&[])];
    let report = run(&adapters[0], &adapters[1], &PLAN, &Progress::default());
    assert_eq!(report.verdict, Verdict::Different);
    assert!(report.pages_different > 0, "{report:?}");
    ends(adapters);
}

#[test]
fn cancelled_the_source_runs_on() {
    let _alone = ALONE.lock();
    let adapters = [adapter(&[]), adapter(&[])];
    let report = disturbed(&SLOW, [&adapters[0], &adapters[1]], Progress::cancel);
    assert_eq!((report.verdict, report.result_identical), (Verdict::Failed, Some(true)));
    ends(adapters);
}

#[test]
fn a_source_that_is_removed_leaves_nothing_behind() {
    let _alone = ALONE.lock();
    let adapters = [adapter(&[]), adapter(&[])];
    let report = disturbed(&SLOW, [&adapters[0], &adapters[1]], |progress| {
        adapters[0].surprise_remove().unwrap();
        progress.cancel();
    });
    assert_eq!(report.verdict, Verdict::Failed);
    ends(adapters);
}

#[test]
fn a_target_that_is_removed_leaves_the_source_running() {
    let _alone = ALONE.lock();
    let adapters = [adapter(&[]), adapter(&[])];
    let report = disturbed(&SLOW, [&adapters[0], &adapters[1]], |_| adapters[1].surprise_remove().unwrap());
    assert_eq!((report.verdict, report.result_identical), (Verdict::Failed, Some(true)), "{report:?}");
    ends(adapters);
}
