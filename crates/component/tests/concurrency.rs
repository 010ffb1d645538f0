//! Concurrency of components in one store: many tasks, traps among them, ends of stores, deadlines, host functions.
#![cfg(feature = "compile")]
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "concurrency/apart.rs"]
mod apart;
#[path = "concurrency/artifacts.rs"]
mod artifacts;
#[path = "concurrency/cancel.rs"]
mod cancel;
#[path = "concurrency/ends.rs"]
mod ends;
#[path = "concurrency/many.rs"]
mod many;
#[path = "concurrency/nested.rs"]
mod nested;
#[path = "concurrency/refusals.rs"]
mod refusals;
#[path = "concurrency/support.rs"]
mod support;
#[path = "concurrency/threads.rs"]
mod threads;
