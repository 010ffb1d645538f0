//! `docs/host.schema.json` and the tables of `docs/host.md`, generated from the types. `BLESS=1` writes them.

use std::fs;

use airssys_wasm::host_file::{HostFile, SCHEMA};
use serde_json::Value;

use crate::manifest::generated::{required, resolved, row, up_to_date};

/// The tables of the document: heading, and place in the schema.
const TABLES: [(&str, &[&str]); 10] = [
    ("[host]", &["host"]),
    ("[cluster]", &["cluster"]),
    ("[cluster.tls]", &["cluster", "tls"]),
    ("[cluster.durable]", &["cluster", "durable"]),
    ("[[group]]", &["group"]),
    ("[[component]]", &["component"]),
    ("[component.mailbox]", &["component", "mailbox"]),
    ("[component.supervision]", &["component", "supervision"]),
    ("[component.health]", &["component", "health"]),
    ("[component.cluster]", &["component", "cluster"]),
];

#[test]
fn the_committed_schema_is_that_of_the_types() {
    let text = serde_json::to_string_pretty(&HostFile::json_schema()).expect("it is JSON");
    up_to_date("docs/host.schema.json", SCHEMA, &format!("{text}\n"));
}

#[test]
fn the_tables_of_the_document_are_those_of_the_types() {
    let path = airssys_wasm_test_support::root().join("docs/host.md");
    let document = fs::read_to_string(&path).expect("docs/host.md is there");
    let (before, rest) = document
        .split_once("<!-- tables -->\n")
        .expect("it has the tables' mark");
    let (_, after) = rest.split_once("<!-- end -->").expect("and their end");
    let expected = format!("{before}<!-- tables -->\n{}<!-- end -->{after}", tables());
    up_to_date("docs/host.md", &document, &expected);
}

#[test]
fn the_examples_of_the_document_are_valid() {
    let path = airssys_wasm_test_support::root().join("docs/host.md");
    let document = fs::read_to_string(&path).expect("docs/host.md is there");
    let examples: Vec<&str> = document.split("```toml\n").skip(1).collect();
    assert_eq!(examples.len(), 2, "each is read");
    for example in examples {
        let (example, _) = example.split_once("```").expect("its end");
        let read = HostFile::from_toml(example, "HOST.toml");
        assert!(read.is_ok(), "{example}: {read:?}");
    }
}

/// A file with nothing else but a path of the component is valid.
#[test]
fn only_identities_names_and_the_servers_and_key_of_a_cluster_are_required() {
    let schema = HostFile::json_schema();
    for (heading, path) in TABLES {
        let (_, table) = table(&schema, path);
        let keys = table["properties"].as_object().expect("keys").keys();
        let required: Vec<_> = keys.filter(|key| required(table, key)).collect();
        let expected: &[&str] = match heading {
            "[[component]]" => &["id"],
            "[cluster]" => &["name", "host", "servers", "key"],
            "[[group]]" => &["name"],
            _ => &[],
        };
        assert_eq!(required, expected, "{heading}");
    }
    let smallest = "[[component]]\nid = 'a'\npath = 'b'\n";
    assert!(HostFile::from_toml(smallest, "h.toml").is_ok());
}

/// Every key of the schema is known to the reader, and no other.
#[test]
fn the_reader_knows_the_keys_of_the_schema() {
    let schema = HostFile::json_schema();
    for (heading, path) in TABLES {
        let cluster = "[cluster]\nname = 'c'\nhost = 'h'\nservers = ['nats://a:1']\nkey = 'k'\n";
        let component = "[[component]]\nid = 'a'\npath = 'b'\n";
        let invalid = format!(
            "{}\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx = 1\n",
            match heading {
                "[[component]]" => component.to_owned(),
                "[[group]]" => format!("{component}[[group]]\nname = 'g'"),
                "[cluster]" => format!("{component}{cluster}"),
                other if other.contains("cluster") => format!("{cluster}{component}{other}"),
                other => format!("{component}{other}"),
            }
        );
        let error = HostFile::from_toml(&invalid, "h.toml").expect_err("it is invalid");
        let error = error.to_string();
        let (_, listed) = error.split_once("the keys are ").expect("they are listed");
        let keys = table(&schema, path).1["properties"].as_object().expect("keys");
        let keys: Vec<_> = keys.keys().map(|key| format!("`{key}`")).collect();
        assert_eq!(listed, keys.join(", "), "{heading}");
    }
}

/// Returns the description and the schema of a table.
fn table<'s>(schema: &'s Value, path: &[&str]) -> (&'s str, &'s Value) {
    let mut found = ("", schema);
    for key in path {
        let property = &found.1["properties"][key];
        let table = match &property["items"] {
            Value::Null => property,
            items => items,
        };
        let description = property["description"].as_str().expect("a description");
        found = (description, resolved(schema, table));
    }
    found
}

fn tables() -> String {
    let schema = HostFile::json_schema();
    let mut out = String::new();
    for (heading, path) in TABLES {
        let (description, table) = table(&schema, path);
        out += &format!("## {heading}\n\n{description}\n\n");
        out += "| key | type | unit | default | meaning |\n|---|---|---|---|---|\n";
        for (key, value) in table["properties"].as_object().expect("keys") {
            let default = match required(table, key) {
                true => "required",
                false => "none",
            };
            out += &row(&format!("`{key}`"), value, default);
        }
        out.push('\n');
    }
    out
}
