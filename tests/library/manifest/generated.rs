//! `docs/component.schema.json` and `docs/manifest.md`, generated from the types. `BLESS=1` writes them.

use std::fs;

use airssys_wasm::manifest::{ComponentManifest, SCHEMA};
use serde_json::Value;

#[track_caller]
pub(crate) fn up_to_date(path: &str, found: &str, expected: &str) {
    if std::env::var_os("BLESS").is_some() {
        let path = airssys_wasm_test_support::root().join(path);
        fs::write(path, expected).expect("it can be written");
    } else {
        assert!(
            found == expected,
            "{path} is stale: run this test with BLESS=1, and once more without"
        );
    }
}

#[test]
fn the_committed_schema_is_that_of_the_types() {
    let schema = ComponentManifest::json_schema();
    let text = serde_json::to_string_pretty(&schema).expect("it is JSON");
    up_to_date("docs/component.schema.json", SCHEMA, &format!("{text}\n"));
}

#[test]
fn the_tables_of_the_document_are_those_of_the_types() {
    let path = airssys_wasm_test_support::root().join("docs/manifest.md");
    let document = fs::read_to_string(&path).expect("docs/manifest.md is there");
    let (before, rest) = document
        .split_once("<!-- tables -->\n")
        .expect("it has the tables' mark");
    let (_, after) = rest.split_once("<!-- end -->").expect("and their end");
    let expected = format!("{before}<!-- tables -->\n{}<!-- end -->{after}", tables());
    up_to_date("docs/manifest.md", &document, &expected);
}

/// Every key of the schema is known to the reader, and no other.
#[test]
fn the_reader_knows_the_keys_of_the_schema() {
    let schema = ComponentManifest::json_schema();
    for (section, keys) in keys(&schema) {
        let invalid = format!("[{section}]\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx = 1\n");
        let error = ComponentManifest::from_toml(&invalid).expect_err("it is invalid");
        let Some((_, listed)) = error
            .to_string()
            .split_once("the keys are ")
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
        else {
            assert!(keys.is_empty(), "[{section}]");
            continue;
        };
        let listed = listed.lines().next().unwrap_or_default().to_owned();
        let expected: Vec<_> = keys.iter().map(|key| format!("`{key}`")).collect();
        assert_eq!(listed, expected.join(", "), "[{section}]");
    }
}

/// Returns the sections, each with its fixed keys.
fn keys(schema: &Value) -> Vec<(String, Vec<String>)> {
    let sections = schema["properties"].as_object().expect("sections");
    sections
        .iter()
        .map(|(name, section)| {
            let properties = resolved(schema, section)["properties"].as_object();
            let keys = properties.map(|keys| keys.keys().cloned().collect());
            (name.clone(), keys.unwrap_or_default())
        })
        .collect()
}

pub(crate) fn resolved<'s>(schema: &'s Value, section: &'s Value) -> &'s Value {
    match section["$ref"].as_str().and_then(|name| name.strip_prefix('#')) {
        Some(pointer) => schema.pointer(pointer).expect("the definition is there"),
        None => section,
    }
}

fn tables() -> String {
    let schema = ComponentManifest::json_schema();
    let mut out = String::new();
    for (name, section) in schema["properties"].as_object().expect("sections") {
        let is_required = required(&schema, name);
        out += &format!("## [{name}]\n\n");
        out += section["description"].as_str().expect("a description");
        out += match is_required {
            true => " Required.\n\n",
            false => " Optional.\n\n",
        };
        let section = resolved(&schema, section);
        out += "| key | type | unit | default | meaning |\n|---|---|---|---|---|\n";
        match section["properties"].as_object() {
            Some(keys) => {
                for (key, value) in keys {
                    let default = match (&value["default"], required(section, key)) {
                        (_, true) => "required".to_owned(),
                        (Value::Null, false) => "none".to_owned(),
                        (Value::String(text), false) => format!("`{text}`"),
                        (other, false) => format!("`{other}`"),
                    };
                    out += &row(&format!("`{key}`"), value, &default);
                }
            }
            None => out += &row("any name", &section["additionalProperties"], "none"),
        }
        out.push('\n');
    }
    out
}

pub(crate) fn row(key: &str, value: &Value, default: &str) -> String {
    let meaning = value["description"]
        .as_str()
        .unwrap_or(match value["type"].as_str() {
            Some("object") => "the table of the tool of this name",
            _ => "version of the package of this name",
        });
    let (ty, unit) = (kind(value), unit(value));
    format!("| {key} | {ty} | {unit} | {default} | {meaning} |\n")
}

pub(crate) fn required(schema: &Value, key: &str) -> bool {
    let keys = schema["required"].as_array().into_iter().flatten();
    keys.into_iter().any(|name| name == key)
}

fn kind(value: &Value) -> String {
    if let Some(cases) = value["enum"].as_array() {
        let cases: Vec<_> = cases
            .iter()
            .filter_map(Value::as_str)
            .map(|case| format!("`{case}`"))
            .collect();
        return format!("one of {}", cases.join(", "));
    }
    if value["oneOf"].is_array() {
        return "string or table".to_owned();
    }
    let range = (value["minimum"].as_u64(), value["maximum"].as_u64());
    match value["type"].as_str() {
        Some("integer") => match range {
            (Some(least), Some(most)) => format!("integer, {least} to {most}"),
            _ => "integer".to_owned(),
        },
        Some("array") => format!("list: {}", kind(&value["items"])),
        Some("object") => "table".to_owned(),
        other => other.unwrap_or("any").to_owned(),
    }
}

fn unit(value: &Value) -> &'static str {
    match value["pattern"].as_str() {
        Some(pattern) if pattern.contains("KiB") => "B, kB, MB, GB, KiB, MiB, GiB",
        Some(pattern) if pattern.contains("ms") => "h, m, s, ms",
        _ => "",
    }
}
