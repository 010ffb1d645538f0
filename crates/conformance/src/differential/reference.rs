//! The reference engine, wasmtime.

use anyhow::{Context as _, Result, anyhow, bail};
use wasmtime::component::{Component, Func, InstancePre, Linker, Val};
use wasmtime::{Config, Engine, Store, StoreContextMut};

use super::compare::{Exchange, Place, Side};
use super::guest::{self, GUEST, HOST};
use super::types::Label;
use super::values::{Payload, Value};

#[derive(Default)]
struct Host {
    reply: Option<Val>,
    seen: Vec<Val>,
}

/// A component on wasmtime.
pub struct Reference {
    engine: Engine,
    pre: InstancePre<Host>,
    functions: usize,
    running: Option<Running>,
}

struct Running {
    store: Store<Host>,
    functions: Vec<Func>,
}

impl std::fmt::Debug for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reference").finish_non_exhaustive()
    }
}

/// Converts wasmtime's error, which is not a `std::error::Error`.
fn foreign(error: wasmtime::Error) -> anyhow::Error {
    anyhow!("{error:?}")
}

impl Reference {
    /// # Errors
    /// If wasmtime refuses the component.
    pub fn new(component: &[u8], functions: usize) -> Result<Reference> {
        let mut config = Config::new();
        config.wasm_component_model_fixed_length_lists(true);
        config.concurrency_support(false);
        // wasmer handles the same signals in this process, and each would treat the other's traps as its own.
        config.signals_based_traps(false);
        let engine = Engine::new(&config).map_err(foreign)?;
        let component = Component::from_binary(&engine, component).map_err(foreign)?;
        let mut linker: Linker<Host> = Linker::new(&engine);
        let mut host = linker.instance(HOST).map_err(foreign)?;
        for index in 0..functions {
            host.func_new(
                &guest::function(index),
                |mut cx: StoreContextMut<'_, Host>, _, params, results| {
                    let host = cx.data_mut();
                    host.seen = params.to_vec();
                    let answer = host.reply.take().unwrap_or_else(|| match params {
                        [only] => only.clone(),
                        several => Val::Tuple(several.to_vec()),
                    });
                    if let [result] = results {
                        *result = answer;
                    }
                    Ok(())
                },
            )
            .map_err(foreign)?;
        }
        let pre = linker.instantiate_pre(&component).map_err(foreign)?;
        Ok(Reference {
            engine,
            pre,
            functions,
            running: None,
        })
    }

    fn start(&self) -> Result<Running> {
        let mut store = Store::new(&self.engine, Host::default());
        let instance = self.pre.instantiate(&mut store).map_err(foreign)?;
        let guest = instance
            .get_export_index(&mut store, None, GUEST)
            .context(GUEST)?;
        let function = |index| {
            let name = guest::function(index);
            let export = instance
                .get_export_index(&mut store, Some(&guest), &name)
                .with_context(|| name.clone())?;
            instance.get_func(&mut store, export).context(name)
        };
        let functions = (0..self.functions).map(function).collect::<Result<_>>()?;
        Ok(Running { store, functions })
    }
}

impl Side for Reference {
    fn name(&self) -> &str {
        "wasmtime"
    }

    fn call(&mut self, function: usize, exchange: &Exchange) -> Result<Vec<(Place, Value)>> {
        let mut running = match self.running.take() {
            Some(running) => running,
            None => self.start()?,
        };
        let function = running.functions.get(function).context("a function")?;
        running.store.data_mut().reply = exchange.reply.as_ref().map(val);
        let params: Vec<Val> = exchange.params.iter().map(val).collect();
        let mut results = [Val::Bool(false)];
        function
            .call(&mut running.store, &params, &mut results)
            .map_err(foreign)?;
        let seen = std::mem::take(&mut running.store.data_mut().seen);
        let seen = seen.iter().map(read).collect::<Result<_>>()?;
        let [result] = &results;
        self.running = Some(running);
        Ok(vec![
            (Place::Host, Value::of_params(seen)),
            (Place::Result, read(result)?),
        ])
    }
}

pub(crate) fn val(value: &Value) -> Val {
    let vals = |values: &[Value]| values.iter().map(val).collect();
    match value {
        Value::Bool(value) => Val::Bool(*value),
        Value::U8(value) => Val::U8(*value),
        Value::S8(value) => Val::S8(*value),
        Value::U16(value) => Val::U16(*value),
        Value::S16(value) => Val::S16(*value),
        Value::U32(value) => Val::U32(*value),
        Value::S32(value) => Val::S32(*value),
        Value::U64(value) => Val::U64(*value),
        Value::S64(value) => Val::S64(*value),
        Value::F32(bits) => Val::Float32(f32::from_bits(*bits)),
        Value::F64(bits) => Val::Float64(f64::from_bits(*bits)),
        Value::Char(value) => Val::Char(*value),
        Value::String(value) => Val::String(value.clone()),
        Value::Bytes(bytes) => Val::List(bytes.iter().copied().map(Val::U8).collect()),
        Value::List(values) => Val::List(vals(values)),
        Value::Fixed(values) => Val::FixedLengthList(vals(values)),
        Value::Tuple(values) => Val::Tuple(vals(values)),
        Value::Record(fields) => {
            let fields = fields.iter();
            Val::Record(
                fields
                    .map(|(label, value)| (label.to_string(), val(value)))
                    .collect(),
            )
        }
        Value::Variant(label, payload) => Val::Variant(label.to_string(), val_payload(payload)),
        Value::Enum(label) => Val::Enum(label.to_string()),
        Value::Option(payload) => Val::Option(val_payload(payload)),
        Value::Result(Ok(payload)) => Val::Result(Ok(val_payload(payload))),
        Value::Result(Err(payload)) => Val::Result(Err(val_payload(payload))),
        Value::Flags(labels) => Val::Flags(labels.iter().map(|label| label.to_string()).collect()),
    }
}

fn val_payload(payload: &Payload) -> Option<Box<Val>> {
    payload.as_ref().map(|value| Box::new(val(value)))
}

pub(crate) fn read(val: &Val) -> Result<Value> {
    let values = |vals: &[Val]| vals.iter().map(read).collect::<Result<Vec<_>>>();
    Ok(match val {
        Val::Bool(value) => Value::Bool(*value),
        Val::U8(value) => Value::U8(*value),
        Val::S8(value) => Value::S8(*value),
        Val::U16(value) => Value::U16(*value),
        Val::S16(value) => Value::S16(*value),
        Val::U32(value) => Value::U32(*value),
        Val::S32(value) => Value::S32(*value),
        Val::U64(value) => Value::U64(*value),
        Val::S64(value) => Value::S64(*value),
        Val::Float32(value) => Value::F32(value.to_bits()),
        Val::Float64(value) => Value::F64(value.to_bits()),
        Val::Char(value) => Value::Char(*value),
        Val::String(value) => Value::String(value.clone()),
        Val::List(vals) if matches!(vals.first(), Some(Val::U8(_))) => Value::Bytes(
            vals.iter()
                .map(|val| match val {
                    Val::U8(byte) => Ok(*byte),
                    other => bail!("{other:?} in a list of bytes"),
                })
                .collect::<Result<_>>()?,
        ),
        Val::List(vals) => Value::List(values(vals)?),
        Val::FixedLengthList(vals) => Value::Fixed(values(vals)?),
        Val::Tuple(vals) => Value::Tuple(values(vals)?),
        Val::Record(fields) => Value::Record(
            fields
                .iter()
                .map(|(label, val)| Ok((Label::from(label.as_str()), read(val)?)))
                .collect::<Result<_>>()?,
        ),
        Val::Variant(label, payload) => Value::Variant(Label::from(label.as_str()), read_payload(payload)?),
        Val::Enum(label) => Value::Enum(Label::from(label.as_str())),
        Val::Option(payload) => Value::Option(read_payload(payload)?),
        Val::Result(Ok(payload)) => Value::Result(Ok(read_payload(payload)?)),
        Val::Result(Err(payload)) => Value::Result(Err(read_payload(payload)?)),
        Val::Flags(labels) => Value::Flags(labels.iter().map(|label| Label::from(label.as_str())).collect()),
        other => bail!("{other:?}, which was never sent"),
    })
}

fn read_payload(payload: &Option<Box<Val>>) -> Result<Payload> {
    let payload = payload.as_ref().map(|val| read(val)).transpose()?;
    Ok(payload.map(Box::new))
}
