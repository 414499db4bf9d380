//! Whether a loaded state can be one that a guest saved.

use super::{State, VfGuest};
use crate::driver::Ring;

impl VfGuest {
    /// Whether the counters can be those of a guest of this kind, so that nothing below has to ask again.
    pub(crate) fn check(&self) -> bool {
        let sound = |ring: &Ring| {
            ring.completed <= ring.submitted && ring.submitted < 1 << 48 && ring.tail.is_multiple_of(16)
        };
        self.state.driver.rings.iter().all(sound) && self.stages_follow() && self.image_matches()
    }

    /// No stage has begun before the one it follows is done.
    fn stages_follow(&self) -> bool {
        let State { goal, folded, digests, .. } = &self.state;
        let (copy, compute, load_len) = (self.copy(), self.compute(), self.load_len());
        let loaded = copy.completed >= load_len;
        let digested = copy.submitted.saturating_sub(load_len);
        let all_steps = goal.and_then(|goal| goal.checked_mul(self.work.step_len()));
        let stepped = compute.outstanding() == 0 && all_steps == Some(compute.submitted);
        (compute.submitted == 0 || loaded)
            && goal.is_none_or(|goal| goal >= self.begun())
            && (digested == 0 || loaded && stepped)
            && digested <= self.digest().commands()
            && *folded <= copy.completed.saturating_sub(load_len)
            && digests.len() == self.ranges().len()
    }

    /// The image's rest is there, all of it and no more.
    fn image_matches(&self) -> bool {
        let given = self.image_given();
        self.state.image_from == given
            && self.state.image.len() as u64 == self.spec.image_bytes.saturating_sub(given)
    }
}
