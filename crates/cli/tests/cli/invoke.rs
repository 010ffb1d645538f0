use serde_json::json;

use crate::process::{Ran, airssys, fixture};

fn types(call: &str) -> Ran {
    airssys(&["invoke", &fixture("types"), call])
}

#[test]
fn a_record_a_variant_and_a_list_of_strings_go_in() {
    let ran = types(r#"describe({name: "x", age: 3}, circle(1.5), ["a","b"])"#).ended(0);
    assert_eq!(
        ran.stdout,
        "ok(\"x (3) has a circle of radius 1.5, tagged [a, b]\")\n"
    );
    assert_eq!(ran.stderr, "");
}

#[test]
fn an_error_result_is_printed_and_ends_in_1() {
    let call = r#"describe({age: 3, name: ""}, %none, [])"#;
    let ran = types(call).ended(1);
    assert_eq!(ran.stdout, "err(\"a person needs a name\")\n");
    let ran = airssys(&["invoke", &fixture("types"), call, "--json"]).ended(1);
    let report = json!({
        "function": "fixtures:types/describing#describe",
        "type": "result<string, string>",
        "result": "err(\"a person needs a name\")",
        "failed": true,
    });
    assert_eq!(ran.json(), report);
}

#[test]
fn every_kind_of_value_is_echoed() {
    for (function, value) in [
        ("bool", "true"),
        ("u8", "255"),
        ("s8", "-128"),
        ("u64", "18446744073709551615"),
        ("s64", "-9223372036854775808"),
        ("f32", "1.5"),
        ("f64", "-inf"),
        ("f64", "nan"),
        ("char", "'世'"),
        ("string", r#""a\"\\\n\t\u{1b}é""#),
        ("bytes", "[0, 127, 255]"),
        ("bytes", "[]"),
        ("strings", r#"["", "b"]"#),
        ("point", "{x: -1, y: 2}"),
        ("person", r#"{name: "n", age: 1}"#),
        ("person", r#"{name: "n", age: 1, email: some("e")}"#),
        ("option", "some(4)"),
        ("option", "none"),
        ("nested-option", "some(none)"),
        ("result-empty", "ok"),
        ("shape", r#"labelled(("l", 9))"#),
        ("shape", "at({x: 0, y: 0})"),
        ("shape", "%none"),
        ("colour", "green"),
        ("permissions", "{}"),
        ("permissions", "{read, execute}"),
        ("tuple", r#"(1, "2", -3)"#),
        ("one-tuple", "(7)"),
        ("nested", r#"[some(("s", [1])), none]"#),
    ] {
        let ran = types(&format!("echo-{function}({value})")).ended(0);
        assert_eq!(ran.stdout.trim_end(), value, "{function}");
    }
    for (function, error) in [("result", r#"err("e")"#), ("result-err-only", "err(0.5)")] {
        let ran = types(&format!("echo-{function}({error})")).ended(1);
        assert_eq!(ran.stdout.trim_end(), error, "{function}");
    }
}

#[test]
fn interfaces_can_be_named_in_full_or_in_short() {
    for name in ["fixtures:types/echoes#divide", "echoes#divide", "divide"] {
        assert_eq!(
            types(&format!("{name}(17, 5)")).ended(0).stdout,
            "(3, 2)\n",
            "{name}"
        );
    }
    assert_eq!(types("nothing()").ended(0).stdout, "");
    let versioned = "airssys:component-core/component-lifecycle@1.0.0#supported-codecs()";
    for call in [versioned, "component-lifecycle#supported-codecs()"] {
        let ran = airssys(&["invoke", &fixture("checksum"), call]).ended(0);
        assert_eq!(ran.stdout, "[85]\n");
    }
}

#[test]
fn names_that_mean_nothing_are_answered_with_those_that_do() {
    for (call, nearest) in [
        ("tarp()", "fixtures:types/failing#trap: func()"),
        (
            "echo-strin(1)",
            "fixtures:types/echoes#echo-string: func(value: string) -> string",
        ),
        ("failing#tarp()", "fixtures:types/failing#trap: func()"),
        (
            "fixtures:types/faling@1.0.0#trp()",
            "fixtures:types/failing#trap: func()",
        ),
    ] {
        let ran = types(call).ended(2);
        let functions = ran.stderr.lines().filter(|line| line.contains(": func("));
        let functions: Vec<&str> = functions.map(str::trim).collect();
        assert_eq!(functions.len(), 3, "{ran:?}");
        assert_eq!(functions[0], nearest, "{ran:?}");
        ran.says(" more\n");
        ran.says("help: `airssys-wasm inspect FILE` lists all");
    }
    // A very long name is handled quickly, and shortened in the message.
    let ran = types(&format!("{}()", "x".repeat(100_000))).ended(2);
    assert!(ran.stderr.len() < 3_000, "{}", ran.stderr.len());
    types("echoes#trap()")
        .ended(2)
        .says("fixtures:types/failing#trap: func()");
    types("describe").ended(2).says("FUNC(ARGS)");
    types("#()").ended(2);
}

#[test]
fn arguments_that_do_not_fit_are_shown_where() {
    let ran = types(r#"describe({name: "x", age: }, circle(1.5), [])"#).ended(2);
    ran.says("at character 27: ");
    ran.says(&format!("\n    {}^\n", " ".repeat(26)));
    types(r#"describe({name: "x"}, circle(1.5), [])"#)
        .ended(2)
        .says("missing field \"age\"");
    types(r#"describe({name: "é", age: 1}, cube(1), [])"#)
        .ended(2)
        .says("at character 31: unknown case");
    types("echo-u8(256)").ended(2).says("at character 9: ");
    types("echo-u8()").ended(2).says("1 required");
    types("echo-u8(1, 2)").ended(2).says("at character 12: ");
    types("echo-u8(1").ended(2).says("unexpected end");
    types("echo-char('')").ended(2);
    types("echo-char('ab')").ended(2);
    types("echo-permissions({read, fly})").ended(2).says("fly");
    types(&format!(
        "echo-option({}1{})",
        "some(".repeat(5000),
        ")".repeat(5000)
    ))
    .ended(2)
    .says("too deep");
}

#[test]
fn handles_have_no_text() {
    for call in ["pass(1)", "total([])", "[constructor]counter(1)", "perhaps(0)"] {
        types(call).ended(2).says("resource");
    }
    assert_eq!(types("drops()").ended(0).stdout, "0\n");
}

#[test]
fn traps_end_in_4() {
    types("trap()")
        .ended(4)
        .says("trap: unreachable code was executed");
    types("recurse-forever()").ended(4).says("call stack exhausted");
    types("divide(1, 0)").ended(4).says("trap: ");
    types("call-add(1, 2)")
        .ended(4)
        .says("the import `fixtures:types/host-functions#host-add` was called");
}
