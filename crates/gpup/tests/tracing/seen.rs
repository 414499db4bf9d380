//! What a subscriber of the process and the agents saw, in one list.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use live_migration::Phase;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// A test at a time: the subscriber is the process's.
static ONE: Mutex<()> = Mutex::new(());
/// Where the subscriber writes.
static NOW: Mutex<Option<Arc<List>>> = Mutex::new(None);

/// Something that was seen.
#[derive(Debug)]
pub(crate) enum Entry {
    /// A side's agent entered a phase.
    Agent(&'static str, Phase),
    /// The driver's event: its fields, its level among them.
    Driver(BTreeMap<&'static str, String>),
}

/// The list.
#[derive(Debug, Default)]
pub(crate) struct List(Mutex<Vec<Entry>>);

impl List {
    pub(crate) fn push(&self, entry: Entry) {
        self.0.lock().unwrap().push(entry);
    }
}

/// Takes the driver's events.
struct Capture;

impl Subscriber for Capture {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "gpup_kmd"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        fields.0.insert("level", event.metadata().level().to_string());
        event.record(&mut fields);
        if let Some(list) = NOW.lock().unwrap().as_ref() {
            list.push(Entry::Driver(fields.0));
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

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

/// What one test sees.
pub(crate) struct Seen {
    list: Arc<List>,
    _alone: MutexGuard<'static, ()>,
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.list.fmt(f)
    }
}

impl Seen {
    /// Begins an empty list, when the test before has ended.
    pub(crate) fn begin() -> Self {
        static SUBSCRIBED: Once = Once::new();
        SUBSCRIBED.call_once(|| tracing::subscriber::set_global_default(Capture).unwrap());
        let alone = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let list = Arc::<List>::default();
        *NOW.lock().unwrap() = Some(list.clone());
        Self { list, _alone: alone }
    }

    pub(crate) fn list(&self) -> Arc<List> {
        self.list.clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.list.0.lock().unwrap().len()
    }

    /// The numbers of the adapters, in the order in which they were started.
    pub(crate) fn adapters<const N: usize>(&self) -> [String; N] {
        self.every_adapter().try_into().unwrap()
    }

    /// The same, however many there were.
    pub(crate) fn every_adapter(&self) -> Vec<String> {
        let list = self.list.0.lock().unwrap();
        let started = list.iter().filter_map(|entry| match entry {
            Entry::Driver(fields) if fields["event"] == "AdapterStarted" => Some(fields["adapter"].clone()),
            _ => None,
        });
        started.collect()
    }

    /// The places in `within` of an adapter's events of a name with these fields.
    fn places(&self, within: Range<usize>, adapter: &str, event: &str, with: &[(&str, &str)]) -> Vec<usize> {
        let list = self.list.0.lock().unwrap();
        let fits = |entry: &Entry| match entry {
            Entry::Driver(fields) => {
                let is = |name: &str, value: &str| fields.get(name).is_some_and(|found| found == value);
                is("adapter", adapter)
                    && is("event", event)
                    && with.iter().all(|(name, value)| is(name, value))
            }
            Entry::Agent(..) => false,
        };
        within.filter(|at| fits(&list[*at])).collect()
    }

    /// The first one at or after a place.
    pub(crate) fn find(&self, from: usize, adapter: &str, event: &str, with: &[(&str, &str)]) -> usize {
        let places = self.places(from..self.len(), adapter, event, with);
        *places.first().unwrap_or_else(|| panic!("no {event} {with:?} of adapter {adapter} in {self:?}"))
    }

    /// How many there are.
    pub(crate) fn count(
        &self,
        within: Range<usize>,
        adapter: &str,
        event: &str,
        with: &[(&str, &str)],
    ) -> usize {
        self.places(within, adapter, event, with).len()
    }

    /// A field of the event at a place.
    pub(crate) fn field(&self, at: usize, name: &str) -> String {
        match &self.list.0.lock().unwrap()[at] {
            Entry::Driver(fields) => fields[name].clone(),
            entry => panic!("{entry:?} has no fields"),
        }
    }

    /// Whether it has the field.
    pub(crate) fn has(&self, at: usize, name: &str) -> bool {
        matches!(&self.list.0.lock().unwrap()[at], Entry::Driver(fields) if fields.contains_key(name))
    }

    /// The same as a number.
    pub(crate) fn number(&self, at: usize, name: &str) -> u64 {
        self.field(at, name).parse().unwrap()
    }

    /// Where a side's agent entered a phase.
    pub(crate) fn agent(&self, side: &str, phase: Phase) -> usize {
        let list = self.list.0.lock().unwrap();
        let entered =
            |entry: &Entry| matches!(entry, Entry::Agent(of, entered) if *of == side && *entered == phase);
        list.iter().position(entered).unwrap_or_else(|| panic!("the {side} never entered {phase}"))
    }

    /// What a VF went to, one after the other; each step must begin where the one before has ended.
    pub(crate) fn chain(&self, adapter: &str, vf: &str, event: &str, first: &str) -> Vec<String> {
        let mut at = first.to_string();
        let steps = self.places(0..self.len(), adapter, event, &[("vf", vf)]).into_iter().map(|place| {
            assert_eq!(self.field(place, "from"), at, "a step of {event} is missing");
            at = self.field(place, "to");
            at.clone()
        });
        steps.collect()
    }
}
