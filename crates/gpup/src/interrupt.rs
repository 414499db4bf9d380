//! Ctrl-C: the first one cancels cleanly, the second ends the process at once.

use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::exit::Failure;
use crate::tell::tell;

/// Exit code of a process that SIGINT ended, as shells have it.
const INTERRUPTED: i32 = 130;
/// How often somebody who waits looks at the flag.
const LOOK: Duration = Duration::from_millis(20);

static FLAG: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// The flag that the first Ctrl-C sets. From the first call on Ctrl-C no longer ends the process by itself.
pub(crate) fn flag() -> Arc<AtomicBool> {
    let install = || {
        let flag = Arc::new(AtomicBool::new(false));
        let theirs = flag.clone();
        let handler = move || {
            if theirs.swap(true, Ordering::Relaxed) {
                exit(INTERRUPTED);
            }
            tell!("\ngpup: stopping; Ctrl-C again ends at once");
        };
        // Without a handler Ctrl-C ends the process, which is what it does anyway.
        let _ = ctrlc::set_handler(handler);
        flag
    };
    FLAG.get_or_init(install).clone()
}

/// Whether Ctrl-C was pressed.
pub(crate) fn pressed() -> bool {
    FLAG.get().is_some_and(|flag| flag.load(Ordering::Relaxed))
}

/// Sleeps, unless Ctrl-C is pressed.
pub(crate) fn pause(time: Duration) -> Result<(), Failure> {
    let end = Instant::now() + time;
    while !pressed() {
        match end.saturating_duration_since(Instant::now()) {
            Duration::ZERO => return Ok(()),
            left => sleep(left.min(LOOK)),
        }
    }
    Err(Failure::Cancelled("cancelled before anything moved".into()))
}
