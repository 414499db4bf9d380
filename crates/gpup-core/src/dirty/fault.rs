//! Faults for tests: each switches off one thing that keeps writes from being lost, to show that the tests notice.

/// What a faulty tracker leaves out.
#[cfg(any(test, feature = "fault-injection"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    /// Nothing: the tracker works.
    None,
    /// Ledgers record nothing.
    LedgerOff,
    /// Writes mark nothing.
    NoMarks,
}

/// The fault in force.
#[cfg(any(test, feature = "fault-injection"))]
pub(super) struct Faults(core::sync::atomic::AtomicU8);

#[cfg(any(test, feature = "fault-injection"))]
impl Faults {
    pub(super) const fn new() -> Self {
        Self(core::sync::atomic::AtomicU8::new(Fault::None as u8))
    }

    pub(super) fn set(&self, fault: Fault) {
        self.0.store(fault as u8, core::sync::atomic::Ordering::SeqCst);
    }

    fn is(&self, fault: Fault) -> bool {
        self.0.load(core::sync::atomic::Ordering::Relaxed) == fault as u8
    }

    pub(super) fn ledger_off(&self) -> bool {
        self.is(Fault::LedgerOff)
    }

    pub(super) fn no_marks(&self) -> bool {
        self.is(Fault::NoMarks)
    }
}

/// No fault can be set.
#[cfg(not(any(test, feature = "fault-injection")))]
pub(super) struct Faults;

#[cfg(not(any(test, feature = "fault-injection")))]
impl Faults {
    pub(super) const fn new() -> Self {
        Self
    }

    pub(super) const fn ledger_off(&self) -> bool {
        false
    }

    pub(super) const fn no_marks(&self) -> bool {
        false
    }
}
