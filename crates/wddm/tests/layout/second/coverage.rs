//! What rests on one source alone: all that neither windows-sys nor libdxg confirms. `facts/one_source.txt` lists it,
//! a table in `facts/README.md` counts it; both must say what is true today.

use super::{compare, libdxg, windows_sys};
use crate::declared::Declared;
use crate::facts::Facts;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

const LIST: &str = include_str!("../../../facts/one_source.txt");
const README: &str = include_str!("../../../facts/README.md");

const HEAD: &str = "\
# What no second source confirms. A name alone is one of which nothing is confirmed; behind a colon stands what is not.
# tests/layout/second/coverage.rs writes this file and compares it.
";

/// Beginnings of names that the README says to rest on one source alone.
const ALONE: [&str; 8] = [
    "DXGKARG_",
    "DXGKARGCB_",
    "DXGKDDI_",
    "DXGK_BUILDPAGINGBUFFER_",
    "DXGK_GPUP",
    "DXGK_SEGMENTDESCRIPTOR",
    "DRIVER_INITIALIZATION_DATA",
    "DXGKRNL_INTERFACE",
];

/// The parts of each name that nothing confirms; all of them, if `alone`.
struct Unconfirmed {
    parts: Vec<String>,
    alone: bool,
}

struct Coverage {
    /// What there is, by kind and name.
    kinds: [(&'static str, BTreeMap<String, Unconfirmed>); 4],
}

impl Coverage {
    fn new() -> Self {
        let (declared, facts) = (Declared::from_crate(), Facts::load());
        let confirmed: BTreeSet<String> = [windows_sys::source(), libdxg::source()]
            .iter()
            .flat_map(|source| compare::compare(&declared, &facts, source).0.subjects)
            .collect();
        // `whole` is the subject of the thing itself, `prefix` stands before those of its parts.
        let unconfirmed = |whole: &str, prefix: &str, parts: Vec<String>| {
            let own = Some("size".to_owned()).filter(|_| !parts.is_empty() && !confirmed.contains(whole));
            let count = parts.len();
            let open = parts.into_iter().filter(|part| !confirmed.contains(&format!("{prefix}{part}")));
            let open: Vec<_> = own.into_iter().chain(open).collect();
            let alone = if count == 0 { !confirmed.contains(whole) } else { open.len() == count + 1 };
            (whole.to_owned(), Unconfirmed { parts: open, alone })
        };
        let known = |name: &str| facts.structs.contains_key(name);
        let aliases: BTreeSet<_> = facts.aliases().map(|(name, _)| name).collect();
        let structs = facts.structs.keys().filter(|name| !aliases.contains(name.as_str()));
        let structs = structs.map(|name| {
            let members = declared.members(name, &known, &mut Vec::new());
            unconfirmed(name, &format!("{name}."), members.into_iter().map(|(path, _)| path).collect())
        });
        let enums = declared
            .enums
            .iter()
            .map(|(name, it)| unconfirmed(name, "", it.values.keys().cloned().collect()));
        let alone = |name: &String| unconfirmed(name, "", Vec::new());
        Self {
            kinds: [
                ("structures", structs.collect()),
                ("enumerations", enums.collect()),
                ("numbers", declared.constants.keys().map(alone).collect()),
                ("GUIDs", declared.guids.keys().map(alone).collect()),
            ],
        }
    }

    /// The text of `facts/one_source.txt`.
    fn list(&self) -> String {
        let mut text = HEAD.to_owned();
        for (kind, names) in &self.kinds {
            write!(text, "\n[{kind}]\n").expect("a string");
            for (name, unconfirmed) in names {
                match (unconfirmed.alone, &unconfirmed.parts[..]) {
                    (true, _) => writeln!(text, "{name}").expect("a string"),
                    (false, []) => {}
                    (false, parts) => writeln!(text, "{name}: {}", outermost(parts)).expect("a string"),
                }
            }
        }
        text
    }

    /// The rows of the table in `facts/README.md`: kind, all, confirmed, confirmed in part, one source alone.
    fn rows(&self) -> String {
        let row = |(kind, names): &(&str, BTreeMap<String, Unconfirmed>)| {
            let alone = names.values().filter(|it| it.alone).count();
            let whole = names.values().filter(|it| !it.alone && it.parts.is_empty()).count();
            let all = names.len();
            format!("| {kind} | {all} | {whole} | {} | {alone} |\n", all - whole - alone)
        };
        self.kinds.iter().map(row).collect()
    }
}

/// The parts without those below another of them.
fn outermost(parts: &[String]) -> String {
    let below = |part: &str, outer: &str| part.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'));
    let outermost = parts.iter().filter(|part| !parts.iter().any(|outer| below(part, outer)));
    outermost.map(String::as_str).collect::<Vec<_>>().join(", ")
}

#[test]
fn the_list_and_the_table_of_what_rests_on_one_source_are_up_to_date() {
    let coverage = Coverage::new();
    let list = coverage.list();
    if !list.lines().eq(LIST.lines()) {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("one_source.txt");
        std::fs::write(&path, list).expect("the list");
        panic!("facts/one_source.txt is out of date: see what changed, then copy {} over it", path.display());
    }
    assert!(
        README.replace('\r', "").contains(&coverage.rows()),
        "facts/README.md should say:\n{}",
        coverage.rows()
    );
}

#[test]
fn the_families_that_the_readme_names_rest_on_one_source() {
    let coverage = Coverage::new();
    let (_, structs) = &coverage.kinds[0];
    for family in ALONE {
        assert!(README.contains(&format!("`{family}")), "facts/README.md does not name {family}");
        let mut members = structs.iter().filter(|(name, _)| name.starts_with(family)).peekable();
        assert!(members.peek().is_some(), "{family} is empty");
        let confirmed: Vec<_> = members.filter(|(_, it)| !it.alone).map(|(name, _)| name).collect();
        assert!(confirmed.is_empty(), "facts/README.md says that these rest on one source: {confirmed:?}");
    }
}

#[test]
fn nothing_that_is_confirmed_is_called_inferred() {
    let (facts, coverage) = (Facts::load(), Coverage::new());
    let sections = [&facts.structs, &facts.enums, &facts.constants, &facts.guids];
    for (section, (_, names)) in sections.into_iter().zip(&coverage.kinds) {
        for (name, _) in section.iter().filter(|(name, fact)| facts.rests_on(name, fact) == "inferred") {
            let unconfirmed = &names[name];
            assert!(
                unconfirmed.alone || !unconfirmed.parts.is_empty(),
                "{name} is inferred, but was confirmed"
            );
        }
    }
}
