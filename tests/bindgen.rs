//! `bindgen!`: every world of `tests/wit/accepted` compiles and fits a component of that world; a real guest is called
//! and calls back; each option does what it says.

#[path = "bindgen/hosts.rs"]
mod hosts;
#[path = "bindgen/options.rs"]
mod options;
#[path = "bindgen/types.rs"]
mod types;
#[path = "bindgen/worlds.rs"]
mod worlds;

mod common;
