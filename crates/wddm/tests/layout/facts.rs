//! The facts: `facts/wddm32_layout.json` and the two tables beside it.

use crate::declared::Member;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

const LAYOUT: &str = include_str!("../../facts/wddm32_layout.json");
const DRIVER_TABLE: &str = include_str!("../../facts/driver_initialization_data.csv");
const DXGKRNL_TABLE: &str = include_str!("../../facts/dxgkrnl_interface.csv");

pub(crate) struct Facts {
    pub(crate) structs: Map<String, Value>,
    pub(crate) enums: Map<String, Value>,
    pub(crate) constants: Map<String, Value>,
    pub(crate) constant_sources: Map<String, Value>,
    pub(crate) guids: Map<String, Value>,
    pub(crate) callbacks: Map<String, Value>,
}

/// A table of function pointers.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) size: usize,
    pub(crate) rows: Vec<Row>,
}

/// One member of such a table.
pub(crate) struct Row {
    pub(crate) offset: usize,
    pub(crate) member: String,
    pub(crate) type_name: String,
}

impl Facts {
    pub(crate) fn load() -> Self {
        Self::parse(LAYOUT)
    }

    /// Reads any file of this form.
    pub(crate) fn parse(text: &str) -> Self {
        let mut all: Value = serde_json::from_str(text).expect("the facts are JSON");
        let mut section = |name: &str| match all[name].take() {
            Value::Object(section) => section,
            other => panic!("{name} is {other}"),
        };
        Self {
            structs: section("structs"),
            enums: section("enums"),
            constants: section("constants"),
            constant_sources: section("constant_sources"),
            guids: section("guids"),
            callbacks: section("callbacks"),
        }
    }

    /// Second names of a structure, and the first.
    pub(crate) fn aliases(&self) -> impl Iterator<Item = (&str, &str)> {
        self.structs.iter().filter_map(|(name, fact)| Some((name.as_str(), fact.get("alias_of")?.as_str()?)))
    }

    /// The members of a structure.
    pub(crate) fn members(&self, name: &str) -> Vec<(String, Member)> {
        let fields = self.structs[name]["fields"].as_array().expect("fields");
        let member = |field: &Value| {
            let bits = field.get("bit").map(|bit| (number(bit) as u32, number(&field["width"]) as u32));
            let member = Member { offset: number(&field["offset"]), size: number(&field["size"]), bits };
            (field["name"].as_str().expect("a name").to_owned(), member)
        };
        fields.iter().map(member).collect()
    }

    /// What a fact rests on: `header`, `docs` or `inferred`.
    pub(crate) fn rests_on<'a>(&'a self, name: &str, fact: &'a Value) -> &'a str {
        let stated = fact.get("confidence").or_else(|| self.constant_sources.get(name)?.get("confidence"));
        stated.and_then(Value::as_str).unwrap_or("header")
    }

    /// How many facts of a section rest on what, in words.
    pub(crate) fn confidence(&self, section: &Map<String, Value>) -> String {
        let mut counts = BTreeMap::<&str, usize>::new();
        for (name, fact) in section {
            *counts.entry(self.rests_on(name, fact)).or_default() += 1;
        }
        let words: Vec<_> =
            counts.iter().map(|(confidence, count)| format!("{count} {confidence}")).collect();
        format!("{} ({})", section.len(), words.join(", "))
    }
}

pub(crate) fn number(value: &Value) -> usize {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number")) as usize
}

pub(crate) fn driver_initialization_data() -> Table {
    table("DRIVER_INITIALIZATION_DATA", 0x608, 193, DRIVER_TABLE, ["byte_offset", "member", "callback_type"])
}

pub(crate) fn dxgkrnl_interface() -> Table {
    table("DXGKRNL_INTERFACE", 0x240, 73, DXGKRNL_TABLE, ["byte_offset", "member", "type"])
}

/// Reads a table; no field that is asked for contains a comma, and quoted fields come after them.
fn table(name: &'static str, size: usize, entries: usize, text: &str, columns: [&str; 3]) -> Table {
    let mut lines = text.lines();
    let head: Vec<_> = lines.next().expect("a head line").split(',').collect();
    let place = columns.map(|column| head.iter().position(|&title| title == column).expect("the column"));
    let rows: Vec<_> = lines
        .map(|line| {
            let cells: Vec<_> = line.split(',').collect();
            let [offset, member, type_name] = place.map(|column| cells[column].to_owned());
            Row { offset: offset.parse().expect("an offset"), member, type_name }
        })
        .collect();
    assert_eq!(rows.len(), entries, "entries of {name}");
    Table { name, size, rows }
}
