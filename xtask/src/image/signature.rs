//! The embedded signature, as far as it can be seen without a chain of trust: osslsigncode verifies that.

use anyhow::{Context, Result, anyhow, ensure};
use authenticode::AttributeCertificateIterator;
use object::read::pe::PeFile64;

use crate::package::digest;

/// SPC_PE_IMAGE_PAGE_HASHES_V2_OBJID, 1.3.6.1.4.1.311.2.3.2, in DER.
const PAGE_HASHES: [u8; 12] = [0x06, 0x0A, 0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x03, 0x02];

pub(super) fn check(bytes: &[u8]) -> Result<()> {
    let image = PeFile64::parse(bytes)?;
    let mut certificates = AttributeCertificateIterator::new(&image)
        .map_err(|error| anyhow!("its certificate table: {error:?}"))?
        .context("it is not signed")?;
    let first = certificates.next().context("it is not signed")?.map_err(|error| anyhow!("{error:?}"))?;
    let signature =
        first.get_authenticode_signature().map_err(|error| anyhow!("its signature: {error:?}"))?;
    ensure!(signature.digest() == digest::image(bytes)?, "its signature is over another image");
    let pages = first.data.windows(PAGE_HASHES.len()).any(|window| window == PAGE_HASHES);
    ensure!(pages, "its signature has no page hashes");
    Ok(())
}
