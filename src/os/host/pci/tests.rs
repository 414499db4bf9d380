//! A folder stands for sysfs: the files have the names and the contents that Linux gives them.

use std::os::unix::fs::symlink;

use super::*;

/// Size of the BAR of the device that [`Sysfs`] has.
const BYTES: u64 = 1 << 20;

/// A folder with one device, 0000:00:04.0.
struct Sysfs(PathBuf);

impl Sysfs {
    /// Its memory begins at `start`: each test has addresses of its own.
    fn new(name: &str, start: u64) -> Self {
        let root = std::env::temp_dir().join(format!("gpup-pci-{}-{name}", std::process::id()));
        let device = root.join("0000:00:04.0");
        fs::create_dir_all(&device).unwrap();
        let none = "0x0000000000000000 0x0000000000000000 0x0000000000000000\n";
        let memory = format!("{start:#018x} {:#018x} 0x000000000014220c\n", start + BYTES - 1);
        fs::write(device.join("resource"), format!("{none}{none}{memory}")).unwrap();
        fs::write(device.join("enable"), "0\n").unwrap();
        for file in ["resource2", "resource2_wc"] {
            File::create(device.join(file)).unwrap().set_len(BYTES).unwrap();
        }
        Self(root)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.join("0000:00:04.0").join(file)
    }

    fn open(&self, location: &str) -> Result<Bar, Problem> {
        Bar::open_under(&self.0, location.parse().unwrap())
    }

    fn refusal(&self, location: &str) -> String {
        self.open(location).err().expect("it opens").to_string()
    }
}

impl Drop for Sysfs {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn what_is_mapped_inside_an_opened_bar_is_its_file() {
    let start = 0x40_0000_0000;
    let sysfs = Sysfs::new("map", start);
    let bar = sysfs.open("00:04.0").unwrap();
    assert_eq!((bar.to_string(), bar.range()), ("0000:00:04.0:2".into(), (start, BYTES)));
    assert!(bar.is_write_combined());
    assert_eq!(fs::read_to_string(sysfs.path("enable")).unwrap(), "1");
    let mapping = map(start + 8192, 4096).unwrap().unwrap();
    #[expect(unsafe_code, reason = "the memory is the test's")]
    // SAFETY: a page is mapped, and nobody else uses it.
    unsafe {
        mapping.base().unwrap().write(7);
    }
    assert_eq!(fs::read(sysfs.path("resource2_wc")).unwrap()[8192], 7);
    assert!(map(start - 1, 1).is_none() && map(start + BYTES, 1).is_none(), "outside, it is no BAR's");
    assert!(map(start + BYTES - 4096, 8192).unwrap().is_err(), "a mapping goes beyond the BAR");
    drop(bar);
    assert_eq!(fs::read_to_string(sysfs.path("enable")).unwrap(), "0");
    assert!(map(start, 4096).is_none(), "a BAR is still known when it is closed");
}

#[test]
fn without_a_write_combined_file_the_plain_one_is_taken() {
    let sysfs = Sysfs::new("plain", 0x41_0000_0000);
    fs::remove_file(sysfs.path("resource2_wc")).unwrap();
    fs::write(sysfs.path("enable"), "1\n").unwrap();
    let bar = sysfs.open("00:04.0:2").unwrap();
    assert!(!bar.is_write_combined());
    drop(bar);
    assert_eq!(fs::read_to_string(sysfs.path("enable")).unwrap(), "1\n", "it was enabled before");
}

#[test]
fn each_refusal_says_why_in_a_line() {
    let sysfs = Sysfs::new("refusals", 0x42_0000_0000);
    let said = sysfs.refusal("00:05.0");
    assert!(said.starts_with("no PCI device 0000:00:05.0:"), "{said}");
    assert!(sysfs.refusal("00:04.0:3").contains("no memory behind BAR 3"));
    let bar = sysfs.open("00:04.0").unwrap();
    assert!(sysfs.refusal("00:04.0").contains("in use by another host"));
    drop(bar);
    symlink("../drivers/vfio-pci", sysfs.path("driver")).unwrap();
    let said = sysfs.refusal("00:04.0");
    assert!(said.contains("the driver vfio-pci") && said.contains("drivers/vfio-pci/unbind"), "{said}");
}

#[test]
fn a_refused_open_leaves_the_device_as_it_was() {
    let sysfs = Sysfs::new("undone", 0x43_0000_0000);
    fs::remove_file(sysfs.path("resource2_wc")).unwrap();
    fs::remove_file(sysfs.path("resource2")).unwrap();
    let said = sysfs.refusal("00:04.0");
    assert!(said.contains("cannot open its memory"), "{said}");
    assert_eq!(fs::read_to_string(sysfs.path("enable")).unwrap(), "0");
}

#[test]
fn errors_of_the_kernel_have_their_reasons() {
    let at: Location = "00:04.0".parse().unwrap();
    let said = |code| Problem::of_io(at, "map its memory", io::Error::from_raw_os_error(code)).to_string();
    assert!(said(13).contains("run as root"));
    let eperm = said(1);
    assert!(eperm.contains("locked down") || eperm.contains("run as root"), "{eperm}");
    assert!(said(22).contains("cannot map its memory: Invalid argument"), "{}", said(22));
}
