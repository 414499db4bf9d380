//! What DxgkDdiCollectDbgInfo left, told in lines: see [`gpup_kmd::debug`].

use gpup_core::device::{Running, Whose};
use gpup_kmd::debug::{Node, Report, Vf};
use serde_json::{Value, json};

use crate::tell::say;

/// Most bytes that are read: the largest report there is, and more.
pub(super) const MOST_BYTES: u64 = 1 << 20;

/// Says what is in it.
pub(super) fn print(report: &Report) {
    say!("{}", report.header);
    report.nodes.iter().for_each(|node| say!("    {node}"));
    report.vfs.iter().for_each(|vf| say!("    {vf}"));
}

/// What is missing, if something is.
pub(super) fn damage(report: &Report) -> Option<String> {
    let (nodes, vfs) = (report.nodes.len(), report.vfs.len());
    let whole = (nodes, vfs) == (report.header.nodes as usize, report.header.vfs as usize);
    (!whole).then(|| {
        let said = &report.header;
        format!("cut off: {nodes} of {} nodes and {vfs} of {} VFs are there", said.nodes, said.vfs)
    })
}

/// The same for programs.
pub(super) fn json(report: &Report) -> Value {
    let [major, minor, patch] = report.header.driver;
    json!({
        "reason": report.header.reason,
        "driver": format!("{major}.{minor}.{patch}"),
        "nodes": report.nodes.iter().map(node).collect::<Vec<_>>(),
        "vfs": report.vfs.iter().map(vf).collect::<Vec<_>>(),
        "damage": damage(report),
    })
}

fn node(node: &Node) -> Value {
    let (fence, vf) = match node.running.map(|running| running.whose) {
        Some(Whose::Host(fence)) => (Some(fence), None),
        Some(Whose::Vf(vf)) => (None, Some(vf)),
        None => (None, None),
    };
    json!({
        "node": node.node,
        "responsive": node.responsive,
        "last_completed_fence": node.last_completed,
        "running_fence": fence,
        "running_vf": vf,
        "running_ns": node.running.map(|Running { since_ns, .. }| since_ns),
    })
}

fn vf(vf: &Vf) -> Value {
    let counters = |it: &gpup_core::sched::Counters| {
        json!({
            "busy_ns": it.busy,
            "packets": it.packets,
            "worst_wait_ns": it.worst_wait,
            "preemptions": it.preemptions,
            "resets": it.resets,
        })
    };
    json!({
        "vf": vf.vf,
        "executes": vf.standing.executes(),
        "paused": vf.standing.paused,
        "phase": vf.standing.phase.name(),
        "nodes": vf.counters.iter().map(counters).collect::<Vec<_>>(),
    })
}
