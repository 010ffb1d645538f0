//! Guests that attack their host, again and again: each attack ends in its typed error, takes no more memory than its limits
//! allow, leaves nothing behind, and the neighbor still answers.
//!
//! `AIRSSYS_ATTACKS` sets how often each attack is run on each backend, and makes the test print its figures.

mod components;
mod contract;
mod figures;
mod guests;
mod host;
mod programs;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use airssys_wasm::Error;
use airssys_wasm::component::{Instance, InstancePre, Store};
use airssys_wasm::engine::{Engine, MemoryBudget, StoreLimits};
use airssys_wasm::error::{CoreTrap, TrapKind};
use airssys_wasm_test_support as common;
use common::{component, engines};

use figures::Figures;
use guests::{ATTACKS, NEIGHBOR, Outcome};
use host::{Host, linker};
use programs::PROGRAMS;

/// Memory of all guests together: the neighbor's, and one attacker's.
const BUDGET: u64 = 48 << 20;
/// Memory that the neighbor keeps, whatever the attackers request.
const RESERVE: u64 = 1 << 20;
/// Memory that the host may use beyond the budget.
const BESIDE: u64 = 16 << 20;
/// Time after which a guest is stopped that must be stopped.
const DEADLINE: Duration = Duration::from_millis(2);
/// Time after which a guest is stopped that must end by itself.
const LONG: Duration = Duration::from_secs(60);

/// Returns the limits of an attacker.
fn limits(budget: &MemoryBudget) -> StoreLimits {
    let mut limits = StoreLimits::default();
    limits.memory_bytes = 16 << 20;
    limits.total_memory_bytes = 32 << 20;
    limits.table_elements = 100_000;
    limits.total_table_elements = 200_000;
    limits.handles = 10_000;
    limits.lift_bytes = 4 << 20;
    limits.memory_budget = Some(budget.clone());
    limits
}

/// Calls `work` until it ends; it is asked to stop after `time`, and then every millisecond. Returns how it ended, and the time that
/// passed between the first request and the end.
fn attack(
    store: &mut Store<Host>,
    time: Duration,
    work: impl FnOnce(&mut Store<Host>) -> Result<(), Error>,
) -> (Result<(), Error>, Duration) {
    let handle = store.interrupt_handle();
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let requests = scope.spawn(|| {
            std::thread::park_timeout(time);
            let first = Instant::now();
            while !ended.load(Ordering::Acquire) {
                handle.interrupt();
                std::thread::park_timeout(Duration::from_millis(1));
            }
            first
        });
        let result = work(store);
        let end = Instant::now();
        ended.store(true, Ordering::Release);
        requests.thread().unpark();
        let first = requests.join().expect("it does not panic");
        (result, end.saturating_duration_since(first))
    })
}

/// Instantiates an attacker and calls its `attack`.
fn run(
    pre: &InstancePre<Host>,
    outcome: &Outcome,
    engine: &Engine,
    budget: &MemoryBudget,
) -> (Result<(), Error>, Duration) {
    let mut store = Store::with_limits(engine, Host::default(), limits(budget));
    let time = match outcome {
        Outcome::Interrupted => DEADLINE,
        _ => LONG,
    };
    let mut made = None;
    let (result, late) = attack(&mut store, time, |store| {
        let instance = pre.instantiate(&mut *store)?;
        made = Some(instance.clone());
        let function = instance.try_get_func(&mut *store, ["attack"])?;
        let answer = function.call_dynamic(&mut *store, &[])?;
        host::finish(store, answer)
    });
    if let (Err(error), Some(instance)) = (&result, made) {
        assert!(error.trap().is_some() && instance.is_poisoned(), "{error}");
    }
    (result, late)
}

fn kind(error: &Error) -> Option<TrapKind> {
    error.trap().map(|trap| trap.kind().clone())
}

/// Checks that the attack ended as it must.
fn check(name: &str, outcome: &Outcome, engine: &Engine, result: &Result<(), Error>) {
    let text = || format!("{name} on {}: {result:?}", engine.backend());
    match (outcome, result) {
        (Outcome::Interrupted, Err(error)) => {
            assert_eq!(
                kind(error),
                Some(TrapKind::Core(CoreTrap::Interrupted)),
                "{}",
                text()
            );
        }
        (Outcome::Trap(expected), Err(error)) => {
            assert_eq!(kind(error).as_ref(), Some(expected), "{}", text());
        }
        (Outcome::Refused(words), Err(error)) => {
            let chain: Vec<String> =
                std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source())
                    .map(ToString::to_string)
                    .collect();
            assert!(chain.iter().any(|error| error.contains(words)), "{}", text());
        }
        (Outcome::Answers, Ok(())) => {}
        _ => panic!("{}", text()),
    }
}

/// A component that answers while the attacks are run.
struct Neighbor {
    store: Store<Host>,
    instance: Instance,
}

impl Neighbor {
    fn new(engine: &Engine, budget: &MemoryBudget) -> Neighbor {
        let mut limits = limits(budget);
        limits.memory_budget = Some(budget.reserve(RESERVE).expect("there is room"));
        let mut store = Store::with_limits(engine, Host::default(), limits);
        let neighbor = component(engine, NEIGHBOR);
        let instance = linker(engine)
            .instantiate(&mut store, &neighbor)
            .expect("it links");
        Neighbor { store, instance }
    }

    /// Has it use its memory, and give an answer.
    fn answers(&mut self) {
        let function = self
            .instance
            .get_typed_func::<(u32,), (u32,)>(&mut self.store, "answer");
        let answer = function.expect("it is there").call(&mut self.store, (41,));
        assert_eq!(answer.expect("it answers"), (42,));
    }
}

/// Runs one attack again and again beside a neighbor, and checks what it leaves behind. `once` runs it on a new store.
fn again_and_again(
    name: &str,
    outcome: &Outcome,
    engine: &Engine,
    mut once: impl FnMut(&MemoryBudget) -> (Result<(), Error>, Duration),
) {
    let budget = MemoryBudget::new(BUDGET);
    let mut neighbor = Neighbor::new(engine, &budget);
    neighbor.answers();
    let idle = budget.used();
    let mut figures = Figures::new();
    for _ in 0..figures::times() {
        let (result, late) = once(&budget);
        check(name, outcome, engine, &result);
        neighbor.answers();
        assert_eq!(budget.used(), idle, "{name} keeps memory of the budget");
        figures.add(late);
    }
    figures.check(engine, name);
}

/// One test at a time: they measure this process's memory.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn guests_end_in_their_errors_beside_a_neighbor_that_answers() {
    let _alone = alone();
    for engine in engines() {
        for attack in ATTACKS {
            let guest = component(&engine, attack.text);
            let pre = linker(&engine).instantiate_pre(&guest).expect("it links");
            again_and_again(attack.name, &attack.outcome, &engine, |budget| {
                run(&pre, &attack.outcome, &engine, budget)
            });
        }
    }
}

/// A folder with one file, which is removed when this is dropped.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("attacks-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the target folder can be written");
        std::fs::write(folder.join("file"), "text").expect("the target folder can be written");
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A failed test says more than this would.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn components_of_the_contract_end_in_their_errors_beside_a_neighbor_that_answers() {
    let _alone = alone();
    contract::count_lines();
    let folder = Folder::new("contract");
    for engine in engines() {
        let host = contract::Host::new(&engine, &folder.0);
        host.received();
        let idle = host.budget.used();
        for attack in components::ATTACKS {
            let guest = host.compile(attack);
            let mut figures = Figures::new();
            for _ in 0..figures::times() {
                figures.add(host.attack(attack, &guest));
                assert_eq!(
                    host.budget.used(),
                    idle,
                    "{} keeps memory of the budget",
                    attack.name
                );
            }
            figures.check(&engine, attack.name);
        }
    }
}

#[test]
fn programs_end_in_their_errors_beside_a_neighbor_that_answers() {
    let _alone = alone();
    let folder = Folder::new("programs");
    for engine in engines() {
        for program in PROGRAMS {
            let ready = program.ready(&engine);
            again_and_again(program.name, &program.outcome, &engine, |budget| {
                ready.run(&engine, budget, &folder.0)
            });
        }
    }
}
