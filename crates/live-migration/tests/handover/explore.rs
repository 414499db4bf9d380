//! Runs the checker.

use std::sync::Arc;
use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model, Property};

use crate::model::Handover;
use crate::rules::{Bounds, Rules};
use crate::seen::Seen;

/// Explores every world under `rules` and within `bounds`, and panics with the way to the first that breaks a property.
/// Gives the steps that the machines took.
pub(crate) fn explore(
    rules: Rules,
    bounds: Bounds,
    properties: fn() -> Vec<Property<Handover>>,
) -> Arc<Seen> {
    let seen = Arc::<Seen>::default();
    let begin = Instant::now();
    let checker = Handover { rules, bounds, properties: properties(), seen: seen.clone() }
        .checker()
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    println!(
        "{bounds:?}: {} worlds, {} moves, {} deep, {:.1} s",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth(),
        begin.elapsed().as_secs_f64()
    );
    checker.assert_properties();
    seen
}

/// The shortest way to a world that breaks `property`, in words.
#[track_caller]
pub(crate) fn shortest(rules: Rules, bounds: Bounds, property: Property<Handover>) -> Vec<String> {
    let name = property.name;
    let checker = Handover { rules, bounds, properties: vec![property], seen: Arc::default() }
        .checker()
        // On one thread, which is the default, and with one property, the first world that breaks it ends the search.
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    let Some(way) = checker.discovery(name) else { panic!("the model finds nothing against: {name}") };
    way.into_actions().iter().map(ToString::to_string).collect()
}
