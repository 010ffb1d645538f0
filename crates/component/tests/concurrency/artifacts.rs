//! Artifacts of components with concurrency.

use airssys_wasm_component::artifact::{self, Artifact, SecretKey, SnapshotOptions, Trust};
use airssys_wasm_component::component::{Linker, Store};
use airssys_wasm_component::engine::{Config, Engine};

use crate::many::NOTHING;
use crate::support::{PAIR, call, engines};

/// A signed artifact answers as the component that it was compiled from, also on an engine whose settings enable nothing.
#[test]
fn an_artifact_answers_alike() {
    let key = SecretKey::generate().unwrap();
    let trust = Trust::new([key.public()]);
    let bytes = wat::parse_str(PAIR).unwrap();
    for engine in engines() {
        let file = artifact::compile(&engine, &bytes, Some(&key)).unwrap();
        let component = Artifact::open(&file).unwrap().load(&trust).unwrap();
        let plain = Engine::new(Config::new().backend(engine.backend())).unwrap();
        let mut store = Store::new(&plain, ());
        let instance = Linker::new(&plain).instantiate(&mut store, &component).unwrap();
        assert_eq!(call(&mut store, &instance, "many", 100).unwrap(), 4_950);
        assert_eq!(call(&mut store, &instance, "both", 21).unwrap(), 42);
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

/// A file cannot have tasks.
#[test]
fn a_snapshot_of_an_instance_with_tasks_is_refused() {
    let key = SecretKey::generate().unwrap();
    let trust = Trust::new([key.public()]);
    let bytes = wat::parse_str(PAIR).unwrap();
    for engine in engines() {
        let file = artifact::compile(&engine, &bytes, Some(&key)).unwrap();
        let artifact = Artifact::open(&file).unwrap();
        let component = artifact.load(&trust).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate(&mut store, &component).unwrap();
        let options = SnapshotOptions::default();
        artifact
            .snapshot(&mut store, &instance, &options)
            .expect("nothing runs");
        call(&mut store, &instance, "linger", 1).unwrap();
        let refused = artifact.snapshot(&mut store, &instance, &options).unwrap_err();
        assert!(refused.to_string().contains("has tasks"), "{refused}");
    }
}
