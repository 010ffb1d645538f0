//! `bindgen!`: every world of `tests/wit/accepted` compiles and fits a component of that world; a real guest is called
//! and calls back; each option does what it says.

mod hosts;
mod options;
mod types;
mod worlds;

use airssys_wasm_test_support as common;
