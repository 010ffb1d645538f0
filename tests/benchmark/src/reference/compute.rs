//! The reference's side of computing and compiling guests.

use super::{NAME, Variant, foreign};
use crate::kernels::{COMPUTE, Kernel};
use crate::measure::Side;
use anyhow::{Context, Result, ensure};
use std::hint::black_box;
use wasmtime::component::{Component, Instance, Linker};
use wasmtime::{Engine, Store};

/// An instance of the computing guest.
pub(crate) struct Compute {
    store: Store<()>,
    instance: Instance,
}

impl std::fmt::Debug for Compute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compute").finish_non_exhaustive()
    }
}

impl Compute {
    pub(crate) fn new(guest: &[u8]) -> Result<Compute> {
        let engine = Engine::new(&Variant::Default.config()).map_err(foreign)?;
        let component = Component::from_binary(&engine, guest).map_err(foreign)?;
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine)
            .instantiate(&mut store, &component)
            .map_err(foreign)?;
        Ok(Compute { store, instance })
    }

    pub(crate) fn kernel(&mut self, kernel: &Kernel) -> Result<Side<'_>> {
        let store = &mut self.store;
        let compute = self
            .instance
            .get_export_index(&mut *store, None, COMPUTE)
            .context(COMPUTE)?;
        let index = self
            .instance
            .get_export_index(&mut *store, Some(&compute), kernel.name)
            .context(kernel.name)?;
        let run = self
            .instance
            .get_typed_func::<(u32,), (u64,)>(&mut *store, index)
            .map_err(foreign)?;
        let (answer,) = run.call(&mut *store, (kernel.size,)).map_err(foreign)?;
        ensure!(
            answer == kernel.answer(),
            "{NAME}: {} gives {answer}",
            kernel.name
        );
        let size = kernel.size;
        Ok(Side::new(NAME, move |times| {
            for _ in 0..times {
                black_box(run.call(&mut *store, black_box((size,))).map_err(foreign)?);
            }
            Ok(())
        }))
    }
}

/// Compiles a guest.
pub(crate) fn compile(guest: &[u8]) -> Result<Side<'_>> {
    let engine = Engine::new(&Variant::Default.config()).map_err(foreign)?;
    Ok(Side::new(NAME, move |times| {
        for _ in 0..times {
            black_box(Component::from_binary(&engine, guest).map_err(foreign)?);
        }
        Ok(())
    }))
}
