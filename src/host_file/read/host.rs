//! The section `[host]`.

use std::path::Path;

use super::values::{Folder, boolean, bytes, choice, number, parsed, path};
use crate::host_file::types::{CacheChoice, HostSettings};
use crate::manifest::MAX_NAME_BYTES;
use crate::manifest::read::report::Report;
use crate::manifest::read::values::Section;
use airssys_wasm_component::engine::Backend;

pub(super) const KEYS: [&str; 16] = [
    "name",
    "workers",
    "turn-messages",
    "drain-time",
    "call-time",
    "socket",
    "policy",
    "principal",
    "audit",
    "store",
    "cache",
    "backend",
    "trust",
    "allow-unsigned",
    "log-lines",
    "log-bytes",
];

/// Most bytes of the log that is kept of one component: 1 GiB.
const MAX_LOG_BYTES: u64 = 1 << 30;

pub(super) fn settings(section: &Section<'_>, folder: &Folder, report: &mut Report<'_>) -> HostSettings {
    let mut short = |key: &str| {
        let text = section.text(key, report)?;
        if text.text.len() > MAX_NAME_BYTES {
            report.add(text.span, format!("`{key}` has at most {MAX_NAME_BYTES} bytes"));
            return None;
        }
        Some(text.text.to_owned())
    };
    let (name, principal) = (short("name"), short("principal"));
    let cache = section.text("cache", report).map(|text| match text.text {
        "off" => CacheChoice::Off,
        path => CacheChoice::Folder(folder.join(path)),
    });
    let backends = Backend::ALL.into_iter().chain([Backend::Tiered]);
    let backends: Vec<_> = backends.map(|backend| (backend.name(), backend)).collect();
    let trust = section.texts("trust", report).into_iter();
    // 64 digits are a key, anything else is a file.
    let trust = trust.map(|named| {
        let is_key = named.text.len() == 64 && named.text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match is_key {
            true => named.text.to_owned(),
            false => folder.join(named.text).to_string_lossy().into_owned(),
        }
    });
    let trust: Vec<_> = trust.collect();
    let allow_unsigned = boolean(section, "allow-unsigned", report).unwrap_or_default();
    if allow_unsigned && !trust.is_empty() {
        let message = "`allow-unsigned` makes `trust` pointless: remove one of them";
        let place = section.get("allow-unsigned").map(|value| value.span());
        report.add(place.unwrap_or_else(|| section.span.clone()), message);
    }
    HostSettings {
        name,
        workers: number(section, "workers", 1..=1024, report),
        turn_messages: number(section, "turn-messages", 1..=10_000, report),
        drain_time: parsed(section, "drain-time", report),
        call_time: parsed(section, "call-time", report),
        socket: path(section, "socket", folder, report),
        policy: path(section, "policy", folder, report),
        principal,
        audit: path(section, "audit", folder, report),
        store: path(section, "store", folder, report),
        cache,
        backend: choice(section, "backend", &backends, report),
        trust,
        allow_unsigned,
        log_lines: number(section, "log-lines", 1..=100_000, report),
        log_bytes: bytes(section, "log-bytes", MAX_LOG_BYTES, report),
    }
}

impl HostSettings {
    /// Returns the path of the socket of the host in the file `path`: the declared one, or `host.sock` in the folder beside the
    /// file that has its name and the ending `.run`.
    pub fn socket_of(&self, path: impl AsRef<Path>) -> std::path::PathBuf {
        match &self.socket {
            Some(socket) => socket.clone(),
            None => path.as_ref().with_extension("run").join("host.sock"),
        }
    }
}
