//! Registration: what DxgkInitialize reaches, and the drivers that registered.
//!
//! Microsoft's page: "DxgkInitialize function (dispmprt.h)".
//!
//! UNSAFETY: calls DriverEntry and reads the table it hands over.
#![expect(unsafe_code)]

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem::offset_of;

use wddm::{
    DRIVER_INITIALIZATION_DATA, DRIVER_OBJECT, NTSTATUS, STATUS_INVALID_PARAMETER, STATUS_REVISION_MISMATCH,
    STATUS_SUCCESS, STATUS_UNSUCCESSFUL, UNICODE_STRING,
};

use super::core::Table;
use super::interfaces::supplied;
use crate::contract::{Contract, calls, check_table};
use crate::host::Mutex;

/// A driver's DriverEntry.
pub type DriverEntry = wddm::ddi_type!(unsafe fn(*mut DRIVER_OBJECT, *mut UNICODE_STRING) -> NTSTATUS);

/// Bytes of the table before its functions: the version and what aligns them.
const TABLE_HEADER: usize = offset_of!(DRIVER_INITIALIZATION_DATA, DxgkDdiAddDevice);

/// Bytes of a DRIVER_OBJECT on x64, with room.
const DRIVER_OBJECT_WORDS: usize = 64;

struct Registration {
    driver: usize,
    table: Table,
}

static REGISTERED: Mutex<Vec<Registration>> = Mutex::new(Vec::new());

wddm::ddi! {
    /// The function that DxgkInitialize calls: keeps a copy of the driver's table under its driver object.
    ///
    /// # Safety
    /// `data` points to a DRIVER_INITIALIZATION_DATA.
    pub unsafe fn register(
        driver: *mut DRIVER_OBJECT,
        registry_path: *mut UNICODE_STRING,
        data: *mut DRIVER_INITIALIZATION_DATA,
    ) -> NTSTATUS {
        if driver.is_null() || registry_path.is_null() || data.is_null() {
            return STATUS_INVALID_PARAMETER;
        }
        // SAFETY: the caller's promise; a table of an older version is shorter, but its first field always exists.
        let version = unsafe { (*data).Version };
        if version < wddm::DXGKDDI_INTERFACE_VERSION_WDDM2_6 {
            return STATUS_REVISION_MISMATCH;
        }
        // SAFETY: the caller's promise.
        let table = Table(unsafe { data.read() });
        let mut registered = REGISTERED.lock();
        registered.retain(|known| known.driver != driver.addr());
        registered.push(Registration { driver: driver.addr(), table });
        STATUS_SUCCESS
    }
}

/// A driver object of ours, for drivers that are loaded here.
struct OwnObject {
    words: Box<[u64; DRIVER_OBJECT_WORDS]>,
}

/// A driver that has registered.
pub struct Driver {
    table: Table,
    contract: Arc<Contract>,
    /// Stays where it is until the driver is unloaded.
    _object: Option<OwnObject>,
}

impl Driver {
    /// Calls a driver's DriverEntry, which must reach [`register`] through DxgkInitialize.
    ///
    /// # Safety
    /// `entry` is the DriverEntry of a driver whose code stays where it is until the value is dropped.
    pub unsafe fn load(entry: DriverEntry, service: &str) -> Result<Self, NTSTATUS> {
        let contract = Arc::<Contract>::default();
        let mut object = OwnObject { words: Box::new([0; DRIVER_OBJECT_WORDS]) };
        // Type 4 and Size of a DRIVER_OBJECT on x64.
        object.words[0] = 4 | 0x150 << 16;
        let pointer: *mut DRIVER_OBJECT = object.words.as_mut_ptr().cast();
        let path = String::from("\\Registry\\Machine\\System\\CurrentControlSet\\Services\\") + service;
        let mut units: Vec<u16> = path.encode_utf16().collect();
        let mut path = UNICODE_STRING::zeroed();
        path.Length = u16::try_from(units.len() * 2).map_err(|_| STATUS_INVALID_PARAMETER)?;
        path.MaximumLength = path.Length;
        path.Buffer = units.as_mut_ptr();
        let status = contract.call(&calls::DRIVER_ENTRY, || {
            // SAFETY: the caller's promise; object and path are valid for the call.
            unsafe { entry(pointer, &raw mut path) }
        });
        let table = take(pointer);
        match (status.is_success(), table) {
            (true, Some(table)) => Ok(Self::new(table, contract, Some(object))),
            (true, None) => Err(STATUS_UNSUCCESSFUL),
            (false, _) => Err(status),
        }
    }

    /// The driver that registered under this driver object.
    pub fn registered(driver: *mut DRIVER_OBJECT) -> Option<Self> {
        take(driver).map(|table| Self::new(table, Arc::default(), None))
    }

    /// A driver with this table, as if it had registered.
    ///
    /// # Safety
    /// The table's functions are those of a miniport and stay where they are until the value is dropped.
    pub unsafe fn from_table(table: &DRIVER_INITIALIZATION_DATA) -> Self {
        Self::new(Table(*table), Arc::default(), None)
    }

    fn new(table: Table, contract: Arc<Contract>, object: Option<OwnObject>) -> Self {
        check_table(&contract, &table.0);
        contract.supply(supplied(&table.0, TABLE_HEADER));
        contract.supply_queries();
        Self { table, contract, _object: object }
    }

    /// What broke the contract so far.
    pub fn contract(&self) -> &Arc<Contract> {
        &self.contract
    }

    pub(crate) fn table(&self) -> Table {
        self.table
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(unload) = self.table.0.DxgkDdiUnload {
            self.contract.run(&calls::UNLOAD, || {
                // SAFETY: every adapter keeps its driver alive, so none is left; it is called once.
                unsafe { unload() }
            });
        }
    }
}

fn take(driver: *mut DRIVER_OBJECT) -> Option<Table> {
    let mut registered = REGISTERED.lock();
    let at = registered.iter().position(|known| known.driver == driver.addr())?;
    Some(registered.swap_remove(at).table)
}
