//! Values of a registry key.
//!
//! UNSAFETY: calls the kernel.
#![expect(unsafe_code)]

use core::mem::offset_of;
use core::ptr;

use wdk_sys::ntddk::{ZwClose, ZwOpenKey, ZwQueryValueKey};
use wdk_sys::{
    _KEY_VALUE_INFORMATION_CLASS, HANDLE, KEY_READ, KEY_VALUE_PARTIAL_INFORMATION, NTSTATUS,
    OBJ_CASE_INSENSITIVE, OBJ_KERNEL_HANDLE, OBJECT_ATTRIBUTES, REG_DWORD, REG_QWORD,
    STATUS_INVALID_PARAMETER,
};

use crate::check;
use crate::wide::{Wide, unicode_string};

/// Units of the longest value name, its zero included.
const NAME: usize = 64;
/// Where a value's data begins in KEY_VALUE_PARTIAL_INFORMATION.
const DATA: usize = offset_of!(KEY_VALUE_PARTIAL_INFORMATION, Data);

/// An open key.
pub struct Key {
    handle: HANDLE,
}

impl Key {
    /// Opens a key for reading. PASSIVE_LEVEL. "ZwOpenKey function".
    pub fn open(path: &[u16]) -> Result<Self, NTSTATUS> {
        let mut name = unicode_string(path).ok_or(STATUS_INVALID_PARAMETER)?;
        let mut attributes = OBJECT_ATTRIBUTES {
            Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
            Attributes: OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE,
            ObjectName: &mut name,
            ..OBJECT_ATTRIBUTES::default()
        };
        let mut handle = ptr::null_mut();
        // SAFETY: handle, attributes and name are live variables.
        check(unsafe { ZwOpenKey(&mut handle, KEY_READ, &mut attributes) })?;
        Ok(Self { handle })
    }

    /// A REG_DWORD or REG_QWORD; none when there is no such value or it is of another type. PASSIVE_LEVEL.
    /// "ZwQueryValueKey function".
    pub fn number(&self, name: &str) -> Option<u64> {
        let name = Wide::<NAME>::new(name)?;
        let mut name = unicode_string(name.with_zero())?;
        // Words, so that the structure in it is aligned: a header of 12 bytes and up to 8 of data.
        let mut room = [0u32; 8];
        let mut used = 0;
        // SAFETY: name and room are live, and the room's size is what is said.
        let status = unsafe {
            ZwQueryValueKey(
                self.handle,
                &mut name,
                _KEY_VALUE_INFORMATION_CLASS::KeyValuePartialInformation,
                room.as_mut_ptr().cast(),
                size_of_val(&room) as u32,
                &mut used,
            )
        };
        check(status).ok()?;
        let [_title, kind, bytes, ..] = room;
        let (low, high) = (u64::from(room[DATA / 4]), u64::from(room[DATA / 4 + 1]));
        match (kind, bytes) {
            (REG_DWORD, 4) => Some(low),
            (REG_QWORD, 8) => Some(high << 32 | low),
            _ => None,
        }
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: the handle is open.
        let _ = unsafe { ZwClose(self.handle) };
    }
}
