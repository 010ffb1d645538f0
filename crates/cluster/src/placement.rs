//! Placement of components on hosts: which host each declared component belongs to. No clock, no input, no output.
//!
//! A component belongs to the live host with its labels whose number for it is the largest: the BLAKE3 digest of both names
//! (rendezvous hashing). So all hosts that read the same records decide alike without asking each other, and when a host comes
//! or goes, only the components that it gets or had are moved.

use std::collections::{BTreeMap, BTreeSet};

use airssys_wasm::ComponentId;

use crate::envelope::MessageId;
use crate::names::Name;

/// Most components that can be declared in a cluster.
pub const MAX_DECLARED: usize = 2048;
/// Most hosts that take part in placement, those that ended and were not cleaned up yet included.
pub const MAX_MEMBERS: usize = 256;
/// Most labels of a component or of a host.
pub const MAX_LABELS: usize = 16;

/// Labels of a host, or those that a component requires.
pub(crate) type Labels = BTreeSet<Name>;

/// The declared components.
pub(crate) type Declared = BTreeMap<ComponentId, Labels>;

/// A host that takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) process: MessageId,
    pub(crate) labels: Labels,
}

/// The hosts that take part, live or not.
pub(crate) type Members = BTreeMap<Name, Member>;

/// A step of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The component runs here, and does not belong here any more.
    Stop(ComponentId),
    /// The component belongs here, and does not run here.
    Start(ComponentId),
}

/// Returns the host that a component belongs to; `None` if no live one has its labels.
pub(crate) fn owner<'a>(id: &ComponentId, required: &Labels, live: &'a Members) -> Option<&'a Name> {
    let number = |host: &Name| {
        let mut hasher = blake3::Hasher::new();
        hasher.update(host.as_str().as_bytes());
        hasher.update(b"/");
        hasher.update(id.as_str().as_bytes());
        *hasher.finalize().as_bytes()
    };
    let fits = |member: &Member| required.is_subset(&member.labels);
    let fitting = live.iter().filter(|(_, member)| fits(member));
    fitting.map(|(host, _)| host).max_by_key(|host| number(host))
}

/// Returns the steps of a host: first those that end something, so that others can take it.
pub(crate) fn steps(
    own: &Name,
    declared: &Declared,
    live: &Members,
    running: &BTreeSet<ComponentId>,
) -> Vec<Step> {
    let is_own = |id: &ComponentId| {
        let required = declared.get(id);
        required.is_some_and(|required| owner(id, required, live) == Some(own))
    };
    let stopped = running.iter().filter(|id| !is_own(id)).cloned().map(Step::Stop);
    let wanted = declared.keys().filter(|id| is_own(id) && !running.contains(*id));
    stopped.chain(wanted.cloned().map(Step::Start)).collect()
}

fn put_text(out: &mut Vec<u8>, text: &str) -> Option<()> {
    out.push(u8::try_from(text.len()).ok()?);
    out.extend(text.as_bytes());
    Some(())
}

fn put_labels(out: &mut Vec<u8>, labels: &Labels) -> Option<()> {
    out.push(u8::try_from(labels.len()).ok()?);
    labels.iter().try_for_each(|label| put_text(out, label.as_str()))
}

fn text<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let (length, rest) = bytes.split_first()?;
    let (text, rest) = rest.split_at_checked((*length).into())?;
    *bytes = rest;
    std::str::from_utf8(text).ok()
}

fn labels(bytes: &mut &[u8]) -> Option<Labels> {
    let (count, rest) = bytes.split_first()?;
    *bytes = rest;
    let read: Option<Labels> = (0..*count).map(|_| Name::new(text(bytes)?).ok()).collect();
    read.filter(|labels| labels.len() <= MAX_LABELS)
}

/// Writes the record of the declared components: for each its identity and the number of its labels, and these; texts as a length
/// (1 byte) and their bytes.
pub(crate) fn encode_declared(declared: &Declared) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for (id, labels) in declared {
        put_text(&mut out, id.as_str())?;
        put_labels(&mut out, labels)?;
    }
    Some(out)
}

pub(crate) fn decode_declared(mut bytes: &[u8]) -> Option<Declared> {
    let mut declared = Declared::new();
    while !bytes.is_empty() {
        let id = ComponentId::new(text(&mut bytes)?).ok()?;
        declared.insert(id, labels(&mut bytes)?);
    }
    (declared.len() <= MAX_DECLARED).then_some(declared)
}

/// Writes the record of the members: for each its process (16 bytes), its name, and its labels as above.
pub(crate) fn encode_members(members: &Members) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for (host, member) in members {
        out.extend(member.process.as_bytes());
        put_text(&mut out, host.as_str())?;
        put_labels(&mut out, &member.labels)?;
    }
    Some(out)
}

pub(crate) fn decode_members(mut bytes: &[u8]) -> Option<Members> {
    let mut members = Members::new();
    while !bytes.is_empty() {
        let (process, rest) = bytes.split_first_chunk::<16>()?;
        bytes = rest;
        let host = Name::new(text(&mut bytes)?).ok()?;
        let member = Member {
            process: MessageId::from_bytes(*process),
            labels: labels(&mut bytes)?,
        };
        members.insert(host, member);
    }
    (members.len() <= MAX_MEMBERS).then_some(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> Labels {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn members(all: &[(&str, &[&str])]) -> Members {
        let member = |labels: &[&str]| Member {
            process: MessageId::of("process"),
            labels: set(labels),
        };
        all.iter()
            .map(|(host, labels)| (host.parse().unwrap(), member(labels)))
            .collect()
    }

    fn declared(count: usize, required: &[&str]) -> Declared {
        (0..count)
            .map(|number| (format!("c{number}").parse().unwrap(), set(required)))
            .collect()
    }

    fn owners(declared: &Declared, live: &Members) -> BTreeMap<ComponentId, Option<Name>> {
        declared
            .iter()
            .map(|(id, required)| (id.clone(), owner(id, required, live).cloned()))
            .collect()
    }

    #[test]
    fn labels_decide_and_components_are_spread() {
        let live = members(&[("a", &["gpu", "eu"]), ("b", &["eu"]), ("c", &[])]);
        let of = |required: &[&str], host: &str| {
            let owners = owners(&declared(300, required), &live);
            owners
                .values()
                .filter(|owner| owner.as_ref().is_some_and(|owner| owner.as_str() == host))
                .count()
        };
        assert_eq!([of(&["gpu"], "a"), of(&["gpu", "eu"], "a")], [300, 300]);
        assert_eq!(of(&["eu"], "a") + of(&["eu"], "b"), 300);
        assert_eq!(of(&["us"], "a") + of(&["us"], "b") + of(&["us"], "c"), 0);
        for host in ["a", "b", "c"] {
            assert!((60..140).contains(&of(&[], host)), "{host}: {}", of(&[], host));
        }
    }

    #[test]
    fn only_the_components_of_a_host_that_comes_or_goes_are_moved() {
        let declared = declared(300, &[]);
        let before = owners(&declared, &members(&[("a", &[]), ("b", &[])]));
        let after = owners(&declared, &members(&[("a", &[]), ("b", &[]), ("c", &[])]));
        for (id, owner) in &after {
            let stays = *owner == before[id];
            assert!(stays || owner.as_ref().unwrap().as_str() == "c", "{id}");
        }
        assert!(owners(&declared, &Members::new()).values().all(Option::is_none));
    }

    #[test]
    fn hosts_agree_on_each_component() {
        let declared = declared(50, &[]);
        let live = members(&[("a", &[]), ("b", &[]), ("c", &[])]);
        let mut started = BTreeSet::new();
        for host in live.keys() {
            for step in steps(host, &declared, &live, &BTreeSet::new()) {
                let Step::Start(id) = step else { panic!("{step:?}") };
                assert!(started.insert(id), "two hosts start it");
            }
        }
        assert_eq!(started.len(), 50);
    }

    #[test]
    fn a_component_that_is_not_declared_any_more_is_stopped() {
        let live = members(&[("a", &[])]);
        let own = live.keys().next().unwrap();
        let running: BTreeSet<ComponentId> = ["c0", "c1"].iter().map(|id| id.parse().unwrap()).collect();
        let stop = Step::Stop("c1".parse().unwrap());
        assert_eq!(steps(own, &declared(1, &[]), &live, &running), [stop]);
        let all = steps(own, &declared(2, &[]), &Members::new(), &running);
        assert_eq!(all.len(), 2, "a host that does not take part stops all");
    }

    #[test]
    fn records_are_read_as_they_were_written() {
        let declared = declared(20, &["gpu", "eu"]);
        let bytes = encode_declared(&declared).unwrap();
        assert_eq!(decode_declared(&bytes), Some(declared));
        let members = members(&[("a", &["gpu"]), ("b", &[])]);
        let of_members = encode_members(&members).unwrap();
        assert_eq!(decode_members(&of_members), Some(members));
        assert!(decode_declared(&bytes[..bytes.len() - 1]).is_none());
        assert!(decode_members(&of_members[..of_members.len() - 1]).is_none());
        assert!(decode_declared(&[1, b' ', 0]).is_none() && decode_declared(&[1, b'a', 17]).is_none());
        assert_eq!(decode_members(&[]), Some(Members::new()));
    }
}
