//! The canonical ABI of the WebAssembly component model, for synchronous calls and 32-bit memories.
//!
//! [`Type`] and [`FuncType`] describe the values that cross a boundary. [`FuncPlan::new`] computes everything that is
//! known before a call (sizes, alignments, offsets, discriminant widths, flat core types) as plain data. A plan has two
//! consumers: the four crossings of this crate interpret it over dynamic [`Val`]s, and a generator may print code from
//! it.
//!
//! ```text
//! host ── lower_params ─▶ core export ── lift_result ─▶ host        (canon lift)
//! guest ─ lift_params ──▶ host import ── lower_result ─▶ guest      (canon lower)
//! ```
//!
//! The other side of a crossing (linear memory, `realloc`, resource tables, a budget) is the embedder's [`Guest`].
//! Nothing here panics on a guest's bytes or on a host's value: every error is an [`AbiError`], and [`AbiError::fault`]
//! returns the side at fault.
//!
//! ```
//! use std::sync::Arc;
//! use airssys_wasm_abi::{CoreType, FuncPlan, FuncType, Type, Val};
//!
//! // greet: func(name: string, times: u8) -> list<string>
//! let ty = FuncType {
//!     params: Box::new([(Arc::from("name"), Type::String), (Arc::from("times"), Type::U8)]),
//!     result: Some(Type::List(Arc::new(Type::String))),
//! };
//! let plan = FuncPlan::new(&ty)?;
//! assert_eq!(plan.export_signature().params, [CoreType::I32; 3]);
//! assert_eq!(plan.export_signature().results, [CoreType::I32], "a pointer to pointer and length");
//!
//! let (_, times) = &plan.params()[1];
//! let error = times.check(&Val::<()>::U32(3)).unwrap_err();
//! assert_eq!(error.to_string(), "expected u8, got u32");
//! assert!(!error.is_guest_fault());
//! # Ok::<(), airssys_wasm_abi::AbiError>(())
//! ```
//!
//! Error contexts have a type and a layout, but a function that has them in its type has no plan.
//!
//! Deliberately absent: 64-bit memories.

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
mod scalar_type;
mod strings;
mod typed_layout;
mod types;
mod val;

pub use core_value::{CoreSignature, CoreType, CoreValue};
pub use error::{AbiError, Fault, ValuePath};
pub use func::FuncPlan;
pub use guest::{Guest, LiftGuest, LowerGuest, StringEncoding};
pub use layout::{
    IntWidth, MAX_FLAGS, MAX_FLAT_ASYNC_PARAMS, MAX_FLAT_PARAMS, MAX_FLAT_RESULTS, MAX_LIST_BYTE_LENGTH,
    MAX_LOWERED_STRING_BYTE_LENGTH, MAX_STRING_BYTE_LENGTH, MAX_TYPE_DEPTH, MAX_TYPE_SIZE, UTF16_TAG,
};
/// The steps of the crossings that dynamic values and typed ones share, for typed glue.
pub mod steps {
    pub use crate::lift::{check_list, room};
    pub use crate::lower::{allocate_list, list_bytes, lower_scalars};
    pub use crate::memory::{GuestPtr, allocate, check_value};
    pub use crate::scalar::check_case;
    pub use crate::scalar_type::Scalar;
    pub use crate::strings::{lift_string, lower_string};
    pub use crate::typed_layout::Layout;
}

pub use plan::{CasePlan, ElementPlan, EnumPlan, FieldPlan, FlagsPlan, Needs, Plan, PlanKind, VariantPlan};
pub use types::{
    Case, EnumType, Field, FixedLengthListType, FlagsType, FuncType, RecordType, ResourceType, ResultType,
    TransmitType, Type, TypeAddress, VariantType,
};
pub use val::{Never, Payload, Val};
