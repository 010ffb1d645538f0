//! Core functions of the host that access the memory of the module that imports them.
//!
//! WASI preview 1 is an interface of core modules: its functions take addresses. A lifted module keeps them as imports
//! of numbers (see `adapt`), and gets functions from here that find its memory once it is instantiated.

use std::sync::{Arc, OnceLock};

use airssys_wasm_abi::{CoreSignature, CoreType};
use wasmer::AsStoreMut;

use crate::component::call::core_call::host_function;
use crate::component::link::host_func::{Bind, failed};
use crate::component::link::linker::HostResult;
use crate::component::store::StoreContextMut;
use crate::engine::{CoreInstance, GuestMemory};
use crate::error::{Error, Result};

/// The memory of a core instance; empty until the instance exists.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryPlace(Arc<OnceLock<GuestMemory>>);

impl MemoryPlace {
    /// Sets the memory to the one that the new instance exports: the one named `memory`, or else its first.
    pub(in crate::component) fn fill(
        &self,
        store: &mut impl AsStoreMut,
        instance: &CoreInstance,
    ) -> Result<()> {
        let memory = instance
            .memory(store)
            .ok_or_else(|| Error::bug("a module without the memory that it exports"))?;
        // It is set once, by the instance that it belongs to.
        let _ = self.0.set(GuestMemory::new(store, memory)?);
        Ok(())
    }
}

/// One call of such a function.
#[allow(
    missing_debug_implementations,
    reason = "it lives for one call, within this workspace"
)]
pub struct CoreCaller<'a, 's, T: Send + 'static> {
    cx: &'a mut StoreContextMut<'s, T>,
    memory: &'a GuestMemory,
}

impl<T: Send + 'static> CoreCaller<'_, '_, T> {
    /// Returns the host's data.
    pub fn data_mut(&mut self) -> &mut T {
        self.cx.data_mut()
    }

    /// Returns the module's memory.
    pub fn memory(&self) -> &[u8] {
        self.memory.data(&self.cx.store)
    }

    /// Returns the module's memory, for writing.
    pub fn memory_mut(&mut self) -> &mut [u8] {
        self.memory.data_mut(&mut self.cx.store)
    }
}

/// Parses the types of parameters and results: `i` is an `i32`, anything else an `i64`.
pub(in crate::component) fn signature(params: &str, results: &str) -> CoreSignature {
    let types = |text: &str| {
        let types = text.chars().map(|letter| match letter {
            'i' => CoreType::I32,
            _ => CoreType::I64,
        });
        types.collect()
    };
    CoreSignature {
        params: types(params),
        results: types(results),
    }
}

/// Binds a function of numbers. Like every core function of the host, it may be called during realloc and post-return.
pub(in crate::component) fn bind<T, F>(name: Arc<str>, signature: CoreSignature, func: F) -> Box<Bind<T>>
where
    T: Send + 'static,
    F: Fn(&mut CoreCaller<'_, '_, T>, &[u64]) -> HostResult<u32> + Send + Sync + 'static,
{
    let func = Arc::new(func);
    Box::new(move |cx, _| {
        // The memory is that of the first instance; in a pool, later instances would get it too.
        cx.core.is_reached_from_outside();
        let place = cx.core.state().memory_place.get_or_insert_default().clone();
        let (env, core, func, name) = (cx.env.clone(), cx.core.clone(), func.clone(), name.clone());
        Ok(host_function(&mut cx.store, &signature, move |store, args| {
            let memory = place.0.get().ok_or_else(|| {
                Error::Instantiate(format!("`{name}` was called before the module had its memory"))
            })?;
            let mut cx = StoreContextMut {
                store: store.as_store_mut(),
                env: &env,
                core: &core,
            };
            let mut caller = CoreCaller { cx: &mut cx, memory };
            let answer = func(&mut caller, args).map_err(|source| failed(&name, source))?;
            Ok(u64::from(answer))
        }))
    })
}
