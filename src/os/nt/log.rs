//! The driver's lines: to the debugger by DbgPrintEx, and as ETW events of the provider `GpupKmd`.
//!
//! The debugger shows errors always and the rest as the filter of the component IHVVIDEO says. An ETW session gets
//! event `Line` with the level of the line and one field, `Text`; what no session listens to costs a comparison. Both
//! take any IRQL up to a device's. "DbgPrintEx function", "EtwWriteTransfer function". What happens to the adapter and
//! its VFs is a line in the debugger too, and in ETW an event with fields of its own.
//!
//! UNSAFETY: registers the provider.
#![expect(unsafe_code)]

mod events;

use core::fmt;

use gpup_core::os::{Level, Trace, is_traced};
use nt::print;
use tracelogging::{define_provider, write_event};

// The id is made from the name, as TraceLogging does everywhere.
define_provider!(PROVIDER, "GpupKmd");

/// Registers the provider. PASSIVE_LEVEL. "EtwRegister function".
pub(super) fn open() {
    // SAFETY: `close` unregisters it before the driver is unloaded.
    let status = unsafe { PROVIDER.register() };
    if status != 0 {
        let text = format_args!("gpup_kmd: no ETW: EtwRegister answers {status:#010x}");
        print::line(print::Level::Warning, text);
    }
}

/// Unregisters the provider. PASSIVE_LEVEL. "EtwUnregister function".
pub(super) fn close() {
    PROVIDER.unregister();
}

/// Writes a line. Any IRQL up to a device's.
pub(super) fn write(level: Level, text: fmt::Arguments<'_>) {
    show(level, text);
    let traced = match level {
        Level::Error => tracelogging::Level::Error,
        Level::Warning => tracelogging::Level::Warning,
        Level::Info => tracelogging::Level::Informational,
        Level::Debug => tracelogging::Level::Verbose,
    };
    if is_traced(level) && PROVIDER.enabled(traced, 1) {
        write_line(level, &print::Line::new(text));
    }
}

/// Writes an event. Any IRQL up to DISPATCH_LEVEL.
pub(super) fn trace(trace: &Trace) {
    show(trace.event.level(), format_args!("{trace}"));
    if is_traced(trace.event.level()) {
        events::write(trace);
    }
}

/// Shows a line in the debugger.
fn show(level: Level, text: fmt::Arguments<'_>) {
    let shown = match level {
        Level::Error => print::Level::Error,
        Level::Warning => print::Level::Warning,
        Level::Info => print::Level::Trace,
        Level::Debug => print::Level::Info,
    };
    print::line(shown, format_args!("gpup_kmd: {text}"));
}

/// One event: its level must be a constant.
fn write_line(level: Level, line: &print::Line) {
    let text = line.text();
    match level {
        Level::Error => write_event!(PROVIDER, "Line", level(Error), str8("Text", text)),
        Level::Warning => write_event!(PROVIDER, "Line", level(Warning), str8("Text", text)),
        Level::Info => write_event!(PROVIDER, "Line", level(Informational), str8("Text", text)),
        Level::Debug => write_event!(PROVIDER, "Line", level(Verbose), str8("Text", text)),
    };
}
