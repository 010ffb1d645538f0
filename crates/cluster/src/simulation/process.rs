//! Processes of hosts: they join, announce, send, and end.

use std::sync::Arc;
use std::time::Duration;

use airssys_wasm::ComponentId;
use airssys_wasm::actors::SendOptions;

use super::actors::Handlers;
use super::link::Link;
use super::schedule::Plan;
use super::world::World;
use crate::counters::Counters;
use crate::error::ClusterError;
use crate::names::{Address, Name};
use crate::node::Node;
use crate::options::ClusterOptions;
use crate::request;
use crate::time::Clock;

/// Actors that each host has under its own name.
pub(super) const OWN: &str = "own";
/// Actors that all hosts have, and one at a time announces.
pub(super) const MOVED: [&str; 3] = ["first", "second", "third"];

/// A process that has joined.
#[derive(Clone)]
pub(super) struct Process {
    pub(super) world: Arc<World>,
    pub(super) node: Arc<Node>,
    pub(super) line: usize,
}

pub(super) fn id(text: &str) -> ComponentId {
    ComponentId::new(text).expect("an identity")
}

pub(super) fn host(number: usize) -> Name {
    Name::new(format!("host-{number}")).expect("a name")
}

impl Process {
    /// Starts a process, again and again until it has joined.
    pub(super) async fn join(world: &Arc<World>, plan: &Plan, number: usize) -> Process {
        let name = host(number);
        loop {
            let skew = world.lock().random.u64(..=plan.skew);
            let mut options = ClusterOptions::new(
                Name::new("simulated").expect("a name"),
                name.clone(),
                world.key.clone(),
            )
            .with_call_timeout(Duration::from_millis(1000))
            .with_request_timeout(Duration::from_secs(3))
            .with_clock_tolerance(Duration::from_millis(plan.tolerance))
            .with_lease_time(Duration::from_millis(plan.lease));
            options.clock = Clock::Simulated(world.start, 1_000_000_000 + skew);
            let link = Link::connect(world, name.as_str(), Duration::from_millis(1000));
            let line = link.line;
            let ids = MOVED.into_iter().chain([OWN]).map(id);
            let actors = Arc::new(Handlers::new(world, line, ids));
            world.log(format!("{name} starts, process {line}"));
            let started = Node::start(Arc::new(link), actors, options, Arc::new(Counters::default()));
            match started.await {
                Ok(node) => {
                    world.lock().lines[line].node = Arc::downgrade(&node);
                    world.log(format!("{name} has joined, process {line}"));
                    let world = world.clone();
                    return Process { world, node, line };
                }
                Err(error) => {
                    world.log(format!("{name} has not joined, process {line}: {error}"));
                    world.lock().end(line);
                    // As the program that restarts it does.
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        }
    }

    pub(super) fn is_alive(&self) -> bool {
        self.world.lock().lines[self.line].is_alive
    }

    pub(super) fn kill(&self) {
        self.world.log(format!(
            "{} is killed, process {}",
            self.node.options.host, self.line
        ));
        let mut inner = self.world.lock();
        inner.sum.killed += 1;
        inner.lines[self.line].is_killed = true;
        inner.end(self.line);
    }

    pub(super) async fn leave(&self) {
        self.world.lock().sum.left += 1;
        self.world.log(format!(
            "{} leaves, process {}",
            self.node.options.host, self.line
        ));
        self.node.leave(Duration::from_secs(2)).await;
        self.world.log(format!(
            "{} has left, process {}",
            self.node.options.host, self.line
        ));
        self.world.lock().end(self.line);
    }

    /// Sends a request, in the order of this process if `to` has a host.
    pub(super) fn send(&self, to: &Target) -> ([u8; 8], tokio::task::JoinHandle<()>) {
        let payload = {
            let is_ordered = matches!(to, Target::At(_));
            self.world.lock().requests.create(self.line, is_ordered)
        };
        let (world, node, to) = (self.world.clone(), self.node.clone(), to.clone());
        let process = self.line;
        let options = SendOptions::new().with_timeout(Duration::from_secs(3));
        let posted = match &to {
            Target::At(address) => Some(request::send(
                &node,
                address.clone(),
                payload.to_vec(),
                options.clone(),
            )),
            Target::Wherever(_) => None,
        };
        let ended = tokio::spawn(async move {
            let result = match (posted, &to) {
                (Some(Ok(answer)), _) => answer.await,
                (Some(Err(error)), _) => Err(error),
                (None, Target::Wherever(id)) => {
                    request::send_to(node, id.clone(), payload.to_vec(), options).await
                }
                (None, Target::At(_)) => unreachable!("it was sent above"),
            };
            let number = u64::from_le_bytes(payload);
            let text = match &result {
                Ok(_) => "answered".to_owned(),
                Err(error) => error.to_string(),
            };
            world.log(format!("request {number} of process {process} to {to}: {text}"));
            world.lock().requests.ended(&payload, result);
        });
        (payload, ended)
    }

    /// Withdraws an actor, or says why not.
    pub(super) async fn withdraw(&self, id: &ComponentId) {
        let (node, withdrawn) = (self.node.clone(), id.clone());
        // It goes on if the caller does not.
        let result = tokio::spawn(async move { node.withdraw(&withdrawn).await });
        let result = result.await.expect("it does not panic");
        let text = result.map_or_else(|error| error.to_string(), |()| "done".to_owned());
        self.world
            .log(format!("process {} withdraws {id}: {text}", self.line));
    }

    /// Announces an actor, or says why not.
    pub(super) async fn announce(&self, id: &ComponentId) -> Result<u64, ClusterError> {
        let (node, announced) = (self.node.clone(), id.clone());
        // It goes on if the caller does not.
        let result = tokio::spawn(async move { node.announce(&announced).await });
        let result = result.await.expect("it does not panic");
        self.world.log(format!(
            "process {} announces {id}: {}",
            self.line,
            match &result {
                Ok(fence) => fence.to_string(),
                Err(error) => error.to_string(),
            }
        ));
        let mut inner = self.world.lock();
        match &result {
            Ok(_) => inner.sum.announced += 1,
            Err(ClusterError::Announced { .. }) => inner.sum.conflicts += 1,
            Err(_) => {}
        }
        drop(inner);
        result
    }
}

/// Receivers of requests.
#[derive(Clone)]
pub(super) enum Target {
    At(Address),
    Wherever(ComponentId),
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Target::At(address) => address.fmt(f),
            Target::Wherever(id) => id.fmt(f),
        }
    }
}
