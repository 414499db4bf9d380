//! The binary interface of a WDDM 3.2 display miniport on x64, as plain data: structures, enumerations, bit-fields,
//! GUIDs, status codes and callback types. It has no behaviour and needs no operating system.
//!
//! # Names
//! Types, fields and values are spelled as in Microsoft's headers, so that they can be looked up. All of them are also
//! exported at the root.
//!
//! * A nested type without a name of its own is called after the outer type and the member, in capitals:
//!   [`DXGKARG_BUILDPAGINGBUFFER_TRANSFER`]. An anonymous union is the field `u` (then `u2`, `u3`), an anonymous
//!   structure inside one is `s`. Every union also has the field `bytes`, which spans it.
//! * A word of bit-fields is a `bitflags` type. Flags are associated constants; a field wider than a bit has a getter
//!   and a `with_` setter under its name. A structure that is nothing but such a word is that type itself. Where the
//!   header leaves the word anonymous, the Rust field has the name that the header gives to the whole word (`Value`,
//!   `Flags`), or `Bits` where it gives none.
//! * An enumeration is a transparent `i32` with associated constants, so that an unknown value is no undefined
//!   behaviour.
//! * `DXGKDDI_X` and `DXGKCB_X` are function pointers, `PDXGKDDI_X` and `PDXGKCB_X` slots that may be empty.
//! * `T::zeroed()` is the all-zero value of any type; it is `const`.
//!
//! # The facts
//! `facts/` holds what is known of the layout and how it is known; `tests/layout` compares every declaration with it
//! through [`layout::MODULES`], and with two other sources as far as those go: `facts/README.md` says what is confirmed
//! by them and what rests on one source alone, which is most of it: all arguments and interfaces of migration, and the
//! two function tables.
#![no_std]
#![allow(
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    reason = "names are spelled as in the headers"
)]

#[macro_use]
mod convention;
mod macros;
mod zeroed;

pub mod layout;

pub mod adapter_info;
pub mod allocation;
pub mod base;
pub mod caps;
pub mod child;
pub mod context;
pub mod debug;
pub mod dirty;
pub mod dxgkrnl;
pub mod dxgkrnl_args;
pub mod dxgkrnl_callbacks;
pub mod feature;
pub mod flexiov;
pub mod format;
pub mod gpu_mmu;
pub mod guid;
pub mod hot_update;
pub mod hwqueue;
pub mod interrupt;
pub mod migration;
pub mod mitigable;
pub mod node;
pub mod paging;
pub mod partition;
pub mod power;
pub mod process;
pub mod resources;
pub mod scheduling;
pub mod segment;
pub mod sriov;
pub mod startup;
pub mod status;
pub mod submission;
pub mod table;
pub mod testing;
pub mod timeout;

pub use adapter_info::*;
pub use allocation::*;
pub use base::*;
pub use caps::*;
pub use child::*;
pub use context::*;
pub use debug::*;
pub use dirty::*;
pub use dxgkrnl::*;
pub use dxgkrnl_args::*;
pub use dxgkrnl_callbacks::*;
pub use feature::*;
pub use flexiov::*;
pub use format::*;
pub use gpu_mmu::*;
pub use guid::*;
pub use hot_update::*;
pub use hwqueue::*;
pub use interrupt::*;
pub use migration::*;
pub use mitigable::*;
pub use node::*;
pub use paging::*;
pub use partition::*;
pub use power::*;
pub use process::*;
pub use resources::*;
pub use scheduling::*;
pub use segment::*;
pub use sriov::*;
pub use startup::*;
pub use status::*;
pub use submission::*;
pub use table::*;
pub use testing::*;
pub use timeout::*;
pub use zeroed::Zeroed;

/// One row of [`layout::MODULES`]: the tables that a module has.
macro_rules! module {
    (@TYPES $row:ident $module:ident) => { $row.types = $module::TYPES; };
    (@BITS $row:ident $module:ident) => { $row.bits = $module::BITS; };
    (@ENUMS $row:ident $module:ident) => { $row.enums = $module::ENUMS; };
    (@CONSTANTS $row:ident $module:ident) => { $row.constants = $module::CONSTANTS; };
    (@GUIDS $row:ident $module:ident) => { $row.guids = $module::GUIDS; };
    (@CALLBACKS $row:ident $module:ident) => { $row.callbacks = $module::CALLBACKS; };
    ($module:ident; $($table:ident),*) => {{
        let mut row = layout::Module::empty(stringify!($module));
        $( module!(@$table row $module); )*
        row
    }};
}

/// All modules, for [`layout::MODULES`].
const MODULES: &[layout::Module] = &[
    module!(adapter_info; TYPES, BITS, ENUMS, CALLBACKS),
    module!(allocation; TYPES, BITS, ENUMS, CALLBACKS),
    module!(base; TYPES, BITS, ENUMS),
    module!(caps; TYPES, BITS, ENUMS),
    module!(child; TYPES, ENUMS, CALLBACKS),
    module!(context; TYPES, BITS, CALLBACKS),
    module!(debug; TYPES, BITS, CONSTANTS, CALLBACKS),
    module!(dirty; TYPES, BITS, ENUMS, CALLBACKS),
    module!(dxgkrnl; TYPES, CONSTANTS),
    module!(dxgkrnl_args; TYPES, BITS, ENUMS),
    module!(dxgkrnl_callbacks; CALLBACKS),
    module!(feature; TYPES, BITS, ENUMS, CONSTANTS, CALLBACKS),
    module!(flexiov; TYPES, CONSTANTS, CALLBACKS),
    module!(format; TYPES, ENUMS),
    module!(gpu_mmu; TYPES, BITS, ENUMS, CALLBACKS),
    module!(guid; GUIDS),
    module!(hot_update; TYPES, BITS, CALLBACKS),
    module!(hwqueue; TYPES, BITS, ENUMS, CALLBACKS),
    module!(interrupt; TYPES, BITS, ENUMS, CALLBACKS),
    module!(migration; TYPES, BITS, ENUMS, CALLBACKS),
    module!(mitigable; TYPES, CONSTANTS, CALLBACKS),
    module!(node; TYPES, BITS, ENUMS, CONSTANTS, CALLBACKS),
    module!(paging; TYPES, BITS, ENUMS, CALLBACKS),
    module!(partition; TYPES, BITS, ENUMS, CONSTANTS, CALLBACKS),
    module!(power; TYPES, BITS, ENUMS, CALLBACKS),
    module!(process; TYPES, BITS, CALLBACKS),
    module!(resources; TYPES, CONSTANTS),
    module!(scheduling; TYPES, BITS, ENUMS, CALLBACKS),
    module!(segment; TYPES, BITS, ENUMS, CALLBACKS),
    module!(sriov; TYPES, CONSTANTS, CALLBACKS),
    module!(startup; TYPES, BITS, ENUMS, CONSTANTS, CALLBACKS),
    module!(status; CONSTANTS),
    module!(submission; TYPES, BITS, CALLBACKS),
    module!(table; TYPES, CONSTANTS),
    module!(testing; TYPES, BITS, ENUMS, CALLBACKS),
    module!(timeout; TYPES, BITS, ENUMS, CALLBACKS),
];
