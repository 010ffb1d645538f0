//! The one way from a file or bytes to a component: formats, trust, records of verified files.
#![allow(
    unsafe_code,
    reason = "unsigned artifacts are accepted by an unsafe function: the caller vouches for them"
)]

use airssys_wasm::artifact::{
    self, ArtifactError, ArtifactFile, ComponentCache, MemoryLimits, SecretKey, Trust,
};
use airssys_wasm::component::{Linker, Store};
use airssys_wasm::engine::{Config, Engine};
use airssys_wasm::load::{Format, LoadError, LoadOptions, Loader, Source};
use airssys_wasm::{ComponentOptions, ComponentRuntime, RuntimeConfig};
use airssys_wasm_test_support::{fixture, fixture_path};

fn loader() -> Loader {
    Loader::new(Engine::new(&Config::new()).expect("a backend"))
}

fn scratch(name: &str) -> std::path::PathBuf {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    folder.join(format!("loading-{}-{name}", std::process::id()))
}

/// Writes an artifact of the counter, signed or not.
fn artifact_file(name: &str, key: Option<&SecretKey>) -> std::path::PathBuf {
    let engine = Engine::new(&Config::new()).expect("a backend");
    let bytes = artifact::compile(&engine, &fixture("counter.wasm"), key).expect("it compiles");
    let path = scratch(name);
    std::fs::write(&path, bytes).expect("it is written");
    path
}

#[test]
fn the_format_of_a_file_is_determined_when_it_is_opened() {
    let format = |path: &std::path::Path| Source::open(path).expect("it is there").format();
    assert_eq!(format(&fixture_path("counter.wasm")), Format::Component);
    assert_eq!(format(&artifact_file("format.cwasm", None)), Format::Artifact);
    let module = scratch("module.wasm");
    std::fs::write(&module, b"\0asm\x01\0\0\0").expect("it is written");
    assert_eq!(format(&module), Format::CoreModule);
    #[cfg(feature = "wai")]
    assert_eq!(format(&fixture_path("counter-wai.wasm")), Format::Wai);
}

#[test]
fn a_core_module_is_refused_unless_the_options_convert_it() {
    let source = Source::from(&b"\0asm\x01\0\0\0"[..]);
    let refused = loader().load(&source, &Trust::default(), &LoadOptions::default());
    assert!(
        matches!(
            refused,
            Err(LoadError::Component(airssys_wasm::Error::CoreModule))
        ),
        "{refused:?}"
    );
}

#[test]
fn an_artifact_needs_trust_wherever_it_comes_from() {
    let path = artifact_file("unsigned.cwasm", None);
    let bytes = std::fs::read(&path).expect("it is there");
    let sources = [Source::open(&path).expect("it is there"), Source::from(bytes)];
    let key = SecretKey::generate().expect("random numbers");
    for source in &sources {
        for trust in [Trust::default(), Trust::new([key.public()])] {
            let refused = loader().load(source, &trust, &LoadOptions::default());
            assert!(
                matches!(
                    refused,
                    Err(LoadError::Artifact {
                        source: ArtifactError::Unsigned,
                        ..
                    })
                ),
                "{refused:?}"
            );
        }
        // SAFETY: this test compiled it.
        let trust = unsafe { Trust::unsigned() };
        let loaded = loader().load(source, &trust, &LoadOptions::default());
        let component = loaded.expect("it is accepted").component().expect("a component");
        assert!(!component.exports().is_empty());
    }
}

#[test]
fn a_damaged_artifact_is_refused_by_every_trust() {
    let path = artifact_file("damaged.cwasm", None);
    let mut bytes = std::fs::read(&path).expect("it is there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes).expect("it is written");
    // SAFETY: it is refused before any of its code is loaded.
    let trust = unsafe { Trust::unsigned() };
    for source in [
        Source::open(&path).expect("its header is whole"),
        Source::from(bytes),
    ] {
        let refused = loader().load(&source, &trust, &LoadOptions::default());
        assert!(matches!(refused, Err(LoadError::Artifact { .. })), "{refused:?}");
    }
}

/// Embedders have the records that the program has: the second load of a file does not read all of it.
#[cfg(target_os = "linux")]
#[test]
fn a_runtime_with_records_remembers_what_it_verified() {
    let key = SecretKey::generate().expect("random numbers");
    let trust = Trust::new([key.public()]);
    let path = artifact_file("recorded.cwasm", Some(&key));
    let records = artifact::Records::open(&scratch("records")).expect("it is ours");
    let file = ArtifactFile::open(&path).expect("it is whole");
    assert!(!records.recalls(file.file(), file.digest()));
    let config = RuntimeConfig::builder().with_records(records.clone()).build();
    let runtime = ComponentRuntime::new(config.expect("the defaults are usable")).expect("it links");
    for _ in 0..2 {
        let source = Source::open(&path).expect("it is whole");
        let id = runtime
            .load(&source, &trust, ComponentOptions::new())
            .expect("it loads");
        runtime.unload(&id).expect("it is loaded");
        assert!(records.recalls(file.file(), file.digest()));
    }
    assert_eq!(records.clear().expect("they are ours"), 1);
}

#[test]
fn a_component_in_a_cache_is_compiled_once() {
    let cache = ComponentCache::new(MemoryLimits::default(), None);
    let loader = loader().with_cache(cache.clone());
    let bytes = fixture("counter.wasm");
    for _ in 0..2 {
        let loaded = loader.load(&(&bytes[..]).into(), &Trust::default(), &LoadOptions::default());
        let component = loaded.expect("it loads").component().expect("a component");
        let linker: Linker<()> = Linker::new(loader.engine());
        assert!(!linker.unmet_imports(&component).is_empty());
        let _ = Store::new(loader.engine(), ());
    }
    let counters = cache.counters();
    assert_eq!((counters.compiled, counters.memory_hits), (1, 1));
}

#[test]
fn an_identity_is_derived_from_the_name_of_the_file() {
    let config = RuntimeConfig::builder().build().expect("the defaults are usable");
    let runtime = ComponentRuntime::new(config).expect("it links");
    let source = Source::open(fixture_path("counter.wasm")).expect("it is there");
    let load = |options| {
        runtime
            .load(&source, &Trust::default(), options)
            .expect("it loads")
            .to_string()
    };
    assert_eq!(load(ComponentOptions::new()), "counter");
    assert_eq!(load(ComponentOptions::new()), "counter-2");
    assert_eq!(load(ComponentOptions::new().with_name_of("other.wasm")), "other");
    let bytes = fixture("counter.wasm");
    let id = runtime.load(&(&bytes[..]).into(), &Trust::default(), ComponentOptions::new());
    assert_eq!(id.expect("it loads").to_string(), "component-1");
}
