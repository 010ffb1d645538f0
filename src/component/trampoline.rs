//! The functions that the host puts between core modules: all of them are made here.

use std::sync::Arc;

use airssys_wasm_abi::{CoreSignature, CoreType, CoreValue};
use wasmer::{AsStoreMut, FunctionEnvMut, FunctionType, RuntimeError, StoreMut, Type, Value};

use super::crossing::{Crossing, borrow, lend};
use super::handles::Handle;
use super::instance::InstanceInner;
use super::ir::{Function, Options, Trampoline};
use super::linker::HostFunc;
use super::resolve::Resolved;
use super::resource::run_dtor;
use super::store::{StoreContextMut, StoreCore};
use super::trap::{from_runtime, to_runtime};
use super::{transcode, translate};
use crate::error::{Error, ResourceError, Result, TrapKind};

/// Makes the trampoline at `index` of the instance's component.
pub(crate) fn make<T: Send + 'static>(
    cx: &mut StoreContextMut<'_, T>,
    instance: &Arc<InstanceInner>,
    index: u32,
    imports: &[Resolved<T>],
) -> Result<wasmer::Function> {
    let trampoline = instance
        .ir()
        .trampolines
        .get(index as usize)
        .ok_or_else(|| Error::bug("a trampoline out of range"))?;
    let builder = Builder {
        instance: instance.clone(),
        core: cx.core.clone(),
    };
    const I32: Type = Type::I32;
    Ok(match *trampoline {
        Trampoline::LowerImport {
            lowering,
            ref function,
            options,
        } => {
            let import = instance.ir().lowerings.get(lowering as usize);
            let host = match import.and_then(|import| imports.get(*import as usize)) {
                Some(Resolved::Func(host)) => host.clone(),
                _ => return Err(Error::bug("a lowered import that is not resolved")),
            };
            let options = *instance
                .ir()
                .options
                .get(options as usize)
                .ok_or_else(|| Error::bug("options out of range"))?;
            lower_import(cx, builder, host, function.clone(), options)
        }
        Trampoline::Transcoder { op, from, to } => {
            let (params, results) = transcode::signature(op);
            let params = vec![I32; params];
            builder.function(cx, params, packed_results(results), move |store, b, args| {
                let (from, to) = (b.instance.memory(from), b.instance.memory(to));
                let (Some(from), Some(to)) = (from, to) else {
                    return Err(Error::bug("a transcoder without its memories"));
                };
                transcode::run(op, from, to, store, args)
            })
        }
        Trampoline::ResourceNew { instance, table } => {
            builder.function(cx, vec![I32], vec![I32], move |store, b, args| {
                b.check_may_leave(store, instance)?;
                let (component_instance, resource, _) = b.instance.resource_table(table)?;
                let handle = Handle::Own {
                    resource,
                    rep: arg(args, 0)?,
                    lends: 0,
                };
                let index = b
                    .instance
                    .handles(component_instance, |table| table.insert(handle))?;
                Ok(vec![index])
            })
        }
        Trampoline::ResourceRep { table } => builder.function(cx, vec![I32], vec![I32], move |_, b, args| {
            let (component_instance, resource, _) = b.instance.resource_table(table)?;
            let index = arg(args, 0)?;
            let rep = b.instance.handles(component_instance, |table| {
                table.get(index, resource).map(|handle| handle.rep())
            })?;
            Ok(vec![rep])
        }),
        Trampoline::ResourceDrop { instance, table } => {
            builder.function(cx, vec![I32], vec![], move |store, b, args| {
                b.check_may_leave(store, instance)?;
                b.drop_handle(store, table, arg(args, 0)?)?;
                Ok(vec![])
            })
        }
        Trampoline::ResourceTransferOwn => builder.function(cx, vec![I32; 3], vec![I32], |_, b, args| {
            let (index, from, to) = (arg(args, 0)?, arg(args, 1)?, arg(args, 2)?);
            let (component_instance, resource, _) = b.instance.resource_table(from)?;
            let handle = b
                .instance
                .handles(component_instance, |table| table.remove(index, resource))?;
            let Handle::Own { rep, .. } = handle else {
                return Err(ResourceError::NotOwned(index).into());
            };
            let (component_instance, resource, _) = b.instance.resource_table(to)?;
            let handle = Handle::Own {
                resource,
                rep,
                lends: 0,
            };
            Ok(vec![
                b.instance
                    .handles(component_instance, |table| table.insert(handle))?,
            ])
        }),
        Trampoline::ResourceTransferBorrow => builder.function(cx, vec![I32; 3], vec![I32], |_, b, args| {
            let (index, from, to) = (arg(args, 0)?, arg(args, 1)?, arg(args, 2)?);
            let (component_instance, resource, _) = b.instance.resource_table(from)?;
            let rep = lend(&b.core, &b.instance, component_instance, index, resource)?;
            let (component_instance, resource, runtime) = b.instance.resource_table(to)?;
            Ok(vec![borrow(
                &b.core,
                &b.instance,
                component_instance,
                resource,
                runtime,
                rep,
            )?])
        }),
        Trampoline::EnterSyncCall => builder.function(cx, vec![I32; 3], vec![], |_, b, _| {
            b.core.enter_scope();
            Ok(vec![])
        }),
        Trampoline::ExitSyncCall => builder.function(cx, vec![], vec![], |_, b, _| {
            b.core.exit_scope()?;
            Ok(vec![])
        }),
        Trampoline::Trap => builder.function(cx, vec![I32], vec![], |_, _, args| {
            Err(translate::adapter_trap(arg(args, 0)?).into())
        }),
    })
}

fn arg(args: &[u32], index: usize) -> Result<u32> {
    args.get(index)
        .copied()
        .ok_or_else(|| Error::bug("a trampoline called with too few arguments"))
}

/// How adapter modules import an intrinsic of so many results: two are packed in one.
fn packed_results(results: usize) -> Vec<Type> {
    if results == 2 {
        vec![Type::I64]
    } else {
        vec![Type::I32; results]
    }
}

struct Builder {
    instance: Arc<InstanceInner>,
    core: Arc<StoreCore>,
}

impl Builder {
    /// A function of 32-bit integers that does not see the host's data. Two results that are declared as one
    /// 64-bit one are packed, the first in the low half.
    fn function<T: Send + 'static>(
        self,
        cx: &mut StoreContextMut<'_, T>,
        params: Vec<Type>,
        results: Vec<Type>,
        body: impl Fn(&mut StoreMut<'_>, &Builder, &[u32]) -> Result<Vec<u32>> + Send + Sync + 'static,
    ) -> wasmer::Function {
        let env = cx.env.clone();
        let packed = results.as_slice() == [Type::I64];
        let ty = FunctionType::new(params, results);
        let body =
            move |mut env: FunctionEnvMut<'_, T>, args: &[Value]| -> Result<Vec<Value>, RuntimeError> {
                let args: Vec<u32> = args
                    .iter()
                    .filter_map(Value::i32)
                    .map(i32::cast_unsigned)
                    .collect();
                let results = body(&mut env.as_store_mut(), &self, &args).map_err(to_runtime)?;
                Ok(match (packed, results.as_slice()) {
                    (true, &[low, high]) => {
                        let both = u64::from(high) << 32 | u64::from(low);
                        vec![Value::I64(both.cast_signed())]
                    }
                    _ => results
                        .into_iter()
                        .map(|value| Value::I32(value.cast_signed()))
                        .collect(),
                })
            };
        wasmer::Function::new_with_env(&mut cx.store, &env, ty, body)
    }

    fn check_may_leave(&self, store: &mut StoreMut<'_>, component_instance: u32) -> Result<()> {
        if self.instance.may_leave(store, component_instance)? {
            Ok(())
        } else {
            Err(TrapKind::CannotLeave.into())
        }
    }

    /// `canon resource.drop`.
    fn drop_handle(&self, store: &mut StoreMut<'_>, table: u32, index: u32) -> Result<()> {
        let (component_instance, resource, runtime) = self.instance.resource_table(table)?;
        match self
            .instance
            .handles(component_instance, |table| table.remove(index, resource))?
        {
            Handle::Own { rep, .. } => match &runtime.dtor {
                Some(dtor) => {
                    // The destructor is a call of its own, with its own loans.
                    self.core.enter_scope();
                    run_dtor(dtor, store, rep)?;
                    self.core.exit_scope()?;
                    Ok(())
                }
                None => Ok(()),
            },
            Handle::Borrow { scope, .. } => {
                let mut state = self.core.state();
                let scope = state
                    .scopes
                    .get_mut(scope)
                    .ok_or_else(|| Error::bug("a borrow from no call"))?;
                scope.borrows = scope.borrows.saturating_sub(1);
                Ok(())
            }
        }
    }
}

/// `canon lower` of a host function.
fn lower_import<T: Send + 'static>(
    cx: &mut StoreContextMut<'_, T>,
    builder: Builder,
    host: Arc<HostFunc<T>>,
    function: Arc<Function>,
    options: Options,
) -> wasmer::Function {
    let env = cx.env.clone();
    let ty = function_type(function.plan.import_signature());
    let body = move |mut env: FunctionEnvMut<'_, T>, args: &[Value]| -> Result<Vec<Value>, RuntimeError> {
        let host_env = env.as_ref();
        let mut cx = StoreContextMut {
            store: env.as_store_mut(),
            env: host_env,
            core: builder.core.clone(),
        };
        call_host(&mut cx, &builder, &host, &function, options, args).map_err(to_runtime)
    };
    wasmer::Function::new_with_env(&mut cx.store, &env, ty, body)
}

fn call_host<T: Send + 'static>(
    cx: &mut StoreContextMut<'_, T>,
    builder: &Builder,
    host: &HostFunc<T>,
    function: &Function,
    options: Options,
    args: &[Value],
) -> Result<Vec<Value>> {
    let instance = &builder.instance;
    builder.check_may_leave(&mut cx.store, options.instance)?;
    let flat = args.iter().map(core_value).collect::<Result<Vec<_>>>()?;
    builder.core.enter_scope();
    let params = function.plan.lift_params(
        &mut Crossing::new(&mut cx.store, &builder.core, instance, options),
        &flat,
    )?;
    let result = host.call(
        StoreContextMut {
            store: cx.store.as_store_mut(),
            env: cx.env.clone(),
            core: cx.core.clone(),
        },
        function,
        params,
    )?;
    instance.set_may_leave(&mut cx.store, options.instance, false)?;
    let mut crossing = Crossing::new(&mut cx.store, &builder.core, instance, options);
    let lowered = function
        .plan
        .lower_result(&mut crossing, result.as_ref(), &flat)
        .map_err(|error| match error {
            // What a host function returned does not fit: the host function's failure.
            Error::Argument(_) | Error::Resource(_) => Error::Host {
                name: host.name.clone(),
                source: Box::new(error),
            },
            other => other,
        })?;
    instance.set_may_leave(&mut cx.store, options.instance, true)?;
    builder.core.exit_scope()?;
    Ok(lowered.map(wasm_value).into_iter().collect())
}

/// A core signature in wasmer's terms.
pub(crate) fn function_type(signature: &CoreSignature) -> FunctionType {
    let types = |types: &[CoreType]| types.iter().copied().map(core_type).collect::<Vec<_>>();
    FunctionType::new(types(&signature.params), types(&signature.results))
}

fn core_type(ty: CoreType) -> Type {
    match ty {
        CoreType::I32 => Type::I32,
        CoreType::I64 => Type::I64,
        CoreType::F32 => Type::F32,
        CoreType::F64 => Type::F64,
    }
}

pub(crate) fn core_value(value: &Value) -> Result<CoreValue> {
    Ok(match value {
        Value::I32(value) => CoreValue::I32(*value),
        Value::I64(value) => CoreValue::I64(*value),
        Value::F32(value) => CoreValue::F32(value.to_bits()),
        Value::F64(value) => CoreValue::F64(value.to_bits()),
        _ => return Err(Error::bug("a core value that no component type flattens to")),
    })
}

pub(crate) fn wasm_value(value: CoreValue) -> Value {
    match value {
        CoreValue::I32(value) => Value::I32(value),
        CoreValue::I64(value) => Value::I64(value),
        CoreValue::F32(bits) => Value::F32(f32::from_bits(bits)),
        CoreValue::F64(bits) => Value::F64(f64::from_bits(bits)),
    }
}

/// Calls a core function with flat values.
pub(crate) fn call_core(
    store: &mut StoreMut<'_>,
    function: &wasmer::Function,
    args: &[CoreValue],
) -> Result<Vec<CoreValue>> {
    let args: Vec<Value> = args.iter().copied().map(wasm_value).collect();
    let results = function.call(store, &args).map_err(from_runtime)?;
    results.iter().map(core_value).collect()
}
