//! The JSON Schema of host files, generated from their types.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::read::{MAX_COMPONENTS, MAX_GROUPS};
use super::types::{DeclaredComponent, DeclaredGroup, HostFile};
use crate::codec::Codec;
use crate::limits::Resource;
use crate::manifest::MAX_NAME_BYTES;
use crate::manifest::schema::plain;
use crate::messaging::{MAX_COMPONENT_ID_BYTES, MAX_TOPIC_BYTES};
use airssys_wasm_component::engine::Backend;

/// The name of a cluster or of a host in it, or a label.
const CLUSTER_NAME: &str = "^[A-Za-z0-9_-]{1,48}$";
/// A size of at least one byte.
const SIZE: &str = "^[0-9]+(B|[kK]B|MB|GB|KiB|MiB|GiB)$";
/// A time of at least one millisecond.
const TIME: &str = "^(?=[0-9])([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$";

impl HostFile {
    /// Generates the JSON Schema, in draft 2020-12, from the types of this module. [`SCHEMA`](super::SCHEMA) is its text.
    pub fn json_schema() -> Value {
        let mut schema = schemars::schema_for!(HostFile);
        schema.insert("title".to_owned(), "HOST.toml".into());
        let mut schema = schema.into();
        plain(&mut schema);
        schema
    }
}

pub(super) fn components(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": generator.subschema_for::<DeclaredComponent>(),
        "minItems": 1,
        "maxItems": MAX_COMPONENTS,
    })
}

pub(super) fn groups(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": generator.subschema_for::<DeclaredGroup>(),
        "maxItems": MAX_GROUPS,
    })
}

pub(super) fn name(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "minLength": 1, "maxLength": MAX_NAME_BYTES })
}

pub(super) fn strategy(_: &mut SchemaGenerator) -> Schema {
    words(vec!["one-for-one", "one-for-all", "rest-for-one"])
}

pub(super) fn id(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "string",
        "pattern": "^[A-Za-z0-9._:/@-]+$",
        "maxLength": MAX_COMPONENT_ID_BYTES,
    })
}

pub(super) fn texts(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": { "type": "string" }, "uniqueItems": true })
}

pub(super) fn backend(_: &mut SchemaGenerator) -> Schema {
    let names = Backend::ALL.into_iter().chain([Backend::Tiered]);
    words(names.map(Backend::name).collect())
}

pub(super) fn restart(_: &mut SchemaGenerator) -> Schema {
    words(vec!["permanent", "transient", "temporary"])
}

pub(super) fn messages(_: &mut SchemaGenerator) -> Schema {
    words(vec!["receive", "execute"])
}

pub(super) fn cluster_name(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": CLUSTER_NAME })
}

pub(super) fn servers(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": { "type": "string", "pattern": "^(nats|tls)://[^@/]+/?$" },
        "minItems": 1,
        "maxItems": 64,
        "uniqueItems": true,
    })
}

pub(super) fn labels(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": { "type": "string", "pattern": CLUSTER_NAME },
        "maxItems": 16,
        "uniqueItems": true,
    })
}

pub(super) fn topics(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": { "type": "string", "pattern": "^[A-Za-z0-9._:/@-]+$", "maxLength": MAX_TOPIC_BYTES },
        "uniqueItems": true,
    })
}

pub(super) fn digest(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": "^[0-9a-f]{64}$" })
}

pub(super) fn place(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "oneOf": [place_of("env"), place_of("file")] })
}

fn words(names: Vec<&str>) -> Schema {
    json_schema!({ "type": "string", "enum": names })
}

pub(super) fn size(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": SIZE, "examples": ["64KiB", "16MiB"] })
}

pub(super) fn capabilities(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": { "type": "string", "pattern": "^[a-z0-9-]+:[a-z0-9-]+(:.+)?$" },
        "uniqueItems": true,
    })
}

/// A text, or the place of one.
fn value() -> Value {
    json!({ "oneOf": [{ "type": "string" }, place_of("env"), place_of("file")] })
}

/// The place of a text, by one key.
fn place_of(key: &str) -> Value {
    let mut properties = Map::new();
    properties.insert(key.to_owned(), json!({ "type": "string" }));
    json!({
        "type": "object",
        "properties": properties,
        "required": [key],
        "additionalProperties": false,
    })
}

pub(super) fn values(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "additionalProperties": value() })
}

pub(super) fn config_data(_: &mut SchemaGenerator) -> Schema {
    let text = json!({ "type": "string" });
    json_schema!({
        "oneOf": [
            text,
            {
                "type": "object",
                "properties": {
                    "text": text,
                    "file": text,
                    "codec": { "type": "string", "enum": Codec::ALL.map(Codec::name) },
                },
                "additionalProperties": false,
            },
        ],
    })
}

pub(super) fn backpressure(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "oneOf": [
            { "type": "string", "enum": ["refuse", "drop-oldest"] },
            {
                "type": "object",
                "properties": { "wait": { "type": "string", "pattern": TIME } },
                "required": ["wait"],
                "additionalProperties": false,
            },
        ],
    })
}

pub(super) fn limits(_: &mut SchemaGenerator) -> Schema {
    let mut properties = Map::new();
    for resource in Resource::ALL {
        let value = match (resource.is_number(), resource.unit()) {
            (true, _) => json!({ "type": "integer", "minimum": 0 }),
            (false, "ms") => json!({ "type": "string", "pattern": TIME }),
            (false, _) => json!({ "type": "string", "pattern": SIZE }),
        };
        properties.insert(resource.name().to_owned(), value);
    }
    json_schema!({ "type": "object", "properties": properties, "additionalProperties": false })
}
