//! The connections of a listening socket, one after the other, for as long as it listens.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::tcp::{Listener, TcpSocket};
use super::{Place, Places};
use crate::executor::Timer;

/// Connections that are lost in a row before other tasks get their turn.
const MAX_LOST: usize = 64;
/// Time until the next attempt when the system has no descriptor or memory for a connection.
const PAUSE: Duration = Duration::from_millis(100);

/// The connections of a listening socket. They wait in the backlog while the component has as many sockets as it may have.
pub(crate) struct Incoming {
    listener: Arc<Listener>,
    places: Places,
    /// Waits for a place, while all are taken.
    place: Option<Pin<Box<dyn Future<Output = Place> + Send>>>,
    pause: Option<Timer>,
}

/// The consequence of a failed `accept`.
#[derive(Debug, PartialEq, Eq)]
enum Failure {
    /// One connection was lost.
    Lost,
    /// The system is short of descriptors or memory.
    Exhausted,
    /// The socket does not listen any more.
    Ended,
}

fn failure(error: &io::Error) -> Failure {
    match Errno::from_io_error(error) {
        Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS) => Failure::Exhausted,
        Some(Errno::BADF | Errno::INVAL | Errno::NOTSOCK) => Failure::Ended,
        _ => Failure::Lost,
    }
}

impl Incoming {
    pub(super) fn new(listener: Arc<Listener>, places: Places) -> Incoming {
        Incoming {
            listener,
            places,
            place: None,
            pause: None,
        }
    }

    /// Returns the next connection; `None` if there will be no others. Called under tokio's runtime.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<TcpSocket>> {
        for _ in 0..MAX_LOST {
            if let Some(pause) = &mut self.pause {
                ready!(pause.poll(cx));
                self.pause = None;
            }
            let place = ready!(self.poll_place(cx));
            // Without a connection, the place is free for others.
            match ready!(self.listener.poll_accept(cx)) {
                Ok(stream) => {
                    // Fails if the peer is gone already.
                    if let Ok(socket) = TcpSocket::accepted(&self.listener, stream, place) {
                        return Poll::Ready(Some(socket));
                    }
                }
                Err(error) => match failure(&error) {
                    Failure::Lost => {}
                    Failure::Exhausted => self.pause = Instant::now().checked_add(PAUSE).map(Timer::at),
                    Failure::Ended => return Poll::Ready(None),
                },
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Waits for nothing any more, until the next poll.
    pub(crate) fn pause(&mut self) {
        self.place = None;
    }

    fn poll_place(&mut self, cx: &mut Context<'_>) -> Poll<Place> {
        let waiting = match &mut self.place {
            Some(waiting) => waiting,
            None => match self.places.take() {
                Ok(place) => return Poll::Ready(place),
                Err(_) => self.place.insert(Box::pin(self.places.clone().next())),
            },
        };
        let place = ready!(waiting.as_mut().poll(cx));
        self.place = None;
        Poll::Ready(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_of_one_connection_are_no_end() {
        let of = |number: Errno| failure(&number.into());
        assert_eq!(of(Errno::CONNABORTED), Failure::Lost);
        assert_eq!(of(Errno::PERM), Failure::Lost);
        assert_eq!(of(Errno::NETUNREACH), Failure::Lost);
        assert_eq!(of(Errno::MFILE), Failure::Exhausted);
        assert_eq!(of(Errno::NOBUFS), Failure::Exhausted);
        assert_eq!(of(Errno::INVAL), Failure::Ended);
    }
}
