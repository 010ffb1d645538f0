//! Pipe for a body, from the guest that writes it to the connection that sends it.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;
use hyper::body::{Body, Frame, SizeHint};

use crate::executor::Timer;

/// Bytes that start the sending of a message, even if the guest keeps writing.
const BEGIN_BYTES: usize = 16 << 10;
/// Time that a full pipe may block a thread for which [`Behind`] returned false.
const HOLD: Duration = Duration::from_millis(500);

/// Callback for a reader that falls behind; returns true if the thread that waits for it may keep waiting.
#[derive(Clone)]
pub(crate) struct Behind(Arc<dyn Fn() -> bool + Send + Sync>);

impl Behind {
    pub(crate) fn new(behind: impl Fn() -> bool + Send + Sync + 'static) -> Behind {
        Behind(Arc::new(behind))
    }
}

impl fmt::Debug for Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Behind")
    }
}

/// The guest's end of the pipe.
#[derive(Clone, Debug)]
pub(crate) struct Writer(Arc<Pipe>);

/// The connection's end of the pipe, as a body for hyper. Dropping it makes further writes fail.
#[derive(Debug)]
pub(crate) struct Reader(Arc<Pipe>);

/// The guest left a body unfinished: the connection closes before the body's end, so that the other side notices.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the component did not finish the body")]
pub(crate) struct Unfinished;

#[derive(Debug)]
struct Pipe {
    capacity: usize,
    /// Holds the message back until its body has begun.
    held: bool,
    behind: Option<Behind>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The message may be sent before its end is known.
    begun: bool,
    /// Ends the wait of a thread for which `behind` returned false.
    hold: Option<Timer>,
    chunks: VecDeque<Bytes>,
    buffered: usize,
    /// Bytes written so far, in total.
    written: u64,
    end: Option<End>,
    /// True once the reader was dropped.
    abandoned: bool,
    /// True if the reader was dropped before it had read everything.
    lost: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("begun", &self.begun)
            .field("written", &self.written)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
enum End {
    Finished(Option<HeaderMap>),
    Unfinished,
}

/// Error of a pipe that accepts no more bytes: its reader is gone, or the body has ended.
#[derive(Debug)]
pub(crate) struct Abandoned;

/// Creates a pipe that holds `capacity` bytes, for a message whose head is sent at once.
pub(crate) fn pipe(capacity: usize) -> (Writer, Reader) {
    Pipe::ends(capacity, false, None)
}

/// Creates a pipe that holds `capacity` bytes, for a message whose head is sent when the body has begun.
pub(crate) fn held_pipe(capacity: usize, behind: Option<Behind>) -> (Writer, Reader) {
    Pipe::ends(capacity, true, behind)
}

impl Pipe {
    fn ends(capacity: usize, held: bool, behind: Option<Behind>) -> (Writer, Reader) {
        let pipe = Arc::new(Pipe {
            capacity: capacity.max(1),
            held,
            behind,
            state: Mutex::default(),
        });
        (Writer(pipe.clone()), Reader(pipe))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    /// Returns the free bytes of the pipe.
    pub(crate) fn room(&self) -> Result<usize, Abandoned> {
        let state = self.0.lock();
        match state.abandoned || state.end.is_some() {
            true => Err(Abandoned),
            false => Ok(self.0.capacity.saturating_sub(state.buffered)),
        }
    }

    /// Ready when the pipe has room, or never will have.
    pub(crate) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.lock();
        if state.abandoned || state.end.is_some() || state.buffered < self.0.capacity {
            state.hold = None;
            return Poll::Ready(());
        }
        state.writer = Some(cx.waker().clone());
        if let Some(behind) = &self.0.behind
            && !(behind.0)()
        {
            let now = Instant::now();
            let hold = state
                .hold
                .get_or_insert_with(|| Timer::at(now.checked_add(HOLD).unwrap_or(now)));
            if hold.poll(cx).is_ready() {
                state.end = Some(End::Unfinished);
                wake(state.reader.take(), state);
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }

    /// Starts sending the message, as far as it is written.
    pub(crate) fn begin(&self) {
        let mut state = self.0.lock();
        if !state.begun {
            state.begun = true;
            wake(state.reader.take(), state);
        }
    }

    /// Writes bytes, even beyond the capacity: the caller has checked the room.
    pub(crate) fn write(&self, bytes: Bytes) -> Result<(), Abandoned> {
        let mut state = self.0.lock();
        if state.abandoned || state.end.is_some() {
            return Err(Abandoned);
        }
        if bytes.is_empty() {
            return Ok(());
        }
        state.buffered = state.buffered.saturating_add(bytes.len());
        let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        state.written = state.written.saturating_add(len);
        state.chunks.push_back(bytes);
        state.begun |= state.buffered >= BEGIN_BYTES.min(self.0.capacity);
        wake(state.reader.take(), state);
        Ok(())
    }

    /// Returns the number of bytes written so far.
    pub(crate) fn written(&self) -> u64 {
        self.0.lock().written
    }

    /// Returns whether the reader is gone after it has read everything: it knows the body's length, and needs no more.
    pub(crate) fn is_taken(&self) -> bool {
        let state = self.0.lock();
        state.abandoned && !state.lost && state.end.is_none()
    }

    /// Ends a complete body.
    pub(crate) fn finish(&self, trailers: Option<HeaderMap>) {
        self.end(End::Finished(trailers));
    }

    /// Ends an incomplete body. Does nothing to a body that has ended.
    pub(crate) fn abort(&self) {
        self.end(End::Unfinished);
    }

    fn end(&self, end: End) {
        let mut state = self.0.lock();
        if state.end.is_none() {
            state.end = Some(end);
            // Another may wait to write.
            let writer = state.writer.take();
            wake(state.reader.take(), state);
            if let Some(writer) = writer {
                writer.wake();
            }
        }
    }
}

/// Wakes the other side after releasing the lock, since it may run at once.
fn wake(waker: Option<Waker>, state: MutexGuard<'_, State>) {
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl Reader {
    /// Returns the writer of the same pipe.
    pub(crate) fn writer(&self) -> Writer {
        Writer(self.0.clone())
    }

    /// Ready when the message may be sent: its body is complete, large enough, flushed, or its guest waits.
    ///
    /// # Errors
    /// If the body failed before that. Nothing was sent, so that another answer is still possible.
    pub(crate) fn poll_begun(&self, cx: &mut Context<'_>) -> Poll<Result<(), Unfinished>> {
        let mut state = self.0.lock();
        match state.end {
            _ if state.begun => Poll::Ready(Ok(())),
            Some(End::Finished(_)) => Poll::Ready(Ok(())),
            Some(End::Unfinished) => Poll::Ready(Err(Unfinished)),
            None => {
                state.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Body for Reader {
    type Data = Bytes;
    type Error = Unfinished;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Unfinished>>> {
        let mut state = self.0.lock();
        if let Some(chunk) = state.chunks.pop_front() {
            state.buffered = state.buffered.saturating_sub(chunk.len());
            wake(state.writer.take(), state);
            return Poll::Ready(Some(Ok(Frame::data(chunk))));
        }
        match &mut state.end {
            Some(End::Finished(trailers)) => {
                Poll::Ready(trailers.take().map(|trailers| Ok(Frame::trailers(trailers))))
            }
            Some(End::Unfinished) => Poll::Ready(Some(Err(Unfinished))),
            None => {
                state.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        let state = self.0.lock();
        state.chunks.is_empty() && matches!(state.end, Some(End::Finished(None)))
    }

    /// Exact for a body that is complete before anything of its message is sent; it then needs no chunked encoding.
    fn size_hint(&self) -> SizeHint {
        let state = self.0.lock();
        let buffered = u64::try_from(state.buffered).unwrap_or(u64::MAX);
        match state.end {
            Some(End::Finished(None)) if !(self.0.held && state.begun) => SizeHint::with_exact(buffered),
            _ => {
                let mut hint = SizeHint::new();
                hint.set_lower(buffered);
                hint
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.abandoned = true;
        state.lost = !state.chunks.is_empty();
        state.chunks.clear();
        state.buffered = 0;
        wake(state.writer.take(), state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    fn next(reader: &mut Reader) -> Poll<Option<Result<Frame<Bytes>, Unfinished>>> {
        Pin::new(reader).poll_frame(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn what_is_written_is_read_and_gives_its_room_back() {
        let (writer, mut reader) = pipe(4);
        assert_eq!(writer.room().unwrap(), 4);
        writer.write(Bytes::from_static(b"abc")).unwrap();
        writer.write(Bytes::from_static(b"d")).unwrap();
        writer.write(Bytes::new()).unwrap();
        assert_eq!(writer.room().unwrap(), 0);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(writer.poll_room(&mut cx).is_pending());
        assert!(
            matches!(next(&mut reader), Poll::Ready(Some(Ok(frame))) if frame.data_ref().unwrap() == "abc")
        );
        assert_eq!(writer.room().unwrap(), 3);
        assert!(writer.poll_room(&mut cx).is_ready());
        assert!(
            matches!(next(&mut reader), Poll::Ready(Some(Ok(frame))) if frame.data_ref().unwrap() == "d")
        );
        assert!(next(&mut reader).is_pending());
        writer.finish(None);
        writer.abort();
        assert!(writer.room().is_err(), "nothing follows the end");
        assert!(matches!(next(&mut reader), Poll::Ready(None)));
        assert!(reader.is_end_stream());
    }

    #[test]
    fn the_end_of_a_body_wakes_both_sides() {
        for finished in [false, true] {
            let (writer, mut reader) = pipe(1);
            writer.write(Bytes::from_static(b"x")).unwrap();
            let woken = Arc::new(Woken::default());
            let waker = Waker::from(Arc::clone(&woken));
            let mut cx = Context::from_waker(&waker);
            assert!(writer.poll_room(&mut cx).is_pending(), "it is full");
            match finished {
                true => writer.finish(None),
                // Of a request whose time is over, while its guest waits to write.
                false => writer.abort(),
            }
            assert_eq!(woken.0.load(Ordering::SeqCst), 1);
            assert!(writer.poll_room(&mut cx).is_ready());
            assert!(matches!(next(&mut reader), Poll::Ready(Some(Ok(_)))));
        }
    }

    /// Counts wake-ups.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_complete_body_knows_its_length() {
        let (writer, reader) = pipe(100);
        writer.write(Bytes::from_static(b"hello")).unwrap();
        assert_eq!(reader.size_hint().exact(), None);
        writer.finish(None);
        assert_eq!(reader.size_hint().exact(), Some(5));
    }

    #[test]
    fn ends_are_told_apart() {
        let (writer, mut reader) = pipe(1);
        let mut trailers = HeaderMap::new();
        trailers.insert("a", http::HeaderValue::from_static("b"));
        writer.finish(Some(trailers));
        assert!(matches!(next(&mut reader), Poll::Ready(Some(Ok(frame))) if frame.is_trailers()));
        assert!(matches!(next(&mut reader), Poll::Ready(None)));
        let (writer, mut reader) = pipe(1);
        writer.abort();
        assert!(matches!(next(&mut reader), Poll::Ready(Some(Err(_)))));
        let (writer, reader) = pipe(1);
        drop(reader);
        assert!(writer.room().is_err() && writer.write(Bytes::from_static(b"x")).is_err());
    }

    #[test]
    fn a_message_begins_when_its_writer_has_done_something_that_shows() {
        let begun = |reader: &Reader| reader.poll_begun(&mut Context::from_waker(Waker::noop()));
        let (writer, reader) = held_pipe(100 << 10, None);
        writer.write(Bytes::from_static(b"some")).unwrap();
        assert!(begun(&reader).is_pending());
        writer.begin();
        assert!(matches!(begun(&reader), Poll::Ready(Ok(()))));
        writer.abort();
        assert!(matches!(begun(&reader), Poll::Ready(Ok(()))), "it has begun");
        let (writer, reader) = held_pipe(100 << 10, None);
        writer.write(Bytes::from_static(b"some")).unwrap();
        writer.abort();
        assert!(matches!(begun(&reader), Poll::Ready(Err(Unfinished))));
        let (writer, reader) = held_pipe(100 << 10, None);
        writer.finish(None);
        assert!(matches!(begun(&reader), Poll::Ready(Ok(()))));
        for (capacity, bytes) in [(100 << 10, BEGIN_BYTES), (10, 10)] {
            let (writer, reader) = held_pipe(capacity, None);
            writer.write(Bytes::from(vec![b'x'; bytes - 1])).unwrap();
            assert!(begun(&reader).is_pending());
            writer.write(Bytes::from_static(b"x")).unwrap();
            assert!(matches!(begun(&reader), Poll::Ready(Ok(()))));
        }
    }

    #[test]
    fn a_full_pipe_holds_a_thread_that_has_no_other_place_for_a_short_time() {
        let full = |place: bool, most: Duration| {
            let (writer, reader) = held_pipe(1, Some(Behind::new(move || place)));
            writer.write(Bytes::from_static(b"x")).unwrap();
            let until = Instant::now() + most;
            let waited = crate::executor::wait(until, |cx| writer.poll_room(cx)).unwrap();
            (waited, reader)
        };
        let (waited, _reader) = full(true, HOLD * 2);
        assert_eq!(waited, None, "it may wait on");
        let (waited, mut reader) = full(false, HOLD + Duration::from_secs(60));
        assert_eq!(waited, Some(()));
        assert!(matches!(next(&mut reader), Poll::Ready(Some(Ok(_)))));
        assert!(matches!(next(&mut reader), Poll::Ready(Some(Err(Unfinished)))));
    }

    #[test]
    fn both_ends_wake_each_other() {
        let (writer, mut reader) = pipe(1);
        let thread = std::thread::spawn(move || {
            for _ in 0..1000 {
                while writer.room().unwrap() == 0 {
                    std::thread::yield_now();
                }
                writer.write(Bytes::from_static(b"x")).unwrap();
            }
            writer.finish(None);
        });
        let read = crate::executor::block_on(async {
            let mut read = 0;
            while let Some(frame) = reader.frame().await {
                read += frame.unwrap().data_ref().unwrap().len();
            }
            read
        })
        .unwrap();
        assert_eq!(read, 1000);
        thread.join().unwrap();
    }
}
