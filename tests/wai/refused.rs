//! Modules that do not follow the contract.

use airssys_wasm::engine::{Backend, MemoryBudget};
use airssys_wasm::limits::Resource;
use airssys_wasm::{ComponentOptions, ComponentRuntime, Error, RuntimeConfig, RuntimeError};

use crate::host_support::runtimes;
use crate::module::{Module, binary};

/// Returns the refusal of a module on each backend.
fn refusals(text: &str) -> Vec<RuntimeError> {
    let bytes = binary(text);
    let refusal = |runtime: airssys_wasm::ComponentRuntime| {
        let refused = runtime.load_component(&bytes, ComponentOptions::new());
        assert!(runtime.list_components().is_empty(), "something is left of it");
        refused.expect_err("it is not taken")
    };
    runtimes().into_iter().map(refusal).collect()
}

#[test]
fn functions_that_are_missing_are_named() {
    let text = Module::default().text();
    for error in refusals(&text.replace(r#"(export "health")"#, "")) {
        match error {
            RuntimeError::PartialLifecycle { export, missing } => {
                assert_eq!(
                    (export.as_str(), &missing[..]),
                    ("airssys-component-v1", &["health"][..])
                );
            }
            other => panic!("{other}"),
        }
    }
    let allocates = r#"(module (func (export "canonical_abi_realloc")))"#;
    for error in refusals(allocates) {
        assert!(matches!(error, RuntimeError::NoLifecycle { .. }), "{error}");
    }
    for missing in [r#"(export "canonical_abi_free")"#, r#"(export "memory")"#] {
        for error in refusals(&text.replace(missing, "")) {
            assert!(
                matches!(error, RuntimeError::Load(Error::MissingExport { .. })),
                "{error}"
            );
        }
    }
}

#[test]
fn a_core_module_of_another_kind_is_one() {
    for error in refusals("(module)") {
        assert!(matches!(error, RuntimeError::Load(Error::CoreModule)), "{error}");
    }
}

#[test]
fn types_are_checked() {
    let text = Module::default().text();
    let health = r#"(func (export "health") (result i32) i32.const 0)"#;
    let realloc = r#"(func (export "canonical_abi_realloc") (param i32 i32 i32 i32) (result i32)"#;
    for (from, to, name) in [
        (
            health,
            r#"(func (export "health") (result i64) i64.const 0)"#,
            "health",
        ),
        (health, r#"(func (export "health"))"#, "health"),
        (
            realloc,
            r#"(func (export "canonical_abi_realloc") (param i32 i32 i32 i32 i32) (result i32)"#,
            "canonical_abi_realloc",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        for error in refusals(&text.replace(from, to)) {
            match error {
                RuntimeError::LifecycleType { function, source } => {
                    assert_eq!(function, name);
                    assert!(matches!(source, Error::TypeMismatch { .. }), "{source}");
                }
                other => panic!("{other}"),
            }
        }
    }
}

#[test]
fn imports_are_of_the_contract() {
    let with = |imports| Module {
        imports,
        ..Module::default()
    };
    for unknown in [
        r#"(import "airssys-host-services-v1" "format-disk" (func))"#,
        r#"(import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))"#,
        r#"(import "canonical_abi" "resource_drop_x" (func (param i32)))"#,
    ] {
        for error in refusals(&with(unknown).text()) {
            assert!(
                matches!(error, RuntimeError::Load(Error::MissingImport { .. })),
                "{error}"
            );
        }
    }
    let other = r#"(import "airssys-host-services-v1" "sleep-millis" (func (param i32)))"#;
    for error in refusals(&with(other).text()) {
        assert!(
            matches!(error, RuntimeError::Load(Error::ImportType { .. })),
            "{error}"
        );
    }
}

#[test]
fn memory_is_not_shared_and_within_the_limit() {
    let with = |memory| Module {
        memory,
        ..Module::default()
    };
    for error in refusals(&with("2 100 shared").text()) {
        assert!(
            matches!(
                error,
                RuntimeError::Load(Error::Unsupported(_) | Error::Compile { .. })
            ),
            "{error}"
        );
    }
    for error in refusals(&with("20000").text()) {
        assert!(
            matches!(&error, RuntimeError::LimitExceeded { limit, .. } if limit.resource == Resource::Memory),
            "{error}"
        );
    }
}

#[test]
fn a_module_that_does_not_fit_the_memory_budget_is_refused_and_harms_nothing() {
    const PAGE: u64 = 65_536;
    // Two pages each.
    let module = Module::default().build();
    for backend in Backend::available() {
        let budget = MemoryBudget::new(5 * PAGE);
        let config = RuntimeConfig::builder()
            .with_backend(*backend)
            .with_memory_budget(budget.clone());
        let runtime = ComponentRuntime::new(config.build().expect("it is sound")).expect("it links");
        let load = || runtime.load_component(&module, ComponentOptions::new());
        let first = load().expect("it fits");
        let second = load().expect("it fits");
        let refused = load().expect_err("one page is left");
        assert!(
            matches!(&refused, RuntimeError::MemoryBudget { exceeded, .. }
                if (exceeded.allowed, exceeded.used, exceeded.requested) == (5 * PAGE, 4 * PAGE, 2 * PAGE)),
            "{refused}"
        );
        assert_eq!(budget.used(), 4 * PAGE, "nothing is left of the refusal");
        runtime.init(&first).expect("it starts");
        runtime.unload(&second).expect("it is loaded");
        load().expect("it fits");
    }
}

#[test]
fn a_damaged_module_does_not_compile() {
    let mut bytes = Module::default().build();
    bytes.truncate(bytes.len() - 4);
    for runtime in runtimes() {
        let refused = runtime.load_component(&bytes, ComponentOptions::new());
        assert!(matches!(refused, Err(RuntimeError::Load(_))), "{refused:?}");
    }
}
