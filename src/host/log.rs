//! Forwarding of components' log lines to the `log` crate.

use std::borrow::Cow;
use std::time::Instant;

use log::kv::{Error, Key, Source, Value, VisitSource};

use super::{LogLevel, LogRate};
use crate::limits::Resource;
use crate::messaging::ComponentId;
use airssys_wasm_component::internal::text::sanitize;

/// The target of every component's log lines. Filter on it, or on the key `component`.
pub const LOG_TARGET: &str = "airssys_wasm::component";

/// The key with the logging component's identity. A guest's own key of this name becomes `guest.component`.
const COMPONENT_KEY: &str = "component";
/// The key with the number of context pairs that were dropped.
const DROPPED_KEY: &str = "context-dropped";

/// Most bytes of a message. Stops a guest from filling the log's disk with one line.
const MAX_MESSAGE_BYTES: usize = 4096;
/// Most context pairs of a line; the rest are only counted. Stops a line of a million fields.
const MAX_PAIRS: usize = 32;
/// Most bytes of a context key.
const MAX_KEY_BYTES: usize = 64;
/// Most bytes of a context value.
const MAX_VALUE_BYTES: usize = 1024;

/// Writes one line if the host's log level and the component's rate permit it.
pub(super) fn write(
    id: &ComponentId,
    rate: &mut LogRate,
    level: LogLevel,
    message: &str,
    context: &[(String, String)],
) {
    let level = match level {
        LogLevel::Trace => log::Level::Trace,
        LogLevel::Debug => log::Level::Debug,
        LogLevel::Info => log::Level::Info,
        LogLevel::Warn => log::Level::Warn,
        LogLevel::Error => log::Level::Error,
    };
    if !log::log_enabled!(target: LOG_TARGET, level) {
        return;
    }
    if !rate.admits(id, size(message, context), Instant::now()) {
        return;
    }
    let pairs = Pairs::new(id, context);
    log::logger().log(
        &log::Record::builder()
            .level(level)
            .target(LOG_TARGET)
            .key_values(&pairs)
            .args(format_args!("{}", sanitize(message, MAX_MESSAGE_BYTES)))
            .build(),
    );
}

/// Returns the bytes of a line after it is cut.
fn size(message: &str, context: &[(String, String)]) -> u64 {
    let pairs = context.iter().take(MAX_PAIRS);
    let pairs: usize = pairs
        .map(|(key, value)| key.len().min(MAX_KEY_BYTES) + value.len().min(MAX_VALUE_BYTES))
        .sum();
    u64::try_from(message.len().min(MAX_MESSAGE_BYTES) + pairs).unwrap_or(u64::MAX)
}

/// Writes that lines were dropped, since there were more than `lines` or `bytes` in a second.
pub(super) fn write_dropped(id: &ComponentId, dropped: u64, (lines, bytes): (u64, u64)) {
    let pairs = Pairs::new(id, &[]);
    let [lines, bytes] = [(lines, Resource::LogLines), (bytes, Resource::LogBytes)]
        .map(|(limit, resource)| format!("{resource} = {}", resource.show(limit)));
    log::logger().log(
        &log::Record::builder()
            .level(log::Level::Warn)
            .target(LOG_TARGET)
            .key_values(&pairs)
            .args(format_args!(
                "{dropped} log lines were dropped: the limits for one second are {lines}, {bytes}"
            ))
            .build(),
    );
}

/// The host's pair, the guest's pairs, and the number of dropped ones.
struct Pairs<'a> {
    id: &'a ComponentId,
    guest: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    dropped: usize,
}

impl<'a> Pairs<'a> {
    fn new(id: &'a ComponentId, context: &'a [(String, String)]) -> Pairs<'a> {
        let pair = |(key, value): &'a (String, String)| {
            let key = match key.as_str() {
                COMPONENT_KEY | DROPPED_KEY => Cow::Owned(format!("guest.{key}")),
                key => sanitize(key, MAX_KEY_BYTES),
            };
            (key, sanitize(value, MAX_VALUE_BYTES))
        };
        Pairs {
            id,
            guest: context.iter().take(MAX_PAIRS).map(pair).collect(),
            dropped: context.len().saturating_sub(MAX_PAIRS),
        }
    }
}

impl Source for Pairs<'_> {
    fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), Error> {
        visitor.visit_pair(Key::from_str(COMPONENT_KEY), Value::from(self.id.as_str()))?;
        for (key, value) in &self.guest {
            visitor.visit_pair(Key::from_str(key), Value::from(&**value))?;
        }
        if self.dropped > 0 {
            visitor.visit_pair(Key::from_str(DROPPED_KEY), Value::from(self.dropped))?;
        }
        Ok(())
    }

    fn count(&self) -> usize {
        1 + self.guest.len() + usize::from(self.dropped > 0)
    }
}
