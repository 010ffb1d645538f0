//! Asynchronous functions, streams and futures, on our backends and on wasmtime.

pub mod drive;
pub mod interpreter;
pub mod ours;
pub mod outcome;
pub mod program;
pub mod script;

#[cfg(feature = "reference")]
pub mod command;
#[cfg(feature = "reference")]
pub mod generate;
#[cfg(feature = "reference")]
pub mod interleavings;
#[cfg(feature = "reference")]
pub mod known;
#[cfg(feature = "reference")]
pub mod reference;
#[cfg(feature = "reference")]
pub mod values;
