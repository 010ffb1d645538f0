//! Values on the reference engine, wasmtime.

use anyhow::{Context as _, Result};
use wasmtime::component::{Component, Func, InstancePre, Linker, Val};
use wasmtime::{Engine, Store};

use super::super::drive::{Turns, run};
use super::super::reference::{engine, foreign};
use crate::differential::compare::{Exchange, Place, Side};
use crate::differential::reference::{read, val};
use crate::differential::values::Value;

#[derive(Default)]
struct Host {
    turns: u32,
    reply: Option<Val>,
    seen: Vec<Val>,
}

/// A component on wasmtime.
pub(super) struct Reference {
    engine: Engine,
    pre: InstancePre<Host>,
    functions: Vec<String>,
    running: Option<(Store<Host>, Vec<Func>)>,
    calls: u32,
}

impl Reference {
    /// # Errors
    /// If the component is refused.
    pub(super) fn new(component: &[u8], functions: &[String]) -> Result<Reference> {
        let engine = engine()?;
        let component = Component::from_binary(&engine, component).map_err(foreign)?;
        let mut linker: Linker<Host> = Linker::new(&engine);
        let mut host = linker.instance("host").map_err(foreign)?;
        for name in functions.iter().filter(|name| name.starts_with("echo")) {
            host.func_new_concurrent(name, |accessor, _, params, results| {
                Box::pin(async move {
                    let (turns, reply) = accessor.with(|mut access| {
                        let host = access.get();
                        host.seen = params.to_vec();
                        (host.turns, host.reply.take())
                    });
                    Turns(turns).await;
                    let reply = reply.unwrap_or_else(|| match params {
                        [only] => only.clone(),
                        several => Val::Tuple(several.to_vec()),
                    });
                    if let Some(result) = results.first_mut() {
                        *result = reply;
                    }
                    Ok(())
                })
            })
            .map_err(foreign)?;
        }
        Ok(Reference {
            pre: linker.instantiate_pre(&component).map_err(foreign)?,
            engine,
            functions: functions.to_vec(),
            running: None,
            calls: 0,
        })
    }

    fn start(&self) -> Result<(Store<Host>, Vec<Func>)> {
        let mut store = Store::new(&self.engine, Host::default());
        let instance = run(self.pre.instantiate_async(&mut store))
            .context("an instantiation that waits")?
            .map_err(foreign)?;
        let guest = instance
            .get_export_index(&mut store, None, "guest")
            .context("the guest")?;
        let function = |name: &String| {
            let export = instance
                .get_export_index(&mut store, Some(&guest), name)
                .with_context(|| name.clone())?;
            instance
                .get_func(&mut store, export)
                .with_context(|| name.clone())
        };
        let functions = self.functions.iter().map(function).collect::<Result<_>>()?;
        Ok((store, functions))
    }
}

impl Side for Reference {
    fn name(&self) -> &str {
        "wasmtime"
    }

    fn call(&mut self, function: usize, exchange: &Exchange) -> Result<Vec<(Place, Value)>> {
        let (mut store, functions) = match self.running.take() {
            Some(running) => running,
            None => self.start()?,
        };
        self.calls += 1;
        let func = functions.get(function).context("a function")?;
        let host = store.data_mut();
        host.turns = self.calls % 3;
        host.reply = exchange.reply.as_ref().map(val);
        let params: Vec<Val> = exchange.params.iter().map(val).collect();
        let mut results = [Val::Bool(false)];
        run(store
            .run_concurrent(async |accessor| func.call_concurrent(accessor, &params, &mut results).await))
        .context("all wait")?
        .map_err(foreign)?
        .map_err(foreign)?;
        let [result] = &results;
        let mut places = vec![(Place::Result, read(result)?)];
        if self.functions[function].starts_with("echo") {
            let seen = std::mem::take(&mut store.data_mut().seen);
            let seen = seen.iter().map(read).collect::<Result<_>>()?;
            places.push((Place::Host, Value::of_params(seen)));
        }
        self.running = Some((store, functions));
        Ok(places)
    }
}
