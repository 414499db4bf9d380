//! What the crate windows-sys has of the interface.

mod list;
mod text;

use super::compare::{Source, Struct};
use crate::check::Problems;
use crate::declared::{Declared, Enum, Member, is_anonymous};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::LazyLock;
use text::Text;

/// Names that windows-sys spells in another way, and ours.
const RENAMED: [(&str, &str); 5] = [
    ("GUID_DEVCLASS_COMPUTEACCELERATOR", "CLASS_COMPUTEACCELERATOR"),
    ("data1", "Data1"),
    ("data2", "Data2"),
    ("data3", "Data3"),
    ("data4", "Data4"),
];

const LATER: &str = "came after the header that windows-sys is generated from";
const MAXIMUM: &str = "was lower before that";
const PACKED: &str =
    "the header packs it to 4 bytes and splits the level into level and group; windows-sys knows neither";

const EXCEPTIONS: [(&str, &str); 10] = [
    ("CM_PARTIAL_RESOURCE_DESCRIPTOR", PACKED),
    ("CM_PARTIAL_RESOURCE_LIST", PACKED),
    ("CM_FULL_RESOURCE_DESCRIPTOR", PACKED),
    ("CM_RESOURCE_LIST", PACKED),
    ("D3DDDIFMT_FORCE_UINT", "only makes the enumeration 32 bits wide; windows-sys leaves it out"),
    ("D3DDDI_DRIVERESCAPETYPE_BUILDTESTCOMMANDBUFFER", LATER),
    ("D3DDDI_DRIVERESCAPETYPE_MAX", MAXIMUM),
    ("D3DKMDT_STANDARDALLOCATION_FENCESTORAGE", LATER),
    ("DXGK_ENGINE_TYPE_MAX", MAXIMUM),
    ("DXGK_ENGINE_TYPE_VIDEO_CODEC", LATER),
];

/// A structure as the list names it.
struct Listed {
    name: &'static str,
    size: usize,
    align: usize,
    /// Path, offset and size.
    fields: Vec<(String, usize, usize)>,
}

/// Everything in the list.
pub(super) fn source() -> Source {
    let structs = list::structs().into_iter().map(|listed| {
        let mut theirs =
            Struct { size: listed.size, align: listed.align, members: BTreeMap::new(), words: Vec::new() };
        for (path, offset, size) in listed.fields {
            match member(&path) {
                Some(path) => drop(theirs.members.insert(path, Member { offset, size, bits: None })),
                None if is_word(&path) => theirs.words.push((offset, size)),
                None => {}
            }
        }
        (listed.name.to_owned(), theirs)
    });
    let enums = list::enums().into_iter().map(|(name, size, values)| {
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        (name.to_owned(), Enum { size, values })
    });
    Source {
        structs: structs.collect(),
        enums: enums.collect(),
        constants: list::constants().into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        guids: list::guids().into_iter().map(|(name, value)| (ours(name), value.to_string())).collect(),
        exceptions: EXCEPTIONS.to_vec(),
    }
}

fn ours(name: &str) -> String {
    RENAMED.iter().find(|(theirs, _)| *theirs == name).map_or(name, |(_, ours)| ours).to_owned()
}

/// A path without what has no name in the header; nothing if that is all of it, or if it ends at a word of bit-fields.
fn member(path: &str) -> Option<String> {
    let named = |part: &&str| !part.starts_with("Anonymous") && !is_anonymous(part);
    let parts: Vec<_> = path.split('.').filter(named).map(ours).collect();
    (!parts.is_empty() && !is_word(path)).then(|| parts.join("."))
}

/// Whether a path ends at a word of bit-fields.
fn is_word(path: &str) -> bool {
    path.rsplit('.').next().is_some_and(|last| last.starts_with("_bitfield"))
}

/// What windows-sys has and the list does not, or not wholly: by the text of windows-sys.
pub(super) fn forgotten(declared: &Declared, source: &Source) -> Problems {
    static TEXT: LazyLock<Text> = LazyLock::new(Text::read);
    let (text, mut problems) = (&*TEXT, Problems::default());
    for name in declared.types.keys().chain(declared.bits.keys()).filter(|name| text.has_struct(name)) {
        let paths = text.paths(name);
        let words = paths.iter().filter(|path| is_word(path)).count();
        let members: BTreeSet<_> = paths.iter().filter_map(|path| member(path)).collect();
        let listed = source.structs.get(name);
        let listed = listed.map(|it| (it.members.keys().cloned().collect(), it.words.len()));
        unless_listed(&mut problems, name, listed, Some((members, words)));
    }
    for (name, ours) in &declared.enums {
        let of_type = text.constants.iter().filter(|(_, of)| *of == name).map(|(name, _)| name);
        let of_name = ours.values.keys().filter(|name| text.constants.contains_key(*name));
        let listed: BTreeSet<_> =
            source.enums.get(name).into_iter().flat_map(|it| it.values.keys()).collect();
        unless_listed(&mut problems, name, listed, of_type.chain(of_name).collect());
    }
    for name in declared.constants.keys().filter(|name| text.constants.contains_key(*name)) {
        unless_listed(&mut problems, name, source.constants.contains_key(name), true);
    }
    // By their values: windows-sys gives some of them other names.
    for (name, value) in declared.guids.iter().filter(|(_, value)| text.guids.contains(*value)) {
        unless_listed(&mut problems, name, source.guids.get(name), Some(value));
    }
    problems
}

fn unless_listed<T: PartialEq + Debug>(problems: &mut Problems, name: &str, listed: T, text: T) {
    if listed != text {
        problems.add(name, format!("windows-sys has {text:?}, the list {listed:?}"));
    }
}
