//! Errors of loading and running components.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::limits::exceeded_in_call;
use super::options::{Allowance, TimeLimit};
use super::snapshot::SnapshotProblem;
use super::state::{Call, ComponentState, advice};
use crate::artifact::ArtifactError;
use crate::error::{CoreTrap, Error, Fault, LimitExceeded, Trap, TrapKind};
use crate::host::{ComponentError, ConfigError, ExecutionError, InvalidFunction};
use crate::limits::{EffectiveLimit, EffectiveLimits, InvalidLimit, LimitSource};
use crate::load::LoadError;
use crate::messaging::{ComponentId, InvalidComponentId, TOPIC_PREFIX};
use crate::security::{InvalidCapability, MissingCapabilities, PolicyError};

/// An error of the runtime.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// The configuration is unusable.
    #[error("runtime configuration: {0}")]
    Config(#[from] InvalidConfig),
    /// The options of a component are invalid.
    #[error("component options: {0}")]
    Options(#[from] InvalidOptions),
    /// Text is not a valid component identity.
    #[error("{0}")]
    Id(#[from] InvalidComponentId),

    /// The component's file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The component cannot be compiled, linked or instantiated.
    #[error("the component cannot be loaded: {0}")]
    Load(#[source] Error),
    /// The settings that the component saved cannot be read.
    #[error("the saved settings of `{0}` cannot be used: {1}")]
    SavedSettings(ComponentId, String),
    /// A core module cannot be converted to a component.
    #[cfg(feature = "adapt")]
    #[error("the core module cannot be loaded: {0}")]
    CoreModule(#[source] airssys_wasm_adapt::AdaptError),
    /// The artifact is refused.
    #[error("the artifact `{}` cannot be loaded: {source}", path.display())]
    Artifact {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: ArtifactError,
    },
    /// The component does not follow the contract at all.
    #[error(
        "the component does not export `airssys:component-core/component-lifecycle`, so it has no lifecycle to run; \
         {exports}. Build it for the world `airssys:component-core/component@1.0.0`"
    )]
    NoLifecycle {
        /// A description of its exports.
        exports: String,
    },
    /// The component exports only a part of the lifecycle.
    #[error("`{export}` lacks {}: a component must export every function of the lifecycle", missing.join(", "))]
    PartialLifecycle {
        /// The export.
        export: String,
        /// The functions that are missing, in the order of the contract.
        missing: Vec<&'static str>,
    },
    /// The component was built for a version of the contract that this host does not support.
    #[error(
        "this host does not support the version of `{name}`: it supports {supported} and every compatible 1.x. \
         Build the component against {supported}, or use a host that supports its version"
    )]
    ContractVersion {
        /// The import or export, with its version.
        name: String,
        /// The host's version.
        supported: &'static str,
    },
    /// A function of the lifecycle has a different type than in the contract.
    #[error("the lifecycle does not have the contract's types: {source}")]
    LifecycleType {
        /// The export.
        function: String,
        /// The expected and the actual type.
        source: Error,
    },

    /// Capabilities that the component requires are not granted.
    #[error("`{id}` cannot be used: {source}")]
    Capabilities {
        /// The identity that the component has, or would have.
        id: ComponentId,
        /// All that are missing.
        source: MissingCapabilities,
    },

    /// No component has this identity.
    #[error("no component is loaded as `{0}`")]
    UnknownComponent(ComponentId),
    /// The component is an actor, so that the host does not call it itself.
    #[error(
        "`{0}` is an actor, which is called for its messages only: use `send_message_to_component`, or `stop_actor` to end it"
    )]
    Actor(ComponentId),
    /// Another component has this identity.
    #[error("a component is already loaded as `{0}`: unload it, or choose another identity")]
    DuplicateId(ComponentId),
    /// The call is not allowed in the component's state.
    #[error("cannot call `{call}` of `{id}`: the component is {state}; {}", advice(*state, *call))]
    WrongState {
        /// The component.
        id: ComponentId,
        /// Its state.
        state: ComponentState,
        /// The call that was attempted.
        call: Call,
    },
    /// Another thread is in a call of the component. Nothing was called; retry later.
    #[error(
        "cannot call `{call}` of `{id}` while its `{running}` is running: a component handles one call at a time"
    )]
    Busy {
        /// The component.
        id: ComponentId,
        /// The call that was attempted.
        call: Call,
        /// The call in flight.
        running: Call,
    },

    /// The component returned an error from `init` or `shutdown`.
    #[error("the component returned an error: {0}")]
    Component(#[source] ComponentError),
    /// The component returned an error from an operation. It keeps running.
    #[error("the component returned an error: {0}")]
    Execution(#[source] ExecutionError),
    /// The component's metadata exceeds a bound, or requires a text that is no capability.
    #[error("invalid metadata of `{id}`: {problem}")]
    Metadata {
        /// The component.
        id: ComponentId,
        /// The bound, and the excess.
        problem: String,
    },
    /// No snapshot is made of the component, or the component is a snapshot that is not used.
    #[error("the snapshot of `{id}` is refused: {problem}")]
    Snapshot {
        /// The component.
        id: ComponentId,
        /// The reason.
        problem: SnapshotProblem,
    },
    /// The component needs more memory than it may have.
    #[error("`{id}` requires {needed} bytes of memory, more than the limit of {limit} (memory) of {origin}")]
    Memory {
        /// The component.
        id: ComponentId,
        /// Bytes that its metadata requires.
        needed: u64,
        /// The limit in bytes.
        limit: u64,
        /// The source of the limit.
        origin: LimitSource,
    },
    /// The component needs more of a resource to start than it may have, or than its metadata states.
    #[error("`{id}` cannot be started: {exceeded}; the limit is {limit}")]
    LimitExceeded {
        /// The identity that the component would have.
        id: ComponentId,
        /// The request and its figures.
        exceeded: LimitExceeded,
        /// The limit, with its source.
        limit: Box<EffectiveLimit>,
    },
    /// The memory budget of the runtime has no room for the component, or for its reserve. The others go on.
    #[error(
        "`{id}` cannot be loaded, since the components of the runtime use or reserve its memory: {exceeded}; \
         unload or shut down others, or raise the budget"
    )]
    MemoryBudget {
        /// The identity that the component would have.
        id: ComponentId,
        /// The request and the figures of the budget.
        exceeded: LimitExceeded,
    },
    /// The component has a limit that cannot be enforced: on CPU time, where the system has no clock of threads, or on fuel,
    /// if its code does not count it.
    #[error(
        "`{id}` cannot be loaded, since its limit ({limit}) cannot be enforced: {}",
        unenforced(source)
    )]
    Unenforceable {
        /// The identity that the component would have.
        id: ComponentId,
        /// The limit, with its source.
        limit: Box<EffectiveLimit>,
        /// The reason.
        source: Error,
    },
    /// An operation is larger than allowed: the component was not called. Or its answer is: the answer is dropped. The
    /// component keeps running.
    #[error(
        "the {payload} of `{id}` has {bytes} bytes, more than the limit of {limit} (payload-bytes) of {origin}"
    )]
    Payload {
        /// The component.
        id: ComponentId,
        /// The payload that is too large.
        payload: Payload,
        /// Its bytes.
        bytes: u64,
        /// The limit in bytes.
        limit: u64,
        /// The source of the limit.
        origin: LimitSource,
    },
    /// The component was stopped because its call outlasted its time. It has failed.
    #[error("`{call}` of `{id}` was stopped after {} ms: {limit}", after.as_millis())]
    Timeout {
        /// The component.
        id: ComponentId,
        /// The call.
        call: Call,
        /// The time that was allowed.
        after: Duration,
        /// The limit that set this time.
        limit: TimeLimit,
    },
    /// The component was stopped because its call used more of a resource than its limits allow. It has failed.
    #[error("`{call}` of `{id}` was stopped at its limit ({limit}): {source}")]
    Limit {
        /// The component.
        id: ComponentId,
        /// The call.
        call: Call,
        /// The limit, with its source.
        limit: Box<EffectiveLimit>,
        /// The trap, with its figures.
        source: Error,
    },
    /// The component was stopped by a trap or by a host function that failed. It has failed.
    #[error("`{call}` of `{id}` was stopped: {source}")]
    Stopped {
        /// The component.
        id: ComponentId,
        /// The call.
        call: Call,
        /// The trap, or the error of the host function.
        source: Error,
    },
    /// The call did not happen; the component is unchanged.
    #[error("cannot call `{call}` of `{id}`: {source}")]
    Call {
        /// The component.
        id: ComponentId,
        /// The call.
        call: Call,
        /// The reason.
        source: Error,
    },
}

/// A payload of `execute`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Payload {
    /// The operation, from the caller.
    Operation,
    /// The answer, from the component.
    Answer,
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Payload::Operation => "operation",
            Payload::Answer => "answer",
        })
    }
}

/// A [`RuntimeConfig`](super::RuntimeConfig) that cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidConfig {
    /// The backend is not compiled in, or lacks an option.
    #[error("{0}")]
    Backend(#[source] Error),
    /// A value is zero that must not be.
    #[error("{0} must not be zero")]
    Zero(&'static str),
    /// The default time for a call is longer than the longest.
    #[error("the default timeout ({default:?}) is longer than the longest timeout ({longest:?})")]
    Timeouts {
        /// The default.
        default: Duration,
        /// The longest.
        longest: Duration,
    },
    /// A limit on a resource cannot be used.
    #[error("limit {0}")]
    Limit(#[from] InvalidLimit),
    /// The memory that is set aside for each component exceeds the memory budget: no component could be loaded.
    #[error(
        "{reserve} bytes are to be reserved for each component, more than the {budget} of the memory budget: \
         lower `with_memory_reserve`, or raise `with_memory_budget`"
    )]
    Reserve {
        /// Bytes for each component.
        reserve: u64,
        /// Bytes of the budget; 0 without one.
        budget: u64,
    },
    /// A function of the host application cannot be registered.
    #[error("{0}")]
    Function(#[from] InvalidFunction),
}

/// Reasons for which [`ComponentOptions`](super::ComponentOptions) are invalid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidOptions {
    /// The identity begins as targets of `send-message` for topics do.
    #[error("the identity `{0}` begins with `{TOPIC_PREFIX}`, which names a topic: choose another")]
    TopicId(ComponentId),
    /// An environment variable's name is empty, or holds `=` or a NUL. The text ends with the first `=`: behind it may be a
    /// secret value.
    #[error("{0:?} cannot be the name of an environment variable")]
    EnvName(String),
    /// An environment variable occurs twice.
    #[error("the environment variable `{0}` is set twice")]
    EnvTwice(String),
    /// All options together are too large.
    #[error(
        "environment, configuration data and capabilities have {bytes} bytes in total, more than the limit of {limit}"
    )]
    TooLarge {
        /// The total size in bytes.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// A setting's key or value is invalid.
    #[error("invalid setting {key:?}: {}", setting(problem))]
    Setting {
        /// The key.
        key: String,
        /// The fault.
        problem: ConfigError,
    },
    /// A limit on a resource cannot be used.
    #[error("limit {0}")]
    Limit(#[from] InvalidLimit),
    /// Memory is to be reserved for the component, and the runtime has no memory budget.
    #[error(
        "`with_memory_reserve` needs a memory budget, which the runtime does not have: set one by \
         `RuntimeConfigBuilder::with_memory_budget`"
    )]
    NoMemoryBudget,
    /// A capability is malformed.
    #[error("{0}")]
    Capability(#[from] InvalidCapability),
    /// Capabilities are granted both by the options and by a security context.
    #[error(
        "capabilities are granted by `with_capability` and by `with_security`: use one of them, and \
         `with_required_capability` for what the component requests"
    )]
    TwoGrants,
    /// The runtime requires a security context, and the options have none.
    #[error(
        "the component has no security context, which `with_osl_security_integration` requires: add one by \
         `ComponentOptions::with_security`; `SecurityContext::new()` denies everything"
    )]
    NoSecurity,
    /// The runtime requires that each component is an actor, and this one is loaded without an actor system.
    #[error(
        "the component is not loaded as an actor, which `with_rt_actor_integration` requires: load it with \
         `load_component_as_actor` or `start_actor`"
    )]
    NoActor,
    /// A capability that is granted has an unknown domain or action, or an invalid scope.
    #[error("{0}")]
    Policy(#[source] PolicyError),
    /// The compiler that the options request is not compiled in, or lacks an option.
    #[error("{0}")]
    Engine(#[source] Error),
}

/// Returns a setting's problem as a sentence.
fn setting(problem: &ConfigError) -> String {
    match problem {
        ConfigError::InvalidKey(problem) | ConfigError::Unavailable(problem) => problem.clone(),
        ConfigError::ReadOnly(key) => format!("`{key}` is fixed by the host"),
        ConfigError::Denied => "access to it is denied".to_owned(),
    }
}

/// Kinds of failure, for choosing an exit code, a status or a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The component ran and returned an error of its own.
    Answer,
    /// The component cannot be loaded or linked, or does not follow the contract.
    Load,
    /// The component was stopped by a trap, a limit or a timeout.
    Stopped,
    /// The host's call or configuration was wrong.
    Usage,
    /// The host failed.
    Host,
}

impl From<LoadError> for RuntimeError {
    fn from(error: LoadError) -> RuntimeError {
        match error {
            LoadError::Read { path, source } => RuntimeError::Read { path, source },
            LoadError::Artifact { path, source } => RuntimeError::Artifact { path, source },
            #[cfg(feature = "adapt")]
            LoadError::CoreModule(error) => RuntimeError::CoreModule(error),
            #[cfg(feature = "wai")]
            LoadError::Wai(error) => error.into(),
            LoadError::Component(error) => RuntimeError::Load(error),
            LoadError::Engine(error) => InvalidOptions::Engine(error).into(),
        }
    }
}

impl RuntimeError {
    /// Returns the kind of failure.
    pub fn kind(&self) -> ErrorKind {
        match self {
            RuntimeError::Component(_) | RuntimeError::Execution(_) => ErrorKind::Answer,
            RuntimeError::Load(Error::Trap(_))
            | RuntimeError::Timeout { .. }
            | RuntimeError::Limit { .. }
            | RuntimeError::Payload { .. } => ErrorKind::Stopped,
            RuntimeError::Stopped { source, .. } if is_guests(source) => ErrorKind::Stopped,
            RuntimeError::Call { source, .. } if source.is_limit() => ErrorKind::Stopped,
            RuntimeError::Load(source) if source.fault() == Fault::Library => ErrorKind::Host,
            #[cfg(feature = "adapt")]
            RuntimeError::CoreModule(_) => ErrorKind::Load,
            RuntimeError::Read { .. }
            | RuntimeError::Artifact { .. }
            | RuntimeError::Load(_)
            | RuntimeError::NoLifecycle { .. }
            | RuntimeError::PartialLifecycle { .. }
            | RuntimeError::ContractVersion { .. }
            | RuntimeError::LifecycleType { .. }
            | RuntimeError::Metadata { .. }
            | RuntimeError::Snapshot { .. }
            | RuntimeError::Memory { .. }
            | RuntimeError::LimitExceeded { .. }
            | RuntimeError::MemoryBudget { .. }
            | RuntimeError::Unenforceable { .. }
            | RuntimeError::Capabilities { .. } => ErrorKind::Load,
            RuntimeError::Config(_)
            | RuntimeError::Options(_)
            | RuntimeError::Id(_)
            | RuntimeError::UnknownComponent(_)
            | RuntimeError::Actor(_)
            | RuntimeError::DuplicateId(_)
            | RuntimeError::WrongState { .. }
            | RuntimeError::Busy { .. } => ErrorKind::Usage,
            RuntimeError::Stopped { .. } | RuntimeError::Call { .. } | RuntimeError::SavedSettings(..) => {
                ErrorKind::Host
            }
        }
    }

    /// Classifies the error that ended a call, or prevented it (`intact`).
    pub(super) fn of_call(
        id: &ComponentId,
        call: Call,
        allowed: &Allowance,
        limits: &EffectiveLimits,
        intact: bool,
        source: Error,
    ) -> RuntimeError {
        if intact {
            let id = id.clone();
            return RuntimeError::Call { id, call, source };
        }
        RuntimeError::of_limit(id, call, allowed, limits, source).unwrap_or_else(|source| {
            let id = id.clone();
            RuntimeError::Stopped { id, call, source }
        })
    }

    /// Returns the error of a call that a limit ended; otherwise the same error.
    pub(super) fn of_limit(
        id: &ComponentId,
        call: Call,
        allowed: &Allowance,
        limits: &EffectiveLimits,
        source: Error,
    ) -> Result<RuntimeError, Error> {
        let Some(trap) = source.trap().map(Trap::kind) else {
            return Err(source);
        };
        let id = id.clone();
        if *trap == TrapKind::Core(CoreTrap::Interrupted) {
            return Ok(RuntimeError::Timeout {
                id,
                call,
                after: allowed.time,
                limit: allowed.limit.clone(),
            });
        }
        match exceeded_in_call(limits, trap) {
            Some(limit) => Ok(RuntimeError::Limit {
                id,
                call,
                limit: Box::new(limit.clone()),
                source,
            }),
            None => Err(source),
        }
    }
}

/// Returns the reason for which a limit cannot be enforced, and the remedy.
fn unenforced(source: &Error) -> Cow<'static, str> {
    match source {
        Error::FuelNotConsumed => "the component's code does not count fuel. Build the runtime's configuration with \
             `RuntimeConfigBuilder::with_fuel_metering(true)`, a component's own engine with `Config::consume_fuel`, \
             and compile artifacts with the latter; core modules of the WAI tools cannot count"
            .into(),
        other => other.to_string().into(),
    }
}

/// Reports whether the component itself caused its end: by a trap, or by exiting.
fn is_guests(source: &Error) -> bool {
    #[cfg(feature = "wasi")]
    if crate::wasi::Exit::of(source).is_some() {
        return true;
    }
    source.trap().is_some()
}
