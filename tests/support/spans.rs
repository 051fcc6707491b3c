//! A subscriber of `tracing` that remembers the spans and events of one thread.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::with_default;
use tracing::{Event, Metadata, Subscriber};

/// A clone remembers the same.
#[derive(Clone, Default)]
pub struct Recorder(Arc<Mutex<Remembered>>);

#[derive(Default)]
struct Remembered {
    spans: Vec<RecordedSpan>,
    /// Each with the index of its span.
    events: Vec<(String, Option<usize>)>,
    entered: Vec<usize>,
}

#[derive(Debug, Clone)]
pub struct RecordedSpan {
    pub name: &'static str,
    /// The index of the parent.
    pub parent: Option<usize>,
    pub fields: BTreeMap<&'static str, String>,
    pub is_closed: bool,
    handles: usize,
}

impl Recorder {
    /// Runs with this subscriber on this thread, while no other test has one: the crate `tracing` remembers for the whole
    /// process which spans are wanted.
    pub fn run<T>(&self, run: impl FnOnce() -> T) -> T {
        let _alone = alone();
        let result = with_default(self.clone(), run);
        assert_eq!(self.entered(), [0; 0], "each span that was entered was left");
        result
    }

    pub fn spans(&self) -> Vec<RecordedSpan> {
        self.state().spans.clone()
    }

    pub fn events(&self) -> Vec<(String, Option<usize>)> {
        self.state().events.clone()
    }

    /// The indices of the spans that are entered, innermost last.
    pub fn entered(&self) -> Vec<usize> {
        self.state().entered.clone()
    }

    fn state(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap()
    }
}

/// Waits until no other test has a subscriber.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl RecordedSpan {
    pub fn has(&self, field: &str, value: &str) {
        assert_eq!(self.fields.get(field).map(|it| &**it), Some(value), "{field} of {self:#?}");
    }

    pub fn has_not(&self, field: &str) {
        assert_eq!(self.fields.get(field), None, "{self:#?}");
    }
}

fn index(id: &Id) -> usize {
    id.into_u64() as usize - 1
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("leanhttp")
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut state = self.state();
        let parent = match attributes.parent() {
            Some(parent) => Some(index(parent)),
            None if attributes.is_contextual() => state.entered.last().copied(),
            None => None,
        };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let name = attributes.metadata().name();
        let fields = fields.0;
        state.spans.push(RecordedSpan { name, parent, fields, is_closed: false, handles: 1 });
        Id::from_u64(state.spans.len() as u64)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        self.state().spans[index(id)].fields.extend(fields.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let message = fields.0.remove("message").unwrap_or_default();
        let mut state = self.state();
        let span = state.entered.last().copied();
        state.events.push((message, span));
    }

    fn enter(&self, id: &Id) {
        self.state().entered.push(index(id));
    }

    fn exit(&self, id: &Id) {
        let left = self.state().entered.pop();
        assert_eq!(left, Some(index(id)), "spans are left in the order in which they were entered");
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.state().spans[index(id)].handles += 1;
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        let mut state = self.state();
        let span = &mut state.spans[index(&id)];
        span.handles -= 1;
        span.is_closed = span.handles == 0;
        span.is_closed
    }
}

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}
