//! Registry values that the INF writes: "INF AddReg Directive".

use anyhow::{Context, Result, ensure};

use super::check::Seen;
#[cfg(test)]
use super::install;
use super::{Inf, Line};

/// FLG_ADDREG_BINVALUETYPE and FLG_ADDREG_NOCLOBBER; the registry's type is in the upper half.
const BINARY: u64 = 0x1;
const KEEP: u64 = 0x2;
const REG_DWORD: u64 = 4;
const REG_QWORD: u64 = 11;
/// FLG_ADDREG_TYPE_DWORD has a number of its own in the upper half.
const DWORD_FLAG: u64 = 1;

/// A number as INF files write it: decimal, or hexadecimal after 0x.
pub(super) fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Checks a section of values, and gives them.
pub(super) fn check(inf: &Inf, name: &str, seen: &mut Seen) -> Result<Vec<(String, u64)>> {
    let section = inf.section(name, "AddReg")?;
    seen.insert(name.to_ascii_lowercase());
    let mut values: Vec<(String, u64)> = Vec::new();
    for line in &section.lines {
        let (name, value) = value(inf, line)?;
        let twice = values.iter().any(|(other, _)| other.eq_ignore_ascii_case(&name));
        ensure!(!twice, "line {}: {name} is set twice", line.number);
        values.push((name, value));
    }
    Ok(values)
}

fn value(inf: &Inf, line: &Line) -> Result<(String, u64)> {
    let at = line.number;
    ensure!(
        line.field(0).eq_ignore_ascii_case("HKR") && line.field(1).is_empty(),
        "line {at}: an isolated package writes under its own software key, HKR, only"
    );
    let name = line.field(2);
    ensure!(!name.is_empty(), "line {at}: a value without a name");
    let flags = number(&inf.expand(line.field(3), at)?)
        .with_context(|| format!("line {at}: the flags are no number"))?;
    ensure!(flags & KEEP != 0, "line {at}: an update would undo what an administrator has set (NOCLOBBER)");
    ensure!(flags & 0xFFFF == BINARY | KEEP, "line {at}: {flags:#x} are no flags of a number");
    let data = line.fields.get(4..).unwrap_or_default();
    let value = match (flags >> 16, data) {
        (DWORD_FLAG | REG_DWORD, [text]) => {
            number(text).filter(|value| *value <= u64::from(u32::MAX)).context("a REG_DWORD holds 32 bits")
        }
        (REG_QWORD, bytes) if bytes.len() == 8 => {
            qword(bytes).context("a REG_QWORD is eight bytes in hexadecimal")
        }
        (REG_QWORD, _) => Err(anyhow::anyhow!("a REG_QWORD is eight bytes in hexadecimal")),
        _ => Err(anyhow::anyhow!("the driver reads REG_DWORD and REG_QWORD only")),
    };
    Ok((name.to_owned(), value.with_context(|| format!("line {at}: {name}"))?))
}

fn qword(bytes: &[String]) -> Option<u64> {
    let bytes: Vec<u8> = bytes.iter().map(|byte| u8::from_str_radix(byte, 16).ok()).collect::<Option<_>>()?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

/// All values that the install sections write.
#[cfg(test)]
pub(super) fn all(inf: &Inf, package: &super::check::Package<'_>) -> Vec<(String, u64)> {
    let mut seen = Seen::new();
    let installs = install::models(inf, package, &mut seen).unwrap();
    let names = installs.iter().flat_map(|install| &install.need("AddReg").unwrap().fields);
    names.flat_map(|name| check(inf, name, &mut seen).unwrap()).collect()
}
