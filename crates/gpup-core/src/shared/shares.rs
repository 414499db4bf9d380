//! How the device is divided: the number of partitions, and what each of them may have of it.
//!
//! Capabilities that no engine of this device has, video encode and decode, are zero everywhere and have no
//! place here. All counters are atomics, so making one VF never waits for another. The number of partitions and the
//! number of VFs share a word: a VF that is made beside a change of the count is refused, or the change is.

use crate::device::Geometry;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::{Error, Result, VfIndex};

/// Compute units of the whole device. A VF's share of them is its weight on every engine.
pub const COMPUTE_UNITS: u64 = 16_384;
/// VRAM is granted in multiples of this, or of the dirty page where that is larger.
const MEMORY_UNIT: u64 = 64 * 1024;
/// Least VRAM that stays with the PF: page tables lie in it.
const PF_MEMORY: u64 = 16 << 20;

/// Bounds of one capability of a VF, and what suits it best.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// It never has less.
    pub min: u64,
    /// It never has more.
    pub max: u64,
    /// What it gets while there is enough.
    pub optimal: u64,
}

impl Bounds {
    /// These bounds if they were given, else `default`. Refused when they contradict themselves or `default`.
    fn or(self, default: Self) -> Result<Self> {
        if self == Self::default() {
            return Ok(default);
        }
        let ordered = self.min <= self.optimal && self.optimal <= self.max;
        let possible = self.min >= default.min && self.max <= default.max;
        if ordered && possible { Ok(self) } else { Err(Error::InvalidParameter) }
    }
}

/// What is asked of a new VF. Zeros stand for the defaults of the partition count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Bytes of VRAM.
    pub memory: Bounds,
    /// Compute units.
    pub compute: Bounds,
}

/// What a VF got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The bounds in force.
    pub profile: Profile,
    /// Bytes of VRAM.
    pub memory: u64,
    /// Compute units: the weight of the VF.
    pub compute: u64,
}

impl Grant {
    /// The most the VF may take of an engine, in millionths.
    pub fn max_ppm(&self) -> u32 {
        let ppm = self.profile.compute.max * 1_000_000 / COMPUTE_UNITS;
        u32::try_from(ppm.clamp(1, 1_000_000)).unwrap_or(1_000_000)
    }

    /// The VF's weight on an engine.
    pub fn weight(&self) -> u32 {
        u32::try_from(self.compute.max(1)).unwrap_or(u32::MAX)
    }
}

/// One capability of the device under a partition count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// All of it.
    pub total: u64,
    /// What no VF has.
    pub available: u64,
    /// Bounds and best value of a partition.
    pub bounds: Bounds,
}

/// How many partitions there are and how many VFs, in one word.
#[derive(Clone, Copy)]
struct Division {
    count: u32,
    alive: u32,
}

impl Division {
    const fn to_word(self) -> u64 {
        (self.count as u64) << 32 | self.alive as u64
    }

    const fn of_word(word: u64) -> Self {
        Self { count: (word >> 32) as u32, alive: word as u32 }
    }
}

/// The division of the device.
pub struct Shares {
    most: u32,
    /// A [`Division`].
    division: AtomicU64,
    memory_unit: u64,
    memory_total: u64,
    memory_left: AtomicU64,
    compute_left: AtomicU64,
}

impl Shares {
    /// All of a device, to be divided into as many parts as it can have VFs.
    pub fn new(geometry: &Geometry) -> Self {
        let memory_unit = geometry.dirty_page_bytes.max(MEMORY_UNIT);
        let pf = (geometry.vram_bytes / 16).max(PF_MEMORY).min(geometry.vram_bytes);
        let memory_total = (geometry.vram_bytes - pf) / memory_unit * memory_unit;
        Self {
            most: geometry.max_vfs,
            division: AtomicU64::new(Division { count: geometry.max_vfs, alive: 0 }.to_word()),
            memory_unit,
            memory_total,
            memory_left: AtomicU64::new(memory_total),
            compute_left: AtomicU64::new(COMPUTE_UNITS),
        }
    }

    /// Most partitions the device can have.
    pub fn most(&self) -> u32 {
        self.most
    }

    /// Partitions it is divided into.
    pub fn count(&self) -> u32 {
        self.division().count
    }

    /// VFs that exist.
    pub fn alive(&self) -> u32 {
        self.division().alive
    }

    fn division(&self) -> Division {
        Division::of_word(self.division.load(Ordering::Acquire))
    }

    /// Changes the division in one step, or not at all; the answer is the one before.
    fn divide(&self, change: impl Fn(Division) -> Result<Division>) -> Result<Division> {
        let mut refused = Error::WrongState;
        let changed = |word| match change(Division::of_word(word)) {
            Ok(to) => Some(to.to_word()),
            Err(error) => {
                refused = error;
                None
            }
        };
        match self.division.fetch_update(Ordering::AcqRel, Ordering::Acquire, changed) {
            Ok(before) => Ok(Division::of_word(before)),
            Err(_) => Err(refused),
        }
    }

    /// The partition counts that [`Shares::set_count`] takes: the powers of two, and the most.
    pub fn options(&self) -> impl Iterator<Item = u32> + use<> {
        let most = self.most;
        let powers = (0..u32::BITS).map(|bit| 1 << bit).take_while(move |count| *count < most);
        powers.chain([most])
    }

    /// Divides the device anew. Only while no VF exists.
    pub fn set_count(&self, count: u32) -> Result<()> {
        if !self.options().any(|option| option == count) {
            return Err(Error::InvalidParameter);
        }
        let change = |before: Division| match before.alive {
            0 => Ok(Division { count, ..before }),
            _ => Err(Error::WrongState),
        };
        self.divide(change).map(drop)
    }

    /// VRAM under a partition count.
    pub fn memory(&self, count: u32) -> Share {
        let optimal = self.memory_total / u64::from(count.max(1)) / self.memory_unit * self.memory_unit;
        Share {
            total: self.memory_total,
            available: self.memory_left.load(Ordering::Relaxed),
            bounds: Bounds {
                min: self.memory_unit,
                max: self.memory_total,
                optimal: optimal.max(self.memory_unit),
            },
        }
    }

    /// Compute units under a partition count.
    pub fn compute(&self, count: u32) -> Share {
        Share {
            total: COMPUTE_UNITS,
            available: self.compute_left.load(Ordering::Relaxed),
            bounds: Bounds {
                min: 1,
                max: COMPUTE_UNITS,
                optimal: (COMPUTE_UNITS / u64::from(count.max(1))).max(1),
            },
        }
    }

    /// Takes the part of VF `vf`, which must be one of the count's. [`Shares::give_back`] returns it.
    pub fn grant(&self, vf: VfIndex, asked: &Profile) -> Result<Grant> {
        // From here on the count stays.
        let count = self.divide(|before| Self::with_another(before, vf))?.count;
        self.take(count, asked).inspect_err(|_| self.one_less())
    }

    fn with_another(before: Division, vf: VfIndex) -> Result<Division> {
        if vf >= before.count {
            return Err(Error::UnknownVf);
        }
        Ok(Division { alive: before.alive + 1, ..before })
    }

    fn one_less(&self) {
        // The VFs are the word's lower half, and there is at least one.
        self.division.fetch_sub(1, Ordering::AcqRel);
    }

    fn take(&self, count: u32, asked: &Profile) -> Result<Grant> {
        let profile = Profile {
            memory: asked.memory.or(self.memory(count).bounds)?,
            compute: asked.compute.or(self.compute(count).bounds)?,
        };
        let memory = take(&self.memory_left, profile.memory, self.memory_unit)?;
        match take(&self.compute_left, profile.compute, 1) {
            Ok(compute) => Ok(Grant { profile, memory, compute }),
            Err(error) => {
                self.memory_left.fetch_add(memory, Ordering::Relaxed);
                Err(error)
            }
        }
    }

    /// Returns a VF's part.
    pub fn give_back(&self, grant: &Grant) {
        self.memory_left.fetch_add(grant.memory, Ordering::Relaxed);
        self.compute_left.fetch_add(grant.compute, Ordering::Relaxed);
        self.one_less();
    }
}

/// Takes the best value that is left and within bounds, in whole units.
fn take(left: &AtomicU64, bounds: Bounds, unit: u64) -> Result<u64> {
    let most = bounds.max / unit * unit;
    let wanted = (bounds.optimal.div_ceil(unit).max(1) * unit).min(most);
    let mut got = 0;
    let update = |left: u64| {
        got = wanted.min(left / unit * unit);
        (got > 0 && got >= bounds.min).then(|| left - got)
    };
    match left.fetch_update(Ordering::AcqRel, Ordering::Acquire, update) {
        Ok(_) => Ok(got),
        Err(_) => Err(Error::NoResources),
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use loom::thread;

    use super::*;

    /// A change of the count against the making of a VF that the new count does not have: one of them is refused.
    #[test]
    fn loom_a_count_does_not_change_under_a_vf() {
        loom::model(|| {
            let geometry = Geometry {
                vram_bytes: 256 << 20,
                max_vfs: 4,
                dirty_page_bytes: 4096,
                page_table_levels: 4,
                page_table_index_bits: 9,
            };
            let shares = loom::sync::Arc::new(Shares::new(&geometry));
            let theirs = shares.clone();
            let counted = thread::spawn(move || theirs.set_count(2).is_ok());
            let made = shares.grant(3, &Profile::default());
            assert_ne!(counted.join().unwrap(), made.is_ok());
            assert_eq!((shares.count(), shares.alive()), if made.is_ok() { (4, 1) } else { (2, 0) });
        });
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn shares(max_vfs: u32) -> Shares {
        Shares::new(&Geometry {
            vram_bytes: 256 * MIB,
            max_vfs,
            dirty_page_bytes: 4096,
            page_table_levels: 4,
            page_table_index_bits: 9,
        })
    }

    #[test]
    fn defaults_divide_everything_among_all() {
        let shares = shares(4);
        let grants: [_; 4] = core::array::from_fn(|vf| shares.grant(vf as u32, &Profile::default()).unwrap());
        assert!(grants.iter().all(|grant| grant.memory == 60 * MIB && grant.compute == 4096));
        assert_eq!(shares.grant(0, &Profile::default()).unwrap_err(), Error::NoResources);
        assert_eq!(shares.set_count(2).unwrap_err(), Error::WrongState);
        grants.iter().for_each(|grant| shares.give_back(grant));
        shares.set_count(2).unwrap();
        assert_eq!(shares.grant(0, &Profile::default()).unwrap().memory, 120 * MIB);
    }

    #[test]
    fn a_profile_is_taken_at_its_word_or_refused() {
        let shares = shares(4);
        let memory =
            |min, optimal, max| Profile { memory: Bounds { min, max, optimal }, ..Profile::default() };
        assert_eq!(shares.grant(0, &memory(MIB, 200 * MIB, 240 * MIB)).unwrap().memory, 200 * MIB);
        let odd = memory(MIB, MIB + 4096, MIB + 4096);
        let grant = shares.grant(0, &odd).unwrap();
        assert!(grant.memory <= odd.memory.max, "{grant:?}");
        shares.give_back(&grant);
        assert_eq!(shares.grant(0, &memory(MIB, 200 * MIB, 240 * MIB)).unwrap().memory, 40 * MIB);
        assert_eq!(shares.grant(0, &memory(MIB, 2 * MIB, 3 * MIB)).unwrap_err(), Error::NoResources);
        for wrong in [memory(3, 2, 1), memory(MIB, MIB, 512 * MIB), memory(1, MIB, MIB)] {
            assert_eq!(shares.grant(0, &wrong).unwrap_err(), Error::InvalidParameter);
        }
        assert_eq!(shares.alive(), 2);
    }

    #[test]
    fn a_vf_that_is_refused_leaves_the_count_free() {
        let shares = shares(4);
        assert_eq!(shares.grant(4, &Profile::default()).unwrap_err(), Error::UnknownVf);
        let wrong = Profile { compute: Bounds { min: 2, max: 1, optimal: 1 }, ..Profile::default() };
        assert_eq!(shares.grant(3, &wrong).unwrap_err(), Error::InvalidParameter);
        assert_eq!((shares.alive(), shares.set_count(2)), (0, Ok(())));
        assert_eq!(shares.grant(2, &Profile::default()).unwrap_err(), Error::UnknownVf);
    }

    #[test]
    fn partition_counts_are_powers_of_two_and_the_most() {
        assert_eq!(shares(6).options().collect::<Vec<_>>(), [1, 2, 4, 6]);
        assert_eq!(shares(1).options().collect::<Vec<_>>(), [1]);
        assert_eq!(shares(6).set_count(3).unwrap_err(), Error::InvalidParameter);
    }
}
