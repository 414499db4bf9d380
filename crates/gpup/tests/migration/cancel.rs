//! A migration that ends early, at every phase and on either side, leaves the VF as it was; the next one moves it.

use gpup::world::{Guest, Machine};
use gpup_guest::Workload;
use live_migration::wire::frame::FrameError;
use live_migration::{Error, Phase};

use crate::harness::{
    Host, How, Mode, assert_right, boot, free, in_every_mode, is_empty, settled, state, stop, stop_at,
    wait_steps, work,
};

in_every_mode!(
    cancelled_by_the_source_at_every_phase,
    given_up_by_the_target_at_every_phase,
    a_second_attempt_sends_the_bytes_of_the_first,
    without_the_ledger_pages_are_lost,
);

/// Bytes of the image of most guests.
const IMAGE: u64 = 1 << 20;

/// Whether the source can still take the VM back. Past that ownership has been given away.
fn source_can_stop_at(phase: Phase) -> bool {
    match phase {
        Phase::Connect
        | Phase::Prepare
        | Phase::Immutable
        | Phase::Brownout
        | Phase::Pause
        | Phase::LastPages
        | Phase::Mutable
        | Phase::Restore
        | Phase::Proof => true,
        Phase::Commit | Phase::End => false,
    }
}

/// Whether the target has a phase of this name, and may give up there.
fn target_can_stop_at(phase: Phase) -> bool {
    match phase {
        Phase::Prepare
        | Phase::Immutable
        | Phase::Brownout
        | Phase::Mutable
        | Phase::Restore
        | Phase::Proof => true,
        // The target's side of these is a wait for the source, or the VM is its own already.
        Phase::Connect | Phase::Pause | Phase::LastPages | Phase::Commit | Phase::End => false,
    }
}

/// Whether the dirty plane is being kept, as Dxgkrnl's own query sees it.
fn tracked(guest: &Guest) -> bool {
    let mut bits = vec![0; guest.vgpu.pages().div_ceil(64) as usize];
    guest.vgpu.query_dirty(false, &mut bits).is_ok()
}

/// The two hosts and a third that takes the second attempt.
struct Scene {
    mode: Mode,
    here: Machine,
    there: Machine,
    fresh: Machine,
}

impl Scene {
    fn new(mode: Mode, here: &Host) -> Self {
        let [there, fresh] = [0; 2].map(|_| Host::new(mode).start());
        Self { mode, here: here.start(), there, fresh }
    }

    /// An attempt that fails; the VF stands as before and works on, and the target has nothing.
    fn fail(&self, guest: &Guest, how: How<'_>, case: &str) -> Error {
        let (before, tracked_before, room) = (state(&guest.vgpu), tracked(guest), free(&self.there));
        let error = how.migrate(&guest.vgpu, &guest.vm, &self.there).refused(case);
        assert_eq!(state(&guest.vgpu), before, "{case}");
        assert!(before.executes && before.throttle == 1000 && !before.paused, "{case}: {before:?}");
        assert_eq!(tracked(guest), tracked_before, "{case}");
        assert!(is_empty(&self.there) && free(&self.there) == room, "{case}: the target kept something");
        wait_steps(&guest.vm);
        error
    }

    /// The second attempt, to the end.
    fn move_and_check(&self, guest: Guest, case: &str) {
        let (_, held) = How::new(self.mode).migrate(&guest.vgpu, &guest.vm, &self.fresh).arrived(case);
        let what = guest.work.clone();
        guest.destroy().unwrap();
        assert_right(settled(held, &what), &self.here, case);
    }

    fn stop(self) {
        stop([self.here, self.there, self.fresh]);
    }
}

fn cancelled_by_the_source_at_every_phase(mode: Mode) {
    let scene = Scene::new(mode, &Host::new(mode));
    for phase in Phase::ALL {
        let case = format!("cancelled at {phase}");
        let guest = boot(&scene.here, 0, &work(Workload::Writer, IMAGE));
        let how = How::new(mode).watched(stop_at(phase));
        if source_can_stop_at(phase) {
            assert_eq!(scene.fail(&guest, how, &case), Error::Cancelled, "{case}");
            scene.move_and_check(guest, &case);
        } else {
            // Whoever asks for it now is too late: the VM moves.
            let (_, held) = how.migrate(&guest.vgpu, &guest.vm, &scene.there).arrived(&case);
            let what = guest.work.clone();
            guest.destroy().unwrap();
            assert_right(settled(held, &what), &scene.here, &case);
        }
    }
    scene.stop();
}

fn given_up_by_the_target_at_every_phase(mode: Mode) {
    let scene = Scene::new(mode, &Host::new(mode));
    for phase in Phase::ALL.into_iter().filter(|phase| target_can_stop_at(*phase)) {
        let case = format!("the target gives up at {phase}");
        let guest = boot(&scene.here, 0, &work(Workload::Writer, IMAGE));
        let how = How { at_target: Box::new(stop_at(phase)), ..How::new(mode) };
        // Its word, or the end of a data stream, whichever comes first.
        let error = scene.fail(&guest, how, &case);
        assert!(matches!(error, Error::Aborted(_) | Error::Frame(FrameError::Link(_))), "{case}: {error:?}");
        scene.move_and_check(guest, &case);
    }
    scene.stop();
}

/// A guest that writes nothing any more: what the streams carried can be compared byte for byte.
fn a_second_attempt_sends_the_bytes_of_the_first(mode: Mode) {
    let scene = Scene::new(mode, &Host::new(mode));
    let guest = boot(&scene.here, 0, &work(Workload::Idle, IMAGE));
    let mut sent = Vec::new();
    for phase in [Phase::Mutable, Phase::Restore, Phase::Proof] {
        let mut how = How::new(mode).watched(stop_at(phase));
        how.options.migration = 1;
        let attempt = how.migrate(&guest.vgpu, &guest.vm, &scene.there);
        sent.push(attempt.sent[1].clone());
        attempt.refused(phase);
    }
    let mut how = How::new(mode);
    how.options.migration = 1;
    let attempt = how.migrate(&guest.vgpu, &guest.vm, &scene.fresh);
    sent.push(attempt.sent[1].clone());
    let (_, held) = attempt.arrived("the last attempt");
    assert!(sent[0].len() as u64 > IMAGE, "only {} bytes were sent", sent[0].len());
    for (attempt, bytes) in sent.iter().enumerate() {
        assert!(*bytes == sent[0], "attempt {attempt}: {} bytes, first {}", bytes.len(), sent[0].len());
    }
    let what = guest.work.clone();
    guest.destroy().unwrap();
    assert_right(settled(held, &what), &scene.here, "after four attempts");
    scene.stop();
}

/// What was harvested in the failed attempt is forgotten: the proof of the next one must notice. Where tracking
/// begins with the migration everything is sent again, and nothing depends on the ledger.
fn without_the_ledger_pages_are_lost(mode: Mode) {
    let scene = Scene::new(mode, &Host::new(mode).with("FaultNoLedger", 1));
    let guest = boot(&scene.here, 0, &work(Workload::Idle, IMAGE));
    scene.fail(&guest, How::new(mode).watched(stop_at(Phase::Proof)), "no ledger");
    if mode.performant {
        match How::new(mode).migrate(&guest.vgpu, &guest.vm, &scene.fresh).refused("no ledger") {
            Error::Different(verdict) => assert_eq!(verdict.different, 257, "{verdict:?}"),
            error => panic!("the pages are lost, and the proof says {error}"),
        }
        guest.destroy().unwrap();
    } else {
        scene.move_and_check(guest, "everything is sent again");
    }
    scene.stop();
}
