//! Payloads and codecs: written data is read back unchanged, and hostile bytes give errors, quickly and with little memory.

mod forms;
mod survival;
mod yaml_schema;

use airssys_wasm::codec::varint::{self, VarintError};
use airssys_wasm::codec::{
    Codec, CodecError, MAX_DEPTH, MAX_VALUES, Payload, decode, encode, hex_dump, operation, parse_operation,
    to_json,
};
use serde_json::{Value, json};

/// A generator of test data: fast, and deterministic.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 16) as usize % bound
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most + 1)).map(|_| self.next() as u8).collect()
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 7 } else { 9 }) {
            0 => Value::Null,
            1 => Value::Bool(self.below(2) == 0),
            2 => Value::from(self.next()),
            3 => Value::from(self.next() as i64),
            4 => Value::from(self.below(1000) as f64 / 8.0),
            5 => Value::from(f64::from_bits(self.next() & !(1 << 62))),
            6 => Value::from(self.text()),
            7 => (0..self.below(4)).map(|_| self.value(depth - 1)).collect(),
            _ => (0..self.below(4))
                .map(|_| (self.text(), self.value(depth - 1)))
                .collect(),
        }
    }

    fn text(&mut self) -> String {
        const PARTS: &[&str] = &[
            "a", "word", " ", "\n", "\t", ": ", " #", "- ", "null", "~", "yes", "true", "1e3", "0x10", "'",
            "\"", "\\", "{", "[", "&a", "*a", "!", "%", "|", ">", "?", "<<", "é", "日本", "🦀", "\u{85}",
            "\u{2028}", "\0", "\u{7f}", "---", "...", ".nan", ".5", "012", "1_000", "\r\n", "@", "`", ",",
        ];
        (0..self.below(5))
            .map(|_| PARTS[self.below(PARTS.len())])
            .collect()
    }
}

const SELF_DESCRIBING: [Codec; 3] = [Codec::MsgPack, Codec::Json, Codec::Yaml];

fn show(codec: Codec, data: &[u8]) -> Result<Value, CodecError> {
    to_json(&Payload { codec, data })
}

fn is_invalid(outcome: Result<Value, CodecError>) -> bool {
    matches!(outcome, Err(CodecError::InvalidData { .. }))
}

#[test]
fn table_agrees_with_the_contract() {
    let table: Vec<_> = Codec::ALL
        .iter()
        .map(|c| (c.name(), c.code(), encode(c.code(), b""), c.self_describing()))
        .collect();
    let expected = [
        ("borsh", 0x701, vec![0x81, 0x0e], false),
        ("bincode", 0x702, vec![0x82, 0x0e], false),
        ("protobuf", 0x50, vec![0x50], false),
        ("msgpack", 0x201, vec![0x81, 0x04], true),
        ("json", 0x200, vec![0x80, 0x04], true),
        ("yaml", 0x114, vec![0x94, 0x02], true),
        ("raw", 0x55, vec![0x55], false),
    ];
    assert_eq!(table, expected);
}

#[test]
fn names_and_numbers_find_their_codec() {
    for codec in Codec::ALL {
        assert_eq!(Codec::from_code(codec.code()), Some(codec));
        assert_eq!(codec.name().parse(), Ok(codec));
        assert_eq!(Codec::from_name(&codec.name().to_uppercase()), Ok(codec));
        assert_eq!(codec.to_string(), codec.name());
        assert!(!codec.description().is_empty());
    }
    assert_eq!(Codec::from_code(0), None);
    let error = Codec::from_name("jsonb").unwrap_err();
    assert_eq!(error, CodecError::UnknownName("jsonb".to_string()));
    assert!(error.to_string().contains("msgpack, json, yaml"), "{error}");
}

#[test]
fn varints_have_one_form() {
    let table: &[(u64, &[u8])] = &[
        (0, &[0x00]),
        (1, &[0x01]),
        (0x7f, &[0x7f]),
        (0x80, &[0x80, 0x01]),
        (0xff, &[0xff, 0x01]),
        (300, &[0xac, 0x02]),
        (0x3fff, &[0xff, 0x7f]),
        (0x4000, &[0x80, 0x80, 0x01]),
        (u64::from(u32::MAX), &[0xff, 0xff, 0xff, 0xff, 0x0f]),
        (
            varint::MAX_VALUE,
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
        ),
    ];
    for (value, bytes) in table {
        let mut written = Vec::new();
        varint::write(*value, &mut written);
        assert_eq!(written, *bytes);
        assert_eq!(varint::read(bytes), Ok((*value, &[][..])));
        written.push(0xaa);
        assert_eq!(varint::read(&written), Ok((*value, &[0xaa][..])));
        for end in 1..bytes.len() {
            assert_eq!(varint::read(&bytes[..end]), Err(VarintError::Truncated));
        }
    }
    for shift in 0..63 {
        let mut written = Vec::new();
        varint::write(1 << shift, &mut written);
        assert_eq!(varint::read(&written), Ok((1 << shift, &[][..])));
        assert_eq!(written.len(), shift / 7 + 1);
    }
}

#[test]
fn malformed_varints_are_told_apart() {
    let table: &[(&[u8], VarintError)] = &[
        (&[], VarintError::Empty),
        (&[0x80], VarintError::Truncated),
        (&[0xff; 8], VarintError::Truncated),
        (&[0x80, 0x00], VarintError::Overlong),
        (&[0xff, 0x00], VarintError::Overlong),
        (&[0x80, 0x80, 0x00, 0x01], VarintError::Overlong),
        (
            &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
            VarintError::Overlong,
        ),
        (&[0x80; 9], VarintError::Overlong),
        (&[0xff; 10], VarintError::Overlong),
        (
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            VarintError::Overlong,
        ),
    ];
    for (bytes, error) in table {
        assert_eq!(varint::read(bytes), Err(*error), "{bytes:x?}");
    }
    assert_eq!(varint::read(&vec![0x80; 1 << 20]), Err(VarintError::Overlong));
}

#[test]
fn payloads_round_trip() {
    let mut random = Random(1);
    for codec in Codec::ALL {
        for _ in 0..100 {
            let data = random.bytes(200);
            let bytes = encode(codec.code(), &data);
            let payload = decode(&bytes).expect("what was encoded can be decoded");
            assert_eq!(payload, Payload { codec, data: &data });
            assert_eq!(payload.to_bytes(), bytes);
        }
    }
}

#[test]
fn each_prefix_error_has_its_case() {
    assert_eq!(decode(&[]), Err(CodecError::Empty));
    assert_eq!(decode(&[0x80]), Err(CodecError::TruncatedPrefix));
    assert_eq!(decode(&[0x80, 0x84, 0x00]), Err(CodecError::OverlongPrefix));
    assert_eq!(decode(&[0xd5, 0x00]), Err(CodecError::OverlongPrefix));
    assert_eq!(decode(&[0x00]), Err(CodecError::UnknownCodec(0)));
    assert_eq!(
        decode(&encode(varint::MAX_VALUE, b"x")),
        Err(CodecError::UnknownCodec(varint::MAX_VALUE))
    );
    for code in [varint::MAX_VALUE + 1, u64::MAX] {
        assert_eq!(decode(&encode(code, b"x")), Err(CodecError::OverlongPrefix));
    }
}

#[test]
fn random_bytes_decode_or_fail() {
    let mut random = Random(2);
    for _ in 0..100_000 {
        let bytes = random.bytes(12);
        match decode(&bytes) {
            Ok(payload) => assert_eq!(payload.to_bytes(), bytes),
            Err(
                CodecError::Empty
                | CodecError::TruncatedPrefix
                | CodecError::OverlongPrefix
                | CodecError::UnknownCodec(_),
            ) => {}
            Err(other) => panic!("{bytes:x?}: {other}"),
        }
    }
}

#[test]
fn envelopes_have_the_documented_bytes() {
    let params = json!({"text": "to be", "count": 3});
    let build = |codec| operation(codec, "word-count", &params).expect("the codec is self-describing");
    assert_eq!(
        build(Codec::Json),
        b"\x80\x04{\"operation\":\"word-count\",\"params\":{\"text\":\"to be\",\"count\":3}}"
    );
    assert_eq!(
        build(Codec::MsgPack),
        b"\x81\x04\x82\xa9operation\xaaword-count\xa6params\x82\xa4text\xa5to be\xa5count\x03"
    );
    assert_eq!(
        build(Codec::Yaml),
        b"\x94\x02operation: word-count\nparams:\n  text: to be\n  count: 3\n"
    );
}

#[test]
fn envelopes_round_trip() {
    let mut random = Random(3);
    for round in 0..2000 {
        let (name, params) = (random.text(), random.value(4));
        for codec in SELF_DESCRIBING {
            let bytes = operation(codec, &name, &params).expect("an envelope can be written");
            let payload = decode(&bytes).expect("it has a prefix");
            assert_eq!(payload.codec, codec);
            let read = parse_operation(&payload).unwrap_or_else(|error| {
                panic!("{round} {codec}: {error}\n{params}\n{}", hex_dump(payload.data))
            });
            assert_eq!((&read.name, &read.params), (&name, &params), "{round} {codec}");
        }
    }
}

#[test]
fn envelopes_need_a_self_describing_codec() {
    for codec in Codec::ALL {
        let outcome = operation(codec, "x", &Value::Null);
        if codec.self_describing() {
            assert!(outcome.is_ok());
        } else {
            assert_eq!(outcome, Err(CodecError::NotSelfDescribing(codec)));
            assert_eq!(show(codec, b"{}"), Err(CodecError::NotSelfDescribing(codec)));
        }
    }
}

#[test]
fn what_is_no_envelope_is_refused() {
    let parse = |text: &str| {
        parse_operation(&Payload {
            codec: Codec::Json,
            data: text.as_bytes(),
        })
    };
    let read = parse(r#"{"operation":"get-status"}"#).expect("params may be missing");
    assert_eq!((read.name.as_str(), read.params), ("get-status", Value::Null));
    for text in [
        "[]",
        "null",
        "{}",
        r#"{"params":1}"#,
        r#"{"operation":1}"#,
        r#"{"operation":"a","param":1}"#,
    ] {
        assert!(
            matches!(
                parse(text),
                Err(CodecError::NotAnEnvelope {
                    codec: Codec::Json,
                    ..
                })
            ),
            "{text}"
        );
    }
    let twice = r#"{"operation":"read","operation":"delete"}"#;
    assert!(
        matches!(parse(twice), Err(CodecError::InvalidData { .. })),
        "two readers could pick two names"
    );
}

#[test]
fn depth_is_limited_when_writing_and_reading() {
    let nested = |levels: usize| (0..levels).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
    for codec in SELF_DESCRIBING {
        let bytes = operation(codec, "x", &nested(MAX_DEPTH - 1)).expect("within the limit");
        let read = parse_operation(&decode(&bytes).expect("it has a prefix")).expect("within the limit");
        assert_eq!(read.params, nested(MAX_DEPTH - 1));
        assert_eq!(
            operation(codec, "x", &nested(MAX_DEPTH)),
            Err(CodecError::TooDeep(codec))
        );
    }
    let levels = MAX_DEPTH + 1;
    assert_eq!(
        show(Codec::Json, "[".repeat(levels).as_bytes()),
        Err(CodecError::TooDeep(Codec::Json))
    );
    assert_eq!(
        show(Codec::MsgPack, &vec![0x91; levels]),
        Err(CodecError::TooDeep(Codec::MsgPack))
    );
    let brackets = "[".repeat(levels) + &"]".repeat(levels);
    assert_eq!(
        show(Codec::Yaml, brackets.as_bytes()),
        Err(CodecError::TooDeep(Codec::Yaml))
    );
    assert_eq!(
        show(Codec::Yaml, "- ".repeat(levels).as_bytes()),
        Err(CodecError::TooDeep(Codec::Yaml))
    );
}

#[test]
fn a_million_open_brackets_do_not_overflow_the_stack() {
    for (codec, unit) in [
        (Codec::Json, "["),
        (Codec::Json, "{\"a\":"),
        (Codec::Yaml, "["),
        (Codec::Yaml, "{a: "),
        (Codec::Yaml, "- "),
        (Codec::Yaml, "? "),
        (Codec::Yaml, "!t "),
    ] {
        show(codec, unit.repeat(1 << 20).as_bytes()).expect_err(unit);
    }
    for unit in [[0x91, 0x91], [0x81, 0xc0], [0x81, 0x81]] {
        show(Codec::MsgPack, &unit.repeat(1 << 20)).expect_err("nested too deep");
    }
}

#[test]
fn msgpack_values_that_json_lacks_take_a_form_of_their_own() {
    let table: &[(&[u8], Value)] = &[
        (&[0xc4, 2, 0x00, 0xff], json!({"$bytes": "00ff"})),
        (&[0xc4, 0], json!({"$bytes": ""})),
        (&[0xa2, 0xff, 0xfe], json!({"$bytes": "fffe"})),
        (&[0xd4, 5, 0xab], json!({"$ext": 5, "$bytes": "ab"})),
        (
            &[0xd6, 0xff, 0, 0, 0, 1],
            json!({"$ext": -1, "$bytes": "00000001"}),
        ),
        (&[0xc7, 3, 7, 1, 2, 3], json!({"$ext": 7, "$bytes": "010203"})),
        (&[0xca, 0x7f, 0xc0, 0, 0], json!({"$float": "NaN"})),
        (&[0xca, 0xff, 0x80, 0, 0], json!({"$float": "-inf"})),
        (&[0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0], json!({"$float": "inf"})),
        (&[0xca, 0x3f, 0xc0, 0, 0], json!(1.5)),
        (
            &[0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            json!(u64::MAX),
        ),
        (&[0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0], json!(i64::MIN)),
        (&[0x81, 0x01, 0xa1, b'a'], json!({"$map": [[1, "a"]]})),
        (
            &[0x82, 0xa1, b'k', 0xc3, 0xc0, 0xc2],
            json!({"$map": [["k", true], [null, false]]}),
        ),
        (
            &[0x82, 0xc0, 0xc2, 0xa1, b'k', 0xc3],
            json!({"$map": [[null, false], ["k", true]]}),
        ),
        (&[0x81, 0x90, 0x80], json!({"$map": [[[], {}]]})),
        (&[0x92, 0xc4, 1, 0x01, 0xc0], json!([{"$bytes": "01"}, null])),
    ];
    for (data, expected) in table {
        assert_eq!(show(Codec::MsgPack, data).as_ref(), Ok(expected), "{data:x?}");
    }
}

#[test]
fn malformed_msgpack_is_refused() {
    let table: &[&[u8]] = &[
        &[],
        &[0xc1],
        &[0xc0, 0xc0],
        &[0xa1],
        &[0x92, 0xc0],
        &[0x81, 0xa1, b'a'],
        &[0xd4, 5],
        &[0x82, 0xa1, b'a', 1, 0xa1, b'a', 2],
    ];
    for data in table {
        assert!(is_invalid(show(Codec::MsgPack, data)), "{data:x?}");
    }
}

#[test]
fn a_header_that_claims_four_billion_elements_costs_nothing() {
    // Arrays, maps, text, bytes and an extension, each with the largest length and hardly any content.
    for marker in [0xdd, 0xdf, 0xdb, 0xc6, 0xc9] {
        let data = [&[marker, 0xff, 0xff, 0xff, 0xff][..], &[0x01; 16][..]].concat();
        assert!(is_invalid(show(Codec::MsgPack, &data)), "{marker:#x}");
    }
}

#[test]
fn payloads_of_too_many_values_are_refused() {
    let count = MAX_VALUES as u32;
    let nils = [&[0xdd][..], &count.to_be_bytes(), &vec![0xc0; MAX_VALUES]].concat();
    assert_eq!(
        show(Codec::MsgPack, &nils),
        Err(CodecError::TooLarge(Codec::MsgPack))
    );
    let zeros = format!("[0{}]", ",0".repeat(MAX_VALUES - 1));
    assert_eq!(
        show(Codec::Json, zeros.as_bytes()),
        Err(CodecError::TooLarge(Codec::Json))
    );
    show(Codec::Yaml, zeros.as_bytes()).expect_err("YAML has the same limit, or a lower one");
    let fits = format!("[0{}]", ",0".repeat(MAX_VALUES / 2));
    assert!(show(Codec::Json, fits.as_bytes()).is_ok());
}

#[test]
fn json_is_read_as_it_is() {
    let text = r#"{"b":[1,-2,3.5,18446744073709551615],"a":{"":null,"é":true}}"#;
    let value = show(Codec::Json, text.as_bytes()).expect("valid JSON");
    assert_eq!(value.to_string(), text, "order is kept");
    for text in [
        "",
        "{",
        "nul",
        "[1,]",
        "1 2",
        "\"\u{1}\"",
        "{1:2}",
        "NaN",
        r#"{"a":1,"a":2}"#,
    ] {
        assert!(is_invalid(show(Codec::Json, text.as_bytes())), "{text}");
    }
    assert!(is_invalid(show(Codec::Json, b"\"\xff\"")));
}

#[test]
fn yaml_is_read_by_version_1_2() {
    let text = "\
# a comment
words: [to, be]
yes: no
empty:
float: .inf
anchored: &x {n: 1}
again: *x
<<: merged
block: |
  two
  lines
octal: 0o17
quoted: '1'
";
    let value = show(Codec::Yaml, text.as_bytes()).expect("valid YAML");
    let expected = json!({
        "words": ["to", "be"], "yes": "no", "empty": null, "float": {"$float": "inf"},
        "anchored": {"n": 1}, "again": {"n": 1}, "<<": "merged", "block": "two\nlines\n", "octal": 15, "quoted": "1",
    });
    assert_eq!(value, expected);
    assert_eq!(
        show(Codec::Yaml, b"1: a\nb: c\n"),
        Ok(json!({"$map": [[1, "a"], ["b", "c"]]}))
    );
    for text in [
        "a: b: c",
        "[1",
        "a: 1\na: 2",
        "--- 1\n--- 2\n",
        "*nowhere",
        "&a [*a]",
        "\"\\xZZ\"",
    ] {
        assert!(is_invalid(show(Codec::Yaml, text.as_bytes())), "{text}");
    }
    assert!(is_invalid(show(Codec::Yaml, b"\xff\xfe")));
}

#[test]
fn yaml_alias_bombs_are_refused() {
    let mut doubling = "a0: &a0 lol\n".to_string();
    for level in 1..40 {
        let below = level - 1;
        doubling += &format!("a{level}: &a{level} [*a{below}, *a{below}, *a{below}, *a{below}]\n");
    }
    show(Codec::Yaml, doubling.as_bytes()).expect_err("four to the fortieth values");

    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), "*a, ".repeat(90));
    assert_eq!(
        show(Codec::Yaml, long.as_bytes()),
        Err(CodecError::TooLarge(Codec::Yaml))
    );

    let mut nested = String::new();
    (0..MAX_DEPTH / 2).for_each(|level| nested += &format!("&a{level} ["));
    nested += &"x, ".repeat(100_000);
    nested += &"]".repeat(MAX_DEPTH / 2);
    show(Codec::Yaml, nested.as_bytes()).expect_err("every anchor would keep all the rest");
}

#[test]
fn every_prefix_of_a_payload_reads_or_fails() {
    let params = json!({"text": "é\n日本", "list": [1, -2.5, null, true, {"k": []}], "big": u64::MAX});
    for codec in SELF_DESCRIBING {
        let bytes = operation(codec, "word-count", &params).expect("the codec is self-describing");
        for end in 0..bytes.len() {
            let Ok(payload) = decode(&bytes[..end]) else {
                continue;
            };
            let outcome = to_json(&payload);
            // A YAML document may end anywhere; the other two know where they end.
            assert!(codec == Codec::Yaml || is_invalid(outcome), "{codec} at {end}");
        }
    }
}

#[test]
fn damaged_payloads_read_or_fail() {
    let mut random = Random(4);
    for codec in SELF_DESCRIBING {
        for _ in 0..3000 {
            let value = random.value(4);
            let mut bytes = operation(codec, "x", &value).expect("an envelope can be written");
            for _ in 0..=random.below(4) {
                let at = random.below(bytes.len());
                bytes[at] = random.next() as u8;
            }
            if let Ok(payload) = decode(&bytes) {
                let _ = to_json(&payload);
                let _ = parse_operation(&payload);
            }
        }
    }
}

#[test]
fn random_data_reads_or_fails() {
    let mut random = Random(5);
    for codec in SELF_DESCRIBING {
        for _ in 0..20_000 {
            let _ = show(codec, &random.bytes(64));
            let _ = show(codec, random.text().as_bytes());
        }
    }
}

#[test]
fn errors_do_not_carry_more_of_the_guest_than_a_line() {
    let key = "k".repeat(1 << 16);
    let twice = format!("{{\"{key}\":1,\"{key}\":2}}");
    for codec in [Codec::Json, Codec::Yaml] {
        let error = show(codec, twice.as_bytes()).expect_err("the key occurs twice");
        assert!(error.to_string().len() < 1000, "{codec}");
    }
}

#[test]
fn hex_dump_has_the_classic_form() {
    assert_eq!(hex_dump(b""), "");
    let all: Vec<u8> = (0..=0x21).chain(0x7e..=0x80).collect();
    let expected = "\
00000000  00 01 02 03 04 05 06 07  08 09 0a 0b 0c 0d 0e 0f  |................|
00000010  10 11 12 13 14 15 16 17  18 19 1a 1b 1c 1d 1e 1f  |................|
00000020  20 21 7e 7f 80                                    | !~..|";
    assert_eq!(hex_dump(&all), expected);
    assert_eq!(hex_dump(&[0; 100_000]).lines().count(), 6250);
}
