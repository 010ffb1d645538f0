//! An engine that can be asked to do what test scripts say.

use std::fmt;
use std::time::{Duration, Instant};

use super::failure::Failure;
use airssys_wasm_component::component::Val;
use airssys_wasm_component::engine::StoreLimits;

/// What a step on an engine gives.
pub type Outcome<T> = Result<T, Failure>;

/// What sessions are made with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Time for one call or instantiation; a guest that takes longer traps. 10 seconds at first.
    pub deadline: Duration,
    /// Time for all that one session does, compiling included; what is left of a script after it is not run. No limit at
    /// first.
    pub whole: Option<Duration>,
    /// Whether components may import the instance `host` that the test suites of component runtimes expect:
    /// `docs/conformance.md` lists what is in it.
    pub host_instance: bool,
    /// Whether imports that nothing provides are functions that trap when they are called, instead of an error.
    pub missing_imports_trap: bool,
    /// What one session may take of the host, on this library's backends. Scripts make hundreds of instances in one
    /// store, so there may be more memories and tables than usual, and smaller ones.
    pub limits: StoreLimits,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            deadline: Duration::from_secs(10),
            whole: None,
            host_instance: false,
            missing_imports_trap: false,
            limits: StoreLimits {
                memory_bytes: 256 << 20,
                memories: 2_000,
                table_elements: 100_000,
                tables: 2_000,
                ..StoreLimits::default()
            },
        }
    }
}

impl Options {
    /// The end of a session that begins now.
    pub(super) fn end(&self) -> Option<Instant> {
        self.whole.and_then(|whole| Instant::now().checked_add(whole))
    }
}

/// An engine under test.
pub trait Subject: fmt::Debug {
    /// Its name in tables: `cranelift`, `wasmtime`.
    fn name(&self) -> &str;

    /// A store of its own, for one script or one list of calls.
    fn session(&self, options: &Options) -> Box<dyn Session>;
}

/// A component that a [`Session`] has compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition(pub(super) usize);

/// An instance in a [`Session`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceId(pub(super) usize);

/// One store of an engine, and what was made in it.
pub trait Session {
    /// Validates and compiles a component.
    ///
    /// # Errors
    /// [`FailureKind::Invalid`](super::FailureKind::Invalid), [`FailureKind::Unsupported`](super::FailureKind::Unsupported).
    fn define(&mut self, bytes: &[u8]) -> Outcome<Definition>;

    /// Makes an instance, its imports met by the instances that are registered.
    ///
    /// # Errors
    /// [`FailureKind::Unlinkable`](super::FailureKind::Unlinkable), and traps of start functions.
    fn instantiate(&mut self, definition: Definition) -> Outcome<InstanceId>;

    /// Lets later components import the exports of `instance` as the instance `name`.
    ///
    /// # Errors
    /// [`FailureKind::Unsupported`](super::FailureKind::Unsupported) for exports that this engine cannot hand on.
    fn register(&mut self, name: &str, instance: InstanceId) -> Outcome<()>;

    /// Calls an exported function. `path` is its name, with those of the instances around it in front.
    /// A list stands for a list of fixed length too.
    ///
    /// # Errors
    /// Traps; [`FailureKind::Host`](super::FailureKind::Host) for a function that is not there, or takes other values.
    fn call(&mut self, instance: InstanceId, path: &[&str], arguments: &[Val]) -> Outcome<Option<Val>>;
}
