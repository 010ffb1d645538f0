//! Calling what a component exports.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use airssys_wasm_abi::{AbiError, FuncType};
use wasmer::{AsStoreMut, StoreMut};

use super::Val;
use super::crossing::Crossing;
use super::instance::InstanceInner;
use super::ir::{Function, Options};
use super::resource::ResourceType;
use super::store::{AsContextMut, StoreCore};
use super::trampoline::call_core;
use super::typed::{ComponentNamedList, TypedFunc};
use crate::error::{Error, Result, TrapKind};

/// An exported function of an [`Instance`](super::Instance), called with [`Val`]s. Cheap to clone.
#[derive(Clone)]
pub struct Func {
    inner: Arc<FuncInner>,
}

pub(crate) struct FuncInner {
    pub(crate) instance: Arc<InstanceInner>,
    pub(crate) function: Arc<Function>,
    pub(crate) core: wasmer::Function,
    pub(crate) options: Options,
}

impl Func {
    pub(crate) fn new(inner: FuncInner) -> Func {
        Func {
            inner: Arc::new(inner),
        }
    }

    /// The function's type.
    pub fn ty(&self) -> &FuncType {
        &self.inner.function.ty
    }

    /// With Rust types for its parameters and results.
    ///
    /// # Errors
    /// [`Error::TypeMismatch`] if the types differ from the component's.
    pub fn typed<P: ComponentNamedList, R: ComponentNamedList>(&self) -> Result<TypedFunc<P, R>> {
        TypedFunc::new(self.clone())
    }

    pub(crate) fn resource_type(&self, table: airssys_wasm_abi::ResourceType) -> Option<ResourceType> {
        self.inner
            .instance
            .resource_table(table.0)
            .ok()
            .map(|(_, _, resource)| resource.ty)
    }

    /// Calls the function and waits for its end, its post-return included.
    ///
    /// `results` takes as many values as the function has results: none or one. Its content before the call
    /// does not matter.
    ///
    /// # Errors
    /// [`Error::Argument`] if `params` or the length of `results` do not fit the type: then nothing was called.
    /// [`Error::Trap`] if the guest trapped, returned what breaks the canonical ABI, is executing already, or
    /// trapped before; [`Error::Host`] if a host function that it called failed. Both of the latter leave the
    /// instance refusing further calls.
    pub fn call(&self, mut store: impl AsContextMut, params: &[Val], results: &mut [Val]) -> Result<()> {
        let wanted = usize::from(self.ty().result.is_some());
        if results.len() != wanted {
            return Err(Error::Argument(AbiError::WrongArgumentCount {
                expected: wanted,
                got: results.len(),
            }));
        }
        let result = self.call_dynamic(&mut store, params)?;
        if let (Some(slot), Some(result)) = (results.first_mut(), result) {
            *slot = result;
        }
        Ok(())
    }

    /// As [`Func::call`], and gives the result, if the function has one.
    ///
    /// # Errors
    /// As [`Func::call`].
    pub fn call_dynamic(&self, mut store: impl AsContextMut, params: &[Val]) -> Result<Option<Val>> {
        let mut cx = store.as_context_mut();
        if cx.core.id != self.inner.instance.store {
            return Err(Error::WrongStore("the function"));
        }
        let core = cx.core.clone();
        guarded(&mut cx.store, &core, &self.inner.instance, |store| {
            self.inner.call(store, &core, params)
        })
    }
}

impl FuncInner {
    /// `canon lift`.
    fn call(&self, store: &mut StoreMut<'_>, core: &StoreCore, params: &[Val]) -> Result<Option<Val>> {
        let FuncInner {
            instance,
            function,
            options,
            ..
        } = self;
        let plan = &function.plan;
        let mut flat = Vec::new();
        instance.set_may_leave(store, options.instance, false)?;
        let mut crossing = Crossing::new(store, core, instance, *options);
        let lowered = plan.lower_params(&mut crossing, params, &mut flat);
        instance.set_may_leave(store, options.instance, true)?;
        lowered?;
        let results = call_core(store, &self.core, &flat)?;
        let result = plan.lift_result(&mut Crossing::new(store, core, instance, *options), &results)?;
        if let Some(post_return) = options.post_return.and_then(|index| instance.post_return(index)) {
            instance.set_may_leave(store, options.instance, false)?;
            call_core(store, post_return, &results)?;
            instance.set_may_leave(store, options.instance, true)?;
        }
        Ok(result)
    }
}

impl fmt::Debug for Func {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Func")
            .field("ty", &self.inner.function.ty)
            .finish_non_exhaustive()
    }
}

/// Runs guest code of `instance` as one call: refuses a poisoned or executing one, keeps the account of what
/// the call borrows, and poisons the instance if the guest was stopped on its way.
pub(crate) fn guarded<R>(
    store: &mut StoreMut<'_>,
    core: &StoreCore,
    instance: &InstanceInner,
    call: impl FnOnce(&mut StoreMut<'_>) -> Result<R>,
) -> Result<R> {
    if instance.entered.load(Ordering::Relaxed) {
        return Err(TrapKind::Reentrance.into());
    }
    if instance.poisoned.load(Ordering::Relaxed) {
        return Err(TrapKind::Poisoned.into());
    }
    instance.entered.store(true, Ordering::Relaxed);
    let mut entered = Entered {
        core,
        instance,
        depth: core.enter_scope(),
        intact: false,
    };
    let result = call(&mut store.as_store_mut()).and_then(|result| {
        core.exit_scope()?;
        Ok(result)
    });
    // A value of the host's that did not fit was found before the guest ran: the instance is as it was.
    entered.intact = matches!(result, Ok(_) | Err(Error::Argument(_) | Error::Resource(_)));
    result
}

/// A call in flight. Whichever way it ends, a panic included, the account is closed.
struct Entered<'a> {
    core: &'a StoreCore,
    instance: &'a InstanceInner,
    depth: usize,
    intact: bool,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.core.unwind_scopes(self.depth);
        self.instance.poisoned.store(!self.intact, Ordering::Relaxed);
        self.instance.entered.store(false, Ordering::Relaxed);
    }
}
