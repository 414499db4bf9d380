//! What was submitted to a node and may have to be submitted again: after the reset of an engine Dxgkrnl submits the
//! paging packets that the reset did not abort once more, in their order and under their fences.
//!
//! Article: "TDR changes in Windows 8". A packet's buffers stay untouched until its fence is completed or aborted.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use wddm::DXGKARG_SUBMITCOMMANDVIRTUAL;

/// A submission, made movable.
struct Packet(DXGKARG_SUBMITCOMMANDVIRTUAL);

#[expect(unsafe_code, reason = "a structure with pointers that are not followed here")]
// SAFETY: the pointers are passed back to the driver, which takes them from any thread.
unsafe impl Send for Packet {}

/// The packets of a node, oldest first.
#[derive(Default)]
pub(super) struct Packets(VecDeque<Packet>);

impl Packets {
    /// Notes a submission; those of which something became, up to fence `done`, are forgotten.
    pub(super) fn note(&mut self, args: &DXGKARG_SUBMITCOMMANDVIRTUAL, done: u32) {
        while self.0.front().is_some_and(|packet| packet.0.SubmissionFenceId <= done) {
            self.0.pop_front();
        }
        self.0.push_back(Packet(*args));
    }

    /// The submissions whose fences `waits` names, in their order.
    pub(super) fn waiting(&self, waits: impl Fn(u32) -> bool) -> Vec<DXGKARG_SUBMITCOMMANDVIRTUAL> {
        let packets = self.0.iter().map(|packet| packet.0);
        packets.filter(|args| waits(args.SubmissionFenceId)).collect()
    }
}
