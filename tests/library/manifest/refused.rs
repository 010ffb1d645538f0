//! Texts that are no manifests: each with its message, line and column.
//!
//! `tests/fixtures/manifest/refused.json` has the rows: a part of the architecture's example, its replacement, the place of
//! the first problem, and its message.

use std::time::{Duration, Instant};

use airssys_wasm::manifest::{
    ComponentManifest, InvalidManifest, MAX_DEPTH, MAX_ENTRIES, MAX_MANIFEST_BYTES, MAX_PROBLEMS,
    ManifestError,
};

use super::{EXAMPLE, SMALL};

const ROWS: &str = include_str!("../../fixtures/manifest/refused.json");

#[track_caller]
fn refused(text: &str) -> InvalidManifest {
    match ComponentManifest::from_toml(text) {
        Err(ManifestError::Invalid(invalid)) => *invalid,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_refused_text_has_its_message_and_place() {
    let rows: Vec<[String; 4]> = serde_json::from_str(ROWS).expect("rows");
    assert!(rows.len() >= 90, "{}", rows.len());
    for [part, replacement, place, message] in rows {
        assert!(EXAMPLE.contains(&part), "{part:?}");
        let text = EXAMPLE.replacen(&part, &replacement, 1);
        let invalid = refused(&text);
        let first = &invalid.problems()[0];
        let found = format!("{}:{}: {}", first.line, first.column, first.message);
        assert_eq!(found, format!("{place}: {message}"), "{replacement:?}");
        assert!(
            invalid
                .to_string()
                .starts_with(&format!("component.toml:{found}")),
            "{invalid}"
        );
        assert!(text.get(first.span.clone()).is_some(), "{:?}", first.span);
    }
}

#[test]
fn one_report_has_all_problems_in_order() {
    let text = EXAMPLE
        .replace("\"MIT\"", "\"MTI\"")
        .replace("256MB", "256mb")
        .replace("borsh", "bosrh");
    let invalid = refused(&text);
    let lines: Vec<_> = invalid.problems().iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [6, 20, 21, 33]);
    let place = &invalid.problems()[1];
    assert_eq!(&invalid.text()[place.span.clone()], "\"bosrh\"");
    let many: String = (0..1000).map(|number| format!("x{number} = 1\n")).collect();
    let invalid = refused(&format!("{SMALL}[metadata]\n{many}"));
    assert_eq!(
        (invalid.problems().len(), invalid.omitted()),
        (MAX_PROBLEMS, 1000 - MAX_PROBLEMS)
    );
    assert!(invalid.to_string().ends_with("and 980 more"), "{invalid}");
}

#[test]
fn enormous_manifests_end_in_typed_errors_soon() {
    let full = |text: &str| text.repeat(MAX_MANIFEST_BYTES / text.len());
    let key = "x".repeat(MAX_MANIFEST_BYTES / 2);
    let numbered = |line: fn(usize) -> String| (0..60_000).map(line).collect::<String>();
    let cases = [
        ("x = 1\n".repeat(2_000_000), "more than 1048576 bytes"),
        (full("["), ""),
        (format!("x = {}", "[".repeat(1_000_000)), ""),
        (format!("x = {}", "{a=".repeat(300_000)), ""),
        (format!("{}x = 1", "a.".repeat(500_000)), "nested deeper"),
        (format!("[{}x]", "a.".repeat(500_000)), "nested deeper"),
        (
            format!("[extensions.{}x]", "a.".repeat(MAX_DEPTH)),
            "nested deeper",
        ),
        (
            format!(
                "{SMALL}[extensions.x]\ny = {}{}",
                "[".repeat(MAX_DEPTH),
                "]".repeat(MAX_DEPTH)
            ),
            "nested deeper",
        ),
        (full("x = 1\n"), "duplicate key"),
        (full("\u{1}"), "not TOML"),
        (full("\u{1}\n"), "not TOML"),
        (full("[[x]]\n"), "more than 4096 keys"),
        (numbered(|number| format!("[t{number}]\n")), "more than 4096 keys"),
        (
            numbered(|number| format!("k{number} = 1\n")),
            "more than 4096 keys",
        ),
        (
            numbered(|number| format!("a.k{number}.b = 1\n")),
            "more than 4096 keys",
        ),
        (
            format!(
                "{SMALL}[metadata]\nexpected-operations = [{}]",
                "\"a\",".repeat(MAX_ENTRIES)
            ),
            "more than 4096 keys",
        ),
        (format!("{key} = 1"), "is unknown"),
        (format!("{SMALL}[metadata]\n{key} = 1"), "has no key"),
        (
            format!("{SMALL}[metadata]\nentrypoint = \"{key}\""),
            "at most 4096",
        ),
        (format!("{SMALL}[extensions.{key}]"), "1 to 128 bytes"),
        (full("\""), ""),
        (full("\\"), ""),
        (full("\r"), ""),
        (full("# \u{1F600}\n"), "is missing"),
        (String::new(), "[component] is missing"),
        ("\u{feff}".to_owned(), "[component] is missing"),
        ("\u{feff}\u{feff}".to_owned(), "not TOML"),
    ];
    for (text, message) in cases {
        let started = Instant::now();
        let error = ComponentManifest::from_toml(&text).expect_err("it is refused");
        let error = error.to_string();
        assert!(error.contains(message), "{:.60}: {error:.300}", text);
        assert!(error.len() < 8 << 10, "{:.60}: {} bytes", text, error.len());
        assert!(!error.contains('\u{1}'), "{error}");
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "{:.60}: {:?}",
            text,
            started.elapsed()
        );
    }
}

#[test]
fn no_prefix_of_the_example_makes_the_reader_panic() {
    for (end, _) in EXAMPLE.char_indices() {
        let _ = ComponentManifest::from_toml(&EXAMPLE[..end]);
        let _ = ComponentManifest::from_toml(&EXAMPLE[end..]);
    }
}
