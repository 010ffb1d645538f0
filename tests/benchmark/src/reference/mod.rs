//! The reference: wasmtime with its default settings, which are Cranelift, no fuel and no epochs.

mod actors;
mod compute;
mod deployed;

pub(crate) use actors::{Peers, Style};
pub(crate) use compute::{Compute, compile};
pub(crate) use deployed::{Deployed, precompile};

use crate::host::{HOST, Host, Input, OPERATIONS};
use crate::measure::Side;
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use clap::ValueEnum;
use std::hint::black_box;
#[cfg(feature = "reference-defaults")]
use wasmtime::InstanceAllocationStrategy;
use wasmtime::component::{
    Component, ComponentExportIndex, ComponentNamedList, ComponentType, Func, Instance, Lift, Linker, Lower,
    TypedFunc, Val,
};
use wasmtime::{Config, Engine, Store, StoreContextMut};

/// wasmtime with its default settings.
pub(crate) const NAME: &str = "wasmtime";

/// wasmtime without support for concurrent calls of components, which its default features include.
pub(crate) const SYNC: &str = "wasmtime sync";

/// wasmtime with its pooling allocator, which its default features include: instances reuse the memory of earlier ones.
pub(crate) const POOLING: &str = "wasmtime pooling";

/// Configuration of wasmtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Variant {
    Default,
    Sync,
    Pooling,
}

impl Variant {
    /// The variants that wasmtime's features allow.
    #[cfg(feature = "reference-defaults")]
    pub(crate) const ALL: &[Variant] = &[Variant::Default, Variant::Sync, Variant::Pooling];
    #[cfg(not(feature = "reference-defaults"))]
    pub(crate) const ALL: &[Variant] = &[Variant::Default];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Variant::Default => NAME,
            Variant::Sync => SYNC,
            Variant::Pooling => POOLING,
        }
    }

    /// Returns the variant whose precompiled files it loads: allocators differ in the handling of code, not in the code.
    pub(crate) fn compiles_as(self) -> Variant {
        match self {
            Variant::Default | Variant::Pooling => Variant::Default,
            Variant::Sync => Variant::Sync,
        }
    }

    fn config(self) -> Config {
        #[allow(unused_mut, reason = "the default settings, without its default features")]
        let mut config = Config::new();
        #[cfg(feature = "reference-defaults")]
        match self {
            Variant::Default => {}
            Variant::Sync => {
                config.concurrency_support(false);
            }
            Variant::Pooling => {
                config.allocation_strategy(InstanceAllocationStrategy::pooling());
            }
        }
        config
    }
}

/// `record context`.
#[derive(Debug, ComponentType, Lower)]
#[component(record)]
struct Context {
    id: String,
    deadline: u64,
}

/// `variant failure`.
#[derive(Debug, ComponentType, Lift)]
#[component(variant)]
#[allow(dead_code, reason = "read in messages only")]
enum Failure {
    #[component(name = "empty")]
    Empty,
    #[component(name = "refused")]
    Refused(String),
}

type Answer = std::result::Result<Vec<u8>, Failure>;

/// The compiled and linked guest.
pub(crate) struct Reference {
    name: &'static str,
    engine: Engine,
    component: Component,
    linker: Linker<Host>,
}

impl std::fmt::Debug for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reference").finish_non_exhaustive()
    }
}

/// Converts wasmtime's error, which is not a `std::error::Error`.
pub(crate) fn foreign(error: wasmtime::Error) -> anyhow::Error {
    anyhow!("{error:?}")
}

impl Reference {
    pub(crate) fn new(variant: Variant, guest: &[u8]) -> Result<Reference> {
        let engine = Engine::new(&variant.config()).map_err(foreign)?;
        let component = Component::from_binary(&engine, guest).map_err(foreign)?;
        let linker = linker(&engine).map_err(foreign)?;
        Ok(Reference {
            name: variant.name(),
            engine,
            component,
            linker,
        })
    }

    fn instance(&self) -> Result<(Store<Host>, Instance)> {
        let mut store = Store::new(&self.engine, Host::default());
        let instance = self
            .linker
            .instantiate(&mut store, &self.component)
            .map_err(foreign)?;
        Ok((store, instance))
    }

    fn function(&self, name: &str) -> Result<(Store<Host>, Func)> {
        let (mut store, instance) = self.instance()?;
        let index = Reference::index(&mut store, &instance, &[OPERATIONS, name])?;
        let function = instance
            .get_func(&mut store, index)
            .with_context(|| format!("{OPERATIONS}#{name}"))?;
        Ok((store, function))
    }

    /// Returns the index of the export at a path.
    fn index(store: &mut Store<Host>, instance: &Instance, path: &[&str]) -> Result<ComponentExportIndex> {
        let mut index = None;
        for name in path {
            let next = instance.get_export_index(&mut *store, index.as_ref(), name);
            index = Some(next.with_context(|| format!("no export {}", path.join("#")))?);
        }
        index.context("no export without a name")
    }

    fn typed<P, R>(&self, name: &str) -> Result<(Store<Host>, TypedFunc<P, R>)>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift,
    {
        let (store, function) = self.function(name)?;
        let function = function.typed(&store).map_err(foreign)?;
        Ok((store, function))
    }

    pub(crate) fn add(&self) -> Result<Side<'static>> {
        let (mut store, add) = self.typed::<(u32, u32), (u32,)>("add")?;
        let (sum,) = add.call(&mut store, (40, 2)).map_err(foreign)?;
        ensure!(sum == 42, "a wrong sum");
        Ok(Side::new(self.name, move |times| {
            for _ in 0..times {
                black_box(add.call(&mut store, black_box((40, 2))).map_err(foreign)?);
            }
            Ok(())
        }))
    }

    pub(crate) fn execute<'a>(&self, input: &'a Input) -> Result<Side<'a>> {
        let (mut store, function) = self.function("execute")?;
        let context = Context {
            id: input.id.to_owned(),
            deadline: input.deadline,
        };
        let mut work = move |times: u64| -> Result<Vec<u8>> {
            let mut output = Vec::new();
            // Created here, since its type includes the lifetime of the parameters.
            let execute = function
                .typed::<(&[u8], &Context), (Answer,)>(&store)
                .map_err(foreign)?;
            for _ in 0..times {
                let (answer,) = execute
                    .call(&mut store, black_box((&input.bytes, &context)))
                    .map_err(foreign)?;
                output = answer.map_err(|failure| anyhow!("{failure:?}"))?;
            }
            Ok(output)
        };
        ensure!(work(1)? == input.reversed, "the bytes are not reversed");
        Ok(Side::new(self.name, move |times| {
            black_box(work(times)?);
            Ok(())
        }))
    }

    pub(crate) fn execute_dynamic<'a>(&self, input: &'a Input) -> Result<Side<'a>> {
        let (mut store, execute) = self.function("execute")?;
        let list = |bytes: &[u8]| Val::List(bytes.iter().copied().map(Val::U8).collect());
        let context = Val::Record(vec![
            ("id".into(), Val::String(input.id.into())),
            ("deadline".into(), Val::U64(input.deadline)),
        ]);
        let params = [list(&input.bytes), context];
        let mut results = [Val::Bool(false)];
        execute.call(&mut store, &params, &mut results).map_err(foreign)?;
        match &results {
            [Val::Result(Ok(Some(output)))] if **output == list(&input.reversed) => {}
            _ => bail!("the bytes are not reversed"),
        }
        Ok(Side::new(self.name, move |times| {
            for _ in 0..times {
                execute
                    .call(&mut store, black_box(&params), black_box(&mut results))
                    .map_err(foreign)?;
            }
            Ok(())
        }))
    }

    pub(crate) fn call_host(&self) -> Result<Side<'static>> {
        let (mut store, call_host) = self.typed::<(u32,), (u32,)>("call-host")?;
        let (count,) = call_host.call(&mut store, (7,)).map_err(foreign)?;
        ensure!(count == 7, "a wrong count");
        Ok(Side::per_part(self.name, 1000, move |parts, times| {
            for _ in 0..times {
                black_box(call_host.call(&mut store, black_box((parts,))).map_err(foreign)?);
            }
            Ok(())
        }))
    }

    pub(crate) fn call_host_text(&self) -> Result<Side<'static>> {
        let (mut store, call_host) = self.typed::<(u32,), ()>("call-host-text")?;
        call_host.call(&mut store, (7,)).map_err(foreign)?;
        ensure!(store.data().messages == 7, "the host was not called as often");
        Ok(Side::per_part(self.name, 1000, move |parts, times| {
            for _ in 0..times {
                call_host.call(&mut store, black_box((parts,))).map_err(foreign)?;
            }
            Ok(())
        }))
    }
}

fn linker(engine: &Engine) -> wasmtime::Result<Linker<Host>> {
    let mut linker = Linker::new(engine);
    let mut host = linker.instance(HOST)?;
    host.func_wrap(
        "log",
        |mut cx: StoreContextMut<'_, Host>, (message,): (String,)| {
            cx.data_mut().log(&message);
            Ok(())
        },
    )?;
    host.func_wrap("tick", |_: StoreContextMut<'_, Host>, (value,): (u32,)| {
        Ok((Host::tick(value),))
    })?;
    wasi!(linker);
    Ok(linker)
}
