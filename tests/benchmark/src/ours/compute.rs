//! Our side of computing and compiling guests.

use super::NAME;
use crate::kernels::{COMPUTE, Kernel};
use crate::measure::Side;
use airssys_wasm::component::{Component, Instance, Linker, Store};
use airssys_wasm::engine::{Backend, Config, Engine};
use anyhow::{Result, ensure};
use std::hint::black_box;

/// An instance of the computing guest.
#[derive(Debug)]
pub(crate) struct Compute {
    store: Store<()>,
    instance: Instance,
}

impl Compute {
    pub(crate) fn new(backend: Backend, guest: &[u8]) -> Result<Compute> {
        let engine = Engine::new(Config::new().backend(backend))?;
        let component = Component::from_binary(&engine, guest)?;
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate(&mut store, &component)?;
        Ok(Compute { store, instance })
    }

    pub(crate) fn kernel(&mut self, kernel: &Kernel) -> Result<Side<'_>> {
        let store = &mut self.store;
        let run = self
            .instance
            .get_typed_func::<(u32,), (u64,)>(&mut *store, [COMPUTE, kernel.name])?;
        let (answer,) = run.call(&mut *store, (kernel.size,))?;
        ensure!(
            answer == kernel.answer(),
            "{NAME}: {} gives {answer}",
            kernel.name
        );
        let size = kernel.size;
        Ok(Side::new(NAME, move |times| {
            for _ in 0..times {
                black_box(run.call(&mut *store, black_box((size,)))?);
            }
            Ok(())
        }))
    }
}

/// Compiles a guest.
pub(crate) fn compile(backend: Backend, guest: &[u8]) -> Result<Side<'_>> {
    let engine = Engine::new(Config::new().backend(backend))?;
    Ok(Side::new(NAME, move |times| {
        for _ in 0..times {
            black_box(Component::from_binary(&engine, guest)?);
        }
        Ok(())
    }))
}
