//! The migration's figures of the README: brownout rate and pause, beside a bare loopback socket in the same run.
//!
//! `cargo bench -p gpup --bench migrate`. Five runs each, medians; 512 MiB VF, one stream, incompressible data.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Instant;

use serde_json::Value;

const RUNS: usize = 5;
const SOCKET_BYTES: usize = 2 << 30;
const CHUNK: usize = 1 << 20;

fn main() {
    // `cargo test` runs benches once to see that they build: nothing to time then.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let socket = median((0..RUNS).map(|_| loopback()).collect());
    println!("bare loopback socket, 1 MiB writes: {:.2} GB/s\n", socket / 1e9);
    println!("{:<28} {:>14} {:>10} {:>12} {:>12}", "guest", "brownout", "of socket", "pause", "expected");
    for (name, workload) in [
        ("idle", &["--workload", "idle"][..]),
        ("20,000 pages/s dirtied", &["--workload", "writer", "--dirty-rate", "20000"]),
        ("100,000 pages/s dirtied", &["--workload", "writer", "--dirty-rate", "100000"]),
    ] {
        let runs: Vec<Value> = (0..RUNS).map(|_| migrate(workload)).collect();
        let of = |key: &str| median(runs.iter().map(|run| run[key].as_f64().expect("a number")).collect());
        let rate = of("brownout_bytes_per_second");
        println!(
            "{name:<28} {:>9.2} GB/s {:>9.0}% {:>9.1} ms {:>9.1} ms",
            rate / 1e9,
            rate / socket * 100.0,
            of("pause_seconds") * 1e3,
            of("estimated_pause_seconds") * 1e3
        );
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Bytes a second through a bare TCP connection over loopback.
fn loopback() -> f64 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let reader = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut buffer = vec![0; CHUNK];
        while stream.read(&mut buffer).expect("bytes") > 0 {}
    });
    let mut stream = TcpStream::connect(address).expect("a connection");
    let chunk = vec![0x5a; CHUNK];
    let begin = Instant::now();
    for _ in 0..SOCKET_BYTES / CHUNK {
        stream.write_all(&chunk).expect("bytes");
    }
    drop(stream);
    reader.join().expect("the reader");
    SOCKET_BYTES as f64 / begin.elapsed().as_secs_f64()
}

/// One migration; its report.
fn migrate(workload: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_gpup"))
        .args([
            "migrate",
            "--vfs",
            "1",
            "--vf",
            "0",
            "--vf-size",
            "512MiB",
            "--fill",
            "100",
            "--quiet",
            "--json",
            "-",
        ])
        .args(workload)
        .output()
        .expect("gpup");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("a report")
}
