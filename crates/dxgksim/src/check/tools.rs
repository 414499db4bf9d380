//! Escapes, debug information, and what the driver is told of virtual machines.

use alloc::vec;

use wddm::*;

use super::args::ask;
use super::bench::handle;
use super::{Bench, accepted, broken, declare, refused};

const ESCAPE: &str = "DXGKDDI_ESCAPE callback function (d3dkmddi.h)";
const VF_ESCAPE: &str = "DXGKDDI_VIRTUALGPUDRIVERESCAPE callback function (dispmprt.h)";
const DEBUG: &str = "DXGKDDI_COLLECTDBGINFO callback function (d3dkmddi.h)";
const MACHINE: &str = "DXGKDDI_SETVIRTUALMACHINEDATA callback function (d3dkmddi.h)";

declare! {
    "escape.empty" Size ESCAPE,
        "An escape without data is refused.",
        |b| refused("Escape of 0 bytes", escape(b, &mut []));
    "escape.short" Size ESCAPE,
        "An escape of a few bytes is refused.",
        |b| refused("Escape of 3 bytes", escape(b, &mut [0xFF; 3]));
    "escape.garbage" Handle ESCAPE,
        "An escape that is no request of the driver's comes back as it went.",
        |b| {
        let mut data = [0xA5; 160];
        refused("Escape of garbage", escape(b, &mut data))?;
        super::same("the data of a refused escape", &[0xA5; 160], &data)
    };
    "vf-escape.unknown-vf" Handle VF_ESCAPE, "A VF that does not exist has no escape.", |b| {
        let mut input = [0u64; 32];
        refused("VirtualGpuDriverEscape of no VF", vf_escape(b, b.no_vf(), &mut input, 168))
    };
    "vf-escape.short" Size VF_ESCAPE,
        "An input that is shorter than the LUID it begins with is refused.",
        |b| {
        let _vgpu = b.vf(0)?;
        refused("VirtualGpuDriverEscape of 4 bytes", vf_escape(b, 0, &mut [0u64; 32], 4))
    };
    "vf-escape.luid" Handle VF_ESCAPE, "An input that begins with another LUID is refused.", |b| {
        let _vgpu = b.vf(0)?;
        refused("VirtualGpuDriverEscape of another LUID", vf_escape(b, 0, &mut [0x5A5A_5A5A; 32], 168))
    };
    "debug.none" Size DEBUG, "A buffer without bytes is legal: nothing is collected.", |b| {
        accepted("CollectDbgInfo into 0 bytes", collect(b, VIDEO_TDR_TIMEOUT_DETECTED, &mut []))
    };
    "debug.short" Size DEBUG, "In a short buffer stands the front of what a long one gets.", |b| {
        let (mut long, mut short) = (vec![0; 4096], vec![0; 16]);
        accepted("CollectDbgInfo", collect(b, VIDEO_TDR_TIMEOUT_DETECTED, &mut long))?;
        accepted("CollectDbgInfo into 16 bytes", collect(b, VIDEO_TDR_TIMEOUT_DETECTED, &mut short))?;
        long.truncate(16);
        super::same("what a short buffer holds", &long, &short)
    };
    "debug.something" Answer DEBUG, "For a timeout there is something to collect.", |b| {
        let mut data = vec![0; 4096];
        accepted("CollectDbgInfo", collect(b, VIDEO_TDR_TIMEOUT_DETECTED, &mut data))?;
        if data.iter().all(|byte| *byte == 0) { broken!("nothing but zeroes was collected") } else { Ok(()) }
    };
    "machine.none" Answer MACHINE, "A virtual machine without a worker process may be announced.",
        |b| accepted("SetVirtualMachineData without a process", machine(b, 0));
    "machine.stale-process" Handle MACHINE, "A worker process that does not exist is refused.", |b| {
        let mut args = DXGKARG_CREATEPROCESS::zeroed();
        super::needed("CreateProcess", b.core().create_process(&mut args))?;
        super::needed("DestroyProcess", b.core().destroy_process(args.hKmdProcess))?;
        refused("SetVirtualMachineData of a stale process", machine(b, args.hKmdProcess.expose_provenance()))
    };
}

fn escape(b: &Bench, data: &mut [u8]) -> NTSTATUS {
    let mut args = DXGKARG_ESCAPE::zeroed();
    (args.pPrivateDriverData, args.PrivateDriverDataSize) = (data.as_mut_ptr().cast(), data.len() as u32);
    b.core().escape(&mut args)
}

fn vf_escape(b: &Bench, vf: u32, input: &mut [u64; 32], bytes: u32) -> NTSTATUS {
    let mut output = [0u64; 32];
    let mut args = DXGK_VIRTUALGPUDRIVERESCAPE::zeroed();
    (args.PartitionId, args.InputBufferSize, args.OutputBufferSize) = (vf, bytes, 256);
    (args.pInputBuffer, args.pOutputBuffer) = (input.as_mut_ptr().cast(), output.as_mut_ptr().cast());
    ask!(b, partition.DxgkDdiVirtualGpuDriverEscape, &mut args)
}

fn collect(b: &Bench, reason: u32, data: &mut [u8]) -> NTSTATUS {
    let mut args = DXGKARG_COLLECTDBGINFO::zeroed();
    (args.Reason, args.pBuffer, args.BufferSize) = (reason, data.as_mut_ptr().cast(), data.len());
    b.collect_dbg_info(&mut args)
}

fn machine(b: &Bench, process: usize) -> NTSTATUS {
    let mut guid = GUID::from_u128(0x1234);
    let mut args = DXGKARG_SETVIRTUALMACHINEDATA::zeroed();
    (args.hKmdVmWorkerProcess, args.pVmGuid) = (handle(process), &raw mut guid);
    b.set_virtual_machine_data(&mut args)
}
