//! Whole migrations in one process: a source host, a target host, a wire in memory between them.
//!
//! Everything goes through the driver's table, as the tool does. Each test can fail: what keeps writes
//! from being lost is also taken away once, and the proof must notice.

mod harness;
mod wire;

mod cancel;
mod converge;
mod counted;
mod hostile;
mod hung;
mod interrupts;
mod late;
mod life;
mod moves;
mod order;
mod patience;
mod stream;
mod testing;
mod zero;
