//! INF files: read, filled in as stampinf does, and checked. This is not Microsoft's InfVerif, which runs on Windows
//! only; it knows the rules that this driver's package must keep.

mod check;
mod copy;
mod install;
mod settings;
mod stamp;
#[cfg(test)]
mod tests;
mod version;

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

pub(crate) use check::{Package, check};
pub(crate) use stamp::{Stamp, stamp};

/// A line of a section: `key = field, field`, or `field, field` without a key.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Its number in the file, from 1.
    number: usize,
    key: Option<String>,
    fields: Vec<String>,
}

impl Line {
    /// A field, empty if it is not there.
    fn field(&self, index: usize) -> &str {
        self.fields.get(index).map_or("", String::as_str)
    }

    /// Whether the line's key is this one; INF names have no case.
    fn is(&self, key: &str) -> bool {
        self.key.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(key))
    }
}

/// A section.
#[derive(Debug)]
pub(crate) struct Section {
    number: usize,
    name: String,
    lines: Vec<Line>,
}

impl Section {
    /// The line of a key.
    fn line(&self, key: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.is(key))
    }

    /// The line of a key that must be there.
    fn need(&self, key: &str) -> Result<&Line> {
        self.line(key).with_context(|| format!("[{}] at line {} has no {key}", self.name, self.number))
    }

    /// Whether a key has this one value.
    fn require(&self, key: &str, value: &str) -> Result<()> {
        let line = self.need(key)?;
        let same = line.fields.len() == 1 && line.field(0).eq_ignore_ascii_case(value);
        ensure!(same, "line {}: {key} is {}, and must be {value}", line.number, line.fields.join(","));
        Ok(())
    }
}

/// A whole file.
#[derive(Debug)]
pub(crate) struct Inf {
    sections: Vec<Section>,
    strings: BTreeMap<String, String>,
}

impl Inf {
    /// Reads a file.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut sections: Vec<Section> = Vec::new();
        for (index, raw) in text.lines().enumerate() {
            let number = index + 1;
            ensure!(raw.is_ascii(), "line {number}: a character beyond ASCII; code pages differ");
            let line = without_comment(raw).trim();
            if line.is_empty() {
                continue;
            }
            if let Some(rest) = line.strip_prefix('[') {
                let name =
                    rest.strip_suffix(']').with_context(|| format!("line {number}: `[` without `]`"))?;
                let twice = sections.iter().any(|section| section.name.eq_ignore_ascii_case(name));
                ensure!(!twice, "line {number}: [{name}] is there twice");
                sections.push(Section { number, name: name.to_owned(), lines: Vec::new() });
                continue;
            }
            let section =
                sections.last_mut().with_context(|| format!("line {number} stands in no section"))?;
            section.lines.push(split(line, number)?);
        }
        let strings = sections.iter().find(|section| section.name.eq_ignore_ascii_case("Strings"));
        let pairs = strings.into_iter().flat_map(|section| &section.lines).filter_map(|line| {
            let key = line.key.as_ref()?.to_ascii_lowercase();
            Some((key, line.field(0).to_owned()))
        });
        Ok(Self { strings: pairs.collect(), sections })
    }

    /// A section that must be there, and who needs it.
    fn section(&self, name: &str, whence: &str) -> Result<&Section> {
        let found = self.sections.iter().find(|section| section.name.eq_ignore_ascii_case(name));
        found.with_context(|| format!("there is no [{name}], which {whence} needs"))
    }

    /// Puts the `[Strings]` into a field. Directory ids (`%13%`) stay.
    fn expand(&self, field: &str, number: usize) -> Result<String> {
        let mut parts = field.split('%');
        let mut text = parts.next().unwrap_or_default().to_owned();
        while let Some(name) = parts.next() {
            let rest = parts.next().with_context(|| format!("line {number}: a single % in `{field}`"))?;
            match self.strings.get(&name.to_ascii_lowercase()) {
                Some(value) => text += value,
                None if name.is_empty() => text.push('%'),
                None if name.bytes().all(|byte| byte.is_ascii_digit()) => text += &format!("%{name}%"),
                None => anyhow::bail!("line {number}: %{name}% is not in [Strings]"),
            }
            text += rest;
        }
        Ok(text)
    }
}

/// The line up to a `;` that stands outside quotation marks.
fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    let end = line.char_indices().find(|(_, letter)| {
        quoted ^= *letter == '"';
        *letter == ';' && !quoted
    });
    end.map_or(line, |(at, _)| &line[..at])
}

/// Splits at a letter that stands outside quotation marks.
fn outside(text: &str, letter: char) -> Vec<&str> {
    let mut quoted = false;
    text.split(|other| {
        quoted ^= other == '"';
        other == letter && !quoted
    })
    .collect()
}

fn split(line: &str, number: usize) -> Result<Line> {
    ensure!(
        line.matches('"').count().is_multiple_of(2),
        "line {number}: a quotation mark without its partner"
    );
    ensure!(!line.ends_with('\\'), "line {number}: continued lines are not read here");
    let halves = outside(line, '=');
    let (key, rest) = match halves[..] {
        [rest] => (None, rest),
        [key, rest] => (Some(plain(key)), rest),
        _ => anyhow::bail!("line {number}: more than one `=`"),
    };
    let fields: Vec<String> = outside(rest, ',').into_iter().map(plain).collect();
    let fields = if fields == [""] { Vec::new() } else { fields };
    Ok(Line { number, key, fields })
}

fn plain(field: &str) -> String {
    let field = field.trim();
    field.strip_prefix('"').and_then(|field| field.strip_suffix('"')).unwrap_or(field).to_owned()
}
