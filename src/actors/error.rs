//! Errors of actors.

use std::io;
use std::time::Duration;

use super::options::InvalidActorOptions;
use crate::messaging::ComponentId;
use crate::runtime::RuntimeError;
use airssys_wasm_component::internal::threads::REMEDY;

/// Reasons for which an actor was not started, or a message has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ActorError {
    /// No actor has this identity.
    #[error("no actor is loaded as `{0}`: load it with `load_component_as_actor` or `start_actor`")]
    Unknown(ComponentId),
    /// The mailbox had no room for the message, which was not sent.
    #[error(
        "the mailbox of `{id}` is full: {messages} messages with {bytes} bytes wait in it; send the message later, or load \
         the component with a larger mailbox"
    )]
    Full {
        /// The actor.
        id: ComponentId,
        /// Messages in the mailbox.
        messages: usize,
        /// Their bytes.
        bytes: usize,
    },
    /// The message is larger than the mailbox accepts, and was not sent.
    #[error("the message to `{id}` has {bytes} bytes, more than the limit of {limit}")]
    TooLarge {
        /// The actor.
        id: ComponentId,
        /// Bytes of the message.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A newer message took the place of this one in the full mailbox. It is a dead letter.
    #[error("the message to `{0}` was dropped from the full mailbox for a newer one")]
    Displaced(ComponentId),
    /// The message's time ended before the component was called for it. It is a dead letter, if it was in the mailbox.
    #[error("the message to `{id}` waited longer than its time of {} ms", after.as_millis())]
    Expired {
        /// The actor.
        id: ComponentId,
        /// The message's time.
        after: Duration,
    },
    /// The message ended the component as often as it may. It is a dead letter.
    #[error(
        "the message to `{id}` stopped the component in {tries} of {tries} tries, and is not tried again: {source}"
    )]
    Poison {
        /// The actor.
        id: ComponentId,
        /// Number of tries.
        tries: u32,
        /// The last failure.
        source: Box<ActorError>,
    },
    /// The component failed more often than its policy allows.
    #[error("`{id}` gave up after {restarts} restarts: {last}; stop the actor and load it again")]
    GaveUp {
        /// The actor.
        id: ComponentId,
        /// Restarts since it was loaded.
        restarts: u64,
        /// The last failure.
        last: String,
    },
    /// The actor is stopped, or handles its last messages.
    #[error("`{0}` is stopped: load it again")]
    Stopped(ComponentId),
    /// The actor system is shut down, or handles its last messages.
    #[error("the actor system is shut down")]
    ShutDown,
    /// A function of the host application, or the library, panicked during the call.
    #[error("a call of `{id}` panicked: {message}")]
    Panicked {
        /// The actor.
        id: ComponentId,
        /// Text of the panic.
        message: String,
    },
    /// Another new version of the component is being prepared, or on trial.
    #[error("`{0}` is being replaced already: wait for the result of that")]
    Replacing(ComponentId),
    /// The new version reports that it is unhealthy, and was not used.
    #[error("the new version of `{id}` is unhealthy: {reason}")]
    Unhealthy {
        /// The actor.
        id: ComponentId,
        /// The component's own reason.
        reason: String,
    },
    /// The new version failed its trial; the one before it handles all messages again.
    #[error("version {version} of `{id}` was rolled back: {reason}")]
    RolledBack {
        /// The actor.
        id: ComponentId,
        /// [`ActorVersion::number`](super::ActorVersion::number).
        version: u64,
        /// The reason.
        reason: String,
    },
    /// There is no version to go back to.
    #[error("`{0}` has no earlier version to go back to")]
    NoEarlierVersion(ComponentId),
    /// The state cannot be handed over from one version to the other.
    #[error("the state of `{id}` cannot be handed over: {reason}")]
    Transfer {
        /// The actor.
        id: ComponentId,
        /// The reason.
        reason: String,
    },
    /// The operating system provides no thread for the preparation of a new version.
    #[error("a thread for the new version cannot be started: {0}; {REMEDY}")]
    Thread(#[source] io::Error),
    /// Options that cannot be used.
    #[error("{0}")]
    Options(#[from] InvalidActorOptions),
    /// The store did not take the message, which was not sent; or the messages in it cannot be read.
    #[cfg(feature = "durable")]
    #[error("{0}")]
    Store(#[from] airssys_wasm_store::StoreError),
    /// A message with the same id was accepted before; this one was not sent.
    #[cfg(feature = "durable")]
    #[error("a message with the same id was sent to `{0}` before")]
    Repeated(ComponentId),
    /// The actor is not durable, so that it cannot tell whether a message came before.
    #[cfg(feature = "durable")]
    #[error("`{0}` is not durable: start it with `ActorOptions::with_durable`")]
    NotDurable(ComponentId),
    /// Another durable actor with this identity uses the store.
    #[cfg(feature = "durable")]
    #[error("another durable actor is `{0}` in the same store: stop it, or choose another identity")]
    StoreInUse(ComponentId),
    /// The component cannot be loaded, answered with an error, or was stopped.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
}

/// Reasons for which an [`ActorSystem`](super::ActorSystem) cannot be created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ActorSystemError {
    /// A setting is outside its range.
    #[error("actor system: {0}")]
    Options(#[from] InvalidActorOptions),
    /// The operating system provides too few threads.
    #[error("the threads of the actor system cannot be started: {0}; {REMEDY}")]
    Threads(#[source] io::Error),
}
