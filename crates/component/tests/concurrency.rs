//! Concurrency of components in one store: many tasks, traps among them, ends of stores, deadlines, host functions.
#![cfg(feature = "compile")]
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "concurrency/artifacts.rs"]
mod artifacts;
#[path = "concurrency/ends.rs"]
mod ends;
#[path = "concurrency/many.rs"]
mod many;
#[path = "concurrency/nested.rs"]
mod nested;
#[path = "concurrency/support.rs"]
mod support;
