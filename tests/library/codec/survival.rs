//! Survival of values in a self-describing codec: kept, changed or refused. One list, which is also the table in
//! `docs/codecs.md`. `BLESS=1` writes it there.

use super::show;
use airssys_wasm::codec::{
    Codec, MAX_DEPTH, MAX_TEXT_BYTES, MAX_VALUES, decode, from_json_text, operation, parse_operation,
};

/// Result of reading a value and writing it in the same codec.
enum Fate {
    /// Read as this JSON; unchanged when written and read again.
    Kept(&'static str),
    /// Read as this JSON, which loses information; unchanged after that.
    Becomes(&'static str, &'static str),
    /// Refused; the error has this text.
    Refused(&'static str),
}

use Fate::{Becomes, Kept, Refused};

/// Data in one codec and its fate; `None` if the codec has no such value.
type Cell = Option<(&'static [u8], Fate)>;

struct Row {
    what: &'static str,
    cells: [Cell; 3],
}

const CODECS: [Codec; 3] = [Codec::Json, Codec::MsgPack, Codec::Yaml];

fn row(what: &'static str, json: Cell, msgpack: Cell, yaml: Cell) -> Row {
    Row {
        what,
        cells: [json, msgpack, yaml],
    }
}

fn text(data: &'static str, fate: Fate) -> Cell {
    Some((data.as_bytes(), fate))
}

fn bytes(data: &'static [u8], fate: Fate) -> Cell {
    Some((data, fate))
}

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    vec![
        row("a whole number over 2⁵³",
            text("9007199254740993", Kept("9007199254740993")),
            bytes(b"\xcf\x00\x20\x00\x00\x00\x00\x00\x01", Kept("9007199254740993")),
            text("9007199254740993", Kept("9007199254740993"))),
        row("the largest of 64 bits",
            text("18446744073709551615", Kept("18446744073709551615")),
            bytes(b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", Kept("18446744073709551615")),
            text("18446744073709551615", Kept("18446744073709551615"))),
        row("the least of 64 bits",
            text("-9223372036854775808", Kept("-9223372036854775808")),
            bytes(b"\xd3\x80\x00\x00\x00\x00\x00\x00\x00", Kept("-9223372036854775808")),
            text("-9223372036854775808", Kept("-9223372036854775808"))),
        row("one more than 64 bits hold",
            text("18446744073709551616", Kept(r#"{"$int":"18446744073709551616"}"#)),
            None,
            text("18446744073709551616", Kept(r#"{"$int":"18446744073709551616"}"#))),
        row("one less than 64 bits hold",
            text("-9223372036854775809", Kept(r#"{"$int":"-9223372036854775809"}"#)),
            None,
            text("-9223372036854775809", Kept(r#"{"$int":"-9223372036854775809"}"#))),
        row("a whole number of more than 128 bits",
            text("340282366920938463463374607431768211456", Refused("has more than 128 bits at line 1 column 39")),
            None,
            text("340282366920938463463374607431768211456", Refused("has more than 128 bits, at line 1 column 1"))),
        row("a negative zero",
            text("-0.0", Kept("-0.0")),
            bytes(b"\xcb\x80\x00\x00\x00\x00\x00\x00\x00", Kept("-0.0")),
            text("-0.0", Kept("-0.0"))),
        row("a negative zero without a point",
            text("-0", Kept("-0.0")),
            None,
            text("-0", Kept("-0.0"))),
        row("a double without a fraction",
            text("1.0", Kept("1.0")),
            bytes(b"\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00", Kept("1.0")),
            text("1.0", Kept("1.0"))),
        row("more digits than a double has",
            text("0.10000000000000000555", Becomes("0.1", "the nearest double")),
            None,
            text("0.10000000000000000555", Becomes("0.1", "the nearest double"))),
        row("a single",
            None,
            bytes(b"\xca\x3d\xcc\xcc\xcd", Kept("0.10000000149011612")),
            None),
        row("a number over all doubles",
            text("1e400", Refused("number out of range at line 1 column 5")),
            None,
            text("1e400", Refused("too large for a double, at line 1 column 1"))),
        row("a number under all doubles",
            text("1e-400", Refused("too small for a double at line 1 column 6")),
            None,
            text("1e-400", Refused("too small for a double, at line 1 column 1"))),
        row("an infinity",
            text("Infinity", Refused("expected value at line 1 column 1")),
            bytes(b"\xcb\xff\xf0\x00\x00\x00\x00\x00\x00", Kept(r#"{"$float":"-inf"}"#)),
            text("-.inf", Kept(r#"{"$float":"-inf"}"#))),
        row("not a number",
            text("NaN", Refused("expected value at line 1 column 1")),
            bytes(b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x01", Becomes(r#"{"$float":"NaN"}"#, "without its other bits")),
            text(".nan", Kept(r#"{"$float":"NaN"}"#))),
        row("digits with a leading zero",
            text("02134", Refused("invalid number at line 1 column 2")),
            None,
            text("02134", Kept(r#""02134""#))),
        row("digits with underscores",
            text("1_000", Refused("trailing characters at line 1 column 2")),
            None,
            text("1_000", Kept(r#""1_000""#))),
        row("base 60, and a date",
            None,
            None,
            text("[190:20:30, 2001-12-14]", Kept(r#"["190:20:30","2001-12-14"]"#))),
        row("octal and hexadecimal",
            None,
            None,
            text("[0o17, 0x1F]", Becomes("[15,31]", "in base 10"))),
        row("bytes",
            None,
            bytes(b"\xc4\x02\x00\xff", Kept(r#"{"$bytes":"00ff"}"#)),
            text("!!binary AP8=", Kept(r#"{"$bytes":"00ff"}"#))),
        row("an extension",
            None,
            bytes(b"\xd4\x05\xab", Kept(r#"{"$ext":5,"$bytes":"ab"}"#)),
            None),
        row("a timestamp",
            None,
            bytes(b"\xd6\xff\x5e\x0b\xe1\x00", Kept(r#"{"$ext":-1,"$bytes":"5e0be100"}"#)),
            text("2001-12-14t21:59:43Z", Kept(r#""2001-12-14t21:59:43Z""#))),
        row("a tag of the application",
            None,
            None,
            text("!Ref x", Refused("the tag `!Ref` is not in the core schema"))),
        row("a tag outside the core schema",
            None,
            None,
            text("!!timestamp 2001-12-14", Refused("the tag `!!timestamp` is not in the core schema"))),
        row("a key that is a number",
            text("{1: 2}", Refused("key must be a string at line 1 column 2")),
            bytes(b"\x81\x01\x02", Kept(r#"{"$map":[[1,2]]}"#)),
            text("1: 2", Kept(r#"{"$map":[[1,2]]}"#))),
        row("keys that are arrays, maps and null",
            None,
            bytes(b"\x83\x91\x01\x02\x80\x03\xc0\x04", Kept(r#"{"$map":[[[1],2],[{},3],[null,4]]}"#)),
            text("? [1]\n: 2\n? {}\n: 3\n? null\n: 4\n", Kept(r#"{"$map":[[[1],2],[{},3],[null,4]]}"#))),
        row("keys that differ in type alone",
            None,
            bytes(b"\x82\x01\xc3\xa11\xc2", Kept(r#"{"$map":[[1,true],["1",false]]}"#)),
            text("{1: true, \"1\": false}", Kept(r#"{"$map":[[1,true],["1",false]]}"#))),
        row("a map that looks like a form",
            text(r#"{"$bytes":"00"}"#, Kept(r#"{"$map":[["$bytes","00"]]}"#)),
            bytes(b"\x81\xa6$bytes\xa200", Kept(r#"{"$map":[["$bytes","00"]]}"#)),
            text("$bytes: '00'", Kept(r#"{"$map":[["$bytes","00"]]}"#))),
        row("the order of keys",
            text(r#"{"b":1,"a":2}"#, Kept(r#"{"b":1,"a":2}"#)),
            bytes(b"\x82\xa1b\x01\xa1a\x02", Kept(r#"{"b":1,"a":2}"#)),
            text("{b: 1, a: 2}", Kept(r#"{"b":1,"a":2}"#))),
        row("a text key twice",
            text(r#"{"a":1,"a":2}"#, Refused("the key \"a\" occurs twice in one map at line 1 column 13")),
            bytes(b"\x82\xa1a\x01\xa1a\x02", Refused("the key \"a\" occurs twice in one map, before byte 7")),
            text("{a: 1, a: 2}", Refused("the key \"a\" occurs twice in one map, at line 1 column 11"))),
        row("another key twice",
            None,
            bytes(b"\x82\x01\x02\xcc\x01\x03", Refused("the key 1 occurs twice in one map, before byte 6")),
            text("{1: a, 0x1: b}", Refused("the key 1 occurs twice in one map, at line 1 column 13"))),
        row("text that is not UTF-8",
            bytes(b"\"\xff\"", Refused("invalid unicode code point at line 1 column 2")),
            bytes(b"\xa1\xff", Becomes(r#"{"$bytes":"ff"}"#, "bytes")),
            bytes(b"\"\xff\"", Refused("it is not UTF-8, at byte 1"))),
        row("half of a surrogate pair",
            text(r#""\ud800""#, Refused("at line 1 column 8")),
            bytes(b"\xa3\xed\xa0\x80", Becomes(r#"{"$bytes":"eda080"}"#, "bytes")),
            text(r#""\ud800""#, Refused("high surrogate without following low surrogate, at line 1 column 1"))),
        row("a byte order mark",
            text("\u{feff}1", Refused("expected value at line 1 column 1")),
            None,
            text("\u{feff}1", Becomes("1", "as YAML has it"))),
        row("an alias",
            None,
            None,
            text("[&a [1], *a]", Becomes("[[1],[1]]", "the node that it refers to"))),
        row("an alias within its own node",
            None,
            None,
            text("&a [*a]", Refused("an alias is within the node that it refers to, at line 1 column 5"))),
        row("an alias without an anchor",
            None,
            None,
            text("[*a]", Refused("unknown anchor, at line 1 column 2"))),
        row("a merge key",
            None,
            None,
            text("<<: {a: 1}", Kept(r#"{"<<":{"a":1}}"#))),
        row("several documents",
            None,
            None,
            text("--- 1\n--- 2\n", Refused("a second document begins, but a payload has one, at line 2 column 1"))),
        row("a document of YAML 1.1",
            None,
            None,
            text("%YAML 1.1\n---\nyes", Kept(r#""yes""#))),
        row("a document of YAML 2",
            None,
            None,
            text("%YAML 2.0\n---\n1", Refused("unsupported YAML major version, at line 1 column 1"))),
        row("no data",
            text("", Refused("EOF while parsing a value at line 1 column 0")),
            bytes(b"", Refused("before byte 0")),
            text("", Refused("there is no document in it"))),
        row("data behind the value",
            text("1 2", Refused("trailing characters at line 1 column 3")),
            bytes(b"\xc0\xc0", Refused("the value ends at byte 1, but the data continues to byte 2")),
            text("[1] 2", Refused("at line 1 column 5"))),
        row("data that ends too early",
            text("[1", Refused("EOF while parsing a list at line 1 column 2")),
            bytes(b"\x92\x01", Refused("before byte 2")),
            text("[1", Refused("at line"))),
    ]
}

#[test]
fn values_survive_or_are_refused_as_the_table_says() {
    for row in rows() {
        for (codec, cell) in CODECS.into_iter().zip(&row.cells) {
            let Some((data, fate)) = cell else { continue };
            let what = format!("{} in {codec}", row.what);
            let shown = match (show(codec, data), fate) {
                (Ok(value), Kept(shown) | Becomes(shown, _)) => {
                    assert_eq!(value.to_string(), *shown, "{what}");
                    value
                }
                (Err(error), Refused(reason)) => {
                    assert!(error.to_string().contains(reason), "{what}: {error}");
                    continue;
                }
                (outcome, _) => panic!("{what}: {outcome:?}"),
            };
            let written = operation(codec, "x", &shown).unwrap_or_else(|error| panic!("{what}: {error}"));
            let payload = decode(&written).expect("it has a prefix");
            let back = parse_operation(&payload).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(back.params.to_string(), shown.to_string(), "{what}");
            if codec == Codec::MsgPack && matches!(fate, Kept(_)) && data[0] != 0xca {
                assert!(payload.data.ends_with(data), "{what}: the same bytes");
            }
            let typed = from_json_text(&shown.to_string());
            assert_eq!(typed, Ok(shown), "{what}: what is shown can be typed");
        }
    }
}

#[test]
fn the_document_has_the_table() {
    let path = airssys_wasm_test_support::root().join("docs/codecs.md");
    let document = std::fs::read_to_string(&path).expect("docs/codecs.md is there");
    for limit in [
        format!("at most {MAX_DEPTH} arrays and maps"),
        format!("{} MiB of text", MAX_TEXT_BYTES >> 20),
        format!(
            "{},{:03},{:03} values",
            MAX_VALUES / 1_000_000,
            MAX_VALUES / 1000 % 1000,
            MAX_VALUES % 1000
        ),
    ] {
        assert!(document.contains(&limit), "docs/codecs.md does not say {limit:?}");
    }
    let (before, rest) = document
        .split_once("<!-- table -->\n")
        .expect("it has the table's mark");
    let (_, after) = rest.split_once("<!-- end -->").expect("and its end");
    let expected = format!("{before}<!-- table -->\n{}<!-- end -->{after}", table());
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, expected).expect("docs/codecs.md can be written");
    } else {
        assert!(
            document == expected,
            "docs/codecs.md is stale: run this test with BLESS=1"
        );
    }
}

fn table() -> String {
    let mut out = "| value | json | msgpack | yaml |\n|---|---|---|---|\n".to_owned();
    for row in rows() {
        out += &format!("| {} |", row.what);
        for cell in &row.cells {
            match cell {
                None => out += " – |",
                Some((data, fate)) => out += &format!(" {}{} |", written(data), told(fate, data)),
            }
        }
        out.push('\n');
    }
    out
}

/// Formats data for the table: text as it is, bytes in hexadecimal.
fn written(data: &[u8]) -> String {
    match std::str::from_utf8(data) {
        Ok("") => String::new(),
        Ok(text)
            if text
                .chars()
                .all(|char| char == '\n' || !char.is_control() && char != '\u{feff}') =>
        {
            format!("`{}` ", text.trim_end().replace('\n', "⏎").replace('|', "\\|"))
        }
        _ => {
            let hex: Vec<String> = data.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("`{}` ", hex.join(" "))
        }
    }
}

fn told(fate: &Fate, data: &[u8]) -> String {
    match fate {
        Kept(shown) if shown.as_bytes() == data => "kept".to_owned(),
        Kept(shown) => format!("kept, as `{shown}`"),
        Becomes(shown, why) => format!("becomes `{shown}`: {why}"),
        Refused(reason) => format!("**refused**: {}", reason.replace('|', "\\|")),
    }
}
