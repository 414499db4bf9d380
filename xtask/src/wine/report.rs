//! What the reports must say.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Names of a report's fields, those within others with a dot.
pub(super) type Fields = BTreeSet<String>;

pub(super) fn read(path: &Path) -> Result<Value> {
    let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is no JSON", path.display()))
}

/// The fields of a report that must prove everything identical.
pub(super) fn identical(path: &Path) -> Result<Fields> {
    let report = read(path)?;
    ensure!(report["verdict"] == "identical", "the verdict is {}", report["verdict"]);
    ensure!(report["result_identical"] == true, "the guest's result was not proved");
    ensure!(report["error"].is_null(), "the report has an error: {}", report["error"]);
    let (compared, different) = (report["pages_compared"].as_u64(), report["pages_different"].as_u64());
    let pages = report["vf_bytes"].as_u64().unwrap_or_default() / 4096;
    ensure!(pages > 0 && compared == Some(pages), "{compared:?} of {pages} pages were compared");
    ensure!(different == Some(0), "{different:?} pages differ");
    Ok(fields(&report))
}

/// The report of a migration that lost pages must say so.
pub(super) fn different(path: &Path) -> Result<()> {
    let report = read(path)?;
    let different = report["pages_different"].as_u64().unwrap_or_default();
    ensure!(
        report["verdict"] == "different" && different > 0,
        "without the dirty tracker the verdict is {} with {different} different pages",
        report["verdict"]
    );
    println!("wine: verdict different, {different} pages: as it must be");
    Ok(())
}

/// The fields of a migration's report on the host, which goes to `path`.
pub(super) fn of_host(path: &Path) -> Result<Fields> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["run", "--quiet", "--locked", "-p", "gpup", "--", "migrate", "--quiet", "--vfs", "2"]);
    cargo.args(["--vf-size", "16MiB", "--warm-up", "200ms", "--cool-down", "100ms", "--json"]).arg(path);
    crate::command::run(cargo.current_dir(crate::cross::root()).stdin(Stdio::null()))?;
    identical(path)
}

fn fields(report: &Value) -> Fields {
    let mut found = Fields::new();
    collect(report, "", &mut found);
    found
}

fn collect(value: &Value, path: &str, found: &mut Fields) {
    match value {
        Value::Object(members) => {
            // Which functions were called is judged elsewhere, and the host has an interrupt line.
            for (name, value) in members.iter().filter(|_| path != "calls") {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect(value, &path, found);
                found.insert(path);
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, path, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_at_every_depth() {
        let report = serde_json::json!({ "a": 1, "b": [{ "c": 2 }, { "d": null }], "e": { "f": [] } });
        let expected = ["a", "b", "b.c", "b.d", "e", "e.f"].map(String::from);
        assert_eq!(fields(&report), Fields::from(expected));
    }
}
