//! Headers and trailers.

mod host;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::{HttpCtx, HttpLimits};

/// Fields that belong to connections, or that say where a request goes: only the host sets them, and guests never see
/// them.
const FORBIDDEN: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::HOST,
    HeaderName::from_static("http2-settings"),
];

/// Returns whether guests may neither set nor see a field.
pub(super) fn is_forbidden(name: &HeaderName) -> bool {
    FORBIDDEN.contains(name)
}

/// Bytes that each value counts in addition to its own bytes and those of its name.
const VALUE_OVERHEAD: usize = 32;

/// The failure of a change to fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FieldError {
    #[error("the header's name or value is invalid")]
    Syntax,
    #[error("only the host may set this header")]
    Forbidden,
    #[error("these headers are immutable")]
    Immutable,
    /// Traps, since WASI has no error for it.
    #[error(
        "the headers of one message, or all headers, exceed a limit (HttpLimits: fields, field_bytes, all_field_bytes)"
    )]
    TooLarge,
}

/// Bytes of all fields of one component.
#[derive(Debug, Default)]
pub(crate) struct FieldsBudget {
    used: AtomicUsize,
}

/// A part of these bytes, released on drop.
#[derive(Debug)]
struct Share {
    room: Arc<FieldsBudget>,
    bytes: usize,
}

impl Share {
    fn of(room: &Arc<FieldsBudget>, bytes: usize, limits: &HttpLimits) -> Result<Share, FieldError> {
        let mut share = Share {
            room: room.clone(),
            bytes: 0,
        };
        share.resize(bytes, limits)?;
        Ok(share)
    }

    fn resize(&mut self, bytes: usize, limits: &HttpLimits) -> Result<(), FieldError> {
        let used = self.room.used.load(Ordering::Relaxed);
        let others = used.saturating_sub(self.bytes);
        if bytes > limits.field_bytes || bytes > limits.all_field_bytes.saturating_sub(others) {
            return Err(FieldError::TooLarge);
        }
        // A component's guest runs on one thread.
        self.room.used.store(others + bytes, Ordering::Relaxed);
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let used = self.room.used.load(Ordering::Relaxed);
        self.room
            .used
            .store(used.saturating_sub(self.bytes), Ordering::Relaxed);
    }
}

/// The fields of a message, or of a message that is yet to be created.
#[derive(Debug)]
pub(crate) struct Fields {
    map: Arc<HeaderMap>,
    mutable: bool,
    share: Share,
}

impl Fields {
    /// Creates empty fields that can be changed.
    pub(crate) fn empty(room: &Arc<FieldsBudget>) -> Fields {
        Fields {
            map: Arc::default(),
            mutable: true,
            share: Share {
                room: room.clone(),
                bytes: 0,
            },
        }
    }

    /// Creates fields from a list, which can be changed.
    pub(crate) fn of_list(entries: Vec<(String, Vec<u8>)>, http: &HttpCtx) -> Result<Fields, FieldError> {
        let mut fields = Fields::empty(&http.room);
        for (name, value) in entries {
            fields.append(&name, value, &http.limits)?;
        }
        Ok(fields)
    }

    /// Creates the fields of an incoming message, without those that guests never see.
    pub(crate) fn received(
        mut map: HeaderMap,
        room: &Arc<FieldsBudget>,
        limits: &HttpLimits,
    ) -> Result<Fields, FieldError> {
        for name in &FORBIDDEN {
            map.remove(name);
        }
        if map.len() > limits.fields {
            return Err(FieldError::TooLarge);
        }
        Ok(Fields {
            share: Share::of(room, size(&map), limits)?,
            map: Arc::new(map),
            mutable: false,
        })
    }

    /// Returns the same fields, unchangeable, as a handle to a message's fields.
    pub(crate) fn view(&self, limits: &HttpLimits) -> Result<Fields, FieldError> {
        Ok(Fields {
            map: self.map.clone(),
            mutable: false,
            share: Share::of(&self.share.room, self.share.bytes, limits)?,
        })
    }

    /// Returns a copy that can be changed.
    pub(crate) fn copy(&self, limits: &HttpLimits) -> Result<Fields, FieldError> {
        let mut copy = self.view(limits)?;
        copy.mutable = true;
        Ok(copy)
    }

    /// Makes the fields unchangeable, once they belong to a message.
    pub(crate) fn freeze(mut self) -> Fields {
        self.mutable = false;
        self
    }

    pub(crate) fn map(&self) -> &HeaderMap {
        &self.map
    }

    pub(crate) fn into_map(self) -> HeaderMap {
        Arc::unwrap_or_clone(self.map)
    }

    pub(crate) fn get(&self, name: &str) -> Vec<Vec<u8>> {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
            return Vec::new();
        };
        let values = self.map.get_all(name);
        values.iter().map(|value| value.as_bytes().to_vec()).collect()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        HeaderName::from_bytes(name.as_bytes()).is_ok_and(|name| self.map.contains_key(name))
    }

    pub(crate) fn entries(&self) -> Vec<(String, Vec<u8>)> {
        let entries = self.map.iter();
        entries
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect()
    }

    pub(crate) fn set(
        &mut self,
        name: &str,
        values: Vec<Vec<u8>>,
        limits: &HttpLimits,
    ) -> Result<(), FieldError> {
        let name = self.own_name(name)?;
        let values = values
            .into_iter()
            .map(|value| parse(&name, value))
            .collect::<Result<Vec<_>, _>>()?;
        let (count, bytes) = of_name(&self.map, &name);
        let added: usize = values.iter().map(|value| entry(&name, value)).sum();
        self.grow(count, bytes, values.len(), added, limits)?;
        let map = Arc::make_mut(&mut self.map);
        map.remove(&name);
        for value in values {
            // The map's capacity is far above the limit on fields; an excess would be an error, not a silent loss.
            map.try_append(name.clone(), value)
                .map_err(|_| FieldError::TooLarge)?;
        }
        Ok(())
    }

    pub(crate) fn append(
        &mut self,
        name: &str,
        value: Vec<u8>,
        limits: &HttpLimits,
    ) -> Result<(), FieldError> {
        let name = self.own_name(name)?;
        let value = parse(&name, value)?;
        self.grow(0, 0, 1, entry(&name, &value), limits)?;
        Arc::make_mut(&mut self.map)
            .try_append(name, value)
            .map_err(|_| FieldError::TooLarge)?;
        Ok(())
    }

    pub(crate) fn delete(&mut self, name: &str, limits: &HttpLimits) -> Result<(), FieldError> {
        let name = self.own_name(name)?;
        let (count, bytes) = of_name(&self.map, &name);
        if count > 0 {
            self.grow(count, bytes, 0, 0, limits)?;
            Arc::make_mut(&mut self.map).remove(&name);
        }
        Ok(())
    }

    /// Returns a name whose values the guest may change.
    fn own_name(&self, name: &str) -> Result<HeaderName, FieldError> {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| FieldError::Syntax)?;
        if FORBIDDEN.contains(&name) {
            return Err(FieldError::Forbidden);
        }
        if !self.mutable {
            return Err(FieldError::Immutable);
        }
        Ok(name)
    }

    /// Adjusts the used bytes for values that replace others.
    fn grow(
        &mut self,
        removed: usize,
        removed_bytes: usize,
        added: usize,
        added_bytes: usize,
        limits: &HttpLimits,
    ) -> Result<(), FieldError> {
        if (self.map.len() - removed).saturating_add(added) > limits.fields {
            return Err(FieldError::TooLarge);
        }
        let kept = self.share.bytes.saturating_sub(removed_bytes);
        self.share.resize(kept.saturating_add(added_bytes), limits)
    }
}

/// Parses a value by HTTP's rules; `content-length` must be a number.
fn parse(name: &HeaderName, value: Vec<u8>) -> Result<HeaderValue, FieldError> {
    if name == header::CONTENT_LENGTH && length(&value).is_none() {
        return Err(FieldError::Syntax);
    }
    HeaderValue::try_from(value).map_err(|_| FieldError::Syntax)
}

/// Parses the value of `content-length`: digits only.
pub(super) fn length(value: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(value).ok()?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Returns the body length that the headers declare. An error if they contradict each other.
pub(crate) fn declared_length(map: &HeaderMap) -> Result<Option<u64>, FieldError> {
    let mut values = map.get_all(header::CONTENT_LENGTH).iter();
    let Some(first) = values.next() else {
        return Ok(None);
    };
    let declared = length(first.as_bytes()).ok_or(FieldError::Syntax)?;
    match values.all(|value| value == first) {
        true => Ok(Some(declared)),
        false => Err(FieldError::Syntax),
    }
}

fn entry(name: &HeaderName, value: &HeaderValue) -> usize {
    name.as_str().len() + value.len() + VALUE_OVERHEAD
}

fn of_name(map: &HeaderMap, name: &HeaderName) -> (usize, usize) {
    let values = map.get_all(name);
    values.iter().fold((0, 0), |(count, bytes), value| {
        (count + 1, bytes + entry(name, value))
    })
}

fn size(map: &HeaderMap) -> usize {
    map.iter().map(|(name, value)| entry(name, value)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> HttpLimits {
        HttpLimits {
            field_bytes: 1000,
            fields: 10,
            all_field_bytes: 2000,
            ..HttpLimits::default()
        }
    }

    #[test]
    fn what_http_does_not_allow_is_no_field() {
        let (room, limits) = (Arc::default(), limits());
        let mut fields = Fields::empty(&room);
        let mut set = |name: &str, value: &[u8]| fields.set(name, vec![value.to_vec()], &limits);
        for name in [
            "", " ", "a b", "a:b", "a\r\nb", "a\nb", "ä", "a\0", "(a)", "a\u{7f}",
        ] {
            assert_eq!(set(name, b"x"), Err(FieldError::Syntax), "{name:?}");
        }
        for value in [&b"a\r\nb: c"[..], b"a\nb", b"a\rb", b"a\0b", b"\x7f", b"\x01"] {
            assert_eq!(set("a", value), Err(FieldError::Syntax), "{value:?}");
        }
        for value in [
            &b"+5"[..],
            b"-5",
            b"",
            b"5 ",
            b"0x5",
            b"5,5",
            b"99999999999999999999",
        ] {
            assert_eq!(set("Content-Length", value), Err(FieldError::Syntax), "{value:?}");
        }
        for name in ["Connection", "keep-alive", "HOST", "transfer-encoding", "upgrade"] {
            assert_eq!(set(name, b"x"), Err(FieldError::Forbidden), "{name:?}");
        }
        assert_eq!(set("A", b"\xff \t~"), Ok(()));
        assert_eq!(set("content-length", b"5"), Ok(()));
        assert_eq!(room.used.load(Ordering::Relaxed), 1 + 4 + 32 + 14 + 1 + 32);
        drop(fields);
        assert_eq!(room.used.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn values_are_set_added_and_taken_out_by_name() {
        let (room, limits) = (Arc::default(), limits());
        let mut fields = Fields::empty(&room);
        fields.append("A", b"1".to_vec(), &limits).unwrap();
        fields.append("a", b"2".to_vec(), &limits).unwrap();
        assert_eq!(fields.get("A"), [b"1", b"2"]);
        fields.set("a", vec![b"3".to_vec()], &limits).unwrap();
        assert_eq!(fields.entries(), [("a".to_owned(), b"3".to_vec())]);
        assert!(fields.has("A") && !fields.has("b") && !fields.has("a b"));
        let copy = fields.copy(&limits).unwrap();
        fields.set("a", Vec::new(), &limits).unwrap();
        assert!(!fields.has("a"));
        assert_eq!(copy.get("a"), [b"3"], "a copy is another");
        fields.delete("nothing", &limits).unwrap();
        let mut frozen = copy.freeze();
        assert_eq!(frozen.delete("a", &limits), Err(FieldError::Immutable));
        assert_eq!(
            frozen.append("a", Vec::new(), &limits),
            Err(FieldError::Immutable)
        );
        drop((fields, frozen));
        assert_eq!(room.used.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn one_message_and_all_of_them_have_limits() {
        let (room, limits) = (Arc::default(), limits());
        let mut fields = Fields::empty(&room);
        for number in 0..10 {
            fields.append(&format!("n{number}"), Vec::new(), &limits).unwrap();
        }
        assert_eq!(
            fields.append("more", Vec::new(), &limits),
            Err(FieldError::TooLarge)
        );
        assert_eq!(
            fields.set("n1", vec![Vec::new(); 2], &limits),
            Err(FieldError::TooLarge)
        );
        fields.delete("n1", &limits).unwrap();
        fields.append("more", Vec::new(), &limits).unwrap();
        let mut large = Fields::empty(&room);
        assert_eq!(
            large.append("a", vec![b'x'; 968], &limits),
            Err(FieldError::TooLarge)
        );
        large.append("a", vec![b'x'; 967], &limits).unwrap();
        assert_eq!(large.copy(&limits).unwrap_err(), FieldError::TooLarge);
        drop(fields);
        assert!(large.copy(&limits).is_ok());
        assert_eq!(room.used.load(Ordering::Relaxed), 1000);
    }

    #[test]
    fn lengths_that_contradict_each_other_are_none() {
        let mut map = HeaderMap::new();
        assert_eq!(declared_length(&map), Ok(None));
        map.append("content-length", HeaderValue::from_static("5"));
        map.append("content-length", HeaderValue::from_static("5"));
        assert_eq!(declared_length(&map), Ok(Some(5)));
        map.append("content-length", HeaderValue::from_static("6"));
        assert_eq!(declared_length(&map), Err(FieldError::Syntax));
    }
}
