//! Component values as WAVE text, by the crate `wasm-wave`, and calls as text: `INTERFACE#FUNC(ARGS)`.
//!
//! [`arguments`] parses values, [`to_text`] prints them, [`Call`] and [`find`] resolve the exported function.

mod call;
mod parse;
mod print;
mod types;

pub use call::{Call, CallError, Export, find};
pub use parse::{ArgumentError, arguments};
pub use print::to_text;
pub use types::holds_resource;
