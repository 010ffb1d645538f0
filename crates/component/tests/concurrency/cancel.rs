//! Cancellation by the host.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use airssys_wasm_component::component::{
    Accessor, CallTask, HostResult, Instance, Linker, Store, StoreContextMut, TypedFunc,
};
use airssys_wasm_component::engine::Engine;
use airssys_wasm_component::error::TrapKind;

use crate::support::{PAIR, component, engines, trap};

const CANCEL: &str = include_str!("cancel.wat");

#[derive(Default)]
struct Host {
    /// The steps of guests and of the host, in their order.
    notes: Vec<u32>,
    /// An instance of the pair, which the host calls when it is asked.
    other: Option<Instance>,
    /// The task that it cancels before that.
    task: Option<CallTask>,
}

const THREAD_BEGAN: u32 = 1;
const WAITS: u32 = 2;
const CANCELLED: u32 = 3;
const ANSWERED: u32 = 4;

fn ask(mut cx: StoreContextMut<'_, Host>, (x,): (u32,)) -> HostResult<(u32,)> {
    if let Some(task) = cx.data_mut().task.take() {
        task.cancel();
    }
    let other = cx.data().other.clone().unwrap();
    let turn = other.get_typed_func::<(u32,), (u32,)>(&mut cx, "turn")?;
    let answer = turn.call(&mut cx, (x,))?;
    cx.data_mut().notes.push(ANSWERED);
    Ok(answer)
}

fn new(engine: &Engine) -> (Store<Host>, Instance) {
    let mut store = Store::new(engine, Host::default());
    let mut linker = Linker::<Host>::new(engine);
    let note = |mut cx: StoreContextMut<'_, Host>, (x,): (u32,)| {
        cx.data_mut().notes.push(x);
        HostResult::Ok(())
    };
    linker.root().func_wrap("note", note).unwrap();
    linker.root().func_wrap("ask", ask).unwrap();
    let instance = linker
        .instantiate(&mut store, &component(engine, CANCEL))
        .unwrap();
    let other = Linker::new(engine)
        .instantiate(&mut store, &component(engine, PAIR))
        .unwrap();
    store.data_mut().other = Some(other);
    (store, instance)
}

fn func(store: &mut Store<Host>, instance: &Instance, name: &str) -> TypedFunc<(u32,), (u32,)> {
    instance.get_typed_func(store, name).unwrap()
}

/// Polls a future until it is ready: at most as often as no test needs.
async fn soon<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut polls = 0;
    poll_fn(|cx| {
        polls += 1;
        assert!(polls < 10_000, "it does not end");
        cx.waker().wake_by_ref();
        future.as_mut().poll(cx)
    })
    .await
}

/// Lets the store's tasks run until this step.
async fn until(accessor: &Accessor<Host>, step: u32) {
    let seen = poll_fn(
        |_| match accessor.with(|mut access| access.get().notes.contains(&step)) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        },
    );
    soon(seen).await;
}

/// Runs a future that waits for nothing outside of its store.
fn run<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(ended) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return ended;
        }
    }
}

#[test]
fn a_task_whose_first_thread_has_ended_is_cancelled_without_harm() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let thread = func(&mut store, &instance, "thread");
        let result = run(store.run_concurrent(async |accessor| {
            let (result, task) = thread.begin_concurrent(accessor, (7,)).unwrap();
            until(accessor, THREAD_BEGAN).await;
            task.cancel();
            soon(result).await
        }));
        // The thread waits nowhere that a cancellation could end.
        assert_eq!(result.unwrap().unwrap(), (7,));
        assert!(!instance.is_poisoned());
        assert_eq!(store.concurrency_counts(), crate::many::NOTHING);
    }
}

#[test]
fn a_cancelled_call_ends_though_its_task_goes_on() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let wait = func(&mut store, &instance, "wait");
        let (ended, has_ended) = run(store.run_concurrent(async |accessor| {
            let (result, task) = wait.begin_concurrent(accessor, (7,)).unwrap();
            until(accessor, WAITS).await;
            task.cancel();
            (soon(result).await, task.has_ended())
        }))
        .unwrap();
        assert_eq!(trap(ended), TrapKind::Poisoned);
        assert!(!has_ended);
        assert!(!instance.is_poisoned());
        assert_eq!(store.data().notes, [WAITS, CANCELLED]);
    }
}

/// The instance executes, though another of its component instances, while the host that it called calls another component.
#[test]
fn a_cancellation_waits_until_its_instance_executes_no_more() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let wait = func(&mut store, &instance, "wait");
        let ask = func(&mut store, &instance, "ask");
        let answer = run(store.run_concurrent(async |accessor| {
            let (_, task) = wait.begin_concurrent(accessor, (7,)).unwrap();
            until(accessor, WAITS).await;
            accessor.with(|mut access| access.get().task = Some(task));
            let answer = soon(ask.call_concurrent(accessor, (5,))).await;
            until(accessor, CANCELLED).await;
            answer
        }));
        assert_eq!(answer.unwrap().unwrap(), (5,));
        assert_eq!(store.data().notes, [WAITS, ANSWERED, CANCELLED]);
        assert!(!instance.is_poisoned());
    }
}
