//! What happened in a run: who had the engine when, who waited, what was owed.

use gpup_core::sched::sim::Packet;
use gpup_core::sched::{Entity, Source};
use hdrhistogram::Histogram;

use super::window::Window;

/// Columns of the plots.
pub(super) const COLUMNS: usize = 160;

/// A VF's figures in a window. Times are ticks.
#[derive(Clone, Debug)]
pub(super) struct VfRecord {
    /// Its own packets.
    pub(super) guest: u64,
    /// Paging for it out of its share.
    pub(super) paging_share: u64,
    /// Paging for it out of time that nobody wanted.
    pub(super) paging_idle: u64,
    /// Slots kept free for it.
    pub(super) held: u64,
    /// Its packets.
    pub(super) packets: u64,
    /// Engine resets.
    pub(super) resets: u64,
    /// What its packets waited.
    pub(super) waits: Histogram<u64>,
    /// The most it was owed of its entitlement; none where its policy or ceiling makes that no promise.
    pub(super) owed: Option<f64>,
}

impl VfRecord {
    fn new() -> Self {
        let waits = Histogram::new(2).expect("two digits are possible");
        Self { guest: 0, paging_share: 0, paging_idle: 0, held: 0, packets: 0, resets: 0, waits, owed: None }
    }
}

/// A window's figures. Times are ticks.
#[derive(Clone, Debug)]
pub(super) struct WindowRecord {
    /// The window.
    pub(super) window: Window,
    /// By VF.
    pub(super) vfs: Vec<VfRecord>,
    /// The PF's everyday work.
    pub(super) pf: u64,
    /// Switches between VFs, part of the others' times.
    pub(super) switch: u64,
    /// Nothing ran.
    pub(super) idle: u64,
}

/// A VF's claim on its entitlement: grows while it wants the engine, shrinks by what it gets; what it is owed is
/// forfeited when it sleeps, what it owes is repaid at the rate of its entitlement.
#[derive(Clone, Copy, Debug)]
struct Claim {
    /// Its part of the engine by the weights of all.
    part: f64,
    /// From here on its entitlement is no promise.
    until: u64,
    owed: f64,
    served_to: u64,
}

impl Claim {
    /// A packet that had waited since `since` begins at `start`; the answer is what it was owed by then.
    fn serve(&mut self, since: u64, start: u64, ticks: u64) -> Option<f64> {
        if start >= self.until {
            return None;
        }
        let slept = since.saturating_sub(self.served_to);
        if slept > 0 {
            self.owed = (self.owed.min(0.0) + self.part * slept as f64).min(0.0);
        }
        let waited = start - since.max(self.served_to).min(start);
        let owed = self.owed + self.part * waited as f64;
        self.owed = owed - (1.0 - self.part) * ticks as f64;
        self.served_to = start + ticks;
        Some(owed)
    }
}

/// A change of policy and when it was in force. Times are ticks.
#[derive(Clone, Debug)]
pub(super) struct Switched {
    /// What happened.
    pub(super) what: String,
    /// Of which VF.
    pub(super) vf: u32,
    /// When.
    pub(super) at: u64,
    /// How long the first decision after it took to come.
    pub(super) in_force: Option<u64>,
    /// Length of the packet that ran meanwhile.
    pub(super) running: u64,
    /// How long paging's first packet took to come.
    pub(super) first_paging: Option<u64>,
}

/// A run.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// By window.
    pub(super) windows: Vec<WindowRecord>,
    /// The changes of policy.
    pub(super) switched: Vec<Switched>,
    /// Packets in all.
    pub(super) packets: u64,
    /// Guests' ticks by column, then VF.
    pub(super) guests: Vec<Vec<u64>>,
    /// Paging's ticks by column.
    pub(super) paging: Vec<u64>,
    claims: Vec<Claim>,
    length: u64,
}

impl Record {
    /// Of nothing yet; `claims` are each VF's part of the engine and until when that is a promise.
    pub(super) fn new(windows: Vec<Window>, switched: Vec<Switched>, claims: &[(f64, u64)]) -> Self {
        let vfs = claims.len();
        let length = windows.last().map_or(0, |window| window.to);
        let window =
            |window| WindowRecord { window, vfs: vec![VfRecord::new(); vfs], pf: 0, switch: 0, idle: 0 };
        let claim = |&(part, until): &(f64, u64)| Claim { part, until, owed: 0.0, served_to: 0 };
        Self {
            windows: windows.into_iter().map(window).collect(),
            switched,
            packets: 0,
            guests: vec![vec![0; vfs]; COLUMNS],
            paging: vec![0; COLUMNS],
            claims: claims.iter().map(claim).collect(),
            length,
        }
    }

    /// Nothing ran for `ticks` up to `now`.
    pub(super) fn idle(&mut self, ticks: u64, now: u64) {
        self.in_windows(now - ticks, now, |window, ticks| window.idle += ticks);
        self.decided_at(now - ticks, None);
    }

    /// A packet ran.
    pub(super) fn ran(&mut self, packet: &Packet) {
        let (start, end) = (packet.start, packet.start + packet.ticks);
        self.packets += 1;
        self.decided_at(start, Some(packet));
        self.in_windows(start, end, |window, ticks| *window.place(packet) += ticks);
        self.in_columns(start, end, packet.entity, packet.source);
        let claims = &mut self.claims;
        let Some(window) = self.windows.iter_mut().find(|window| start < window.window.to) else { return };
        window.switch += packet.switch;
        let Entity::Vf(vf) = packet.entity else { return };
        let owed = claims[vf as usize].serve(start - packet.waited.min(start), start, packet.ticks);
        let record = &mut window.vfs[vf as usize];
        record.owed = record.owed.into_iter().chain(owed).reduce(f64::max);
        if packet.source != Source::Slot {
            record.packets += 1;
            record.resets += u64::from(packet.reset);
            record.waits.record(packet.waited).expect("it grows with what it is given");
        }
    }

    /// The run is over: who always wants the engine is owed what it has waited for.
    pub(super) fn ended(&mut self, saturated: impl Fn(usize) -> bool) {
        let length = self.length;
        let Some(last) = self.windows.last_mut() else { return };
        for (vf, claim) in self.claims.iter_mut().enumerate().filter(|(vf, _)| saturated(*vf)) {
            let owed = claim.serve(0, length.max(claim.served_to), 0);
            last.vfs[vf].owed = last.vfs[vf].owed.into_iter().chain(owed).reduce(f64::max);
        }
    }

    /// Who has the engine was decided at `time`, so every change before it is in force.
    fn decided_at(&mut self, time: u64, packet: Option<&Packet>) {
        for change in &mut self.switched {
            if let Some(packet) = packet
                && change.in_force.is_none()
                && (time..time + packet.ticks).contains(&change.at)
                && time < change.at
            {
                change.running = packet.ticks;
                change.in_force = Some(time + packet.ticks - change.at);
            }
            if time >= change.at {
                change.in_force.get_or_insert(0);
                let pages = packet.is_some_and(|packet| packet.entity == Entity::Paging(change.vf));
                if pages {
                    change.first_paging.get_or_insert(time - change.at);
                }
            }
        }
    }

    fn in_windows(&mut self, start: u64, end: u64, mut add: impl FnMut(&mut WindowRecord, u64)) {
        for window in &mut self.windows {
            let (from, to) = (window.window.from.max(start), window.window.to.min(end));
            if from < to {
                add(window, to - from);
            }
        }
    }

    fn in_columns(&mut self, start: u64, end: u64, entity: Entity, source: Source) {
        let edge = |column: usize| (u128::from(self.length) * column as u128 / COLUMNS as u128) as u64;
        let mut from = start;
        while from < end.min(self.length) {
            let column = (u128::from(from) * COLUMNS as u128 / u128::from(self.length)) as usize;
            // The division rounds down, and so does an edge.
            let column = if edge(column + 1) <= from { column + 1 } else { column };
            let to = edge(column + 1).min(end);
            match entity {
                Entity::Vf(vf) if source != Source::Slot => self.guests[column][vf as usize] += to - from,
                Entity::Paging(_) => self.paging[column] += to - from,
                _ => {}
            }
            from = to;
        }
    }
}

impl WindowRecord {
    /// Where a packet's time goes.
    fn place(&mut self, packet: &Packet) -> &mut u64 {
        match (packet.entity, packet.source) {
            (Entity::Pf, _) => &mut self.pf,
            (Entity::Vf(vf), Source::Slot) => &mut self.vfs[vf as usize].held,
            (Entity::Vf(vf), _) => &mut self.vfs[vf as usize].guest,
            (Entity::Paging(vf), Source::Idle) => &mut self.vfs[vf as usize].paging_idle,
            (Entity::Paging(vf), _) => &mut self.vfs[vf as usize].paging_share,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim() -> Claim {
        Claim { part: 0.25, until: 10_000, owed: 0.0, served_to: 0 }
    }

    #[test]
    fn who_waits_is_owed_its_part_and_a_packet_pays_it() {
        let mut claim = claim();
        assert_eq!(claim.serve(0, 400, 100), Some(100.0));
        // A hundred ticks were its due for the wait, 25 for the packet's own time.
        assert_eq!(claim.owed, 25.0);
        assert_eq!(claim.serve(500, 900, 100), Some(125.0));
    }

    #[test]
    fn sleep_forfeits_what_is_owed_and_repays_what_is_owing() {
        let mut claim = claim();
        claim.serve(0, 400, 100);
        assert_eq!(claim.serve(600, 600, 400), Some(0.0), "what it was owed is gone");
        assert_eq!(claim.owed, -300.0);
        assert_eq!(claim.serve(1400, 1400, 0), Some(-200.0), "a quarter of 400 repaid");
        assert_eq!(claim.serve(9000, 9000, 0), Some(0.0), "no more than it owes");
    }

    #[test]
    fn a_claim_ends_where_the_promise_does() {
        assert_eq!(claim().serve(0, 10_000, 100), None);
    }
}
