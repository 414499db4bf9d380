//! The macros that declare the interface. No type of the ABI is declared outside them; each also writes one table of
//! [`crate::layout`] for its module, so each is used at most once a module.

/// Structures and unions. `packed` is a structure of the header's byte-packed group, `packed4` of its pack(4) group.
///
/// Every type is `repr(C)`, `Copy`, and has `zeroed()`, [`Zeroed`](crate::Zeroed), `Default` and `Debug`. A union also
/// gets a field `bytes`, which spans it.
macro_rules! abi {
    ($( $(#[$meta:meta])* pub $kind:ident $name:ident {
        $( $(#[$field_meta:meta])* $field:ident : $type:ty, )*
    } )*) => {
        $( $crate::macros::abi_item! { $kind $name [$(#[$meta])*] { $( $(#[$field_meta])* $field : $type, )* } } )*

        /// Structures and unions of this module.
        pub(crate) const TYPES: &[$crate::layout::TypeLayout] = &[
            $( $crate::layout::TypeLayout {
                name: stringify!($name),
                is_union: $crate::macros::is_union!($kind),
                size: size_of::<$name>(),
                align: align_of::<$name>(),
                fields: &[ $( $crate::layout::FieldLayout {
                    name: stringify!($field),
                    offset: core::mem::offset_of!($name, $field),
                    size: size_of::<$type>(),
                    type_name: stringify!($type),
                } ),* ],
            } ),*
        ];
    };
}

/// Whether a kind of [`abi!`] is a union.
macro_rules! is_union {
    (union) => {
        true
    };
    ($other:ident) => {
        false
    };
}

/// One item of [`abi!`].
macro_rules! abi_item {
    (struct $($rest:tt)*) => { $crate::macros::abi_struct! { [#[repr(C)]] $($rest)* } };
    (packed $($rest:tt)*) => { $crate::macros::abi_struct! { [#[repr(C, packed)]] $($rest)* } };
    (packed4 $($rest:tt)*) => { $crate::macros::abi_struct! { [#[repr(C, packed(4))]] $($rest)* } };
    (union $name:ident [$($meta:tt)*] { $( $(#[$field_meta:meta])* $field:ident : $type:ty, )* }) => {
        $($meta)*
        #[repr(C)]
        #[derive(Clone, Copy)]
        #[allow(missing_docs, reason = "the header's names say it; a doc line stands where they do not")]
        pub union $name {
            $( $(#[$field_meta])* pub $field: $type, )*
            /// All of it as bytes.
            pub bytes: [u8; $crate::layout::largest(&[$(size_of::<$type>()),*])],
        }

        impl $crate::Zeroed for $name {
            const ZERO: Self = Self { bytes: $crate::Zeroed::ZERO };
        }

        $crate::macros::zero_default! { $name }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

/// One structure of [`abi!`].
macro_rules! abi_struct {
    ([$($repr:tt)*] $name:ident [$($meta:tt)*] { $( $(#[$field_meta:meta])* $field:ident : $type:ty, )* }) => {
        $($meta)*
        $($repr)*
        #[derive(Clone, Copy, Debug)]
        #[allow(missing_docs, reason = "the header's names say it; a doc line stands where they do not")]
        pub struct $name {
            $( $(#[$field_meta])* pub $field: $type, )*
        }

        impl $crate::Zeroed for $name {
            const ZERO: Self = Self { $( $field: <$type as $crate::Zeroed>::ZERO, )* };

            fn spans(at: usize, span: &mut dyn FnMut(usize, usize)) {
                $( <$type as $crate::Zeroed>::spans(at + core::mem::offset_of!($name, $field), span); )*
            }
        }

        $crate::macros::zero_default! { $name }
    };
}

/// `zeroed()` and `Default` of a type that is [`Zeroed`](crate::Zeroed).
macro_rules! zero_default {
    ($name:ident) => {
        impl $name {
            /// The all-zero value.
            pub const fn zeroed() -> Self {
                <Self as $crate::Zeroed>::ZERO
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::zeroed()
            }
        }
    };
}

/// Types that are only pointed at.
macro_rules! opaque {
    ($( $(#[$meta:meta])* pub struct $name:ident; )*) => { $(
        $(#[$meta])*
        #[repr(C)]
        #[derive(Debug)]
        pub struct $name {
            opaque: [u8; 0],
        }
    )* };
}

/// Words of bit-fields: `bitflags` types over the header's word, with the header's names. Bits this crate does not
/// know are kept.
///
/// In brackets stand the names that the header gives to the whole word. A field wider than a bit has a getter and a
/// `with_` setter; the reserved ones have none.
macro_rules! bits {
    ($( $(#[$meta:meta])* pub struct $name:ident: $word:ident [$($whole:ident),*] {
        $( $(#[$flag_meta:meta])* $flag:ident = $flag_bit:literal, )*
    } $(wide {
        $( $(#[$wide_meta:meta])* $wide:ident, $with:ident = $wide_bit:literal : $width:literal, )*
    })? $(reserved {
        $( $reserved:ident = $reserved_bit:literal : $reserved_width:literal, )*
    })? )*) => {
        $(
            bitflags::bitflags! {
                $(#[$meta])*
                #[repr(transparent)]
                #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
                pub struct $name: $word {
                    $(
                        #[doc = concat!("Bit ", $flag_bit, ".")]
                        $(#[$flag_meta])*
                        const $flag = 1 << $flag_bit;
                    )*
                    const _ = !0;
                }
            }

            impl $crate::Zeroed for $name {
                const ZERO: Self = Self::empty();
            }

            impl $name {
                /// The all-zero value.
                pub const fn zeroed() -> Self {
                    Self::empty()
                }

                $($(
                    #[doc = concat!("Bits ", $wide_bit, " and up, ", $width, " wide.")]
                    $(#[$wide_meta])*
                    pub const fn $wide(self) -> $word {
                        (self.bits() >> $wide_bit) & (!0 >> ($word::BITS - $width))
                    }

                    #[doc = concat!("Replaces [`", stringify!($wide), "`](Self::", stringify!($wide), ").")]
                    ///
                    /// # Panics
                    /// In a debug build, if the value needs more bits than the field has; else its low bits are used.
                    #[must_use]
                    pub const fn $with(self, value: $word) -> Self {
                        let ones: $word = !0 >> ($word::BITS - $width);
                        debug_assert!(value <= ones, "the value does not fit the bit-field");
                        Self::from_bits_retain((self.bits() & !(ones << $wide_bit)) | ((value & ones) << $wide_bit))
                    }
                )*)?
            }
        )*

        /// Words of bit-fields of this module.
        pub(crate) const BITS: &[$crate::layout::BitsLayout] = &[ $(
            $crate::layout::BitsLayout {
                name: stringify!($name),
                size: size_of::<$name>(),
                align: align_of::<$name>(),
                words: &[$(stringify!($whole)),*],
                fields: &[
                    $( $crate::layout::BitLayout {
                        name: stringify!($flag),
                        bit: $flag_bit,
                        width: 1,
                        mask: $name::$flag.bits() as u64,
                    }, )*
                    $($( $crate::layout::BitLayout {
                        name: stringify!($wide),
                        bit: $wide_bit,
                        width: $width,
                        mask: $name::empty().$with(!0 >> ($word::BITS - $width)).bits() as u64,
                    }, )*)?
                    $($( $crate::layout::BitLayout {
                        name: stringify!($reserved),
                        bit: $reserved_bit,
                        width: $reserved_width,
                        mask: ((!0 as $word >> ($word::BITS - $reserved_width)) << $reserved_bit) as u64,
                    }, )*)?
                ],
            }
        ),* ];
    };
}

/// Enumerations, open: a value that this crate does not know is a value like any other.
macro_rules! open_enum {
    ($( $(#[$meta:meta])* pub enum $name:ident {
        $( $(#[$value_meta:meta])* $value:ident = $number:literal, )*
    } )*) => {
        $(
            $(#[$meta])*
            #[repr(transparent)]
            #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(pub i32);

            impl $name {
                $(
                    #[doc = concat!("`", $number, "`")]
                    $(#[$value_meta])*
                    pub const $value: Self = Self($number);
                )*

                /// The all-zero value.
                pub const fn zeroed() -> Self {
                    Self(0)
                }

                /// The header's name for this value, if it has one.
                pub fn name(self) -> Option<&'static str> {
                    $( if self == Self::$value { return Some(stringify!($value)); } )*
                    None
                }
            }

            impl $crate::Zeroed for $name {
                const ZERO: Self = Self(0);
            }

            impl core::fmt::Debug for $name {
                fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                    match self.name() {
                        Some(name) => f.write_str(name),
                        None => write!(f, "{}({})", stringify!($name), self.0),
                    }
                }
            }
        )*

        /// Enumerations of this module.
        pub(crate) const ENUMS: &[$crate::layout::EnumLayout] = &[ $(
            $crate::layout::EnumLayout {
                name: stringify!($name),
                size: size_of::<$name>(),
                values: &[ $( (stringify!($value), $name::$value.0 as i64) ),* ],
            }
        ),* ];
    };
}

/// Makes flags of enumerations whose values are bits.
macro_rules! flag_enum {
    ($($name:ident)*) => { $(
        impl $name {
            /// Whether all bits of `other` are set.
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }
        }

        impl core::ops::BitOr for $name {
            type Output = Self;

            fn bitor(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }
    )* };
}

/// Numbers.
macro_rules! constants {
    ($( $(#[$meta:meta])* pub const $name:ident: $type:ty = $value:expr; )*) => {
        $( $(#[$meta])* pub const $name: $type = $value; )*

        /// Numbers of this module.
        pub(crate) const CONSTANTS: &[$crate::layout::ConstantValue] = &[
            $( $crate::layout::ConstantValue { name: stringify!($name), value: $name as u64 } ),*
        ];
    };
}

/// Function types: `NAME` is the pointer, `PNAME` a slot that may be empty.
macro_rules! callbacks {
    ($( $(#[$meta:meta])* pub type $slot:ident = $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $ret:ty)?; )*) => {
        $(
            $(#[$meta])*
            pub type $name = $crate::ddi_type!(unsafe fn($($type),*) $(-> $ret)?);

            #[doc = concat!("A slot for a [`", stringify!($name), "`].")]
            pub type $slot = Option<$name>;
        )*

        /// Function types of this module.
        pub(crate) const CALLBACKS: &[$crate::layout::CallbackLayout] = &[ $(
            $crate::layout::CallbackLayout {
                name: stringify!($name),
                returns: 0 $(+ size_of::<$ret>())?,
                parameters: &[ $( (stringify!($arg), size_of::<$type>()) ),* ],
            }
        ),* ];
    };
}

pub(crate) use {
    abi, abi_item, abi_struct, bits, callbacks, constants, flag_enum, is_union, opaque, open_enum,
    zero_default,
};
