//! Calls of core functions through the engine's trampolines, for all signatures alike.
//!
//! The engine's typed functions need the signature as a Rust type, and ask more at each call than this host's functions need.
#![allow(unsafe_code, reason = "the engine's entry to compiled code takes pointers")]

use airssys_wasm_abi::{CoreSignature, CoreType};
use wasmer::sys::NativeEngineExt;
use wasmer::sys::vm::{
    StoreId, VMConfig, VMExtern, VMFunctionBody, VMFunctionContext, VMTrampoline, wasmer_call_trampoline,
};
use wasmer::{AsStoreMut, Extern, FunctionType, StoreMut};

use super::engine_type;
use crate::component::call::trap::from_runtime;
use crate::engine::{Callee, error_of};
use crate::error::{Error, Result};

/// A function of a store. Small: an actor has more than a dozen of them.
pub(super) struct Direct {
    store: StoreId,
    code: *const VMFunctionBody,
    /// The instance or host function that the code belongs to.
    context: VMFunctionContext,
    /// The trampoline of its signature.
    trampoline: VMTrampoline,
    /// The bits of its result that count.
    mask: u64,
    params: u8,
}

// SAFETY: the pointers are followed only with a borrow of the store, which owns what they refer to.
unsafe impl Send for Direct {}
// SAFETY: as above.
unsafe impl Sync for Direct {}

impl Direct {
    /// Resolves a function that has this signature.
    ///
    /// # Errors
    /// [`Error::Bug`] if it has another, or is of another store.
    pub(super) fn new(
        store: &mut impl AsStoreMut,
        function: &wasmer::Function,
        signature: &CoreSignature,
    ) -> Result<Direct> {
        // There is no other kind of engine in this build.
        let handle = match Extern::Function(function.clone()).to_vm_extern().unwrap_sys() {
            VMExtern::Function(handle) if function.is_from_store(store) => handle,
            _ => return Err(Error::bug("a function that is not the engine's")),
        };
        let objects = store.objects_mut();
        let (store, function_of_store) = (objects.id(), handle.get(objects.as_sys()));
        // SAFETY: the store's record of a function, which lives as long as the store.
        let entry = unsafe { *function_of_store.anyfunc.as_ptr().as_ref() };
        let callee = Callee::Own {
            store,
            code: entry.func_ptr,
            context: entry.vmctx,
            trampoline: entry.call_trampoline,
            ty: &function_of_store.signature,
        };
        Direct::of(callee, signature)
    }

    /// As [`Direct::new`], of an export.
    pub(super) fn of_export(
        store: &mut impl AsStoreMut,
        callee: Callee<'_>,
        signature: &CoreSignature,
    ) -> Result<Direct> {
        match callee {
            Callee::Other(function) => Direct::new(store, &function, signature),
            own @ Callee::Own { .. } => Direct::of(own, signature),
        }
    }

    fn of(callee: Callee<'_>, signature: &CoreSignature) -> Result<Direct> {
        let Callee::Own {
            store,
            code,
            context,
            trampoline,
            ty,
        } = callee
        else {
            return Err(Error::bug("a function that is not the engine's"));
        };
        let params = u8::try_from(signature.params.len());
        let params = params.map_err(|_| Error::bug("a core function with hundreds of parameters"))?;
        if !is_of(ty, signature) {
            return Err(Error::bug("a core function of another type"));
        }
        Ok(Direct {
            store,
            code,
            context,
            trampoline,
            params,
            mask: match signature.results.first() {
                Some(CoreType::I64 | CoreType::F64) => u64::MAX,
                Some(CoreType::I32 | CoreType::F32) => u64::from(u32::MAX),
                None => 0,
            },
        })
    }

    /// Calls it with at most `ROOM` arguments; returns the bits of its result, or 0. `ROOM` is not 0.
    ///
    /// # Errors
    /// [`Error::Trap`]; the error of a host function that it called; [`Error::Bug`] for another store, or another number of arguments.
    #[inline(always)]
    pub(super) fn call<const ROOM: usize>(&self, store: &mut StoreMut<'_>, args: &[u64]) -> Result<u64> {
        let values = self.run::<ROOM>(store, args)?;
        Ok((values[0] as u64) & self.mask)
    }

    /// As [`Direct::call`], of a function with at most `ROOM` results, whose bits beyond those of their types are undefined.
    ///
    /// # Errors
    /// As [`Direct::call`].
    pub(super) fn call_many<const ROOM: usize>(
        &self,
        store: &mut StoreMut<'_>,
        args: &[u64],
        results: usize,
    ) -> Result<Vec<u64>> {
        let values = self.run::<ROOM>(store, args)?;
        Ok(values.iter().take(results).map(|value| *value as u64).collect())
    }

    #[inline(always)]
    fn run<const ROOM: usize>(&self, store: &mut StoreMut<'_>, args: &[u64]) -> Result<[u128; ROOM]> {
        let is_of_store = store.objects_mut().id() == self.store;
        if args.len() != usize::from(self.params) || args.len() > ROOM || !is_of_store {
            return Err(unfit());
        }
        let wasm_stack_size = store.engine().tunables().vmconfig().wasm_stack_size;
        let config = VMConfig { wasm_stack_size };
        // Each value has the room of a vector; those that the trampoline does not write stay.
        let mut values = [0_u128; ROOM];
        for (place, bits) in values.iter_mut().zip(args) {
            *place = u128::from(*bits);
        }
        let place = values.as_mut_ptr().cast::<u8>();
        // SAFETY: the store, which is borrowed for the call, owns code and context; the values have the layout that the trampoline of this
        // signature reads and writes.
        let called = store.parked(|| unsafe {
            wasmer_call_trampoline(None, &config, self.context, self.trampoline, self.code, place)
        });
        match called {
            Ok(()) => Ok(values),
            Err(trap) => Err(from_runtime(error_of(trap))),
        }
    }
}

#[cold]
fn unfit() -> Error {
    Error::bug("a core function called in another store, or with another number of values")
}

/// Returns whether the engine's type is this signature.
fn is_of(ty: &FunctionType, signature: &CoreSignature) -> bool {
    let same = |types: &[wasmer::Type], wanted: &[CoreType]| {
        types.iter().copied().eq(wanted.iter().copied().map(engine_type))
    };
    same(ty.params(), &signature.params) && same(ty.results(), &signature.results)
}
