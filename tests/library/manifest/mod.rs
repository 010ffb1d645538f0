//! Manifests: the example of the architecture, refused texts, files, and generated documents.

mod files;
pub(crate) mod generated;
mod refused;
mod reported;

use airssys_wasm::codec::Codec;
use airssys_wasm::manifest::ComponentManifest;

/// The example of the architecture document, unchanged.
const EXAMPLE: &str = include_str!("../../fixtures/manifest/component.toml");

/// A manifest with the required keys only.
const SMALL: &str = "[component]
name = \"small\"
version = \"1.0.0\"

[wit-dependencies]
airssys-component-core = \"1.0.0\"
airssys-host-core = \"1.0.0\"
airssys-multicodec-core = \"1.0.0\"
";

fn example() -> ComponentManifest {
    ComponentManifest::from_toml(EXAMPLE).expect("the example is valid")
}

#[test]
fn every_field_of_the_architecture_example_is_read() {
    let manifest = example();
    let identity = &manifest.component;
    assert_eq!(identity.name, "my-ai-processor");
    assert_eq!(identity.version.to_string(), "1.0.0");
    assert_eq!(
        identity.description.as_deref(),
        Some("AI-powered data processing component")
    );
    assert_eq!(identity.authors, ["engineer@company.com"]);
    assert_eq!(identity.license.as_deref(), Some("MIT"));
    assert_eq!(identity.language.as_deref(), Some("rust"));
    let versions: Vec<_> = manifest
        .wit_dependencies
        .iter()
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    assert_eq!(
        versions,
        [
            "airssys-ai-extensions 0.5.0",
            "airssys-component-core 1.0.0",
            "airssys-database-extensions 0.3.0",
            "airssys-host-core 1.0.0",
            "airssys-multicodec-core 1.0.0"
        ]
    );
    let multicodec = manifest.multicodec.as_ref().expect("it has the section");
    assert_eq!(multicodec.primary_format, Codec::Borsh);
    assert_eq!(
        multicodec.supported_formats,
        [Codec::Borsh, Codec::Json, Codec::MsgPack]
    );
    let required: Vec<_> = manifest.capabilities.into_iter().map(|c| c.as_str()).collect();
    assert_eq!(
        required,
        [
            "filesystem:read:/models",
            "network:outbound:api.huggingface.co",
            "ai:model:load"
        ]
    );
    assert!(manifest.capabilities.optional.is_empty());
    let metadata = &manifest.metadata;
    assert_eq!(metadata.entrypoint, "execute");
    assert_eq!(
        metadata.memory_limit.map(|limit| limit.bytes()),
        Some(256_000_000)
    );
    assert_eq!(
        metadata.execution_timeout.map(|timeout| timeout.millis()),
        Some(60_000)
    );
    assert_eq!(
        metadata.expected_operations,
        ["process-text", "analyze-sentiment", "get-status"]
    );
}

#[test]
fn keys_that_are_not_required_have_defaults() {
    let manifest = ComponentManifest::from_toml(SMALL).expect("it is valid");
    assert_eq!(manifest.metadata.entrypoint, "execute");
    assert_eq!(
        (&manifest.multicodec, manifest.metadata.memory_limit),
        (&None, None)
    );
    assert!(manifest.capabilities.required.is_empty() && manifest.extensions.is_empty());
    let only = format!("{SMALL}[multicodec]\nprimary-format = \"json\"\n");
    let only: ComponentManifest = only.parse().expect("it is valid");
    assert_eq!(
        only.multicodec.expect("it has the section").supported_formats,
        [Codec::Json]
    );
}

#[test]
fn tables_of_extensions_are_kept() {
    let text = format!(
        "{SMALL}[extensions.ai]\nmodel = {{ name = \"m\", layers = [1, 0x10, -3] }}\nratio = 0.5\non = true\nsince = 2026-01-02\n\
         [extensions.\"other tool\"]\n"
    );
    let manifest = ComponentManifest::from_toml(&text).expect("it is valid");
    let ai = &manifest.extensions["ai"];
    assert_eq!(ai["model"]["layers"][1].as_integer(), Some(16));
    assert_eq!(ai["ratio"].as_float(), Some(0.5));
    assert_eq!(ai["since"].to_string(), "2026-01-02");
    assert!(manifest.extensions["other tool"].is_empty());
}

#[test]
fn written_manifests_have_the_same_meaning() {
    let rich = format!(
        "{EXAMPLE}\n[extensions.ai]\nx = [{{ a = 1 }}, {{ a = 2 }}]\ntext = \"tab\\tquote\\\"\"\n[extensions.ai.deep]\ny = 1979-05-27T07:32:00Z\n"
    );
    let optional = format!("{SMALL}[capabilities]\noptional = [\"config:read\"]\n");
    for text in [EXAMPLE, SMALL, &rich, &optional] {
        let manifest = ComponentManifest::from_toml(text).expect("it is valid");
        let written = manifest.to_toml();
        let again = ComponentManifest::from_toml(&written);
        assert_eq!(again.expect("it is valid"), manifest, "{written}");
    }
}
