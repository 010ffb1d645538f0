//! The guest's types.

use airssys_wasm::component::{ComponentType, Lift, Lower};

/// `record context`.
#[derive(Debug, ComponentType, Lower)]
#[component(record)]
pub(super) struct Context {
    pub(super) id: String,
    pub(super) deadline: u64,
}

/// `variant failure`.
#[derive(Debug, ComponentType, Lift)]
#[component(variant)]
#[allow(dead_code, reason = "read in messages only")]
pub(super) enum Failure {
    #[component(name = "empty")]
    Empty,
    #[component(name = "refused")]
    Refused(String),
}
