//! The migration DDIs, by the phase that the calls before have led to.

use std::mem::offset_of;
use std::sync::atomic::{AtomicU32, Ordering};

use wddm::*;

use super::answers::scribble;
use super::{Case, FAILED, NO_VF, after, fail, fault, lie, vf};
use crate::world::{Vf, World};
use crate::wrap::{Call, Fault, get, put};

const PREPARE: &str = "DxgkDdiPrepareLiveMigration";
const SAVE_IMMUTABLE: &str = "DxgkDdiSaveImmutableMigrationData";
const SAVE_MUTABLE: &str = "DxgkDdiSaveMutableMigrationData";
const RESTORE_IMMUTABLE: &str = "DxgkDdiRestoreImmutableMigrationData";
const RESTORE_MUTABLE: &str = "DxgkDdiRestoreMutableMigrationData";
const END: &str = "DxgkDdiEndLiveMigration";

const SOURCE: Option<i32> = Some(0);
const TARGET: Option<i32> = Some(1);

/// A refusal on VF 0 becomes a success, by how the VF stands.
fn lie0(name: &'static str, when: fn(&Call<'_>, &Vf) -> bool) -> Fault {
    lie(name, move |c, world, _| vf(c) == 0 && world.life(c.args[0]).runs() && when(c, &world.vf(0)))
}

/// MigrationType of a Prepare.
fn kind(c: &Call<'_>) -> i32 {
    c.at(1, 4)
}

/// The data pointer of a Save, and DataSize of a Restore.
fn data(c: &Call<'_>) -> usize {
    c.at(1, 16)
}

fn bytes(c: &Call<'_>) -> u64 {
    c.at(1, 8)
}

/// The first byte of data that VF `index` saved is turned over.
fn other_data(name: &'static str, when: fn(&Call<'_>, &Vf) -> bool) -> Fault {
    after(name, move |c, world| {
        if data(c) != 0 && when(c, &world.vf(vf(c))) {
            put(data(c), !get::<u8>(data(c)));
        }
    })
}

pub(super) fn cases() -> Vec<Case> {
    [prepare(), save(SAVE_IMMUTABLE, true), save(SAVE_MUTABLE, false), end(), restore()]
        .into_iter()
        .flatten()
        .collect()
}

fn prepare() -> Vec<Case> {
    vec![
        ("migration.prepare.unknown-vf", lie(PREPARE, |c, _, _| vf(c) == NO_VF)),
        ("migration.prepare.unknown-type", lie(PREPARE, |c, _, _| kind(c) == 7)),
        ("migration.prepare.source-twice", lie0(PREPARE, |c, it| it.role == SOURCE && kind(c) == 0)),
        ("migration.prepare.target-twice", lie0(PREPARE, |c, it| it.role == TARGET && kind(c) == 1)),
        ("migration.prepare.source-as-target", lie0(PREPARE, |c, it| it.role == SOURCE && kind(c) == 1)),
        ("migration.prepare.target-as-source", lie0(PREPARE, |c, it| it.role == TARGET && kind(c) == 0)),
        (
            "migration.prepare.no-memory",
            lie0(PREPARE, |c, it| it.role.is_none() && kind(c) == 0 && it.resources == 0),
        ),
    ]
}

fn save(name: &'static str, immutable: bool) -> Vec<Case> {
    let saves: fn(&Vf) -> u32 = if immutable { |it| it.immutable_saves } else { |it| it.mutable_saves };
    let ids = if immutable {
        [
            "migration.save-immutable.unknown-vf",
            "migration.save-immutable.idle",
            "migration.save-immutable.target",
            "migration.save-immutable.size",
            "migration.save-immutable.short",
            "migration.save-immutable.again",
        ]
    } else {
        [
            "migration.save-mutable.unknown-vf",
            "migration.save-mutable.idle",
            "migration.save-mutable.target",
            "migration.save-mutable.size",
            "migration.save-mutable.short",
            "migration.save-mutable.again",
        ]
    };
    let mut cases = vec![
        (ids[0], lie(name, |c, _, _| vf(c) == NO_VF)),
        (ids[1], lie0(name, |_, it| it.role.is_none())),
        (ids[2], lie0(name, |_, it| it.role == TARGET)),
        // Of VF 0 that was not paused: what comes of it for others is that they are not judged.
        (
            ids[3],
            fail(name, |c, world| {
                vf(c) == 0 && data(c) == 0 && world.vf(0).role == SOURCE && !world.vf(0).paused
            }),
        ),
        (ids[4], lie(name, |c, _, status| vf(c) == 0 && status == STATUS_BUFFER_TOO_SMALL)),
        (
            ids[5],
            after(name, move |c, world| {
                if vf(c) == 0 && data(c) != 0 && saves(&world.vf(0)) == 1 {
                    put(data(c), !get::<u8>(data(c)));
                }
            }),
        ),
    ];
    if immutable {
        cases
            .push(("migration.save-immutable.next", other_data(name, |c, it| vf(c) == 0 && it.prepares > 1)));
    } else {
        cases
            .push(("migration.save-mutable.paused", fail(name, |c, world| vf(c) == 0 && world.vf(0).paused)));
    }
    cases
}

/// The VF that EndLiveMigration names, on its way.
fn ends(world: &World, c: &Call<'_>) -> Option<Vf> {
    (c.name == END && c.args[1] as u32 == 0).then(|| world.vf(0))
}

/// EndLiveMigration of VF 0 does more than it should, in the phase that `when` names.
fn ends_badly(when: fn(&Vf) -> bool, then: fn(&Call<'_>, &World)) -> Fault {
    fault(move |c, world| {
        ends(world, c).filter(when).map(|_| {
            let result = c.forward();
            then(c, world);
            result
        })
    })
}

/// After an EndLiveMigration of VF 0 that ended nothing the next Prepare fails.
fn then_prepare_fails(when: fn(&Vf) -> bool) -> Fault {
    let broken = AtomicU32::new(0);
    fault(move |c, world| {
        if ends(world, c).is_some_and(|it| it.role.is_none() && when(&it)) {
            broken.store(1, Ordering::SeqCst);
        }
        let prepares = c.name == PREPARE && vf(c) == 0;
        (prepares && broken.swap(0, Ordering::SeqCst) == 1).then_some(FAILED)
    })
}

fn end() -> Vec<Case> {
    vec![
        ("migration.end.unknown-vf", lie(END, |c, _, _| c.args[1] as u32 == NO_VF)),
        ("migration.end.idle", then_prepare_fails(|it| it.prepares == 0)),
        ("migration.end.twice", then_prepare_fails(|it| it.prepares > 0)),
        (
            "migration.end.source",
            ends_badly(
                |it| it.role == SOURCE && it.mutable_saves + it.immutable_saves == 0,
                |c, _| scribble(c.args[0], 0, 3),
            ),
        ),
        (
            "migration.end.saved",
            ends_badly(|it| it.role == SOURCE && it.mutable_saves > 0, |c, _| scribble(c.args[0], 0, 3)),
        ),
        (
            "migration.end.dirty-again",
            ends_badly(
                |it| it.role == SOURCE,
                |c, world| {
                    let tracked = world.bases.iter().filter(|(_, it)| it.starts > it.stops);
                    tracked.for_each(|(basis, _)| super::dirty::clear(c.args[0], *basis));
                },
            ),
        ),
        (
            "migration.destroy",
            fail("DxgkDdiDestroyVirtualGpu", |c, world| vf(c) == 0 && world.vf(0).role.is_some()),
        ),
        (
            "migration.others",
            fail(PREPARE, |c, world| vf(c) == 1 && kind(c) == 0 && world.vf(0).role == SOURCE),
        ),
    ]
}

fn restore() -> Vec<Case> {
    vec![
        ("migration.restore-immutable.unknown-vf", lie(RESTORE_IMMUTABLE, |c, _, _| vf(c) == NO_VF)),
        ("migration.restore-immutable.idle", lie0(RESTORE_IMMUTABLE, |_, it| it.role.is_none())),
        ("migration.restore-immutable.source", lie0(RESTORE_IMMUTABLE, |_, it| it.role == SOURCE)),
        (
            "migration.restore-immutable.own",
            fault(|c, world| {
                let first = c.name == RESTORE_IMMUTABLE && vf(c) == 0 && world.vf(0).restores == 0;
                first.then(|| {
                    let result = c.forward();
                    if result == 0 { FAILED } else { result }
                })
            }),
        ),
        (
            "migration.restore-immutable.mismatch",
            fault(|c, _| {
                (c.name == RESTORE_IMMUTABLE && vf(c) == 0).then(|| match c.forward() {
                    0xC000_0024 => FAILED,
                    result => result,
                })
            }),
        ),
        (
            "migration.restore-immutable.empty",
            lie0(RESTORE_IMMUTABLE, |c, it| it.role == TARGET && bytes(c) == 0),
        ),
        (
            "migration.restore-immutable.truncated",
            lie0(RESTORE_IMMUTABLE, |c, it| it.role == TARGET && bytes(c) == 1),
        ),
        (
            "migration.restore-immutable.altered",
            lie(RESTORE_IMMUTABLE, |c, world, status| {
                vf(c) == 0
                    && world.vf(0).role == TARGET
                    && bytes(c) == world.immutable_bytes
                    && status != STATUS_OBJECT_TYPE_MISMATCH
            }),
        ),
        ("migration.restore-mutable.unknown-vf", lie(RESTORE_MUTABLE, |c, _, _| vf(c) == NO_VF)),
        ("migration.restore-mutable.idle", lie0(RESTORE_MUTABLE, |_, it| it.role.is_none())),
        ("migration.restore-mutable.source", lie0(RESTORE_MUTABLE, |_, it| it.role == SOURCE)),
        (
            "migration.restore-mutable.first",
            lie0(RESTORE_MUTABLE, |_, it| it.role == TARGET && !it.immutable_restored),
        ),
        (
            "migration.restore-mutable.empty",
            lie0(RESTORE_MUTABLE, |c, it| it.role == TARGET && bytes(c) == 0),
        ),
        (
            "migration.restore-mutable.truncated",
            lie0(RESTORE_MUTABLE, |c, it| it.role == TARGET && bytes(c) == 1),
        ),
        (
            "migration.restore-mutable.altered",
            lie(RESTORE_MUTABLE, |c, world, _| {
                let it = world.vf(0);
                vf(c) == 0 && it.role == TARGET && it.immutable_restored && bytes(c) == world.mutable_bytes
            }),
        ),
        (
            "migration.restore-mutable.state",
            after(RESTORE_MUTABLE, |c, _| {
                if vf(c) == 0 {
                    scribble(c.args[0], 0, 0);
                }
            }),
        ),
        (
            "migration.restore.incomplete",
            ends_badly(
                |it| it.role == TARGET && it.immutable_restored && !it.mutable_restored,
                |c, _| scribble(c.args[0], 0, 3),
            ),
        ),
    ]
}

/// The layout that the offsets above rely on.
const _: () = assert!(offset_of!(DXGKARG_GPUP_SAVE_MUTABLE_MIGRATION_DATA, Data) == 16);
const _: () = assert!(offset_of!(DXGKARG_GPUP_RESTORE_MUTABLE_MIGRATION_DATA, DataSize) == 8);
