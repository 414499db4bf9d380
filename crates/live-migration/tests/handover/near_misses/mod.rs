//! Near misses: one rule of the world broken each, and the shortest way to the harm.
//!
//! Where a step is replaced, it differs from the crate's in one answer and calls it for all others.

mod others;
mod source_side;
mod target_side;

use stateright::Property;

use crate::explore::shortest;
use crate::model::Handover;
use crate::rules::{Bounds, Rules};

/// One migration.
const ONE: Bounds = Bounds { attempts: 1, strays: 1, crashes: 2 };
/// Two, one after another.
const TWO: Bounds = Bounds { attempts: 2, ..ONE };

/// How every migration begins.
const BEGIN: [&str; 4] = ["target hears Hello", "source hears Welcome", "source pauses", "target hears All"];

/// The way from [`BEGIN`] to a world that breaks `property` is `expected`, and none is shorter.
#[track_caller]
fn leads(rules: Rules, property: fn() -> Property<Handover>, expected: &[&str]) {
    let way = shortest(rules, ONE, property());
    assert_eq!(way, [&BEGIN, expected].concat());
}
