//! What the machine boots: Debian's kernel, not installed here, and an initramfs with `gpup`.

use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::machine::SLOT;
use crate::command::{output, run};
use crate::cross;

/// Depends on the newest kernel for virtual machines. It has what the run needs built in.
const NEWEST_KERNEL: &str = "linux-image-cloud-amd64";
/// Free memory of the VF that its guest fills, in percent: some 8192 of 16384 pages, of which
/// [`super::judge::FEWEST_PAGES`] must be seen.
const FILL: &str = "50";

/// The kernel's image below `folder`, fetched if it is not there.
pub(super) fn kernel(folder: &Path) -> Result<PathBuf> {
    let package = match newest() {
        Ok(package) => package,
        Err(_) => {
            run(Command::new("apt-get").args(["update", "-q"]))?;
            newest()?
        }
    };
    let unpacked = folder.join(&package);
    if let Ok(image) = image(&unpacked) {
        return Ok(image);
    }
    println!("qemu: fetching the Debian package {package}");
    let fetched = folder.join("fetched");
    if fetched.exists() {
        fs::remove_dir_all(&fetched)?;
    }
    fs::create_dir(&fetched)?;
    let fetch = || run(Command::new("apt-get").args(["download", "-q", &package]).current_dir(&fetched));
    // The lists may name a version that is no longer there.
    if fetch().is_err() {
        run(Command::new("apt-get").args(["update", "-q"]))?;
        fetch()?;
    }
    let deb = only_file(&fetched, "linux-image-")?;
    let contents = fetched.join("contents");
    run(Command::new("dpkg-deb").arg("-x").arg(deb).arg(&contents))?;
    fs::create_dir_all(unpacked.join("boot"))?;
    let found = image(&contents)?;
    let name = found.file_name().context("no name")?;
    fs::rename(&found, unpacked.join("boot").join(name))?;
    fs::remove_dir_all(&fetched)?;
    image(&unpacked)
}

/// The name of the newest kernel's package.
fn newest() -> Result<String> {
    let answer = output(Command::new("apt-cache").args(["depends", NEWEST_KERNEL]))?;
    depended(&answer).with_context(|| format!("{NEWEST_KERNEL} depends on no kernel:\n{answer}"))
}

/// The kernel's package in the answer of `apt-cache depends`.
fn depended(answer: &str) -> Option<String> {
    let names = answer.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
    names.map(str::to_owned).find(|name| name.starts_with("linux-image-"))
}

fn image(unpacked: &Path) -> Result<PathBuf> {
    only_file(&unpacked.join("boot"), "vmlinuz-")
}

/// The first file in `folder` whose name begins with `prefix`.
fn only_file(folder: &Path, prefix: &str) -> Result<PathBuf> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            return Ok(entry.path());
        }
    }
    bail!("{} has no file {prefix}*", folder.display())
}

/// Builds `gpup` and packs it with all it needs.
pub(super) fn initramfs(folder: &Path) -> Result<PathBuf> {
    let tree = folder.join("root");
    if tree.exists() {
        fs::remove_dir_all(&tree)?;
    }
    for part in ["bin", "dev", "proc", "sys", "tmp"] {
        fs::create_dir_all(tree.join(part))?;
    }
    let gpup = gpup()?;
    fs::copy(&gpup, tree.join("bin/gpup"))?;
    fs::copy("/bin/busybox", tree.join("bin/busybox")).context("cannot copy busybox")?;
    for library in libraries(&output(Command::new("ldd").arg(&gpup))?)? {
        let to = tree.join(library.trim_start_matches('/'));
        fs::create_dir_all(to.parent().context("no folder")?)?;
        fs::copy(&library, to).with_context(|| format!("cannot copy {library}"))?;
    }
    fs::write(tree.join("init"), init())?;
    fs::set_permissions(tree.join("init"), Permissions::from_mode(0o755))?;
    let packed = folder.join("initramfs.cpio");
    let pack = "find . | cpio --quiet -o -H newc";
    run(Command::new("sh").args(["-c", pack]).current_dir(&tree).stdout(File::create(&packed)?))?;
    Ok(packed)
}

/// The program that the README's command runs. Built like that, it is built once for both.
fn gpup() -> Result<PathBuf> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--locked", "--bin", "gpup"]);
    cargo.arg("--message-format=json-render-diagnostics").current_dir(cross::root()).stdin(Stdio::null());
    let mut child = cargo.stdout(Stdio::piped()).spawn().context("cannot run cargo")?;
    let messages = BufReader::new(child.stdout.take().context("no output")?);
    let mut program = None;
    for line in messages.lines() {
        let message: serde_json::Value =
            serde_json::from_str(&line?).context("cargo's message is no JSON")?;
        program = message["executable"].as_str().map(PathBuf::from).or(program);
    }
    ensure!(child.wait()?.success(), "gpup does not build");
    program.context("cargo built no program")
}

/// The files in the answer of `ldd`.
fn libraries(answer: &str) -> Result<Vec<String>> {
    ensure!(!answer.contains("not found"), "gpup lacks a library:\n{answer}");
    let words = answer.lines().filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')));
    Ok(words.map(str::to_owned).collect())
}

/// The machine's first program. Its line `gpup exit` is what the judge reads.
fn init() -> String {
    format!(
        "#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mount -t devtmpfs devtmpfs /dev
$b ifconfig lo 127.0.0.1 up
/bin/gpup migrate --source-bar 0000:00:{SLOT:02x}.0 --back --vfs 2 --vf-size 64MiB --fill {FILL} \\
    --warm-up 300ms --cool-down 300ms 2>/tmp/errors
code=$?
[ $code = 0 ] || $b cat /tmp/errors
echo gpup exit $code
$b poweroff -f
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_what_the_package_depends_on() {
        let answer = "linux-image-cloud-amd64\n  Depends: linux-image-6.1.0-56-cloud-amd64\n  Conflicts: x\n";
        assert_eq!(depended(answer).unwrap(), "linux-image-6.1.0-56-cloud-amd64");
        assert_eq!(depended("linux-image-cloud-amd64\n  Conflicts: linux-image-1\n"), None);
    }

    #[test]
    fn libraries_are_files() {
        let answer = "\tlinux-vdso.so.1 (0x1)\n\tlibc.so.6 => /lib/libc.so.6 (0x2)\n\t/lib64/ld.so.2 (0x3)\n";
        assert_eq!(libraries(answer).unwrap(), ["/lib/libc.so.6", "/lib64/ld.so.2"]);
        assert!(libraries("\tlibm.so.6 => not found\n").is_err());
    }
}
