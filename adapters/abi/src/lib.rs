//! The canonical ABI of the WebAssembly component model, for synchronous calls and 32-bit memories.
//!
//! [`Type`] and [`FuncType`] describe what crosses a boundary. [`FuncPlan::new`] works out everything that can be
//! known before a call (sizes, alignments, offsets, discriminant widths, flat core types) and keeps it as plain data.
//! Two consumers read that one plan: the four crossings of this crate interpret it over dynamic [`Val`]s, and a
//! generator may print code from it.
//!
//! ```text
//! host ── lower_params ─▶ core export ── lift_result ─▶ host        (canon lift)
//! guest ─ lift_params ──▶ host import ── lower_result ─▶ guest      (canon lower)
//! ```
//!
//! What lies on the other side of a crossing (linear memory, `realloc`, resource tables, a budget) is the embedder's
//! [`Guest`]. Nothing here panics on a guest's bytes or on a host's value: every refusal is an [`AbiError`], and
//! [`AbiError::fault`] tells whose mistake it was.
//!
//! Deliberately absent: `stream`, `future`, `error-context`, asynchronous lifting and lowering, 64-bit memories.

mod call;
mod check;
mod core_value;
mod error;
mod func;
mod guest;
mod layout;
mod lift;
mod lower;
mod memory;
mod plan;
mod planner;
mod scalar;
mod strings;
mod types;
mod val;

pub use core_value::{CoreSignature, CoreType, CoreValue};
pub use error::{AbiError, Fault, ValuePath};
pub use func::FuncPlan;
pub use guest::{Guest, StringEncoding};
pub use layout::{
    IntWidth, MAX_FLAGS, MAX_FLAT_PARAMS, MAX_FLAT_RESULTS, MAX_LIST_BYTE_LENGTH,
    MAX_LOWERED_STRING_BYTE_LENGTH, MAX_STRING_BYTE_LENGTH, MAX_TYPE_DEPTH, MAX_TYPE_SIZE, UTF16_TAG,
};
pub use plan::{CasePlan, ElementPlan, EnumPlan, FieldPlan, FlagsPlan, Plan, PlanKind, VariantPlan};
pub use types::{
    Case, EnumType, Field, FixedLengthListType, FlagsType, FuncType, RecordType, ResourceType, ResultType,
    Type, VariantType,
};
pub use val::{Payload, Val};
