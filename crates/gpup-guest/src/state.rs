//! A guest's saved state: what the VM's memory carries to another host.
//!
//! ```text
//! "GPUGUEST"  version: u32  zero: u32  bytes of the body: u64  body  xxh3-64 of all before: u64
//! ```
//! | found                                      | result                        |
//! |--------------------------------------------|-------------------------------|
//! | magic, version, length, hash as expected   | the body is read              |
//! | another magic, a newer version             | refused, with words           |
//! | shorter or longer than it says, wrong hash | refused, with words           |
//! | counters no guest can have                 | refused, with words           |
//!
//! Nothing is allocated but what the state itself holds bytes for.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use dxgksim::guest::{Guest, GuestLoader, Outcome};
use xxhash_rust::xxh3::xxh3_64;

use crate::driver::{Driver, Ring};
use crate::guest::{Ending, State, VfGuest};
use crate::spec::{Pattern, Spec, Workload};

const MAGIC: [u8; 8] = *b"GPUGUEST";
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 24;
const HASH_BYTES: usize = 8;

/// Makes guests from what they saved.
#[derive(Clone, Copy, Debug, Default)]
pub struct Loader;

impl GuestLoader for Loader {
    fn load(&self, state: &[u8]) -> Result<Box<dyn Guest>, String> {
        let (spec, state) =
            read(open(state)?).ok_or("the guest's state ends early or holds an unknown value")?;
        let layout = spec.layout()?;
        let guest = VfGuest::new(spec, layout, state);
        if !guest.check() {
            return Err("the guest's state contradicts itself".to_string());
        }
        Ok(Box::new(guest))
    }
}

/// The state of a guest.
pub(crate) fn save(guest: &VfGuest) -> Vec<u8> {
    let body = write(guest);
    let mut out = Vec::with_capacity(HEADER_BYTES + body.len() + HASH_BYTES);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&0_u32.to_le_bytes());
    out.extend_from_slice(&(body.len() as u64).to_le_bytes());
    out.extend_from_slice(&body);
    let hash = xxh3_64(&out);
    out.extend_from_slice(&hash.to_le_bytes());
    out
}

/// The body of a state, once the envelope is found whole.
fn open(state: &[u8]) -> Result<&[u8], String> {
    let mut reader = Reader(state);
    if reader.take(MAGIC.len()) != Some(MAGIC.as_slice()) {
        return Err("not the state of a guest".to_string());
    }
    let header = (|| Some((reader.u32()?, reader.u32()?, reader.u64()?)))();
    let Some((version, 0, bytes)) = header else {
        return Err("the header of the guest's state is damaged".to_string());
    };
    if version != VERSION {
        return Err(format!("the guest's state has version {version}, this one reads {VERSION}"));
    }
    if usize::try_from(bytes).ok().and_then(|bytes| bytes.checked_add(HASH_BYTES)) != Some(reader.0.len()) {
        return Err(format!("the guest's state says {bytes} bytes and has {}", reader.0.len()));
    }
    let (content, hash) = state.split_at(state.len() - HASH_BYTES);
    if xxh3_64(content).to_le_bytes() != hash {
        return Err("the hash of the guest's state does not match".to_string());
    }
    Ok(&content[HEADER_BYTES..])
}

fn write(guest: &VfGuest) -> Vec<u8> {
    let (spec, state) = (&guest.spec, &guest.state);
    let mut out = Writer(Vec::with_capacity(256 + state.image.len()));
    out.u32(spec.workload as u32);
    out.u32(spec.pattern as u32);
    [spec.vram_bytes, spec.seed, spec.dirty_rate, spec.image_bytes].into_iter().for_each(|it| out.u64(it));
    out.u32(u32::from(state.driver.armed));
    for ring in &state.driver.rings {
        out.u32(ring.tail);
        out.u64(ring.submitted);
        out.u64(ring.completed);
    }
    out.option(state.goal);
    out.option(state.due);
    out.u64(state.folded);
    out.u32(state.digests.len() as u32);
    state.digests.iter().for_each(|digest| out.u64(*digest));
    match &state.ending {
        None => out.u32(0),
        Some(Ending::Finished(outcome)) => {
            out.u32(1);
            out.u64(outcome.steps);
            out.bytes(&outcome.result);
        }
        Some(Ending::Failed(words)) => {
            out.u32(2);
            out.bytes(words.as_bytes());
        }
    }
    let sent = guest.image_given() - state.image_from;
    out.u64(state.image_from + sent);
    out.bytes(state.image.get(sent as usize..).unwrap_or_default());
    out.0
}

fn read(body: &[u8]) -> Option<(Spec, State)> {
    let mut from = Reader(body);
    let workload = *Workload::ALL.get(from.u32()? as usize)?;
    let pattern = *Pattern::ALL.get(from.u32()? as usize)?;
    let [vram_bytes, seed, dirty_rate, image_bytes] = [from.u64()?, from.u64()?, from.u64()?, from.u64()?];
    let armed = from.flag()?;
    let mut ring = || Some(Ring { tail: from.u32()?, submitted: from.u64()?, completed: from.u64()? });
    let rings = [ring()?, ring()?];
    let (goal, due, folded) = (from.option()?, from.option()?, from.u64()?);
    let count = from.u32()? as usize;
    let digests = from.take(count.checked_mul(8)?)?.chunks_exact(8).map(le64).collect();
    let ending = match from.u32()? {
        0 => None,
        1 => Some(Ending::Finished(Outcome { steps: from.u64()?, result: from.bytes()?.to_vec() })),
        2 => Some(Ending::Failed(String::from_utf8(from.bytes()?.to_vec()).ok()?)),
        _ => return None,
    };
    let image_from = from.u64()?;
    let image = from.bytes()?.to_vec();
    let spec = Spec { workload, vram_bytes, seed, dirty_rate, pattern, image_bytes };
    let driver = Driver::restored(armed, rings);
    let state = State { driver, goal, due, folded, digests, image, image_from, ending };
    from.0.is_empty().then_some((spec, state))
}

struct Writer(Vec<u8>);

impl Writer {
    fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn option(&mut self, value: Option<u64>) {
        self.u32(u32::from(value.is_some()));
        self.u64(value.unwrap_or(0));
    }

    fn bytes(&mut self, value: &[u8]) {
        self.u64(value.len() as u64);
        self.0.extend_from_slice(value);
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take(8).map(le64)
    }

    fn flag(&mut self) -> Option<bool> {
        match self.u32()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn option(&mut self) -> Option<Option<u64>> {
        let (some, value) = (self.flag()?, self.u64()?);
        if some { Some(Some(value)) } else { (value == 0).then_some(None) }
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let bytes = usize::try_from(self.u64()?).ok()?;
        self.take(bytes)
    }
}

/// Eight bytes as a number.
fn le64(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}
