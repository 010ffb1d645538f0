//! Numbers of what happened, for hosts.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

/// Numbers of messages and events since the host joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterCounters {
    /// Requests that were sent to other hosts.
    pub requests: u64,
    /// Requests to other hosts that got an answer, or the error of the receiver.
    pub replies: u64,
    /// Requests of other hosts that were handed to a component.
    pub served: u64,
    /// Messages without a right code: of strangers, of another cluster, or damaged. Dropped.
    pub forged: u64,
    /// Messages of another version of the format. Dropped.
    pub other_version: u64,
    /// Authentic messages that make no sense here. Dropped.
    pub malformed: u64,
    /// Requests that came after their deadline, or with one that is too far away. Dropped.
    pub expired: u64,
    /// Requests that came a second time. Dropped.
    pub replayed: u64,
    /// Requests that were refused because too many were being handled.
    pub busy: u64,
    /// Replies that came after their request had ended.
    pub late: u64,
    /// Times that the client reported messages dropped because this host read too slowly.
    pub slow_consumer: u64,
    /// Times that the connection was lost.
    pub disconnects: u64,
    /// Times that the server reported an error, such as a missing permission.
    pub server_errors: u64,
    /// Durable messages that this host was asked to send.
    pub durable_sent: u64,
    /// Those that the stream acknowledged.
    pub durable_stored: u64,
    /// Durable messages to components of this host that came into the store.
    pub durable_received: u64,
    /// Durable messages that came again, and were dropped.
    pub durable_repeated: u64,
    /// Durable messages that became dead letters because their actor will never take them.
    pub durable_buried: u64,
    /// Times that receiving began anew with the first message that was not acknowledged.
    pub resyncs: u64,
}

/// The numbers as they are counted.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) requests: Count,
    pub(crate) replies: Count,
    pub(crate) served: Count,
    pub(crate) forged: Count,
    pub(crate) other_version: Count,
    pub(crate) malformed: Count,
    pub(crate) expired: Count,
    pub(crate) replayed: Count,
    pub(crate) busy: Count,
    pub(crate) late: Count,
    pub(crate) slow_consumer: Count,
    pub(crate) disconnects: Count,
    /// Changes when the connection is lost, and when it is made again.
    pub(crate) connection: watch::Sender<u64>,
    pub(crate) server_errors: Count,
    pub(crate) durable_sent: Count,
    pub(crate) durable_stored: Count,
    pub(crate) durable_received: Count,
    pub(crate) durable_repeated: Count,
    pub(crate) durable_buried: Count,
    pub(crate) resyncs: Count,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    pub(crate) fn snapshot(&self) -> ClusterCounters {
        ClusterCounters {
            requests: self.requests.get(),
            replies: self.replies.get(),
            served: self.served.get(),
            forged: self.forged.get(),
            other_version: self.other_version.get(),
            malformed: self.malformed.get(),
            expired: self.expired.get(),
            replayed: self.replayed.get(),
            busy: self.busy.get(),
            late: self.late.get(),
            slow_consumer: self.slow_consumer.get(),
            disconnects: self.disconnects.get(),
            server_errors: self.server_errors.get(),
            durable_sent: self.durable_sent.get(),
            durable_stored: self.durable_stored.get(),
            durable_received: self.durable_received.get(),
            durable_repeated: self.durable_repeated.get(),
            durable_buried: self.durable_buried.get(),
            resyncs: self.resyncs.get(),
        }
    }
}
