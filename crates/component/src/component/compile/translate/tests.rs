//! The traps of adapters.

mod concurrency;

use wasmtime_environ::Trap;

use crate::component::instance::adapter_trap::{NAMED, adapter_trap};

#[test]
fn the_names_of_adapters_traps_are_the_translator_s() {
    for code in NAMED {
        let theirs = u8::try_from(*code).ok().and_then(Trap::from_u8);
        let theirs = theirs.expect("a trap of the translator's").to_string();
        let ours = adapter_trap(*code).to_string();
        let words = theirs.trim_start_matches("wasm trap: ");
        let words = words.trim_start_matches("cannot leave component instance");
        assert!(
            ours.contains(words) || ours.contains("cannot leave"),
            "{code}: {ours}, {theirs}"
        );
    }
    for (code, trap) in [
        (1, Trap::MemoryOutOfBounds),
        (17, Trap::CannotEnterComponent),
        (23, Trap::CannotLeaveComponent),
    ] {
        assert_eq!(Trap::from_u8(code), Some(trap));
    }
}

/// The translator (wasmtime-environ 48.0.0) keeps the items of such an instance in a hash map.
#[test]
fn the_exports_of_an_instance_keep_their_order() {
    let names: Vec<String> = (0..20).map(|number| format!("f{}", (number * 7) % 20)).collect();
    let exports: String = names
        .iter()
        .map(|name| format!(r#"(export "{name}" (func $f))"#))
        .collect();
    let text = format!(
        r#"(component
            (core module $m (func (export "f")))
            (core instance $i (instantiate $m))
            (func $f (canon lift (core func $i "f")))
            (instance $together {exports})
            (export "together" (instance $together)))"#
    );
    let engine = crate::engine::Engine::new(&crate::engine::Config::new()).expect("a backend");
    let component =
        crate::component::Component::from_binary(&engine, &wat::parse_str(text).expect("it parses"));
    let component = component.expect("it is valid");
    let [(_, crate::component::ExternType::Instance(items))] = component.exports() else {
        panic!("{:?}", component.exports());
    };
    let found: Vec<&str> = items.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(found, names);
}
