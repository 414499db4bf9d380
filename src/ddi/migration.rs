//! Live migration of a VF: prepare, save, restore, end.
//!
//! The adapter does the work; here stand Dxgkrnl's two-call pattern and the event that names a refusal's reason.
//!
//! UNSAFETY: follows the size and data pointers of the calls.
#![expect(unsafe_code)]

use gpup_core::os::TraceEvent;
use gpup_core::vf::Vf;
use gpup_core::{Error, Result, VfIndex};
use wddm::{
    DXGK_GPUP_MIGRATIONTYPE, DXGKARG_GPUP_PREPARE_LIVE_MIGRATION,
    DXGKARG_GPUP_RESTORE_IMMUTABLE_MIGRATION_DATA, DXGKARG_GPUP_RESTORE_MUTABLE_MIGRATION_DATA,
    DXGKARG_GPUP_SAVE_IMMUTABLE_MIGRATION_DATA, DXGKARG_GPUP_SAVE_MUTABLE_MIGRATION_DATA, HANDLE, NTSTATUS,
};

use super::{edge, triage};
use crate::miniport::Started;

edge::entries! {
    /// DxgkDdiPrepareLiveMigration. PASSIVE_LEVEL, level 0.
    /// "DXGKDDI_PREPARELIVEMIGRATION callback function (d3dkmddi.h)".
    read prepare_live_migration(DXGKARG_GPUP_PREPARE_LIVE_MIGRATION) => prepare;

    /// DxgkDdiSaveImmutableMigrationData. PASSIVE_LEVEL, level 0.
    /// "DXGKDDI_SAVEIMMUTABLEMIGRATIONDATA callback function (d3dkmddi.h)".
    write save_immutable_migration_data(DXGKARG_GPUP_SAVE_IMMUTABLE_MIGRATION_DATA) => save_immutable;

    /// DxgkDdiSaveMutableMigrationData. PASSIVE_LEVEL, level 0.
    /// "DXGKDDI_SAVEMUTABLEMIGRATIONDATA callback function (d3dkmddi.h)".
    write save_mutable_migration_data(DXGKARG_GPUP_SAVE_MUTABLE_MIGRATION_DATA) => save_mutable;

    /// DxgkDdiRestoreImmutableMigrationData. PASSIVE_LEVEL, level 0.
    /// "DXGKDDI_RESTOREIMMUTABLEMIGRATIONDATA callback function (d3dkmddi.h)".
    read restore_immutable_migration_data(DXGKARG_GPUP_RESTORE_IMMUTABLE_MIGRATION_DATA) => restore_immutable;

    /// DxgkDdiRestoreMutableMigrationData. PASSIVE_LEVEL, level 0.
    /// "DXGKDDI_RESTOREMUTABLEMIGRATIONDATA callback function (d3dkmddi.h)".
    read restore_mutable_migration_data(DXGKARG_GPUP_RESTORE_MUTABLE_MIGRATION_DATA) => restore_mutable;
}

wddm::ddi! {
    /// DxgkDdiEndLiveMigration. PASSIVE_LEVEL, level 0. "DXGKDDI_ENDLIVEMIGRATION callback function (d3dkmddi.h)".
    pub(crate) unsafe fn end_live_migration(adapter: HANDLE, vf_index: VfIndex) -> NTSTATUS {
        // SAFETY: a callback's own handle.
        unsafe { edge::adapter(adapter, |started| on_vf(started, vf_index, "EndLiveMigration", Vf::end)) }
    }
}

/// Makes a call on a VF; that it is refused is told, with the reason.
fn on_vf(
    started: &Started,
    index: VfIndex,
    what: &'static str,
    call: impl FnOnce(&Vf) -> Result<()>,
) -> Result<()> {
    started.adapter.vf(index).and_then(call).inspect_err(|error| {
        started.adapter.trace(TraceEvent::Refused { vf: Some(index), what, error: *error });
    })
}

fn prepare(started: &Started, args: &DXGKARG_GPUP_PREPARE_LIVE_MIGRATION) -> Result<()> {
    on_vf(started, args.vfIndex, "PrepareLiveMigration", |vf| match args.MigrationType {
        DXGK_GPUP_MIGRATIONTYPE::DXGK_GPUP_MIGRATIONTYPE_SOURCE => vf.prepare_source(),
        DXGK_GPUP_MIGRATIONTYPE::DXGK_GPUP_MIGRATIONTYPE_TARGET => vf.prepare_target(),
        _ => Err(Error::InvalidParameter),
    })
}

fn save_immutable(started: &Started, args: &mut DXGKARG_GPUP_SAVE_IMMUTABLE_MIGRATION_DATA) -> Result<()> {
    on_vf(started, args.vfIndex, "SaveImmutableMigrationData", |vf| {
        // SAFETY: Dxgkrnl's own size and buffer.
        unsafe {
            save(args.DataSize, args.Data, vf, Vf::immutable_size, Vf::immutable_size, Vf::save_immutable)
        }
    })
}

fn save_mutable(started: &Started, args: &mut DXGKARG_GPUP_SAVE_MUTABLE_MIGRATION_DATA) -> Result<()> {
    on_vf(started, args.vfIndex, "SaveMutableMigrationData", |vf| {
        // SAFETY: Dxgkrnl's own size and buffer.
        unsafe { save(args.DataSize, args.Data, vf, Vf::mutable_size, Vf::mutable_bytes, Vf::save_mutable) }
    })
}

/// Answers the bytes needed when there is no buffer, else fills the buffer; DataSize then says how many bytes
/// were written. A buffer that is too small stays as it was, and DataSize says what is needed.
///
/// # Safety
/// `size` is Dxgkrnl's DataSize, and `data` its buffer of that many bytes or null.
unsafe fn save(
    size: *mut u64,
    data: *mut u8,
    vf: &Vf,
    ask: fn(&Vf) -> Result<u64>,
    needed: fn(&Vf) -> Result<u64>,
    fill: fn(&Vf, &mut [u8]) -> Result<usize>,
) -> Result<()> {
    // SAFETY: the caller's promise.
    let size = unsafe { edge::output(size) }?;
    if data.is_null() {
        *size = ask(vf)?;
        return Ok(());
    }
    let room = usize::try_from(*size).map_err(|_| Error::InvalidParameter)?;
    // SAFETY: the caller's promise.
    let out = unsafe { edge::slice_mut(data, room) }?;
    match fill(vf, out) {
        Ok(bytes) => {
            *size = bytes as u64;
            Ok(())
        }
        Err(Error::BufferTooSmall) => {
            *size = needed(vf)?;
            Err(Error::BufferTooSmall)
        }
        Err(error) => Err(error),
    }
}

fn restore_immutable(started: &Started, args: &DXGKARG_GPUP_RESTORE_IMMUTABLE_MIGRATION_DATA) -> Result<()> {
    let vf = started.adapter.vf(args.vfIndex)?;
    // SAFETY: Dxgkrnl's buffer of DataSize bytes.
    let data = unsafe { buffer(args.Data, args.DataSize) }?;
    vf.restore_immutable(data).inspect_err(|error| triage::refused(started, args.vfIndex, *error))
}

fn restore_mutable(started: &Started, args: &DXGKARG_GPUP_RESTORE_MUTABLE_MIGRATION_DATA) -> Result<()> {
    let vf = started.adapter.vf(args.vfIndex)?;
    // SAFETY: Dxgkrnl's buffer of DataSize bytes.
    let data = unsafe { buffer(args.Data, args.DataSize) }?;
    vf.restore_mutable(data).inspect_err(|error| triage::refused(started, args.vfIndex, *error))
}

/// # Safety
/// `data` is null or points to `size` readable bytes that nobody writes during the call.
unsafe fn buffer<'a>(data: *const u8, size: u64) -> Result<&'a [u8]> {
    let size = usize::try_from(size).map_err(|_| Error::InvalidParameter)?;
    // SAFETY: the caller's promise.
    unsafe { edge::slice(data, size) }
}
