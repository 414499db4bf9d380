//! The comparisons. Each goes in both directions: what is declared must be known, what is known must be declared.

use crate::declared::{Declared, Member};
use crate::facts::{Facts, Table, number};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Words of bit-fields of the header's byte-packed group. The facts give them an alignment of 1; in Rust they keep
/// their word's, which matters nowhere, since the structures that hold them are checked themselves.
pub(crate) const PACKED_WORDS: [&str; 3] =
    ["DXGK_NODEMETADATA_FLAGS", "DXGK_FAULT_ERROR_CODE", "DXGK_GPUCLOCKDATA_FLAGS"];

/// Callbacks whose signature nobody has published: their slots hold a [`wddm::UnknownCallback`].
const NO_SIGNATURE: [&str; 1] = ["DXGKCB_UNBLOCKUEFIFRAMEBUFFERRANGES"];

/// What is wrong, by the name of what it is wrong with.
#[derive(Default, Debug)]
pub(crate) struct Problems(Vec<(String, String)>);

impl Problems {
    pub(crate) fn add(&mut self, subject: &str, problem: String) {
        self.0.push((subject.to_owned(), problem));
    }

    fn unless_equal<T: PartialEq + std::fmt::Debug>(
        &mut self,
        subject: &str,
        what: &str,
        declared: T,
        fact: T,
    ) {
        if declared != fact {
            self.add(subject, format!("{what} is declared as {declared:?}, the facts say {fact:?}"));
        }
    }

    /// Takes away what is known of, by its subject, which covers what is below it; and adds what is known of but was
    /// not found.
    pub(crate) fn except(&mut self, known: &[(&str, &str)]) {
        for (subject, reason) in known {
            let before = self.0.len();
            let below = |found: &str| found.strip_prefix(subject).is_some_and(|rest| rest.starts_with('.'));
            self.0.retain(|(found, _)| found != subject && !below(found));
            if self.0.len() == before {
                self.add(subject, format!("is an exception ({reason}), but nothing is wrong with it"));
            }
        }
    }

    /// Fails if there are any.
    pub(crate) fn none(&self) {
        let list: Vec<_> = self.0.iter().map(|(subject, problem)| format!("{subject}: {problem}")).collect();
        assert!(list.is_empty(), "{} problems:\n{}", list.len(), list.join("\n"));
    }

    /// Fails unless there are some of this subject, and only such or what `also` names.
    pub(crate) fn only(&self, expected: &str, also: &[&str]) {
        assert!(self.0.iter().any(|(subject, _)| subject == expected), "not noticed: {expected}\n{self:?}");
        let others =
            self.0.iter().filter(|(subject, _)| subject != expected && !also.contains(&subject.as_str()));
        assert_eq!(others.count(), 0, "more than {expected}: {self:?}");
    }

    fn same_names<'a>(
        &mut self,
        declared: impl Iterator<Item = &'a String>,
        facts: impl Iterator<Item = &'a String>,
    ) -> Vec<&'a String> {
        let declared: BTreeSet<_> = declared.collect();
        let facts: BTreeSet<_> = facts.collect();
        for name in declared.difference(&facts) {
            self.add(name, "is declared, but the facts do not know it".into());
        }
        for name in facts.difference(&declared) {
            self.add(name, "is not declared".into());
        }
        declared.intersection(&facts).copied().collect()
    }
}

/// Structures, unions and words of bit-fields.
pub(crate) fn types(declared: &Declared, facts: &Facts, problems: &mut Problems) {
    let known = |name: &str| facts.structs.contains_key(name);
    let aliases: BTreeMap<_, _> = facts.aliases().collect();
    let mut reached = Vec::new();
    for (name, fact) in &facts.structs {
        if let Some(&first) = aliases.get(name.as_str()) {
            problems.unless_equal(
                name,
                "the second name's layout",
                facts.members(name),
                facts.members(first),
            );
            continue;
        }
        let (size, align) = match (declared.types.get(name), declared.bits.get(name)) {
            (Some(t), None) => (t.size, t.align),
            (None, Some(bits)) => (bits.size, bits.align),
            (None, None) => {
                problems.add(name, "is not declared".into());
                continue;
            }
            (Some(_), Some(_)) => panic!("{name} is declared twice"),
        };
        problems.unless_equal(name, "the size", size, number(&fact["size"]));
        if !PACKED_WORDS.contains(&name.as_str()) {
            problems.unless_equal(name, "the alignment", align, number(&fact["align"]));
        }
        members(name, declared.members(name, &known, &mut reached), facts.members(name), problems);
    }
    for name in declared.types.keys().chain(declared.bits.keys()) {
        if !known(name) && !reached.contains(name) {
            problems.add(name, "is declared, but the facts do not know it".into());
        }
    }
    for (name, bits) in &declared.bits {
        for field in &bits.fields {
            let ones = u64::MAX >> (u64::BITS - field.width);
            if field.mask != ones << field.bit {
                problems.add(&format!("{name}.{}", field.name), "the accessor reaches other bits".into());
            }
        }
    }
    for (name, t) in &declared.types {
        if t.is_union && t.fields.iter().any(|field| field.offset != 0) {
            problems.add(name, "is a union whose fields do not start together".into());
        }
    }
}

/// The members of one structure.
fn members(
    name: &str,
    declared: Vec<(String, Member)>,
    facts: Vec<(String, Member)>,
    problems: &mut Problems,
) {
    let count = (declared.len(), facts.len());
    let declared: BTreeMap<_, _> = declared.into_iter().collect();
    let facts: BTreeMap<_, _> = facts.into_iter().collect();
    assert_eq!((declared.len(), facts.len()), count, "{name} has two members of one name");
    for (path, fact) in &facts {
        let subject = format!("{name}.{path}");
        match declared.get(path) {
            Some(member) => problems.unless_equal(&subject, "it", member, fact),
            None => problems.add(&subject, "is not declared".into()),
        }
    }
    for path in declared.keys().filter(|path| !facts.contains_key(*path)) {
        problems.add(&format!("{name}.{path}"), "is declared, but the facts do not know it".into());
    }
}

/// Enumerations with all their enumerators.
pub(crate) fn enums(declared: &Declared, facts: &Facts, problems: &mut Problems) {
    for name in problems.same_names(declared.enums.keys(), facts.enums.keys()) {
        let (declared, fact) = (&declared.enums[name], &facts.enums[name]);
        problems.unless_equal(name, "the size", declared.size, number(&fact["size"]));
        let values = fact["values"].as_object().expect("values").iter();
        let values = values.map(|(name, value)| (name.clone(), value.as_i64().expect("a value"))).collect();
        problems.unless_equal(name, "the list of enumerators", &declared.values, &values);
    }
}

/// Numbers, status codes among them.
pub(crate) fn constants(declared: &Declared, facts: &Facts, problems: &mut Problems) {
    for name in problems.same_names(declared.constants.keys(), facts.constants.keys()) {
        let fact = facts.constants[name].as_u64().expect("a number");
        problems.unless_equal(name, "the value", declared.constants[name], fact);
    }
}

/// GUIDs.
pub(crate) fn guids(declared: &Declared, facts: &Facts, problems: &mut Problems) {
    for name in problems.same_names(declared.guids.keys(), facts.guids.keys()) {
        let fact = facts.guids[name].as_str().expect("a GUID");
        problems.unless_equal(name, "the value", declared.guids[name].as_str(), fact);
    }
}

/// Signatures: what is returned, and name and size of each parameter.
pub(crate) fn callbacks(declared: &Declared, facts: &Facts, problems: &mut Problems) {
    let with_signature = facts.callbacks.keys().filter(|name| !NO_SIGNATURE.contains(&name.as_str()));
    for name in problems.same_names(declared.callbacks.keys(), with_signature) {
        let (declared, fact) = (&declared.callbacks[name], &facts.callbacks[name]);
        problems.unless_equal(
            name,
            "the result's size",
            declared.returns,
            c_size(declared_type(&fact["ret"]), facts),
        );
        let parameters = fact["params"].as_array().expect("parameters");
        let parameters: Vec<_> = parameters.iter().map(|p| parameter(declared_type(p), facts)).collect();
        problems.unless_equal(name, "the list of parameters", &declared.parameters, &parameters);
    }
}

fn declared_type(value: &Value) -> &str {
    value.as_str().expect("a C declaration")
}

/// Name and size of a C parameter.
fn parameter(text: &str, facts: &Facts) -> (String, usize) {
    match text.rsplit_once(' ') {
        Some((_, name)) if name.starts_with('*') => (name.trim_start_matches('*').to_owned(), 8),
        Some((type_name, name)) => (name.to_owned(), c_size(type_name, facts)),
        None => ("arg".to_owned(), c_size(text, facts)),
    }
}

/// The size of a C type on x64.
fn c_size(type_name: &str, facts: &Facts) -> usize {
    match type_name.trim_start_matches("const ") {
        "VOID" => 0,
        "UCHAR" | "BOOLEAN" => 1,
        "USHORT" | "UINT16" => 2,
        "UINT" | "ULONG" | "UINT32" | "NTSTATUS" | "D3DKMT_HANDLE" => 4,
        "HANDLE" | "PVOID" | "SIZE_T" | "ULONGLONG" | "PHYSICAL_ADDRESS" | "D3DGPU_VIRTUAL_ADDRESS" => 8,
        name if facts.enums.contains_key(name) => 4,
        name if facts.structs.contains_key(name) => number(&facts.structs[name]["size"]),
        pointer if pointer.starts_with('P') => 8,
        other => panic!("size of {other}?"),
    }
}

/// A table of callbacks: every member at its offset, and of its callback's type.
pub(crate) fn function_table(declared: &Declared, facts: &Facts, table: &Table, problems: &mut Problems) {
    let t = &declared.types[table.name];
    problems.unless_equal(table.name, "the size", t.size, table.size);
    problems.unless_equal(table.name, "the number of members", t.fields.len(), table.rows.len());
    for (field, row) in t.fields.iter().zip(&table.rows) {
        let subject = format!("{}.{}", table.name, row.member);
        problems.unless_equal(&subject, "the name", &field.name, &row.member);
        problems.unless_equal(&subject, "the offset", field.offset, row.offset);
        let callback = row.type_name.strip_prefix('P').filter(|name| name.starts_with("DXGKDDI"));
        let callback = callback.unwrap_or(&row.type_name);
        let expected = match row.type_name.as_str() {
            "ULONG" => "u32".to_owned(),
            "HANDLE" | "PVOID" => row.type_name.clone(),
            _ if facts.callbacks.contains_key(callback) && !NO_SIGNATURE.contains(&callback) => {
                format!("P{callback}")
            }
            _ => "Option<UnknownCallback>".to_owned(),
        };
        problems.unless_equal(&subject, "the type", &field.type_name, &expected);
    }
}
