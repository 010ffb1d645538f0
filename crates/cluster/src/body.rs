//! Bodies of requests and replies.
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
