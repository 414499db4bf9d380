//! `gpup check`: the driver against the contract, rule by rule.

use std::collections::BTreeMap;
use std::sync::Arc;

use dxgksim::check::{self, CheckRule, Finding, Kind, Verdict};
use dxgksim::dxgkrnl::{AdapterOptions, Driver};
use gpup_scene::calls::{Calls, calls};
use gpup_scene::checked::Checked;

use crate::args::Check;
use crate::exit::Failure;
use crate::json;
use crate::tell::say;
use crate::world;

/// Runs the command.
pub(crate) fn run(args: &Check) -> Result<(), Failure> {
    if args.markdown {
        say!("{}", check::markdown().trim_end_matches('\n'));
        return Ok(());
    }
    let wanted = wanted(&args.rule)?;
    let (driver, findings) = against_built_in(|rule| wanted.is_empty() || wanted.contains(&rule.id))?;
    json::set(&Checked::new(&findings, driver.contract()));
    if args.output.speaks() {
        print(&findings);
        say!("{}", summary(&findings, &calls(driver.contract())));
    }
    judge(&findings)
}

/// The rules that were named; none means all.
fn wanted(names: &[String]) -> Result<Vec<&'static str>, Failure> {
    let known = check::rules();
    let find = |name: &String| {
        let rule = known.iter().find(|rule| rule.id.eq_ignore_ascii_case(name));
        let hint = "`gpup check --markdown` lists them all";
        rule.map(|rule| rule.id).ok_or_else(|| Failure::usage(format!("no rule is called {name}: {hint}")))
    };
    names.iter().map(find).collect()
}

/// Checks the driver that is built in, freshly loaded.
pub fn against_built_in(wanted: impl Fn(&CheckRule) -> bool) -> anyhow::Result<(Arc<Driver>, Vec<Finding>)> {
    // Most rules provoke what the driver warns of.
    gpup_core::os::host::hush();
    let driver = world::load()?;
    let findings = check::run(&driver, &options(), wanted);
    Ok((driver, findings))
}

/// An adapter that is started often: little VRAM, little to page.
pub fn options() -> AdapterOptions {
    let path = r"\Registry\Machine\System\Check";
    for (name, value) in [("NumberOfVfs", 4), ("VramBytes", 64 << 20), ("ScatterMapReserve", 1)] {
        gpup_kmd::os::host::set_setting(path, name, value);
    }
    AdapterOptions {
        registry_path: path.into(),
        paging_va_bytes: 16 << 20,
        staging_bytes: 64 << 10,
        ..AdapterOptions::default()
    }
}

fn print(findings: &[Finding]) {
    let width = findings.iter().map(|finding| finding.rule.id.len()).max().unwrap_or(0);
    for Finding { rule, verdict } in findings {
        say!("{:width$}  {:8}  {:7}  {}", rule.id, rule.kind, verdict.word(), rule.page);
        if let Verdict::Broken(what) | Verdict::Skipped(what) = verdict {
            say!("{:width$}  {what}", "");
        }
    }
}

fn count(findings: &[Finding], word: &str) -> usize {
    findings.iter().filter(|finding| finding.verdict.word() == word).count()
}

/// Two lines: the functions that the driver gave, and the rules.
fn summary(findings: &[Finding], calls: &Calls) -> String {
    let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
    for finding in findings {
        *kinds.entry(finding.rule.kind).or_default() += 1;
    }
    let kinds: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let never: Vec<_> = calls.iter().filter(|(_, it)| it.called == 0).map(|(name, _)| *name).collect();
    format!(
        "{} functions of the driver, never called: {}\n{} rules ({}): {} kept, {} broken, {} skipped",
        calls.len(),
        if never.is_empty() { "none".into() } else { never.join(", ") },
        findings.len(),
        kinds.join(", "),
        count(findings, "kept"),
        count(findings, "broken"),
        count(findings, "skipped"),
    )
}

fn judge(findings: &[Finding]) -> Result<(), Failure> {
    let (broken, skipped) = (count(findings, "broken"), count(findings, "skipped"));
    match (broken, skipped) {
        (0, 0) => Ok(()),
        (0, skipped) => Err(Failure::Failed(format!("{skipped} rules could not be judged"))),
        (broken, _) => Err(Failure::Failed(format!("the driver broke {broken} rules"))),
    }
}
