//! What the project needs of the machine beside Rust, installed where that is allowed.

use std::process::{Command, Stdio};

/// A Debian package and what it is for.
pub(crate) struct Need {
    package: &'static str,
    purpose: &'static str,
    /// A program that does as well, whichever package it came from.
    program: Option<&'static str>,
}

const fn need(package: &'static str, purpose: &'static str) -> Need {
    Need { package, purpose, program: None }
}

/// For every build.
pub(crate) const BASE: &[Need] = &[Need {
    package: "build-essential",
    purpose: "links Rust programs and builds zstd",
    program: Some("cc"),
}];

/// To build, sign and check the driver for Windows.
pub(crate) const CROSS: &[Need] = &[
    need("rustc-web", "compiles for Windows; the source of its library can be had"),
    need("rust-web-src", "the source of core and alloc, built for Windows"),
    need("rust-web-clippy", "lints the code that only Windows compiles"),
    need("clang-19", "compiles the shim for Wine"),
    need("libclang-19-dev", "reads the headers for wdk-sys"),
    need("lld-19", "links the driver"),
    need("llvm-19", "makes import libraries of the reviewed lists"),
    need("mingw-w64-x86-64-dev", "declares the kernel's functions"),
    need("openssl", "makes the test certificate"),
    need("osslsigncode", "signs the driver and its catalog, and verifies both"),
];

/// To load the driver under Wine.
pub(crate) const WINE: &[Need] = &[
    need("wine", "the NT kernel that the driver is loaded into"),
    need("wine64", "Wine's 64-bit half"),
    need("gcc-mingw-w64-x86-64-win32", "compiles the user-mode test program"),
];

/// To have VRAM in a PCI device's BAR.
pub(crate) const QEMU: &[Need] = &[
    Need {
        package: "qemu-system-x86",
        purpose: "the machine with the PCI device",
        program: Some("qemu-system-x86_64"),
    },
    need("busybox-static", "the machine's shell"),
    need("cpio", "packs what the machine boots"),
];

fn runs(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

impl Need {
    fn is_there(&self) -> bool {
        if let Some(program) = self.program
            && runs(program)
        {
            return true;
        }
        let asked = Command::new("dpkg-query").args(["-W", "-f=${db:Status-Status}", self.package]).output();
        asked.is_ok_and(|output| output.stdout == b"installed")
    }
}

fn apt(arguments: &[&str]) -> bool {
    let mut apt = Command::new("apt-get");
    apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    apt.status().is_ok_and(|status| status.success())
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Installs what is missing and says so. False when something needed cannot be had.
pub(crate) fn install(groups: &[&[Need]]) -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    let missing: Vec<&Need> = groups.iter().copied().flatten().filter(|need| !need.is_there()).collect();
    if missing.is_empty() {
        return true;
    }
    for need in &missing {
        println!("xtask: needs the Debian package {} ({})", need.package, need.purpose);
    }
    let names: Vec<&str> = missing.iter().map(|need| need.package).collect();
    let all = names.join(" ");
    let install = [&["install", "-y", "--no-install-recommends"], names.as_slice()].concat();
    if !is_root() {
        eprintln!("xtask: only root may install packages: as root, run `apt-get install {all}`");
        return false;
    }
    println!("xtask: installing {all}");
    let installed = apt(&["update", "-q"]) && apt(&install);
    if !installed {
        eprintln!("xtask: could not install them: see what `apt-get install {all}` says");
    }
    installed
}
