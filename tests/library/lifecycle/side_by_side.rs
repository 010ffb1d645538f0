//! Parallel calls, unloading, and freeing of instances.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant};

use airssys_wasm::runtime::Call;
use airssys_wasm::{
    ComponentId, ComponentOptions, ComponentRuntime, ComponentState, RuntimeConfig, RuntimeError,
};
use serde_json::{Value, json};

use super::host_support::{Guest, ask, fixture, runtime, runtimes};
use super::{CALLS, call, options, sleeper, within};

const LONG: Duration = Duration::from_secs(60);

/// Returns a runtime whose function `wait` returns once the sender is dropped.
fn waiting() -> (ComponentRuntime, Sender<()>) {
    let (gate, opens) = channel();
    let opens = Mutex::new(opens);
    let config = RuntimeConfig::builder().with_host_function("wait", move |_, _| {
        let _ = opens.lock().expect("no test panics with it").recv_timeout(LONG);
        Ok(Vec::new())
    });
    let runtime = ComponentRuntime::new(config.build().expect("it is sound"));
    (runtime.expect("the contract can be linked"), gate)
}

/// A guest that calls `wait`, and then sleeps until its call ends.
fn waiter() -> Vec<u8> {
    Guest {
        execute: "(call $call-host-function (i32.const 3000) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 3100))
            (call $sleep (i64.const 600000))
            i32.const 0",
        more: r#"(data (i32.const 3000) "wait")"#,
        ..Guest::default()
    }
    .build()
}

fn wait_until_it_executes(runtime: &ComponentRuntime, id: &ComponentId) {
    let begun = Instant::now();
    while runtime.state(id).unwrap() != ComponentState::Executing {
        assert!(begun.elapsed() < LONG, "it is not executed");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn an_executing_component_is_busy_and_others_are_not() {
    let (runtime, gate) = waiting();
    let sleeping = runtime.load_component(&waiter(), options("sleeping")).unwrap();
    let other = runtime
        .load_component(&fixture("text-processor.wasm"), options("other"))
        .unwrap();
    runtime.init(&sleeping).unwrap();
    runtime.init(&other).unwrap();
    std::thread::scope(|scope| {
        let running =
            scope.spawn(|| runtime.execute_with(&sleeping, b"", within(Duration::from_millis(300))));
        wait_until_it_executes(&runtime, &sleeping);
        for this in CALLS {
            let result = call(&runtime, &sleeping, this);
            match this {
                // Known since `init`.
                Call::Metadata => result.unwrap(),
                _ => assert!(
                    matches!(&result, Err(RuntimeError::Busy { running: Call::Execute, call, .. }) if *call == this),
                    "{this}: {result:?}"
                ),
            }
        }
        call(&runtime, &other, Call::Execute).unwrap();
        assert_eq!(runtime.list_components().len(), 2);
        assert!(!running.is_finished());
        drop(gate);
        assert!(matches!(
            running.join().unwrap(),
            Err(RuntimeError::Timeout { .. })
        ));
    });
    assert_eq!(runtime.state(&sleeping).unwrap(), ComponentState::Failed);
}

#[test]
fn a_component_unloaded_during_a_call_ends_its_call() {
    let (runtime, gate) = waiting();
    let id = runtime.load_component(&waiter(), options("sleeping")).unwrap();
    runtime.init(&id).unwrap();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| runtime.execute_with(&id, b"", within(Duration::from_millis(300))));
        wait_until_it_executes(&runtime, &id);
        runtime.unload(&id).unwrap();
        assert!(runtime.list_components().is_empty());
        // The identity is free at once.
        runtime.load_component(&sleeper(), options("sleeping")).unwrap();
        drop(gate);
        assert!(matches!(
            running.join().unwrap(),
            Err(RuntimeError::Timeout { .. })
        ));
        assert_eq!(runtime.state(&id).unwrap(), ComponentState::Created);
    });
}

#[test]
fn components_execute_side_by_side() {
    const THREADS: usize = 4;
    let runtime = runtime();
    let ids: Vec<_> = (0..THREADS)
        .map(|_| {
            let id = runtime
                .load_component(&fixture("counter.wasm"), ComponentOptions::new())
                .unwrap();
            runtime.init(&id).unwrap();
            id
        })
        .collect();
    let start = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for (thread, id) in ids.iter().enumerate() {
            let (runtime, start) = (runtime.clone(), &start);
            scope.spawn(move || {
                start.wait();
                for count in 1..=200 * (thread + 1) {
                    assert_eq!(
                        ask(&runtime, id, "increment", Value::Null),
                        json!({"count": count})
                    );
                }
            });
        }
    });
    // From a different thread than the one that ran it.
    for (thread, id) in ids.iter().enumerate() {
        assert_eq!(
            ask(&runtime, id, "get", Value::Null),
            json!({"count": 200 * (thread + 1)})
        );
    }
}

/// Returns the mapped address space of this process, in bytes.
#[cfg(target_os = "linux")]
fn mapped() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").expect("it is there");
    let pages: u64 = status
        .split(' ')
        .next()
        .expect("a number")
        .parse()
        .expect("a number");
    pages * 4096
}

/// Every instance reserves gigabytes of address space for its memory, so leaked ones are noticed. Space for up to 16 is reserved ahead,
/// which is less than the sixty that end in one way.
#[cfg(target_os = "linux")]
#[test]
fn unload_and_shutdown_and_failure_free_the_instance() {
    // In a process of its own: other tests map memory too.
    if std::env::var_os("AIRSSYS_TEST_ALONE").is_none() {
        let alone = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "lifecycle::side_by_side::unload_and_shutdown_and_failure_free_the_instance",
            ])
            .env("AIRSSYS_TEST_ALONE", "1")
            .output()
            .unwrap();
        let output = String::from_utf8_lossy(&alone.stdout);
        assert!(alone.status.success() && output.contains("1 passed"), "{output}");
        return;
    }
    for runtime in runtimes() {
        let trapping = Guest {
            execute: "unreachable",
            ..Guest::default()
        }
        .build();
        let round = |ending: usize| {
            let bytes = if ending == 2 {
                trapping.clone()
            } else {
                fixture("checksum.wasm")
            };
            let id = runtime.load_component(&bytes, ComponentOptions::new()).unwrap();
            runtime.init(&id).unwrap();
            match ending {
                0 => runtime.unload(&id).unwrap(),
                1 => runtime.shutdown(&id).unwrap(),
                _ => drop(runtime.execute(&id, b"").unwrap_err()),
            }
        };
        (0..6).for_each(|number| round(number % 3));
        let before = mapped();
        (0..180).for_each(|number| round(number % 3));
        let grown = mapped().saturating_sub(before);
        assert!(
            grown < 16 * (8 << 30),
            "{grown} bytes more are mapped after 180 components"
        );
    }
}
