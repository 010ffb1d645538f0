//! Authenticated messages between hosts.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 1 | version: 1 |
//! | 1 | 1 | kind: 1 request, 2 reply, 3 lease (`lease.rs`), 4 durable message, 5 subscribers of a topic (`topics.rs`), 6 placement (`placing.rs`), 7 message of a component |
//! | 2 | 16 | identity of the message, random |
//! | 18 | 8 | deadline: milliseconds since 1970, little-endian |
//! | 26 | 1 | bytes of the sender, *s* |
//! | 27 | 1 | bytes of the target, *t* |
//! | 28 | *s* | name of the sending host |
//! | 28 + *s* | *t* | identity of the component; in a reply empty |
//! | 28 + *s* + *t* | | body |
//! | the last 32 | 32 | BLAKE3, keyed, of the subject's length (8 bytes, little-endian), the subject, and all bytes before |

use std::fmt;

use crate::key::ClusterKey;

/// Version of the format.
const VERSION: u8 = 1;
/// Bytes before the sender.
const HEAD: usize = 28;
/// Bytes of the authentication code.
const CODE: usize = blake3::OUT_LEN;

/// Identity of a message: 16 random bytes, as text 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct MessageId([u8; 16]);

impl MessageId {
    /// Creates an identity that no other message has.
    pub(crate) fn random() -> Result<MessageId, getrandom::Error> {
        #[cfg(test)]
        if let Some(number) = crate::simulation::random() {
            return Ok(MessageId(number.to_be_bytes()));
        }
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(MessageId(bytes))
    }

    pub(crate) fn from_bytes(bytes: [u8; 16]) -> MessageId {
        MessageId(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Returns the identity that stands for a text of a sender: the same for the same text.
    pub(crate) fn of(text: &str) -> MessageId {
        let hash = blake3::derive_key("airssys-wasm-cluster message id v1", text.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        MessageId(bytes)
    }

    /// Reads the form of `Display`.
    pub(crate) fn parse(text: &str) -> Option<MessageId> {
        if text.len() != 32 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        let number = u128::from_str_radix(text, 16).ok()?;
        Some(MessageId(number.to_be_bytes()))
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageId({self})")
    }
}

/// Kinds of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Request = 1,
    Reply = 2,
    Lease = 3,
    Durable = 4,
    Topic = 5,
    Placement = 6,
    Told = 7,
}

/// A message, read or to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Envelope<'a> {
    pub(crate) kind: Kind,
    pub(crate) id: MessageId,
    /// Milliseconds since 1970.
    pub(crate) deadline: u64,
    pub(crate) sender: &'a str,
    pub(crate) target: &'a str,
    pub(crate) body: &'a [u8],
}

/// Reasons for which bytes are no message of the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsealed {
    /// Another version of the format; of a host that is newer or older, or not of this cluster.
    Version(u8),
    /// The code is wrong: a stranger's message, one of another subject, or a damaged one.
    Forged,
    /// The code is right, and the rest cannot be read: a host with a defect.
    Malformed,
}

impl Envelope<'_> {
    /// Returns the number of bytes that [`Envelope::seal`] returns.
    pub(crate) fn sealed_bytes(&self) -> usize {
        HEAD + self.sender.len() + self.target.len() + self.body.len() + CODE
    }

    /// Writes the message for a subject. `None` if the sender's or the target's name is longer than 255 bytes.
    pub(crate) fn seal(&self, key: &ClusterKey, subject: &str) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(self.sealed_bytes());
        bytes.extend([VERSION, self.kind as u8]);
        bytes.extend(self.id.0);
        bytes.extend(self.deadline.to_le_bytes());
        bytes.push(u8::try_from(self.sender.len()).ok()?);
        bytes.push(u8::try_from(self.target.len()).ok()?);
        bytes.extend(self.sender.as_bytes());
        bytes.extend(self.target.as_bytes());
        bytes.extend(self.body);
        let code = key.authenticate(subject, &bytes);
        bytes.extend(code.as_bytes());
        Some(bytes)
    }
}

impl<'a> Envelope<'a> {
    /// Checks and reads a message that came with a subject. Nothing but the version is read before the code is checked.
    pub(crate) fn open(key: &ClusterKey, subject: &str, bytes: &'a [u8]) -> Result<Envelope<'a>, Unsealed> {
        match bytes.first() {
            Some(&VERSION) => {}
            Some(&other) => return Err(Unsealed::Version(other)),
            None => return Err(Unsealed::Forged),
        }
        let (signed, code) = bytes.split_last_chunk::<CODE>().ok_or(Unsealed::Forged)?;
        // The comparison takes the same time wherever the codes differ.
        if key.authenticate(subject, signed) != blake3::Hash::from_bytes(*code) {
            return Err(Unsealed::Forged);
        }
        Envelope::read(signed).ok_or(Unsealed::Malformed)
    }

    fn read(signed: &'a [u8]) -> Option<Envelope<'a>> {
        let (_, rest) = signed.split_first()?;
        let (kind, rest) = rest.split_first()?;
        let kind = match kind {
            1 => Kind::Request,
            2 => Kind::Reply,
            3 => Kind::Lease,
            4 => Kind::Durable,
            5 => Kind::Topic,
            6 => Kind::Placement,
            7 => Kind::Told,
            _ => return None,
        };
        let (id, rest) = rest.split_first_chunk::<16>()?;
        let (deadline, rest) = rest.split_first_chunk::<8>()?;
        let (lengths, rest) = rest.split_first_chunk::<2>()?;
        let (sender, rest) = rest.split_at_checked(lengths[0].into())?;
        let (target, body) = rest.split_at_checked(lengths[1].into())?;
        Some(Envelope {
            kind,
            id: MessageId(*id),
            deadline: u64::from_le_bytes(*deadline),
            sender: std::str::from_utf8(sender).ok()?,
            target: std::str::from_utf8(target).ok()?,
            body,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> ClusterKey {
        ClusterKey::new(&[byte; 32]).unwrap()
    }

    fn message(body: &[u8]) -> Envelope<'_> {
        Envelope {
            kind: Kind::Request,
            id: MessageId([7; 16]),
            deadline: u64::MAX - 1,
            sender: "one",
            target: "counter",
            body,
        }
    }

    #[test]
    fn a_message_is_read_as_it_was_written() {
        for body in [&b""[..], b"body"] {
            let sealed = message(body).seal(&key(1), "to.two").unwrap();
            assert_eq!(sealed.len(), message(body).sealed_bytes());
            assert_eq!(Envelope::open(&key(1), "to.two", &sealed), Ok(message(body)));
        }
    }

    #[test]
    fn each_changed_byte_and_each_cut_is_noticed() {
        let sealed = message(b"body").seal(&key(1), "to.two").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            let expected = if at == 0 {
                Unsealed::Version(0)
            } else {
                Unsealed::Forged
            };
            assert_eq!(
                Envelope::open(&key(1), "to.two", &changed),
                Err(expected),
                "byte {at}"
            );
            let cut = Envelope::open(&key(1), "to.two", &sealed[..at]);
            assert_eq!(cut, Err(Unsealed::Forged), "cut at {at}");
        }
        for (key, subject) in [(key(2), "to.two"), (key(1), "to.three")] {
            assert_eq!(Envelope::open(&key, subject, &sealed), Err(Unsealed::Forged));
        }
    }

    #[test]
    fn an_authentic_message_that_cannot_be_read_is_malformed() {
        let key = key(1);
        let authentic = |mut bytes: Vec<u8>| {
            let code = key.authenticate("s", &bytes);
            bytes.extend(code.as_bytes());
            bytes
        };
        let mut good = message(b"").seal(&key, "s").unwrap();
        good.truncate(good.len() - CODE);
        for (at, value) in [(1, 9), (26, 255), (28, 0xff)] {
            let mut bad = good.clone();
            bad[at] = value;
            let bad = authentic(bad);
            assert_eq!(
                Envelope::open(&key, "s", &bad),
                Err(Unsealed::Malformed),
                "byte {at}"
            );
        }
        for cut in 1..HEAD {
            let short = authentic(good[..cut].to_vec());
            assert_eq!(
                Envelope::open(&key, "s", &short),
                Err(Unsealed::Malformed),
                "{cut}"
            );
        }
    }

    #[test]
    fn an_identity_is_read_as_it_is_shown() {
        let id = MessageId::random().unwrap();
        assert_eq!(MessageId::parse(&id.to_string()), Some(id));
        assert_ne!(MessageId::random().unwrap(), id);
        for refused in [
            "",
            "00",
            &"g".repeat(32),
            &"A".repeat(32),
            &"+".repeat(32),
            &"0".repeat(33),
        ] {
            assert_eq!(MessageId::parse(refused), None, "{refused}");
        }
    }
}
