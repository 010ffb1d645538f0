//! airssys-wasm as a side of the comparison.

mod actors;
mod compute;
mod deployed;
mod loaded_actors;
mod snapshot;
mod types;

pub(crate) use actors::{Actors, Idle, call_alone};
pub(crate) use compute::{Compute, compile};
pub(crate) use deployed::{Deployed, precompile};
pub(crate) use loaded_actors::{LoadedActors, Version};
pub(crate) use snapshot::{ARTIFACT, SNAPSHOT, Snapshot};

use crate::host::{HOST, Host, Input, OPERATIONS};
use crate::measure::Side;
use airssys_wasm::component::{
    Component, ComponentNamedList, Instance, Linker, Store, StoreContextMut, TypedFunc, Val,
};
use airssys_wasm::engine::{Backend, Config, Engine};
use anyhow::{Result, anyhow, bail, ensure};
use std::hint::black_box;
use types::{Context, Failure};

type Answer = std::result::Result<Vec<u8>, Failure>;

pub(crate) const NAME: &str = "ours";

/// The compiled and linked guest.
#[derive(Debug)]
pub(crate) struct Ours {
    engine: Engine,
    component: Component,
    linker: Linker<Host>,
}

impl Ours {
    pub(crate) fn new(backend: Backend, guest: &[u8]) -> Result<Ours> {
        let engine = Engine::new(Config::new().backend(backend))?;
        let component = Component::from_binary(&engine, guest)?;
        let linker = linker(&engine)?;
        Ok(Ours {
            engine,
            component,
            linker,
        })
    }

    fn instance(&self) -> Result<(Store<Host>, Instance)> {
        let mut store = Store::new(&self.engine, Host::default());
        let instance = self.linker.instantiate(&mut store, &self.component)?;
        Ok((store, instance))
    }

    fn function<P, R>(&self, name: &str) -> Result<(Store<Host>, TypedFunc<P, R>)>
    where
        P: ComponentNamedList,
        R: ComponentNamedList,
    {
        let (mut store, instance) = self.instance()?;
        let function = instance.get_typed_func(&mut store, [OPERATIONS, name])?;
        Ok((store, function))
    }

    pub(crate) fn add(&self) -> Result<Side<'static>> {
        let (mut store, add) = self.function::<(u32, u32), (u32,)>("add")?;
        ensure!(add.call(&mut store, (40, 2))? == (42,), "a wrong sum");
        Ok(Side::new(NAME, move |times| {
            for _ in 0..times {
                black_box(add.call(&mut store, black_box((40, 2)))?);
            }
            Ok(())
        }))
    }

    pub(crate) fn execute<'a>(&self, input: &'a Input) -> Result<Side<'a>> {
        let (mut store, instance) = self.instance()?;
        let function = instance.try_get_func(&mut store, [OPERATIONS, "execute"])?;
        let context = Context {
            id: input.id.to_owned(),
            deadline: input.deadline,
        };
        let mut work = move |times: u64| -> Result<Vec<u8>> {
            let mut output = Vec::new();
            // Created here, since its type includes the lifetime of the parameters.
            let execute = function.typed::<(&[u8], &Context), (Answer,)>(&store)?;
            for _ in 0..times {
                let (answer,) = execute.call(&mut store, black_box((&input.bytes, &context)))?;
                output = answer.map_err(|failure| anyhow!("{failure:?}"))?;
            }
            Ok(output)
        };
        ensure!(work(1)? == input.reversed, "the bytes are not reversed");
        Ok(Side::new(NAME, move |times| {
            black_box(work(times)?);
            Ok(())
        }))
    }

    pub(crate) fn execute_dynamic<'a>(&self, input: &'a Input) -> Result<Side<'a>> {
        let (mut store, instance) = self.instance()?;
        let execute = instance.try_get_func(&mut store, [OPERATIONS, "execute"])?;
        let context = Val::Record(vec![
            ("id".into(), Val::String(input.id.into())),
            ("deadline".into(), Val::U64(input.deadline)),
        ]);
        let params = [Val::Bytes(input.bytes.clone()), context];
        match execute.call_dynamic(&mut store, &params)? {
            Some(Val::Result(Ok(Some(output)))) if *output == Val::Bytes(input.reversed.clone()) => {}
            _ => bail!("the bytes are not reversed"),
        }
        Ok(Side::new(NAME, move |times| {
            for _ in 0..times {
                black_box(execute.call_dynamic(&mut store, black_box(&params))?);
            }
            Ok(())
        }))
    }

    pub(crate) fn call_host(&self) -> Result<Side<'static>> {
        let (mut store, call_host) = self.function::<(u32,), (u32,)>("call-host")?;
        ensure!(call_host.call(&mut store, (7,))? == (7,), "a wrong count");
        Ok(Side::per_part(NAME, 1000, move |parts, times| {
            for _ in 0..times {
                black_box(call_host.call(&mut store, black_box((parts,)))?);
            }
            Ok(())
        }))
    }

    pub(crate) fn call_host_text(&self) -> Result<Side<'static>> {
        let (mut store, call_host) = self.function::<(u32,), ()>("call-host-text")?;
        call_host.call(&mut store, (7,))?;
        ensure!(store.data().messages == 7, "the host was not called as often");
        Ok(Side::per_part(NAME, 1000, move |parts, times| {
            for _ in 0..times {
                call_host.call(&mut store, black_box((parts,)))?;
            }
            Ok(())
        }))
    }
}

/// Defines the imports of every guest.
fn linker(engine: &Engine) -> Result<Linker<Host>> {
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
