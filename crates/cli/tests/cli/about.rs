//! Component metadata in an artifact, readable without running the component.

use serde_json::Value;

use crate::artifacts::text;
use crate::process::{airssys, fixture, scratch, scratch_file};

fn shown(path: &str) -> Value {
    let inspected = airssys(&["inspect", path, "--json"]).ended(0);
    inspected.json()
}

#[test]
fn what_a_component_says_is_in_its_artifact() {
    let out = scratch("about.cwasm");
    let manifest = scratch_file("about.toml", crate::manifest::EXAMPLE.as_bytes());
    let component = fixture("text-processor");
    airssys(&["compile", &component, "-o", text(&out), "--manifest", &manifest]).ended(0);
    let about = shown(text(&out));
    let artifact = &about["artifact"];
    let declared = artifact["manifest"].as_str().expect("a manifest");
    assert!(declared.contains("memory-limit = \"256MB\""), "{declared}");
    let said = airssys(&["inspect", &component, "--json"]).ended(0);
    let said = said.json();
    assert_eq!(said["contract"]["metadata"]["name"], "text-processor");
    assert_eq!(artifact["metadata"]["metadata"], said["contract"]["metadata"]);
    assert_eq!(artifact["metadata"]["codecs"], said["contract"]["codecs"]);
    let shown = airssys(&["inspect", text(&out)]).ended(0).stdout;
    for what in [
        "text-processor",
        "word-count",
        "my-ai-processor 1.0.0",
        "256MB",
        "ai:model:load",
    ] {
        assert!(shown.contains(what), "{what:?} is not in {shown}");
    }
}

#[test]
fn a_component_of_another_kind_says_nothing() {
    let out = scratch("about-types.cwasm");
    airssys(&["compile", &fixture("types"), "-o", text(&out)]).ended(0);
    let about = shown(text(&out));
    assert_eq!(
        (&about["artifact"]["metadata"], &about["artifact"]["manifest"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn a_manifest_that_cannot_be_used_is_refused() {
    let out = scratch("about-refused.cwasm");
    let large = scratch_file("large.toml", &vec![b' '; (1 << 20) + 1]);
    let binary = scratch_file("binary.toml", b"\xff\xfe");
    for manifest in ["no-such-file.toml", &large, &binary] {
        airssys(&[
            "compile",
            &fixture("counter"),
            "-o",
            text(&out),
            "--manifest",
            manifest,
        ])
        .ended(3)
        .says("the manifest");
        assert!(!out.exists());
    }
}
