//! An image made by hand that passes every check but that of the signature, for tests to spoil.

use object::pe;
use object::read::pe::PeFile64;
use object::write::pe::{NtHeaders, Writer};

use super::{Lists, Map, checksum};

/// The base that the image prefers.
const BASE: u64 = 0x1_8000_0000;

/// What can be different.
pub(super) struct Recipe {
    pub(super) imports: Vec<(&'static str, Vec<&'static str>)>,
    pub(super) machine: u16,
    pub(super) subsystem: u16,
    pub(super) dll_characteristics: u16,
    pub(super) relocations: bool,
    pub(super) entry_in_data: bool,
    pub(super) text_flags: u32,
    pub(super) text_name: [u8; 8],
    pub(super) thread_local: bool,
}

impl Recipe {
    /// The one that passes.
    pub(super) fn good() -> Self {
        Self {
            imports: vec![
                ("ntoskrnl.exe", vec!["ExAllocatePool2", "ExFreePool"]),
                ("hal.dll", vec!["KeQuery"]),
            ],
            machine: pe::IMAGE_FILE_MACHINE_AMD64,
            subsystem: pe::IMAGE_SUBSYSTEM_NATIVE,
            dll_characteristics: 0x1E0,
            relocations: true,
            entry_in_data: false,
            text_flags: pe::IMAGE_SCN_CNT_CODE | pe::IMAGE_SCN_MEM_EXECUTE | pe::IMAGE_SCN_MEM_READ,
            text_name: *b".text\0\0\0",
            thread_local: false,
        }
    }

    /// The image.
    pub(super) fn image(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(true, 0x1000, 0x200, &mut bytes);
        writer.reserve_dos_header_and_stub();
        writer.reserve_nt_headers(16);
        writer.reserve_section_headers(if self.relocations { 4 } else { 3 });
        let text = writer.reserve_section(self.text_name, self.text_flags, 0x100, 0x100);
        let data = writer.reserve_data_section(0x100, 0x100);
        let (table, descriptors) = imports(&self.imports, data.virtual_address + 0x1000);
        let idata = writer.reserve_rdata_section(u32::try_from(table.len()).unwrap());
        if self.relocations {
            writer.add_reloc(data.virtual_address, pe::IMAGE_REL_BASED_DIR64);
            writer.reserve_reloc_section();
        }
        writer.set_data_directory(pe::IMAGE_DIRECTORY_ENTRY_IMPORT, idata.virtual_address, descriptors);
        if self.thread_local {
            writer.set_data_directory(pe::IMAGE_DIRECTORY_ENTRY_TLS, data.virtual_address, 40);
        }
        writer.write_dos_header_and_stub().unwrap();
        writer.write_nt_headers(NtHeaders {
            machine: self.machine,
            time_date_stamp: 0,
            characteristics: pe::IMAGE_FILE_EXECUTABLE_IMAGE | pe::IMAGE_FILE_LARGE_ADDRESS_AWARE,
            major_linker_version: 14,
            minor_linker_version: 0,
            address_of_entry_point: if self.entry_in_data {
                data.virtual_address
            } else {
                text.virtual_address
            },
            image_base: BASE,
            major_operating_system_version: 10,
            minor_operating_system_version: 0,
            major_image_version: 0,
            minor_image_version: 0,
            major_subsystem_version: 10,
            minor_subsystem_version: 0,
            subsystem: self.subsystem,
            dll_characteristics: self.dll_characteristics,
            size_of_stack_reserve: 0x10_0000,
            size_of_stack_commit: 0x1000,
            size_of_heap_reserve: 0x10_0000,
            size_of_heap_commit: 0x1000,
        });
        writer.write_section_headers();
        writer.write_section(text.file_offset, &[0xC3; 0x100]);
        writer.write_section(data.file_offset, &[0; 0x100]);
        writer.write_section(idata.file_offset, &table);
        if self.relocations {
            writer.write_reloc_section();
        }
        with_checksum(bytes)
    }
}

/// An image with its checksum made right.
pub(super) fn with_checksum(mut bytes: Vec<u8>) -> Vec<u8> {
    let (at, sum) = {
        let image = PeFile64::parse(&*bytes).unwrap();
        (image.dos_header().nt_headers_offset() as usize + 88, checksum::of(&image, &bytes))
    };
    bytes[at..at + 4].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// The import directory at `base`: descriptors, and behind them each library's thunks and names.
fn imports(libraries: &[(&str, Vec<&str>)], base: u32) -> (Vec<u8>, u32) {
    let descriptors = (libraries.len() + 1) * 20;
    let mut head = Vec::new();
    let mut body: Vec<u8> = Vec::new();
    let place = |body: &[u8]| base + u32::try_from(descriptors + body.len()).unwrap();
    for (library, functions) in libraries {
        let mut thunks = Vec::new();
        for function in functions {
            thunks.push(u64::from(place(&body)));
            body.extend([0, 0]);
            body.extend(function.bytes());
            body.push(0);
        }
        let name = place(&body);
        body.extend(library.bytes().chain([0]));
        let thunk = place(&body);
        body.extend(thunks.iter().chain(&[0]).flat_map(|thunk| thunk.to_le_bytes()));
        head.extend([thunk, 0, 0, name, thunk].into_iter().flat_map(u32::to_le_bytes));
    }
    head.resize(descriptors, 0);
    let size = u32::try_from(head.len()).unwrap();
    head.extend(body);
    (head, size)
}

/// Lists that allow what the good image imports.
pub(super) fn lists() -> Lists {
    Lists::parse([
        "LIBRARY ntoskrnl.exe\nEXPORTS\n; a comment\nExAllocatePool2\nExFreePool ; another\nEtwRegister\n",
        "LIBRARY hal.dll\nEXPORTS\nKeQuery\n",
    ])
    .unwrap()
}

/// The map of the good image, with more lines.
pub(super) fn map(more: &str) -> Map {
    Map::parse(&format!(
        " 0001:00000000       DriverEntry                0000000180001000     gpup_kmd.o\n \
         0001:00000010       ExAllocatePool2            0000000180001010     ntoskrnl:ntoskrnl.exe\n{more}"
    ))
    .unwrap()
}
