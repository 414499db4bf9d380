//! TRANSFER by physical address: done at once, between the local segment and the pages of a memory descriptor list.
//!
//! UNSAFETY: it is the other side of the DDI.
#![expect(unsafe_code)]

mod support;

use support::TestAdapter;
use support::paging::{PAGE, Pages};
use wddm::*;

const LOCAL: u32 = 1;
const SYSTEM: u32 = 0;
/// Where the transfers go in VRAM.
const PLACE: u64 = 1 << 20;

/// A list over `count` pages in reverse order, so that its frame numbers count.
struct List(Vec<u64>);

impl List {
    fn over(pages: &Pages, count: u64) -> Self {
        let mut words = vec![0u64; size_of::<MDL>() / 8];
        words.extend((0..count).rev().map(|page| pages.address() / PAGE + page));
        let header = MDL { ByteCount: (count * PAGE) as u32, ..MDL::zeroed() };
        // SAFETY: the vector begins with room for the header, aligned to 8 as it is.
        unsafe { words.as_mut_ptr().cast::<MDL>().write(header) };
        Self(words)
    }
}

/// Runs a transfer of `bytes` bytes with the list from page `first` on.
fn transfer(
    adapter: &TestAdapter,
    list: &mut List,
    out: bool,
    bytes: u64,
    first: u32,
    idle: bool,
) -> NTSTATUS {
    let mut args = DXGKARG_BUILDPAGINGBUFFER::zeroed();
    args.Operation = DXGK_BUILDPAGINGBUFFER_OPERATION::DXGK_OPERATION_TRANSFER;
    let mut it = DXGKARG_BUILDPAGINGBUFFER_TRANSFER::zeroed();
    (it.TransferSize, it.TransferOffset, it.MdlOffset) = (bytes as usize, 0, first);
    it.Flags.set(DXGK_TRANSFERFLAGS::AllocationIsIdle, idle);
    (it.Source.SegmentId, it.Destination.SegmentId) = if out { (LOCAL, SYSTEM) } else { (SYSTEM, LOCAL) };
    let (mdl, place) = (list.0.as_mut_ptr().cast::<MDL>(), PLACE as i64);
    if out {
        (it.Source.u.SegmentAddress, it.Destination.u.pMdl) = (place, mdl);
    } else {
        (it.Source.u.pMdl, it.Destination.u.SegmentAddress) = (mdl, place);
    }
    args.u.Transfer = it;
    // SAFETY: live arguments, and a list of pages that live.
    unsafe { adapter.table.DxgkDdiBuildPagingBuffer.unwrap()(adapter.context, &mut args) }
}

#[test]
fn pages_of_a_list_travel_to_vram_and_back() {
    let adapter = TestAdapter::start(&[("VramBytes", 64 << 20)]);
    let (mut from, mut to) = (Pages::new(4), Pages::new(4));
    for (index, byte) in from.bytes().iter_mut().enumerate() {
        *byte = (index / 4096 * 50 + index % 251 + 1) as u8;
    }
    let (mut list, mut back) = (List::over(&from, 4), List::over(&to, 4));
    let bytes = 2 * PAGE + 100;
    assert_eq!(transfer(&adapter, &mut list, false, bytes, 1, false), STATUS_GRAPHICS_ALLOCATION_BUSY);
    assert_eq!(transfer(&adapter, &mut list, false, bytes, 1, true), STATUS_SUCCESS);
    assert_eq!(transfer(&adapter, &mut back, true, bytes, 0, true), STATUS_SUCCESS);
    // Pages 1, 2 and 3 of the reversed list are pages 2, 1 and 0; they come back on pages 3, 2 and 1.
    let (sent, came) = (from.bytes().to_vec(), to.bytes().to_vec());
    let page = |bytes: &[u8], number: usize| bytes[4096 * number..][..4096].to_vec();
    assert_eq!(page(&came, 3), page(&sent, 2));
    assert_eq!(page(&came, 2), page(&sent, 1));
    assert_eq!(page(&came, 1)[..100], page(&sent, 0)[..100]);
    assert!(page(&came, 1)[100..].iter().all(|byte| *byte == 0), "no byte more than asked for");
    assert!(page(&came, 0).iter().all(|byte| *byte == 0));
}

#[test]
fn a_list_is_not_left() {
    let adapter = TestAdapter::start(&[("VramBytes", 64 << 20)]);
    let mut from = Pages::new(4);
    from.bytes().fill(7);
    let mut list = List::over(&from, 4);
    assert_eq!(transfer(&adapter, &mut list, false, 4 * PAGE, 0, true), STATUS_SUCCESS);
    for (bytes, first) in [(4 * PAGE, 1), (PAGE, 4), (4 * PAGE + 1, 0)] {
        let status = transfer(&adapter, &mut list, false, bytes, first, true);
        assert!(!status.is_success(), "{bytes} bytes from page {first}: {status}");
    }
}

#[test]
fn a_list_describes_every_page_that_it_touches() {
    let adapter = TestAdapter::start(&[("VramBytes", 64 << 20)]);
    let pages = Pages::new(2);
    let mut list = List::over(&pages, 2);
    // SAFETY: the list begins with its header.
    let header = unsafe { &mut *list.0.as_mut_ptr().cast::<MDL>() };
    (header.ByteOffset, header.ByteCount) = (4000, 200);
    assert_eq!(transfer(&adapter, &mut list, false, 2 * PAGE, 0, true), STATUS_SUCCESS);
    assert!(!transfer(&adapter, &mut list, false, 2 * PAGE, 1, true).is_success());
}
