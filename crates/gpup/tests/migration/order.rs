//! Calls in the wrong order get the documented status and change nothing.

use std::sync::Arc;

use dxgksim::dxgkrnl::DdiError;
use dxgksim::vgpu::{Vgpu, VgpuOptions};
use gpup_guest::Workload;
use gpup_kmd::escape::Request;
use wddm::DXGK_GPUP_MIGRATIONTYPE as Role;
use wddm::{
    NTSTATUS, STATUS_DEVICE_BUSY, STATUS_INVALID_DEVICE_STATE, STATUS_INVALID_HANDLE,
    STATUS_INVALID_PARAMETER,
};

use crate::harness::{Host, Mode, VF_BYTES, boot, in_every_mode, state, stop, work};

in_every_mode!(wrong_order_on_the_source, wrong_order_on_the_target, calls_to_what_is_not_there);

const SOURCE: Role = Role::DXGK_GPUP_MIGRATIONTYPE_SOURCE;
const TARGET: Role = Role::DXGK_GPUP_MIGRATIONTYPE_TARGET;

/// A migration call, by its name.
type Call<'a> = (&'static str, &'a dyn Fn(&Vgpu) -> Result<(), NTSTATUS>);

fn status<T>(result: Result<T, DdiError>) -> Result<(), NTSTATUS> {
    result.map(drop).map_err(|error| error.status)
}

const PREPARE_SOURCE: Call<'_> = ("prepare as source", &|vgpu| status(vgpu.prepare(SOURCE)));
const PREPARE_TARGET: Call<'_> = ("prepare as target", &|vgpu| status(vgpu.prepare(TARGET)));
const SAVE_IMMUTABLE: Call<'_> = ("save immutable", &|vgpu| status(vgpu.save_immutable()));
const SAVE_MUTABLE: Call<'_> = ("save mutable", &|vgpu| status(vgpu.save_mutable()));
const RESTORE_IMMUTABLE: Call<'_> =
    ("restore immutable", &|vgpu| vgpu.restore_immutable(&[1; 64]).map_err(|refusal| refusal.status));
const RESTORE_MUTABLE: Call<'_> = ("restore mutable", &|vgpu| status(vgpu.restore_mutable(&[1; 64])));

/// Each of `calls` is refused with `expected`, and the VF stands as before.
fn refused(when: &str, vgpu: &Vgpu, expected: NTSTATUS, calls: &[Call<'_>]) {
    let before = state(vgpu);
    for (name, call) in calls {
        assert_eq!(call(vgpu), Err(expected), "{name}, {when}");
        assert_eq!(state(vgpu), before, "{name}, {when}");
    }
}

fn fresh(machine: &gpup::world::Machine, vf: u32) -> Arc<Vgpu> {
    let options = VgpuOptions { vram_bytes: VF_BYTES, ..VgpuOptions::default() };
    machine.adapter().create_vgpu(vf, &options).unwrap()
}

fn wrong_order_on_the_source(mode: Mode) {
    let machine = Host::new(mode).start();
    let guest = boot(&machine, 0, &work(Workload::Nbody, 0));
    let (vgpu, idle) = (&guest.vgpu, state(&guest.vgpu));
    let throttle = || status(vgpu.adapter().escape(&mut Request::Throttle { vf: 0, permille: 500 }.encode()));
    let all = [SAVE_IMMUTABLE, SAVE_MUTABLE, RESTORE_IMMUTABLE, RESTORE_MUTABLE];
    refused("without prepare", vgpu, STATUS_INVALID_DEVICE_STATE, &all);
    assert_eq!(throttle(), Err(STATUS_INVALID_DEVICE_STATE));
    refused("of a VF that has run", vgpu, STATUS_INVALID_DEVICE_STATE, &[PREPARE_TARGET]);
    let nonsense: Call<'_> = ("prepare as neither", &|vgpu| status(vgpu.prepare(Role(7))));
    refused("without prepare", vgpu, STATUS_INVALID_PARAMETER, &[nonsense]);
    vgpu.prepare(SOURCE).unwrap();
    let restores = [RESTORE_IMMUTABLE, RESTORE_MUTABLE];
    refused("prepared", vgpu, STATUS_DEVICE_BUSY, &[PREPARE_SOURCE, PREPARE_TARGET]);
    refused("prepared", vgpu, STATUS_INVALID_DEVICE_STATE, &restores);
    throttle().unwrap();
    assert_eq!(state(vgpu).throttle, 500);
    guest.vm.pause();
    vgpu.save_mutable().unwrap();
    refused("saved", vgpu, STATUS_DEVICE_BUSY, &[PREPARE_SOURCE, PREPARE_TARGET]);
    refused("saved", vgpu, STATUS_INVALID_DEVICE_STATE, &restores);
    for _ in 0..2 {
        vgpu.end().unwrap();
        assert_eq!(state(vgpu), idle);
    }
    guest.destroy().unwrap();
    stop([machine]);
}

fn wrong_order_on_the_target(mode: Mode) {
    let machine = Host::new(mode).start();
    let (source, vgpu) = (boot(&machine, 0, &work(Workload::Nbody, 0)), fresh(&machine, 1));
    source.vgpu.prepare(SOURCE).unwrap();
    let immutable = source.vgpu.save_immutable().unwrap();
    source.vm.pause();
    let mutable = source.vgpu.save_mutable().unwrap();
    let new = state(&vgpu);
    for _ in 0..2 {
        vgpu.end().unwrap();
        assert_eq!(state(&vgpu), new);
    }
    vgpu.prepare(TARGET).unwrap();
    let saves = [SAVE_IMMUTABLE, SAVE_MUTABLE];
    refused("prepared", &vgpu, STATUS_DEVICE_BUSY, &[PREPARE_SOURCE, PREPARE_TARGET]);
    refused("prepared", &vgpu, STATUS_INVALID_DEVICE_STATE, &saves);
    refused("prepared", &vgpu, STATUS_INVALID_DEVICE_STATE, &[RESTORE_MUTABLE]);
    vgpu.restore_immutable(&immutable).unwrap();
    refused("immutable restored", &vgpu, STATUS_INVALID_DEVICE_STATE, &saves);
    vgpu.restore_mutable(&mutable).unwrap();
    refused("mutable restored", &vgpu, STATUS_DEVICE_BUSY, &[PREPARE_SOURCE, PREPARE_TARGET]);
    refused("mutable restored", &vgpu, STATUS_INVALID_DEVICE_STATE, &[RESTORE_IMMUTABLE, RESTORE_MUTABLE]);
    assert!(!state(&vgpu).executes);
    vgpu.end().unwrap();
    assert!(state(&vgpu).executes);
    source.destroy().unwrap();
    drop(vgpu);
    stop([machine]);
}

fn calls_to_what_is_not_there(mode: Mode) {
    let machine = Host::new(mode).start();
    let vgpu = fresh(&machine, 1);
    vgpu.start_tracking().unwrap();
    let mut bits = vec![0; vgpu.pages().div_ceil(64) as usize];
    vgpu.query_dirty(false, &mut bits).unwrap();
    vgpu.destroy().unwrap();
    let all =
        [PREPARE_SOURCE, PREPARE_TARGET, SAVE_IMMUTABLE, SAVE_MUTABLE, RESTORE_IMMUTABLE, RESTORE_MUTABLE];
    for (name, call) in all {
        assert_eq!(call(&vgpu), Err(STATUS_INVALID_PARAMETER), "{name}");
    }
    assert_eq!(status(vgpu.end()), Err(STATUS_INVALID_PARAMETER));
    assert_eq!(status(vgpu.set_pause(true)), Err(STATUS_INVALID_PARAMETER));
    // Its basis went with it.
    assert_eq!(status(vgpu.query_dirty(true, &mut bits)), Err(STATUS_INVALID_HANDLE));
    for vf in [1, 2, 63, 64, u32::MAX] {
        let answer = machine.adapter().escape(&mut Request::State { vf }.encode());
        assert_eq!(status(answer), Err(STATUS_INVALID_PARAMETER), "VF {vf}");
    }
    drop(vgpu);
    stop([machine]);
}
