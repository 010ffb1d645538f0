//! Runs of components of the contract that attack their host, in the runtime of a neighbor.

use std::path::Path;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use airssys_wasm::component::Component;
use airssys_wasm::engine::{Engine, MemoryBudget};
use airssys_wasm::host::LOG_TARGET;
use airssys_wasm::limits::ResourceLimits;
use airssys_wasm::runtime::{Call, ExecuteOptions, Payload};
use airssys_wasm::security::{Policy, SecurityContext};
use airssys_wasm::{
    ComponentId, ComponentOptions, ComponentRuntime, ComponentState, RuntimeConfig, RuntimeError,
};
use airssys_wasm_test_support::host::id;

use crate::components::{
    Attack, Ended, LARGE_OPERATION, LINES, LOG_BYTES, MESSAGE_BYTES, MESSAGES, OPEN, OPERATION,
    PAYLOAD_BYTES, neighbor,
};
use crate::{BUDGET, DEADLINE, LONG, limits};

/// Time of the calls of a component that loops in one of them. The others must end in it too, on a busy machine.
const CALL_TIME: Duration = Duration::from_millis(10);

/// A runtime with a neighbor.
pub(crate) struct Host {
    runtime: ComponentRuntime,
    neighbor: ComponentId,
    pub(crate) budget: MemoryBudget,
    context: SecurityContext,
}

impl Host {
    /// Creates a runtime on an engine's backend, whose components may read one folder and connect to one address.
    pub(crate) fn new(engine: &Engine, folder: &Path) -> Host {
        let budget = MemoryBudget::new(BUDGET);
        let config = RuntimeConfig::builder()
            .with_backend(engine.backend())
            .with_limits(limits(&budget))
            .with_default_timeout(LONG)
            .build();
        let runtime =
            ComponentRuntime::new(config.expect("it is sound")).expect("the contract can be linked");
        let limits = ResourceLimits::new()
            .with_mailbox_messages(MESSAGES.into())
            .with_mailbox_bytes(MESSAGE_BYTES.into());
        let options = ComponentOptions::new()
            .with_id(id("neighbor"))
            .with_resource_limits(limits);
        let neighbor = runtime
            .load_component(&neighbor().build(), options)
            .expect("it loads");
        runtime.init(&neighbor).expect("it starts");
        let policy = Policy::builder()
            .allow(format!("filesystem:read:{}", folder.display()))
            .allow("network:outbound:127.0.0.1")
            .build();
        Host {
            runtime,
            neighbor,
            budget,
            context: SecurityContext::builder()
                .policy(policy.expect("it is valid"))
                .build(),
        }
    }

    /// Compiles an attacker.
    pub(crate) fn compile(&self, attack: &Attack) -> Component {
        let engine = self.runtime.config().engine();
        Component::from_binary(engine, &(attack.guest)().build()).expect("it loads")
    }

    /// Has the neighbor use its memory, and answer how many messages it received.
    pub(crate) fn received(&self) -> u32 {
        let answer = self.runtime.execute(&self.neighbor, b"").expect("it answers");
        number(&answer)
    }

    /// Runs an attack once, and checks how it ends and that nothing of it is left. Returns how much later than at its time it
    /// ended.
    pub(crate) fn attack(&self, attack: &Attack, guest: &Component) -> Duration {
        let lines = (written(), dropped());
        let (late, received) = self.run(attack, guest);
        assert_eq!(
            self.runtime.list_components(),
            std::slice::from_ref(&self.neighbor),
            "{}",
            attack.name
        );
        assert_eq!(self.received(), received, "{}", attack.name);
        let (written, dropped) = (written() - lines.0, dropped() - lines.1);
        match attack.ended {
            Ended::Logs(most) => {
                // It may run through several seconds on a busy machine, but drops most of its lines.
                assert!(
                    written >= u64::from(most) && dropped > written,
                    "{written} {dropped}"
                );
            }
            _ => assert!(written <= u64::from(LINES), "{}: {written} lines", attack.name),
        }
        late
    }

    fn options(&self, ended: Ended) -> ComponentOptions {
        let call_time = match ended {
            Ended::NotLoaded => DEADLINE,
            Ended::Timeout(_) => CALL_TIME,
            _ => LONG,
        };
        let limits = ResourceLimits::new()
            .with_open_files(OPEN)
            .with_sockets(OPEN)
            .with_payload_bytes(u64::try_from(PAYLOAD_BYTES).expect("it is small"))
            .with_log_lines(LINES.into())
            .with_log_bytes(LOG_BYTES.into())
            .with_call_time(call_time);
        ComponentOptions::new()
            .with_id(id("attacker"))
            .with_resource_limits(limits)
            .with_security(self.context.clone())
    }

    /// Loads and initializes a component. One that loops later must not be stopped before, by a busy machine.
    fn start(&self, guest: &Component, ended: Ended) -> ComponentId {
        for _ in 0..100 {
            let id = self.runtime.load_compiled(guest, self.options(ended));
            let id = id.expect("it loads");
            match self.runtime.init(&id) {
                Ok(()) => return id,
                Err(RuntimeError::Timeout { .. }) => self.runtime.unload(&id).expect("it is loaded"),
                Err(error) => panic!("{error}"),
            }
        }
        panic!("the machine is too busy");
    }

    /// Returns how much later than at its time the attack ended, and the messages that the neighbor must have.
    fn run(&self, attack: &Attack, guest: &Component) -> (Duration, u32) {
        let (runtime, ended) = (&self.runtime, attack.ended);
        let late = |start: Instant, time| start.elapsed().saturating_sub(time);
        if let Ended::NotLoaded = ended {
            let start = Instant::now();
            let refused = runtime.load_compiled(guest, self.options(ended));
            let late = late(start, DEADLINE);
            let refused = refused.expect_err("it loops");
            assert!(
                matches!(&refused, RuntimeError::Timeout { call: Call::Instantiate, after, .. } if *after == DEADLINE),
                "{refused:?}"
            );
            return (late, 0);
        }
        if let Ended::Timeout(call @ (Call::Init | Call::Metadata)) = ended {
            let id = runtime
                .load_compiled(guest, self.options(ended))
                .expect("it loads");
            let start = Instant::now();
            let result = match call {
                Call::Init => runtime.init(&id),
                _ => runtime.metadata(&id).map(drop),
            };
            let late = late(start, CALL_TIME);
            self.stopped(&id, call, result);
            return (late, 0);
        }
        let id = self.start(guest, ended);
        let start = Instant::now();
        let execute = |bytes: usize| runtime.execute(&id, &vec![0; bytes]);
        let received = match ended {
            Ended::Timeout(call) => {
                let result = match call {
                    Call::Health => runtime.health(&id).map(drop),
                    Call::Shutdown => runtime.shutdown(&id),
                    _ => {
                        let options = ExecuteOptions::new().with_timeout(CALL_TIME);
                        runtime.execute_with(&id, b"", options).map(drop)
                    }
                };
                let late = late(start, CALL_TIME);
                self.stopped(&id, call, result);
                return (late, 0);
            }
            Ended::Stopped(words) => {
                let error = execute(OPERATION).expect_err("it is stopped");
                assert!(
                    matches!(
                        error,
                        RuntimeError::Stopped {
                            call: Call::Execute,
                            ..
                        }
                    ),
                    "{}: {error:?}",
                    attack.name
                );
                assert!(
                    chain(&error).contains(words),
                    "{}: {}",
                    attack.name,
                    chain(&error)
                );
                assert_eq!(runtime.state(&id).expect("it is loaded"), ComponentState::Failed);
                0
            }
            Ended::Refused(expected) => {
                let bytes = match expected {
                    Payload::Operation => LARGE_OPERATION,
                    Payload::Answer => OPERATION,
                };
                for _ in 0..2 {
                    let error = execute(bytes).expect_err("it is refused");
                    assert!(
                        matches!(&error, RuntimeError::Payload { payload, .. } if *payload == expected),
                        "{}: {error:?}",
                        attack.name
                    );
                    let state = runtime.state(&id).expect("it is loaded");
                    assert_eq!(state, ComponentState::Initialized, "{}", attack.name);
                }
                0
            }
            Ended::Answers(expected) | Ended::Delivers(expected) => {
                let answer = execute(OPERATION).unwrap_or_else(|error| panic!("{}: {error}", attack.name));
                assert_eq!(number(&answer), expected, "{}", attack.name);
                match ended {
                    Ended::Delivers(_) => expected,
                    _ => 0,
                }
            }
            Ended::Logs(_) => {
                let before = (written(), dropped());
                let lines = number(&execute(OPERATION).expect("it answers"));
                // The last lines are counted when the component ends.
                runtime.unload(&id).expect("it is loaded");
                let counted = written() - before.0 + (dropped() - before.1);
                assert_eq!(counted, u64::from(lines), "{}", attack.name);
                return (Duration::ZERO, 0);
            }
            Ended::NotLoaded => unreachable!("it returned above"),
        };
        runtime.unload(&id).expect("it is loaded");
        (Duration::ZERO, received)
    }

    /// Checks that a call was stopped at its time, and unloads the component.
    fn stopped(&self, id: &ComponentId, expected: Call, result: Result<(), RuntimeError>) {
        let error = result.expect_err("it loops");
        assert!(
            matches!(&error, RuntimeError::Timeout { call, after, .. } if *call == expected && *after == CALL_TIME),
            "{expected}: {error:?}"
        );
        let state = self.runtime.state(id).expect("it is loaded");
        assert_eq!(state, ComponentState::Failed, "{expected}");
        self.runtime.unload(id).expect("it is loaded");
    }
}

/// Returns the number in an answer.
fn number(answer: &[u8]) -> u32 {
    u32::from_le_bytes(answer.try_into().expect("four bytes"))
}

/// Returns an error with its causes.
fn chain(error: &RuntimeError) -> String {
    let errors = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    errors.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Lines that components wrote to the log, and those that are reported as dropped.
static WRITTEN: AtomicU64 = AtomicU64::new(0);
static DROPPED: AtomicU64 = AtomicU64::new(0);

fn written() -> u64 {
    WRITTEN.load(Ordering::SeqCst)
}

fn dropped() -> u64 {
    DROPPED.load(Ordering::SeqCst)
}

/// Counts the lines of components.
struct Counter;

impl log::Log for Counter {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target() == LOG_TARGET
    }

    fn log(&self, record: &log::Record<'_>) {
        if record.target() != LOG_TARGET {
            return;
        }
        let line = record.args().to_string();
        match line.split_once(" log lines were dropped") {
            Some((number, _)) => {
                let number = number.parse().expect("a number");
                DROPPED.fetch_add(number, Ordering::SeqCst)
            }
            None => WRITTEN.fetch_add(1, Ordering::SeqCst),
        };
    }

    fn flush(&self) {}
}

/// Starts counting the lines of components.
pub(crate) fn count_lines() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Counter).expect("there is no other");
        log::set_max_level(log::LevelFilter::Info);
    });
}
