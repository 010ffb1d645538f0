use serde_json::{Value, json};

use crate::process::{airssys, fixture};

fn inspect(name: &str) -> Value {
    airssys(&["inspect", &fixture(name), "--json"]).ended(0).json()
}

fn item<'a>(items: &'a Value, name: &str) -> &'a Value {
    let items = items.as_array().expect("a list");
    items
        .iter()
        .find(|item| item["name"] == name)
        .unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn components_of_the_contract_describe_themselves() {
    for (name, language, codecs, operation) in [
        ("text-processor", "rust", &["json", "msgpack"][..], "word-count"),
        ("counter", "rust", &["json"], "increment"),
        ("checksum", "c", &["raw"], "checksum"),
    ] {
        let json = inspect(name);
        let contract = &json["contract"];
        assert_eq!(contract["metadata"]["name"], name);
        assert_eq!(contract["metadata"]["language"], language);
        let names = contract["codecs"].as_array().expect("a list").iter();
        assert_eq!(names.map(|codec| &codec["name"]).collect::<Vec<_>>(), codecs);
        let operations = contract["operations"].as_array().expect("a list");
        assert!(operations.contains(&operation.into()), "{operations:?}");
        let health = json!({"state": "degraded", "message": "not initialised"});
        assert_eq!(contract["health"], health);
        assert_eq!(json["missing-imports"], json!([]));
        assert_eq!(json["why-no-contract"], Value::Null);
    }
    let json = inspect("text-processor");
    let custom = &json["contract"]["metadata"]["custom-metadata"];
    assert_eq!(custom[0], json!(["text:word-separator", "Unicode white space"]));
}

#[test]
fn a_component_outside_the_contract_is_shown_all_the_same() {
    let json = inspect("types");
    assert_eq!(json["contract"], Value::Null);
    let why = json["why-no-contract"].as_str().expect("text");
    assert!(why.contains("component-lifecycle"), "{why}");
    let missing = json["missing-imports"].to_string();
    for import in ["fixtures:types/host-logger", "fixtures:types/host-functions"] {
        assert!(missing.contains(import), "{missing}");
    }
    let size = std::fs::metadata(fixture("types")).expect("the fixture").len();
    assert_eq!(json["bytes"], size);
    assert!(json["core-modules"].as_u64() >= Some(1));

    let describing = &item(&json["exports"], "fixtures:types/describing")["items"];
    assert_eq!(
        item(describing, "person")["type"],
        "record person { name: string, age: u32 }"
    );
    assert_eq!(
        item(describing, "describe")["type"],
        "func(person: person, shape: shape, tags: list<string>) -> result<string, string>"
    );
    let logger = &item(&json["imports"], "fixtures:types/host-logger")["items"];
    assert_eq!(item(logger, "logger")["kind"], "resource");
    assert_eq!(
        item(logger, "count")["type"],
        "func(logger: borrow<logger>) -> u32"
    );
}

#[test]
fn people_get_lines() {
    let ran = airssys(&["inspect", &fixture("text-processor")]).ended(0);
    for line in [
        "  operations   word-count, reverse, statistics",
        "  codecs       json, msgpack",
        "  health       degraded: not initialised",
        "  interface airssys:component-core/component-lifecycle@1.0.0",
        "    health: func() -> health-status",
    ] {
        assert!(
            ran.stdout.lines().any(|other| other == line),
            "{line:?} in {}",
            ran.stdout
        );
    }
    let ran = airssys(&["inspect", &fixture("types")]).ended(0);
    assert!(ran.stdout.contains("\nmissing imports\n"), "{}", ran.stdout);
}
