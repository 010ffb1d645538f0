//! Loading: accepted components, contract versions, and identities.

use airssys_wasm::runtime::ErrorKind;
use airssys_wasm::{ComponentOptions, RuntimeError};

use super::host_support::{Guest, fixture, fixture_path, id, runtime};
use super::options;

#[test]
fn a_component_without_the_life_cycle_is_refused() {
    let runtime = runtime();
    let load = |text: &str| {
        let bytes = wat::parse_str(text).expect("the text parses");
        runtime
            .load_component(&bytes, ComponentOptions::new())
            .unwrap_err()
    };
    let error = load("(component)");
    assert!(matches!(error, RuntimeError::NoLifecycle { .. }), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Load);

    let lifecycle = |version: &str, functions: &[&str]| {
        let exports: String = functions
            .iter()
            .map(|name| format!(r#"(export "{name}" (func $f))"#))
            .collect();
        format!(
            r#"(component
                (core module $m (func (export "f")))
                (core instance $i (instantiate $m))
                (func $f (canon lift (core func $i "f")))
                (instance $l {exports})
                (export "airssys:component-core/component-lifecycle@{version}" (instance $l)))"#
        )
    };
    let all = [
        "init",
        "execute",
        "metadata",
        "health",
        "supported-codecs",
        "shutdown",
    ];

    let error = load(&lifecycle("1.0.0", &["shutdown", "metadata", "init"]));
    let RuntimeError::PartialLifecycle { export, missing } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(export, "airssys:component-core/component-lifecycle@1.0.0");
    assert_eq!(missing, &["execute", "health", "supported-codecs"]);
    assert!(
        error
            .to_string()
            .contains("lacks execute, health, supported-codecs"),
        "{error}"
    );

    let error = load(&lifecycle("2.0.0", &all));
    assert!(matches!(error, RuntimeError::ContractVersion { .. }), "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains("component-lifecycle@2.0.0") && text.contains("1.0.0"),
        "{text}"
    );

    let error = load(&lifecycle("1.0.0", &all));
    assert!(
        matches!(&error, RuntimeError::LifecycleType { function, .. } if function.ends_with("#init")),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("component-lifecycle@1.0.0#init`"),
        "{error}"
    );

    let error = load(
        r#"(component (import "airssys:host-core/host-services@2.1.0" (instance (export "now" (func)))))"#,
    );
    assert!(
        matches!(&error, RuntimeError::ContractVersion { name, .. } if name.ends_with("@2.1.0")),
        "{error:?}"
    );
    assert!(runtime.list_components().is_empty(), "nothing is left of them");
}

#[test]
fn of_two_life_cycles_in_compatible_versions_both_have_to_be_whole() {
    let export = |version: &str, functions: &[&str]| {
        let exports = functions
            .iter()
            .map(|name| format!(r#"(export "{name}" (func $f))"#));
        let name = format!("airssys:component-core/component-lifecycle@{version}");
        format!(
            r#"(instance ${version} {}) (export "{name}" (instance ${version}))"#,
            exports.collect::<String>()
        )
    };
    let all = [
        "init",
        "execute",
        "metadata",
        "health",
        "supported-codecs",
        "shutdown",
    ];
    for (first, second) in [("1.0.0", "1.2.0"), ("1.2.0", "1.0.0")] {
        let text = format!(
            r#"(component
                (core module $m (func (export "f")))
                (core instance $i (instantiate $m))
                (func $f (canon lift (core func $i "f")))
                {} {})"#,
            export(first, &all),
            export(second, &["init"])
        );
        let bytes = wat::parse_str(text).expect("the text parses");
        let error = runtime()
            .load_component(&bytes, ComponentOptions::new())
            .unwrap_err();
        let RuntimeError::PartialLifecycle { export, .. } = &error else {
            panic!("{error:?}");
        };
        assert!(export.ends_with(second), "{export}");
    }
}

#[test]
fn a_later_minor_version_of_the_contract_is_compatible() {
    let runtime = runtime();
    let guest = Guest {
        version: "1.4.2",
        ..Guest::default()
    };
    let id = runtime
        .load_component(&guest.build(), ComponentOptions::new())
        .unwrap();
    runtime.init(&id).unwrap();
    assert!(runtime.execute(&id, b"").unwrap().is_empty());
    runtime.shutdown(&id).unwrap();
}

#[test]
fn an_import_that_this_version_lacks_is_named() {
    let bytes = wat::parse_str(
        r#"(component
            (import "airssys:host-core/host-services@1.3.0" (instance $h (export "teleport" (func))))
            (core func $t (canon lower (func $h "teleport")))
            (core module $m (import "" "t" (func)) (func (export "f")))
            (core instance $i (instantiate $m (with "" (instance (export "t" (func $t))))))
            (func $f (canon lift (core func $i "f")))
            (instance $l (export "init" (func $f)) (export "execute" (func $f)) (export "metadata" (func $f))
                (export "health" (func $f)) (export "supported-codecs" (func $f)) (export "shutdown" (func $f)))
            (export "airssys:component-core/component-lifecycle@1.3.0" (instance $l)))"#,
    )
    .unwrap();
    let error = runtime()
        .load_component(&bytes, ComponentOptions::new())
        .unwrap_err();
    assert!(
        matches!(
            &error,
            RuntimeError::Load(airssys_wasm::Error::MissingImport { .. })
        ),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("host-services@1.3.0#teleport"),
        "{error}"
    );
}

#[test]
fn bytes_that_are_no_component_are_told_apart() {
    let runtime = runtime();
    let load = |bytes: &[u8]| match runtime.load_component(bytes, ComponentOptions::new()) {
        Err(RuntimeError::Load(error)) => error,
        other => panic!("{other:?}"),
    };
    assert!(matches!(
        load(b"\0asm\x01\0\0\0"),
        airssys_wasm::Error::CoreModule
    ));
    assert!(matches!(load(b"#!/bin/sh"), airssys_wasm::Error::NotWasm(_)));
    let missing = runtime.load_component_from_file(fixture_path("absent.wasm"), ComponentOptions::new());
    assert!(matches!(&missing, Err(RuntimeError::Read { .. })), "{missing:?}");
    assert!(missing.unwrap_err().to_string().contains("absent.wasm"));
}

#[test]
fn identities_come_from_the_options_or_the_file() {
    let runtime = runtime();
    let from_file = |options| {
        runtime
            .load_component_from_file(fixture_path("counter.wasm"), options)
            .unwrap()
    };
    assert_eq!(from_file(ComponentOptions::new()), id("counter"));
    assert_eq!(from_file(ComponentOptions::new()), id("counter-2"));
    assert_eq!(from_file(options("mine")), id("mine"));
    let again = runtime.load_component(&fixture("counter.wasm"), options("mine"));
    assert!(matches!(again, Err(RuntimeError::DuplicateId(taken)) if taken == id("mine")));
    assert_eq!(
        runtime.list_components(),
        [id("counter"), id("counter-2"), id("mine")]
    );
    assert!(matches!(
        runtime.unload(&id("other")),
        Err(RuntimeError::UnknownComponent(_))
    ));
}
