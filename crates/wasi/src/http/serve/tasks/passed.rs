//! A request as the parameter of a call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use airssys_wasm_component::Result;
use airssys_wasm_component::component::support::Plan;
use airssys_wasm_component::component::{
    ComponentType, FlatValues, GuestPtr, Layout, Lower, LowerContext, Resource, ResourceTable, Type,
    TypeCheck, TypeContext,
};

use crate::p3::http::Request;

/// A request of which it is known whether the component has got it: a task that is cancelled before it may enter its instance has not.
pub(super) struct Passed {
    request: Resource<Request>,
    is_passed: Arc<AtomicBool>,
}

/// The host's part of a [`Passed`].
pub(super) struct Entry {
    rep: u32,
    is_passed: Arc<AtomicBool>,
}

impl Passed {
    pub(super) fn new(request: Resource<Request>) -> (Passed, Entry) {
        let is_passed = Arc::<AtomicBool>::default();
        let entry = Entry {
            rep: request.rep(),
            is_passed: Arc::clone(&is_passed),
        };
        (Passed { request, is_passed }, entry)
    }
}

impl Entry {
    /// Removes the request from the table, unless the component has got it. For calls that have ended.
    pub(super) fn remove(self, table: &mut ResourceTable) {
        if !self.is_passed.load(Ordering::Relaxed) {
            // Nothing else refers to it.
            let _ = table.delete(Resource::<Request>::new_own(self.rep));
        }
    }
}

impl ComponentType for Passed {
    const LAYOUT: Layout = <Resource<Request> as ComponentType>::LAYOUT;

    fn typecheck(ty: &Type, cx: &TypeContext<'_>) -> TypeCheck {
        Resource::<Request>::typecheck(ty, cx)
    }
}

impl Lower for Passed {
    fn lower_flat(&self, cx: &mut LowerContext<'_>, plan: &Plan, flat: &mut FlatValues<'_>) -> Result<()> {
        self.request.lower_flat(cx, plan, flat)?;
        self.is_passed.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn store(&self, cx: &mut LowerContext<'_>, plan: &Plan, at: GuestPtr) -> Result<()> {
        self.request.store(cx, plan, at)?;
        self.is_passed.store(true, Ordering::Relaxed);
        Ok(())
    }
}
