//! Making an instance: its initializers, run in their order.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use airssys_wasm_abi::{CoreSignature, CoreType};
use wasmer::{AsStoreMut, Extern};

use super::{Instance, InstanceInner};
use crate::component::call::core_call::CoreFunc;
use crate::component::call::func::guarded;
use crate::component::call::trap::from_runtime;
use crate::component::component::Component;
use crate::component::concurrent::host_call;
use crate::component::instance::memory_hook::check_memory;
use crate::component::instance::trampoline;
use crate::component::ir::{CoreDef, ImportArg, Initializer, Options};
use crate::component::link::resolve::Resolved;
use crate::component::load::module::Module;
use crate::component::resource::{ResourceRuntime, ResourceType, ResourceTypeKind};
use crate::component::store::StoreContextMut;
use crate::engine::{CoreInstance, CoreModule, GuestMemory, interrupt, make_room};
use crate::error::{Error, LimitExceeded, Result};

/// Instantiates: runs the component's initializers.
pub(crate) fn instantiate<T: Send + 'static>(
    cx: &mut StoreContextMut<'_, T>,
    component: &Component,
    imports: &[Resolved<T>],
) -> Result<Instance> {
    let limit = cx.core.limits.core_instances;
    let wanted = component.ir().counts.core_instances;
    if wanted > limit {
        let name = ("core_instances", "core instances");
        return Err(LimitExceeded::new(name, limit.into(), 0, wanted.into()).into());
    }
    let (host, guest) = component.ir().functions();
    make_room(&mut cx.store, host, guest);
    let inner = Arc::new(InstanceInner::new(cx, component, imports));
    let (core, env) = (cx.core, cx.env);
    if inner.is_concurrent() {
        // Its tasks cannot be reset.
        core.is_reached_from_outside();
    }
    core.state().components.push(component.clone());
    let modules = inner.modules.iter().map(|(_, module)| module.clone());
    core.state().modules.extend(modules);
    // Start functions run here: they are guest code, under the same guard as a call.
    guarded(&mut cx.store, core, &inner, true, |store| {
        let run = |store: &mut wasmer::StoreMut<'_>| {
            let mut cx = StoreContextMut {
                store: store.as_store_mut(),
                env,
                core,
            };
            Instantiation {
                cx: &mut cx,
                inner: &inner,
                imports,
            }
            .run()
        };
        match inner.is_concurrent() {
            false => run(store),
            true => host_call::run_sync(store, core, &inner, &Options::of_host(), run),
        }
    })?;
    Ok(Instance { inner })
}

struct Instantiation<'a, 'b, T: Send + 'static> {
    cx: &'a mut StoreContextMut<'b, T>,
    inner: &'a Arc<InstanceInner>,
    imports: &'a [Resolved<T>],
}

impl<T: Send + 'static> Instantiation<'_, '_, T> {
    fn run(&mut self) -> Result<()> {
        let inner = self.inner;
        self.imported_resources()?;
        let mut core_instance = 0;
        for initializer in &inner.ir().initializers {
            match initializer {
                Initializer::InstantiateModule { module, args } => {
                    let module = inner.component.module(*module)?;
                    let instance = self.instantiate_module(module, args.iter())?;
                    set(&inner.core_instances, core_instance, instance)?;
                    core_instance += 1;
                }
                Initializer::InstantiateImport { import, args } => {
                    let module = inner.imported_module(*import)?;
                    let args = in_order(module, args)?;
                    let instance =
                        self.instantiate_module(inner.imported_code(*import)?, args.into_iter())?;
                    set(&inner.core_instances, core_instance, instance)?;
                    core_instance += 1;
                }
                Initializer::ExtractMemory { index, export } => {
                    let Extern::Memory(memory) = inner.core_export(&mut self.cx.store, export)? else {
                        return Err(Error::bug(format!(
                            "core export `{}` is not a memory",
                            export.name
                        )));
                    };
                    let memory = GuestMemory::new(&mut self.cx.store, memory)?;
                    set(&inner.memories, *index, memory)?;
                }
                Initializer::ExtractRealloc { index, def } => {
                    let signature = CoreSignature {
                        params: vec![CoreType::I32; 4],
                        results: vec![CoreType::I32],
                    };
                    let unwinds = self.cx.core.is_unguarded();
                    let realloc = match def {
                        CoreDef::Export(export) => {
                            inner.core_func(&mut self.cx.store, export, &signature, unwinds)?
                        }
                        _ => {
                            let realloc = self.function(def)?;
                            CoreFunc::new(&mut self.cx.store, &realloc, &signature, unwinds)?
                        }
                    };
                    set(&inner.reallocs, *index, realloc)?;
                }
                // Found when the function that it follows is.
                Initializer::ExtractPostReturn {
                    def: CoreDef::Export(_),
                    ..
                } => {}
                Initializer::ExtractPostReturn { index, def } => {
                    let post_return = self.function(def)?;
                    set(&inner.post_returns, *index, post_return)?;
                }
                Initializer::ExtractCallback { index, def } => {
                    let signature = CoreSignature {
                        params: vec![CoreType::I32; 3],
                        results: vec![CoreType::I32],
                    };
                    let unwinds = self.cx.core.is_unguarded();
                    let callback = self.function(def)?;
                    let callback = CoreFunc::new(&mut self.cx.store, &callback, &signature, unwinds)?;
                    set(&inner.callbacks, *index, callback)?;
                }
                Initializer::Resource {
                    index,
                    dtor,
                    instance,
                } => {
                    let dtor = dtor.as_ref().map(|def| self.function(def)).transpose()?;
                    let dtor = dtor.map(|dtor| self.destructor(&dtor)).transpose()?;
                    let resource = u32::try_from(inner.ir().imported_resources.len())
                        .ok()
                        .and_then(|imported| imported.checked_add(*index))
                        .ok_or_else(|| Error::bug("a resource out of range"))?;
                    let ty = ResourceType(ResourceTypeKind::Guest {
                        instance: inner.id,
                        resource,
                    });
                    set(
                        &inner.resources,
                        resource,
                        ResourceRuntime {
                            ty,
                            dtor,
                            definer: Some(*instance),
                        },
                    )?;
                }
            }
        }
        Ok(())
    }

    fn imported_resources(&mut self) -> Result<()> {
        for (index, import) in (0u32..).zip(&self.inner.ir().imported_resources) {
            let Some(Resolved::Resource { ty, dtor }) = self.imports.get(*import as usize) else {
                return Err(Error::bug("an imported resource that is not resolved"));
            };
            let dtor = dtor.bind(self.cx);
            let dtor = Some(self.destructor(&dtor)?);
            set(
                &self.inner.resources,
                index,
                ResourceRuntime {
                    ty: *ty,
                    dtor,
                    definer: None,
                },
            )?;
        }
        Ok(())
    }

    fn instantiate_module<'d>(
        &mut self,
        module: &CoreModule,
        args: impl Iterator<Item = &'d CoreDef>,
    ) -> Result<CoreInstance> {
        let mut args = args.map(|def| self.core_def(def)).collect::<Result<Vec<_>>>()?;
        let fuel = &self.cx.core.fuel;
        if module.is_metered() {
            args.push(fuel.counter(&mut self.cx.store).into());
        } else if !fuel.admit_unmetered() {
            return Err(Error::FuelNotConsumed);
        }
        let waiting = self.cx.core.state().waiting.take();
        if waiting.is_some() {
            check_memory(module)?;
        }
        let place = self.cx.core.state().memory_place.take();
        if place.is_some() {
            check_memory(module)?;
        }
        let functions = match &waiting {
            // The library's instance has code of its own.
            Some(_) => module.functions_of_whole().map_err(Error::Instantiate)?,
            None => module.functions(),
        };
        if waiting.is_some() || self.cx.core.is_unguarded() {
            module.register_frames();
            self.cx.core.register_frames();
        }
        self.cx.core.interrupter.code().add(functions);
        self.cx.core.next.set(module.memories());
        interrupt::check()?;
        let instance = match waiting {
            // A library needs the engine's own instance.
            Some(_) => CoreInstance::new_whole(&mut self.cx.store, module, &args),
            None => CoreInstance::new(&mut self.cx.store, module, &args, &self.cx.core.next),
        };
        self.cx.core.next.set(None);
        let instance = instance.map_err(|error| match *error {
            wasmer::InstantiationError::Start(error) => from_runtime(error),
            other => match self.cx.core.next.take_refusal() {
                Some(exceeded) => exceeded.into(),
                None => Error::Instantiate(other.to_string()),
            },
        })?;
        if let Some((waiting, whole)) = waiting.zip(instance.whole()) {
            waiting.tell(&mut self.cx.store, whole)?;
        }
        if let Some(place) = place {
            place.fill(&mut self.cx.store, &instance)?;
        }
        Ok(instance)
    }

    fn destructor(&mut self, function: &wasmer::Function) -> Result<Arc<CoreFunc>> {
        let signature = CoreSignature {
            params: vec![CoreType::I32],
            results: Vec::new(),
        };
        let unwinds = self.cx.core.is_unguarded();
        CoreFunc::new(&mut self.cx.store, function, &signature, unwinds).map(Arc::new)
    }

    fn flag(&self, instance: u32) -> Result<wasmer::Global> {
        let flag = self.inner.flag(instance);
        let flag = flag.ok_or_else(|| Error::bug("a component instance out of range"))?;
        flag.global().cloned()
    }

    fn function(&mut self, def: &CoreDef) -> Result<wasmer::Function> {
        match self.core_def(def)? {
            Extern::Function(function) => Ok(function),
            _ => Err(Error::bug("a core definition that is not a function")),
        }
    }

    fn core_def(&mut self, def: &CoreDef) -> Result<Extern> {
        Ok(match def {
            CoreDef::Export(export) => self.inner.core_export(&mut self.cx.store, export)?,
            CoreDef::InstanceFlags(instance) => self.flag(*instance)?.into(),
            CoreDef::Context(slot) => {
                let globals = self.cx.core.new_context_globals(&mut self.cx.store)?;
                let global = globals.get(*slot as usize);
                let global = global.ok_or_else(|| Error::bug("thread-local storage out of range"))?;
                global.global().clone().into()
            }
            CoreDef::TaskMayBlock => {
                wasmer::Global::new_mut(&mut self.cx.store, wasmer::Value::I32(1)).into()
            }
            CoreDef::Trampoline(index) => trampoline::make(self.cx, self.inner, *index, self.imports)?.into(),
        })
    }
}

/// Returns the arguments for the imports of a core module, in the order of its imports.
fn in_order<'a>(module: &Module, args: &'a [ImportArg]) -> Result<Vec<&'a CoreDef>> {
    let by_name: HashMap<(&str, &str), &CoreDef> = args
        .iter()
        .map(|arg| ((arg.module.as_str(), arg.name.as_str()), &arg.def))
        .collect();
    let imports = module.ty().imports.iter();
    let args = imports.map(|import| {
        by_name
            .get(&(import.module.as_str(), import.name.as_str()))
            .copied()
    });
    // The linker has compared the types.
    args.collect::<Option<_>>()
        .ok_or_else(|| Error::bug("a core module's import without an argument"))
}

fn set<V>(slots: &[OnceLock<V>], index: u32, value: V) -> Result<()> {
    let slot = slots
        .get(index as usize)
        .ok_or_else(|| Error::bug("an initializer out of range"))?;
    slot.set(value)
        .map_err(|_| Error::bug("an initializer that runs twice"))
}
