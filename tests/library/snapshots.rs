//! Snapshots of components of the contract: they begin initialized, and answer as the component that they were made from.

use airssys_wasm_test_support as common;
use airssys_wasm_test_support::host as host_support;

use airssys_wasm::actors::{ActorOptions, ActorSystem};
use airssys_wasm::artifact::{self, Artifact, SecretKey, SnapshotError, Trust};
use airssys_wasm::codec::Codec;
use airssys_wasm::engine::{Backend, Config, Engine, OptLevel};
use airssys_wasm::error::UnsavedState;
use airssys_wasm::load::{LoadOptions, Loader};
use airssys_wasm::runtime::{ComponentState, SnapshotProblem};
use airssys_wasm::security::Capability;
use airssys_wasm::{ComponentId, ComponentOptions, ComponentRuntime, RuntimeError};
use common::{built_bytes, fixture};
use host_support::{Guest, ask, id, operation, runtime};
use serde_json::json;

/// An artifact of a component, and the key that signed it.
#[derive(Debug)]
struct Signed {
    file: Vec<u8>,
    key: SecretKey,
}

impl Signed {
    fn new(backend: Backend, component: &[u8]) -> Signed {
        let mut config = Config::new();
        config.backend(backend);
        if backend == Backend::Llvm && component.len() > 1 << 20 {
            config.opt_level(OptLevel::None);
        }
        let engine = Engine::new(&config).expect("it is available");
        let key = SecretKey::generate().expect("random numbers");
        let file = artifact::compile(&engine, component, Some(&key)).expect("it compiles");
        Signed { file, key }
    }

    fn trust(&self) -> Trust {
        Trust::new([self.key.public()])
    }

    fn load(
        &self,
        runtime: &ComponentRuntime,
        options: ComponentOptions,
    ) -> Result<ComponentId, RuntimeError> {
        runtime.load(&self.file[..].into(), &self.trust(), options)
    }

    fn snapshot(&self, runtime: &ComponentRuntime, id: &ComponentId) -> Result<Signed, RuntimeError> {
        let artifact = Artifact::open(&self.file).expect("it is whole");
        let file = runtime.snapshot(id, &artifact, Some(&self.key))?;
        let key = self.key.to_text().parse().expect("a key");
        Ok(Signed { file, key })
    }
}

/// The reason for which no snapshot is made or loaded.
fn problem<T: std::fmt::Debug>(refused: Result<T, RuntimeError>) -> SnapshotProblem {
    match refused {
        Err(RuntimeError::Snapshot { problem, .. }) => problem,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_snapshot_begins_initialized_and_goes_on() {
    let guest = fixture("counter.wasm");
    for backend in Backend::available() {
        let signed = Signed::new(*backend, &guest);
        let first = runtime();
        let options = ComponentOptions::new().with_config("start", "41");
        let counter = signed.load(&first, options).unwrap();
        assert!(
            matches!(
                signed.snapshot(&first, &counter),
                Err(RuntimeError::WrongState { .. })
            ),
            "only what is initialized"
        );
        first.init(&counter).unwrap();
        ask(&first, &counter, "increment", json!(null));
        let snapshot = signed.snapshot(&first, &counter).unwrap();
        // The component goes on, and the snapshot does not see it.
        assert_eq!(
            ask(&first, &counter, "increment", json!(null)),
            json!({"count": 43})
        );

        let second = runtime();
        for _ in 0..2 {
            // Read by each operation, and not there before.
            let options = ComponentOptions::new().with_config("step", "1");
            let counter = snapshot.load(&second, options).unwrap();
            assert_eq!(second.state(&counter).unwrap(), ComponentState::Initialized);
            assert_eq!(ask(&second, &counter, "get", json!(null)), json!({"count": 42}));
            second.init(&counter).unwrap();
            assert_eq!(
                ask(&second, &counter, "increment", json!(null)),
                json!({"count": 43})
            );
            let metadata = second.metadata(&counter).unwrap();
            assert_eq!(
                (metadata.name.as_str(), metadata.timeout_ms),
                ("counter", Some(1000))
            );
            assert_eq!(metadata, first.metadata(&first.list_components()[0]).unwrap());
            second.shutdown(&counter).unwrap();
        }
        let same = ComponentOptions::new().with_config("start", "41");
        snapshot.load(&second, same).unwrap();
        let other = ComponentOptions::new().with_config("start", "7");
        let refused = problem(snapshot.load(&second, other));
        let is_named = matches!(&refused, SnapshotProblem::Setting(key) if key == "start");
        assert!(is_named, "{refused}");
    }
}

#[test]
fn the_host_that_loads_it_states_the_same_configuration_or_none() {
    let signed = Signed::new(Backend::available()[0], &Guest::default().build());
    let configured = |name: &str, value: &str| {
        ComponentOptions::new()
            .with_env(name, value)
            .with_env("B", "2")
            .with_config_data(b"confidential".to_vec())
    };
    let first = runtime();
    let processor = signed.load(&first, configured("A", "1")).unwrap();
    first.init(&processor).unwrap();
    let snapshot = signed.snapshot(&first, &processor).unwrap();
    // Neither values nor data are in the record.
    let record = Artifact::open(&snapshot.file)
        .unwrap()
        .snapshot_record()
        .unwrap()
        .unwrap();
    let record = String::from_utf8(record).unwrap();
    assert!(
        !record.contains("confidential") && record.contains("\"configuration\""),
        "{record}"
    );

    let second = runtime();
    snapshot.load(&second, ComponentOptions::new()).unwrap();
    snapshot.load(&second, configured("A", "1")).unwrap();
    let swapped = ComponentOptions::new()
        .with_env("B", "2")
        .with_env("A", "1")
        .with_config_data(b"confidential".to_vec());
    snapshot.load(&second, swapped).unwrap();
    for (name, value) in [("A", "2"), ("C", "1")] {
        let refused = problem(snapshot.load(&second, configured(name, value)));
        assert!(matches!(refused, SnapshotProblem::Configuration), "{refused}");
    }
}

#[test]
fn state_of_the_host_is_named() {
    let signed = Signed::new(Backend::available()[0], &fixture("counter.wasm"));
    let runtime = runtime();
    let held = |options: ComponentOptions, change: &dyn Fn(&ComponentId)| {
        let counter = signed.load(&runtime, options).unwrap();
        runtime.init(&counter).unwrap();
        change(&counter);
        match problem(signed.snapshot(&runtime, &counter)) {
            SnapshotProblem::HostState(held) => held,
            other => panic!("{other}"),
        }
    };
    let all = Capability::new("messaging:*").ok();
    let open = || {
        let options = ComponentOptions::new();
        all.iter()
            .cloned()
            .fold(options, ComponentOptions::with_capability)
    };
    let changed = held(open(), &|counter| {
        ask(&runtime, counter, "set-step", json!({"step": 2}));
    });
    assert_eq!(changed, ["the setting `step`"]);
    assert_eq!(
        held(open().with_secret_env("KEY", "s3cret"), &|_| ()),
        ["the secret variable `KEY`"]
    );
    assert_eq!(
        held(open().with_secret_config("key", "s3cret"), &|_| ()),
        ["the secret setting `key`"]
    );
}

#[test]
fn other_artifacts_and_held_resources_are_refused() {
    let backend = Backend::available()[0];
    let runtime = runtime();
    let signed = Signed::new(backend, &fixture("counter.wasm"));
    let other = Signed::new(backend, &fixture("text-processor.wasm"));
    let counter = signed.load(&runtime, ComponentOptions::new()).unwrap();
    runtime.init(&counter).unwrap();
    let refused = problem(other.snapshot(&runtime, &counter));
    let is_other = matches!(refused, SnapshotProblem::Component(SnapshotError::OtherArtifact));
    assert!(is_other, "{refused}");

    // A pollable that is never dropped.
    let keeping = Guest {
        init: "(call $keep)",
        more: "(func $keep (result i32) (drop (call $after (i64.const 1))) (i32.const 0))",
        ..Guest::default()
    };
    let signed = Signed::new(backend, &keeping.build());
    let keeping = signed.load(&runtime, ComponentOptions::new()).unwrap();
    runtime.init(&keeping).unwrap();
    let refused = problem(signed.snapshot(&runtime, &keeping));
    let SnapshotProblem::Component(SnapshotError::State(UnsavedState::Resources(held))) = &refused else {
        panic!("{refused}");
    };
    assert_eq!(held, &["`wasi:io/poll@0.2.12/pollable`"]);
}

#[test]
fn an_actor_that_traps_begins_again_from_the_snapshot() {
    let backend = Backend::available()[0];
    // `init` sets a global, and `execute` answers with it; the byte 1 traps.
    let guest = Guest {
        init: "(global.set $inits (i32.add (global.get $inits) (i32.const 1))) (i32.const 0)",
        execute: "(call $act (local.get 0))",
        more: r#"(global $inits (mut i32) (i32.const 0))
            (func $act (param $at i32) (result i32)
              (if (i32.eq (i32.load8_u (i32.load (local.get $at))) (i32.const 1)) (then unreachable))
              (i32.store8 (i32.const 3000) (global.get $inits))
              (i32.store (i32.const 3008) (i32.const 0))
              (i32.store (i32.const 3016) (i32.const 3000))
              (i32.store (i32.const 3020) (i32.const 1))
              (i32.const 3008))"#,
        ..Guest::default()
    };
    let signed = Signed::new(backend, &guest.build());
    let first = runtime();
    let made = signed.load(&first, ComponentOptions::new()).unwrap();
    first.init(&made).unwrap();
    let snapshot = signed.snapshot(&first, &made).unwrap();

    let second = runtime();
    let loaded = second
        .loader()
        .load(
            &snapshot.file[..].into(),
            &snapshot.trust(),
            &LoadOptions::default(),
        )
        .unwrap();
    let system = ActorSystem::builder().with_workers(1).build().unwrap();
    let options = ComponentOptions::new().with_id(id("a"));
    let actor = second
        .start_actor(&loaded, options, &system, ActorOptions::new())
        .wait()
        .unwrap();
    let send = |byte: u8| second.send_message_to_component(&actor, [byte]).wait();
    assert_eq!(send(0).unwrap(), [1], "`init` ran once, before the snapshot");
    send(1).unwrap_err();
    assert_eq!(
        send(0).unwrap(),
        [1],
        "nor for the instance that replaces the first"
    );
    system
        .shutdown(std::time::Duration::from_secs(60))
        .wait()
        .unwrap();
}

/// A sequence of numbers without a pattern.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn operation(&mut self) -> Vec<u8> {
        const PIECES: [&str; 8] = ["word", " ", "\n", "ἔψιλον", "😀", "a", "\"", "\u{2003}"];
        let length = self.below(40);
        let text: String = (0..length).map(|_| PIECES[self.below(8) as usize]).collect();
        let codec = [Codec::Json, Codec::MsgPack][self.below(2) as usize];
        let name = ["word-count", "reverse", "statistics", "nothing"][self.below(4) as usize];
        match self.below(16) {
            // Not what an operation looks like.
            0 => operation(codec, name, json!(text)),
            _ => operation(codec, name, json!({ "text": text })),
        }
    }
}

/// Compares a thousand answers of a guest and of its snapshot.
fn compare(backend: Backend, guest: &[u8]) {
    let signed = Signed::new(backend, guest);
    let runtime = runtime();
    let processor = signed.load(&runtime, ComponentOptions::new()).unwrap();
    runtime.init(&processor).unwrap();
    let snapshot = signed.snapshot(&runtime, &processor).unwrap();
    let resumed = snapshot.load(&runtime, ComponentOptions::new()).unwrap();
    let mut random = Random(7);
    for number in 0..1000 {
        let operation = random.operation();
        let [expected, answer] = [&processor, &resumed].map(|id| {
            let answer = runtime.execute(id, &operation);
            answer.map_err(|error| error.to_string())
        });
        assert_eq!(answer, expected, "{backend}, operation {number}");
    }
}

#[test]
fn snapshots_of_compiled_guests_answer_as_the_guests() {
    for backend in Backend::available() {
        compare(*backend, &fixture("text-processor.wasm"));
        compare(*backend, &fixture("text-processor-c.wasm"));
    }
}

#[test]
fn snapshots_of_interpreted_guests_answer_as_the_guests() {
    for name in ["text-processor-py", "text-processor-js", "text-processor-qjs"] {
        if let Some(guest) = built_bytes(name) {
            compare(Backend::available()[0], &guest);
        }
    }
}

#[test]
fn records_of_others_are_refused() {
    let backend = Backend::available()[0];
    let signed = Signed::new(backend, &fixture("counter.wasm"));
    let engine = Engine::new(Config::new().backend(backend)).unwrap();
    let artifact = Artifact::open(&signed.file).unwrap();
    let component = artifact.load(&signed.trust()).unwrap();
    let mut linker = airssys_wasm::component::Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&component).unwrap();
    for (record, expected) in [
        (&b""[..], "it was made by a host without a runtime"),
        (b"{}", "missing field"),
        (b"\xff", "expected value"),
    ] {
        let mut store = airssys_wasm::component::Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &component).unwrap();
        let mut options = artifact::SnapshotOptions::default();
        (options.key, options.record) = (Some(&signed.key), record);
        let file = artifact.snapshot(&mut store, &instance, &options).unwrap();
        let loader = Loader::new(engine.clone());
        let source = file[..].into();
        let loaded = loader
            .load(&source, &signed.trust(), &LoadOptions::default())
            .unwrap();
        let refused = problem(runtime().load_loaded(&loaded, ComponentOptions::new()));
        assert!(matches!(refused, SnapshotProblem::Record(_)), "{refused}");
        assert!(refused.to_string().contains(expected), "{refused}");
    }
}
