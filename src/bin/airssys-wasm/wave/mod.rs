//! Component values as WAVE text, by the crate `wasm-wave`: [`parse`] makes values, [`print`] writes them.

mod parse;
mod print;
mod types;

pub(crate) use parse::{ArgumentError, arguments};
pub(crate) use print::to_text;
pub(crate) use types::holds_resource;
