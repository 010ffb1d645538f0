//! Instances: instantiation, state and exports.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use airssys_wasm_abi::CoreSignature;
use wasmer::{AsStoreMut, Extern, TypedFunction};

use super::component::Component;
use super::core_call::{CoreFunc, at_border};
use super::func::{Func, FuncInner, guarded};
use super::handles::HandleTable;
use super::ir::{CoreDef, CoreExport, Export, Initializer, Ir};
use super::may_leave::{self, Flag};
use super::names;
use super::resolve::Resolved;
use super::resource::{ResourceRuntime, ResourceType, ResourceTypeKind, drop_rep};
use super::same::Same;
use super::store::check_memory;
use super::store::{AsContextMut, StoreContextMut, unique};
use super::text::bounded;
use super::trampoline;
use super::trap::from_runtime;
use super::typed::{ComponentNamedList, TypeContext, TypedFunc};
use super::{MAX_TYPE_TEXT, Type};
use crate::engine::{Backend, CoreModule, GuestMemory};
use crate::error::{Error, Result, TrapKind};

pub(crate) type Realloc = TypedFunction<(i32, i32, i32, i32), i32>;

/// An instance of a component in a [`Store`](super::Store). Cheap to clone.
#[derive(Clone, Debug)]
pub struct Instance {
    inner: Arc<InstanceInner>,
}

/// State of an instance. Each slot is filled once, while the initializers run.
#[derive(Debug)]
pub(crate) struct InstanceInner {
    pub(crate) id: u64,
    pub(crate) store: u64,
    component: Component,
    core_instances: Box<[OnceLock<wasmer::Instance>]>,
    /// Per component instance: the `may_leave` flag.
    may_leave: Box<[Flag]>,
    memories: Box<[OnceLock<GuestMemory>]>,
    reallocs: Box<[OnceLock<Realloc>]>,
    post_returns: Box<[OnceLock<wasmer::Function>]>,
    resources: Box<[OnceLock<ResourceRuntime>]>,
    tables: Mutex<Vec<HandleTable>>,
    pub(crate) entered: AtomicBool,
    pub(crate) poisoned: AtomicBool,
}

fn slots<T>(count: usize) -> Box<[OnceLock<T>]> {
    (0..count).map(|_| OnceLock::new()).collect()
}

impl InstanceInner {
    fn new<T: Send + 'static>(cx: &mut StoreContextMut<'_, T>, component: &Component) -> InstanceInner {
        let ir = component.ir();
        let instances = ir.counts.component_instances as usize;
        let room = &cx.core.handles;
        let tables = (0..instances).map(|_| HandleTable::new(Arc::clone(room)));
        InstanceInner {
            id: unique(),
            store: cx.core.id,
            component: component.clone(),
            core_instances: slots(ir.counts.core_instances as usize),
            may_leave: may_leave::flags(&mut cx.store, ir),
            memories: slots(ir.counts.memories as usize),
            reallocs: slots(ir.counts.reallocs as usize),
            post_returns: slots(ir.counts.post_returns as usize),
            resources: slots(ir.imported_resources.len() + ir.defined_resources.len()),
            tables: Mutex::new(tables.collect()),
            entered: AtomicBool::new(false),
            poisoned: AtomicBool::new(false),
        }
    }

    pub(crate) fn ir(&self) -> &Ir {
        self.component.ir()
    }

    pub(super) fn component(&self) -> &Component {
        &self.component
    }

    pub(crate) fn backend(&self) -> Backend {
        self.component.backend()
    }

    pub(crate) fn memory(&self, index: u32) -> Option<&GuestMemory> {
        self.memories.get(index as usize)?.get()
    }

    pub(crate) fn realloc(&self, index: u32) -> Option<&Realloc> {
        self.reallocs.get(index as usize)?.get()
    }

    pub(crate) fn post_return(&self, index: u32) -> Option<&wasmer::Function> {
        self.post_returns.get(index as usize)?.get()
    }

    pub(crate) fn resource(&self, index: u32) -> Option<&ResourceRuntime> {
        self.resources.get(index as usize)?.get()
    }

    pub(crate) fn tables(&self) -> MutexGuard<'_, Vec<HandleTable>> {
        // A panic while it was held left at worst a step undone; the data stays consistent.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Performs one operation on the handle table of a component instance.
    pub(crate) fn handles<R>(
        &self,
        component_instance: u32,
        step: impl FnOnce(&mut HandleTable) -> Result<R, TrapKind>,
    ) -> Result<R, TrapKind> {
        let mut tables = self.tables();
        let table = tables
            .get_mut(component_instance as usize)
            .ok_or_else(|| TrapKind::Other("a component instance out of range".into()))?;
        step(table)
    }

    #[inline]
    pub(super) fn flag(&self, component_instance: u32) -> Option<&Flag> {
        self.may_leave.get(component_instance as usize)
    }

    fn core_export(&self, export: &CoreExport) -> Result<Extern> {
        self.core_instances
            .get(export.instance as usize)
            .and_then(OnceLock::get)
            .and_then(|instance| instance.exports.get_extern(&export.name))
            .cloned()
            .ok_or_else(|| Error::bug(format!("core export `{}` is missing", export.name)))
    }
}

/// Instantiates a component: runs its initializers.
pub(crate) fn instantiate<T: Send + 'static>(
    cx: &mut StoreContextMut<'_, T>,
    component: &Component,
    imports: &[Resolved<T>],
) -> Result<Instance> {
    let limit = cx.core.limits.core_instances;
    let wanted = component.ir().counts.core_instances;
    if wanted > limit {
        return Err(Error::Instantiate(format!(
            "it makes {wanted} core instances, and the limit is {limit} (core_instances)"
        )));
    }
    let inner = Arc::new(InstanceInner::new(cx, component));
    let (core, env) = (cx.core, cx.env);
    core.state().components.push(component.clone());
    // Start functions run here: they are guest code, under the same guard as a call.
    guarded(&mut cx.store, core, &inner, true, |store| {
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
                    let instance = self.instantiate_module(*module, args)?;
                    set(&inner.core_instances, core_instance, instance)?;
                    core_instance += 1;
                }
                Initializer::ExtractMemory { index, export } => {
                    let Extern::Memory(memory) = inner.core_export(export)? else {
                        return Err(Error::bug(format!("core export `{}` is no memory", export.name)));
                    };
                    set(&inner.memories, *index, GuestMemory::new(memory))?;
                }
                Initializer::ExtractRealloc { index, def } => {
                    let realloc = self.function(def)?.typed(&self.cx.store);
                    set(
                        &inner.reallocs,
                        *index,
                        realloc.map_err(|error| Error::bug(error.message()))?,
                    )?;
                }
                Initializer::ExtractPostReturn { index, def } => {
                    let post_return = self.function(def)?;
                    set(&inner.post_returns, *index, post_return)?;
                }
                Initializer::Resource {
                    index,
                    dtor,
                    instance,
                } => {
                    let dtor = dtor.as_ref().map(|def| self.function(def)).transpose()?;
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
            let dtor = Some(dtor.bind(self.cx));
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

    fn instantiate_module(&mut self, module: u32, args: &[CoreDef]) -> Result<wasmer::Instance> {
        let module = self.inner.component.module(module)?.clone();
        let args = args
            .iter()
            .map(|def| self.core_def(def))
            .collect::<Result<Vec<_>>>()?;
        let waiting = self.cx.core.state().waiting.take();
        if waiting.is_some() {
            check_memory(module.code())?;
        }
        let place = self.cx.core.state().memory_place.take();
        if place.is_some() {
            check_memory(module.code())?;
        }
        self.cx.core.next.set(module.memories());
        let instance = wasmer::Instance::new_by_index(&mut self.cx.store, module.code(), &args);
        self.cx.core.next.set(None);
        let instance = instance.map_err(|error| match error {
            wasmer::InstantiationError::Start(error) => from_runtime(error),
            other => Error::Instantiate(other.to_string()),
        })?;
        if let Some(waiting) = waiting {
            waiting.tell(&mut self.cx.store, &instance)?;
        }
        if let Some(place) = place {
            place.fill(&instance)?;
        }
        Ok(instance)
    }

    fn flag(&self, instance: u32) -> Result<wasmer::Global> {
        let flag = self.inner.flag(instance);
        let flag = flag.ok_or_else(|| Error::bug("a component instance out of range"))?;
        flag.global().cloned()
    }

    fn function(&mut self, def: &CoreDef) -> Result<wasmer::Function> {
        match self.core_def(def)? {
            Extern::Function(function) => Ok(function),
            _ => Err(Error::bug("a core definition that is no function")),
        }
    }

    fn core_def(&mut self, def: &CoreDef) -> Result<Extern> {
        Ok(match def {
            CoreDef::Export(export) => self.inner.core_export(export)?,
            CoreDef::InstanceFlags(instance) => self.flag(*instance)?.into(),
            CoreDef::Trampoline(index) => trampoline::make(self.cx, self.inner, *index, self.imports)?.into(),
        })
    }
}

fn set<V>(slots: &[OnceLock<V>], index: u32, value: V) -> Result<()> {
    let slot = slots
        .get(index as usize)
        .ok_or_else(|| Error::bug("an initializer out of range"))?;
    slot.set(value)
        .map_err(|_| Error::bug("an initializer that runs twice"))
}

/// An export of a component, a function or an instance, looked up once and used many times.
#[derive(Clone, Debug)]
pub struct ExportIndex {
    component: u64,
    path: Vec<usize>,
}

impl Instance {
    /// Looks an export up: at the root, or in the instance that `parent` refers to. Versions match as for imports: the
    /// highest compatible one.
    pub fn get_export_index(&self, parent: Option<&ExportIndex>, name: &str) -> Option<ExportIndex> {
        let items = match parent {
            None => &self.inner.ir().exports,
            Some(parent) => match self.export(parent)? {
                Export::Instance(items) => items,
                _ => return None,
            },
        };
        let found = names::find(
            items
                .iter()
                .enumerate()
                .map(|(index, (name, _))| (name.as_str(), index)),
            name,
        )?;
        let mut path = parent.map(|parent| parent.path.clone()).unwrap_or_default();
        path.push(found);
        Some(ExportIndex {
            component: self.inner.id,
            path,
        })
    }

    fn export(&self, index: &ExportIndex) -> Option<&Export> {
        if index.component != self.inner.id {
            return None;
        }
        let (first, rest) = index.path.split_first()?;
        let mut export = &self.inner.ir().exports.get(*first)?.1;
        for place in rest {
            let Export::Instance(items) = export else {
                return None;
            };
            export = &items.get(*place)?.1;
        }
        Some(export)
    }

    fn export_at(&self, path: &[&str]) -> Result<&Export> {
        let mut index = None;
        for name in path {
            let next = self.get_export_index(index.as_ref(), name);
            index = Some(next.ok_or_else(|| self.missing(index.as_ref(), name))?);
        }
        index
            .and_then(|index| self.export(&index))
            .ok_or_else(|| self.missing(None, &path.join("#")))
    }

    /// Returns the exported function at `path`: `["run"]` at the root, `["ns:pkg/interface@1.0.0", "run"]` in an
    /// instance.
    ///
    /// # Errors
    /// [`Error::MissingExport`] with the names that the component exports.
    pub fn get_func(&self, mut store: impl AsContextMut, path: &[&str]) -> Result<Func> {
        let mut cx = store.as_context_mut();
        if cx.core.id != self.inner.store {
            return Err(Error::WrongStore("the instance"));
        }
        match self.export_at(path)? {
            Export::Func {
                function,
                def,
                options,
            } => {
                let CoreDef::Export(export) = def else {
                    return Err(Error::Unsupported(
                        "it exports an import of its own as it is".into(),
                    ));
                };
                let Extern::Function(core) = self.inner.core_export(export)? else {
                    return Err(Error::bug("a lifted function that is no core function"));
                };
                let options = *self
                    .inner
                    .ir()
                    .options
                    .get(*options as usize)
                    .ok_or_else(|| Error::bug("options out of range"))?;
                let signature = at_border(self.inner.backend(), function.plan.export_signature());
                let post_return = options
                    .post_return
                    .and_then(|index| self.inner.post_return(index));
                let after = CoreSignature {
                    params: signature.results.clone(),
                    results: Vec::new(),
                };
                Ok(Func::new(FuncInner {
                    name: path.join("#"),
                    instance: self.inner.clone(),
                    core: CoreFunc::new(&mut cx.store, &core, &signature)?,
                    post_return: post_return
                        .map(|post_return| CoreFunc::new(&mut cx.store, post_return, &after))
                        .transpose()?,
                    function: function.clone(),
                    options,
                }))
            }
            _ => Err(self.missing(None, &path.join("#"))),
        }
    }

    /// Returns an exported function with Rust types for its parameters and results.
    ///
    /// # Errors
    /// As [`Instance::get_func`]; [`Error::TypeMismatch`] if the types differ from the component's.
    pub fn get_typed_func<P, R>(&self, store: impl AsContextMut, path: &[&str]) -> Result<TypedFunc<P, R>>
    where
        P: ComponentNamedList,
        R: ComponentNamedList,
    {
        self.get_func(store, path)?.typed()
    }

    /// Returns the type of a resource that the component exports at `path`.
    ///
    /// # Errors
    /// [`Error::MissingExport`].
    pub fn get_resource(&self, path: &[&str]) -> Result<ResourceType> {
        match self.export_at(path)? {
            Export::Resource(table) => Ok(self.inner.resource_table(*table)?.2.ty),
            _ => Err(self.missing(None, &path.join("#"))),
        }
    }

    /// Runs the destructor of a resource that another instance owned, of a type that this instance exports at `path`.
    pub(super) fn drop_resource<T: Send + 'static>(
        &self,
        mut cx: StoreContextMut<'_, T>,
        path: &[String],
        rep: u32,
    ) -> Result<()> {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match self.export_at(&path)? {
            Export::Resource(table) => {
                let (_, resource, _) = self.inner.resource_table(*table)?;
                drop_rep(&mut cx, &self.inner, resource, rep)
            }
            _ => Err(self.missing(None, &path.join("#"))),
        }
    }

    /// Checks that an importing component declares `ty`, a value type of this instance, as the same type.
    pub(super) fn check_same_type(
        &self,
        ty: &Type,
        wanted: &Type,
        types: &TypeContext<'_>,
    ) -> std::result::Result<(), String> {
        let look_up = |table: airssys_wasm_abi::ResourceType| {
            let found = self.inner.resource_table(table.0).ok();
            found.map(|(_, _, resource)| resource.ty)
        };
        let theirs = TypeContext { look_up: &look_up };
        match Same::new(types, &theirs).types(wanted, ty) {
            true => Ok(()),
            false => Err(format!(
                "the component needs the type {}, and the linker has {}",
                bounded(wanted, MAX_TYPE_TEXT),
                bounded(ty, MAX_TYPE_TEXT)
            )),
        }
    }

    /// Returns the core instances, with their modules, in the order of instantiation.
    pub(super) fn core_instances(&self) -> impl Iterator<Item = (&CoreModule, &wasmer::Instance)> {
        let modules = self
            .inner
            .ir()
            .initializers
            .iter()
            .filter_map(|initializer| match initializer {
                Initializer::InstantiateModule { module, .. } => self.inner.component.module(*module).ok(),
                _ => None,
            });
        modules.zip(self.inner.core_instances.iter().filter_map(OnceLock::get))
    }

    /// Returns the number of references to this instance, from functions of its store and from handles.
    pub(super) fn holders(&self) -> usize {
        Arc::strong_count(&self.inner)
    }

    /// Resets the host's state of the instance. Returns false if the instance must not be called again.
    pub(super) fn restart(&self) -> bool {
        if self.inner.poisoned.load(Ordering::Relaxed) || self.inner.entered.load(Ordering::Relaxed) {
            return false;
        }
        self.inner.tables().iter_mut().for_each(HandleTable::clear);
        self.inner.may_leave.iter().for_each(Flag::restart);
        true
    }

    /// Returns the component that this is an instance of.
    pub fn component(&self) -> &Component {
        &self.inner.component
    }

    /// Returns whether a trap has poisoned the instance, so that it refuses further calls.
    pub fn is_poisoned(&self) -> bool {
        self.inner.poisoned.load(Ordering::Relaxed)
    }

    /// Returns the number of live resource handles, over all component instances.
    pub fn live_handles(&self) -> u64 {
        self.inner
            .tables()
            .iter()
            .map(|table| u64::from(table.live()))
            .sum()
    }

    fn missing(&self, parent: Option<&ExportIndex>, name: &str) -> Error {
        let items: &[(String, Export)] = match parent.and_then(|parent| self.export(parent)) {
            Some(Export::Instance(items)) => items,
            _ => &self.inner.ir().exports,
        };
        let names: Vec<&str> = items.iter().map(|(name, _)| name.as_str()).collect();
        let hint = if names.is_empty() {
            "nothing is exported there".to_owned()
        } else {
            format!("exported there: {}", names.join(", "))
        };
        Error::MissingExport {
            kind: "item",
            name: name.to_owned(),
            hint,
        }
    }
}
