//! Fairness on the threads, by IGT's method: engines of the simulated GPU, guests through the driver's table, shuffled
//! start, one random quantum for all, engine time by the device's clock in a window in which everybody works.
//!
//! `cargo bench -p gpup --bench fairness`. The model's own runs are `gpup schedule`.

use std::thread::sleep;
use std::time::Duration;

use clap::Parser;
use gpup::args::{Cli, Command, HostArgs};
use gpup::world::{Guest, Machine, Work, wait_started};
use gpup_core::sched::Priority;
use gpup_guest::{Spec, Workload};
use gpup_kmd::escape::Request;

/// Everybody works before it begins.
const WARM_UP: Duration = Duration::from_millis(500);
const WINDOW: Duration = Duration::from_secs(3);
const VF_BYTES: u64 = 16 << 20;

fn main() {
    // `cargo test` runs benches once to see that they build: nothing to measure then.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!(
        "{:<28} {:>8} {:>9} {:>20} {:>8} {:>10}",
        "guests", "quantum", "packets/s", "share, 1 = its part", "within", "Jain"
    );
    for (round, (name, work)) in [
        ("2 alike", vec![Workload::Matmul; 2]),
        ("4 alike", vec![Workload::Matmul; 4]),
        ("8 alike", vec![Workload::Matmul; 8]),
        (
            "4: 2 matmul, stencil, nbody",
            vec![Workload::Matmul, Workload::Stencil, Workload::Nbody, Workload::Matmul],
        ),
    ]
    .into_iter()
    .enumerate()
    {
        measure(name, &work, 0x9e37_79b9_7f4a_7c15 ^ round as u64);
    }
    println!("within: 1 % and what a request may shift in the engine time granted. IGT accepts 0.1.");
}

/// A host for so many VFs, made as the command line makes it.
fn host(vfs: usize) -> HostArgs {
    let (vfs, bytes) = (vfs.to_string(), VF_BYTES.to_string());
    let cli = Cli::parse_from(["gpup", "caps", "--vfs", &vfs, "--vf-size", &bytes]);
    match cli.command {
        Command::Caps(caps) => caps.host,
        _ => unreachable!("that is what was written"),
    }
}

/// A xorshift step.
fn draw(random: &mut u64, most: u64) -> u64 {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    *random % most
}

fn measure(name: &str, work: &[Workload], seed: u64) {
    let mut random = seed;
    let mut order: Vec<usize> = (0..work.len()).collect();
    for end in (1..order.len()).rev() {
        order.swap(end, draw(&mut random, end as u64 + 1) as usize);
    }
    let quantum_ms = 8 + draw(&mut random, 25) as u32;
    let machine = Machine::start(&host(work.len())).expect("a host");
    let boot = |vf: &usize| {
        let spec = Spec { seed: *vf as u64 + 1, ..Spec::new(work[*vf], VF_BYTES) };
        let guest = machine.boot(*vf as u32, &Work { spec, image: None }).expect("a guest");
        set_quantum(&guest, quantum_ms);
        guest
    };
    let guests: Vec<Guest> = order.iter().map(boot).collect();
    guests.iter().for_each(|guest| wait_started(guest).expect("the guest works"));
    sleep(WARM_UP);
    let (busy, packets) = (all(&guests, Guest::busy), all(&guests, packets));
    sleep(WINDOW);
    let grown = |before: Vec<u64>, after: Vec<u64>| -> Vec<f64> {
        before.into_iter().zip(after).map(|(before, after)| (after - before) as f64).collect()
    };
    let busy = grown(busy, all(&guests, Guest::busy));
    let packets: f64 = grown(packets, all(&guests, self::packets)).iter().sum();
    let (sum, squares) = busy.iter().fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x));
    let part = sum / busy.len() as f64;
    let (low, high) =
        busy.iter().fold((f64::MAX, 0.0_f64), |(low, high), x| (low.min(x / part), high.max(x / part)));
    // What a request may shift in so much engine time, and 1 %.
    let within = 0.01 + 2.0 * f64::from(quantum_ms) * 1e6 / part;
    println!(
        "{name:<28} {quantum_ms:>5} ms {:>9.0} {:>20} {:>8.3} {:>10.6}",
        packets / WINDOW.as_secs_f64(),
        format!("{low:.4} to {high:.4}"),
        within,
        sum * sum / (busy.len() as f64 * squares)
    );
    guests.into_iter().for_each(|guest| guest.destroy().expect("the guest goes"));
    machine.stop().expect("no rule was broken");
}

fn all(guests: &[Guest], of: impl Fn(&Guest) -> u64) -> Vec<u64> {
    guests.iter().map(of).collect()
}

/// Packets of the VF that ran so far.
fn packets(guest: &Guest) -> u64 {
    let mut block = Request::Counters { vf: guest.vgpu.index(), node: 0 }.encode();
    guest.vgpu.adapter().escape(&mut block).expect("the driver answers");
    gpup_kmd::escape::get_counters(&block).packets
}

fn set_quantum(guest: &Guest, quantum_ms: u32) {
    let quantum_us = quantum_ms * 1000;
    let mut block = Request::SetParameters {
        vf: guest.vgpu.index(),
        quantum_us,
        preempt_timeout_us: 2 * quantum_us,
        priority: Priority::Low,
    }
    .encode();
    guest.vgpu.adapter().escape(&mut block).expect("the driver takes it");
}
