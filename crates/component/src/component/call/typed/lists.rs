//! Strings, lists, and lists of fixed length.

use std::sync::Arc;

use airssys_wasm_abi::steps::{check_list, lift_string, list_bytes, lower_string};
use airssys_wasm_abi::{AbiError, Plan, Type};

use super::{
    ComponentType, FlatReader, FlatValues, GuestPtr, Layout, Lift, LiftContext, Lower, LowerContext,
    TypeCheck, TypeContext, differ, part,
};
use crate::error::{Error, Result};

type Check = std::result::Result<(), AbiError>;

fn push_pair((ptr, length): (GuestPtr, u32), flat: &mut FlatValues<'_>) -> Result<()> {
    flat.push(u64::from(ptr.0));
    flat.push(u64::from(length));
    Ok(())
}

fn store_pair((ptr, length): (GuestPtr, u32), cx: &mut LowerContext<'_>, at: GuestPtr) -> Result<()> {
    cx.store_u32(at, ptr.0)?;
    cx.store_u32(at.member(4), length)
}

fn next_pair(flat: &mut FlatReader<'_>) -> (GuestPtr, u32) {
    (GuestPtr(flat.next_u32()), flat.next_u32())
}

fn load_pair(cx: &mut LiftContext<'_>, at: GuestPtr) -> Result<(GuestPtr, u32)> {
    Ok((GuestPtr(cx.load_u32(at)?), cx.load_u32(at.member(4))?))
}

impl ComponentType for str {
    const LAYOUT: Layout = Layout::PAIR;

    fn typecheck(ty: &Type, _: &TypeContext<'_>) -> TypeCheck {
        if matches!(ty, Type::String) {
            Ok(())
        } else {
            differ::<str>(ty)
        }
    }
}

impl Lower for str {
    fn lower_flat(&self, cx: &mut LowerContext<'_>, _: &Plan, flat: &mut FlatValues<'_>) -> Result<()> {
        push_pair(lower_string(cx, self)?, flat)
    }

    fn store(&self, cx: &mut LowerContext<'_>, _: &Plan, at: GuestPtr) -> Result<()> {
        store_pair(lower_string(cx, self)?, cx, at)
    }
}

impl Lift for String {
    fn lift_flat(cx: &mut LiftContext<'_>, _: &Plan, flat: &mut FlatReader<'_>) -> Result<String> {
        let (ptr, units) = next_pair(flat);
        lift_string(cx, ptr, units)
    }

    fn load(cx: &mut LiftContext<'_>, _: &Plan, at: GuestPtr) -> Result<String> {
        let (ptr, units) = load_pair(cx, at)?;
        lift_string(cx, ptr, units)
    }
}

impl<T: ComponentType> ComponentType for [T] {
    const LAYOUT: Layout = Layout::list(T::LAYOUT);

    fn typecheck(ty: &Type, cx: &TypeContext<'_>) -> TypeCheck {
        match ty {
            Type::List(element) => T::typecheck(element, cx),
            other => differ::<[T]>(other),
        }
    }
}

impl<T: Lower> Lower for [T] {
    fn check(&self) -> Check {
        list_bytes(T::LAYOUT.size, self.len())?;
        T::check_list(self)
    }

    fn lower_flat(&self, cx: &mut LowerContext<'_>, plan: &Plan, flat: &mut FlatValues<'_>) -> Result<()> {
        push_pair(T::lower_list(self, cx, part::<T>(plan, 0))?, flat)
    }

    fn store(&self, cx: &mut LowerContext<'_>, plan: &Plan, at: GuestPtr) -> Result<()> {
        store_pair(T::lower_list(self, cx, part::<T>(plan, 0))?, cx, at)
    }
}

fn lift_list<T: Lift>(
    cx: &mut LiftContext<'_>,
    plan: &Plan,
    (ptr, length): (GuestPtr, u32),
) -> Result<Vec<T>> {
    check_list(cx, T::LAYOUT.size, T::LAYOUT.align, ptr, length)?;
    T::load_list(cx, part::<T>(plan, 0), ptr, length)
}

impl<T: Lift> Lift for Vec<T> {
    fn lift_flat(cx: &mut LiftContext<'_>, plan: &Plan, flat: &mut FlatReader<'_>) -> Result<Vec<T>> {
        lift_list(cx, plan, next_pair(flat))
    }

    fn load(cx: &mut LiftContext<'_>, plan: &Plan, at: GuestPtr) -> Result<Vec<T>> {
        let pair = load_pair(cx, at)?;
        lift_list(cx, plan, pair)
    }
}

/// Implements the traits for owners of a `str` or a slice.
macro_rules! owners {
    ($($owner:ty => $target:ty $(, of $t:ident)?;)*) => {$(
        impl$(<$t: ComponentType>)? ComponentType for $owner {
            const LAYOUT: Layout = <$target>::LAYOUT;

            fn typecheck(ty: &Type, cx: &TypeContext<'_>) -> TypeCheck {
                <$target>::typecheck(ty, cx)
            }
        }

        impl$(<$t: Lower>)? Lower for $owner {
            #[inline]
            fn check(&self) -> Check {
                <$target>::check(self)
            }

            #[inline]
            fn lower_flat(&self, cx: &mut LowerContext<'_>, plan: &Plan, flat: &mut FlatValues<'_>) -> Result<()> {
                <$target>::lower_flat(self, cx, plan, flat)
            }

            #[inline]
            fn store(&self, cx: &mut LowerContext<'_>, plan: &Plan, at: GuestPtr) -> Result<()> {
                <$target>::store(self, cx, plan, at)
            }
        }
    )*};
}

owners! {
    String => str;
    Arc<str> => str;
    Box<str> => str;
    Vec<T> => [T], of T;
    Arc<[T]> => [T], of T;
    Box<[T]> => [T], of T;
}

/// `list<T, N>`.
impl<T: ComponentType, const N: usize> ComponentType for [T; N] {
    const LAYOUT: Layout = Layout::fixed_length_list(T::LAYOUT, N as u32);

    fn typecheck(ty: &Type, cx: &TypeContext<'_>) -> TypeCheck {
        match ty {
            Type::FixedLengthList(list) if u32::try_from(N) == Ok(list.length) => {
                T::typecheck(&list.element, cx)
            }
            other => differ::<[T; N]>(other),
        }
    }
}

impl<T: Lower, const N: usize> Lower for [T; N] {
    fn check(&self) -> Check {
        T::check_list(self)
    }

    fn lower_flat(&self, cx: &mut LowerContext<'_>, plan: &Plan, flat: &mut FlatValues<'_>) -> Result<()> {
        let plan = part::<T>(plan, 0);
        self.iter().try_for_each(|value| value.lower_flat(cx, plan, flat))
    }

    fn store(&self, cx: &mut LowerContext<'_>, plan: &Plan, at: GuestPtr) -> Result<()> {
        T::store_list(self, cx, part::<T>(plan, 0), at)
    }
}

impl<T: Lift, const N: usize> Lift for [T; N] {
    fn lift_flat(cx: &mut LiftContext<'_>, plan: &Plan, flat: &mut FlatReader<'_>) -> Result<[T; N]> {
        let mut list = airssys_wasm_abi::steps::room(cx, N as u64)?;
        for _ in 0..N {
            list.push(T::lift_flat(cx, part::<T>(plan, 0), flat)?);
        }
        array(list)
    }

    fn load(cx: &mut LiftContext<'_>, plan: &Plan, at: GuestPtr) -> Result<[T; N]> {
        // No type has more than 2^28 bytes, so none has more elements.
        array(T::load_list(cx, part::<T>(plan, 0), at, N as u32)?)
    }
}

fn array<T, const N: usize>(list: Vec<T>) -> Result<[T; N]> {
    list.try_into()
        .map_err(|_| Error::bug("a list of fixed length that has another length"))
}
