//! What the crate declares, in a form that the checker's own tests can alter.

use std::collections::BTreeMap;

#[derive(Clone)]
pub(crate) struct Type {
    pub(crate) is_union: bool,
    pub(crate) size: usize,
    pub(crate) align: usize,
    pub(crate) fields: Vec<Field>,
}

#[derive(Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) offset: usize,
    pub(crate) size: usize,
    pub(crate) type_name: String,
}

pub(crate) struct Bits {
    pub(crate) size: usize,
    pub(crate) align: usize,
    pub(crate) words: Vec<String>,
    pub(crate) fields: Vec<Bit>,
}

pub(crate) struct Bit {
    pub(crate) name: String,
    pub(crate) bit: u32,
    pub(crate) width: u32,
    pub(crate) mask: u64,
}

pub(crate) struct Enum {
    pub(crate) size: usize,
    pub(crate) values: BTreeMap<String, i64>,
}

pub(crate) struct Callback {
    pub(crate) returns: usize,
    pub(crate) parameters: Vec<(String, usize)>,
}

#[derive(Default)]
pub(crate) struct Declared {
    pub(crate) types: BTreeMap<String, Type>,
    pub(crate) bits: BTreeMap<String, Bits>,
    pub(crate) enums: BTreeMap<String, Enum>,
    pub(crate) constants: BTreeMap<String, u64>,
    pub(crate) guids: BTreeMap<String, String>,
    pub(crate) callbacks: BTreeMap<String, Callback>,
}

/// One member of a structure as the facts list it: nested names dotted, offsets from the start of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) offset: usize,
    pub(crate) size: usize,
    pub(crate) bits: Option<(u32, u32)>,
}

fn unique<T>(map: &mut BTreeMap<String, T>, name: &str, value: T) {
    assert!(map.insert(name.to_owned(), value).is_none(), "{name} is declared twice");
}

impl Declared {
    pub(crate) fn from_crate() -> Self {
        let mut declared = Self::default();
        for module in wddm::layout::MODULES {
            for t in module.types {
                let fields = t.fields.iter().map(|f| Field {
                    name: f.name.to_owned(),
                    offset: f.offset,
                    size: f.size,
                    type_name: f.type_name.to_owned(),
                });
                let value =
                    Type { is_union: t.is_union, size: t.size, align: t.align, fields: fields.collect() };
                unique(&mut declared.types, t.name, value);
            }
            for b in module.bits {
                let fields = b.fields.iter().map(|f| Bit {
                    name: f.name.to_owned(),
                    bit: f.bit,
                    width: f.width,
                    mask: f.mask,
                });
                let words = b.words.iter().map(|&word| word.to_owned()).collect();
                unique(
                    &mut declared.bits,
                    b.name,
                    Bits { size: b.size, align: b.align, words, fields: fields.collect() },
                );
            }
            for e in module.enums {
                let values = e.values.iter().map(|&(name, value)| (name.to_owned(), value)).collect();
                unique(&mut declared.enums, e.name, Enum { size: e.size, values });
            }
            for c in module.constants {
                unique(&mut declared.constants, c.name, c.value);
            }
            for g in module.guids {
                unique(&mut declared.guids, g.name, g.value.to_string());
            }
            for c in module.callbacks {
                let parameters = c.parameters.iter().map(|&(name, size)| (name.to_owned(), size)).collect();
                unique(&mut declared.callbacks, c.name, Callback { returns: c.returns, parameters });
            }
        }
        declared
    }

    pub(crate) fn field(&mut self, owner: &str, name: &str) -> &mut Field {
        let owner = self.types.get_mut(owner).expect("a declared type");
        owner.fields.iter_mut().find(|field| field.name == name).expect("a declared field")
    }

    /// The members of a type, and in `reached` the nested types that it is made of. `known` tells which types have
    /// facts of their own and are not looked into.
    pub(crate) fn members(
        &self,
        name: &str,
        known: &dyn Fn(&str) -> bool,
        reached: &mut Vec<String>,
    ) -> Vec<(String, Member)> {
        let mut members = Vec::new();
        match (self.types.get(name), self.bits.get(name)) {
            (Some(_), _) => self.walk(name, "", 0, known, reached, &mut members),
            (None, Some(bits)) => bits.members("", 0, &mut members),
            (None, None) => {}
        }
        members
    }

    fn walk(
        &self,
        name: &str,
        prefix: &str,
        base: usize,
        known: &dyn Fn(&str) -> bool,
        reached: &mut Vec<String>,
        members: &mut Vec<(String, Member)>,
    ) {
        for field in &self.types[name].fields {
            let offset = base + field.offset;
            let whole = Member { offset, size: field.size, bits: None };
            let nested = field.type_name.as_str();
            let path = format!("{prefix}{}", field.name);
            if known(nested) || !(self.types.contains_key(nested) || self.bits.contains_key(nested)) {
                members.push((path, whole));
                continue;
            }
            reached.push(nested.to_owned());
            match self.bits.get(nested) {
                Some(bits) if field.name == "Bits" || bits.words.contains(&field.name) => {
                    bits.members(prefix, offset, members);
                }
                Some(bits) => {
                    members.push((path.clone(), whole));
                    bits.members(&format!("{path}."), offset, members);
                }
                None if is_anonymous(&field.name) => {
                    self.walk(nested, prefix, offset, known, reached, members)
                }
                None => {
                    members.push((path.clone(), whole));
                    self.walk(nested, &format!("{path}."), offset, known, reached, members);
                }
            }
        }
    }
}

impl Bits {
    fn members(&self, prefix: &str, offset: usize, members: &mut Vec<(String, Member)>) {
        for field in &self.fields {
            let bits = Some((field.bit, field.width));
            members.push((format!("{prefix}{}", field.name), Member { offset, size: self.size, bits }));
        }
        for word in &self.words {
            members.push((format!("{prefix}{word}"), Member { offset, size: self.size, bits: None }));
        }
    }
}

/// `u`, `u2`, ... and `s`, `s2`, ... stand for unions and structures that have no name in the header.
pub(crate) fn is_anonymous(field: &str) -> bool {
    let digits = field.strip_prefix(['u', 's']);
    digits.is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))
}
