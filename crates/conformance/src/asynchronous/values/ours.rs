//! Values on our backends.

use airssys_wasm_component::component::{Component, Func, InstancePre, Linker, Store, Val};
use airssys_wasm_component::engine::{Backend, Config, Engine};
use anyhow::{Context as _, Result};

use super::super::drive::{Turns, run};
use crate::differential::compare::{Exchange, Place, Side};
use crate::differential::ours::{CallForm, read, val};
use crate::differential::values::Value;

#[derive(Default)]
struct Host {
    turns: u32,
    reply: Option<Val>,
    seen: Vec<Val>,
}

/// A component on one of our backends.
pub(super) struct Ours {
    name: String,
    engine: Engine,
    pre: InstancePre<Host>,
    functions: Vec<String>,
    running: Option<(Store<Host>, Vec<Func>)>,
    calls: u32,
}

impl Ours {
    /// # Errors
    /// If the component is refused.
    pub(super) fn new(backend: Backend, component: &[u8], functions: &[String]) -> Result<Ours> {
        let mut config = Config::new();
        config
            .backend(backend)
            .wasm_component_model_async(true)
            .wasm_component_model_async_builtins(true)
            .wasm_component_model_async_stackful(true);
        let engine = Engine::new(&config)?;
        let component = Component::from_binary(&engine, component)?;
        let mut linker = Linker::<Host>::new(&engine);
        let mut host = linker.instance("host")?;
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
            })?;
        }
        Ok(Ours {
            name: backend.to_string(),
            pre: linker.instantiate_pre(&component)?,
            engine,
            functions: functions.to_vec(),
            running: None,
            calls: 0,
        })
    }
}

impl Side for Ours {
    fn name(&self) -> &str {
        &self.name
    }

    fn call(&mut self, function: usize, exchange: &Exchange) -> Result<Vec<(Place, Value)>> {
        let (mut store, functions) = match self.running.take() {
            Some(running) => running,
            None => {
                let mut store = Store::new(&self.engine, Host::default());
                let instance = self.pre.instantiate(&mut store)?;
                let functions = self
                    .functions
                    .iter()
                    .map(|name| instance.try_get_func(&mut store, ["guest", name]))
                    .collect::<airssys_wasm_component::Result<_>>()?;
                (store, functions)
            }
        };
        self.calls += 1;
        let func = functions.get(function).context("a function")?;
        let form = CallForm::Lifted;
        let host = store.data_mut();
        host.turns = self.calls % 3;
        host.reply = exchange.reply.as_ref().map(|value| val(value, form));
        let params: Vec<Val> = exchange.params.iter().map(|value| val(value, form)).collect();
        let result =
            run(store.run_concurrent(async |accessor| func.call_concurrent(accessor, &params).await))
                .context("all wait")???
                .context("a result")?;
        let mut places = vec![(Place::Result, read(&result)?)];
        if self.functions[function].starts_with("echo") {
            let seen = std::mem::take(&mut store.data_mut().seen);
            let seen = seen.iter().map(read).collect::<Result<_>>()?;
            places.push((Place::Host, Value::of_params(seen)));
        }
        self.running = Some((store, functions));
        Ok(places)
    }
}
