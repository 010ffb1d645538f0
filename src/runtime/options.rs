//! Options of a component, and of a call.

use std::collections::HashSet;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::error::InvalidOptions;
use super::grants::Security;
use super::lifecycle::{CallerInfo, TraceContext};
use super::start::WasiGrants;
use super::values::{Opaque, Value};
use crate::engine::{Backend, Config};
use crate::host::{SavedSettings, Settings};
use crate::limits::{EffectiveLimits, LimitSource, ResourceLimits};
use crate::load::LoadOptions;
use crate::manifest::{ComponentManifest, ManifestMetadata, RequestedCapabilities};
use crate::messaging::{ComponentId, TOPIC_PREFIX};
use crate::security::{Capability, SecurityContext};
#[cfg(feature = "wasix")]
use crate::wasi::preview1::Preview1;
#[cfg(feature = "wasi")]
use crate::wasi::{WasiCtxBuilder, WasiLimits};
#[cfg(feature = "adapt")]
use airssys_wasm_adapt as adapt;
use airssys_wasm_component::internal::text;

/// Most bytes in environment, configuration data and capabilities together. They are copied into the guest: stops
/// a manifest that fills its memory before it starts.
const MAX_OPTIONS_BYTES: usize = 4 << 20;

/// Options of one component, set when it is loaded. `Debug` shows no values that are marked secret, and of configuration data
/// the number of bytes.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ComponentOptions {
    pub(super) id: Option<ComponentId>,
    pub(super) near: Option<ComponentId>,
    pub(super) load: LoadOptions,
    pub(super) env: Vec<(String, Value)>,
    settings: Vec<(String, Value, Change)>,
    pub(super) config_data: Option<Opaque>,
    pub(super) security: Security,
    pub(super) limits: ResourceLimits,
    pub(super) manifest_limits: ResourceLimits,
    pub(super) memory_reserve: Option<u64>,
    /// An actor makes all calls of the component.
    pub(super) supervised: bool,
    /// Settings that outlast the process.
    pub(super) saved: Option<Arc<dyn SavedSettings>>,
    #[cfg(feature = "wasi")]
    wasi: Option<WasiCtxBuilder>,
    #[cfg(feature = "wasix")]
    preview1: Preview1,
}

/// Access of a component to a setting.
#[derive(Clone, Copy, Debug)]
enum Change {
    Allowed,
    Refused,
}

impl ComponentOptions {
    /// Creates empty options: no environment, no settings, no capabilities, an identity that the runtime chooses.
    pub fn new() -> ComponentOptions {
        ComponentOptions::default()
    }

    pub(crate) fn load_options(&self) -> &LoadOptions {
        &self.load
    }

    /// Returns the variables and settings whose values are marked secret, by name.
    pub(super) fn secrets(&self) -> Vec<String> {
        let env = self.env.iter().filter(|(_, value)| value.is_secret());
        let env = env.map(|(name, _)| format!("the secret variable `{}`", text::brief(name)));
        let settings = self.settings.iter().filter(|(_, value, _)| value.is_secret());
        let settings = settings.map(|(key, ..)| format!("the secret setting `{}`", text::brief(key)));
        env.chain(settings).collect()
    }

    pub(crate) fn saved_settings(&self) -> Option<Arc<dyn SavedSettings>> {
        self.saved.clone()
    }

    pub(crate) fn with_saved_settings(mut self, saved: Option<Arc<dyn SavedSettings>>) -> Self {
        self.saved = saved;
        self
    }

    /// Sets the identity, instead of one that the runtime chooses.
    pub fn with_id(mut self, id: ComponentId) -> Self {
        self.id = Some(id);
        self
    }

    /// Derives the identity from a file name, unless one is set: `counter`, then `counter-2`, ….
    pub fn with_name_of(mut self, file: impl AsRef<Path>) -> Self {
        let stem = file.as_ref().file_stem();
        self.near = stem.map(|stem| ComponentId::near(&stem.to_string_lossy()));
        self
    }

    /// Sets the compiler for this component, instead of the runtime's. No effect on components that are already compiled.
    pub fn with_backend(mut self, backend: Backend) -> Self {
        self.load.engine.get_or_insert_default().backend(backend);
        self
    }

    /// Sets the compiler, its options and its target for this component, instead of the runtime's. No effect on components
    /// that are already compiled.
    pub fn with_engine(mut self, config: Config) -> Self {
        self.load.engine = Some(config);
        self
    }

    /// Adds an environment variable, which is passed to `init` and visible through WASI. The host's own environment is not
    /// passed on.
    pub fn with_env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), Value::plain(value)));
        self
    }

    /// Adds an environment variable as [`ComponentOptions::with_env`] does, whose value `Debug` hides.
    pub fn with_secret_env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), Value::secret(value)));
        self
    }

    /// Adds a setting that the component can read with `get-config` and change.
    pub fn with_config(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings
            .push((key.into(), Value::plain(value), Change::Allowed));
        self
    }

    /// Adds a setting that the component can read but not change.
    pub fn with_fixed_config(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings
            .push((key.into(), Value::plain(value), Change::Refused));
        self
    }

    /// Adds a setting that the component can read but not change, whose value `Debug` hides.
    pub fn with_secret_config(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings
            .push((key.into(), Value::secret(value), Change::Refused));
        self
    }

    /// Sets configuration in the component's own form: a payload, which the host does not inspect.
    pub fn with_config_data(mut self, payload: impl Into<Vec<u8>>) -> Self {
        self.config_data = Some(Opaque(payload.into()));
        self
    }

    /// Grants a capability, in place of a security context: can be repeated. Without either, everything is denied.
    pub fn with_capability(mut self, capability: Capability) -> Self {
        self.security.granted.push(capability);
        self
    }

    /// Sets the security context whose policy decides what the component may do. It gets what it
    /// [requires](Self::with_required_capability) or [can use](Self::with_optional_capability) and the policy allows;
    /// without such declarations, all that the policy allows it.
    pub fn with_security(mut self, context: SecurityContext) -> Self {
        self.security.context = Some(context);
        self
    }

    /// Adds a capability that the component does not work without: loading fails if it is not granted.
    pub fn with_required_capability(mut self, capability: Capability) -> Self {
        self.security.required.push(capability);
        self
    }

    /// Adds a capability that the component can use, but works without.
    pub fn with_optional_capability(mut self, capability: Capability) -> Self {
        self.security.optional.push(capability);
        self
    }

    /// Adds what a manifest declares: its [capabilities](Self::with_requested_capabilities) and its
    /// [limits](Self::with_manifest_limits). The identity is derived from its name, unless one is set: `words`, then
    /// `words-2`, ….
    pub fn with_manifest(mut self, manifest: &ComponentManifest) -> Self {
        self.near = Some(ComponentId::near(&manifest.component.name));
        self.with_manifest_limits(&manifest.metadata)
            .with_requested_capabilities(&manifest.capabilities)
    }

    /// Adds the required and optional capabilities of a manifest. If there are none, the component gets none, whatever the
    /// policy allows.
    pub fn with_requested_capabilities(mut self, requested: &RequestedCapabilities) -> Self {
        self.security.declared = true;
        self.security.required.extend_from_slice(&requested.required);
        self.security.optional.extend_from_slice(&requested.optional);
        self
    }

    /// Sets limits of the component. They can lower those of the runtime, and raise none.
    pub fn with_resource_limits(mut self, limits: ResourceLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the bytes of the runtime's memory budget that are set aside for this component, in place of
    /// [`RuntimeConfigBuilder::with_memory_reserve`](super::RuntimeConfigBuilder::with_memory_reserve); but no more than its
    /// limit on memory.
    pub fn with_memory_reserve(mut self, bytes: u64) -> Self {
        self.memory_reserve = Some(bytes);
        self
    }

    /// Sets the limits that the component's manifest declares, its memory and its time. They can lower those of the runtime,
    /// and raise none.
    pub fn with_manifest_limits(mut self, declared: &ManifestMetadata) -> Self {
        self.manifest_limits = declared.limits();
        self
    }

    /// Sets the WASI options of the component. The default grants only clocks, random numbers, and output to the host's
    /// log. The component's name there is its identity, and [`ComponentOptions::with_env`] adds to its environment.
    #[cfg(feature = "wasi")]
    pub fn with_wasi(mut self, wasi: WasiCtxBuilder) -> Self {
        self.wasi = Some(wasi);
        self
    }

    /// Sets the WASI preview 1 options of the component, used if it was a core module whose imports the host serves. Its
    /// name there is its identity, and [`ComponentOptions::with_env`] adds to its environment.
    #[cfg(feature = "wasix")]
    pub fn with_preview1(mut self, grants: Preview1) -> Self {
        self.preview1 = grants;
        self
    }

    /// Also accepts core modules: those that follow the canonical ABI's names for `world`, as compilers without component
    /// support emit them. `preview1` selects the provider of their WASI preview 1 imports.
    #[cfg(feature = "adapt")]
    pub fn with_core_module(mut self, world: adapt::World, preview1: adapt::Preview1) -> Self {
        self.load.core_module = Some((world, preview1));
        self
    }

    /// Returns the limits of its WASI options, if it has any.
    #[cfg(feature = "wasi")]
    pub(super) fn wasi_limits(&self) -> Option<&WasiLimits> {
        self.wasi.as_ref().map(WasiCtxBuilder::configured_limits)
    }

    /// Returns the limits and WASI grants of each instance of the component called `id`.
    #[cfg_attr(
        not(feature = "wasi"),
        expect(unused_variables, reason = "there is nothing to grant")
    )]
    pub(super) fn grants(&self, id: &ComponentId, limits: Arc<EffectiveLimits>) -> WasiGrants {
        let mut grants = WasiGrants::default();
        #[cfg(feature = "wasi")]
        {
            grants.wasi = self.wasi.clone().unwrap_or_default();
            grants.wasi.name(id.as_str());
            for (name, value) in &self.env {
                grants.wasi.env(name, value.reveal());
            }
        }
        #[cfg(feature = "wasix")]
        {
            let preview1 = self.preview1.clone().name(id.as_str());
            let env = self.env.iter();
            grants.preview1 = env.fold(preview1, |grants, (name, value)| grants.env(name, value.reveal()));
        }
        grants.limit(&limits);
        grants.limits = limits;
        grants
    }

    /// Checks all options and returns the settings.
    pub(super) fn check(&self) -> Result<Settings, InvalidOptions> {
        self.security.check()?;
        self.limits.check()?;
        if let Some(id) = self
            .id
            .as_ref()
            .filter(|id| id.as_str().starts_with(TOPIC_PREFIX))
        {
            return Err(InvalidOptions::TopicId(id.clone()));
        }
        let mut names = HashSet::new();
        for (name, _) in &self.env {
            if name.is_empty() || name.contains(['=', '\0']) {
                let end = name.find('=').map_or(name.len(), |at| at + 1);
                return Err(InvalidOptions::EnvName(name[..end].to_owned()));
            }
            if !names.insert(name) {
                return Err(InvalidOptions::EnvTwice(name.clone()));
            }
        }
        let env = self
            .env
            .iter()
            .map(|(name, value)| name.len() + value.reveal().len());
        let data = self.config_data.iter().map(|data| data.0.len());
        let capabilities = self
            .security
            .capabilities()
            .map(|capability| capability.as_str().len());
        let bytes = env.chain(data).chain(capabilities).sum();
        if bytes > MAX_OPTIONS_BYTES {
            return Err(InvalidOptions::TooLarge {
                bytes,
                limit: MAX_OPTIONS_BYTES,
            });
        }
        let mut settings = Settings::default();
        for (key, value, change) in &self.settings {
            let text = value.reveal().to_owned();
            let defined = match value {
                Value::Secret(_) => settings.define_secret(key, text),
                Value::Plain(_) => settings.define(key, text, matches!(change, Change::Refused)),
            };
            defined.map_err(|problem| InvalidOptions::Setting {
                key: key.clone(),
                problem,
            })?;
        }
        Ok(settings)
    }
}

/// Options of one operation.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ExecuteOptions {
    /// Identifies the request in logs and traces. `None` or empty: the runtime generates one that is unique within it.
    pub request_id: Option<String>,
    /// The caller. `None`: the host application.
    pub caller: Option<CallerInfo>,
    /// Wall-clock time for the operation. `None`: the runtime's default. The shortest of this, the runtime's longest
    /// timeout and the component's own (`metadata`'s `timeout-ms`) applies;
    /// [`RuntimeError::Timeout`](super::RuntimeError::Timeout) names it.
    pub timeout: Option<Duration>,
    /// The trace that the operation belongs to. Passed on unchanged.
    pub trace_context: Option<TraceContext>,
}

impl ExecuteOptions {
    /// Creates options with the defaults: an identifier that the runtime generates, the host application as the caller, the
    /// runtime's default time, no trace.
    pub fn new() -> ExecuteOptions {
        ExecuteOptions::default()
    }

    /// Sets [`ExecuteOptions::request_id`].
    #[must_use]
    pub fn with_request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = Some(id.into());
        self
    }

    /// Sets [`ExecuteOptions::caller`].
    #[must_use]
    pub fn with_caller(mut self, caller: CallerInfo) -> Self {
        self.caller = Some(caller);
        self
    }

    /// Sets [`ExecuteOptions::timeout`].
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets [`ExecuteOptions::trace_context`].
    #[must_use]
    pub fn with_trace_context(mut self, trace: TraceContext) -> Self {
        self.trace_context = Some(trace);
        self
    }
}

/// Returns the time for one `execute`: the shortest of those that are set. Of equal ones, the caller's is reported.
pub(super) fn time_for(
    asked: Option<Duration>,
    default: Duration,
    longest: Duration,
    own: Option<u64>,
    limit: Option<Allowance>,
) -> Allowance {
    let asked = match asked {
        Some(time) => Allowance::new(time, TimeLimit::Caller),
        None => Allowance::new(default, TimeLimit::Default),
    };
    let longest = Allowance::new(longest, TimeLimit::Longest);
    let own = own.map(|millis| Allowance::new(Duration::from_millis(millis), TimeLimit::Component));
    asked.or_shorter(Some(longest)).or_shorter(own).or_shorter(limit)
}

/// The time for a call, and the limit that it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Allowance {
    pub(super) time: Duration,
    pub(super) limit: TimeLimit,
}

impl Allowance {
    pub(super) fn new(time: Duration, limit: TimeLimit) -> Allowance {
        Allowance { time, limit }
    }

    /// Returns the shorter of two; of equal ones, this.
    pub(super) fn or_shorter(self, other: Option<Allowance>) -> Allowance {
        match other {
            Some(other) if other.time < self.time => other,
            _ => self,
        }
    }
}

/// The limit that determines a call's time. The shortest applicable limit does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimeLimit {
    /// [`ExecuteOptions::timeout`].
    Caller,
    /// [`RuntimeConfigBuilder::with_default_timeout`](super::RuntimeConfigBuilder::with_default_timeout).
    Default,
    /// [`RuntimeConfigBuilder::with_longest_timeout`](super::RuntimeConfigBuilder::with_longest_timeout).
    Longest,
    /// `timeout-ms` in the component's own metadata.
    Component,
    /// [`Resource::CallTime`](crate::limits::Resource::CallTime), from this source.
    Limit(LimitSource),
}

impl fmt::Display for TimeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TimeLimit::Limit(source) => return write!(f, "the limit (call-time) of {source}"),
            TimeLimit::Caller => "the caller's timeout",
            TimeLimit::Default => "the runtime's default timeout",
            TimeLimit::Longest => "the runtime's longest timeout",
            TimeLimit::Component => "the component's own limit (timeout-ms in its metadata)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_time_applies() {
        let ms = Duration::from_millis;
        let check = |asked: Option<u64>, own, time, limit| {
            let expected = Allowance::new(ms(time), limit);
            assert_eq!(time_for(asked.map(ms), ms(30), ms(600), own, None), expected);
        };
        check(None, None, 30, TimeLimit::Default);
        check(None, Some(10), 10, TimeLimit::Component);
        check(Some(100), Some(200), 100, TimeLimit::Caller);
        check(Some(1000), None, 600, TimeLimit::Longest);
        check(Some(1000), Some(20), 20, TimeLimit::Component);
        check(Some(600), Some(600), 600, TimeLimit::Caller);
        let limit = Allowance::new(ms(5), TimeLimit::Limit(LimitSource::Manifest));
        let limited = time_for(None, ms(30), ms(600), Some(10), Some(limit.clone()));
        assert_eq!(limited, limit);
    }

    #[test]
    fn environment_names_are_checked() {
        let check = |options: ComponentOptions| options.check().map(|_| ());
        assert!(check(ComponentOptions::new().with_env("A", "x=y").with_env("B", "")).is_ok());
        for name in ["", "A=B", "A\0"] {
            let refused = check(ComponentOptions::new().with_env(name, "x"));
            assert!(matches!(refused, Err(InvalidOptions::EnvName(_))), "{name:?}");
        }
        let twice = check(ComponentOptions::new().with_env("A", "1").with_env("A", "2"));
        assert!(matches!(twice, Err(InvalidOptions::EnvTwice(_))));
        let large = check(ComponentOptions::new().with_config_data(vec![0; MAX_OPTIONS_BYTES + 1]));
        assert!(matches!(large, Err(InvalidOptions::TooLarge { .. })));
        let key = check(ComponentOptions::new().with_config("", "1"));
        assert!(matches!(key, Err(InvalidOptions::Setting { .. })));
    }
}
