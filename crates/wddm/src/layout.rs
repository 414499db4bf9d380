//! What this crate declares, as data: the layout test compares it with the facts in `facts/`.
//!
//! The declaring macros write these tables, so a type cannot be declared without appearing here.

use crate::base::GUID;

/// One module's declarations.
#[derive(Debug)]
pub struct Module {
    /// Name of the module.
    pub name: &'static str,
    /// Structures and unions.
    pub types: &'static [TypeLayout],
    /// Groups of bit-fields.
    pub bits: &'static [BitsLayout],
    /// Enumerations.
    pub enums: &'static [EnumLayout],
    /// Numbers.
    pub constants: &'static [ConstantValue],
    /// GUIDs.
    pub guids: &'static [GuidValue],
    /// Function types.
    pub callbacks: &'static [CallbackLayout],
}

/// A structure or a union.
#[derive(Debug)]
pub struct TypeLayout {
    /// The header's name; for a nested type, the outer name and the member's, in capitals.
    pub name: &'static str,
    /// Whether the fields lie on top of one another.
    pub is_union: bool,
    /// Size in bytes.
    pub size: usize,
    /// Alignment in bytes.
    pub align: usize,
    /// The fields in their order.
    pub fields: &'static [FieldLayout],
}

/// A field of a structure or a union.
#[derive(Debug)]
pub struct FieldLayout {
    /// The header's name; `u`, `u2`, ... is an anonymous union, `s`, `s2`, ... an anonymous structure.
    pub name: &'static str,
    /// Offset in bytes from the start of its type.
    pub offset: usize,
    /// Size in bytes.
    pub size: usize,
    /// The Rust type, as written.
    pub type_name: &'static str,
}

/// A word of bit-fields.
#[derive(Debug)]
pub struct BitsLayout {
    /// The header's name, or that of a nested type as in [`TypeLayout::name`].
    pub name: &'static str,
    /// Size in bytes.
    pub size: usize,
    /// Alignment in bytes.
    pub align: usize,
    /// Names the header gives to the whole word.
    pub words: &'static [&'static str],
    /// Every bit-field.
    pub fields: &'static [BitLayout],
}

/// A bit-field.
#[derive(Debug)]
pub struct BitLayout {
    /// The header's name.
    pub name: &'static str,
    /// First bit.
    pub bit: u32,
    /// Number of bits.
    pub width: u32,
    /// The bits as the accessors see them: a flag's mask, or what storing all ones leaves in the word.
    pub mask: u64,
}

/// An enumeration.
#[derive(Debug)]
pub struct EnumLayout {
    /// The header's name.
    pub name: &'static str,
    /// Size in bytes.
    pub size: usize,
    /// Every enumerator with its value.
    pub values: &'static [(&'static str, i64)],
}

/// A number.
#[derive(Debug)]
pub struct ConstantValue {
    /// The header's name.
    pub name: &'static str,
    /// The value; a status code as its unsigned 32 bits.
    pub value: u64,
}

/// A GUID.
#[derive(Debug)]
pub struct GuidValue {
    /// The header's name.
    pub name: &'static str,
    /// The value.
    pub value: GUID,
}

/// A function type.
#[derive(Debug)]
pub struct CallbackLayout {
    /// The header's name, without the `P` of the pointer type.
    pub name: &'static str,
    /// Size of what it returns in bytes, zero for nothing.
    pub returns: usize,
    /// Name and size in bytes of each parameter.
    pub parameters: &'static [(&'static str, usize)],
}

/// The largest of some sizes: the length of a union's `bytes`.
pub(crate) const fn largest(sizes: &[usize]) -> usize {
    let mut largest = 0;
    let mut i = 0;
    while i < sizes.len() {
        if sizes[i] > largest {
            largest = sizes[i];
        }
        i += 1;
    }
    largest
}

/// All modules of this crate.
pub const MODULES: &[Module] = crate::MODULES;

impl Module {
    /// A module that declares nothing yet.
    pub(crate) const fn empty(name: &'static str) -> Self {
        Self { name, types: &[], bits: &[], enums: &[], constants: &[], guids: &[], callbacks: &[] }
    }
}
