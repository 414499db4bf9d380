//! How BAR 0 of a VF is put together: from FlexIOV's resources and ranges, or from one SR-IOV resource.
//!
//! Microsoft's pages: "DXGKDDI_GETBACKINGRESOURCE", "DXGKDDI_GETMMIORANGES", "DXGK_MMIORANGEINFO",
//! "DXGKDDI_GETRESOURCEFORBAR", "DXGKARG_QUERYPROBEDBARS". Whether a physical page number counts from the start of its
//! resource is not stated; one that fits the resource does, another is taken as absolute.
//!
//! UNSAFETY: reads MDLs and maps registers.
#![expect(unsafe_code)]

use alloc::vec;
use alloc::vec::Vec;

use wddm::*;

use super::bar::{BarPage, VfBar};
use crate::contract::{Ddi, calls, rules};
use crate::dxgkrnl::{Adapter, Ask, DdiError, succeed};
use crate::memory::{PAGE, Registers};

/// A host resource: physical address and bytes.
#[derive(Clone, Copy)]
struct Resource {
    address: u64,
    bytes: u64,
}

/// Builds BAR 0 of a VF.
pub(super) fn map(adapter: &Adapter, vf: u32) -> Result<VfBar, DdiError> {
    let pages = (probe(adapter, vf)? / PAGE as u64) as usize;
    let mapped = match &adapter.interfaces.flexiov {
        Some(it) => flexiov(adapter, it, vf, pages)?,
        None => sriov(adapter, vf, pages)?,
    };
    Ok(VfBar::new(mapped))
}

/// Bytes of BAR 0, from the values that probing reads.
fn probe(adapter: &Adapter, vf: u32) -> Result<u64, DdiError> {
    let ddi = &calls::QUERY_PROBED_BARS;
    let Some(it) = &adapter.interfaces.sriov else { return Err(unsupported(ddi)) };
    let mut values = [0u32; PCI_TYPE0_ADDRESSES as usize + 1];
    values[6] = 0x5A5A_5A5A;
    let mut args =
        DXGKARG_QUERYPROBEDBARS { VirtualFunctionIndex: vf, BaseRegisterValues: values.as_mut_ptr() };
    let status = it.DxgkDdiQueryProbedBars.ask(adapter.contract(), ddi, it.Context, &mut args);
    succeed(ddi.name, status)?;
    let contract = adapter.contract();
    contract.require(
        values[6] == 0x5A5A_5A5A,
        &rules::OUTPUT_OVERRUN,
        format_args!("{} wrote more than six values", ddi.name),
    );
    // Bits 1 and 2 say whether the BAR takes two registers.
    let wide = values[0] & 0b110 == 0b100;
    let low = u64::from(values[0] & !0xF);
    let mask = if wide { low | u64::from(values[1]) << 32 } else { low | u64::from(u32::MAX) << 32 };
    let bytes = (!mask).wrapping_add(1);
    let held =
        values[0] & 1 == 0 && low != 0 && bytes.is_power_of_two() && (PAGE as u64..1 << 32).contains(&bytes);
    contract.require(
        held,
        &rules::BAR_SIZE,
        format_args!("BAR 0 probes as {:#x} {:#x}", values[0], values[1]),
    );
    if held { Ok(bytes) } else { Err(DdiError { ddi: ddi.name, status: STATUS_INVALID_PARAMETER }) }
}

fn flexiov(
    adapter: &Adapter,
    it: &DXGKDDI_FLEXIOV_DEVICE_INTERFACE,
    vf: u32,
    pages: usize,
) -> Result<Vec<BarPage>, DdiError> {
    let contract = adapter.contract();
    let resources = resources(adapter, it, vf)?;
    let mut count = DXGKARG_GETMMIORANGECOUNT::zeroed();
    count.VirtualFunctionIndex = vf;
    let ddi = &calls::GET_MMIO_RANGE_COUNT;
    succeed(ddi.name, it.DxgkDdiGetMmioRangeCount.ask(contract, ddi, it.Context, &mut count))?;
    let ranges = count.RangeCount[0].min(1 << 16) as usize;
    let mut infos = vec![DXGK_MMIORANGEINFO::zeroed(); ranges + 1];
    infos[ranges].BasePageNumber = u64::MAX;
    let mut args = DXGKARG_GETMMIORANGES::zeroed();
    args.VirtualFunctionIndex = vf;
    args.NumRanges = ranges as u32;
    args.pMmioRanges = infos.as_mut_ptr();
    let ddi = &calls::GET_MMIO_RANGES;
    succeed(ddi.name, it.DxgkDdiGetMmioRanges.ask(contract, ddi, it.Context, &mut args))?;
    contract.require(
        infos[ranges].BasePageNumber == u64::MAX,
        &rules::OUTPUT_OVERRUN,
        format_args!("{} wrote more than {ranges} ranges", ddi.name),
    );
    let mut mapped: Vec<Option<BarPage>> = vec![None; pages];
    let mut sound = true;
    for info in &infos[..ranges] {
        sound &= place(info, &resources, &mut mapped);
    }
    let whole: Option<Vec<BarPage>> = mapped.into_iter().collect();
    contract.require(
        sound && whole.is_some(),
        &rules::BAR_COVERAGE,
        format_args!("{ranges} ranges do not make up the {pages} pages of BAR 0"),
    );
    whole.filter(|_| sound).ok_or(DdiError { ddi: ddi.name, status: STATUS_INVALID_PARAMETER })
}

/// Puts a range's pages where it says; false when it cannot be there.
fn place(info: &DXGK_MMIORANGEINFO, resources: &[Option<Resource>], mapped: &mut [Option<BarPage>]) -> bool {
    let emulated = info.BasePhysicalPageNumber == DXGK_MMIO_RANGES_EMULATED_PAGE;
    let resource = resources.get(usize::from(info.BasePhysicalResourceNumber)).copied().flatten();
    for page in 0..u64::from(info.PageCount) {
        let Some(slot) = usize::try_from(info.BasePageNumber + page).ok().and_then(|at| mapped.get_mut(at))
        else {
            return false;
        };
        let registers = match (emulated, resource) {
            (true, _) => None,
            (false, Some(resource)) => match physical(resource, info, page) {
                // SAFETY: the driver says that this page of its resource backs the BAR for as long as the VF exists.
                Some(address) => Some(unsafe { Registers::at(address) }),
                None => return false,
            },
            (false, None) => return false,
        };
        let trap = |asked: BOOLEAN| emulated || asked != 0;
        let fresh = BarPage {
            registers,
            trap_reads: trap(info.InterceptReads),
            trap_writes: trap(info.InterceptWrites),
        };
        if slot.replace(fresh).is_some() {
            return false;
        }
    }
    true
}

fn physical(resource: Resource, info: &DXGK_MMIORANGEINFO, page: u64) -> Option<u64> {
    let size = PAGE as u64;
    let number = info.BasePhysicalPageNumber.checked_add(page)?;
    let address = number.checked_mul(size)?;
    if address + size <= resource.bytes {
        return Some(resource.address + address);
    }
    (address >= resource.address && address + size <= resource.address + resource.bytes).then_some(address)
}

/// All backing resources of a VF; those that are not used have no bytes.
fn resources(
    adapter: &Adapter,
    it: &DXGKDDI_FLEXIOV_DEVICE_INTERFACE,
    vf: u32,
) -> Result<Vec<Option<Resource>>, DdiError> {
    let ddi = &calls::GET_BACKING_RESOURCE;
    let mut found = Vec::new();
    for index in 0..DXGKDDI_MAX_FLEXIOV_RESOURCES {
        let mut descriptor = CM_PARTIAL_RESOURCE_DESCRIPTOR::zeroed();
        let mut args = DXGKARG_GETBACKINGRESOURCE::zeroed();
        args.VirtualFunctionIndex = vf;
        args.ResourceIndex = index as u16;
        args.Resource = &raw mut descriptor;
        let status = it.DxgkDdiGetBackingResource.ask(adapter.contract(), ddi, it.Context, &mut args);
        if !status.is_success() {
            // The page asks for success and zeroes past the last; some answer with a failure.
            if index == 0 {
                succeed(ddi.name, status)?;
            }
            break;
        }
        found.push(if args.pMdl.is_null() { memory(&descriptor) } else { from_mdl(args.pMdl) });
    }
    Ok(found)
}

/// An MDL: its memory is mapped, or at its virtual address, which is the physical one in this world.
fn from_mdl(mdl: *const MDL) -> Option<Resource> {
    // SAFETY: the driver gives an MDL that stays for as long as the VF exists.
    let mdl = unsafe { mdl.read() };
    let start = if mdl.MappedSystemVa.is_null() {
        mdl.StartVa.addr() as u64 + u64::from(mdl.ByteOffset)
    } else {
        mdl.MappedSystemVa.addr() as u64
    };
    (start != 0).then_some(Resource { address: start, bytes: u64::from(mdl.ByteCount) })
}

fn memory(descriptor: &CM_PARTIAL_RESOURCE_DESCRIPTOR) -> Option<Resource> {
    if { descriptor.Type } != CmResourceTypeMemory {
        return None;
    }
    // SAFETY: the type says that the descriptor's memory part is filled.
    let it = unsafe { descriptor.u.Memory };
    let (start, bytes) = (it.Start, it.Length);
    (bytes > 0).then_some(Resource { address: start as u64, bytes: u64::from(bytes) })
}

/// Without FlexIOV: one resource for the BAR, traps from the mitigable interface.
fn sriov(adapter: &Adapter, vf: u32, pages: usize) -> Result<Vec<BarPage>, DdiError> {
    let ddi = &calls::GET_RESOURCE_FOR_BAR;
    let Some(it) = &adapter.interfaces.sriov else { return Err(unsupported(ddi)) };
    let mut descriptor = CM_PARTIAL_RESOURCE_DESCRIPTOR::zeroed();
    let mut args =
        DXGKARG_GETRESOURCEFORBAR { VirtualFunctionIndex: vf, BarIndex: 0, pResource: &raw mut descriptor };
    succeed(ddi.name, it.DxgkDdiGetResourceForBar.ask(adapter.contract(), ddi, it.Context, &mut args))?;
    let resource = memory(&descriptor).filter(|it| it.bytes >= (pages * PAGE) as u64);
    let Some(resource) = resource else {
        adapter.contract().broken(
            &rules::BAR_COVERAGE,
            format_args!("the resource of BAR 0 is shorter than {pages} pages"),
        );
        return Err(DdiError { ddi: ddi.name, status: STATUS_INVALID_PARAMETER });
    };
    let mut mapped: Vec<BarPage> = (0..pages as u64)
        .map(|page| BarPage {
            // SAFETY: the driver says that this resource backs the BAR for as long as the VF exists.
            registers: Some(unsafe { Registers::at(resource.address + page * PAGE as u64) }),
            trap_reads: false,
            trap_writes: false,
        })
        .collect();
    for range in mitigated(adapter, vf) {
        let first = usize::try_from(range.BasePageNumber).unwrap_or(usize::MAX);
        for page in mapped.iter_mut().skip(first).take(range.PageCount as usize) {
            page.trap_reads |= range.InterceptReads != 0;
            page.trap_writes |= range.InterceptWrites != 0;
        }
    }
    Ok(mapped)
}

fn mitigated(adapter: &Adapter, vf: u32) -> Vec<DXGK_MITIGATEDRANGEINFO> {
    let Some(it) = &adapter.interfaces.mitigable else { return Vec::new() };
    let contract = adapter.contract();
    let mut count = DXGKARG_QUERYMITIGATEDRANGECOUNT::zeroed();
    count.VirtualFunctionIndex = vf;
    let ddi = &calls::QUERY_MITIGATED_RANGE_COUNT;
    let _ = it.DxgkDdiQueryMitigatedRangeCount.ask(contract, ddi, it.Context, &mut count);
    let ranges = count.RangeCount[0].min(1 << 16) as usize;
    let mut infos = vec![DXGK_MITIGATEDRANGEINFO::zeroed(); ranges];
    let mut args = DXGKARG_QUERYMITIGATEDRANGES::zeroed();
    args.VirtualFunctionIndex = vf;
    args.NumRanges = ranges as u32;
    args.pMitigatedRange = infos.as_mut_ptr();
    let ddi = &calls::QUERY_MITIGATED_RANGES;
    let status = it.DxgkDdiQueryMitigatedRanges.ask(contract, ddi, it.Context, &mut args);
    if status.is_success() { infos } else { Vec::new() }
}

fn unsupported(ddi: &Ddi) -> DdiError {
    DdiError { ddi: ddi.name, status: STATUS_NOT_SUPPORTED }
}
