//! `bool`, integers, floats and `char`.

use airssys_wasm_abi::steps::{Scalar, lower_scalars, room};
use airssys_wasm_abi::{Plan, Type};

use super::{
    ComponentType, FlatReader, FlatValues, GuestPtr, Layout, Lift, LiftContext, Lower, LowerContext,
    TypeCheck, TypeContext, differ,
};
use crate::error::Result;

macro_rules! scalars {
    ($($rust:ty => $case:ident,)*) => {$(
        impl ComponentType for $rust {
            const LAYOUT: Layout = Layout::scalar::<$rust>();

            fn typecheck(ty: &Type, _: &TypeContext<'_>) -> TypeCheck {
                if matches!(ty, Type::$case) { Ok(()) } else { differ::<$rust>(ty) }
            }
        }

        impl Lower for $rust {
            #[inline]
            fn lower_flat(&self, _: &mut LowerContext<'_>, _: &Plan, flat: &mut FlatValues<'_>) -> Result<()> {
                flat.push(self.lower());
                Ok(())
            }

            #[inline]
            fn store(&self, cx: &mut LowerContext<'_>, _: &Plan, at: GuestPtr) -> Result<()> {
                Scalar::store(*self, cx.bytes_mut(at, <$rust as Scalar>::SIZE)?);
                Ok(())
            }

            #[inline]
            fn lower_list(list: &[$rust], cx: &mut LowerContext<'_>, _: &Plan) -> Result<(GuestPtr, u32)> {
                lower_scalars(cx, list)
            }

            fn store_list(list: &[$rust], cx: &mut LowerContext<'_>, _: &Plan, at: GuestPtr) -> Result<()> {
                // The list's length has been checked: its bytes fit 32 bits.
                let size = size_of_list::<$rust>(list.len());
                <$rust>::store_all(list, cx.bytes_mut(at, size)?);
                Ok(())
            }

            #[inline]
            fn check_list(_: &[$rust]) -> std::result::Result<(), airssys_wasm_abi::AbiError> {
                Ok(())
            }
        }

        impl Lift for $rust {
            #[inline]
            fn lift_flat(_: &mut LiftContext<'_>, _: &Plan, flat: &mut FlatReader<'_>) -> Result<$rust> {
                Ok(Scalar::lift(flat.next_bits())?)
            }

            #[inline]
            fn load(cx: &mut LiftContext<'_>, _: &Plan, at: GuestPtr) -> Result<$rust> {
                Ok(Scalar::load(cx.bytes(at, <$rust as Scalar>::SIZE)?)?)
            }

            fn load_list(cx: &mut LiftContext<'_>, _: &Plan, at: GuestPtr, count: u32) -> Result<Vec<$rust>> {
                let mut list = room(cx, u64::from(count))?;
                let size = count.saturating_mul(<$rust as Scalar>::SIZE);
                <$rust>::load_all(cx.bytes(at, size)?, &mut list)?;
                Ok(list)
            }
        }
    )*};
}

scalars! {
    bool => Bool,
    u8 => U8,
    i8 => S8,
    u16 => U16,
    i16 => S16,
    u32 => U32,
    i32 => S32,
    u64 => U64,
    i64 => S64,
    f32 => Float32,
    f64 => Float64,
    char => Char,
}

fn size_of_list<S: Scalar>(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX).saturating_mul(S::SIZE)
}
