//! The target's calls of a live migration: wrong phases, and data that is cut short, altered or not the target's.

use alloc::vec::Vec;

use wddm::*;

use super::migration::{Save, saved, target};
use super::{Bench, Outcome, Stop, accepted, broken, declare, needed, refused};
use crate::vgpu::VgpuOptions;

const IMMUTABLE: &str = "DXGKDDI_RESTOREIMMUTABLEMIGRATIONDATA callback function (d3dkmddi.h)";
const MUTABLE: &str = "DXGKDDI_RESTOREMUTABLEMIGRATIONDATA callback function (d3dkmddi.h)";
const ARTICLE: &str = "Live migration on GPU-P devices";

declare! {
    "migration.restore-immutable.unknown-vf" Handle IMMUTABLE,
        "A VF that does not exist restores nothing.",
        |b| {
        let data = source_data(b)?;
        refused("RestoreImmutableMigrationData of no VF", b.restore_immutable(b.no_vf(), &data.immutable))
    };
    "migration.restore-immutable.idle" State IMMUTABLE, "Without Prepare nothing is restored.", |b| {
        let data = source_data(b)?;
        let _vgpu = b.vf(0)?;
        b.refuses(0, "RestoreImmutableMigrationData without Prepare", || b.restore_immutable(0, &data.immutable))
    };
    "migration.restore-immutable.source" State IMMUTABLE, "A source restores nothing.", |b| {
        let data = source_data(b)?;
        let _vgpu = b.vf(0)?;
        needed("PrepareLiveMigration", b.prepare_source(0))?;
        b.refuses(0, "RestoreImmutableMigrationData on the source", || b.restore_immutable(0, &data.immutable))?;
        needed("EndLiveMigration", b.end(0))
    };
    "migration.restore-immutable.own" Answer IMMUTABLE,
        "The immutable data of an equal VF is accepted.",
        |b| {
        target(b, |b| accepted("RestoreImmutableMigrationData", b.restore_immutable(0, &data(b)?.immutable)))
    };
    "migration.restore-immutable.mismatch" Answer IMMUTABLE,
        "Data of a VF that cannot be this one is refused with STATUS_OBJECT_TYPE_MISMATCH.", mismatch;
    "migration.restore-immutable.empty" Size IMMUTABLE, "No data at all is refused.", |b| {
        target(b, |b| refused("RestoreImmutableMigrationData of 0 bytes", b.restore_immutable(0, &[])))
    };
    "migration.restore-immutable.truncated" Size IMMUTABLE,
        "Data that is cut short is refused, wherever it is cut.",
        |b| {
        target(b, |b| {
            let data = data(b)?.immutable;
            for bytes in [1, data.len() / 2, data.len() - 1] {
                refused("RestoreImmutableMigrationData of a part", b.restore_immutable(0, &data[..bytes]))?;
            }
            accepted("RestoreImmutableMigrationData of all of it afterwards", b.restore_immutable(0, &data))
        })
    };
    "migration.restore-immutable.altered" Size IMMUTABLE,
        "Data of which a byte was altered is refused.",
        |b| {
        target(b, |b| {
            let data = data(b)?.immutable;
            altered(&data, |bad| b.restore_immutable(0, bad))?;
            accepted("RestoreImmutableMigrationData of the data itself afterwards", b.restore_immutable(0, &data))
        })
    };
    "migration.restore-mutable.unknown-vf" Handle MUTABLE, "A VF that does not exist restores nothing.", |b| {
        let data = source_data(b)?;
        refused("RestoreMutableMigrationData of no VF", b.restore_mutable(b.no_vf(), &data.mutable))
    };
    "migration.restore-mutable.idle" State MUTABLE, "Without Prepare nothing is restored.", |b| {
        let data = source_data(b)?;
        let _vgpu = b.vf(0)?;
        b.refuses(0, "RestoreMutableMigrationData without Prepare", || b.restore_mutable(0, &data.mutable))
    };
    "migration.restore-mutable.source" State MUTABLE, "A source restores nothing.", |b| {
        let data = source_data(b)?;
        let _vgpu = b.vf(0)?;
        needed("PrepareLiveMigration", b.prepare_source(0))?;
        b.refuses(0, "RestoreMutableMigrationData on the source", || b.restore_mutable(0, &data.mutable))?;
        needed("EndLiveMigration", b.end(0))
    };
    "migration.restore-mutable.first" State MUTABLE,
        "Mutable data is not restored before the immutable data fits.",
        |b| {
        target(b, |b| {
            let data = data(b)?.mutable;
            b.refuses(0, "RestoreMutableMigrationData before RestoreImmutable", || b.restore_mutable(0, &data))
        })
    };
    "migration.restore-mutable.empty" Size MUTABLE, "No data at all is refused.", |b| {
        target(b, |b| {
            needed("RestoreImmutableMigrationData", b.restore_immutable(0, &data(b)?.immutable))?;
            b.refuses(0, "RestoreMutableMigrationData of 0 bytes", || b.restore_mutable(0, &[]))
        })
    };
    "migration.restore-mutable.truncated" Size MUTABLE,
        "Data that is cut short is refused and changes nothing.",
        |b| {
        target(b, |b| {
            let data = data(b)?;
            needed("RestoreImmutableMigrationData", b.restore_immutable(0, &data.immutable))?;
            for bytes in [1, data.mutable.len() / 2, data.mutable.len() - 1] {
                let part = &data.mutable[..bytes];
                b.refuses(0, "RestoreMutableMigrationData of a part", || b.restore_mutable(0, part))?;
            }
            accepted("RestoreMutableMigrationData of all of it afterwards", b.restore_mutable(0, &data.mutable))
        })
    };
    "migration.restore-mutable.altered" Size MUTABLE, "Data of which a byte was altered is refused.", |b| {
        target(b, |b| {
            let data = data(b)?;
            needed("RestoreImmutableMigrationData", b.restore_immutable(0, &data.immutable))?;
            altered(&data.mutable, |bad| b.restore_mutable(0, bad))?;
            accepted("RestoreMutableMigrationData of the data itself afterwards", b.restore_mutable(0, &data.mutable))
        })
    };
    "migration.restore-mutable.state" Answer ARTICLE,
        "The target's config space is the source's after the migration.",
        carried;
    "migration.restore.incomplete" State ARTICLE,
        "A target that ends without its mutable data is as new.",
        incomplete;
}

/// What a source saved: of VF 1, whose config space a guest has written.
struct Saved {
    immutable: Vec<u8>,
    mutable: Vec<u8>,
    config: Vec<u8>,
}

/// The data of a VF 0 that was made, saved and destroyed before the target is made.
fn source_data(b: &Bench) -> Result<Saved, Stop> {
    let vgpu = b.vf(0)?;
    needed("WriteVirtualFunctionConfig", b.write_config(0, 0x3C, &[0x6B]))?;
    let config = b.state(0).1;
    needed("PrepareLiveMigration", b.prepare_source(0))?;
    let immutable = saved(b, Bench::save_immutable)?;
    let mutable = saved(b, Bench::save_mutable)?;
    needed("EndLiveMigration", b.end(0))?;
    drop(vgpu);
    Ok(Saved { immutable, mutable, config })
}

/// The data of another VF, while VF 0 is a target.
fn data(b: &Bench) -> Result<Saved, Stop> {
    let vgpu = b.vf(1)?;
    needed("WriteVirtualFunctionConfig", b.write_config(1, 0x3C, &[0x6B]))?;
    let config = b.state(1).1;
    needed("PrepareLiveMigration", b.prepare_source(1))?;
    let save = |save: Save| -> Result<Vec<u8>, Stop> {
        let (status, bytes) = save(b, 1, None);
        needed("the size query of the migration data", status)?;
        let mut data = alloc::vec![0; bytes as usize];
        let (status, written) = save(b, 1, Some(&mut data));
        needed("saving the migration data", status)?;
        data.truncate(written as usize);
        Ok(data)
    };
    let (immutable, mutable) = (save(Bench::save_immutable)?, save(Bench::save_mutable)?);
    needed("EndLiveMigration", b.end(1))?;
    drop(vgpu);
    Ok(Saved { immutable, mutable, config })
}

/// Alters one byte after another, a dozen over the whole length, by one bit.
fn altered(data: &[u8], restore: impl Fn(&[u8]) -> NTSTATUS) -> Outcome {
    let step = (data.len() / 12).max(1);
    for at in (0..data.len()).step_by(step) {
        let mut bad = Vec::from(data);
        bad[at] ^= 0x10;
        let status = restore(&bad);
        if status.is_success() {
            broken!(
                "data with a bit of byte {at} of {} turned over must be refused, but returned {status}",
                data.len()
            )
        }
    }
    Ok(())
}

/// Immutable data of a VF with twice the memory of the others.
pub(super) fn larger(b: &Bench) -> Result<Vec<u8>, Stop> {
    let options = VgpuOptions { vram_bytes: 2 * b.vf_bytes, ..VgpuOptions::default() };
    let vgpu = b.adapter.create_vgpu(1, &options)?;
    needed("PrepareLiveMigration", b.prepare_source(1))?;
    let data = vgpu.save_immutable()?;
    needed("EndLiveMigration", b.end(1))?;
    Ok(data)
}

fn mismatch(b: &Bench) -> Outcome {
    target(b, |b| {
        let status = b.restore_immutable(0, &larger(b)?);
        super::same("the status for data of a larger VF", &STATUS_OBJECT_TYPE_MISMATCH, &status)
    })
}

fn carried(b: &Bench) -> Outcome {
    target(b, |b| {
        let data = data(b)?;
        needed("RestoreImmutableMigrationData", b.restore_immutable(0, &data.immutable))?;
        accepted("RestoreMutableMigrationData", b.restore_mutable(0, &data.mutable))?;
        super::same(
            "the interrupt line, which the source's guest wrote",
            &data.config[0x3C],
            &b.state(0).1[0x3C],
        )
    })
}

fn incomplete(b: &Bench) -> Outcome {
    let _vgpu = b.vf(0)?;
    let before = b.state(0);
    needed("PrepareLiveMigration", b.prepare_target(0))?;
    needed("RestoreImmutableMigrationData", b.restore_immutable(0, &data(b)?.immutable))?;
    accepted("EndLiveMigration of an incomplete target", b.end(0))?;
    super::same("the VF afterwards", &before, &b.state(0))?;
    accepted("PrepareLiveMigration of it again", b.prepare_target(0))?;
    needed("EndLiveMigration", b.end(0))
}
