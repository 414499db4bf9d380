//! A good image passes, and each spoilt one is found.

use object::pe;

use super::synthetic::{Recipe, lists, map, with_checksum};
use super::{Lists, Map, inspect, signature};

fn complaint(bytes: &[u8]) -> String {
    format!("{:#}", inspect(bytes, &map(""), &lists()).expect_err("nothing complained"))
}

fn spoilt(spoil: impl FnOnce(&mut Recipe)) -> String {
    let mut recipe = Recipe::good();
    spoil(&mut recipe);
    complaint(&recipe.image())
}

fn without(flag: u16) -> String {
    spoilt(|recipe| recipe.dll_characteristics &= !flag)
}

#[track_caller]
fn says(complaint: &str, expected: &str) {
    assert!(complaint.contains(expected), "{complaint}");
}

#[test]
fn a_good_image_passes() {
    let report = inspect(&Recipe::good().image(), &map(""), &lists()).unwrap().to_string();
    says(&report, "imports: 2 from ntoskrnl.exe 1 from hal.dll");
    says(&report, ".text 256");
}

#[test]
fn headers_are_checked() {
    says(&spoilt(|recipe| recipe.machine = pe::IMAGE_FILE_MACHINE_ARM64), "not AMD64");
    says(&spoilt(|recipe| recipe.subsystem = pe::IMAGE_SUBSYSTEM_WINDOWS_GUI), "not native");
    says(&without(pe::IMAGE_DLLCHARACTERISTICS_NX_COMPAT), "/NXCOMPAT");
    says(&without(pe::IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE), "/DYNAMICBASE");
    says(&without(pe::IMAGE_DLLCHARACTERISTICS_HIGH_ENTROPY_VA), "/HIGHENTROPYVA");
    says(&without(pe::IMAGE_DLLCHARACTERISTICS_FORCE_INTEGRITY), "/INTEGRITYCHECK");
    says(&spoilt(|recipe| recipe.relocations = false), "no relocations");
    says(&spoilt(|recipe| recipe.thread_local = true), "thread-local storage");
    says(&complaint(b"MZ"), "no PE32+ image");
}

#[test]
fn sections_are_checked() {
    says(&spoilt(|recipe| recipe.text_flags |= pe::IMAGE_SCN_MEM_WRITE), ".text may be written and run");
    says(&spoilt(|recipe| recipe.text_flags |= pe::IMAGE_SCN_MEM_DISCARDABLE), ".text is discarded");
    says(&spoilt(|recipe| recipe.text_name = *b"PAGE\0\0\0\0"), "PAGE is pageable");
    says(&spoilt(|recipe| recipe.text_name = *b"INIT\0\0\0\0"), "INIT is not discarded");
    says(&spoilt(|recipe| recipe.entry_in_data = true), "no executable section");
}

#[test]
fn imports_are_checked() {
    let from = |library: &'static str, name: &'static str| {
        spoilt(|recipe| recipe.imports.push((library, vec![name])))
    };
    says(&from("ucrtbase.dll", "malloc"), "it imports from ucrtbase.dll");
    says(&from("kernel32.dll", "Sleep"), "it imports from kernel32.dll");
    says(
        &from("hal.dll", "HalReturnToFirmware"),
        "HalReturnToFirmware of hal.dll is not in the reviewed list",
    );
    says(
        &spoilt(|recipe| recipe.imports[0].1.retain(|name| *name != "ExAllocatePool2")),
        "ExAllocatePool2 is not",
    );
    says(&spoilt(|recipe| recipe.imports.clear()), "ExAllocatePool2 is not");
    let forbidden = Lists::parse(["LIBRARY ntoskrnl.exe\nEXPORTS\nExAllocatePoolWithTag\n"]).unwrap_err();
    says(&forbidden.to_string(), "pool comes from ExAllocatePool2");
    assert!(Lists::parse(["LIBRARY a\nx\nx\n"]).is_err() && Lists::parse(["x\n"]).is_err());
}

#[test]
fn code_of_ones_own_takes_no_imports_place() {
    let image = Recipe::good().image();
    let complaint = |line: &str| format!("{:#}", inspect(&image, &map(line), &lists()).unwrap_err());
    let line =
        |name: &str, origin: &str| format!(" 0001:00000020       {name} 0000000180001020     {origin}\n");
    says(&complaint(&line("ExAllocatePool2", "pool.o")), "ExAllocatePool2 is defined in the image by pool.o");
    says(
        &complaint(&line("ExAllocatePoolWithTag", "pool.o")),
        "ExAllocatePoolWithTag is defined in the image",
    );
    says(&complaint(&line("EtwRegister", "libx:etw.o")), "EtwRegister is defined in the image by libx:etw.o");
    says(&complaint(&line("helper", "shim.obj")), "comes from the shim");
    says(&complaint(&line("_DllMainCRTStartup", "libcmt:dll.obj")), "C run-time library");
    assert!(inspect(&image, &map(&line("EtwRegister", "ntoskrnl:ntoskrnl.exe")), &lists()).is_ok());
}

#[test]
fn the_system_enters_at_driver_entry() {
    let image = Recipe::good().image();
    for (text, expected) in [
        (" 0001:00000010  DriverEntry  0000000180001010  gpup_kmd.o\n", "and DriverEntry is at 0x180001010"),
        (" 0001:00000000  Other  0000000180001000  gpup_kmd.o\n", "no DriverEntry"),
    ] {
        says(&format!("{:#}", inspect(&image, &Map::parse(text).unwrap(), &lists()).unwrap_err()), expected);
    }
    assert!(Map::parse("nothing\n").is_err());
}

#[test]
fn the_checksum_is_over_every_byte() {
    let good = Recipe::good().image();
    for at in [2, good.len() / 2, good.len() - 1] {
        let mut bytes = good.clone();
        bytes[at] ^= 0x40;
        if at > 2 {
            says(&complaint(&bytes), "the checksum says");
        }
        assert!(inspect(&with_checksum(bytes), &map(""), &lists()).is_ok());
    }
}

#[test]
fn an_image_without_a_signature_is_refused() {
    says(&signature::check(&Recipe::good().image()).unwrap_err().to_string(), "not signed");
}
