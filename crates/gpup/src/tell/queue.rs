//! Lines on their way to standard error. A thread of its own writes them: a reader who has stopped reading, or a
//! terminal that was told to wait, holds up nobody else.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// Most lines that wait; what comes then is lost.
const MOST: usize = 4096;
/// How long somebody waits for what he said to be written.
const MOMENT: Duration = Duration::from_millis(500);

struct Queue {
    lines: VecDeque<String>,
    /// A line is being written.
    writing: bool,
    /// Nobody seems to read: not worth waiting for again until a line goes.
    stuck: bool,
    lost: u64,
}

static QUEUE: Mutex<Queue> =
    Mutex::new(Queue { lines: VecDeque::new(), writing: false, stuck: false, lost: 0 });
static CHANGED: Condvar = Condvar::new();

fn queue() -> MutexGuard<'static, Queue> {
    QUEUE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes a line. It never waits.
pub(super) fn put(line: String) {
    static WRITER: OnceLock<bool> = OnceLock::new();
    let start = || std::thread::Builder::new().name("words".into()).spawn(write).is_ok();
    if !*WRITER.get_or_init(start) {
        let _ = io::stderr().write_all(line.as_bytes());
        return;
    }
    let mut queue = queue();
    if queue.lines.len() < MOST {
        queue.lines.push_back(line);
    } else {
        queue.lost += 1;
    }
    CHANGED.notify_all();
}

/// Waits a moment until everything is written.
pub(super) fn settle() {
    let queue = queue();
    if queue.stuck {
        return;
    }
    let busy = |queue: &mut Queue| queue.writing || !queue.lines.is_empty();
    let (mut queue, _) =
        CHANGED.wait_timeout_while(queue, MOMENT, busy).unwrap_or_else(PoisonError::into_inner);
    queue.stuck = busy(&mut queue);
}

fn write() {
    let mut queue = queue();
    loop {
        let Some(line) = next(&mut queue) else {
            queue = CHANGED.wait(queue).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        queue.writing = true;
        drop(queue);
        // In one piece, so that it does not mix with what others write there.
        let _ = io::stderr().write_all(line.as_bytes());
        queue = self::queue();
        (queue.writing, queue.stuck) = (false, false);
        CHANGED.notify_all();
    }
}

fn next(queue: &mut Queue) -> Option<String> {
    queue.lines.pop_front().or_else(|| match std::mem::take(&mut queue.lost) {
        0 => None,
        lost => Some(format!("{lost} lines were lost: nobody read them\n")),
    })
}
