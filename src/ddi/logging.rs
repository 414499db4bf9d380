//! DxgkDdiControlEtwLogging: how much the driver writes to ETW.
//!
//! The call names no adapter, so it counts for the whole driver, and it may come before there is one.
//!
//! | call | what goes to ETW from then on |
//! |---|---|
//! | none yet | what the sessions ask for |
//! | Enable = TRUE | the same, up to Level: 5 or 0 all, 4 no details, 3 warnings, 2 and 1 errors |
//! | Enable = FALSE | warnings and errors: what explains a failure is not given up |
//!
//! No flags are defined, so none is looked at. The debugger's lines are not concerned, nor are the triage events, which
//! are Dxgkrnl's.

use gpup_core::os::{Level, limit_traces};
use wddm::{BOOLEAN, FALSE};

wddm::ddi! {
    /// DxgkDdiControlEtwLogging. PASSIVE_LEVEL, level 0. "DXGKDDI_CONTROL_ETW_LOGGING callback function (dispmprt.h)".
    pub(crate) unsafe fn control_etw_logging(enable: BOOLEAN, _flags: u32, level: u8) {
        limit_traces(limit(enable, level));
    }
}

fn limit(enable: BOOLEAN, level: u8) -> Level {
    match (enable, level) {
        (FALSE, _) | (_, 3) => Level::Warning,
        (_, 1 | 2) => Level::Error,
        (_, 4) => Level::Info,
        _ => Level::Debug,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_those_of_etw() {
        let limits = [0, 1, 2, 3, 4, 5, 255].map(|level| limit(1, level));
        use Level::{Debug, Error, Info, Warning};
        assert_eq!(limits, [Debug, Error, Error, Warning, Info, Debug, Debug]);
        assert_eq!([0, 2, 5].map(|level| limit(FALSE, level)), [Warning; 3]);
    }
}
