//! The servers and the network between them and the hosts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::checks::{Requests, Sum};
use crate::key::ClusterKey;
use crate::lease::Lease;
use crate::node::Node;
use crate::transport::Message;

/// All that the hosts share. One thread runs a schedule.
pub(super) struct World {
    inner: Mutex<Inner>,
    pub(super) start: Instant,
    pub(super) key: ClusterKey,
}

pub(super) struct Inner {
    pub(super) random: fastrand::Rng,
    /// Parts of 1,000 of messages that are lost, and that come twice.
    pub(super) lost: u64,
    pub(super) doubled: u64,
    pub(super) delay: Duration,
    registry: BTreeMap<String, (u64, Bytes)>,
    revision: u64,
    subscriptions: Vec<Subscribed>,
    pub(super) lines: Vec<Line>,
    pub(super) requests: Requests,
    pub(super) faults: Vec<String>,
    pub(super) log: Vec<String>,
    pub(super) sum: Sum,
}

/// The connection of a process.
pub(super) struct Line {
    /// False once the connection has ended.
    pub(super) is_alive: bool,
    pub(super) is_killed: bool,
    /// Cut from the servers.
    pub(super) is_cut: bool,
    /// The queue of the client is full, and stays so.
    pub(super) is_full: bool,
    /// The servers have noticed that the connection is lost.
    pub(super) is_noticed: bool,
    /// The process at its end, once it has joined.
    pub(super) node: Weak<Node>,
    pub(super) name: String,
    down: mpsc::UnboundedSender<(Instant, Down)>,
    last_up: Instant,
    last_down: Instant,
}

struct Subscribed {
    line: usize,
    subject: String,
    sender: mpsc::UnboundedSender<Message>,
}

/// Parcels from a host to the servers.
pub(super) enum Up {
    Publish(Message),
    Subscribe(String, mpsc::UnboundedSender<Message>),
    Unsubscribe(String),
    /// The end of the connection; the sender is dropped when all before it has come.
    End(oneshot::Sender<()>),
    Read(String, oneshot::Sender<Option<(u64, Bytes)>>),
    Write(String, Bytes, u64, oneshot::Sender<Option<u64>>),
}

/// Parcels from the servers to a host.
pub(super) enum Down {
    Message(mpsc::UnboundedSender<Message>, Message),
    Read(oneshot::Sender<Option<(u64, Bytes)>>, Option<(u64, Bytes)>),
    Written(oneshot::Sender<Option<u64>>, Option<u64>),
}

impl World {
    pub(super) fn new(
        seed: u64,
        key: ClusterKey,
        (lost, doubled, delay): (u64, u64, Duration),
    ) -> Arc<World> {
        Arc::new(World {
            inner: Mutex::new(Inner {
                random: fastrand::Rng::with_seed(seed),
                lost,
                doubled,
                delay,
                registry: BTreeMap::new(),
                revision: 0,
                subscriptions: Vec::new(),
                lines: Vec::new(),
                requests: Requests::default(),
                faults: Vec::new(),
                log: Vec::new(),
                sum: Sum::default(),
            }),
            start: Instant::now(),
            key,
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn log(&self, text: impl AsRef<str>) {
        let at = self.start.elapsed().as_millis();
        self.lock().log.push(format!("{at:7} {}", text.as_ref()));
    }

    /// Returns the revision of a key; 0 for one that was never written.
    pub(super) fn written(&self, key: &str) -> u64 {
        let inner = self.lock();
        inner.registry.get(key).map_or(0, |(revision, _)| *revision)
    }

    /// Connects a process, and starts the two ways of its connection.
    pub(super) fn connect(self: &Arc<Self>, name: &str) -> (usize, mpsc::UnboundedSender<(Instant, Up)>) {
        let (up, mut parcels) = mpsc::unbounded_channel();
        let (down, mut answers) = mpsc::unbounded_channel();
        let now = Instant::now();
        let line = {
            let mut inner = self.lock();
            inner.lines.push(Line {
                is_alive: true,
                is_killed: false,
                is_cut: false,
                is_full: false,
                is_noticed: false,
                node: Weak::new(),
                name: name.to_owned(),
                down,
                last_up: now,
                last_down: now,
            });
            inner.lines.len() - 1
        };
        let world = self.clone();
        tokio::spawn(async move {
            while let Some((at, parcel)) = parcels.recv().await {
                // The client subscribes again when it is connected again.
                let is_safe = matches!(parcel, Up::Subscribe(..) | Up::Unsubscribe(_) | Up::End(_));
                if world.arrives(line, at, is_safe).await {
                    world.handle(line, parcel);
                }
            }
        });
        let world = self.clone();
        tokio::spawn(async move {
            while let Some((at, parcel)) = answers.recv().await {
                if world.arrives(line, at, false).await {
                    hand_over(parcel);
                }
            }
        });
        (line, up)
    }

    /// Awaits the time at which a parcel comes to the other end; false for one that is lost on the way.
    async fn arrives(&self, line: usize, at: Instant, is_safe: bool) -> bool {
        tokio::time::sleep_until(at).await;
        loop {
            {
                let mut inner = self.lock();
                let Line { is_alive, is_cut, .. } = inner.lines[line];
                if !is_alive {
                    return false;
                }
                if !is_cut {
                    return true;
                }
                // On the wire when the connection was lost, or still in the queue of the client.
                if !is_safe && inner.random.u8(..4) == 0 {
                    inner.sum.lost += 1;
                    return false;
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Handles a parcel at the servers.
    fn handle(&self, line: usize, parcel: Up) {
        let mut inner = self.lock();
        match parcel {
            Up::Publish(message) => {
                let found = inner.publish(&message);
                if found && inner.random.u64(..1000) < inner.doubled {
                    inner.sum.doubled += 1;
                    inner.publish(&message);
                }
                if let (false, Some(reply)) = (found, message.reply) {
                    inner.sum.no_responders += 1;
                    inner.publish(&Message {
                        subject: reply,
                        reply: None,
                        payload: Bytes::new(),
                        no_responders: true,
                    });
                }
            }
            Up::Subscribe(subject, sender) => inner.subscriptions.push(Subscribed {
                line,
                subject,
                sender,
            }),
            Up::Unsubscribe(subject) => inner
                .subscriptions
                .retain(|known| known.line != line || known.subject != subject),
            Up::End(done) => {
                inner.end(line);
                drop(done);
            }
            Up::Read(key, reply) => {
                let value = inner.registry.get(&key).cloned();
                inner.answer(line, Down::Read(reply, value));
            }
            Up::Write(key, value, revision, reply) => {
                let found = inner.registry.get(&key).map_or(0, |(revision, _)| *revision);
                let mut written = None;
                if found == revision {
                    self.check_lease(&mut inner, &key, &value);
                    inner.revision += 1;
                    written = Some(inner.revision);
                    let entry = (inner.revision, value);
                    inner.registry.insert(key, entry);
                }
                inner.answer(line, Down::Written(reply, written));
            }
        }
    }

    /// Checks that a lease is not taken from a process that counts on it, and that numbers of holders grow.
    fn check_lease(&self, inner: &mut Inner, key: &str, value: &[u8]) {
        let before = inner
            .registry
            .get(key)
            .and_then(|(_, value)| Lease::open(&self.key, key, value));
        let after = Lease::open(&self.key, key, value);
        let (Some(before), Some(after)) = (before, after) else {
            return;
        };
        let at = self.start.elapsed().as_millis();
        let same = before.process == after.process && before.epoch == after.epoch;
        if !same && after.fence <= before.fence {
            let text = format!(
                "{at}: `{key}` has the number {} after {}",
                after.fence, before.fence
            );
            inner.faults.push(text);
        }
        if before.process == after.process || before.deadline == 0 {
            return;
        }
        inner.sum.taken += 1;
        let holder = inner.lines.iter().filter(|line| line.is_alive).find_map(|line| {
            let node = line.node.upgrade()?;
            (node.presence.holder() == before.process).then_some((line, node))
        });
        if let Some((line, node)) = holder
            && node.presence.is_held_as(before.epoch)
        {
            let text = format!(
                "{at}: `{key}` was taken from {}, which counts on it, by {}",
                line.name, after.host
            );
            inner.faults.push(text);
        }
    }

    /// Queues a parcel on its way to the servers; `may_be_lost` for those that are.
    pub(super) fn send_up(
        &self,
        line: usize,
        up: &mpsc::UnboundedSender<(Instant, Up)>,
        parcel: Up,
        may_be_lost: bool,
    ) {
        let mut inner = self.lock();
        if may_be_lost && inner.is_lost() {
            return;
        }
        let at = inner.delayed(line, |line| &mut line.last_up);
        // Its receiver lives as long as the schedule.
        let _ = up.send((at, parcel));
    }
}

impl Inner {
    fn is_lost(&mut self) -> bool {
        let lost = self.random.u64(..1000) < self.lost;
        self.sum.lost += u64::from(lost);
        lost
    }

    /// Returns the time of arrival of a parcel that is sent now, not before those sent earlier.
    fn delayed(&mut self, line: usize, last: impl Fn(&mut Line) -> &mut Instant) -> Instant {
        let most = u64::try_from(self.delay.as_micros()).unwrap_or(u64::MAX);
        // Most are fast, some are late.
        let most = if self.random.u8(..10) == 0 {
            most
        } else {
            most / 10
        };
        let at = Instant::now() + Duration::from_micros(self.random.u64(..=most));
        let last = last(&mut self.lines[line]);
        *last = at.max(*last);
        *last
    }

    /// Passes a message to its subscriptions; false if there is none.
    fn publish(&mut self, message: &Message) -> bool {
        let receivers: Vec<_> = self
            .subscriptions
            .iter()
            .filter(|known| matches(&known.subject, &message.subject))
            .filter(|known| self.lines[known.line].is_alive && !self.lines[known.line].is_noticed)
            .map(|known| (known.line, known.sender.clone()))
            .collect();
        for (line, sender) in &receivers {
            if !self.is_lost() {
                self.answer(*line, Down::Message(sender.clone(), message.clone()));
            }
        }
        !receivers.is_empty()
    }

    fn answer(&mut self, line: usize, parcel: Down) {
        if !matches!(parcel, Down::Message(..)) && self.is_lost() {
            return;
        }
        let at = self.delayed(line, |line| &mut line.last_down);
        // Its receiver lives as long as the schedule.
        let _ = self.lines[line].down.send((at, parcel));
    }

    /// Ends a connection for good.
    pub(super) fn end(&mut self, line: usize) {
        self.lines[line].is_alive = false;
        self.subscriptions.retain(|known| known.line != line);
    }
}

fn hand_over(parcel: Down) {
    // The receivers may have given up.
    match parcel {
        Down::Message(sender, message) => drop(sender.send(message)),
        Down::Read(sender, value) => drop(sender.send(value)),
        Down::Written(sender, revision) => drop(sender.send(revision)),
    }
}

/// Reports whether a subject is that of a subscription, whose last part may be `*`.
fn matches(pattern: &str, subject: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => subject
            .strip_prefix(prefix)
            .is_some_and(|rest| !rest.is_empty() && !rest.contains('.')),
        None => pattern == subject,
    }
}
