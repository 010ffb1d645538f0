//! Placement carried out: records of members and of declared components in the registry, and the task of a host that starts and
//! stops what `placement` decides.

use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use airssys_wasm::ComponentId;
use bytes::Bytes;

use crate::envelope::{Envelope, Kind};
use crate::error::ClusterError;
use crate::lease::{Lease, host_key};
use crate::names::Name;
use crate::node::Node;
use crate::placement::{
    Declared, Labels, MAX_DECLARED, MAX_LABELS, MAX_MEMBERS, Member, Members, Step, decode_declared,
    decode_members, encode_declared, encode_members, owner, steps,
};
use crate::post::Post;
use crate::registry::bucket;
use crate::time::millis;

const DECLARED: &str = "placement.declared";
const MEMBERS: &str = "placement.members";

/// Tries of a change that others make at the same time.
const MAX_TRIES: u32 = 16;

/// Starts and stops the components that are placed on a host, for [`Cluster::place_components`](crate::Cluster::place_components). Its methods may
/// block; they are called one at a time, but for a host that leaves and has no time to wait for the one before.
///
/// A clone of the [`Cluster`](crate::Cluster) in it keeps the host joined until [`Cluster::leave`](crate::Cluster::leave), even if
/// all others are dropped. Then the placer is dropped.
pub trait Placer: Send + Sync + 'static {
    /// Starts an actor with this identity, such as from an artifact that [`Cluster::fetch_artifact`](crate::Cluster::fetch_artifact)
    /// returned. It is announced then; one that is durable gets its durable messages.
    ///
    /// # Errors
    /// Any: it is logged, and the start tried again.
    fn start(&self, id: &ComponentId) -> Result<(), Box<dyn StdError + Send + Sync>>;

    /// Stops the actor, and returns when it has stopped: the component belongs to another host, which starts it then, or is not
    /// declared any more, or this host leaves.
    fn stop(&self, id: &ComponentId);
}

/// The part of a host that concerns placement.
#[derive(Default)]
pub(crate) struct Placing {
    state: Mutex<State>,
    /// Held during each call of the placer.
    calls: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    /// It takes part, with these labels.
    placer: Option<(Labels, Arc<dyn Placer>)>,
    running: BTreeSet<ComponentId>,
}

impl fmt::Debug for Placing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Placing").finish_non_exhaustive()
    }
}

impl Placing {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change is a single step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the part in placement, and returns the placer, which may hold the membership.
    pub(crate) fn end(&self) -> Option<Arc<dyn Placer>> {
        self.lock().placer.take().map(|(_, placer)| placer)
    }
}

/// A record of the registry with a revision; empty if there is none.
struct Record<T> {
    revision: u64,
    value: T,
}

impl Node {
    async fn record<T: Default>(
        &self,
        key: &str,
        decode: fn(&[u8]) -> Option<T>,
    ) -> Result<Record<T>, ClusterError> {
        let Some((revision, sealed)) = self.transport.read(key).await? else {
            return Ok(Record {
                revision: 0,
                value: T::default(),
            });
        };
        // The mark of one that was removed.
        if sealed.is_empty() {
            let value = T::default();
            return Ok(Record { revision, value });
        }
        let opened = Envelope::open(&self.options.key, key, &sealed).ok();
        let opened = opened.filter(|envelope| envelope.kind == Kind::Placement);
        let value = opened.and_then(|envelope| decode(envelope.body));
        // Nothing is declared, to hosts that took it for empty: they would stop all.
        let value = value.ok_or_else(|| unreadable(&self.options.cluster, key))?;
        Ok(Record { revision, value })
    }

    /// Changes a record until no other host changes it at the same time. `change` returns false if there is nothing to change.
    async fn change<T: Default + Send>(
        &self,
        key: &str,
        decode: fn(&[u8]) -> Option<T>,
        encode: fn(&T) -> Option<Vec<u8>>,
        mut change: impl FnMut(&mut T) -> Result<bool, ClusterError> + Send,
    ) -> Result<(), ClusterError> {
        if self.is_closing() {
            return Err(ClusterError::Left);
        }
        for _ in 0..MAX_TRIES {
            let Record { revision, mut value } = self.record(key, decode).await?;
            if !change(&mut value)? {
                return Ok(());
            }
            let sealed = self.sealed(key, encode(&value))?;
            if self.transport.write(key, sealed, revision).await?.is_some() {
                return Ok(());
            }
        }
        Err(ClusterError::PlacementContended)
    }

    fn sealed(&self, key: &str, body: Option<Vec<u8>>) -> Result<Bytes, ClusterError> {
        let body = body.ok_or(ClusterError::LongOptions)?;
        let envelope = Envelope {
            kind: Kind::Placement,
            id: self.presence.holder(),
            deadline: u64::MAX,
            sender: self.options.host.as_str(),
            target: "",
            body: &body,
        };
        let sealed = envelope.seal(&self.options.key, key);
        let sealed = sealed.ok_or(ClusterError::LongOptions)?;
        let limit = self.max_bytes();
        if sealed.len() > limit {
            return Err(ClusterError::PlacementFull {
                what: "bytes of a record",
                limit,
            });
        }
        Ok(sealed.into())
    }

    /// Declares a component, or removes it.
    pub(crate) async fn declare(
        &self,
        id: &ComponentId,
        required: Option<Labels>,
    ) -> Result<(), ClusterError> {
        bounded(
            "labels of a component",
            required.as_ref().map_or(0, Labels::len),
            MAX_LABELS,
        )?;
        self.change(
            DECLARED,
            decode_declared,
            encode_declared,
            |declared: &mut Declared| {
                let is_changed = match &required {
                    Some(required) => {
                        declared.insert(id.clone(), required.clone()).as_ref() != Some(required)
                    }
                    None => declared.remove(id).is_some(),
                };
                bounded("declared components", declared.len(), MAX_DECLARED)?;
                Ok(is_changed)
            },
        )
        .await
    }

    /// Enters this host as a member, and removes those that have ended.
    async fn take_part(&self, labels: &Labels) -> Result<(), ClusterError> {
        bounded("labels of a host", labels.len(), MAX_LABELS)?;
        let member = Member {
            process: self.presence.holder(),
            labels: labels.clone(),
        };
        let known = self.record(MEMBERS, decode_members).await?.value;
        let live = self.live(&known).await?;
        self.change(
            MEMBERS,
            decode_members,
            encode_members,
            |members: &mut Members| {
                // Those that came since are kept.
                members.retain(|host, member| live.contains_key(host) || known.get(host) != Some(member));
                members.insert(self.options.host.clone(), member.clone());
                bounded("hosts that take part", members.len(), MAX_MEMBERS)?;
                Ok(true)
            },
        )
        .await
    }

    /// Returns the members whose processes hold the leases of their names.
    async fn live(&self, members: &Members) -> Result<Members, ClusterError> {
        let (options, mut live) = (&self.options, Members::new());
        let (now, tolerance) = (options.clock.now_ms(), millis(options.clock_tolerance));
        for (host, member) in members {
            let key = host_key(host);
            let sealed = self.transport.read(&key).await?;
            let lease = sealed.and_then(|(_, sealed)| Lease::open(&options.key, &key, &sealed));
            let holds = |lease: Lease| lease.process == member.process && !lease.is_over(now, tolerance);
            if lease.is_some_and(holds) {
                live.insert(host.clone(), member.clone());
            }
        }
        Ok(live)
    }

    /// Returns the declared components, with the hosts that they belong to.
    pub(crate) async fn placement(&self) -> Result<Vec<(ComponentId, Option<Name>)>, ClusterError> {
        let declared = self.record(DECLARED, decode_declared).await?.value;
        let members = self.record(MEMBERS, decode_members).await?.value;
        let live = self.live(&members).await?;
        let place = |(id, required): (ComponentId, Labels)| {
            let host = owner(&id, &required, &live).cloned();
            (id, host)
        };
        Ok(declared.into_iter().map(place).collect())
    }

    async fn steps(&self, running: &BTreeSet<ComponentId>) -> Result<Vec<Step>, ClusterError> {
        let declared = self.record(DECLARED, decode_declared).await?.value;
        let members = self.record(MEMBERS, decode_members).await?.value;
        let live = self.live(&members).await?;
        Ok(steps(&self.options.host, &declared, &live, running))
    }
}

/// Returns the error of a record that is there and cannot be read.
pub(crate) fn unreadable(cluster: &Name, key: &str) -> ClusterError {
    ClusterError::Record {
        bucket: bucket(cluster),
        key: key.to_owned(),
    }
}

fn bounded(what: &'static str, number: usize, limit: usize) -> Result<(), ClusterError> {
    match number > limit {
        true => Err(ClusterError::PlacementFull { what, limit }),
        false => Ok(()),
    }
}

impl Post {
    /// Takes part in placement.
    pub(crate) async fn place(
        self: &Arc<Self>,
        labels: Labels,
        placer: Arc<dyn Placer>,
    ) -> Result<(), ClusterError> {
        self.node.take_part(&labels).await?;
        let before = {
            let mut state = self.placing.lock();
            if self.is_closing() {
                return Err(ClusterError::Left);
            }
            state.placer.replace((labels, placer))
        };
        if before.is_none() {
            let every = self.node.options.lease_time / 3;
            tokio::spawn(run(Arc::downgrade(self), every));
        }
        Ok(())
    }

    /// Carries the steps of this moment out.
    async fn step(self: &Arc<Self>, placer: &Arc<dyn Placer>) -> Result<(), ClusterError> {
        let running = self.placing.lock().running.clone();
        // Those that another host has taken while this one was cut off.
        for id in running.iter().filter(|id| !self.node.presence.is_announced(id)) {
            self.end(placer, id).await?;
        }
        let running = self.placing.lock().running.clone();
        for step in self.node.steps(&running).await? {
            if self.is_closing() || !self.node.presence.is_held() {
                return Ok(());
            }
            match step {
                Step::Stop(id) => self.end(placer, &id).await?,
                Step::Start(id) => self.begin(placer, &id).await?,
            }
        }
        Ok(())
    }

    async fn begin(self: &Arc<Self>, placer: &Arc<dyn Placer>, id: &ComponentId) -> Result<(), ClusterError> {
        self.node.presence.forget(id);
        match self.node.locate(id).await {
            // The host that it belonged to has not stopped it yet.
            Ok(place) if place.host != self.node.options.host => return Ok(()),
            Ok(_) | Err(ClusterError::NotAnnounced(_)) => {}
            Err(error) => return Err(error),
        }
        if !self.start(placer, id).await {
            return Ok(());
        }
        let announced = match self.runtime.is_durable_actor(id) {
            Ok(true) => self.receive(id).await,
            _ => self.node.announce(id).await,
        };
        if let Err(error) = announced {
            log::warn!("`{id}` is placed here and is not announced: {error}");
            self.end(placer, id).await?;
        }
        Ok(())
    }

    /// Starts the actor of a component. Returns false if it does not start, or if the host leaves.
    async fn start(&self, placer: &Arc<dyn Placer>, id: &ComponentId) -> bool {
        let _call = self.placing.calls.lock().await;
        if self.is_closing() {
            return false;
        }
        let (starting, of_start) = (placer.clone(), id.clone());
        match tokio::task::spawn_blocking(move || starting.start(&of_start)).await {
            Ok(Ok(())) => {
                self.placing.lock().running.insert(id.clone());
                true
            }
            Ok(Err(error)) => {
                log::warn!("`{id}` is placed here and does not start: {error}");
                false
            }
            Err(panic) => {
                log::error!("starting `{id}` panicked: {panic}");
                false
            }
        }
    }

    /// Stops a component, and withdraws it then: the next host starts it only when it has stopped here. If it cannot be withdrawn,
    /// each renewal of the lease tries again.
    async fn end(&self, placer: &Arc<dyn Placer>, id: &ComponentId) -> Result<(), ClusterError> {
        // Its durable messages wait for the next host.
        self.receivers.end(id).await;
        self.stop(placer, id).await;
        self.node.withdraw(id).await
    }

    /// Stops the actor of a component, if it runs still.
    async fn stop(&self, placer: &Arc<dyn Placer>, id: &ComponentId) {
        let _call = self.placing.calls.lock().await;
        if !self.placing.lock().running.contains(id) {
            return;
        }
        let (stopping, of_stop) = (placer.clone(), id.clone());
        if let Err(panic) = tokio::task::spawn_blocking(move || stopping.stop(&of_stop)).await {
            log::error!("stopping `{id}` panicked: {panic}");
        }
        self.placing.lock().running.remove(id);
    }

    /// Stops all components that were placed here, when the host leaves.
    pub(crate) async fn stop_all(&self, placer: &Arc<dyn Placer>) {
        // One that is being started is in the list when its start has ended.
        drop(self.placing.calls.lock().await);
        let running = self.placing.lock().running.clone();
        for id in &running {
            self.stop(placer, id).await;
        }
    }
}

/// Steps until the host is gone.
async fn run(post: Weak<Post>, every: Duration) {
    loop {
        let Some(post) = post.upgrade() else { return };
        if post.is_closing() {
            return;
        }
        let placer = post.placing.lock().placer.clone();
        if let Some((labels, placer)) = placer
            && post.node.presence.is_held()
        {
            let stepped = match post.node.is_member(&labels).await {
                Ok(true) => post.step(&placer).await,
                Ok(false) => post.node.take_part(&labels).await,
                Err(error) => Err(error),
            };
            if let Err(error) = stepped {
                log::warn!("placement waits: {error}");
            }
        }
        drop(post);
        tokio::time::sleep(every).await;
    }
}

impl Node {
    /// Reports whether the record of members has this process. One that was removed by mistake enters itself again.
    async fn is_member(&self, labels: &Labels) -> Result<bool, ClusterError> {
        let members = self.record(MEMBERS, decode_members).await?.value;
        let own = members.get(&self.options.host);
        Ok(own.is_some_and(|own| own.process == self.presence.holder() && own.labels == *labels))
    }
}
