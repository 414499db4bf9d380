//! From the manufacturer to the service: "INF Manufacturer Section", "INF DDInstall Section", "INF AddService
//! Directive".

use anyhow::{Context, Result, ensure};

use super::check::{Package, Seen};
use super::{Inf, Section, copy, settings};

/// Windows 11 24H2, the first with WDDM 3.2.
const TARGET: &str = "NTamd64.10.0...26100";

/// What a package that is isolated from the rest of the system may do: "DCH design principles".
const ALLOWED: [&str; 3] = ["CopyFiles", "AddReg", "FeatureScore"];

/// Sections that belong to an install section: [X.Services], for one.
const COMPANIONS: [&str; 1] = ["Services"];

/// SPSVCINST_ASSOCSERVICE: this is the device's function driver.
const ASSOCIATED: u32 = 2;

/// Checks the models and gives their install sections, each once.
pub(super) fn models<'a>(inf: &'a Inf, package: &Package<'_>, seen: &mut Seen) -> Result<Vec<&'a Section>> {
    let mut installs: Vec<&Section> = Vec::new();
    let mut ids = Vec::new();
    for line in &inf.section("Manufacturer", "every INF")?.lines {
        let target = line.field(1);
        ensure!(
            line.fields.len() == 2 && target.eq_ignore_ascii_case(TARGET),
            "line {}: the models are for `{}`, and must be for {TARGET}",
            line.number,
            line.fields.get(1..).unwrap_or_default().join(",")
        );
        let name = format!("{}.{target}", line.field(0));
        seen.insert(name.to_ascii_lowercase());
        for model in &inf.section(&name, "[Manufacturer]")?.lines {
            let section = inf.section(model.field(0), &format!("line {}", model.number))?;
            ensure!(model.fields.len() >= 2, "line {}: a model without a hardware id", model.number);
            ids.extend(model.fields[1..].iter().cloned());
            if !installs.iter().any(|other| std::ptr::eq(*other, section)) {
                installs.push(section);
            }
        }
    }
    for id in package.hardware_ids {
        ensure!(ids.iter().any(|own| own.eq_ignore_ascii_case(id)), "no model has the hardware id {id}");
    }
    Ok(installs)
}

/// Checks an install section and all it refers to.
pub(super) fn check(
    inf: &Inf,
    install: &Section,
    package: &Package<'_>,
    files: &[String],
    seen: &mut Seen,
) -> Result<()> {
    seen.insert(install.name.to_ascii_lowercase());
    for line in &install.lines {
        let key = line.key.as_deref().unwrap_or_default();
        let allowed = ALLOWED.iter().any(|name| name.eq_ignore_ascii_case(key));
        ensure!(allowed, "line {}: {key} has no place in an isolated package", line.number);
    }
    for section in &inf.sections {
        let prefix =
            section.name.split_once('.').filter(|(name, _)| name.eq_ignore_ascii_case(&install.name));
        let companion =
            prefix.is_none_or(|(_, rest)| COMPANIONS.iter().any(|name| name.eq_ignore_ascii_case(rest)));
        ensure!(companion, "line {}: [{}] has no place in an isolated package", section.number, section.name);
    }
    let score = install.need("FeatureScore")?;
    u8::from_str_radix(score.field(0), 16)
        .with_context(|| format!("line {}: FeatureScore is a byte in hexadecimal", score.number))?;
    let mut copied = Vec::new();
    for name in &install.need("CopyFiles")?.fields {
        copied.extend(copy::listed(inf, name, files, seen)?);
    }
    for file in files {
        let used = copied.iter().any(|name| name.eq_ignore_ascii_case(file));
        ensure!(used, "{file} is in [SourceDisksFiles], and nothing copies it");
    }
    for name in &install.need("AddReg")?.fields {
        settings::check(inf, name, seen)?;
    }
    service(inf, &format!("{}.Services", install.name), package, &copied, seen)
}

/// Checks the service of an install section.
fn service(inf: &Inf, name: &str, package: &Package<'_>, copied: &[String], seen: &mut Seen) -> Result<()> {
    seen.insert(name.to_ascii_lowercase());
    let services = inf.section(name, "a driver")?;
    let add = services.need("AddService")?;
    ensure!(services.lines.len() == 1, "line {}: one service, and nothing else", services.number);
    let number = add.number;
    ensure!(
        add.field(0) == package.name,
        "line {number}: the service is {}, not {}",
        add.field(0),
        package.name
    );
    let flags = settings::number(&inf.expand(add.field(1), number)?);
    ensure!(
        flags == Some(u64::from(ASSOCIATED)),
        "line {number}: the flags must be {ASSOCIATED} (the function driver)"
    );
    let section = inf.section(add.field(2), &format!("line {number}"))?;
    seen.insert(section.name.to_ascii_lowercase());
    // SERVICE_KERNEL_DRIVER, SERVICE_DEMAND_START, SERVICE_ERROR_IGNORE: "Setting the Start Type Value".
    for (key, value) in
        [("ServiceType", "1"), ("StartType", "3"), ("ErrorControl", "0"), ("LoadOrderGroup", "Video")]
    {
        section.require(key, value)?;
    }
    section.require("ServiceBinary", &format!("%13%\\{}.sys", package.name))?;
    let binary = format!("{}.sys", package.name);
    ensure!(copied.contains(&binary), "line {}: the service's {binary} is not copied", section.number);
    Ok(())
}
