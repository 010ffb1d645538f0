//! Component-model test scripts, and calls compared between engines.
//!
//! An engine is a [`Subject`]: each backend of this library is one ([`Ours`]), and in a build with the feature `reference`
//! so is wasmtime. [`wast`] runs test scripts on a subject; [`compare`] makes the same calls on several and reports
//! differences: values to the last bit, failures by [`FailureKind`]. The feature `reference` adds the tables of hostile
//! inputs, the cases of WASI, and the differential runs.

#[cfg(feature = "reference")]
extern crate airssys_wasm_component as airssys_wasm;

pub mod asynchronous;
mod calls;
mod compare;
mod failure;
mod host;
mod ours;
#[cfg(feature = "reference")]
mod reference;
mod same;
mod show;
mod subject;
mod text;
pub mod wast;

#[cfg(feature = "reference")]
pub mod differential;
#[cfg(feature = "reference")]
pub mod document;
#[cfg(feature = "reference")]
pub mod engines;
#[cfg(feature = "reference")]
pub mod fixtures;
#[cfg(feature = "reference")]
pub mod hostile;
#[cfg(feature = "reference")]
pub mod matrix;
#[cfg(feature = "reference")]
pub mod scripts;
#[cfg(feature = "reference")]
pub mod tables;
#[cfg(feature = "reference")]
pub mod wasi;

pub use calls::{Call, Calls, CallsError};
pub use compare::{CompareError, Comparison, Fault, Row, compare};
pub use failure::{Failure, FailureKind, TrapClass};
pub use ours::Ours;
#[cfg(feature = "reference")]
pub use reference::Reference;
pub use same::same_bits;
pub use show::show;
pub use subject::{Definition, InstanceId, Options, Outcome, Session, Subject};
pub use text::{TextError, to_binary};
