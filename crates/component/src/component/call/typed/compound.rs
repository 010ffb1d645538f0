//! `option` and `result`.

use airssys_wasm_abi::steps::check_case;
use airssys_wasm_abi::{AbiError, Plan, Type};

use super::{
    ComponentType, FlatReader, FlatValues, GuestPtr, Layout, Lift, LiftContext, Lower, LowerContext,
    TypeCheck, TypeContext, differ, part,
};
use crate::error::Result;

type Check = std::result::Result<(), AbiError>;

/// Lowers one case of a variant with `payloads` to core values: discriminant, payload, padding.
#[inline]
fn lower_case(
    index: u8,
    payloads: &[Layout],
    flat: &mut FlatValues<'_>,
    payload: impl FnOnce(&mut FlatValues<'_>) -> Result<()>,
) -> Result<()> {
    let end = flat.len() + Layout::variant(payloads).flat as usize;
    flat.push(u64::from(index));
    payload(flat)?;
    flat.pad_to(end);
    Ok(())
}

impl<T: ComponentType> ComponentType for Option<T> {
    const LAYOUT: Layout = Layout::variant(&[Layout::NONE, T::LAYOUT]);

    fn typecheck(ty: &Type, cx: &TypeContext<'_>) -> TypeCheck {
        match ty {
            Type::Option(some) => T::typecheck(some, cx),
            other => differ::<Option<T>>(other),
        }
    }
}

impl<T: Lower> Lower for Option<T> {
    fn check(&self) -> Check {
        match self {
            Some(value) => value.check().map_err(|error| error.within(|| case("some"))),
            None => Ok(()),
        }
    }

    fn lower_flat(&self, cx: &mut LowerContext<'_>, plan: &Plan, flat: &mut FlatValues<'_>) -> Result<()> {
        let payloads = &[Layout::NONE, T::LAYOUT];
        match self {
            None => lower_case(0, payloads, flat, |_| Ok(())),
            Some(value) => lower_case(1, payloads, flat, |flat| {
                value.lower_flat(cx, part::<T>(plan, 1), flat)
            }),
        }
    }

    fn store(&self, cx: &mut LowerContext<'_>, plan: &Plan, at: GuestPtr) -> Result<()> {
        match self {
            None => cx.store_u8(at, 0),
            Some(value) => {
                cx.store_u8(at, 1)?;
                value.store(
                    cx,
                    part::<T>(plan, 1),
                    at.member(const { Layout::payload_offset(&[Layout::NONE, T::LAYOUT]) }),
                )
            }
        }
    }
}

impl<T: Lift> Lift for Option<T> {
    fn lift_flat(cx: &mut LiftContext<'_>, plan: &Plan, flat: &mut FlatReader<'_>) -> Result<Option<T>> {
        let index = flat.next_u32();
        let mut payload = flat.split(T::LAYOUT.flat as usize);
        check_case(index, 2)?;
        match index {
            0 => Ok(None),
            _ => Ok(Some(T::lift_flat(cx, part::<T>(plan, 1), &mut payload)?)),
        }
    }

    fn load(cx: &mut LiftContext<'_>, plan: &Plan, at: GuestPtr) -> Result<Option<T>> {
        let index = cx.load_u8(at)?;
        check_case(index.into(), 2)?;
        let payload = const { Layout::payload_offset(&[Layout::NONE, T::LAYOUT]) };
        match index {
            0 => Ok(None),
            _ => Ok(Some(T::load(cx, part::<T>(plan, 1), at.member(payload))?)),
        }
    }
}

/// The payload of a `result` that has none.
impl ComponentType for () {
    const LAYOUT: Layout = Layout::NONE;

    fn typecheck(ty: &Type, _: &TypeContext<'_>) -> TypeCheck {
        differ::<()>(ty)
    }

    fn typecheck_payload(ty: Option<&Type>, _: &TypeContext<'_>) -> TypeCheck {
        ty.map_or(Ok(()), differ::<()>)
    }
}

impl Lower for () {
    #[inline]
    fn lower_flat(&self, _: &mut LowerContext<'_>, _: &Plan, _: &mut FlatValues<'_>) -> Result<()> {
        Ok(())
    }

    #[inline]
    fn store(&self, _: &mut LowerContext<'_>, _: &Plan, _: GuestPtr) -> Result<()> {
        Ok(())
    }
}

impl Lift for () {
    #[inline]
    fn lift_flat(_: &mut LiftContext<'_>, _: &Plan, _: &mut FlatReader<'_>) -> Result<()> {
        Ok(())
    }

    #[inline]
    fn load(_: &mut LiftContext<'_>, _: &Plan, _: GuestPtr) -> Result<()> {
        Ok(())
    }
}

impl<T: ComponentType, E: ComponentType> ComponentType for std::result::Result<T, E> {
    const LAYOUT: Layout = Layout::variant(&[T::LAYOUT, E::LAYOUT]);

    fn typecheck(ty: &Type, cx: &TypeContext<'_>) -> TypeCheck {
        match ty {
            Type::Result(result) => {
                T::typecheck_payload(result.ok.as_ref(), cx)?;
                E::typecheck_payload(result.err.as_ref(), cx)
            }
            other => differ::<std::result::Result<T, E>>(other),
        }
    }
}

impl<T: Lower, E: Lower> Lower for std::result::Result<T, E> {
    fn check(&self) -> Check {
        match self {
            Ok(value) => value.check().map_err(|error| error.within(|| case("ok"))),
            Err(value) => value.check().map_err(|error| error.within(|| case("err"))),
        }
    }

    fn lower_flat(&self, cx: &mut LowerContext<'_>, plan: &Plan, flat: &mut FlatValues<'_>) -> Result<()> {
        let payloads = &[T::LAYOUT, E::LAYOUT];
        match self {
            Ok(value) => lower_case(0, payloads, flat, |flat| {
                value.lower_flat(cx, part::<T>(plan, 0), flat)
            }),
            Err(value) => lower_case(1, payloads, flat, |flat| {
                value.lower_flat(cx, part::<E>(plan, 1), flat)
            }),
        }
    }

    fn store(&self, cx: &mut LowerContext<'_>, plan: &Plan, at: GuestPtr) -> Result<()> {
        let payload = at.member(const { Layout::payload_offset(&[T::LAYOUT, E::LAYOUT]) });
        match self {
            Ok(value) => {
                cx.store_u8(at, 0)?;
                value.store(cx, part::<T>(plan, 0), payload)
            }
            Err(value) => {
                cx.store_u8(at, 1)?;
                value.store(cx, part::<E>(plan, 1), payload)
            }
        }
    }
}

impl<T: Lift, E: Lift> Lift for std::result::Result<T, E> {
    fn lift_flat(
        cx: &mut LiftContext<'_>,
        plan: &Plan,
        flat: &mut FlatReader<'_>,
    ) -> Result<std::result::Result<T, E>> {
        let index = flat.next_u32();
        let mut payload = flat.split(Self::LAYOUT.flat as usize - 1);
        check_case(index, 2)?;
        match index {
            0 => Ok(Ok(T::lift_flat(cx, part::<T>(plan, 0), &mut payload)?)),
            _ => Ok(Err(E::lift_flat(cx, part::<E>(plan, 1), &mut payload)?)),
        }
    }

    fn load(cx: &mut LiftContext<'_>, plan: &Plan, at: GuestPtr) -> Result<std::result::Result<T, E>> {
        let index = cx.load_u8(at)?;
        check_case(index.into(), 2)?;
        let payload = at.member(const { Layout::payload_offset(&[T::LAYOUT, E::LAYOUT]) });
        match index {
            0 => Ok(Ok(T::load(cx, part::<T>(plan, 0), payload)?)),
            _ => Ok(Err(E::load(cx, part::<E>(plan, 1), payload)?)),
        }
    }
}

fn case(name: &str) -> String {
    format!("case \"{name}\"")
}
