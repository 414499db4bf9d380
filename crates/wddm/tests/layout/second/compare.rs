//! One comparison for every source.

use crate::check::{PACKED_WORDS, Problems};
use crate::declared::{Declared, Enum, Member};
use crate::facts::Facts;
use std::collections::{BTreeMap, BTreeSet};

/// What a source says, under the names of this crate.
pub(super) struct Source {
    pub(super) structs: BTreeMap<String, Struct>,
    pub(super) enums: BTreeMap<String, Enum>,
    pub(super) constants: BTreeMap<String, u64>,
    pub(super) guids: BTreeMap<String, String>,
    /// What differs or stands on one side only, and why that is right.
    pub(super) exceptions: Vec<(&'static str, &'static str)>,
}

/// A structure, a union or a word of bit-fields.
pub(super) struct Struct {
    pub(super) size: usize,
    pub(super) align: usize,
    pub(super) members: BTreeMap<String, Member>,
    /// Offset and size of words whose bit-fields the source does not name.
    pub(super) words: Vec<(usize, usize)>,
}

/// The subjects that a source confirms: names of structures (for size and alignment), `STRUCTURE.member`, names of
/// enumerations (for the size), enumerators, numbers and GUIDs.
#[derive(Default)]
pub(super) struct Agreed {
    pub(super) subjects: BTreeSet<String>,
    counts: BTreeMap<&'static str, usize>,
}

impl Agreed {
    fn check<T: PartialEq + std::fmt::Debug>(
        &mut self,
        problems: &mut Problems,
        kind: &'static str,
        subject: &str,
        (ours, theirs): (Option<T>, T),
    ) {
        match ours {
            None => problems.add(subject, "is not declared".into()),
            Some(ours) if ours == theirs => {
                self.subjects.insert(subject.to_owned());
                *self.counts.entry(kind).or_default() += 1;
            }
            Some(ours) => problems.add(subject, format!("{kind} is {ours:?} here and {theirs:?} there")),
        }
    }
}

impl std::fmt::Display for Agreed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counts: Vec<_> =
            self.counts.iter().map(|(kind, count)| format!("{count} times {kind}")).collect();
        write!(f, "equal are {}", counts.join(", "))
    }
}

/// Compares in both directions whatever the source has a name for.
pub(super) fn compare(declared: &Declared, facts: &Facts, source: &Source) -> (Agreed, Problems) {
    let mut agreed = Agreed::default();
    let mut found = Problems::default();
    for (name, theirs) in &source.structs {
        structure(declared, facts, name, theirs, &mut agreed, &mut found);
    }
    for (name, theirs) in &source.enums {
        let ours = declared.enums.get(name);
        agreed.check(&mut found, "the size of an enumeration", name, (ours.map(|it| it.size), theirs.size));
        let ours = ours.map(|it| it.values.clone()).unwrap_or_default();
        for (name, &value) in &theirs.values {
            agreed.check(&mut found, "an enumerator", name, (ours.get(name).copied(), value));
        }
        for name in ours.keys().filter(|name| !theirs.values.contains_key(*name)) {
            found.add(name, "is not known there".into());
        }
    }
    for (name, &value) in &source.constants {
        agreed.check(&mut found, "a number", name, (declared.constants.get(name).copied(), value));
    }
    for (name, value) in &source.guids {
        agreed.check(&mut found, "a GUID", name, (declared.guids.get(name), value));
    }
    found.except(&source.exceptions);
    (agreed, found)
}

fn structure(
    declared: &Declared,
    facts: &Facts,
    name: &str,
    theirs: &Struct,
    agreed: &mut Agreed,
    found: &mut Problems,
) {
    let of_bits = declared.bits.get(name).map(|bits| (bits.size, bits.align));
    let mut ours = declared.types.get(name).map(|t| (t.size, t.align)).or(of_bits);
    if let (Some((_, align)), true) = (&mut ours, PACKED_WORDS.contains(&name)) {
        *align = theirs.align;
    }
    agreed.check(found, "size and alignment", name, (ours, (theirs.size, theirs.align)));
    let known = |name: &str| facts.structs.contains_key(name);
    let ours: BTreeMap<_, _> = declared.members(name, &known, &mut Vec::new()).into_iter().collect();
    for (path, member) in &theirs.members {
        agreed.check(found, "a member", &format!("{name}.{path}"), (ours.get(path), member));
    }
    for word in &theirs.words {
        if !ours.values().any(|member| member.bits.is_some() && (member.offset, member.size) == *word) {
            found.add(name, format!("has no bit-fields at {word:?} (offset, size)"));
        }
    }
    for (path, member) in ours.iter().filter(|(path, _)| !theirs.members.contains_key(*path)) {
        if member.bits.is_none() || !theirs.words.contains(&(member.offset, member.size)) {
            found.add(&format!("{name}.{path}"), "is not known there".into());
        }
    }
}
