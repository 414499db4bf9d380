//! The calls of the rules with plain arguments: VF numbers, slices, offsets.

use alloc::vec::Vec;

use wddm::*;

use super::Bench;
use super::bench::handle;
use crate::contract::calls;
use crate::dxgkrnl::Ask;

/// An interface function with its argument structure; STATUS_NOT_SUPPORTED without the interface.
macro_rules! ask {
    ($bench:expr, $interface:ident . $function:ident, $args:expr) => {{
        use $crate::dxgkrnl::Ask as _;
        static DDI: $crate::contract::Ddi = $crate::contract::Ddi::passive(stringify!($function));
        match &$bench.adapter.interfaces.$interface {
            Some(it) => it.$function.ask($bench.contract(), &DDI, it.Context, $args),
            None => STATUS_NOT_SUPPORTED,
        }
    }};
}
pub(super) use ask;

/// A profile that asks for so much memory and leaves the rest to the driver.
pub(super) fn profile(bytes: u64) -> DXGK_VIRTUALGPUPROFILE {
    let mut profile = DXGK_VIRTUALGPUPROFILE::zeroed();
    profile.Capability[0] =
        DXGK_VIRTUALGPUCAPABILITY { MinValue: bytes, MaxValue: bytes, OptimalValue: bytes };
    profile
}

impl Bench {
    pub(super) fn info(&self, vf: u32) -> (NTSTATUS, DXGKARG_GETVIRTUALGPUINFO) {
        let mut args = DXGKARG_GETVIRTUALGPUINFO::zeroed();
        args.PartitionId = vf;
        (ask!(self, partition.DxgkDdiGetVirtualGpuInfo, &mut args), args)
    }

    pub(super) fn create(
        &self,
        vf: u32,
        profile: DXGK_VIRTUALGPUPROFILE,
    ) -> (NTSTATUS, alloc::boxed::Box<DXGKARG_CREATEVIRTUALGPU>) {
        let mut args = alloc::boxed::Box::new(DXGKARG_CREATEVIRTUALGPU::zeroed());
        (args.PartitionId, args.Profile) = (vf, profile);
        (ask!(self, partition.DxgkDdiCreateVirtualGpu, &mut *args), args)
    }

    pub(super) fn destroy(&self, vf: u32) -> NTSTATUS {
        ask!(self, partition.DxgkDdiDestroyVirtualGpu, &mut DXGKARG_DESTROYVIRTUALGPU { PartitionId: vf })
    }

    pub(super) fn partition_count(&self, count: u32) -> NTSTATUS {
        ask!(
            self,
            partition.DxgkDdiSetGpuPartitionCount,
            &mut DXGKARG_SETGPUPARTITIONCOUNT { PartitionCount: count }
        )
    }

    pub(super) fn read_config(&self, vf: u32, offset: u32, out: &mut [u8]) -> NTSTATUS {
        let mut args = DXGKARG_READVIRTUALFUNCTIONCONFIG {
            Data: out.as_mut_ptr().cast(),
            VirtualFunctionIndex: vf,
            Offset: offset,
            Length: out.len() as u32,
        };
        ask!(self, sriov.DxgkDdiReadVirtualFunctionConfig, &mut args)
    }

    pub(super) fn write_config(&self, vf: u32, offset: u32, data: &[u8]) -> NTSTATUS {
        let mut copy = Vec::from(data);
        let mut args = DXGKARG_WRITEVIRTUALFUNCTIONCONFIG {
            Data: copy.as_mut_ptr().cast(),
            VirtualFunctionIndex: vf,
            Offset: offset,
            Length: copy.len() as u32,
        };
        ask!(self, sriov.DxgkDdiWriteVirtualFunctionConfig, &mut args)
    }

    pub(super) fn power(&self, vf: u32, state: DEVICE_POWER_STATE) -> NTSTATUS {
        let mut args = DXGKARG_SETVIRTUALFUNCTIONPOWERSTATE::zeroed();
        (args.VirtualFunctionIndex, args.PowerState) = (vf, state);
        ask!(self, sriov.DxgkDdiSetVirtualFunctionPowerState, &mut args)
    }

    pub(super) fn reset(&self, vf: u32) -> NTSTATUS {
        ask!(
            self,
            sriov.DxgkDdiResetVirtualFunction,
            &mut DXGKARG_RESETVIRTUALFUNCTION { VirtualFunctionIndex: vf }
        )
    }

    pub(super) fn pause(&self, vf: u32, pause: bool) -> NTSTATUS {
        let mut args = DXGKARG_SETVIRTUALFUNCTIONPAUSESTATE::zeroed();
        (args.vfIndex, args.bPause) = (vf, BOOLEAN::from(pause));
        self.core().set_pause_state(&mut args)
    }

    pub(super) fn prepare(&self, vf: u32, role: DXGK_GPUP_MIGRATIONTYPE) -> NTSTATUS {
        self.core().prepare_live_migration(&mut DXGKARG_GPUP_PREPARE_LIVE_MIGRATION {
            vfIndex: vf,
            MigrationType: role,
        })
    }

    pub(super) fn prepare_source(&self, vf: u32) -> NTSTATUS {
        self.prepare(vf, DXGK_GPUP_MIGRATIONTYPE::DXGK_GPUP_MIGRATIONTYPE_SOURCE)
    }

    pub(super) fn prepare_target(&self, vf: u32) -> NTSTATUS {
        self.prepare(vf, DXGK_GPUP_MIGRATIONTYPE::DXGK_GPUP_MIGRATIONTYPE_TARGET)
    }

    pub(super) fn end(&self, vf: u32) -> NTSTATUS {
        self.core().end_live_migration(vf)
    }

    /// SaveImmutableMigrationData: the size without a buffer, the data with one. DataSize comes back.
    pub(super) fn save_immutable(&self, vf: u32, out: Option<&mut [u8]>) -> (NTSTATUS, u64) {
        let mut size = out.as_ref().map_or(0, |out| out.len() as u64);
        let data = out.map_or(core::ptr::null_mut(), <[u8]>::as_mut_ptr);
        let mut args =
            DXGKARG_GPUP_SAVE_IMMUTABLE_MIGRATION_DATA { vfIndex: vf, DataSize: &raw mut size, Data: data };
        (self.core().save_immutable(&mut args), size)
    }

    /// SaveMutableMigrationData, likewise.
    pub(super) fn save_mutable(&self, vf: u32, out: Option<&mut [u8]>) -> (NTSTATUS, u64) {
        let mut size = out.as_ref().map_or(0, |out| out.len() as u64);
        let data = out.map_or(core::ptr::null_mut(), <[u8]>::as_mut_ptr);
        let mut args =
            DXGKARG_GPUP_SAVE_MUTABLE_MIGRATION_DATA { vfIndex: vf, DataSize: &raw mut size, Data: data };
        (self.core().save_mutable(&mut args), size)
    }

    pub(super) fn restore_immutable(&self, vf: u32, data: &[u8]) -> NTSTATUS {
        let mut copy = Vec::from(data);
        let mut args = DXGKARG_GPUP_RESTORE_IMMUTABLE_MIGRATION_DATA {
            vfIndex: vf,
            DataSize: copy.len() as u64,
            Data: copy.as_mut_ptr(),
        };
        self.core().restore_immutable(&mut args)
    }

    pub(super) fn restore_mutable(&self, vf: u32, data: &[u8]) -> NTSTATUS {
        let mut copy = Vec::from(data);
        let mut args = DXGKARG_GPUP_RESTORE_MUTABLE_MIGRATION_DATA {
            vfIndex: vf,
            DataSize: copy.len() as u64,
            Data: copy.as_mut_ptr(),
        };
        self.core().restore_mutable(&mut args)
    }

    pub(super) fn msix(&self, vf: u32, index: i16) -> NTSTATUS {
        let mut args = DXGKARG_GPUP_WRITE_VIRTUALIZED_MSIX::zeroed();
        (args.vfIndex, args.InterruptTableIndex) = (vf, index);
        // Masked: nothing is delivered anywhere.
        args.WriteValue.VectorControl = 1;
        self.core().write_virtualized_interrupt(&mut args)
    }

    /// SetVirtualGpuResources: (segment, offset, bytes) of each piece.
    pub(super) fn resources(&self, vf: u32, pieces: &[(u32, u64, u64)]) -> NTSTATUS {
        let mut words = alloc::vec![u64::from(vf) | (pieces.len() as u64) << 32];
        words.extend(
            pieces.iter().flat_map(|(segment, offset, bytes)| [0, u64::from(*segment), *offset, *bytes]),
        );
        words.resize(words.len().max(5), 0);
        let Some(it) = &self.adapter.interfaces.partition else { return STATUS_NOT_SUPPORTED };
        super::gates::set_resources(self.contract(), it.DxgkDdiSetVirtualGpuResources, it.Context, &mut words)
    }

    /// CreateMemoryBasis: 0 when it is refused.
    pub(super) fn basis(&self, segment: u32, ranges: &[(u64, u64)]) -> usize {
        let mut words = Vec::from([u64::from(segment), ranges.len() as u64]);
        words.extend(ranges.iter().flat_map(|(offset, bytes)| [*offset, *bytes]));
        words.resize(words.len().max(4), 0);
        self.core().create_memory_basis(words.as_ptr().cast()).expose_provenance()
    }

    /// QueryDirtyBitData of a part of a basis: (index, offset, bytes), all of it with no bytes.
    pub(super) fn dirty(&self, basis: usize, part: (u64, u64, u64), clear: bool, out: &mut [u8]) -> NTSTATUS {
        self.dirty_flags(basis, part, i32::from(clear), out)
    }

    pub(super) fn dirty_flags(
        &self,
        basis: usize,
        (index, offset, bytes): (u64, u64, u64),
        flags: i32,
        out: &mut [u8],
    ) -> NTSTATUS {
        let mut args = DXGKARG_QUERYDIRTYBITDATA::zeroed();
        args.MemoryBasis = handle(basis);
        (args.SubrangeIndex, args.SubrangeOffset, args.SubrangeSize) = (index, offset, bytes);
        (args.Buffer, args.BufferSize) = (out.as_mut_ptr().cast(), out.len());
        args.Flags = DXGKARG_QUERYDIRTYBITDATAFLAGS(flags);
        self.core().query_dirty_bit_data(&mut args)
    }

    pub(super) fn start_tracking(&self, basis: usize) -> NTSTATUS {
        self.core().start_dirty_tracking(handle(basis))
    }

    pub(super) fn stop_tracking(&self, basis: usize) -> NTSTATUS {
        self.core().stop_dirty_tracking(handle(basis))
    }

    /// DestroyMemoryBasis, which is not allowed to fail.
    pub(super) fn destroy_basis(&self, basis: usize) -> NTSTATUS {
        self.core().destroy_memory_basis(handle(basis))
    }

    /// QueryInterface with any header.
    pub(super) fn query_interface(&self, guid: &GUID, version: u16, size: u16, out: &mut [u64]) -> NTSTATUS {
        let mut args = QUERY_INTERFACE::zeroed();
        args.InterfaceType = guid;
        (args.Version, args.Size) = (version, size);
        args.Interface = out.as_mut_ptr().cast();
        args.DeviceUid = DISPLAY_ADAPTER_HW_ID;
        self.core().query_interface(&mut args)
    }

    /// QueryAdapterInfo with any buffers.
    pub(super) fn query(
        &self,
        kind: DXGK_QUERYADAPTERINFOTYPE,
        input: &mut [u8],
        out: &mut [u8],
    ) -> NTSTATUS {
        let mut args = DXGKARG_QUERYADAPTERINFO::zeroed();
        args.Type = kind;
        if !input.is_empty() {
            args.pInputData = input.as_mut_ptr().cast();
            args.InputDataSize = input.len() as u32;
        }
        (args.pOutputData, args.OutputDataSize) = (out.as_mut_ptr().cast(), out.len() as u32);
        self.core().query_adapter_info(&args)
    }

    pub(super) fn probed_bars(&self, vf: u32) -> [u32; 6] {
        let mut values = [0x5A5A_5A5A; 6];
        let mut args =
            DXGKARG_QUERYPROBEDBARS { VirtualFunctionIndex: vf, BaseRegisterValues: values.as_mut_ptr() };
        if let Some(it) = &self.adapter.interfaces.sriov {
            let _ = it.DxgkDdiQueryProbedBars.ask(
                self.contract(),
                &calls::QUERY_PROBED_BARS,
                it.Context,
                &mut args,
            );
        }
        values
    }
}
