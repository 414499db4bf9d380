//! What a fault may want to know of the calls before: which VF is what, which basis is tracked, what came last.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use wddm::*;

use crate::wrap::{Call, Fault, get};

/// An adapter's life.
#[derive(Clone, Copy, Default)]
pub(crate) struct Life {
    pub(crate) starts: u32,
    pub(crate) stops: u32,
    pub(crate) failed: u32,
    pub(crate) surprised: bool,
}

impl Life {
    pub(crate) fn runs(&self) -> bool {
        self.starts > self.stops
    }
}

/// A VF's.
#[derive(Clone, Copy, Default)]
pub(crate) struct Vf {
    pub(crate) alive: bool,
    pub(crate) resources: u32,
    pub(crate) scattered: u32,
    /// DEVICE_POWER_STATE that was set last.
    pub(crate) power: i32,
    pub(crate) was_off: bool,
    pub(crate) paused: bool,
    /// 0 source, 1 target.
    pub(crate) role: Option<i32>,
    pub(crate) prepares: u32,
    pub(crate) immutable_saves: u32,
    pub(crate) mutable_saves: u32,
    pub(crate) restores: u32,
    pub(crate) immutable_restored: bool,
    pub(crate) mutable_restored: bool,
    pub(crate) backings: u32,
}

/// A memory basis'.
#[derive(Clone, Copy, Default)]
pub(crate) struct Basis {
    pub(crate) starts: u32,
    pub(crate) stops: u32,
    pub(crate) clears: u32,
    /// Submissions of the adapter's at the last start.
    pub(crate) submitted: u32,
    /// The last query: whole and successful, clearing or not, and the submissions before it.
    pub(crate) queried: Option<(bool, u32)>,
    pub(crate) vf1_since: bool,
}

/// Everything.
#[derive(Clone, Default)]
pub(crate) struct World {
    /// The last DDI, interrupts left out.
    pub(crate) last: &'static str,
    pub(crate) counts: BTreeMap<&'static str, u32>,
    pub(crate) lives: BTreeMap<usize, Life>,
    pub(crate) vfs: BTreeMap<u32, Vf>,
    pub(crate) bases: BTreeMap<usize, Basis>,
    pub(crate) submissions: u32,
    /// Direction of the last VIRTUAL_TRANSFER.
    pub(crate) direction: i32,
    /// Bytes that were saved last.
    pub(crate) immutable_bytes: u64,
    pub(crate) mutable_bytes: u64,
    pub(crate) last_process: usize,
    pub(crate) last_basis: usize,
    /// The basis that was last destroyed while it was tracked.
    pub(crate) torn_basis: usize,
    /// Ranges of the last basis.
    pub(crate) last_ranges: u64,
    pub(crate) power: i32,
    /// The rules of engines that hang have begun.
    pub(crate) hangs: bool,
    /// The rules of the parallel family have begun.
    pub(crate) parallel: bool,
    /// They are over: the work of the recorded rules.
    pub(crate) work: bool,
}

impl World {
    pub(crate) fn count(&self, name: &str) -> u32 {
        self.counts.get(name).copied().unwrap_or(0)
    }

    pub(crate) fn life(&self, context: usize) -> Life {
        self.lives.get(&context).copied().unwrap_or_default()
    }

    pub(crate) fn vf(&self, index: u32) -> Vf {
        self.vfs.get(&index).copied().unwrap_or_default()
    }

    pub(crate) fn basis(&self, handle: usize) -> Basis {
        self.bases.get(&handle).copied().unwrap_or_default()
    }

    fn see(&mut self, c: &Call<'_>, result: usize) {
        let ok = result as i32 >= 0;
        *self.counts.entry(c.name).or_default() += 1;
        match c.name {
            "DxgkDdiStartDevice" => {
                let life = self.lives.entry(c.args[0]).or_default();
                if ok { life.starts += 1 } else { life.failed += 1 }
            }
            "pfnBuildTestCommandBuffer" => {
                let operation = c.read::<DXGKARG_BUILDTESTCOMMANDBUFFER>(1).Command.Operation;
                self.hangs |=
                    operation == D3DDDI_TESTCOMMANDBUFFEROP::D3DDDI_TESTCOMMANDBUFFEROP_INFINITE_LOOP;
            }
            "DxgkDdiStopDevice" => self.lives.entry(c.args[0]).or_default().stops += 1,
            "DxgkDdiNotifySurpriseRemoval" => self.lives.entry(c.args[0]).or_default().surprised = true,
            "DxgkDdiRemoveDevice" => drop(self.lives.remove(&c.args[0])),
            "DxgkDdiSetPowerState" if c.args[1] as u32 == u32::MAX => self.power = c.args[2] as i32,
            "DxgkDdiCreateProcess" => {
                self.last_process = c.read::<DXGKARG_CREATEPROCESS>(1).hKmdProcess as usize
            }
            "DxgkDdiSubmitCommandVirtual" => self.submissions += 1,
            "DxgkDdiBuildPagingBuffer" => {
                let args: DXGKARG_BUILDPAGINGBUFFER = c.read(1);
                if args.Operation == DXGK_BUILDPAGINGBUFFER_OPERATION::DXGK_OPERATION_VIRTUAL_TRANSFER {
                    let at = std::mem::offset_of!(DXGKARG_BUILDPAGINGBUFFER, u)
                        + std::mem::offset_of!(DXGK_BUILDPAGINGBUFFER_TRANSFERVIRTUAL, TransferDirection);
                    self.direction = c.at(1, at);
                }
            }
            _ if ok => {
                self.see_vf(c);
                self.see_basis(c, result);
            }
            _ => {}
        }
        if c.name == "DxgkDdiRestoreImmutableMigrationData" {
            self.vfs.entry(c.at(1, 0)).or_default().restores += 1;
        }
        if c.name.starts_with("DxgkDdi") && c.name != "DxgkDdiDpcRoutine" {
            self.last = c.name;
        }
    }

    fn see_vf(&mut self, c: &Call<'_>) {
        // The VF at the start of the argument structure; a call that names none has no arm.
        macro_rules! vf {
            () => {
                self.vfs.entry(c.at::<u32>(1, 0)).or_default()
            };
        }
        match c.name {
            "DxgkDdiCreateVirtualGpu" => {
                *vf!() = Vf { alive: true, ..Vf::default() };
                let index: u32 = c.at(1, 0);
                self.parallel |= index == 2;
                self.work |= self.parallel && index == 0;
                if index == 1 {
                    self.bases.values_mut().for_each(|basis| basis.vf1_since = true);
                }
            }
            "DxgkDdiDestroyVirtualGpu" => *vf!() = Vf::default(),
            "DxgkDdiSetVirtualGpuResources" => vf!().resources += 1,
            "DxgkDdiSetVirtualGpuResources2" => vf!().scattered += 1,
            "DxgkDdiSetVirtualFunctionPowerState" => {
                let state: i32 = c.at(1, 4);
                let vf = vf!();
                vf.power = state;
                vf.was_off |= state == 4;
            }
            "DxgkDdiSetVirtualFunctionPauseState" => vf!().paused = c.at::<u8>(1, 4) != 0,
            "DxgkDdiPrepareLiveMigration" => {
                let role = c.at(1, 4);
                let vf = vf!();
                (vf.role, vf.prepares) = (Some(role), vf.prepares + 1);
                (vf.immutable_saves, vf.mutable_saves, vf.restores) = (0, 0, 0);
                (vf.immutable_restored, vf.mutable_restored) = (false, false);
            }
            "DxgkDdiEndLiveMigration" => self.vfs.entry(c.args[1] as u32).or_default().role = None,
            "DxgkDdiSaveImmutableMigrationData" if c.at::<usize>(1, 16) != 0 => {
                vf!().immutable_saves += 1;
                self.immutable_bytes = get(c.at(1, 8));
            }
            "DxgkDdiSaveMutableMigrationData" if c.at::<usize>(1, 16) != 0 => {
                vf!().mutable_saves += 1;
                self.mutable_bytes = get(c.at(1, 8));
            }
            "DxgkDdiRestoreImmutableMigrationData" => vf!().immutable_restored = true,
            "DxgkDdiRestoreMutableMigrationData" => vf!().mutable_restored = true,
            "DxgkDdiGetBackingResource" => vf!().backings += 1,
            _ => {}
        }
    }

    fn see_basis(&mut self, c: &Call<'_>, result: usize) {
        let submissions = self.submissions;
        match c.name {
            "DxgkDdiCreateMemoryBasis" => {
                self.last_basis = result;
                self.last_ranges = c.at(1, 8);
                self.bases.insert(result, Basis::default());
            }
            "DxgkDdiDestroyMemoryBasis" => {
                let tracked = self.bases.remove(&c.args[1]).is_some_and(|basis| basis.starts > basis.stops);
                if tracked {
                    self.torn_basis = c.args[1];
                }
            }
            "DxgkDdiStartDirtyTracking" => {
                let basis = self.bases.entry(c.args[1]).or_default();
                (basis.starts, basis.submitted) = (basis.starts + 1, submissions);
            }
            "DxgkDdiStopDirtyTracking" => self.bases.entry(c.args[1]).or_default().stops += 1,
            "DxgkDdiQueryDirtyBitData" => {
                let args: DXGKARG_QUERYDIRTYBITDATA = c.read(1);
                let basis = self.bases.entry(args.MemoryBasis as usize).or_default();
                let clear = args.Flags.0 == 1;
                basis.clears += u32::from(clear);
                basis.queried = (args.SubrangeSize == 0).then_some((clear, submissions));
            }
            _ => {}
        }
    }
}

/// A fault that knows what was before.
pub(crate) fn fault(body: impl Fn(&Call<'_>, &World) -> Option<usize> + Send + Sync + 'static) -> Fault {
    let world: Arc<Mutex<World>> = Arc::default();
    Arc::new(move |c| {
        let before = world.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let result = body(c, &before).unwrap_or_else(|| c.forward());
        world.lock().unwrap_or_else(PoisonError::into_inner).see(c, result);
        Some(result)
    })
}
