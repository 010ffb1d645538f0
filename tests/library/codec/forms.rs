//! The forms of values that JSON cannot express: converted to the values they represent, refused where a codec lacks them.

use airssys_wasm::codec::{Codec, CodecError, MAX_DEPTH, decode, from_json_text, operation, parse_operation};
use serde_json::{Value, json};

fn round_trip(codec: Codec, params: &Value) -> Value {
    let bytes = operation(codec, "x", params).unwrap_or_else(|error| panic!("{codec} {params}: {error}"));
    let payload = decode(&bytes).expect("it has a prefix");
    parse_operation(&payload)
        .unwrap_or_else(|error| panic!("{codec} {params}: {error}"))
        .params
}

#[test]
fn forms_are_written_as_what_they_stand_for() {
    let params = json!({
        "bytes": {"$bytes": "00ff"}, "none": {"$bytes": ""}, "ext": {"$ext": -1, "$bytes": "5e0be100"},
        "floats": [{"$float": "NaN"}, {"$float": "inf"}, {"$float": "-inf"}],
        "map": {"$map": [[1, "a"], [{"$bytes": "01"}, [{"$float": "NaN"}]], [[1, 2], {"k": {"$map": [[null, 0]]}}]]},
        "looks": {"$map": [["$bytes", "zz"]]},
    });
    assert_eq!(round_trip(Codec::MsgPack, &params), params);
    let mut for_yaml = params;
    for_yaml["ext"] = json!({"$int": "340282366920938463463374607431768211455"});
    assert_eq!(round_trip(Codec::Yaml, &for_yaml), for_yaml);
    let for_json = json!([{"$int": "-170141183460469231731687303715884105728"}, {"$map": [["$float", 1]]}]);
    assert_eq!(round_trip(Codec::Json, &for_json), for_json);
    let bytes = operation(Codec::MsgPack, "x", &json!({"$bytes": "00ff"})).expect("MessagePack has bytes");
    assert!(bytes.ends_with(b"\xa6params\xc4\x02\x00\xff"));
}

#[test]
fn a_number_in_a_form_that_needs_none_is_a_number() {
    for codec in [Codec::Json, Codec::MsgPack, Codec::Yaml] {
        assert_eq!(
            round_trip(codec, &json!([{"$int": "5"}, {"$int": "-5"}])),
            json!([5, -5])
        );
        assert_eq!(round_trip(codec, &json!({"$map": [["a", 1]]})), json!({"a": 1}));
    }
}

#[test]
fn what_a_codec_cannot_express_is_refused_with_its_place() {
    for (codec, params, reason) in [
        (
            Codec::Json,
            json!([1, {"$bytes": "00"}]),
            "json cannot represent bytes, at `params[1]`",
        ),
        (
            Codec::Json,
            json!({"a": {"$float": "NaN"}}),
            "json cannot represent infinities and NaN, at `params.a`",
        ),
        (
            Codec::Json,
            json!({"$ext": 1, "$bytes": ""}),
            "json cannot represent extensions, at `params`",
        ),
        (
            Codec::Json,
            json!({"$map": [["a", 1], [2, 1]]}),
            "json cannot represent keys that are not text, at `params.$map[1]`",
        ),
        (
            Codec::Yaml,
            json!({"a": [{"$ext": 1, "$bytes": ""}]}),
            "yaml cannot represent extensions, at `params.a[0]`",
        ),
        (
            Codec::MsgPack,
            json!({"$int": "18446744073709551616"}),
            "msgpack cannot represent whole numbers of more than 64 bits, at `params`",
        ),
        (
            Codec::MsgPack,
            json!({"$map": [[1, 2], [1, 3]]}),
            "the key 1 occurs twice, at `params.$map[1]`",
        ),
    ] {
        let reason = reason.to_owned();
        assert_eq!(
            operation(codec, "x", &params),
            Err(CodecError::Inexpressible { codec, reason })
        );
    }
}

#[test]
fn malformed_forms_are_refused_in_every_codec() {
    for form in [
        json!({"$bytes": "0"}),
        json!({"$bytes": "zz"}),
        json!({"$bytes": 1}),
        json!({"$ext": 128, "$bytes": ""}),
        json!({"$ext": "1", "$bytes": ""}),
        json!({"$float": "nan"}),
        json!({"$float": 1.5}),
        json!({"$int": 1}),
        json!({"$int": "1.0"}),
        json!({"$int": "340282366920938463463374607431768211456"}),
        json!({"$map": {}}),
        json!({"$map": [1]}),
        json!({"$map": [[1]]}),
        json!({"$map": [[1, 2, 3]]}),
    ] {
        for codec in [Codec::Json, Codec::MsgPack, Codec::Yaml] {
            let outcome = operation(codec, "x", &form);
            assert!(
                matches!(&outcome, Err(CodecError::Inexpressible { reason, .. }) if reason.ends_with("at `params`")),
                "{codec} {form}: {outcome:?}"
            );
        }
    }
}

#[test]
fn depth_counts_what_a_form_stands_for() {
    let nested = |levels: usize| (0..levels).fold(Value::Null, |inner, _| json!({"$map": [[1, inner]]}));
    for codec in [Codec::MsgPack, Codec::Yaml] {
        assert_eq!(round_trip(codec, &nested(MAX_DEPTH - 1)), nested(MAX_DEPTH - 1));
        assert_eq!(
            operation(codec, "x", &nested(MAX_DEPTH)),
            Err(CodecError::TooDeep(codec))
        );
    }
}

#[test]
fn typed_text_keeps_every_digit_and_names_each_key_once() {
    assert_eq!(
        from_json_text(r#"{"n": 18446744073709551616, "b": {"$bytes": "00"}}"#),
        Ok(json!({"n": {"$int": "18446744073709551616"}, "b": {"$bytes": "00"}}))
    );
    for text in ["", "{", r#"{"a":1,"a":2}"#, "1e400", "[1] x"] {
        assert!(
            matches!(
                from_json_text(text),
                Err(CodecError::InvalidData {
                    codec: Codec::Json,
                    ..
                })
            ),
            "{text}"
        );
    }
}
