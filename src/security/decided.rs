//! Requests that are decided when a component gets its capabilities, so that a check only looks them up.

use super::context::Shared;
use super::domain::{KindId, Scope};
use super::index::{Index, NEVER, Query};
use super::request::Request;

type HashMap<K, V> = std::collections::HashMap<K, V, foldhash::fast::FixedState>;

/// Names that a component requests one by one, and that one rule allows as long as the policy lives, unless they are revoked.
#[derive(Debug, Default)]
pub(super) struct Decided(Vec<(KindId, Names)>);

/// The names of one domain and action, with the rules that allow them.
#[derive(Debug)]
enum Names {
    /// Compared one by one, which is quicker than hashing.
    Few(Vec<(Box<str>, u32)>),
    Many(HashMap<Box<str>, u32>),
}

/// Names from which on they are hashed.
const MANY: usize = 8;

impl Names {
    fn add(&mut self, name: &str, rule: u32) {
        match self {
            Names::Few(few) if few.len() < MANY => few.push((name.into(), rule)),
            Names::Few(few) => {
                let mut many: HashMap<_, _> = few.drain(..).collect();
                many.insert(name.into(), rule);
                *self = Names::Many(many);
            }
            Names::Many(many) => drop(many.insert(name.into(), rule)),
        }
    }

    #[inline]
    fn rule(&self, name: &str) -> Option<u32> {
        match self {
            Names::Few(few) => few
                .iter()
                .find(|(present, _)| **present == *name)
                .map(|(_, rule)| *rule),
            Names::Many(many) => many.get(name).copied(),
        }
    }
}

impl Decided {
    /// Decides on the names among what a component requests. `own` has the policy's rules that name it.
    pub(super) fn new(shared: &Shared, own: &Index, requested: &[(KindId, Scope)]) -> Decided {
        let mut decided = Decided::default();
        for (kind, scope) in requested {
            let Scope::Name(name) = scope else { continue };
            let query = Query::Name(name);
            // At the first moment all rules are valid, at the last only those that do not expire.
            let first = shared.find(own, *kind, query, 0);
            let last = shared.find(own, *kind, query, NEVER - 1);
            if let (None, Some(rule)) = (first.deny, first.allow)
                && last.allow == Some(rule)
            {
                decided.names_of(*kind).add(name, rule);
            }
        }
        decided
    }

    fn names_of(&mut self, kind: KindId) -> &mut Names {
        let at = match self.0.iter().position(|(present, _)| *present == kind) {
            Some(at) => at,
            None => {
                self.0.push((kind, Names::Few(Vec::new())));
                self.0.len() - 1
            }
        };
        &mut self.0[at].1
    }

    /// Returns the rule that allows a request, if it is decided. Revocations are not considered.
    #[inline]
    pub(super) fn rule(&self, request: &Request<'_>) -> Option<u32> {
        let (wanted, name) = match *request {
            Request::CallFunction(name) => (KindId::CALL, name),
            Request::SendMessage(name) => (KindId::SEND, name),
            Request::ReceiveMessage(name) => (KindId::RECEIVE, name),
            _ => return None,
        };
        let (_, names) = self.0.iter().find(|(kind, _)| *kind == wanted)?;
        names.rule(name)
    }
}
