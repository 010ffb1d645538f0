//! Grants of one component, checked on each of its requests.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::audit::{Decision, DenialCause, Subject};
use super::capability::Capability;
use super::context::{MissingCapabilities, SecurityContext, Shared, Withheld};
use super::decided::Decided;
use super::domain::{Domains, HostScope, InvalidTarget, KindId, Scope, Target};
use super::index::{Effect, Index, NEVER, Query, Slot};
use super::policy::Rule;
use super::request::{Request, RequestInfo};

/// Bytes of a name in the audit. Stops guests that fill it with enormous names.
const MAX_SHOWN_NAME_BYTES: usize = 1024;

/// Permissions of one component: those that it requests and the policy allows. Cheap to clone.
///
/// The default denies everything.
#[derive(Clone, Default)]
pub struct Grants(Option<Arc<Inner>>);

struct Inner {
    context: SecurityContext,
    component: Arc<str>,
    /// The component's requests; `None` if it does not declare them, and gets all that the policy allows.
    requested: Option<Requested>,
    /// The policy's rules that name the component.
    own: Index,
    withheld: Vec<Withheld>,
    decided: Decided,
}

/// Capabilities that a component requests.
#[derive(Debug, Default)]
pub(super) struct Requested {
    scopes: Vec<(KindId, Scope)>,
    index: Index,
}

impl Requested {
    pub(super) fn add(&mut self, domains: &Domains, (kind, scope): (KindId, Scope)) {
        let slot = Slot {
            rule: 0,
            until: NEVER,
        };
        self.index.add(domains, kind, &scope, Effect::Allow, slot);
        self.scopes.push((kind, scope));
    }
}

/// A permission.
#[derive(Clone, Copy, Debug)]
pub struct Allowed<'a> {
    rule: &'a Arc<Rule>,
}

impl<'a> Allowed<'a> {
    /// Returns the rule that allows the request.
    pub fn rule(&self) -> &'a Arc<Rule> {
        self.rule
    }
}

/// A denial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied(Box<(Capability, DenialCause)>);

impl Denied {
    /// Returns the capability that the request needs. This may be shown to the component; the cause, which shows the policy,
    /// may not.
    pub fn capability(&self) -> &Capability {
        &self.0.0
    }

    /// Returns the reason.
    pub fn cause(&self) -> &DenialCause {
        &self.0.1
    }

    /// Unwraps the capability.
    pub fn into_capability(self) -> Capability {
        self.0.0
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is denied: {}", self.capability(), self.cause())
    }
}

impl std::error::Error for Denied {}

/// An action on files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileAction {
    /// Reading files.
    Read,
    /// Writing files.
    Write,
    /// Listing folders.
    List,
    /// Deleting files and folders.
    Delete,
}

impl FileAction {
    /// All actions.
    pub const ALL: [FileAction; 4] = [
        FileAction::Read,
        FileAction::Write,
        FileAction::List,
        FileAction::Delete,
    ];

    fn kind(self) -> KindId {
        match self {
            FileAction::Read => KindId::READ,
            FileAction::Write => KindId::WRITE,
            FileAction::List => KindId::LIST,
            FileAction::Delete => KindId::DELETE,
        }
    }
}

/// A file or folder, with everything below it, that a component may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantedPath {
    /// The path, in normal form.
    pub path: String,
    /// Paths below that are denied. A folder with exceptions cannot be opened as a whole: each access must be
    /// checked.
    pub except: Vec<String>,
}

impl Grants {
    pub(super) fn new(
        context: SecurityContext,
        component: Arc<str>,
        requested: Option<Requested>,
        own: Index,
        withheld: Vec<Withheld>,
    ) -> Grants {
        let scopes = requested.as_ref().map_or(&[][..], |requested| &requested.scopes);
        let decided = Decided::new(&context.0, &own, scopes);
        Grants(Some(Arc::new(Inner {
            context,
            component,
            requested,
            own,
            withheld,
            decided,
        })))
    }

    /// Decides on a request, and records the decision.
    ///
    /// # Errors
    /// [`Denied`], with the capability that the request needs and the reason.
    pub fn check(&self, request: &Request<'_>, info: RequestInfo<'_>) -> Result<Allowed<'_>, Denied> {
        let Some(inner) = &self.0 else {
            return Err(denied(request, DenialCause::NoPolicy));
        };
        let now = inner.context.0.now();
        let subject = Subject::Request(*request);
        let record = |decision| {
            inner
                .context
                .0
                .record(now, &inner.component, subject, decision, info);
        };
        match inner.decide(request, now) {
            Ok(rule) => {
                record(Decision::Allowed(rule));
                Ok(Allowed { rule })
            }
            Err(cause) => {
                record(Decision::Denied(&cause));
                Err(denied(request, cause))
            }
        }
    }

    /// Decides on a request without recording the decision: for what stays open after a check, and is closed by a
    /// revocation.
    pub fn permits(&self, request: &Request<'_>) -> bool {
        let now = |inner: &Inner| inner.context.0.now();
        self.0
            .as_ref()
            .is_some_and(|inner| inner.decide(request, now(inner)).is_ok())
    }

    /// Decides on a request that needs no permission, or that the host itself has granted: only a rule that denies it, and a
    /// revocation, count. Only a denial is recorded.
    ///
    /// # Errors
    /// [`Denied`], with the capability that denies the request and the reason.
    pub fn check_denial(&self, request: &Request<'_>, info: RequestInfo<'_>) -> Result<(), Denied> {
        let Some(inner) = &self.0 else {
            return Ok(());
        };
        let now = inner.context.0.now();
        let Some(cause) = inner.denial(request, now) else {
            return Ok(());
        };
        let (shared, subject) = (&inner.context.0, Subject::Request(*request));
        shared.record(now, &inner.component, subject, Decision::Denied(&cause), info);
        Err(denied(request, cause))
    }

    /// Denies a connection to a target that is not valid, on which no rule can decide, and records that. The capability is that
    /// of the whole action: any part of an invalid URL may be a secret.
    pub fn deny_invalid(&self, target: &InvalidTarget, info: RequestInfo<'_>) -> Denied {
        let capability = Capability::unchecked("network:outbound".to_owned());
        let Some(inner) = &self.0 else {
            return Denied(Box::new((capability, DenialCause::NoPolicy)));
        };
        let cause = DenialCause::Invalid(target.problem());
        let (shared, subject) = (&inner.context.0, Subject::Capability(&capability));
        let decision = Decision::Denied(&cause);
        shared.record(shared.now(), &inner.component, subject, decision, info);
        Denied(Box::new((capability, cause)))
    }

    /// As [`Grants::check_denial`], without a record. Returns whether the request is denied.
    pub fn denies(&self, request: &Request<'_>) -> bool {
        self.0
            .as_ref()
            .is_some_and(|inner| inner.denial(request, inner.context.0.now()).is_some())
    }

    /// Decides on an address that the name of a target, which was allowed, leads to. A denial of the address applies to
    /// the name, too, and is recorded. Returns whether the policy allows the address itself: other addresses
    /// may only be public ones, since a name's owner chooses where it leads.
    ///
    /// # Errors
    /// [`Denied`], if a rule denies the address.
    pub fn check_address(
        &self,
        target: &Target,
        address: IpAddr,
        info: RequestInfo<'_>,
    ) -> Result<bool, Denied> {
        let at = target.at(address);
        let request = Request::Connect(&at);
        let Some(inner) = &self.0 else {
            return Err(denied(&request, DenialCause::NoPolicy));
        };
        let shared = &*inner.context.0;
        let now = shared.now();
        let query = Query::Target(&at);
        let found = shared.find(&inner.own, KindId::OUTBOUND, query, now);
        let revoked = shared.revocation(Some(&inner.component), KindId::OUTBOUND, query);
        let cause = match (revoked, found.deny) {
            (Some(rule), _) => DenialCause::Revoked(rule),
            (None, Some(rule)) => DenialCause::Rule(shared.rule(rule).clone()),
            (None, None) => return Ok(found.allow.is_some()),
        };
        let subject = Subject::Request(request);
        shared.record(now, &inner.component, subject, Decision::Denied(&cause), info);
        Err(denied(&request, cause))
    }

    /// Decides on a look-up of a name, for connections to any port, which are decided on by themselves. `needs_rule` is false
    /// if the host itself has granted it. Only a denial is recorded.
    ///
    /// # Errors
    /// [`Denied`], with the name as the scope of the capability.
    pub fn check_look_up(&self, name: &str, needs_rule: bool, info: RequestInfo<'_>) -> Result<(), Denied> {
        let text = airssys_wasm_component::internal::text::sanitize(name, MAX_SHOWN_NAME_BYTES);
        let capability = Capability::unchecked(format!("network:outbound:{text}"));
        let Some(inner) = &self.0 else {
            return Err(Denied(Box::new((capability, DenialCause::NoPolicy))));
        };
        let (shared, now) = (&*inner.context.0, inner.context.0.now());
        let cause = match name.parse::<HostScope>() {
            Err(error) => Some(DenialCause::Invalid(error.to_string())),
            Ok(scope) => {
                let query = Query::Hosts(&scope);
                let denied = || shared.find(&inner.own, KindId::OUTBOUND, query, now).deny;
                let rule = || denied().map(|rule| DenialCause::Rule(shared.rule(rule).clone()));
                let revoked = shared.revocation(Some(&inner.component), KindId::OUTBOUND, query);
                let allowed = || self.hosts().iter().any(|hosts| hosts.shares_host(&scope));
                let missing = || (needs_rule && !allowed()).then_some(DenialCause::NoRule);
                revoked.map(DenialCause::Revoked).or_else(rule).or_else(missing)
            }
        };
        let Some(cause) = cause else {
            return Ok(());
        };
        let subject = Subject::Capability(&capability);
        shared.record(now, &inner.component, subject, Decision::Denied(&cause), info);
        Err(Denied(Box::new((capability, cause))))
    }

    /// Checks that these capabilities are granted as a whole: those that a component itself says it requires. An optional
    /// one that is [withheld](Grants::withheld) does not count. Each that is missing is audited. Grants without a context
    /// have none.
    ///
    /// # Errors
    /// [`MissingCapabilities`], with all that are missing.
    pub fn validate<'a>(
        &self,
        required: impl IntoIterator<Item = &'a Capability>,
    ) -> Result<(), MissingCapabilities> {
        let mut missing = Vec::new();
        for capability in required {
            let cause = match &self.0 {
                Some(inner) if inner.withheld.iter().any(|it| it.capability == *capability) => None,
                Some(inner) => inner.missing(capability),
                None => Some(DenialCause::NoPolicy),
            };
            if let Some(cause) = cause {
                let capability = capability.clone();
                missing.push(Withheld { capability, cause });
            }
        }
        if let Some(inner) = &self.0 {
            let (shared, info) = (&*inner.context.0, RequestInfo::default());
            for Withheld { capability, cause } in &missing {
                let subject = Subject::Capability(capability);
                shared.record(
                    shared.now(),
                    &inner.component,
                    subject,
                    Decision::Denied(cause),
                    info,
                );
            }
        }
        MissingCapabilities::none_or(missing)
    }

    /// Returns the optional capabilities that the component does not get as a whole.
    pub fn withheld(&self) -> &[Withheld] {
        self.0.as_ref().map_or(&[], |inner| &inner.withheld)
    }

    /// Returns the component.
    pub fn component(&self) -> Option<&str> {
        self.0.as_ref().map(|inner| &*inner.component)
    }

    /// Returns the context that the grants come from, which revokes them; `None` if everything is denied.
    pub fn context(&self) -> Option<&SecurityContext> {
        self.0.as_ref().map(|inner| &inner.context)
    }

    /// Returns the paths that are granted at this moment, without those below others.
    pub fn paths(&self, action: FileAction) -> Vec<GrantedPath> {
        let kind = action.kind();
        let Some(inner) = &self.0 else {
            return Vec::new();
        };
        let mut paths: Vec<_> = (inner.common_scopes(kind, common_path).into_iter())
            .filter(|path| inner.grants(kind, Query::Path(path)))
            .collect();
        let revoked = inner.context.0.revoked_scopes(&inner.component, kind);
        let denied = inner.rules(kind, Effect::Deny).map(|rule| &rule.scope);
        let denied: Vec<&str> = denied.chain(&revoked).filter_map(path_of).collect();
        paths.sort();
        paths.dedup();
        let mut out: Vec<GrantedPath> = Vec::new();
        for path in paths {
            if out.iter().any(|broader| is_within(&broader.path, &path)) {
                continue;
            }
            let except = denied.iter().filter(|denied| is_within(&path, denied));
            let except = except.map(|denied| (*denied).to_owned()).collect();
            out.push(GrantedPath { path, except });
        }
        out
    }

    /// Returns the paths below a path, in normal form, for which permissions may differ from those for the path itself: those
    /// of rules, requests and revocations.
    pub fn paths_below(&self, path: &str) -> Vec<String> {
        let Some(inner) = &self.0 else {
            return Vec::new();
        };
        let mut below = Vec::new();
        let mut add = |scope: &Scope| match path_of(scope) {
            Some(rule) if rule != path && is_within(path, rule) => below.push(rule.to_owned()),
            _ => {}
        };
        let requested = inner.requested.iter().flat_map(|requested| &requested.scopes);
        requested.for_each(|(_, scope)| add(scope));
        for kind in FileAction::ALL.map(FileAction::kind) {
            for effect in [Effect::Allow, Effect::Deny] {
                inner.rules(kind, effect).for_each(|rule| add(&rule.scope));
            }
            let revoked = inner.context.0.revoked_scopes(&inner.component, kind);
            revoked.iter().for_each(&mut add);
        }
        below.sort();
        below.dedup();
        below
    }

    /// Returns the hosts that are granted at this moment. Rules that deny some of them are not considered: each request
    /// must still be checked.
    pub fn hosts(&self) -> Vec<HostScope> {
        let Some(inner) = &self.0 else {
            return Vec::new();
        };
        let mut hosts = inner.common_scopes(KindId::OUTBOUND, common_hosts);
        hosts.retain(|hosts| inner.grants(KindId::OUTBOUND, Query::Hosts(hosts)));
        let mut out: Vec<HostScope> = Vec::new();
        for scope in hosts {
            if !out.iter().any(|broader| broader.covers(&scope)) {
                out.retain(|narrower| !scope.covers(narrower));
                out.push(scope);
            }
        }
        out
    }
}

impl Inner {
    fn decide(&self, request: &Request<'_>, now: u64) -> Result<&Arc<Rule>, DenialCause> {
        let shared = &*self.context.0;
        if !shared.has_revocations()
            && let Some(rule) = self.decided.rule(request)
        {
            return Ok(shared.rule(rule));
        }
        self.decide_by_rules(request, now)
    }

    /// As [`Inner::decide`], by the rules themselves.
    fn decide_by_rules(&self, request: &Request<'_>, now: u64) -> Result<&Arc<Rule>, DenialCause> {
        let shared = &*self.context.0;
        let domains = shared.policy.domains();
        let kind = request.kind(domains);
        let query = request.query(domains, kind).map_err(DenialCause::Invalid)?;
        // Without a kind, there is no query.
        let kind = kind.ok_or(DenialCause::NoRule)?;
        if let Some(rule) = shared.revocation(Some(&self.component), kind, query) {
            return Err(DenialCause::Revoked(rule));
        }
        let found = shared.find(&self.own, kind, query, now);
        if let Some(rule) = found.deny {
            return Err(DenialCause::Rule(shared.rule(rule).clone()));
        }
        let requested = self.requested.as_ref();
        if requested.is_some_and(|requested| !requested.index.covers(kind, query)) {
            return Err(DenialCause::NotRequested);
        }
        match (found.allow, found.expired) {
            (Some(rule), _) => Ok(shared.rule(rule)),
            (None, Some(rule)) => Err(DenialCause::Expired(shared.rule(rule).clone())),
            (None, None) => Err(DenialCause::NoRule),
        }
    }

    /// Returns the reason why a capability is not granted as a whole.
    fn missing(&self, capability: &Capability) -> Option<DenialCause> {
        let shared = &*self.context.0;
        let parsed = match shared.policy.domains().parse(capability) {
            Ok(parsed) => parsed,
            Err(error) => return Some(DenialCause::Unknown(Box::new(error))),
        };
        let cause = shared.withheld(&self.own, Some(&self.component), &parsed);
        let requested = self.requested.as_ref();
        let covered = requested.is_none_or(|all| all.index.covers(parsed.0, Query::from(&parsed.1)));
        cause.or_else(|| (!covered).then_some(DenialCause::NotRequested))
    }

    /// Returns the reason why a request is denied that needs no permission. A text that no rule can name is denied with
    /// its whole action; a path that is not valid is always denied, since rules cannot protect it.
    fn denial(&self, request: &Request<'_>, now: u64) -> Option<DenialCause> {
        let shared = &*self.context.0;
        let domains = shared.policy.domains();
        let kind = request.kind(domains);
        let (kind, query) = match (request.query(domains, kind), kind) {
            (Ok(query), Some(kind)) => (kind, query),
            (Err(problem), Some(KindId::READ | KindId::WRITE | KindId::LIST | KindId::DELETE) | None) => {
                return Some(DenialCause::Invalid(problem));
            }
            (Err(_), Some(kind)) => (kind, Query::Whole),
            // Without a kind, there is no query.
            (Ok(_), None) => return Some(DenialCause::NoRule),
        };
        if let Some(rule) = shared.revocation(Some(&self.component), kind, query) {
            return Some(DenialCause::Revoked(rule));
        }
        let found = shared.find(&self.own, kind, query, now).deny?;
        Some(DenialCause::Rule(shared.rule(found).clone()))
    }

    /// Returns whether all of a scope is granted, apart from exceptions within it.
    fn grants(&self, kind: KindId, query: Query<'_>) -> bool {
        let shared = &*self.context.0;
        let found = shared.find(&self.own, kind, query, shared.now());
        let revoked = shared.revocation(Some(&self.component), kind, query);
        revoked.is_none() && found.deny.is_none() && found.allow.is_some()
    }

    fn rules(&self, kind: KindId, effect: Effect) -> impl Iterator<Item = &Rule> {
        let shared: &Shared = &self.context.0;
        let now = shared.now();
        let rules = shared.policy.rules().iter().enumerate();
        rules
            .filter(move |(at, rule)| {
                rule.kind == kind && rule.effect() == effect && rule.slot(*at).until > now
            })
            .map(|(_, rule)| &**rule)
            .filter(|rule| shared.applies(rule, Some(&self.component)))
    }

    /// Returns what both a requested scope and one that is allowed cover, for each pair.
    fn common_scopes<T>(&self, kind: KindId, common: impl Fn(&Scope, &Scope) -> Vec<T>) -> Vec<T> {
        let all = [(kind, Scope::Whole)];
        let requested = self.requested.as_ref().map_or(&all[..], |some| &some.scopes);
        let requested: Vec<_> = requested.iter().filter(|(of, _)| *of == kind).collect();
        self.rules(kind, Effect::Allow)
            .flat_map(|rule| requested.iter().map(move |(_, asked)| (asked, &rule.scope)))
            .flat_map(|(asked, allowed)| common(asked, allowed))
            .collect()
    }
}

fn path_of(scope: &Scope) -> Option<&str> {
    match scope {
        Scope::Whole => Some("/"),
        Scope::Path(path) => Some(path),
        _ => None,
    }
}

/// Returns whether a path, in normal form, is the other one or is below it.
fn is_within(broad: &str, narrow: &str) -> bool {
    let rest = match broad {
        "/" => return true,
        _ => narrow.strip_prefix(broad),
    };
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn common_path(one: &Scope, other: &Scope) -> Vec<String> {
    let (Some(one), Some(other)) = (path_of(one), path_of(other)) else {
        return Vec::new();
    };
    match (is_within(one, other), is_within(other, one)) {
        (true, _) => vec![other.to_owned()],
        (_, true) => vec![one.to_owned()],
        _ => Vec::new(),
    }
}

fn common_hosts(one: &Scope, other: &Scope) -> Vec<HostScope> {
    match (one, other) {
        (Scope::Host(one), Scope::Host(other)) => one.common(other).into_iter().collect(),
        (Scope::Whole, Scope::Host(hosts)) | (Scope::Host(hosts), Scope::Whole) => vec![hosts.clone()],
        (Scope::Whole, Scope::Whole) => HostScope::all().into(),
        _ => Vec::new(),
    }
}

fn denied(request: &Request<'_>, cause: DenialCause) -> Denied {
    Denied(Box::new((request.capability(), cause)))
}

impl fmt::Debug for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("Grants(none)"),
            Some(inner) => f
                .debug_struct("Grants")
                .field("component", &inner.component)
                .field("context", &inner.context)
                .finish_non_exhaustive(),
        }
    }
}
