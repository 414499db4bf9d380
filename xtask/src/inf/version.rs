//! `[Version]`: "INF Version Section".

use anyhow::{Context, Result, ensure};

use super::Inf;
use super::check::Package;

/// "System-Defined Device Setup Classes Available to Vendors".
const CLASS: (&str, &str) = ("ComputeAccelerator", "{F01A9D53-3FF6-48D2-9F97-C8A7004BE10C}");

pub(super) fn check(inf: &Inf, package: &Package<'_>) -> Result<()> {
    let version = inf.section("Version", "every INF")?;
    version.require("Signature", "$WINDOWS NT$")?;
    version.require("Class", CLASS.0)?;
    version.require("ClassGuid", CLASS.1)?;
    version.require("CatalogFile", &format!("{}.cat", package.name))?;
    // Nobody but the system writes what the driver store holds.
    version.require("PnpLockdown", "1")?;
    let provider = version.need("Provider")?;
    let name = inf.expand(provider.field(0), provider.number)?;
    ensure!(!name.is_empty() && name != "Microsoft", "line {}: a Provider of one's own", provider.number);
    driver_version(version.need("DriverVer")?)
}

/// "INF DriverVer Directive": `mm/dd/yyyy,w.x.y.z`.
fn driver_version(line: &super::Line) -> Result<()> {
    let what =
        || format!("line {}: DriverVer is `{}`, not mm/dd/yyyy,w.x.y.z", line.number, line.fields.join(","));
    let numbers = |text: &str, separator: char| -> Result<Vec<u32>> {
        text.split(separator).map(|part| part.parse().with_context(what)).collect()
    };
    ensure!(line.fields.len() == 2, what());
    let dated = match numbers(line.field(0), '/')?[..] {
        [month, day, year] => (1..=12).contains(&month) && (1..=31).contains(&day) && year >= 2024,
        _ => false,
    };
    let parts = numbers(line.field(1), '.')?;
    ensure!(dated && parts.len() == 4 && parts.iter().all(|part| *part <= 65535), what());
    Ok(())
}
