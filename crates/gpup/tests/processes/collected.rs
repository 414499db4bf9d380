//! `gpup inspect` of what the driver collected of a hang.

use gpup_core::device::{Running, Whose};
use gpup_core::migration::Phase;
use gpup_core::vf::{Power, Standing};
use gpup_kmd::debug::{Header, Node, Vf};

use crate::harness::{Dir, run};

/// A report of two nodes, the first of which hangs in VF 3's packet, and of that VF.
fn report() -> Vec<u8> {
    let running = Some(Running { whose: Whose::Vf(3), since_ns: 2_500_000_000 });
    let nodes = [
        Node { node: 0, responsive: false, last_completed: 41, running },
        Node { node: 1, responsive: true, last_completed: 42, running: None },
    ];
    let standing =
        Standing { resourced: true, power: Power::On, paused: false, phase: Phase::SourcePrepared };
    let vf = Vf { vf: 3, standing, counters: Default::default() };
    let mut bytes = Header::new(0x141, 2, 1).encode().to_vec();
    nodes.iter().for_each(|node| bytes.extend(node.encode()));
    bytes.extend(vf.encode());
    bytes
}

#[test]
fn what_was_collected_is_told_and_what_is_cut_off_is_said() {
    let dir = Dir::new();
    let file = dir.file("hang.bin");
    let bytes = report();
    std::fs::write(&file, &bytes).unwrap();
    let shown = run(&["inspect", &file]).exits(0).out;
    for line in
        ["reason 0x141", "node 0: HANGS, last fence 41", "a packet of VF 3 for 2500000 us", "VF 3: executes"]
    {
        assert!(shown.contains(line), "no '{line}' in\n{shown}");
    }
    let json = run(&["inspect", &file, "--json", "-"]).exits(0).json();
    assert_eq!(
        (&json["nodes"][0]["running_vf"], &json["nodes"][0]["responsive"]),
        (&3.into(), &false.into())
    );
    assert_eq!((&json["vfs"][0]["vf"], &json["damage"]), (&3.into(), &serde_json::Value::Null));

    std::fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
    let shown = run(&["inspect", &file]).exits(1).complains(&["hang.bin", "2 of 2 nodes and 0 of 1 VFs"]);
    assert!(shown.out.contains("node 1: responsive"));
    let mut newer = bytes;
    newer[4] = 9;
    std::fs::write(&file, newer).unwrap();
    run(&["inspect", &file]).exits(1).complains(&["hang.bin", "another version"]);
}
