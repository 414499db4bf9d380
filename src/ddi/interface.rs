//! DxgkDdiQueryInterface: the interfaces that make the adapter a GPU-P host, and that of features. It may come before
//! StartDevice.
//!
//! | interface | version | what it is for |
//! |---|---|---|
//! | DXGKDDI_GPU_PARTITION_INTERFACE | 1 | dividing the adapter, making VFs |
//! | DXGKDDI_SRIOV_INTERFACE | 1 | config space, power, reset of a VF |
//! | DXGKDDI_FLEXIOV_DEVICE_INTERFACE | 1 | the memory behind a VF's BAR |
//! | DXGKDDI_MITIGABLE_DEVICE_INTERFACE | 1 | the pages of a BAR that are trapped |
//! | DXGKDDI_FEATURE_INTERFACE | 1 | which features of WDDM there are, and their functions |
//!
//! UNSAFETY: fills the interface that the query points at.
#![expect(unsafe_code)]

use gpup_core::{Error, Result};
use wddm::{
    DXGK_FEATURE_INTERFACE_VERSION_1, DXGKDDI_FEATURE_INTERFACE, DXGKDDI_FLEXIOV_DEVICE_INTERFACE,
    DXGKDDI_FLEXIOV_DEVICE_INTERFACE_VERSION, DXGKDDI_GPU_PARTITION_INTERFACE,
    DXGKDDI_GPU_PARTITION_INTERFACE_VERSION, DXGKDDI_MITIGABLE_DEVICE_INTERFACE,
    DXGKDDI_MITIGABLE_DEVICE_INTERFACE_VERSION, DXGKDDI_SRIOV_INTERFACE, DXGKDDI_SRIOV_INTERFACE_VERSION,
    GUID_DXGKDDI_FLEXIOV_DEVICE_INTERFACE, GUID_DXGKDDI_GPU_PARTITION_INTERFACE,
    GUID_DXGKDDI_MITIGABLE_DEVICE_INTERFACE, GUID_DXGKDDI_SRIOV_INTERFACE, GUID_WDDM_INTERFACE_FEATURE,
    NTSTATUS, PVOID, QUERY_INTERFACE, Zeroed,
};

use super::{edge, feature, flexiov, partition, sriov, status};
use crate::miniport;

wddm::ddi! {
    /// DxgkDdiQueryInterface. PASSIVE_LEVEL. "DXGKDDI_QUERY_INTERFACE callback function (dispmprt.h)".
    pub(crate) unsafe fn query_interface(adapter: PVOID, query: *mut QUERY_INTERFACE) -> NTSTATUS {
        // SAFETY: Dxgkrnl's own arguments.
        let query = unsafe { edge::output(query) };
        // SAFETY: within a DDI of the adapter; only its existence is of interest.
        let known = unsafe { miniport::find(adapter) }.map(drop);
        status::of(known.and_then(|()| answer(adapter, query?)))
    }

    /// Interfaces live as long as the adapter, so references need no counting.
    unsafe fn reference(_context: PVOID) {}

    /// See [`reference`].
    unsafe fn dereference(_context: PVOID) {}
}

fn answer(adapter: PVOID, query: &QUERY_INTERFACE) -> Result<()> {
    // SAFETY: Dxgkrnl's own GUID.
    let kind = *unsafe { edge::input(query.InterfaceType) }?;
    macro_rules! offer {
        ($type:ty, $version:expr, $fill:path) => {{
            let mut interface = <$type>::zeroed();
            interface.Size = size_of::<$type>() as u16;
            interface.Version = $version;
            interface.Context = adapter;
            interface.InterfaceReference = Some(reference);
            interface.InterfaceDereference = Some(dereference);
            $fill(&mut interface);
            put(query, $version, interface)
        }};
    }
    if kind == GUID_DXGKDDI_GPU_PARTITION_INTERFACE {
        offer!(DXGKDDI_GPU_PARTITION_INTERFACE, DXGKDDI_GPU_PARTITION_INTERFACE_VERSION, partition::fill)
    } else if kind == GUID_DXGKDDI_SRIOV_INTERFACE {
        offer!(DXGKDDI_SRIOV_INTERFACE, DXGKDDI_SRIOV_INTERFACE_VERSION, sriov::fill)
    } else if kind == GUID_DXGKDDI_FLEXIOV_DEVICE_INTERFACE {
        offer!(DXGKDDI_FLEXIOV_DEVICE_INTERFACE, DXGKDDI_FLEXIOV_DEVICE_INTERFACE_VERSION, flexiov::fill)
    } else if kind == GUID_DXGKDDI_MITIGABLE_DEVICE_INTERFACE {
        let version = DXGKDDI_MITIGABLE_DEVICE_INTERFACE_VERSION;
        offer!(DXGKDDI_MITIGABLE_DEVICE_INTERFACE, version, flexiov::fill_mitigable)
    } else if kind == GUID_WDDM_INTERFACE_FEATURE {
        offer!(DXGKDDI_FEATURE_INTERFACE, DXGK_FEATURE_INTERFACE_VERSION_1, feature::fill)
    } else {
        Err(Error::NotSupported)
    }
}

/// Writes the whole interface if it is of the version asked for and fits.
fn put<T: Zeroed>(query: &QUERY_INTERFACE, version: u16, interface: T) -> Result<()> {
    if query.Version != version {
        return Err(Error::NotSupported);
    }
    if usize::from(query.Size) < size_of::<T>() {
        return Err(Error::BufferTooSmall);
    }
    // SAFETY: Dxgkrnl's interface of Size bytes, which are enough.
    *unsafe { edge::output(query.Interface.cast::<T>()) }? = interface;
    Ok(())
}
