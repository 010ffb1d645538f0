//! Manifests inside components, beside them, and in artifacts.

use std::fs;
use std::path::PathBuf;

use airssys_wasm::artifact::{Artifact, ArtifactOptions, Unfinished};
use airssys_wasm::engine::{Config, Engine};
use airssys_wasm::manifest::{ComponentManifest, FILE_NAME, ManifestError};

use super::{EXAMPLE, SMALL, example};

const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// Creates an empty folder of this name.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("airssys-manifest-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

#[test]
fn an_embedded_manifest_is_read_back() {
    let manifest = example();
    assert!(
        ComponentManifest::from_component(COMPONENT)
            .expect("it reads")
            .is_none()
    );
    let with = manifest.embed(COMPONENT).expect("it embeds");
    assert_eq!(
        ComponentManifest::from_component(&with).expect("it reads"),
        Some(manifest.clone())
    );
    assert_eq!(manifest.embed(&with).expect("it embeds"), with);
    let small = ComponentManifest::from_toml(SMALL).expect("it is valid");
    let replaced = small.embed(&with).expect("it embeds");
    assert_eq!(
        ComponentManifest::from_component(&replaced).expect("it reads"),
        Some(small)
    );
}

#[test]
fn the_embedded_manifest_must_agree_with_the_one_beside_it() {
    let folder = folder("agree");
    let file = folder.join("x.wasm");
    fs::write(&file, COMPONENT).expect("it writes");
    let none = ComponentManifest::from_wasm_file(&file);
    assert!(matches!(none, Err(ManifestError::Missing(_))), "{none:?}");
    fs::write(folder.join(FILE_NAME), EXAMPLE).expect("it writes");
    assert_eq!(
        ComponentManifest::from_wasm_file(&file).expect("beside"),
        example()
    );
    fs::write(&file, example().embed(COMPONENT).expect("it embeds")).expect("it writes");
    assert_eq!(ComponentManifest::from_wasm_file(&file).expect("both"), example());
    fs::write(folder.join(FILE_NAME), EXAMPLE.replace("256MB", "257MB")).expect("it writes");
    let differs = ComponentManifest::from_wasm_file(&file).expect_err("they differ");
    assert!(differs.to_string().contains("differ in [metadata]"), "{differs}");
    fs::remove_file(folder.join(FILE_NAME)).expect("it is there");
    assert_eq!(
        ComponentManifest::from_wasm_file(&file).expect("inside"),
        example()
    );
    fs::create_dir(folder.join(FILE_NAME)).expect("a folder");
    let folder_beside = ComponentManifest::from_wasm_file(&file);
    assert!(
        matches!(folder_beside, Err(ManifestError::Read { .. })),
        "{folder_beside:?}"
    );
    fs::remove_dir_all(folder).expect("it is there");
}

#[test]
fn damaged_components_and_manifests_are_typed_errors() {
    let twice = [
        &example().embed(COMPONENT).expect("it embeds")[..],
        &example().embed(COMPONENT).expect("it embeds")[8..],
    ]
    .concat();
    let damaged = ComponentManifest::from_component(b"\0asm\x0d\0\x01\0\0\xff");
    assert!(matches!(damaged, Err(ManifestError::Damaged(_))), "{damaged:?}");
    let text = ComponentManifest::from_component(b"(component)");
    assert!(matches!(text, Err(ManifestError::Damaged(_))), "{text:?}");
    let twice = ComponentManifest::from_component(&twice);
    assert!(matches!(twice, Err(ManifestError::Twice)), "{twice:?}");
    let folder = folder("damaged");
    let file = folder.join(FILE_NAME);
    fs::write(&file, [b' ', 0xff]).expect("it writes");
    let binary = ComponentManifest::from_file(&file).expect_err("it is binary");
    assert!(
        binary.to_string().contains("byte 1 is not valid UTF-8"),
        "{binary}"
    );
    fs::write(&file, vec![b' '; 10 << 20]).expect("it writes");
    let large = ComponentManifest::from_file(&file);
    assert!(
        matches!(large, Err(ManifestError::TooLarge(Some(_)))),
        "{large:?}"
    );
    let missing = ComponentManifest::from_file(folder.join("no-such.toml"));
    assert!(matches!(missing, Err(ManifestError::Read { .. })), "{missing:?}");
    fs::remove_dir_all(folder).expect("it is there");
}

#[test]
fn an_artifact_carries_its_manifest() {
    let engine = Engine::new(&Config::new()).expect("an engine");
    let compiled = Unfinished::compile(&engine, COMPONENT).expect("it compiles");
    let written = example().to_toml();
    let mut options = ArtifactOptions::default();
    options.manifest = Some(written.as_bytes());
    let bytes = compiled.finish(&options).expect("it finishes");
    let artifact = Artifact::open(&bytes).expect("it is intact");
    assert_eq!(
        ComponentManifest::from_artifact(&artifact).expect("it reads"),
        Some(example())
    );
    let folder = folder("artifact");
    let file = folder.join("x.cwasm");
    fs::write(&file, &bytes).expect("it writes");
    assert_eq!(
        ComponentManifest::from_wasm_file(&file).expect("inside"),
        example()
    );
    fs::write(folder.join(FILE_NAME), SMALL).expect("it writes");
    let differs = ComponentManifest::from_wasm_file(&file);
    assert!(
        matches!(differs, Err(ManifestError::Differs { .. })),
        "{differs:?}"
    );
    fs::remove_dir_all(folder).expect("it is there");
}
