//! Prints a C++ program that holds the facts of this crate against the WDK's own headers.
//!
//!     cargo run -p wddm --example layout_cpp -- header docs > layout.cpp
//!
//! Sizes, offsets, enumerators and numbers are checked when it is compiled, bit-fields and GUIDs when it runs. The
//! arguments choose facts by what they rest on: `header`, `docs`, `inferred`; without any, `header`. Compile it with
//! cl and the WDK's include folders: `scripts/windows/layout.ps1` does. `libdxg` alone prints the program for
//! `libdxg_layout.json` instead.

mod cpp;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut chosen: Vec<String> = std::env::args().skip(1).collect();
    if chosen == ["libdxg"] {
        print!("{}", cpp::program(&cpp::libdxg(), |_, _| true));
        return ExitCode::SUCCESS;
    }
    if let Some(other) = chosen.iter().find(|word| !cpp::CONFIDENCES.contains(&word.as_str())) {
        eprintln!("layout_cpp: {other} is no confidence: use some of {}", cpp::CONFIDENCES.join(", "));
        return ExitCode::from(2);
    }
    if chosen.is_empty() {
        chosen.push("header".to_owned());
    }
    print!("{}", cpp::program(&cpp::facts(), |_, confidence| chosen.iter().any(|one| one == confidence)));
    ExitCode::SUCCESS
}
