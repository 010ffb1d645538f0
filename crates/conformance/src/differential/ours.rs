//! Our backends, with dynamic values.

use std::any::Any;

use airssys_wasm_component::component::{
    Component, Func, InstancePre, Linker, LinkerInstance, Store, StoreContextMut, Val,
};
use airssys_wasm_component::engine::{Backend, Config, Engine};
use anyhow::{Context as _, Result, bail};

use super::compare::{Exchange, Place, Side};
use super::guest::{self, GUEST, HOST};
use super::values::{Payload, Value};

/// State of the host functions.
#[derive(Default)]
pub(super) struct Host {
    reply: Option<Val>,
    seen: Vec<Val>,
    /// Arguments of a function of Rust types.
    pub(super) typed: Option<Box<dyn Any + Send>>,
}

/// A compiled component.
#[derive(Clone, Debug)]
pub struct Compiled {
    engine: Engine,
    component: Component,
    functions: usize,
}

impl Compiled {
    /// # Errors
    /// If the component is refused.
    pub fn new(backend: Backend, component: &[u8], functions: usize) -> Result<Compiled> {
        let engine = Engine::new(Config::new().backend(backend))?;
        let component = Component::from_binary(&engine, component)?;
        Ok(Compiled {
            engine,
            component,
            functions,
        })
    }

    pub(super) fn backend(&self) -> Backend {
        self.engine.backend()
    }
}

/// A component linked with one kind of host functions.
pub(super) struct Linked {
    engine: Engine,
    pre: InstancePre<Host>,
    functions: usize,
    running: Option<Running>,
}

struct Running {
    store: Store<Host>,
    functions: Vec<Func>,
}

impl Linked {
    pub(super) fn new(
        compiled: &Compiled,
        define: impl Fn(&mut LinkerInstance<'_, Host>, usize, &str) -> airssys_wasm_component::Result<()>,
    ) -> Result<Linked> {
        let mut linker = Linker::new(&compiled.engine);
        let mut host = linker.instance(HOST)?;
        for index in 0..compiled.functions {
            define(&mut host, index, &guest::function(index))?;
        }
        Ok(Linked {
            engine: compiled.engine.clone(),
            pre: linker.instantiate_pre(&compiled.component)?,
            functions: compiled.functions,
            running: None,
        })
    }

    /// Links with host functions of dynamic values, which return the reply or else their arguments.
    pub(super) fn dynamic(compiled: &Compiled) -> Result<Linked> {
        Linked::new(compiled, |host, _, name| {
            host.func_new(name, |mut cx: StoreContextMut<'_, Host>, _, params, results| {
                let host = cx.data_mut();
                host.seen = params.to_vec();
                let reply = host.reply.take().or_else(|| match params {
                    [only] => Some(only.clone()),
                    _ => Some(Val::Tuple(params.to_vec())),
                });
                if let (Some(result), Some(reply)) = (results.first_mut(), reply) {
                    *result = reply;
                }
                Ok(())
            })
        })
    }

    fn start(&self) -> Result<Running> {
        let mut store = Store::new(&self.engine, Host::default());
        let instance = self.pre.instantiate(&mut store)?;
        let functions = (0..self.functions)
            .map(|index| instance.try_get_func(&mut store, [GUEST, &guest::function(index)]))
            .collect::<airssys_wasm_component::Result<_>>()?;
        Ok(Running { store, functions })
    }

    /// Runs with a function's instance, and with a new one after an error.
    pub(super) fn run<R>(
        &mut self,
        function: usize,
        run: impl FnOnce(&mut Store<Host>, &Func) -> Result<R>,
    ) -> Result<R> {
        let mut running = match self.running.take() {
            Some(running) => running,
            None => self.start()?,
        };
        let function = running.functions.get(function).context("a function")?;
        let result = run(&mut running.store, function)?;
        self.running = Some(running);
        Ok(result)
    }

    /// Calls with dynamic values.
    pub(super) fn call(&mut self, function: usize, params: &[Val], reply: Option<Val>) -> Result<Value> {
        self.run(function, |store, func| {
            store.data_mut().reply = reply;
            let result = func.call_dynamic(store, params)?;
            read(&result.context("a result")?)
        })
    }

    /// Returns the host function's arguments, as dynamic values.
    pub(super) fn seen(&mut self) -> Result<Value> {
        let running = self.running.as_mut().context("an instance")?;
        let seen = std::mem::take(&mut running.store.data_mut().seen);
        Ok(Value::of_params(seen.iter().map(read).collect::<Result<_>>()?))
    }

    /// Returns the host function's arguments, as Rust types.
    pub(super) fn seen_typed(&mut self) -> Result<Box<dyn Any + Send>> {
        let running = self.running.as_mut().context("an instance")?;
        running.store.data_mut().typed.take().context("a typed value")
    }
}

/// A component on one of our backends, called with dynamic values.
pub struct Ours {
    name: String,
    linked: Linked,
    form: CallForm,
}

impl std::fmt::Debug for Ours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ours")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Ours {
    /// # Errors
    /// If the component does not link.
    pub fn new(compiled: &Compiled) -> Result<Ours> {
        Ok(Ours {
            name: compiled.backend().to_string(),
            linked: Linked::dynamic(compiled)?,
            form: CallForm::Lifted,
        })
    }
}

impl Side for Ours {
    fn name(&self) -> &str {
        &self.name
    }

    fn call(&mut self, function: usize, exchange: &Exchange) -> Result<Vec<(Place, Value)>> {
        self.form = match self.form {
            CallForm::Lifted => CallForm::Other,
            CallForm::Other => CallForm::Lifted,
        };
        let params: Vec<Val> = exchange
            .params
            .iter()
            .map(|value| val(value, self.form))
            .collect();
        let reply = exchange.reply.as_ref().map(|value| val(value, self.form));
        let result = self.linked.call(function, &params, reply)?;
        Ok(vec![(Place::Host, self.linked.seen()?), (Place::Result, result)])
    }
}

/// A form of dynamic values; some values have several.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CallForm {
    /// The form in which values come from a component.
    Lifted,
    /// The other form that is accepted: bytes as a list, fields and flags in another order.
    Other,
}

pub(crate) fn val(value: &Value, form: CallForm) -> Val {
    let vals = |values: &[Value]| values.iter().map(|value| val(value, form)).collect();
    let payload = |payload: &Payload| payload.as_ref().map(|value| Box::new(val(value, form)));
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
        Value::Bytes(bytes) if form == CallForm::Lifted => Val::Bytes(bytes.clone()),
        Value::Bytes(bytes) => Val::List(bytes.iter().copied().map(Val::U8).collect()),
        Value::List(values) => Val::List(vals(values)),
        Value::Fixed(values) => Val::FixedLengthList(vals(values)),
        Value::Tuple(values) => Val::Tuple(vals(values)),
        Value::Record(fields) => {
            let fields = fields.iter();
            let mut fields: Vec<_> = fields
                .map(|(label, value)| (label.clone(), val(value, form)))
                .collect();
            if form == CallForm::Other {
                fields.reverse();
            }
            Val::Record(fields)
        }
        Value::Variant(label, value) => Val::Variant(label.clone(), payload(value)),
        Value::Enum(label) => Val::Enum(label.clone()),
        Value::Option(value) => Val::Option(payload(value)),
        Value::Result(Ok(value)) => Val::Result(Ok(payload(value))),
        Value::Result(Err(value)) => Val::Result(Err(payload(value))),
        Value::Flags(labels) if form == CallForm::Lifted => Val::Flags(labels.clone()),
        Value::Flags(labels) => Val::Flags(labels.iter().rev().cloned().collect()),
    }
}

pub(crate) fn read(val: &Val) -> Result<Value> {
    let values = |vals: &[Val]| vals.iter().map(read).collect::<Result<Vec<_>>>();
    let payload = |payload: &Option<Box<Val>>| -> Result<Payload> {
        let payload = payload.as_ref().map(|val| read(val)).transpose()?;
        Ok(payload.map(Box::new))
    };
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
        Val::Bytes(bytes) => Value::Bytes(bytes.clone()),
        Val::List(vals) => Value::List(values(vals)?),
        Val::FixedLengthList(vals) => Value::Fixed(values(vals)?),
        Val::Tuple(vals) => Value::Tuple(values(vals)?),
        Val::Record(fields) => {
            let fields = fields.iter().map(|(label, val)| Ok((label.clone(), read(val)?)));
            Value::Record(fields.collect::<Result<_>>()?)
        }
        Val::Variant(label, val) => Value::Variant(label.clone(), payload(val)?),
        Val::Enum(label) => Value::Enum(label.clone()),
        Val::Option(val) => Value::Option(payload(val)?),
        Val::Result(Ok(val)) => Value::Result(Ok(payload(val)?)),
        Val::Result(Err(val)) => Value::Result(Err(payload(val)?)),
        Val::Flags(labels) => Value::Flags(labels.clone()),
        Val::Resource(_) => bail!("a resource, which was never sent"),
        Val::Stream(_) | Val::Future(_) => bail!("a stream or future, which was never sent"),
    })
}
