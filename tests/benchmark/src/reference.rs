//! The reference: wasmtime with its default settings, which are Cranelift, no fuel and no epochs.

use crate::host::{HOST, Host, Input, OPERATIONS};
use crate::measure::Side;
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use std::hint::black_box;
use wasmtime::component::{
    Component, ComponentNamedList, ComponentType, Func, Instance, Lift, Linker, Lower, TypedFunc, Val,
};
use wasmtime::{Config, Engine, Store, StoreContextMut};

/// With its default settings.
pub(crate) const NAME: &str = "wasmtime";

/// The same without support for concurrent calls of components, which its default features bring.
pub(crate) const SYNC: &str = "wasmtime sync";

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

/// The guest, compiled and linked.
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

/// wasmtime's error is no `std::error::Error`.
fn foreign(error: wasmtime::Error) -> anyhow::Error {
    anyhow!("{error:?}")
}

impl Reference {
    pub(crate) fn new(guest: &[u8]) -> Result<Reference> {
        Reference::with(NAME, &Config::new(), guest)
    }

    /// The second one, where the first has what this one lacks.
    #[cfg(feature = "reference-defaults")]
    pub(crate) fn sync(guest: &[u8]) -> Result<Option<Reference>> {
        let mut config = Config::new();
        config.concurrency_support(false);
        Reference::with(SYNC, &config, guest).map(Some)
    }

    #[cfg(not(feature = "reference-defaults"))]
    pub(crate) fn sync(_: &[u8]) -> Result<Option<Reference>> {
        Ok(None)
    }

    fn with(name: &'static str, config: &Config, guest: &[u8]) -> Result<Reference> {
        let engine = Engine::new(config).map_err(foreign)?;
        let component = Component::from_binary(&engine, guest).map_err(foreign)?;
        let linker = linker(&engine).map_err(foreign)?;
        Ok(Reference {
            name,
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
        let operations = instance
            .get_export_index(&mut store, None, OPERATIONS)
            .context(OPERATIONS)?;
        let index = instance
            .get_export_index(&mut store, Some(&operations), name)
            .with_context(|| format!("{OPERATIONS}#{name}"))?;
        let function = instance
            .get_func(&mut store, index)
            .with_context(|| format!("{OPERATIONS}#{name}"))?;
        Ok((store, function))
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
            // Here, since its type holds how long the parameters live.
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
    Ok(linker)
}
