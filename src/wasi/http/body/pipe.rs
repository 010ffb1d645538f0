//! A body between the guest that writes it and the connection that sends it.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::HeaderMap;
use hyper::body::{Body, Frame, SizeHint};

/// The guest's end.
#[derive(Clone, Debug)]
pub(crate) struct Writer(Arc<Pipe>);

/// The connection's end, as hyper takes bodies. Dropping it tells the writer that nobody reads.
#[derive(Debug)]
pub(crate) struct Reader(Arc<Pipe>);

/// The guest left a body unfinished: the connection ends without the body's end, so that the other side can tell.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the component did not finish the body")]
pub(crate) struct Unfinished;

#[derive(Debug)]
struct Pipe {
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    chunks: VecDeque<Bytes>,
    buffered: usize,
    /// Bytes that ever came.
    written: u64,
    end: Option<End>,
    /// Whether there is nobody to read.
    abandoned: bool,
    /// Whether some of it was not read when that came.
    lost: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

#[derive(Debug)]
enum End {
    Finished(Option<HeaderMap>),
    Unfinished,
}

/// Nobody reads: the connection is gone.
#[derive(Debug)]
pub(crate) struct Abandoned;

/// A pipe that holds `capacity` bytes.
pub(crate) fn pipe(capacity: usize) -> (Writer, Reader) {
    let pipe = Arc::new(Pipe {
        capacity: capacity.max(1),
        state: Mutex::default(),
    });
    (Writer(pipe.clone()), Reader(pipe))
}

impl Pipe {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    /// Bytes that there is room for.
    pub(crate) fn room(&self) -> Result<usize, Abandoned> {
        let state = self.0.lock();
        match state.abandoned || state.end.is_some() {
            true => Err(Abandoned),
            false => Ok(self.0.capacity.saturating_sub(state.buffered)),
        }
    }

    /// Ready when there is room, or never will be.
    pub(crate) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.lock();
        if state.abandoned || state.end.is_some() || state.buffered < self.0.capacity {
            return Poll::Ready(());
        }
        state.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Puts bytes in, whether or not there is room: the caller has asked.
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
        wake(state.reader.take(), state);
        Ok(())
    }

    /// Bytes that were put in.
    pub(crate) fn written(&self) -> u64 {
        self.0.lock().written
    }

    /// Whether the reader is gone and has all that was put in: it knows the body's length, and wants no more.
    pub(crate) fn is_taken(&self) -> bool {
        let state = self.0.lock();
        state.abandoned && !state.lost && state.end.is_none()
    }

    /// The body is complete.
    pub(crate) fn finish(&self, trailers: Option<HeaderMap>) {
        self.end(End::Finished(trailers));
    }

    /// The body is not complete, and never will be. Nothing happens to a body that has its end.
    pub(crate) fn abort(&self) {
        self.end(End::Unfinished);
    }

    fn end(&self, end: End) {
        let mut state = self.0.lock();
        if state.end.is_none() {
            state.end = Some(end);
            wake(state.reader.take(), state);
        }
    }
}

/// Wakes once the lock is free: the other side may run at once.
fn wake(waker: Option<Waker>, state: MutexGuard<'_, State>) {
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
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

    /// Exact for a body that is complete already: it needs no chunks.
    fn size_hint(&self) -> SizeHint {
        let state = self.0.lock();
        let buffered = u64::try_from(state.buffered).unwrap_or(u64::MAX);
        match state.end {
            Some(End::Finished(None)) => SizeHint::with_exact(buffered),
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
        let read = crate::wasi::executor::block_on(async {
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
