//! Tuples: as values, and as the parameters and results of functions.

use std::sync::Arc;

use airssys_wasm_abi::{AbiError, Plan, Type};

use super::{
    ComponentType, FlatReader, FlatValues, GuestPtr, Layout, Lift, LiftContext, Lower, LowerContext,
    TypeCheck, TypeContext, differ, part,
};
use crate::error::{Error, Result};

type Check = std::result::Result<(), AbiError>;

/// The plans of a function's parameters, or of its result.
#[derive(Clone, Copy, Debug)]
pub enum Plans<'a> {
    /// One for each parameter, with its name.
    Params(&'a [(Arc<str>, Plan)]),
    /// That of the result, if there is one.
    Result(Option<&'a Plan>),
}

impl<'a> Plans<'a> {
    #[inline]
    fn get(self, index: usize) -> Result<&'a Plan> {
        let plan = match self {
            Plans::Params(params) => params.get(index).map(|(_, plan)| plan),
            Plans::Result(result) => result.filter(|_| index == 0),
        };
        plan.ok_or_else(|| Error::bug("a function with fewer values than its checked type has"))
    }
}

/// A tuple of types: parameters, or results (of which there is none or one).
pub trait ComponentNamedList: Sized {
    /// Layout of the values in memory, as those of a tuple, and among core values.
    const LAYOUT: Layout;

    /// Checks that the tuple represents `types`.
    ///
    /// # Errors
    /// A sentence with the expected and the actual type.
    fn typecheck_list(types: &[&Type], cx: &TypeContext<'_>) -> TypeCheck;
}

/// A tuple that can be passed to a component.
pub trait LowerList: ComponentNamedList {
    /// Checks that each value fits into a guest.
    ///
    /// # Errors
    /// [`AbiError::ValueTooLong`].
    fn check(&self, plans: Plans<'_>) -> Check;

    /// Lowers the values to core values.
    ///
    /// # Errors
    /// As [`Lower::lower_flat`].
    fn lower_flat(
        &self,
        cx: &mut LowerContext<'_>,
        plans: Plans<'_>,
        flat: &mut FlatValues<'_>,
    ) -> Result<()>;

    /// Lowers the values to memory.
    ///
    /// # Errors
    /// As [`Lower::store`].
    fn store(&self, cx: &mut LowerContext<'_>, plans: Plans<'_>, at: GuestPtr) -> Result<()>;
}

/// A tuple that can be received from a component.
pub trait LiftList: ComponentNamedList + Send + 'static {
    /// Lifts the values from core values.
    ///
    /// # Errors
    /// As [`Lift::lift_flat`].
    fn lift_flat(cx: &mut LiftContext<'_>, plans: Plans<'_>, flat: &mut FlatReader<'_>) -> Result<Self>;

    /// Lifts the values from memory.
    ///
    /// # Errors
    /// As [`Lift::load`].
    fn load(cx: &mut LiftContext<'_>, plans: Plans<'_>, at: GuestPtr) -> Result<Self>;
}

/// Returns the name, for error messages, of the argument or result that an error is in.
fn place(plans: Plans<'_>, index: usize) -> String {
    match plans {
        Plans::Params(_) => format!("argument {index}"),
        Plans::Result(_) => String::from("result"),
    }
}

macro_rules! tuples {
    ($($(($ty:ident $index:tt $var:ident))*;)*) => {$(
        impl<$($ty: ComponentType),*> ComponentNamedList for ($($ty,)*) {
            const LAYOUT: Layout = Layout::record(&[$($ty::LAYOUT),*]);

            #[allow(unused_variables, reason = "the empty tuple has no types to check")]
            fn typecheck_list(types: &[&Type], cx: &TypeContext<'_>) -> TypeCheck {
                let [$($var),*] = types else {
                    let host = <[&str]>::len(&[$(stringify!($ty)),*]);
                    return Err(format!("the host has {host}, the component has {}", types.len()));
                };
                $($ty::typecheck($var, cx)?;)*
                Ok(())
            }
        }

        #[allow(unused_variables, clippy::unused_unit, reason = "the empty tuple has no values")]
        impl<$($ty: Lower),*> LowerList for ($($ty,)*) {
            #[inline]
            fn check(&self, plans: Plans<'_>) -> Check {
                $(self.$index.check().map_err(|error| error.within(|| place(plans, $index)))?;)*
                Ok(())
            }

            #[inline]
            fn lower_flat(&self, cx: &mut LowerContext<'_>, plans: Plans<'_>, flat: &mut FlatValues<'_>) -> Result<()> {
                $(self.$index.lower_flat(cx, plans.get($index)?, flat)?;)*
                Ok(())
            }

            #[inline]
            fn store(&self, cx: &mut LowerContext<'_>, plans: Plans<'_>, at: GuestPtr) -> Result<()> {
                let offsets = const { Layout::offsets(&[$($ty::LAYOUT),*]) };
                $(self.$index.store(
                    cx,
                    plans.get($index)?,
                    at.member(offsets[$index]),
                )?;)*
                Ok(())
            }
        }

        #[allow(unused_variables, clippy::unused_unit, reason = "the empty tuple has no values")]
        impl<$($ty: Lift),*> LiftList for ($($ty,)*) {
            #[inline]
            fn lift_flat(cx: &mut LiftContext<'_>, plans: Plans<'_>, flat: &mut FlatReader<'_>) -> Result<Self> {
                Ok(($($ty::lift_flat(cx, plans.get($index)?, flat)?,)*))
            }

            #[inline]
            fn load(cx: &mut LiftContext<'_>, plans: Plans<'_>, at: GuestPtr) -> Result<Self> {
                let offsets = const { Layout::offsets(&[$($ty::LAYOUT),*]) };
                Ok(($($ty::load(
                    cx,
                    plans.get($index)?,
                    at.member(offsets[$index]),
                )?,)*))
            }
        }
    )*};
}

tuples! {
    ;
    (A 0 a);
    (A 0 a) (B 1 b);
    (A 0 a) (B 1 b) (C 2 c);
    (A 0 a) (B 1 b) (C 2 c) (D 3 d);
    (A 0 a) (B 1 b) (C 2 c) (D 3 d) (E 4 e);
    (A 0 a) (B 1 b) (C 2 c) (D 3 d) (E 4 e) (F 5 f);
    (A 0 a) (B 1 b) (C 2 c) (D 3 d) (E 4 e) (F 5 f) (G 6 g);
    (A 0 a) (B 1 b) (C 2 c) (D 3 d) (E 4 e) (F 5 f) (G 6 g) (H 7 h);
    (A 0 a) (B 1 b) (C 2 c) (D 3 d) (E 4 e) (F 5 f) (G 6 g) (H 7 h) (I 8 i);
    (A 0 a) (B 1 b) (C 2 c) (D 3 d) (E 4 e) (F 5 f) (G 6 g) (H 7 h) (I 8 i) (J 9 j);
    (A 0 a) (B 1 b) (C 2 c) (D 3 d) (E 4 e) (F 5 f) (G 6 g) (H 7 h) (I 8 i) (J 9 j) (K 10 k);
    (A 0 a) (B 1 b) (C 2 c) (D 3 d) (E 4 e) (F 5 f) (G 6 g) (H 7 h) (I 8 i) (J 9 j) (K 10 k) (L 11 l);
    (A 0 a) (B 1 b) (C 2 c) (D 3 d) (E 4 e) (F 5 f) (G 6 g) (H 7 h) (I 8 i) (J 9 j) (K 10 k) (L 11 l) (M 12 m);
    (A 0 a) (B 1 b) (C 2 c) (D 3 d) (E 4 e) (F 5 f) (G 6 g) (H 7 h) (I 8 i) (J 9 j) (K 10 k) (L 11 l) (M 12 m)
        (N 13 n);
    (A 0 a) (B 1 b) (C 2 c) (D 3 d) (E 4 e) (F 5 f) (G 6 g) (H 7 h) (I 8 i) (J 9 j) (K 10 k) (L 11 l) (M 12 m)
        (N 13 n) (O 14 o);
    (A 0 a) (B 1 b) (C 2 c) (D 3 d) (E 4 e) (F 5 f) (G 6 g) (H 7 h) (I 8 i) (J 9 j) (K 10 k) (L 11 l) (M 12 m)
        (N 13 n) (O 14 o) (P 15 p);
    (A 0 a) (B 1 b) (C 2 c) (D 3 d) (E 4 e) (F 5 f) (G 6 g) (H 7 h) (I 8 i) (J 9 j) (K 10 k) (L 11 l) (M 12 m)
        (N 13 n) (O 14 o) (P 15 p) (Q 16 q);
}

macro_rules! tuple_types {
    ($($(($ty:ident $index:tt))+;)*) => {$(
        impl<$($ty: ComponentType),+> ComponentType for ($($ty,)+) {
            const LAYOUT: Layout = Layout::record(&[$($ty::LAYOUT),*]);

            fn typecheck(ty: &Type, cx: &TypeContext<'_>) -> TypeCheck {
                match ty {
                    Type::Tuple(types) => {
                        Self::typecheck_list(&types.iter().collect::<Vec<_>>(), cx)
                    }
                    other => differ::<Self>(other),
                }
            }
        }

        impl<$($ty: Lower),+> Lower for ($($ty,)+) {
            fn check(&self) -> Check {
                $(self.$index.check().map_err(|error| error.within(|| format!("element {}", $index)))?;)+
                Ok(())
            }

            fn lower_flat(&self, cx: &mut LowerContext<'_>, plan: &Plan, flat: &mut FlatValues<'_>) -> Result<()> {
                $(self.$index.lower_flat(cx, part::<$ty>(plan, $index), flat)?;)+
                Ok(())
            }

            fn store(&self, cx: &mut LowerContext<'_>, plan: &Plan, at: GuestPtr) -> Result<()> {
                let offsets = const { Layout::offsets(&[$($ty::LAYOUT),*]) };
                $(self.$index.store(
                    cx,
                    part::<$ty>(plan, $index),
                    at.member(offsets[$index]),
                )?;)+
                Ok(())
            }
        }

        impl<$($ty: Lift),+> Lift for ($($ty,)+) {
            fn lift_flat(cx: &mut LiftContext<'_>, plan: &Plan, flat: &mut FlatReader<'_>) -> Result<Self> {
                Ok(($($ty::lift_flat(cx, part::<$ty>(plan, $index), flat)?,)+))
            }

            fn load(cx: &mut LiftContext<'_>, plan: &Plan, at: GuestPtr) -> Result<Self> {
                let offsets = const { Layout::offsets(&[$($ty::LAYOUT),*]) };
                Ok(($($ty::load(
                    cx,
                    part::<$ty>(plan, $index),
                    at.member(offsets[$index]),
                )?,)+))
            }
        }
    )*};
}

tuple_types! {
    (A 0);
    (A 0) (B 1);
    (A 0) (B 1) (C 2);
    (A 0) (B 1) (C 2) (D 3);
    (A 0) (B 1) (C 2) (D 3) (E 4);
    (A 0) (B 1) (C 2) (D 3) (E 4) (F 5);
    (A 0) (B 1) (C 2) (D 3) (E 4) (F 5) (G 6);
    (A 0) (B 1) (C 2) (D 3) (E 4) (F 5) (G 6) (H 7);
    (A 0) (B 1) (C 2) (D 3) (E 4) (F 5) (G 6) (H 7) (I 8);
    (A 0) (B 1) (C 2) (D 3) (E 4) (F 5) (G 6) (H 7) (I 8) (J 9);
    (A 0) (B 1) (C 2) (D 3) (E 4) (F 5) (G 6) (H 7) (I 8) (J 9) (K 10);
    (A 0) (B 1) (C 2) (D 3) (E 4) (F 5) (G 6) (H 7) (I 8) (J 9) (K 10) (L 11);
}
