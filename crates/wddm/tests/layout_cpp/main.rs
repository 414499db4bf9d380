//! The generator behind `layout_cpp`: its program accepts a header that agrees and names what does not.
//!
//! The WDK's headers are not here, so a small header written by hand stands for them, and `c++` for cl.
#![cfg(unix)]

#[path = "../../examples/layout_cpp/cpp.rs"]
mod cpp;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const SAMPLED: [&str; 8] = [
    "DXGKARG_GPUP_PREPARE_LIVE_MIGRATION",
    "DXGK_GPUPCAPS",
    "DXGK_INTERRUPT_TABLE_ENTRY",
    "DXGK_GPUP_MIGRATIONTYPE",
    "STATUS_BUFFER_TOO_SMALL",
    "DXGK_VIRTUALIZED_HOST_VIRTUAL_DEVICE",
    "DXGK_MMIO_RANGES_EMULATED_PAGE",
    "GUID_DXGKDDI_SRIOV_INTERFACE",
];

/// What the header does wrong, when that is noticed, and the words that name it.
const TAMPERINGS: [(&str, Noticed, &str); 7] = [
    ("TAMPER_NUMBER", Noticed::Compiling, "DXGK_VIRTUALIZED_HOST_VIRTUAL_DEVICE"),
    ("TAMPER_ENUMERATOR", Noticed::Compiling, "DXGK_GPUP_MIGRATIONTYPE_TARGET"),
    ("TAMPER_OFFSET", Noticed::Compiling, "DXGKARG_GPUP_PREPARE_LIVE_MIGRATION.vfIndex, offset"),
    ("TAMPER_SIZE", Noticed::Compiling, "size of DXGK_GPUPCAPS"),
    ("TAMPER_FIELD_SIZE", Noticed::Compiling, "DXGK_INTERRUPT_TABLE_ENTRY.MessageData, size"),
    ("TAMPER_BIT", Noticed::Running, "wrong: DXGK_GPUPCAPS.Caps.LiveMigration"),
    ("TAMPER_GUID", Noticed::Running, "wrong: GUID_DXGKDDI_SRIOV_INTERFACE"),
];

enum Noticed {
    Compiling,
    Running,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("layout_cpp")
}

fn compile(source: &Path, definition: &str) -> (Output, PathBuf) {
    let header = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/layout_cpp/sample.h");
    let program = folder().join(format!("layout-{definition}"));
    let output = Command::new("c++")
        .args(["-std=c++17", "-Wno-overflow"])
        .arg(format!("-DGPUP_LAYOUT_HEADER=\"{header}\""))
        .arg(format!("-D{definition}"))
        .arg(source)
        .arg("-o")
        .arg(&program)
        .output();
    (output.expect("c++ runs: install build-essential"), program)
}

fn run(program: &Path) -> Output {
    Command::new(program).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_header_that_agrees_passes_and_each_tampering_is_named() {
    std::fs::create_dir_all(folder()).expect("a folder");
    let source = folder().join("layout.cpp");
    let generated = cpp::program(&cpp::facts(), |name, _| SAMPLED.contains(&name));
    std::fs::write(&source, generated).expect("the source");

    let (output, program) = compile(&source, "AS_IT_IS");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let output = run(&program);
    // Five bit-fields and one GUID.
    assert_eq!(text(&output.stdout), "6 bit-fields and GUIDs checked, 0 wrong\n");
    assert!(output.status.success());

    for (definition, noticed, words) in TAMPERINGS {
        let (output, program) = compile(&source, definition);
        let said = match noticed {
            Noticed::Compiling => {
                assert!(!output.status.success(), "{definition} compiles");
                text(&output.stderr)
            }
            Noticed::Running => {
                assert!(output.status.success(), "{definition}: {}", text(&output.stderr));
                let output = run(&program);
                assert_eq!(output.status.code(), Some(1), "{definition}");
                text(&output.stdout)
            }
        };
        assert!(said.contains(words), "{definition} is not named by {words}:\n{said}");
    }
}

#[test]
fn everything_of_libdxg_is_in_its_program() {
    let facts = cpp::libdxg();
    let program = cpp::program(&facts, |_, _| true);
    let section = |name: &str| facts[name].as_object().expect("a section");
    let fields = section("structs").values().flat_map(|fact| fact["fields"].as_array().expect("fields"));
    let (bits, others): (Vec<_>, Vec<_>) = fields.partition(|field| field.get("bit").is_some());
    let values = section("enums").values().map(|fact| fact["values"].as_object().expect("values").len());
    // Of a structure its size and alignment, of a field its offset and size, of an enumeration its size.
    let twice = section("structs").len() + others.len();
    let once = section("enums").len() + values.sum::<usize>() + section("constants").len();
    assert_eq!(program.matches("static_assert(").count(), 2 * twice + once);
    assert_eq!(program.matches("    bits<").count(), bits.len());
}

#[test]
fn every_fact_of_the_chosen_confidence_is_in_the_program() {
    let facts = cpp::facts();
    let structs = facts["structs"].as_object().expect("structs");
    let count = |confidence: &str| structs.values().filter(|fact| fact["confidence"] == confidence).count();
    for confidence in cpp::CONFIDENCES {
        let program = cpp::program(&facts, |_, rests_on| rests_on == confidence);
        let sizes = program.lines().filter(|line| line.starts_with("static_assert(alignof(")).count();
        assert_eq!(sizes, count(confidence), "structures of confidence {confidence}");
    }
    let header = cpp::program(&facts, |_, confidence| confidence == "header");
    let fields = |wanted: bool| {
        let of_header = structs.values().filter(|fact| fact["confidence"] == "header");
        let all = of_header.flat_map(|fact| fact["fields"].as_array().expect("fields"));
        all.filter(|field| field.get("bit").is_some() == wanted).count()
    };
    assert_eq!(header.matches("static_assert(offsetof(").count(), fields(false));
    assert_eq!(header.matches("    bits<").count(), fields(true));
    assert_eq!(header.matches("unsigned char expected[16] =").count(), 9);
    assert!(fields(false) > 1500 && fields(true) > 400, "{} {}", fields(false), fields(true));
}
