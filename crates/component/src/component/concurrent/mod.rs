//! Concurrency of the component model: tasks, subtasks, waitables, streams and futures.
//!
//! Implements [Concurrency] for components that use it; others never reach this code. A task's code runs on a [fiber](crate::engine::Fiber),
//! which a built-in that blocks suspends. A task that waits in its callback holds no stack. One thread of a store runs at a time: the
//! scheduler in [`run`] resumes those that are ready, on the stack of the host's call.
//!
//! | module | content |
//! |---|---|
//! | `state` | the store's tasks, threads and waitables |
//! | `run` | resuming threads, and their end |
//! | `block` | waits of the running thread |
//! | `ready` | the queues of threads |
//! | `stacks` | stacks for threads, and threads that wait for one |
//! | `task` | a task from its start to its end |
//! | `cancel` | requests to cancel a task |
//! | `threads` | several threads of one task |
//! | `adapters` | calls from one component to another |
//! | `host_call` | calls by the host that wait for their end |
//! | `host` | other calls by the host, its functions, its ends of streams and futures |
//! | `waitable` | events, waitable sets, subtasks |
//! | `transmit`, `copy` | streams and futures, and the copies between their ends |
//! | `builtins` | the core functions that guests import |
//! | `counts` | what is left, for tests |
//!
//! [Concurrency]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/Concurrency.md

mod adapters;
mod block;
pub(super) mod builtins;
mod cancel;
mod copy;
mod counts;
pub(super) mod host;
pub(super) mod host_call;
mod ready;
mod run;
mod stacks;
pub(super) mod state;
mod task;
mod threads;
mod transmit;
mod waitable;

#[doc(hidden)]
pub use counts::ConcurrencyCounts;
pub(super) use run::{abort_all, without_storage};
