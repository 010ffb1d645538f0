//! Calls by futures of the host, beside which others run.

use std::future::Future;
use std::sync::Arc;

use wasmer::StoreMut;

use super::func::{Form, Func, lift_dynamic, lift_result, lower_params};
use crate::component::Val;
use crate::component::call::crossing::{LiftContext, LowerContext};
use crate::component::call::typed::{FlatValues, LiftList, LowerList};
use crate::component::concurrent::host::{self, AsAccessor, CallTask, Calling};
use crate::component::ir::Function;
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
        let params = params.to_vec();
        let calling = accessor.as_accessor().with(|mut access| {
            let mut cx = access.as_context_mut();
            if !self.is_task(&cx)? {
                return Ok(Err(self.call_dynamic(&mut cx, &params)?));
            }
            let lower = move |cx: &mut LowerContext<'_>, function: &Function| {
                let mut values = Vec::new();
                function.plan()?.lower_params(cx, &params, &mut values)?;
                Ok(values.iter().map(|value| value.bits()).collect())
            };
            Ok(Ok(self.start(cx.core, lower, lift_dynamic)?))
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
        match self.start_typed(accessor, params, |_, _| ())? {
            Ok((calling, ())) => calling.await,
            Err(result) => Ok(result),
        }
    }

    /// As [`TypedFunc::begin_concurrent`](crate::component::TypedFunc::begin_concurrent), with types that passed [`Func::typecheck`].
    ///
    /// # Errors
    /// As there.
    #[doc(hidden)]
    pub fn begin_typed_concurrent<P, R>(
        &self,
        accessor: impl AsAccessor,
        params: P,
    ) -> Result<(impl Future<Output = Result<R>> + Send + 'static, CallTask)>
    where
        P: LowerList + Send + 'static,
        R: LiftList + Send + 'static,
    {
        let (calling, task) = match self.start_typed(accessor, params, Calling::task)? {
            Ok((calling, task)) => (Ok(calling), task),
            Err(result) => (Err(result), CallTask::ended()),
        };
        let result = async move {
            match calling {
                Ok(calling) => calling.await,
                Err(result) => Ok(result),
            }
        };
        Ok((result, task))
    }

    /// Starts a call with Rust types, and passes it to `begun`. A function whose type is not `async` is called at once: then there is its result.
    fn start_typed<P, R, B>(
        &self,
        accessor: impl AsAccessor,
        params: P,
        begun: impl FnOnce(&Calling<R>, &Arc<StoreCore>) -> B,
    ) -> Result<std::result::Result<(Calling<R>, B), R>>
    where
        P: LowerList + Send + 'static,
        R: LiftList + Send + 'static,
    {
        accessor.as_accessor().with(|mut access| {
            let mut cx = access.as_context_mut();
            if !self.is_task(&cx)? {
                return Ok(Err(self.call_typed(&mut cx, params)?));
            }
            let lower = move |cx: &mut LowerContext<'_>, function: &Function| {
                let mut room = FlatValues::room();
                let mut flat = FlatValues::new(&mut room);
                lower_params(cx, function.plan()?, &params, &mut flat)?;
                Ok(flat.as_slice().to_vec())
            };
            let lift = |cx: &mut LiftContext<'_>, function: &Function, flat: &[u64], form| {
                lift_result(cx, function.plan()?, flat, form)
            };
            let calling = self.start(cx.core, lower, lift)?;
            let begun = begun(&calling, cx.core);
            Ok(Ok((calling, begun)))
        })
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
        lower: impl FnOnce(&mut LowerContext<'_>, &Function) -> Result<Vec<u64>> + Send + 'static,
        lift: impl FnOnce(&mut LiftContext<'_>, &Function, &[u64], Form) -> Result<R> + Send + 'static,
    ) -> Result<Calling<R>> {
        let lower = move |func: &Func, store: &mut StoreMut<'_>, core: &Arc<StoreCore>| {
            let (instance, options) = (&func.inner.instance, &func.inner.options);
            instance.staying(store, options.instance, |store| {
                let mut cx = LowerContext::new(store, core, instance, options);
                lower(&mut cx, &func.inner.function)
            })
        };
        host::start(core, self, lower, Func::lifting(lift))
    }
}
