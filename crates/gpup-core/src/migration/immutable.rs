//! What the target must know before anything else: ids, versions, sizes and the profile of the VF.
//!
//! Constant for the life of a VF, so it can be saved while the VF runs, any number of times.
//!
//! # Does the VF fit? ([`Immutable::check`])
//! | field | the target takes it if | else |
//! |---|---|---|
//! | vendor, device | equal | `DeviceId` |
//! | revision | equal | `Revision` |
//! | firmware | same major (high 16 bits) and the target's minor is the same or newer | `Firmware` |
//! | driver version | same major | `DriverVersion` |
//! | format version | same major | `DriverVersion` |
//! | dirty page bytes | equal | `DirtyPageSize` |
//! | VRAM bytes | equal | `VramSize` |
//! | profile: weight, nodes, ring bytes, MSI-X vectors | equal | `Profile` |
//!
//! The first row that does not hold is the answer. Minor versions of driver and format may differ either
//! way: [`codec`](super::codec) says how newer and older read each other.

use core::fmt;

use super::codec::{FormatVersion, Reader, Record, StreamKind, Tag, Writer, stream_bytes};
use super::{Damage, Mismatch};
use crate::Result;
use crate::device::{Geometry, Identity, abi};

/// Version of the driver, as its INF gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DriverVersion {
    /// Drivers of another major version do not take a VF.
    pub major: u16,
    /// Minor version.
    pub minor: u16,
    /// Build.
    pub build: u16,
    /// Revision.
    pub revision: u16,
}

impl DriverVersion {
    /// This driver: the version of the package.
    pub const CURRENT: Self = Self {
        major: number(env!("CARGO_PKG_VERSION_MAJOR")),
        minor: number(env!("CARGO_PKG_VERSION_MINOR")),
        build: number(env!("CARGO_PKG_VERSION_PATCH")),
        revision: 0,
    };
}

impl fmt::Display for DriverVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}.{}", self.major, self.minor, self.build, self.revision)
    }
}

/// A part of the package's version.
const fn number(digits: &str) -> u16 {
    match u16::from_str_radix(digits, 10) {
        Ok(number) => number,
        Err(_) => panic!("the package's version does not fit"),
    }
}

/// What the vGPU's profile gives the VF, apart from memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Weight on the engines, from the compute capability of the profile.
    pub weight: u32,
    /// Nodes it may use.
    pub nodes: u32,
    /// Bytes of each ring.
    pub ring_bytes: u32,
    /// Vectors of its MSI-X table.
    pub msix_vectors: u32,
}

impl Profile {
    /// A VF of this device with the given weight.
    pub const fn with_weight(weight: u32) -> Self {
        Self {
            weight,
            nodes: abi::NODES as u32,
            ring_bytes: abi::RING_BYTES as u32,
            msix_vectors: abi::MSIX_VECTORS as u32,
        }
    }
}

/// The immutable state of a VF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Immutable {
    /// Format of this stream and of the mutable one that follows it.
    pub format: FormatVersion,
    /// Driver that wrote it.
    pub driver: DriverVersion,
    /// The device.
    pub identity: Identity,
    /// Bytes of a page of the dirty plane.
    pub dirty_page_bytes: u64,
    /// Bytes of VRAM the VF owns.
    pub vram_bytes: u64,
    /// The vGPU profile.
    pub profile: Profile,
}

pub(super) const DEVICE: u16 = 1;
pub(super) const DRIVER: u16 = 2;
pub(super) const MEMORY: u16 = 3;
pub(super) const PROFILE: u16 = 4;
/// Newest version of each record, and its bytes.
const VERSION: u16 = 1;
const DEVICE_BYTES: u64 = 12;
const DRIVER_BYTES: u64 = 8;
const MEMORY_BYTES: u64 = 16;
const PROFILE_BYTES: u64 = 16;
const PAYLOADS: [u64; 4] = [DEVICE_BYTES, DRIVER_BYTES, MEMORY_BYTES, PROFILE_BYTES];

impl Immutable {
    /// The state of a VF of this driver on this device.
    pub fn new(identity: Identity, geometry: &Geometry, vram_bytes: u64, weight: u32) -> Self {
        Self {
            format: FormatVersion::CURRENT,
            driver: DriverVersion::CURRENT,
            identity,
            dirty_page_bytes: geometry.dirty_page_bytes,
            vram_bytes,
            profile: Profile::with_weight(weight),
        }
    }

    /// Bytes of its stream; the same for every VF.
    pub fn size(&self) -> u64 {
        stream_bytes(PAYLOADS)
    }

    /// Writes its stream to the front of `out` and returns its bytes.
    ///
    /// # Errors
    /// `BufferTooSmall`, with nothing written, if `out` is smaller than [`Immutable::size`].
    pub fn encode(&self, out: &mut [u8]) -> Result<usize> {
        let mut stream = Writer::new(out, StreamKind::Immutable, self.format, 4, self.size())?;
        stream.record(Tag::mandatory(DEVICE, VERSION), DEVICE_BYTES, |payload| {
            payload.bytes(&self.identity.vendor.to_le_bytes())?;
            payload.bytes(&self.identity.device.to_le_bytes())?;
            payload.u32(u32::from(self.identity.revision))?;
            payload.u32(self.identity.firmware)
        })?;
        stream.record(Tag::mandatory(DRIVER, VERSION), DRIVER_BYTES, |payload| {
            let DriverVersion { major, minor, build, revision } = self.driver;
            [major, minor, build, revision].iter().try_for_each(|part| payload.bytes(&part.to_le_bytes()))
        })?;
        stream.record(Tag::mandatory(MEMORY, VERSION), MEMORY_BYTES, |payload| {
            payload.u64(self.dirty_page_bytes)?;
            payload.u64(self.vram_bytes)
        })?;
        stream.record(Tag::mandatory(PROFILE, VERSION), PROFILE_BYTES, |payload| {
            let Profile { weight, nodes, ring_bytes, msix_vectors } = self.profile;
            [weight, nodes, ring_bytes, msix_vectors].iter().try_for_each(|value| payload.u32(*value))
        })?;
        stream.finish()
    }

    /// Reads a stream; `bytes` is all of it and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let reader = Reader::open(bytes, StreamKind::Immutable)?;
        let format = reader.header().format;
        let (mut identity, mut driver, mut memory, mut profile) = (None, None, None, None);
        for record in reader {
            let record = record?;
            match record.tag.kind {
                DEVICE => identity = Some(decode_device(&record)?),
                DRIVER => driver = Some(decode_driver(&record)?),
                MEMORY => memory = Some(decode_memory(&record)?),
                PROFILE => profile = Some(decode_profile(&record)?),
                _ => record.skip()?,
            }
        }
        let (dirty_page_bytes, vram_bytes) = memory.ok_or(Damage::Missing)?;
        Ok(Self {
            format,
            driver: driver.ok_or(Damage::Missing)?,
            identity: identity.ok_or(Damage::Missing)?,
            dirty_page_bytes,
            vram_bytes,
            profile: profile.ok_or(Damage::Missing)?,
        })
    }

    /// Whether a VF of this state, from the source, fits `target`: the table in the module's head.
    pub fn check(&self, target: &Self) -> core::result::Result<(), Mismatch> {
        let (source_id, target_id) = (&self.identity, &target.identity);
        let (source_firmware, target_firmware) = (source_id.firmware, target_id.firmware);
        let rules = [
            (
                source_id.vendor == target_id.vendor && source_id.device == target_id.device,
                Mismatch::DeviceId,
            ),
            (source_id.revision == target_id.revision, Mismatch::Revision),
            (
                source_firmware >> 16 == target_firmware >> 16 && source_firmware <= target_firmware,
                Mismatch::Firmware,
            ),
            (self.driver.major == target.driver.major, Mismatch::DriverVersion),
            (self.format.major == target.format.major, Mismatch::DriverVersion),
            (self.dirty_page_bytes == target.dirty_page_bytes, Mismatch::DirtyPageSize),
            (self.vram_bytes == target.vram_bytes, Mismatch::VramSize),
            (self.profile == target.profile, Mismatch::Profile),
        ];
        rules.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, mismatch)| Err(mismatch))
    }
}

pub(super) fn decode_device(record: &Record<'_>) -> Result<Identity> {
    let mut fields = record.fields(VERSION)?;
    let (vendor, device) = (fields.u16()?, fields.u16()?);
    let revision = u8::try_from(fields.u32()?).map_err(|_| Damage::BadValue)?;
    let firmware = fields.u32()?;
    fields.end()?;
    Ok(Identity { vendor, device, revision, firmware })
}

pub(super) fn decode_driver(record: &Record<'_>) -> Result<DriverVersion> {
    let mut fields = record.fields(VERSION)?;
    let [major, minor, build, revision] = [fields.u16()?, fields.u16()?, fields.u16()?, fields.u16()?];
    fields.end()?;
    Ok(DriverVersion { major, minor, build, revision })
}

pub(super) fn decode_memory(record: &Record<'_>) -> Result<(u64, u64)> {
    let mut fields = record.fields(VERSION)?;
    let (dirty_page_bytes, vram_bytes) = (fields.u64()?, fields.u64()?);
    fields.end()?;
    if !dirty_page_bytes.is_power_of_two() || dirty_page_bytes < crate::PAGE_SIZE {
        return Err(Damage::BadValue.into());
    }
    Ok((dirty_page_bytes, vram_bytes))
}

pub(super) fn decode_profile(record: &Record<'_>) -> Result<Profile> {
    let mut fields = record.fields(VERSION)?;
    let [weight, nodes, ring_bytes, msix_vectors] =
        [fields.u32()?, fields.u32()?, fields.u32()?, fields.u32()?];
    fields.end()?;
    Ok(Profile { weight, nodes, ring_bytes, msix_vectors })
}
