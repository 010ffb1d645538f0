//! Limits on CPU time, fuel and handles of single calls, and the errors of calls that exceed them.

use std::time::{Duration, Instant};

use airssys_wasm::engine::{Backend, Config};
use airssys_wasm::error::{CoreTrap, Error, TrapKind};
use airssys_wasm::limits::{LimitSource, Resource, ResourceLimits};
use airssys_wasm::runtime::{Call, ErrorKind, TimeLimit};
use airssys_wasm::security::{Policy, SecurityContext};
use airssys_wasm::{ComponentOptions, ComponentRuntime, ComponentState, RuntimeConfig, RuntimeError};
use airssys_wasm_test_support::host::{Guest, id, runtime, runtimes};

use super::{limit, started};

const FOREVER: &str = "(loop (br 0)) i32.const 0";
const STARTING_FOREVER: &str = "(func $start (loop (br 0))) (start $start)";

/// Creates a runtime on each backend, with these limits, whose code counts fuel.
fn metered(limits: &ResourceLimits) -> Vec<ComponentRuntime> {
    let on = |backend: &Backend| {
        let config = RuntimeConfig::builder()
            .with_backend(*backend)
            .with_fuel_metering(true)
            .with_resource_limits(limits.clone())
            .build();
        ComponentRuntime::new(config.expect("it is available")).expect("the contract can be linked")
    };
    Backend::available().iter().map(on).collect()
}

/// A component that executes this.
fn executing(execute: &'static str) -> Vec<u8> {
    Guest {
        execute,
        ..Guest::default()
    }
    .build()
}

/// Returns the call, the limit and the reason of a component that was stopped at a limit.
fn stopped(error: &RuntimeError) -> (Call, (Resource, u64, LimitSource), TrapKind) {
    assert_eq!(error.kind(), ErrorKind::Stopped, "{error}");
    match error {
        RuntimeError::Limit {
            call, limit, source, ..
        } => {
            let trap = source.trap().expect("a trap").kind().clone();
            (*call, (limit.resource, limit.value, limit.source.clone()), trap)
        }
        other => panic!("no limit: {other}"),
    }
}

#[test]
fn a_call_that_computes_on_is_stopped_at_its_cpu_time() {
    for runtime in runtimes() {
        let policy = Policy::from_toml("policy.toml", "[limits]\ncpu-time = '40ms'\n").expect("a policy");
        let context = SecurityContext::builder().policy(policy).build();
        let options = ComponentOptions::new().with_id(id("busy")).with_security(context);
        let id = runtime
            .load_component(&executing(FOREVER), options)
            .expect("it loads");
        runtime.init(&id).expect("it starts");
        let begin = Instant::now();
        let error = runtime.execute(&id, b"").expect_err("it takes too long");
        assert!(begin.elapsed() >= Duration::from_millis(40));
        let source = LimitSource::Policy("policy.toml:2".into());
        let (call, limit, trap) = stopped(&error);
        assert_eq!(
            (call, limit),
            (Call::Execute, (Resource::CpuTime, 40, source)),
            "{error}"
        );
        assert!(matches!(trap, TrapKind::CpuTime { .. }), "{error}");
        assert!(
            error.to_string().starts_with(
                "`execute` of `busy` was stopped at its limit (cpu-time = 40ms, by the policy, policy.toml:2): "
            ),
            "{error}"
        );
        assert_eq!(runtime.state(&id).expect("it is loaded"), ComponentState::Failed);
    }
}

#[test]
fn time_asleep_is_no_cpu_time_and_each_call_has_its_own() {
    // Sleeps for four times its limit; then computes, for less than it, as often as it is called.
    let sleeping = executing(
        "(local $n i32) (call $sleep (i64.const 400)) (local.set $n (i32.const 1000000))
         (loop (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1))))) i32.const 0",
    );
    let limits = ResourceLimits::new().with_cpu_time(Duration::from_millis(100));
    for runtime in runtimes() {
        let id = started(&runtime, "sleeping", &sleeping, limits.clone());
        for _ in 0..2 {
            runtime.execute(&id, b"").expect("it sleeps");
        }
        let found = runtime.effective_limits(&id).expect("it is loaded");
        assert_eq!(limit(&found, Resource::CpuTime), (100, LimitSource::Options));
    }
}

#[test]
fn a_call_is_stopped_when_its_fuel_is_consumed() {
    let limits = ResourceLimits::new().with_fuel(100_000);
    for runtime in metered(&limits) {
        let id = started(&runtime, "endless", &executing(FOREVER), ResourceLimits::new());
        let error = runtime.execute(&id, b"").expect_err("it has no end");
        let (call, limit, trap) = stopped(&error);
        assert_eq!(
            (call, limit, trap),
            (
                Call::Execute,
                (Resource::Fuel, 100_000, LimitSource::Runtime),
                TrapKind::OutOfFuel { given: 100_000 }
            ),
            "{error}"
        );
        assert_eq!(runtime.state(&id).expect("it is loaded"), ComponentState::Failed);
    }
}

#[test]
fn each_call_has_fuel_of_its_own_and_the_guest_gets_its_figure() {
    // Each call consumes more than half of the fuel. `init` has the fuel at 7 and 8 of its parameters, `execute` at 48.
    const WORK: &str = "(loop (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))";
    let init = format!(
        "(local $n i32) (if (i32.ne (local.get 7) (i32.const 1)) (then unreachable))
         (if (i64.ne (local.get 8) (i64.const 20000)) (then unreachable))
         (local.set $n (i32.const 2500)) {WORK} i32.const 0"
    );
    let execute = format!(
        "(local $n i32) (if (i32.ne (i32.load8_u offset=48 (local.get 0)) (i32.const 1)) (then unreachable))
         (if (i64.ne (i64.load offset=56 (local.get 0)) (i64.const 20000)) (then unreachable))
         (local.set $n (i32.const 2500)) {WORK} i32.const 0"
    );
    let working = Guest {
        init: init.leak(),
        execute: execute.leak(),
        ..Guest::default()
    }
    .build();
    for runtime in metered(&ResourceLimits::new()) {
        let limits = ResourceLimits::new().with_fuel(20_000);
        let id = started(&runtime, "working", &working, limits);
        for _ in 0..10 {
            runtime.execute(&id, b"").expect("it has fuel of its own");
            runtime.health(&id).expect("so has this");
        }
    }
}

#[test]
fn a_limit_on_fuel_needs_code_that_counts() {
    let limits = ResourceLimits::new().with_fuel(1000);
    for runtime in runtimes() {
        let options = ComponentOptions::new()
            .with_id(id("unmetered"))
            .with_resource_limits(limits.clone());
        let guest = Guest::default().build();
        let refused = runtime
            .load_component(&guest, options.clone())
            .expect_err("it does not count");
        assert!(
            matches!(
                &refused,
                RuntimeError::Unenforceable { limit, source: Error::FuelNotConsumed, .. }
                    if limit.resource == Resource::Fuel && limit.value == 1000
            ),
            "{refused}"
        );
        assert_eq!(refused.kind(), ErrorKind::Load);
        let shown = refused.to_string();
        assert!(
            shown.contains("fuel = 1000, by the component's options"),
            "{shown}"
        );
        assert!(
            shown.contains("RuntimeConfigBuilder::with_fuel_metering(true)"),
            "{shown}"
        );
        assert!(runtime.list_components().is_empty());
        // An engine of its own counts.
        let mut config = Config::new();
        config.backend(runtime.config().backend()).consume_fuel(true);
        let id = runtime
            .load_component(&guest, options.with_engine(config))
            .expect("it counts");
        runtime.init(&id).expect("it starts");
    }
}

/// An engine of a component's own does not count because the runtime's does.
#[test]
fn a_limit_on_fuel_needs_an_engine_that_counts_for_a_component_with_its_own() {
    let limits = ResourceLimits::new().with_fuel(1_000_000);
    let guest = Guest::default().build();
    for runtime in metered(&ResourceLimits::new()) {
        let backend = runtime.config().backend();
        let mut config = Config::new();
        config.backend(backend);
        let options = ComponentOptions::new()
            .with_id(id("own"))
            .with_resource_limits(limits.clone());
        for own in [
            options.clone().with_engine(config.clone()),
            options.clone().with_backend(backend),
        ] {
            let refused = runtime
                .load_component(&guest, own)
                .expect_err("it does not count");
            assert!(
                matches!(&refused, RuntimeError::Unenforceable { limit, .. } if limit.resource == Resource::Fuel),
                "{refused}"
            );
            assert!(runtime.list_components().is_empty());
        }
        config.consume_fuel(true);
        for counting in [options.clone(), options.with_engine(config)] {
            let id = runtime.load_component(&guest, counting).expect("it counts");
            runtime.init(&id).expect("it starts");
            runtime.unload(&id).expect("it is loaded");
        }
    }
}

#[test]
fn a_recursion_is_stopped_at_the_stack_of_its_component() {
    let deep = Guest {
        execute: "(call $deep) i32.const 0",
        more: "(func $deep (call $deep) (call $deep))",
        ..Guest::default()
    }
    .build();
    let policy = Policy::from_toml("policy.toml", "[limits]\nstack = '128KiB'\n").expect("a policy");
    for runtime in runtimes() {
        let limited = SecurityContext::builder().policy(policy.clone()).build();
        for (context, expected) in [
            (limited, (128 << 10, LimitSource::Policy("policy.toml:2".into()))),
            (SecurityContext::new(), (1 << 20, LimitSource::Default)),
        ] {
            let options = ComponentOptions::new().with_id(id("deep")).with_security(context);
            let id = runtime.load_component(&deep, options).expect("it loads");
            runtime.init(&id).expect("it starts");
            let found = runtime.effective_limits(&id).expect("it is loaded");
            assert_eq!(limit(&found, Resource::Stack), expected);
            let error = runtime.execute(&id, b"").expect_err("it has no end");
            assert_eq!(
                stopped(&error),
                (
                    Call::Execute,
                    (Resource::Stack, expected.0, expected.1),
                    TrapKind::Core(CoreTrap::StackOverflow)
                ),
                "{error}"
            );
            assert_eq!(runtime.state(&id).expect("it is loaded"), ComponentState::Failed);
            runtime.unload(&id).expect("it is loaded");
        }
    }
}

#[test]
fn start_functions_are_within_the_limits_of_a_call() {
    let guest = Guest {
        more: STARTING_FOREVER,
        ..Guest::default()
    }
    .build();
    let load = |runtime: &ComponentRuntime, limits: ResourceLimits| {
        let options = ComponentOptions::new()
            .with_id(id("starting"))
            .with_resource_limits(limits);
        let refused = runtime
            .load_component(&guest, options)
            .expect_err("it has no end");
        assert!(runtime.list_components().is_empty());
        refused
    };
    for runtime in metered(&ResourceLimits::new()) {
        let refused = load(
            &runtime,
            ResourceLimits::new().with_cpu_time(Duration::from_millis(30)),
        );
        let (call, limit, _) = stopped(&refused);
        assert_eq!(
            (call, limit),
            (Call::Instantiate, (Resource::CpuTime, 30, LimitSource::Options))
        );
        let refused = load(&runtime, ResourceLimits::new().with_fuel(5000));
        let (call, limit, _) = stopped(&refused);
        assert_eq!(
            (call, limit),
            (Call::Instantiate, (Resource::Fuel, 5000, LimitSource::Options))
        );
        let refused = load(
            &runtime,
            ResourceLimits::new().with_call_time(Duration::from_millis(50)),
        );
        assert!(
            matches!(&refused, RuntimeError::Timeout { call: Call::Instantiate, after, limit, .. }
                if after.as_millis() == 50 && *limit == TimeLimit::Limit(LimitSource::Options)),
            "{refused}"
        );
        assert_eq!(refused.kind(), ErrorKind::Stopped);
    }
}

#[test]
fn the_error_of_too_many_handles_names_the_limit_and_its_source() {
    // Pollables that are never dropped.
    let hoarding = executing("(loop (drop (call $after (i64.const 1))) (br 0)) i32.const 0");
    for runtime in runtimes() {
        let limits = ResourceLimits::new().with_handles(50);
        let id = started(&runtime, "hoarding", &hoarding, limits);
        let error = runtime.execute(&id, b"").expect_err("there is an end");
        let (call, limit, _) = stopped(&error);
        assert_eq!(
            (call, limit),
            (Call::Execute, (Resource::Handles, 50, LimitSource::Options)),
            "{error}"
        );
        assert!(
            error
                .to_string()
                .contains("handles = 50, by the component's options"),
            "{error}"
        );
        // WASI's own limit is lower than the default.
        let id = started(&runtime, "more", &hoarding, ResourceLimits::new());
        let error = runtime.execute(&id, b"").expect_err("there is an end");
        assert!(matches!(error, RuntimeError::Stopped { .. }), "{error}");
        assert!(error.to_string().contains("10000"), "{error}");
    }
}

#[test]
fn a_trap_of_the_guest_is_no_limit() {
    let limits = ResourceLimits::new()
        .with_fuel(1 << 30)
        .with_cpu_time(Duration::from_secs(60));
    for runtime in metered(&limits) {
        let id = started(
            &runtime,
            "trapping",
            &executing("unreachable"),
            ResourceLimits::new(),
        );
        let error = runtime.execute(&id, b"").expect_err("it traps");
        assert!(matches!(error, RuntimeError::Stopped { .. }), "{error}");
    }
    let runtime = runtime();
    let id = started(
        &runtime,
        "plain",
        &executing("unreachable"),
        ResourceLimits::new(),
    );
    assert!(runtime.execute(&id, b"").is_err());
}
