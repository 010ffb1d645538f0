//! Resource types that imports declare, used or not: each must be the linker's type, on every backend.

use airssys_wasm::Error;
use airssys_wasm::component::{Linker, Resource, ResourceType, Store};
use airssys_wasm::engine::Engine;

use crate::linking::common::{component, engines};

struct One;
struct Two;

/// `host` has two resource types under three names and one of them in an instance; `other` has the first name for the
/// second.
fn linker(engine: &Engine) -> Linker<()> {
    let mut linker = Linker::new(engine);
    let one = ResourceType::host::<One>();
    let two = ResourceType::host::<Two>();
    let mut host = linker.instance("host").unwrap();
    for (name, ty) in [("one", one), ("two", two), ("again", one)] {
        host.resource(name, ty, |_, _| Ok(())).unwrap();
    }
    host.func_wrap("take", |_, (_,): (Resource<One>,)| Ok(()))
        .unwrap();
    let mut inner = host.instance("inner").unwrap();
    inner.resource("one", one, |_, _| Ok(())).unwrap();
    let mut other = linker.instance("other").unwrap();
    other.resource("one", two, |_, _| Ok(())).unwrap();
    other
        .func_wrap("take", |_, (_,): (Resource<Two>,)| Ok(()))
        .unwrap();
    let mut root = linker.root();
    root.resource("root-one", one, |_, _| Ok(())).unwrap();
    root.resource("root-two", two, |_, _| Ok(())).unwrap();
    linker
}

/// Links a component of these imports on every backend; returns the linker's error, or `None`.
fn link(imports: &str) -> Option<String> {
    let mut said: Vec<Option<String>> = engines()
        .iter()
        .map(|engine| {
            let component = component(engine, &format!("(component {imports})"));
            let linker = linker(engine);
            let unmet = linker.unmet_imports(&component);
            match linker.instantiate_pre(&component) {
                Ok(_) => {
                    assert!(unmet.is_empty(), "{unmet:?}");
                    linker
                        .instantiate(&mut Store::new(engine, ()), &component)
                        .unwrap();
                    None
                }
                Err(error) => {
                    assert!(matches!(error, Error::ImportType { .. }), "{imports}: {error}");
                    let unmet: Vec<String> = unmet.iter().map(Error::to_string).collect();
                    assert!(unmet.contains(&error.to_string()), "{unmet:?}");
                    Some(error.to_string())
                }
            }
        })
        .collect();
    said.dedup();
    assert_eq!(said.len(), 1, "backends differ: {said:?}");
    said.remove(0)
}

const ONE_AND_TWO: &str =
    r#"(export "one" (type $one (sub resource))) (export "two" (type $two (sub resource)))"#;

#[test]
fn equal_resource_types_link() {
    for imports in [
        format!(r#"(import "host" (instance {ONE_AND_TWO} (export "again" (type (eq $one)))))"#),
        // Two abstract names may be one type.
        r#"(import "host" (instance (export "one" (type (sub resource))) (export "again" (type (sub resource)))))"#.into(),
        // An alias that the host does not repeat.
        format!(r#"(import "host" (instance {ONE_AND_TWO} (export "third" (type (eq $two)))))"#),
        format!(
            r#"(import "host" (instance {ONE_AND_TWO}
                (export "inner" (instance (alias outer 1 $one (type $o)) (export "one" (type (eq $o)))))))"#
        ),
        // Instances with nothing but known types, which the host does not define at all.
        format!(
            r#"(import "host" (instance $h {ONE_AND_TWO})) (alias export $h "one" (type $one))
               (import "types" (instance (alias outer 1 $one (type $o)) (export "one" (type (eq $o)))
                   (export "deep" (instance (alias outer 2 $one (type $o)) (export "one" (type (eq $o)))))))"#
        ),
        r#"(import "types" (instance (type $r (record (field "a" u8))) (export "r" (type (eq $r)))))"#.into(),
        r#"(import "root-one" (type $one (sub resource))) (import "no-root" (type (eq $one)))"#.into(),
    ] {
        assert_eq!(link(&imports), None, "{imports}");
    }
}

#[test]
fn unequal_resource_types_do_not_link_whether_used_or_not() {
    let alias_of_host =
        format!(r#"(import "host" (instance $h {ONE_AND_TWO})) (alias export $h "one" (type $one))"#);
    for (imports, place, first, other) in [
        (
            format!(r#"(import "host" (instance {ONE_AND_TWO} (export "again" (type (eq $two)))))"#),
            "host#again",
            "host#two",
            "host#one",
        ),
        (
            format!(
                r#"(import "host" (instance {ONE_AND_TWO} (export "again" (type $a (eq $two)))
                   (export "take" (func (param "a" (own $one))))))"#
            ),
            "host#again",
            "host#two",
            "host#one",
        ),
        (
            format!(
                r#"(import "host" (instance {ONE_AND_TWO}
                   (export "inner" (instance (alias outer 1 $two (type $t)) (export "one" (type (eq $t)))))))"#
            ),
            "host#inner#one",
            "host#two",
            "host#one",
        ),
        (
            format!(
                r#"{alias_of_host} (import "other" (instance (alias outer 1 $one (type $o)) (export "one" (type (eq $o)))))"#
            ),
            "other#one",
            "host#one",
            "host#two",
        ),
        (
            r#"(import "root-one" (type $one (sub resource))) (import "root-two" (type (eq $one)))"#.into(),
            "root-two",
            "root-one",
            "host#two",
        ),
    ] {
        let said = link(&imports).unwrap_or_else(|| panic!("it links: {imports}"));
        assert_eq!(
            said,
            format!(
                "import `{place}` has the wrong type: mismatched resource types: the component needs the resource type of \
                 `{first}` here, and the linker has another, which it defines as `{other}`"
            ),
            "{imports}"
        );
    }
}

/// Functions of two interfaces that share a resource type get the type of the declaring interface.
#[test]
fn a_function_of_another_resource_type_does_not_link() {
    let imports = format!(
        r#"(import "host" (instance $h {ONE_AND_TWO})) (alias export $h "one" (type $one))
           (import "other" (instance (alias outer 1 $one (type $o)) (export "used" (type $used (eq $o)))
               (export "take" (func (param "a" (own $used))))))"#
    );
    let said = link(&imports).expect("it does not link");
    assert!(
        said.contains("`other#take`") && said.contains("resource"),
        "{said}"
    );
}

/// An interface that is not provided, and that uses a resource of the host, traps only when called.
#[test]
fn an_unknown_interface_may_use_a_known_resource() {
    let text = r#"(component
        (import "host" (instance $h (export "one" (type (sub resource)))))
        (alias export $h "one" (type $one))
        (import "nothing" (instance $n (alias outer 1 $one (type $o)) (export "one" (type $used (eq $o)))
            (export "own-kind" (type (sub resource)))
            (export "take" (func (param "a" (own $used)))))))"#;
    for engine in engines() {
        let component = component(&engine, text);
        let mut linker = linker(&engine);
        assert!(linker.instantiate_pre(&component).is_err());
        linker.define_unknown_imports_as_traps(&component).unwrap();
        linker
            .instantiate(&mut Store::new(&engine, ()), &component)
            .unwrap();
    }
}
