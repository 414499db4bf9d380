//! DXGKDDI_FEATURE_INTERFACE: which features of WDDM the driver takes part in, and their functions.
//!
//! | feature | answer |
//! |---|---|
//! | KERNEL_MODE_TESTING | version 1: [`super::testing`] |
//! | any other that needs a driver | known, and off |
//! | what is no feature of a driver | STATUS_INVALID_PARAMETER |
//!
//! Dxgkrnl asks when the driver is loaded, so nothing here needs a started adapter. It asks for a feature's functions
//! only where it wants the feature: kernel-mode testing where test signing is on.
//!
//! UNSAFETY: fills the interface that a question points at.
#![expect(unsafe_code)]

use gpup_core::Error;
use wddm::{
    DXGK_FEATURE_ID, DXGKARG_QUERYFEATUREINTERFACE, DXGKARG_QUERYFEATURESUPPORT, DXGKDDI_FEATURE_INTERFACE,
    FALSE, HANDLE, NTSTATUS, STATUS_BUFFER_TOO_SMALL, STATUS_INVALID_PARAMETER, STATUS_SUCCESS,
    STATUS_UNSUCCESSFUL, TRUE,
};

use super::{edge, status, testing};
use crate::miniport;

/// What the driver has of a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Support {
    /// Nothing: the feature is off.
    Off,
    /// Kernel-mode testing, in its only version.
    Testing,
}

/// The one version of kernel-mode testing.
const TESTING_VERSION: u16 = 1;

wddm::ddi! {
    /// DxgkDdiQueryFeatureSupport. PASSIVE_LEVEL. "DXGKDDI_QUERYFEATURESUPPORT callback function (d3dkmddi.h)".
    unsafe fn query_feature_support(adapter: HANDLE, args: *mut DXGKARG_QUERYFEATURESUPPORT) -> NTSTATUS {
        // SAFETY: Dxgkrnl's own arguments.
        let args = unsafe { edge::output(args) };
        // SAFETY: a callback's own handle.
        with_adapter(unsafe { known(adapter) }, args, supports)
    }

    /// DxgkDdiQueryFeatureInterface. PASSIVE_LEVEL. "DXGKDDI_QUERYFEATUREINTERFACE callback function (d3dkmddi.h)".
    unsafe fn query_feature_interface(adapter: HANDLE, args: *mut DXGKARG_QUERYFEATUREINTERFACE) -> NTSTATUS {
        // SAFETY: Dxgkrnl's own arguments.
        let args = unsafe { edge::output(args) };
        // SAFETY: a callback's own handle.
        with_adapter(unsafe { known(adapter) }, args, interface)
    }
}

/// Whether there is such an adapter, started or not.
///
/// # Safety
/// Called from a callback with its own handle.
unsafe fn known(adapter: HANDLE) -> Result<(), Error> {
    // SAFETY: the caller's promise; only its existence is of interest.
    unsafe { miniport::find(adapter) }.map(drop)
}

fn with_adapter<T>(
    known: Result<(), Error>,
    args: Result<&mut T, Error>,
    answer: fn(&mut T) -> NTSTATUS,
) -> NTSTATUS {
    known.and(args).map_or_else(status::of_error, answer)
}

/// Fills in the functions of the interface.
pub(super) fn fill(interface: &mut DXGKDDI_FEATURE_INTERFACE) {
    interface.QueryFeatureSupport = Some(query_feature_support);
    interface.QueryFeatureInterface = Some(query_feature_interface);
}

/// What the driver has of a feature; nothing when it is none that a driver has a part in. The three that have no
/// driver's part are the operating system's to know, and are named so that the question is not an error.
fn support(feature: DXGK_FEATURE_ID) -> Option<Support> {
    match feature {
        DXGK_FEATURE_ID::DXGK_FEATURE_KERNEL_MODE_TESTING => Some(Support::Testing),
        DXGK_FEATURE_ID::DXGK_FEATURE_HWSCH
        | DXGK_FEATURE_ID::DXGK_FEATURE_HWFLIPQUEUE
        | DXGK_FEATURE_ID::DXGK_FEATURE_LDA_GPUPV
        | DXGK_FEATURE_ID::DXGK_FEATURE_KMD_SIGNAL_CPU_EVENT
        | DXGK_FEATURE_ID::DXGK_FEATURE_USER_MODE_SUBMISSION
        | DXGK_FEATURE_ID::DXGK_FEATURE_SHARE_BACKING_STORE_WITH_KMD
        | DXGK_FEATURE_ID::DXGK_FEATURE_SAMPLE
        | DXGK_FEATURE_ID::DXGK_FEATURE_PAGE_BASED_MEMORY_MANAGER
        | DXGK_FEATURE_ID::DXGK_FEATURE_64K_PT_DEMOTION_FIX
        | DXGK_FEATURE_ID::DXGK_FEATURE_GPUPV_PRESENT_HWQUEUE
        | DXGK_FEATURE_ID::DXGK_FEATURE_GPUVAIOMMU
        | DXGK_FEATURE_ID::DXGK_FEATURE_NATIVE_FENCE => Some(Support::Off),
        _ => None,
    }
}

fn supports(args: &mut DXGKARG_QUERYFEATURESUPPORT) -> NTSTATUS {
    let Some(support) = support(args.FeatureId) else { return STATUS_INVALID_PARAMETER };
    let (flag, version) = match support {
        Support::Off => (FALSE, 0),
        Support::Testing => (TRUE, TESTING_VERSION),
    };
    (args.SupportedByDriver, args.SupportedOnCurrentConfig) = (flag, flag);
    (args.MinSupportedVersion, args.MaxSupportedVersion) = (version, version);
    STATUS_SUCCESS
}

/// InterfaceSize comes as the room there is and goes as the bytes that mean something; the rest of the room is zeroed.
fn interface(args: &mut DXGKARG_QUERYFEATUREINTERFACE) -> NTSTATUS {
    let room = usize::from(core::mem::take(&mut args.InterfaceSize));
    match support(args.FeatureId) {
        None => return STATUS_INVALID_PARAMETER,
        Some(Support::Testing) if args.Version == TESTING_VERSION => {}
        Some(_) => return STATUS_UNSUCCESSFUL,
    }
    let functions = testing::functions();
    let bytes = size_of_val(&functions);
    if room < bytes {
        return STATUS_BUFFER_TOO_SMALL;
    }
    // SAFETY: Dxgkrnl's buffer of InterfaceSize bytes is the driver's alone during the call.
    let whole = unsafe { edge::slice_mut(args.Interface.cast::<u8>(), room) };
    // SAFETY: as above, and it is large enough.
    let place = unsafe { edge::output(args.Interface.cast()) };
    let Ok(whole) = whole else { return STATUS_INVALID_PARAMETER };
    whole.fill(0);
    let Ok(place) = place else { return STATUS_INVALID_PARAMETER };
    *place = functions;
    args.InterfaceSize = bytes as u16;
    STATUS_SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_numbers_and_other_categories_are_no_features_of_a_driver() {
        let known: Vec<i32> = (0..64).filter(|number| support(DXGK_FEATURE_ID(*number)).is_some()).collect();
        assert_eq!(known, [0, 1, 2, 3, 4, 5, 31, 32, 33, 34, 35, 36, 37]);
        for category in 1..16 {
            assert_eq!(support(DXGK_FEATURE_ID(((category as u32) << 28 | 33) as i32)), None, "{category}");
        }
    }
}
