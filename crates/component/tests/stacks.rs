//! Calls when a store has as many stacks as it may have.
#![cfg(feature = "compile")]
#![allow(clippy::unwrap_used, reason = "tests")]

#[expect(dead_code, reason = "others use more of it")]
#[path = "host/support.rs"]
mod support;

use std::future::poll_fn;
use std::sync::Mutex;
use std::task::Poll;

use airssys_wasm_component::component::{Store, StreamReader, TypedFunc};
use airssys_wasm_component::engine::StoreLimits;
use airssys_wasm_component::error::{Error, TrapKind};
use futures_util::future::join_all;

use crate::support::{Host, NOTHING, block_on, call, engines, func, guest, settle};

/// As many as a store may have.
const STACKS: u32 = 8_000;

/// Held by each test: together, they would use up the process's memory mappings. So they have a process of their own, too.
static MANY: Mutex<()> = Mutex::new(());

/// The callback of one instance waits for a stack while the calls of another have all of them.
#[test]
fn a_callback_waits_for_a_stack_that_others_have() {
    let _alone = MANY.lock();
    for engine in engines() {
        let mut limits = StoreLimits::default();
        limits.handles = 100_000;
        let mut store = Store::with_limits(&engine, Host::default(), limits);
        let (greedy, other) = (guest(&mut store), guest(&mut store));
        let sleep: TypedFunc<(u32,), (u32,)> = func(&mut store, &greedy, "sleep-sync");
        let parked: TypedFunc<(u32,), (u32,)> = func(&mut store, &other, "sleep-async");
        let gate = store.data().gate.clone();
        let (one, many) = block_on(store.run_concurrent(async |accessor| {
            let one = parked.begin_concurrent(accessor, (7,)).unwrap().0;
            let calls = (0..STACKS).map(|x| sleep.begin_concurrent(accessor, (2 * x + 1001,)).unwrap().0);
            let calls: Vec<_> = calls.collect();
            poll_fn(|cx| {
                cx.waker().wake_by_ref();
                match accessor.with(|mut access| access.get().calls) > STACKS {
                    true => Poll::Ready(()),
                    false => Poll::Pending,
                }
            })
            .await;
            gate.open();
            (one.await, join_all(calls).await)
        }))
        .unwrap();
        assert!(!other.is_poisoned() && !greedy.is_poisoned());
        assert_eq!(one.unwrap(), (8,));
        for (x, answer) in (0..).zip(many) {
            assert_eq!(answer.unwrap(), (2 * x + 1002,));
        }
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

/// A call for which no stack will be free ends; so does its task, if it has not begun.
#[test]
fn a_call_that_gets_no_stack_leaves_its_instance_usable() {
    let _alone = MANY.lock();
    for engine in engines() {
        let mut limits = StoreLimits::default();
        limits.handles = 100_000;
        let mut store = Store::with_limits(&engine, Host::default(), limits);
        let (greedy, other) = (guest(&mut store), guest(&mut store));
        // Each waits for a reader of its stream.
        let mut writers = Vec::new();
        for _ in 0..STACKS {
            let (stream,): (StreamReader<u32>,) = call(&mut store, &greedy, "count", (1u32,)).unwrap();
            writers.push(stream);
        }
        let before = store.concurrency_counts();
        assert_eq!(before.stacks, STACKS as usize);
        let full = call::<_, (u32,)>(&mut store, &other, "sleep-async", (6u32,)).unwrap_err();
        assert!(matches!(full, Error::SuspendedCalls(_)), "{full:?}");
        assert!(!greedy.is_poisoned() && !other.is_poisoned());
        assert_eq!(store.concurrency_counts(), before);
        // Its own tasks have them.
        let full = call::<_, (u32,)>(&mut store, &greedy, "sleep-async", (6u32,)).unwrap_err();
        assert!(
            matches!(full.trap().unwrap().kind(), TrapKind::Limit(_)),
            "{full:?}"
        );
        assert!(greedy.is_poisoned() && !other.is_poisoned());
        drop(writers);
        let (answer,): (u32,) = call(&mut store, &other, "sleep-async", (6u32,)).unwrap();
        assert_eq!(answer, 7);
        settle(&mut store);
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

/// Resident bytes of this process.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.unwrap().trim().trim_end_matches(" kB");
    kibibytes.parse::<usize>().unwrap() * 1024
}

/// Bytes of a thousand calls that are suspended, each with its three stacks, its task and its stream. Unoptimized code uses more of a stack.
#[cfg(target_os = "linux")]
const MOST: usize = if cfg!(debug_assertions) {
    64 << 20
} else {
    20 << 20
};

/// Only what is used of a stack takes memory.
#[cfg(target_os = "linux")]
#[test]
fn a_thousand_stacks_are_small() {
    let _alone = MANY.lock();
    for engine in engines() {
        let mut store = Store::new(&engine, Host::default());
        let instance = guest(&mut store);
        let mut writers = Vec::with_capacity(2000);
        let mut begin = |store: &mut Store<Host>, count| {
            for _ in 0..count {
                let (stream,): (StreamReader<u32>,) = call(store, &instance, "count", (1u32,)).unwrap();
                writers.push(stream);
            }
        };
        // What there is once.
        begin(&mut store, 16);
        let before = resident();
        begin(&mut store, 1000);
        let more = resident().saturating_sub(before);
        assert_eq!(store.concurrency_counts().stacks, 1016);
        assert!(more <= MOST, "{:?}: {more} bytes", engine.backend());
        drop(writers);
        // Each turn resumes one of them.
        for _ in 0..1016 {
            settle(&mut store);
        }
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}
