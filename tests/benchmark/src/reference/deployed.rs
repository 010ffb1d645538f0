//! The reference's side of a precompiled guest: the output of `Component::serialize`, in a file.
#![allow(
    unsafe_code,
    reason = "the reference loads precompiled code only through unsafe functions"
)]

use super::{Reference, Variant, foreign, linker};
use crate::host::{Host, OPERATIONS, SUM};
use crate::measure::Side;
use anyhow::{Context, Result, ensure};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use wasmtime::component::{Component, Instance, Linker};
use wasmtime::{Engine, Store};

/// A guest in a file, with the objects that outlive a component: engine and linker.
pub(crate) struct Deployed {
    name: &'static str,
    file: PathBuf,
    engine: Engine,
    component: Component,
    linker: Linker<Host>,
}

impl std::fmt::Debug for Deployed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deployed").finish_non_exhaustive()
    }
}

/// Compiles a guest into a file.
pub(crate) fn precompile(variant: Variant, guest: &[u8], file: &Path) -> Result<()> {
    let engine = Engine::new(&variant.config()).map_err(foreign)?;
    let code = engine.precompile_component(guest).map_err(foreign)?;
    std::fs::write(file, code).with_context(|| format!("cannot write {}", file.display()))
}

/// Loads a component from a file that [`precompile`] has written.
fn load(engine: &Engine, file: &Path) -> Result<Component> {
    // SAFETY: this process, or the one that started it, has written the file with the same version of wasmtime.
    unsafe { Component::deserialize_file(engine, file) }.map_err(foreign)
}

impl Deployed {
    /// Opens a guest that [`precompile`] has written.
    pub(crate) fn new(variant: Variant, file: &Path) -> Result<Deployed> {
        let engine = Engine::new(&variant.config()).map_err(foreign)?;
        let component = load(&engine, file)?;
        let mut linker = linker(&engine).map_err(foreign)?;
        linker
            .define_unknown_imports_as_traps(&component)
            .map_err(foreign)?;
        Ok(Deployed {
            name: variant.name(),
            file: file.to_owned(),
            engine,
            component,
            linker,
        })
    }

    /// Returns the name of this side.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the guest's file.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Runs from a file of this guest to the first result.
    fn first(&self, file: &Path) -> Result<u32> {
        let component = load(&self.engine, file)?;
        let mut store = Store::new(&self.engine, Host::default());
        let instance = self.linker.instantiate(&mut store, &component).map_err(foreign)?;
        add(&mut store, &instance)
    }

    /// Measures from the file to the first result.
    pub(crate) fn cold(&self) -> Result<Side<'_>> {
        ensure!(self.first(&self.file)? == SUM, "a wrong sum");
        Ok(Side::new(self.name, move |times| {
            for _ in 0..times {
                black_box(self.first(&self.file)?);
            }
            Ok(())
        }))
    }

    /// Runs once from a copy of the file to the first result.
    pub(crate) fn uncached(&self, copy: &Path) -> Result<()> {
        ensure!(self.first(copy)? == SUM, "a wrong sum");
        Ok(())
    }

    /// Measures one more instance, and with `call` its first result.
    pub(crate) fn again(&self, call: bool) -> Result<Side<'_>> {
        let pre = self.linker.instantiate_pre(&self.component).map_err(foreign)?;
        Ok(Side::new(self.name, move |times| {
            for _ in 0..times {
                let mut store = Store::new(&self.engine, Host::default());
                let instance = pre.instantiate(&mut store).map_err(foreign)?;
                if call {
                    black_box(add(&mut store, &instance)?);
                }
            }
            Ok(())
        }))
    }

    /// Creates `count` instances, each of which has returned once.
    pub(crate) fn idle(&self, count: usize) -> Result<Vec<(Store<Host>, Instance)>> {
        let pre = self.linker.instantiate_pre(&self.component).map_err(foreign)?;
        let one = || {
            let mut store = Store::new(&self.engine, Host::default());
            let instance = pre.instantiate(&mut store).map_err(foreign)?;
            ensure!(add(&mut store, &instance)? == SUM, "a wrong sum");
            Ok((store, instance))
        };
        std::iter::repeat_with(one).take(count).collect()
    }
}

fn add(store: &mut Store<Host>, instance: &Instance) -> Result<u32> {
    let index = Reference::index(store, instance, &[OPERATIONS, "add"])?;
    let add = instance
        .get_typed_func::<(u32, u32), (u32,)>(&mut *store, index)
        .map_err(foreign)?;
    let (sum,) = add.call(store, black_box((40, 2))).map_err(foreign)?;
    Ok(sum)
}
