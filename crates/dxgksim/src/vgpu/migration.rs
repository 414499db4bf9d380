//! The migration DDIs of one VF.
//!
//! Article: "Live migration on GPU-P devices". Saving takes two calls: one for the size, one for the data.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use wddm::*;

use super::Vgpu;
use crate::contract::{Guarded, GuardedBytes, calls, rules};
use crate::dxgkrnl::{DdiError, TriageEvent, succeed};

/// Largest state a driver is believed to need.
const MAX_STATE: u64 = 1 << 30;

/// Why a target's driver refuses a VF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What RestoreImmutableMigrationData returned.
    pub status: NTSTATUS,
    /// The words of its triage event.
    pub reason: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Some(reason) => write!(f, "{reason} ({})", self.status),
            None => write!(f, "the driver gives no reason ({})", self.status),
        }
    }
}

impl core::error::Error for Refusal {}

impl Vgpu {
    /// DxgkDdiPrepareLiveMigration.
    pub fn prepare(&self, role: DXGK_GPUP_MIGRATIONTYPE) -> Result<(), DdiError> {
        let mut args = DXGKARG_GPUP_PREPARE_LIVE_MIGRATION { vfIndex: self.index, MigrationType: role };
        succeed(calls::PREPARE_LIVE_MIGRATION.name, self.adapter.core.prepare_live_migration(&mut args))
    }

    /// DxgkDdiEndLiveMigration; tracking that began for the migration ends.
    pub fn end(&self) -> Result<(), DdiError> {
        let ended = succeed(calls::END_LIVE_MIGRATION.name, self.adapter.core.end_live_migration(self.index));
        ended.and(self.end_late_tracking())
    }

    /// DxgkDdiSaveImmutableMigrationData, both calls.
    pub fn save_immutable(&self) -> Result<Vec<u8>, DdiError> {
        self.save(calls::SAVE_IMMUTABLE.name, |size, data| {
            let mut args = DXGKARG_GPUP_SAVE_IMMUTABLE_MIGRATION_DATA {
                vfIndex: self.index,
                DataSize: size,
                Data: data,
            };
            self.adapter.core.save_immutable(&mut args)
        })
    }

    /// DxgkDdiSaveMutableMigrationData, both calls. The VM stands still.
    pub fn save_mutable(&self) -> Result<Vec<u8>, DdiError> {
        self.save(calls::SAVE_MUTABLE.name, |size, data| {
            let mut args =
                DXGKARG_GPUP_SAVE_MUTABLE_MIGRATION_DATA { vfIndex: self.index, DataSize: size, Data: data };
            self.adapter.core.save_mutable(&mut args)
        })
    }

    fn save(
        &self,
        name: &'static str,
        call: impl Fn(*mut u64, *mut u8) -> NTSTATUS,
    ) -> Result<Vec<u8>, DdiError> {
        let contract = self.adapter.contract();
        let mut size = Guarded::new(0u64);
        let status = call(&raw mut size.value, core::ptr::null_mut());
        let needed = size.checked(contract, name);
        succeed(name, status)?;
        if needed > MAX_STATE {
            contract.broken(&rules::SAVE_TWO_CALLS, format_args!("{name} wants {needed} bytes"));
            return Err(DdiError { ddi: name, status: STATUS_INTEGER_OVERFLOW });
        }
        let mut data = GuardedBytes::zeroed(needed as usize);
        let mut size = Guarded::new(needed);
        let status = call(&raw mut size.value, data.as_mut_ptr());
        let written = size.checked(contract, name);
        data.check(contract, name);
        contract.require(
            status.is_success() && written <= needed,
            &rules::SAVE_TWO_CALLS,
            format_args!("{name} asked for {needed} bytes, then wanted {written}: {status}"),
        );
        succeed(name, status)?;
        let mut bytes = data.to_vec();
        bytes.truncate(written as usize);
        Ok(bytes)
    }

    /// DxgkDdiRestoreImmutableMigrationData: the driver judges whether the VF can come here.
    pub fn restore_immutable(&self, data: &[u8]) -> Result<(), Refusal> {
        let core = &self.adapter.core;
        let _ = core.triage.take(self.index);
        let mut copy = Vec::from(data);
        let mut args = DXGKARG_GPUP_RESTORE_IMMUTABLE_MIGRATION_DATA {
            vfIndex: self.index,
            DataSize: copy.len() as u64,
            Data: copy.as_mut_ptr(),
        };
        let status = core.restore_immutable(&mut args);
        if status.is_success() {
            return Ok(());
        }
        let events: Vec<TriageEvent> = core.triage.take(self.index);
        core.contract.require(
            status != STATUS_OBJECT_TYPE_MISMATCH || !events.is_empty(),
            &rules::RESTORE_TRIAGE,
            format_args!("{} refused without a triage event", calls::RESTORE_IMMUTABLE.name),
        );
        Err(Refusal { status, reason: events.into_iter().next_back().map(|event| event.description) })
    }

    /// DxgkDdiRestoreMutableMigrationData: the last data of a migration.
    pub fn restore_mutable(&self, data: &[u8]) -> Result<(), DdiError> {
        let mut copy = Vec::from(data);
        let mut args = DXGKARG_GPUP_RESTORE_MUTABLE_MIGRATION_DATA {
            vfIndex: self.index,
            DataSize: copy.len() as u64,
            Data: copy.as_mut_ptr(),
        };
        succeed(calls::RESTORE_MUTABLE.name, self.adapter.core.restore_mutable(&mut args))
    }
}
