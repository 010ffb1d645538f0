// Looks at a component, and calls its functions with values whose types are known only at run time.

const COMPONENT: &str = r#"(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
    (func (export "sum") (param $at i32) (param $count i32) (result i64)
      (local $sum i64)
      (block $done
        (loop $next
          (br_if $done (i32.eqz (local.get $count)))
          (local.set $sum (i64.add (local.get $sum) (i64.load32_u (local.get $at))))
          (local.set $at (i32.add (local.get $at) (i32.const 4)))
          (local.set $count (i32.sub (local.get $count) (i32.const 1)))
          (br $next)))
      (local.get $sum))
    (func (export "divide") (param i32 i32) (result i32)
      (i32.store8 (i32.const 16) (i32.eqz (local.get 1)))
      (if (local.get 1)
        (then (i32.store (i32.const 20) (i32.div_u (local.get 0) (local.get 1)))))
      (i32.const 16)))
  (core instance $i (instantiate $m))
  (func $sum (param "values" (list u32)) (result u64)
    (canon lift (core func $i "sum") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (func $divide (param "by" u32) (param "what" u32) (result (result u32))
    (canon lift (core func $i "divide") (memory (core memory $i "memory"))))
  (instance $arithmetic (export "sum" (func $sum)) (export "divide" (func $divide)))
  (export "demo:math/arithmetic" (instance $arithmetic)))"#;

const ARITHMETIC: &str = "demo:math/arithmetic";

pub(crate) fn run() -> Result<Vec<String>> {
    let engine = Engine::default();
    let component = Component::new(&engine, wat::parse_str(COMPONENT)?)?;
    let mut seen = Vec::new();

    let ty = component.component_type();
    assert_eq!(ty.imports(&engine).len(), 0);
    for (name, export) in ty.exports(&engine) {
        let ComponentItem::ComponentInstance(instance) = export.ty else {
            panic!("{name} is another item");
        };
        for (function, export) in instance.exports(&engine) {
            assert!(matches!(export.ty, ComponentItem::ComponentFunc(_)));
            seen.push(format!("{name} {function}"));
        }
    }

    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &component)?;
    let arithmetic = instance
        .get_export_index(&mut store, None, ARITHMETIC)
        .expect("it is exported");
    let (_, sum) = instance
        .get_export(&mut store, Some(&arithmetic), "sum")
        .expect("it is exported");
    // An index of the component is one of all its instances.
    let divide = component
        .get_export_index(Some(&arithmetic), "divide")
        .expect("it is exported");
    for function in [sum, divide] {
        let func = instance
            .get_func(&mut store, function)
            .expect("it is a function");
        let ty = func.ty(&store);
        let mut arguments = Vec::new();
        for (name, ty) in ty.params() {
            seen.push(name.to_owned());
            arguments.push(match ty {
                Type::U32 => Val::U32(7),
                Type::List(_) => Val::List(vec![Val::U32(40), Val::U32(2)]),
                other => panic!("{other:?}"),
            });
        }
        let mut results = vec![Val::Bool(false); ty.results().len()];
        func.call(&mut store, &arguments, &mut results)?;
        seen.push(match &results[..] {
            [Val::U64(sum)] => format!("sum {sum}"),
            [Val::Result(Ok(Some(value)))] => format!("ok {value:?}"),
            other => panic!("{other:?}"),
        });
        // Too few arguments: nothing is called.
        assert!(func.call(&mut store, &[], &mut results).is_err());
    }

    let func = instance
        .get_export_index(&mut store, Some(&arithmetic), "divide")
        .and_then(|divide| instance.get_func(&mut store, divide))
        .expect("it is exported");
    let mut results = [Val::Bool(false)];
    func.call(&mut store, &[Val::U32(1), Val::U32(0)], &mut results)?;
    assert_eq!(results, [Val::Result(Err(None))]);
    assert!(
        instance.get_func(&mut store, "sum").is_none(),
        "it is not at the root"
    );
    Ok(seen)
}
