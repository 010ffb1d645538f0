//! Index of scopes: finds the rules that cover a request in time that does not depend on the number of rules.
//!
//! Paths, keys and names of hosts are walked segment by segment in a tree; networks are looked up once per prefix length in
//! use; other names are looked up directly. Only domains with a matcher of their own compare rule by rule.

mod hosts;
mod tree;

use std::sync::Arc;

use super::domain::{
    Domains, Form, HostScope, KindId, Scope, ScopeMatcher, Target, key_segments, path_segments,
};
use hosts::Hosts;
use tree::Tree;

/// A map whose keys are of the host's own policy, so that its hash need not withstand chosen keys.
type HashMap<K, V> = std::collections::HashMap<K, V, foldhash::fast::FixedState>;

/// The effect of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Allows what its capability covers.
    Allow,
    /// Denies what its capability covers. A denial has precedence over any number of permissions.
    Deny,
}

/// A rule's position, and the time at which it ends, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) rule: u32,
    pub(super) until: u64,
}

/// End of a rule that does not expire.
pub(super) const NEVER: u64 = u64::MAX;

/// The rules with one scope: of each effect, the one that lasts longest; of several, the first.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    allow: Option<Slot>,
    deny: Option<Slot>,
}

impl Entry {
    fn add(&mut self, effect: Effect, slot: Slot) {
        let place = match effect {
            Effect::Allow => &mut self.allow,
            Effect::Deny => &mut self.deny,
        };
        if place.is_none_or(|present| present.until < slot.until) {
            *place = Some(slot);
        }
    }
}

/// The result of a search.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found {
    /// The narrowest rule that allows it.
    pub(super) allow: Option<u32>,
    /// The broadest rule that denies it.
    pub(super) deny: Option<u32>,
    /// A rule that allowed it until it expired.
    pub(super) expired: Option<u32>,
    /// Number of entries that were compared.
    pub(super) steps: u32,
}

impl Found {
    #[inline]
    fn see(&mut self, entry: &Entry, now: u64) {
        self.see_allow(entry, now);
        self.see_deny(entry, now);
    }

    #[inline]
    fn see_allow(&mut self, entry: &Entry, now: u64) {
        self.steps += 1;
        match entry.allow {
            Some(slot) if now < slot.until => self.allow = Some(slot.rule),
            Some(slot) => self.expired = Some(slot.rule),
            None => {}
        }
    }

    #[inline]
    fn see_deny(&mut self, entry: &Entry, now: u64) {
        self.steps += 1;
        if let Some(slot) = entry.deny
            && self.deny.is_none()
            && now < slot.until
        {
            self.deny = Some(slot.rule);
        }
    }

    /// Adds the result of a further index, whose rules come behind.
    pub(super) fn and(self, other: Found) -> Found {
        Found {
            allow: self.allow.or(other.allow),
            deny: self.deny.or(other.deny),
            expired: self.expired.or(other.expired),
            steps: self.steps + other.steps,
        }
    }
}

/// The object of a search: that of a request, whose text is checked, or a scope as a whole.
#[derive(Clone, Copy, Debug)]
pub(super) enum Query<'a> {
    Whole,
    Path(&'a str),
    Target(&'a Target),
    Hosts(&'a HostScope),
    Name(&'a str),
    Key(&'a str),
    Custom(&'a str),
}

impl<'a> From<&'a Scope> for Query<'a> {
    fn from(scope: &'a Scope) -> Query<'a> {
        match scope {
            Scope::Whole => Query::Whole,
            Scope::Path(path) => Query::Path(path),
            Scope::Host(hosts) => Query::Hosts(hosts),
            Scope::Name(name) => Query::Name(name),
            Scope::Key(key) => Query::Key(key),
            Scope::Custom(scope) => Query::Custom(scope),
        }
    }
}

/// The rules of all domains and actions.
#[derive(Debug, Default)]
pub(super) struct Index {
    kinds: Vec<Option<Box<Kind>>>,
}

/// The rules of one domain and action.
struct Kind {
    whole: Entry,
    scopes: Scopes,
}

enum Scopes {
    Paths(Tree<Entry>),
    Keys(Tree<Entry>),
    Hosts(Hosts),
    Names(HashMap<Box<str>, Entry>),
    Custom(Arc<dyn ScopeMatcher>, Vec<(Box<str>, Entry)>),
}

impl Index {
    /// Builds an index of rules: kind, scope, effect and position.
    pub(super) fn new<'a>(
        domains: &Domains,
        rules: impl IntoIterator<Item = (KindId, &'a Scope, Effect, Slot)>,
    ) -> Index {
        let mut index = Index::default();
        for (kind, scope, effect, slot) in rules {
            index.add(domains, kind, scope, effect, slot);
        }
        index
    }

    pub(super) fn add(&mut self, domains: &Domains, kind: KindId, scope: &Scope, effect: Effect, slot: Slot) {
        let at = usize::from(kind.0);
        if self.kinds.len() <= at {
            self.kinds.resize_with(domains.len().max(at + 1), || None);
        }
        let kind = self.kinds[at].get_or_insert_with(|| Box::new(Kind::new(domains.form(kind))));
        kind.entry(scope, |entry| entry.add(effect, slot));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// Returns whether an entry that allows covers all of `query`. No entry may expire.
    pub(super) fn covers(&self, kind: KindId, query: Query<'_>) -> bool {
        let Some(Some(of_kind)) = self.kinds.get(usize::from(kind.0)) else {
            return false;
        };
        if of_kind.whole.allow.is_some() {
            return true;
        }
        match (&of_kind.scopes, query) {
            (Scopes::Names(names), Query::Name(name)) => {
                names.get(name).is_some_and(|entry| entry.allow.is_some())
            }
            _ => self.find(kind, query, 0).allow.is_some(),
        }
    }

    /// Returns the rules that cover all of `query` at the time `now`. Of a target without a scheme, a rule that denies covers it
    /// under any scheme: a plain connection can carry each of them.
    pub(super) fn find(&self, kind: KindId, query: Query<'_>, now: u64) -> Found {
        let mut found = Found::default();
        let Some(Some(kind)) = self.kinds.get(usize::from(kind.0)) else {
            return found;
        };
        found.see(&kind.whole, now);
        match (&kind.scopes, query) {
            (Scopes::Paths(tree), Query::Path(path)) => {
                tree.walk(path_segments(path), |entry| found.see(entry, now));
            }
            (Scopes::Keys(tree), Query::Key(key)) => {
                tree.walk(key_segments(key), |entry| found.see(entry, now));
            }
            (Scopes::Hosts(hosts), Query::Target(target)) => hosts.find_target(target, now, &mut found),
            (Scopes::Hosts(hosts), Query::Hosts(scope)) => hosts.find_scope(scope, now, &mut found),
            (Scopes::Names(names), Query::Name(name)) => {
                if let Some(entry) = names.get(name) {
                    found.see(entry, now);
                }
            }
            (Scopes::Custom(matcher, rules), Query::Custom(scope)) => {
                for (granted, entry) in rules {
                    if matcher.covers(granted, scope) {
                        found.see(entry, now);
                    }
                }
            }
            _ => {}
        }
        found
    }
}

impl Kind {
    fn new(form: &Form) -> Kind {
        let scopes = match form {
            Form::Path => Scopes::Paths(Tree::default()),
            Form::Key => Scopes::Keys(Tree::default()),
            Form::Host => Scopes::Hosts(Hosts::default()),
            Form::Name => Scopes::Names(HashMap::default()),
            Form::Custom(matcher) => Scopes::Custom(matcher.clone(), Vec::new()),
        };
        let whole = Entry::default();
        Kind { whole, scopes }
    }

    fn entry(&mut self, scope: &Scope, change: impl Fn(&mut Entry)) {
        match (&mut self.scopes, scope) {
            (_, Scope::Whole) => change(&mut self.whole),
            (Scopes::Paths(tree), Scope::Path(path)) => change(tree.at(path_segments(path))),
            (Scopes::Keys(tree), Scope::Key(key)) => change(tree.at(key_segments(key))),
            (Scopes::Hosts(hosts), Scope::Host(scope)) => change(hosts.at(scope)),
            (Scopes::Names(names), Scope::Name(name)) => change(names.entry(name.clone()).or_default()),
            (Scopes::Custom(_, rules), Scope::Custom(scope)) => {
                let at = rules.iter().position(|(present, _)| present == scope);
                let at = at.unwrap_or_else(|| {
                    rules.push((scope.clone(), Entry::default()));
                    rules.len() - 1
                });
                change(&mut rules[at].1);
            }
            // Scopes are parsed by the form of their kind.
            _ => {}
        }
    }
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kind")
            .field("whole", &self.whole)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::capability::Capability;

    /// Returns the steps of each search, among `count` rules of each kind.
    fn steps(count: usize) -> Vec<u32> {
        let domains = Domains::built_in();
        let mut index = Index::default();
        for number in 0..count {
            for (text, effect) in [
                (format!("filesystem:read:/data/{number}/x"), Effect::Allow),
                (format!("filesystem:read:/data/{number}/x/keys"), Effect::Deny),
                (format!("host-function:call:f{number}"), Effect::Allow),
                (format!("config:read:a.b{number}"), Effect::Allow),
                (format!("network:outbound:*.h{number}.test"), Effect::Allow),
                (
                    format!("network:outbound:a.h1.test:{}", number + 1),
                    Effect::Allow,
                ),
                (
                    format!("network:outbound:10.{}.{}.0/24", number / 256 % 256, number % 256),
                    Effect::Allow,
                ),
            ] {
                let (kind, scope) = domains.parse(&Capability::new(&text).unwrap()).unwrap();
                let slot = Slot {
                    rule: 0,
                    until: NEVER,
                };
                index.add(&domains, kind, &scope, effect, slot);
            }
        }
        let target = |url: &str| Target::from_url(url).unwrap();
        let (name, address) = (target("https://a.h1.test:5/"), target("http://10.0.3.7/"));
        [
            (KindId::READ, Query::Path("/data/3/x/y")),
            (KindId::READ, Query::Path("/data/absent")),
            (KindId::CALL, Query::Name("f3")),
            (KindId::READ_CONFIG, Query::Key("a.b3.c")),
            (KindId::OUTBOUND, Query::Target(&name)),
            (KindId::OUTBOUND, Query::Target(&address)),
        ]
        .map(|(kind, query)| index.find(kind, query, 0).steps)
        .into()
    }

    #[test]
    fn a_search_takes_as_many_steps_among_ten_thousand_rules_as_among_ten() {
        let few = steps(10);
        assert_eq!(few, steps(10_000));
        assert!(few.iter().all(|steps| (1..16).contains(steps)), "{few:?}");
    }

    #[test]
    fn a_search_ends_with_the_first_unknown_segment() {
        let domains = Domains::built_in();
        let capability = Capability::new("filesystem:read:/a").unwrap();
        let (kind, scope) = domains.parse(&capability).unwrap();
        let slot = Slot {
            rule: 0,
            until: NEVER,
        };
        let index = Index::new(&domains, [(kind, &scope, Effect::Allow, slot)]);
        let long = "/b".repeat(2000);
        assert!(index.find(kind, Query::Path(&long), 0).steps <= 4);
    }
}
