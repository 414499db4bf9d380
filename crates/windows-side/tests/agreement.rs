//! What only Windows can run, as far as it can be checked without: the scripts parse and begin as they should, and the
//! names, numbers and settings that scripts, runbook, INF and driver share agree.

use std::collections::BTreeSet;
use windows_side::{first_cell, read, refused, root, rows, script, scripts};

const SETTINGS: &str = "| name | unit | default | limits |";

#[test]
fn the_scripts_parse() {
    let names = scripts(&[".ps1", ".psm1"]);
    assert!(names.len() >= 8, "{names:?}");
    for name in names {
        assert_eq!(refused(&script(&name)), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn the_parser_notices_what_is_wrong() {
    let source = script("verifier.ps1");
    let broken = source.replacen("if ($Off) {", "if ($Off {", 1);
    assert_ne!(source, broken);
    assert!(!refused(&broken).is_empty());
}

#[test]
fn the_scripts_have_help_and_are_strict() {
    for name in scripts(&[".ps1", ".psm1"]) {
        let text = script(&name);
        assert!(text.contains("\nSet-StrictMode -Version Latest\n"), "{name} is not strict");
        assert!(text.contains("\n$ErrorActionPreference = 'Stop'\n"), "{name} goes on after an error");
    }
    for name in scripts(&[".ps1"]) {
        let text = script(&name);
        for part in [
            ".SYNOPSIS",
            ".DESCRIPTION",
            ".EXAMPLE",
            "Never run on Windows",
            "SupportsShouldProcess",
            "\ntrap {",
        ] {
            assert!(text.contains(part), "{name} lacks {part}");
        }
        let parameters =
            text.split_once("\nparam(").expect("parameters").1.split_once("\n)").expect("their end").0;
        for parameter in parameters.lines().filter_map(|line| line.split_once(" $")) {
            let end = parameter.1.find(|c: char| !c.is_alphanumeric()).unwrap_or(parameter.1.len());
            let named = &parameter.1[..end];
            assert!(text.contains(&format!(".PARAMETER {named}\n")), "{name} does not explain -{named}");
        }
    }
}

#[test]
fn every_task_has_its_script_and_every_script_its_task() {
    let makefile = read("Makefile.toml");
    for name in scripts(&[".ps1"]) {
        assert!(makefile.contains(&format!("\"scripts/windows/{name}\"")), "no task runs {name}");
    }
    let called = makefile.match_indices("\"scripts/windows/");
    for (at, _) in called {
        let path = makefile[at + 1..].split('"').next().expect("a path");
        assert!(root().join(path).is_file(), "{path} is missing");
    }
}

#[test]
fn the_trace_profile_names_the_provider() {
    let guid = tracelogging::Guid::from_name("GpupKmd");
    let bytes = guid.to_bytes_be();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let text = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-");
    for file in ["scripts/windows/gpup.wprp", "docs/windows.md"] {
        assert!(read(file).contains(&text), "{file} does not name GpupKmd as {text}");
    }
    assert!(read("src/os/nt/log.rs").contains("\"GpupKmd\""), "the driver's provider has another name");
}

#[test]
fn the_settings_are_the_driver_s() {
    let driver = rows(&read("src/settings.rs"), SETTINGS);
    assert!(driver.len() >= 12, "{driver:?}");
    assert_eq!(rows(&read("docs/windows.md"), SETTINGS), driver);

    let install = script("install.ps1");
    let inf = read("inf/gpup_kmd.inx");
    for name in driver.iter().map(|row| first_cell(row)) {
        assert!(install.contains(&format!("'{name}'")), "install.ps1 cannot set {name}");
        assert!(inf.contains(&format!("HKR,,{name},")), "the INF has no {name}");
    }
    let wide: BTreeSet<&str> = inf
        .lines()
        .filter(|line| line.contains("%REG_QWORD_KEEP%"))
        .filter_map(|line| line.strip_prefix("HKR,,")?.split(',').next())
        .collect();
    assert_eq!(wide, BTreeSet::from(["VramBytes"]));
    assert!(install.contains("$wide = @('VramBytes')"), "install.ps1 writes another type than the INF");
}

#[test]
fn the_shared_names_agree() {
    let inf = read("inf/gpup_kmd.inx");
    for id in ["Root\\GPUP_KMD", "ACPI\\GPUP0001"] {
        assert!(inf.contains(&format!("GpupKmd_Install, {id}\n")), "the INF has no {id}");
    }
    assert!(inf.contains("AddService = gpup_kmd,"));
    assert!(read("scripts/windows/ssdt/gpup0001.asl").contains("Name (_HID, \"GPUP0001\")"));

    let driver = read("src/ddi/partition.rs");
    let digits = driver.split_once("GUID::from_u128(0x").expect("the COM class").1;
    let digits: String = digits.split(')').next().expect("its end").replace('_', "");
    let class = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-");
    for file in ["scripts/windows/livemigrate.ps1", "docs/windows.md"] {
        assert!(read(file).contains(&class), "{file} names another class than {class}");
    }
}
