//! The conformance checker: the built-in driver keeps every rule, each rule can be broken, and the pages are current.

mod demands;
mod faults;
mod kept;
mod world;
mod wrap;
