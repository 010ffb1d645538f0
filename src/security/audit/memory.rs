//! Audit in memory.

use std::sync::{Arc, Mutex, PoisonError};

use super::{AuditEvent, AuditSink};
use crate::security::policy::Rule;
use airssys_wasm_component::internal::text::cut;

/// Maximum bytes of a request's identity and trace that are kept. Stops callers that fill the audit with them.
pub(super) const MAX_INFO_BYTES: usize = 256;

/// Bytes of the texts of a record for which there is room from the start.
const USUAL_BYTES: usize = 64;

/// Keeps the latest decisions in memory.
///
/// When it is full, the oldest one makes room, and its memory is used again.
#[derive(Debug)]
pub struct MemorySink {
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    kept: Vec<Kept>,
    /// Position of the oldest record, once there is no more room.
    oldest: usize,
    dropped: u64,
}

/// A decision as it is kept: small, so that recording touches little memory, and with its texts in one allocation, which
/// later decisions use again.
#[derive(Debug)]
struct Kept {
    time: u64,
    component: Arc<str>,
    principal: Arc<str>,
    verdict: &'static str,
    cause: Option<&'static str>,
    rule: Option<Arc<Rule>>,
    /// The beginning of the capability.
    action: &'static str,
    /// The rest of the capability, identity of the call, trace.
    texts: String,
    /// Ends of the first two.
    ends: [usize; 2],
}

/// A decision that was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditRecord {
    /// Milliseconds since 1970.
    pub time: u64,
    /// The component.
    pub component: Arc<str>,
    /// The principal on whose behalf it ran; empty if there was none.
    pub principal: Arc<str>,
    /// The capability that was requested.
    pub capability: String,
    /// `allowed`, `denied` or `revoked`.
    pub verdict: &'static str,
    /// The reason of a denial: [`DenialCause::word`](super::DenialCause::word).
    pub cause: Option<&'static str>,
    /// The rule that decided.
    pub rule: Option<Arc<Rule>>,
    /// Identity of the call; empty if there was none.
    pub request_id: String,
    /// Trace of the call; empty if there was none.
    pub trace: String,
}

impl Kept {
    fn new(event: &AuditEvent<'_>) -> Kept {
        let mut new = Kept {
            time: 0,
            component: event.component.clone(),
            principal: event.principal.clone(),
            verdict: "",
            cause: None,
            rule: None,
            action: "",
            texts: String::with_capacity(USUAL_BYTES),
            ends: [0; 2],
        };
        new.fill(event);
        new
    }

    /// Replaces the record, without an allocation if the texts are no longer than before.
    fn fill(&mut self, event: &AuditEvent<'_>) {
        self.time = event.time;
        replace(&mut self.component, event.component);
        replace(&mut self.principal, event.principal);
        self.verdict = event.decision.verdict();
        self.cause = event.decision.cause();
        match (&mut self.rule, event.decision.rule()) {
            (Some(old), Some(rule)) => replace(old, rule),
            (old, rule) => *old = rule.cloned(),
        }
        self.texts.clear();
        self.action = event.subject.write_object_to(&mut self.texts);
        let capability = self.texts.len();
        let id = event.info.request_id.unwrap_or_default();
        self.texts.push_str(cut(id, MAX_INFO_BYTES));
        self.ends = [capability, self.texts.len()];
        let trace = event.info.trace.unwrap_or_default();
        self.texts.push_str(cut(trace, MAX_INFO_BYTES));
    }

    fn record(&self) -> AuditRecord {
        let (texts, trace) = self.texts.split_at(self.ends[1]);
        let (capability, request_id) = texts.split_at(self.ends[0]);
        AuditRecord {
            time: self.time,
            component: self.component.clone(),
            principal: self.principal.clone(),
            capability: [self.action, capability].concat(),
            verdict: self.verdict,
            cause: self.cause,
            rule: self.rule.clone(),
            request_id: request_id.to_owned(),
            trace: trace.to_owned(),
        }
    }
}

/// Replaces a shared value, without touching its counter if it is the same.
fn replace<T: ?Sized>(old: &mut Arc<T>, new: &Arc<T>) {
    if !Arc::ptr_eq(old, new) {
        *old = new.clone();
    }
}

impl MemorySink {
    /// Default number of decisions that are kept.
    pub const DEFAULT_CAPACITY: usize = 4096;

    /// Creates a sink that keeps `capacity` decisions, at least one.
    pub fn new(capacity: usize) -> MemorySink {
        MemorySink {
            capacity: capacity.max(1),
            state: Mutex::default(),
        }
    }

    /// Returns the decisions, oldest first.
    pub fn records(&self) -> Vec<AuditRecord> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (newer, older) = state.kept.split_at(state.oldest);
        older.iter().chain(newer).map(Kept::record).collect()
    }

    /// Returns the latest decision.
    pub fn last(&self) -> Option<AuditRecord> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (newer, older) = state.kept.split_at(state.oldest);
        newer.last().or(older.last()).map(Kept::record)
    }
}

impl Default for MemorySink {
    fn default() -> MemorySink {
        MemorySink::new(MemorySink::DEFAULT_CAPACITY)
    }
}

impl AuditSink for MemorySink {
    fn record(&self, event: &AuditEvent<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        if state.kept.len() < self.capacity {
            state.kept.push(Kept::new(event));
            return;
        }
        let at = state.oldest;
        state.kept[at].fill(event);
        state.oldest = if at + 1 == self.capacity { 0 } else { at + 1 };
        state.dropped += 1;
    }

    /// Returns the number of decisions that made room for later ones.
    fn lost(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).dropped
    }
}
