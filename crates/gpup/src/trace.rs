//! `--trace FILE`: the driver's events and the migrations' spans as JSON lines, each written when it happens.

use std::fs::File;
use std::path::Path;
use std::sync::Mutex;

use anyhow::{Context, Result, anyhow};
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};

/// Writes to `path` from now on, or to standard output for `-`.
pub(crate) fn begin(path: &Path) -> Result<()> {
    let writer = if path == Path::new("-") {
        BoxMakeWriter::new(std::io::stdout)
    } else {
        // Not buffered: the file is whole whenever the process ends.
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        BoxMakeWriter::new(Mutex::new(file))
    };
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .with_span_events(FmtSpan::NEW | FmtSpan::CLOSE)
        .with_writer(writer)
        .with_filter(Targets::new().with_targets([("gpup", Level::DEBUG), ("gpup_kmd", Level::DEBUG)]));
    let subscriber = tracing_subscriber::registry().with(lines);
    tracing::subscriber::set_global_default(subscriber).map_err(|_| anyhow!("something traces already"))
}
