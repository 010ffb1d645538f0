//! Manifests against the metadata that components report.

use airssys_wasm::host::ComponentMetadata;
use airssys_wasm::host::MemoryRequirements;

use super::example;

/// Metadata that agrees with the example.
fn metadata() -> ComponentMetadata {
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    ComponentMetadata {
        name: "my-ai-processor".to_owned(),
        version: "1.0.0".to_owned(),
        description: "any".to_owned(),
        author: "any".to_owned(),
        license: "MIT".to_owned(),
        required_capabilities: texts(&[
            "ai:model:load",
            "filesystem:read:/models",
            "network:outbound:api.huggingface.co",
        ]),
        supported_operations: texts(&["get-status", "analyze-sentiment", "process-text"]),
        supported_codecs: vec![0x701, 0x201, 0x200],
        language: "rust".to_owned(),
        memory_requirements: MemoryRequirements {
            min_memory_bytes: 1,
            max_memory_bytes: 256_000_000,
            preferred_memory_bytes: 1,
        },
        timeout_ms: Some(60_000),
        stateful: false,
        api_version: "1.2.0".to_owned(),
        homepage: None,
        repository: None,
        tags: Vec::new(),
        custom_metadata: None,
    }
}

#[test]
fn metadata_that_agrees_has_no_differences() {
    assert_eq!(example().differences(&metadata()), []);
    let mut unlimited = metadata();
    unlimited.timeout_ms = None;
    assert_eq!(example().differences(&unlimited), []);
}

#[test]
fn each_field_has_its_own_difference() {
    type Change = fn(&mut ComponentMetadata);
    let rows: [(&str, Change, &str); 12] = [
        ("component.name", |m| m.name = "other".into(), "`other`"),
        ("component.version", |m| m.version = "1.0.1".into(), "`1.0.1`"),
        (
            "component.version",
            |m| m.version = "\u{1b}[2J".into(),
            "\\u{1b}[2J",
        ),
        (
            "component.license",
            |m| m.license = "GPL-3.0-only".into(),
            "GPL-3.0-only",
        ),
        ("component.language", |m| m.language = "go".into(), "`go`"),
        (
            "wit-dependencies.airssys-component-core",
            |m| m.api_version = "2.0.0".into(),
            "`2.0.0`",
        ),
        (
            "multicodec.primary-format",
            |m| m.supported_codecs.rotate_left(1),
            "`msgpack`",
        ),
        (
            "multicodec.supported-formats",
            |m| m.supported_codecs.push(0x99),
            "`0x99`",
        ),
        (
            "capabilities.required",
            |m| m.required_capabilities.push("config:write".into()),
            "`config:write`",
        ),
        (
            "metadata.memory-limit",
            |m| m.memory_requirements.max_memory_bytes = 256 << 20,
            "268435456",
        ),
        ("metadata.execution-timeout", |m| m.timeout_ms = Some(1), "1 ms"),
        (
            "metadata.expected-operations",
            |m| m.supported_operations.truncate(1),
            "`get-status`",
        ),
    ];
    for (field, change, reported) in rows {
        let mut metadata = metadata();
        change(&mut metadata);
        let found = example().differences(&metadata);
        let fields: Vec<_> = found.iter().map(|difference| difference.field).collect();
        assert_eq!(fields, [field]);
        assert!(found[0].reported.contains(reported), "{}", found[0]);
    }
    let mut manifest = example();
    manifest.metadata.entrypoint = "run".to_owned();
    let found = manifest.differences(&metadata());
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].to_string(),
        "metadata.entrypoint: the manifest declares `run`, the component reports `execute`"
    );
}
