//! A host's connection to the simulated servers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::world::{Up, World};
use crate::error::ClusterError;
use crate::transport::{Boxed, Message, Subscription, Transport};

pub(super) struct Link {
    world: Arc<World>,
    pub(super) line: usize,
    up: mpsc::UnboundedSender<(Instant, Up)>,
    call_timeout: Duration,
}

impl Link {
    pub(super) fn connect(world: &Arc<World>, name: &str, call_timeout: Duration) -> Link {
        let (line, up) = world.connect(name);
        Link {
            world: world.clone(),
            line,
            up,
            call_timeout,
        }
    }

    fn send(&self, parcel: Up, may_be_lost: bool) {
        self.world.send_up(self.line, &self.up, parcel, may_be_lost);
    }

    async fn answer<T>(&self, call: &'static str, answer: oneshot::Receiver<T>) -> Result<T, ClusterError> {
        // Killed processes do not go on.
        let never = async {
            match answer.await {
                Ok(value) => value,
                Err(_) => std::future::pending().await,
            }
        };
        let result = tokio::time::timeout(self.call_timeout, never).await;
        if !self.world.lock().lines[self.line].is_alive {
            std::future::pending::<()>().await;
        }
        result.map_err(|_| ClusterError::Timeout {
            call,
            after: self.call_timeout,
        })
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

impl Transport for Link {
    fn publish(
        &self,
        subject: String,
        reply: Option<String>,
        payload: Bytes,
    ) -> Boxed<'_, Result<(), ClusterError>> {
        if self.world.lock().lines[self.line].is_full {
            return Box::pin(std::future::pending());
        }
        let message = Message {
            subject,
            reply,
            payload,
            no_responders: false,
        };
        self.send(Up::Publish(message), true);
        Box::pin(std::future::ready(Ok(())))
    }

    fn subscribe(&self, subject: String) -> Boxed<'_, Result<Box<dyn Subscription>, ClusterError>> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.send(Up::Subscribe(subject.clone(), sender), false);
        let subscribed = Subscribed {
            world: self.world.clone(),
            line: self.line,
            up: self.up.clone(),
            subject,
            receiver,
        };
        Box::pin(std::future::ready(Ok(
            Box::new(subscribed) as Box<dyn Subscription>
        )))
    }

    fn read<'a>(&'a self, key: &'a str) -> Boxed<'a, Result<Option<(u64, Bytes)>, ClusterError>> {
        let (sender, receiver) = oneshot::channel();
        self.send(Up::Read(key.to_owned(), sender), true);
        Box::pin(self.answer("read registry", receiver))
    }

    fn write<'a>(
        &'a self,
        key: &'a str,
        value: Bytes,
        revision: u64,
    ) -> Boxed<'a, Result<Option<u64>, ClusterError>> {
        let (sender, receiver) = oneshot::channel();
        self.send(Up::Write(key.to_owned(), value, revision, sender), true);
        Box::pin(self.answer("write registry", receiver))
    }

    fn max_payload(&self) -> usize {
        1 << 20
    }

    fn server_version(&self) -> String {
        "2.12.0".to_owned()
    }

    fn end(&self) -> Boxed<'_, ()> {
        let (sender, receiver) = oneshot::channel();
        self.send(Up::End(sender), false);
        let ended = tokio::time::timeout(self.call_timeout, receiver);
        Box::pin(async move { drop(ended.await) })
    }
}

struct Subscribed {
    world: Arc<World>,
    line: usize,
    up: mpsc::UnboundedSender<(Instant, Up)>,
    subject: String,
    receiver: mpsc::UnboundedReceiver<Message>,
}

impl Subscription for Subscribed {
    fn next(&mut self) -> Boxed<'_, Option<Message>> {
        Box::pin(self.receiver.recv())
    }

    fn drain(&mut self) -> Boxed<'_, bool> {
        let parcel = Up::Unsubscribe(self.subject.clone());
        self.world.send_up(self.line, &self.up, parcel, false);
        Box::pin(std::future::ready(true))
    }
}
