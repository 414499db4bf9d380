//! From the adapter's words to an NTSTATUS: the only place that knows both.

use gpup_core::{Error, Result};
use wddm::{
    NTSTATUS, STATUS_ACCESS_DENIED, STATUS_BUFFER_TOO_SMALL, STATUS_DATA_ERROR, STATUS_DEVICE_BUSY,
    STATUS_DEVICE_REMOVED, STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_DEVICE_STATE, STATUS_INVALID_HANDLE,
    STATUS_INVALID_PARAMETER, STATUS_IO_TIMEOUT, STATUS_NOT_IMPLEMENTED, STATUS_NOT_SUPPORTED,
    STATUS_OBJECT_TYPE_MISMATCH, STATUS_SUCCESS, STATUS_UNSUCCESSFUL,
};

/// The status of a result.
pub(crate) fn of<T>(result: Result<T>) -> NTSTATUS {
    match result {
        Ok(_) => STATUS_SUCCESS,
        Err(error) => of_error(error),
    }
}

/// The status of an error.
pub(crate) fn of_error(error: Error) -> NTSTATUS {
    match error {
        Error::UnknownVf | Error::Misaligned | Error::OutOfRange | Error::InvalidParameter => {
            STATUS_INVALID_PARAMETER
        }
        Error::WrongState => STATUS_INVALID_DEVICE_STATE,
        Error::Busy => STATUS_DEVICE_BUSY,
        Error::BufferTooSmall => STATUS_BUFFER_TOO_SMALL,
        Error::StaleHandle => STATUS_INVALID_HANDLE,
        Error::NoResources => STATUS_INSUFFICIENT_RESOURCES,
        Error::NotSupported => STATUS_NOT_SUPPORTED,
        Error::NotTracked => STATUS_NOT_IMPLEMENTED,
        Error::Incompatible(_) => STATUS_OBJECT_TYPE_MISMATCH,
        Error::Corrupt(_) => STATUS_DATA_ERROR,
        Error::Timeout => STATUS_IO_TIMEOUT,
        Error::Removed => STATUS_DEVICE_REMOVED,
        Error::Denied => STATUS_ACCESS_DENIED,
        _ => STATUS_UNSUCCESSFUL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gpup_core::migration::{Damage, Mismatch};

    #[test]
    fn every_error_is_an_nt_failure() {
        for error in [
            Error::UnknownVf,
            Error::WrongState,
            Error::Busy,
            Error::Misaligned,
            Error::OutOfRange,
            Error::BufferTooSmall,
            Error::StaleHandle,
            Error::InvalidParameter,
            Error::NoResources,
            Error::NotSupported,
            Error::NotTracked,
            Error::Incompatible(Mismatch::Firmware),
            Error::Corrupt(Damage::Truncated),
            Error::Timeout,
            Error::Removed,
            Error::Denied,
        ] {
            assert!(!of_error(error).is_success(), "{error}");
            assert_ne!(of_error(error), STATUS_UNSUCCESSFUL, "{error}");
        }
        assert_eq!(of(Ok(())), STATUS_SUCCESS);
    }
}
