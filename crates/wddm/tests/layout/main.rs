//! Compares every declaration of the crate with the facts in `facts/`: sizes, alignments, offsets, bit positions,
//! enumerators, numbers, GUIDs and signatures, in both directions. `second` compares them with what others say.

mod check;
mod declared;
mod facts;
mod second;
mod source;

use check::Problems;
use declared::Declared;
use facts::Facts;

fn problems() -> (Declared, Facts, Problems) {
    (Declared::from_crate(), Facts::load(), Problems::default())
}

#[test]
fn structures_agree() {
    let (declared, facts, mut problems) = problems();
    check::types(&declared, &facts, &mut problems);
    println!("structures: {}", facts.confidence(&facts.structs));
    problems.none();
}

#[test]
fn enumerations_agree() {
    let (declared, facts, mut problems) = problems();
    check::enums(&declared, &facts, &mut problems);
    println!("enumerations: {}", facts.confidence(&facts.enums));
    problems.none();
}

#[test]
fn numbers_and_guids_agree() {
    let (declared, facts, mut problems) = problems();
    check::constants(&declared, &facts, &mut problems);
    check::guids(&declared, &facts, &mut problems);
    println!("numbers: {}", facts.confidence(&facts.constants));
    println!("GUIDs: {}", facts.confidence(&facts.guids));
    problems.none();
}

#[test]
fn signatures_agree() {
    let (declared, facts, mut problems) = problems();
    check::callbacks(&declared, &facts, &mut problems);
    println!("callbacks: {}", facts.confidence(&facts.callbacks));
    problems.none();
}

#[test]
fn function_tables_agree() {
    let (declared, facts, mut problems) = problems();
    check::function_table(&declared, &facts, &facts::driver_initialization_data(), &mut problems);
    check::function_table(&declared, &facts, &facts::dxgkrnl_interface(), &mut problems);
    problems.none();
}

#[test]
fn the_header_s_second_names_are_aliases() {
    let facts = Facts::load();
    let mut aliases: Vec<_> = facts.aliases().collect();
    aliases.sort();
    assert_eq!(
        aliases,
        [
            ("DXGKARG_CALIBRATEGPUCLOCK", "DXGK_GPUCLOCKDATA"),
            ("DXGKARG_GETNODEMETADATA", "DXGK_NODEMETADATA")
        ]
    );
    let _: fn(wddm::DXGKARG_CALIBRATEGPUCLOCK) -> wddm::DXGK_GPUCLOCKDATA = |same| same;
    let _: fn(wddm::DXGKARG_GETNODEMETADATA) -> wddm::DXGK_NODEMETADATA = |same| same;
}

#[test]
fn nothing_is_declared_outside_the_macros() {
    source::scan().none();
}

/// The checker itself: each tampering must be noticed, and named.
mod checker {
    use super::*;

    fn after(tamper: impl FnOnce(&mut Declared)) -> Problems {
        let (mut declared, facts, mut problems) = problems();
        tamper(&mut declared);
        check::types(&declared, &facts, &mut problems);
        check::enums(&declared, &facts, &mut problems);
        check::callbacks(&declared, &facts, &mut problems);
        problems
    }

    #[test]
    fn finds_a_wrong_offset() {
        after(|declared| declared.field("DXGKARG_QUERYDIRTYBITDATA", "Buffer").offset += 8)
            .only("DXGKARG_QUERYDIRTYBITDATA.Buffer", &[]);
    }

    #[test]
    fn finds_a_wrong_offset_in_a_nested_type() {
        after(|declared| declared.field("DXGKARG_BUILDPAGINGBUFFER_TRANSFER_SOURCE_U", "pMdl").offset += 4)
            .only(
                "DXGKARG_BUILDPAGINGBUFFER.Transfer.Source.pMdl",
                &["DXGKARG_BUILDPAGINGBUFFER_TRANSFER_SOURCE_U"],
            );
    }

    #[test]
    fn finds_a_wrong_size() {
        after(|declared| declared.field("DXGK_MEMORYRANGE", "SizeInBytes").size = 4)
            .only("DXGK_MEMORYRANGE.SizeInBytes", &[]);
    }

    #[test]
    fn finds_a_wrong_alignment() {
        after(|declared| declared.types.get_mut("DXGK_NODEMETADATA").unwrap().align = 4)
            .only("DXGK_NODEMETADATA", &[]);
    }

    #[test]
    fn finds_a_missing_field() {
        after(|declared| {
            let fields = &mut declared.types.get_mut("DXGKARG_CREATEMEMORYBASIS").unwrap().fields;
            fields.retain(|field| field.name != "RangeCount");
        })
        .only("DXGKARG_CREATEMEMORYBASIS.RangeCount", &[]);
    }

    #[test]
    fn finds_a_missing_bit() {
        after(|declared| {
            let bits = declared.bits.get_mut("DXGK_GPUPCAPS_CAPS").unwrap();
            bits.fields.retain(|field| field.name != "LiveMigration");
        })
        .only("DXGK_GPUPCAPS.Caps.LiveMigration", &[]);
    }

    #[test]
    fn finds_a_moved_bit() {
        after(|declared| {
            let segment = &mut declared.bits.get_mut("DXGK_PTE_FLAGS").unwrap().fields;
            segment.iter_mut().find(|field| field.name == "Segment").unwrap().bit = 6;
        })
        .only("DXGK_PTE.Segment", &["DXGK_PTE_FLAGS.Segment"]);
    }

    #[test]
    fn finds_an_accessor_of_the_wrong_bits() {
        after(|declared| {
            let segment = &mut declared.bits.get_mut("DXGK_PTE_FLAGS").unwrap().fields;
            segment.iter_mut().find(|field| field.name == "Segment").unwrap().mask <<= 1;
        })
        .only("DXGK_PTE_FLAGS.Segment", &[]);
    }

    #[test]
    fn finds_a_missing_structure() {
        after(|declared| drop(declared.types.remove("DXGKARG_RESETENGINE"))).only("DXGKARG_RESETENGINE", &[]);
    }

    #[test]
    fn finds_a_structure_that_the_facts_do_not_know() {
        after(|declared| {
            let known = declared.types["LUID"].clone();
            declared.types.insert("DXGK_INVENTED".into(), known);
        })
        .only("DXGK_INVENTED", &[]);
    }

    #[test]
    fn finds_a_wrong_enumerator() {
        after(|declared| {
            let values = declared.enums.get_mut("DXGK_GPUP_MIGRATIONTYPE").unwrap();
            values.values.insert("DXGK_GPUP_MIGRATIONTYPE_TARGET".into(), 2);
        })
        .only("DXGK_GPUP_MIGRATIONTYPE", &[]);
    }

    #[test]
    fn finds_a_missing_parameter() {
        after(|declared| {
            drop(declared.callbacks.get_mut("DXGKDDI_ENDLIVEMIGRATION").unwrap().parameters.pop())
        })
        .only("DXGKDDI_ENDLIVEMIGRATION", &[]);
    }
}
