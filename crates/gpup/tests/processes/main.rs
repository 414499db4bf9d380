//! The tool as people run it: processes that are started, killed, cut off from each other and asked again.

mod check;
mod collected;
mod damage;
mod durable;
mod faults;
mod files;
mod harness;
mod interrupt;
mod kills;
mod outputs;
mod pair;
mod proxy;
mod refusals;
mod report;
mod schedule;
mod stalls;
mod streams;
mod sweep;
mod told;
mod top;
mod trace;
mod usage;
mod window;
