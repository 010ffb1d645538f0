//! Modules that follow the contract's types and break its rules: each ends alone, with an error that names its fault.

use std::time::{Duration, Instant};

use airssys_wasm::engine::StoreLimits;
use airssys_wasm::error::{CoreTrap, Error, TrapKind};
use airssys_wasm::limits::{Resource, ResourceLimits};
use airssys_wasm::runtime::{Call, ComponentState};
use airssys_wasm::{ComponentOptions, ComponentRuntime, RuntimeConfig, RuntimeError};

use crate::host_support::runtimes;
use crate::module::Module;

/// Runs a module to its end on each backend, and a well-behaved guest in parallel; returns the module's errors.
fn ends(module: Module) -> Vec<RuntimeError> {
    let (bytes, good) = (module.build(), Module::default().build());
    let end = |runtime: ComponentRuntime| {
        let hostile = runtime.load_component(&bytes, ComponentOptions::new());
        let hostile = hostile.unwrap_or_else(|error| panic!("it loads: {error}"));
        let error = (|| {
            runtime.init(&hostile)?;
            runtime.execute(&hostile, &[1, 2, 3])?;
            runtime.health(&hostile)?;
            runtime.supported_codecs(&hostile)?;
            runtime.shutdown(&hostile)
        })()
        .expect_err("it is stopped");
        assert_eq!(
            runtime.state(&hostile).unwrap(),
            ComponentState::Failed,
            "{error}"
        );
        runtime.unload(&hostile).unwrap();

        let good = runtime.load_component(&good, ComponentOptions::new());
        let good = good.expect("it loads");
        runtime.init(&good).unwrap();
        assert!(runtime.execute(&good, &[1, 2, 3]).unwrap().is_empty());
        error
    };
    runtimes().into_iter().map(end).collect()
}

/// Checks the trap that stopped a module, on every backend.
#[track_caller]
fn stopped_by(module: Module, expected: impl Fn(&TrapKind) -> bool) {
    for error in ends(module) {
        let RuntimeError::Stopped { source, .. } = &error else {
            panic!("{error}");
        };
        let kind = source.trap().unwrap_or_else(|| panic!("{error}")).kind();
        assert!(expected(kind), "{kind:?}");
    }
}

fn abi(text: &'static str) -> impl Fn(&TrapKind) -> bool {
    move |kind| matches!(kind, TrapKind::Abi(error) if error.to_string().contains(text))
}

const BEYOND: &str = "out of bounds of linear memory";

#[test]
fn results_lie_in_memory() {
    for execute in [
        "i32.const -1",
        "i32.const 131070",
        "i32.const 0x7fffffff",
        "i32.const 0x80000000",
    ] {
        stopped_by(
            Module {
                execute,
                ..Module::default()
            },
            abi(BEYOND),
        );
    }
}

/// Returns a module whose `execute` returns the data at 1024.
fn answering(more: &'static str) -> Module {
    Module {
        execute: "i32.const 1024",
        more,
        ..Module::default()
    }
}

#[test]
fn lists_and_texts_lie_in_memory() {
    for more in [
        // A list with an invalid pointer, one with an invalid length, and one with both.
        r#"(data (i32.const 1032) "\ff\ff\ff\7f\01\00\00\00")"#,
        r#"(data (i32.const 1032) "\00\00\00\00\ff\ff\ff\ff")"#,
        r#"(data (i32.const 1032) "\00\00\00\80\00\00\00\80")"#,
        // The texts of errors.
        r#"(data (i32.const 1024) "\01\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\01\00\02\00\00\00")"#,
        r#"(data (i32.const 1024) "\01\00\00\00\00\00\00\00\06\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\ff")"#,
    ] {
        stopped_by(answering(more), abi(BEYOND));
    }
}

#[test]
fn cases_and_texts_are_valid() {
    let case = r#"(data (i32.const 1024) "\02")"#;
    stopped_by(answering(case), abi("discriminant 2 is out of range"));
    let case = r#"(data (i32.const 1024) "\01\00\00\00\00\00\00\00\07")"#;
    stopped_by(answering(case), abi("discriminant 7 is out of range"));
    let text = r#"(data (i32.const 1024) "\01\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\20\04\00\00\02\00\00\00")
        (data (i32.const 0x420) "\c3\28")"#;
    stopped_by(answering(text), abi("not valid UTF-8"));
    let health = Module {
        health: "i32.const 1024",
        more: r#"(data (i32.const 1024) "\03")"#,
        ..Module::default()
    };
    stopped_by(health, abi("discriminant 3 is out of range"));
    // The glue's own check.
    let stateful = Module {
        metadata: "i32.const 1024",
        more: r#"(data (i32.const 1136) "\02")"#,
        ..Module::default()
    };
    stopped_by(
        stateful,
        |kind| matches!(kind, TrapKind::Other(text) if text.contains("bool")),
    );
}

#[test]
fn lists_of_texts_are_not_allocated_by_their_length() {
    let metadata = |more| Module {
        metadata: "i32.const 1024",
        more,
        ..Module::default()
    };
    for more in [
        // Two thousand million capabilities, or tags, or pairs.
        r#"(data (i32.const 1068) "\ff\ff\ff\7f")"#,
        r#"(data (i32.const 1176) "\ff\ff\ff\ff")"#,
        r#"(data (i32.const 1180) "\01\00\00\00\00\00\00\00\ff\ff\ff\0f")"#,
    ] {
        stopped_by(metadata(more), abi(BEYOND));
    }
    // A text in a list.
    let inner = r#"(data (i32.const 1064) "\00\08\00\00\01\00\00\00") (data (i32.const 2048) "\ff\ff\ff\ff\01\00\00\00")"#;
    stopped_by(metadata(inner), abi(BEYOND));
}

#[test]
fn a_list_of_references_to_one_text_has_a_limit() {
    // 8000 texts of 60000 bytes: 480 MB.
    let module = Module {
        metadata: "(local $i i32)
            (loop $again
              (i32.store (i32.add (i32.const 65536) (i32.shl (local.get $i) (i32.const 3))) (i32.const 0))
              (i32.store (i32.add (i32.const 65540) (i32.shl (local.get $i) (i32.const 3))) (i32.const 60000))
              (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 8000))))
            i32.const 1024",
        more: r#"(data (i32.const 1064) "\00\00\01\00\40\1f\00\00")"#,
        ..Module::default()
    };
    stopped_by(
        module,
        |kind| matches!(kind, TrapKind::Limit(text) if text.contains("lift_bytes")),
    );
}

#[test]
fn what_is_allocated_lies_in_memory() {
    for realloc in [
        "i32.const -8",
        "i32.const 131071",
        "i32.const 0x7fffffff",
        "i32.const 3",
    ] {
        let module = Module {
            realloc,
            ..Module::default()
        };
        stopped_by(module, abi("realloc of"));
    }
    let trapping = Module {
        realloc: "unreachable",
        ..Module::default()
    };
    stopped_by(trapping, |kind| *kind == TrapKind::Core(CoreTrap::Unreachable));
}

#[test]
fn freeing_changes_nothing_that_is_read() {
    // The list that is freed first would overwrite the pointers of the others.
    let module = Module {
        metadata: "i32.const 1024",
        free: "(memory.fill (i32.const 1024) (i32.const 255) (i32.const 200))",
        more: r#"(data (i32.const 1024) "\00\08\00\00\02\00\00\00\02\08\00\00\03\00\00\00") (data (i32.const 2048) "abcde")"#,
        ..Module::default()
    };
    for runtime in runtimes() {
        let loaded = runtime
            .load_component(&module.build(), ComponentOptions::new())
            .unwrap();
        let metadata = runtime.metadata(&loaded).unwrap();
        assert_eq!((metadata.name.as_str(), metadata.version.as_str()), ("ab", "cde"));
    }
    let trapping = Module {
        free: "unreachable",
        ..module
    };
    stopped_by(trapping, |kind| *kind == TrapKind::Core(CoreTrap::Unreachable));
}

#[test]
fn traps_end_the_module() {
    let unreachable = |kind: &TrapKind| *kind == TrapKind::Core(CoreTrap::Unreachable);
    let modules: [fn(&mut Module); 6] = [
        |module| module.init = "unreachable",
        |module| module.execute = "unreachable",
        |module| module.metadata = "unreachable",
        |module| module.health = "unreachable",
        |module| module.codecs = "unreachable",
        |module| module.shutdown = "unreachable",
    ];
    for change in modules {
        let mut module = Module::default();
        change(&mut module);
        stopped_by(module, unreachable);
    }
    let deep = Module {
        execute: "call $deep",
        more: "(func $deep (result i32) (i32.add (call $deep) (i32.const 1)))",
        ..Module::default()
    };
    for error in ends(deep) {
        assert!(
            matches!(&error, RuntimeError::Limit { limit, .. } if limit.resource == Resource::Stack),
            "{error}"
        );
    }
}

#[cfg(all(unix, feature = "interrupt"))]
#[test]
fn loops_end_at_their_deadline() {
    const FOREVER: &str = "(loop $again (br $again)) i32.const 0";
    let modules: [fn(&mut Module); 5] = [
        |module| module.init = FOREVER,
        |module| module.execute = FOREVER,
        |module| module.metadata = FOREVER,
        |module| module.realloc = FOREVER,
        |module| {
            module.codecs = "i32.const 1024";
            module.free = "(loop $again (br $again))";
        },
    ];
    for change in modules {
        let mut module = Module::default();
        change(&mut module);
        for runtime in timed(Duration::from_millis(100)) {
            let loaded = runtime
                .load_component(&module.build(), ComponentOptions::new())
                .unwrap();
            let start = Instant::now();
            let ended = runtime
                .init(&loaded)
                .and_then(|()| runtime.execute(&loaded, &[1]).map(drop))
                .and_then(|()| runtime.supported_codecs(&loaded).map(drop));
            assert!(matches!(ended, Err(RuntimeError::Timeout { .. })), "{ended:?}");
            assert!(start.elapsed() < Duration::from_secs(60));
            assert_eq!(runtime.state(&loaded).unwrap(), ComponentState::Failed);
        }
    }
    let starting = Module {
        more: "(func $start (loop $again (br $again))) (start $start)",
        ..Module::default()
    };
    for runtime in timed(Duration::from_millis(100)) {
        let ended = runtime.load_component(&starting.build(), ComponentOptions::new());
        let expected = |error: &RuntimeError| {
            matches!(
                error,
                RuntimeError::Timeout {
                    call: Call::Instantiate,
                    ..
                }
            )
        };
        assert!(ended.as_ref().is_err_and(expected), "{ended:?}");
    }
    // Time enough for the other limits to end it.
    for runtime in timed(Duration::from_secs(60)) {
        let options = ComponentOptions::new()
            .with_resource_limits(ResourceLimits::new().with_cpu_time(Duration::from_millis(20)));
        let ended = runtime.load_component(&starting.build(), options);
        assert!(
            matches!(&ended, Err(RuntimeError::Limit { call: Call::Instantiate, limit, .. })
                if limit.resource == Resource::CpuTime),
            "{ended:?}"
        );
        let options = ComponentOptions::new().with_resource_limits(ResourceLimits::new().with_fuel(1));
        let refused = runtime.load_component(&starting.build(), options);
        assert!(
            matches!(refused, Err(RuntimeError::Unenforceable { .. })),
            "{refused:?}"
        );
    }
}

/// Creates a runtime on each backend, with this time limit for calls.
fn timed(time: Duration) -> Vec<ComponentRuntime> {
    let on = |backend: &airssys_wasm::engine::Backend| {
        let config = RuntimeConfig::builder()
            .with_backend(*backend)
            .with_default_timeout(time)
            .build();
        ComponentRuntime::new(config.expect("it is sound")).expect("the contract can be linked")
    };
    airssys_wasm::engine::Backend::available()
        .iter()
        .map(on)
        .collect()
}

#[test]
fn memory_and_tables_have_limits() {
    // Grows by 64 MiB until it cannot, and traps once it has more than allowed.
    let growing = Module {
        memory: "2",
        execute: "(loop $again
              (if (i32.gt_u (memory.size) (i32.const 1024)) (then (unreachable)))
              (br_if $again (i32.ne (memory.grow (i32.const 512)) (i32.const -1))))
            i32.const 0",
        ..Module::default()
    };
    let table = Module {
        more: "(table 2000000 funcref)",
        ..Module::default()
    };
    for backend in airssys_wasm::engine::Backend::available() {
        let mut limits = StoreLimits::default();
        limits.memory_bytes = 64 << 20;
        let config = RuntimeConfig::builder()
            .with_backend(*backend)
            .with_limits(limits);
        let runtime = ComponentRuntime::new(config.build().unwrap()).unwrap();
        let loaded = runtime
            .load_component(&growing.build(), ComponentOptions::new())
            .unwrap();
        runtime.init(&loaded).unwrap();
        runtime.execute(&loaded, &[]).unwrap();
        let refused = runtime.load_component(&table.build(), ComponentOptions::new());
        assert!(
            matches!(&refused, Err(RuntimeError::Load(Error::LimitExceeded(exceeded)))
                if exceeded.limit == "table_elements"),
            "{refused:?}"
        );
    }
}

/// Returns a module that imports all functions with arguments, and calls some.
fn calling(imports: &'static str, execute: &'static str) -> Module {
    Module {
        imports,
        execute,
        ..Module::default()
    }
}

const LOG: &str = r#"(import "airssys-host-services-v1" "log" (func $log (param i32 i32 i32 i32 i32 i32)))"#;
const GET: &str = r#"(import "airssys-host-services-v1" "get-config" (func $get (param i32 i32 i32)))"#;
const LIST: &str = r#"(import "airssys-host-services-v1" "list-components" (func $list (param i32)))"#;

#[test]
fn arguments_of_imports_lie_in_memory() {
    for execute in [
        // The message; the pairs; their number.
        "(call $log (i32.const 2) (i32.const -1) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)) i32.const 0",
        "(call $log (i32.const 2) (i32.const 0) (i32.const -1) (i32.const 0) (i32.const 0) (i32.const 0)) i32.const 0",
        "(call $log (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 131064) (i32.const 1)) i32.const 0",
        "(call $log (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0x7fffffff)) i32.const 0",
        "(call $log (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const -1)) i32.const 0",
    ] {
        stopped_by(calling(LOG, execute), abi(BEYOND));
    }
    let case = "(call $log (i32.const 9) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)) i32.const 0";
    stopped_by(calling(LOG, case), abi("discriminant 9 is out of range"));
    let case = "(call $log (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 2) (i32.const 0) (i32.const 0)) i32.const 0";
    stopped_by(calling(LOG, case), abi("discriminant 2 is out of range"));
    let text = "(i32.store8 (i32.const 0) (i32.const 255))
        (call $log (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)) i32.const 0";
    stopped_by(calling(LOG, text), abi("not valid UTF-8"));
}

#[test]
fn results_of_imports_go_to_memory() {
    for at in ["-1", "0x7fffffff", "0x7ffffff0", "131071"] {
        let execute: &'static str = Box::leak(
            format!("(call $get (i32.const 0) (i32.const 1) (i32.const {at})) i32.const 0").into_boxed_str(),
        );
        stopped_by(calling(GET, execute), abi(BEYOND));
    }
    let list = Module {
        realloc: "i32.const 131070",
        execute: "(call $list (i32.const 1024)) i32.const 0",
        imports: LIST,
        ..Module::default()
    };
    stopped_by(list, abi("realloc of"));
}

#[test]
fn nothing_is_called_before_there_is_an_instance() {
    let starting = Module {
        imports: LOG,
        more: "(func $start
            (call $log (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
            (start $start)",
        ..Module::default()
    };
    for runtime in runtimes() {
        match runtime.load_component(&starting.build(), ComponentOptions::new()) {
            Err(RuntimeError::Load(Error::Trap(trap))) => {
                assert!(
                    trap.to_string().contains("before the module was instantiated"),
                    "{trap}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
}
