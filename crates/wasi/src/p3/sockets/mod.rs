//! `wasi:sockets` 0.3, over the sockets of 0.2: the same resources, grants and limits. Waits let the store's other tasks run.

mod accept;
mod error;
mod lookup;
mod tcp;
mod tcp_streams;
mod udp;

use super::bindings::wasi::sockets::types;
use crate::WasiCtx;

impl types::Host for WasiCtx {}
