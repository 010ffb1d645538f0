//! Index of host scopes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::tree::Tree;
use super::{Entry, Found, HashMap};
use crate::security::domain::{HostPattern, HostScope, Scheme, Target, embedded, masked};

/// The scopes of one action.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    any_name: Ports,
    /// By labels, the last one first.
    names: Tree<Names>,
    v4: Networks,
    v6: Networks,
}

/// The scopes that end at one label.
#[derive(Debug, Default)]
struct Names {
    /// Of this name.
    here: Ports,
    /// Of all names below.
    below: Ports,
}

/// The scopes of one host pattern, by scheme and port.
#[derive(Debug, Default)]
struct Ports {
    all: Entry,
    some: HashMap<(Option<Scheme>, Option<u16>), Entry>,
}

/// The scopes of addresses: by the length of the prefix, then by the prefix.
type Networks = BTreeMap<u8, HashMap<u128, Ports>>;

/// A scheme and port to look up.
#[derive(Clone, Copy)]
struct Access {
    scheme: Option<Scheme>,
    port: Option<u16>,
    /// One connection, and not all that a scope covers.
    single: bool,
    /// Only rules that deny are of interest.
    denials: bool,
    now: u64,
}

impl Ports {
    fn at(&mut self, scope: &HostScope) -> &mut Entry {
        match (scope.scheme(), scope.port()) {
            (None, None) => &mut self.all,
            key => self.some.entry(key).or_default(),
        }
    }

    fn find(&self, access: Access, found: &mut Found) {
        let see = |found: &mut Found, entry: &Entry| match access.denials {
            true => found.see_deny(entry, access.now),
            false => found.see(entry, access.now),
        };
        see(found, &self.all);
        if self.some.is_empty() {
            return;
        }
        // A scope with a scheme always has a port.
        let Access { scheme, port, .. } = access;
        let mut look_up = |key| {
            if let Some(entry) = self.some.get(&key) {
                see(found, entry);
            }
        };
        if port.is_some() {
            look_up((None, port));
            if scheme.is_some() {
                look_up((scheme, port));
            }
        }
        if access.single && scheme.is_none() {
            for scheme in [Scheme::Http, Scheme::Https] {
                if let Some(entry) = self.some.get(&(Some(scheme), port)) {
                    found.see_deny(entry, access.now);
                }
            }
        }
    }
}

fn labels(name: &str) -> impl Iterator<Item = &str> {
    name.rsplit('.')
}

impl Hosts {
    pub(super) fn at(&mut self, scope: &HostScope) -> &mut Entry {
        match scope.host() {
            HostPattern::AnyName => self.any_name.at(scope),
            HostPattern::Name(name) => self.names.at(labels(name)).here.at(scope),
            HostPattern::Below(parent) => self.names.at(labels(parent)).below.at(scope),
            HostPattern::Network(address, length) => {
                let networks = match address {
                    IpAddr::V4(_) => &mut self.v4,
                    IpAddr::V6(_) => &mut self.v6,
                };
                let networks = networks.entry(*length).or_default();
                networks.entry(masked(*address, *length)).or_default().at(scope)
            }
        }
    }

    pub(super) fn find_target(&self, target: &Target, now: u64, found: &mut Found) {
        let access = Access {
            scheme: target.scheme(),
            port: Some(target.port()),
            single: true,
            denials: false,
            now,
        };
        self.find(target.scope(), access, found);
        // What is denied for an address is denied by way of a gateway, too.
        if let Some(inner) = target.address().and_then(embedded) {
            let denials = true;
            self.find_network(inner, 32, Access { denials, ..access }, found);
        }
    }

    pub(super) fn find_scope(&self, scope: &HostScope, now: u64, found: &mut Found) {
        let access = Access {
            scheme: scope.scheme(),
            port: scope.port(),
            single: false,
            denials: false,
            now,
        };
        self.find(scope, access, found);
    }

    fn find(&self, scope: &HostScope, access: Access, found: &mut Found) {
        let (name, pattern) = match scope.host() {
            HostPattern::Network(address, length) => {
                return self.find_network(*address, *length, access, found);
            }
            HostPattern::AnyName => return self.any_name.find(access, found),
            HostPattern::Name(name) => (name, false),
            HostPattern::Below(parent) => (parent, true),
        };
        self.any_name.find(access, found);
        // The walk begins at the root, which has no rules.
        let all = name.split('.').count();
        let mut depth = 0;
        self.names.walk(labels(name), |names| {
            let last = depth == all;
            if !last || pattern {
                names.below.find(access, found);
            }
            if last && !pattern {
                names.here.find(access, found);
            }
            depth += 1;
        });
    }

    fn find_network(&self, address: IpAddr, length: u8, access: Access, found: &mut Found) {
        let networks = match address {
            IpAddr::V4(_) => &self.v4,
            IpAddr::V6(_) => &self.v6,
        };
        for (shorter, networks) in networks.range(..=length) {
            if let Some(ports) = networks.get(&masked(address, *shorter)) {
                ports.find(access, found);
            }
        }
    }
}
