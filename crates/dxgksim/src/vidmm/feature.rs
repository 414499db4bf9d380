//! The kernel-mode testing feature of a driver: its function, its limits, and the nodes that take what it builds.
//!
//! Article: "Kernel-mode testing of WDDM features".
//!
//! UNSAFETY: reaches a function of the driver through the feature interface.
#![expect(unsafe_code)]

use alloc::vec::Vec;

use wddm::*;

use crate::contract::calls;
use crate::dxgkrnl::{Ask, Caps, Core, Interfaces, guarded, supplied};

/// pfnBuildTestCommandBuffer.
pub(super) type Build = ddi_type!(unsafe fn(HANDLE, *mut DXGKARG_BUILDTESTCOMMANDBUFFER) -> NTSTATUS);

/// Limits of the article: bytes of a buffer, bytes of the private data beside it.
pub(crate) const MOST_BYTES: u32 = 4096;
pub(crate) const MOST_PRIVATE: u32 = 1024;

/// The nodes that take test command buffers and GPU virtual addresses.
pub(crate) fn testable_nodes(caps: &Caps) -> Vec<u32> {
    let flag = DXGK_NODEMETADATA_FLAGS::SupportBuildTestCommandBuffer;
    (0..)
        .zip(&caps.nodes)
        .filter(|(_, node)| node.gpu_mmu && node.flags.contains(flag))
        .map(|(at, _)| at)
        .collect()
}

/// BuildTestCommandBuffer, if test signing is on and the driver has it.
pub(super) fn test_interface(core: &Core, interfaces: &Interfaces) -> Option<Build> {
    let it = interfaces.feature.as_ref().filter(|_| core.options.kernel_mode_testing)?;
    let mut support = DXGKARG_QUERYFEATURESUPPORT::zeroed();
    support.FeatureId = DXGK_FEATURE_ID::DXGK_FEATURE_KERNEL_MODE_TESTING;
    let context = core.context();
    let status =
        it.QueryFeatureSupport.ask(&core.contract, &calls::QUERY_FEATURE_SUPPORT, context, &mut support);
    let on = status.is_success() && support.SupportedByDriver != 0 && support.SupportedOnCurrentConfig != 0;
    if !on || !(support.MinSupportedVersion..=support.MaxSupportedVersion).contains(&1) {
        return None;
    }
    let mut interface = DXGKDDI_KERNELMODETESTINGINTERFACE::zeroed();
    let mut args = DXGKARG_QUERYFEATUREINTERFACE::zeroed();
    args.FeatureId = DXGK_FEATURE_ID::DXGK_FEATURE_KERNEL_MODE_TESTING;
    args.Version = 1;
    args.InterfaceSize = size_of_val(&interface) as u16;
    args.Interface = (&raw mut interface).cast();
    let status =
        it.QueryFeatureInterface.ask(&core.contract, &calls::QUERY_FEATURE_INTERFACE, context, &mut args);
    if !status.is_success() {
        return None;
    }
    core.contract.supply(supplied(&interface, 0));
    interface.pfnBuildTestCommandBuffer
}

/// Calls it: any argument structure, a canary behind it.
pub(super) fn call_build(core: &Core, build: Build, args: &mut DXGKARG_BUILDTESTCOMMANDBUFFER) -> NTSTATUS {
    let ddi = &calls::BUILD_TEST_COMMAND_BUFFER;
    guarded(&core.contract, ddi, args, |args| {
        core.contract.call(ddi, || {
            // SAFETY: the function is the driver's, the structure and its buffers ours.
            unsafe { build(core.context(), args) }
        })
    })
}
