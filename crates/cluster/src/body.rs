//! Bodies of requests and replies.
//!
//! A message of a component: the component's identity, as a length (1 byte) and its text; then as in a request. Its reply has no
//! answer, and as the text of a failure for a message that is too large the limit in bytes, decimal.
//!
//! A request: the request's identity, `traceparent` and `tracestate`, each as a length (2 bytes, little-endian) and its text,
//! empty for none; then the payload. A reply: a status byte, 0 for an answer, which follows, or that of a
//! [`FailureKind`], whose text follows.

use airssys_wasm::actors::SendOptions;
use airssys_wasm::runtime::TraceContext;

use crate::error::FailureKind;

/// Most bytes of the text of a failure. Stops a component's long error from exceeding the server's limit.
const MAX_TEXT_BYTES: usize = 4096;

/// Writes a request. `None` if one of the texts is longer than 65,535 bytes.
pub(crate) fn request(payload: &[u8], options: &SendOptions) -> Option<Vec<u8>> {
    let trace = options.trace_context.as_ref();
    let texts = [
        options.request_id.as_deref(),
        trace.map(|trace| trace.traceparent.as_str()),
        trace.and_then(|trace| trace.tracestate.as_deref()),
    ]
    .map(Option::unwrap_or_default);
    let texts_bytes: usize = texts.iter().map(|text| 2 + text.len()).sum();
    let mut body = Vec::with_capacity(texts_bytes + payload.len());
    for text in texts {
        body.extend(u16::try_from(text.len()).ok()?.to_le_bytes());
        body.extend(text.as_bytes());
    }
    body.extend(payload);
    Some(body)
}

/// Reads a request: the payload, and the options that came with it.
pub(crate) fn read_request(body: &[u8]) -> Option<(&[u8], SendOptions)> {
    let mut rest = body;
    let mut text = || {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let (text, after) = after.split_at_checked(u16::from_le_bytes(*length).into())?;
        rest = after;
        std::str::from_utf8(text).ok()
    };
    let (request_id, traceparent, tracestate) = (text()?, text()?, text()?);
    let mut options = SendOptions::new();
    if !request_id.is_empty() {
        options = options.with_request_id(request_id);
    }
    if !traceparent.is_empty() {
        options = options.with_trace_context(TraceContext {
            traceparent: traceparent.to_owned(),
            tracestate: (!tracestate.is_empty()).then(|| tracestate.to_owned()),
        });
    }
    Some((rest, options))
}

/// Writes a message of a component. `None` if one of the texts is too long.
pub(crate) fn told(sender: &str, payload: &[u8], options: &SendOptions) -> Option<Vec<u8>> {
    let length = u8::try_from(sender.len()).ok()?;
    let request = request(payload, options)?;
    Some([&[length], sender.as_bytes(), &request].concat())
}

/// Reads a message of a component: its sender, the payload, and the options that came with it.
pub(crate) fn read_told(body: &[u8]) -> Option<(&str, &[u8], SendOptions)> {
    let (length, rest) = body.split_first()?;
    let (sender, rest) = rest.split_at_checked((*length).into())?;
    let (payload, options) = read_request(rest)?;
    Some((std::str::from_utf8(sender).ok()?, payload, options))
}

/// Writes a reply.
pub(crate) fn reply(answer: &Result<Vec<u8>, (FailureKind, String)>) -> Vec<u8> {
    match answer {
        Ok(answer) => [&[0][..], answer].concat(),
        Err((kind, text)) => {
            let end = (0..=text.len().min(MAX_TEXT_BYTES))
                .rev()
                .find(|at| text.is_char_boundary(*at));
            let text = text.get(..end.unwrap_or(0)).unwrap_or_default();
            [&[kind.number()][..], text.as_bytes()].concat()
        }
    }
}

/// Reads a reply.
pub(crate) fn read_reply(body: &[u8]) -> Option<Result<Vec<u8>, (FailureKind, String)>> {
    let (status, rest) = body.split_first()?;
    Some(match status {
        0 => Ok(rest.to_vec()),
        number => Err((
            FailureKind::of_number(*number),
            String::from_utf8_lossy(rest).into_owned(),
        )),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_carries_its_identity_and_trace() {
        let full = SendOptions::new()
            .with_request_id("r-1")
            .with_trace_context(TraceContext {
                traceparent: "00-a-b-01".to_owned(),
                tracestate: Some("x=y".to_owned()),
            });
        for options in [SendOptions::new(), full] {
            let body = request(b"payload", &options).unwrap();
            let (payload, read) = read_request(&body).unwrap();
            assert_eq!(payload, b"payload");
            assert_eq!(format!("{read:?}"), format!("{options:?}"));
            for cut in 0..body.len() - payload.len() {
                assert!(read_request(&body[..cut]).is_none(), "{cut}");
            }
        }
        let long = SendOptions::new().with_request_id("x".repeat(65_536));
        assert_eq!(request(b"", &long), None);
    }

    #[test]
    fn a_message_of_a_component_carries_its_sender() {
        let options = SendOptions::new().with_request_id("r-1");
        let body = told("a/b", b"payload", &options).unwrap();
        let (sender, payload, read) = read_told(&body).unwrap();
        assert_eq!((sender, payload), ("a/b", &b"payload"[..]));
        assert_eq!(format!("{read:?}"), format!("{options:?}"));
        for cut in 0..body.len() - payload.len() {
            assert!(read_told(&body[..cut]).is_none(), "{cut}");
        }
        assert_eq!(told(&"x".repeat(256), b"", &SendOptions::new()), None);
    }

    #[test]
    fn a_reply_is_an_answer_or_a_failure_with_bounded_text() {
        for answer in [
            Ok(b"42".to_vec()),
            Ok(Vec::new()),
            Err((FailureKind::Full, "full".to_owned())),
        ] {
            assert_eq!(read_reply(&reply(&answer)), Some(answer));
        }
        let long = reply(&Err((FailureKind::Other, "ü".repeat(MAX_TEXT_BYTES))));
        assert_eq!(long.len(), 1 + MAX_TEXT_BYTES);
        assert_eq!(read_reply(&[]), None);
        let newer = read_reply(&[250, b'x']);
        assert_eq!(newer, Some(Err((FailureKind::Other, "x".to_owned()))));
    }
}
