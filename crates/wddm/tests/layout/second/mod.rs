//! The declarations against two other sources: the crate windows-sys, which is generated from Microsoft's headers, and
//! the headers of libdxg, which are older. Neither knows the whole interface; `coverage` says what neither knows.

mod compare;
mod coverage;
mod libdxg;
mod windows_sys;

use crate::check::Problems;
use crate::declared::Declared;
use crate::facts::Facts;
use compare::{Agreed, Source, compare};

fn compared(tamper: impl FnOnce(&mut Declared, &mut Source), source: Source) -> (Agreed, Problems) {
    let (mut declared, mut source) = (Declared::from_crate(), source);
    tamper(&mut declared, &mut source);
    compare(&declared, &Facts::load(), &source)
}

#[test]
fn windows_sys_agrees() {
    let (agreed, problems) = compared(|_, _| (), windows_sys::source());
    println!("windows-sys: {agreed}");
    problems.none();
}

#[test]
fn windows_sys_is_compared_as_a_whole() {
    windows_sys::forgotten(&Declared::from_crate(), &windows_sys::source()).none();
}

#[test]
fn libdxg_agrees() {
    let source = libdxg::source();
    let values: usize = source.enums.values().map(|it| it.values.len()).sum();
    let counts = [source.structs.len(), source.enums.len(), values, source.constants.len()];
    // As many as the README says: nobody else would notice an entry less of what windows-sys has too.
    assert_eq!(counts, [30, 20, 235, 39]);
    let (agreed, problems) = compared(|_, _| (), source);
    println!("libdxg: {agreed}");
    problems.none();
}

/// The comparison itself: each tampering, on either side, must be noticed and named.
mod checker {
    use super::*;

    fn after(tamper: impl FnOnce(&mut Declared, &mut Source)) -> Problems {
        compared(tamper, windows_sys::source()).1
    }

    #[test]
    fn finds_a_field_that_was_moved_here() {
        after(|declared, _| declared.field("DXGK_ADAPTER_PERFDATA", "Power").offset += 4)
            .only("DXGK_ADAPTER_PERFDATA.Power", &[]);
    }

    #[test]
    fn finds_a_field_that_was_moved_there() {
        after(|_, source| {
            source.structs.get_mut("LUID").unwrap().members.get_mut("HighPart").unwrap().offset = 8;
        })
        .only("LUID.HighPart", &[]);
    }

    #[test]
    fn finds_a_field_that_only_they_have() {
        after(|_, source| {
            let members = &mut source.structs.get_mut("LUID").unwrap().members;
            let more = members["HighPart"];
            members.insert("More".into(), more);
        })
        .only("LUID.More", &[]);
    }

    #[test]
    fn finds_a_field_that_only_we_have() {
        after(|_, source| {
            source.structs.get_mut("LUID").unwrap().members.remove("HighPart");
        })
        .only("LUID.HighPart", &[]);
    }

    #[test]
    fn finds_a_word_of_bit_fields_that_lies_elsewhere() {
        let name = "D3DDDI_CREATEHWCONTEXTFLAGS";
        after(|_, source| source.structs.get_mut(name).unwrap().words[0].0 = 4)
            .only(name, &["D3DDDI_CREATEHWCONTEXTFLAGS.Reserved"]);
    }

    #[test]
    fn finds_another_size() {
        after(|_, source| source.structs.get_mut("MDL").unwrap().size += 8).only("MDL", &[]);
    }

    #[test]
    fn finds_another_alignment() {
        after(|declared, _| declared.types.get_mut("GUID").unwrap().align = 1).only("GUID", &[]);
    }

    #[test]
    fn finds_another_enumerator() {
        after(|_, source| {
            let power = source.enums.get_mut("DEVICE_POWER_STATE").unwrap();
            power.values.insert("PowerDeviceD3".into(), 5);
        })
        .only("PowerDeviceD3", &[]);
    }

    #[test]
    fn finds_another_number() {
        after(|declared, _| *declared.constants.get_mut("STATUS_RETRY").unwrap() = 1)
            .only("STATUS_RETRY", &[]);
    }

    #[test]
    fn finds_another_guid() {
        let name = "CLASS_COMPUTEACCELERATOR";
        after(|declared, _| declared.guids.get_mut(name).unwrap().insert(0, '0')).only(name, &[]);
    }

    #[test]
    fn finds_an_exception_that_is_none() {
        after(|_, source| source.exceptions.push(("LUID", "a test"))).only("LUID", &[]);
    }

    #[test]
    fn finds_another_bit() {
        let (_, problems) = compared(
            |_, source| {
                let flags = source.structs.get_mut("DXGK_PTE").unwrap();
                flags.members.get_mut("Segment").unwrap().bits = Some((6, 5));
            },
            libdxg::source(),
        );
        problems.only("DXGK_PTE.Segment", &[]);
    }

    #[test]
    fn finds_what_the_list_forgets() {
        let mut source = windows_sys::source();
        source.structs.get_mut("LUID").unwrap().members.remove("HighPart");
        windows_sys::forgotten(&Declared::from_crate(), &source).only("LUID", &[]);
        for name in ["MDL", "DXGK_PTE_PAGE_SIZE", "STATUS_RETRY", "CLASS_COMPUTEACCELERATOR"] {
            let mut source = windows_sys::source();
            source.structs.remove(name);
            source.enums.remove(name);
            source.constants.remove(name);
            source.guids.remove(name);
            windows_sys::forgotten(&Declared::from_crate(), &source).only(name, &[]);
        }
    }
}
