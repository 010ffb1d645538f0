//! Imports that test suites of component runtimes expect, on the reference engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use wasmtime::component::{Linker, Resource, ResourceType};
use wasmtime::{Engine, Module, bail};

use super::engine_failure;
use crate::failure::{Failure, FailureKind};
use crate::host::simple_module;
use crate::subject::Outcome;

/// The types of the resources that it has; the second name of the first is the same type.
struct First;
struct Second;

/// The instance `host`, with what it counts.
#[derive(Clone, Default)]
pub(super) struct Host(Arc<Counts>);

#[derive(Default)]
struct Counts {
    drops: AtomicU32,
    last: AtomicU32,
}

impl Host {
    /// Defines it, with the same items as on this library's backends.
    pub(super) fn define(&self, engine: &Engine, linker: &mut Linker<()>) -> Outcome<()> {
        let bytes = simple_module();
        let bytes = bytes.map_err(|error| Failure::new(FailureKind::Bug, error.message()))?;
        let module = Module::new(engine, bytes).map_err(|error| engine_failure(&error))?;
        self.items(&module, linker)
            .map_err(|error| engine_failure(&error))
    }

    fn items(&self, module: &Module, linker: &mut Linker<()>) -> wasmtime::Result<()> {
        let mut root = linker.root();
        root.module("simple-module", module)?;
        root.func_wrap("host-return-two", |_, ()| Ok((2u32,)))?;
        root.func_wrap("host-echo-u32", |_, (value,): (u32,)| Ok((value,)))?;
        let mut host = linker.instance("host")?;
        host.module("simple-module", module)?;
        host.func_wrap("return-three", |_, ()| Ok((3u32,)))?;
        host.func_wrap("host-echo-u32", |_, (value,): (u32,)| Ok((value,)))?;
        host.instance("nested")?
            .func_wrap("return-four", |_, ()| Ok((4u32,)))?;

        for name in ["resource1", "resource1-again"] {
            let counts = Arc::clone(&self.0);
            host.resource(name, ResourceType::host::<First>(), move |_, rep| {
                counts.drops.fetch_add(1, Relaxed);
                counts.last.store(rep, Relaxed);
                Ok(())
            })?;
        }
        host.resource("resource2", ResourceType::host::<Second>(), |_, _| Ok(()))?;
        host.func_wrap("[constructor]resource1", |_, (rep,): (u32,)| {
            Ok((Resource::<First>::new_own(rep),))
        })?;
        host.func_wrap(
            "[static]resource1.assert",
            |_, (this, rep): (Resource<First>, u32)| expect(&this, rep),
        )?;
        let counts = Arc::clone(&self.0);
        host.func_wrap("[static]resource1.last-drop", move |_, ()| {
            Ok((counts.last.load(Relaxed),))
        })?;
        let counts = Arc::clone(&self.0);
        host.func_wrap("[static]resource1.drops", move |_, ()| {
            Ok((counts.drops.load(Relaxed),))
        })?;
        host.func_wrap(
            "[method]resource1.simple",
            |_, (this, rep): (Resource<First>, u32)| expect(&this, rep),
        )?;
        host.func_wrap(
            "[method]resource1.take-borrow",
            |_, (_this, _other): (Resource<First>, Resource<First>)| Ok(()),
        )?;
        host.func_wrap(
            "[method]resource1.take-own",
            |_, (_this, _other): (Resource<First>, Resource<First>)| Ok(()),
        )
    }
}

fn expect(resource: &Resource<First>, rep: u32) -> wasmtime::Result<()> {
    if resource.rep() != rep {
        bail!("the resource is {}, not {rep}", resource.rep());
    }
    Ok(())
}
