//! The host's name and its announced components in the registry, and the places of those of others.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use airssys_wasm::ComponentId;
use tokio::time::Instant;

use crate::envelope::MessageId;
use crate::error::{ClusterError, FailureKind, failed};
use crate::lease::{Lease, component_key, host_key};
use crate::names::{Address, Name};
use crate::node::Node;
use crate::options::ClusterOptions;
use crate::registry::Registry;
use crate::time::millis;

/// Tries of a change that others make at the same time.
const MAX_TRIES: u32 = 16;
/// Most places that are remembered. Stops a host that sends to very many components from filling its memory.
const MAX_PLACES: usize = 65_536;
/// Longest time that a place is remembered.
const PLACE_TIME: Duration = Duration::from_secs(5);
/// Components that can be entered or withdrawn at the same time; each by one task.
const TURNS: usize = 64;

/// The part of a host that concerns the registry.
#[derive(Debug)]
pub(crate) struct Presence {
    registry: Registry,
    process: MessageId,
    held: Mutex<Held>,
    announced: Mutex<HashMap<ComponentId, Entered>>,
    /// Held while the entry of a component is changed, here and in the registry.
    turns: [tokio::sync::Mutex<()>; TURNS],
    places: Mutex<HashMap<ComponentId, (Name, Instant)>>,
}

/// The lease of the host's name.
#[derive(Clone, Copy, Debug)]
struct Held {
    revision: u64,
    fence: u64,
    /// Its end by this process's clock, counted from before it was written.
    end: Instant,
}

/// An announced component.
#[derive(Clone, Copy, Debug)]
struct Entered {
    fence: u64,
    /// Fencing number of the host's lease at that time. With another, it must be entered again.
    epoch: u64,
    /// It is to be withdrawn, and may still be in the registry: each renewal tries again.
    is_ending: bool,
}

impl Entered {
    fn new(fence: u64, epoch: u64) -> Entered {
        Entered {
            fence,
            epoch,
            is_ending: false,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change is a single step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Presence {
    /// Takes the host's name. Waits for the end of a lease that another process holds, once: the one before this may have been
    /// killed.
    pub(crate) async fn take(
        registry: Registry,
        options: &ClusterOptions,
        process: MessageId,
    ) -> Result<Presence, ClusterError> {
        let longest = options.lease_time * 2 + options.clock_tolerance;
        let end = Instant::now() + longest;
        let held = loop {
            if let Some(held) = try_take(&registry, options, process).await? {
                break held;
            }
            if Instant::now() > end {
                return Err(ClusterError::HostTaken(options.host.clone()));
            }
            tokio::time::sleep(options.lease_time / 10).await;
        };
        Ok(Presence {
            registry,
            process,
            held: Mutex::new(held),
            announced: Mutex::default(),
            turns: std::array::from_fn(|_| tokio::sync::Mutex::default()),
            places: Mutex::default(),
        })
    }

    /// Reports whether the host's name is this process's.
    pub(crate) fn is_held(&self) -> bool {
        Instant::now() < lock(&self.held).end
    }

    /// Reports whether a component is this host's.
    pub(crate) fn holds(&self, id: &ComponentId) -> bool {
        let epoch = lock(&self.held).fence;
        let entered = lock(&self.announced).get(id).copied();
        self.is_held() && entered.is_some_and(|entered| entered.epoch == epoch && !entered.is_ending)
    }

    /// Reports whether a component was announced, and was neither withdrawn nor lost to another host.
    pub(crate) fn is_announced(&self, id: &ComponentId) -> bool {
        let entered = lock(&self.announced).get(id).copied();
        entered.is_some_and(|entered| !entered.is_ending)
    }

    /// Returns the lock under which a component is entered and withdrawn.
    fn turn(&self, id: &ComponentId) -> &tokio::sync::Mutex<()> {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        let number = usize::try_from(hasher.finish() % TURNS as u64).unwrap_or_default();
        &self.turns[number]
    }

    /// Returns the identity of this process.
    pub(crate) fn holder(&self) -> MessageId {
        self.process
    }

    /// Reports whether this process counts on the lease with this fencing number.
    #[cfg(test)]
    pub(crate) fn is_held_as(&self, fence: u64) -> bool {
        lock(&self.held).fence == fence && self.is_held()
    }

    /// Returns the components that this process has announced, by its own account.
    #[cfg(test)]
    pub(crate) fn entered(&self) -> Vec<ComponentId> {
        let announced = lock(&self.announced);
        let counted_on = announced.iter().filter(|(_, entered)| !entered.is_ending);
        let mut entered: Vec<ComponentId> = counted_on.map(|(id, _)| id.clone()).collect();
        entered.sort();
        entered
    }

    /// Checks, with a question to the server, that the name is still this process's.
    pub(crate) async fn confirm(&self, options: &ClusterOptions) -> Result<(), ClusterError> {
        let lease = self.registry.read(&host_key(&options.host)).await?.lease;
        if lease.is_some_and(|lease| lease.process == self.process) {
            return Ok(());
        }
        Err(ClusterError::HostTaken(options.host.clone()))
    }

    /// Renews the lease until the host is gone. While it leaves, others must not take the components that it still stops:
    /// [`Node::leave_after`] ends this before it gives the name back.
    pub(crate) async fn renew(node: Weak<Node>, every: Duration) {
        loop {
            tokio::time::sleep(every).await;
            let Some(node) = node.upgrade() else { return };
            if let Err(error) = node.presence.renew_once(&node.options).await {
                log::warn!("the lease of the host's name is not renewed: {error}");
            }
        }
    }

    /// Renews the lease of the host's name. If the renewal is confirmed only when the lease was over, other hosts may have found
    /// it over before, and may be taking its components: the lease then gets a new fencing number, under which the components
    /// are entered again.
    async fn renew_once(&self, options: &ClusterOptions) -> Result<(), ClusterError> {
        let before = *lock(&self.held);
        let mut revision = before.revision;
        for _ in 0..MAX_TRIES {
            let is_over = Instant::now() >= before.end;
            let fence = if is_over { revision + 1 } else { before.fence };
            let written = write(&self.registry, options, self.process, revision, fence).await?;
            match written {
                Some(held) if is_over || Instant::now() < before.end => {
                    *lock(&self.held) = held;
                    self.enter_again(options, held.fence).await;
                    return Ok(());
                }
                Some(held) => revision = held.revision,
                // Either an earlier renewal took effect without an answer, or another process has the name.
                None => {
                    let record = self.registry.read(&host_key(&options.host)).await?;
                    let (now, tolerance) = (options.clock.now_ms(), millis(options.clock_tolerance));
                    let is_taken =
                        |lease: &Lease| lease.process != self.process && !lease.is_over(now, tolerance);
                    if record.lease.as_ref().is_some_and(is_taken) {
                        return Err(ClusterError::HostTaken(options.host.clone()));
                    }
                    revision = record.revision;
                }
            }
        }
        Err(ClusterError::HostTaken(options.host.clone()))
    }

    /// Enters the components again that were announced under an earlier lease of the host's name, and withdraws those whose end
    /// did not come into the registry.
    async fn enter_again(&self, options: &ClusterOptions, epoch: u64) {
        let mut due: Vec<ComponentId> = lock(&self.announced)
            .iter()
            .filter(|(_, entered)| entered.epoch != epoch || entered.is_ending)
            .map(|(id, _)| id.clone())
            .collect();
        due.sort();
        for id in due {
            // One that is being changed is looked at in the next renewal, which must not wait for it.
            let Ok(_turn) = self.turn(&id).try_lock() else {
                continue;
            };
            // It may have been withdrawn, or entered, meanwhile.
            let entered = lock(&self.announced).get(&id).copied();
            let done = match entered {
                Some(entered) if entered.is_ending => self.withdraw(&id).await.map(|()| None),
                Some(entered) if entered.epoch != epoch => self.announce(options, &id).await.map(Some),
                _ => continue,
            };
            match done {
                Ok(Some(entered)) => drop(lock(&self.announced).insert(id, entered)),
                Ok(None) => drop(lock(&self.announced).remove(&id)),
                Err(error @ ClusterError::Announced { .. }) => {
                    log::warn!("`{id}` is no longer announced: {error}");
                    lock(&self.announced).remove(&id);
                }
                // The others would wait for the servers too, and with them the next renewal.
                Err(error) => {
                    log::warn!("`{id}` is not entered or withdrawn yet: {error}");
                    return;
                }
            }
        }
    }

    /// Gives the host's name back, also if a renewal that had no answer took effect.
    pub(crate) async fn release(&self, options: &ClusterOptions) -> Result<(), ClusterError> {
        let held = *lock(&self.held);
        let key = host_key(&options.host);
        let mut revision = held.revision;
        let mut lease = Lease {
            process: self.process,
            host: options.host.clone(),
            deadline: 0,
            fence: held.fence,
            epoch: held.fence,
        };
        lock(&self.held).end = Instant::now();
        for _ in 0..MAX_TRIES {
            if self.registry.write(&key, &lease, revision).await?.is_some() {
                return Ok(());
            }
            let record = self.registry.read(&key).await?;
            let Some(found) = record.lease.filter(|lease| lease.process == self.process) else {
                return Ok(());
            };
            revision = record.revision;
            lease = Lease { deadline: 0, ..found };
        }
        Err(ClusterError::HostTaken(options.host.clone()))
    }

    /// Enters a component.
    async fn announce(&self, options: &ClusterOptions, id: &ComponentId) -> Result<Entered, ClusterError> {
        let key = component_key(id);
        for _ in 0..MAX_TRIES {
            let record = self.registry.read(&key).await?;
            let epoch = lock(&self.held).fence;
            if let Some(lease) = &record.lease {
                if lease.process == self.process && lease.epoch == epoch && lease.deadline != 0 {
                    let fence = lease.fence;
                    return Ok(Entered::new(fence, epoch));
                }
                if lease.process != self.process && self.live_until(options, lease).await?.is_some() {
                    let (id, host) = (id.clone(), lease.host.clone());
                    return Err(ClusterError::Announced { id, host });
                }
            }
            let lease = Lease {
                process: self.process,
                host: options.host.clone(),
                // As long as the host's own.
                deadline: u64::MAX,
                fence: record.revision + 1,
                epoch,
            };
            if self
                .registry
                .write(&key, &lease, record.revision)
                .await?
                .is_some()
            {
                let fence = lease.fence;
                return Ok(Entered::new(fence, epoch));
            }
        }
        Err(ClusterError::Contended(id.clone()))
    }

    async fn withdraw(&self, id: &ComponentId) -> Result<(), ClusterError> {
        let key = component_key(id);
        for _ in 0..MAX_TRIES {
            let record = self.registry.read(&key).await?;
            let Some(lease) = record.lease.filter(|lease| lease.process == self.process) else {
                return Ok(());
            };
            let ended = Lease { deadline: 0, ..lease };
            if self
                .registry
                .write(&key, &ended, record.revision)
                .await?
                .is_some()
            {
                return Ok(());
            }
        }
        Err(ClusterError::Contended(id.clone()))
    }

    /// Returns the end of a component's lease, which is that of its host; `None` if it is over.
    async fn live_until(&self, options: &ClusterOptions, lease: &Lease) -> Result<Option<u64>, ClusterError> {
        if lease.deadline == 0 {
            return Ok(None);
        }
        let host = self.registry.read(&host_key(&lease.host)).await?.lease;
        let tolerance = millis(options.clock_tolerance);
        let same = host.filter(|host| host.fence == lease.epoch && host.process == lease.process);
        Ok(same
            .filter(|host| !host.is_over(options.clock.now_ms(), tolerance))
            .map(|host| host.deadline))
    }

    async fn locate(&self, options: &ClusterOptions, id: &ComponentId) -> Result<Name, ClusterError> {
        let now = Instant::now();
        let known = lock(&self.places)
            .get(id)
            .filter(|(_, until)| now < *until)
            .map(|(host, _)| host.clone());
        if let Some(host) = known {
            return Ok(host);
        }
        let lease = self.registry.read(&component_key(id)).await?.lease;
        let absent = || ClusterError::NotAnnounced(id.clone());
        let lease = lease.ok_or_else(absent)?;
        let deadline = self.live_until(options, &lease).await?.ok_or_else(absent)?;
        let left = Duration::from_millis(deadline.saturating_sub(options.clock.now_ms())).min(PLACE_TIME);
        let mut places = lock(&self.places);
        if places.len() >= MAX_PLACES {
            places.clear();
        }
        places.insert(id.clone(), (lease.host.clone(), now + left));
        Ok(lease.host)
    }

    /// Forgets a place that turned out to be wrong.
    pub(crate) fn forget(&self, id: &ComponentId) {
        lock(&self.places).remove(id);
    }
}

/// Takes the host's name, unless another process holds it.
async fn try_take(
    registry: &Registry,
    options: &ClusterOptions,
    process: MessageId,
) -> Result<Option<Held>, ClusterError> {
    let record = registry.read(&host_key(&options.host)).await?;
    let (tolerance, next) = (millis(options.clock_tolerance), record.revision + 1);
    let fence = match &record.lease {
        Some(lease) if lease.is_over(options.clock.now_ms(), tolerance) => next,
        Some(lease) if lease.process == process => lease.fence,
        Some(_) => return Ok(None),
        None => next,
    };
    write(registry, options, process, record.revision, fence).await
}

async fn write(
    registry: &Registry,
    options: &ClusterOptions,
    process: MessageId,
    revision: u64,
    fence: u64,
) -> Result<Option<Held>, ClusterError> {
    let end = Instant::now() + options.lease_time;
    let lease = Lease {
        process,
        host: options.host.clone(),
        deadline: options.clock.now_ms().saturating_add(millis(options.lease_time)),
        fence,
        epoch: fence,
    };
    let written = registry.write(&host_key(&options.host), &lease, revision).await?;
    Ok(written.map(|revision| Held { revision, fence, end }))
}

impl Node {
    /// Enters a component of this host in the registry.
    pub(crate) async fn announce(&self, id: &ComponentId) -> Result<u64, ClusterError> {
        if self.is_closing() {
            return Err(ClusterError::Left);
        }
        self.actors.check(id).map_err(|error| {
            let failure = (FailureKind::of(&error), error.to_string());
            failed(id.clone(), self.options.host.clone(), failure)
        })?;
        self.claim(id).await
    }

    /// Enters a component that need not run here yet: no other host starts it then.
    pub(crate) async fn claim(&self, id: &ComponentId) -> Result<u64, ClusterError> {
        if self.is_closing() {
            return Err(ClusterError::Left);
        }
        let presence = &self.presence;
        let _turn = presence.turn(id).lock().await;
        match presence.announce(&self.options, id).await {
            Ok(entered) => {
                lock(&presence.announced).insert(id.clone(), entered);
                Ok(entered.fence)
            }
            // It may be in the registry. One that was announced before stays so.
            Err(error @ (ClusterError::Timeout { .. } | ClusterError::Server { .. })) => {
                let mut announced = lock(&presence.announced);
                let entered = announced.entry(id.clone());
                entered.or_insert(Entered {
                    is_ending: true,
                    ..Entered::new(0, 0)
                });
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Removes a component of this host from the registry. If that fails, each renewal tries again, until it is announced anew.
    pub(crate) async fn withdraw(&self, id: &ComponentId) -> Result<(), ClusterError> {
        let presence = &self.presence;
        let _turn = presence.turn(id).lock().await;
        if let Some(entered) = lock(&presence.announced).get_mut(id) {
            entered.is_ending = true;
        }
        presence.withdraw(id).await?;
        lock(&presence.announced).remove(id);
        Ok(())
    }

    /// Returns the address of an announced component.
    pub(crate) async fn locate(self: &Arc<Self>, id: &ComponentId) -> Result<Address, ClusterError> {
        if self.is_closing() {
            return Err(ClusterError::Left);
        }
        let host = self.presence.locate(&self.options, id).await?;
        Ok(Address::new(host, id.clone()))
    }
}
