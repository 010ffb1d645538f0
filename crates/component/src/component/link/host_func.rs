//! Host functions as linkers hold them, and the calls that guests make of them.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use airssys_wasm_abi::steps::{GuestPtr, check_value};
use airssys_wasm_abi::{CoreSignature, CoreType, CoreValue, FuncPlan};
use wasmer::{AsStoreMut, StoreMut};

use crate::component::Val;
use crate::component::call::core_call::{at_border, host_function};
use crate::component::call::crossing::{LiftContext, LowerContext};
use crate::component::call::typed::{FlatReader, FlatValues, LiftList, LowerList, Plans, TypeContext};
use crate::component::instance::InstanceInner;
use crate::component::ir::{Function, Options};
use crate::component::link::linker::HostResult;
use crate::component::resource::ResourceTableError;
use crate::component::store::{Env, StoreContextMut, StoreCore};
use crate::component::types::ComponentFunc;
use crate::error::{Error, Result};

/// Checks that a host function fits an import.
pub(in crate::component) type TypeCheck =
    dyn Fn(&Function, &TypeContext<'_>) -> std::result::Result<(), String> + Send + Sync;

/// Creates the core function that a guest calls, for one import of one instance; its types are known.
pub(in crate::component) type Bind<T> =
    dyn Fn(&mut StoreContextMut<'_, T>, Import) -> Result<wasmer::Function> + Send + Sync;

type Cause = Box<dyn StdError + Send + Sync>;

pub(crate) struct HostFunc<T: Send + 'static> {
    pub(in crate::component) name: Arc<str>,
    pub(in crate::component) check: Box<TypeCheck>,
    pub(in crate::component) bind: Box<Bind<T>>,
}

impl<T: Send + 'static> fmt::Debug for HostFunc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostFunc")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A lowered import of one instance: the state that all its calls share.
pub(in crate::component) struct Import {
    /// The host function's name.
    pub(in crate::component) name: Arc<str>,
    pub(in crate::component) instance: Arc<InstanceInner>,
    pub(in crate::component) core: Arc<StoreCore>,
    pub(in crate::component) function: Arc<Function>,
    pub(in crate::component) options: Options,
}

/// One call of a lowered import (`canon lower`).
struct Call<'a, 's, T: Send + 'static> {
    store: &'a mut StoreMut<'s>,
    env: &'a Env<T>,
    import: &'a Import,
}

/// The state of an asynchronous call that has returned.
const RETURNED: u64 = 2;

/// Lowers a host function (`canon lower`).
fn lower_import<T: Send + 'static>(
    cx: &mut StoreContextMut<'_, T>,
    import: Import,
    call: impl Fn(&mut Call<'_, '_, T>, &[u64]) -> Result<u64> + Send + 'static,
) -> Result<wasmer::Function> {
    let env = cx.env.clone();
    let signature = at_border(
        import.instance.backend(),
        import
            .function
            .import_plan(import.options.is_async)?
            .import_signature(),
    );
    Ok(host_function(&mut cx.store, &signature, move |store, args| {
        import.instance.check_may_leave(store, import.options.instance)?;
        let mut one = Call {
            store,
            env: &env,
            import: &import,
        };
        let result = call(&mut one, args)?;
        // A function of the host has returned when it returns.
        Ok(if import.options.is_async { RETURNED } else { result })
    }))
}

impl<T: Send + 'static> Call<'_, '_, T> {
    #[inline(always)]
    fn run<P, R>(
        &mut self,
        scoped: bool,
        memory: bool,
        lift: impl FnOnce(&mut LiftContext<'_>) -> Result<P>,
        host: impl FnOnce(StoreContextMut<'_, T>, P) -> std::result::Result<R, Cause>,
        lower: impl FnOnce(&mut LowerContext<'_>, &R) -> Result<u64>,
    ) -> Result<u64> {
        let Import {
            instance,
            core,
            options,
            name,
            ..
        } = self.import;
        if scoped {
            core.enter_scope();
        }
        let params = lift(&mut LiftContext::new(&*self.store, core, instance, options))?;
        let cx = StoreContextMut {
            store: self.store.as_store_mut(),
            env: self.env,
            core,
        };
        let result = host(cx, params).map_err(|source| failed(name, source))?;
        if memory {
            instance.set_may_leave(self.store, options.instance, false)?;
        }
        let bits = lower(
            &mut LowerContext::new(self.store, core, instance, options),
            &result,
        );
        if memory {
            instance.set_may_leave(self.store, options.instance, true)?;
        }
        let bits = bits.map_err(|error| misfit(name, error))?;
        if scoped {
            core.exit_scope()?;
        }
        Ok(bits)
    }
}

/// Converts the error of a host function. A trap that it passes on, of another component or of this one, stays that
/// trap, and so does an error of the host's resource table that a guest caused.
#[cold]
pub(in crate::component) fn failed(name: &str, source: Cause) -> Error {
    let source = match source.downcast::<Error>() {
        Ok(error) if error.trap().is_some() => return *error,
        Ok(error) => error,
        Err(source) => {
            return match source
                .downcast_ref::<ResourceTableError>()
                .and_then(ResourceTableError::trap)
            {
                Some(kind) => kind.into(),
                None => Error::Host {
                    name: name.to_owned(),
                    source,
                },
            };
        }
    };
    Error::Host {
        name: name.to_owned(),
        source,
    }
}

/// Converts an error about a host function's result that does not fit to a failure of that function.
#[cold]
pub(in crate::component) fn misfit(name: &str, error: Error) -> Error {
    match error {
        Error::Argument(_) | Error::Resource(_) => Error::Host {
            name: name.to_owned(),
            source: Box::new(error),
        },
        other => other,
    }
}

/// Binds a function with Rust types.
pub(in crate::component) fn typed<T, F, P, R>(func: F) -> Box<Bind<T>>
where
    T: Send + 'static,
    F: Fn(StoreContextMut<'_, T>, P) -> HostResult<R> + Send + Sync + 'static,
    P: LiftList + 'static,
    R: LowerList + 'static,
{
    let func = Arc::new(func);
    Box::new(move |cx, import| {
        let func = func.clone();
        if import.options.is_async {
            return lower_import(cx, import, move |call: &mut Call<'_, '_, T>, args: &[u64]| {
                let plan = call.import.function.import_plan(true)?;
                call.run(
                    P::LAYOUT.handles && plan.params_need().scope,
                    const { R::LAYOUT.memory },
                    |cx| lift_params::<P>(cx, plan, args, plan.params_in_memory()),
                    &*func,
                    |cx, result| lower_result(cx, plan, result, args, plan.result_in_memory()),
                )
            });
        }
        lower_import(cx, import, move |call: &mut Call<'_, '_, T>, args: &[u64]| {
            let plan = call.import.function.plan()?;
            call.run(
                P::LAYOUT.handles && plan.params_need().scope,
                const { R::LAYOUT.memory },
                |cx| lift_params::<P>(cx, plan, args, const { P::LAYOUT.params_in_memory() }),
                &*func,
                |cx, result| lower_result(cx, plan, result, args, const { R::LAYOUT.result_in_memory() }),
            )
        })
    })
}

#[inline(always)]
pub(super) fn lift_params<P: LiftList>(
    cx: &mut LiftContext<'_>,
    plan: &FuncPlan,
    args: &[u64],
    in_memory: bool,
) -> Result<P> {
    let mut flat = FlatReader::new(args);
    let plans = Plans::Params(plan.params());
    if in_memory {
        let at = GuestPtr(flat.next_u32());
        let at = check_value(cx, at, u64::from(P::LAYOUT.size), P::LAYOUT.align)?;
        return P::load(cx, plans, at);
    }
    P::lift_flat(cx, plans, &mut flat)
}

#[inline(always)]
pub(super) fn lower_result<R: LowerList>(
    cx: &mut LowerContext<'_>,
    plan: &FuncPlan,
    result: &R,
    args: &[u64],
    in_memory: bool,
) -> Result<u64> {
    let plans = Plans::Result(plan.result());
    result.check(plans)?;
    if in_memory {
        let at = GuestPtr(FlatReader::new(args).last_u32());
        let at = check_value(cx, at, u64::from(R::LAYOUT.size), R::LAYOUT.align)?;
        result.store(cx, plans, at)?;
        return Ok(0);
    }
    let mut value = [0];
    let mut flat = FlatValues::new(&mut value);
    result.lower_flat(cx, plans, &mut flat)?;
    Ok(value[0])
}

/// A function of [`Val`]s. It finds as many results as its type has, none or one, to be overwritten.
pub(in crate::component) fn dynamic<T, F>(func: F) -> Box<Bind<T>>
where
    T: Send + 'static,
    F: Fn(StoreContextMut<'_, T>, ComponentFunc, &[Val], &mut [Val]) -> HostResult<()>
        + Send
        + Sync
        + 'static,
{
    let func = Arc::new(func);
    Box::new(move |cx, import| {
        let func = func.clone();
        lower_import(cx, import, move |call: &mut Call<'_, '_, T>, args: &[u64]| {
            let function = &call.import.function;
            let plan = function.import_plan(call.import.options.is_async)?;
            let types = plan.import_signature().params.iter().zip(args);
            let flat: Vec<_> = types.map(|(ty, bits)| CoreValue::from_bits(*ty, *bits)).collect();
            call.run(
                plan.params_need().scope,
                plan.result().is_some_and(|plan| plan.needs().memory),
                |cx| plan.lift_params(cx, &flat),
                |cx, params| {
                    let mut result = function.ty.result.as_ref().map(|_| Val::Bool(false));
                    let ty = ComponentFunc::new(function.clone());
                    func(cx, ty, &params, result.as_mut_slice())?;
                    Ok(result)
                },
                |cx, result| {
                    let result = plan.lower_result(cx, result.as_ref(), &flat)?;
                    Ok(result.map_or(0, CoreValue::bits))
                },
            )
        })
    })
}

/// Binds a function that is a core function already. It is called unchanged, also during realloc and post-return.
pub(in crate::component) fn core<T, F>(make: F) -> Box<Bind<T>>
where
    T: Send + 'static,
    F: Fn(&mut StoreContextMut<'_, T>) -> Result<wasmer::Function> + Send + Sync + 'static,
{
    Box::new(move |cx, _| {
        // State that such a function keeps cannot be reset.
        cx.core.is_reached_from_outside();
        make(cx)
    })
}

type ResourceDtor<T> = dyn Fn(StoreContextMut<'_, T>, u32) -> HostResult<()> + Send + Sync;

/// A host-defined resource type's destructor.
pub(crate) struct HostResource<T: Send + 'static> {
    pub(in crate::component) name: String,
    pub(in crate::component) dtor: Arc<ResourceDtor<T>>,
}

impl<T: Send + 'static> HostResource<T> {
    /// Creates the destructor as a function of one store, from a representation to nothing.
    pub(crate) fn bind(&self, cx: &mut StoreContextMut<'_, T>) -> wasmer::Function {
        let (core, dtor, name) = (cx.core.clone(), self.dtor.clone(), self.name.clone());
        let env = cx.env.clone();
        let signature = CoreSignature {
            params: vec![CoreType::I32],
            results: Vec::new(),
        };
        host_function(&mut cx.store, &signature, move |store, args| {
            let cx = StoreContextMut {
                store: store.as_store_mut(),
                env: &env,
                core: &core,
            };
            let rep = FlatReader::new(args).next_u32();
            dtor(cx, rep).map_err(|source| failed(&name, source))?;
            Ok(0)
        })
    }
}
