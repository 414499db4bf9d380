//! Reads what only Windows can run, so that tests can check it without Windows: scripts, runbook, INF.
//!
//! The scripts are parsed by tree-sitter's grammar of PowerShell. It takes less than PowerShell does (a bare list of
//! words with commas, for one, wants quotes), so that what it takes is PowerShell, and what it refuses may be.

pub mod syntax;

use std::path::{Path, PathBuf};

/// The repository's root.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("this crate lies in crates/").to_owned()
}

/// A file of the repository, whose lines end as on Linux.
///
/// # Panics
/// When it cannot be read.
pub fn read(path: &str) -> String {
    let path = root().join(path);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.replace("\r\n", "\n")
}

/// The scripts whose names end so, by name.
///
/// # Panics
/// When the folder cannot be read.
pub fn scripts(ends: &[&str]) -> Vec<String> {
    let folder = std::fs::read_dir(root().join("scripts/windows")).expect("the scripts");
    let names = folder.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
    let mut names: Vec<String> = names.filter(|name| ends.iter().any(|end| name.ends_with(end))).collect();
    names.sort();
    names
}

/// The text of a script.
pub fn script(name: &str) -> String {
    read(&format!("scripts/windows/{name}"))
}

/// What the grammar makes of PowerShell.
fn tree(source: &str) -> tree_sitter::Tree {
    let mut parser = tree_sitter::Parser::new();
    parser.set_language(&tree_sitter_powershell::LANGUAGE.into()).expect("the grammar fits the parser");
    parser.parse(source, None).expect("a tree")
}

/// The lines of PowerShell that the grammar does not take.
///
/// # Panics
/// When the grammar does not fit the parser.
pub fn refused(source: &str) -> Vec<String> {
    let tree = tree(source);
    let mut found = Vec::new();
    let mut nodes = vec![tree.root_node()];
    while let Some(node) = nodes.pop() {
        if node.is_error() || node.is_missing() {
            let line = node.start_position().row;
            found.push(format!("line {}: {}", line + 1, source.lines().nth(line).unwrap_or_default()));
        }
        let mut cursor = node.walk();
        nodes.extend(node.children(&mut cursor));
    }
    found
}

/// The rows of the Markdown table with this head, also of one in a Rust module's comment.
///
/// # Panics
/// When there is no such table.
pub fn rows(text: &str, head: &str) -> Vec<String> {
    let after = text.split_once(head).unwrap_or_else(|| panic!("no table {head}")).1;
    let lines = after.lines().skip(1).map(|line| line.trim_start_matches("//!").trim().to_owned());
    lines.take_while(|line| line.starts_with('|')).filter(|line| !line.starts_with("|---")).collect()
}

/// The first cell of a table's row.
pub fn first_cell(row: &str) -> &str {
    row.split('|').nth(1).unwrap_or_default().trim()
}
