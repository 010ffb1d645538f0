//! Exported functions with Rust types.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;

use super::{LiftList, LowerList};
use crate::component::call::func::Func;
use crate::component::concurrent::host::{AsAccessor, CallTask};
use crate::component::store::AsContextMut;
use crate::error::Result;

/// An exported function with Rust types: a tuple of parameters, a tuple of results (none or one).
pub struct TypedFunc<P, R> {
    func: Func,
    marker: PhantomData<fn(P) -> R>,
}

impl<P, R> fmt::Debug for TypedFunc<P, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedFunc")
            .field("func", &self.func)
            .finish_non_exhaustive()
    }
}

impl<P, R> Clone for TypedFunc<P, R> {
    fn clone(&self) -> TypedFunc<P, R> {
        TypedFunc::new(self.func.clone())
    }
}

impl<P, R> TypedFunc<P, R> {
    /// Wraps a function whose types have been checked.
    pub(crate) fn new(func: Func) -> TypedFunc<P, R> {
        TypedFunc {
            func,
            marker: PhantomData,
        }
    }

    /// Returns the function without its Rust types.
    pub fn func(&self) -> &Func {
        &self.func
    }
}

impl<P: LowerList, R: LiftList> TypedFunc<P, R> {
    /// Calls the function and waits for its end, its post-return included.
    ///
    /// # Errors
    /// As [`Func::call`].
    #[inline(always)]
    pub fn call(&self, store: impl AsContextMut, params: P) -> Result<R> {
        self.func.call_typed(store, params)
    }

    /// Calls the function from a future of the host's, within [`Store::run_concurrent`](crate::component::Store::run_concurrent) or an
    /// asynchronous host function: other calls run meanwhile, also of the same instance. A function whose type is not `async` is called at
    /// once.
    ///
    /// Dropping the future leaves the task running, without a place for its result.
    ///
    /// # Errors
    /// As [`Func::call`].
    pub async fn call_concurrent(&self, accessor: impl AsAccessor, params: P) -> Result<R>
    where
        P: Send + 'static,
        R: Send + 'static,
    {
        self.func.call_typed_concurrent(accessor, params).await
    }

    /// As [`TypedFunc::call_concurrent`]; also returns the task, to cancel it, and to wait for its end. The task begins when the store runs, also
    /// if the future of the result is not polled.
    ///
    /// # Errors
    /// As [`Func::call`], of a call that cannot begin, or that is no task.
    pub fn begin_concurrent(
        &self,
        accessor: impl AsAccessor,
        params: P,
    ) -> Result<(impl Future<Output = Result<R>> + Send + 'static, CallTask)>
    where
        P: Send + 'static,
        R: Send + 'static,
    {
        self.func.begin_typed_concurrent(accessor, params)
    }
}
