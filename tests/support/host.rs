//! An adapter with its three interfaces, and the calls that name a VF.
//!
//! UNSAFETY: it is the other side of the DDI.

use wddm::*;

use super::TestAdapter;

pub(crate) const MIB: u64 = 1 << 20;
pub(crate) const SOURCE: DXGK_GPUP_MIGRATIONTYPE = DXGK_GPUP_MIGRATIONTYPE::DXGK_GPUP_MIGRATIONTYPE_SOURCE;
pub(crate) const TARGET: DXGK_GPUP_MIGRATIONTYPE = DXGK_GPUP_MIGRATIONTYPE::DXGK_GPUP_MIGRATIONTYPE_TARGET;
pub(crate) const D0: DEVICE_POWER_STATE = DEVICE_POWER_STATE::PowerDeviceD0;
pub(crate) const D3: DEVICE_POWER_STATE = DEVICE_POWER_STATE::PowerDeviceD3;

/// Calls a function of an interface with its context.
macro_rules! call {
    ($interface:expr, $function:ident, $args:expr) => {{
        // SAFETY: live arguments.
        unsafe { $interface.$function.unwrap()($interface.Context, $args) }
    }};
}
#[allow(unused_imports, reason = "each test takes what it needs")]
pub(crate) use call;

/// Calls a function of the adapter's table.
macro_rules! ddi {
    ($host:expr, $function:ident $(, $arg:expr)*) => {{
        // SAFETY: live arguments.
        unsafe { $host.adapter.table.$function.unwrap()($host.adapter.context $(, $arg)*) }
    }};
}
#[allow(unused_imports, reason = "each test takes what it needs")]
pub(crate) use ddi;

/// A started adapter and its interfaces.
pub(crate) struct Host {
    pub(crate) adapter: TestAdapter,
    pub(crate) partition: DXGKDDI_GPU_PARTITION_INTERFACE,
    pub(crate) sriov: DXGKDDI_SRIOV_INTERFACE,
    pub(crate) flexiov: DXGKDDI_FLEXIOV_DEVICE_INTERFACE,
}

impl Host {
    /// With 64 MiB of VRAM, unless the settings say otherwise.
    pub(crate) fn start(settings: &[(&str, u64)]) -> Self {
        Self::of(TestAdapter::start(&[&[("VramBytes", 64 * MIB)], settings].concat()))
    }

    pub(crate) fn of(adapter: TestAdapter) -> Self {
        Self {
            partition: adapter.interface(&GUID_DXGKDDI_GPU_PARTITION_INTERFACE, 1, 128).unwrap(),
            sriov: adapter.interface(&GUID_DXGKDDI_SRIOV_INTERFACE, 1, 120).unwrap(),
            flexiov: adapter.interface(&GUID_DXGKDDI_FLEXIOV_DEVICE_INTERFACE, 1, 56).unwrap(),
            adapter,
        }
    }

    /// Makes a VF of so many bytes, with power; what CreateVirtualGpu answered.
    pub(crate) fn make(&self, vf: u32, bytes: u64) -> DXGKARG_CREATEVIRTUALGPU {
        let mut create = DXGKARG_CREATEVIRTUALGPU::zeroed();
        create.PartitionId = vf;
        create.Profile.Capability[0] =
            DXGK_VIRTUALGPUCAPABILITY { MinValue: bytes, MaxValue: bytes, OptimalValue: bytes };
        assert_eq!(call!(self.partition, DxgkDdiCreateVirtualGpu, &mut create), STATUS_SUCCESS);
        assert_eq!(self.resources(vf, &[(4 * MIB * u64::from(vf), bytes)]), STATUS_SUCCESS);
        assert_eq!(self.vf_power(vf, D0), STATUS_SUCCESS);
        create
    }

    /// SetVirtualGpuResources with as many ranges as there are.
    pub(crate) fn resources(&self, vf: u32, ranges: &[(u64, u64)]) -> NTSTATUS {
        let mut words = vec![u64::from(vf) | (ranges.len() as u64) << 32];
        words.extend(ranges.iter().flat_map(|(offset, bytes)| [0, 1, *offset, *bytes]));
        words.resize(words.len().max(5), 0);
        call!(self.partition, DxgkDdiSetVirtualGpuResources, words.as_mut_ptr().cast())
    }

    pub(crate) fn destroy(&self, vf: u32) -> NTSTATUS {
        let mut destroy = DXGKARG_DESTROYVIRTUALGPU { PartitionId: vf };
        call!(self.partition, DxgkDdiDestroyVirtualGpu, &mut destroy)
    }

    pub(crate) fn set_count(&self, count: u32) -> NTSTATUS {
        let mut args = DXGKARG_SETGPUPARTITIONCOUNT { PartitionCount: count };
        call!(self.partition, DxgkDdiSetGpuPartitionCount, &mut args)
    }

    pub(crate) fn vf_power(&self, vf: u32, state: DEVICE_POWER_STATE) -> NTSTATUS {
        let mut args = DXGKARG_SETVIRTUALFUNCTIONPOWERSTATE::zeroed();
        (args.VirtualFunctionIndex, args.PowerState) = (vf, state);
        call!(self.sriov, DxgkDdiSetVirtualFunctionPowerState, &mut args)
    }

    /// The adapter's own power.
    pub(crate) fn power(&self, state: DEVICE_POWER_STATE) -> NTSTATUS {
        ddi!(self, DxgkDdiSetPowerState, u32::MAX, state, POWER_ACTION::PowerActionNone)
    }

    pub(crate) fn reset(&self, vf: u32) -> NTSTATUS {
        let mut reset = DXGKARG_RESETVIRTUALFUNCTION { VirtualFunctionIndex: vf };
        call!(self.sriov, DxgkDdiResetVirtualFunction, &mut reset)
    }

    pub(crate) fn pause(&self, vf: u32, pause: bool) -> NTSTATUS {
        let args = DXGKARG_SETVIRTUALFUNCTIONPAUSESTATE { vfIndex: vf, bPause: u8::from(pause) };
        ddi!(self, DxgkDdiSetVirtualFunctionPauseState, &args)
    }

    pub(crate) fn write_config(&self, vf: u32, offset: u32, data: &mut [u8]) {
        let mut args = DXGKARG_WRITEVIRTUALFUNCTIONCONFIG {
            Data: data.as_mut_ptr().cast(),
            VirtualFunctionIndex: vf,
            Offset: offset,
            Length: data.len() as u32,
        };
        assert_eq!(call!(self.sriov, DxgkDdiWriteVirtualFunctionConfig, &mut args), STATUS_SUCCESS);
    }

    /// All of a VF's config space.
    pub(crate) fn config(&self, vf: u32) -> Vec<u8> {
        let mut data = vec![0; 256];
        let mut args = DXGKARG_READVIRTUALFUNCTIONCONFIG::zeroed();
        (args.Data, args.Length, args.VirtualFunctionIndex) = (data.as_mut_ptr().cast(), 256, vf);
        assert_eq!(call!(self.sriov, DxgkDdiReadVirtualFunctionConfig, &mut args), STATUS_SUCCESS);
        data
    }

    pub(crate) fn prepare(&self, vf: u32, role: DXGK_GPUP_MIGRATIONTYPE) -> NTSTATUS {
        let args = DXGKARG_GPUP_PREPARE_LIVE_MIGRATION { vfIndex: vf, MigrationType: role };
        ddi!(self, DxgkDdiPrepareLiveMigration, &args)
    }

    /// The immutable data, by the two calls.
    pub(crate) fn immutable(&self, vf: u32) -> Vec<u8> {
        let mut size = 0;
        let mut args = DXGKARG_GPUP_SAVE_IMMUTABLE_MIGRATION_DATA::zeroed();
        (args.vfIndex, args.DataSize) = (vf, &raw mut size);
        assert_eq!(ddi!(self, DxgkDdiSaveImmutableMigrationData, &mut args), STATUS_SUCCESS);
        let mut data = vec![0; size as usize];
        args.Data = data.as_mut_ptr();
        assert_eq!(ddi!(self, DxgkDdiSaveImmutableMigrationData, &mut args), STATUS_SUCCESS);
        data
    }

    /// SaveMutableMigrationData with any size and buffer.
    pub(crate) fn save_mutable(&self, vf: u32, size: &mut u64, data: *mut u8) -> NTSTATUS {
        let mut args = DXGKARG_GPUP_SAVE_MUTABLE_MIGRATION_DATA { vfIndex: vf, DataSize: size, Data: data };
        ddi!(self, DxgkDdiSaveMutableMigrationData, &mut args)
    }

    pub(crate) fn restore_immutable(&self, vf: u32, data: &mut [u8]) -> NTSTATUS {
        let args = DXGKARG_GPUP_RESTORE_IMMUTABLE_MIGRATION_DATA {
            vfIndex: vf,
            DataSize: data.len() as u64,
            Data: data.as_mut_ptr(),
        };
        ddi!(self, DxgkDdiRestoreImmutableMigrationData, &args)
    }

    pub(crate) fn restore_mutable(&self, vf: u32, data: &mut [u8]) -> NTSTATUS {
        let args = DXGKARG_GPUP_RESTORE_MUTABLE_MIGRATION_DATA {
            vfIndex: vf,
            DataSize: data.len() as u64,
            Data: data.as_mut_ptr(),
        };
        ddi!(self, DxgkDdiRestoreMutableMigrationData, &args)
    }

    pub(crate) fn end(&self, vf: u32) -> NTSTATUS {
        ddi!(self, DxgkDdiEndLiveMigration, vf)
    }

    /// A tracked basis over a VF's memory.
    pub(crate) fn basis(&self, vf: u32, bytes: u64) -> HANDLE {
        let basis = [1u64, 1, 4 * MIB * u64::from(vf), bytes];
        let handle = ddi!(self, DxgkDdiCreateMemoryBasis, basis.as_ptr().cast());
        assert_eq!(ddi!(self, DxgkDdiStartDirtyTracking, handle), STATUS_SUCCESS);
        handle
    }

    /// Dirty pages of a basis of a VF.
    pub(crate) fn dirty(&self, basis: HANDLE, clear: bool) -> u32 {
        let mut bits = [0u8; 64];
        let mut args = DXGKARG_QUERYDIRTYBITDATA::zeroed();
        args.MemoryBasis = basis;
        (args.Buffer, args.BufferSize) = (bits.as_mut_ptr().cast(), bits.len());
        args.Flags = DXGKARG_QUERYDIRTYBITDATAFLAGS(i32::from(clear));
        assert_eq!(ddi!(self, DxgkDdiQueryDirtyBitData, &mut args), STATUS_SUCCESS);
        bits.iter().map(|byte| byte.count_ones()).sum()
    }
}
