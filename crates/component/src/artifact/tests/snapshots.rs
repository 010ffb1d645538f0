//! Snapshots: new instances begin with the state of another, and nothing else is different.

use super::*;
use crate::artifact::format::Section;
use crate::component::{Instance, InstancePool, Resource};
use crate::engine::StoreLimits;
use crate::error::UnsavedState;

/// A component with state in a memory that grows, in globals of every type, and in a start function; in two modules.
const STATEFUL: &str = r#"(component
    (import "started" (func $started))
    (core func $started' (canon lower (func $started)))
    (core module $main
        (import "host" "started" (func $started))
        (memory (export "memory") 1 40)
        (table $t 2 2 funcref)
        (elem (i32.const 0) $seven $eight)
        (data (i32.const 65000) "before")
        (data $passive "passive")
        (global $a (mut i32) (i32.const 1))
        (global $b (mut i64) (i64.const 2))
        (global $c (mut f32) (f32.const 3))
        (global $d (mut f64) (f64.const 4))
        (global $e (export "e") (mut v128) (v128.const i64x2 5 6))
        (global $fixed i32 (i32.const 9))
        (func $seven (result i32) (i32.const 7))
        (func $eight (result i32) (i32.const 8))
        (func $start
            (call $started)
            (i32.store (i32.const 64) (i32.add (i32.load (i32.const 64)) (i32.const 1))))
        (start $start)
        (func (export "change") (param i32)
            (global.set $a (i32.add (global.get $a) (local.get 0)))
            (global.set $b (i64.add (global.get $b) (i64.extend_i32_u (local.get 0))))
            (global.set $c (f32.reinterpret_i32 (i32.const 0x7fa00001)))
            (global.set $d (f64.sub (global.get $d) (f64.convert_i32_u (local.get 0))))
            (global.set $e (i64x2.splat (global.get $b)))
            (drop (memory.grow (i32.const 2)))
            (i32.store (i32.const 131068) (local.get 0))
            (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (local.get 0)))
            (memory.init $passive (i32.const 32) (i32.const 0) (i32.const 7)))
        (func (export "state") (result i32)
            (i32.store (i32.const 1000) (i32.const 1008))
            (i32.store (i32.const 1004) (i32.const 76))
            (i32.store (i32.const 1008) (global.get $a))
            (i64.store (i32.const 1012) (global.get $b))
            (f32.store (i32.const 1020) (global.get $c))
            (f64.store (i32.const 1024) (global.get $d))
            (v128.store (i32.const 1032) (global.get $e))
            (i32.store (i32.const 1048) (memory.size))
            (i32.store (i32.const 1052) (i32.load (i32.const 0)))
            (i32.store (i32.const 1056) (i32.load (i32.const 64)))
            (i32.store (i32.const 1060) (i32.load (i32.const 65000)))
            (i32.store (i32.const 1064) (i32.load (i32.const 32)))
            (i32.store (i32.const 1068) (call_indirect $t (result i32) (i32.const 1)))
            (i32.store (i32.const 1072) (global.get $fixed))
            (i32.store (i32.const 1076)
                (if (result i32) (i32.gt_u (memory.size) (i32.const 1))
                    (then (i32.load (i32.const 131068)))
                    (else (i32.const 0))))
            (memory.init $passive (i32.const 1080) (i32.const 0) (i32.const 4))
            (i32.const 1000)))
    (core module $beside
        (import "main" "memory" (memory 1))
        (import "main" "e" (global $e (mut v128)))
        (data (i32.const 96) "beside")
        (global $calls (mut i32) (i32.const 0))
        (func (export "count") (result i32)
            (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
            (i32.store8 (i32.const 96) (i32.const 33))
            (i32.add (i32.mul (global.get $calls) (i32.const 1000)) (i32.load8_u (i32.const 96)))))
    (core instance $i (instantiate $main (with "host" (instance (export "started" (func $started'))))))
    (core instance $j (instantiate $beside (with "main" (instance $i))))
    (func (export "change") (param "by" u32) (canon lift (core func $i "change")))
    (func (export "count") (result u32) (canon lift (core func $j "count")))
    (func (export "state") (result (list u8))
        (canon lift (core func $i "state") (memory (core memory $i "memory")))))"#;

/// Returns the component; with a second number of 64 bits in place of a vector where the backend has none.
fn stateful(engine: &Engine) -> Vec<u8> {
    let text = match engine.backend() {
        Backend::Singlepass => STATEFUL
            .replace("(v128.const i64x2 5 6)", "(i64.const 5)")
            .replace("(i64x2.splat (global.get $b))", "(global.get $b)")
            .replace("v128", "i64"),
        _ => STATEFUL.to_owned(),
    };
    wat::parse_str(text).expect("the text parses")
}

/// A linker of the component, whose data count its calls of `started`.
fn linker(engine: &Engine) -> Linker<u32> {
    let mut linker = Linker::new(engine);
    let mut root = linker.root();
    let started = |mut cx: crate::component::StoreContextMut<'_, u32>, (): ()| {
        *cx.data_mut() += 1;
        Ok(())
    };
    root.func_wrap("started", started).expect("it is not defined");
    linker
}

fn open(component: &Component) -> (Store<u32>, Instance) {
    let engine = component.engine().clone();
    let mut store = Store::new(&engine, 0);
    let instance = linker(&engine).instantiate(&mut store, component);
    (store, instance.expect("it links"))
}

fn call(store: &mut Store<u32>, instance: &Instance, name: &str, params: &[Val]) -> Option<Val> {
    let function = instance.get_func(&mut *store, [name]).expect("it is exported");
    function.call_dynamic(&mut *store, params).expect("it runs")
}

fn state(store: &mut Store<u32>, instance: &Instance) -> Option<Val> {
    call(store, instance, "state", &[])
}

#[test]
fn instances_begin_with_the_state_that_was_saved() {
    for engine in engines() {
        let bytes = stateful(&engine);
        let key = key();
        let trust = Trust::new([key.public()]);
        let file = compile(&engine, &bytes, Some(&key)).expect("it compiles");
        let artifact = Artifact::open(&file).expect("it is whole");
        let component = artifact.load(&trust).expect("it loads");
        assert_eq!(component.snapshot_record(), None);
        let (mut store, instance) = open(&component);
        let fresh = state(&mut store, &instance);
        call(&mut store, &instance, "change", &[Val::U32(11)]);
        assert_eq!(call(&mut store, &instance, "count", &[]), Some(Val::U32(1033)));
        let options = SnapshotOptions {
            key: Some(&key),
            record: b"record",
        };
        let snapshot = artifact
            .snapshot(&mut store, &instance, &options)
            .expect("it is saved");
        let saved = state(&mut store, &instance);
        assert_ne!(saved, fresh);

        let artifact = Artifact::open(&snapshot).expect("it is whole");
        assert!(artifact.load(&Trust::default()).is_err());
        assert_eq!(
            artifact.snapshot_record().expect("it is read"),
            Some(b"record".to_vec())
        );
        let component = artifact.load(&trust).expect("it loads");
        assert_eq!(component.snapshot_record(), Some(&b"record"[..]));
        for _ in 0..2 {
            let (mut store, instance) = open(&component);
            assert_eq!(state(&mut store, &instance), saved, "{}", engine.backend());
            assert_eq!(*store.data(), 0, "no start function runs");
            assert_eq!(call(&mut store, &instance, "count", &[]), Some(Val::U32(2033)));
            // The next instance does not see this.
            call(&mut store, &instance, "change", &[Val::U32(3)]);
        }

        // A snapshot of a snapshot.
        let (mut store, instance) = open(&component);
        call(&mut store, &instance, "change", &[Val::U32(5)]);
        let again = artifact
            .snapshot(&mut store, &instance, &options)
            .expect("it is saved");
        let expected = state(&mut store, &instance);
        let component = Artifact::open(&again)
            .expect("it is whole")
            .load(&trust)
            .expect("it loads");
        let (mut store, instance) = open(&component);
        assert_eq!(state(&mut store, &instance), expected);
    }
}

#[test]
fn a_pool_of_a_snapshot_gives_its_state_each_time() {
    let engine = engine();
    let bytes = stateful(&engine);
    let file = compile(&engine, &bytes, None).expect("it compiles");
    let artifact = Artifact::open(&file).expect("it is whole");
    let (mut store, instance) = open(&crate::artifact::open::load_own(&file).expect("it loads"));
    call(&mut store, &instance, "change", &[Val::U32(11)]);
    let snapshot = artifact.snapshot(&mut store, &instance, &SnapshotOptions::default());
    let component = crate::artifact::open::load_own(&snapshot.expect("it is saved")).expect("it loads");
    let expected = state(&mut store, &instance);
    let linker = linker(component.engine());
    let pre = linker.instantiate_pre(&component).expect("it links");
    let pool = InstancePool::new(component.engine(), pre, StoreLimits::default(), 2);
    for _ in 0..4 {
        let mut pooled = pool.get(0).expect("there is room");
        let (store, instance) = pooled.parts();
        assert_eq!(state(store, &instance.clone()), expected);
        call(store, &instance.clone(), "change", &[Val::U32(1)]);
    }
}

#[test]
fn a_snapshot_is_in_a_file_as_in_memory() {
    let engine = engine();
    let bytes = stateful(&engine);
    let file = compile(&engine, &bytes, None).expect("it compiles");
    let artifact = Artifact::open(&file).expect("it is whole");
    let (mut store, instance) = open(&crate::artifact::open::load_own(&file).expect("it loads"));
    call(&mut store, &instance, "change", &[Val::U32(11)]);
    let key = key();
    let options = SnapshotOptions {
        key: Some(&key),
        record: &[],
    };
    let snapshot = artifact
        .snapshot(&mut store, &instance, &options)
        .expect("it is saved");
    let expected = state(&mut store, &instance);
    let path = std::env::temp_dir().join(format!("airssys-snapshot-{}.cwasm", std::process::id()));
    std::fs::write(&path, &snapshot).expect("it is written");
    let component = ArtifactFile::open(&path).expect("it is whole");
    let component = component.load(&Trust::new([key.public()])).expect("it loads");
    let (mut store, instance) = open(&component);
    assert_eq!(state(&mut store, &instance), expected);
    std::fs::remove_file(&path).expect("it is there");
}

/// Returns the reason for which the state of a component's instance is not saved, after a call of `run`.
fn unsaved(text: &str) -> UnsavedState {
    let engine = engine();
    let bytes = wat::parse_str(text).expect("the text parses");
    let file = compile(&engine, &bytes, None).expect("it compiles");
    let component = crate::artifact::open::load_own(&file).expect("it loads");
    let mut linker: Linker<()> = Linker::new(component.engine());
    let mut files = linker.root();
    let mut files = files.instance("a:b/files").expect("it is new");
    struct File;
    files
        .resource("file", crate::component::ResourceType::host::<File>(), |_, _| {
            Ok(())
        })
        .expect("it is new");
    files
        .func_wrap("open", |_, (): ()| Ok((Resource::<File>::new_own(7),)))
        .expect("it is new");
    let mut store = Store::new(component.engine(), ());
    let instance = linker.instantiate(&mut store, &component).expect("it links");
    if let Some(run) = instance.get_func(&mut store, ["run"]) {
        // It may trap.
        let _ = run.call_dynamic(&mut store, &[]);
    }
    let artifact = Artifact::open(&file).expect("it is whole");
    let refused = artifact.snapshot(&mut store, &instance, &SnapshotOptions::default());
    match refused.expect_err("it is refused") {
        SnapshotError::State(reason) => reason,
        other => panic!("{other}"),
    }
}

#[test]
fn state_that_a_file_cannot_have_is_named() {
    let files = r#"(component
        (import "a:b/files" (instance $files
            (export "file" (type $file (sub resource)))
            (export "open" (func (result (own $file))))))
        (core func $open (canon lower (func $files "open")))
        (core module $m (import "" "open" (func $open (result i32)))
            (func (export "run") (drop (call $open)) (drop (call $open))))
        (core instance $i (instantiate $m (with "" (instance (export "open" (func $open))))))
        (func (export "run") (canon lift (core func $i "run"))))"#;
    assert_eq!(
        unsaved(files).to_string(),
        "the component holds resources, which a file cannot have: 2 of `a:b/files/file`; it must drop them first"
    );
    let traps = r#"(component
        (core module $m (func (export "run") unreachable))
        (core instance $i (instantiate $m))
        (func (export "run") (canon lift (core func $i "run"))))"#;
    assert_eq!(unsaved(traps), UnsavedState::Poisoned);
    let module = |text: &str, instances: &str| {
        let text = format!(
            r#"(component (core module $m {text}) (core instance $i (instantiate $m)) {instances}
                (func (export "run") (canon lift (core func $i "run"))))"#
        );
        match unsaved(&text) {
            UnsavedState::Module { module: 0, reason } => reason,
            other => panic!("{other}"),
        }
    };
    let run = r#"(func (export "run"))"#;
    let tables = module(
        r#"(table 1 funcref) (func (export "run") (table.set (i32.const 0) (ref.null func)))"#,
        "",
    );
    assert!(tables.starts_with("its code changes tables"), "{tables}");
    let several = module(&format!("(memory 1) {run}"), "(core instance (instantiate $m))");
    assert_eq!(several, "the component has several instances of it");
    let memories = module(&format!("(memory 1) (memory 1) {run}"), "");
    assert_eq!(memories, "it has several memories");
    let exported = module(&format!("(memory 1) {run}"), r#"(export "m" (core module $m))"#);
    assert_eq!(exported, "the component exports it, for new instances of others");
}

#[test]
fn a_snapshot_is_of_the_artifact_of_its_component_and_of_its_store() {
    let engine = engine();
    let bytes = stateful(&engine);
    let file = compile(&engine, &bytes, None).expect("it compiles");
    let artifact = Artifact::open(&file).expect("it is whole");
    let options = SnapshotOptions::default();
    let (mut store, instance) = open(&Component::from_binary(&engine, &bytes).expect("it compiles"));
    let refused = artifact.snapshot(&mut store, &instance, &options);
    assert!(
        matches!(refused, Err(SnapshotError::OtherArtifact)),
        "{refused:?}"
    );
    let (_store, instance) = open(&crate::artifact::open::load_own(&file).expect("it loads"));
    let refused = artifact.snapshot(&mut store, &instance, &options);
    let wrong = matches!(refused, Err(SnapshotError::State(UnsavedState::WrongStore)));
    assert!(wrong, "{refused:?}");
}

/// The state is in several sections, which belong together.
#[test]
fn a_record_without_the_state_and_a_state_without_the_record_are_refused() {
    let engine = engine();
    let file = compile(&engine, &stateful(&engine), None).expect("it compiles");
    let artifact = Artifact::open(&file).expect("it is whole");
    let (mut store, instance) = open(&crate::artifact::open::load_own(&file).expect("it loads"));
    let snapshot = artifact.snapshot(&mut store, &instance, &SnapshotOptions::default());
    let snapshot = snapshot.expect("it is saved");
    let key = key();
    let trust = Trust::new([key.public()]);
    let rebuilt = |sections: Vec<(Kind, &[u8])>| {
        let mut header = whole(&file).header;
        let entries = sections.iter().map(|(kind, bytes)| Section {
            kind: *kind,
            bytes: bytes.len() as u64,
            digest: *blake3::hash(bytes).as_bytes(),
        });
        header.sections = entries.collect();
        let header = borsh::to_vec(&header).expect("it is written");
        assemble(&header, Some(key.sign(&header)), &sections)
    };
    let mut with_record = sections(&file);
    with_record.insert(with_record.len() - 1, (Kind::Snapshot, b"{}"));
    let without_record: Vec<_> = sections(&snapshot)
        .into_iter()
        .filter(|(kind, _)| *kind != Kind::Snapshot)
        .collect();
    for wrong in [rebuilt(with_record), rebuilt(without_record)] {
        let error = refused(&wrong, &trust);
        let ArtifactError::Contents(what) = &error else {
            panic!("{error}");
        };
        assert!(
            what.contains("the state of a snapshot without a record"),
            "{what}"
        );
    }
    // The memory of another size than the image needs.
    let images: Vec<_> = sections(&snapshot)
        .into_iter()
        .map(|(kind, bytes)| match kind {
            Kind::Image { module, .. } => (
                Kind::Image {
                    module,
                    start: 1 << 20,
                },
                bytes,
            ),
            kind => (kind, bytes),
        })
        .collect();
    assert!(matches!(
        refused(&rebuilt(images), &trust),
        ArtifactError::Contents(_)
    ));
    let twice: Vec<_> = sections(&snapshot)
        .into_iter()
        .flat_map(|section| match section.0 {
            Kind::Snapshot => vec![section, section],
            _ => vec![section],
        })
        .collect();
    assert!(matches!(
        refused(&rebuilt(twice), &trust),
        ArtifactError::Contents(_)
    ));
}
