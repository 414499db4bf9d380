//! The features that need a driver's part: the driver is asked for each when its adapter starts.
//!
//! Article: "Querying WDDM feature support and enablement".

use alloc::vec::Vec;

use wddm::{DXGK_FEATURE_ID, DXGKARG_QUERYFEATURESUPPORT};

use super::{Ask, Core, Interfaces};
use crate::contract::calls;

/// Features with a driver's part, by name.
const DRIVERS: [(DXGK_FEATURE_ID, &str); 9] = [
    (DXGK_FEATURE_ID::DXGK_FEATURE_HWSCH, "HWSCH"),
    (DXGK_FEATURE_ID::DXGK_FEATURE_HWFLIPQUEUE, "HWFLIPQUEUE"),
    (DXGK_FEATURE_ID::DXGK_FEATURE_LDA_GPUPV, "LDA_GPUPV"),
    (DXGK_FEATURE_ID::DXGK_FEATURE_KMD_SIGNAL_CPU_EVENT, "KMD_SIGNAL_CPU_EVENT"),
    (DXGK_FEATURE_ID::DXGK_FEATURE_USER_MODE_SUBMISSION, "USER_MODE_SUBMISSION"),
    (DXGK_FEATURE_ID::DXGK_FEATURE_SHARE_BACKING_STORE_WITH_KMD, "SHARE_BACKING_STORE_WITH_KMD"),
    (DXGK_FEATURE_ID::DXGK_FEATURE_PAGE_BASED_MEMORY_MANAGER, "PAGE_BASED_MEMORY_MANAGER"),
    (DXGK_FEATURE_ID::DXGK_FEATURE_KERNEL_MODE_TESTING, "KERNEL_MODE_TESTING"),
    (DXGK_FEATURE_ID::DXGK_FEATURE_NATIVE_FENCE, "NATIVE_FENCE"),
];

/// A feature that the driver supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feature {
    /// Its name.
    pub name: &'static str,
    /// Lowest version.
    pub least: u16,
    /// Highest version.
    pub most: u16,
}

/// Asks for all of them: those that the driver supports here.
pub(super) fn ask(core: &Core, interfaces: &Interfaces) -> Vec<Feature> {
    let Some(it) = &interfaces.feature else { return Vec::new() };
    let support = |&(feature, name): &(DXGK_FEATURE_ID, &'static str)| {
        let mut args = DXGKARG_QUERYFEATURESUPPORT::zeroed();
        args.FeatureId = feature;
        let ddi = &calls::QUERY_FEATURE_SUPPORT;
        let status = it.QueryFeatureSupport.ask(&core.contract, ddi, it.Context, &mut args);
        let on = status.is_success() && args.SupportedByDriver != 0 && args.SupportedOnCurrentConfig != 0;
        on.then_some(Feature { name, least: args.MinSupportedVersion, most: args.MaxSupportedVersion })
    };
    DRIVERS.iter().filter_map(support).collect()
}
