//! What an administrator sets under the adapter's software key, with defaults and limits.
//!
//! | name | unit | default | limits |
//! |---|---|---|---|
//! | Backend | where VRAM lies | 0 | 0 in system memory, 1 in the first memory resource of the device (its BAR) |
//! | NumberOfVfs | VFs | 4 | 1 to 64 |
//! | VramBytes | bytes | 2 GiB | 64 MiB to 256 GiB, a multiple of 2 MiB |
//! | DirtyTrackingPerformant | 0 or 1 | 1 | whether tracking may run all the time |
//! | ScatterMapReserve | 0 or 1 | 0 | whether VFs may be made of scattered memory |
//! | DirtyPageBytes | bytes | 4096 | 4096 to 2 MiB, a power of two |
//! | VendorId | PCI id | 0x1234 | 1 to 0xFFFE |
//! | DeviceId | PCI id | 0x4756 | 1 to 0xFFFE |
//! | DeviceRevision | revision | 1 | 0 to 255 |
//! | FirmwareVersion | major << 16 \| minor | 0x0001_0000 | below 2^32 |
//! | QuantumUs | microseconds | 4000 | 100 to 100 000 |
//! | PreemptTimeoutUs | microseconds | 640 000 | 0 (none: a packet that hangs is never cut, and its VF cannot be paused or moved) to 10 000 000 |
//! | PagingMiBPerSecond | MiB a second | 0 | 0 (no limit) to 1 048 576, of the paging for one migrating VF |
//! | EnginePercent | of the usual engines' speed | 100 | 1 to 1000 |
//!
//! With the feature `fault-injection` also FaultNoLedger, FaultNoLatePages and FaultNoDirtyMarks, 0 or 1: they take
//! a safeguard away, so that tests can show what it is for.

use core::fmt;

use gpup_core::device::sim::Rates;
use gpup_core::sched::VfParameters;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Most VFs an adapter can be set to.
pub const MAX_VFS: u32 = 64;

/// What a value must be besides within its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Any,
    PowerOfTwo,
    MultipleOf(u64),
}

/// A value's name, default and limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    name: &'static str,
    default: u64,
    least: u64,
    most: u64,
    shape: Shape,
}

impl Rule {
    const fn new(name: &'static str, default: u64, least: u64, most: u64) -> Self {
        Self { name, default, least, most, shape: Shape::Any }
    }

    const fn flag(name: &'static str, default: u64) -> Self {
        Self::new(name, default, 0, 1)
    }

    const fn shaped(self, shape: Shape) -> Self {
        Self { shape, ..self }
    }

    fn check(&'static self, value: u64) -> Result<u64, Refused> {
        let shaped = match self.shape {
            Shape::Any => true,
            Shape::PowerOfTwo => value.is_power_of_two(),
            Shape::MultipleOf(unit) => value.is_multiple_of(unit),
        };
        if shaped && (self.least..=self.most).contains(&value) {
            Ok(value)
        } else {
            Err(Refused { rule: self, value })
        }
    }
}

/// A value outside its limits. Its text says what to set instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    rule: &'static Rule,
    value: u64,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rule { name, default, least, most, shape } = self.rule;
        write!(f, "{name} = {} is refused: set {least} to {most}", self.value)?;
        match shape {
            Shape::Any => {}
            Shape::PowerOfTwo => f.write_str(", a power of two")?,
            Shape::MultipleOf(unit) => write!(f, ", a multiple of {unit}")?,
        }
        write!(f, " under the adapter's software key, or delete the value for {default}")
    }
}

static BACKEND: Rule = Rule::flag("Backend", 0);
static NUMBER_OF_VFS: Rule = Rule::new("NumberOfVfs", 4, 1, MAX_VFS as u64);
static VRAM_BYTES: Rule =
    Rule::new("VramBytes", 2 * GIB, 64 * MIB, 256 * GIB).shaped(Shape::MultipleOf(2 * MIB));
static PERFORMANT: Rule = Rule::flag("DirtyTrackingPerformant", 1);
static SCATTER: Rule = Rule::flag("ScatterMapReserve", 0);
static DIRTY_PAGE_BYTES: Rule = Rule::new("DirtyPageBytes", 4096, 4096, 2 * MIB).shaped(Shape::PowerOfTwo);
static VENDOR_ID: Rule = Rule::new("VendorId", 0x1234, 1, 0xFFFE);
static DEVICE_ID: Rule = Rule::new("DeviceId", 0x4756, 1, 0xFFFE);
static DEVICE_REVISION: Rule = Rule::new("DeviceRevision", 1, 0, 0xFF);
static FIRMWARE_VERSION: Rule = Rule::new("FirmwareVersion", 0x0001_0000, 0, u32::MAX as u64);
static QUANTUM_US: Rule = Rule::new(
    "QuantumUs",
    4000,
    *VfParameters::QUANTUM_US.start() as u64,
    *VfParameters::QUANTUM_US.end() as u64,
);
static PREEMPT_TIMEOUT_US: Rule =
    Rule::new("PreemptTimeoutUs", 640_000, 0, VfParameters::MOST_PREEMPT_TIMEOUT_US as u64);
static PAGING_MIB_PER_SECOND: Rule = Rule::new("PagingMiBPerSecond", 0, 0, 1 << 20);
static ENGINE_PERCENT: Rule = Rule::new("EnginePercent", 100, 1, 1000);

/// The settings of every build.
static RULES: [&Rule; 14] = [
    &BACKEND,
    &NUMBER_OF_VFS,
    &VRAM_BYTES,
    &PERFORMANT,
    &SCATTER,
    &DIRTY_PAGE_BYTES,
    &VENDOR_ID,
    &DEVICE_ID,
    &DEVICE_REVISION,
    &FIRMWARE_VERSION,
    &QUANTUM_US,
    &PREEMPT_TIMEOUT_US,
    &PAGING_MIB_PER_SECOND,
    &ENGINE_PERCENT,
];

/// Each setting's name and default: the INF writes just these.
pub fn defaults() -> impl Iterator<Item = (&'static str, u64)> {
    RULES.iter().map(|rule| (rule.name, rule.default))
}

#[cfg(feature = "fault-injection")]
static FAULT_NO_LEDGER: Rule = Rule::flag("FaultNoLedger", 0);
#[cfg(feature = "fault-injection")]
static FAULT_NO_LATE_PAGES: Rule = Rule::flag("FaultNoLatePages", 0);
#[cfg(feature = "fault-injection")]
static FAULT_NO_DIRTY_MARKS: Rule = Rule::flag("FaultNoDirtyMarks", 0);

/// The values an adapter starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// VRAM lies behind the device's BAR.
    pub vram_in_bar: bool,
    /// Most VFs that can exist at once.
    pub vfs: u32,
    /// Bytes of the local segment.
    pub vram_bytes: u64,
    /// Dirty tracking costs so little that it may run all the time.
    pub performant: bool,
    /// SetVirtualGpuResources2 is offered: VFs made of scattered memory.
    pub scatter: bool,
    /// Bytes of a page of the dirty plane.
    pub dirty_page_bytes: u64,
    /// PCI vendor id.
    pub vendor: u16,
    /// PCI device id of a VF.
    pub device: u16,
    /// Revision of the silicon.
    pub revision: u8,
    /// Version of the firmware.
    pub firmware: u32,
    /// Engine time of a VF's turn, in microseconds.
    pub quantum_us: u32,
    /// How far a packet may run past its turn, in microseconds; 0 = without limit.
    pub preempt_timeout_us: u32,
    /// What the paging for a migrating VF moves at most, in bytes a second; 0 = without limit.
    pub paging_bytes_per_second: u64,
    /// Speed of the engines, of the usual one.
    pub engine_percent: u32,
    /// Cleared pages are forgotten instead of entered in the re-dirty ledger.
    pub fault_no_ledger: bool,
    /// Pages dirtied after the last harvest stay behind.
    pub fault_no_late_pages: bool,
    /// Writes to VRAM are not tracked.
    pub fault_no_dirty_marks: bool,
}

impl Settings {
    /// Reads every value through `value`, which gives `None` for one that is not set.
    pub fn read(value: impl Fn(&'static str) -> Option<u64>) -> Result<Self, Refused> {
        let get = |rule: &'static Rule| rule.check(value(rule.name).unwrap_or(rule.default));
        Ok(Self {
            vram_in_bar: get(&BACKEND)? == 1,
            vfs: narrow(get(&NUMBER_OF_VFS)?),
            vram_bytes: get(&VRAM_BYTES)?,
            performant: get(&PERFORMANT)? == 1,
            scatter: get(&SCATTER)? == 1,
            dirty_page_bytes: get(&DIRTY_PAGE_BYTES)?,
            vendor: narrow(get(&VENDOR_ID)?),
            device: narrow(get(&DEVICE_ID)?),
            revision: narrow(get(&DEVICE_REVISION)?),
            firmware: narrow(get(&FIRMWARE_VERSION)?),
            quantum_us: narrow(get(&QUANTUM_US)?),
            preempt_timeout_us: narrow(get(&PREEMPT_TIMEOUT_US)?),
            paging_bytes_per_second: get(&PAGING_MIB_PER_SECOND)? * MIB,
            engine_percent: narrow(get(&ENGINE_PERCENT)?),
            #[cfg(feature = "fault-injection")]
            fault_no_ledger: get(&FAULT_NO_LEDGER)? == 1,
            #[cfg(not(feature = "fault-injection"))]
            fault_no_ledger: false,
            #[cfg(feature = "fault-injection")]
            fault_no_late_pages: get(&FAULT_NO_LATE_PAGES)? == 1,
            #[cfg(not(feature = "fault-injection"))]
            fault_no_late_pages: false,
            #[cfg(feature = "fault-injection")]
            fault_no_dirty_marks: get(&FAULT_NO_DIRTY_MARKS)? == 1,
            #[cfg(not(feature = "fault-injection"))]
            fault_no_dirty_marks: false,
        })
    }

    /// What of them the adapter itself goes by.
    pub(crate) fn adapter(&self) -> gpup_core::adapter::Settings {
        gpup_core::adapter::Settings {
            performant: self.performant,
            scatter: self.scatter,
            quantum_us: self.quantum_us,
            preempt_timeout_us: self.preempt_timeout_us,
            lose_late_pages: self.fault_no_late_pages,
            ..gpup_core::adapter::Settings::default()
        }
    }

    /// How fast the simulated engines are.
    pub(crate) fn rates(&self) -> Rates {
        let percent = u64::from(self.engine_percent);
        let scaled = |rate: u64| (rate * percent / 100).max(1);
        let Rates { packet, switch, copy, stream, multiply_adds, cells, pairs, stamps } = Rates::USUAL;
        Rates {
            packet,
            switch,
            copy: scaled(copy),
            stream: scaled(stream),
            multiply_adds: scaled(multiply_adds),
            cells: scaled(cells),
            pairs: scaled(pairs),
            stamps: scaled(stamps),
        }
    }
}

/// A value that its rule has bounded by the limits of `T`.
fn narrow<T: TryFrom<u64>>(value: u64) -> T {
    T::try_from(value).unwrap_or_else(|_| unreachable!("a rule's limits fit its field"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, value: u64) -> Result<Settings, Refused> {
        Settings::read(|asked| (asked == name).then_some(value))
    }

    #[test]
    fn nothing_set_gives_the_defaults() {
        let settings = Settings::read(|_| None).unwrap();
        assert_eq!((settings.vfs, settings.vram_bytes), (4, 2 * GIB));
        assert!(settings.performant);
        assert_eq!(settings.dirty_page_bytes, 4096);
    }

    #[test]
    fn limits_are_inclusive() {
        for (name, good, bad) in [
            ("NumberOfVfs", [1, 64], [0, 65]),
            ("VramBytes", [64 * MIB, 256 * GIB], [62 * MIB, 258 * GIB]),
            ("DirtyPageBytes", [4096, 2 * MIB], [2048, 4 * MIB]),
            ("DirtyTrackingPerformant", [0, 1], [2, u64::MAX]),
            ("DeviceRevision", [0, 255], [256, u64::MAX]),
            ("Backend", [0, 1], [2, u64::MAX]),
        ] {
            assert!(good.iter().all(|value| with(name, *value).is_ok()), "{name}");
            assert!(bad.iter().all(|value| with(name, *value).is_err()), "{name}");
        }
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let text = with("VramBytes", 64 * MIB + 1).unwrap_err().to_string();
        assert!(text.contains("VramBytes = 67108865") && text.contains("multiple of 2097152"), "{text}");
        assert!(with("DirtyPageBytes", 12288).is_err());
    }
}
