//! Somebody else at the target's address: a process that never met the source, whatever it says.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use dxgksim::vgpu::Vgpu;
use live_migration::handover::{Identity, Standing};
use live_migration::wire::channel::Channel;
use live_migration::wire::frame::Kind;
use live_migration::wire::framed::Framed;
use live_migration::wire::message::{Hello, Resolution, Resolve};
use live_migration::wire::vigil::{SILENCE_S, Vigil};
use live_migration::{Desk, Event, Observer, Target};

use crate::bench::equipment;
use crate::time::{At, Side, Time};
use crate::trial::TARGET;

/// What it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    /// What a target that has just been started says.
    Unknown,
    /// It runs the VM.
    Running,
    /// It has discarded the VM.
    Discarded,
    /// The same, under the name of the target that was met. No stranger can know it; whoever took any answer for the
    /// target's would fall for each of them as for this one.
    DiscardedAsIfMet,
}

/// Answers whoever is at the other end.
pub(crate) fn answer(channel: Box<dyn Channel>, lie: Lie, time: &Arc<Time>) {
    let (target, standing) = match lie {
        Lie::Unknown => {
            let target = Target::new(Identity(2), equipment(Arc::new(gpup_guest::Loader), time));
            drop(target.welcome(channel, &mut Poor));
            return;
        }
        Lie::Running => (Identity(2), Standing::Running),
        Lie::Discarded => (Identity(2), Standing::Discarded),
        Lie::DiscardedAsIfMet => (TARGET, Standing::Discarded),
    };
    let clock = Arc::new(At(time.clone(), Side::Target));
    let vigil = Vigil::new(clock, Arc::<AtomicBool>::default(), SILENCE_S);
    let mut link = Framed::new(channel, vigil);
    while link.expect_message::<Resolve>(Kind::Resolve).is_ok() {
        let _ = link.send_message(Kind::Resolution, &Resolution { target, standing });
    }
}

/// A host without a VF to give.
struct Poor;

impl Observer for Poor {
    fn event(&mut self, _event: Event) -> std::ops::ControlFlow<()> {
        std::ops::ControlFlow::Continue(())
    }
}

impl Desk for Poor {
    fn make_vgpu(&mut self, _hello: &Hello) -> Result<Arc<Vgpu>, String> {
        Err("no VF can be made".into())
    }
}
