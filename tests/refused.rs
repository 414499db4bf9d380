//! What a host's subscriber hears of a paging operation that the driver does not know.
//!
//! UNSAFETY: it is the other side of the DDI.
#![expect(unsafe_code)]

mod support;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use support::TestAdapter;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use wddm::*;

/// The fields of every event.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<Fields>>>);

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_string());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl Subscriber for Heard {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn a_refused_paging_operation_is_an_event_with_its_reason() {
    let adapter = TestAdapter::start(&[]);
    let heard = Heard::default();
    let mut args = DXGKARG_BUILDPAGINGBUFFER::zeroed();
    args.Operation = DXGK_BUILDPAGINGBUFFER_OPERATION(0x7777);
    let status = tracing::subscriber::with_default(heard.clone(), || {
        // SAFETY: the adapter's own context, and a structure that lives until the call returns.
        unsafe { adapter.table.DxgkDdiBuildPagingBuffer.unwrap()(adapter.context, &mut args) }
    });
    assert!(!status.is_success());
    let heard = heard.0.lock().unwrap();
    let [event] = &heard[..] else { panic!("{} events", heard.len()) };
    let field = |name: &str| event.0.get(name).map(String::as_str);
    assert_eq!((field("event"), field("what")), (Some("Refused"), Some("BuildPagingBuffer")));
    let reason = field("reason").unwrap();
    assert_eq!(field("message"), Some(&*format!("BuildPagingBuffer refused: {reason}")));
    assert!(!reason.is_empty());
    adapter.stop();
}
