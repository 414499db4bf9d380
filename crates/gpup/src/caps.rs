//! `gpup caps`: what Dxgkrnl learns of the adapter when it starts.

use serde_json::{Value, json};
use wddm::DXGK_NODEMETADATA_FLAGS;

use crate::args::Caps;
use crate::exit::Failure;
use crate::json;
use crate::tell::say;
use crate::units::Bytes;
use crate::world::Machine;

/// Runs the command.
pub(crate) fn run(args: &Caps) -> Result<(), Failure> {
    let machine = Machine::start(&args.host)?;
    let caps = describe(&machine);
    json::set(&caps);
    if args.output.speaks() {
        print(&caps);
    }
    Ok(machine.stop()?)
}

fn describe(machine: &Machine) -> Value {
    let caps = machine.adapter().caps();
    let nodes: Vec<Value> = caps
        .nodes
        .iter()
        .enumerate()
        .map(|(index, node)| {
            json!({
                "node": index,
                "name": node.label(),
                "engine": format!("{:?}", node.engine),
                "gpu_mmu": node.gpu_mmu,
                "paging": index as u32 == caps.paging_node,
                "test_buffers": node.flags.contains(DXGK_NODEMETADATA_FLAGS::SupportBuildTestCommandBuffer),
            })
        })
        .collect();
    let segments: Vec<Value> = caps
        .segments
        .iter()
        .map(|segment| {
            json!({
                "segment": segment.id,
                "local": segment.is_local(),
                "bytes": segment.bytes,
                "dirty_page_bytes": segment.tracking_page,
            })
        })
        .collect();
    let features: Vec<String> =
        caps.features.iter().map(|it| format!("{} {}-{}", it.name, it.least, it.most)).collect();
    json!({
        "interface_version": format!("{:#x}", caps.interface_version),
        "wddm": format!("{:?}", caps.wddm),
        "compute_only": caps.compute_only,
        "per_engine_tdr": caps.per_engine_tdr,
        "compute_preemption": format!("{:?}", caps.preemption),
        "nodes": nodes,
        "segments": segments,
        "gpu_va_bits": caps.mmu.address_bits,
        "page_table_levels": caps.mmu.levels.len(),
        "page_table_updates": format!("{:?}", caps.mmu.update_mode),
        "partition_counts": caps.partition_options,
        "interfaces": caps.interfaces,
        "features": features,
        "live_migration": caps.live_migration(),
        "dirty_tracking": caps.tracking,
        "dirty_tracking_performant": caps.tracking_performant,
        "scatter_page_bytes": caps.scatter_page,
    })
}

fn print(caps: &Value) {
    let Value::Object(caps) = caps else { return };
    for (name, value) in caps {
        match value {
            Value::Array(items) if items.iter().all(Value::is_object) => {
                say!("{name}:");
                items.iter().for_each(|item| say!("    {}", line(item)));
            }
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(|item| text("", item)).collect();
                say!("{name}: {}", items.join(", "));
            }
            value => say!("{name}: {}", text(name, value)),
        }
    }
}

fn line(item: &Value) -> String {
    let Value::Object(fields) = item else { return String::new() };
    fields.iter().map(|(name, value)| format!("{name} {}", text(name, value))).collect::<Vec<_>>().join(", ")
}

fn text(name: &str, value: &Value) -> String {
    match (value, value.as_u64()) {
        (_, Some(bytes)) if name.ends_with("bytes") => Bytes(bytes).to_string(),
        (Value::String(text), _) => text.clone(),
        (Value::Bool(flag), _) => if *flag { "yes" } else { "no" }.into(),
        (Value::Null, _) => "none".into(),
        (value, _) => value.to_string(),
    }
}
