//! The seam between a host and the servers: NATS, or the simulation of it in the tests.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use airssys_wasm::ComponentId;
use airssys_wasm::actors::{ActorError, SendOptions};
use airssys_wasm::messaging::SendError;
use bytes::Bytes;

use crate::error::ClusterError;

/// A future whose type is hidden.
pub(crate) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A message of a subscription.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) subject: String,
    pub(crate) reply: Option<String>,
    pub(crate) payload: Bytes,
    /// The server's own report that no host subscribes to the subject of a request.
    pub(crate) no_responders: bool,
}

/// The servers, as one host is connected to them.
pub(crate) trait Transport: fmt::Debug + Send + Sync {
    /// Publishes a message behind those before it. Waits while too many wait to be sent, so callers set a time.
    fn publish(
        &self,
        subject: String,
        reply: Option<String>,
        payload: Bytes,
    ) -> Boxed<'_, Result<(), ClusterError>>;

    /// Subscribes to a subject, whose last part may be `*`.
    fn subscribe(&self, subject: String) -> Boxed<'_, Result<Box<dyn Subscription>, ClusterError>>;

    /// Reads a key of the registry: its revision and its value.
    fn read<'a>(&'a self, key: &'a str) -> Boxed<'a, Result<Option<(u64, Bytes)>, ClusterError>>;

    /// Writes a key of the registry if its revision is still the given one, 0 for a key that was never set. Returns the new
    /// revision, or `None` if it is another.
    fn write<'a>(
        &'a self,
        key: &'a str,
        value: Bytes,
        revision: u64,
    ) -> Boxed<'a, Result<Option<u64>, ClusterError>>;

    /// Most bytes of a message's payload.
    fn max_payload(&self) -> usize;

    /// Version of the server that the host is connected to, or was last.
    fn server_version(&self) -> String;

    /// Sends what waits, and ends the connection.
    fn end(&self) -> Boxed<'_, ()>;
}

/// The messages of a subject.
pub(crate) trait Subscription: Send {
    /// Awaits the next message; `None` after the last one.
    fn next(&mut self) -> Boxed<'_, Option<Message>>;

    /// Ends the subscription; the messages that are on their way still come. Returns false if it had ended.
    fn drain(&mut self) -> Boxed<'_, bool>;
}

/// The actors of a host.
pub(crate) trait Actors: fmt::Debug + Send + Sync {
    /// Sends a message to an actor. It is in the mailbox when this returns.
    fn send(
        &self,
        to: &ComponentId,
        payload: Vec<u8>,
        options: SendOptions,
    ) -> Boxed<'static, Result<Vec<u8>, ActorError>>;

    /// Delivers a message of a component elsewhere, whose identity is `sender`.
    fn deliver(
        &self,
        sender: ComponentId,
        to: &ComponentId,
        payload: Vec<u8>,
        options: SendOptions,
    ) -> Boxed<'static, Result<(), SendError>>;

    /// Fails if there is no such actor.
    fn check(&self, id: &ComponentId) -> Result<(), ActorError>;
}

impl Actors for airssys_wasm::ComponentRuntime {
    fn send(
        &self,
        to: &ComponentId,
        payload: Vec<u8>,
        options: SendOptions,
    ) -> Boxed<'static, Result<Vec<u8>, ActorError>> {
        Box::pin(self.send_message_to_component_with(to, payload, options))
    }

    fn deliver(
        &self,
        sender: ComponentId,
        to: &ComponentId,
        payload: Vec<u8>,
        options: SendOptions,
    ) -> Boxed<'static, Result<(), SendError>> {
        let (runtime, to) = (self.clone(), to.clone());
        // It may wait for a store.
        let delivered = tokio::task::spawn_blocking(move || {
            runtime.deliver_message(sender, &to, payload, options.request_id, options.trace_context)
        });
        Box::pin(async move { delivered.await.unwrap_or(Err(SendError::Closed)) })
    }

    fn check(&self, id: &ComponentId) -> Result<(), ActorError> {
        self.actor_status(id).map(drop)
    }
}
