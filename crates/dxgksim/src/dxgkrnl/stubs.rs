//! Callbacks that a compute-only driver has no use for: each answers that it is not supported.
//!
//! A display callback, or one that belongs to a capability nobody reported, is a broken rule. The others are
//! services that this kernel simply does not have.
//!
//! UNSAFETY: functions of the interface's calling convention, generic over parameters that they never touch.
#![expect(unsafe_code)]

use wddm::{NTSTATUS, PVOID, STATUS_NOT_SUPPORTED};

use super::core::all;
use crate::contract::rules;

/// What a callback that is not supported returns.
pub(crate) trait Refuse {
    /// The value.
    fn refuse() -> Self;
}

impl Refuse for NTSTATUS {
    fn refuse() -> Self {
        STATUS_NOT_SUPPORTED
    }
}

impl Refuse for () {
    fn refuse() -> Self {}
}

impl Refuse for PVOID {
    fn refuse() -> Self {
        core::ptr::null_mut()
    }
}

macro_rules! zero {
    ($($type:ty)*) => { $( impl Refuse for $type { fn refuse() -> Self { 0 } } )* };
}

zero! { u32 u64 }

fn misused(name: &str) {
    for core in all() {
        core.contract.broken(&rules::CALLBACK_MISUSED, format_args!("{name} was called"));
    }
}

macro_rules! stub {
    ($abi:literal $name:ident [$($arg:ident)*] $misused:literal) => {
        pub(super) unsafe extern $abi fn $name<$($arg,)* R: Refuse>($(_: $arg),*) -> R {
            if !$misused.is_empty() {
                misused($misused);
            }
            R::refuse()
        }
    };
}

macro_rules! stubs {
    ($( $name:ident $args:tt $misused:literal; )*) => {
        $( wddm::__with_convention! { [stub] $name $args $misused } )*
    };
}

stubs! {
    none1 [A] "";
    none2 [A B] "";
    none4 [A B C D] "";
    none6 [A B C D E F] "";
    none7 [A B C D E F G] "";
    indicate_child_status [A B] "DxgkCbIndicateChildStatus";
    query_vidpn_interface [A B C] "DxgkCbQueryVidPnInterface";
    query_monitor_interface [A B C] "DxgkCbQueryMonitorInterface";
    get_capture_address [A] "DxgkCbGetCaptureAddress";
    acquire_post_display_ownership [A B] "DxgkCbAcquirePostDisplayOwnership";
    acquire_post_display_ownership2 [A B C] "DxgkCbAcquirePostDisplayOwnership2";
    content_protection_teardown [A B] "DxgkCbHardwareContentProtectionTeardown";
    multi_plane_overlay_disabled [A B] "DxgkCbMultiPlaneOverlayDisabled";
    indicate_connector_change [A] "DxgkCbIndicateConnectorChange";
    unblock_uefi_ranges [] "DxgkCbUnblockUEFIFrameBufferRanges";
    set_protected_session_status [A] "DxgkCbSetProtectedSessionStatus";
    cursor_support_change [A] "DxgkCbNotifyCursorSupportChange";
    complete_p_state [A B C] "DxgkCbCompletePStateTransition";
    invalidate_hw_context [A] "DxgkCbInvalidateHwContext";
    disconnect_doorbell [A] "DxgkCbDisconnectDoorbell";
    pin_frame_buffer [A B] "DxgkCbPinFrameBufferForSave";
    unpin_frame_buffer [A B] "DxgkCbUnpinFrameBufferForSave";
    map_frame_buffer [A B] "DxgkCbMapFrameBufferPointer";
    unmap_frame_buffer [A B] "DxgkCbUnmapFrameBufferPointer";
    pin_frame_buffer2 [A B] "DxgkCbPinFrameBufferForSave2";
    complete_f_state [A B] "DxgkCbCompleteFStateTransition";
}
