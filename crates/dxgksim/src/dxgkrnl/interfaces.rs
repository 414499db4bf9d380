//! The interfaces of GPU partitioning, asked for through DxgkDdiQueryInterface.
//!
//! Microsoft's pages: "DXGKDDI_GPU_PARTITION_INTERFACE", "DXGKDDI_SRIOV_INTERFACE",
//! "DXGKDDI_MITIGABLE_DEVICE_INTERFACE", "DXGKDDI_FLEXIOV_DEVICE_INTERFACE" and "DXGKDDI_FEATURE_INTERFACE".
//!
//! UNSAFETY: looks at interfaces as rows of function pointers and calls their reference counting.
#![expect(unsafe_code)]

use alloc::vec::Vec;

use wddm::*;

use super::Core;
use crate::contract::{Guarded, calls, declared, rules};

/// Bytes of the header of every interface.
const HEADER: usize = size_of::<INTERFACE>();

/// The interfaces a driver gave.
pub(crate) struct Interfaces {
    pub(crate) partition: Option<DXGKDDI_GPU_PARTITION_INTERFACE>,
    pub(crate) sriov: Option<DXGKDDI_SRIOV_INTERFACE>,
    pub(crate) mitigable: Option<DXGKDDI_MITIGABLE_DEVICE_INTERFACE>,
    pub(crate) flexiov: Option<DXGKDDI_FLEXIOV_DEVICE_INTERFACE>,
    pub(crate) feature: Option<DXGKDDI_FEATURE_INTERFACE>,
}

// SAFETY: functions of the driver, callable from any thread, and a context that only the driver follows.
unsafe impl Send for Interfaces {}
// SAFETY: as above; never written.
unsafe impl Sync for Interfaces {}

impl Interfaces {
    /// Asks for all of them.
    pub(crate) fn query(core: &Core) -> Self {
        Self {
            partition: query(
                core,
                &GUID_DXGKDDI_GPU_PARTITION_INTERFACE,
                DXGKDDI_GPU_PARTITION_INTERFACE_VERSION,
                true,
            ),
            sriov: query(core, &GUID_DXGKDDI_SRIOV_INTERFACE, DXGKDDI_SRIOV_INTERFACE_VERSION, true),
            mitigable: query(
                core,
                &GUID_DXGKDDI_MITIGABLE_DEVICE_INTERFACE,
                DXGKDDI_MITIGABLE_DEVICE_INTERFACE_VERSION,
                false,
            ),
            flexiov: query(
                core,
                &GUID_DXGKDDI_FLEXIOV_DEVICE_INTERFACE,
                DXGKDDI_FLEXIOV_DEVICE_INTERFACE_VERSION,
                false,
            ),
            feature: query(core, &GUID_WDDM_INTERFACE_FEATURE, DXGK_FEATURE_INTERFACE_VERSION_1, false),
        }
    }

    /// The names of those that are there.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        [
            (self.partition.is_some(), "GPU partition"),
            (self.sriov.is_some(), "SR-IOV"),
            (self.mitigable.is_some(), "mitigable device"),
            (self.flexiov.is_some(), "FlexIOV"),
            (self.feature.is_some(), "feature"),
        ]
        .into_iter()
        .filter_map(|(there, name)| there.then_some(name))
        .collect()
    }

    /// Gives the references back.
    pub(crate) fn release(&self, core: &Core) {
        let partition = self.partition.as_ref().map(|it| (it.InterfaceDereference, it.Context));
        let sriov = self.sriov.as_ref().map(|it| (it.InterfaceDereference, it.Context));
        let mitigable = self.mitigable.as_ref().map(|it| (it.InterfaceDereference, it.Context));
        let flexiov = self.flexiov.as_ref().map(|it| (it.InterfaceDereference, it.Context));
        let feature = self.feature.as_ref().map(|it| (it.InterfaceDereference, it.Context));
        for (function, context) in [partition, sriov, mitigable, flexiov, feature].into_iter().flatten() {
            if let Some(function) = function {
                core.contract.run(&calls::QUERY_INTERFACE, || {
                    // SAFETY: the function and the context are the driver's.
                    unsafe { function(context) }
                });
            }
        }
    }
}

fn query<T: Zeroed>(core: &Core, guid: &GUID, version: u16, complete: bool) -> Option<T> {
    let ask = |size: u16, interface: &mut Guarded<T>| {
        let mut args = QUERY_INTERFACE::zeroed();
        args.InterfaceType = guid;
        args.Size = size;
        args.Version = version;
        args.Interface = (&raw mut interface.value).cast();
        args.DeviceUid = DISPLAY_ADAPTER_HW_ID;
        core.query_interface(&mut args)
    };
    // A Size too small must be refused and nothing written.
    let mut small = Guarded::new(T::ZERO);
    let refused = ask(HEADER as u16, &mut small);
    let small = small.checked(&core.contract, calls::QUERY_INTERFACE.name);
    core.contract.require(
        !refused.is_success() && functions(&small).iter().all(|function| *function == 0),
        &rules::INTERFACE_SIZE,
        format_args!("interface {guid} with a Size of {HEADER}: {refused}"),
    );
    let mut interface = Guarded::new(T::ZERO);
    let status = ask(size_of::<T>() as u16, &mut interface);
    let interface = interface.checked(&core.contract, calls::QUERY_INTERFACE.name);
    if !status.is_success() {
        return None;
    }
    let there = functions(&interface);
    core.contract.require(
        !complete || there.iter().all(|function| *function != 0),
        &rules::INTERFACE_SIZE,
        format_args!("interface {guid} lacks a function"),
    );
    // SAFETY: every interface begins with this header.
    let header = unsafe { core::ptr::from_ref(&interface).cast::<INTERFACE>().read() };
    core.contract.require(
        header.Version == version && usize::from(header.Size) == size_of::<T>(),
        &rules::INTERFACE_SIZE,
        format_args!("interface {guid}: size {}, version {}", header.Size, header.Version),
    );
    core.contract.supply(supplied(&interface, HEADER));
    Some(interface)
}

/// The function pointers behind the header, as numbers.
fn functions<T>(interface: &T) -> &[usize] {
    let count = (size_of::<T>() - HEADER) / size_of::<usize>();
    let first = core::ptr::from_ref(interface).cast::<u8>().wrapping_add(HEADER).cast::<usize>();
    // SAFETY: an interface is its header and a row of pointers of this length.
    unsafe { core::slice::from_raw_parts(first, count) }
}

/// Names of the functions that a structure holds from byte `begin` on, those that are NULL left out.
pub(crate) fn supplied<T>(structure: &T, begin: usize) -> impl Iterator<Item = &'static str> {
    let fields = declared::<T>().map_or(&[][..], |layout| layout.fields);
    let there = |offset: usize| {
        let word = core::ptr::from_ref(structure).cast::<u8>().wrapping_add(offset).cast::<usize>();
        // SAFETY: the field lies in the structure, at the offset of its declaration, and is as large as a pointer.
        unsafe { word.read_unaligned() != 0 }
    };
    fields.iter().filter_map(move |field| {
        let pointer = field.offset >= begin && field.size == size_of::<usize>();
        (pointer && there(field.offset)).then_some(field.name)
    })
}
