//! Audit in the log.

use super::{AuditEvent, AuditSink};

/// Log target of decisions.
pub const AUDIT_TARGET: &str = "airssys_wasm::audit";

/// Writes each decision to the log: permissions at the level `info`, denials and revocations at `warn`.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogSink;

impl AuditSink for LogSink {
    fn record(&self, event: &AuditEvent<'_>) {
        let level = match event.decision.verdict() {
            "allowed" => log::Level::Info,
            _ => log::Level::Warn,
        };
        if !log::log_enabled!(target: AUDIT_TARGET, level) {
            return;
        }
        let mut capability = String::new();
        event.subject.write_to(&mut capability);
        let rule = event.decision.rule().map(ToString::to_string);
        let text = |text: Option<&str>| {
            let text = text.unwrap_or_default();
            airssys_wasm_component::internal::text::sanitize(text, super::memory::MAX_INFO_BYTES).into_owned()
        };
        log::log!(
            target: AUDIT_TARGET,
            level,
            component = &**event.component,
            principal = &**event.principal,
            cause = event.decision.cause().unwrap_or_default(),
            rule = rule.as_deref().unwrap_or_default(),
            request_id = text(event.info.request_id).as_str(),
            trace = text(event.info.trace).as_str();
            "{} {capability}",
            event.decision.verdict()
        );
    }
}
