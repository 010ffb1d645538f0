//! `manifest`, and manifests in artifacts.

use std::fs;
use std::path::{Path, PathBuf};

use crate::artifacts::text;
use crate::process::{airssys, fixture, scratch};

/// The example of the architecture document.
pub(crate) const EXAMPLE: &str = include_str!("../../../../tests/fixtures/manifest/component.toml");

/// Creates an empty folder with a manifest.
fn folder(name: &str, manifest: &str) -> PathBuf {
    let folder = scratch(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("component.toml"), manifest).expect("it writes");
    folder
}

fn file(folder: &Path, name: &str) -> String {
    text(&folder.join(name)).to_owned()
}

#[test]
fn problems_are_shown_with_their_lines() {
    let wrong = EXAMPLE
        .replace("license =", "licence =")
        .replace("256MB", "256mb");
    let folder = folder("manifest-wrong", &wrong);
    let path = file(&folder, "component.toml");
    let ran = airssys(&["manifest", "check", &path]).ended(3);
    for line in [
        "6:1: [component] has no key `licence`: the nearest is `license`",
        "6 | licence = \"MIT\"",
        "  | ^^^^^^^",
        "33:16: `256mb` is not a size: the unit `mb` is written `MB`",
        "33 | memory-limit = \"256mb\"",
        "   |                ^^^^^^^",
    ] {
        assert!(ran.stderr.contains(line), "{line:?}: {}", ran.stderr);
    }
    assert!(!ran.stderr.contains('\u{1b}'), "{ran:?}");
    assert_eq!(ran.stdout, "");
    let ran = airssys(&["manifest", "check", &path, "--json"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{ran:?}");
    assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
}

#[test]
fn a_manifest_is_checked_and_shown() {
    let folder = folder("manifest-right", EXAMPLE);
    let path = file(&folder, "component.toml");
    let ran = airssys(&["manifest", "check", &path]).ended(0);
    assert!(
        ran.stdout.contains("a valid manifest, of my-ai-processor 1.0.0"),
        "{ran:?}"
    );
    let shown = airssys(&["manifest", "show", &path]).ended(0).stdout;
    assert!(shown.contains("execution-timeout = \"1m\""), "{shown}");
    let json = airssys(&["manifest", "show", &path, "--json"]).ended(0).json();
    assert_eq!(json["metadata"]["memory-limit"], "256MB");
    assert_eq!(json["multicodec"]["primary-format"], "borsh");
    let schema = airssys(&["manifest", "schema"]).ended(0).json();
    assert_eq!(schema["title"], "component.toml");
}

#[test]
fn an_embedded_manifest_is_in_the_artifact_of_its_component() {
    let folder = folder("manifest-embedded", EXAMPLE);
    let component = file(&folder, "x.wasm");
    fs::copy(fixture("counter"), &component).expect("it copies");
    // The manifest beside a component is used as the one inside is.
    let beside = file(&folder, "beside.cwasm");
    airssys(&["compile", &component, "-o", &beside]).ended(0);
    airssys(&["manifest", "embed", &component, "-o", &component]).ended(0);
    fs::write(folder.join("component.toml"), EXAMPLE.replace("256MB", "1MB")).expect("it writes");
    let artifact = file(&folder, "x.cwasm");
    let ran = airssys(&["compile", &component, "-o", &artifact]).ended(3);
    ran.says("differ in [metadata]");
    assert!(!Path::new(&artifact).exists());
    fs::remove_file(folder.join("component.toml")).expect("it is there");
    airssys(&["compile", &component, "-o", &artifact]).ended(0);
    for artifact in [&beside, &artifact] {
        let json = airssys(&["inspect", artifact, "--json"]).ended(0).json();
        let declared = json["artifact"]["manifest"].as_str().expect("a manifest");
        assert_eq!(
            declared.trim_end(),
            airssys(&["manifest", "show", &component])
                .ended(0)
                .stdout
                .trim_end()
        );
        let shown = airssys(&["manifest", "show", artifact, "--json"]).ended(0).json();
        assert_eq!(shown["component"]["name"], "my-ai-processor");
        let checked = airssys(&["manifest", "check", artifact]).ended(0);
        assert!(checked.stdout.contains("not compared"), "{checked:?}");
    }
}

#[test]
fn a_component_that_reports_something_else_is_shown_with_each_difference() {
    let folder = folder("manifest-differs", EXAMPLE);
    let component = file(&folder, "x.wasm");
    fs::copy(fixture("counter"), &component).expect("it copies");
    let ran = airssys(&["manifest", "check", &component]).ended(1);
    let name = "component.name: the manifest declares `my-ai-processor`, the component reports `counter`";
    assert!(ran.stdout.contains(name), "{ran:?}");
    let json = airssys(&["manifest", "check", &component, "--json"])
        .ended(1)
        .json();
    assert_eq!(json["differences"][0]["field"], "component.name");
}

#[test]
fn a_component_without_a_manifest_is_refused_with_the_remedy() {
    let ran = airssys(&["manifest", "show", &fixture("counter")]).ended(3);
    ran.says("airssys-wasm manifest embed");
}
