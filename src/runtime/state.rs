//! Component states, and the calls that each allows.

use std::fmt;

/// The state of a component.
///
/// | state         | `init`        | `execute`     | `metadata`, `health`, `supported-codecs` | `shutdown`  |
/// |---------------|---------------|---------------|------------------------------------------|-------------|
/// | `Created`     | → initialized | refused       | allowed                                  | refused     |
/// | `Initialized` | refused       | → executing   | allowed                                  | → shut down |
/// | `Executing`   | busy          | busy          | busy; metadata that is known is given    | busy        |
/// | `ShutDown`    | refused       | refused       | refused                                  | refused     |
/// | `Failed`      | refused       | refused       | refused                                  | refused     |
///
/// A trap, a call that exceeds a limit, and an error from `init` lead to `Failed`; an error from `execute` does not, and
/// one from `shutdown` leads to `ShutDown` all the same. Loading gives `Created`, or `Initialized` for a
/// [snapshot](crate::ComponentRuntime::snapshot), whose `init` does nothing. `unload` is possible in every state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ComponentState {
    /// Loaded and instantiated; not initialized yet.
    Created,
    /// Ready for operations.
    Initialized,
    /// Running an operation.
    Executing,
    /// Shut down. Its instance is freed.
    ShutDown,
    /// Trapped, exceeded a limit, or refused its configuration. Its instance is freed.
    Failed,
}

impl fmt::Display for ComponentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            ComponentState::Created => "created",
            ComponentState::Initialized => "initialized",
            ComponentState::Executing => "executing",
            ComponentState::ShutDown => "shut down",
            ComponentState::Failed => "failed",
        })
    }
}

/// A call into a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// `init`
    Init,
    /// `execute`
    Execute,
    /// `metadata`
    Metadata,
    /// `health`
    Health,
    /// `supported-codecs`
    SupportedCodecs,
    /// `shutdown`
    Shutdown,
    /// The saving of its state, for a snapshot. The runtime makes it.
    Snapshot,
    /// The instantiation, in which start functions run. The runtime makes it when it loads the component.
    Instantiate,
}

impl Call {
    /// Returns the function's name in the contract; `snapshot` and `instantiate` for the two that have none there.
    pub fn name(self) -> &'static str {
        match self {
            Call::Init => "init",
            Call::Execute => "execute",
            Call::Metadata => "metadata",
            Call::Health => "health",
            Call::SupportedCodecs => "supported-codecs",
            Call::Shutdown => "shutdown",
            Call::Snapshot => "snapshot",
            Call::Instantiate => "instantiate",
        }
    }

    /// Reports whether the contract allows the call in a state.
    pub(super) fn is_allowed(self, state: ComponentState) -> bool {
        match self {
            Call::Init => state == ComponentState::Created,
            Call::Execute | Call::Shutdown | Call::Snapshot => state == ComponentState::Initialized,
            Call::Metadata | Call::Health | Call::SupportedCodecs => {
                matches!(state, ComponentState::Created | ComponentState::Initialized)
            }
            Call::Instantiate => false,
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Returns the remedy for a call in the wrong state, for the error's message.
pub(super) fn advice(state: ComponentState, call: Call) -> &'static str {
    match (state, call) {
        (ComponentState::Created, Call::Shutdown) => "there is nothing to shut down: unload it",
        (ComponentState::Created, _) => "call `init` first",
        (ComponentState::Initialized | ComponentState::Executing, _) => "`init` can be called only once",
        (ComponentState::ShutDown | ComponentState::Failed, _) => "unload it and load it again",
    }
}
