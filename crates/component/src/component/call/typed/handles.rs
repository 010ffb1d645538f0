//! Resources: host-defined ones by their number, and resources of any type.

use airssys_wasm_abi::steps::Scalar;
use airssys_wasm_abi::{LiftGuest, LowerGuest, Plan, PlanKind, Type};

use super::{
    ComponentType, FlatReader, FlatValues, GuestPtr, Layout, Lift, LiftContext, Lower, LowerContext,
    TypeCheck, TypeContext, differ,
};
use crate::component::resource::{Resource, ResourceAny, ResourceType};
use crate::error::{Error, Result};

fn lower(any: &ResourceAny, cx: &mut LowerContext<'_>, plan: &Plan) -> Result<u32> {
    match plan.kind() {
        PlanKind::Own(ty) => cx.lower_own(*ty, any),
        PlanKind::Borrow(ty) => cx.lower_borrow(*ty, any),
        _ => Err(not_a_handle()),
    }
}

fn lift(handle: u32, cx: &mut LiftContext<'_>, plan: &Plan) -> Result<ResourceAny> {
    match plan.kind() {
        PlanKind::Own(ty) => cx.lift_own(*ty, handle),
        PlanKind::Borrow(ty) => cx.lift_borrow(*ty, handle),
        _ => Err(not_a_handle()),
    }
}

#[cold]
fn not_a_handle() -> Error {
    Error::bug("a handle where the component's type has no handle")
}

impl ComponentType for ResourceAny {
    const LAYOUT: Layout = Layout::HANDLE;

    fn typecheck(ty: &Type, _: &TypeContext<'_>) -> TypeCheck {
        if matches!(ty, Type::Own(_) | Type::Borrow(_)) {
            Ok(())
        } else {
            differ::<ResourceAny>(ty)
        }
    }
}

impl Lower for ResourceAny {
    fn lower_flat(&self, cx: &mut LowerContext<'_>, plan: &Plan, flat: &mut FlatValues<'_>) -> Result<()> {
        flat.push(lower(self, cx, plan)?.lower());
        Ok(())
    }

    fn store(&self, cx: &mut LowerContext<'_>, plan: &Plan, at: GuestPtr) -> Result<()> {
        let handle = lower(self, cx, plan)?;
        cx.store_u32(at, handle)
    }
}

impl Lift for ResourceAny {
    fn lift_flat(cx: &mut LiftContext<'_>, plan: &Plan, flat: &mut FlatReader<'_>) -> Result<ResourceAny> {
        lift(flat.next_u32(), cx, plan)
    }

    fn load(cx: &mut LiftContext<'_>, plan: &Plan, at: GuestPtr) -> Result<ResourceAny> {
        lift(cx.load_u32(at)?, cx, plan)
    }
}

impl<T: 'static> ComponentType for Resource<T> {
    const LAYOUT: Layout = Layout::HANDLE;

    fn typecheck(ty: &Type, cx: &TypeContext<'_>) -> TypeCheck {
        match ty {
            Type::Own(table) | Type::Borrow(table)
                if (cx.look_up)(*table) == Some(ResourceType::host::<T>()) =>
            {
                Ok(())
            }
            Type::Own(_) | Type::Borrow(_) => Err(format!(
                "the resource is not the host's `{}`",
                std::any::type_name::<T>()
            )),
            other => differ::<Resource<T>>(other),
        }
    }
}

impl<T: 'static> Lower for Resource<T> {
    fn lower_flat(&self, cx: &mut LowerContext<'_>, plan: &Plan, flat: &mut FlatValues<'_>) -> Result<()> {
        self.to_any().lower_flat(cx, plan, flat)
    }

    fn store(&self, cx: &mut LowerContext<'_>, plan: &Plan, at: GuestPtr) -> Result<()> {
        self.to_any().store(cx, plan, at)
    }
}

impl<T: 'static> Lift for Resource<T> {
    fn lift_flat(cx: &mut LiftContext<'_>, plan: &Plan, flat: &mut FlatReader<'_>) -> Result<Resource<T>> {
        Resource::from_any(ResourceAny::lift_flat(cx, plan, flat)?)
    }

    fn load(cx: &mut LiftContext<'_>, plan: &Plan, at: GuestPtr) -> Result<Resource<T>> {
        Resource::from_any(ResourceAny::load(cx, plan, at)?)
    }
}
