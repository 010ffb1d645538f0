//! Instances whose state cannot be saved.

/// Reasons for which the state of an instance cannot be saved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnsavedState {
    /// The instance is in another store.
    #[error("the instance is in another store than the one that was passed")]
    WrongStore,
    /// It has trapped.
    #[error("the instance has trapped: its state is not one that calls lead to")]
    Poisoned,
    /// A call of it runs.
    #[error("a call of the instance is running")]
    Running,
    /// It holds resources, of the host or of its parts. Each type of them, with the number of handles if there are several.
    #[error("the component holds resources, which a file cannot have: {}; it must drop them first", .0.join(", "))]
    Resources(Vec<String>),
    /// It has subtasks, streams, futures or waitable sets, or tasks that have not ended.
    #[error(
        "the component has tasks, streams, futures or waitable sets, which a file cannot have: it must end and drop them first"
    )]
    Waitables,
    /// It has instances of core modules that it imports.
    #[error("the component imports core modules, whose code is not in its artifact")]
    ImportedModules,
    /// The state of one of its core modules cannot be saved.
    #[error("the state of core module {module} cannot be saved: {reason}")]
    Module {
        /// The module's number in the component, adapters included.
        module: u32,
        /// The reason.
        reason: String,
    },
}
