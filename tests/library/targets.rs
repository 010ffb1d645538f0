//! Engines with options, for other machines, with progress callbacks, and without a compiler.

use airssys_wasm_test_support::host as host_support;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use airssys_wasm::artifact::{self, Artifact, ArtifactError, SecretKey, Trust};
use airssys_wasm::component::{Component, Linker, Store, Val};
use airssys_wasm::engine::{Backend, Config, Engine, OptLevel, Progress, Target, TargetError};
use airssys_wasm::{ComponentOptions, ComponentRuntime, Error, RuntimeConfig, RuntimeError};
use host_support::fixture;

const AARCH64: &str = "aarch64-unknown-linux-gnu";

/// Divides floats; zero by zero is a NaN whose bits depend on the processor.
const FLOATS: &str = r#"(component
    (core module $m
        (func (export "bits") (param f64 f64) (result i64)
            (i64.reinterpret_f64 (f64.div (f64.neg (local.get 0)) (local.get 1)))))
    (core instance $i (instantiate $m))
    (func (export "bits") (param "a" f64) (param "b" f64) (result u64) (canon lift (core func $i "bits"))))"#;

fn engine(set: impl FnOnce(&mut Config) -> &mut Config) -> Result<Engine, Error> {
    Engine::new(set(&mut Config::new()))
}

fn target(text: &str) -> Target {
    text.parse().expect("a target")
}

fn bits(engine: &Engine, a: f64, b: f64) -> u64 {
    let bytes = wat::parse_str(FLOATS).expect("the text parses");
    let component = Component::from_binary(engine, &bytes).expect("it compiles");
    let mut store = Store::new(engine, ());
    let instance = Linker::new(engine).instantiate(&mut store, &component);
    let instance = instance.expect("it links");
    let func = instance.get_func(&mut store, ["bits"]).expect("it is exported");
    match func.call_dynamic(&mut store, &[Val::Float64(a), Val::Float64(b)]) {
        Ok(Some(Val::U64(bits))) => bits,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_compiled_for_another_machine_is_whole_and_does_not_run_here() {
    let here = Target::host();
    let elsewhere = if here.triple() == AARCH64 {
        "x86_64-unknown-linux-gnu"
    } else {
        AARCH64
    };
    let cpu = if elsewhere == AARCH64 { "" } else { "avx" };
    // One of a large module, and one of small modules.
    let large = fixture("text-processor.wasm");
    assert!(large.len() > 128 << 10, "it has a large module");
    for component in [large, fixture("bench.wasm")] {
        is_whole_and_does_not_run(&component, elsewhere, cpu, &here);
    }
}

fn is_whole_and_does_not_run(component: &[u8], elsewhere: &str, cpu: &str, here: &Target) {
    let key = SecretKey::generate().expect("random numbers");
    let trust = Trust::new([key.public()]);
    for backend in Backend::available() {
        let target = target(elsewhere).with_features(cpu).expect("features");
        let engine =
            engine(|config| config.backend(*backend).target(target.clone())).expect("it is available");
        let file = artifact::compile(&engine, component, Some(&key));
        let file = file.unwrap_or_else(|error| panic!("{backend}: {error}"));
        let artifact = Artifact::open(&file).expect("it is whole");
        artifact.check_signer(&trust).expect("it is signed");
        let header = artifact.header();
        assert_eq!(header.target, elsewhere);
        assert_eq!(header.backend, backend.name());
        assert!(header.cpu.iter().map(String::as_str).eq(target.features()));
        let error = artifact.load(&trust).expect_err("another machine's code");
        assert!(
            matches!(&error, ArtifactError::Target { found, expected }
                if found == elsewhere && *expected == here.triple()),
            "{backend}: {error}"
        );
        let error = Component::from_binary(&engine, component).expect_err("another machine's code");
        assert!(matches!(error, Error::ForeignTarget { .. }), "{backend}: {error}");
        assert!(error.to_string().contains(elsewhere), "{error}");
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn code_for_a_smaller_processor_of_this_kind_runs_here() {
    let component = fixture("types.wasm");
    for backend in Backend::available() {
        // Singlepass generates wrong code for processors without AVX, so it is refused.
        let feature = match backend {
            Backend::Singlepass => "avx",
            _ => "sse4.2",
        };
        let small = Target::host().with_features(feature).expect("it is known");
        let engine = engine(|config| config.backend(*backend).target(small)).expect("it is available");
        assert_eq!(bits(&engine, -1.0, 2.0), 0.5f64.to_bits(), "{backend}");
        let key = SecretKey::generate().expect("random numbers");
        let file = artifact::compile(&engine, &component, Some(&key)).expect("it compiles");
        let artifact = Artifact::open(&file).expect("it is whole");
        let mut cpu = vec![feature, "sse2"];
        cpu.sort_unstable();
        assert_eq!(artifact.header().cpu, cpu);
        artifact.load(&Trust::new([key.public()])).expect("it runs here");
    }
}

#[test]
fn every_option_gives_the_same_answers() {
    for backend in Backend::available() {
        let mut descriptions = BTreeSet::new();
        let levels: &[Option<OptLevel>] = match backend {
            Backend::Cranelift => &[
                None,
                Some(OptLevel::None),
                Some(OptLevel::Speed),
                Some(OptLevel::SpeedAndSize),
            ],
            Backend::Llvm => &[None, Some(OptLevel::None), Some(OptLevel::Speed)],
            _ => &[None],
        };
        for level in levels {
            for canonical in [false, true] {
                let mut config = Config::new();
                config.backend(*backend).canonicalize_nans(canonical);
                if let Some(level) = level {
                    config.opt_level(*level);
                }
                let engine = Engine::new(&config).expect("it has these options");
                descriptions.insert(engine.description());
                assert_eq!(bits(&engine, 1.0, 4.0), (-0.25f64).to_bits(), "{config:?}");
                // A NaN with a payload: most keep it, unless canonical NaNs are requested.
                let nan = f64::from_bits(0x7ff8_0000_0000_0123);
                let got = bits(&engine, nan, 1.0);
                if canonical {
                    assert_eq!(got & !(1 << 63), 0x7ff8_0000_0000_0000, "{config:?}: {got:#x}");
                }
                assert!(f64::from_bits(got).is_nan(), "{config:?}: {got:#x}");
            }
        }
        let expected = match backend {
            Backend::Cranelift => 6,
            Backend::Llvm => 4,
            _ => 1,
        };
        assert_eq!(descriptions.len(), expected, "{descriptions:?}");
    }
}

#[test]
fn what_a_backend_does_not_have_is_refused() {
    for backend in Backend::available() {
        let level = engine(|config| config.backend(*backend).opt_level(OptLevel::SpeedAndSize));
        match backend {
            Backend::Cranelift => assert!(level.is_ok()),
            _ => assert!(matches!(level, Err(Error::EngineOption { .. })), "{backend}"),
        }
        let old = engine(|config| {
            config
                .backend(*backend)
                .target(target("x86_64-unknown-linux-gnu"))
        });
        match backend {
            Backend::Singlepass => {
                assert!(matches!(old, Err(Error::Target(TargetError::TooOld { .. }))));
            }
            _ => assert!(old.is_ok(), "{backend}"),
        }
    }
}

#[test]
fn a_description_tells_engines_apart() {
    let backend = *Backend::available().first().expect("a compiler");
    let plain = engine(|config| config.backend(backend)).expect("it is available");
    let same = Engine::new(&Config::new()).expect("it is available");
    assert_eq!(plain.description(), same.description());
    let other = engine(|config| config.backend(backend).target(target(AARCH64))).expect("a target");
    assert_ne!(plain.description(), other.description());
    assert!(other.description().contains(AARCH64), "{}", other.description());
    let none = engine(|config| config.backend(Backend::Headless)).expect("always possible");
    assert_ne!(plain.description(), none.description());
}

#[test]
fn an_engine_without_a_compiler_loads_artifacts_only() {
    let headless = engine(|config| config.backend(Backend::Headless)).expect("always possible");
    let component = fixture("text-processor.wasm");
    let error = Component::from_binary(&headless, &component).expect_err("nothing compiles it");
    assert!(matches!(error, Error::NoCompiler), "{error}");
    assert!(error.to_string().contains("airssys-wasm compile"), "{error}");
    assert!(artifact::compile(&headless, &component, None).is_err());
}

#[test]
fn a_compilation_tells_how_far_it_is() {
    let component = fixture("composed.wasm");
    for backend in Backend::available() {
        let engine = engine(|config| config.backend(*backend)).expect("it is available");
        let seen: Arc<Mutex<Vec<Progress>>> = Arc::default();
        let log = seen.clone();
        let watched = engine.watched(move |progress| {
            log.lock().expect("no panics").push(progress);
            ControlFlow::Continue(())
        });
        let compiled = Component::from_binary(&watched, &component).expect("it compiles");
        let seen = seen.lock().expect("no panics");
        let last = seen.last().expect("it was told");
        assert_eq!(
            (last.modules_done, last.modules),
            (compiled.core_modules(), compiled.core_modules())
        );
        assert_eq!(last.bytes_done, last.bytes);
        assert!(last.functions > 10 && last.bytes > 1000, "{last:?}");
        assert!(
            seen.len() > last.modules,
            "{backend}: it was told {} times",
            seen.len()
        );
        for progress in seen.iter() {
            assert!(progress.bytes_done <= progress.bytes && progress.modules_done <= progress.modules);
            assert_eq!((progress.functions, progress.bytes), (last.functions, last.bytes));
        }
    }
}

#[test]
fn a_compilation_is_stopped() {
    let component = fixture("text-processor.wasm");
    for backend in Backend::available() {
        let engine = engine(|config| config.backend(*backend)).expect("it is available");
        let looks = Arc::new(AtomicU64::new(0));
        let count = looks.clone();
        let watched = engine.watched(move |_| match count.fetch_add(1, Ordering::SeqCst) {
            0..3 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        });
        let error = artifact::compile(&watched, &component, None).expect_err("it was stopped");
        assert!(
            matches!(error, ArtifactError::Compile(Error::Stopped)),
            "{backend}: {error}"
        );
        assert!(looks.load(Ordering::SeqCst) >= 4, "{backend}");
    }
}

#[test]
fn each_component_has_a_compiler_of_its_own_choice() {
    let runtime = ComponentRuntime::new(RuntimeConfig::builder().build().expect("defaults"));
    let runtime = runtime.expect("the contract can be linked");
    let component = fixture("counter.wasm");
    for backend in Backend::available() {
        let options = ComponentOptions::new().with_backend(*backend);
        let id = runtime.load_component(&component, options).expect("it loads");
        runtime.init(&id).expect("it starts");
    }
    let options = ComponentOptions::new().with_backend(Backend::Headless);
    let refused = runtime.load_component(&component, options);
    assert!(matches!(refused, Err(RuntimeError::Load(Error::NoCompiler))));
    let mut foreign = Config::new();
    foreign.target(target(AARCH64));
    if !target(AARCH64).runs_here() {
        let refused = runtime.load_component(&component, ComponentOptions::new().with_engine(foreign));
        assert!(matches!(
            refused,
            Err(RuntimeError::Load(Error::ForeignTarget { .. }))
        ));
    }
}

#[test]
fn a_runtime_takes_artifacts() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(format!("counter-{}.cwasm", std::process::id()));
    let runtime = host_support::runtime();
    let key = SecretKey::generate().expect("random numbers");
    let trust = Trust::new([key.public()]);
    for backend in Backend::available() {
        let engine = engine(|config| config.backend(*backend)).expect("it is available");
        let file = artifact::compile(&engine, &fixture("counter.wasm"), Some(&key)).expect("it compiles");
        let new = path.with_extension("new");
        std::fs::write(&new, &file).expect("it is written");
        std::fs::rename(&new, &path).expect("it is renamed");
        let id = runtime
            .load_artifact_from_file(&path, &trust, ComponentOptions::new())
            .expect("it loads");
        runtime.init(&id).expect("it starts");
        let answer = host_support::ask(&runtime, &id, "increment", serde_json::Value::Null);
        assert_eq!(answer["count"], 1, "{backend}");
        let refused = runtime.load_artifact_from_file(&path, &Trust::default(), ComponentOptions::new());
        assert!(
            matches!(
                refused,
                Err(RuntimeError::Artifact {
                    source: ArtifactError::UnknownSigner(_),
                    ..
                })
            ),
            "{backend}"
        );
    }
    let missing = runtime.load_artifact_from_file("no-such.cwasm", &trust, ComponentOptions::new());
    assert!(matches!(missing, Err(RuntimeError::Artifact { .. })));
}
