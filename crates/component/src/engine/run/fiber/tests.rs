//! Fibers with guests of each backend: in what order they run, how they end, and what is refused.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use wasmer::{FunctionEnv, FunctionEnvMut, Instance, RuntimeError, TypedFunction, imports};

use super::*;
use crate::engine::interrupt::functions;
use crate::engine::run::program_store;
use crate::engine::{Backend, Engine, SendStore, StoreLimits};
use crate::panics;

mod entry;

const GUEST: &str = r#"(module
    (import "host" "wait" (func $wait (param i32) (result i32)))
    (import "host" "again" (func $again (param i32) (result i32)))
    (import "host" "nest" (func $nest (param i32) (result i32)))
    (memory (export "memory") 1 64)
    (func $twice (export "twice") (param i32) (result i32) (local i32)
        (local.set 1 (i32.mul (local.get 0) (i32.const 1000)))
        (local.set 1 (i32.add (local.get 1) (call $wait (local.get 0))))
        (i32.add (local.get 1) (call $wait (i32.const 0))))
    (func (export "again") (param i32) (result i32)
        (i32.add (i32.const 7) (call $again (local.get 0))))
    (func (export "nest") (param i32) (result i32)
        (i32.add (call $nest (local.get 0)) (call $wait (local.get 0))))
    (func (export "unreachable") (param i32) (result i32)
        (drop (call $wait (local.get 0))) unreachable)
    (func (export "bounds") (param i32) (result i32)
        (i32.load (i32.add (i32.const 0x7fff0000) (call $wait (local.get 0)))))
    (func $deep (param i32) (result i32)
        (i32.add (local.get 0) (call $deep (i32.add (local.get 0) (i32.const 1)))))
    (func (export "overflow") (param i32) (result i32)
        (call $deep (call $wait (local.get 0))))
    (func (export "grow") (param i32) (result i32)
        (i32.store (i32.mul (local.get 0) (i32.const 4)) (local.get 0))
        (drop (call $wait (local.get 0)))
        (drop (memory.grow (i32.const 1)))
        (i32.store (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 4)) (i32.const 5))
        (drop (call $wait (local.get 0)))
        (i32.load (i32.mul (local.get 0) (i32.const 4))))
    (func (export "spin") (param i32) (result i32)
        (drop (call $wait (local.get 0)))
        (loop $forever (br $forever)) unreachable)
    (func (export "fall") (param i32) (result i32) (i32.load (i32.const -4)))
    (func (export "plain") (param i32) (result i32) (local.get 0)))"#;

type Outcome = std::result::Result<i32, String>;

/// The state that host functions share.
#[derive(Clone, Default)]
struct Host {
    twice: Arc<OnceLock<TypedFunction<i32, i32>>>,
    nested: Arc<Mutex<Option<Fiber<Outcome>>>>,
}

/// The argument with which waiting fails in the host.
const FAILS: i32 = -1;

fn wait(mut env: FunctionEnvMut<'_, Host>, value: i32) -> std::result::Result<i32, RuntimeError> {
    let (_, mut store) = env.data_and_store_mut();
    match suspend(&mut store) {
        Ok(Resume::Continue) if value == FAILS => Err(RuntimeError::new("the host fails")),
        Ok(Resume::Continue) => Ok(value),
        Ok(Resume::Abort) => {
            assert!(matches!(suspend(&mut store), Ok(Resume::Abort)), "at once");
            Err(RuntimeError::new("aborted"))
        }
        Err(error) => Err(RuntimeError::user(Box::new(error))),
    }
}

fn again(mut env: FunctionEnvMut<'_, Host>, value: i32) -> std::result::Result<i32, RuntimeError> {
    let (host, mut store) = env.data_and_store_mut();
    let twice = host.twice.get().expect("instantiated").clone();
    twice.call(&mut store, value)
}

/// Resumes the fiber that is kept for it.
fn nest(mut env: FunctionEnvMut<'_, Host>, _: i32) -> i32 {
    let (host, mut store) = env.data_and_store_mut();
    let nested = Arc::clone(&host.nested);
    let mut fiber = nested.lock().expect("no panic").take().expect("one is kept");
    let switched = fiber.resume(&mut store, Resume::Continue).expect("it is resumed");
    assert!(is_running(&mut store) && switched == Switch::Suspended);
    *nested.lock().expect("no panic") = Some(fiber);
    1
}

struct Guest {
    store: SendStore,
    stacks: Stacks,
    instance: Instance,
    host: Host,
    _engine: wasmer::Engine,
}

impl Guest {
    fn new(backend: Backend) -> Guest {
        Guest::with_limit(backend, LIMIT)
    }

    fn with_limit(backend: Backend, limit: usize) -> Guest {
        let wasm = wat::parse_str(GUEST).expect("valid");
        let compiled = Engine::of_backend(backend).compile_program(&wasm);
        let (module, engine) = compiled.expect("it compiles");
        let mut store = program_store(&StoreLimits::default());
        store.interrupter().code().add(functions(&module));
        let host = Host::default();
        let env = FunctionEnv::new(&mut *store, host.clone());
        let imports = imports! { "host" => {
            "wait" => wasmer::Function::new_typed_with_env(&mut *store, &env, wait),
            "again" => wasmer::Function::new_with_env(
                &mut *store,
                &env,
                ([wasmer::Type::I32], [wasmer::Type::I32]),
                |env, args| Ok(vec![wasmer::Value::I32(again(env, args[0].unwrap_i32())?)]),
            ),
            "nest" => wasmer::Function::new_typed_with_env(&mut *store, &env, nest),
        } };
        let instance = Instance::new(&mut *store, &module, &imports).expect("it is instantiated");
        let twice = instance
            .exports
            .get_typed_function(&*store, "twice")
            .expect("exported");
        assert!(host.twice.set(twice).is_ok());
        let stacks = Stacks::with_limit(store.interrupter(), limit);
        Guest {
            store,
            stacks,
            instance,
            host,
            _engine: engine,
        }
    }

    fn function(&self, name: &str) -> TypedFunction<i32, i32> {
        self.instance
            .exports
            .get_typed_function(&*self.store, name)
            .expect("exported")
    }

    /// Calls a function that does not wait, on no fiber.
    fn plain(&mut self, value: i32) -> i32 {
        self.function("plain")
            .call(&mut *self.store, value)
            .expect("it returns")
    }

    fn try_fiber(&mut self, name: &str, value: i32) -> Result<Fiber<Outcome>> {
        let function = self.function(name);
        let body = move |store: &mut StoreMut<'_>| {
            assert!(is_running(store));
            function.call(store, value).map_err(|error| error.to_string())
        };
        Fiber::new(&self.stacks, &mut self.store.as_store_mut(), body)
    }

    fn fiber(&mut self, name: &str, value: i32) -> Fiber<Outcome> {
        self.try_fiber(name, value).expect("a stack")
    }

    /// A fiber that has run until it waits.
    fn started(&mut self, name: &str, value: i32) -> Fiber<Outcome> {
        let mut fiber = self.fiber(name, value);
        assert_eq!(self.resume(&mut fiber), Switch::Suspended, "{name}");
        fiber
    }

    fn resume(&mut self, fiber: &mut Fiber<Outcome>) -> Switch<Outcome> {
        self.resume_with(fiber, Resume::Continue).expect("it is resumed")
    }

    fn resume_with(&mut self, fiber: &mut Fiber<Outcome>, with: Resume) -> Result<Switch<Outcome>> {
        let mut store = self.store.as_store_mut();
        let switched = fiber.resume(&mut store, with);
        assert!(!is_running(&mut store));
        assert_eq!(panics::depth(), 0);
        switched
    }

    /// Resumes it until it has ended.
    fn end(&mut self, fiber: &mut Fiber<Outcome>) -> Outcome {
        loop {
            if let Switch::Ended(outcome) = self.resume(fiber) {
                return outcome;
            }
        }
    }

    fn fails(&mut self, fiber: &mut Fiber<Outcome>, with: &str) {
        let error = self.end(fiber).expect_err("it fails");
        assert!(error.contains(with), "{error}");
    }

    /// Ends the test: nothing is left.
    fn ends_empty(mut self) {
        assert_eq!(self.stacks.live(), 0);
        assert_eq!(self.plain(3), 3);
        assert!(Store::with_current(|_| ()).is_none());
        HERE.with(|here| assert_eq!(here.count.load(Ordering::Acquire), 0));
    }
}

fn on_each_backend(test: impl Fn(Backend)) {
    assert!(!Backend::available().is_empty());
    for backend in Backend::available() {
        test(*backend);
    }
}

#[test]
fn values_are_kept() {
    on_each_backend(|backend| {
        let mut guest = Guest::new(backend);
        let mut fiber = guest.fiber("twice", 5);
        assert!(!fiber.has_ended());
        assert_eq!(guest.resume(&mut fiber), Switch::Suspended);
        assert_eq!(guest.resume(&mut fiber), Switch::Suspended);
        assert_eq!(guest.resume(&mut fiber), Switch::Ended(Ok(5005)));
        assert!(fiber.has_ended());
        assert!(matches!(
            guest.resume_with(&mut fiber, Resume::Continue),
            Err(Error::Bug(_))
        ));
        let outside = guest.function("twice").call(&mut *guest.store, 5);
        let error = outside.expect_err("not on a fiber").to_string();
        assert!(error.contains("begin it as an asynchronous one"), "{error}");
        guest.ends_empty();
    });
}

#[test]
fn ten_run_in_orders_of_their_own() {
    on_each_backend(|backend| {
        let mut guest = Guest::new(backend);
        // Those that are called by way of a host function have more entries in the engine's list of stores.
        let name = |index: i32| ["twice", "again"][(index % 2) as usize];
        for step in [1, 3, 7, 9] {
            let mut fibers: Vec<_> = (0..10).map(|index| guest.started(name(index), index)).collect();
            let order = |first: i32| (0..10).map(move |index| (index * step + first) % 10);
            let mut ended = 0;
            for index in order(0).chain(order(4)) {
                match guest.resume(&mut fibers[index as usize]) {
                    Switch::Suspended => {}
                    Switch::Ended(outcome) => {
                        assert_eq!(outcome, Ok(index * 1001 + 7 * (index % 2)));
                        ended += 1;
                    }
                }
                assert_eq!(guest.plain(9), 9);
            }
            assert_eq!(ended, 10);
        }
        guest.ends_empty();
    });
}

#[test]
fn traps_end_the_older_one_only() {
    on_each_backend(|backend| {
        let mut guest = Guest::new(backend);
        for (name, value, with) in [
            ("unreachable", 1, "unreachable"),
            ("bounds", 1, "out of bounds"),
            ("overflow", 1, "stack"),
            ("twice", FAILS, "the host fails"),
        ] {
            for newer in ["twice", "again"] {
                let mut first = guest.started(newer, 2);
                let mut older = guest.started(name, value);
                let mut newer = guest.started(newer, 3);
                guest.fails(&mut older, with);
                let mut latest = guest.started(name, value);
                assert!(guest.end(&mut first).is_ok_and(|sum| sum / 1000 == 2));
                guest.fails(&mut latest, with);
                assert!(guest.end(&mut newer).is_ok_and(|sum| sum / 1000 == 3));
                // The handler of traps of calls without a fiber is in order, too.
                let error = guest
                    .function("bounds")
                    .call(&mut *guest.store, 1)
                    .expect_err("no fiber");
                assert!(error.to_string().contains("suspended calls"), "{error}");
            }
        }
        guest.ends_empty();
    });
}

#[test]
fn one_that_began_within_another_goes_on_without_it() {
    on_each_backend(|backend| {
        let mut guest = Guest::new(backend);
        for is_first in [true, false] {
            let inner = guest.fiber("again", 4);
            *guest.host.nested.lock().expect("no panic") = Some(inner);
            let mut outer = guest.started("nest", 10);
            let mut inner = guest
                .host
                .nested
                .lock()
                .expect("no panic")
                .take()
                .expect("put back");
            if is_first {
                assert_eq!(guest.end(&mut outer), Ok(11));
                assert_eq!(guest.end(&mut inner), Ok(4011));
            } else {
                assert_eq!(guest.end(&mut inner), Ok(4011));
                assert_eq!(guest.end(&mut outer), Ok(11));
            }
        }
        // Begun outside, resumed within, ended outside.
        let inner = guest.started("twice", 4);
        *guest.host.nested.lock().expect("no panic") = Some(inner);
        let mut outer = guest.started("nest", 10);
        let mut inner = guest
            .host
            .nested
            .lock()
            .expect("no panic")
            .take()
            .expect("put back");
        assert_eq!(guest.end(&mut inner), Ok(4004));
        assert_eq!(guest.end(&mut outer), Ok(11));
        guest.ends_empty();
    });
}

#[test]
fn aborted_ones_end_with_the_error() {
    on_each_backend(|backend| {
        let mut guest = Guest::new(backend);
        let mut other = guest.started("twice", 1);
        for name in ["twice", "again"] {
            let mut fiber = guest.started(name, 1);
            let mut unstarted = guest.fiber(name, 1);
            assert_eq!(guest.stacks.live(), 3);
            for fiber in [&mut fiber, &mut unstarted] {
                let ended = guest.resume_with(fiber, Resume::Abort).expect("it is resumed");
                let Switch::Ended(Err(error)) = ended else {
                    panic!("{ended:?}")
                };
                assert!(error.contains("aborted"), "{error}");
            }
            assert_eq!(guest.stacks.live(), 1);
        }
        assert_eq!(guest.end(&mut other), Ok(1001));
        guest.ends_empty();
    });
}

#[test]
fn dropped_ones_leave_the_store_usable() {
    on_each_backend(|backend| {
        let mut guest = Guest::new(backend);
        drop(guest.fiber("twice", 1));
        drop(guest.started("again", 1));
        assert_eq!(guest.stacks.live(), 0);
        let mut fiber = guest.started("twice", 2);
        let (unstarted, suspended) = (guest.fiber("twice", 3), guest.started("twice", 3));
        std::thread::spawn(move || drop((unstarted, suspended)))
            .join()
            .expect("no panic");
        assert_eq!(guest.end(&mut fiber), Ok(2002));
        guest.ends_empty();
        // The thread is free for another store. This one is dropped before its fiber.
        let mut second = Guest::new(backend);
        let mut fiber = second.started("twice", 2);
        assert_eq!(second.end(&mut fiber), Ok(2002));
        let suspended = second.started("twice", 2);
        drop(second);
        drop(suspended);
    });
}

#[test]
fn a_thousand_wait_at_once() {
    on_each_backend(|backend| {
        let mut guest = Guest::new(backend);
        let mut fibers: Vec<_> = (0..1000).map(|index| guest.started("twice", index)).collect();
        assert_eq!(guest.stacks.live(), 1000);
        for (index, fiber) in (0..1000).zip(&mut fibers) {
            assert_eq!(guest.end(fiber), Ok(index * 1001));
        }
        assert_eq!(guest.stacks.0.state().free.len(), KEPT);
        guest.ends_empty();
    });
}

#[test]
fn memory_grows_while_others_wait() {
    on_each_backend(|backend| {
        let mut guest = Guest::new(backend);
        let mut fibers: Vec<_> = (1..=10).map(|index| guest.started("grow", index)).collect();
        for fiber in fibers.iter_mut().rev() {
            assert_eq!(guest.resume(fiber), Switch::Suspended);
        }
        for (index, fiber) in (1..=10).zip(&mut fibers) {
            assert_eq!(guest.end(fiber), Ok(index));
        }
        guest.ends_empty();
    });
}

#[test]
fn the_limit_is_an_error() {
    on_each_backend(|backend| {
        let mut guest = Guest::with_limit(backend, 2);
        let mut fibers = [guest.started("twice", 1), guest.fiber("twice", 2)];
        let error = guest.try_fiber("twice", 3).expect_err("the third");
        let kind = error.trap().map(crate::error::Trap::kind);
        assert!(matches!(kind, Some(TrapKind::Limit(_))), "{error}");
        assert_eq!(guest.end(&mut fibers[0]), Ok(1001));
        let mut third = guest.fiber("twice", 3);
        assert_eq!(guest.end(&mut third), Ok(3003));
        assert_eq!(guest.end(&mut fibers[1]), Ok(2002));
        guest.ends_empty();
    });
}

fn is_refused<T>(result: Result<T>) -> bool {
    matches!(result, Err(Error::SuspendedCalls(_)))
}

#[test]
fn other_threads_and_stores_are_refused() {
    on_each_backend(|backend| {
        let (mut guest, mut other) = (Guest::new(backend), Guest::new(backend));
        let mut fiber = guest.started("twice", 1);
        std::thread::scope(|scope| {
            let there = || {
                assert!(is_refused(guest.resume_with(&mut fiber, Resume::Continue)));
                assert!(is_refused(guest.resume_with(&mut fiber, Resume::Abort)));
                assert!(
                    is_refused(guest.try_fiber("twice", 1)),
                    "a second thread of one store"
                );
            };
            scope.spawn(there).join().expect("no panic");
        });
        assert!(
            is_refused(other.try_fiber("twice", 1)),
            "a second store of one thread"
        );
        let wrong = other.resume_with(&mut fiber, Resume::Continue);
        assert!(matches!(wrong, Err(Error::WrongStore(_))));
        if cfg!(all(unix, feature = "interrupt")) {
            let _call = other.store.interrupter().enter();
            assert!(is_refused(guest.resume_with(&mut fiber, Resume::Continue)));
            let _inner = guest.store.interrupter().clone();
            let _inner = _inner.enter();
            assert!(is_refused(guest.resume_with(&mut fiber, Resume::Continue)));
        }
        assert_eq!(guest.end(&mut fiber), Ok(1001));
        // Now each may be where it likes.
        let mut fiber = other.started("twice", 1);
        std::thread::scope(|scope| {
            let there = || {
                let mut fiber = guest.started("twice", 2);
                assert_eq!(guest.end(&mut fiber), Ok(2002));
            };
            scope.spawn(there).join().expect("no panic");
        });
        assert_eq!(other.end(&mut fiber), Ok(1001));
        guest.ends_empty();
        other.ends_empty();
    });
}

#[test]
fn a_panic_reaches_the_resumer() {
    on_each_backend(|backend| {
        let mut guest = Guest::new(backend);
        let mut other = guest.started("twice", 1);
        let twice = guest.function("twice");
        let body = move |store: &mut StoreMut<'_>| {
            let sum = twice.call(store, 2);
            resume_unwind(Box::new(sum.map_err(|error| error.to_string())));
        };
        let mut fiber: Fiber<Outcome> =
            Fiber::new(&guest.stacks, &mut guest.store.as_store_mut(), body).expect("a stack");
        assert_eq!(guest.resume(&mut fiber), Switch::Suspended);
        assert_eq!(guest.resume(&mut fiber), Switch::Suspended);
        let panic = catch_unwind(AssertUnwindSafe(|| guest.resume(&mut fiber))).expect_err("a panic");
        assert_eq!(panic.downcast_ref::<Outcome>(), Some(&Ok(2002)));
        assert!(fiber.has_ended());
        assert_eq!(guest.end(&mut other), Ok(1001));
        guest.ends_empty();
    });
}

#[test]
fn contained_calls_are_those_of_the_stack() {
    on_each_backend(|backend| {
        let mut guest = Guest::new(backend);
        let twice = guest.function("twice");
        let body = move |store: &mut StoreMut<'_>| {
            assert_eq!(panics::depth(), 0);
            let called = panics::contain("the body", || twice.call(store, 2)).expect("no panic");
            assert_eq!(panics::depth(), 0);
            called.map_err(|error| error.to_string())
        };
        let new = Fiber::new(&guest.stacks, &mut guest.store.as_store_mut(), body);
        let mut fiber = new.expect("a stack");
        // The resumer's are looked at after each switch.
        assert_eq!(guest.end(&mut fiber), Ok(2002));
        guest.ends_empty();
    });
}

#[cfg(all(unix, feature = "interrupt"))]
#[test]
fn one_that_computes_is_interrupted() {
    on_each_backend(|backend| {
        let mut guest = Guest::new(backend);
        let handle = guest.store.interrupter().clone();
        let spin = |guest: &mut Guest, fiber: &mut Fiber<Outcome>| {
            let done = AtomicBool::new(false);
            let outcome = std::thread::scope(|scope| {
                scope.spawn(|| {
                    while !done.load(Ordering::Acquire) {
                        handle.interrupt();
                        std::thread::sleep(std::time::Duration::from_millis(1));
                    }
                });
                let outcome = guest.end(fiber);
                done.store(true, Ordering::Release);
                outcome
            });
            assert!(outcome.is_err());
            assert!(crate::engine::interrupt::take_stopped());
        };
        // The calls are entered around the fiber.
        let mut other = guest.started("twice", 1);
        let mut spinning = guest.started("spin", 1);
        let mut newer = guest.started("twice", 3);
        handle.running(|| spin(&mut guest, &mut spinning));
        assert_eq!(guest.end(&mut newer), Ok(3003));
        assert_eq!(guest.end(&mut other), Ok(1001));
        // Or on it: then the other one, which was entered first and has ended, is no longer the innermost.
        let mut entered = [("twice", 1), ("spin", 1)].map(|(name, value)| {
            let (function, handle) = (guest.function(name), handle.clone());
            let body = move |store: &mut StoreMut<'_>| {
                let called = handle.running(|| function.call(store, value));
                called.map_err(|error| error.to_string())
            };
            let new = Fiber::new(&guest.stacks, &mut guest.store.as_store_mut(), body);
            let mut fiber = new.expect("a stack");
            assert_eq!(guest.resume(&mut fiber), Switch::Suspended);
            assert!(!crate::engine::interrupt::runs_here());
            fiber
        });
        assert_eq!(guest.end(&mut entered[0]), Ok(1001));
        spin(&mut guest, &mut entered[1]);
        assert!(!crate::engine::interrupt::runs_here());
        guest.ends_empty();
    });
}

#[test]
fn parts_are_for_any_thread() {
    fn is_send<T: Send>() {}
    fn is_sync<T: Sync>() {}
    is_send::<Fiber<std::rc::Rc<()>>>();
    is_send::<Stacks>();
    is_sync::<Stacks>();
}
