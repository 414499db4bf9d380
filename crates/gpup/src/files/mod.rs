//! Files that the tool writes and reads.
//!
//! ```text
//! channel    the agents' channels over files
//! draft      a file that bears its name only when it is whole
//! identity   what a path stands for
//! roles      the paths of a command against each other
//! ```

pub(crate) mod channel;
pub(crate) mod draft;
pub(crate) mod identity;
pub(crate) mod roles;

pub(crate) use draft::Draft;

/// A limit on the size of files is from now on an error of whoever writes, not the end of the process and of its VMs.
pub(crate) fn survive_limits() {
    // Where no handler can be set, the limit ends the process, which is what it does anyway.
    #[cfg(unix)]
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, std::sync::Arc::default());
}
