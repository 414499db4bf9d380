//! The source's calls of a live migration: in each phase that does not allow them, and with every size.

use alloc::vec;
use alloc::vec::Vec;

use wddm::*;

use super::args::profile;
use super::bench::{read_page, write_page};
use super::{Bench, Outcome, Stop, accepted, broken, declare, needed, refused};
use crate::contract::calls;

const PREPARE: &str = "DXGKDDI_PREPARELIVEMIGRATION callback function (d3dkmddi.h)";
const SAVE_IMMUTABLE: &str = "DXGKDDI_SAVEIMMUTABLEMIGRATIONDATA callback function (d3dkmddi.h)";
const SAVE_MUTABLE: &str = "DXGKDDI_SAVEMUTABLEMIGRATIONDATA callback function (d3dkmddi.h)";
const END: &str = "DXGKDDI_ENDLIVEMIGRATION callback function (d3dkmddi.h)";
const ARTICLE: &str = "Live migration on GPU-P devices";

declare! {
    "migration.prepare.unknown-vf" Handle PREPARE, "A VF that does not exist is not prepared.",
        |b| refused("PrepareLiveMigration of no VF", b.prepare_source(b.no_vf()));
    "migration.prepare.unknown-type" Handle PREPARE, "A MigrationType that does not exist is refused.", |b| {
        let _vgpu = b.vf(0)?;
        b.refuses(0, "PrepareLiveMigration of type 7", || b.prepare(0, DXGK_GPUP_MIGRATIONTYPE(7)))?;
        ends(b, b.prepare_source(0))
    };
    "migration.prepare.source-twice" State PREPARE, "A source that is prepared is not prepared again.", |b| {
        let _vgpu = b.vf(0)?;
        needed("PrepareLiveMigration", b.prepare_source(0))?;
        b.refuses(0, "a second PrepareLiveMigration(SOURCE)", || b.prepare_source(0))?;
        ended(b)
    };
    "migration.prepare.target-twice" State PREPARE, "A target that is prepared is not prepared again.", |b| {
        let _vgpu = b.vf(0)?;
        needed("PrepareLiveMigration", b.prepare_target(0))?;
        b.refuses(0, "a second PrepareLiveMigration(TARGET)", || b.prepare_target(0))?;
        ended(b)
    };
    "migration.prepare.source-as-target" State PREPARE,
        "A source does not become a target before its migration ends.",
        |b| {
        let _vgpu = b.vf(0)?;
        needed("PrepareLiveMigration", b.prepare_source(0))?;
        b.refuses(0, "PrepareLiveMigration(TARGET) of a source", || b.prepare_target(0))?;
        ended(b)
    };
    "migration.prepare.target-as-source" State PREPARE,
        "A target does not become a source before its migration ends.",
        |b| {
        let _vgpu = b.vf(0)?;
        needed("PrepareLiveMigration", b.prepare_target(0))?;
        b.refuses(0, "PrepareLiveMigration(SOURCE) of a target", || b.prepare_source(0))?;
        ended(b)
    };
    "migration.prepare.no-memory" State PREPARE, "A VF without memory does not migrate.", |b| {
        needed("CreateVirtualGpu", b.create(0, profile(b.vf_bytes)).0)?;
        let status = b.prepare_source(0);
        needed("DestroyVirtualGpu", b.destroy(0))?;
        refused("PrepareLiveMigration without memory", status)
    };
    "migration.save-immutable.unknown-vf" Handle SAVE_IMMUTABLE,
        "A VF that does not exist has no immutable data.",
        |b| refused("SaveImmutableMigrationData of no VF", b.save_immutable(b.no_vf(), None).0);
    "migration.save-immutable.idle" State SAVE_IMMUTABLE, "Without Prepare no immutable data is saved.", |b| {
        let _vgpu = b.vf(0)?;
        b.refuses(0, "SaveImmutableMigrationData without Prepare", || b.save_immutable(0, None).0)
    };
    "migration.save-immutable.target" State SAVE_IMMUTABLE, "A target saves no immutable data.", |b| {
        target(b, |b| b.refuses(0, "SaveImmutableMigrationData on the target", || b.save_immutable(0, None).0))
    };
    "migration.save-immutable.size" Answer SAVE_IMMUTABLE,
        "Asked without a buffer it gives the bytes that it needs.",
        |b| {
        source(b, |b| {
            let (status, bytes) = b.save_immutable(0, None);
            accepted("SaveImmutableMigrationData without a buffer", status)?;
            if bytes == 0 { broken!("it needs 0 bytes") } else { Ok(()) }
        })
    };
    "migration.save-immutable.short" Size SAVE_IMMUTABLE,
        "A buffer that is too short is refused, and nothing is written.",
        |b| {
        source(b, |b| short(b, Bench::save_immutable))
    };
    "migration.save-immutable.again" Answer SAVE_IMMUTABLE, "Immutable data saved again is the same.", |b| {
        source(b, |b| {
            let first = saved(b, Bench::save_immutable)?;
            super::same("immutable data saved again", &first, &saved(b, Bench::save_immutable)?)
        })
    };
    "migration.save-immutable.next" State SAVE_IMMUTABLE,
        "A second attempt to migrate gives the immutable data of the first.",
        |b| {
        let _vgpu = b.vf(0)?;
        needed("PrepareLiveMigration", b.prepare_source(0))?;
        let first = saved(b, Bench::save_immutable)?;
        ended(b)?;
        needed("PrepareLiveMigration", b.prepare_source(0))?;
        let second = saved(b, Bench::save_immutable);
        ended(b)?;
        super::same("immutable data of a second attempt", &first, &second?)
    };
    "migration.save-mutable.unknown-vf" Handle SAVE_MUTABLE, "A VF that does not exist has no mutable data.",
        |b| refused("SaveMutableMigrationData of no VF", b.save_mutable(b.no_vf(), None).0);
    "migration.save-mutable.idle" State SAVE_MUTABLE, "Without Prepare no mutable data is saved.", |b| {
        let _vgpu = b.vf(0)?;
        b.refuses(0, "SaveMutableMigrationData without Prepare", || b.save_mutable(0, None).0)
    };
    "migration.save-mutable.target" State SAVE_MUTABLE, "A target saves no mutable data.", |b| {
        target(b, |b| b.refuses(0, "SaveMutableMigrationData on the target", || b.save_mutable(0, None).0))
    };
    "migration.save-mutable.size" Answer SAVE_MUTABLE,
        "Asked without a buffer it gives the bytes that it needs.",
        |b| {
        source(b, |b| {
            let (status, bytes) = b.save_mutable(0, None);
            accepted("SaveMutableMigrationData without a buffer", status)?;
            if bytes == 0 { broken!("it needs 0 bytes") } else { Ok(()) }
        })
    };
    "migration.save-mutable.short" Size SAVE_MUTABLE,
        "A buffer that is too short is refused, and nothing is written.",
        |b| {
        source(b, |b| short(b, Bench::save_mutable))
    };
    "migration.save-mutable.again" Answer SAVE_MUTABLE,
        "Mutable data of a VF that stands still is the same when saved again.",
        |b| {
        source(b, |b| {
            let first = saved(b, Bench::save_mutable)?;
            super::same("mutable data saved again", &first, &saved(b, Bench::save_mutable)?)
        })
    };
    "migration.save-mutable.paused" State SAVE_MUTABLE,
        "Mutable data is saved whether or not the VF was paused before.",
        |b| {
        let _vgpu = b.vf(0)?;
        needed("PrepareLiveMigration", b.prepare_source(0))?;
        needed("SetVirtualFunctionPauseState", b.pause(0, true))?;
        let paused = b.save_mutable(0, None).0;
        needed("SetVirtualFunctionPauseState", b.pause(0, false))?;
        ended(b)?;
        accepted("SaveMutableMigrationData of a paused VF", paused)
    };
    "migration.end.unknown-vf" Handle END, "No migration of a VF that does not exist ends.",
        |b| refused("EndLiveMigration of no VF", b.end(b.no_vf()));
    "migration.end.idle" State END,
        "EndLiveMigration without Prepare leaves the VF as it was, whatever it returns.",
        |b| {
        let _vgpu = b.vf(0)?;
        let before = b.state(0);
        let _ = b.end(0);
        super::same("the VF afterwards", &before, &b.state(0))?;
        ends(b, b.prepare_source(0))
    };
    "migration.end.twice" State END, "After a second EndLiveMigration the VF can be prepared again.", |b| {
        let _vgpu = b.vf(0)?;
        needed("PrepareLiveMigration", b.prepare_source(0))?;
        needed("EndLiveMigration", b.end(0))?;
        let _ = b.end(0);
        ends(b, b.prepare_source(0))
    };
    "migration.end.source" State END, "A source that ends before anything was saved goes on as before.", |b| {
        let vgpu = b.vf(0)?;
        write_page(&vgpu, 1, 0x42)?;
        let before = b.state(0);
        needed("PrepareLiveMigration", b.prepare_source(0))?;
        accepted("EndLiveMigration", b.end(0))?;
        super::same("the VF afterwards", &before, &b.state(0))?;
        if read_page(&vgpu, 1)?.iter().any(|byte| *byte != 0x42) {
            broken!("the VF's memory has changed")
        }
        Ok(())
    };
    "migration.end.saved" State END,
        "A source that ends after its mutable data was saved goes on as before.",
        |b| {
        let _vgpu = b.vf(0)?;
        let before = b.state(0);
        needed("PrepareLiveMigration", b.prepare_source(0))?;
        saved(b, Bench::save_mutable)?;
        accepted("EndLiveMigration after SaveMutableMigrationData", b.end(0))?;
        super::same("the VF afterwards", &before, &b.state(0))?;
        ends(b, b.prepare_source(0))
    };
    "migration.end.dirty-again" State ARTICLE,
        "What was harvested since Prepare is dirty again when the source goes on.",
        dirty_again;
    "migration.destroy" State ARTICLE, "A VF can be destroyed in its migration, and made again.", |b| {
        for prepare in [Bench::prepare_source, Bench::prepare_target] {
            let vgpu = b.vf(0)?;
            needed("PrepareLiveMigration", prepare(b, 0))?;
            match vgpu.destroy() {
                Err(error) if error.ddi == calls::DESTROY_VIRTUAL_GPU.name => broken!("in its migration: {error}"),
                other => other?,
            }
            drop(vgpu);
            b.vf(0).map(drop)?;
        }
        Ok(())
    };
    "migration.others" State ARTICLE, "The migration of one VF leaves the others as they are.", |b| {
        let (_one, _two) = (b.vf(0)?, b.vf(1)?);
        let before = b.state(1);
        needed("PrepareLiveMigration", b.prepare_source(0))?;
        saved(b, Bench::save_mutable)?;
        super::same("VF 1 while VF 0 migrates", &before, &b.state(1))?;
        accepted("PrepareLiveMigration of another VF", b.prepare_source(1))?;
        needed("EndLiveMigration", b.end(1))?;
        ended(b)
    };
}

/// Runs `body` while VF 0 is a source.
fn source(b: &Bench, body: fn(&Bench) -> Outcome) -> Outcome {
    let _vgpu = b.vf(0)?;
    needed("PrepareLiveMigration", b.prepare_source(0))?;
    let verdict = body(b);
    ended(b)?;
    verdict
}

/// Runs `body` while VF 0 is a target.
pub(super) fn target(b: &Bench, body: fn(&Bench) -> Outcome) -> Outcome {
    let _vgpu = b.vf(0)?;
    needed("PrepareLiveMigration", b.prepare_target(0))?;
    let verdict = body(b);
    ended(b)?;
    verdict
}

fn ended(b: &Bench) -> Outcome {
    needed("EndLiveMigration", b.end(0))
}

/// A Prepare that is legal now, and its end.
fn ends(b: &Bench, prepared: NTSTATUS) -> Outcome {
    accepted("PrepareLiveMigration", prepared)?;
    ended(b)
}

pub(super) type Save = fn(&Bench, u32, Option<&mut [u8]>) -> (NTSTATUS, u64);

/// Both calls of a Save DDI, for VF 0.
pub(super) fn saved(b: &Bench, save: Save) -> Result<Vec<u8>, Stop> {
    let (status, bytes) = save(b, 0, None);
    needed("the size query of the migration data", status)?;
    let mut data = vec![0; bytes as usize];
    let (status, written) = save(b, 0, Some(&mut data));
    needed("saving the migration data", status)?;
    data.truncate(written as usize);
    Ok(data)
}

/// A buffer that lacks a byte; then one that is long enough.
fn short(b: &Bench, save: Save) -> Outcome {
    let (status, bytes) = save(b, 0, None);
    needed("the size query of the migration data", status)?;
    let mut data = vec![0xA5; bytes.saturating_sub(1) as usize];
    refused("saving into a buffer that is too short", save(b, 0, Some(&mut data)).0)?;
    if data.iter().any(|byte| *byte != 0xA5) {
        broken!("saving was refused, but wrote into the buffer")
    }
    accepted("saving into a buffer of the size asked for", save(b, 0, Some(&mut vec![0; bytes as usize])).0)
}

fn dirty_again(b: &Bench) -> Outcome {
    let vgpu = b.vf(0)?;
    let late = vgpu.start_tracking()?;
    let mut words = vec![0; vgpu.pages().div_ceil(64) as usize];
    vgpu.query_dirty(true, &mut words)?;
    needed("PrepareLiveMigration", b.prepare_source(0))?;
    write_page(&vgpu, 3, 1)?;
    vgpu.query_dirty(true, &mut words)?;
    let harvested = words.clone();
    needed("EndLiveMigration", b.end(0))?;
    vgpu.query_dirty(false, &mut words)?;
    if late {
        return Ok(());
    }
    let lost = harvested.iter().zip(&words).any(|(before, after)| before & !after != 0);
    if harvested[0] & 1 << 3 == 0 || lost {
        broken!(
            "harvested {:#x} of the first 64 pages; after the end {:#x} are dirty",
            harvested[0],
            words[0]
        )
    }
    Ok(())
}
