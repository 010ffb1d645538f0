//! Plain scalars of YAML by the core schema: YAML 1.2.2, section 10.3.2, row by row.

use super::show;
use airssys_wasm::codec::Codec;
use serde_json::{Value, json};

fn read(text: &str) -> Value {
    show(Codec::Yaml, text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn all_are(texts: &[&str], expected: impl Fn(&str) -> Value) {
    for text in texts {
        let expected = expected(text);
        assert_eq!(read(text), expected, "{text}");
        // In an array and as a value of a map, where a scalar has other neighbors.
        assert_eq!(read(&format!("[{text}]")), json!([expected]), "[{text}]");
        assert_eq!(read(&format!("k: {text}\n")), json!({"k": expected}), "k: {text}");
    }
}

#[test]
fn plain_scalars_of_the_core_schema_have_its_types() {
    all_are(&["null", "Null", "NULL", "~"], |_| Value::Null);
    assert_eq!(read("k:\n"), json!({"k": null}), "the empty scalar");
    all_are(&["true", "True", "TRUE"], |_| json!(true));
    all_are(&["false", "False", "FALSE"], |_| json!(false));
    all_are(&["0", "+0"], |_| json!(0));
    all_are(&["12", "+12"], |_| json!(12));
    all_are(&["-19"], |_| json!(-19));
    all_are(&["18446744073709551615"], |_| json!(u64::MAX));
    all_are(&["-9223372036854775808"], |_| json!(i64::MIN));
    all_are(&["0o7", "0o07"], |_| json!(7));
    all_are(&["0o17"], |_| json!(15));
    all_are(&["0x3A", "0x3a", "0x003A"], |_| json!(0x3a));
    all_are(&["0.", "0.0", ".0", "0e5"], |_| json!(0.0));
    all_are(&["-0.0", "-.0", "-0."], |_| json!(-0.0));
    all_are(&[".5", "+.5", "0.5", "5e-1", "5E-1", "50.e-2"], |_| json!(0.5));
    all_are(&["+12e03", "12e3", "12E+3"], |_| json!(12e3));
    all_are(&["-2E+05"], |_| json!(-2e5));
    all_are(
        &[".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"],
        |_| json!({"$float": "inf"}),
    );
    all_are(&["-.inf", "-.Inf", "-.INF"], |_| json!({"$float": "-inf"}));
    all_are(&[".nan", ".NaN", ".NAN"], |_| json!({"$float": "NaN"}));
}

/// serde-saphyr 2.2.0 read `1_000` as 1000 and `02134` as 2134.0.
#[test]
fn what_the_core_schema_calls_no_number_is_text() {
    let others = [
        // Of version 1.1: signs of octal and hexadecimal, binary, underscores, base 60, other words.
        "1_000",
        "0x_FF",
        "0xFF_FF",
        "0b10",
        "0B10",
        "190:20:30",
        "20:30.15",
        "-0x1",
        "+0o7",
        "0X1",
        "0O7",
        "yes",
        "Yes",
        "no",
        "NO",
        "on",
        "Off",
        "y",
        "n",
        "=",
        "2001-12-14",
        "2001-12-14t21:59:43.10-05:00",
        "12:30:45",
        // Beginnings of numbers, and more than numbers.
        "0o",
        "0x",
        "0o8",
        "0xg",
        ".",
        "+",
        "e5",
        ".e5",
        "1e",
        "1e+",
        "1.2.3",
        "1.5e3.5",
        "1-2",
        "--1",
        "+-1",
        "1e5x",
        "١٢",
        "１２",
        "½",
        "inf",
        "-inf",
        "nan",
        "NaN",
        "Infinity",
        "+.nan",
        "-.nan",
        ".iNF",
        ".nAn",
        "nULL",
        "tRUE",
        "~1",
        "0.1.0",
        "+49 171 123",
    ];
    all_are(&others, |text| json!(text));
}

/// The schema's expression accepts leading zeros, its JSON schema does not; as numbers they would be lost.
#[test]
fn numbers_with_leading_zeros_are_text() {
    all_are(
        &[
            "02134",
            "00",
            "007",
            "-007",
            "+00",
            "01.5",
            "00.5",
            "01e2",
            "08",
            "0171234567",
        ],
        |text| json!(text),
    );
    assert_eq!(
        read("!!int 02134"),
        json!(2134),
        "unless they are said to be numbers"
    );
    assert_eq!(read("!!float 01.5"), json!(1.5));
}

#[test]
fn quotes_and_blocks_make_text_of_everything() {
    for text in ["12", "null", "true", ".inf", "~", "0x1F", "1e3"] {
        for quoted in [
            format!("'{text}'"),
            format!("\"{text}\""),
            format!("|-\n {text}"),
            format!(">-\n {text}"),
            format!("!!str {text}"),
            format!("! {text}"),
        ] {
            assert_eq!(read(&quoted), json!(text), "{quoted}");
        }
    }
    assert_eq!(read("''"), json!(""));
    assert_eq!(read("!!str"), json!(""));
}

#[test]
fn tags_of_the_core_schema_say_the_type() {
    for (text, expected) in [
        ("!!int '7'", json!(7)),
        ("!!int 0x10", json!(16)),
        ("!!float 1", json!(1.0)),
        ("!!float '.inf'", json!({"$float": "inf"})),
        ("!!bool 'true'", json!(true)),
        ("!!null ''", json!(null)),
        ("!!seq [1]", json!([1])),
        ("!!map {a: 1}", json!({"a": 1})),
        ("!<tag:yaml.org,2002:int> 3", json!(3)),
        ("%TAG !y! tag:yaml.org,2002:\n---\n!y!str 3", json!("3")),
        ("!!binary aGk=", json!({"$bytes": "6869"})),
        ("!!binary |\n  aG\n  k=\n", json!({"$bytes": "6869"})),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
    for text in [
        "!!int x",
        "!!int 1.0",
        "!!int 1e3",
        "!!int .inf",
        "!!float x",
        "!!bool yes",
        "!!bool 1",
        "!!null 0",
        "!!seq x",
        "!!map x",
        "!!map [1]",
        "!!seq {a: 1}",
        "!!int [1]",
        "!!str {a: 1}",
        "!!binary '*'",
    ] {
        let error = show(Codec::Yaml, text.as_bytes()).expect_err(text).to_string();
        assert!(error.contains("at line 1 column"), "{text}: {error}");
    }
}

#[test]
fn text_that_some_reader_takes_for_a_number_is_written_in_quotes() {
    for text in [
        "02134",
        "1_000",
        "0b1",
        "190:20:30",
        "yes",
        "no",
        "on",
        "y",
        "~",
        "null",
        "12",
        "1e3",
        ".5",
        ".inf",
        ".nan",
        "0o7",
        "0x1F",
        "2001-12-14",
        "",
        "true",
        "+12",
        "-0",
    ] {
        let bytes =
            airssys_wasm::codec::operation(Codec::Yaml, "x", &json!(text)).expect("text can be written");
        let written = String::from_utf8(bytes[2..].to_vec()).expect("YAML is text");
        let value = written.trim_end().rsplit("params: ").next().unwrap_or_default();
        assert!(value.starts_with(['"', '\'']), "{text}: {written}");
    }
}

/// JSON is YAML: documents that both parsers accept have the same value, except for two keys of the same name.
#[test]
fn json_means_the_same_as_yaml() {
    let mut random = super::Random(6);
    for round in 0..3000 {
        // The YAML parser requires DEL to be escaped, which YAML does not require of quoted text.
        let text = random.value(4).to_string().replace('\u{7f}', "\\u007f");
        assert_eq!(
            show(Codec::Yaml, text.as_bytes()),
            show(Codec::Json, text.as_bytes()),
            "{round}: {text}"
        );
    }
    for number in [
        "-0",
        "0",
        "1e400",
        "-1e400",
        "1e-400",
        "9007199254740993",
        "18446744073709551616",
        "-9223372036854775809",
        "340282366920938463463374607431768211455",
        "340282366920938463463374607431768211456",
        "1.0",
        "1E2",
        "0.1e1",
        "123456789012345678901234567890.5",
        "2.2250738585072011e-308",
        "5e-324",
        "2e-324",
    ] {
        let both = [Codec::Json, Codec::Yaml].map(|codec| show(codec, number.as_bytes()).ok());
        assert_eq!(both[0], both[1], "{number}");
    }
}
