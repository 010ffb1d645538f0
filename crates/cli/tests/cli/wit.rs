//! `inspect --wit`: the standard tools can parse the printed WIT, and it means the same.

use std::collections::BTreeMap;

use airssys_wasm::component::{Component, ExternType, TypeNames};
use airssys_wasm::engine::{Config, Engine};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{ManglingAndAbi, Resolve};

use crate::process::{airssys, fixture, scratch, scratch_file};

/// Returns every function and named type of a component, as text, by path.
fn surface(component: &Component) -> BTreeMap<String, String> {
    fn add<'a>(
        path: &str,
        items: &'a [(String, ExternType)],
        names: &TypeNames<'a>,
        all: &mut BTreeMap<String, String>,
    ) {
        let names = names.within(items);
        for (name, item) in items {
            let place = format!("{path}{name}");
            match item {
                ExternType::Func(function) => {
                    all.insert(place, names.func(&function.ty));
                }
                ExternType::Type(ty) => {
                    all.insert(place, names.definition(name, ty));
                }
                ExternType::Instance(items) => add(&format!("{place}#"), items, &names, all),
                other => {
                    all.insert(place, other.kind().to_owned());
                }
            }
        }
    }
    let names = TypeNames::of(component);
    let mut all = BTreeMap::new();
    add("import ", component.imports(), &names, &mut all);
    add("export ", component.exports(), &names, &mut all);
    all
}

/// Builds a component of the world in a text with the standard tools.
fn remade(wit: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve
        .push_str("printed.wit", wit)
        .unwrap_or_else(|error| panic!("{error:#}\n{wit}"));
    let world = resolve.packages[package].worlds["root"];
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Standard32);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).expect("a world");
    ComponentEncoder::default()
        .module(&module)
        .expect("a module")
        .validate(true)
        .encode()
        .expect("a component")
}

fn check(path: &str) -> BTreeMap<String, String> {
    let engine = Engine::new(&Config::new()).expect("an engine");
    let printed = airssys(&["inspect", path, "--wit"]).ended(0);
    assert_eq!(printed.stderr, "");
    let original = surface(&Component::from_file(&engine, path).expect("it loads"));
    let remade = Component::from_binary(&engine, &remade(&printed.stdout)).expect("it loads again");
    assert_eq!(original, surface(&remade), "{path}\n{}", printed.stdout);
    original
}

#[test]
fn standard_tools_read_the_same_types_back() {
    let mut items = 0;
    for name in [
        "types",
        "text-processor",
        "counter",
        "key-value",
        "checksum",
        "composed",
        "wasi-cases",
        "wasi-program",
    ] {
        items += check(&fixture(name)).len();
    }
    assert!(items > 400, "{items}");
}

#[test]
fn types_go_by_their_names_wherever_they_are_used() {
    let text = r#"(component
        (import "a:b/kinds@1.0.0" (instance $k
            (export "file" (type (sub resource)))
            (type $p (record (field "x" u32))) (export "point" (type (eq $p)))))
        (alias export $k "file" (type $file)) (alias export $k "point" (type $point))
        (import "a:b/user@1.0.0" (instance
            (alias outer 1 $file (type $f)) (export "file" (type $file (eq $f)))
            (alias outer 1 $point (type $p)) (export "place" (type $place (eq $p)))
            (export "open" (func (param "at" $place) (result (own $file))))
            (export "read" (func (param "of" (borrow $file)) (result (list $place))))))
        (import "seek" (func (param "of" (borrow $file)) (param "to" $point))))"#;
    let path = scratch_file("names.wasm", &wat::parse_str(text).expect("the text parses"));
    let engine = Engine::new(&Config::new()).expect("an engine");
    let surface = surface(&Component::from_file(&engine, &path).expect("it loads"));
    for (place, text) in [
        ("import a:b/user@1.0.0#open", "func(at: place) -> file"),
        (
            "import a:b/user@1.0.0#read",
            "func(of: borrow<file>) -> list<place>",
        ),
        // At the root, without names of their own.
        ("import seek", "func(of: borrow<file>, to: point)"),
    ] {
        assert_eq!(surface[place], text, "{place}");
    }
    let ran = airssys(&["inspect", &path]).ended(0);
    assert!(
        ran.stdout.contains("  seek: func(of: borrow<file>, to: point)\n"),
        "{}",
        ran.stdout
    );
    assert!(
        !ran.stdout.contains("resource 0") && !ran.stdout.contains("own<"),
        "{}",
        ran.stdout
    );
}

/// The printer of wit-component 0.263 writes a type of an interface at the root by its name there, which is not valid WIT.
#[test]
fn wit_that_cannot_be_read_back_is_not_passed_for_wit() {
    let component = |name: &str| {
        format!(
            r#"(component
                (import "a:b/kinds@1.0.0" (instance $k (export "file" (type (sub resource)))))
                (alias export $k "file" (type $kind)) {name}
                (import "seek" (func (param "of" (borrow $file)))))"#
        )
    };
    let unnamed = component("(alias export $k \"file\" (type $file))");
    let path = scratch_file("unnamed.wasm", &wat::parse_str(unnamed).expect("the text parses"));
    let ran = airssys(&["inspect", &path, "--wit"]).ended(3);
    ran.says("cannot be read back");
    ran.says("name `file` does not exist");
    assert_eq!(ran.stdout, "");
    let named = component("(import \"file\" (type $file (eq $kind)))");
    check(&scratch_file(
        "named.wasm",
        &wat::parse_str(named).expect("the text parses"),
    ));
}

#[test]
fn a_component_that_does_not_run_here_has_wit_too() {
    let text = r#"(component
        (core module $m (func (export "f")))
        (core instance $i (instantiate $m))
        (func (export "f") async (canon lift (core func $i "f") async)))"#;
    let path = scratch_file("stackful.wasm", &wat::parse_str(text).expect("the text parses"));
    airssys(&["inspect", &path])
        .ended(3)
        .says("component-model-async-stackful");
    let ran = airssys(&["inspect", &path, "--wit"]).ended(0);
    assert!(ran.stdout.contains("export f: async func();"), "{}", ran.stdout);
}

#[test]
fn what_has_no_wit_says_so() {
    airssys(&["inspect", &fixture("counter-wai"), "--wit"])
        .ended(3)
        .says("core WebAssembly module");
    let noise = scratch_file("noise.wasm", b"\0asm\x0d\0\x01\0\xff");
    airssys(&["inspect", &noise, "--wit"])
        .ended(3)
        .says("cannot be shown");
    let both = airssys(&["inspect", &fixture("types"), "--wit", "--json"]);
    assert_eq!(both.code, 2, "{both:?}");
    both.says("cannot be used with");
    let artifact = scratch("types.artifact").display().to_string();
    airssys(&["compile", &fixture("counter"), "--output", &artifact]).ended(0);
    airssys(&["inspect", &artifact, "--wit"])
        .ended(2)
        .says("the component that it was compiled from");
}

/// Types without names that share their parts: 2^10 long words from a few bytes, twenty times.
#[test]
fn wit_that_is_longer_by_far_than_its_component_is_refused() {
    let name = "long-".repeat(2_000) + "name";
    let mut text = format!(
        r#"(component (import "{name}" (type $r (sub resource))) (type $own (own $r)) (type $t0 (tuple $own $own))"#
    );
    for level in 1..10 {
        text.push_str(&format!("(type $t{level} (tuple $t{0} $t{0}))", level - 1));
    }
    for func in 0..20 {
        text.push_str(&format!(r#"(import "f{func}" (func (param "a" $t9)))"#));
    }
    text.push(')');
    let path = scratch_file("tower.wasm", &wat::parse_str(text).expect("the text parses"));
    airssys(&["inspect", &path, "--wit"])
        .ended(3)
        .says("is longer than");
}
