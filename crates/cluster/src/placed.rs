//! The placed components of a host: the task that starts and stops what `placement` decides.
//!
//! A component is this host's in the registry before it starts here, and until it has stopped here. So two hosts run one only if
//! the lease of the first is over.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use airssys_wasm::ComponentId;
use tokio::sync::{Semaphore, watch};

use crate::error::ClusterError;
use crate::node::Node;
use crate::placement::{Labels, Step};
use crate::transport::Boxed;

/// Components that are stopped at the same time. Stops a host that has very many from creating a thread for each.
const MAX_STOPS: usize = 256;

/// The actors that the task starts and stops: those of a [`Placer`](crate::Placer), or the simulation of them in the tests.
pub(crate) trait Carrier: Send + Sync + 'static {
    /// Starts the actor of a component. The error is the reason.
    fn start(&self, id: &ComponentId) -> Boxed<'static, Result<(), String>>;

    /// Announces a component that runs, and begins to receive its durable messages.
    fn announce(&self, id: &ComponentId) -> Boxed<'static, Result<u64, ClusterError>>;

    /// Ends the receiving of its durable messages, and its actor then.
    fn stop(&self, id: &ComponentId) -> Boxed<'static, ()>;
}

/// The part of a host that concerns placement.
pub(crate) struct Placing {
    node: Arc<Node>,
    state: Mutex<State>,
    /// Told after each change of a component.
    changed: watch::Sender<()>,
    stops: Semaphore,
}

#[derive(Default)]
struct State {
    /// It takes part, with these labels.
    carrier: Option<(Labels, Arc<dyn Carrier>)>,
    /// The host leaves: nothing is started any more.
    is_ended: bool,
    components: BTreeMap<ComponentId, Phase>,
}

/// State of a component that is this host's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Starting,
    Running,
    Stopping,
    /// It has stopped, and is being withdrawn.
    Stopped,
}

impl fmt::Debug for Placing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Placing").finish_non_exhaustive()
    }
}

impl Placing {
    pub(crate) fn new(node: Arc<Node>) -> Arc<Placing> {
        Arc::new(Placing {
            node,
            state: Mutex::default(),
            changed: watch::Sender::new(()),
            stops: Semaphore::new(MAX_STOPS),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change is a single step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_ended(&self) -> bool {
        self.lock().is_ended
    }

    /// Takes part in placement.
    pub(crate) async fn take_part(
        self: &Arc<Self>,
        labels: Labels,
        carrier: Arc<dyn Carrier>,
    ) -> Result<(), ClusterError> {
        self.node.take_part(&labels).await?;
        let before = {
            let mut state = self.lock();
            if state.is_ended {
                return Err(ClusterError::Left);
            }
            state.carrier.replace((labels, carrier))
        };
        if before.is_none() {
            let every = self.node.options.lease_time / 3;
            tokio::spawn(run(Arc::downgrade(self), every));
        }
        Ok(())
    }

    /// Ends the part in placement, and returns the carrier, which may hold the membership.
    pub(crate) fn end(&self) -> Option<Arc<dyn Carrier>> {
        let mut state = self.lock();
        state.is_ended = true;
        state.carrier.take().map(|(_, carrier)| carrier)
    }

    /// Carries the steps of this moment out. Those after a start are found anew: it may have taken long.
    async fn step(self: &Arc<Self>, carrier: &Arc<dyn Carrier>) -> Result<(), ClusterError> {
        let mut tried = BTreeSet::new();
        loop {
            let known: BTreeSet<ComponentId> = self.lock().components.keys().cloned().collect();
            // Those that another host has taken while this one was cut off.
            for id in known.iter().filter(|id| !self.node.presence.is_announced(id)) {
                self.stop(carrier, id);
            }
            let mut is_started = false;
            for step in self.node.steps(&known).await? {
                if self.is_ended() || !self.node.presence.is_held() {
                    return Ok(());
                }
                match step {
                    Step::Stop(id) => self.stop(carrier, &id),
                    Step::Start(id) if tried.insert(id.clone()) => {
                        is_started = self.start(carrier, &id).await?;
                        if is_started {
                            break;
                        }
                    }
                    Step::Start(_) => {}
                }
            }
            if !is_started {
                return Ok(());
            }
        }
    }

    /// Starts a component. Returns false if it is another host's still.
    async fn start(
        self: &Arc<Self>,
        carrier: &Arc<dyn Carrier>,
        id: &ComponentId,
    ) -> Result<bool, ClusterError> {
        match self.node.claim(id).await {
            Ok(_) => {}
            // The host that it belonged to has not stopped it yet, or not started it.
            Err(ClusterError::Announced { .. }) => return Ok(false),
            Err(error) => return Err(error),
        }
        self.node.presence.forget(id);
        let is_free = {
            let mut state = self.lock();
            // The answer may have come when the lease was over.
            let is_free = !state.is_ended && self.node.presence.holds(id);
            if is_free {
                state.components.insert(id.clone(), Phase::Starting);
            }
            is_free
        };
        if !is_free {
            self.node.withdraw(id).await?;
            return Ok(false);
        }
        if let Err(reason) = carrier.start(id).await {
            log::warn!("`{id}` is placed here and does not start: {reason}");
            self.withdraw(id).await;
            return Ok(true);
        }
        self.turn(id, Phase::Running);
        if self.is_ended() {
            self.stop(carrier, id);
            return Ok(true);
        }
        if let Err(error) = carrier.announce(id).await {
            log::warn!("`{id}` is placed here and is not announced: {error}");
            self.stop(carrier, id);
        }
        Ok(true)
    }

    /// Notes the next phase of a component.
    fn turn(&self, id: &ComponentId, phase: Phase) {
        self.lock().components.insert(id.clone(), phase);
        self.changed.send_replace(());
    }

    /// Stops a component that runs, and withdraws it then: the next host starts it only when it has stopped here. Its last
    /// messages may take long, and nothing waits for them.
    fn stop(self: &Arc<Self>, carrier: &Arc<dyn Carrier>, id: &ComponentId) {
        {
            let mut state = self.lock();
            match state.components.get_mut(id) {
                Some(phase) if *phase == Phase::Running => *phase = Phase::Stopping,
                _ => return,
            }
        }
        let (placing, carrier, id) = (self.clone(), carrier.clone(), id.clone());
        tokio::spawn(async move {
            // It is never closed.
            let turn = placing.stops.acquire().await;
            carrier.stop(&id).await;
            drop((turn, carrier));
            placing.withdraw(&id).await;
        });
    }

    /// Withdraws a component that has no actor here. If that fails, each renewal of the lease tries again.
    async fn withdraw(&self, id: &ComponentId) {
        self.turn(id, Phase::Stopped);
        if let Err(error) = self.node.withdraw(id).await
            && !self.is_ended()
        {
            log::warn!("`{id}` is not withdrawn yet: {error}");
        }
        self.lock().components.remove(id);
        self.changed.send_replace(());
    }

    /// Stops all components that were placed here, when the host leaves, and the one that is being started when it has started.
    pub(crate) async fn stop_all(self: &Arc<Self>, carrier: &Arc<dyn Carrier>) {
        let mut changed = self.changed.subscribe();
        loop {
            let active: Vec<ComponentId> = {
                let state = self.lock();
                let active = state
                    .components
                    .iter()
                    .filter(|(_, phase)| **phase != Phase::Stopped);
                active.map(|(id, _)| id.clone()).collect()
            };
            if active.is_empty() {
                return;
            }
            for id in &active {
                self.stop(carrier, id);
            }
            // Its sender lives in this.
            let _ = changed.changed().await;
        }
    }
}

/// Steps until the host is gone.
async fn run(placing: Weak<Placing>, every: Duration) {
    loop {
        let Some(placing) = placing.upgrade() else { return };
        let taking_part = {
            let state = placing.lock();
            if state.is_ended {
                return;
            }
            state.carrier.clone()
        };
        if let Some((labels, carrier)) = taking_part
            && placing.node.presence.is_held()
        {
            let stepped = match placing.node.is_member(&labels).await {
                Ok(true) => placing.step(&carrier).await,
                Ok(false) => placing.node.take_part(&labels).await,
                Err(error) => Err(error),
            };
            if let Err(error) = stepped
                && !placing.is_ended()
            {
                log::warn!("placement waits: {error}");
            }
        }
        drop(placing);
        tokio::time::sleep(every).await;
    }
}
