//! Host functions over Rust types.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{CallInfo, HostFunctionError, HostFunctions, InvalidFunction};
use crate::codec;

impl HostFunctions {
    /// Adds a function over Rust types. Its arguments are a payload in one of the self-describing codecs (JSON, MessagePack,
    /// YAML), and its result is in the same codec. An error's text is passed to the guest.
    ///
    /// Values that JSON lacks, such as bytes, have the forms of [`codec::to_json`].
    ///
    /// # Errors
    /// The errors of [`HostFunctions::with_raw`].
    pub fn with_typed<A, R, E>(
        self,
        name: &str,
        function: impl Fn(&CallInfo<'_>, A) -> Result<R, E> + Send + Sync + 'static,
    ) -> Result<HostFunctions, InvalidFunction>
    where
        A: DeserializeOwned,
        R: Serialize,
        E: fmt::Display,
    {
        self.with_raw(name, move |info, args| {
            let payload = codec::decode(args).map_err(|error| failed("the arguments", &error))?;
            let value = codec::to_json(&payload).map_err(|error| failed("the arguments", &error))?;
            let args = serde_json::from_value::<A>(value)
                .map_err(|error| failed("the arguments", &without_values(&error.to_string())))?;
            let result = function(info, args);
            let result = result.map_err(|error| HostFunctionError::Failed(error.to_string()))?;
            let value = serde_json::to_value(result).map_err(|error| failed("the result", &error))?;
            codec::from_json(payload.codec, &value).map_err(|error| failed("the result", &error))
        })
    }
}

fn failed(part: &str, error: &dyn fmt::Display) -> HostFunctionError {
    HostFunctionError::Failed(format!("{part}: {error}"))
}

/// Removes the values from an error of serde, which quotes them behind their type: they may be secret, and the text
/// may end up in a log.
fn without_values(text: &str) -> String {
    const TYPES: [&str; 6] = [
        "string ",
        "integer ",
        "floating point ",
        "boolean ",
        "character ",
        "unknown variant ",
    ];
    let quoted = |text: &str| {
        let quote = text.chars().next().filter(|first| matches!(first, '"' | '`'))?;
        let mut escaped = false;
        let inner = text[1..].find(|character| {
            let ends = character == quote && !escaped;
            escaped = character == '\\' && !escaped;
            ends
        });
        Some(inner.map_or(text.len(), |inner| inner + 2))
    };
    for ty in TYPES {
        if let Some(at) = text.find(ty).map(|at| at + ty.len())
            && let Some(length) = quoted(&text[at..])
        {
            return format!("{}{}", text[..at].trim_end(), &text[at + length..]);
        }
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::codec::Codec;
    use crate::host::HostLimits;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Order {
        item: String,
        count: u32,
    }

    #[derive(Serialize)]
    struct Receipt {
        text: String,
    }

    fn call(args: &[u8]) -> Result<Vec<u8>, HostFunctionError> {
        let functions = HostFunctions::new()
            .with_typed("order", |_, order: Order| match order.count {
                0 => Err("nothing is ordered"),
                count => Ok(Receipt {
                    text: format!("{count} x {}", order.item),
                }),
            })
            .unwrap();
        let component = "caller".parse().unwrap();
        let info = CallInfo {
            function: "order",
            component: &component,
            request_id: None,
            trace: None,
            deadline: None,
        };
        functions.call(&info, args, &HostLimits::default())
    }

    #[test]
    fn the_result_is_in_the_codec_of_the_arguments() {
        for codec in Codec::ALL.into_iter().filter(|codec| codec.self_describing()) {
            let args = codec::from_json(codec, &json!({"item": "tea", "count": 2})).unwrap();
            let result = call(&args).unwrap();
            let payload = codec::decode(&result).unwrap();
            assert_eq!(payload.codec, codec);
            assert_eq!(codec::to_json(&payload).unwrap(), json!({"text": "2 x tea"}));
        }
    }

    #[test]
    fn bad_arguments_and_errors_are_failures_with_a_text() {
        let json = |value: serde_json::Value| codec::from_json(Codec::Json, &value).unwrap();
        for (args, text) in [
            (Vec::new(), "the arguments: the payload is empty"),
            (codec::encode(Codec::Raw.code(), b"x"), "the arguments: raw data"),
            (codec::encode(Codec::Json.code(), b"{"), "the arguments: "),
            (json(json!({"item": "tea"})), "the arguments: missing field"),
            (
                json(json!({"item": "tea", "count": 1, "more": 1})),
                "the arguments: unknown",
            ),
            (json(json!({"item": "tea", "count": 0})), "nothing is ordered"),
        ] {
            match call(&args) {
                Err(HostFunctionError::Failed(failure)) => {
                    assert!(failure.starts_with(text), "{failure}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn errors_have_no_values() {
        for (error, shown) in [
            (
                r#"invalid type: string "hunter\"2", expected u32"#,
                "invalid type: string, expected u32",
            ),
            (
                "invalid value: integer `-17`, expected u32",
                "invalid value: integer, expected u32",
            ),
            (
                "unknown variant `hunter2`, expected `a` or `b`",
                "unknown variant, expected `a` or `b`",
            ),
            ("missing field `count`", "missing field `count`"),
            ("string \"open", "string"),
        ] {
            assert_eq!(without_values(error), shown);
        }
    }
}
