//! The security context of a host application: its policy, on behalf of one principal.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::SystemTime;

use super::audit::{AuditEvent, AuditSink, Decision, DenialCause, Subject};
use super::capability::Capability;
use super::domain::{CapabilityError, KindId, Scope};
use super::grants::{Grants, Requested};
use super::index::{Effect, Found, Index, NEVER, Query, Slot};
use super::policy::{Policy, Rule, millis};
use super::request::RequestInfo;
use super::revocation::{Hooks, RevocationHook, Revocations};
use super::time;
use airssys_wasm_component::internal::contain;

/// Maximum bytes of the name of a principal.
const MAX_PRINCIPAL_BYTES: usize = 256;

/// Decides what components may do: a policy, the principal on whose behalf they run, and the audit. Cheap to clone.
///
/// ```
/// use airssys_wasm::security::{Capability, Policy, SecurityContext};
///
/// let policy = Policy::builder().allow("filesystem:read:/models").build()?;
/// let context = SecurityContext::builder().principal("alice").policy(policy).build();
///
/// let required = [Capability::new("filesystem:read:/models/small")?];
/// context.validate_capabilities(&required)?;
/// let too_much = [Capability::new("filesystem:read:/etc")?];
/// assert!(context.validate_capabilities(&too_much).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SecurityContext(pub(super) Arc<Shared>);

/// The source of the time of day for expiry and audit.
type Clock = Box<dyn Fn() -> SystemTime + Send + Sync>;

pub(super) struct Shared {
    principal: Arc<str>,
    pub(super) policy: Policy,
    /// The rules for all components.
    common: Index,
    audit: Vec<Arc<dyn AuditSink>>,
    /// Decisions that a sink did not record because it panicked.
    lost: AtomicU64,
    clock: Option<Clock>,
    /// Some capability was revoked. Until then, checks need no lock.
    revoked: AtomicBool,
    revocations: RwLock<Revocations>,
    hooks: Arc<Hooks>,
}

/// Collects the parts of a [`SecurityContext`].
#[derive(Default)]
#[must_use]
pub struct SecurityContextBuilder {
    principal: String,
    policy: Policy,
    audit: Vec<Arc<dyn AuditSink>>,
    clock: Option<Clock>,
}

impl SecurityContextBuilder {
    /// Sets the principal on whose behalf components run; by default none. Rules can be limited to principals.
    ///
    /// Names are cut at 256 bytes, and control characters escaped.
    pub fn principal(mut self, name: impl Into<String>) -> Self {
        self.principal = name.into();
        self
    }

    /// Sets the policy. Without one, everything is denied.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Adds a destination of the audit; can be repeated.
    pub fn audit(mut self, sink: Arc<dyn AuditSink>) -> Self {
        self.audit.push(sink);
        self
    }

    /// Sets the source of the time of day, for rules that expire and for the audit; by default the system's.
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Some(Box::new(clock));
        self
    }

    /// Builds the context.
    pub fn build(self) -> SecurityContext {
        let principal =
            airssys_wasm_component::internal::text::sanitize(&self.principal, MAX_PRINCIPAL_BYTES);
        let rules = self.policy.rules().iter().enumerate();
        let common = rules
            .filter(|(_, rule)| rule.is_for_all(&principal))
            .map(|(at, rule)| (rule.kind, &rule.scope, rule.effect(), rule.slot(at)));
        let common = Index::new(self.policy.domains(), common);
        SecurityContext(Arc::new(Shared {
            principal: principal.into(),
            common,
            policy: self.policy,
            audit: self.audit,
            lost: AtomicU64::new(0),
            clock: self.clock,
            revoked: AtomicBool::new(false),
            revocations: RwLock::default(),
            hooks: Arc::default(),
        }))
    }
}

impl fmt::Debug for SecurityContextBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecurityContextBuilder")
            .field("principal", &self.principal)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// A capability that a component requested and that was not granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// The capability.
    pub capability: Capability,
    /// The reason.
    pub cause: DenialCause,
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.capability, self.cause)
    }
}

/// Required capabilities that the policy does not grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingCapabilities {
    missing: Vec<Withheld>,
}

impl MissingCapabilities {
    /// Returns an error if capabilities are missing.
    pub(super) fn none_or(missing: Vec<Withheld>) -> Result<(), MissingCapabilities> {
        match missing.is_empty() {
            true => Ok(()),
            false => Err(MissingCapabilities { missing }),
        }
    }

    /// Returns all of them, in the order in which they are required.
    pub fn missing(&self) -> &[Withheld] {
        &self.missing
    }
}

impl fmt::Display for MissingCapabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 50;
        match self.missing.len() {
            1 => f.write_str("a required capability is not granted:")?,
            count => write!(f, "{count} required capabilities are not granted:")?,
        }
        for (at, missing) in self.missing.iter().take(SHOWN).enumerate() {
            write!(f, "{} {missing}", if at == 0 { "" } else { ";" })?;
        }
        match self.missing.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

impl std::error::Error for MissingCapabilities {}

impl SecurityContext {
    /// Creates a context that denies everything.
    pub fn new() -> SecurityContext {
        SecurityContext::builder().build()
    }

    /// Starts a context without principal, policy and audit.
    pub fn builder() -> SecurityContextBuilder {
        SecurityContextBuilder::default()
    }

    /// Returns the principal; empty if there is none.
    pub fn principal(&self) -> &str {
        &self.0.principal
    }

    /// Returns the policy.
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// Returns the number of decisions that the sinks could not record.
    pub fn lost_audit(&self) -> u64 {
        let lost = self.0.audit.iter().map(|sink| sink.lost());
        lost.sum::<u64>() + self.0.lost.load(Ordering::Relaxed)
    }

    /// Checks that a component of any name gets all of these capabilities. Rules that name components are not considered:
    /// [`SecurityContext::validate_for`] does.
    ///
    /// # Errors
    /// [`MissingCapabilities`], with all that are missing.
    pub fn validate_capabilities<'a>(
        &self,
        required: impl IntoIterator<Item = &'a Capability>,
    ) -> Result<(), MissingCapabilities> {
        self.0.validate(&Index::default(), None, required).map(|_| ())
    }

    /// Checks that a component gets all of these capabilities.
    ///
    /// # Errors
    /// [`MissingCapabilities`], with all that are missing.
    pub fn validate_for<'a>(
        &self,
        component: &str,
        required: impl IntoIterator<Item = &'a Capability>,
    ) -> Result<(), MissingCapabilities> {
        let own = self.0.rules_of(component);
        self.0.validate(&own, Some(component), required).map(|_| ())
    }

    /// Returns the grants of a component: what it requests and the policy allows. Of an optional capability that is allowed in
    /// part, it gets that part; [`Grants::withheld`] has all that it does not get as a whole.
    ///
    /// Each capability that is not granted is audited.
    ///
    /// # Errors
    /// [`MissingCapabilities`] if a required one is not granted as a whole, with all of these.
    pub fn grants_for<'a>(
        &self,
        component: &str,
        required: impl IntoIterator<Item = &'a Capability>,
        optional: impl IntoIterator<Item = &'a Capability>,
    ) -> Result<Grants, MissingCapabilities> {
        let shared = &self.0;
        let own = shared.rules_of(component);
        let name: Arc<str> = component.into();
        let mut requested = Requested::default();
        let check = |capability: &Capability, requested: &mut Requested| {
            let parsed = match shared.policy.domains().parse(capability) {
                Ok(parsed) => parsed,
                Err(error) => return Some(DenialCause::Unknown(Box::new(error))),
            };
            let cause = shared.withheld(&own, Some(component), &parsed);
            requested.add(shared.policy.domains(), parsed);
            cause
        };
        let mut examine = |capabilities: Vec<&Capability>| {
            let mut withheld = Vec::new();
            for capability in capabilities {
                if let Some(cause) = check(capability, &mut requested) {
                    let capability = capability.clone();
                    withheld.push(Withheld { capability, cause });
                }
            }
            withheld
        };
        let missing = examine(required.into_iter().collect());
        let withheld = examine(optional.into_iter().collect());
        let now = shared.now();
        for Withheld { capability, cause } in missing.iter().chain(&withheld) {
            shared.record(
                now,
                &name,
                Subject::Capability(capability),
                Decision::Denied(cause),
                RequestInfo::default(),
            );
        }
        MissingCapabilities::none_or(missing)?;
        Ok(Grants::new(self.clone(), name, Some(requested), own, withheld))
    }

    /// Returns the grants of a component that does not declare what it needs: all that the policy allows it.
    pub fn grants_undeclared(&self, component: &str) -> Grants {
        let own = self.0.rules_of(component);
        Grants::new(self.clone(), component.into(), None, own, Vec::new())
    }

    /// Revokes a capability of one component, or of all, until the context is dropped. Takes effect on the next check, and
    /// is audited. Then the hooks run, which close what is open; when this returns, they have.
    ///
    /// # Errors
    /// [`CapabilityError`] if the capability's domain, action or scope is unknown.
    pub fn revoke(
        &self,
        component: Option<&str>,
        capability: &Capability,
        reason: Option<&str>,
    ) -> Result<(), CapabilityError> {
        let (kind, scope) = self.0.policy.domains().parse(capability)?;
        self.0.revoke(component, capability.clone(), kind, scope, reason);
        Ok(())
    }

    /// Revokes all capabilities of a component, as [`SecurityContext::revoke`] does.
    pub fn revoke_all(&self, component: &str, reason: Option<&str>) {
        let domains = self.0.policy.domains();
        for kind in (0..domains.len())
            .filter_map(|at| u16::try_from(at).ok())
            .map(KindId)
        {
            let (domain, action) = domains.name(kind);
            let capability = Capability::unchecked(format!("{domain}:{action}"));
            self.0
                .revoke(Some(component), capability, kind, Scope::Whole, reason);
        }
    }

    /// Calls `hook` after each revocation, until the result is dropped. The hook closes what the revocation
    /// concerns: [`Grants::permits`] tells what is still allowed.
    #[must_use = "the hook ends when the result is dropped"]
    pub fn on_revoke(&self, hook: impl Fn(&Rule) + Send + Sync + 'static) -> RevocationHook {
        Hooks::add(&self.0.hooks, Arc::new(hook))
    }
}

impl Default for SecurityContext {
    fn default() -> SecurityContext {
        SecurityContext::new()
    }
}

impl fmt::Debug for SecurityContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecurityContext")
            .field("principal", &self.0.principal)
            .field("rules", &self.0.policy.rules().len())
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// Returns milliseconds since 1970.
    pub(super) fn now(&self) -> u64 {
        match &self.clock {
            Some(clock) => millis(clock()),
            None => time::now(),
        }
    }

    pub(super) fn rule(&self, at: u32) -> &Arc<Rule> {
        &self.policy.rules()[at as usize]
    }

    /// Returns the rules that name a component.
    pub(super) fn rules_of(&self, component: &str) -> Index {
        let rules = self.policy.rules().iter().enumerate();
        let own = rules
            .filter(|(_, rule)| rule.names(component, &self.principal))
            .map(|(at, rule)| (rule.kind, &rule.scope, rule.effect(), rule.slot(at)));
        Index::new(self.policy.domains(), own)
    }

    /// Returns whether a rule applies to a component.
    pub(super) fn applies(&self, rule: &Rule, component: Option<&str>) -> bool {
        rule.is_for_all(&self.principal)
            || component.is_some_and(|component| rule.names(component, &self.principal))
    }

    /// Returns the policy's rules for a request of a component, whose own rules are `own`.
    pub(super) fn find(&self, own: &Index, kind: KindId, query: Query<'_>, now: u64) -> Found {
        let found = self.common.find(kind, query, now);
        match own.is_empty() {
            true => found,
            false => found.and(own.find(kind, query, now)),
        }
    }

    /// Returns whether anything was revoked.
    #[inline]
    pub(super) fn has_revocations(&self) -> bool {
        self.revoked.load(Ordering::Acquire)
    }

    /// Returns the revocation of a request, if there is one.
    pub(super) fn revocation(
        &self,
        component: Option<&str>,
        kind: KindId,
        query: Query<'_>,
    ) -> Option<Arc<Rule>> {
        if !self.has_revocations() {
            return None;
        }
        let revocations = self.revocations.read().unwrap_or_else(|error| error.into_inner());
        revocations.find(component, kind, query)
    }

    /// Returns the scopes of an action that were revoked for a component.
    pub(super) fn revoked_scopes(&self, component: &str, kind: KindId) -> Vec<Scope> {
        let revocations = self.revocations.read().unwrap_or_else(|error| error.into_inner());
        let rules = revocations.of(component, kind);
        rules.map(|rule| rule.scope.clone()).collect()
    }

    fn validate<'a>(
        &self,
        own: &Index,
        component: Option<&str>,
        required: impl IntoIterator<Item = &'a Capability>,
    ) -> Result<(), MissingCapabilities> {
        let mut missing = Vec::new();
        for capability in required {
            let cause = match self.policy.domains().parse(capability) {
                Ok(parsed) => self.withheld(own, component, &parsed),
                Err(error) => Some(DenialCause::Unknown(Box::new(error))),
            };
            if let Some(cause) = cause {
                let capability = capability.clone();
                missing.push(Withheld { capability, cause });
            }
        }
        MissingCapabilities::none_or(missing)
    }

    /// Returns the reason why a capability is not granted as a whole. Exceptions within it do not count.
    pub(super) fn withheld(
        &self,
        own: &Index,
        component: Option<&str>,
        parsed: &(KindId, Scope),
    ) -> Option<DenialCause> {
        self.decide(own, component, parsed).err()
    }

    /// Returns the rule that allows a capability as a whole, or the reason why none does.
    pub(super) fn decide(
        &self,
        own: &Index,
        component: Option<&str>,
        (kind, scope): &(KindId, Scope),
    ) -> Result<Arc<Rule>, DenialCause> {
        let (now, query) = (self.now(), Query::from(scope));
        if let Some(rule) = self.revocation(component, *kind, query) {
            return Err(DenialCause::Revoked(rule));
        }
        let found = self.find(own, *kind, query, now);
        if let Some(rule) = found.deny {
            return Err(DenialCause::Rule(self.rule(rule).clone()));
        }
        if let Some(rule) = found.allow {
            return Ok(self.rule(rule).clone());
        }
        if let Some(rule) = found.expired {
            return Err(DenialCause::Expired(self.rule(rule).clone()));
        }
        let slot = Slot {
            rule: 0,
            until: NEVER,
        };
        let whole = Index::new(self.policy.domains(), [(*kind, scope, Effect::Allow, slot)]);
        let part = self.policy.rules().iter().enumerate().find(|(at, rule)| {
            rule.effect() == Effect::Allow
                && rule.slot(*at).until > now
                && self.applies(rule, component)
                && whole.find(rule.kind, (&rule.scope).into(), now).allow.is_some()
        });
        Err(match part {
            Some((_, rule)) => DenialCause::Partly(rule.clone()),
            None => DenialCause::NoRule,
        })
    }

    fn revoke(
        &self,
        component: Option<&str>,
        capability: Capability,
        kind: KindId,
        scope: Scope,
        reason: Option<&str>,
    ) {
        let rule = Arc::new(Rule::revocation(capability, kind, scope, component, reason));
        {
            let mut revocations = self
                .revocations
                .write()
                .unwrap_or_else(|error| error.into_inner());
            revocations.add(self.policy.domains(), component, rule.clone());
            self.revoked.store(true, Ordering::Release);
        }
        let name: Arc<str> = component.unwrap_or("*").into();
        self.record(
            self.now(),
            &name,
            Subject::Capability(rule.capability()),
            Decision::Revoked(&rule),
            RequestInfo::default(),
        );
        self.hooks.run(&rule);
    }

    pub(super) fn record(
        &self,
        time: u64,
        component: &Arc<str>,
        subject: Subject<'_>,
        decision: Decision<'_>,
        info: RequestInfo<'_>,
    ) {
        if self.audit.is_empty() {
            return;
        }
        let event = AuditEvent {
            time,
            component,
            principal: &self.principal,
            subject,
            decision,
            info,
        };
        for sink in &self.audit {
            // A sink that panics must neither end the component's call nor keep the decision from the other sinks.
            if contain("a sink of the audit", || sink.record(&event)).is_err() {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}
