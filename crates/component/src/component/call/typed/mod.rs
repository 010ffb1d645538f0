//! Rust types for component values.
//!
//! A Rust type is checked against the component's once, when a function is looked up or linked; after that, values are
//! converted directly between it and the guest, by the steps of `airssys_wasm_abi` that dynamic values use too.

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

pub use crate::component::call::crossing::{LiftContext, LowerContext};
use crate::component::resource::ResourceType;
use crate::component::text::bounded;
use crate::error::Result;

/// Context of a type check: the resource types behind handle types.
pub struct TypeContext<'a> {
    pub(crate) look_up: &'a dyn Fn(TableType) -> Option<ResourceType>,
}

impl std::fmt::Debug for TypeContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TypeContext")
    }
}

/// The result of a type check; the error is a sentence with the expected and the actual type.
pub type TypeCheck = std::result::Result<(), String>;

/// A Rust type that represents a component type.
///
/// Derive it for records, variants and enums; [`flags!`](crate::flags) makes types for flags.
///
/// Its layout is that of [Element Size] and [Flattening].
///
/// [Element Size]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#element-size
/// [Flattening]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#flattening
pub trait ComponentType {
    /// Layout of its values in memory and among core values.
    const LAYOUT: Layout;

    /// Checks that the Rust type represents `ty`.
    ///
    /// # Errors
    /// A sentence with the expected and the actual type.
    fn typecheck(ty: &Type, cx: &TypeContext<'_>) -> TypeCheck;

    /// Checks that the Rust type represents a payload; `()` stands for an absent one.
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

/// A Rust type whose values can be passed to a component.
///
/// Derive it; a hand-written implementation must keep to [`ComponentType::LAYOUT`].
///
/// Implements [Storing] and [Flat Lowering].
///
/// [Storing]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#storing
/// [Flat Lowering]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#flat-lowering
pub trait Lower: ComponentType {
    /// Checks that the value fits into a guest. All arguments are checked before any of them is lowered.
    ///
    /// # Errors
    /// [`AbiError::ValueTooLong`].
    #[inline]
    fn check(&self) -> std::result::Result<(), AbiError> {
        Ok(())
    }

    /// Lowers the value to core values, as many as [`ComponentType::LAYOUT`] says. `plan` is the plan of the
    /// component's type; a type without handles accepts any plan.
    ///
    /// # Errors
    /// Errors of the guest's `realloc` and of the resource tables.
    fn lower_flat(&self, cx: &mut LowerContext<'_>, plan: &Plan, flat: &mut FlatValues<'_>) -> Result<()>;

    /// Lowers the value to memory, at an address that is aligned and within bounds.
    ///
    /// # Errors
    /// As [`Lower::lower_flat`].
    fn store(&self, cx: &mut LowerContext<'_>, plan: &Plan, at: GuestPtr) -> Result<()>;

    /// Lowers a list of values to memory that the guest allocates; returns pointer and length.
    #[doc(hidden)]
    fn lower_list(list: &[Self], cx: &mut LowerContext<'_>, plan: &Plan) -> Result<(GuestPtr, u32)>
    where
        Self: Sized,
    {
        let (ptr, length) = allocate_list(cx, Self::LAYOUT.size, Self::LAYOUT.align, list.len())?;
        Self::store_list(list, cx, plan, ptr)?;
        Ok((ptr, length))
    }

    /// Lowers values to consecutive addresses.
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

    /// Checks the elements of a list with [`Lower::check`].
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

/// A Rust type whose values can be received from a component.
///
/// Derive it; a hand-written implementation must keep to [`ComponentType::LAYOUT`].
///
/// Implements [Loading] and [Flat Lifting].
///
/// [Loading]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#loading
/// [Flat Lifting]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#flat-lifting
pub trait Lift: ComponentType + Send + Sized + 'static {
    /// Lifts a value from core values, as many as [`ComponentType::LAYOUT`] says.
    ///
    /// # Errors
    /// A trap, if the guest broke the canonical ABI or exceeded the limit on lifted bytes.
    fn lift_flat(cx: &mut LiftContext<'_>, plan: &Plan, flat: &mut FlatReader<'_>) -> Result<Self>;

    /// Lifts a value from memory, at an address that is aligned and within bounds.
    ///
    /// # Errors
    /// As [`Lift::lift_flat`].
    fn load(cx: &mut LiftContext<'_>, plan: &Plan, at: GuestPtr) -> Result<Self>;

    /// Lifts values from consecutive addresses; their whole range has been checked.
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

/// Returns the plan of a part of a type. Only handles need their plan, for the resource table that it names: for a type
/// without handles, no part is looked up and the given plan is passed on.
#[inline]
fn part<T: ComponentType + ?Sized>(plan: &Plan, index: usize) -> &Plan {
    if T::LAYOUT.handles { plan.part(index) } else { plan }
}

pub(in crate::component) fn differ<T: ?Sized>(ty: &Type) -> TypeCheck {
    Err(format!(
        "the host has `{}`, the component has `{}`",
        std::any::type_name::<T>(),
        bounded(ty, 200)
    ))
}

/// Implemented for references as for `T`: arguments are lowered in place.
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
