//! The scenarios that come with the tool.

use std::path::Path;

use super::check::check;
use super::scenario::{Scenario, parse};
use crate::exit::Failure;
use crate::tell::say;

/// Name and text of each.
const ALL: [(&str, &str); 9] = [
    ("mixed", include_str!("../../scenarios/mixed.toml")),
    ("migration", include_str!("../../scenarios/migration.toml")),
    ("light", include_str!("../../scenarios/light.toml")),
    ("surplus", include_str!("../../scenarios/surplus.toml")),
    ("several", include_str!("../../scenarios/several.toml")),
    ("target", include_str!("../../scenarios/target.toml")),
    ("weights", include_str!("../../scenarios/weights.toml")),
    ("many", include_str!("../../scenarios/many.toml")),
    ("crowd", include_str!("../../scenarios/crowd.toml")),
];

/// The scenario that a text describes, if there can be one; the error is one line.
fn sound(text: &str) -> Result<Scenario, String> {
    let scenario = parse(text)?;
    check(&scenario)?;
    Ok(scenario)
}

/// Shows the names.
pub(super) fn list() -> Result<(), Failure> {
    for (name, text) in ALL {
        say!("{name:<10} {}", sound(text).map_err(Failure::Failed)?.about);
    }
    Ok(())
}

/// The scenario of this name, or in this file.
pub(super) fn find(wanted: &Path) -> Result<Scenario, Failure> {
    let name = wanted.display();
    if let Some((_, text)) = ALL.iter().find(|(known, _)| Path::new(known) == wanted) {
        return sound(text).map_err(|error| Failure::Failed(format!("built-in scenario {name}: {error}")));
    }
    let text = std::fs::read_to_string(wanted).map_err(|error| {
        let known: Vec<&str> = ALL.iter().map(|(name, _)| *name).collect();
        Failure::usage(format!(
            "cannot read the scenario {name} ({error}): name a file or one of {}",
            known.join(", ")
        ))
    })?;
    sound(&text).map_err(|error| Failure::usage(format!("{name}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_that_comes_with_the_tool_is_sound() {
        for (name, text) in ALL {
            sound(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}
