//! Audit in memory.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::{AuditEvent, AuditSink};
use crate::security::policy::Rule;
use airssys_wasm_component::internal::text::cut;

/// Maximum bytes of a request's identity and trace that are kept. Stops callers that fill the audit with them.
pub(super) const MAX_INFO_BYTES: usize = 256;

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
    records: VecDeque<AuditRecord>,
    dropped: u64,
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
        state.records.iter().cloned().collect()
    }

    /// Returns the latest decision.
    pub fn last(&self) -> Option<AuditRecord> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.records.back().cloned()
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
        let used = match state.records.len() >= self.capacity {
            true => state.records.pop_front(),
            false => None,
        };
        let (mut capability, mut request_id, mut trace) = match used {
            Some(used) => {
                state.dropped += 1;
                (used.capability, used.request_id, used.trace)
            }
            None => Default::default(),
        };
        capability.clear();
        event.subject.write_to(&mut capability);
        request_id.clear();
        request_id.push_str(cut(event.info.request_id.unwrap_or_default(), MAX_INFO_BYTES));
        trace.clear();
        trace.push_str(cut(event.info.trace.unwrap_or_default(), MAX_INFO_BYTES));
        state.records.push_back(AuditRecord {
            time: event.time,
            component: event.component.clone(),
            principal: event.principal.clone(),
            capability,
            verdict: event.decision.verdict(),
            cause: event.decision.cause(),
            rule: event.decision.rule().cloned(),
            request_id,
            trace,
        });
    }

    /// Returns the number of decisions that made room for later ones.
    fn lost(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).dropped
    }
}
