// Defines functions for a component: with Rust types, with values, and with traps for the rest.

const COMPONENT: &str = r#"(component
  (import "demo:host/log" (instance $log
    (export "add" (func (param "a" u32) (param "b" u32) (result u32)))
    (export "fail" (func))
    (export "entry" (type $entry (sub resource)))
    (export "[constructor]entry" (func (result (own $entry))))))
  (import "twice" (func $twice (param "n" u32) (result u32)))
  (import "demo:host/missing" (instance $missing (export "gone" (func))))
  (alias export $log "entry" (type $entry))
  (core func $add (canon lower (func $log "add")))
  (core func $fail (canon lower (func $log "fail")))
  (core func $new (canon lower (func $log "[constructor]entry")))
  (core func $drop (canon resource.drop $entry))
  (core func $twice (canon lower (func $twice)))
  (core func $gone (canon lower (func $missing "gone")))
  (core module $m
    (import "" "add" (func $add (param i32 i32) (result i32)))
    (import "" "fail" (func $fail))
    (import "" "new" (func $new (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (import "" "twice" (func $twice (param i32) (result i32)))
    (import "" "gone" (func $gone))
    (func (export "run") (param i32) (result i32)
      (call $drop (call $new))
      (call $twice (call $add (local.get 0) (i32.const 1))))
    (func (export "fail") (call $fail))
    (func (export "gone") (call $gone)))
  (core instance $i (instantiate $m (with "" (instance
    (export "add" (func $add))
    (export "fail" (func $fail))
    (export "new" (func $new))
    (export "drop" (func $drop))
    (export "twice" (func $twice))
    (export "gone" (func $gone))))))
  (func (export "run") (param "n" u32) (result u32) (canon lift (core func $i "run")))
  (func (export "fail") (canon lift (core func $i "fail")))
  (func (export "gone") (canon lift (core func $i "gone"))))"#;

#[derive(Default)]
struct Host {
    calls: u32,
    entries: u32,
}

struct Entry;

pub(crate) fn run() -> Result<(u32, u32, u32)> {
    let engine = Engine::default();
    let component = Component::from_binary(&engine, &wat::parse_str(COMPONENT)?)?;
    let mut linker = Linker::<Host>::new(&engine);

    let mut log = linker.instance("demo:host/log")?;
    log.func_wrap("add", |mut cx: StoreContextMut<'_, Host>, (a, b): (u32, u32)| {
        cx.data_mut().calls += 1;
        Ok((a + b,))
    })?;
    log.func_wrap("fail", |_: StoreContextMut<'_, Host>, (): ()| -> Result<()> {
        Err(std::io::Error::other("no disk"))?
    })?;
    log.resource("entry", ResourceType::host::<Entry>(), |mut cx, rep| {
        assert_eq!(rep, 5);
        cx.data_mut().entries -= 1;
        Ok(())
    })?;
    log.func_wrap(
        "[constructor]entry",
        |mut cx: StoreContextMut<'_, Host>, (): ()| {
            cx.data_mut().entries += 1;
            Ok((Resource::<Entry>::new_own(5),))
        },
    )?;
    linker.root().func_new("twice", |mut cx, ty, params, results| {
        cx.data_mut().calls += 1;
        assert_eq!((ty.params().len(), ty.results().len()), (1, 1));
        results[0] = match params {
            [Val::U32(number)] => Val::U32(2 * number),
            other => panic!("{other:?}"),
        };
        Ok(())
    })?;
    assert!(
        linker.root().func_new("twice", |_, _, _, _| Ok(())).is_err(),
        "defined twice"
    );

    let mut store = Store::new(&engine, Host::default());
    assert!(
        linker.instantiate(&mut store, &component).is_err(),
        "an import is missing"
    );
    linker.define_unknown_imports_as_traps(&component)?;
    let pre = linker.instantiate_pre(&component)?;
    let instance = pre.instantiate(&mut store)?;

    let run = instance.get_typed_func::<(u32,), (u32,)>(&mut store, "run")?;
    let (result,) = run.call(&mut store, (20,))?;

    let fail = instance.get_typed_func::<(), ()>(&mut store, "fail")?;
    let error = fail.call(&mut store, ()).unwrap_err();
    assert!(format!("{error:?}").contains("no disk"), "{error:?}");

    let instance = pre.instantiate(&mut store)?;
    let gone = instance.get_typed_func::<(), ()>(&mut store, "gone")?;
    assert!(gone.call(&mut store, ()).is_err(), "it is not defined");
    Ok((result, store.data().calls, store.data().entries))
}
