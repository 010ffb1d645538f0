//! Domains: the first word of a capability, and the rule by which its scopes match.
//!
//! | capability | a rule with this scope covers |
//! |---|---|
//! | `filesystem:read\|write\|list\|delete:/path` | the path and everything below it, by whole components |
//! | `network:outbound:host` | a host, the names below a suffix, an address or a network; see [`HostScope`] |
//! | `host-function:call:name` | the function of exactly this name |
//! | `messaging:send\|receive:name` | the component or topic of exactly this name |
//! | `config:read\|write:key` | the key, and all keys that continue it behind `.`, `/` or `:` |
//! | `ai:*`, `database:*`, `crypto:*` | reserved; [`Domains::with`] registers them with a matcher |
//!
//! A capability without a scope covers its whole action.

mod host;
mod name;
mod path;

use std::fmt;
use std::sync::Arc;

use super::capability::{Capability, InvalidCapability};
pub use host::{HostPattern, HostScope, InvalidTarget, Scheme, Target};
pub(super) use host::{embedded, masked};
pub(super) use name::{check_key, check_name, is_plain, key_segments};
pub(super) use path::{check_path, normal_path, path_segments};

/// Maximum bytes of a scope, of a path and of a name in a request. Stops checks that take long because a guest sends
/// enormous names.
pub const MAX_SCOPE_BYTES: usize = 4096;

/// Matching rule of a domain that the host application registers.
pub trait ScopeMatcher: Send + Sync {
    /// Checks the syntax of a scope, of a rule and of a request alike.
    ///
    /// # Errors
    /// A description of the problem, which completes the sentence "the scope …".
    fn check(&self, scope: &str) -> Result<(), String>;

    /// Returns whether a rule with the scope `granted` covers all of the scope `requested`. Must be reflexive and
    /// transitive.
    fn covers(&self, granted: &str, requested: &str) -> bool;
}

/// A [`ScopeMatcher`] under which a scope covers only itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExactScope;

impl ScopeMatcher for ExactScope {
    fn check(&self, scope: &str) -> Result<(), String> {
        check_name(scope).map_err(str::to_owned)
    }

    fn covers(&self, granted: &str, requested: &str) -> bool {
        granted == requested
    }
}

/// The domains and actions that a policy may name. Cheap to clone.
#[derive(Clone)]
pub struct Domains(Arc<Vec<Kind>>);

/// One domain and action.
#[derive(Clone)]
struct Kind {
    domain: Box<str>,
    action: Box<str>,
    form: Form,
}

#[derive(Clone)]
pub(super) enum Form {
    Path,
    Host,
    Name,
    Key,
    Custom(Arc<dyn ScopeMatcher>),
}

/// Position of a domain and action in [`Domains`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct KindId(pub(super) u16);

impl KindId {
    pub(super) const READ: KindId = KindId(0);
    pub(super) const WRITE: KindId = KindId(1);
    pub(super) const LIST: KindId = KindId(2);
    pub(super) const DELETE: KindId = KindId(3);
    pub(super) const OUTBOUND: KindId = KindId(4);
    pub(super) const CALL: KindId = KindId(5);
    pub(super) const SEND: KindId = KindId(6);
    pub(super) const RECEIVE: KindId = KindId(7);
    pub(super) const READ_CONFIG: KindId = KindId(8);
    pub(super) const WRITE_CONFIG: KindId = KindId(9);
}

/// Built-in domains and actions, in the order of the constants of [`KindId`].
const BUILT_IN: [(&str, &str, Form); 10] = [
    ("filesystem", "read", Form::Path),
    ("filesystem", "write", Form::Path),
    ("filesystem", "list", Form::Path),
    ("filesystem", "delete", Form::Path),
    ("network", "outbound", Form::Host),
    ("host-function", "call", Form::Name),
    ("messaging", "send", Form::Name),
    ("messaging", "receive", Form::Name),
    ("config", "read", Form::Key),
    ("config", "write", Form::Key),
];

/// Domains that extensions define. A policy can name them once they are registered.
const RESERVED: [&str; 3] = ["ai", "crypto", "database"];

/// Maximum number of registered domains and actions. Stops a loop that registers without end.
const MAX_KINDS: usize = 1024;

/// A parsed scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Whole,
    /// Normal form: without final slash, and `/` for the root.
    Path(Box<str>),
    Host(HostScope),
    Name(Box<str>),
    Key(Box<str>),
    Custom(Box<str>),
}

/// The reason why a capability cannot be used in a policy, or be granted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CapabilityError {
    /// The syntax of capabilities is violated.
    #[error(transparent)]
    Invalid(#[from] InvalidCapability),
    /// The domain does not exist.
    #[error("`{capability}`: there is no domain `{domain}`{}", suggestion(nearest.as_deref()))]
    UnknownDomain {
        /// The capability.
        capability: Capability,
        /// Its domain.
        domain: String,
        /// The known domain with the most similar name, if one is similar.
        nearest: Option<String>,
    },
    /// The domain is reserved for extensions, and the host application has registered none for it.
    #[error(
        "`{capability}`: the domain `{domain}` is reserved for extensions, and this host application has registered none"
    )]
    ReservedDomain {
        /// The capability.
        capability: Capability,
        /// Its domain.
        domain: String,
    },
    /// The domain has no such action.
    #[error(
        "`{capability}`: the domain `{domain}` has no action `{action}`{}; it has {}",
        suggestion(nearest.as_deref()), known.join(", ")
    )]
    UnknownAction {
        /// The capability.
        capability: Capability,
        /// Its domain.
        domain: String,
        /// Its action.
        action: String,
        /// The known action with the most similar name, if one is similar.
        nearest: Option<String>,
        /// All actions of the domain.
        known: Vec<String>,
    },
    /// The scope does not follow the rules of its domain.
    #[error("`{capability}`: the scope {problem}")]
    Scope {
        /// The capability.
        capability: Capability,
        /// The problem, and the remedy.
        problem: String,
    },
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// The reason why a domain cannot be registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DomainError {
    /// It is built in, or was registered before.
    #[error("`{0}` already has a matching rule")]
    Exists(String),
    /// Domain or action is not a lowercase word.
    #[error("`{0}` is not a domain and an action: write lowercase words with `-`")]
    Invalid(String),
    /// There are too many.
    #[error("there are more than {MAX_KINDS} domains and actions")]
    TooMany,
}

impl Domains {
    /// Returns the built-in domains.
    pub fn built_in() -> Domains {
        let kinds = BUILT_IN.map(|(domain, action, form)| Kind {
            domain: domain.into(),
            action: action.into(),
            form,
        });
        Domains(Arc::new(kinds.into()))
    }

    /// Adds a domain with its actions, whose scopes match by `matcher`. Rules of such a domain are compared one by one: a
    /// check takes longer with each of them.
    ///
    /// # Errors
    /// Each case of [`DomainError`].
    pub fn with(
        mut self,
        domain: &str,
        actions: &[&str],
        matcher: impl ScopeMatcher + 'static,
    ) -> Result<Domains, DomainError> {
        let matcher: Arc<dyn ScopeMatcher> = Arc::new(matcher);
        let kinds = Arc::make_mut(&mut self.0);
        for action in actions {
            let name = format!("{domain}:{action}");
            match Capability::new(&name) {
                Ok(capability) if capability.scope().is_none() => {}
                _ => return Err(DomainError::Invalid(name)),
            }
            let taken = |kind: &Kind| *kind.domain == *domain && *kind.action == **action;
            if BUILT_IN.iter().any(|(built_in, ..)| *built_in == domain) || kinds.iter().any(taken) {
                return Err(DomainError::Exists(name));
            }
            if kinds.len() >= MAX_KINDS {
                return Err(DomainError::TooMany);
            }
            kinds.push(Kind {
                domain: domain.into(),
                action: (*action).into(),
                form: Form::Custom(matcher.clone()),
            });
        }
        Ok(self)
    }

    /// Returns the registered domains and actions, built-in ones first.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|kind| (&*kind.domain, &*kind.action))
    }

    /// Checks that a capability has a known domain and action and a scope that follows the domain's rules.
    ///
    /// # Errors
    /// Each case of [`CapabilityError`], except [`CapabilityError::Invalid`].
    pub fn check(&self, capability: &Capability) -> Result<(), CapabilityError> {
        self.parse(capability).map(|_| ())
    }

    pub(super) fn find(&self, domain: &str, action: &str) -> Option<KindId> {
        let is = |kind: &Kind| *kind.domain == *domain && *kind.action == *action;
        let at = self.0.iter().position(is)?;
        u16::try_from(at).ok().map(KindId)
    }

    pub(super) fn form(&self, kind: KindId) -> &Form {
        &self.0[usize::from(kind.0)].form
    }

    /// Returns domain and action.
    pub(super) fn name(&self, kind: KindId) -> (&str, &str) {
        let kind = &self.0[usize::from(kind.0)];
        (&kind.domain, &kind.action)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn parse(&self, capability: &Capability) -> Result<(KindId, Scope), CapabilityError> {
        let (domain, action) = (capability.domain(), capability.action());
        let Some(kind) = self.find(domain, action) else {
            return Err(self.unknown(capability));
        };
        let scope = match capability.scope() {
            None => Scope::Whole,
            Some(text) => parse_scope(self.form(kind), text).map_err(|problem| CapabilityError::Scope {
                capability: capability.clone(),
                problem,
            })?,
        };
        Ok((kind, scope))
    }

    fn unknown(&self, capability: &Capability) -> CapabilityError {
        let capability = capability.clone();
        let (domain, action) = (capability.domain().to_owned(), capability.action().to_owned());
        let known: Vec<&str> = (self.iter())
            .filter(|(name, _)| *name == domain)
            .map(|(_, action)| action)
            .collect();
        if !known.is_empty() {
            return CapabilityError::UnknownAction {
                nearest: nearest(&action, known.iter().copied()),
                known: known.into_iter().map(str::to_owned).collect(),
                capability,
                domain,
                action,
            };
        }
        if RESERVED.contains(&domain.as_str()) {
            return CapabilityError::ReservedDomain { capability, domain };
        }
        let nearest = nearest(&domain, self.iter().map(|(domain, _)| domain).chain(RESERVED));
        CapabilityError::UnknownDomain {
            capability,
            domain,
            nearest,
        }
    }
}

impl Default for Domains {
    fn default() -> Domains {
        Domains::built_in()
    }
}

impl fmt::Debug for Domains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.iter().map(|(domain, action)| format!("{domain}:{action}")))
            .finish()
    }
}

fn parse_scope(form: &Form, text: &str) -> Result<Scope, String> {
    if text.len() > MAX_SCOPE_BYTES {
        return Err(format!(
            "has {} bytes, more than the limit of {MAX_SCOPE_BYTES}",
            text.len()
        ));
    }
    match form {
        Form::Path => {
            check_path(text)?;
            Ok(Scope::Path(normal_path(text)))
        }
        Form::Host => Ok(Scope::Host(
            text.parse().map_err(|error: InvalidTarget| error.problem())?,
        )),
        Form::Name => {
            check_name(text)?;
            if text.contains('*') {
                return Err("may not contain `*`; for all names, omit the scope".to_owned());
            }
            Ok(Scope::Name(text.into()))
        }
        Form::Key => {
            check_key(text)?;
            if text.contains('*') {
                return Err("may not contain `*`; a key covers all keys that continue it".to_owned());
            }
            if text.ends_with(['.', '/', ':']) {
                return Err("ends with a separator; omit it".to_owned());
            }
            Ok(Scope::Key(text.into()))
        }
        Form::Custom(matcher) => {
            matcher.check(text)?;
            Ok(Scope::Custom(text.into()))
        }
    }
}

/// Returns the name most similar to `name`, if one is similar enough to be meant.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    // Longer names are not misspelled words, and comparing them takes long.
    if name.len() > 64 {
        return None;
    }
    (known.into_iter())
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .filter(|(distance, known)| *distance * 2 <= known.len().max(2) || known.starts_with(name))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known.to_owned())
}

/// Returns whether a character is invisible, or changes the direction of text: two texts that look alike may differ by it.
pub(super) fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
