//! The few things here that do something: accessors, names, zero values, the calling convention.

use wddm::*;

#[test]
fn a_status_knows_its_name_and_its_severity() {
    assert_eq!(STATUS_OBJECT_TYPE_MISMATCH.to_string(), "STATUS_OBJECT_TYPE_MISMATCH");
    assert_eq!(format!("{:?}", NTSTATUS(0xC0DE_0001_u32 as i32)), "NTSTATUS(0xC0DE0001)");
    assert!(STATUS_SUCCESS.is_success() && STATUS_PENDING.is_success());
    assert!(!STATUS_BUFFER_OVERFLOW.is_success() && !STATUS_BUFFER_OVERFLOW.is_error());
    assert!(STATUS_INVALID_PARAMETER.is_error());
}

#[test]
fn an_unknown_enumerator_is_a_value_like_any_other() {
    let known = DXGK_GPUP_MIGRATIONTYPE::DXGK_GPUP_MIGRATIONTYPE_TARGET;
    assert_eq!(format!("{known:?}"), "DXGK_GPUP_MIGRATIONTYPE_TARGET");
    let unknown = DXGK_GPUP_MIGRATIONTYPE(7);
    assert_eq!((unknown.name(), format!("{unknown:?}")), (None, "DXGK_GPUP_MIGRATIONTYPE(7)".to_owned()));
}

#[test]
fn flags_keep_what_they_do_not_know() {
    let caps = DXGK_GPUPCAPS_CAPS::LiveMigration | DXGK_GPUPCAPS_CAPS::from_bits_retain(1 << 30);
    assert_eq!(caps.bits(), 1 << 30 | 1 << 2);
    assert!(caps.contains(DXGK_GPUPCAPS_CAPS::LiveMigration));
}

#[test]
fn a_wide_field_is_read_and_replaced_in_place() {
    let entry = DXGK_PTE_FLAGS::Valid.with_Segment(31).with_PageTablePageSize(2);
    assert_eq!((entry.Segment(), entry.PageTablePageSize()), (31, 2));
    let entry = entry.with_Segment(1);
    assert_eq!(entry.bits(), 1 | 1 << 5 | 2 << 17);
    let whole = DXGK_NODEMETADATA_FLAGS::zeroed().with_MaxInFlightHwQueueBuffers(u16::MAX.into());
    assert_eq!(whole.bits(), 0xFFFF_0000);
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "does not fit")]
fn a_value_too_wide_for_its_field_is_a_bug() {
    let _ = DXGK_PTE_FLAGS::Valid.with_Segment(32);
}

#[test]
fn zero_values_are_constants_and_leave_every_slot_empty() {
    const TABLE: DRIVER_INITIALIZATION_DATA = DRIVER_INITIALIZATION_DATA {
        Version: DXGKDDI_INTERFACE_VERSION_WDDM3_2,
        ..DRIVER_INITIALIZATION_DATA::zeroed()
    };
    assert!(TABLE.DxgkDdiAddDevice.is_none() && TABLE.DxgkDdiResetDisplayEngine.is_none());
    let zero = <DXGKARG_CREATEVIRTUALGPU as Zeroed>::ZERO;
    assert!(zero.SegmentInfo.iter().all(|segment| segment.Size == 0));
    assert_eq!(DXGKARG_GPUP_RESTORE_MUTABLE_MIGRATION_DATA::default().DataSize, 0);
}

#[test]
fn a_guid_reads_as_it_is_written() {
    assert_eq!(GUID_WDDM_INTERFACE_FEATURE.to_string(), "94BB3993-C6C3-4DA7-8949-A1138232E759");
    assert_eq!(GUID_WDDM_INTERFACE_FEATURE.Data4, [0x89, 0x49, 0xA1, 0x13, 0x82, 0x32, 0xE7, 0x59]);
}

ddi! {
    /// Six arguments, so that some travel on the stack; none is a pointer.
    fn mix(a: u8, b: u64, c: u32, d: usize, e: u16, f: D3DGPU_VIRTUAL_ADDRESS) -> u64 {
        u64::from(a) ^ b ^ u64::from(c) ^ d as u64 ^ u64::from(e) ^ f
    }

    fn nothing() {}
}

#[test]
fn functions_have_the_convention_of_the_callbacks() {
    #[cfg(target_arch = "x86_64")]
    let plain: extern "win64" fn(u8, u64, u32, usize, u16, u64) -> u64 = mix;
    #[cfg(not(target_arch = "x86_64"))]
    let plain: extern "C" fn(u8, u64, u32, usize, u16, u64) -> u64 = mix;
    assert_eq!(plain(1, 2, 4, 8, 16, 1 << 63), 31 | 1 << 63);
    let slot: Option<UnknownCallback> = Some(nothing);
    assert!(slot.is_some());
}
