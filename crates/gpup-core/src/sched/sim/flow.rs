//! Whose packets: how long they are, and when the next one is wanted.

use alloc::vec::Vec;

use super::Entity;

/// When a flow wants its next packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Never.
    Silent,
    /// Always.
    Saturated,
    /// So many ticks after the last one, drawn between half and one and a half times that.
    Closed(u64),
}

/// How long a flow's packets are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Length {
    /// All alike.
    Fixed(u64),
    /// Drawn between the two.
    Uniform(u64, u64),
    /// Drawn among these; the second number says how often, relative to the others.
    Mix(Vec<(u64, u32)>),
    /// These in turn; the last one over and over.
    Replay(Vec<u64>),
}

impl Length {
    /// The longest packet there can be.
    pub fn longest(&self) -> u64 {
        match self {
            Self::Fixed(ticks) | Self::Uniform(_, ticks) => *ticks,
            Self::Mix(kinds) => kinds.iter().map(|(ticks, _)| *ticks).max().unwrap_or(1),
            Self::Replay(lengths) => lengths.iter().copied().max().unwrap_or(1),
        }
    }
}

/// A source of packets.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Whose packets.
    pub entity: Entity,
    /// When it wants them.
    pub demand: Demand,
    /// How long they are.
    pub length: Length,
    random: u64,
    pub(super) replayed: usize,
    pub(super) working: bool,
    /// When it wants a packet again; `u64::MAX` = not by itself.
    pub(super) wakes_at: u64,
    /// Since when the next packet has been waiting.
    pub(super) since: u64,
}

impl Flow {
    /// A flow with a random stream of its own.
    pub fn new(entity: Entity, demand: Demand, length: Length, seed: u64) -> Self {
        Self {
            entity,
            demand,
            length,
            random: seed,
            replayed: 0,
            working: false,
            wakes_at: u64::MAX,
            since: 0,
        }
    }

    /// A draw between `low` and `high`, both included (splitmix64).
    pub(super) fn draw(&mut self, low: u64, high: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.random;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        low + (bits ^ (bits >> 31)) % (high - low + 1)
    }

    pub(super) fn next_length(&mut self) -> u64 {
        match &self.length {
            Length::Fixed(ticks) => *ticks,
            &Length::Uniform(low, high) => self.draw(low, high),
            Length::Mix(_) => self.draw_kind(),
            Length::Replay(lengths) => {
                self.replayed += 1;
                lengths.get(self.replayed - 1).or(lengths.last()).copied().unwrap_or(1)
            }
        }
    }

    /// A draw among the kinds of a mix.
    fn draw_kind(&mut self) -> u64 {
        let Length::Mix(kinds) = &self.length else { return 1 };
        let all: u64 = kinds.iter().map(|(_, often)| u64::from(*often)).sum();
        let mut place = self.draw(1, all.max(1));
        let Length::Mix(kinds) = &self.length else { return 1 };
        for (ticks, often) in kinds {
            match place.checked_sub(u64::from(*often)) {
                Some(rest) if rest > 0 => place = rest,
                _ => return *ticks,
            }
        }
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_keeps_its_proportions() {
        let kinds = alloc::vec![(50, 9), (20_000, 1), (7, 10)];
        let mut flow = Flow::new(Entity::Pf, Demand::Saturated, Length::Mix(kinds.clone()), 5);
        let drawn: Vec<u64> = (0..20_000).map(|_| flow.next_length()).collect();
        for (ticks, often) in kinds {
            let count = drawn.iter().filter(|drawn| **drawn == ticks).count();
            assert!(count.abs_diff(often as usize * 1000) < 300, "{ticks}: {count}");
        }
    }
}
