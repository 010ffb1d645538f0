//! `bindgen!`: every world of `tests/wit/accepted` compiles and fits a component of that world; a real guest is called and
//! calls back; each option has its documented effect.

mod concurrent;
mod hosts;
mod options;
mod types;
mod worlds;

use airssys_wasm_test_support as common;
