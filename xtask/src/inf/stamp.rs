//! Fills an .inx in, as stampinf does on Windows.

use anyhow::{Result, ensure};

/// What stampinf is told: `-a amd64 -d date -v version -c catalog`.
pub(crate) struct Stamp<'a> {
    /// mm/dd/yyyy.
    pub(crate) date: &'a str,
    /// w.x.y.z.
    pub(crate) version: &'a str,
    /// The catalog's file name.
    pub(crate) catalog: &'a str,
}

/// Gives the INF of an .inx, with Windows' line ends.
pub(crate) fn stamp(inx: &str, stamp: &Stamp<'_>) -> Result<String> {
    let mut filled = [false; 2];
    let mut text = String::new();
    for line in inx.lines() {
        let key = line.split('=').next().unwrap_or_default().trim();
        let line = match key.to_ascii_lowercase().as_str() {
            "driverver" => {
                filled[0] = true;
                format!("DriverVer   = {},{}", stamp.date, stamp.version)
            }
            "catalogfile" => {
                filled[1] = true;
                format!("CatalogFile = {}", stamp.catalog)
            }
            _ => line.replace("$ARCH$", "amd64"),
        };
        text += &line;
        text += "\r\n";
    }
    ensure!(filled == [true; 2], "the .inx needs a DriverVer and a CatalogFile to be filled in");
    Ok(text)
}
