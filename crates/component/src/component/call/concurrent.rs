//! Calls by futures of the host, beside which others run.

use std::sync::Arc;

use airssys_wasm_abi::CoreValue;
use wasmer::StoreMut;

use super::func::{Form, Func, lift_result, lift_returned, lower_params};
use crate::component::Val;
use crate::component::call::crossing::{LiftContext, LowerContext};
use crate::component::call::typed::{FlatValues, LiftList, LowerList};
use crate::component::concurrent::host::{self, AsAccessor, Calling};
use crate::component::store::{AsContextMut, StoreContextMut, StoreCore};
use crate::error::{Error, Result};

impl Func {
    /// As [`Func::call`], from a future of the host's: other calls run meanwhile. Returns the result, if the function has one. A function
    /// whose type is not `async` is called at once.
    ///
    /// Dropping the future leaves the task running, without a place for its result.
    ///
    /// # Errors
    /// As [`Func::call`].
    pub async fn call_concurrent(&self, accessor: impl AsAccessor, params: &[Val]) -> Result<Option<Val>> {
        let plan = self.inner.function.plan()?;
        let params = params.to_vec();
        let calling = accessor.as_accessor().with(|mut access| {
            let mut cx = access.as_context_mut();
            if !self.is_task(&cx)? {
                return Ok(Err(self.call_dynamic(&mut cx, &params)?));
            }
            let (plan, function) = (plan.clone(), Arc::clone(&self.inner.function));
            let lower = move |cx: &mut LowerContext<'_>| {
                let mut values = Vec::new();
                plan.lower_params(cx, &params, &mut values)?;
                Ok(values.iter().map(|value| value.bits()).collect())
            };
            let lift = move |cx: &mut LiftContext<'_>, flat: &[u64], form| match form {
                Form::Returned => lift_returned(cx, function.returned_plan()?, flat),
                Form::Result => {
                    let plan = function.plan()?;
                    let types = plan.export_signature().results.iter().zip(flat);
                    let flat: Vec<_> = types.map(|(ty, bits)| CoreValue::from_bits(*ty, *bits)).collect();
                    plan.lift_result(cx, &flat)
                }
            };
            Ok(Ok(self.start(cx.core, lower, lift)?))
        });
        match calling {
            Ok(Ok(calling)) => calling.await,
            Ok(Err(result)) => Ok(result),
            Err(error) => Err(error),
        }
    }

    /// As [`TypedFunc::call_concurrent`](crate::component::TypedFunc::call_concurrent), with types that passed [`Func::typecheck`].
    ///
    /// # Errors
    /// As [`Func::call`].
    #[doc(hidden)]
    pub async fn call_typed_concurrent<P, R>(&self, accessor: impl AsAccessor, params: P) -> Result<R>
    where
        P: LowerList + Send + 'static,
        R: LiftList + Send + 'static,
    {
        let calling = accessor.as_accessor().with(|mut access| {
            let mut cx = access.as_context_mut();
            if !self.is_task(&cx)? {
                return Ok(Err(self.call_typed(&mut cx, params)?));
            }
            let (function, of_result) = (Arc::clone(&self.inner.function), Arc::clone(&self.inner.function));
            let lower = move |cx: &mut LowerContext<'_>| {
                let mut room = FlatValues::room();
                let mut flat = FlatValues::new(&mut room);
                lower_params(cx, function.plan()?, &params, &mut flat)?;
                Ok(flat.as_slice().to_vec())
            };
            let lift = move |cx: &mut LiftContext<'_>, flat: &[u64], form| {
                lift_result(cx, of_result.plan()?, flat, form)
            };
            Ok(Ok(self.start(cx.core, lower, lift)?))
        });
        match calling {
            Ok(Ok(calling)) => calling.await,
            Ok(Err(result)) => Ok(result),
            Err(error) => Err(error),
        }
    }

    /// Returns whether a call of it is a task that others can run beside.
    fn is_task<T: Send + 'static>(&self, cx: &StoreContextMut<'_, T>) -> Result<bool> {
        match cx.core.id == self.inner.instance.store {
            true => Ok(self.inner.is_concurrent && self.inner.function.is_async),
            false => Err(Error::WrongStore("the function")),
        }
    }

    /// Starts a task, for a future that waits for its result.
    fn start<R: Send + 'static>(
        &self,
        core: &Arc<StoreCore>,
        lower: impl FnOnce(&mut LowerContext<'_>) -> Result<Vec<u64>> + Send + 'static,
        lift: impl FnOnce(&mut LiftContext<'_>, &[u64], Form) -> Result<R> + Send + 'static,
    ) -> Result<Calling<R>> {
        let (inner, of_result) = (Arc::clone(&self.inner), Arc::clone(&self.inner));
        let lower = move |store: &mut StoreMut<'_>, core: &Arc<StoreCore>| {
            let (instance, options) = (&inner.instance, &inner.options);
            instance.staying(store, options.instance, |store| {
                lower(&mut LowerContext::new(store, core, instance, options))
            })
        };
        let lift = move |store: &mut StoreMut<'_>, core: &Arc<StoreCore>, flat: &[u64]| {
            let (instance, options) = (&of_result.instance, &of_result.options);
            let form = match options.is_async {
                true => Form::Returned,
                false => Form::Result,
            };
            lift(&mut LiftContext::new(store, core, instance, options), flat, form)
        };
        host::start(core, self, lower, lift)
    }
}
