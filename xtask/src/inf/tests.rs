//! The project's INF is right, and each deliberate error in it is found.

use super::{Inf, Package, Stamp, check, settings, stamp};

const PACKAGE: Package<'_> = crate::package::INF;

fn filled() -> String {
    let inx = std::fs::read_to_string(crate::cross::root().join("inf/gpup_kmd.inx")).unwrap();
    stamp(&inx, &Stamp { date: "11/24/2026", version: "0.1.0.0", catalog: "gpup_kmd.cat" }).unwrap()
}

/// The complaint about the file with one change, which must find its place.
fn complaint(from: &str, to: &str) -> String {
    let text = filled();
    assert!(text.contains(from), "no `{from}` to change");
    let changed = text.replacen(from, to, 1);
    let error = check(&changed, &PACKAGE).err();
    error.map_or_else(
        || panic!("`{from}` became `{to}`, and nothing complained"),
        |error| format!("{error:#}"),
    )
}

#[test]
fn the_projects_inf_is_right() {
    check(&filled(), &PACKAGE).unwrap();
}

#[test]
fn filling_in_leaves_nothing_open() {
    let text = filled();
    assert!(text.contains("[GpupKmd_Models.NTamd64.10.0...26100]\r\n"), "{text}");
    assert!(text.contains("DriverVer   = 11/24/2026,0.1.0.0\r\n"), "{text}");
    assert!(!text.contains("$ARCH$"), "{text}");
    assert!(stamp("[Version]\n", &Stamp { date: "", version: "", catalog: "" }).is_err());
}

#[test]
fn each_deliberate_error_is_found() {
    for (from, to, expected) in [
        // [Version].
        ("$WINDOWS NT$", "$CHICAGO$", "Signature is $CHICAGO$"),
        ("ComputeAccelerator", "Display", "Class is Display"),
        ("F01A9D53", "F01A9D54", "ClassGuid"),
        ("gpup_kmd.cat", "other.cat", "CatalogFile is other.cat"),
        ("CatalogFile =", "CatalogueFile =", "no CatalogFile"),
        ("11/24/2026,0.1.0.0", "2026-11-24,0.1.0.0", "DriverVer is"),
        ("11/24/2026,0.1.0.0", "13/24/2026,0.1.0.0", "DriverVer is"),
        ("11/24/2026,0.1.0.0", "11/24/2026,0.1.0", "DriverVer is"),
        ("PnpLockdown = 1", "PnpLockdown = 0", "PnpLockdown is 0"),
        // Files.
        ("DefaultDestDir = 13", "DefaultDestDir = 12", "driver store"),
        ("DefaultDestDir = 13", "GpupKmd_Files = 13", "no DefaultDestDir"),
        ("gpup_kmd.sys = 1,,", "gpup_kmd2.sys = 1,,", "gpup_kmd.sys is not in [SourceDisksFiles]"),
        ("gpup_kmd.sys = 1,,", "gpup_kmd.sys = 2,,", "disk 2, which has no name"),
        ("gpup_kmd.sys = 1,,", "gpup_kmd.sys = 1,,\r\nextra.dll = 1,,", "nothing copies it"),
        ("CopyFiles    = GpupKmd_Files", "CopyFiles    = GpupKmd_File", "no [GpupKmd_File]"),
        // Models.
        ("NTamd64.10.0...26100", "NTamd64.10.0...22000", "must be for NTamd64.10.0...26100"),
        ("NTamd64.10.0...26100", "NT$ARCH$", "not filled in"),
        ("Root\\GPUP_KMD", "Root\\GPUP_KMD2", "no model has the hardware id Root\\GPUP_KMD"),
        ("= GpupKmd_Install, ACPI\\GPUP0001", "= GpupKmd_Instal, ACPI\\GPUP0001", "no [GpupKmd_Instal]"),
        // The install section.
        ("FeatureScore = E3", "FeatureScore = high", "a byte in hexadecimal"),
        ("FeatureScore = E3", "FeatureScore = E3\r\nRegisterDlls = X", "no place in an isolated package"),
        ("[GpupKmd_Install.Services]", "[GpupKmd_Install.CoInstallers]", "no place in an isolated package"),
        ("[GpupKmd_Install.Services]", "[Other.Services]", "no [GpupKmd_Install.Services]"),
        ("AddReg       = GpupKmd_Settings", "AddReg       = GpupKmd_Setting", "no [GpupKmd_Setting]"),
        // Settings.
        ("HKR,,NumberOfVfs", "HKLM,,NumberOfVfs", "HKR, only"),
        ("HKR,,NumberOfVfs", "HKR,Sub,NumberOfVfs", "HKR, only"),
        ("HKR,,QuantumUs", "HKR,,NumberOfVfs", "NumberOfVfs is set twice"),
        ("NumberOfVfs,%REG_DWORD_KEEP%,4", "NumberOfVfs,%REG_DWORD_KEEP%,four", "a REG_DWORD holds 32 bits"),
        (
            "NumberOfVfs,%REG_DWORD_KEEP%,4",
            "NumberOfVfs,%REG_DWORD_KEEP%,0x100000000",
            "a REG_DWORD holds 32 bits",
        ),
        ("00,00,00,80,00,00,00,00", "00,00,00,80", "eight bytes"),
        ("REG_DWORD_KEEP = 0x00010003", "REG_DWORD_KEEP = 0x00010001", "NOCLOBBER"),
        ("REG_DWORD_KEEP = 0x00010003", "REG_DWORD_KEEP = 0x00020003", "REG_DWORD and REG_QWORD only"),
        ("%REG_DWORD_KEEP%", "%REG_DWORD%", "%REG_DWORD% is not in [Strings]"),
        // The service.
        ("AddService = gpup_kmd,", "AddService = gpup,", "the service is gpup"),
        ("0x00000002, GpupKmd_Service", "0x00000000, GpupKmd_Service", "the function driver"),
        ("0x00000002, GpupKmd_Service", "0x00000002, GpupKmd_Servic", "no [GpupKmd_Servic]"),
        ("ServiceType    = 1", "ServiceType    = 2", "ServiceType is 2"),
        ("StartType      = 3", "StartType      = 1", "StartType is 1"),
        ("%13%\\gpup_kmd.sys", "%12%\\gpup_kmd.sys", "ServiceBinary is %12%"),
        ("%13%\\gpup_kmd.sys", "%13%\\gpup.sys", "ServiceBinary is"),
        // Form.
        ("Provider    = \"gpup-kmd\"", "", "%Provider% is not in [Strings]"),
        ("DeviceName  =", "Unused = \"x\"\r\nDeviceName  =", "defined and not used"),
        ("[GpupKmd_Files]", "[GpupKmd_Files", "`[` without `]`"),
        ("[Strings]", "[Orphan]\r\nx = 1\r\n[Strings]", "nothing refers to [Orphan]"),
        ("[GpupKmd_Files]", "[GpupKmd_Service]\r\n[GpupKmd_Files]", "is there twice"),
        ("\"gpup-kmd driver package\"", "\"gpup-kmd driver package", "without its partner"),
        ("[Version]", "x = 1\r\n[Version]", "stands in no section"),
        ("GPU-P host", "GPU\u{2011}P host", "beyond ASCII"),
    ] {
        let text = complaint(from, to);
        assert!(text.contains(expected), "`{from}` became `{to}`: {text}");
    }
}

#[test]
fn comments_and_quotation_marks_are_read_as_setupapi_reads_them() {
    let inf = Inf::parse("[A] ; comment\r\nkey = \"a;b,c\", 2 ; comment\r\nx,,\"\"\r\n").unwrap();
    let lines = &inf.section("a", "the test").unwrap().lines;
    assert_eq!((lines[0].field(0), lines[0].field(1)), ("a;b,c", "2"));
    assert_eq!(lines[1].fields, ["x", "", ""]);
}

#[test]
fn what_the_inf_sets_is_the_drivers_default() {
    let text = filled();
    let mut written = settings::all(&Inf::parse(&text).unwrap(), &PACKAGE);
    let mut known: Vec<(String, u64)> =
        gpup_kmd::settings::defaults().map(|(name, value)| (name.to_owned(), value)).collect();
    written.sort();
    known.sort();
    assert_eq!(written, known, "inf/gpup_kmd.inx on the left, src/settings.rs on the right");
}
