//! Imports: resolved by name and compatible version, checked by type, reported with a hint if missing.

mod core_modules;
use airssys_wasm_test_support as common;
mod instances;
mod resource_types;

use airssys_wasm::Error;
use airssys_wasm::component::{Linker, Resource, ResourceType, Store};
use common::{component, default_engine, engines};

fn importing(version: &str) -> String {
    format!(
        r#"(component
            (import "a:b/c{version}" (instance $c (export "f" (func (param "x" u32) (result u32)))))
            (alias export $c "f" (func $f))
            (core func $f (canon lower (func $f)))
            (core module $m
                (import "" "f" (func $f (param i32) (result i32)))
                (func (export "run") (result i32) (call $f (i32.const 1))))
            (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
            (func (export "run") (result u32) (canon lift (core func $i "run"))))"#
    )
}

/// Returns a linker with `a:b/c` in the given versions; each adds its position in the list, times ten.
fn providing(versions: &[&str]) -> Linker<()> {
    let mut linker = Linker::new(&default_engine());
    for (place, version) in (1u32..).zip(versions) {
        let mut instance = linker.instance(&format!("a:b/c{version}")).unwrap();
        instance
            .func_wrap("f", move |_, (x,): (u32,)| Ok((x + 10 * place,)))
            .unwrap();
    }
    linker
}

fn run(linker: &Linker<()>, text: &str) -> Result<u32, Error> {
    let engine = default_engine();
    let component = component(&engine, text);
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &component)?;
    Ok(instance
        .get_typed_func::<(), (u32,)>(&mut store, ["run"])?
        .call(&mut store, ())?
        .0)
}

#[test]
fn imports_match_by_compatible_version() {
    assert_eq!(run(&providing(&["@1.0.0"]), &importing("@1.0.0")).unwrap(), 11);
    assert_eq!(
        run(&providing(&["@1.0.0", "@1.3.0"]), &importing("@1.1.0")).unwrap(),
        21
    );
    assert_eq!(
        run(&providing(&["@1.0.0", "@1.3.0"]), &importing("@1.0.0")).unwrap(),
        11,
        "exact wins"
    );
    assert_eq!(run(&providing(&["@0.2.9"]), &importing("@0.2.1")).unwrap(), 11);
    assert_eq!(run(&providing(&[""]), &importing("")).unwrap(), 11);
}

#[test]
fn a_missing_import_says_what_the_host_has() {
    let error = run(&providing(&["@1.0.0"]), &importing("@2.0.0")).unwrap_err();
    assert!(matches!(error, Error::MissingImport { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("a:b/c@2.0.0") && text.contains("a:b/c@1.0.0"),
        "{text}"
    );
    let error = run(&Linker::new(&default_engine()), &importing("@1.0.0")).unwrap_err();
    assert!(error.to_string().contains("does not provide it"), "{error}");
}

#[test]
fn a_missing_function_of_an_interface_is_named() {
    let mut linker: Linker<()> = Linker::new(&default_engine());
    linker
        .instance("a:b/c@1.0.0")
        .unwrap()
        .func_wrap("g", |_, (): ()| Ok(()))
        .unwrap();
    let error = run(&linker, &importing("@1.0.0")).unwrap_err();
    assert!(
        matches!(&error, Error::MissingImport { name, .. } if name == "a:b/c@1.0.0#f"),
        "{error}"
    );
}

#[test]
fn an_import_of_the_wrong_type_says_both_types() {
    let mut linker: Linker<()> = Linker::new(&default_engine());
    linker
        .instance("a:b/c@1.0.0")
        .unwrap()
        .func_wrap("f", |_, (x,): (u64,)| Ok((x,)))
        .unwrap();
    let error = run(&linker, &importing("@1.0.0")).unwrap_err();
    assert!(matches!(error, Error::ImportType { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("u64") && text.contains("u32") && text.contains("a:b/c@1.0.0#f"),
        "{text}"
    );

    let mut linker: Linker<()> = Linker::new(&default_engine());
    linker
        .root()
        .func_wrap("a:b/c@1.0.0", |_, (): ()| Ok(()))
        .unwrap();
    let error = run(&linker, &importing("@1.0.0")).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("needs an instance, but the linker has a function"),
        "{error}"
    );
}

#[test]
fn a_name_is_defined_once_unless_shadowing_is_allowed() {
    let mut linker = providing(&["@1.0.0"]);
    let again = |linker: &mut Linker<()>| {
        linker
            .instance("a:b/c@1.0.0")?
            .func_wrap("f", |_, (x,): (u32,)| Ok((x + 500,)))
    };
    assert!(matches!(again(&mut linker), Err(Error::Redefined(name)) if name == "f"));
    linker.allow_shadowing(true);
    again(&mut linker).unwrap();
    assert_eq!(run(&linker, &importing("@1.0.0")).unwrap(), 501);
}

#[test]
fn exports_match_by_compatible_version() {
    let text = r#"(component
        (core module $m (func (export "run") (result i32) (i32.const 7)))
        (core instance $i (instantiate $m))
        (func $run (result u32) (canon lift (core func $i "run")))
        (instance $e (export "run" (func $run)))
        (export "a:b/c@1.2.0" (instance $e)))"#;
    for engine in engines() {
        let component = component(&engine, text);
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate(&mut store, &component).unwrap();
        for name in ["a:b/c@1.2.0", "a:b/c@1.0.0", "a:b/c@1.9.9"] {
            let run = instance
                .get_typed_func::<(), (u32,)>(&mut store, [name, "run"])
                .unwrap();
            assert_eq!(run.call(&mut store, ()).unwrap(), (7,));
        }
        let error = instance
            .try_get_func(&mut store, ["a:b/c@2.0.0", "run"])
            .unwrap_err();
        assert!(matches!(error, Error::MissingExport { .. }), "{error}");
        assert!(error.to_string().contains("a:b/c@1.2.0"), "{error}");
        assert!(
            instance.get_func(&mut store, "a:b/c@1.2.0").is_none(),
            "an instance is no function"
        );
    }
}

#[test]
fn nested_components_and_several_modules_link() {
    // An inner component is instantiated twice with different imports; its instances are distinct.
    let text = r#"(component
        (component $inner
            (import "base" (func $base (result u32)))
            (core func $base (canon lower (func $base)))
            (core module $memory (memory (export "mem") 1) (data (i32.const 0) "\05"))
            (core instance $memory (instantiate $memory))
            (core module $m
                (import "env" "mem" (memory 1))
                (import "env" "base" (func $base (result i32)))
                (global $calls (mut i32) (i32.const 0))
                (func $start (global.set $calls (i32.const 100)))
                (start $start)
                (func (export "run") (result i32)
                    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
                    (i32.add (i32.add (call $base) (i32.load8_u (i32.const 0))) (global.get $calls))))
            (core instance $i (instantiate $m (with "env" (instance
                (export "mem" (memory $memory "mem")) (export "base" (func $base))))))
            (func (export "run") (result u32) (canon lift (core func $i "run"))))
        (component $bases
            (core module $m
                (func (export "one") (result i32) (i32.const 1000))
                (func (export "two") (result i32) (i32.const 2000)))
            (core instance $i (instantiate $m))
            (func (export "one") (result u32) (canon lift (core func $i "one")))
            (func (export "two") (result u32) (canon lift (core func $i "two"))))
        (instance $bases (instantiate $bases))
        (instance $a (instantiate $inner (with "base" (func $bases "one"))))
        (instance $b (instantiate $inner (with "base" (func $bases "two"))))
        (export "a" (instance $a))
        (export "b" (instance $b)))"#;
    for engine in engines() {
        let component = component(&engine, text);
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate(&mut store, &component).unwrap();
        let mut run = |name| {
            let run = instance
                .get_typed_func::<(), (u32,)>(&mut store, [name, "run"])
                .unwrap();
            run.call(&mut store, ()).unwrap().0
        };
        assert_eq!([run("a"), run("a"), run("b"), run("a")], [1106, 1107, 2106, 1108]);
    }
}

/// An interface that uses another's resource exports the type too; hosts define it in the declaring interface.
#[test]
fn a_resource_that_an_interface_uses_is_defined_once() {
    let text = r#"(component
        (import "a:b/kinds" (instance $kinds (export "error" (type (sub resource)))))
        (alias export $kinds "error" (type $error))
        (import "a:b/user" (instance $user
            (alias outer 1 $error (type $used))
            (export "error" (type (eq $used)))
            (export "count" (func (param "of" (borrow $used)) (result u32)))
            (export "make" (func (result (own $used))))))
        (alias export $user "count" (func $count))
        (alias export $user "make" (func $make))
        (core func $count (canon lower (func $count)))
        (core func $make (canon lower (func $make)))
        (core module $m
            (import "" "count" (func $count (param i32) (result i32)))
            (import "" "make" (func $make (result i32)))
            (func (export "run") (result i32) (call $count (call $make))))
        (core instance $i (instantiate $m (with "" (instance
            (export "count" (func $count)) (export "make" (func $make))))))
        (func (export "run") (result u32) (canon lift (core func $i "run"))))"#;
    struct Failure;
    let mut linker = Linker::<()>::new(&default_engine());
    let mut user = linker.instance("a:b/user").unwrap();
    user.func_wrap("count", |_, (error,): (Resource<Failure>,)| {
        Ok((error.rep() + 1,))
    })
    .unwrap();
    user.func_wrap("make", |_, (): ()| Ok((Resource::<Failure>::new_own(6),)))
        .unwrap();
    // The resource is not defined at all.
    let Err(Error::MissingImport { name, .. }) = run(&linker, text) else {
        panic!("the resource is missing");
    };
    assert_eq!(name, "a:b/kinds");
    let mut kinds = linker.instance("a:b/kinds").unwrap();
    kinds
        .resource("error", ResourceType::host::<Failure>(), |_, _| Ok(()))
        .unwrap();
    assert_eq!(run(&linker, text).unwrap(), 7);
}
