//! What signatures and catalogs know a file by.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use object::read::pe::PeFile64;
use sha2::{Digest, Sha256};

/// How a file is digested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A PE image: all but its checksum and its signature.
    Image,
    /// Anything else: every byte.
    Flat,
}

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

/// The Authenticode digest of an image.
pub(crate) fn image(bytes: &[u8]) -> Result<Vec<u8>> {
    let image = PeFile64::parse(bytes)?;
    let mut hash = Sha256::new();
    authenticode::authenticode_digest(&image, &mut hash).map_err(|error| anyhow!("{error:?}"))?;
    Ok(hash.finalize().to_vec())
}

/// A file's digest.
pub(crate) fn digest(file: &Path) -> Result<(Kind, Vec<u8>)> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    if bytes.starts_with(b"MZ") {
        Ok((Kind::Image, image(&bytes)?))
    } else {
        Ok((Kind::Flat, sha256(&bytes)))
    }
}
