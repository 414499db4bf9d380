//! Execution nodes: what each engine is, how fast, and its clock.

use crate::base::{BOOLEAN, HANDLE, PVOID};
use crate::macros::{abi, bits, callbacks, constants, open_enum};
use crate::status::NTSTATUS;

constants! {
    /// Most execution nodes of one adapter.
    pub const DXGK_MAX_ASYMETRICAL_PROCESSING_NODES: u32 = 64;
    /// Length of a node name in UTF-16 units, terminator included.
    pub const DXGK_MAX_METADATA_NAME_LENGTH: u32 = 32;
}

open_enum! {
    /// What a node's engine is for.
    pub enum DXGK_ENGINE_TYPE {
        DXGK_ENGINE_TYPE_OTHER = 0,
        DXGK_ENGINE_TYPE_3D = 1,
        DXGK_ENGINE_TYPE_VIDEO_DECODE = 2,
        DXGK_ENGINE_TYPE_VIDEO_ENCODE = 3,
        DXGK_ENGINE_TYPE_VIDEO_PROCESSING = 4,
        DXGK_ENGINE_TYPE_SCENE_ASSEMBLY = 5,
        DXGK_ENGINE_TYPE_COPY = 6,
        DXGK_ENGINE_TYPE_OVERLAY = 7,
        DXGK_ENGINE_TYPE_CRYPTO = 8,
        DXGK_ENGINE_TYPE_VIDEO_CODEC = 9,
        DXGK_ENGINE_TYPE_MAX = 10,
    }
}

bits! {
    /// What a node can do.
    pub struct DXGK_NODEMETADATA_FLAGS: u32 [Value] {
        ContextSchedulingSupported = 0,
        RingBufferFenceRelease = 1,
        SupportTrackedWorkload = 2,
        UserModeSubmission = 3,
        SupportBuildTestCommandBuffer = 4,
    } wide {
        MaxInFlightHwQueueBuffers, with_MaxInFlightHwQueueBuffers = 16: 16,
    } reserved {
        Reserved = 5: 11,
    }

    /// Whose clock was read.
    pub struct DXGK_GPUCLOCKDATA_FLAGS: u32 [Value] {
        ContextManagementProcessor = 0,
    } reserved {
        Reserved = 1: 31,
    }
}

abi! {
    /// Answer to query 10, DXGKQAITYPE_HISTORYBUFFERPRECISION.
    pub struct DXGKARG_HISTORYBUFFERPRECISION {
        PrecisionBits: u32,
    }

    /// Answer to query 27, DXGKQAITYPE_GPUVERSION. Packed in the header.
    pub packed DXGK_GPUVERSION {
        BiosVersion: [u16; 32],
        GpuArchitecture: [u16; 32],
    }

    /// Limits of the adapter's performance counters. Packed in the header.
    pub packed DXGK_ADAPTER_PERFDATACAPS {
        MaxMemoryBandwidth: u64,
        MaxPCIEBandwidth: u64,
        MaxFanRPM: u32,
        TemperatureMax: u32,
        TemperatureWarning: u32,
    }

    /// Performance counters of the adapter. Packed in the header.
    pub packed DXGK_ADAPTER_PERFDATA {
        MemoryFrequency: u64,
        MaxMemoryFrequency: u64,
        MaxMemoryFrequencyOC: u64,
        MemoryBandwidth: u64,
        PCIEBandwidth: u64,
        FanRPM: u32,
        Power: u32,
        Temperature: u32,
        PowerStateOverride: u8,
    }

    /// Performance counters of a node. Packed in the header.
    pub packed DXGK_NODE_PERFDATA {
        Frequency: u64,
        MaxFrequency: u64,
        MaxFrequencyOC: u64,
        Voltage: u32,
        VoltageMax: u32,
        VoltageMaxOC: u32,
        MaxTransitionLatency: u64,
    }

    /// What one node is. Packed in the header, 74 bytes.
    pub packed DXGK_NODEMETADATA {
        EngineType: DXGK_ENGINE_TYPE,
        FriendlyName: [u16; 32],
        Flags: DXGK_NODEMETADATA_FLAGS,
        GpuMmuSupported: BOOLEAN,
        IoMmuSupported: BOOLEAN,
    }

    /// Argument of [`DXGKDDI_FORMATHISTORYBUFFER`].
    pub struct DXGKARG_FORMATHISTORYBUFFER {
        pHistoryBuffer: *mut DXGK_HISTORY_BUFFER,
        HistoryBufferSize: u32,
        pFormattedBuffer: PVOID,
        /// In bytes.
        FormattedBufferSize: u32,
        NumTimestamps: u32,
        Precision: DXGKARG_HISTORYBUFFERPRECISION,
        Offset: u32,
    }

    /// GPU and CPU clocks read at one moment. Packed in the header, 28 bytes.
    pub packed DXGK_GPUCLOCKDATA {
        GpuFrequency: u64,
        GpuClockCounter: u64,
        CpuClockCounter: u64,
        Flags: DXGK_GPUCLOCKDATA_FLAGS,
    }

    /// Head of a history buffer.
    pub struct DXGK_HISTORY_BUFFER_HEADER {
        RenderCbSequence: u32,
        NumTimestamps: u32,
        PrivateDataSize: u32,
        Reserved: u32,
    }

    /// Timestamps that a context wrote, of variable length.
    pub struct DXGK_HISTORY_BUFFER {
        Header: DXGK_HISTORY_BUFFER_HEADER,
        DriverPrivateData: [u8; 1],
    }

    /// Input of query 10.
    pub struct DXGK_QUERYHISTORYBUFFERPRECISIONIN {
        PhysicalAdapterIndex: u32,
    }
}

/// Argument of [`DXGKDDI_CALIBRATEGPUCLOCK`].
pub type DXGKARG_CALIBRATEGPUCLOCK = DXGK_GPUCLOCKDATA;

/// Argument of [`DXGKDDI_GETNODEMETADATA`].
pub type DXGKARG_GETNODEMETADATA = DXGK_NODEMETADATA;

callbacks! {
    /// Says what a node is; the upper 16 bits of the ordinal are the physical adapter.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_GETNODEMETADATA = DXGKDDI_GETNODEMETADATA(
        hAdapter: HANDLE,
        NodeOrdinalAndAdapterIndex: u32,
        pGetNodeMetadata: *mut DXGKARG_GETNODEMETADATA,
    ) -> NTSTATUS;

    /// Reads GPU and CPU clocks together.
    ///
    /// IRQL: DISPATCH_LEVEL (docs). Synchronization level: not stated.
    pub type PDXGKDDI_CALIBRATEGPUCLOCK = DXGKDDI_CALIBRATEGPUCLOCK(
        hAdapter: HANDLE,
        NodeOrdinal: u32,
        EngineOrdinal: u32,
        pClockCalibration: *mut DXGKARG_CALIBRATEGPUCLOCK,
    ) -> NTSTATUS;

    /// Turns a history buffer into timestamps.
    ///
    /// IRQL: DISPATCH_LEVEL (docs). Synchronization level: not stated.
    pub type PDXGKDDI_FORMATHISTORYBUFFER = DXGKDDI_FORMATHISTORYBUFFER(
        hContext: HANDLE,
        pFormatData: *mut DXGKARG_FORMATHISTORYBUFFER,
    ) -> NTSTATUS;
}
