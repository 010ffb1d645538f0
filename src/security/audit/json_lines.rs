//! Audit in a file, one JSON object a line.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::memory::MAX_INFO_BYTES;
use super::{AuditEvent, AuditSink};
use crate::security::index::Effect;
use crate::security::time::rfc3339;
use airssys_wasm_component::internal::text::sanitize;

/// Most old files that are kept.
const MAX_KEPT: usize = 999;

/// Time at which written lines are forced to the disk (`fdatasync`).
///
/// Each line is written to the operating system before the request proceeds, so that a crash of this process loses none.
/// A crash of the system, or a power failure, can lose lines that were not forced to the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncPolicy {
    /// When the file is full: the default. Otherwise the system decides.
    #[default]
    Rotation,
    /// With the first line after this time.
    Every(Duration),
    /// After each line. Each request waits for the disk.
    Always,
}

/// Options of [`JsonLines`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonLinesOptions {
    /// Size at which a new file begins, in bytes; by default 64 MiB. Stops an audit that fills the disk.
    pub max_bytes: u64,
    /// Number of old files that are kept, as `FILE.1` (the latest) to `FILE.N`; by default 4, at most 999.
    pub keep: usize,
    /// Time at which lines are forced to the disk.
    pub sync: SyncPolicy,
}

impl Default for JsonLinesOptions {
    fn default() -> JsonLinesOptions {
        JsonLinesOptions {
            max_bytes: 64 << 20,
            keep: 4,
            sync: SyncPolicy::default(),
        }
    }
}

/// The reason why a file cannot hold the audit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JsonLinesError {
    /// The file cannot be opened.
    #[error("the audit file {} cannot be opened: {error}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The failure.
        error: io::Error,
    },
    /// It is a pipe or a socket, whose reader could stop components.
    #[error("the audit file {} is a pipe or a socket; choose a file", .0.display())]
    Pipe(PathBuf),
}

/// Appends each decision to a file.
///
/// A failure to write, such as that of a full disk, does not stop the request: the decision is counted as lost. Later
/// decisions are written again once there is room.
#[derive(Debug)]
pub struct JsonLines {
    path: PathBuf,
    options: JsonLinesOptions,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    bytes: u64,
    /// A device such as `/dev/stderr` is not rotated.
    is_file: bool,
    /// The last line was written in part.
    torn: bool,
    lost: u64,
    synced: Instant,
    line: Vec<u8>,
    capability: String,
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    component: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    principal: &'a str,
    capability: &'a str,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<RuleFields<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<&'a str>,
}

#[derive(Serialize)]
struct RuleFields<'a> {
    effect: &'static str,
    capability: &'a str,
    origin: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

impl JsonLines {
    /// Opens a file, or creates it, with the default options. Lines are appended.
    ///
    /// # Errors
    /// Each case of [`JsonLinesError`].
    pub fn open(path: impl AsRef<Path>) -> Result<JsonLines, JsonLinesError> {
        JsonLines::with_options(path, JsonLinesOptions::default())
    }

    /// Opens a file, or creates it. Lines are appended.
    ///
    /// # Errors
    /// Each case of [`JsonLinesError`].
    pub fn with_options(
        path: impl AsRef<Path>,
        mut options: JsonLinesOptions,
    ) -> Result<JsonLines, JsonLinesError> {
        let path = path.as_ref().to_owned();
        options.keep = options.keep.min(MAX_KEPT);
        // Opening a pipe would wait for its reader.
        if fs::metadata(&path).is_ok_and(|present| is_pipe(&present)) {
            return Err(JsonLinesError::Pipe(path));
        }
        let opened = append(&path).and_then(|file| {
            let present = file.metadata()?;
            Ok((file, present))
        });
        let (file, present) = opened.map_err(|error| JsonLinesError::Open {
            path: path.clone(),
            error,
        })?;
        let state = State {
            file,
            bytes: present.len(),
            is_file: present.is_file(),
            torn: false,
            lost: 0,
            synced: Instant::now(),
            line: Vec::new(),
            capability: String::new(),
        };
        Ok(JsonLines {
            path,
            options,
            state: Mutex::new(state),
        })
    }

    /// Begins a new file if the present one has no room for `more` bytes.
    fn rotate(&self, state: &mut State, more: u64) -> io::Result<()> {
        let full = state.bytes > 0 && state.bytes.saturating_add(more) > self.options.max_bytes;
        if !state.is_file || !full {
            return Ok(());
        }
        state.file.sync_data()?;
        let old = |number: usize| {
            let mut name = self.path.clone().into_os_string();
            name.push(format!(".{number}"));
            PathBuf::from(name)
        };
        if self.options.keep == 0 {
            fs::remove_file(&self.path)?;
        } else {
            for number in (1..self.options.keep).rev() {
                match fs::rename(old(number), old(number + 1)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            fs::rename(&self.path, old(1))?;
        }
        state.file = append(&self.path)?;
        state.bytes = 0;
        state.torn = false;
        Ok(())
    }

    fn write(&self, state: &mut State) -> io::Result<()> {
        let more = state.line.len() as u64;
        self.rotate(state, more)?;
        if state.torn {
            state.file.write_all(b"\n")?;
            state.torn = false;
        }
        // Some of the line may have been written before a failure.
        state.torn = true;
        state.file.write_all(&state.line)?;
        state.torn = false;
        state.bytes += more;
        let sync = match self.options.sync {
            SyncPolicy::Rotation => false,
            SyncPolicy::Every(time) => state.synced.elapsed() >= time,
            SyncPolicy::Always => true,
        };
        if sync && state.is_file {
            state.file.sync_data()?;
            state.synced = Instant::now();
        }
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    // Names of files and hosts are for the host's operator only.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn is_pipe(present: &fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    present.file_type().is_fifo() || present.file_type().is_socket()
}

#[cfg(not(unix))]
fn is_pipe(_: &fs::Metadata) -> bool {
    false
}

impl AuditSink for JsonLines {
    fn record(&self, event: &AuditEvent<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        state.capability.clear();
        event.subject.write_to(&mut state.capability);
        let rule = event.decision.rule().map(|rule| RuleFields {
            effect: match rule.effect() {
                Effect::Allow => "allow",
                Effect::Deny => "deny",
            },
            capability: rule.capability().as_str(),
            origin: rule.origin().to_string(),
            reason: rule.reason(),
        });
        let request_id = event.info.request_id.map(|id| sanitize(id, MAX_INFO_BYTES));
        let trace = event.info.trace.map(|trace| sanitize(trace, MAX_INFO_BYTES));
        let line = Line {
            time: rfc3339(event.time),
            component: event.component,
            principal: event.principal,
            capability: &state.capability,
            verdict: event.decision.verdict(),
            cause: event.decision.cause(),
            rule,
            request_id: request_id.as_deref(),
            trace: trace.as_deref(),
        };
        state.line.clear();
        let written = serde_json::to_writer(&mut state.line, &line);
        state.line.push(b'\n');
        if written.is_err() || self.write(state).is_err() {
            state.lost += 1;
        }
    }

    fn lost(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).lost
    }
}
