//! Rust types for component values.
//!
//! A Rust type is checked against the component's once, when a function is looked up or linked; then values cross
//! straight between it and the guest, by the steps of `airssys_wasm_abi` that dynamic values cross by too.

mod compound;
mod flags;
mod flat;
mod func;
mod handles;
mod lists;
mod scalars;
#[doc(hidden)]
pub mod support;
mod tuples;

use airssys_wasm_abi::steps::allocate_list;
use airssys_wasm_abi::{AbiError, Plan, ResourceType as TableType, Type};

pub use airssys_wasm_abi::steps::{GuestPtr, Layout};
pub use flat::{FlatReader, FlatValues};
pub use func::TypedFunc;
pub use tuples::{ComponentNamedList, LiftList, LowerList, Plans};

pub use super::crossing::{LiftContext, LowerContext};
use super::resource::ResourceType;
use super::text::bounded;
use crate::error::Result;

/// What a type check needs to know beyond the types: which resource type stands behind a handle type.
pub struct TypeContext<'a> {
    pub(crate) look_up: &'a dyn Fn(TableType) -> Option<ResourceType>,
}

impl std::fmt::Debug for TypeContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TypeContext")
    }
}

/// The result of a type check: a sentence that says what was expected and what was found.
pub type TypeCheck = std::result::Result<(), String>;

/// A Rust type that stands for a component type.
///
/// Derive it for records, variants and enums; [`flags!`](crate::flags) makes types for flags.
pub trait ComponentType {
    /// How its values lie in memory and among core values.
    const LAYOUT: Layout;

    /// Whether it stands for `ty`.
    ///
    /// # Errors
    /// A sentence that says what was expected and what was found.
    fn typecheck(ty: &Type, cx: &TypeContext<'_>) -> TypeCheck;

    /// Whether it stands for a payload; `()` stands for there being none.
    ///
    /// # Errors
    /// As [`ComponentType::typecheck`].
    #[doc(hidden)]
    fn typecheck_payload(ty: Option<&Type>, cx: &TypeContext<'_>) -> TypeCheck {
        match ty {
            Some(ty) => Self::typecheck(ty, cx),
            None => Err("expected a payload, found none".into()),
        }
    }
}

/// A Rust type whose values can be given to a component.
///
/// Derive it; a hand-written implementation has to keep to [`ComponentType::LAYOUT`].
pub trait Lower: ComponentType {
    /// Whether the value fits into a guest: asked of all arguments before any of them is lowered.
    ///
    /// # Errors
    /// [`AbiError::ValueTooLong`].
    #[inline]
    fn check(&self) -> std::result::Result<(), AbiError> {
        Ok(())
    }

    /// Lowers the value to core values, as many as [`ComponentType::LAYOUT`] says. `plan` is the plan of the
    /// component's type; a type without handles may get any.
    ///
    /// # Errors
    /// What the guest's `realloc` and the resource tables fail with.
    fn lower_flat(&self, cx: &mut LowerContext<'_>, plan: &Plan, flat: &mut FlatValues<'_>) -> Result<()>;

    /// Lowers the value to memory, at a place that is aligned and within bounds.
    ///
    /// # Errors
    /// As [`Lower::lower_flat`].
    fn store(&self, cx: &mut LowerContext<'_>, plan: &Plan, at: GuestPtr) -> Result<()>;

    /// Lowers a list of values to memory that the guest allocates; pointer and length.
    #[doc(hidden)]
    fn lower_list(list: &[Self], cx: &mut LowerContext<'_>, plan: &Plan) -> Result<(GuestPtr, u32)>
    where
        Self: Sized,
    {
        let (ptr, length) = allocate_list(cx, Self::LAYOUT.size, Self::LAYOUT.align, list.len())?;
        Self::store_list(list, cx, plan, ptr)?;
        Ok((ptr, length))
    }

    /// Lowers values to consecutive places.
    #[doc(hidden)]
    fn store_list(list: &[Self], cx: &mut LowerContext<'_>, plan: &Plan, at: GuestPtr) -> Result<()>
    where
        Self: Sized,
    {
        let mut at = at;
        for value in list {
            value.store(cx, plan, at)?;
            at = at.member(Self::LAYOUT.size);
        }
        Ok(())
    }

    /// [`Lower::check`] for the elements of a list.
    #[doc(hidden)]
    fn check_list(list: &[Self]) -> std::result::Result<(), AbiError>
    where
        Self: Sized,
    {
        for (index, value) in list.iter().enumerate() {
            value
                .check()
                .map_err(|error| error.within(|| format!("element {index}")))?;
        }
        Ok(())
    }
}

/// A Rust type whose values can be got from a component.
///
/// Derive it; a hand-written implementation has to keep to [`ComponentType::LAYOUT`].
pub trait Lift: ComponentType + Sized {
    /// Lifts a value from core values, as many as [`ComponentType::LAYOUT`] says.
    ///
    /// # Errors
    /// A trap, if the guest broke the canonical ABI or the limit on what is lifted.
    fn lift_flat(cx: &mut LiftContext<'_>, plan: &Plan, flat: &mut FlatReader<'_>) -> Result<Self>;

    /// Lifts a value from memory, from a place that is aligned and within bounds.
    ///
    /// # Errors
    /// As [`Lift::lift_flat`].
    fn load(cx: &mut LiftContext<'_>, plan: &Plan, at: GuestPtr) -> Result<Self>;

    /// Lifts values from consecutive places; their whole range has been checked.
    #[doc(hidden)]
    fn load_list(cx: &mut LiftContext<'_>, plan: &Plan, at: GuestPtr, count: u32) -> Result<Vec<Self>> {
        let mut list = airssys_wasm_abi::steps::room(cx, u64::from(count))?;
        let mut at = at;
        for _ in 0..count {
            list.push(Self::load(cx, plan, at)?);
            at = at.member(Self::LAYOUT.size);
        }
        Ok(list)
    }
}

/// The plan of a part of a type. Only handles need theirs, to know which resource table they are of: where there is
/// none, no plan is looked for, and the one at hand is passed on.
#[inline]
fn part<T: ComponentType + ?Sized>(plan: &Plan, index: usize) -> &Plan {
    if T::LAYOUT.handles { plan.part(index) } else { plan }
}

fn differ<T: ?Sized>(ty: &Type) -> TypeCheck {
    Err(format!(
        "the host has `{}`, the component has `{}`",
        std::any::type_name::<T>(),
        bounded(ty, 200)
    ))
}

/// What is true of `T` is true of references to it: arguments are lowered from where they are.
impl<T: ComponentType + ?Sized> ComponentType for &T {
    const LAYOUT: Layout = T::LAYOUT;

    fn typecheck(ty: &Type, cx: &TypeContext<'_>) -> TypeCheck {
        T::typecheck(ty, cx)
    }

    fn typecheck_payload(ty: Option<&Type>, cx: &TypeContext<'_>) -> TypeCheck {
        T::typecheck_payload(ty, cx)
    }
}

impl<T: Lower + ?Sized> Lower for &T {
    #[inline]
    fn check(&self) -> std::result::Result<(), AbiError> {
        T::check(self)
    }

    #[inline]
    fn lower_flat(&self, cx: &mut LowerContext<'_>, plan: &Plan, flat: &mut FlatValues<'_>) -> Result<()> {
        T::lower_flat(self, cx, plan, flat)
    }

    #[inline]
    fn store(&self, cx: &mut LowerContext<'_>, plan: &Plan, at: GuestPtr) -> Result<()> {
        T::store(self, cx, plan, at)
    }
}
