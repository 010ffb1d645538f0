//! Traps of the component model's concurrency.

use super::{Error, TrapKind};

/// A trap of a task, or of a built-in of the component model's concurrency.
///
/// The checks of [Canonical Definitions].
///
/// [Canonical Definitions]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#canonical-definitions
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AsyncTrap {
    /// A task whose function is not `async` waits, and nothing of its instance can run meanwhile.
    #[error("cannot block a synchronous task before returning")]
    CannotBlock,
    /// All tasks wait for each other.
    #[error("deadlock detected: event loop cannot make further progress")]
    Deadlock,
    /// A callback returned a number that is no code.
    #[error("unsupported callback code: {0}")]
    CallbackCode(u32),
    /// A task ended before it returned a result, or confirmed its cancellation.
    #[error("the task ended without `task.return` or `task.cancel`")]
    NotReturned,
    /// A task returned a second result.
    #[error("`task.return` or `task.cancel` called more than once for the current task")]
    ReturnedTwice,
    /// `task.return` has another result type, memory or string encoding than the task's function.
    #[error("invalid `task.return` signature and/or options for the current task")]
    ReturnOptions,
    /// `task.return` or `task.cancel` by a task that was not lifted asynchronously.
    #[error("`task.return` or `task.cancel` called by a synchronously lifted function")]
    NotAsync,
    /// `task.cancel` by a task that was not cancelled.
    #[error("`task.cancel` called by a task which has not been cancelled")]
    NotCancelled,
    /// A waitable set was dropped that has waitables.
    #[error("cannot drop waitable set with waitables in it")]
    SetNotEmpty,
    /// A waitable set was dropped that a thread waits for.
    #[error("cannot drop waitable set with waiters")]
    SetWaitedFor,
    /// A waitable is used synchronously and in a set at a time.
    #[error("waitable cannot be used synchronously while added to a waitable set")]
    InSet,
    /// A subtask was dropped before its caller learned of its end.
    #[error("cannot drop a subtask which has not yet resolved")]
    SubtaskNotResolved,
    /// A subtask was cancelled whose end is known, or whose cancellation was requested before.
    #[error("`subtask.cancel` called after terminal status delivered or cancellation requested")]
    CancelledTwice,
    /// More than 65,535 calls of `backpressure.inc`, or one of `backpressure.dec` too many.
    #[error("backpressure counter overflow or underflow")]
    Backpressure,
    /// There is no thread of this index in the component instance.
    #[error("unknown thread index {0}")]
    UnknownThread(u32),
    /// The thread of this index runs, or waits for something else than to be resumed.
    #[error("cannot resume thread which is not suspended")]
    NotSuspended(u32),
    /// Misuse of a stream or future.
    #[error("{0}")]
    Transmit(&'static str),
}

impl From<AsyncTrap> for Error {
    fn from(trap: AsyncTrap) -> Error {
        TrapKind::Async(trap).into()
    }
}
