//! The fuzz targets, one module each.
//!
//! A target panics, and so ends the process, if something is found: a panic that leaves the library, an error that says
//! it is a bug, two paths that disagree, or more host memory than a limit allows. Guests that loop are interrupted.

pub mod async_builtins;
pub mod component_bytes;
pub mod guest_memory;
pub mod host_memory;
pub mod wast_script;

mod abi;
mod abi_guest;
mod abi_input;
mod guest;
mod real_guest;
mod types;
mod values;
mod watchdog;

#[path = "../../library/equality/typed.rs"]
mod typed;

use airssys_wasm::error::{Error, Fault};

/// Lets panics pass that the library catches, which are those of a compiler: `libfuzzer-sys` has a hook that ends the
/// process at any. A panic that nothing catches still ends it, a frame further out.
pub fn allow_caught_panics() {
    std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
}

/// An error may be anybody's fault but ours, and has something to say.
fn expect_no_bug(error: &Error) {
    let text = error.to_string();
    assert!(error.fault() != Fault::Library && !text.is_empty(), "{error:?}");
}
