//! Guests and buffers that mean harm: whatever they write, the device goes on.

use proptest::prelude::*;

use super::guest::{Guest, header};
use super::tables::{Pages, Process};
use super::{MIB, Told, device, hear, regions, until};
use crate::device::Device;
use crate::device::abi::{NODES, RING_BYTES, RING_OFFSET, reg};
use crate::device::paging::{self, Op};
use crate::device::sim::registers::node_register;

/// Words that are near a limit more often than not.
fn word() -> impl Strategy<Value = u64> {
    let near = prop_oneof![
        Just(0),
        Just(8 * MIB),
        Just(1u64 << 32),
        Just(u64::MAX),
        Just(4096),
        Just(0x0001_0000_0001),
        any::<u64>()
    ];
    (near, -2i64..3).prop_map(|(word, off)| word.wrapping_add_signed(off * 8))
}

#[derive(Clone, Debug)]
struct Attack {
    node: usize,
    opcode: u16,
    flags: u16,
    length: Option<u32>,
    words: Vec<u64>,
}

fn attack() -> impl Strategy<Value = Attack> {
    let length = prop_oneof![4 => Just(None), 1 => any::<u32>().prop_map(Some)];
    (0..NODES, 0u16..12, 0u16..6, length, proptest::collection::vec(word(), 0..12)).prop_map(
        |(node, opcode, flags, length, mut words)| {
            words.resize(words.len().next_multiple_of(2), 0);
            Attack { node, opcode, flags, length, words }
        },
    )
}

#[test]
fn hostile_rings_harm_nobody_else() {
    let (gpu, _told) = device(2);
    gpu.vf_enable(1, &regions(1)).unwrap();
    let mut good = Guest::new(&gpu, 1);
    good.fill(0, 4 * MIB, 0x1234);
    let expected = good.hash(0, 4 * MIB);
    let config = ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let attacks = proptest::collection::vec(attack(), 1..12);
    gpu.vf_enable(0, &regions(0)).unwrap();
    runner
        .run(&attacks, |attacks| {
            let mut bad = Guest::new(&gpu, 0);
            for Attack { node, opcode, flags, length, words } in &attacks {
                let bytes = 16 + words.len() * 8;
                let mut command = header(*opcode, *flags, length.unwrap_or(bytes as u32), 1).to_vec();
                command.extend(words.iter().flat_map(|word| word.to_le_bytes()));
                bad.ring(*node, &command);
            }
            let done = |guest: &Guest| (0..NODES).all(|node| guest.head(node) == guest.tails[node]);
            until("the end of an attack", || done(&bad) || bad.faulted());
            gpu.vf_reset(0).unwrap();
            Ok(())
        })
        .unwrap();
    assert_eq!(good.hash(0, 4 * MIB), expected);
}

#[test]
fn a_ring_that_changes_while_it_is_read_harms_nobody_else() {
    let (gpu, _told) = device(2);
    for vf in 0..2 {
        gpu.vf_enable(vf, &regions(vf)).unwrap();
    }
    let mut good = Guest::new(&gpu, 1);
    for round in 0..30u64 {
        let bad = Guest::new(&gpu, 0);
        for step in 0..2000u64 {
            let node = (step % 2) as usize;
            let at = RING_OFFSET + node * RING_BYTES + (step * 24 % 4096) as usize;
            let word = step.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (step % 61);
            bad.bar().write(at, &word.to_le_bytes());
            bad.bar().store(node_register(node, reg::TAIL), (word as u32) & 0x1_fff0);
        }
        good.fill(0, 4096, round);
        good.wait();
        gpu.vf_reset(0).unwrap();
    }
}

#[test]
fn hostile_paging_buffers_end_in_a_completion_or_a_fault_or_by_reset() {
    let (gpu, told) = device(1);
    let mut process = Process::new(&gpu, 8 * MIB);
    let system = Pages::new(8);
    process.map_pages(0, &system);
    process.map_local(2 * MIB, 0, 64 * 4096);
    let process = std::cell::RefCell::new(process);
    let config = ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let small = prop_oneof![0u32..40, (0u32..64).prop_map(|n| n * 8), Just(0x20_0000), any::<u32>()];
    let op = (0u32..7, 0u32..6, proptest::collection::vec(small, 6..8));
    let endless = |preemptible| Just((6, 2, vec![preemptible, 0]));
    // A reset gives what may not be preempted two seconds, so that one is seldom.
    let op = prop_oneof![400 => op, 10 => endless(1), 1 => endless(0)];
    let buffers = proptest::collection::vec(op, 0..20).prop_map(|ops| {
        let mut bytes = Vec::new();
        for (opcode, length, words) in ops {
            bytes.extend_from_slice(&opcode.to_le_bytes());
            bytes.extend_from_slice(&(length * 8).to_le_bytes());
            let payload: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            bytes.extend_from_slice(&payload[..payload.len().min((length * 8).saturating_sub(8) as usize)]);
        }
        bytes
    });
    runner
        .run(&(buffers, 0..NODES), |(buffer, node)| {
            let fence = process.borrow_mut().submit_bytes(node, &buffer);
            if paging::decode(&buffer).any(|op| matches!(op, Ok(Op::Loop { .. }))) {
                gpu.reset_engine(node).unwrap();
                // What stands before the loop may fault; else the reset took the buffer away.
                let answer = told.try_recv().ok();
                let expected =
                    answer.is_none_or(|it| matches!(it, Told::Faulted(n, f, _) if (n, f) == (node, fence)));
                prop_assert!(expected, "{:?}", answer);
                let next = process.borrow_mut().submit(node, |encoder| encoder.nop().unwrap());
                prop_assert_eq!(hear(&told), Told::Completed(node, next));
                return Ok(());
            }
            let answer = hear(&told);
            let answered =
                matches!(answer, Told::Completed(n, f) | Told::Faulted(n, f, _) if (n, f) == (node, fence));
            prop_assert!(answered, "{:?}", answer);
            Ok(())
        })
        .unwrap();
}
