//! Ctrl-C: the first one cancels cleanly, the second ends the process at once.
//!
//! While this process has what may be the only copy of a VM, neither ends it: the second one, which the first one
//! explained, is a word that somebody waits for.

use std::process::exit;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::exit::Failure;
use crate::files::draft;
use crate::json;
use crate::tell::{self, tell};

/// Exit code of a process that SIGINT ended, as shells have it.
const INTERRUPTED: u8 = 130;
/// How often somebody who waits looks at the flag.
const LOOK: Duration = Duration::from_millis(20);

static FLAG: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Those who hold a VM in doubt.
static HOLDS: AtomicU32 = AtomicU32::new(0);
/// How often Ctrl-C was pressed while somebody did.
static PRESSED_HELD: AtomicU32 = AtomicU32::new(0);

/// The flag that the first Ctrl-C sets. From the first call on Ctrl-C no longer ends the process by itself.
pub(crate) fn flag() -> Arc<AtomicBool> {
    let install = || {
        let flag = Arc::new(AtomicBool::new(false));
        let theirs = flag.clone();
        // Without a handler Ctrl-C ends the process, which is what it does anyway.
        let _ = ctrlc::set_handler(move || press(&theirs));
        flag
    };
    FLAG.get_or_init(install).clone()
}

fn press(flag: &AtomicBool) {
    let again = flag.swap(true, Ordering::Relaxed);
    if HOLDS.load(Ordering::Relaxed) > 0 {
        match PRESSED_HELD.fetch_add(1, Ordering::Relaxed) {
            0 => tell!("\nin doubt: Ctrl-C again gives up the only copy of the VM here"),
            1 => {}
            _ => end(),
        }
    } else if again {
        end();
    } else {
        tell!("\ngpup: stopping; Ctrl-C again ends at once");
    }
}

fn end() -> ! {
    json::cut_off("ended at once by Ctrl-C", INTERRUPTED);
    draft::abandon();
    tell::settle();
    exit(INTERRUPTED.into());
}

/// Whether Ctrl-C was pressed.
pub(crate) fn pressed() -> bool {
    FLAG.get().is_some_and(|flag| flag.load(Ordering::Relaxed))
}

/// Sleeps, unless Ctrl-C is pressed.
pub(crate) fn pause(time: Duration) -> Result<(), Failure> {
    match pause_until(time, pressed) {
        false => Ok(()),
        true => Err(Failure::Cancelled("cancelled before anything moved".into())),
    }
}

/// Sleeps, unless `stop` says so: whether it did.
fn pause_until(time: Duration, stop: impl Fn() -> bool) -> bool {
    let end = Instant::now() + time;
    while !stop() {
        match end.saturating_duration_since(Instant::now()) {
            Duration::ZERO => return false,
            left => sleep(left.min(LOOK)),
        }
    }
    true
}

/// As long as it lives, Ctrl-C does not end the process before it has said what would be lost.
pub(crate) struct Hold(());

impl Hold {
    /// A VM is in doubt.
    pub(crate) fn new() -> Self {
        HOLDS.fetch_add(1, Ordering::Relaxed);
        Self(())
    }

    /// Whether somebody who knows what is lost gives it up.
    pub(crate) fn is_given_up(&self) -> bool {
        PRESSED_HELD.load(Ordering::Relaxed) > 1
    }

    /// Sleeps, unless it is given up.
    pub(crate) fn pause(&self, time: Duration) {
        pause_until(time, || self.is_given_up());
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        HOLDS.fetch_sub(1, Ordering::Relaxed);
    }
}
