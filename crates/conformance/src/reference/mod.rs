//! wasmtime as a subject: the reference engine, in the same version as the translator.

use std::sync::Arc;

use wasmtime::component as wt;
use wasmtime::{Config, Engine, Store, Trap};

mod host;

use super::failure::{Failure, FailureKind, TrapClass};
use super::subject::{Definition, InstanceId, Options, Outcome, Session, Subject};
use airssys_wasm_component::component::Val;

/// wasmtime with its Cranelift compiler.
#[derive(Clone)]
pub struct Reference {
    engine: Engine,
}

/// Fuel of a guest, about 10 seconds of computing. A guest that uses more is stopped.
const FUEL: u64 = 20_000_000_000;

impl Reference {
    /// # Errors
    /// An error if wasmtime refuses its configuration.
    pub fn new() -> Result<Reference, Failure> {
        let mut config = Config::new();
        config
            .wasm_component_model(true)
            .concurrency_support(false)
            .wasm_component_model_fixed_length_lists(true)
            .wasm_component_model_map(true)
            .wasm_component_model_implements(true)
            .wasm_multi_memory(true)
            .consume_fuel(true)
            // Otherwise both engines would handle the signals of one process.
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
            stores: vec![Store::new(&self.engine, ())],
            trapped: false,
            linker: wt::Linker::new(&self.engine),
            host: host::Host::default(),
            host_instance: false,
            components: Vec::new(),
            instances: Vec::new(),
            options: options.clone(),
        })
    }
}

struct ReferenceSession {
    engine: Engine,
    /// A trap ends all instances of a store in wasmtime, so later ones get a new store.
    stores: Vec<Store<()>>,
    trapped: bool,
    linker: wt::Linker<()>,
    /// Counters of the host, shared by all stores of the session.
    host: host::Host,
    /// True once the linker has it.
    host_instance: bool,
    components: Vec<wt::Component>,
    instances: Vec<Made>,
    options: Options,
}

/// An instance, and the store that it lives in.
#[derive(Clone)]
struct Made {
    instance: wt::Instance,
    component: wt::Component,
    store: usize,
}

impl ReferenceSession {
    fn made(&self, id: InstanceId) -> Outcome<Made> {
        let made = self.instances.get(id.0).cloned();
        made.ok_or_else(|| Failure::new(FailureKind::Host, "an instance of another session"))
    }

    fn store(&mut self, index: usize) -> Outcome<&mut Store<()>> {
        let store = self.stores.get_mut(index);
        store.ok_or_else(|| Failure::new(FailureKind::Engine, "a store out of range"))
    }

    fn trap(&mut self, error: &wasmtime::Error) -> Failure {
        self.trapped = true;
        trap(error)
    }
}

fn refuel(store: &mut Store<()>) -> Outcome<()> {
    store.set_fuel(FUEL).map_err(|error| engine_failure(&error))
}

impl Session for ReferenceSession {
    fn define(&mut self, bytes: &[u8]) -> Outcome<Definition> {
        let component = wt::Component::from_binary(&self.engine, bytes).map_err(|error| {
            let message = error.root_cause().to_string();
            // wasmtime does not support a component that only this library's validator accepts.
            if airssys_wasm_component::component::is_valid(bytes) {
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
        if std::mem::take(&mut self.trapped) {
            self.stores.push(Store::new(&self.engine, ()));
            self.linker = wt::Linker::new(&self.engine);
            self.host_instance = false;
        }
        if self.options.host_instance && !self.host_instance {
            self.host.define(&self.engine, &mut self.linker)?;
            self.host_instance = true;
        }
        let mut linker = self.linker.clone();
        if self.options.missing_imports_trap {
            linker
                .define_unknown_imports_as_traps(&component)
                .map_err(|error| engine_failure(&error))?;
        }
        let pre = linker
            .instantiate_pre(&component)
            .map_err(|error| Failure::new(FailureKind::Unlinkable, format!("{error:#}")))?;
        let index = self.stores.len() - 1;
        let store = self.store(index)?;
        refuel(store)?;
        match pre.instantiate(store) {
            Ok(instance) => self.instances.push(Made {
                instance,
                component,
                store: index,
            }),
            Err(error) => return Err(self.trap(&error)),
        }
        Ok(InstanceId(self.instances.len() - 1))
    }

    fn register(&mut self, name: &str, id: InstanceId) -> Outcome<()> {
        let Made {
            instance,
            component,
            store,
        } = self.made(id)?;
        if store != self.stores.len() - 1 {
            return Err(Failure::unsupported("instances that were created before a trap"));
        }
        let ty = component.component_type();
        self.linker.allow_shadowing(true);
        let mut linker = self
            .linker
            .instance(name)
            .map_err(|error| engine_failure(&error))?;
        for (export, item) in ty.exports(&self.engine) {
            match item.ty {
                wt::types::ComponentItem::ComponentFunc(_) => {}
                wt::types::ComponentItem::Module(_) => {
                    let module = self
                        .stores
                        .last_mut()
                        .and_then(|store| instance.get_module(store, export));
                    let module = module.ok_or_else(|| {
                        Failure::new(
                            FailureKind::Engine,
                            format!("the core module `{export}` is missing"),
                        )
                    })?;
                    linker
                        .module(export, &module)
                        .map_err(|error| engine_failure(&error))?;
                    continue;
                }
                // Value types need no definition.
                wt::types::ComponentItem::Type(_) => continue,
                _ => {
                    return Err(Failure::unsupported(
                        "exports other than functions and core modules on the reference engine",
                    ));
                }
            }
            let func = self
                .stores
                .last_mut()
                .and_then(|store| instance.get_func(store, export));
            let Some(func) = func else { continue };
            linker
                .func_new(export, move |mut cx, _, arguments, results| {
                    func.call(&mut cx, arguments, results)
                })
                .map_err(|error| engine_failure(&error))?;
        }
        Ok(())
    }

    fn call(&mut self, id: InstanceId, path: &[&str], arguments: &[Val]) -> Outcome<Option<Val>> {
        let made = self.made(id)?;
        let store = self.store(made.store)?;
        let mut index = None;
        for name in path {
            index = made.instance.get_export_index(&mut *store, index.as_ref(), name);
            if index.is_none() {
                let message = format!("there is no export `{}`", path.join("#"));
                return Err(Failure::new(FailureKind::Host, message));
            }
        }
        let func = index.and_then(|index| made.instance.get_func(&mut *store, index));
        let func = func.ok_or_else(|| {
            Failure::new(
                FailureKind::Host,
                format!("`{}` is not a function", path.join("#")),
            )
        })?;
        refuel(store)?;
        let ty = func.ty(&*store);
        if ty.params().len() != arguments.len() {
            return Err(Failure::new(FailureKind::Host, "wrong number of arguments"));
        }
        let arguments = ty
            .params()
            .zip(arguments)
            .map(|((_, ty), value)| from_ours(&ty, value));
        let arguments: Vec<wt::Val> = arguments.collect::<Outcome<_>>()?;
        let mut results = vec![wt::Val::Bool(false); ty.results().len()];
        if let Err(error) = func.call(store, &arguments, &mut results) {
            return Err(self.trap(&error));
        }
        results.first().map(to_ours).transpose()
    }
}

fn engine_failure(error: &wasmtime::Error) -> Failure {
    Failure::new(FailureKind::Engine, format!("{error:#}"))
}

fn trap(error: &wasmtime::Error) -> Failure {
    let text = error.downcast_ref::<Trap>().map(ToString::to_string);
    let cause = error.root_cause().to_string();
    let class = text
        .as_deref()
        .and_then(TrapClass::of_text)
        .or_else(|| TrapClass::of_text(&cause));
    let message = text.unwrap_or(cause);
    Failure::new(FailureKind::Trap(class.unwrap_or(TrapClass::Other)), message)
}

/// Converts a value of ours to wasmtime's, for a type.
fn from_ours(ty: &wt::Type, value: &Val) -> Outcome<wt::Val> {
    let misfit = || Failure::new(FailureKind::Host, "a value that does not fit its type");
    let payload = |ty: Option<wt::Type>, value: &Option<Box<Val>>| match (ty, value) {
        (Some(ty), Some(value)) => Ok(Some(Box::new(from_ours(&ty, value)?))),
        (None, None) => Ok(None),
        _ => Err(misfit()),
    };
    let items = |ty: &wt::Type, items: &[Val]| {
        items
            .iter()
            .map(|item| from_ours(ty, item))
            .collect::<Outcome<_>>()
    };
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
        (wt::Type::Map(map), Val::List(entries)) => {
            let entries = entries.iter().map(|entry| match entry {
                Val::Tuple(entry) => match &entry[..] {
                    [key, value] => Ok((from_ours(&map.key(), key)?, from_ours(&map.value(), value)?)),
                    _ => Err(misfit()),
                },
                _ => Err(misfit()),
            });
            wt::Val::Map(entries.collect::<Outcome<_>>()?)
        }
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
            let case = variant
                .cases()
                .find(|case| case.name == &**name)
                .ok_or_else(misfit)?;
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
        (_, Val::Resource(_) | Val::Stream(_) | Val::Future(_)) => {
            return Err(Failure::unsupported("handles in the values of a call"));
        }
        _ => return Err(misfit()),
    })
}

/// Converts a value of wasmtime's.
fn to_ours(value: &wt::Val) -> Outcome<Val> {
    let payload = |value: &Option<Box<wt::Val>>| {
        value
            .as_deref()
            .map(to_ours)
            .transpose()
            .map(|value| value.map(Box::new))
    };
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
        wt::Val::Map(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| Ok(Val::Tuple(vec![to_ours(key)?, to_ours(value)?])));
            Val::List(entries.collect::<Outcome<_>>()?)
        }
        wt::Val::FixedLengthList(values) => Val::FixedLengthList(items(values)?),
        wt::Val::Record(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| Ok((Arc::from(name.as_str()), to_ours(value)?)));
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
