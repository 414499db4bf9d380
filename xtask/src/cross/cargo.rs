//! Cargo for x86_64-pc-windows-msvc, with a compiler that brings its library's source.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Result;

use super::wine::{CLANG, MINGW};
use super::{Driver, Kit, root, target, tools, wdk};
use crate::command::run;

const TRIPLE: &str = "x86_64-pc-windows-msvc";

/// Debian's rustc-web: its library's source is a package too, which a rustup without the target cannot offer.
const RUSTC: &str = "/usr/bin/rustc";

/// The clippy of the same compiler.
const CLIPPY: &str = "/usr/bin/cargo-clippy";

fn folder() -> PathBuf {
    target().join("build")
}

/// Where cargo puts the image of a driver; its companions lie beside it.
pub(super) fn linked(driver: &Driver) -> PathBuf {
    folder().join(TRIPLE).join("sys/deps").join(driver.library).with_extension("dll")
}

/// What bindgen's clang must be told to read mingw-w64's headers as if they were the WDK's.
fn clang_arguments() -> String {
    let headers =
        [CLANG, &format!("{MINGW}/ddk"), MINGW].map(|folder| format!("-isystem {folder}")).join(" ");
    // Windows 10: the level of the newest declarations that mingw-w64 has.
    format!("-nostdinc {headers} -D_WIN32_WINNT=0x0A00 -DWINVER=0x0A00 -DNTDDI_VERSION=0x0A000000")
}

/// Points a cargo command at the target, the compiler and the WDK-shaped folder.
fn crossing(command: &mut Command, kit: &Kit) {
    // The outer cargo's choices must not reach the inner one.
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTUP_TOOLCHAIN", "RUSTC_WORKSPACE_WRAPPER"] {
        command.env_remove(name);
    }
    command
        .current_dir(root())
        .stdin(Stdio::null())
        .env("RUSTC", RUSTC)
        // -Zbuild-std, with a compiler that calls itself stable.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTC_WRAPPER", &kit.tools.compiler)
        .env("CARGO_TARGET_X86_64_PC_WINDOWS_MSVC_LINKER", &kit.tools.linker)
        .env("CARGO_TARGET_DIR", folder())
        .env("WDKContentRoot", &kit.wdk)
        .env("Version_Number", wdk::VERSION)
        .env("LIBCLANG_PATH", "/usr/lib/llvm-19/lib")
        .env("BINDGEN_EXTRA_CLANG_ARGS_x86_64_pc_windows_msvc", clang_arguments())
        .env(tools::SHIM, &kit.shim.object)
        .env(tools::SHIM_IMPORTS, &kit.shim.imports);
}

/// `driver` and its features as arguments.
fn selection(driver: &Driver, features: &[&str]) -> Vec<String> {
    let mut arguments = vec!["-p".to_owned(), driver.package.to_owned(), "--lib".to_owned()];
    arguments.extend(
        ["--locked", "--profile", "sys", "-Zbuild-std=core,alloc", "--target", TRIPLE].map(Into::into),
    );
    arguments.extend(["--features".to_owned(), [&["kernel"], features].concat().join(",")]);
    arguments
}

/// `cargo rustc`, for the image alone: the rlib that the tools use would forbid LTO.
pub(super) fn build(driver: &Driver, features: &[&str], kit: &Kit) -> Result<()> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg("rustc").args(selection(driver, features)).args(["--crate-type", "cdylib"]);
    crossing(&mut cargo, kit);
    run(&mut cargo)
}

/// Clippy over what only Windows compiles, with warnings as errors.
pub(crate) fn clippy(driver: &Driver) -> Result<()> {
    let _alone = super::fresh::lock(&target())?;
    let kit = super::kit()?;
    let mut clippy = Command::new(CLIPPY);
    clippy.arg("clippy").args(selection(driver, &[])).args(["--", "-D", "warnings"]);
    crossing(&mut clippy, &kit);
    run(&mut clippy)
}
