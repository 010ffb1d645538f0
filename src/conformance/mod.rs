//! Whether engines behave alike: component-model test scripts, and calls compared between engines.
//!
//! An engine is a [`Subject`]: each backend of this library is one ([`Ours`]), and in a build with the feature
//! `reference` so is wasmtime. [`wast`] runs test scripts on a subject; [`compare`] makes the same calls on several and says
//! where they part: values to the last bit, failures by [`FailureKind`].

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
