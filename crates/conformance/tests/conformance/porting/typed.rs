// Calls exported functions with Rust types, of a component that was compiled ahead of time.

const COMPONENT: &str = r#"(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "add") (param i32 i32) (result i32)
      (i32.add (local.get 0) (local.get 1)))
    (func (export "mirror") (param i32 i32) (result i32)
      (i32.store (i32.const 16) (i32.sub (i32.const 0) (local.get 0)))
      (i32.store (i32.const 20) (local.get 1))
      (i32.const 16)))
  (core instance $i (instantiate $m))
  (type $t (record (field "x" s32) (field "y" s32)))
  (export $point "point" (type $t))
  (func (export "add") (param "a" u32) (param "b" u32) (result u32)
    (canon lift (core func $i "add")))
  (func (export "mirror") (param "p" $point) (result $point)
    (canon lift (core func $i "mirror") (memory (core memory $i "memory")))))"#;

#[derive(Clone, Copy, Debug, PartialEq, ComponentType, Lift, Lower)]
#[component(record)]
struct Point {
    x: i32,
    y: i32,
}

pub(crate) fn run() -> Result<(u32, i32, i32)> {
    let engine = Engine::default();
    let component = precompiled(&engine, &wat::parse_str(COMPONENT)?)?;
    let linker = Linker::new(&engine);
    let mut store = Store::new(&engine, "the host's data".to_owned());
    let instance = linker.instantiate(&mut store, &component)?;

    let add = instance.get_typed_func::<(u32, u32), (u32,)>(&mut store, "add")?;
    let (sum,) = add.call(&mut store, (20, 22))?;

    let mirror = instance
        .get_func(&mut store, "mirror")
        .expect("it is exported")
        .typed::<(Point,), (Point,)>(&store)?;
    let (mirrored,) = mirror.call(&mut store, (Point { x: 3, y: 4 },))?;
    assert_eq!(mirrored, Point { x: -3, y: 4 });

    assert!(instance.get_func(&mut store, "subtract").is_none());
    assert!(
        instance
            .get_typed_func::<(u32, u32), (u32,)>(&mut store, "subtract")
            .is_err()
    );
    assert!(
        instance
            .get_typed_func::<(u32,), (String,)>(&mut store, "add")
            .is_err()
    );
    store.data_mut().push('!');
    assert_eq!(store.into_data(), "the host's data!");
    Ok((sum, mirrored.x, mirrored.y))
}
