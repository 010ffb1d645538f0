//! Sources of standard input.

use std::io::{self, IsTerminal, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use crate::executor::{self, Task};
use crate::io::{Input, StreamError, Waits};

/// A component's standard input.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Stdin {
    /// No input: at its end from the beginning.
    #[default]
    Empty,
    /// These bytes.
    Bytes(Vec<u8>),
    /// This process's standard input.
    Inherit,
}

/// Bytes for a component's standard input.
#[derive(Clone, Debug)]
pub struct MemoryInputPipe(Bytes);

impl MemoryInputPipe {
    /// A source that ends after these bytes.
    pub fn new(bytes: impl Into<Bytes>) -> MemoryInputPipe {
        MemoryInputPipe(bytes.into())
    }
}

impl From<MemoryInputPipe> for Stdin {
    fn from(pipe: MemoryInputPipe) -> Stdin {
        Stdin::Bytes(pipe.0.into())
    }
}

/// One component's standard input, shared by all its streams.
#[derive(Clone, Debug)]
pub(crate) struct SharedInput(Source);

#[derive(Clone, Debug)]
enum Source {
    Bytes(Arc<Mutex<Bytes>>),
    Process(&'static Mutex<Process>),
}

impl SharedInput {
    pub(crate) fn new(from: &Stdin) -> SharedInput {
        SharedInput(match from {
            Stdin::Empty => Source::Bytes(Arc::default()),
            Stdin::Bytes(bytes) => Source::Bytes(Arc::new(Mutex::new(bytes.clone().into()))),
            Stdin::Inherit => Source::Process(&PROCESS),
        })
    }

    pub(super) fn is_terminal(&self) -> bool {
        matches!(self.0, Source::Process(_)) && io::stdin().is_terminal()
    }
}

impl Waits for SharedInput {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &self.0 {
            Source::Bytes(_) => Poll::Ready(()),
            Source::Process(process) => lock(process).poll_ready(cx),
        }
    }
}

impl Input for SharedInput {
    fn read(&mut self, max: usize) -> Result<Bytes, StreamError> {
        match &self.0 {
            Source::Bytes(bytes) => {
                let mut bytes = lock(bytes);
                let len = bytes.len().min(max);
                match bytes.is_empty() {
                    true => Err(StreamError::Closed),
                    false => Ok(bytes.split_to(len)),
                }
            }
            Source::Process(process) => lock(process).read(max),
        }
    }
}

/// Bytes that one read of this process's input asks for. What the reader leaves is kept for the next one.
const CHUNK: usize = 16 << 10;

/// This process's standard input. No non-blocking read works for terminals, pipes and files alike, so a thread reads
/// it.
#[derive(Debug)]
struct Process {
    read: Bytes,
    end: Option<End>,
    reading: Option<Task<()>>,
    wakers: Vec<Waker>,
}

#[derive(Debug)]
enum End {
    Reached,
    Failed(io::Error),
}

static PROCESS: Mutex<Process> = Mutex::new(Process {
    read: Bytes::new(),
    end: None,
    reading: None,
    wakers: Vec::new(),
});

impl Process {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.read.is_empty() || self.end.is_some() {
            return Poll::Ready(());
        }
        if !self.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            self.wakers.push(cx.waker().clone());
        }
        self.start();
        match self.end {
            Some(_) => Poll::Ready(()),
            None => Poll::Pending,
        }
    }

    fn read(&mut self, max: usize) -> Result<Bytes, StreamError> {
        if !self.read.is_empty() {
            let len = self.read.len().min(max);
            return Ok(self.read.split_to(len));
        }
        match self.end.take() {
            None => {
                self.start();
                Ok(Bytes::new())
            }
            Some(End::Reached) => {
                self.end = Some(End::Reached);
                Err(StreamError::Closed)
            }
            Some(End::Failed(error)) => {
                self.end = Some(End::Reached);
                Err(StreamError::failed(error))
            }
        }
    }

    /// Starts a read on another thread, unless one is running.
    fn start(&mut self) {
        if self.reading.is_some() {
            return;
        }
        match executor::spawn_blocking(read_chunk) {
            Ok(task) => self.reading = Some(task),
            Err(error) => self.end = Some(End::Failed(error)),
        }
    }
}

/// Reads one chunk, and wakes the waiting streams.
fn read_chunk() {
    let mut chunk = vec![0; CHUNK];
    let result = loop {
        match io::stdin().read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => break result,
        }
    };
    let wakers = {
        let mut process = lock(&PROCESS);
        match result {
            Ok(0) => process.end = Some(End::Reached),
            Ok(len) => {
                chunk.truncate(len);
                process.read = chunk.into();
            }
            Err(error) => process.end = Some(End::Failed(error)),
        }
        process.reading = None;
        std::mem::take(&mut process.wakers)
    };
    wakers.into_iter().for_each(Waker::wake);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic under this lock leaves the data consistent.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_once_by_all_streams() {
        let input = SharedInput::new(&Stdin::Bytes(b"abcdef".to_vec()));
        let (mut first, mut second) = (input.clone(), input);
        assert_eq!(first.read(0).unwrap(), "");
        assert_eq!(first.read(2).unwrap(), "ab");
        assert_eq!(second.read(3).unwrap(), "cde");
        assert_eq!(first.read(10).unwrap(), "f");
        assert!(matches!(second.read(10), Err(StreamError::Closed)));
        assert!(matches!(second.read(0), Err(StreamError::Closed)));
    }

    #[test]
    fn no_input_is_at_its_end() {
        let mut input = SharedInput::new(&Stdin::Empty);
        assert!(matches!(input.read(1), Err(StreamError::Closed)));
        assert!(!input.is_terminal());
    }
}
