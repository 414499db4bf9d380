//! The driver's events, as a subscriber of the process sees them: a migration is told from them alone.
//!
//! The hosts, guests and attempts are those of the migration tests. What the two agents say of themselves is noted in
//! the same list, so that the driver's word can be held against theirs. Only the order counts, never a time.

#[expect(dead_code, reason = "made for the migration tests, which use the rest")]
#[path = "../migration/harness.rs"]
mod harness;
#[path = "../migration/wire.rs"]
mod wire;

mod seen;

use std::ops::ControlFlow;

use dxgksim::check::Verdict;
use dxgksim::vgpu::VgpuOptions;
use gpup::check::against_built_in;
use gpup::world::throttle;
use gpup_guest::Workload;
use live_migration::{Error, Event, Phase};
use wddm::DXGK_GPUP_MIGRATIONTYPE as Role;

use crate::harness::{
    Host, How, Mode, VF_BYTES, assert_right, boot, in_every_mode, settled, stop, stop_at, wait_steps, work,
};
use crate::seen::{Entry, Seen};

in_every_mode!(
    brownout_and_pause_are_in_the_trace,
    a_cancelled_migration_leads_home,
    a_refusal_says_why,
    resets_and_throttles_are_told,
);

/// Bytes of the image of a guest.
const IMAGE: u64 = 1 << 20;

/// Notes what an agent enters.
fn note(seen: &Seen, side: &'static str) -> impl FnMut(Event) -> ControlFlow<()> + Send + 'static {
    let list = seen.list();
    move |event| {
        if let Event::Enter(phase) = event {
            list.push(Entry::Agent(side, phase));
        }
        ControlFlow::Continue(())
    }
}

/// Where in the trace a migration's parts begin and end, from the driver's events alone.
struct Parts {
    /// The source's Prepare: the brownout begins.
    prepared: usize,
    /// The source's VF is off its engines: the pause begins.
    frozen: usize,
    /// The target's VF executes: the pause ends.
    resumed: usize,
    /// The source's End.
    ended: usize,
}

impl Parts {
    fn read(seen: &Seen, source: &str, target: &str) -> Self {
        let prepared = seen.find(0, source, "PhaseChanged", &[("to", "source-prepared")]);
        let frozen = seen.find(prepared, source, "ExecutesChanged", &[("executes", "false")]);
        // The two sides prepare at the same time.
        let arriving = seen.find(0, target, "PhaseChanged", &[("to", "target-prepared")]);
        let resumed = seen.find(arriving, target, "ExecutesChanged", &[("executes", "true")]);
        let ended = seen.find(frozen, source, "PhaseChanged", &[("to", "idle")]);
        Self { prepared, frozen, resumed, ended }
    }
}

fn brownout_and_pause_are_in_the_trace(mode: Mode) {
    let seen = Seen::begin();
    let (here, there) = (Host::new(mode).start(), Host::new(mode).start());
    let [source, target] = seen.adapters();
    let guest = boot(&here, 0, &work(Workload::Writer, IMAGE));
    let how = How { at_target: Box::new(note(&seen, "target")), ..How::new(mode) };
    let attempt = how.watched(note(&seen, "source")).migrate(&guest.vgpu, &guest.vm, &there);
    let (_, held) = attempt.arrived("traced");
    let what = guest.work.clone();
    guest.destroy().unwrap();

    let Parts { prepared, frozen, resumed, ended } = Parts::read(&seen, &source, &target);
    assert!(prepared < frozen && frozen < resumed && frozen < ended, "{seen:?}");
    // The agents say the same.
    let agent = |side, phase| seen.agent(side, phase);
    assert!(agent("source", Phase::Prepare) < prepared && prepared < agent("source", Phase::Brownout));
    assert!(agent("source", Phase::Pause) < frozen && frozen < agent("source", Phase::Restore));
    if mode.pause_vf {
        assert!(frozen < agent("source", Phase::LastPages), "the pause DDI stops the VF");
    } else {
        assert!(agent("source", Phase::LastPages) < frozen, "the size query stops the VF");
    }
    assert!(agent("source", Phase::Commit) < resumed && agent("target", Phase::Commit) < resumed);
    assert!(resumed < agent("source", Phase::End) && agent("source", Phase::End) < ended);
    // Between them, what belongs there and nothing else.
    assert_eq!(seen.count(prepared..frozen, &source, "ExecutesChanged", &[]), 0);
    assert_eq!(seen.count(frozen + 1..resumed, &source, "ExecutesChanged", &[]), 0);
    assert_eq!(seen.count(prepared..resumed, &target, "ExecutesChanged", &[("executes", "true")]), 0);
    // Where tracking begins with the migration, the first iteration takes all pages and asks nothing.
    let harvested = if mode.performant { prepared..frozen } else { prepared..resumed };
    assert!(seen.count(harvested, &source, "Harvested", &[]) > 0, "no iteration");
    assert_eq!(seen.count(frozen..resumed, &source, "LatePages", &[]), 1);
    let pages = seen.number(seen.find(frozen, &source, "LatePages", &[]), "pages");
    assert!(pages <= VF_BYTES / harness::PAGE, "{pages} late pages");
    let blackout = seen.find(prepared, &source, "PolicyChanged", &[("to", "source-blackout")]);
    assert!(blackout > frozen && blackout < resumed, "the share goes to paging with the pause");
    for (adapter, phases) in [
        (
            &source,
            ["source-prepared", "immutable-saved", "mutable-sized", "mutable-saved", "idle"].as_slice(),
        ),
        (&target, &["target-prepared", "immutable-restored", "mutable-restored", "idle"]),
    ] {
        assert_eq!(seen.chain(adapter, "0", "PhaseChanged", "idle"), phases);
    }
    assert_eq!(
        seen.count(resumed..seen.len(), &source, "Figures", &[("vf", "0")]),
        4,
        "two nodes, at End and its own"
    );
    assert_right(settled(held, &what), &here, "traced");
    stop([here, there]);
    assert_eq!(seen.count(ended..seen.len(), &target, "VfDestroyed", &[("vf", "0")]), 1);
    for adapter in [&source, &target] {
        assert_eq!(seen.count(ended..seen.len(), adapter, "AdapterStopped", &[]), 1);
    }
}

fn a_cancelled_migration_leads_home(mode: Mode) {
    for phase in [Phase::Brownout, Phase::LastPages, Phase::Proof] {
        let seen = Seen::begin();
        let (here, there) = (Host::new(mode).start(), Host::new(mode).start());
        let [source, target] = seen.adapters();
        let guest = boot(&here, 0, &work(Workload::Writer, IMAGE));
        let from = seen.len();
        let how = How::new(mode).watched(stop_at(phase));
        let error = how.migrate(&guest.vgpu, &guest.vm, &there).refused(phase);
        assert_eq!(error, Error::Cancelled, "{phase}");
        wait_steps(&guest.vm);
        // Back where it came from, in every respect, and the executions come in pairs.
        assert_eq!(seen.chain(&source, "0", "PhaseChanged", "idle").last().unwrap(), "idle", "{phase}");
        assert_eq!(seen.chain(&source, "0", "PolicyChanged", "normal").last().unwrap(), "normal", "{phase}");
        let [off, on] = ["false", "true"].map(|executes| {
            seen.count(from..seen.len(), &source, "ExecutesChanged", &[("executes", executes)])
        });
        assert_eq!(off, on, "{phase}");
        assert_eq!(
            off,
            usize::from(phase == Phase::Proof || phase == Phase::LastPages && mode.pause_vf),
            "{phase}"
        );
        // The target never ran, and its VF is gone.
        let created = seen.count(from..seen.len(), &target, "VfCreated", &[]);
        assert_eq!(created, 1, "{phase}");
        assert_eq!(seen.count(from..seen.len(), &target, "VfDestroyed", &[]), created, "{phase}");
        assert_eq!(seen.chain(&target, "0", "PhaseChanged", "idle").last().unwrap(), "idle", "{phase}");
        assert_eq!(seen.count(from..seen.len(), &source, "VfDestroyed", &[]), 0, "{phase}");
        guest.destroy().unwrap();
        stop([here, there]);
    }
}

fn a_refusal_says_why(mode: Mode) {
    let seen = Seen::begin();
    let there = Host::new(mode).with("FirmwareVersion", 0x0002_0000).start();
    let here = Host::new(mode).start();
    let [target, source] = seen.adapters();
    let guest = boot(&here, 1, &work(Workload::Writer, IMAGE));
    let error = How::new(mode).migrate(&guest.vgpu, &guest.vm, &there).refused("other firmware");
    assert!(error.to_string().contains("firmware version"), "{error}");
    let at = seen.find(0, &target, "Refused", &[("vf", "0"), ("what", "migration data"), ("level", "WARN")]);
    assert_eq!(seen.field(at, "reason"), "incompatible migration data: firmware version");
    assert_eq!(
        seen.field(at, "message"),
        "VF 0: migration data refused: incompatible migration data: firmware version"
    );
    assert_eq!(seen.count(0..seen.len(), &source, "Refused", &[]), 0, "the source refused nothing");

    // A call out of turn, and data that is none.
    let vgpu = there
        .adapter()
        .create_vgpu(0, &VgpuOptions { vram_bytes: VF_BYTES, ..VgpuOptions::default() })
        .unwrap();
    vgpu.prepare(Role::DXGK_GPUP_MIGRATIONTYPE_TARGET).unwrap();
    vgpu.prepare(Role::DXGK_GPUP_MIGRATIONTYPE_SOURCE).unwrap_err();
    let at = seen.find(at + 1, &target, "Refused", &[("vf", "0"), ("what", "PrepareLiveMigration")]);
    assert_eq!(seen.field(at, "reason"), "a migration of this VF is under way");
    vgpu.restore_immutable(&[0; 64]).unwrap_err();
    let at = seen.find(at + 1, &target, "Refused", &[("vf", "0"), ("what", "migration data")]);
    assert_eq!(seen.field(at, "reason"), "damaged migration data: not migration data");
    vgpu.end().unwrap();
    vgpu.destroy().unwrap();
    drop(vgpu);
    guest.destroy().unwrap();
    stop([here, there]);
}

/// Level that ETW calls informational, and verbose.
const INFORMATIONAL: u8 = 4;
const VERBOSE: u8 = 5;

#[test]
fn dxgkrnl_turns_events_off_and_on_by_level() {
    let mode = Mode { pause_vf: true, performant: true };
    let seen = Seen::begin();
    let machine = Host::new(mode).start();
    let [adapter] = seen.adapters();
    let control = |enable, level| assert!(machine.adapter().control_etw_logging(enable, level));
    // A VF that comes, is harvested, refuses a call and goes: an event of each level.
    let life = || {
        let options = VgpuOptions { vram_bytes: VF_BYTES, ..VgpuOptions::default() };
        let vgpu = machine.adapter().create_vgpu(0, &options).unwrap();
        vgpu.query_dirty(true, &mut vec![0; vgpu.pages().div_ceil(64) as usize]).unwrap();
        vgpu.prepare(Role::DXGK_GPUP_MIGRATIONTYPE_SOURCE).unwrap();
        vgpu.prepare(Role::DXGK_GPUP_MIGRATIONTYPE_SOURCE).unwrap_err();
        vgpu.end().unwrap();
        vgpu.destroy().unwrap();
    };
    let counted = |enable: Option<(bool, u8)>| {
        if let Some((enable, level)) = enable {
            control(enable, level);
        }
        let from = seen.len();
        life();
        ["Refused", "VfCreated", "Harvested"].map(|event| seen.count(from..seen.len(), &adapter, event, &[]))
    };
    assert_eq!(counted(None), [1, 1, 1], "without a call");
    assert_eq!(counted(Some((false, VERBOSE))), [1, 0, 0], "off: a warning stays");
    assert_eq!(counted(Some((true, INFORMATIONAL))), [1, 1, 0]);
    assert_eq!(counted(Some((true, 2))), [0, 0, 0]);
    assert_eq!(counted(Some((true, 0))), [1, 1, 1], "all levels");
    stop([machine]);
}

fn resets_and_throttles_are_told(mode: Mode) {
    let seen = Seen::begin();
    let here = Host::new(mode).start();
    let [adapter] = seen.adapters();
    let vgpu = here
        .adapter()
        .create_vgpu(1, &VgpuOptions { vram_bytes: VF_BYTES, ..VgpuOptions::default() })
        .unwrap();
    let from = seen.len();
    vgpu.reset().unwrap();
    let at = seen.find(from, &adapter, "FunctionReset", &[("vf", "1"), ("level", "INFO")]);
    assert_eq!(seen.field(at, "message"), "VF 1 was reset");

    // Nothing runs, so nobody's packet is cut.
    let fence = here.adapter().reset_engine(1).unwrap().last_aborted.to_string();
    let at = seen.find(at, &adapter, "EngineReset", &[("node", "1"), ("fence", &fence), ("level", "WARN")]);
    assert!(!seen.has(at, "vf"));

    // Only a source is slowed.
    throttle(&vgpu, 500).unwrap_err();
    assert_eq!(seen.count(0..seen.len(), &adapter, "Throttled", &[]), 0);
    vgpu.prepare(Role::DXGK_GPUP_MIGRATIONTYPE_SOURCE).unwrap();
    for permille in [500, 1000] {
        throttle(&vgpu, permille).unwrap();
        let told = [("vf", "1"), ("permille", &*permille.to_string()), ("level", "INFO")];
        assert_eq!(seen.count(at..seen.len(), &adapter, "Throttled", &told), 1, "{permille}");
    }
    vgpu.end().unwrap();
    vgpu.destroy().unwrap();
    drop(vgpu);
    stop([here]);
}

#[test]
fn a_refused_submission_says_why() {
    let seen = Seen::begin();
    let rules = ["submit.wrong-node", "submit.no-root"];
    let (driver, findings) = against_built_in(|rule| rules.contains(&rule.id)).unwrap();
    assert!(findings.iter().all(|finding| finding.verdict == Verdict::Kept), "{findings:?}");
    drop(driver);
    let adapters = seen.every_adapter();
    let told = |event, with: &[(&str, &str)]| -> usize {
        adapters.iter().map(|adapter| seen.count(0..seen.len(), adapter, event, with)).sum()
    };
    let warned = ("level", "WARN");
    for reason in ["invalid parameter", "not allowed in the present state"] {
        assert_eq!(told("SubmissionRefused", &[warned, ("reason", reason)]), 1, "{reason}: {seen:?}");
    }
}
