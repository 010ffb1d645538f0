//! Asynchronous functions, streams and futures between components and the host.
#![cfg(feature = "compile")]
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "host/calls.rs"]
mod calls;
#[path = "host/cut.rs"]
mod cut;
#[path = "host/direct.rs"]
mod direct;
#[path = "host/document.rs"]
mod document;
#[path = "host/ends.rs"]
mod ends;
#[path = "host/futures.rs"]
mod futures;
#[path = "host/hostile.rs"]
mod hostile;
#[path = "host/linked.rs"]
mod linked;
#[path = "host/misuse.rs"]
mod misuse;
#[path = "host/others.rs"]
mod others;
#[path = "host/streams.rs"]
mod streams;
#[path = "host/support.rs"]
mod support;
#[path = "host/wakes.rs"]
mod wakes;
