//! Core modules that are built with the WAI tools of wasmer's older ecosystem, run as components of the contract.
//!
//! `wit/wai` has the contract in WAI, and `glue.rs` what wai-bindgen-wasmer makes of it. That glue takes pointers and lengths as
//! guests give them, and would allocate by them before it looks, run the guest in the midst of reading, or panic. So nothing
//! reaches it that was not checked: `guard.rs` stands on both sides of it, with `reach.rs` to follow pointers, as
//! `contract.rs` describes them.
//!
//! A module has one memory of its own, which the glue reaches up to 2 GiB, and imports nothing but the contract.

mod contract;
mod glue;
mod guard;
mod guest;
mod host;
mod reach;
pub(crate) mod support;
mod values;

pub(crate) use contract::Refused;
pub(crate) use guest::{WaiGuest, WaiModule};

use wasmparser::{Encoding, ExternalKind, Parser, Payload};

/// Whether the bytes are a core module that was built with the WAI tools: it exports what these allocate with.
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
