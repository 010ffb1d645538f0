//! Durable messages to this host's components: read from the stream in order, stored by the actor with their ids, and then
//! acknowledged.
//!
//! Order is kept without a window of one message: each time that a host begins, or that a delivery may have been lost, it
//! makes a new consumer, which begins with the first message that was not acknowledged. The server's own deliveries of a
//! message again, whose order is another, then matter only for messages that are in the store already.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use airssys_wasm::ComponentId;
use airssys_wasm::actors::{ActorError, SendOptions};
use airssys_wasm::store::StoreError;
use async_nats::jetstream::{AckKind, Message};
use futures_util::{FutureExt, StreamExt};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::body;
use crate::call::timed;
use crate::envelope::{Envelope, Kind};
use crate::error::{ClusterError, FailureKind, failed};
use crate::inbox::{Deliveries, Handed, Head, Next};
use crate::mail::BATCH;
use crate::post::Post;

/// Time of one question for messages. When it ends without any, the next begins.
const ASK: Duration = Duration::from_secs(10);
/// Longest pause after a failure of the servers.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The components of this host that get durable messages.
#[derive(Debug, Default)]
pub(crate) struct Receivers {
    running: Mutex<HashMap<ComponentId, Receiver>>,
    /// Number of consumers that were made.
    consumers: AtomicU64,
}

#[derive(Debug)]
struct Receiver {
    /// True once it ends.
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Receivers {
    fn lock(&self) -> MutexGuard<'_, HashMap<ComponentId, Receiver>> {
        // Each change is a single step.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the receiving of a component's messages, after those that are being stored.
    pub(crate) async fn end(&self, id: &ComponentId) {
        let receiver = self.lock().remove(id);
        if let Some(receiver) = receiver {
            receiver.end().await;
        }
    }

    pub(crate) async fn end_all(&self) {
        let all: Vec<Receiver> = self.lock().drain().map(|(_, receiver)| receiver).collect();
        for receiver in &all {
            receiver.stop.send_replace(true);
        }
        for receiver in all {
            receiver.end().await;
        }
    }
}

impl Receiver {
    async fn end(self) {
        self.stop.send_replace(true);
        // A panic there was reported.
        let _ = self.task.await;
    }
}

impl Post {
    /// Announces a component, and begins to receive its durable messages.
    pub(crate) async fn receive(self: &Arc<Self>, id: &ComponentId) -> Result<u64, ClusterError> {
        let here = |error: &ActorError| {
            let failure = (FailureKind::of(error), error.to_string());
            failed(id.clone(), self.node.options.host.clone(), failure)
        };
        match self.runtime.is_durable_actor(id) {
            Ok(true) => {}
            Ok(false) => return Err(here(&ActorError::NotDurable(id.clone()))),
            Err(error) => return Err(here(&error)),
        }
        let fence = self.node.announce(id).await?;
        let mut receivers = self.receivers.lock();
        if self.is_closing() {
            return Err(ClusterError::Left);
        }
        if receivers
            .get(id)
            .is_none_or(|receiver| receiver.task.is_finished())
        {
            let (stop, stopped) = watch::channel(false);
            let task = tokio::spawn(run(self.clone(), id.clone(), stopped));
            receivers.insert(id.clone(), Receiver { stop, task });
        }
        Ok(fence)
    }
}

/// Receives until it is stopped.
async fn run(post: Arc<Post>, id: ComponentId, mut stopped: watch::Receiver<bool>) {
    let mut session = Session {
        subject: post.node.subjects.mail(&id),
        post,
        id,
        consumer: None,
        has_received: false,
    };
    let mut pause = Duration::from_millis(50);
    loop {
        if !session.post.node.presence.is_announced(&session.id) {
            log::warn!(
                "`{}` gets no durable messages here any more: another host has it",
                session.id
            );
            return;
        }
        let result = match session.post.node.presence.holds(&session.id) {
            true => session.receive(&mut stopped).await,
            false => Err(ClusterError::NotAnnounced(session.id.clone())),
        };
        if *stopped.borrow() {
            return;
        }
        match result {
            Ok(()) => {
                pause = Duration::from_millis(50);
                continue;
            }
            Err(error) => log::warn!("durable messages to `{}` wait: {error}", session.id),
        }
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// The receiving of one component's messages.
struct Session {
    post: Arc<Post>,
    id: ComponentId,
    subject: String,
    /// Number of its consumer.
    consumer: Option<u64>,
    /// There was a consumer before.
    has_received: bool,
}

/// A message that was read.
struct Mail {
    id: String,
    /// Milliseconds since 1970.
    deadline: u64,
    payload: Vec<u8>,
    options: SendOptions,
    message: Message,
}

impl Session {
    /// Receives with one consumer, until there must be another.
    async fn receive(&mut self, stopped: &mut watch::Receiver<bool>) -> Result<(), ClusterError> {
        let mut connection = self.post.node.counters.connection.subscribe();
        let connects = self.post.connects();
        let process = self.post.node.presence.holder();
        let number = self.post.receivers.consumers.fetch_add(1, Ordering::Relaxed);
        let before = self.consumer.replace(number);
        let mail = &self.post.mail;
        let consumer = mail
            .consumer(&self.id, &self.subject, process, number, before)
            .await?;
        if std::mem::replace(&mut self.has_received, true) {
            self.post.node.counters.resyncs.add();
        }
        let mut deliveries = Deliveries::new();
        loop {
            let time = self.post.node.options.call_timeout;
            // No heartbeats: the client's batch would miss the message behind one.
            let ask = consumer.batch().max_messages(BATCH).expires(ASK).messages();
            let mut batch = timed("fetch", time, ask).await?;
            loop {
                let next = tokio::select! {
                    biased;
                    _ = stopped.wait_for(|stopped| *stopped) => return Ok(()),
                    // The question is lost with it, and perhaps deliveries.
                    _ = connection.changed() => return Ok(()),
                    next = tokio::time::timeout(ASK + time, batch.next()) => next,
                };
                let Ok(Some(message)) = next else { break };
                let mut messages = vec![message];
                while messages.len() < BATCH
                    && let Some(Some(more)) = batch.next().now_or_never()
                {
                    messages.push(more);
                }
                let mut mails = VecDeque::new();
                for message in messages {
                    let message = message.map_err(|source| ClusterError::Server {
                        call: "fetch",
                        source,
                    })?;
                    let number = message.info().map(|info| info.consumer_sequence);
                    if !number.is_ok_and(|number| deliveries.is_next(number)) {
                        return Ok(());
                    }
                    match self.read(&message) {
                        Some(mail) => mails.push_back(mail),
                        // It would come again and again.
                        None => self.acknowledge(&message).await?,
                    }
                }
                if self.post.connects() != connects {
                    return Ok(());
                }
                self.store(mails, stopped).await?;
            }
            if !self.post.node.presence.holds(&self.id) {
                return Err(ClusterError::NotAnnounced(self.id.clone()));
            }
        }
    }

    /// Checks a message, and counts the reason for which it is dropped.
    fn read(&self, message: &Message) -> Option<Mail> {
        let key = &self.post.node.options.key;
        let envelope = match Envelope::open(key, &self.subject, &message.payload) {
            Ok(envelope) => envelope,
            Err(unsealed) => {
                self.post.node.count_unsealed(unsealed);
                return None;
            }
        };
        let body = body::read_request(envelope.body);
        let (Kind::Durable, true, Some((payload, options))) =
            (envelope.kind, envelope.target == self.id.as_str(), body)
        else {
            self.post.node.counters.malformed.add();
            return None;
        };
        Some(Mail {
            id: envelope.id.to_string(),
            deadline: envelope.deadline,
            payload: payload.to_vec(),
            options,
            message: message.clone(),
        })
    }

    /// Hands messages over to the actor in their order, and acknowledges those that are in the store.
    async fn store(
        &self,
        mut mails: VecDeque<Mail>,
        stopped: &watch::Receiver<bool>,
    ) -> Result<(), ClusterError> {
        let (runtime, counters) = (&self.post.runtime, &self.post.node.counters);
        let mut head = Head::default();
        while !mails.is_empty() {
            if *stopped.borrow() {
                return Ok(());
            }
            if !self.post.node.presence.holds(&self.id) {
                return Err(ClusterError::NotAnnounced(self.id.clone()));
            }
            let mut handed = Vec::new();
            for mail in &mails {
                let (id, payload) = (mail.id.as_bytes(), mail.payload.clone());
                let pending = runtime.tell_once(&self.id, id, payload, self.options(mail));
                if !pending.is_done() {
                    handed.push(Ok(pending));
                    continue;
                }
                let result = pending.await;
                let goes_on = matches!(outcome(&result), Handed::Stored | Handed::Repeated);
                handed.push(Err(result));
                if !goes_on {
                    break;
                }
            }
            let mut left = VecDeque::new();
            let (mut pause, mut last) = (None, None);
            for handed in handed {
                let Some(mail) = mails.pop_front() else { break };
                let result = match handed {
                    Ok(pending) => pending.await,
                    Err(result) => result,
                };
                let outcome = outcome(&result);
                let next = match pause {
                    Some(pause) => Head::behind(outcome, pause),
                    None => head.handed(outcome),
                };
                let next = match (next, result) {
                    (Next::Bury, Err(error)) => self.bury(&mail, &error).await,
                    (next, _) => next,
                };
                if let Next::Wait(time) = next {
                    pause.get_or_insert(time);
                    left.push_back(mail);
                    continue;
                }
                match outcome {
                    Handed::Stored => counters.durable_received.add(),
                    Handed::Repeated => counters.durable_repeated.add(),
                    _ => counters.durable_buried.add(),
                }
                if let Some(before) = last.replace(mail) {
                    self.acknowledge(&before.message).await?;
                }
            }
            if let Some(last) = last {
                self.confirm(&last.message).await?;
            }
            left.append(&mut mails);
            mails = left;
            if let Some(pause) = pause {
                for mail in &mails {
                    let progress = mail.message.ack_with(AckKind::Progress);
                    timed("acknowledge", self.post.node.options.call_timeout, progress).await?;
                }
                tokio::time::sleep(pause).await;
            }
        }
        Ok(())
    }

    /// Moves a message to the dead letters.
    async fn bury(&self, mail: &Mail, error: &ActorError) -> Next {
        let (runtime, reason) = (&self.post.runtime, error.to_string());
        let payload = mail.payload.clone();
        let buried = runtime.bury_message(&self.id, payload, self.options(mail), reason);
        match buried.await {
            Ok(()) => Next::Acknowledge,
            Err(error) => {
                log::warn!("a message to `{}` cannot be buried: {error}", self.id);
                Next::Wait(LONGEST_PAUSE)
            }
        }
    }

    /// Returns the options of a message, with the time that it has left. One without any becomes a dead letter of the actor.
    fn options(&self, mail: &Mail) -> SendOptions {
        let now = self.post.node.options.clock.now_ms();
        let left = Duration::from_millis(mail.deadline.saturating_sub(now));
        mail.options.clone().with_timeout(left)
    }

    async fn acknowledge(&self, message: &Message) -> Result<(), ClusterError> {
        timed("acknowledge", self.post.node.options.call_timeout, message.ack()).await
    }

    /// Acknowledges a message, and waits until the server has dropped it with those that were acknowledged before. Otherwise the next
    /// host of the component, which removes this consumer, could get it once more.
    async fn confirm(&self, message: &Message) -> Result<(), ClusterError> {
        let confirmed = message.double_ack();
        timed("acknowledge", self.post.node.options.call_timeout, confirmed).await
    }
}

/// Classifies the end of handing a message over.
fn outcome(result: &Result<(), ActorError>) -> Handed {
    match result {
        Ok(()) => Handed::Stored,
        Err(ActorError::Repeated(_)) => Handed::Repeated,
        Err(ActorError::Full { .. } | ActorError::Store(StoreError::Busy { .. })) => Handed::NoRoom,
        Err(
            ActorError::Unknown(_)
            | ActorError::Stopped(_)
            | ActorError::GaveUp { .. }
            | ActorError::ShutDown
            | ActorError::NotDurable(_),
        ) => Handed::Away,
        Err(ActorError::TooLarge { .. } | ActorError::Store(StoreError::TooLarge { .. })) => Handed::Never,
        Err(ActorError::Store(_)) => Handed::Away,
        // In the store, and a dead letter there.
        Err(ActorError::Expired { .. } | ActorError::Displaced(_) | ActorError::Poison { .. }) => {
            Handed::Stored
        }
        Err(_) => Handed::Failed,
    }
}
