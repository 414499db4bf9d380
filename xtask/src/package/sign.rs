//! Signing for tests, and the proof that signatures hold.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::command::{output, run};

/// The subject of the test certificate.
const SUBJECT: &str = "/CN=gpup-kmd test certificate";

/// A certificate for tests and its key, made on this machine and never committed.
pub(crate) struct Certificate {
    key: PathBuf,
    /// PEM, for osslsigncode.
    pem: PathBuf,
    /// DER, for Windows' certificate stores.
    pub(crate) der: PathBuf,
}

impl Certificate {
    /// The one in `folder`, made if it is not there yet.
    pub(crate) fn of(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let file = |name: &str| folder.join(name);
        let this = Self { key: file("gpup_kmd.key"), pem: file("gpup_kmd.pem"), der: file("gpup_kmd.cer") };
        if ![&this.key, &this.pem, &this.der].iter().all(|path| path.exists()) {
            this.make()?;
        }
        Ok(this)
    }

    fn make(&self) -> Result<()> {
        println!("making a test certificate in {}", self.der.display());
        let mut request = Command::new("openssl");
        request.args(["req", "-x509", "-newkey", "rsa:3072", "-nodes", "-sha256", "-days", "3650"]);
        request.args(["-subj", SUBJECT, "-addext", "extendedKeyUsage=critical,codeSigning"]);
        request.args([
            "-addext",
            "keyUsage=critical,digitalSignature",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ]);
        output(request.arg("-keyout").arg(&self.key).arg("-out").arg(&self.pem))?;
        let mut convert = Command::new("openssl");
        run(convert.args(["x509", "-outform", "DER", "-in"]).arg(&self.pem).arg("-out").arg(&self.der))
    }

    /// Signs an image or a catalog.
    pub(crate) fn sign(&self, from: &Path, to: &Path, page_hashes: bool) -> Result<()> {
        if to.exists() {
            std::fs::remove_file(to)?;
        }
        let mut sign = Command::new("osslsigncode");
        sign.args(["sign", "-h", "sha256", "-n", "gpup-kmd"]);
        if page_hashes {
            sign.arg("-ph");
        }
        sign.arg("-certs").arg(&self.pem).arg("-key").arg(&self.key);
        output(sign.arg("-in").arg(from).arg("-out").arg(to)).map(drop)
    }

    /// Verifies what is signed: an image or a catalog by itself, or a file by its catalog.
    pub(crate) fn verify(&self, file: &Path, catalog: Option<&Path>) -> Result<()> {
        let mut verify = Command::new("osslsigncode");
        verify.arg("verify").arg("-CAfile").arg(&self.pem);
        if let Some(catalog) = catalog {
            verify.arg("-catalog").arg(catalog);
        }
        let said =
            output(verify.arg("-in").arg(file)).with_context(|| format!("{} fails", file.display()))?;
        ensure!(said.contains("Succeeded"), "osslsigncode says nothing of success:\n{said}");
        Ok(())
    }
}
