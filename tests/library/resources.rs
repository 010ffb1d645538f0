//! Resources, host-defined and guest-defined: created, borrowed, moved, dropped, and misused.

use airssys_wasm_test_support as common;

use airssys_wasm::Error;
use airssys_wasm::component::{Instance, Linker, Resource, ResourceAny, ResourceType, Store, Val};
use airssys_wasm::error::{ResourceError, TrapKind};
use common::{Host, Logger, call, component, default_engine, engines, strings, types_instance};

fn resource(value: Option<Val>) -> ResourceAny {
    match value {
        Some(Val::Resource(resource)) => resource,
        other => panic!("expected a resource, got {other:?}"),
    }
}

/// Returns the resource error of a trap.
fn resource_trap<T: std::fmt::Debug>(result: airssys_wasm::Result<T>) -> ResourceError {
    match result.unwrap_err() {
        Error::Trap(trap) => match trap.kind() {
            TrapKind::Resource(error) => error.clone(),
            other => panic!("expected a resource trap, got {other}"),
        },
        other => panic!("expected a trap, got {other}"),
    }
}

fn make(store: &mut Store<Host>, instance: &Instance, start: u32) -> ResourceAny {
    resource(
        call(
            store,
            instance,
            "counters",
            "[constructor]counter",
            &[Val::U32(start)],
        )
        .unwrap(),
    )
}

fn drops(store: &mut Store<Host>, instance: &Instance) -> u32 {
    match call(store, instance, "counters", "drops", &[]).unwrap() {
        Some(Val::U32(drops)) => drops,
        other => panic!("{other:?}"),
    }
}

#[test]
fn guest_resources_are_made_lent_given_and_dropped() {
    for engine in engines() {
        let (mut store, instance) = types_instance(&engine);
        let (s, i) = (&mut store, &instance);
        let counter = make(s, i, 5);
        assert!(counter.owned());
        let this = [Val::Resource(counter)];
        assert_eq!(
            call(s, i, "counters", "[method]counter.increment", &this).unwrap(),
            Some(Val::U32(6))
        );
        assert_eq!(call(s, i, "counters", "peek", &this).unwrap(), Some(Val::U32(6)));
        assert_eq!(drops(s, i), 0, "a borrow drops nothing");

        // Through the guest and back: the same resource with a new handle.
        let passed = resource(call(s, i, "counters", "pass", &this).unwrap());
        assert_eq!(
            call(s, i, "counters", "peek", &[Val::Resource(passed)]).unwrap(),
            Some(Val::U32(6))
        );

        let other = make(s, i, 10);
        let both = [Val::Resource(passed), Val::Resource(other)];
        assert_eq!(
            call(s, i, "counters", "total", &[Val::List(both.to_vec())]).unwrap(),
            Some(Val::U64(16))
        );
        let merged = resource(call(s, i, "counters", "[static]counter.merge", &both).unwrap());
        assert_eq!(drops(s, i), 2, "merging ends both");
        assert_eq!(
            call(s, i, "counters", "finish", &[Val::Resource(merged)]).unwrap(),
            Some(Val::U32(16))
        );
        assert_eq!(drops(s, i), 3);

        let last = make(s, i, 1);
        last.resource_drop(&mut *s).unwrap();
        assert_eq!(drops(s, i), 4, "dropping in the host runs the guest's destructor");
        assert_eq!(
            call(s, i, "counters", "perhaps", &[Val::U32(0)]).unwrap(),
            Some(Val::Option(None))
        );
        let Some(Val::List(made)) = call(s, i, "counters", "make", &[Val::U32(3)]).unwrap() else {
            panic!()
        };
        for counter in made {
            resource(Some(counter)).resource_drop(&mut *s).unwrap();
        }
        assert_eq!(drops(s, i), 7);
        assert_eq!(instance.live_handles(), 0, "nothing is left behind");
    }
}

#[test]
fn the_hosts_stale_handles_are_refused_and_leave_the_instance_usable() {
    let (mut store, instance) = types_instance(&default_engine());
    let (s, i) = (&mut store, &instance);
    let counter = make(s, i, 1);
    call(s, i, "counters", "finish", &[Val::Resource(counter)]).unwrap();
    for function in ["finish", "peek", "pass"] {
        let error = call(s, i, "counters", function, &[Val::Resource(counter)]).unwrap_err();
        assert!(
            matches!(error, Error::Resource(ResourceError::Stale)),
            "{function}: {error}"
        );
    }
    let error = counter.resource_drop(&mut *s).unwrap_err();
    assert!(matches!(error, Error::Resource(ResourceError::Stale)), "{error}");

    // The same resource twice in one call: the second use is stale by then.
    let counter = make(s, i, 1);
    let both = [Val::Resource(counter), Val::Resource(counter)];
    let error = call(s, i, "counters", "[static]counter.merge", &both).unwrap_err();
    assert!(matches!(error, Error::Resource(ResourceError::Stale)), "{error}");

    // Another instance of the same component has a distinct resource type.
    let (mut other_store, other) = types_instance(&default_engine());
    let foreign = make(&mut other_store, &other, 1);
    let error = call(s, i, "counters", "peek", &[Val::Resource(foreign)]).unwrap_err();
    assert!(
        matches!(error, Error::Resource(ResourceError::HostType)),
        "{error}"
    );

    // A host-defined resource in place of a guest-defined one.
    let func = i.get_typed_func::<(Resource<Logger>,), (u32,)>(&mut *s, ["fixtures:types/counters", "peek"]);
    assert!(matches!(func.unwrap_err(), Error::TypeMismatch { .. }));
    assert_eq!(drops(s, i), 1);
}

#[test]
fn host_resources_are_made_lent_given_and_dropped() {
    for engine in engines() {
        let (mut store, instance) = types_instance(&engine);
        let (s, i) = (&mut store, &instance);
        let args = [Val::String("log".into()), strings(&["a", "b"])];
        assert_eq!(
            call(s, i, "logging", "use-logger", &args).unwrap(),
            Some(Val::U32(2))
        );
        assert_eq!(s.data().messages, ["log: a", "log: b"]);
        assert_eq!(
            (s.data().dropped, s.data().loggers.len()),
            (1, 0),
            "dropped by the guest, once"
        );

        assert_eq!(
            call(s, i, "logging", "give-logger", &args).unwrap(),
            Some(Val::U32(2))
        );
        assert_eq!(
            (s.data().dropped, s.data().loggers.len()),
            (1, 0),
            "given to the host, not dropped"
        );

        let logger = s
            .data_mut()
            .loggers
            .push(Logger {
                name: "host's".into(),
                count: 7,
            })
            .unwrap();
        let rep = logger.rep();
        let path = ["fixtures:types/logging", "borrow-logger"];
        let borrow = i
            .get_typed_func::<(Resource<Logger>,), (u32,)>(&mut *s, &path)
            .unwrap();
        assert_eq!(borrow.call(&mut *s, (Resource::new_borrow(rep),)).unwrap(), (8,));
        assert_eq!(s.data().dropped, 1, "a borrow drops nothing");

        let path = ["fixtures:types/logging", "keep-logger"];
        let keep = i
            .get_typed_func::<(Resource<Logger>,), (u32,)>(&mut *s, &path)
            .unwrap();
        assert_eq!(keep.call(&mut *s, (logger,)).unwrap(), (1,));
        let text = Val::String("kept".into());
        assert_eq!(
            call(s, i, "logging", "use-kept", &[text]).unwrap(),
            Some(Val::U32(9))
        );
        let Some(Val::Option(Some(kept))) = call(s, i, "logging", "return-kept", &[]).unwrap() else {
            panic!()
        };
        let kept = resource(Some(*kept)).try_into_resource::<Logger>().unwrap();
        assert!(kept.owned());
        assert_eq!(kept.rep(), rep);
        assert_eq!(keep.call(&mut *s, (kept,)).unwrap(), (1,));
        assert_eq!(
            call(s, i, "logging", "drop-kept", &[]).unwrap(),
            Some(Val::U32(1))
        );
        assert_eq!((s.data().dropped, s.data().loggers.len()), (2, 0));
        assert_eq!(instance.live_handles(), 0);
    }
}

#[test]
fn a_borrow_cannot_be_given_away_by_the_host() {
    let (mut store, instance) = types_instance(&default_engine());
    let path = ["fixtures:types/logging", "keep-logger"];
    let keep = instance
        .get_typed_func::<(Resource<Logger>,), (u32,)>(&mut store, &path)
        .unwrap();
    let error = keep.call(&mut store, (Resource::new_borrow(0),)).unwrap_err();
    assert!(
        matches!(error, Error::Resource(ResourceError::HostNotOwned)),
        "{error}"
    );
    assert!(!instance.is_poisoned());
}

#[test]
fn forged_stale_and_doubly_dropped_handles_of_a_guest_trap() {
    let cases: [(&str, &[Val], ResourceError); 7] = [
        ("forge-log", &[Val::U32(77)], ResourceError::UnknownHandle(77)),
        ("forge-log", &[Val::U32(0)], ResourceError::UnknownHandle(0)),
        (
            "forge-log",
            &[Val::U32(u32::MAX)],
            ResourceError::UnknownHandle(u32::MAX),
        ),
        ("forge-drop", &[Val::U32(77)], ResourceError::UnknownHandle(77)),
        ("forge-drop", &[Val::U32(0)], ResourceError::UnknownHandle(0)),
        ("drop-twice", &[], ResourceError::UnknownHandle(1)),
        ("use-after-drop", &[], ResourceError::UnknownHandle(1)),
    ];
    for engine in engines() {
        for (function, args, expected) in &cases {
            let (mut store, instance) = types_instance(&engine);
            let result = call(&mut store, &instance, "logging", function, args);
            assert_eq!(
                resource_trap(result),
                *expected,
                "{}: {function}",
                engine.backend()
            );
            assert!(instance.is_poisoned());
            let again = call(&mut store, &instance, "counters", "drops", &[]).unwrap_err();
            assert_eq!(
                again.trap().map(|trap| trap.kind().clone()),
                Some(TrapKind::Poisoned)
            );
        }
    }
}

#[test]
fn a_borrow_that_outlives_its_call_traps() {
    for engine in engines() {
        let (mut store, instance) = types_instance(&engine);
        let logger = store
            .data_mut()
            .loggers
            .push(Logger {
                name: "x".into(),
                count: 0,
            })
            .unwrap();
        let path = ["fixtures:types/logging", "leak-borrow"];
        let leak = instance
            .get_typed_func::<(Resource<Logger>,), (u32,)>(&mut store, &path)
            .unwrap();
        let error = leak
            .call(&mut store, (Resource::new_borrow(logger.rep()),))
            .unwrap_err();
        assert_eq!(
            error.trap().map(|trap| trap.kind().clone()),
            Some(TrapKind::BorrowsRemain(1))
        );
    }
}

#[test]
fn a_handle_of_another_type_traps() {
    // Two resource types of one instance share the index space; handle 1 is of the first type.
    let text = r#"(component
        (type $a (resource (rep i32)))
        (type $b (resource (rep i32)))
        (core func $new-a (canon resource.new $a))
        (core func $rep-b (canon resource.rep $b))
        (core module $m
            (import "" "new" (func $new (param i32) (result i32)))
            (import "" "rep" (func $rep (param i32) (result i32)))
            (func (export "run") (result i32) (call $rep (call $new (i32.const 7)))))
        (core instance $i (instantiate $m (with "" (instance
            (export "new" (func $new-a)) (export "rep" (func $rep-b))))))
        (func (export "run") (result u32) (canon lift (core func $i "run")))
    )"#;
    for engine in engines() {
        let component = component(&engine, text);
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate(&mut store, &component).unwrap();
        let func = instance.get_func(&mut store, ["run"]).unwrap();
        assert_eq!(
            resource_trap(func.call_dynamic(&mut store, &[])),
            ResourceError::WrongType(1)
        );
    }
}

#[test]
fn an_owned_resource_stays_while_a_call_borrows_it() {
    // The guest lends its own handle to the host, whose function calls nothing; but a guest that passes one handle as
    // borrow and own in one call moves a resource that it lends.
    let text = r#"(component
        (import "host" (instance $host
            (export "r" (type $r (sub resource)))
            (export "make" (func (result (own $r))))
            (export "both" (func (param "lent" (borrow $r)) (param "given" (own $r))))))
        (alias export $host "make" (func $make))
        (alias export $host "both" (func $both))
        (core func $make (canon lower (func $make)))
        (core func $both (canon lower (func $both)))
        (core module $m
            (import "" "make" (func $make (result i32)))
            (import "" "both" (func $both (param i32 i32)))
            (func (export "run") (local i32)
                (local.set 0 (call $make))
                (call $both (local.get 0) (local.get 0))))
        (core instance $i (instantiate $m (with "" (instance
            (export "make" (func $make)) (export "both" (func $both))))))
        (func (export "run") (canon lift (core func $i "run")))
    )"#;
    struct R;
    for engine in engines() {
        let component = component(&engine, text);
        let mut linker: Linker<()> = Linker::new(&engine);
        let mut host = linker.instance("host").unwrap();
        host.resource("r", ResourceType::host::<R>(), |_, _| Ok(()))
            .unwrap();
        host.func_wrap("make", |_, (): ()| Ok((Resource::<R>::new_own(3),)))
            .unwrap();
        host.func_wrap("both", |_, _: (Resource<R>, Resource<R>)| Ok(()))
            .unwrap();
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &component).unwrap();
        let func = instance.get_func(&mut store, ["run"]).unwrap();
        assert_eq!(
            resource_trap(func.call_dynamic(&mut store, &[])),
            ResourceError::Lent(1)
        );
    }
}

#[test]
fn handles_are_limited() {
    let text = r#"(component
        (type $r (resource (rep i32)))
        (core func $new (canon resource.new $r))
        (core module $m
            (import "" "new" (func $new (param i32) (result i32)))
            (func (export "run") (loop $l (drop (call $new (i32.const 7))) (br $l))))
        (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
        (func (export "run") (canon lift (core func $i "run")))
    )"#;
    let engine = default_engine();
    let component = component(&engine, text);
    let mut limits = airssys_wasm::engine::StoreLimits::default();
    limits.handles = 100;
    let mut store = Store::with_limits(&engine, (), limits);
    let instance = Linker::new(&engine).instantiate(&mut store, &component).unwrap();
    let func = instance.get_func(&mut store, ["run"]).unwrap();
    assert_eq!(
        resource_trap(func.call_dynamic(&mut store, &[])),
        ResourceError::TableFull(100)
    );
}
