//! Host functions that call components while tasks of others wait.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Waker};

use airssys_wasm_component::component::{
    Accessor, AccessorTask, HostResult, Instance, Linker, Store, StoreContextMut,
};
use airssys_wasm_component::engine::Engine;
use airssys_wasm_component::error::TrapKind;

use crate::support::{call, component, engines, pair, store};

/// A component with a task that calls the host on a subtask's stack, while the task itself may go on.
const CALLER: &str = include_str!("caller.wat");

type Host = Option<Instance>;

/// An instance of `CALLER`, whose import calls this function of the pair that the store's data is.
fn caller(engine: &Engine, store: &mut Store<Host>, callee: &'static str) -> Instance {
    let mut linker = Linker::<Host>::new(engine);
    linker
        .root()
        .func_wrap("host", move |mut cx, (x,): (u32,)| {
            let instance: Instance = cx.data().clone().unwrap();
            let func = instance.get_typed_func::<(u32,), (u32,)>(&mut cx, callee)?;
            Ok(func.call(&mut cx, (x,))?)
        })
        .unwrap();
    linker.instantiate(store, &component(engine, CALLER)).unwrap()
}

fn run(store: &mut Store<Host>, instance: &Instance, name: &str) -> airssys_wasm_component::Result<u32> {
    let func = instance.get_typed_func::<(), (u32,)>(&mut *store, name)?;
    Ok(func.call(store, ())?.0)
}

fn with_pair(engine: &Engine) -> Store<Host> {
    let mut store = Store::new(engine, None);
    let pair = component(engine, crate::support::PAIR);
    let instance = Linker::new(engine).instantiate(&mut store, &pair).unwrap();
    *store.data_mut() = Some(instance);
    store
}

#[test]
fn a_host_function_calls_an_async_export_of_another_component() {
    for engine in engines() {
        for callee in ["echo", "turn", "both"] {
            let mut store = with_pair(&engine);
            let instance = caller(&engine, &mut store, callee);
            let wanted = if callee == "both" { 84 } else { 42 };
            assert_eq!(run(&mut store, &instance, "direct").unwrap(), wanted, "{callee}");
            assert_eq!(store.concurrency_counts(), crate::many::NOTHING);
        }
    }
}

/// Each result belongs to the call whose task returned it, though the inner call runs the outer call's task.
#[test]
fn an_outer_task_that_returns_during_an_inner_call_is_not_mixed_up() {
    for engine in engines() {
        for callee in ["turn", "both"] {
            let mut store = with_pair(&engine);
            let instance = caller(&engine, &mut store, callee);
            let wanted = if callee == "both" { 84 } else { 42 };
            assert_eq!(run(&mut store, &instance, "main").unwrap(), 7, "{callee}");
            assert_eq!(run(&mut store, &instance, "seen").unwrap(), wanted, "{callee}");
        }
    }
}

/// The inner call waits for ever, and ends its own instance and its caller's.
#[test]
fn a_deadlock_of_an_inner_call_ends_both() {
    for engine in engines() {
        for callee in ["stuck", "stuck-on-stack"] {
            let mut store = with_pair(&engine);
            let instance = caller(&engine, &mut store, callee);
            run(&mut store, &instance, "direct").unwrap_err();
            assert!(instance.is_poisoned());
            assert!(store.data().clone().unwrap().is_poisoned());
            assert_eq!(store.concurrency_counts(), crate::many::NOTHING, "{callee}");
        }
    }
}

/// A task that its call left behind traps while another instance is called: only its own instance is spent.
#[test]
fn a_trap_of_a_task_left_behind_spends_its_own_instance() {
    for engine in engines() {
        let mut store = store(&engine);
        let (first, other) = (pair(&mut store), pair(&mut store));
        // The first of those that are left traps when the gate is open.
        let trap_at = first.get_typed_func::<(u32,), ()>(&mut store, "trap-at").unwrap();
        trap_at.call(&mut store, (0,)).unwrap();
        call(&mut store, &first, "leave", 1).unwrap();
        let open = first.get_typed_func::<(), ()>(&mut store, "open").unwrap();
        open.call(&mut store, ()).unwrap();
        assert_eq!(call(&mut store, &other, "turn", 5).unwrap(), 5);
        assert!(first.is_poisoned());
        assert!(!other.is_poisoned());
        assert_eq!(store.concurrency_counts(), crate::many::NOTHING);
    }
}

/// A task that an earlier call left behind goes on in a call of another component. Its component executes then, and is not entered.
#[test]
fn a_component_whose_task_was_left_behind_is_not_entered_while_that_task_runs() {
    type Seen = (Option<Instance>, Option<TrapKind>);
    for engine in engines() {
        let mut store: Store<Seen> = Store::new(&engine, (None, None));
        let other = Linker::new(&engine)
            .instantiate(&mut store, &component(&engine, crate::support::PAIR))
            .unwrap();
        let mut linker = Linker::<Seen>::new(&engine);
        let host = |mut cx: StoreContextMut<'_, Seen>, _: (u32,)| {
            let own: Instance = cx.data().0.clone().unwrap();
            let func = own.get_typed_func::<(), (u32,)>(&mut cx, "seen")?;
            cx.data_mut().1 = Some(crate::support::trap(func.call(&mut cx, ())));
            Ok((9u32,))
        };
        linker.root().func_wrap("host", host).unwrap();
        let own = linker
            .instantiate(&mut store, &component(&engine, CALLER))
            .unwrap();
        store.data_mut().0 = Some(own.clone());
        let leave = own.get_typed_func::<(), (u32,)>(&mut store, "leave").unwrap();
        assert_eq!(leave.call(&mut store, ()).unwrap(), (7,));
        assert_eq!(store.data().1, None, "the task is to be left behind");
        let turn = other
            .get_typed_func::<(u32,), (u32,)>(&mut store, "turn")
            .unwrap();
        assert_eq!(turn.call(&mut store, (5,)).unwrap(), (5,));
        assert_eq!(store.data().1, Some(TrapKind::Reentrance));
        let seen = own.get_typed_func::<(), (u32,)>(&mut store, "seen").unwrap();
        assert_eq!(seen.call(&mut store, ()).unwrap(), (9,));
    }
}

/// A panic of a host function ends the component that called it, and leaves the store to others.
#[test]
fn a_panic_of_a_host_function_leaves_the_store_usable() {
    for engine in engines() {
        for name in ["direct", "main"] {
            let mut store = store(&engine);
            let other = pair(&mut store);
            let mut linker = Linker::<()>::new(&engine);
            linker
                .root()
                .func_wrap("host", |_, _: (u32,)| -> HostResult<(u32,)> { panic!("planted") })
                .unwrap();
            let instance = linker
                .instantiate(&mut store, &component(&engine, CALLER))
                .unwrap();
            let func = instance.get_typed_func::<(), (u32,)>(&mut store, name).unwrap();
            let panicked = catch_unwind(AssertUnwindSafe(|| func.call(&mut store, ())));
            let message = *panicked.unwrap_err().downcast::<&str>().unwrap();
            assert_eq!(message, "planted");
            assert!(instance.is_poisoned());
            assert_eq!(store.concurrency_counts(), crate::many::NOTHING);
            assert_eq!(call(&mut store, &other, "both", 21).unwrap(), 42);
            assert_eq!(call(&mut store, &other, "many", 10).unwrap(), 45);
        }
    }
}

/// A host function that panics, for `CALLER`.
fn panics(engine: &Engine, store: &mut Store<()>) -> Instance {
    let mut linker = Linker::<()>::new(engine);
    linker
        .root()
        .func_wrap("host", |_, _: (u32,)| -> HostResult<(u32,)> { panic!("planted") })
        .unwrap();
    linker.instantiate(store, &component(engine, CALLER)).unwrap()
}

/// The run that polls it ends by the panic; the component is spent, not entered for ever.
#[test]
fn a_panic_of_a_host_function_in_a_run_ends_its_caller() {
    for engine in engines() {
        for name in ["direct", "main"] {
            let mut store = store(&engine);
            let (instance, other) = (panics(&engine, &mut store), pair(&mut store));
            let func = instance.get_typed_func::<(), (u32,)>(&mut store, name).unwrap();
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                let mut run =
                    Box::pin(store.run_concurrent(async |accessor| func.call_concurrent(accessor, ()).await));
                while run
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()))
                    .is_pending()
                {}
            }));
            let message = *panicked.unwrap_err().downcast::<&str>().unwrap();
            assert_eq!(message, "planted");
            assert!(instance.is_poisoned());
            assert_eq!(store.concurrency_counts(), crate::many::NOTHING, "{name}");
            let again = crate::support::trap(func.call(&mut store, ()));
            assert_eq!(again, TrapKind::Poisoned, "{name}");
            assert_eq!(call(&mut store, &other, "both", 21).unwrap(), 42);
        }
    }
}

/// The task that panics was left behind: the component that is called has nothing to do with it.
#[test]
fn a_panic_of_a_task_left_behind_spends_its_own_instance() {
    for engine in engines() {
        for callee in ["turn", "both"] {
            let mut store = store(&engine);
            let (instance, other) = (panics(&engine, &mut store), pair(&mut store));
            let leave = instance
                .get_typed_func::<(), (u32,)>(&mut store, "leave")
                .unwrap();
            assert_eq!(leave.call(&mut store, ()).unwrap(), (7,));
            assert!(!instance.is_poisoned());
            let panicked = catch_unwind(AssertUnwindSafe(|| call(&mut store, &other, callee, 5)));
            panicked.unwrap_err();
            assert!(instance.is_poisoned());
            assert!(!other.is_poisoned(), "{callee}");
            // What the panic has left of the call goes on beside another.
            assert_eq!(call(&mut store, &other, "both", 21).unwrap(), 42);
            assert_eq!(store.concurrency_counts(), crate::many::NOTHING, "{callee}");
        }
    }
}

struct Fails;

impl AccessorTask<()> for Fails {
    async fn run(self, _: &Accessor<()>) -> HostResult<()> {
        Err("it fails".into())
    }
}

/// A call that waits for its turn to enter has not begun.
#[test]
fn a_failure_beside_a_call_that_may_not_enter_is_not_its_instances() {
    for engine in engines() {
        let mut store = store(&engine);
        let instance = pair(&mut store);
        call(&mut store, &instance, "leave-stuck", 3).unwrap();
        let hold_back = instance
            .get_typed_func::<(), ()>(&mut store, "hold-back")
            .unwrap();
        hold_back.call(&mut store, ()).unwrap();
        let before = store.concurrency_counts();
        store.spawn(Fails);
        let failed = call(&mut store, &instance, "turn", 5).unwrap_err();
        assert!(
            failed.to_string().contains("a task in the background"),
            "{failed}"
        );
        assert!(!instance.is_poisoned());
        assert_eq!(store.concurrency_counts(), before);
    }
}
