//! A message as bytes in the store.
//!
//! | part | form |
//! |---|---|
//! | version | a byte, 1 |
//! | end of its time | a byte, 1 if there is one; then milliseconds since 1970, u64 |
//! | its time | milliseconds, u64; 0 without an end |
//! | caller | a byte: 0 none, 1 the host, 2 a component, then its identity as a text, 3 anonymous |
//! | request id, `traceparent`, `tracestate` | each: a byte, 1 if there is one; then its text |
//! | payload | all that follows |
//!
//! Numbers are little-endian; a text is its length as u32 and its bytes.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::actors::letter::{Letter, Receipt};
use crate::actors::options::SendOptions;
use crate::runtime::{CallerInfo, TraceContext};

const VERSION: u8 = 1;

const HOST: u8 = 1;
const COMPONENT: u8 = 2;
const ANONYMOUS: u8 = 3;

pub(super) fn encode(letter: &Letter) -> Vec<u8> {
    let options = &letter.options;
    let mut out = Vec::with_capacity(letter.payload.len() + 64);
    out.push(VERSION);
    match letter.deadline {
        Some(deadline) => {
            let left = deadline.saturating_duration_since(Instant::now());
            out.push(1);
            out.extend(now_millis().saturating_add(millis(left)).to_le_bytes());
            out.extend(millis(options.timeout.unwrap_or_default()).to_le_bytes());
        }
        None => out.push(0),
    }
    match &options.caller {
        None => out.push(0),
        Some(CallerInfo::Host) => out.push(HOST),
        Some(CallerInfo::Anonymous) => out.push(ANONYMOUS),
        Some(CallerInfo::Component(id)) => {
            out.push(COMPONENT);
            bytes(&mut out, id.as_bytes());
        }
    }
    let trace = options.trace_context.as_ref();
    for part in [
        options.request_id.as_deref(),
        trace.map(|trace| trace.traceparent.as_str()),
        trace.and_then(|trace| trace.tracestate.as_deref()),
    ] {
        match part {
            Some(text) => {
                out.push(1);
                bytes(&mut out, text.as_bytes());
            }
            None => out.push(0),
        }
    }
    out.extend(&letter.payload);
    out
}

/// Reads a message. Its sender is gone.
pub(super) fn decode(record: &[u8]) -> Result<Box<Letter>, &'static str> {
    let mut reader = Reader(record);
    if reader.byte()? != VERSION {
        return Err("an unknown version");
    }
    let mut options = SendOptions::new();
    let mut left = None;
    if reader.flag()? {
        let end = u64::from_le_bytes(reader.array()?);
        left = Some(Duration::from_millis(end.saturating_sub(now_millis())));
        options.timeout = Some(Duration::from_millis(u64::from_le_bytes(reader.array()?)));
    }
    options.caller = match reader.byte()? {
        0 => None,
        HOST => Some(CallerInfo::Host),
        COMPONENT => Some(CallerInfo::Component(reader.text()?)),
        ANONYMOUS => Some(CallerInfo::Anonymous),
        _ => return Err("an unknown kind of caller"),
    };
    options.request_id = reader.optional()?;
    let (traceparent, tracestate) = (reader.optional()?, reader.optional()?);
    options.trace_context = traceparent.map(|traceparent| TraceContext {
        traceparent,
        tracestate,
    });
    let mut letter = Letter::new(reader.0.to_vec(), options, Receipt::Acceptance(None));
    letter.deadline = left.and_then(|left| Instant::now().checked_add(left));
    Ok(letter)
}

fn now_millis() -> u64 {
    millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Appends a length and the bytes; those that a length cannot have are cut.
pub(super) fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend(length.to_le_bytes());
    out.extend(bytes.iter().take(usize::try_from(length).unwrap_or(usize::MAX)));
}

pub(super) struct Reader<'b>(pub(super) &'b [u8]);

impl Reader<'_> {
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        let (array, rest) = self.0.split_first_chunk().ok_or("it is cut")?;
        self.0 = rest;
        Ok(*array)
    }

    pub(super) fn byte(&mut self) -> Result<u8, &'static str> {
        self.array().map(|[byte]| byte)
    }

    fn flag(&mut self) -> Result<bool, &'static str> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err("a byte is neither 0 nor 1"),
        }
    }

    pub(super) fn text(&mut self) -> Result<String, &'static str> {
        let length = usize::try_from(u32::from_le_bytes(self.array()?)).map_err(|_| "it is cut")?;
        let (text, rest) = self.0.split_at_checked(length).ok_or("it is cut")?;
        self.0 = rest;
        let text = std::str::from_utf8(text).map_err(|_| "a text is not UTF-8")?;
        Ok(text.to_owned())
    }

    fn optional(&mut self) -> Result<Option<String>, &'static str> {
        if self.flag()? {
            self.text().map(Some)
        } else {
            Ok(None)
        }
    }

    pub(super) fn end(&self) -> Result<(), &'static str> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err("bytes follow it")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(options: SendOptions) -> Box<Letter> {
        Letter::new(b"payload".to_vec(), options, Receipt::Acceptance(None))
    }

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let trace = TraceContext {
            traceparent: "00-1-2-01".to_owned(),
            tracestate: Some("a=b".to_owned()),
        };
        let full = SendOptions::new()
            .with_timeout(Duration::from_secs(3600))
            .with_request_id("request")
            .with_caller(CallerInfo::Component("sender".to_owned()))
            .with_trace_context(trace);
        let anonymous = SendOptions::new().with_caller(CallerInfo::Anonymous);
        let host = SendOptions::new().with_caller(CallerInfo::Host);
        for options in [SendOptions::new(), anonymous, host, full] {
            let record = encode(&letter(options.clone()));
            let read = decode(&record).unwrap();
            assert_eq!(read.payload, b"payload");
            assert_eq!(format!("{:?}", read.options), format!("{options:?}"));
            assert_eq!(read.deadline.is_some(), options.timeout.is_some());
            assert!(!read.is_expired());
            for cut in 0..record.len() - b"payload".len() {
                assert!(decode(&record[..cut]).is_err(), "cut at {cut}");
            }
        }
    }

    #[test]
    fn time_passes_while_the_host_is_down() {
        let mut record = encode(&letter(
            SendOptions::new().with_timeout(Duration::from_secs(3600)),
        ));
        let end = now_millis() - 1;
        record[2..10].copy_from_slice(&end.to_le_bytes());
        assert!(decode(&record).unwrap().is_expired());
    }

    #[test]
    fn other_bytes_are_refused() {
        for record in [
            &[][..],
            &[2, 0, 0, 0, 0, 0],
            &[1, 2],
            &[1, 0, 1, 255, 255, 255, 255],
            &[1, 0, 1, 1, 0, 0, 0, 0xFF],
        ] {
            assert!(decode(record).is_err(), "{record:?}");
        }
    }
}
