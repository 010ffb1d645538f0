//! wasmtime as a subject: the reference engine, in the translator's version.

use std::sync::Arc;

use wasmtime::component as wt;
use wasmtime::{Config, Engine, Store, Trap};

use super::failure::{Failure, FailureKind, TrapClass};
use super::subject::{Definition, InstanceId, Options, Outcome, Session, Subject};
use crate::component::Val;

/// wasmtime, with its Cranelift.
#[derive(Clone)]
pub struct Reference {
    engine: Engine,
}

/// A guest that computes for longer than this is stopped; 10 seconds or so.
const FUEL: u64 = 20_000_000_000;

impl Reference {
    /// # Errors
    /// What wasmtime says against its configuration.
    pub fn new() -> Result<Reference, Failure> {
        let mut config = Config::new();
        config
            .wasm_component_model(true)
            .wasm_component_model_fixed_length_lists(true)
            .wasm_multi_memory(true)
            .consume_fuel(true)
            // Both engines would catch the signals of one process otherwise.
            .signals_based_traps(false);
        let engine = Engine::new(&config).map_err(|error| engine_failure(&error))?;
        Ok(Reference { engine })
    }
}

impl std::fmt::Debug for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reference")
    }
}

impl Subject for Reference {
    fn name(&self) -> &str {
        "wasmtime"
    }

    fn session(&self, options: &Options) -> Box<dyn Session> {
        Box::new(ReferenceSession {
            engine: self.engine.clone(),
            store: Store::new(&self.engine, ()),
            linker: wt::Linker::new(&self.engine),
            components: Vec::new(),
            instances: Vec::new(),
            options: options.clone(),
        })
    }
}

struct ReferenceSession {
    engine: Engine,
    store: Store<()>,
    linker: wt::Linker<()>,
    components: Vec<wt::Component>,
    instances: Vec<(wt::Instance, wt::Component)>,
    options: Options,
}

impl ReferenceSession {
    fn refuel(&mut self) -> Outcome<()> {
        self.store.set_fuel(FUEL).map_err(|error| engine_failure(&error))
    }
}

impl Session for ReferenceSession {
    fn define(&mut self, bytes: &[u8]) -> Outcome<Definition> {
        let component = wt::Component::from_binary(&self.engine, bytes).map_err(|error| {
            let message = format!("{error:#}");
            // A component that this library's validator takes is not supported there.
            if crate::component::is_valid(bytes) {
                Failure::unsupported(message)
            } else {
                Failure::new(FailureKind::Invalid, message)
            }
        })?;
        self.components.push(component);
        Ok(Definition(self.components.len() - 1))
    }

    fn instantiate(&mut self, definition: Definition) -> Outcome<InstanceId> {
        let component = self.components.get(definition.0).cloned();
        let component =
            component.ok_or_else(|| Failure::new(FailureKind::Host, "a component of another session"))?;
        if self.options.host_instance {
            return Err(Failure::unsupported("the instance `host` on the reference engine"));
        }
        self.refuel()?;
        let pre = self
            .linker
            .instantiate_pre(&component)
            .map_err(|error| Failure::new(FailureKind::Unlinkable, format!("{error:#}")))?;
        let instance = pre.instantiate(&mut self.store).map_err(|error| trap(&error))?;
        self.instances.push((instance, component));
        Ok(InstanceId(self.instances.len() - 1))
    }

    fn register(&mut self, name: &str, id: InstanceId) -> Outcome<()> {
        let (instance, component) = self.instances.get(id.0).cloned().ok_or_else(unknown_instance)?;
        let ty = component.component_type();
        self.linker.allow_shadowing(true);
        let mut linker = self.linker.instance(name).map_err(|error| engine_failure(&error))?;
        for (export, item) in ty.exports(&self.engine) {
            match item.ty {
                wt::types::ComponentItem::ComponentFunc(_) => {}
                // Value types need no definition.
                wt::types::ComponentItem::Type(_) => continue,
                _ => {
                    return Err(Failure::unsupported("exports other than functions on the reference engine"));
                }
            }
            let Some(func) = instance.get_func(&mut self.store, export) else {
                continue;
            };
            linker
                .func_new(export, move |mut cx, _, arguments, results| {
                    func.call(&mut cx, arguments, results)
                })
                .map_err(|error| engine_failure(&error))?;
        }
        Ok(())
    }

    fn call(&mut self, id: InstanceId, path: &[&str], arguments: &[Val]) -> Outcome<Option<Val>> {
        let instance = self.instances.get(id.0).map(|(instance, _)| *instance).ok_or_else(unknown_instance)?;
        let mut index = None;
        for name in path {
            index = instance.get_export_index(&mut self.store, index.as_ref(), name);
            if index.is_none() {
                let message = format!("there is no export `{}`", path.join("#"));
                return Err(Failure::new(FailureKind::Host, message));
            }
        }
        let func = index.and_then(|index| instance.get_func(&mut self.store, index));
        let func = func.ok_or_else(|| {
            Failure::new(FailureKind::Host, format!("`{}` is no function", path.join("#")))
        })?;
        self.refuel()?;
        let ty = func.ty(&self.store);
        if ty.params().len() != arguments.len() {
            return Err(Failure::new(FailureKind::Host, "another number of arguments"));
        }
        let arguments: Vec<wt::Val> =
            ty.params().zip(arguments).map(|((_, ty), value)| from_ours(&ty, value)).collect::<Outcome<_>>()?;
        let mut results = vec![wt::Val::Bool(false); ty.results().len()];
        func.call(&mut self.store, &arguments, &mut results).map_err(|error| trap(&error))?;
        results.first().map(to_ours).transpose()
    }
}

fn unknown_instance() -> Failure {
    Failure::new(FailureKind::Host, "an instance of another session")
}

fn engine_failure(error: &wasmtime::Error) -> Failure {
    Failure::new(FailureKind::Engine, format!("{error:#}"))
}

fn trap(error: &wasmtime::Error) -> Failure {
    let text = error.downcast_ref::<Trap>().map(ToString::to_string);
    let cause = error.root_cause().to_string();
    let class = text.as_deref().and_then(TrapClass::of_text).or_else(|| TrapClass::of_text(&cause));
    let message = text.unwrap_or(cause);
    Failure::new(FailureKind::Trap(class.unwrap_or(TrapClass::Other)), message)
}

/// A value of ours as wasmtime wants it for a type.
fn from_ours(ty: &wt::Type, value: &Val) -> Outcome<wt::Val> {
    let misfit = || Failure::new(FailureKind::Host, "a value that does not fit its type");
    let payload = |ty: Option<wt::Type>, value: &Option<Box<Val>>| match (ty, value) {
        (Some(ty), Some(value)) => Ok(Some(Box::new(from_ours(&ty, value)?))),
        (None, None) => Ok(None),
        _ => Err(misfit()),
    };
    let items = |ty: &wt::Type, items: &[Val]| items.iter().map(|item| from_ours(ty, item)).collect::<Outcome<_>>();
    Ok(match (ty, value) {
        (_, Val::Bool(value)) => wt::Val::Bool(*value),
        (_, Val::S8(value)) => wt::Val::S8(*value),
        (_, Val::U8(value)) => wt::Val::U8(*value),
        (_, Val::S16(value)) => wt::Val::S16(*value),
        (_, Val::U16(value)) => wt::Val::U16(*value),
        (_, Val::S32(value)) => wt::Val::S32(*value),
        (_, Val::U32(value)) => wt::Val::U32(*value),
        (_, Val::S64(value)) => wt::Val::S64(*value),
        (_, Val::U64(value)) => wt::Val::U64(*value),
        (_, Val::Float32(value)) => wt::Val::Float32(*value),
        (_, Val::Float64(value)) => wt::Val::Float64(*value),
        (_, Val::Char(value)) => wt::Val::Char(*value),
        (_, Val::String(value)) => wt::Val::String(value.clone()),
        (wt::Type::FixedLengthList(_), Val::Bytes(bytes)) => {
            wt::Val::FixedLengthList(bytes.iter().map(|byte| wt::Val::U8(*byte)).collect())
        }
        (_, Val::Bytes(bytes)) => wt::Val::List(bytes.iter().map(|byte| wt::Val::U8(*byte)).collect()),
        (wt::Type::List(list), Val::List(values)) => wt::Val::List(items(&list.ty(), values)?),
        (wt::Type::FixedLengthList(list), Val::List(values) | Val::FixedLengthList(values)) => {
            wt::Val::FixedLengthList(items(&list.ty(), values)?)
        }
        (wt::Type::Record(record), Val::Record(fields)) => {
            let fields = record.fields().map(|field| {
                let value = fields.iter().find(|(name, _)| &**name == field.name);
                let (_, value) = value.ok_or_else(misfit)?;
                Ok((field.name.to_owned(), from_ours(&field.ty, value)?))
            });
            wt::Val::Record(fields.collect::<Outcome<_>>()?)
        }
        (wt::Type::Tuple(tuple), Val::Tuple(values)) if tuple.types().len() == values.len() => {
            let values = tuple.types().zip(values).map(|(ty, value)| from_ours(&ty, value));
            wt::Val::Tuple(values.collect::<Outcome<_>>()?)
        }
        (wt::Type::Variant(variant), Val::Variant(name, value)) => {
            let case = variant.cases().find(|case| case.name == &**name).ok_or_else(misfit)?;
            wt::Val::Variant(name.to_string(), payload(case.ty, value)?)
        }
        (_, Val::Enum(name)) => wt::Val::Enum(name.to_string()),
        (wt::Type::Option(option), Val::Option(value)) => match value {
            Some(value) => wt::Val::Option(Some(Box::new(from_ours(&option.ty(), value)?))),
            None => wt::Val::Option(None),
        },
        (wt::Type::Result(result), Val::Result(value)) => wt::Val::Result(match value {
            Ok(value) => Ok(payload(result.ok(), value)?),
            Err(value) => Err(payload(result.err(), value)?),
        }),
        (_, Val::Flags(names)) => wt::Val::Flags(names.iter().map(ToString::to_string).collect()),
        (_, Val::Resource(_)) => return Err(Failure::unsupported("handles in the values of a call")),
        _ => return Err(misfit()),
    })
}

/// A value of wasmtime's.
fn to_ours(value: &wt::Val) -> Outcome<Val> {
    let payload = |value: &Option<Box<wt::Val>>| value.as_deref().map(to_ours).transpose().map(|value| value.map(Box::new));
    let items = |items: &[wt::Val]| items.iter().map(to_ours).collect::<Outcome<_>>();
    Ok(match value {
        wt::Val::Bool(value) => Val::Bool(*value),
        wt::Val::S8(value) => Val::S8(*value),
        wt::Val::U8(value) => Val::U8(*value),
        wt::Val::S16(value) => Val::S16(*value),
        wt::Val::U16(value) => Val::U16(*value),
        wt::Val::S32(value) => Val::S32(*value),
        wt::Val::U32(value) => Val::U32(*value),
        wt::Val::S64(value) => Val::S64(*value),
        wt::Val::U64(value) => Val::U64(*value),
        wt::Val::Float32(value) => Val::Float32(*value),
        wt::Val::Float64(value) => Val::Float64(*value),
        wt::Val::Char(value) => Val::Char(*value),
        wt::Val::String(value) => Val::String(value.clone()),
        wt::Val::List(values) => Val::List(items(values)?),
        wt::Val::FixedLengthList(values) => Val::FixedLengthList(items(values)?),
        wt::Val::Record(fields) => {
            let fields = fields.iter().map(|(name, value)| Ok((Arc::from(name.as_str()), to_ours(value)?)));
            Val::Record(fields.collect::<Outcome<_>>()?)
        }
        wt::Val::Tuple(values) => Val::Tuple(items(values)?),
        wt::Val::Variant(name, value) => Val::Variant(Arc::from(name.as_str()), payload(value)?),
        wt::Val::Enum(name) => Val::Enum(Arc::from(name.as_str())),
        wt::Val::Option(value) => Val::Option(payload(value)?),
        wt::Val::Result(value) => Val::Result(match value {
            Ok(value) => Ok(payload(value)?),
            Err(value) => Err(payload(value)?),
        }),
        wt::Val::Flags(names) => Val::Flags(names.iter().map(|name| Arc::from(name.as_str())).collect()),
        wt::Val::Resource(_) => return Err(Failure::unsupported("handles in the values of a call")),
        other => return Err(Failure::unsupported(format!("values like {other:?}"))),
    })
}
