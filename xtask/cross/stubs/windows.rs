//! Stands in for the crate `windows` where wdk-build is compiled on Linux.
//!
//! wdk-build looks for the WDK's folder in the registry when the environment does not name it. A Linux host has no
//! registry: each key is absent.
#![no_std]
#![allow(non_snake_case, clippy::missing_safety_doc)]

/// `windows::core`.
pub mod core {
    /// A C string's address.
    #[derive(Clone, Copy)]
    pub struct PCSTR(pub *const u8);

    pub use crate::literal as s;
}

/// `windows::core::s!`.
#[macro_export]
macro_rules! literal {
    ($text:literal) => {
        $crate::core::PCSTR(::core::concat!($text, "\0").as_ptr())
    };
}

/// `windows::Win32`.
pub mod Win32 {
    /// `windows::Win32::System`.
    pub mod System {
        /// `windows::Win32::System::Registry`.
        pub mod Registry {
            use core::ffi::c_void;

            use crate::core::PCSTR;

            #[derive(Clone, Copy, Default)]
            pub struct HKEY(pub usize);

            pub const HKEY_LOCAL_MACHINE: HKEY = HKEY(0x8000_0002);
            pub const KEY_READ: u32 = 0x0002_0019;
            pub const RRF_RT_REG_SZ: u32 = 2;

            /// ERROR_FILE_NOT_FOUND.
            pub struct Absent;

            impl Absent {
                pub fn is_ok(&self) -> bool {
                    false
                }

                pub fn ok(self) -> Option<()> {
                    None
                }
            }

            pub unsafe fn RegOpenKeyExA(
                _key: HKEY,
                _path: PCSTR,
                _options: Option<u32>,
                _access: u32,
                _opened: *mut HKEY,
            ) -> Absent {
                Absent
            }

            pub unsafe fn RegGetValueA(
                _key: HKEY,
                _path: Option<u32>,
                _name: PCSTR,
                _flags: u32,
                _kind: Option<*mut u32>,
                _data: Option<*mut c_void>,
                _size: Option<*mut u32>,
            ) -> Absent {
                Absent
            }

            pub unsafe fn RegCloseKey(_key: HKEY) -> Absent {
                Absent
            }
        }
    }
}
