//! Records of the placement in the registry: the members and the declared components.

use std::collections::BTreeSet;

use airssys_wasm::ComponentId;
use bytes::Bytes;

use crate::envelope::{Envelope, Kind};
use crate::error::ClusterError;
use crate::lease::{Lease, host_key};
use crate::names::Name;
use crate::node::Node;
use crate::placement::{
    Declared, Labels, MAX_DECLARED, MAX_LABELS, MAX_MEMBERS, Member, Members, Step, decode_declared,
    decode_members, encode_declared, encode_members, owner, steps,
};
use crate::registry::bucket;
use crate::time::millis;

const DECLARED: &str = "placement.declared";
const MEMBERS: &str = "placement.members";

/// Tries of a change that others make at the same time.
const MAX_TRIES: u32 = 16;

/// A record of the registry with a revision; empty if there is none.
struct Record<T> {
    revision: u64,
    value: T,
}

impl Node {
    async fn record<T: Default>(
        &self,
        key: &str,
        decode: fn(&[u8]) -> Option<T>,
    ) -> Result<Record<T>, ClusterError> {
        let Some((revision, sealed)) = self.transport.read(key).await? else {
            return Ok(Record {
                revision: 0,
                value: T::default(),
            });
        };
        // The mark of one that was removed.
        if sealed.is_empty() {
            let value = T::default();
            return Ok(Record { revision, value });
        }
        let opened = Envelope::open(&self.options.key, key, &sealed).ok();
        let opened = opened.filter(|envelope| envelope.kind == Kind::Placement);
        let value = opened.and_then(|envelope| decode(envelope.body));
        // Nothing is declared, to hosts that took it for empty: they would stop all.
        let value = value.ok_or_else(|| unreadable(&self.options.cluster, key))?;
        Ok(Record { revision, value })
    }

    /// Changes a record until no other host changes it at the same time. `change` returns false if there is nothing to change.
    async fn change<T: Default + Send>(
        &self,
        key: &str,
        decode: fn(&[u8]) -> Option<T>,
        encode: fn(&T) -> Option<Vec<u8>>,
        mut change: impl FnMut(&mut T) -> Result<bool, ClusterError> + Send,
    ) -> Result<(), ClusterError> {
        if self.is_closing() {
            return Err(ClusterError::Left);
        }
        for _ in 0..MAX_TRIES {
            let Record { revision, mut value } = self.record(key, decode).await?;
            if !change(&mut value)? {
                return Ok(());
            }
            let sealed = self.sealed(key, encode(&value))?;
            if self.transport.write(key, sealed, revision).await?.is_some() {
                return Ok(());
            }
        }
        Err(ClusterError::PlacementContended)
    }

    fn sealed(&self, key: &str, body: Option<Vec<u8>>) -> Result<Bytes, ClusterError> {
        let body = body.ok_or(ClusterError::LongOptions)?;
        let envelope = Envelope {
            kind: Kind::Placement,
            id: self.presence.holder(),
            deadline: u64::MAX,
            sender: self.options.host.as_str(),
            target: "",
            body: &body,
        };
        let sealed = envelope.seal(&self.options.key, key);
        let sealed = sealed.ok_or(ClusterError::LongOptions)?;
        let limit = self.max_bytes();
        if sealed.len() > limit {
            return Err(ClusterError::PlacementFull {
                what: "bytes of a record",
                limit,
            });
        }
        Ok(sealed.into())
    }

    /// Declares a component, or removes it.
    pub(crate) async fn declare(
        &self,
        id: &ComponentId,
        required: Option<Labels>,
    ) -> Result<(), ClusterError> {
        bounded(
            "labels of a component",
            required.as_ref().map_or(0, Labels::len),
            MAX_LABELS,
        )?;
        self.change(
            DECLARED,
            decode_declared,
            encode_declared,
            |declared: &mut Declared| {
                let is_changed = match &required {
                    Some(required) => {
                        declared.insert(id.clone(), required.clone()).as_ref() != Some(required)
                    }
                    None => declared.remove(id).is_some(),
                };
                bounded("declared components", declared.len(), MAX_DECLARED)?;
                Ok(is_changed)
            },
        )
        .await
    }

    /// Enters this host as a member, and removes those that have ended.
    pub(crate) async fn take_part(&self, labels: &Labels) -> Result<(), ClusterError> {
        bounded("labels of a host", labels.len(), MAX_LABELS)?;
        let member = Member {
            process: self.presence.holder(),
            labels: labels.clone(),
        };
        let known = self.record(MEMBERS, decode_members).await?.value;
        let live = self.live(&known).await?;
        self.change(
            MEMBERS,
            decode_members,
            encode_members,
            |members: &mut Members| {
                // Those that came since are kept.
                members.retain(|host, member| live.contains_key(host) || known.get(host) != Some(member));
                members.insert(self.options.host.clone(), member.clone());
                bounded("hosts that take part", members.len(), MAX_MEMBERS)?;
                Ok(true)
            },
        )
        .await
    }

    /// Reports whether the record of members has this process. One that was removed by mistake enters itself again.
    pub(crate) async fn is_member(&self, labels: &Labels) -> Result<bool, ClusterError> {
        let members = self.record(MEMBERS, decode_members).await?.value;
        let own = members.get(&self.options.host);
        Ok(own.is_some_and(|own| own.process == self.presence.holder() && own.labels == *labels))
    }

    /// Returns the members whose processes hold the leases of their names.
    async fn live(&self, members: &Members) -> Result<Members, ClusterError> {
        let (options, mut live) = (&self.options, Members::new());
        let (now, tolerance) = (options.clock.now_ms(), millis(options.clock_tolerance));
        for (host, member) in members {
            let key = host_key(host);
            let sealed = self.transport.read(&key).await?;
            let lease = sealed.and_then(|(_, sealed)| Lease::open(&options.key, &key, &sealed));
            let holds = |lease: Lease| lease.process == member.process && !lease.is_over(now, tolerance);
            if lease.is_some_and(holds) {
                live.insert(host.clone(), member.clone());
            }
        }
        Ok(live)
    }

    /// Returns the declared components, with the hosts that they belong to.
    pub(crate) async fn placement(&self) -> Result<Vec<(ComponentId, Option<Name>)>, ClusterError> {
        let declared = self.record(DECLARED, decode_declared).await?.value;
        let members = self.record(MEMBERS, decode_members).await?.value;
        let live = self.live(&members).await?;
        let place = |(id, required): (ComponentId, Labels)| {
            let host = owner(&id, &required, &live).cloned();
            (id, host)
        };
        Ok(declared.into_iter().map(place).collect())
    }

    /// Returns the steps of this moment.
    pub(crate) async fn steps(&self, running: &BTreeSet<ComponentId>) -> Result<Vec<Step>, ClusterError> {
        let declared = self.record(DECLARED, decode_declared).await?.value;
        let members = self.record(MEMBERS, decode_members).await?.value;
        let live = self.live(&members).await?;
        Ok(steps(&self.options.host, &declared, &live, running))
    }
}

/// Returns the error of a record that is there and cannot be read.
pub(crate) fn unreadable(cluster: &Name, key: &str) -> ClusterError {
    ClusterError::Record {
        bucket: bucket(cluster),
        key: key.to_owned(),
    }
}

fn bounded(what: &'static str, number: usize, limit: usize) -> Result<(), ClusterError> {
    match number > limit {
        true => Err(ClusterError::PlacementFull { what, limit }),
        false => Ok(()),
    }
}
