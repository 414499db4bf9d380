//! GUIDs of the interfaces and events.

use crate::base::GUID;

/// Declares the GUIDs and this module's table of them.
macro_rules! guids {
    ($( $(#[$meta:meta])* pub const $name:ident = $value:literal; )*) => {
        $( $(#[$meta])* pub const $name: GUID = GUID::from_u128($value); )*

        /// GUIDs of this module.
        pub(crate) const GUIDS: &[crate::layout::GuidValue] = &[
            $( crate::layout::GuidValue { name: stringify!($name), value: $name } ),*
        ];
    };
}

guids! {
    /// The [GPU partition interface](crate::DXGKDDI_GPU_PARTITION_INTERFACE).
    pub const GUID_DXGKDDI_GPU_PARTITION_INTERFACE = 0x462BC153_40EB_484A_8168_9972E3CD5AEF;

    /// The [SR-IOV interface](crate::DXGKDDI_SRIOV_INTERFACE).
    pub const GUID_DXGKDDI_SRIOV_INTERFACE = 0xD7172248_F296_4C50_A6F5_D25D8073063A;

    /// The [mitigable-device interface](crate::DXGKDDI_MITIGABLE_DEVICE_INTERFACE).
    pub const GUID_DXGKDDI_MITIGABLE_DEVICE_INTERFACE = 0x1387F270_121A_4A4A_B25E_3B1589976C61;

    /// The [FlexIOV interface](crate::DXGKDDI_FLEXIOV_DEVICE_INTERFACE).
    pub const GUID_DXGKDDI_FLEXIOV_DEVICE_INTERFACE = 0x7B73A997_48E8_4CAB_9FAB_E0774B44F599;

    /// The event that carries a [triage record](crate::DXGKDDICB_PARTITIONING_EVENT_NOTIFICATION).
    pub const GUID_DXGKDDI_AZURE_TRIAGE_EVENT = 0x45125F6F_6132_4082_AD17_ED27F8DD02F9;

    /// The driver's [feature interface](crate::DXGKDDI_FEATURE_INTERFACE).
    pub const GUID_WDDM_INTERFACE_FEATURE = 0x94BB3993_C6C3_4DA7_8949_A1138232E759;

    /// The wait-wake interface.
    pub const GUID_WDDM_INTERFACE_WAITWAKE = 0xD3A8EC81_BDEF_43D6_9471_223814605E38;

    /// The display multiplexer interface.
    pub const GUID_WDDM_INTERFACE_DISPLAYMUX = 0x086467FB_DDDF_4C19_97D5_C41D767221C7;

    /// The device setup class of compute accelerators.
    pub const CLASS_COMPUTEACCELERATOR = 0xF01A9D53_3FF6_48D2_9F97_C8A7004BE10C;
}
