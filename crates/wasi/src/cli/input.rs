//! Sources of standard input.

use std::collections::BTreeMap;
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
    Process(OfProcess),
}

/// One stream of this process's input. A clone is another stream.
#[derive(Debug)]
struct OfProcess {
    process: &'static Mutex<Process>,
    /// The stream's place among those that wait, once it has waited.
    place: Option<u64>,
}

impl OfProcess {
    fn new(process: &'static Mutex<Process>) -> OfProcess {
        OfProcess { process, place: None }
    }
}

impl Clone for OfProcess {
    fn clone(&self) -> OfProcess {
        OfProcess::new(self.process)
    }
}

impl Drop for OfProcess {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            let waker = lock(self.process).wakers.remove(&place);
            // Without the lock: it may be the last that keeps a store's loop.
            drop(waker);
        }
    }
}

impl SharedInput {
    pub(crate) fn new(from: &Stdin) -> SharedInput {
        SharedInput(match from {
            Stdin::Empty => Source::Bytes(Arc::default()),
            Stdin::Bytes(bytes) => Source::Bytes(Arc::new(Mutex::new(bytes.clone().into()))),
            Stdin::Inherit => Source::Process(OfProcess::new(&PROCESS)),
        })
    }

    pub(super) fn is_terminal(&self) -> bool {
        matches!(self.0, Source::Process(_)) && io::stdin().is_terminal()
    }
}

impl Waits for SharedInput {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.0 {
            Source::Bytes(_) => Poll::Ready(()),
            Source::Process(stream) => {
                let mut process = lock(stream.process);
                if process.is_ready() {
                    return Poll::Ready(());
                }
                let place = *stream.place.get_or_insert_with(|| process.next_place());
                let before = process.wakers.insert(place, cx.waker().clone());
                process.start();
                let ready = process.is_ready();
                drop(process);
                drop(before);
                match ready {
                    true => Poll::Ready(()),
                    false => Poll::Pending,
                }
            }
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
            Source::Process(stream) => lock(stream.process).read(max),
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
    /// The streams that wait, by their places: one waker each, which ends with its stream.
    wakers: BTreeMap<u64, Waker>,
    /// Places given so far.
    places: u64,
}

#[derive(Debug)]
enum End {
    Reached,
    Failed(io::Error),
}

static PROCESS: Mutex<Process> = Mutex::new(Process::new());

impl Process {
    const fn new() -> Process {
        Process {
            read: Bytes::new(),
            end: None,
            reading: None,
            wakers: BTreeMap::new(),
            places: 0,
        }
    }

    /// Returns whether there are bytes, or the input has ended.
    fn is_ready(&self) -> bool {
        !self.read.is_empty() || self.end.is_some()
    }

    fn next_place(&mut self) -> u64 {
        self.places += 1;
        self.places
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
    wakers.into_values().for_each(Waker::wake);
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

    /// A component that read, cancelled the read and dropped the stream again and again filled a list of the process.
    #[test]
    fn a_stream_that_is_dropped_leaves_no_waker() {
        static OTHER: Mutex<Process> = Mutex::new(Process::new());
        let wakers = || lock(&OTHER).wakers.len();
        // It waits for input that does not come.
        lock(&OTHER).reading = Some(executor::spawn(std::future::pending()).unwrap());
        let input = SharedInput(Source::Process(OfProcess::new(&OTHER)));
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..3 {
            let mut streams = vec![input.clone(), input.clone()];
            for _ in 0..3 {
                assert!(
                    streams
                        .iter_mut()
                        .all(|stream| stream.poll_ready(&mut cx).is_pending())
                );
            }
            assert_eq!(wakers(), 2, "one each");
            streams.truncate(1);
            assert_eq!(wakers(), 1);
        }
        assert_eq!(wakers(), 0);
        lock(&OTHER).reading = None;
    }

    #[test]
    fn no_input_is_at_its_end() {
        let mut input = SharedInput::new(&Stdin::Empty);
        assert!(matches!(input.read(1), Err(StreamError::Closed)));
        assert!(!input.is_terminal());
    }
}
