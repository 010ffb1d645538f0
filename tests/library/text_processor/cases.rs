//! Requests to a text-processor, and their answers, independent of its language.

use airssys_wasm::codec::Codec;
use serde_json::{Value, json};

/// One call of `execute`.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) payload: Vec<u8>,
    pub(crate) expected: Expected,
}

/// The expected result.
pub(crate) enum Expected {
    /// This value, in the request's codec.
    Answer(Value),
    UnsupportedOperation(&'static str),
    UnsupportedCodec(u64),
    /// The codec's number; or invalid input, from a guest whose engine only has doubles; no other number.
    UnsupportedCodecIfNamed(u64),
    InvalidInput,
    /// The size limit is up to each language's parser; but it does not trap.
    NoTrap,
}

use Expected::{
    Answer, InvalidInput, NoTrap, UnsupportedCodec, UnsupportedCodecIfNamed, UnsupportedOperation,
};

/// A text of this many bytes, of words with characters of one to four bytes.
fn text_of(bytes: usize) -> String {
    let words = [
        "alpha ",
        "βήτα\u{2003}",
        "гамма\n",
        "😀 ",
        "délta\t",
        "\u{3000}ἔψιλον ",
    ];
    let mut text = String::new();
    for word in words.iter().cycle() {
        if text.len() + word.len() > bytes {
            break;
        }
        text.push_str(word);
    }
    text.extend(std::iter::repeat_n('x', bytes - text.len()));
    text
}

/// Returns the three answers to a text, as computed in Rust.
fn answers(text: &str) -> [(&'static str, Value); 3] {
    let words: Vec<&str> = text.split_whitespace().collect();
    let unique: std::collections::BTreeSet<_> = words.iter().collect();
    let lengths = words.iter().map(|word| word.chars().count());
    let letters: usize = lengths.clone().sum();
    let longest = lengths.clone().max().unwrap_or(0);
    let first = words.iter().find(|word| word.chars().count() == longest);
    let average = if words.is_empty() {
        0.0
    } else {
        letters as f64 / words.len() as f64
    };
    [
        (
            "word-count",
            json!({"count": words.len(), "unique": unique.len()}),
        ),
        ("reverse", json!({"text": text.chars().rev().collect::<String>()})),
        (
            "statistics",
            json!({
                "chars": text.chars().count(),
                "words": words.len(),
                "lines": text.lines().count(),
                "bytes": text.len(),
                "average-word-length": average,
                "longest-word": first.copied().unwrap_or(""),
            }),
        ),
    ]
}

/// Returns texts, each of which is passed to every operation in both codecs.
fn texts() -> Vec<(&'static str, String)> {
    let text = |text: &str| text.to_owned();
    vec![
        ("the empty text", text("")),
        ("one word", text("word")),
        ("words that repeat", text("to be or not to be")),
        ("white space alone", text(" \t\r\n\u{b}\u{c} ")),
        ("lines with and without ends", text("one\r\ntwo\n\nthree\rfour")),
        ("a last line with an end", text("one\ntwo\n")),
        (
            "every white space of Unicode",
            text("a\u{85}b\u{a0}c\u{1680}d\u{2000}e\u{200a}f\u{2028}g\u{2029}h\u{202f}i\u{205f}j\u{3000}k"),
        ),
        (
            "what looks like white space and is none",
            text("a\u{feff}b\u{200b}c\u{180e}d\u{1c}e\u{1f}f\u{2060}g"),
        ),
        (
            "characters of two to four bytes",
            text("é ß ж 中文 😀😀 🏳️‍🌈 \u{10ffff} \u{e000}\u{d7ff}"),
        ),
        ("combining marks", text("e\u{301}a\u{308} Ω\u{2126}")),
        ("right to left", text("שלום עולם مرحبا")),
        (
            "what JSON escapes",
            text("\" \\ / \u{8} \u{c} \u{1} \u{7f} \u{0} end"),
        ),
        (
            "an average that is no short fraction",
            text("a bb cc ddd eeee ffff gg"),
        ),
        (
            "the longest word is the first of its length",
            text("aa bbb ccc dd"),
        ),
        ("a name of a constant", text("NaN null true Infinity")),
    ]
}

fn envelope(codec: Codec, operation: &str, params: &Value) -> Vec<u8> {
    airssys_wasm::codec::operation(codec, operation, params).expect("an envelope")
}

fn raw(codec: Codec, data: &[u8]) -> Vec<u8> {
    airssys_wasm::codec::encode(codec.code(), data)
}

/// Returns all cases; the longest text has `longest` bytes.
pub(crate) fn all(longest: usize) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |name, payload, expected| {
        cases.push(Case {
            name,
            payload,
            expected,
        });
    };
    for codec in [Codec::Json, Codec::MsgPack] {
        for (name, text) in texts() {
            for (operation, answer) in answers(&text) {
                let params = json!({"text": text});
                add(name, envelope(codec, operation, &params), Answer(answer));
            }
        }
        let text = text_of(longest);
        for (operation, answer) in answers(&text) {
            let params = json!({"text": text});
            add(
                "the longest text",
                envelope(codec, operation, &params),
                Answer(answer),
            );
        }
        let more = json!({"text": "a b", "other": [1, {"x": null}]});
        add(
            "params that are not asked for",
            envelope(codec, "word-count", &more),
            Answer(json!({"count": 2, "unique": 2})),
        );
        add(
            "an operation that there is not",
            envelope(codec, "translate", &json!({"text": ""})),
            UnsupportedOperation("translate"),
        );
        add(
            "an operation of another case",
            envelope(codec, "Reverse", &json!({"text": ""})),
            UnsupportedOperation("Reverse"),
        );
        add(
            "an operation with an empty name",
            envelope(codec, "", &json!({"text": ""})),
            UnsupportedOperation(""),
        );
        add(
            "an operation named as a method of objects is",
            envelope(codec, "toString", &json!({"text": ""})),
            UnsupportedOperation("toString"),
        );
        // The operation is checked before its parameters.
        add(
            "an operation that there is not, without params",
            envelope(codec, "translate", &Value::Null),
            UnsupportedOperation("translate"),
        );
        for params in [
            Value::Null,
            json!({}),
            json!("text"),
            json!([]),
            json!(1),
            json!({"text": null}),
            json!({"text": 1}),
            json!({"text": ["a"]}),
            json!({"text": {"text": "a"}}),
            json!({"Text": "a"}),
        ] {
            add(
                "params without a text",
                envelope(codec, "reverse", &params),
                InvalidInput,
            );
        }
        add("no data behind the prefix", raw(codec, b""), InvalidInput);
    }
    json_cases(&mut add);
    msgpack_cases(&mut add);
    add("no payload", Vec::new(), InvalidInput);
    add("a prefix that is cut off", vec![0x80], InvalidInput);
    add("a prefix that is too long", vec![0x80, 0x84, 0x00], InvalidInput);
    add("a prefix without an end", vec![0xff; 20], InvalidInput);
    add(
        "a codec that nobody knows",
        vec![0x07, b'{', b'}'],
        UnsupportedCodec(7),
    );
    let beyond_doubles = (1 << 53) + 1;
    add(
        "a codec whose number no double holds",
        airssys_wasm::codec::encode(beyond_doubles, b"{}"),
        UnsupportedCodecIfNamed(beyond_doubles),
    );
    add(
        "a codec of the contract that it does not take",
        raw(Codec::Yaml, b"operation: reverse"),
        UnsupportedCodec(0x0114),
    );
    add("raw bytes", raw(Codec::Raw, b"abc"), UnsupportedCodec(0x55));
    cases
}

fn json_cases(add: &mut impl FnMut(&'static str, Vec<u8>, Expected)) {
    let mut json = |name, text: &[u8], expected| add(name, raw(Codec::Json, text), expected);
    json(
        "white space and escapes",
        b" \t{ \"operation\" : \"rev\\u0065rse\" ,\r\n \"params\" : {\"te\\u0078t\" : \"\\u00e9\\ud83d\\ude00\\n\\/\"} } ",
        Answer(json!({"text": "/\n😀é"})),
    );
    json(
        "params before the operation",
        br#"{"params":{"text":"ab"},"x":[1.5e3,-0,true,false,null,"s"],"operation":"reverse"}"#,
        Answer(json!({"text": "ba"})),
    );
    for (name, text) in [
        (
            "half of a surrogate pair",
            br#"{"operation":"reverse","params":{"text":"\ud800"}}"#.as_slice(),
        ),
        (
            "a low surrogate alone",
            br#"{"operation":"reverse","params":{"text":"\udc00x"}}"#,
        ),
        (
            "an operation with half of a pair",
            br#"{"operation":"\ud800","params":{"text":"a"}}"#,
        ),
        (
            "text that is not UTF-8",
            b"{\"operation\":\"reverse\",\"params\":{\"text\":\"\xff\"}}",
        ),
        (
            "text in overlong UTF-8",
            b"{\"operation\":\"reverse\",\"params\":{\"text\":\"\xc0\xaf\"}}",
        ),
        (
            "a surrogate in UTF-8",
            b"{\"operation\":\"reverse\",\"params\":{\"text\":\"\xed\xa0\x80\"}}",
        ),
        (
            "UTF-8 that is cut off",
            b"{\"operation\":\"reverse\",\"params\":{\"text\":\"\xe2\x82\"}}",
        ),
        (
            "a control character",
            b"{\"operation\":\"reverse\",\"params\":{\"text\":\"\x01\"}}",
        ),
        (
            "an unknown escape",
            br#"{"operation":"reverse","params":{"text":"\x41"}}"#,
        ),
        (
            "a string without an end",
            br#"{"operation":"reverse","params":{"text":"a"#,
        ),
        (
            "an object without an end",
            br#"{"operation":"reverse","params":{"text":"a"}"#,
        ),
        (
            "something behind the object",
            br#"{"operation":"reverse","params":{"text":"a"}} x"#,
        ),
        (
            "a comma too many",
            br#"{"operation":"reverse","params":{"text":"a"},}"#,
        ),
        (
            "a number that JSON has not",
            br#"{"operation":"reverse","params":{"text":"a"},"x":01}"#,
        ),
        (
            "a constant that JSON has not",
            br#"{"operation":"reverse","params":{"text":"a"},"x":NaN}"#,
        ),
        (
            "a key without quotes",
            br#"{operation:"reverse","params":{"text":"a"}}"#,
        ),
        (
            "a byte order mark",
            b"\xef\xbb\xbf{\"operation\":\"reverse\",\"params\":{\"text\":\"a\"}}",
        ),
        ("no object", b"42"),
        ("an empty object", b"{}"),
        ("no operation", br#"{"params":{"text":"a"}}"#),
        (
            "an operation that is no string",
            br#"{"operation":1,"params":{"text":"a"}}"#,
        ),
        ("no params", br#"{"operation":"reverse"}"#),
    ] {
        json(name, text, InvalidInput);
    }
    let deep = "[".repeat(100_000);
    let within = format!(r#"{{"operation":"reverse","params":{{"text":"a"}},"x":{deep}"#);
    json(
        "a document that is too deep, and cut off",
        within.as_bytes(),
        InvalidInput,
    );
    let closed = format!("{within}{}}}", "]".repeat(100_000));
    json("a document that is very deep", closed.as_bytes(), NoTrap);
}

fn msgpack_cases(add: &mut impl FnMut(&'static str, Vec<u8>, Expected)) {
    let mut msgpack = |name, data: &[u8], expected| add(name, raw(Codec::MsgPack, data), expected);
    // {"operation": "reverse", "params": {"text": …}}
    let with_text = |text: &[u8]| [b"\x82\xa9operation\xa7reverse\xa6params\x81\xa4text", text].concat();
    msgpack(
        "lengths written longer than they need be",
        &[
            b"\xdf\x00\x00\x00\x02\xd9\x09operation\xda\x00\x07reverse\xdb\x00\x00\x00\x06params".as_slice(),
            b"\xde\x00\x01\xa4text\xdb\x00\x00\x00\x02ab",
        ]
        .concat(),
        Answer(json!({"text": "ba"})),
    );
    msgpack(
        "values of every kind beside what is asked for",
        &[
            b"\x83\xa1x\x9b\xc0\xc3\x01\xff\xcc\x80\xcd\x01\x00\xd2\x80\x00\x00\x00\xca\x3f\x80\x00\x00"
                .as_slice(),
            b"\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00\xc4\x01\x00\x81\xa1y\x90",
            b"\xa9operation\xa7reverse\xa6params\x81\xa4text\xa2ab",
        ]
        .concat(),
        Answer(json!({"text": "ba"})),
    );
    for (name, data) in [
        ("text that is not UTF-8", with_text(b"\xa1\xff")),
        ("a surrogate in UTF-8", with_text(b"\xa3\xed\xa0\x80")),
        ("a text that is cut off", with_text(b"\xa5abc")),
        (
            "a text of four gigabytes that is cut off",
            with_text(b"\xdb\xff\xff\xff\xffabc"),
        ),
        (
            "a list of four billion that is cut off",
            with_text(b"\xdd\xff\xff\xff\xff\x01"),
        ),
        (
            "a map of four billion that is cut off",
            with_text(b"\xdf\xff\xff\xff\xff\xa1a"),
        ),
        ("a byte that begins nothing", with_text(b"\xc1")),
        ("a map that is cut off", b"\x82\xa9operation\xa7reverse".to_vec()),
        (
            "an operation that is no string",
            b"\x82\xa9operation\x01\xa6params\x81\xa4text\xa1a".to_vec(),
        ),
        ("no map", b"\x93\x01\x02\x03".to_vec()),
        ("a number", b"\x2a".to_vec()),
        ("an empty map", b"\x80".to_vec()),
        ("no operation", b"\x81\xa6params\x81\xa4text\xa1a".to_vec()),
        ("no params", b"\x81\xa9operation\xa7reverse".to_vec()),
    ] {
        msgpack(name, &data, InvalidInput);
    }
    let deep = [b"\x83\xa1x".as_slice(), &[0x91; 100_000]].concat();
    msgpack("a list that is too deep, and cut off", &deep, InvalidInput);
}
