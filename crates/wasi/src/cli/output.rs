//! Destinations of standard output and standard error.

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;

use super::lines::{LOG_TARGET, Lines};
use crate::io::{Output, StreamError, Waits};

/// A component's standard output, or its standard error.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Stdout {
    /// The host's log, line by line, with the component's name: standard output at level info, standard error at level
    /// warn.
    #[default]
    Log,
    /// Discards the output.
    Discard,
    /// A buffer of the host.
    Pipe(MemoryOutputPipe),
    /// This process's stream. A write blocks until the stream's reader makes room.
    Inherit,
}

/// A buffer that receives output. Clones share the buffer.
#[derive(Clone, Debug)]
pub struct MemoryOutputPipe {
    max: usize,
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl MemoryOutputPipe {
    /// Creates a buffer of at most `max` bytes. A write that does not fit fails.
    pub fn new(max: usize) -> MemoryOutputPipe {
        MemoryOutputPipe {
            max,
            bytes: Arc::default(),
        }
    }

    /// Returns a copy of the bytes written so far.
    pub fn contents(&self) -> Vec<u8> {
        lock(&self.bytes).clone()
    }

    fn write(&self, new: &[u8]) -> io::Result<()> {
        let mut bytes = lock(&self.bytes);
        if new.len() > self.max.saturating_sub(bytes.len()) {
            return Err(io::Error::new(
                io::ErrorKind::StorageFull,
                "the host's limit on output is reached",
            ));
        }
        bytes.extend_from_slice(new);
        Ok(())
    }
}

impl From<MemoryOutputPipe> for Stdout {
    fn from(pipe: MemoryOutputPipe) -> Stdout {
        Stdout::Pipe(pipe)
    }
}

/// Selects standard output or standard error.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OutputKind {
    Stdout,
    Stderr,
}

impl OutputKind {
    fn name(self) -> &'static str {
        match self {
            OutputKind::Stdout => "stdout",
            OutputKind::Stderr => "stderr",
        }
    }

    fn level(self) -> log::Level {
        match self {
            OutputKind::Stdout => log::Level::Info,
            OutputKind::Stderr => log::Level::Warn,
        }
    }

    fn write(self, bytes: &[u8]) -> io::Result<()> {
        fn write(mut to: impl Write, bytes: &[u8]) -> io::Result<()> {
            to.write_all(bytes)?;
            to.flush()
        }
        match self {
            OutputKind::Stdout => write(io::stdout().lock(), bytes),
            OutputKind::Stderr => write(io::stderr().lock(), bytes),
        }
    }
}

/// One component's standard output or error, shared by all its streams.
#[derive(Clone, Debug)]
pub(crate) enum SharedOutput {
    Log(Arc<Mutex<LogOutput>>),
    Discard,
    Pipe(MemoryOutputPipe),
    Process(OutputKind),
}

impl SharedOutput {
    pub(crate) fn new(to: &Stdout, kind: OutputKind, name: &str, max_line: usize) -> SharedOutput {
        match to {
            Stdout::Log => SharedOutput::Log(Arc::new(Mutex::new(LogOutput {
                lines: Lines::new(max_line),
                name: name.to_owned(),
                kind,
            }))),
            Stdout::Discard => SharedOutput::Discard,
            Stdout::Pipe(pipe) => SharedOutput::Pipe(pipe.clone()),
            Stdout::Inherit => SharedOutput::Process(kind),
        }
    }

    /// Writes all bytes, in the order of the calls.
    ///
    /// # Errors
    /// [`StreamError::Failed`].
    pub(crate) fn write_bytes(&self, bytes: &[u8]) -> Result<(), StreamError> {
        match self {
            SharedOutput::Log(log) => lock(log).write(bytes),
            SharedOutput::Discard => {}
            SharedOutput::Pipe(pipe) => pipe.write(bytes).map_err(StreamError::failed)?,
            SharedOutput::Process(kind) => kind.write(bytes).map_err(StreamError::failed)?,
        }
        Ok(())
    }

    pub(super) fn is_terminal(&self) -> bool {
        match self {
            SharedOutput::Process(OutputKind::Stdout) => io::stdout().is_terminal(),
            SharedOutput::Process(OutputKind::Stderr) => io::stderr().is_terminal(),
            _ => false,
        }
    }
}

impl Waits for SharedOutput {
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

impl Output for SharedOutput {
    fn check_write(&mut self) -> Result<usize, StreamError> {
        Ok(usize::MAX)
    }

    fn write(&mut self, bytes: Bytes) -> Result<(), StreamError> {
        self.write_bytes(&bytes)
    }

    fn flush(&mut self) -> Result<(), StreamError> {
        Ok(())
    }
}

/// Output that is logged line by line.
#[derive(Debug)]
pub(crate) struct LogOutput {
    lines: Lines,
    name: String,
    kind: OutputKind,
}

impl LogOutput {
    fn write(&mut self, bytes: &[u8]) {
        let (name, kind) = (&*self.name, self.kind);
        self.lines.push(bytes, |line| log(name, kind, line));
    }
}

impl Drop for LogOutput {
    /// Logs a last line that has no end.
    fn drop(&mut self) {
        let (name, kind) = (&*self.name, self.kind);
        self.lines.finish(|line| log(name, kind, line));
    }
}

fn log(component: &str, kind: OutputKind, line: &str) {
    log::log!(target: LOG_TARGET, kind.level(), component = component, stream = kind.name(); "{line}");
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic under this lock leaves the data consistent.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_takes_what_it_has_room_for() {
        let pipe = MemoryOutputPipe::new(4);
        let mut output = SharedOutput::new(&Stdout::Pipe(pipe.clone()), OutputKind::Stdout, "", 80);
        output.write(Bytes::from_static(b"abc")).unwrap();
        assert!(matches!(
            output.write(Bytes::from_static(b"de")),
            Err(StreamError::Failed(_))
        ));
        output.write(Bytes::from_static(b"d")).unwrap();
        assert_eq!(pipe.contents(), b"abcd");
    }
}
