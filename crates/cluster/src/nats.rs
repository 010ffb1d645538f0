//! The servers, through the client of NATS.

use std::fmt;

use async_nats::jetstream::kv::{Store, UpdateErrorKind};
use async_nats::{Client, StatusCode, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;

use crate::call::timed;
use crate::error::ClusterError;
use crate::options::ClusterOptions;
use crate::transport::{Boxed, Message, Subscription, Transport};

/// A connection, and the bucket of the registry.
pub(crate) struct Nats {
    client: Client,
    store: Store,
    options: ClusterOptions,
}

impl Nats {
    pub(crate) fn new(client: Client, store: Store, options: ClusterOptions) -> Nats {
        Nats {
            client,
            store,
            options,
        }
    }
}

impl fmt::Debug for Nats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nats").finish_non_exhaustive()
    }
}

impl Transport for Nats {
    fn publish(
        &self,
        subject: String,
        reply: Option<String>,
        payload: Bytes,
    ) -> Boxed<'_, Result<(), ClusterError>> {
        Box::pin(async move {
            let published = match reply {
                Some(reply) => self.client.publish_with_reply(subject, reply, payload).await,
                None => self.client.publish(subject, payload).await,
            };
            published.map_err(|error| ClusterError::Server {
                call: "publish",
                source: error.into(),
            })
        })
    }

    fn subscribe(&self, subject: String) -> Boxed<'_, Result<Box<dyn Subscription>, ClusterError>> {
        Box::pin(async move {
            let subscribing = self.client.subscribe(subject);
            let subscriber = timed("subscribe", self.options.call_timeout, subscribing).await?;
            Ok(Box::new(subscriber) as Box<dyn Subscription>)
        })
    }

    fn read<'a>(&'a self, key: &'a str) -> Boxed<'a, Result<Option<(u64, Bytes)>, ClusterError>> {
        Box::pin(async move {
            let entry = timed("read registry", self.options.call_timeout, self.store.entry(key)).await?;
            Ok(entry.map(|entry| (entry.revision, entry.value)))
        })
    }

    fn write<'a>(
        &'a self,
        key: &'a str,
        value: Bytes,
        revision: u64,
    ) -> Boxed<'a, Result<Option<u64>, ClusterError>> {
        let update = async move {
            match self.store.update(key, value, revision).await {
                Ok(revision) => Ok(Some(revision)),
                Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => Ok(None),
                Err(error) => Err(error),
            }
        };
        Box::pin(timed("write registry", self.options.call_timeout, update))
    }

    fn max_payload(&self) -> usize {
        self.client.max_payload()
    }

    fn server_version(&self) -> String {
        self.client.server_info().version
    }

    fn end(&self) -> Boxed<'_, ()> {
        Box::pin(async move {
            // The client's own `drain` returns before what is queued is sent.
            for done in [
                timed("flush", self.options.call_timeout, self.client.flush()).await,
                timed("drain", self.options.call_timeout, self.client.drain()).await,
            ] {
                if let Err(error) = done {
                    log::warn!("leaving the cluster: {error}");
                }
            }
        })
    }
}

impl Subscription for Subscriber {
    fn next(&mut self) -> Boxed<'_, Option<Message>> {
        Box::pin(async move {
            let message = StreamExt::next(self).await?;
            Some(Message {
                no_responders: message.status == Some(StatusCode::NO_RESPONDERS)
                    && message.payload.is_empty(),
                subject: message.subject.into_string(),
                reply: message.reply.map(|reply| reply.into_string()),
                payload: message.payload,
            })
        })
    }

    fn drain(&mut self) -> Boxed<'_, bool> {
        Box::pin(async move { Subscriber::drain(self).await.is_ok() })
    }
}
