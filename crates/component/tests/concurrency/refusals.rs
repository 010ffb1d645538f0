//! Calls that are refused before their code runs, and what is left as it was.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use airssys_wasm_component::component::{CallTask, HostResult, Instance, Linker, Store, StoreContextMut};
use airssys_wasm_component::engine::StoreLimits;
use airssys_wasm_component::error::{Error, ResourceError};

use crate::many::NOTHING;
use crate::support::{call, component, engines, pair, store};

fn is_refused<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::SuspendedCalls(_)))
}

#[test]
fn a_call_beside_another_stores_stacks_leaves_its_instance_usable() {
    for engine in engines() {
        let (mut one, mut two) = (store(&engine), store(&engine));
        let (first, second) = (pair(&mut one), pair(&mut two));
        call(&mut two, &second, "leave-stuck", 3).unwrap();
        let before = two.concurrency_counts();
        call(&mut one, &first, "leave-on-stacks", 1).unwrap();
        assert!(is_refused(&call(&mut two, &second, "echo", 1)));
        assert!(!second.is_poisoned());
        assert_eq!(two.concurrency_counts(), before);
        drop(one);
        assert_eq!(call(&mut two, &second, "both", 1).unwrap(), 2);
        assert_eq!(two.concurrency_counts(), before);
    }
}

type Calling = Pin<Box<dyn Future<Output = Result<(u32,), Error>> + Send>>;

/// The run ends, and its tasks go on in a later one.
#[test]
fn a_run_beside_another_stores_stacks_loses_no_task() {
    for engine in engines() {
        let (mut one, mut two) = (store(&engine), store(&engine));
        let (first, second) = (pair(&mut one), pair(&mut two));
        let turn = second.get_typed_func::<(u32,), (u32,)>(&mut two, "turn").unwrap();
        call(&mut one, &first, "leave-on-stacks", 1).unwrap();
        let mut task: Option<(Calling, CallTask)> = None;
        let refused = {
            let run = two.run_concurrent(async |accessor| {
                let (result, begun) = turn.begin_concurrent(accessor, (5,)).unwrap();
                task = Some((Box::pin(result), begun));
                std::future::pending::<()>().await;
            });
            let polled = Box::pin(run)
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()));
            match polled {
                Poll::Ready(ended) => ended,
                Poll::Pending => panic!("it waits"),
            }
        };
        assert!(is_refused(&refused), "{refused:?}");
        assert!(!second.is_poisoned());
        drop(one);
        let (mut result, begun) = task.unwrap();
        let mut run = Box::pin(two.run_concurrent(async |_| {
            poll_fn(|cx| {
                cx.waker().wake_by_ref();
                result.as_mut().poll(cx)
            })
            .await
        }));
        let ended = loop {
            if let Poll::Ready(ended) = run.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                break ended;
            }
        };
        drop(run);
        assert_eq!(ended.unwrap().unwrap(), (5,));
        assert!(begun.has_ended());
        assert_eq!(two.concurrency_counts(), NOTHING);
    }
}

#[test]
fn a_call_on_another_thread_than_its_stores_stacks_harms_nothing() {
    for engine in engines() {
        let mut store = store(&engine);
        let instance = pair(&mut store);
        let other = pair(&mut store);
        call(&mut store, &instance, "leave-on-stacks", 2).unwrap();
        let before = store.concurrency_counts();
        let (of_thread, other_of_thread) = (instance.clone(), other.clone());
        let mut store = std::thread::spawn(move || {
            for instance in [&of_thread, &other_of_thread] {
                assert!(is_refused(&call(&mut store, instance, "echo", 1)));
            }
            store
        })
        .join()
        .unwrap();
        assert!(!instance.is_poisoned() && !other.is_poisoned());
        assert_eq!(store.concurrency_counts(), before);
        assert_eq!(call(&mut store, &instance, "both", 1).unwrap(), 2);
        assert_eq!(call(&mut store, &other, "both", 1).unwrap(), 2);
        assert_eq!(store.concurrency_counts(), before);
    }
}

/// A store that a host function of another one calls.
type Inner = Option<(Store<()>, Instance, Vec<bool>)>;

#[cfg(all(unix, feature = "interrupt"))]
#[test]
fn a_call_within_a_call_of_another_store_leaves_its_instance_usable() {
    let text = r#"(component
      (import "host" (func $host))
      (core func $host (canon lower (func $host)))
      (core module $m
        (import "" "host" (func $host))
        (func (export "go") (call $host)))
      (core instance $i (instantiate $m (with "" (instance (export "host" (func $host))))))
      (func (export "go") (canon lift (core func $i "go"))))"#;
    for engine in engines() {
        let mut inner = store(&engine);
        let instance = pair(&mut inner);
        let mut outer: Store<Inner> = Store::new(&engine, Some((inner, instance, Vec::new())));
        let mut linker = Linker::<Inner>::new(&engine);
        let host = |mut cx: StoreContextMut<'_, Inner>, (): ()| -> HostResult<()> {
            let (mut inner, instance, mut refused) = cx.data_mut().take().unwrap();
            for name in ["echo", "both"] {
                refused.push(is_refused(&call(&mut inner, &instance, name, 1)));
            }
            *cx.data_mut() = Some((inner, instance, refused));
            Ok(())
        };
        linker.root().func_wrap("host", host).unwrap();
        let caller = linker.instantiate(&mut outer, &component(&engine, text)).unwrap();
        let go = caller.get_typed_func::<(), ()>(&mut outer, "go").unwrap();
        go.call(&mut outer, ()).unwrap();
        let (mut inner, instance, refused) = outer.data_mut().take().unwrap();
        assert_eq!(refused, [true, true]);
        assert!(!instance.is_poisoned());
        assert_eq!(call(&mut inner, &instance, "both", 1).unwrap(), 2);
        assert_eq!(inner.concurrency_counts(), NOTHING);
    }
}

/// Handles that one instance has used up are no fault of another.
#[test]
fn a_call_without_room_leaves_its_instance_usable() {
    for engine in engines() {
        let mut limits = StoreLimits::default();
        limits.handles = 50;
        let mut store = Store::with_limits(&engine, (), limits);
        let (greedy, other) = (pair(&mut store), pair(&mut store));
        call(&mut store, &other, "linger", 1).unwrap();
        let full = (0..100)
            .find_map(|x| call(&mut store, &greedy, "linger", x).err())
            .unwrap();
        assert!(
            matches!(full, Error::Resource(ResourceError::TableFull(50))),
            "{full:?}"
        );
        let before = store.concurrency_counts();
        assert!(before.tasks > 1);
        let open = other.get_typed_func::<(), ()>(&mut store, "open").unwrap();
        for full in [
            call(&mut store, &other, "echo", 1).unwrap_err(),
            open.call(&mut store, ()).unwrap_err(),
        ] {
            assert!(
                matches!(full, Error::Resource(ResourceError::TableFull(50))),
                "{full:?}"
            );
        }
        assert!(!greedy.is_poisoned() && !other.is_poisoned());
        assert_eq!(store.concurrency_counts(), before);
    }
}
