//! What the tests need of the machine beside Rust, installed where that is allowed.

use std::process::{Command, Stdio};

/// A program and the Debian package that has it.
struct Need {
    program: &'static str,
    package: &'static str,
    purpose: &'static str,
}

const NEEDS: [Need; 1] =
    [Need { program: "cc", package: "build-essential", purpose: "links Rust programs and builds zstd" }];

fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

fn apt(arguments: &[&str]) -> bool {
    let quiet = Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").status();
    quiet.is_ok_and(|status| status.success())
}

/// Installs what is missing and says so. False when something needed cannot be had.
pub(crate) fn install() -> bool {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| !is_there(need.program)).collect();
    for need in &missing {
        println!("xtask: installing the Debian package {} ({})", need.package, need.purpose);
    }
    if missing.is_empty() {
        return true;
    }
    let mut install = vec!["install", "-y", "--no-install-recommends"];
    install.extend(missing.iter().map(|need| need.package));
    let installed = apt(&["update", "-q"]) && apt(&install);
    if !installed {
        let names: Vec<&str> = missing.iter().map(|need| need.package).collect();
        eprintln!("xtask: could not install {}: install it and try again", names.join(" "));
    }
    installed
}
