//! The streams and phases of a migration, from outside: `cargo test -p gpup-core migration`.

#[path = "migration/allocation.rs"]
mod migration_allocation;
#[path = "migration/codec.rs"]
mod migration_codec;
#[path = "migration/describe.rs"]
mod migration_describe;
#[path = "migration/hostile.rs"]
mod migration_hostile;
#[path = "migration/immutable.rs"]
mod migration_immutable;
#[path = "migration/mutable.rs"]
mod migration_mutable;
#[path = "migration/phase.rs"]
mod migration_phase;
#[path = "migration/support.rs"]
mod support;
