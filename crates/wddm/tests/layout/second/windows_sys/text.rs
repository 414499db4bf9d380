//! The text of windows-sys: what it has at all, features or not. It is generated, so one form of each item suffices.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(Default)]
pub(super) struct Text {
    /// Fields with their types.
    structs: BTreeMap<String, Vec<(String, String)>>,
    /// Numbers with their types.
    pub(super) constants: BTreeMap<String, String>,
    /// GUIDs in the usual notation.
    pub(super) guids: BTreeSet<String>,
}

impl Text {
    pub(super) fn read() -> Self {
        let mut text = Self::default();
        let mut folders = vec![sources()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("the sources of windows-sys") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    text.add(&std::fs::read_to_string(&path).expect("a source"));
                }
            }
        }
        // In a text of another form nothing would be found.
        let found = [text.structs.len(), text.constants.len(), text.guids.len()];
        assert!(found.iter().zip([10_000, 50_000, 1_000]).all(|(found, least)| *found > least), "{found:?}");
        text
    }

    fn add(&mut self, text: &str) {
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let Some(item) = line.strip_prefix("pub ") else { continue };
            let opened = item.strip_prefix("struct ").or_else(|| item.strip_prefix("union "));
            if let Some(name) = opened.and_then(|item| item.strip_suffix(" {")) {
                let body = lines.by_ref().take_while(|line| *line != "}");
                let fields = body
                    .filter_map(|line| line.strip_prefix("    pub ")?.strip_suffix(',')?.split_once(": "));
                let fields =
                    fields.map(|(name, type_name)| (name.to_owned(), type_name.to_owned())).collect();
                self.structs.insert(name.to_owned(), fields);
            } else if let Some((name, rest)) =
                item.strip_prefix("const ").and_then(|item| item.split_once(": "))
            {
                let Some((type_name, value)) = rest.split_once(" = ") else { continue };
                self.constants.insert(name.to_owned(), type_name.to_owned());
                let guid =
                    value.split_once("GUID::from_u128(0x").and_then(|(_, digits)| digits.strip_suffix(");"));
                self.guids.extend(guid.map(|digits| digits.replace('_', "-").to_uppercase()));
            }
        }
    }

    pub(super) fn has_struct(&self, name: &str) -> bool {
        self.structs.contains_key(name)
    }

    /// The paths of all fields, also those of the nested types, which are called after the outer one: `NAME_0_1`.
    pub(super) fn paths(&self, name: &str) -> Vec<String> {
        let mut paths = Vec::new();
        self.walk(name, name, "", &mut paths);
        paths
    }

    fn walk(&self, root: &str, name: &str, prefix: &str, paths: &mut Vec<String>) {
        for (field, type_name) in &self.structs[name] {
            let path = format!("{prefix}{field}");
            let number = type_name.strip_prefix(root).and_then(|rest| rest.strip_prefix('_'));
            if number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')) {
                self.walk(root, type_name, &format!("{path}."), paths);
            }
            paths.push(path);
        }
    }
}

/// Where cargo keeps the version that this test is built with.
fn sources() -> PathBuf {
    let version = cargo(&["-vV"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("cargo names the host");
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let arguments = ["metadata", "--format-version=1", "--locked", "--filter-platform", host];
    let all = cargo(&[&arguments[..], &["--manifest-path", manifest]].concat());
    let all: Value = serde_json::from_str(&all).expect("JSON");
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let nodes = list(&all["resolve"]["nodes"]);
    let this = nodes.iter().find(|node| node["id"] == all["resolve"]["root"]).expect("this crate");
    let needed = list(&this["dependencies"]);
    let packages = list(&all["packages"]);
    let package = packages.iter().find(|it| it["name"] == "windows-sys" && needed.contains(&it["id"]));
    let manifest = package.expect("windows-sys is a dependency")["manifest_path"].as_str().expect("a path");
    Path::new(manifest).with_file_name("src")
}

fn cargo(arguments: &[&str]) -> String {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let output = Command::new(program).args(arguments).output().expect("cargo runs");
    assert!(output.status.success(), "cargo: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}
