//! Host functions that call components while tasks of others wait.

use std::panic::{AssertUnwindSafe, catch_unwind};

use airssys_wasm_component::component::{HostResult, Instance, Linker, Store, StoreContextMut};
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
