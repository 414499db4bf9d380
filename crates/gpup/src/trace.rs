//! `--trace FILE`: the driver's events and the migrations' spans as JSON lines, each written when it happens.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Mutex;

use anyhow::{Context, Result, anyhow};
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::{Layer, SubscriberExt};

use crate::json::is_stdout;
use crate::tell;

/// Writes to `path` from now on, or to standard output for `-`.
pub(crate) fn begin(path: &Path) -> Result<()> {
    let trail = if is_stdout(path) {
        Trail::new("standard output".into(), Box::new(io::stdout()))
    } else {
        // Not buffered: the file is whole whenever the process ends.
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        Trail::new(path.display().to_string(), Box::new(file))
    };
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .with_span_events(FmtSpan::NEW | FmtSpan::CLOSE)
        .with_writer(Mutex::new(trail))
        .log_internal_errors(false)
        .with_filter(Targets::new().with_targets([("gpup", Level::DEBUG), ("gpup_kmd", Level::DEBUG)]));
    let subscriber = tracing_subscriber::registry().with(lines);
    tracing::subscriber::set_global_default(subscriber).map_err(|_| anyhow!("something traces already"))
}

/// Lines on their way. What cannot be written ends the trace and nothing else, and is said at the command's end.
struct Trail {
    place: String,
    sink: Box<dyn Write + Send>,
    ended: bool,
}

impl Trail {
    fn new(place: String, sink: Box<dyn Write + Send>) -> Self {
        Self { place, sink, ended: false }
    }
}

impl Write for Trail {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if !self.ended
            && let Err(error) = self.sink.write_all(line).and_then(|()| self.sink.flush())
        {
            self.ended = true;
            tell::unwritten(format!("{}: {error}", self.place));
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
