//! Records of the registry: a host's name, or a component's place, held until a deadline.
//!
//! A record is an [`Envelope`] of the kind 3 under the name of its key: the identity is that of the process, the sender is the
//! host, the deadline is the end of the lease, and the body has the fencing number and that of the host's own lease, each 8
//! bytes, little-endian. So a stranger that may write to the bucket cannot make one.

use airssys_wasm::ComponentId;

use crate::envelope::{Envelope, Kind, MessageId};
use crate::key::ClusterKey;
use crate::names::Name;

/// A lease as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    /// The process that holds it.
    pub(crate) process: MessageId,
    pub(crate) host: Name,
    /// Milliseconds since 1970; 0 once it is released.
    pub(crate) deadline: u64,
    /// Larger than that of each earlier lease of the key.
    pub(crate) fence: u64,
    /// Fencing number of the lease of the host's name, on which that of a component depends.
    pub(crate) epoch: u64,
}

impl Lease {
    pub(crate) fn seal(&self, key: &ClusterKey, name: &str) -> Option<Vec<u8>> {
        let body = [self.fence.to_le_bytes(), self.epoch.to_le_bytes()].concat();
        let envelope = Envelope {
            kind: Kind::Lease,
            id: self.process,
            deadline: self.deadline,
            sender: self.host.as_str(),
            target: "",
            body: &body,
        };
        envelope.seal(key, name)
    }

    pub(crate) fn open(key: &ClusterKey, name: &str, bytes: &[u8]) -> Option<Lease> {
        let envelope = Envelope::open(key, name, bytes).ok()?;
        let (fence, epoch) = envelope.body.split_first_chunk::<8>()?;
        let epoch = epoch.try_into().ok()?;
        (envelope.kind == Kind::Lease).then_some(Lease {
            process: envelope.id,
            host: Name::new(envelope.sender).ok()?,
            deadline: envelope.deadline,
            fence: u64::from_le_bytes(*fence),
            epoch: u64::from_le_bytes(epoch),
        })
    }

    /// Reports whether it is over for others, who allow for a difference of the clocks.
    pub(crate) fn is_over(&self, now: u64, tolerance: u64) -> bool {
        self.deadline == 0 || self.deadline.saturating_add(tolerance) < now
    }
}

/// Returns the key of a host's name.
pub(crate) fn host_key(host: &Name) -> String {
    format!("host.{host}")
}

/// Returns the key of a component.
pub(crate) fn component_key(id: &ComponentId) -> String {
    format!("component.{}", token(id.as_str()))
}

/// Returns the form of an identity, or of the name of a topic, that is one part of a key or of a subject. Keys may not have `:` and
/// `@`, and dots separate the parts: characters other than letters, digits, `-` and `_` become `=` and a letter.
pub(crate) fn token(id: &str) -> String {
    let mut token = String::with_capacity(id.len());
    for character in id.chars() {
        match character {
            '.' => token.push_str("=d"),
            ':' => token.push_str("=c"),
            '/' => token.push_str("=s"),
            '@' => token.push_str("=a"),
            plain => token.push(plain),
        }
    }
    token
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_read_under_its_own_key_only() {
        let key = ClusterKey::new(&[1; 32]).unwrap();
        let lease = Lease {
            process: MessageId::random().unwrap(),
            host: Name::new("one").unwrap(),
            deadline: 10,
            fence: 3,
            epoch: u64::MAX,
        };
        let sealed = lease.seal(&key, "host.one").unwrap();
        assert_eq!(Lease::open(&key, "host.one", &sealed), Some(lease.clone()));
        assert_eq!(Lease::open(&key, "host.two", &sealed), None);
        assert_eq!(
            Lease::open(&ClusterKey::new(&[2; 32]).unwrap(), "host.one", &sealed),
            None
        );
        assert!(!lease.is_over(15, 5) && lease.is_over(16, 5));
        assert!(Lease { deadline: 0, ..lease }.is_over(0, 5));
    }

    #[test]
    fn each_identity_has_a_key_of_its_own() {
        let key = |text: &str| component_key(&text.parse().unwrap());
        assert_eq!(key("a.b:c/d@e-_"), "component.a=db=cc=sd=ae-_");
        assert_ne!(key("a.d"), key("ad"));
    }
}
