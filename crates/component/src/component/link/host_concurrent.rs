//! Asynchronous host functions as linkers hold them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use airssys_wasm_abi::CoreValue;
use wasmer::StoreMut;

use super::host_func::{Bind, Import, lift_params, lower_result, misfit};
use super::linker::{LinkerInstance, typecheck};
use crate::component::Val;
use crate::component::call::core_call::{at_border, host_function};
use crate::component::call::crossing::{LiftContext, LowerContext};
use crate::component::call::func::Func;
use crate::component::call::typed::{LiftList, LowerList, TypeContext};
use crate::component::concurrent::host::{Accessor, Imported, begin};
use crate::component::ir::Function;
use crate::component::link::linker::HostResult;
use crate::component::store::StoreContextMut;
use crate::component::types::ComponentFunc;
use crate::error::Result;

fn is_async(function: &Function) -> std::result::Result<(), String> {
    match function.is_async {
        true => Ok(()),
        false => Err("the host's function is concurrent, which only functions of type `async` can be".into()),
    }
}

impl<T: Send + 'static> LinkerInstance<'_, T> {
    /// Defines a function of type `async` with Rust types, whose future runs while other tasks of the store do. It accesses the store through
    /// the accessor. A component that calls it synchronously waits for its end.
    ///
    /// # Errors
    /// [`Error::Redefined`].
    pub fn func_wrap_concurrent<F, P, R>(&mut self, name: &str, func: F) -> Result<()>
    where
        F: for<'a> Fn(&'a Accessor<T>, P) -> Pin<Box<dyn Future<Output = HostResult<R>> + Send + 'a>>
            + Send
            + Sync
            + 'static,
        P: LiftList + Send + 'static,
        R: LowerList + Send + 'static,
    {
        let check = |function: &Function, types: &TypeContext<'_>| {
            is_async(function)?;
            typecheck::<P, R>(function, types)
        };
        self.define_func(name, Box::new(check), typed(func))
    }

    /// As [`func_wrap_concurrent`](LinkerInstance::func_wrap_concurrent), of [`Val`]s, as [`func_new`](LinkerInstance::func_new) has them.
    ///
    /// # Errors
    /// [`Error::Redefined`].
    pub fn func_new_concurrent<F>(&mut self, name: &str, func: F) -> Result<()>
    where
        F: for<'a> Fn(
                &'a Accessor<T>,
                ComponentFunc,
                &'a [Val],
                &'a mut [Val],
            ) -> Pin<Box<dyn Future<Output = HostResult<()>> + Send + 'a>>
            + Send
            + Sync
            + 'static,
    {
        let check = |function: &Function, _: &TypeContext<'_>| is_async(function);
        self.define_func(name, Box::new(check), dynamic(func))
    }
}

/// Lowers an asynchronous host function (`canon lower`).
fn lower_import<T: Send + 'static>(
    cx: &mut StoreContextMut<'_, T>,
    import: Import,
    call: impl Fn(&mut StoreMut<'_>, &Arc<Import>, Accessor<T>, &[u64]) -> Result<u64> + Send + 'static,
) -> Result<wasmer::Function> {
    let env = cx.env.clone();
    let plan = import.function.import_plan(import.options.is_async)?;
    let signature = at_border(import.instance.backend(), plan.import_signature());
    let import = Arc::new(import);
    Ok(host_function(&mut cx.store, &signature, move |store, args| {
        import.instance.check_may_leave(store, import.options.instance)?;
        let accessor = Accessor::of(store, &import.core, &env);
        call(store, &import, accessor, args)
    }))
}

/// Lowers a result, while the guest may not call out.
fn lower(
    store: &mut StoreMut<'_>,
    import: &Import,
    lower: impl FnOnce(&mut LowerContext<'_>) -> Result<u64>,
) -> Result<u64> {
    let (instance, options) = (&import.instance, &import.options);
    let lowered = instance.staying(store, options.instance, |store| {
        lower(&mut LowerContext::new(store, &import.core, instance, options))
    });
    lowered.map_err(|error| misfit(&import.name, error))
}

/// Binds a function with Rust types.
pub(in crate::component) fn typed<T, F, P, R>(func: F) -> Box<Bind<T>>
where
    T: Send + 'static,
    F: for<'a> Fn(&'a Accessor<T>, P) -> Pin<Box<dyn Future<Output = HostResult<R>> + Send + 'a>>
        + Send
        + Sync
        + 'static,
    P: LiftList + Send + 'static,
    R: LowerList + Send + 'static,
{
    let func = Arc::new(func);
    Box::new(move |cx, import| {
        let func = Arc::clone(&func);
        lower_import(cx, import, move |store, import, accessor, args| {
            let (core, options) = (&import.core, import.options);
            let plan = import.function.import_plan(options.is_async)?;
            let scope = (P::LAYOUT.handles && plan.params_need().scope).then(|| core.new_scope());
            let params = core.within_scope(scope, || {
                let mut cx = LiftContext::new(&*store, core, &import.instance, &options);
                lift_params::<P>(&mut cx, plan, args, plan.params_in_memory())
            })?;
            let func = Arc::clone(&func);
            let future: Imported<R> = Box::pin(async move { func(&accessor, params).await });
            let (of_result, args) = (Arc::clone(import), args.to_vec());
            begin(store, import, scope, future, move |store, result| {
                let plan = of_result.function.import_plan(options.is_async)?;
                lower(store, &of_result, |cx| {
                    lower_result(cx, plan, result, &args, plan.result_in_memory())
                })
            })
        })
    })
}

/// The future of a call that borrows its values.
type Called<'a> = Pin<Box<dyn Future<Output = HostResult<()>> + Send + 'a>>;

/// Binds a function of [`Val`]s.
pub(in crate::component) fn dynamic<T, F>(func: F) -> Box<Bind<T>>
where
    T: Send + 'static,
    F: for<'a> Fn(
            &'a Accessor<T>,
            ComponentFunc,
            &'a [Val],
            &'a mut [Val],
        ) -> Pin<Box<dyn Future<Output = HostResult<()>> + Send + 'a>>
        + Send
        + Sync
        + 'static,
{
    let func = Arc::new(func);
    Box::new(move |cx, import| {
        let func = Arc::clone(&func);
        lower_import(cx, import, move |store, import, accessor, args| {
            let (core, options, function) = (&import.core, import.options, &import.function);
            let plan = function.import_plan(options.is_async)?;
            let types = plan.import_signature().params.iter().zip(args);
            let flat: Vec<_> = types.map(|(ty, bits)| CoreValue::from_bits(*ty, *bits)).collect();
            let scope = plan.params_need().scope.then(|| core.new_scope());
            let params = core.within_scope(scope, || {
                let mut cx = LiftContext::new(&*store, core, &import.instance, &options);
                plan.lift_params(&mut cx, &flat)
            })?;
            let (func, ty) = (Arc::clone(&func), ComponentFunc::new(function.clone()));
            let mut result = function.ty.result.as_ref().map(|_| Val::Bool(false));
            let future: Imported<Option<Val>> = Box::pin(async move {
                func(&accessor, ty, &params, result.as_mut_slice()).await?;
                Ok(result)
            });
            let of_result = Arc::clone(import);
            begin(store, import, scope, future, move |store, result| {
                let plan = of_result.function.import_plan(options.is_async)?;
                lower(store, &of_result, |cx| {
                    let result = plan.lower_result(cx, result.as_ref(), &flat)?;
                    Ok(result.map_or(0, CoreValue::bits))
                })
            })
        })
    })
}

/// Binds an `async` export of another instance. Both instances run meanwhile.
pub(in crate::component) fn export<T: Send + 'static>(func: Func) -> Box<Bind<T>> {
    dynamic(
        move |accessor: &Accessor<T>, _: ComponentFunc, arguments: &[Val], results: &mut [Val]| {
            let func = func.clone();
            let called: Called<'_> = Box::pin(async move {
                let result = func.call_concurrent(accessor, arguments).await?;
                if let (Some(slot), Some(result)) = (results.first_mut(), result) {
                    *slot = result;
                }
                Ok(())
            });
            called
        },
    )
}
