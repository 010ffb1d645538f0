//! Instances: instantiation, state and exports.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use airssys_wasm_abi::{CoreSignature, CoreType};
use wasmer::{AsStoreMut, Extern};

use self::lookup::{ComponentExportIndex, ExportLookup};
use self::may_leave::Flag;
use crate::component::call::core_call::{CoreFunc, at_border};
use crate::component::call::func::{Func, FuncInner};
use crate::component::call::typed::{ComponentNamedList, TypeContext, TypedFunc};
use crate::component::component::Component;
use crate::component::ir::{CoreDef, CoreExport, Export, Initializer, Ir, ModuleSource};
use crate::component::link::resolve::Resolved;
use crate::component::link::type_equality::Same;
use crate::component::load::module::Module;
use crate::component::resource::handles::HandleTable;
use crate::component::resource::{ResourceRuntime, ResourceType, drop_rep};
use crate::component::store::{AsContextMut, StoreContextMut, StoreCore, unique};
use crate::component::text::bounded;
use crate::component::{MAX_TYPE_TEXT, Type, types};
use crate::engine::{Backend, CoreInstance, CoreModule, GuestMemory};
use crate::error::{Error, Result, TrapKind};

pub(super) mod adapter_trap;
mod instantiation;
pub(super) mod lookup;
pub(super) mod may_leave;
pub(super) mod memory_hook;
pub(super) mod pool;
mod saved_state;
pub(super) mod trampoline;
pub(super) mod transcode;

pub(crate) use instantiation::instantiate;

/// An instance of a component in a [`Store`](super::Store). Cheap to clone.
///
/// Its state is that of [Component Instances].
///
/// [Component Instances]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#component-instances
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
    /// Imported core modules, by runtime import.
    modules: Vec<(u32, Module)>,
    core_instances: Box<[OnceLock<CoreInstance>]>,
    /// Per component instance: the `may_leave` flag.
    may_leave: Box<[Flag]>,
    memories: Box<[OnceLock<GuestMemory>]>,
    reallocs: Box<[OnceLock<CoreFunc>]>,
    /// Those that are host functions; others are found when they are asked for.
    post_returns: Box<[OnceLock<wasmer::Function>]>,
    pub(super) callbacks: Box<[OnceLock<CoreFunc>]>,
    /// Functions of adapter modules that the host calls, once it has.
    adapters: Box<[OnceLock<AdapterCall>]>,
    resources: Box<[OnceLock<ResourceRuntime>]>,
    tables: Mutex<Vec<HandleTable>>,
    pub(crate) entered: AtomicBool,
    pub(crate) poisoned: AtomicBool,
}

/// A function of an adapter module.
#[derive(Debug)]
pub(crate) struct AdapterCall {
    pub(crate) func: CoreFunc,
    pub(crate) signature: CoreSignature,
}

fn slots<T>(count: usize) -> Box<[OnceLock<T>]> {
    (0..count).map(|_| OnceLock::new()).collect()
}

impl InstanceInner {
    fn new<T: Send + 'static>(
        cx: &mut StoreContextMut<'_, T>,
        component: &Component,
        imports: &[Resolved<T>],
    ) -> InstanceInner {
        let ir = component.ir();
        let concurrency = ir.concurrency.as_deref();
        let instances = ir.counts.component_instances as usize;
        let room = &cx.core.handles;
        let tables = (0..instances).map(|_| HandleTable::new(Arc::clone(room)));
        let modules = (0u32..)
            .zip(imports)
            .filter_map(|(import, resolved)| match resolved {
                Resolved::Module(module) => Some((import, module.clone())),
                _ => None,
            });
        InstanceInner {
            id: unique(),
            store: cx.core.id,
            component: component.clone(),
            modules: modules.collect(),
            core_instances: slots(ir.counts.core_instances as usize),
            may_leave: may_leave::flags(&mut cx.store, ir),
            memories: slots(ir.counts.memories as usize),
            reallocs: slots(ir.counts.reallocs as usize),
            post_returns: slots(ir.counts.post_returns as usize),
            callbacks: slots(concurrency.map_or(0, |concurrency| concurrency.callbacks as usize)),
            adapters: slots(concurrency.map_or(0, |concurrency| concurrency.adapters.len())),
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

    pub(crate) fn realloc(&self, index: u32) -> Option<&CoreFunc> {
        self.reallocs.get(index as usize)?.get()
    }

    /// Returns whether the component uses asynchronous functions, streams or futures.
    #[inline]
    pub(crate) fn is_concurrent(&self) -> bool {
        self.ir().concurrency.is_some()
    }

    /// Returns a callback function.
    pub(crate) fn callback(&self, index: u32) -> Result<&CoreFunc> {
        let callback = self.callbacks.get(index as usize).and_then(OnceLock::get);
        callback.ok_or_else(|| Error::bug("a callback out of range"))
    }

    /// Returns a function of an adapter module, by its number.
    pub(crate) fn adapter(
        &self,
        store: &mut impl AsStoreMut,
        core: &StoreCore,
        index: u32,
    ) -> Result<&AdapterCall> {
        let slot = self.adapters.get(index as usize);
        let slot = slot.ok_or_else(|| Error::bug("a function of an adapter module out of range"))?;
        if let Some(found) = slot.get() {
            return Ok(found);
        }
        let concurrency = self.ir().concurrency.as_deref();
        let adapter = concurrency.and_then(|concurrency| concurrency.adapters.get(index as usize));
        let adapter = adapter.ok_or_else(|| Error::bug("a function of an adapter module out of range"))?;
        let signature = at_border(self.backend(), &adapter.signature);
        let func = self.core_func(store, &adapter.export, &signature, core.is_unguarded())?;
        Ok(slot.get_or_init(|| AdapterCall { func, signature }))
    }

    /// Returns a post-return function, for calls from outside.
    pub(super) fn post_return(
        &self,
        store: &mut impl AsStoreMut,
        index: u32,
        signature: &CoreSignature,
        unwinds: bool,
    ) -> Result<CoreFunc> {
        let slot = self.post_returns.get(index as usize);
        if let Some(function) = slot.and_then(OnceLock::get) {
            return CoreFunc::new(store, function, signature, unwinds);
        }
        let mut initializers = self.ir().initializers.iter();
        let export = initializers.find_map(|initializer| match initializer {
            Initializer::ExtractPostReturn {
                index: own,
                def: CoreDef::Export(export),
            } if *own == index => Some(export),
            _ => None,
        });
        let export = export.ok_or_else(|| Error::bug("a post-return function out of range"))?;
        self.core_func(store, export, signature, unwinds)
    }

    /// Returns an exported core function, for calls from outside.
    fn core_func(
        &self,
        store: &mut impl AsStoreMut,
        export: &CoreExport,
        signature: &CoreSignature,
        unwinds: bool,
    ) -> Result<CoreFunc> {
        let missing = || Error::bug(format!("core export `{}` is missing", export.name));
        let instance = self.core_instances.get(export.instance as usize);
        let instance = instance.and_then(OnceLock::get).ok_or_else(missing)?;
        CoreFunc::of_export(store, instance, &export.name, signature, unwinds)?.ok_or_else(missing)
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

    /// An imported core module.
    fn imported_module(&self, import: u32) -> Result<&Module> {
        let found = self.modules.iter().find(|(module, _)| *module == import);
        let (_, module) = found.ok_or_else(|| Error::bug("an imported core module that is not resolved"))?;
        Ok(module)
    }

    /// The code of an imported core module.
    fn imported_code(&self, import: u32) -> Result<&CoreModule> {
        let code = self.imported_module(import)?.code(self.backend());
        code.ok_or_else(|| Error::bug("an imported core module of another backend"))
    }

    fn core_export(&self, store: &mut impl AsStoreMut, export: &CoreExport) -> Result<Extern> {
        let instance = self.core_instances.get(export.instance as usize);
        instance
            .and_then(OnceLock::get)
            .and_then(|instance| instance.export(store, &export.name))
            .ok_or_else(|| Error::bug(format!("core export `{}` is missing", export.name)))
    }
}

impl Instance {
    /// Looks an export up: at the root, or in the exported instance `instance`. Versions match as imports do: the highest
    /// compatible one.
    pub fn get_export_index(
        &self,
        _store: impl AsContextMut,
        instance: Option<&ComponentExportIndex>,
        name: &str,
    ) -> Option<ComponentExportIndex> {
        self.inner.component.get_export_index(instance, name)
    }

    /// As [`Instance::get_export_index`], with the export's type.
    pub fn get_export(
        &self,
        _store: impl AsContextMut,
        instance: Option<&ComponentExportIndex>,
        name: &str,
    ) -> Option<(types::ComponentItem, ComponentExportIndex)> {
        self.inner.component.get_export(instance, name)
    }

    fn export_at(&self, name: &(impl ExportLookup + ?Sized)) -> Result<(&Export, ComponentExportIndex)> {
        let component = &self.inner.component;
        let index = name.lookup(component)?;
        let export = component.export(&index);
        let export = export.ok_or_else(|| Error::bug("an index without an item"))?;
        Ok((export, index))
    }

    /// Returns an exported function: `"run"` at the root, `["ns:pkg/interface@1.0.0", "run"]` in an instance, or a
    /// [`ComponentExportIndex`]. `None` if there is no such function; [`Instance::try_get_func`] returns the reason.
    pub fn get_func(&self, store: impl AsContextMut, name: impl ExportLookup) -> Option<Func> {
        self.try_get_func(store, name).ok()
    }

    /// As [`Instance::get_func`].
    ///
    /// # Errors
    /// [`Error::MissingExport`] with the names that there are; [`Error::WrongStore`] for another store than the instance's;
    /// [`Error::Unsupported`] for a reexported import.
    pub fn try_get_func(&self, mut store: impl AsContextMut, name: impl ExportLookup) -> Result<Func> {
        let mut cx = store.as_context_mut();
        if cx.core.id != self.inner.store {
            return Err(Error::WrongStore("the instance"));
        }
        let (export, index) = self.export_at(&name)?;
        let Export::Func {
            function,
            def,
            options,
        } = export
        else {
            return Err(self.missing(&lookup::name_of(&self.inner.component, &index.path)));
        };
        let CoreDef::Export(export) = def else {
            return Err(Error::Unsupported(
                "it reexports one of its imported functions".into(),
            ));
        };
        let options = *self
            .inner
            .ir()
            .options
            .get(*options as usize)
            .ok_or_else(|| Error::bug("options out of range"))?;
        let mut signature = at_border(self.inner.backend(), function.plan()?.export_signature());
        if options.is_async {
            // Its result goes by `task.return`; a callback's first code comes from here.
            let code = options.callback.map(|_| CoreType::I32);
            signature.results = code.into_iter().collect();
        }
        let after = CoreSignature {
            params: signature.results.clone(),
            results: Vec::new(),
        };
        let unwinds = cx.core.is_unguarded();
        let core = self.inner.core_func(&mut cx.store, export, &signature, unwinds)?;
        let post_return = |index| self.inner.post_return(&mut cx.store, index, &after, unwinds);
        let post_return = options.post_return.map(post_return).transpose()?;
        Ok(Func::new(FuncInner {
            path: index.path.into_boxed_slice(),
            instance: self.inner.clone(),
            core,
            post_return,
            function: function.clone(),
            options,
            is_concurrent: self.inner.is_concurrent(),
        }))
    }

    /// An exported function with Rust types for its parameters and results.
    ///
    /// # Errors
    /// As [`Instance::try_get_func`]; [`Error::TypeMismatch`] if the types differ from the component's.
    pub fn get_typed_func<P, R>(
        &self,
        mut store: impl AsContextMut,
        name: impl ExportLookup,
    ) -> Result<TypedFunc<P, R>>
    where
        P: ComponentNamedList,
        R: ComponentNamedList,
    {
        self.try_get_func(&mut store, name)?.typed(store.as_context())
    }

    /// Returns the type of an exported resource.
    pub fn get_resource(&self, _store: impl AsContextMut, name: impl ExportLookup) -> Option<ResourceType> {
        self.resource_at(&name).ok().map(|(ty, _)| ty)
    }

    /// The type of an exported resource, and its index.
    pub(super) fn resource_at(&self, name: &(impl ExportLookup + ?Sized)) -> Result<(ResourceType, u32)> {
        match self.export_at(name)? {
            (Export::Resource(table), _) => {
                let (_, resource, runtime) = self.inner.resource_table(*table)?;
                Ok((runtime.ty, resource))
            }
            (_, index) => Err(self.missing(&lookup::name_of(&self.inner.component, &index.path))),
        }
    }

    /// Returns an exported core module, for components that import it ([`LinkerInstance::module`](super::LinkerInstance::module)).
    pub fn get_module(&self, _store: impl AsContextMut, name: impl ExportLookup) -> Option<Module> {
        self.module_at(&name).ok()
    }

    /// As [`Instance::get_module`].
    pub(super) fn module_at(&self, name: &(impl ExportLookup + ?Sized)) -> Result<Module> {
        match self.export_at(name)? {
            (Export::Module { ty, source }, _) => match source {
                ModuleSource::Defined(index) => Module::of_component(&self.inner.component, *index, ty),
                ModuleSource::Imported(import) => self.inner.imported_module(*import).cloned(),
            },
            (_, index) => Err(self.missing(&lookup::name_of(&self.inner.component, &index.path))),
        }
    }

    fn missing(&self, name: &str) -> Error {
        lookup::missing(&self.inner.component, None, name)
    }

    /// Runs the destructor of a resource that another instance owned, of a type that this instance exports at `path`.
    pub(super) fn drop_resource<T: Send + 'static>(
        &self,
        mut cx: StoreContextMut<'_, T>,
        path: &[String],
        rep: u32,
    ) -> Result<()> {
        let (_, resource) = self.resource_at(path)?;
        drop_rep(&mut cx, &self.inner, resource, rep)
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
                "the component needs the type {}, but the linker has {}",
                bounded(wanted, MAX_TYPE_TEXT),
                bounded(ty, MAX_TYPE_TEXT)
            )),
        }
    }

    /// Returns the core instances, with their modules, in the order of instantiation.
    pub(super) fn core_instances(&self) -> impl Iterator<Item = (&CoreModule, &CoreInstance)> {
        let modules = self
            .inner
            .ir()
            .initializers
            .iter()
            .filter_map(|initializer| match initializer {
                Initializer::InstantiateModule { module, .. } => self.inner.component.module(*module).ok(),
                Initializer::InstantiateImport { import, .. } => self.inner.imported_code(*import).ok(),
                _ => None,
            });
        modules.zip(self.inner.core_instances.iter().filter_map(OnceLock::get))
    }

    /// Returns the number of references to this instance, from functions of its store and from handles.
    pub(super) fn holders(&self) -> usize {
        Arc::strong_count(&self.inner)
    }

    /// Resets the host's state of the instance. Returns false if the instance must not be called again.
    pub(super) fn reset(&self) -> bool {
        if self.inner.poisoned.load(Ordering::Relaxed) || self.inner.entered.load(Ordering::Relaxed) {
            return false;
        }
        self.inner.tables().iter_mut().for_each(HandleTable::clear);
        self.inner.may_leave.iter().for_each(Flag::reset);
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
}
