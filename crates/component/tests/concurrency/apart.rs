//! Components of one store that keep apart: what one does leaves the others' state, turn and life as they are.

use std::pin::Pin;
use std::task::{Context, Poll};

use airssys_wasm_component::component::{Accessor, Instance, Linker, Store, StreamReader};
use airssys_wasm_component::engine::Engine;
use airssys_wasm_component::error::Error;

use crate::many::NOTHING;
use crate::support::{call, component, engines, store};

fn instance(store: &mut Store<()>, text: &str) -> Instance {
    let component = component(store.engine(), text);
    Linker::new(store.engine())
        .instantiate(store, &component)
        .unwrap()
}

fn called(engine: &Engine, name: &str, x: u32) -> u32 {
    let mut store = store(engine);
    let instance = instance(&mut store, include_str!("apart.wat"));
    let result = call(&mut store, &instance, name, x);
    let result = result.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(store.concurrency_counts().threads, 0, "{name}");
    result
}

#[test]
fn a_call_of_a_held_component_leaves_its_caller_running() {
    for engine in engines() {
        assert_eq!(called(&engine, "beside", 21), 42);
    }
}

#[test]
fn a_realloc_has_thread_local_storage_of_its_own() {
    for engine in engines() {
        // Each realloc found none, and the task's is as before.
        assert_eq!(called(&engine, "given", 7), 7);
        assert_eq!(called(&engine, "taken", 8), 8);
    }
}

#[test]
fn a_cancellation_comes_before_those_that_wait_to_enter() {
    for engine in engines() {
        assert_eq!(called(&engine, "order", 0), 12);
    }
}

/// Writes texts of which the second one is no UTF-8, or reads them.
const TEXTS: &str = r#"(component
  (type $texts (stream string))
  (core module $libc (memory (export "mem") 1)
    (global $reallocs (mut i32) (i32.const 0))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.set $reallocs (i32.add (global.get $reallocs) (i32.const 1)))
      (if (i32.eq (global.get $reallocs) (i32.const 2)) (then unreachable))
      (i32.const 4096)))
  (core instance $libc (instantiate $libc))
  (core func $return (canon task.return (result u32)))
  (core func $return-stream (canon task.return (result $texts)))
  (core func $new-set (canon waitable-set.new))
  (core func $join (canon waitable.join))
  (core func $new (canon stream.new $texts))
  (core func $write (canon stream.write $texts async (memory (core memory $libc "mem"))))
  (core func $read (canon stream.read $texts async (memory (core memory $libc "mem")) (realloc (core func $libc "realloc"))))
  (core module $m
    (import "" "mem" (memory 1))
    (import "" "return" (func $return (param i32)))
    (import "" "return-stream" (func $return-stream (param i32)))
    (import "" "new-set" (func $new-set (result i32)))
    (import "" "join" (func $join (param i32 i32)))
    (import "" "new" (func $new (result i64)))
    (import "" "write" (func $write (param i32 i32 i32) (result i32)))
    (import "" "read" (func $read (param i32 i32 i32) (result i32)))
    (data (i32.const 16) "good\ff")
    (func $wait (param i32) (result i32) (local $set i32)
      (call $join (local.get 0) (local.tee $set (call $new-set)))
      (i32.or (i32.const 2) (i32.shl (local.get $set) (i32.const 4))))
    ;; Writes texts of this length: of five bytes, it is malformed.
    (func (export "make") (param $length i32) (result i32) (local $ends i64) (local $writable i32)
      (local.set $ends (call $new))
      (local.set $writable (i32.wrap_i64 (i64.shr_u (local.get $ends) (i64.const 32))))
      (i32.store (i32.const 128) (i32.const 16))
      (i32.store (i32.const 132) (local.get $length))
      (i32.store (i32.const 136) (i32.const 16))
      (i32.store (i32.const 140) (local.get $length))
      (drop (call $write (local.get $writable) (i32.const 128) (i32.const 2)))
      (call $return-stream (i32.wrap_i64 (local.get $ends)))
      (call $wait (local.get $writable)))
    ;; Reads what is there, and returns the result of that.
    (func (export "take") (param $stream i32) (result i32) (local $result i32)
      (local.set $result (call $read (local.get $stream) (i32.const 64) (i32.const 2)))
      (if (i32.ne (local.get $result) (i32.const -1))
        (then (call $return (local.get $result)) (return (i32.const 0))))
      (call $wait (local.get $stream)))
    (func (export "event") (param i32 i32 i32) (result i32)
      (if (i32.eq (local.get 0) (i32.const 2)) (then (call $return (local.get 2))))
      (i32.const 0))
    (func (export "answer") (result i32) (i32.const 42)))
  (core instance $i (instantiate $m (with "" (instance
    (export "mem" (memory $libc "mem"))
    (export "return" (func $return))
    (export "return-stream" (func $return-stream))
    (export "new-set" (func $new-set))
    (export "join" (func $join))
    (export "new" (func $new))
    (export "write" (func $write))
    (export "read" (func $read))))))
  (func (export "make") async (param "length" u32) (result $texts)
    (canon lift (core func $i "make") async (callback (core func $i "event"))))
  (func (export "take") async (param "of" $texts) (result u32)
    (canon lift (core func $i "take") async (callback (core func $i "event"))))
  (func (export "answer") (result u32) (canon lift (core func $i "answer"))))"#;

/// The result of a copy whose other end is gone, of no elements.
const DROPPED: u32 = 1;

fn lives(store: &mut Store<()>, instance: &Instance) -> bool {
    let answer = instance
        .get_typed_func::<(), (u32,)>(&mut *store, "answer")
        .unwrap();
    matches!(answer.call(store, ()), Ok((42,)))
}

#[test]
fn a_copy_that_fails_ends_the_instance_at_fault_alone() {
    for engine in engines() {
        // A text that is malformed, and a reader whose second realloc traps.
        for (length, reader_is_at_fault) in [(5, false), (4, true)] {
            let mut store = store(&engine);
            let writer = instance(&mut store, TEXTS);
            let reader = instance(&mut store, TEXTS);
            let make = writer.get_typed_func::<(u32,), (StreamReader<String>,)>(&mut store, "make");
            let (stream,) = make.unwrap().call(&mut store, (length,)).unwrap();
            let take = reader.get_typed_func::<(StreamReader<String>,), (u32,)>(&mut store, "take");
            let taken = take.unwrap().call(&mut store, (stream,));
            if reader_is_at_fault {
                assert!(matches!(taken, Err(Error::Trap(_))), "{taken:?}");
            } else {
                assert_eq!(taken.unwrap(), (DROPPED,));
            }
            assert_eq!(lives(&mut store, &writer), reader_is_at_fault);
            assert_eq!(lives(&mut store, &reader), !reader_is_at_fault);
        }
    }
}

/// A function that is not `async` and waits for the host, beside a thread that gives way without end.
const BESIDE: &str = r#"(component
  (import "slow" (func $slow async (param "x" u32) (result u32)))
  (core module $libc (table (export "t") 1 funcref))
  (core instance $libc (instantiate $libc))
  (alias core export $libc "t" (core table $t))
  (core type $start (func (param i32)))
  (core func $new (canon thread.new-indirect $start (core table $t)))
  (core func $later (canon thread.resume-later))
  (core func $yield (canon thread.yield))
  (core func $slow' (canon lower (func $slow)))
  (core module $m
    (import "" "t" (table $t 1 funcref))
    (import "" "new" (func $new (param i32 i32) (result i32)))
    (import "" "later" (func $later (param i32)))
    (import "" "yield" (func $yield (result i32)))
    (import "" "slow" (func $slow (param i32) (result i32)))
    (func $spin (param i32) (loop (drop (call $yield)) (br 0)))
    (elem (i32.const 0) func $spin)
    (func (export "run") (param i32) (result i32)
      (call $later (call $new (i32.const 0) (i32.const 0)))
      (call $slow (local.get 0))))
  (core instance $i (instantiate $m (with "" (instance
    (export "t" (table $libc "t"))
    (export "new" (func $new))
    (export "later" (func $later))
    (export "yield" (func $yield))
    (export "slow" (func $slow'))))))
  (func (export "run") (param "x" u32) (result u32) (canon lift (core func $i "run"))))"#;

/// Is ready at the third poll.
struct Third(u32);

impl Future for Third {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0 += 1;
        if self.0 == 3 {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[test]
fn a_thread_that_gives_way_does_not_keep_the_host_from_answering() {
    for engine in engines() {
        let mut store = store(&engine);
        let component = component(&engine, BESIDE);
        let mut linker = Linker::<()>::new(&engine);
        let defined = linker
            .root()
            .func_wrap_concurrent("slow", |_: &Accessor<()>, (x,): (u32,)| {
                Box::pin(async move {
                    Third(0).await;
                    Ok((x + 1,))
                })
            });
        defined.unwrap();
        let instance = linker.instantiate(&mut store, &component).unwrap();
        assert_eq!(call(&mut store, &instance, "run", 4).unwrap(), 5);
        drop(store);
    }
}

/// Copies numbers within one memory, to a place that overlaps, and from one component to another.
const NUMBERS: &str = include_str!("numbers.wat");

#[test]
fn long_copies_of_numbers_are_whole_also_where_they_overlap() {
    for engine in engines() {
        for name in ["across", "within-up", "within-down"] {
            let mut store = store(&engine);
            let instance = instance(&mut store, NUMBERS);
            for length in [1, 65_535, 65_536, 65_537, 200_000] {
                let wrong = call(&mut store, &instance, name, length).unwrap();
                assert_eq!(wrong, 0, "{name}, {length}");
            }
            assert_eq!(store.concurrency_counts(), NOTHING);
        }
    }
}
