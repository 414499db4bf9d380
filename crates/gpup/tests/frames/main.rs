//! Every frame of the protocol meets every fate: lost, cut off, late, stuck, doubled, answered by a stranger.
//!
//! ```text
//! time      the clock of both hosts, which moves with their looks at it
//! spot      a frame: whose, which way, which one
//! fate      what becomes of it
//! net       a network in memory that knows frames
//! line      a connection of it, and its two ends
//! stranger  somebody else at the target's address
//! guests    guests that say where they run
//! bench     two hosts
//! story     migrations that have all frames between them
//! trial     one story with one fate
//! judge     what must hold of it
//! heal      what must work afterwards
//! matrix    all of them; near_misses: what the judge must find
//! ```
//! No machine is too slow for it: time is looks, and only a hang is late.

mod bench;
mod fate;
mod guests;
mod heal;
mod judge;
mod line;
mod matrix;
mod near_misses;
mod net;
mod spot;
mod story;
mod stranger;
mod time;
mod trial;
