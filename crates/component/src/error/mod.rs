//! Errors and traps, and the party that must act on them.

mod backend;
mod concurrency;
mod limit;
mod unsaved_state;

use std::fmt;
use std::time::Duration;

use airssys_wasm_abi::AbiError;

pub use self::backend::{BackendFeature, TargetError};
pub use self::concurrency::AsyncTrap;
pub use self::limit::LimitExceeded;
pub use self::unsaved_state::UnsavedState;

/// The library's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the component layer.
///
/// [`Error::fault`] distinguishes three kinds: the guest's (its bytes are invalid, or it trapped), the host's (a
/// missing import, a wrong argument, a backend that is not there) and this library's (a bug: please report it).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not a valid component.
    #[error("invalid component at byte offset {offset:#x}: {message}")]
    InvalidComponent {
        /// Offset of the defect, in bytes from the start of the input.
        offset: u64,
        /// Description of the defect.
        message: String,
    },

    /// The bytes are a core module.
    #[error(
        "this is a core WebAssembly module, not a component: lift it to a component first \
         (for example with wit-component), or build it with a toolchain that produces components"
    )]
    CoreModule,

    /// The bytes are a component, where a core module is needed.
    #[error("this is a component, not a core WebAssembly module: load it with `Component::from_binary`")]
    Component,

    /// The bytes are not a valid core module.
    #[error("invalid core module at byte offset {offset:#x}: {message}")]
    InvalidModule {
        /// Where in the input, in bytes from its start.
        offset: u64,
        /// Description of the fault.
        message: String,
    },

    /// The bytes are not WebAssembly.
    #[error("this is not WebAssembly: {0}")]
    NotWasm(String),

    /// The component uses a feature outside the supported set.
    #[error("unsupported component: {0}")]
    Unsupported(String),

    /// The component is valid, but uses features outside the supported set.
    #[error(
        "unsupported component: it needs {}, which no backend of this build supports in components{}: {message}",
        features.join(", "),
        place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default()
    )]
    MissingFeatures {
        /// The features, as validators name them: `component-model-async`.
        features: Vec<String>,
        /// The first function that uses one of them, if core code does.
        place: Option<String>,
        /// The validator's message about the first use.
        message: String,
    },

    /// The component or core module is valid, but its backend does not compile a feature that it uses.
    #[error("{0}")]
    BackendFeature(Box<BackendFeature>),

    /// A core module did not compile.
    #[error("core module {module} of the component does not compile with {backend}: {message}")]
    Compile {
        /// Index of the module among the component's core modules, adapters included.
        module: usize,
        /// The backend's name.
        backend: String,
        /// The compiler's message.
        message: String,
    },

    /// The chosen backend is not part of this build.
    #[error(
        "the backend `{backend}` is not compiled in: build with `--features {backend}` (see `airssys-wasm backends`)"
    )]
    BackendUnavailable {
        /// The backend's name.
        backend: String,
    },

    /// The library of a compiler that is loaded when it is needed cannot be loaded, as LLVM's.
    #[error(
        "the backend `{backend}` cannot compile: {message}. Install LLVM 22's shared library (Debian's package libllvm22), or \
         name its folder in LD_LIBRARY_PATH; artifacts of this backend run without it"
    )]
    CompilerLibrary {
        /// The backend's name.
        backend: String,
        /// The system's message.
        message: String,
    },

    /// A tiered start was requested, but there are fewer than two compilers for the target.
    #[error(
        "a tiered start needs two compilers, a fast one (singlepass, cranelift) and an optimizing one (llvm, \
         cranelift), but this build has {available} for the target: build with more of these features"
    )]
    OneCompiler {
        /// The compilers that are available.
        available: String,
    },

    /// The engine has no compiler.
    #[error(
        "this build has no compiler and runs only precompiled artifacts: compile the component for this host \
         with `airssys-wasm compile` of a build that has a compiler, and use the artifact"
    )]
    NoCompiler,

    /// The chosen backend lacks an option.
    #[error("the backend `{backend}` has no {option}: {hint}")]
    EngineOption {
        /// The backend's name.
        backend: String,
        /// The requested option.
        option: String,
        /// Advice: the choices that exist.
        hint: String,
    },

    /// The backend cannot compile for the target.
    #[error("{0}")]
    Target(#[source] TargetError),

    /// The engine's code does not run on this machine.
    #[error(
        "the engine compiles for {target}, but this host is {host}: its code cannot run here, only be saved to artifacts \
         (`artifact::compile`)"
    )]
    ForeignTarget {
        /// The engine's target.
        target: String,
        /// The target of this host.
        host: String,
    },

    /// The operating system provides no threads to compile with.
    #[error(
        "cannot spawn threads for the compiler: {0}; raise the process's thread limit (`ulimit -u`, the `pids.max` of \
         its cgroup), or run a precompiled artifact"
    )]
    NoThread(#[source] std::io::Error),

    /// The callback of [`Engine::watched`](crate::engine::Engine::watched) stopped the compilation.
    #[error("the compilation was canceled")]
    Stopped,

    /// The linker defines nothing for an import.
    #[error("import `{name}` is missing: {hint}")]
    MissingImport {
        /// The import; `#item` follows the name of an instance.
        name: String,
        /// The item that the component needs, and what the linker defines instead.
        hint: String,
    },

    /// The linker's definition of an import has another type.
    #[error("import `{name}` has the wrong type: {message}")]
    ImportType {
        /// The import; `#item` follows the name of an instance.
        name: String,
        /// The expected and the found type.
        message: String,
    },

    /// A name is defined twice in a linker.
    #[error("`{0}` is already defined in this linker; allow shadowing, or define it once")]
    Redefined(String),

    /// The component has no such export.
    #[error("there is no exported {kind} `{name}`; {hint}")]
    MissingExport {
        /// The kind of export: a function, an instance.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Advice: the exports that exist.
        hint: String,
    },

    /// Instantiation failed before any guest code ran, because memory was unavailable for example.
    #[error("the component cannot be instantiated: {0}")]
    Instantiate(String),

    /// Instantiation would exceed a limit of the store, or the memory budget that it shares with others.
    #[error("the component cannot be instantiated: {0}")]
    LimitExceeded(LimitExceeded),

    /// Fuel was set in a store whose code does not consume it.
    #[error(
        "the store's fuel cannot be limited: code in it does not consume fuel; compile the component with `Config::consume_fuel`"
    )]
    FuelNotConsumed,

    /// This build or system cannot limit the CPU time of calls.
    #[error(
        "cannot limit CPU time: {0}; it needs Linux and the feature `interrupt`: limit the time of calls by deadlines instead"
    )]
    CpuLimit(#[source] std::io::Error),

    /// The host passed values that do not fit the function's type, or asked for a type that the function does not have.
    #[error("{0}")]
    Argument(AbiError),

    /// The Rust type of a typed function does not fit the component's type.
    #[error("type mismatch {place} of `{function}`: {message}")]
    TypeMismatch {
        /// The function, as it was looked up: `run`, `ns:pkg/interface@1.0.0#run`.
        function: String,
        /// The parameter or result that differs.
        place: String,
        /// The expected and the found type.
        message: String,
    },

    /// The host used a resource handle that it does not hold, or made a call for which there is no room beside the store's handles and tasks.
    #[error("resource: {0}")]
    Resource(ResourceError),

    /// A handle or an instance was used with a store that it does not belong to.
    #[error("{0} belongs to another store")]
    WrongStore(&'static str),

    /// Calls are suspended in such a way that what was asked of them, or of the thread, is not possible.
    #[error("suspended calls: {0}")]
    SuspendedCalls(&'static str),

    /// The guest trapped. Its instance refuses further calls.
    #[error("{0}")]
    Trap(Box<Trap>),

    /// A host function failed, and the guest that called it trapped.
    #[error("host function `{name}` failed: {source}")]
    Host {
        /// The import that was called.
        name: String,
        /// The error that the host function returned.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// A library that this host is built on panicked on an input.
    #[error("{place} panicked, which is a bug in it: {message}")]
    Panicked {
        /// The library's part: `the translator`.
        place: String,
        /// The panic's text; with its place in the source if [`quiet_contained`](crate::quiet_contained) was called.
        message: String,
    },

    /// A state that should not occur.
    #[error("internal error (a bug in airssys-wasm): {0}")]
    Bug(String),
}

/// The party that must act on an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The guest: the component is invalid, or broke a rule.
    Guest,
    /// The host's code or configuration.
    Host,
    /// This library.
    Library,
}

impl Error {
    /// Returns the party that must act on the error.
    pub fn fault(&self) -> Fault {
        match self {
            Error::InvalidComponent { .. }
            | Error::CoreModule
            | Error::Component
            | Error::InvalidModule { .. }
            | Error::NotWasm(_)
            | Error::Unsupported(_)
            | Error::MissingFeatures { .. }
            | Error::BackendFeature(_)
            | Error::Compile { .. }
            | Error::Instantiate(_)
            | Error::LimitExceeded(_)
            | Error::Trap(_) => Fault::Guest,
            Error::Bug(_) | Error::Panicked { .. } => Fault::Library,
            _ => Fault::Host,
        }
    }

    /// Returns the trap, if the error is one.
    pub fn trap(&self) -> Option<&Trap> {
        match self {
            Error::Trap(trap) => Some(trap),
            _ => None,
        }
    }

    /// Reports whether a value of the host exceeds the size that may cross into a guest.
    pub fn is_limit(&self) -> bool {
        matches!(self, Error::Argument(AbiError::ValueTooLong { .. }))
    }

    #[doc(hidden)]
    pub fn bug(what: impl Into<String>) -> Error {
        Error::Bug(what.into())
    }
}

impl From<TrapKind> for Error {
    fn from(kind: TrapKind) -> Error {
        Error::Trap(Box::new(Trap {
            kind,
            frames: Frames::default(),
        }))
    }
}

impl From<ResourceError> for Error {
    fn from(error: ResourceError) -> Error {
        Error::Trap(Box::new(Trap {
            kind: TrapKind::Resource(error),
            frames: Frames::default(),
        }))
    }
}

impl From<AbiError> for Error {
    fn from(error: AbiError) -> Error {
        if let AbiError::Unsupported { .. } = error {
            Error::Unsupported(error.to_string())
        } else if error.is_guest_fault() {
            TrapKind::Abi(error).into()
        } else {
            Error::Argument(error)
        }
    }
}

/// The reason for which a guest was stopped, and its call stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trap {
    kind: TrapKind,
    frames: Frames,
}

/// A call stack, innermost frame first: [`INNERMOST_FRAMES`] and [`OUTERMOST_FRAMES`] of it at most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Frames {
    kept: Vec<String>,
    /// Number of frames left out behind the innermost ones.
    left_out: usize,
}

/// Innermost frames of a call stack that are kept. Stops a guest that recurses from filling the host's log with 60,000
/// lines for each trap.
pub const INNERMOST_FRAMES: usize = 24;

/// Outermost frames of a call stack that are kept, in addition to [`INNERMOST_FRAMES`].
pub const OUTERMOST_FRAMES: usize = 8;

impl Trap {
    /// Creates a trap; formats the frames of the call stack that are kept, and counts the others.
    #[doc(hidden)]
    pub fn new<F>(kind: TrapKind, stack: &[F], text: impl Fn(&F) -> String) -> Trap {
        let left_out = stack.len().saturating_sub(INNERMOST_FRAMES + OUTERMOST_FRAMES);
        let outer = match left_out {
            0 => stack.get(INNERMOST_FRAMES..),
            _ => stack.get(stack.len() - OUTERMOST_FRAMES..),
        };
        let inner = stack.get(..INNERMOST_FRAMES).unwrap_or(stack);
        let kept = inner.iter().chain(outer.unwrap_or_default());
        let frames = Frames {
            kept: kept.map(text).collect(),
            left_out,
        };
        Trap { kind, frames }
    }

    /// Returns a trap with the same call stack and another reason.
    #[doc(hidden)]
    pub fn because(&self, kind: TrapKind) -> Trap {
        Trap {
            kind,
            frames: self.frames.clone(),
        }
    }

    /// Returns the reason.
    pub fn kind(&self) -> &TrapKind {
        &self.kind
    }

    /// Returns the guest's call stack, innermost frame first, as far as it is known and kept: of a deep one,
    /// [`INNERMOST_FRAMES`] and [`OUTERMOST_FRAMES`].
    pub fn frames(&self) -> &[String] {
        &self.frames.kept
    }

    /// Returns the number of frames left out behind the innermost ones.
    pub fn frames_left_out(&self) -> usize {
        self.frames.left_out
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "trap: {}", self.kind)?;
        let Frames { kept, left_out } = &self.frames;
        for (index, frame) in kept.iter().enumerate() {
            let skipped = match index < INNERMOST_FRAMES {
                true => 0,
                false => *left_out,
            };
            if index == INNERMOST_FRAMES && *left_out > 0 {
                write!(f, "\n    … {left_out} frames are left out …")?;
            }
            write!(f, "\n    {}: {frame}", index + skipped)?;
        }
        Ok(())
    }
}

impl std::error::Error for Trap {}

/// The reasons for a trap.
///
/// Includes the traps of [Component Invariants], [Component Instances], [`canon lift`] and [Lifting and Lowering Values].
///
/// [`canon lift`]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#canon-lift
/// [Component Instances]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#component-instances
/// [Component Invariants]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/Explainer.md#component-invariants
/// [Lifting and Lowering Values]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#lifting-and-lowering-values
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrapKind {
    /// A core WebAssembly trap.
    #[error("{0}")]
    Core(CoreTrap),
    /// A value or pointer that breaks the canonical ABI.
    #[error("canonical ABI: {0}")]
    Abi(AbiError),
    /// A handle that breaks the rules of resources.
    #[error("resource: {0}")]
    Resource(ResourceError),
    /// A misuse of tasks, waitables, streams or futures.
    #[error("{0}")]
    Async(AsyncTrap),
    /// An adapter between two components stopped the call.
    #[error("component-to-component call: {0}")]
    Adapter(String),
    /// The guest called an import during realloc or post-return, where it must not leave the instance.
    #[error("cannot leave the component instance during realloc or post-return")]
    CannotLeave,
    /// The host, or a host function, called into a component that is executing.
    #[error("cannot enter component instance: it is already executing (reentrance)")]
    Reentrance,
    /// The instance trapped before.
    #[error("cannot enter component instance: it trapped before and refuses further calls")]
    Poisoned,
    /// The guest kept a borrow beyond the call that lent it.
    #[error("{0} borrow handle(s) still remain at the end of the call: the guest must drop what it borrowed")]
    BorrowsRemain(u32),
    /// A named limit was reached.
    #[error("limit reached: {0}")]
    Limit(String),
    /// The call used up its limit on CPU time.
    #[error("the call used {used:?} of CPU time, more than its limit of {limit:?}")]
    CpuTime {
        /// The limit.
        limit: Duration,
        /// The CPU time of the calling thread from the limit's start on, host functions included.
        used: Duration,
    },
    /// The guest consumed all fuel of its store.
    #[error("all fuel consumed: {given} units were given")]
    OutOfFuel {
        /// The fuel that was set last.
        given: u64,
    },
    /// An import that nothing provides was called.
    #[error("the import `{0}` was called, but nothing provides it")]
    UnresolvedImport(String),
    /// A library that serves an import panicked in the guest's call.
    #[error("the library behind {place} panicked, which is a bug in it: {message}")]
    Panicked {
        /// The import, as in `` `wasi_snapshot_preview1#path_rename` ``, or the step that led there.
        place: String,
        /// The panic's text; with its place in the source if [`quiet_contained`](crate::quiet_contained) was called.
        message: String,
    },
    /// A realloc, post-return or destructor of the wrong type or shape, or a use of a host interface that breaks its rules.
    #[error("{0}")]
    Other(String),
}

/// The traps of core WebAssembly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CoreTrap {
    /// `unreachable` was executed, as most languages do to abort.
    #[error("unreachable code was executed")]
    Unreachable,
    /// The guest's stack is used up.
    #[error("call stack exhausted")]
    StackOverflow,
    /// A load or store outside linear memory.
    #[error("out of bounds memory access")]
    MemoryOutOfBounds,
    /// A table access outside the table.
    #[error("undefined element: out of bounds table access")]
    TableOutOfBounds,
    /// An indirect call to a null element.
    #[error("uninitialized element")]
    IndirectCallToNull,
    /// An indirect call with the wrong signature.
    #[error("indirect call type mismatch")]
    BadSignature,
    /// Integer overflow.
    #[error("integer overflow")]
    IntegerOverflow,
    /// Integer division by zero.
    #[error("integer divide by zero")]
    DivisionByZero,
    /// Conversion of a float that no integer represents.
    #[error("invalid conversion to integer")]
    BadConversion,
    /// Stopped by the host.
    #[error("interrupted by the host")]
    Interrupted,
    /// Another trap of the engine.
    #[error("trap in WebAssembly code")]
    Other,
}

/// Misuse of a resource handle.
///
/// The checks of [Resource State].
///
/// [Resource State]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#resource-state
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResourceError {
    /// No such handle: forged, stale, or dropped before.
    #[error("unknown handle index {0}")]
    UnknownHandle(u32),
    /// A handle of another resource type.
    #[error("handle index {0} used with the wrong type")]
    WrongType(u32),
    /// A borrow where an own is needed.
    #[error("handle index {0} is a borrow and cannot be transferred")]
    NotOwned(u32),
    /// An own that is lent at this moment.
    #[error("cannot remove owned resource of handle index {0} while borrowed")]
    Lent(u32),
    /// Too many handles, loans of handles, or values in a [`ResourceTable`](crate::component::ResourceTable): the limit.
    #[error("the resource table is full: the limit of {0} handles and loans of handles is reached (handles)")]
    TableFull(u32),
    /// The host used a [`ResourceAny`](crate::component::ResourceAny) that is no longer live: consumed,
    /// dropped, or borrowed for a call that has ended.
    #[error("the host's resource handle is no longer live")]
    Stale,
    /// The host used a resource of another type.
    #[error("the host's resource handle is of another resource type")]
    HostType,
    /// The host gave away a resource that it only borrows.
    #[error("the host's resource handle is a borrow and cannot be transferred")]
    HostNotOwned,
    /// The host gave away a resource that it lends at this moment.
    #[error("the host's resource handle is lent to a call that is still running")]
    HostLent,
}

#[cfg(test)]
mod tests;
