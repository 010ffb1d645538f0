//! One schedule: its plan, its faults, and the recovery at its end.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::sleep;

use super::checks::Sum;
use super::process::{MOVED, OWN, Process, Target, host, id};
use super::world::World;
use crate::error::ClusterError;
use crate::key::ClusterKey;
use crate::names::Address;

/// Contents of a schedule. Times are in milliseconds.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    seed: u64,
    hosts: usize,
    /// Length of the part with faults.
    length: u64,
    /// Parts of 1,000.
    lost: u64,
    doubled: u64,
    delay: u64,
    pub(super) lease: u64,
    pub(super) tolerance: u64,
    /// Largest difference of two clocks.
    pub(super) skew: u64,
}

impl Plan {
    pub(super) fn of(seed: u64) -> Plan {
        let mut random = fastrand::Rng::with_seed(seed);
        let tolerance = random.u64(200..2000);
        Plan {
            seed,
            hosts: random.usize(2..=4),
            length: random.u64(10_000..40_000),
            lost: random.u64(..30) * u64::from(random.bool()),
            doubled: random.u64(..50),
            delay: random.u64(5..400),
            lease: random.u64(1500..6000),
            tolerance,
            skew: random.u64(..tolerance),
        }
    }
}

/// The end of a schedule.
pub(super) struct Outcome {
    pub(super) faults: Vec<String>,
    pub(super) log: Vec<String>,
    pub(super) sum: Sum,
}

thread_local! {
    /// The random identities of the schedule that this thread runs.
    static IDENTITIES: RefCell<Option<fastrand::Rng>> = const { RefCell::new(None) };
}

/// Returns a number of the schedule that this thread runs, for an identity.
pub(crate) fn random() -> Option<u128> {
    IDENTITIES.with_borrow_mut(|random| random.as_mut().map(|random| random.u128(..)))
}

/// Runs a schedule.
pub(super) fn run(plan: &Plan) -> Outcome {
    IDENTITIES.set(Some(fastrand::Rng::with_seed(plan.seed)));
    let outcome = run_in_virtual_time(plan);
    IDENTITIES.set(None);
    outcome
}

fn run_in_virtual_time(plan: &Plan) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without threads");
    runtime.block_on(play(plan))
}

/// The processes that have joined and have not ended, by host.
type Present = Arc<Mutex<Vec<Option<Process>>>>;

async fn play(plan: &Plan) -> Outcome {
    let key = ClusterKey::new(&[7; 32]).expect("32 bytes");
    let delay = Duration::from_millis(plan.delay);
    let world = World::new(plan.seed, key, (plan.lost, plan.doubled, delay));
    world.log(format!("{plan:?}"));
    let present: Present = Arc::new(Mutex::new(vec![None; plan.hosts]));
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut lives = Vec::new();
    for number in 0..plan.hosts {
        let life = live(
            world.clone(),
            plan.clone(),
            number,
            present.clone(),
            stopped.clone(),
        );
        lives.push(tokio::spawn(life));
    }
    let faults = tokio::spawn(disturb(world.clone(), stopped));
    sleep(Duration::from_millis(plan.length)).await;
    world.log("the faults end");
    // Its receivers are the tasks above.
    let _ = stop.send(true);
    for task in lives.into_iter().chain([faults]) {
        if let Err(error) = task.await {
            world.lock().faults.push(error.to_string());
        }
    }
    {
        let mut inner = world.lock();
        (inner.lost, inner.doubled) = (0, 0);
        for line in &mut inner.lines {
            (line.is_cut, line.is_noticed) = (false, false);
        }
    }
    // The longest lease of a process that was killed, and a renewal of the others.
    sleep(Duration::from_millis(2 * plan.lease + plan.tolerance + 5000)).await;
    recovered(&world, &present).await;
    let mut inner = world.lock();
    let inner = &mut *inner;
    let wrong = inner.requests.check(&mut inner.sum);
    Outcome {
        faults: inner.faults.drain(..).chain(wrong).collect(),
        log: std::mem::take(&mut inner.log),
        sum: inner.sum.clone(),
    }
}

/// One host: processes of its name, one after the other, the last of which stays.
async fn live(
    world: Arc<World>,
    plan: Plan,
    number: usize,
    present: Present,
    stopped: tokio::sync::watch::Receiver<bool>,
) {
    loop {
        let process = Process::join(&world, &plan, number).await;
        present.lock().expect("one thread")[number] = Some(process.clone());
        let time = world.lock().random.u64(2000..20_000);
        let mut stopping = stopped.clone();
        tokio::select! {
            biased;
            _ = stopping.wait_for(|stopped| *stopped) => {}
            () = work(&process, plan.hosts) => {}
            () = sleep(Duration::from_millis(time)) => {}
        }
        if *stopped.borrow() {
            return;
        }
        let (end, pause) = {
            let mut inner = world.lock();
            (inner.random.u8(..3), inner.random.u64(..4000))
        };
        match end {
            0 => process.kill(),
            1 => process.leave().await,
            // Goes on without work of its own.
            _ => continue_until(&process, &stopped, time).await,
        }
        if *stopped.borrow() && process.is_alive() {
            return;
        }
        if process.is_alive() {
            process.kill();
        }
        present.lock().expect("one thread")[number] = None;
        sleep(Duration::from_millis(pause)).await;
    }
}

async fn continue_until(process: &Process, stopped: &tokio::sync::watch::Receiver<bool>, time: u64) {
    let mut stopping = stopped.clone();
    tokio::select! {
        biased;
        _ = stopping.wait_for(|stopped| *stopped) => {}
        () = sleep(Duration::from_millis(time)) => {}
    }
    let is_held = process.node.presence.is_held();
    process.world.lock().sum.expired_leases += u64::from(!is_held);
}

/// Sends, announces and withdraws without end.
async fn work(process: &Process, hosts: usize) {
    loop {
        let (pause, step, which, component) = {
            let mut inner = process.world.lock();
            let random = &mut inner.random;
            (
                random.u64(..200),
                random.u8(..10),
                random.usize(..=hosts),
                random.usize(..MOVED.len()),
            )
        };
        sleep(Duration::from_millis(pause)).await;
        let moved = id(MOVED[component]);
        match step {
            // One host more than there are: it has no process.
            0..=3 => drop(process.send(&Target::At(Address::new(host(which), id(OWN))))),
            4..=6 => drop(process.send(&Target::Wherever(moved))),
            7 => drop(process.send(&Target::At(Address::new(host(which), id("absent"))))),
            8 => drop(process.announce(&moved).await),
            _ => process.withdraw(&moved).await,
        }
    }
}

/// Cuts connections, and restarts the server.
async fn disturb(world: Arc<World>, stopped: tokio::sync::watch::Receiver<bool>) {
    while !*stopped.borrow() {
        let (pause, time) = {
            let mut inner = world.lock();
            (inner.random.u64(..6000), inner.random.u64(..9000))
        };
        sleep(Duration::from_millis(pause)).await;
        let lines = {
            let mut inner = world.lock();
            let alive: Vec<usize> = (0..inner.lines.len())
                .filter(|line| inner.lines[*line].is_alive)
                .collect();
            if alive.is_empty() {
                continue;
            }
            let is_restart = inner.random.u8(..4) == 0;
            let is_noticed = is_restart || inner.random.bool();
            let lines = if is_restart {
                inner.sum.restarts += 1;
                alive
            } else {
                inner.sum.cut += 1;
                vec![alive[inner.random.usize(..alive.len())]]
            };
            for line in &lines {
                (inner.lines[*line].is_cut, inner.lines[*line].is_noticed) = (true, is_noticed);
            }
            lines
        };
        world.log(format!("processes {lines:?} are cut off for {time} ms"));
        sleep(Duration::from_millis(time)).await;
        let mut inner = world.lock();
        for line in &lines {
            let is_held = {
                let node = inner.lines[*line].node.upgrade();
                node.is_none_or(|node| node.presence.is_held())
            };
            inner.sum.expired_leases += u64::from(!is_held);
            (inner.lines[*line].is_cut, inner.lines[*line].is_noticed) = (false, false);
        }
        drop(inner);
        world.log(format!("processes {lines:?} are connected again"));
    }
}

/// After the faults, each host is there, and each component can be announced by one host, and is found from all.
async fn recovered(world: &Arc<World>, present: &Present) {
    let processes: Vec<Process> = present
        .lock()
        .expect("one thread")
        .iter()
        .flatten()
        .cloned()
        .collect();
    let mut wrong = Vec::new();
    if processes.len() != present.lock().expect("one thread").len() {
        wrong.push("a host has not come back".to_owned());
    }
    for process in &processes {
        let name = &process.node.options.host;
        if !process.node.presence.is_held() {
            wrong.push(format!("{name} does not hold its name"));
        }
        for other in &processes {
            let to = Target::At(Address::new(other.node.options.host.clone(), id(OWN)));
            let (payload, ended) = process.send(&to);
            drop(ended.await);
            if world.lock().requests.handler(&payload) != Some(other.line) {
                wrong.push(format!("{name} does not reach {to}"));
            }
        }
    }
    // What a host counts on is what others find.
    for process in &processes {
        for component in process.node.presence.entered() {
            process.node.presence.forget(&component);
            let found = process.node.locate(&component).await;
            let found = found.map(|address| address.host);
            if !found
                .as_ref()
                .is_ok_and(|host| *host == process.node.options.host)
            {
                let name = &process.node.options.host;
                wrong.push(format!("{name} counts on {component}, which is at {found:?}"));
            }
        }
    }
    // And the other way round: no component is kept from others without a host that counts on it.
    for component in MOVED.map(id) {
        let Some(process) = processes.first() else { break };
        process.node.presence.forget(&component);
        let Ok(found) = process.node.locate(&component).await else {
            continue;
        };
        let counts = |process: &Process| {
            process.node.options.host == found.host && process.node.presence.entered().contains(&component)
        };
        if !processes.iter().any(counts) {
            wrong.push(format!("{component} is at {found}, which does not count on it"));
        }
    }
    for component in MOVED.map(id) {
        let mut holders = Vec::new();
        for process in &processes {
            match process.announce(&component).await {
                Ok(_) => holders.push(process.line),
                Err(ClusterError::Announced { .. }) => {}
                Err(error) => wrong.push(format!("{component}: {error}")),
            }
        }
        if holders.len() != 1 {
            wrong.push(format!("{component} is announced by {holders:?}"));
        }
        for process in &processes {
            process.node.presence.forget(&component);
            let (payload, ended) = process.send(&Target::Wherever(component.clone()));
            drop(ended.await);
            let handler = world.lock().requests.handler(&payload);
            if handler.is_none() || handler != holders.first().copied() {
                wrong.push(format!("{component} is at {holders:?}, and {handler:?} answers"));
            }
        }
    }
    world.lock().faults.extend(wrong);
}
