//! Settings of a runtime.

use std::sync::Arc;
use std::time::Duration;

use super::error::InvalidConfig;
use crate::artifact::{ComponentCache, Records};
use crate::engine::{Backend, Config, Engine, MemoryBudget, StoreLimits};
use crate::host::{
    CallInfo, Clock, HostFunctionError, HostFunctions, HostLimits, HostPowers, InvalidFunction, SystemClock,
};
use crate::limits::{Resource, ResourceLimits};
use crate::load::Loader;
use crate::messaging::MailboxLimits;
#[cfg(feature = "wasi")]
use crate::wasi::http::TlsRoots;

/// Default time for a call. Stops a component that never answers.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest time that a caller can request, unless configured otherwise.
pub(super) const LONGEST_TIMEOUT: Duration = Duration::from_secs(600);

/// Checked settings of a [`ComponentRuntime`](super::ComponentRuntime).
///
/// ```
/// use std::time::Duration;
/// use airssys_wasm::RuntimeConfig;
///
/// let config = RuntimeConfig::builder()
///     .with_mailbox_capacity(16)
///     .with_default_timeout(Duration::from_secs(2))
///     .with_multicodec_support()
///     .with_capability_enforcement()
///     .build()?;
/// # Ok::<(), airssys_wasm::runtime::InvalidConfig>(())
/// ```
#[derive(Clone, Debug)]
pub struct RuntimeConfig {
    pub(super) loader: Arc<Loader>,
    pub(super) limits: StoreLimits,
    /// Bytes of the memory budget that are set aside for each component.
    pub(super) memory_reserve: u64,
    pub(super) resource_limits: ResourceLimits,
    pub(super) mailbox: MailboxLimits,
    pub(super) default_timeout: Duration,
    pub(super) longest_timeout: Duration,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) powers: Arc<HostPowers>,
    /// Each component needs a security context.
    pub(super) needs_security: bool,
    /// Each component must be an actor.
    pub(super) needs_actors: bool,
}

impl RuntimeConfig {
    /// Starts from the defaults: the first backend that is compiled in, the default [`StoreLimits`] and
    /// [`MailboxLimits`], 30 seconds for a call, and at most ten minutes.
    pub fn builder() -> RuntimeConfigBuilder {
        RuntimeConfigBuilder {
            engine: Config::new(),
            fuel_metering: None,
            limits: StoreLimits::default(),
            memory_budget: None,
            memory_reserve: 0,
            resource_limits: ResourceLimits::new(),
            mailbox: MailboxLimits::default(),
            default_timeout: DEFAULT_TIMEOUT,
            longest_timeout: None,
            clock: Arc::new(SystemClock),
            cache: None,
            records: None,
            functions: Ok(HostFunctions::new()),
            host_limits: HostLimits::default(),
            needs_security: false,
            needs_actors: false,
            #[cfg(feature = "wasi")]
            tls_roots: TlsRoots::system(),
        }
    }

    /// Returns the chosen compiler; for a tiered start, the one with the optimized code.
    pub fn backend(&self) -> Backend {
        self.engine().backend()
    }

    /// Returns the engine that compiles, unless a component's options choose another.
    pub fn engine(&self) -> &Engine {
        self.loader.engine()
    }

    /// Returns the compilation cache, if there is one.
    pub fn cache(&self) -> Option<&ComponentCache> {
        self.loader.cache()
    }

    /// Returns the budget that the memory of all components shares, if there is one.
    pub fn memory_budget(&self) -> Option<&MemoryBudget> {
        self.limits.memory_budget.as_ref()
    }

    /// Returns the loader, with the engine, cache and records of this configuration. It loads without a runtime: a
    /// component that does not follow the contract needs none.
    pub fn loader(&self) -> &Loader {
        &self.loader
    }
}

/// Collects the settings of a [`RuntimeConfig`].
#[derive(Clone, Debug)]
#[must_use]
pub struct RuntimeConfigBuilder {
    engine: Config,
    fuel_metering: Option<bool>,
    limits: StoreLimits,
    memory_budget: Option<MemoryBudget>,
    memory_reserve: u64,
    resource_limits: ResourceLimits,
    mailbox: MailboxLimits,
    default_timeout: Duration,
    longest_timeout: Option<Duration>,
    clock: Arc<dyn Clock>,
    cache: Option<ComponentCache>,
    records: Option<Records>,
    functions: Result<HostFunctions, InvalidFunction>,
    host_limits: HostLimits,
    needs_security: bool,
    needs_actors: bool,
    #[cfg(feature = "wasi")]
    tls_roots: TlsRoots,
}

impl RuntimeConfigBuilder {
    /// Chooses the compiler, or two with [`Backend::Tiered`].
    pub fn with_backend(mut self, backend: Backend) -> Self {
        self.engine.backend(backend);
        self
    }

    /// Chooses the compiler, its options, and what it compiles for.
    pub fn with_engine(mut self, config: Config) -> Self {
        self.engine = config;
        self
    }

    /// Chooses whether the code of components counts fuel, as [`Config::consume_fuel`] does, whatever
    /// [`RuntimeConfigBuilder::with_engine`] chooses. Limits on [`Resource::Fuel`] need it. Off by default, since it slows
    /// down all code. Core modules of the WAI tools are not loaded with it.
    pub fn with_fuel_metering(mut self, metering: bool) -> Self {
        self.fuel_metering = Some(metering);
        self
    }

    /// Sets the limits of each component.
    pub fn with_limits(mut self, limits: StoreLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets limits of each component, in place of the defaults. A component's options, its manifest and a policy can lower
    /// them, and raise none: they are both the default and the ceiling. Of these and of limits that other methods of this
    /// builder set, the smaller applies. See [`RuntimeConfig::effective_limits`].
    pub fn with_resource_limits(mut self, limits: ResourceLimits) -> Self {
        self.resource_limits = limits;
        self
    }

    /// Sets a limit on the memory of all components of the runtime together, and of all others that share the budget; none
    /// by default. Stops many components, each within its own limits, from exhausting the host's memory.
    ///
    /// When it is used up, memory does not grow, and a component that does not fit is refused with
    /// [`RuntimeError::MemoryBudget`](super::RuntimeError::MemoryBudget). Components that are loaded go on. Memory returns to
    /// the budget once the instance is freed: when the component is shut down, has failed, or is unloaded.
    ///
    /// ```
    /// use airssys_wasm::RuntimeConfig;
    /// use airssys_wasm::engine::MemoryBudget;
    ///
    /// let budget = MemoryBudget::new(4 << 30);
    /// let config = RuntimeConfig::builder()
    ///     .with_memory_budget(budget.clone())
    ///     .with_memory_reserve(64 << 20)
    ///     .build()?;
    /// assert_eq!(config.memory_budget(), Some(&budget));
    /// # Ok::<(), airssys_wasm::runtime::InvalidConfig>(())
    /// ```
    pub fn with_memory_budget(mut self, budget: MemoryBudget) -> Self {
        self.memory_budget = Some(budget);
        self
    }

    /// Sets the bytes of the memory budget that are set aside for each component, used or not, while it has an instance; but
    /// no more than its limit on memory. 0 by default. Stops a greedy component from taking what its neighbors need.
    /// [`ComponentOptions::with_memory_reserve`](super::ComponentOptions::with_memory_reserve) replaces it for one component.
    pub fn with_memory_reserve(mut self, bytes: u64) -> Self {
        self.memory_reserve = bytes;
        self
    }

    /// Sets the number of messages that may wait in one mailbox; at least 1, by default 1024. Stops a flood of small
    /// messages.
    pub fn with_mailbox_capacity(mut self, messages: usize) -> Self {
        self.mailbox.messages = messages;
        self
    }

    /// Sets the number of bytes of all messages in one mailbox together; at least 1, by default 16 MiB. Stops a few large
    /// messages from filling the host's memory.
    pub fn with_mailbox_bytes(mut self, bytes: usize) -> Self {
        self.mailbox.bytes = bytes;
        self
    }

    /// Sets the maximum size of one message, in bytes; at least 1, by default 1 MiB. Stops one message that fills the
    /// mailbox.
    pub fn with_max_message_bytes(mut self, bytes: usize) -> Self {
        self.mailbox.message_bytes = bytes;
        self
    }

    /// Sets the default wall-clock time limit of a call; more than zero, by default 30 seconds. Stops a component that never
    /// returns.
    pub fn with_default_timeout(mut self, timeout: Duration) -> Self {
        self.default_timeout = timeout;
        self
    }

    /// Sets the longest time that a caller can request for an `execute`; longer requests are reduced to it. Stops a
    /// caller that lets a component run for hours. Ten minutes by default, or the default timeout if that is longer.
    pub fn with_longest_timeout(mut self, timeout: Duration) -> Self {
        self.longest_timeout = Some(timeout);
        self
    }

    /// Sets the source of the time of day for components.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Compiles through a cache, which may be shared with other runtimes and, if it has a folder, with other processes.
    /// Without one, each load compiles.
    pub fn with_cache(mut self, cache: ComponentCache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Compiles on every load: the default.
    pub fn without_cache(mut self) -> Self {
        self.cache = None;
        self
    }

    /// Verifies each artifact file once, and records that, as with [`Records::for_user`]. Without records, the default, each
    /// load of an artifact reads the whole file.
    pub fn with_records(mut self, records: Records) -> Self {
        self.records = Some(records);
        self
    }

    /// Adds a function of the host application that components call by name with `call-host-function`, if they have the
    /// capability `host-function:call:NAME`. It gets and returns bytes, by convention payloads. A panic is contained.
    ///
    /// An invalid name, and one that is taken, is an error of [`RuntimeConfigBuilder::build`].
    pub fn with_host_function(
        mut self,
        name: &str,
        function: impl Fn(&CallInfo<'_>, &[u8]) -> Result<Vec<u8>, HostFunctionError> + Send + Sync + 'static,
    ) -> Self {
        self.functions = self
            .functions
            .and_then(|functions| functions.with_raw(name, function));
        self
    }

    /// Adds a function over Rust types, as [`HostFunctions::with_typed`] does; otherwise as
    /// [`RuntimeConfigBuilder::with_host_function`].
    pub fn with_typed_host_function<A, R, E>(
        mut self,
        name: &str,
        function: impl Fn(&CallInfo<'_>, A) -> Result<R, E> + Send + Sync + 'static,
    ) -> Self
    where
        A: serde::de::DeserializeOwned,
        R: serde::Serialize,
        E: std::fmt::Display,
    {
        self.functions = self
            .functions
            .and_then(|functions| functions.with_typed(name, function));
        self
    }

    /// Adds an asynchronous function, as [`HostFunctions::with_async`] does; otherwise as
    /// [`RuntimeConfigBuilder::with_host_function`]. The call's deadline ends it.
    pub fn with_async_host_function(
        mut self,
        name: &str,
        function: impl AsyncFn(&CallInfo<'_>, &[u8]) -> Result<Vec<u8>, HostFunctionError> + Send + Sync + 'static,
    ) -> Self {
        self.functions = self
            .functions
            .and_then(|functions| functions.with_async(name, function));
        self
    }

    /// Sets the limits of the functions of `host-capabilities`, for each component.
    pub fn with_host_limits(mut self, limits: HostLimits) -> Self {
        self.host_limits = limits;
        self
    }

    /// Sets the root certificates by which `http-request` verifies servers, in place of those of the system.
    #[cfg(feature = "wasi")]
    pub fn with_tls_roots(mut self, roots: TlsRoots) -> Self {
        self.tls_roots = roots;
        self
    }

    /// Requires a security context for each component: loading one without [`ComponentOptions::with_security`] is
    /// [`InvalidOptions::NoSecurity`]. So each permission comes from a policy, and each decision is in the audit of a context.
    ///
    /// The contexts are those of [`security`](crate::security), which has the place of the crate airssys-osl.
    ///
    /// [`ComponentOptions::with_security`]: super::ComponentOptions::with_security
    /// [`InvalidOptions::NoSecurity`]: super::InvalidOptions::NoSecurity
    pub fn with_osl_security_integration(mut self) -> Self {
        self.needs_security = true;
        self
    }

    /// Requires that each component is an actor: loading one other than with
    /// [`load_component_as_actor`](super::ComponentRuntime::load_component_as_actor) or
    /// [`start_actor`](super::ComponentRuntime::start_actor) is [`InvalidOptions::NoActor`]. So each call of a component is a
    /// message that waits its turn, and each failed instance is replaced by the actor's policy.
    ///
    /// The actors are those of [`actors`](crate::actors), which has the place of the crate airssys-rt.
    ///
    /// [`InvalidOptions::NoActor`]: super::InvalidOptions::NoActor
    pub fn with_rt_actor_integration(mut self) -> Self {
        self.needs_actors = true;
        self
    }

    /// States that components may use the payload codecs. They always may: this method changes nothing and only documents
    /// the fact in code.
    pub fn with_multicodec_support(self) -> Self {
        self
    }

    /// States that capabilities are enforced. They always are: this method changes nothing, and nothing turns enforcement
    /// off.
    pub fn with_capability_enforcement(self) -> Self {
        self
    }

    /// Checks the settings and builds the configuration.
    ///
    /// # Errors
    /// Each case of [`InvalidConfig`].
    pub fn build(mut self) -> Result<RuntimeConfig, InvalidConfig> {
        if let Some(metering) = self.fuel_metering {
            self.engine.consume_fuel(metering);
        }
        if let Some(budget) = self.memory_budget.take() {
            self.limits.memory_budget = Some(budget);
        }
        match (&self.limits.memory_budget, self.memory_reserve) {
            (_, 0) => {}
            (Some(budget), reserve) if reserve <= budget.limit() => {}
            (budget, reserve) => {
                let budget = budget.as_ref().map_or(0, MemoryBudget::limit);
                return Err(InvalidConfig::Reserve { reserve, budget });
            }
        }
        let engine = Engine::new(&self.engine).map_err(InvalidConfig::Backend)?;
        self.resource_limits.check()?;
        let call_time = self.resource_limits.get(Resource::CallTime);
        let call_time = call_time.map(Duration::from_millis);
        let longest_timeout = match (self.longest_timeout, call_time) {
            (Some(longest), call_time) => longest.min(call_time.unwrap_or(longest)),
            (None, Some(call_time)) => call_time,
            (None, None) => LONGEST_TIMEOUT.max(self.default_timeout),
        };
        // A call without a time of its own has at most that of every call.
        let default_timeout = match call_time {
            Some(call_time) => self.default_timeout.min(call_time),
            None => self.default_timeout,
        };
        let zeros = [
            (self.mailbox.messages == 0, "the mailbox's capacity"),
            (self.mailbox.bytes == 0, "the mailbox's size"),
            (self.mailbox.message_bytes == 0, "the largest message"),
            (
                self.default_timeout.as_millis() == 0,
                "the default timeout, in milliseconds,",
            ),
        ];
        if let Some((_, what)) = zeros.into_iter().find(|(zero, _)| *zero) {
            return Err(InvalidConfig::Zero(what));
        }
        if default_timeout > longest_timeout {
            return Err(InvalidConfig::Timeouts {
                default: default_timeout,
                longest: longest_timeout,
            });
        }
        let mut loader = Loader::new(engine);
        if let Some(cache) = self.cache {
            loader = loader.with_cache(cache);
        }
        if let Some(records) = self.records {
            loader = loader.with_records(records);
        }
        let powers = HostPowers::new()
            .with_functions(self.functions?)
            .with_limits(self.host_limits);
        #[cfg(feature = "wasi")]
        let powers = powers.with_tls_roots(self.tls_roots);
        Ok(RuntimeConfig {
            loader: Arc::new(loader),
            limits: self.limits,
            memory_reserve: self.memory_reserve,
            resource_limits: self.resource_limits,
            mailbox: self.mailbox,
            default_timeout,
            longest_timeout,
            clock: self.clock,
            powers: Arc::new(powers),
            needs_security: self.needs_security,
            needs_actors: self.needs_actors,
        })
    }
}
