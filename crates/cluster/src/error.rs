//! Errors of a cluster.

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use airssys_wasm::actors::ActorError;
use airssys_wasm::artifact::ArtifactError;
use airssys_wasm::messaging::{ComponentId, Topic};
use airssys_wasm::runtime::RuntimeError;

use crate::artifacts::ArtifactDigest;
use crate::connect::MIN_SERVER;
use crate::key::{MAX_SECRET_BYTES, MIN_SECRET_BYTES};
use crate::names::{Address, InvalidName, Name};
use crate::topics::MAX_SUBSCRIBERS;

/// Reasons for which a host cannot join a cluster, or a message has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// Options that cannot be used.
    #[error("cluster options: {0}")]
    Options(#[from] InvalidClusterOptions),
    /// Text is no name or address.
    #[error("{0}")]
    Name(#[from] InvalidName),
    /// A file of the options cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system, or of the file's format.
        source: io::Error,
    },
    /// The certificates or the client's key cannot be used.
    #[error("TLS to the NATS servers cannot be set up: {0}")]
    Tls(String),
    /// The operating system provides too few threads.
    #[error("the threads of the cluster cannot be started: {0}")]
    Threads(#[source] io::Error),
    /// No random numbers are available.
    #[error("the operating system provides no random numbers: {0}")]
    Random(String),
    /// No server accepts the connection.
    #[error(
        "no NATS server of the list accepts the connection: {0}; check the addresses, the credentials and the certificates"
    )]
    Connect(#[source] Box<dyn StdError + Send + Sync>),
    /// The server's version is not supported.
    #[error(
        "the NATS server has version {version}, and {}.{} or later is needed: install a newer nats-server \
         (https://github.com/nats-io/nats-server/releases)", MIN_SERVER.0, MIN_SERVER.1
    )]
    ServerVersion {
        /// The version that the server states.
        version: String,
    },
    /// The server, or the account that the credentials belong to, has no JetStream.
    #[error(
        "the NATS server has no JetStream for this account ({reason}): start it with `--jetstream` and a `--store_dir`, \
         and enable it for the account"
    )]
    NoJetStream {
        /// The reason that the server gives.
        reason: String,
    },
    /// A call of the server took too long.
    #[error(
        "`{call}` of the NATS server had no result after {} ms: whether it took effect is unknown", after.as_millis()
    )]
    Timeout {
        /// The call.
        call: &'static str,
        /// The time that it had.
        after: Duration,
    },
    /// A call of the server failed.
    #[error("`{call}` of the NATS server failed: {source}")]
    Server {
        /// The call.
        call: &'static str,
        /// The error of the client.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The message, with what belongs to it, is larger than the server accepts, and was not sent.
    #[error(
        "the message to `{to}` has {bytes} bytes, more than the limit of {limit}: raise `max_payload` of the NATS servers"
    )]
    TooLarge {
        /// The receiver.
        to: Address,
        /// Bytes of the message as it would be sent.
        bytes: usize,
        /// The server's limit, less [`RESERVED_BYTES`](crate::RESERVED_BYTES).
        limit: usize,
    },
    /// The request's identity or its trace is longer than 65,535 bytes.
    #[error("the request's identity or its trace context is longer than 65535 bytes")]
    LongOptions,
    /// No host of this name listens.
    #[error("no host `{0}` is in the cluster, or it is not connected to the NATS servers")]
    NoHost(Name),
    /// More requests wait for their answers than [`ClusterOptions::with_max_requests`](crate::ClusterOptions::with_max_requests)
    /// allows; nothing was sent.
    #[error("{limit} requests to other hosts wait for their answers: send the message later")]
    TooManyRequests {
        /// The limit.
        limit: usize,
    },
    /// There was no answer in time. The message may have been handled, or be handled later if a component's call is running.
    #[error("`{to}` did not answer within {} ms: whether the message was handled is unknown", after.as_millis())]
    Unanswered {
        /// The receiver.
        to: Address,
        /// The message's time.
        after: Duration,
    },
    /// Another process holds the host's name.
    #[error("a host of the cluster is named `{0}` already: stop it, or choose another name")]
    HostTaken(Name),
    /// Another host has announced a component of this identity.
    #[error("`{id}` is announced by the host `{host}`: withdraw it there, or choose another identity")]
    Announced {
        /// The identity.
        id: ComponentId,
        /// The host.
        host: Name,
    },
    /// No host that is there has announced a component of this identity.
    #[error("no host of the cluster has announced `{0}`")]
    NotAnnounced(ComponentId),
    /// Others changed the entry of this identity at each try.
    #[error("the entry of `{0}` is being changed by others: try again")]
    Contended(ComponentId),
    /// The server did not take the configuration of a stream as it was asked for, or the stream exists with another one.
    #[error(
        "the stream `{name}` has {setting} = {found}, and {asked} is needed: remove the stream, or set it with `nats stream edit`"
    )]
    Stream {
        /// The stream.
        name: String,
        /// The setting.
        setting: &'static str,
        /// Its value as asked for.
        asked: i64,
        /// Its value at the server.
        found: i64,
    },
    /// The topic has as many subscribers as one may have.
    #[error("the topic `{0}` has {MAX_SUBSCRIBERS} subscribers, which is the limit: use several topics")]
    TooManySubscribers(Topic),
    /// A record of the registry is there and cannot be read: a stranger wrote it, or a host with another key or version. What runs goes
    /// on running.
    #[error(
        "the record `{key}` of the bucket `{bucket}` is not one of this cluster, or of another version: remove it with \
         `nats kv del {bucket} {key}`, and declare or subscribe again what it had"
    )]
    Record {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
    },
    /// Others changed a record of the placement at each try.
    #[error("the placement of components is being changed by others: try again")]
    PlacementContended,
    /// A bound of the placement of components is reached.
    #[error("the placement of components has as many {what} as it may have: {limit}")]
    PlacementFull {
        /// The kind of what is bounded.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// A limit of the stream of durable messages, or of the servers, is reached: the message was not sent.
    #[error("no durable message to `{to}` is taken now ({reason}): send it later, or raise the limits")]
    MailFull {
        /// The component.
        to: ComponentId,
        /// The server's reason.
        reason: String,
    },
    /// The stream of durable messages did not acknowledge the message in time. It may be there: send it again with the same id.
    #[error(
        "whether the durable message to `{to}` is stored was not known after {} ms: send it again with the id `{message_id}`",
        after.as_millis()
    )]
    NotKnownStored {
        /// The component.
        to: ComponentId,
        /// The message's id.
        message_id: String,
        /// The time that it had.
        after: Duration,
    },
    /// No host has published an artifact with this digest.
    #[error("the artifact {0} is not on the servers: publish it with `Cluster::publish_artifact`")]
    NoArtifact(ArtifactDigest),
    /// The bytes that are stored under this digest have another. They were removed from this host.
    #[error("the artifact {0} on the servers was changed: publish it again from a file that is intact")]
    ArtifactDigest(ArtifactDigest),
    /// An artifact is larger than one may be.
    #[error("the artifact has at least {bytes} bytes, more than the limit of {limit}")]
    ArtifactTooLarge {
        /// Its bytes, or those that were read.
        bytes: u64,
        /// [`MAX_ARTIFACT_BYTES`](crate::MAX_ARTIFACT_BYTES).
        limit: u64,
    },
    /// An artifact is damaged, unsigned, or signed by a key that is not trusted. None of its code was mapped.
    #[error("{}: {source}", path.display())]
    Artifact {
        /// The file, or that which it would have been.
        path: PathBuf,
        /// The reason.
        source: ArtifactError,
    },
    /// A file cannot be written.
    #[error("{} cannot be written: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The receiver's host refused the message, or the component failed or returned an error.
    #[error("`{from}`: {text}")]
    Failed {
        /// The component.
        from: Address,
        /// The kind of failure.
        kind: FailureKind,
        /// The error as text, in the receiver's words.
        text: String,
    },
    /// This host has left the cluster.
    #[error("this host has left the cluster: join it again")]
    Left,
}

/// Kinds of failure of a message, on whichever host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// The component returned an error. It keeps running.
    Component,
    /// The host has no such component.
    Unknown,
    /// The mailbox is full, or an older message had to make room.
    Full,
    /// The message is larger than the mailbox accepts, or the answer than a message may be.
    TooLarge,
    /// The message's time ended.
    Expired,
    /// The message ended the component as often as it may.
    Poison,
    /// The component failed: a trap, a limit, a panic in its call.
    Stopped,
    /// The component is not available: stopped, given up, or its host shuts down.
    Unavailable,
    /// The host handles as many requests of other hosts as it may.
    Busy,
    /// The component may not receive messages of this sender.
    Denied,
    /// Any other failure, also one of a newer version.
    Other,
}

impl FailureKind {
    /// The numbers in replies.
    const NUMBERS: [(FailureKind, u8); 11] = [
        (FailureKind::Component, 1),
        (FailureKind::Unknown, 2),
        (FailureKind::Full, 3),
        (FailureKind::TooLarge, 4),
        (FailureKind::Expired, 5),
        (FailureKind::Poison, 6),
        (FailureKind::Stopped, 7),
        (FailureKind::Unavailable, 8),
        (FailureKind::Busy, 9),
        (FailureKind::Denied, 10),
        (FailureKind::Other, 255),
    ];

    pub(crate) fn number(self) -> u8 {
        let found = FailureKind::NUMBERS.iter().find(|(kind, _)| *kind == self);
        found.map_or(255, |(_, number)| *number)
    }

    pub(crate) fn of_number(number: u8) -> FailureKind {
        let found = FailureKind::NUMBERS.iter().find(|(_, known)| *known == number);
        found.map_or(FailureKind::Other, |(kind, _)| *kind)
    }

    /// Classifies the error of an actor.
    pub(crate) fn of(error: &ActorError) -> FailureKind {
        match error {
            ActorError::Unknown(_) => FailureKind::Unknown,
            ActorError::Full { .. } | ActorError::Displaced(_) => FailureKind::Full,
            ActorError::TooLarge { .. } | ActorError::Runtime(RuntimeError::Payload { .. }) => {
                FailureKind::TooLarge
            }
            ActorError::Expired { .. } | ActorError::Runtime(RuntimeError::Timeout { .. }) => {
                FailureKind::Expired
            }
            ActorError::Poison { .. } => FailureKind::Poison,
            ActorError::GaveUp { .. } | ActorError::Stopped(_) | ActorError::ShutDown => {
                FailureKind::Unavailable
            }
            ActorError::Panicked { .. }
            | ActorError::Runtime(RuntimeError::Stopped { .. } | RuntimeError::Limit { .. }) => {
                FailureKind::Stopped
            }
            ActorError::Runtime(RuntimeError::Execution(_)) => FailureKind::Component,
            _ => FailureKind::Other,
        }
    }
}

/// Options of a cluster that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidClusterOptions {
    /// The list of servers is empty.
    #[error("no NATS server is given: add one by `with_server`, such as `nats://127.0.0.1:4222`")]
    NoServer,
    /// A server's address cannot be read. The number counts from 1; the text is left out, since it can hold a password.
    #[error("the address of server {0} is not one, such as `tls://nats.example.com:4222`")]
    Server(usize),
    /// A server's address has a user or a password. The number counts from 1.
    #[error("the address of server {0} has a user: set it by `with_password`")]
    User(usize),
    /// The secret is too short or too long.
    #[error("the cluster's secret has {0} bytes, and must have {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES}")]
    Secret(usize),
    /// A number is outside its range. Times are in milliseconds.
    #[error("{what} must be from {least} to {most}, not {value}")]
    Range {
        /// The number's meaning.
        what: &'static str,
        /// The number.
        value: u64,
        /// The least that it may be.
        least: u64,
        /// The most that it may be.
        most: u64,
    },
}

/// An answer that a request got, by its receiver.
pub(crate) type Answer = Result<Vec<u8>, (FailureKind, String)>;

/// Converts the result of an actor to that of a request.
pub(crate) fn answer(result: Result<Vec<u8>, ActorError>) -> Answer {
    result.map_err(|error| (FailureKind::of(&error), error.to_string()))
}

/// Returns the error of a failure.
pub(crate) fn failed(from: ComponentId, host: Name, (kind, text): (FailureKind, String)) -> ClusterError {
    let from = Address::new(host, from);
    ClusterError::Failed { from, kind, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_number() {
        for (kind, number) in FailureKind::NUMBERS {
            assert_eq!((kind.number(), FailureKind::of_number(number)), (number, kind));
            assert_ne!(number, 0, "0 is an answer");
        }
        assert_eq!(FailureKind::of_number(200), FailureKind::Other);
    }
}
