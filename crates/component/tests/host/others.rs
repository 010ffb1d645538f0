//! Failures of others during a call: of the host's tasks, of instances that are not called.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use airssys_wasm_component::component::{
    Access, Accessor, AccessorTask, Component, HostResult, Instance, Linker, Source, Store, StoreContextMut,
    StreamConsumer, StreamReader, StreamResult, TypedFunc,
};
use airssys_wasm_component::engine::Engine;
use airssys_wasm_component::error::Error;

use crate::support::{Gate, Host, NOTHING, block_on, call, engines, func, new, settle};

/// Fails once the gate is open.
struct Fails(Gate);

impl AccessorTask<Host> for Fails {
    async fn run(self, _: &Accessor<Host>) -> HostResult<()> {
        self.0.await;
        Err("it fails".into())
    }
}

/// As after a dropped future, the task goes on.
#[test]
fn a_task_in_the_background_that_fails_ends_a_call_but_not_its_instance() {
    for engine in engines() {
        for name in ["sleep-sync", "sleep-async"] {
            let (mut store, instance) = new(&engine);
            let gate = Gate::default();
            gate.open();
            store.spawn(Fails(gate));
            let failed = call::<_, (u32,)>(&mut store, &instance, name, (7u32,)).unwrap_err();
            assert!(
                failed.to_string().contains("a task in the background"),
                "{failed}"
            );
            assert!(!instance.is_poisoned());
            assert_eq!(store.data().living.count(), 1, "{name}");
            store.data().gate.open();
            let (answer,): (u32,) = call(&mut store, &instance, name, (9u32,)).unwrap();
            assert_eq!(answer, 10);
            settle(&mut store);
            assert_eq!(store.data().living.count(), 0);
            assert_eq!(store.concurrency_counts(), NOTHING, "{name}");
        }
    }
}

/// Fails when it is polled first.
struct Refuses;

impl StreamConsumer<Host> for Refuses {
    type Item = u32;

    fn poll_consume(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: StoreContextMut<'_, Host>,
        _: Source<'_, u32>,
        _: bool,
    ) -> Poll<HostResult<StreamResult>> {
        Poll::Ready(Err("a consumer that fails".into()))
    }
}

/// An instance of the guest whose import calls another instance, by `call`, as soon as it is called.
fn nests(
    engine: &Engine,
    store: &mut Store<Host>,
    call: impl Fn(Access<'_, Host>, u32) -> Result<u32, Error> + Clone + Send + Sync + 'static,
) -> Instance {
    let mut linker = Linker::<Host>::new(engine);
    linker
        .root()
        .func_wrap_concurrent("sleep", move |accessor, (x,): (u32,)| {
            let call = call.clone();
            Box::pin(async move { Ok((accessor.with(|access| call(access, x))?,)) })
        })
        .unwrap();
    linker
        .root()
        .func_wrap_concurrent("name", |_, (of,): (String,)| Box::pin(async move { Ok((of,)) }))
        .unwrap();
    let bytes = wat::parse_str(include_str!("guest.wat")).unwrap();
    let component = Component::new(engine, bytes).unwrap();
    linker.instantiate(store, &component).unwrap()
}

/// The instance that fails executes, further out on the stack.
#[test]
fn a_failure_of_a_caller_further_out_leaves_the_callee_usable() {
    for engine in engines() {
        for name in ["sleep-sync", "sleep-async"] {
            let (mut store, callee) = new(&engine);
            let sleep: TypedFunc<(u32,), (u32,)> = func(&mut store, &callee, name);
            let caller = nests(&engine, &mut store, move |access, x| {
                Ok(sleep.call(access, (x,))?.0)
            });
            let (stream,): (StreamReader<u32>,) = call(&mut store, &caller, "count", (9u32,)).unwrap();
            stream.pipe(&mut store, Refuses).unwrap();
            store.data().gate.open_soon();
            let failed = call::<_, (u32,)>(&mut store, &caller, "sleep-sync", (7u32,)).unwrap_err();
            assert!(
                format!("{failed:?}").contains("a consumer that fails"),
                "{failed:?}"
            );
            assert!(caller.is_poisoned());
            assert!(!callee.is_poisoned(), "{name}");
            store.data().gate.open();
            let (answer,): (u32,) = call(&mut store, &callee, name, (9u32,)).unwrap();
            assert_eq!(answer, 10);
            settle(&mut store);
            assert_eq!(store.concurrency_counts(), NOTHING, "{name}");
        }
    }
}

/// A component with a stream, to which a task writes after its return.
const GIVES: &str = r#"(component
  (type $numbers (stream u32))
  (core module $libc (memory (export "mem") 1))
  (core instance $libc (instantiate $libc))
  (core func $new (canon stream.new $numbers))
  (core func $write (canon stream.write $numbers (memory (core memory $libc "mem"))))
  (core func $drop (canon stream.drop-writable $numbers))
  (core func $return-numbers (canon task.return (result $numbers)))
  (core func $return (canon task.return (result u32)))
  (core module $m
    (import "" "mem" (memory 1))
    (import "" "new" (func $new (result i64)))
    (import "" "write" (func $write (param i32 i32 i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (import "" "return-numbers" (func $return-numbers (param i32)))
    (import "" "return" (func $return (param i32)))
    (global $writer (mut i32) (i32.const 0))
    (func (export "numbers") (local $ends i64)
      (local.set $ends (call $new))
      (global.set $writer (i32.wrap_i64 (i64.shr_u (local.get $ends) (i64.const 32))))
      (call $return-numbers (i32.wrap_i64 (local.get $ends))))
    ;; Gives way first.
    (func (export "give") (param i32) (result i32)
      (i32.store (i32.const 16) (local.get 0))
      (i32.const 1))
    (func (export "gave") (param i32 i32 i32) (result i32)
      (call $return (i32.const 5))
      (drop (call $write (global.get $writer) (i32.const 16) (i32.const 1)))
      (call $drop (global.get $writer))
      (i32.const 0)))
  (core instance $i (instantiate $m (with "" (instance
    (export "mem" (memory $libc "mem")) (export "new" (func $new)) (export "write" (func $write))
    (export "drop" (func $drop)) (export "return-numbers" (func $return-numbers))
    (export "return" (func $return))))))
  (func (export "numbers") async (result $numbers) (canon lift (core func $i "numbers") async))
  (func (export "give") async (param "x" u32) (result u32)
    (canon lift (core func $i "give") async (callback (core func $i "gave")))))"#;

/// Within a call by a host function, the task of the outer call returns, and goes on to what the inner call waits for.
#[test]
fn a_task_goes_on_after_its_return_within_an_inner_call() {
    for engine in engines() {
        let (mut store, reads) = new(&engine);
        let component = Component::new(&engine, wat::parse_str(GIVES).unwrap()).unwrap();
        let gives = Linker::new(&engine).instantiate(&mut store, &component).unwrap();
        let (numbers,): (StreamReader<u32>,) = call(&mut store, &gives, "numbers", ()).unwrap();
        let sum: TypedFunc<(StreamReader<u32>,), (u32,)> = func(&mut store, &reads, "sum");
        let numbers = Arc::new(Mutex::new(Some(numbers)));
        let sums = Arc::new(Mutex::new(Vec::new()));
        let (given, seen) = (Arc::clone(&numbers), Arc::clone(&sums));
        let caller = nests(&engine, &mut store, move |access, x| {
            let numbers = given.lock().unwrap().take().unwrap();
            let result = sum.call(access, (numbers,));
            seen.lock().unwrap().push(result);
            Ok(x)
        });
        // Begun, to run within the next call.
        let sleep: TypedFunc<(u32,), (u32,)> = func(&mut store, &caller, "sleep-sync");
        let begun = block_on(store.run_concurrent(async |accessor| {
            drop(sleep.begin_concurrent(accessor, (1,)).unwrap());
        }));
        begun.unwrap();
        let (answer,): (u32,) = call(&mut store, &gives, "give", (7u32,)).unwrap();
        assert_eq!(answer, 5);
        let sums = std::mem::take(&mut *sums.lock().unwrap());
        assert!(matches!(sums[..], [Ok((7,))]), "{sums:?}");
        assert!(!gives.is_poisoned() && !reads.is_poisoned() && !caller.is_poisoned());
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}
