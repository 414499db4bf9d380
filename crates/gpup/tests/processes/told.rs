//! Whoever finds a fault tells the other side, and a visitor that is gone leaves nothing behind.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use gpup::tcp::Tcp;
use live_migration::wire::frame::{HEADER_BYTES, Kind, MAGIC, VERSION};
use live_migration::wire::framed::Framed;
use live_migration::wire::message::Hello;
use live_migration::wire::vigil::{HostClock, Vigil};

use crate::harness::{Process, migrate, migrate_to, run, serve};
use crate::proxy::{Fate, Way, between};

#[test]
fn a_source_learns_that_a_record_came_damaged() {
    for kind in [Kind::Pages, Kind::IterationEnd, Kind::Mutable] {
        let (target, address) = serve("1", &[]);
        let mut done = false;
        let proxy = between(address, move |way, its_kind| {
            let flip =
                way == Way::ToTarget && its_kind == kind && !std::mem::replace(&mut done, its_kind == kind);
            if flip { Fate::Flip } else { Fate::Pass }
        });
        let source = run(&migrate_to(&proxy, &[])).exits(1);
        assert!(source.err.contains("damaged"), "{kind:?}: {}", source.err);
        assert_eq!(source.json()["result_identical"], true, "{kind:?}");
        target.ends().exits(0).complains(&["discarded", "damaged"]);
    }
}

#[test]
fn a_target_learns_that_a_record_came_damaged() {
    let (target, address) = serve("1", &[]);
    let proxy = between(address, |way, kind| {
        if (way, kind) == (Way::ToSource, Kind::IterationApplied) { Fate::Flip } else { Fate::Pass }
    });
    run(&migrate_to(&proxy, &[])).exits(1).complains(&["damaged"]);
    target.ends().exits(0).complains(&["discarded", "damaged"]);
}

/// A target of a newer release: its first words are of another version.
fn newer_target() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut header = [0; HEADER_BYTES];
            header[..4].copy_from_slice(&MAGIC);
            header[6..8].copy_from_slice(&(VERSION + 1).to_le_bytes());
            let _ = stream.read(&mut [0; HEADER_BYTES]);
            let _ = stream.write_all(&header);
        }
    });
    address
}

#[test]
fn another_version_is_a_refusal_that_names_both() {
    let versions = ["format version 3", "this is version 2"];
    let target = newer_target();
    run(&migrate(&["--check", "--to", &target])).exits(3).complains(&versions);
    let source = run(&migrate_to(&target, &[])).exits(3).complains(&versions);
    assert_eq!(source.json()["result_identical"], true);

    let (target, address) = serve("1", &[]);
    let mut stranger = TcpStream::connect(address).unwrap();
    let mut hello = [0; HEADER_BYTES];
    hello[..4].copy_from_slice(&MAGIC);
    hello[4] = Kind::Hello as u8;
    hello[6..8].copy_from_slice(&(VERSION + 1).to_le_bytes());
    stranger.write_all(&hello).unwrap();
    target.says("format version 3");
    let mut answer = Vec::new();
    let _ = stranger.read_to_end(&mut answer);
    assert_eq!(
        (answer[4], &answer[6..8]),
        (Kind::Abort as u8, &VERSION.to_le_bytes()[..]),
        "its own version"
    );
}

fn hello(vf_bytes: u64) -> Hello {
    Hello {
        migration: 0x1234,
        vf_bytes,
        page_bytes: 4096,
        streams: 1,
        prove: true,
        workload: "matmul".into(),
        note: Vec::new(),
    }
}

#[test]
fn a_visitor_that_hangs_up_frees_its_vf_at_once() {
    let (target, address) = serve("1", &["--vram", "64MiB"]);
    let tcp = Tcp::over(TcpStream::connect(address).unwrap()).unwrap();
    dxgksim::host::std_host::install();
    let vigil = Vigil::new(Arc::new(HostClock), Arc::new(AtomicBool::new(false)), 600);
    let mut control = Framed::new(Box::new(tcp), vigil);
    control.send_message(Kind::Hello, &hello(4 << 20)).unwrap();
    control.expect(Kind::Welcome).unwrap();
    drop(control);
    target.says("what came was discarded: the connection was closed");
    target.ends().exits(0);
}

#[test]
fn a_target_out_of_descriptors_says_so_to_whoever_comes_and_once_to_its_own() {
    let serve = ["serve", "--listen", "127.0.0.1:0", "--vfs", "2", "--vf-size", "4MiB"];
    let target = Process::start_by("ulimit -n 24; exec TOOL", &serve);
    let address = target.address();
    let idle: Vec<TcpStream> = (0..40).filter_map(|_| TcpStream::connect(&address).ok()).collect();
    target.says("no visitor can be let in");
    // One of them is told, when its turn comes.
    let told = |mut stream: &TcpStream| {
        stream.set_read_timeout(Some(std::time::Duration::from_millis(5))).unwrap();
        let mut answer = [0; 512];
        let bytes = stream.read(&mut answer).unwrap_or(0);
        String::from_utf8_lossy(&answer[..bytes]).contains("too few file descriptors")
    };
    while !idle.iter().any(told) {
        assert!(target.is_alive());
    }
    assert_eq!(target.err_so_far().matches("no visitor can be let in").count(), 1, "{}", target.err_so_far());
    drop(idle);
    run(&migrate_to(&address, &[])).exits(0);
}

#[test]
fn a_way_there_that_fails_has_its_own_code_and_the_shape_of_both_ways() {
    let source = Process::start(&migrate(&["--back", "--bandwidth", "500KB", "--json", "-"]));
    source.says("brownout");
    source.interrupt();
    let source = source.ends().exits(5);
    assert!(source.err.contains("gpup: on the way there: cancelled"), "{}", source.err);
    let report = source.json();
    assert_eq!((&report["there"]["verdict"], &report["back"]), (&"failed".into(), &serde_json::Value::Null));
}
