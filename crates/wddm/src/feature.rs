//! Feature negotiation: ids, versions and the interfaces of both sides.

use crate::base::{BOOLEAN, HANDLE, PVOID};
use crate::dxgkrnl_callbacks::{PDXGKCB_ISFEATUREENABLED2, PDXGKCB_QUERYFEATUREINTERFACE};
use crate::macros::{abi, bits, callbacks, constants, open_enum};
use crate::startup::{PINTERFACE_DEREFERENCE, PINTERFACE_REFERENCE};
use crate::status::NTSTATUS;

constants! {
    /// Version of the feature interfaces of both sides.
    pub const DXGK_FEATURE_INTERFACE_VERSION_1: u16 = 1;
    /// Support state: known, never on.
    pub const DXGK_FEATURE_SUPPORT_ALWAYS_OFF: u32 = 0;
    /// Support state: on only where experiments are allowed.
    pub const DXGK_FEATURE_SUPPORT_EXPERIMENTAL: u32 = 1;
    /// Support state: on where the operating system wants it.
    pub const DXGK_FEATURE_SUPPORT_STABLE: u32 = 2;
    /// Support state: cannot be turned off.
    pub const DXGK_FEATURE_SUPPORT_ALWAYS_ON: u32 = 3;
}

open_enum! {
    /// Features: the upper four bits are the category, the rest the id within it.
    pub enum DXGK_FEATURE_ID {
        DXGK_FEATURE_HWSCH = 0,
        DXGK_FEATURE_HWFLIPQUEUE = 1,
        DXGK_FEATURE_LDA_GPUPV = 2,
        DXGK_FEATURE_KMD_SIGNAL_CPU_EVENT = 3,
        DXGK_FEATURE_USER_MODE_SUBMISSION = 4,
        DXGK_FEATURE_SHARE_BACKING_STORE_WITH_KMD = 5,
        DXGK_FEATURE_SAMPLE = 31,
        DXGK_FEATURE_PAGE_BASED_MEMORY_MANAGER = 32,
        DXGK_FEATURE_KERNEL_MODE_TESTING = 33,
        DXGK_FEATURE_64K_PT_DEMOTION_FIX = 34,
        DXGK_FEATURE_GPUPV_PRESENT_HWQUEUE = 35,
        DXGK_FEATURE_GPUVAIOMMU = 36,
        DXGK_FEATURE_NATIVE_FENCE = 37,
        DXGK_FEATURE_QUERYSTATISTICS_EXTENSIONS = 268435456,
    }

    /// Categories of features.
    pub enum DXGK_FEATURE_CATEGORY {
        DXGK_FEATURE_CATEGORY_DRIVER = 0,
        DXGK_FEATURE_CATEGORY_OS = 1,
        DXGK_FEATURE_CATEGORY_BUGFIX = 2,
        DXGK_FEATURE_CATEGORY_TEST = 3,
        DXGK_FEATURE_CATEGORY_RESERVED4 = 4,
        DXGK_FEATURE_CATEGORY_RESERVED5 = 5,
        DXGK_FEATURE_CATEGORY_RESERVED6 = 6,
        DXGK_FEATURE_CATEGORY_RESERVED7 = 7,
        DXGK_FEATURE_CATEGORY_RESERVED8 = 8,
        DXGK_FEATURE_CATEGORY_RESERVED9 = 9,
        DXGK_FEATURE_CATEGORY_RESERVED10 = 10,
        DXGK_FEATURE_CATEGORY_RESERVED11 = 11,
        DXGK_FEATURE_CATEGORY_RESERVED12 = 12,
        DXGK_FEATURE_CATEGORY_RESERVED13 = 13,
        DXGK_FEATURE_CATEGORY_RESERVED14 = 14,
        DXGK_FEATURE_CATEGORY_RESERVED15 = 15,
        DXGK_FEATURE_CATEGORY_MAX = 16,
    }

    /// Ids within the driver category.
    pub enum DXGK_DRIVER_FEATURE {
        DXGK_DRIVER_FEATURE_HWSCH = 0,
        DXGK_DRIVER_FEATURE_HWFLIPQUEUE = 1,
        DXGK_DRIVER_FEATURE_LDA_GPUPV = 2,
        DXGK_DRIVER_FEATURE_KMD_SIGNAL_CPU_EVENT = 3,
        DXGK_DRIVER_FEATURE_USER_MODE_SUBMISSION = 4,
        DXGK_DRIVER_FEATURE_SHARE_BACKING_STORE_WITH_KMD = 5,
        DXGK_DRIVER_FEATURE_RESERVED_1 = 6,
        DXGK_DRIVER_FEATURE_RESERVED_2 = 7,
        DXGK_DRIVER_FEATURE_RESERVED_3 = 8,
        DXGK_DRIVER_FEATURE_RESERVED_4 = 9,
        DXGK_DRIVER_FEATURE_RESERVED_5 = 10,
        DXGK_DRIVER_FEATURE_RESERVED_6 = 11,
        DXGK_DRIVER_FEATURE_RESERVED_7 = 12,
        DXGK_DRIVER_FEATURE_RESERVED_8 = 13,
        DXGK_DRIVER_FEATURE_RESERVED_9 = 14,
        DXGK_DRIVER_FEATURE_RESERVED_10 = 15,
        DXGK_DRIVER_FEATURE_RESERVED_11 = 16,
        DXGK_DRIVER_FEATURE_RESERVED_12 = 17,
        DXGK_DRIVER_FEATURE_RESERVED_13 = 18,
        DXGK_DRIVER_FEATURE_RESERVED_14 = 19,
        DXGK_DRIVER_FEATURE_RESERVED_15 = 20,
        DXGK_DRIVER_FEATURE_RESERVED_16 = 21,
        DXGK_DRIVER_FEATURE_RESERVED_17 = 22,
        DXGK_DRIVER_FEATURE_RESERVED_18 = 23,
        DXGK_DRIVER_FEATURE_RESERVED_19 = 24,
        DXGK_DRIVER_FEATURE_RESERVED_20 = 25,
        DXGK_DRIVER_FEATURE_RESERVED_21 = 26,
        DXGK_DRIVER_FEATURE_RESERVED_22 = 27,
        DXGK_DRIVER_FEATURE_RESERVED_23 = 28,
        DXGK_DRIVER_FEATURE_RESERVED_24 = 29,
        DXGK_DRIVER_FEATURE_RESERVED_25 = 30,
        DXGK_DRIVER_FEATURE_SAMPLE = 31,
        DXGK_DRIVER_FEATURE_PAGE_BASED_MEMORY_MANAGER = 32,
        DXGK_DRIVER_FEATURE_KERNEL_MODE_TESTING = 33,
        DXGK_DRIVER_FEATURE_64K_PT_DEMOTION_FIX = 34,
        DXGK_DRIVER_FEATURE_GPUPV_PRESENT_HWQUEUE = 35,
        DXGK_DRIVER_FEATURE_GPUVAIOMMU = 36,
        DXGK_DRIVER_FEATURE_NATIVE_FENCE = 37,
        DXGK_DRIVER_FEATURE_MAX = 38,
    }

    /// Ids within the operating system's category.
    pub enum DXGK_OS_FEATURE {
        DXGK_OS_FEATURE_QUERYSTATISTICS_EXTENSIONS = 0,
        DXGK_OS_FEATURE_MAX = 1,
    }
}

bits! {
    /// Flags of a feature question, all reserved.
    pub struct DXGKARGCB_ISFEATUREENABLED2_FLAGS: u32 [Value] {
    } reserved {
        Reserved = 0: 32,
    }

    /// The bit-fields of [`DXGK_ISFEATUREENABLED_RESULT`].
    pub struct DXGK_ISFEATUREENABLED_RESULT_VALUE: u16 [Value] {
        Enabled = 0,
        KnownFeature = 1,
        SupportedByDriver = 2,
        SupportedOnCurrentConfig = 3,
    } reserved {
        Reserved = 4: 12,
    }

    /// What the operating system supports of native fences.
    pub struct DXGKARGCB_FEATURE_NATIVEFENCE_CAPS_1: u32 [] {
        SupportOptimizedDefaultFenceType = 0,
        SupportIntraGpuFenceType = 1,
    }
}

abi! {
    /// Dxgkrnl's feature interface, asked for with DxgkCbQueryServices.
    pub struct DXGK_FEATURE_INTERFACE {
        Size: u16,
        Version: u16,
        Context: PVOID,
        InterfaceReference: PINTERFACE_REFERENCE,
        InterfaceDereference: PINTERFACE_DEREFERENCE,
        IsFeatureEnabled: PDXGKCB_ISFEATUREENABLED2,
        QueryFeatureInterface: PDXGKCB_QUERYFEATUREINTERFACE,
    }

    /// Argument of [`DXGKDDI_QUERYFEATURESUPPORT`].
    pub struct DXGKARG_QUERYFEATURESUPPORT {
        FeatureId: DXGK_FEATURE_ID,
        MinSupportedVersion: u16,
        MaxSupportedVersion: u16,
        AllowExperimental: BOOLEAN,
        SupportedByDriver: BOOLEAN,
        SupportedOnCurrentConfig: BOOLEAN,
    }

    /// Argument of [`DXGKDDI_QUERYFEATUREINTERFACE`].
    pub struct DXGKARG_QUERYFEATUREINTERFACE {
        FeatureId: DXGK_FEATURE_ID,
        Version: u16,
        InterfaceSize: u16,
        Interface: PVOID,
    }

    /// Argument of [`DXGKCB_ISFEATUREENABLED`](crate::DXGKCB_ISFEATUREENABLED).
    pub struct DXGKARGCB_ISFEATUREENABLED {
        DeviceHandle: PVOID,
        FeatureId: DXGK_FEATURE_ID,
        Enabled: BOOLEAN,
    }

    /// Whether a feature is on, and at which version.
    pub struct DXGK_ISFEATUREENABLED_RESULT {
        Version: u16,
        Value: DXGK_ISFEATUREENABLED_RESULT_VALUE,
    }

    /// Argument of [`DXGKCB_ISFEATUREENABLED2`](crate::DXGKCB_ISFEATUREENABLED2).
    pub struct DXGKARGCB_ISFEATUREENABLED2 {
        FeatureId: DXGK_FEATURE_ID,
        Flags: DXGKARGCB_ISFEATUREENABLED2_FLAGS,
        Result: DXGK_ISFEATUREENABLED_RESULT,
    }

    /// Argument of [`DXGKCB_QUERYFEATURESUPPORT`](crate::DXGKCB_QUERYFEATURESUPPORT).
    pub struct DXGKARGCB_QUERYFEATURESUPPORT {
        DeviceHandle: PVOID,
        FeatureId: DXGK_FEATURE_ID,
        DriverSupportState: u32,
        Enabled: BOOLEAN,
    }

    /// Argument of [`DXGKCB_QUERYFEATUREINTERFACE`](crate::DXGKCB_QUERYFEATUREINTERFACE).
    pub struct DXGKARGCB_QUERYFEATUREINTERFACE {
        FeatureId: DXGK_FEATURE_ID,
        Version: u16,
        InterfaceSize: u16,
        Interface: PVOID,
    }

    /// Argument of a function of the sample feature.
    pub struct DXGKARGCB_FEATURE_SAMPLE_GETVALUE {
        Value: u32,
    }

    /// Argument of a function of the sample feature.
    pub struct DXGKARG_FEATURE_SAMPLE_ADDVALUE {
        InputValue: u32,
        OutputValue: u32,
    }

    /// Argument of a function of the sample feature.
    pub struct DXGKARG_FEATURE_SAMPLE_SUBTRACTVALUE {
        InputValue: u32,
        OutputValue: u32,
    }

    /// The driver's feature interface, asked for with DxgkDdiQueryInterface.
    pub struct DXGKDDI_FEATURE_INTERFACE {
        Size: u16,
        Version: u16,
        Context: PVOID,
        InterfaceReference: PINTERFACE_REFERENCE,
        InterfaceDereference: PINTERFACE_DEREFERENCE,
        QueryFeatureSupport: PDXGKDDI_QUERYFEATURESUPPORT,
        QueryFeatureInterface: PDXGKDDI_QUERYFEATUREINTERFACE,
    }
}

callbacks! {
    /// Says whether a feature is supported, and at which versions.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated. Confidence: docs. Page:
    /// *DXGKDDI_QUERYFEATURESUPPORT function (d3dkmddi.h)*.
    pub type PDXGKDDI_QUERYFEATURESUPPORT = DXGKDDI_QUERYFEATURESUPPORT(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARG_QUERYFEATURESUPPORT,
    ) -> NTSTATUS;

    /// Hands out a feature's functions.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated. Confidence: docs. Page:
    /// *DXGKDDI_QUERYFEATUREINTERFACE function (d3dkmddi.h)*.
    pub type PDXGKDDI_QUERYFEATUREINTERFACE = DXGKDDI_QUERYFEATUREINTERFACE(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARG_QUERYFEATUREINTERFACE,
    ) -> NTSTATUS;
}
