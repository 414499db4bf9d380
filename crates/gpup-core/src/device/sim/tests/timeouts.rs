//! Preemption, hangs and resets: what the operating system does when an engine does not answer.

use std::time::Duration;

use super::guest::Guest;
use super::tables::Process;
use super::{MIB, Told, device, hear, regions, until};
use crate::device::abi::{COMPUTE_NODE, COPY_NODE, FaultCode, reg};
use crate::device::sim::HOST_QUEUE_DEPTH;
use crate::device::sim::hang::HANG_NS;
use crate::device::{Author, Device, EngineReset};
use crate::{Error, PAGE_SIZE};

#[test]
fn a_preemption_is_answered_after_the_last_completion() {
    let (gpu, told) = device(1);
    let mut process = Process::new(&gpu, 8 * MIB);
    process.map_local(0, 0, 8 * MIB);
    for round in 1..10 {
        let first =
            (0..40).map(|_| process.submit(COPY_NODE, |buffer| buffer.fill(0, 8 * MIB, 5).unwrap())).min();
        std::thread::sleep(Duration::from_micros(500 * (round % 4)));
        gpu.preempt(COPY_NODE, 1000);
        let mut last = first.unwrap() - 1;
        loop {
            match hear(&told) {
                Told::Completed(COPY_NODE, fence) => {
                    assert_eq!(fence, last + 1);
                    last = fence;
                }
                Told::Preempted(COPY_NODE, 1000, completed) => {
                    assert_eq!(completed, gpu.last_completed_fence(COPY_NODE));
                    assert!(completed == last || completed < first.unwrap());
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
        // What came after the answer runs.
        let fence = process.submit(COPY_NODE, |buffer| buffer.nop().unwrap());
        assert_eq!(hear(&told), Told::Completed(COPY_NODE, fence));
    }
    gpu.preempt(COMPUTE_NODE, 7);
    assert_eq!(hear(&told), Told::Preempted(COMPUTE_NODE, 7, 0));
}

/// The answer of a reset that cut the packet of `vf`.
fn reset(last_aborted: u32, vf: Option<u32>) -> crate::Result<EngineReset> {
    Ok(EngineReset { last_aborted, vf })
}

#[test]
fn a_host_packet_that_hangs_is_noticed_and_reset() {
    let (gpu, told) = device(1);
    gpu.vf_enable(0, &regions(0)).unwrap();
    let mut process = Process::new(&gpu, 8 * MIB);
    gpu.hang(COPY_NODE, None).unwrap();
    let first = process.submit(COPY_NODE, |buffer| buffer.nop().unwrap());
    until("the hang is noticed", || !gpu.responsive(COPY_NODE));
    assert!(gpu.running(COPY_NODE).unwrap().since_ns >= HANG_NS);
    assert!(gpu.responsive(COMPUTE_NODE));
    for _ in 1..HOST_QUEUE_DEPTH {
        process.submit(COPY_NODE, |buffer| buffer.nop().unwrap());
    }
    let last = process.submit(COPY_NODE, |buffer| buffer.nop().unwrap());
    assert_eq!(last - first, HOST_QUEUE_DEPTH as u32);
    let full = crate::device::HostSubmission {
        node: COPY_NODE,
        root: process.root(),
        dma_address: 0,
        dma_bytes: 0,
        fence: 0,
        author: Author::Kernel,
    };
    assert_eq!(gpu.submit(full), Err(Error::NoResources));
    assert_eq!(gpu.reset_engine(COPY_NODE), reset(first, None), "only the one that hung was aborted");
    assert!(gpu.responsive(COPY_NODE));
    let fence = process.submit(COPY_NODE, |buffer| buffer.nop().unwrap());
    assert_eq!(hear(&told), Told::Completed(COPY_NODE, fence), "nothing that was dropped is reported");
    assert_eq!(gpu.reset_engine(COPY_NODE), reset(fence, None));
    // The guest was never touched.
    let mut guest = Guest::new(&gpu, 0);
    guest.fill(0, PAGE_SIZE, 1);
    guest.wait();
}

#[test]
fn a_guests_packet_that_hangs_costs_that_guest_only() {
    let (gpu, _told) = device(2);
    for vf in 0..2 {
        gpu.vf_enable(vf, &regions(vf)).unwrap();
    }
    let (mut hung, mut other) = (Guest::new(&gpu, 0), Guest::new(&gpu, 1));
    gpu.hang(COMPUTE_NODE, Some(0)).unwrap();
    hung.write_pages(COMPUTE_NODE, 16, 0, 1, 1);
    until("the hang", || gpu.shared.nodes[COMPUTE_NODE].hangs());
    assert_eq!(gpu.reset_engine(COMPUTE_NODE), reset(0, Some(0)));
    until("the fault", || hung.faulted());
    assert_eq!(hung.bar().load(reg::FAULT_CODE), FaultCode::Reset as u32);
    other.write_pages(COMPUTE_NODE, 16, 0, 1, 1);
    other.wait();
    assert_eq!(gpu.vf_counters(0, COMPUTE_NODE).unwrap().resets, 1);
    assert_eq!(gpu.vf_counters(1, COMPUTE_NODE).unwrap().resets, 0);
}

/// A VF hangs in the midst of the host's packet: what the host queued was not aborted, and can be submitted again.
#[test]
fn a_guests_packet_that_hangs_aborts_none_of_the_hosts() {
    let (gpu, told) = device(2);
    for vf in 0..2 {
        gpu.vf_enable(vf, &regions(vf)).unwrap();
    }
    let mut hung = Guest::new(&gpu, 0);
    let mut process = Process::new(&gpu, 8 * MIB);
    process.map_local(0, 0, 8 * MIB);
    let done = process.submit(COPY_NODE, |buffer| buffer.nop().unwrap());
    assert_eq!(hear(&told), Told::Completed(COPY_NODE, done));
    gpu.hang(COPY_NODE, Some(0)).unwrap();
    hung.fill(0, PAGE_SIZE, 1);
    until("the hang", || gpu.shared.nodes[COPY_NODE].hangs());
    for _ in 0..4 {
        process.submit(COPY_NODE, |buffer| buffer.fill(0, MIB, 5).unwrap());
    }
    assert_eq!(gpu.reset_engine(COPY_NODE), reset(done, Some(0)));
    assert_eq!(gpu.last_completed_fence(COPY_NODE), done);
    until("the fault", || hung.faulted());
    let fence = process.submit(COPY_NODE, |buffer| buffer.nop().unwrap());
    assert_eq!(hear(&told), Told::Completed(COPY_NODE, fence), "nothing that was dropped is reported");
}

/// The reset of the whole adapter leaves nothing to be submitted again.
#[test]
fn what_is_queued_when_the_device_stops_counts_as_completed() {
    let (gpu, told) = device(1);
    let mut process = Process::new(&gpu, 8 * MIB);
    gpu.hang(COPY_NODE, None).unwrap();
    let fences = (0..4).map(|_| process.submit(COPY_NODE, |buffer| buffer.nop().unwrap()));
    let last = fences.last().unwrap();
    until("the hang", || gpu.shared.nodes[COPY_NODE].hangs());
    gpu.stop();
    assert_eq!(gpu.last_completed_fence(COPY_NODE), last);
    assert!(told.try_recv().is_err());
}

#[test]
fn a_reset_costs_nobody_who_makes_progress() {
    let (gpu, told) = device(1);
    gpu.vf_enable(0, &regions(0)).unwrap();
    let mut guest = Guest::new(&gpu, 0);
    for round in 0..50 {
        guest.fill(0, 4 * MIB, round);
        guest.write_pages(COMPUTE_NODE, 256, 0, 4096, round);
        for node in [COMPUTE_NODE, COPY_NODE] {
            assert_eq!(gpu.reset_engine(node), reset(0, None));
        }
        assert!(!guest.faulted(), "round {round}");
        guest.wait();
    }
    assert!(told.try_recv().is_err());
}

#[test]
fn a_guest_past_its_preemption_timeout_is_cut_when_another_waits() {
    let (gpu, _told) = device(2);
    for vf in 0..2 {
        gpu.vf_enable(vf, &regions(vf)).unwrap();
        let parameters =
            crate::sched::VfParameters { quantum_us: 1000, preempt_timeout_us: 20_000, ..Default::default() };
        gpu.vf_parameters(vf, parameters).unwrap();
    }
    let (mut hung, mut other) = (Guest::new(&gpu, 0), Guest::new(&gpu, 1));
    gpu.hang(COMPUTE_NODE, Some(0)).unwrap();
    hung.write_pages(COMPUTE_NODE, 16, 0, 1, 1);
    until("the hang", || gpu.shared.nodes[COMPUTE_NODE].hangs());
    std::thread::sleep(Duration::from_millis(60));
    assert!(!hung.faulted(), "nobody waits");
    other.write_pages(COMPUTE_NODE, 16, 0, 1, 1);
    until("the cut", || hung.faulted());
    other.wait();
}

#[test]
fn misuse_is_refused() {
    let (gpu, _told) = device(1);
    let process = Process::new(&gpu, 8 * MIB);
    let good = crate::device::HostSubmission {
        node: COPY_NODE,
        root: process.root(),
        dma_address: 0,
        dma_bytes: 0,
        fence: 1,
        author: Author::Kernel,
    };
    for bad in [
        crate::device::HostSubmission { node: 2, ..good },
        crate::device::HostSubmission { dma_address: 4, ..good },
    ] {
        assert_eq!(gpu.submit(bad), Err(Error::InvalidParameter));
    }
    assert_eq!(gpu.reset_engine(2), Err(Error::InvalidParameter));
    assert_eq!(gpu.vf_parameters(1, Default::default()), Err(Error::UnknownVf));
    assert_eq!(gpu.vf_policy(1, crate::sched::Policy::Target), Err(Error::UnknownVf));
    assert_eq!(gpu.vf_throttle(1, 500), Err(Error::UnknownVf));
    assert_eq!(gpu.vf_counters(0, 2), Err(Error::InvalidParameter));
    assert!(!gpu.responsive(2));
    gpu.stop();
    gpu.submit(good).unwrap();
    assert_eq!(gpu.reset_engine(COPY_NODE), reset(0, None), "it was never begun");
}
