//! Guards between a module and the glue, on both sides: functions that wrap the module's exports, and the host's functions.
//!
//! - A result is checked before the glue reads it; arguments of imports likewise.
//! - The guest's allocations are checked to lie in its memory.
//! - Memory that the glue frees is freed after it has read everything: the guest does not run between the check and the
//!   reading.
//! - An import that is called before the instance exists is refused.
//! - A panic of the glue ends the call with a trap.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use airssys_wasm_abi::AbiError;
use wai_parser::{Function as Described, Type as WaiType};
use wasmer::{
    AsStoreMut, Exports, Function, FunctionEnv, FunctionEnvMut, FunctionType, Imports, Instance, Memory,
    RuntimeError, Store, StoreMut, Type, TypedFunction, Value,
};

use super::contract::{self, Contract, FREE, MEMORY, REALLOC};
use super::host::Host;
use super::reach::Reach;
use crate::component::{error_of, runtime_error};
use crate::error::{Error, Result, TrapKind};
use airssys_wasm_component::internal::{check_interrupted, contain};

/// State shared by the guards of one instance.
#[derive(Debug)]
pub(super) struct Guard {
    /// The host's side.
    pub(super) host: Host,
    /// Set once the instance exists.
    memory: OnceLock<Memory>,
    /// Pointer, length and alignment of memory that the glue has freed.
    freed: Mutex<Vec<(i32, i32, i32)>>,
    lift_bytes: u64,
}

type Env<'a> = FunctionEnvMut<'a, Arc<Guard>>;
type Results = std::result::Result<Vec<Value>, RuntimeError>;

impl Guard {
    pub(super) fn new(host: Host, lift_bytes: u64) -> Arc<Guard> {
        Arc::new(Guard {
            host,
            memory: OnceLock::new(),
            freed: Mutex::default(),
            lift_bytes,
        })
    }

    fn memory(&self) -> Result<&Memory> {
        self.memory.get().ok_or_else(|| {
            TrapKind::Other("an import was called before the module was instantiated".to_owned()).into()
        })
    }

    fn freed(&self) -> MutexGuard<'_, Vec<(i32, i32, i32)>> {
        // The list stays valid after a panic.
        self.freed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks the result of a guest's function.
    fn result(
        &self,
        store: &StoreMut<'_>,
        contract: &Contract,
        ty: &WaiType,
        results: &[Value],
    ) -> Result<()> {
        let Some(Value::I32(at)) = results.first() else {
            return Err(Error::bug("a function of the lifecycle returned no pointer"));
        };
        let view = self.memory()?.view(store);
        Reach::new(&contract.exports, view, self.lift_bytes).value(ty, at.cast_unsigned())
    }

    /// Checks the arguments that the guest passes to an import.
    fn arguments(
        &self,
        store: &StoreMut<'_>,
        described: &'static contract::Described,
        function: &Described,
        args: &[Value],
    ) -> Result<()> {
        let mut reach = Reach::new(described, self.memory()?.view(store), self.lift_bytes);
        let bits: Vec<u64> = args.iter().map(bits).collect();
        let mut taken = 0;
        for (_, ty) in &function.params {
            taken += reach.flat(ty, bits.get(taken..).unwrap_or_default())?;
        }
        match bits.get(taken) {
            Some(result) => {
                let size = described.sizes.size(&function.result) as u64;
                reach.lies(*result as u32, size, 1)
            }
            None => Ok(()),
        }
    }

    /// Checks a guest's allocation.
    fn allocated(&self, store: &StoreMut<'_>, args: &[Value], results: &[Value]) -> Result<()> {
        let number = |values: &[Value], at: usize| match values.get(at) {
            Some(Value::I32(number)) => number.cast_unsigned(),
            _ => u32::MAX,
        };
        let (align, size, ptr) = (number(args, 2), number(args, 3), number(results, 0));
        let memory = self.memory()?.view(store).data_size();
        let end = memory.min(i32::MAX as u64);
        if u64::from(ptr) + u64::from(size) > end || align == 0 || !ptr.is_multiple_of(align) {
            return Err(AbiError::InvalidReallocResult {
                ptr,
                size,
                align,
                memory,
            }
            .into());
        }
        Ok(())
    }
}

fn bits(value: &Value) -> u64 {
    match value {
        Value::I32(number) => u64::from(number.cast_unsigned()),
        Value::I64(number) => number.cast_unsigned(),
        _ => 0,
    }
}

/// Calls a function that a guard wraps. Its error keeps its meaning on the way through the glue.
fn call(store: &mut StoreMut<'_>, function: &Function, args: &[Value]) -> Results {
    check_interrupted().map_err(runtime_error)?;
    let results = function.call(store, args);
    let results = results.map_err(|error| runtime_error(error_of(error)))?;
    Ok(results.into_vec())
}

/// Adjusts an allocation request: a list without elements gets an allocation, too. Code that wai-bindgen-rust generates
/// frees such a list, and its `realloc` returns no pointer that could be freed for an empty allocation. Texts, which align
/// to bytes, are not freed then.
fn at_least_one(args: &[Value]) -> Vec<Value> {
    let mut args = args.to_vec();
    if let [_, _, Value::I32(2..), size @ Value::I32(0)] = &mut args[..] {
        *size = Value::I32(1);
    }
    args
}

/// Defines the contract's imports, wrapped by guards.
pub(super) fn imports(
    store: &mut Store,
    guard: &Arc<Guard>,
    contract: &'static Contract,
    imports: &mut Imports,
) {
    let env = FunctionEnv::new(store, guard.clone());
    for described in &contract.imports {
        let name = &described.interface.name;
        let Some(exports) = imports.get_namespace_exports(name) else {
            continue;
        };
        let mut guarded = Exports::new();
        for function in &described.interface.functions {
            let Ok(inner) = exports.get_function(&function.name).cloned() else {
                continue;
            };
            let ty = inner.ty(store);
            let place = format!("`{name}#{}`", function.name);
            let before = move |mut env: Env<'_>, args: &[Value]| -> Results {
                let (guard, mut store) = env.data_and_store_mut();
                let checked = guard.arguments(&store, described, function, args);
                checked.map_err(runtime_error)?;
                let results = contain(&place, || call(&mut store, &inner, args));
                let results = results.map_err(|panicked| runtime_error(panicked.trap()))??;
                match guard.host.take_failure() {
                    Some(error) => Err(runtime_error(error)),
                    None => check_interrupted().map(|()| results).map_err(runtime_error),
                }
            };
            guarded.insert(&function.name, Function::new_with_env(store, &env, ty, before));
        }
        imports.register_namespace(name, guarded);
    }
}

/// Returns the instance as seen by the glue: with its functions wrapped by guards.
///
/// # Errors
/// [`Error::Bug`] if the instance differs from the checked module.
pub(super) fn exports(
    store: &mut Store,
    guard: &Arc<Guard>,
    contract: &'static Contract,
    instance: &Instance,
) -> Result<Instance> {
    let bug = |error: wasmer::ExportError| Error::bug(error.to_string());
    let memory = instance.exports.get_memory(MEMORY).map_err(bug)?.clone();
    let mut guarded = Exports::new();
    guarded.insert(MEMORY, memory.clone());
    // Set only once: each instance has guards of its own.
    let _ = guard.memory.set(memory);
    let env = FunctionEnv::new(store, guard.clone());

    for function in &contract.exports.interface.functions {
        let inner = instance
            .exports
            .get_function(&function.name)
            .map_err(bug)?
            .clone();
        let ty = inner.ty(store);
        let behind = move |mut env: Env<'_>, args: &[Value]| -> Results {
            let (guard, mut store) = env.data_and_store_mut();
            let results = call(&mut store, &inner, args)?;
            let checked = guard.result(&store, contract, &function.result, &results);
            checked.map(|()| results).map_err(runtime_error)
        };
        guarded.insert(&function.name, Function::new_with_env(store, &env, ty, behind));
    }

    let inner = instance.exports.get_function(REALLOC).map_err(bug)?.clone();
    let behind = move |mut env: Env<'_>, args: &[Value]| -> Results {
        let (guard, mut store) = env.data_and_store_mut();
        let results = call(&mut store, &inner, &at_least_one(args))?;
        let checked = guard.allocated(&store, args, &results);
        checked.map(|()| results).map_err(runtime_error)
    };
    let ty = FunctionType::new([Type::I32; 4], [Type::I32]);
    guarded.insert(REALLOC, Function::new_with_env(store, &env, ty, behind));

    let aside = |env: Env<'_>, ptr: i32, length: i32, align: i32| {
        env.data().freed().push((ptr, length, align));
    };
    guarded.insert(FREE, Function::new_typed_with_env(store, &env, aside));

    let mut instance = instance.clone();
    instance.exports = guarded;
    Ok(instance)
}

/// The guest's own function that frees memory.
pub(super) type Free = TypedFunction<(i32, i32, i32), ()>;

/// Frees the memory that the glue has read.
pub(super) fn free(store: &mut impl AsStoreMut, guard: &Guard, free: &Free) -> Result<()> {
    let freed = std::mem::take(&mut *guard.freed());
    for (ptr, length, align) in freed {
        check_interrupted()?;
        free.call(store, ptr, length, align).map_err(error_of)?;
    }
    Ok(())
}
