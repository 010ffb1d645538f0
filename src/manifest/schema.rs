//! The JSON Schema of manifests, generated from their types.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::read::MAX_NAME_BYTES;
use super::types::{ComponentManifest, ENTRYPOINT};
use crate::codec::Codec;
use crate::limits::{ByteSize, ExecutionTimeout};

/// A name: lowercase words.
const NAME: &str = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$";
/// A semantic version, as semver.org suggests.
const VERSION: &str =
    "^(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?(\\+[0-9A-Za-z.-]+)?$";

impl ComponentManifest {
    /// Generates the JSON Schema, in draft 2020-12, from the types of this module. [`SCHEMA`](super::SCHEMA) is its text.
    pub fn json_schema() -> Value {
        let mut schema = schemars::schema_for!(ComponentManifest);
        schema.insert("title".to_owned(), "component.toml".into());
        let mut schema = schema.into();
        plain(&mut schema);
        schema
    }
}

/// Removes `null`, which TOML does not have, and the line ends of descriptions.
pub(crate) fn plain(schema: &mut Value) {
    match schema {
        Value::Object(entries) => {
            if let Some(Value::Array(types)) = entries.get("type")
                && let [ty, Value::String(null)] = types.as_slice()
                && null == "null"
            {
                let ty = ty.clone();
                entries.insert("type".to_owned(), ty);
            }
            if let Some(Value::Array(cases)) = entries.remove("anyOf")
                && let Some(Value::Object(case)) = cases.into_iter().next()
            {
                entries.extend(case);
            }
            if let Some(Value::String(text)) = entries.get_mut("description") {
                *text = text
                    .replace("\n\n", "\0")
                    .replace('\n', " ")
                    .replace('\0', "\n\n");
            }
            entries.values_mut().for_each(plain);
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        _ => {}
    }
}

pub(super) fn entrypoint() -> String {
    ENTRYPOINT.to_owned()
}

pub(super) fn name(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": NAME, "maxLength": MAX_NAME_BYTES })
}

pub(super) fn version(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": VERSION, "examples": ["1.0.0"] })
}

pub(super) fn language(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": "^[a-z][a-z0-9+#.-]*$", "maxLength": MAX_NAME_BYTES })
}

pub(super) fn wit_dependencies(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "propertyNames": { "pattern": NAME, "maxLength": MAX_NAME_BYTES },
        "additionalProperties": version(generator),
        "required": ["airssys-component-core", "airssys-host-core", "airssys-multicodec-core"],
    })
}

pub(super) fn extensions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "additionalProperties": { "type": "object" } })
}

pub(super) fn codec(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": Codec::ALL.map(Codec::name) })
}

pub(super) fn codecs(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": codec(generator), "minItems": 1, "uniqueItems": true })
}

pub(super) fn capabilities(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": { "type": "string", "pattern": "^[a-z0-9-]+:[a-z0-9-]+(:.+)?$" },
        "uniqueItems": true,
    })
}

impl JsonSchema for ByteSize {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ByteSize".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[0-9]+(B|[kK]B|MB|GB|KiB|MiB|GiB)$",
            "examples": ["256MB", "256MiB"],
        })
    }
}

impl JsonSchema for ExecutionTimeout {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ExecutionTimeout".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^(?=[0-9])([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$",
            "examples": ["60s", "1m30s", "250ms"],
        })
    }
}
