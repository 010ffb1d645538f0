//! Core modules that are built with the WAI tools of wasmer's older ecosystem, run as components of the contract.
//!
//! `wit/wai` describes the contract in WAI, and `glue.rs` is the code that wai-bindgen-wasmer generates from it. That glue
//! trusts the guest's pointers and lengths: it would allocate before it checks them, run the guest in the middle of
//! reading, or panic. So everything is checked before it gets there: `guard.rs` wraps it on both sides, and `reach.rs`
//! follows pointers by the types in `contract.rs`.
//!
//! A module has one memory of its own, of which the glue can address 2 GiB, and imports only the contract.

mod contract;
mod glue;
mod guard;
mod guest;
mod host;
mod reach;
pub(crate) mod support;
mod values;

pub use contract::WaiError;
pub(crate) use guest::{WaiGuest, WaiModule, WaiTimes};

use wasmparser::{Encoding, ExternalKind, Parser, Payload};

/// Reports whether the bytes are a core module that was built with the WAI tools: it exports their allocation functions.
pub fn is_wai_module(bytes: &[u8]) -> bool {
    if !bytes.starts_with(b"\0asm\x01\0\0\0") {
        return false;
    }
    for payload in Parser::new(0).parse_all(bytes) {
        match payload {
            Ok(Payload::Version {
                encoding: Encoding::Component,
                ..
            })
            | Err(_) => return false,
            Ok(Payload::ExportSection(exports)) => {
                return exports
                    .into_iter()
                    .flatten()
                    .any(|export| export.kind == ExternalKind::Func && export.name == contract::REALLOC);
            }
            Ok(_) => {}
        }
    }
    false
}
