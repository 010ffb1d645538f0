//! Definitions that the host provides to components, by name.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use crate::component::call::typed::{LiftList, LowerList, TypeContext};
use crate::component::component::Component;
use crate::component::instance::{self, Instance};
use crate::component::ir::{ExternType, Function, ResourceTable};
use crate::component::link::core_import::{self, CoreCaller};
use crate::component::link::host_concurrent;
use crate::component::link::host_func::{self, Bind, HostFunc, HostResource, TypeCheck};
use crate::component::link::names::NameMap;
use crate::component::link::resolve::{self, Resolved};
use crate::component::load::module::Module;
use crate::component::resource::ResourceType;
use crate::component::store::{AsContextMut, StoreContextMut};
use crate::component::types::ComponentFunc;
use crate::component::{Type, Val};
use crate::engine::Engine;
use crate::error::{Error, Result, TrapKind};

/// The result of a host function. Any error type becomes the cause of the guest's trap.
pub type HostResult<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

pub(in crate::component) enum Definition<T: Send + 'static> {
    Func(Arc<HostFunc<T>>),
    Resource {
        ty: ResourceType,
        dtor: Arc<HostResource<T>>,
    },
    Instance(Definitions<T>),
    Module(Module),
    /// A value type, as a check that a component declares the same type.
    Type(Arc<ValueTypeCheck>),
}

/// Checks that the value type of an importing component is the one that is defined.
pub(in crate::component) type ValueTypeCheck =
    dyn Fn(&Type, &TypeContext<'_>) -> std::result::Result<(), String> + Send + Sync;

impl<T: Send + 'static> Definition<T> {
    pub(in crate::component) fn kind(&self) -> &'static str {
        match self {
            Definition::Func(_) => "function",
            Definition::Resource { .. } => "resource",
            Definition::Instance(_) => "instance",
            Definition::Module(_) => "core module",
            Definition::Type(_) => "type",
        }
    }
}

impl<T: Send + 'static> Clone for Definition<T> {
    fn clone(&self) -> Definition<T> {
        match self {
            Definition::Func(func) => Definition::Func(func.clone()),
            Definition::Resource { ty, dtor } => Definition::Resource {
                ty: *ty,
                dtor: dtor.clone(),
            },
            Definition::Instance(definitions) => Definition::Instance(definitions.clone()),
            Definition::Module(module) => Definition::Module(module.clone()),
            Definition::Type(check) => Definition::Type(check.clone()),
        }
    }
}

pub(in crate::component) type Definitions<T> = NameMap<Definition<T>>;

pub(super) fn define<T: Send + 'static>(
    definitions: &mut Definitions<T>,
    name: &str,
    item: Definition<T>,
    shadowing: bool,
) -> Result<()> {
    if !shadowing && definitions.get_mut(name).is_some() {
        return Err(Error::Redefined(name.to_owned()));
    }
    definitions.insert(name, item);
    Ok(())
}

/// Host functions, resources, core modules and instances by name; instantiates components with them.
///
/// Imports match by name and semver-compatible version: if several versions of an interface are defined, a component
/// gets the one that it names, or else the highest compatible one.
///
/// Implements the rules of [Type Checking] and [Import and Export Definitions].
///
/// [Type Checking]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/Explainer.md#type-checking
/// [Import and Export Definitions]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/Explainer.md#import-and-export-definitions
pub struct Linker<T: Send + 'static> {
    engine: Engine,
    pub(in crate::component) root: Definitions<T>,
    pub(super) shadowing: bool,
}

impl<T: Send + 'static> Clone for Linker<T> {
    fn clone(&self) -> Linker<T> {
        Linker {
            engine: self.engine.clone(),
            root: self.root.clone(),
            shadowing: self.shadowing,
        }
    }
}

impl<T: Send + 'static> fmt::Debug for Linker<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.root.iter().map(|(name, item)| (name, item.kind())))
            .finish()
    }
}

impl<T: Send + 'static> Linker<T> {
    /// Creates an empty linker.
    pub fn new(engine: &Engine) -> Linker<T> {
        Linker {
            engine: engine.alone(),
            root: NameMap::new(),
            shadowing: false,
        }
    }

    /// The engine that the linker was created with.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Sets whether a later definition may replace an earlier one of the same name. Off by default.
    pub fn allow_shadowing(&mut self, allow: bool) -> &mut Linker<T> {
        self.shadowing = allow;
        self
    }

    /// Returns the definitions at the root.
    pub fn root(&mut self) -> LinkerInstance<'_, T> {
        LinkerInstance {
            definitions: &mut self.root,
            path: String::new(),
            shadowing: self.shadowing,
        }
    }

    /// Returns the definitions of the instance `name`, which is created if it does not exist.
    ///
    /// # Errors
    /// [`Error::Redefined`] if another kind of item has that name.
    pub fn instance(&mut self, name: &str) -> Result<LinkerInstance<'_, T>> {
        self.root().into_instance(name)
    }

    /// Defines the instance `name` as the exports of `instance`, for components that are instantiated later: its
    /// functions, resources, value types and instances. It replaces an earlier definition with that name. Importing
    /// components must declare the same types. Core modules are omitted.
    ///
    /// # Errors
    /// [`Error::Redefined`] if the name is defined and shadowing is not allowed; [`Error::WrongStore`] for an instance
    /// of another store; [`Error::Unsupported`] for an export that cannot be called.
    pub fn define_instance(
        &mut self,
        mut store: impl AsContextMut<Data = T>,
        name: &str,
        instance: &Instance,
    ) -> Result<()> {
        let mut definitions = NameMap::new();
        let mut exports = LinkerInstance {
            definitions: &mut definitions,
            path: name.to_owned(),
            shadowing: false,
        };
        let mut cx = store.as_context_mut();
        for (export, ty) in instance.component().exports() {
            exports.export_of(&mut cx, instance, &mut vec![export.clone()], ty)?;
        }
        define(
            &mut self.root,
            name,
            Definition::Instance(definitions),
            self.shadowing,
        )
    }

    /// Defines everything that `component` imports and this linker lacks: functions that trap, naming themselves, when
    /// they are called.
    ///
    /// # Errors
    /// [`Error::MissingImport`] for a core module, which no function can stand for; [`Error::Unsupported`] for a component.
    pub fn define_unknown_imports_as_traps(&mut self, component: &Component) -> Result<()> {
        let mut unknown = Unknown {
            tables: &component.ir().resource_tables,
            declared: HashSet::new(),
        };
        for (name, ty) in component.imports() {
            unknown.define(&mut self.root, name, name, ty)?;
        }
        Ok(())
    }

    /// Checks every import of `component` against this linker, once for any number of instances.
    ///
    /// # Errors
    /// [`Error::MissingImport`], [`Error::ImportType`].
    pub fn instantiate_pre(&self, component: &Component) -> Result<InstancePre<T>> {
        let imports = resolve::resolve(self, component)?;
        Ok(InstancePre {
            component: component.clone(),
            imports: imports.into(),
        })
    }

    /// Returns the error of every import of `component` that this linker does not satisfy: the first error of each, in
    /// the order of the imports.
    pub fn unmet_imports(&self, component: &Component) -> Vec<Error> {
        resolve::unmet(self, component)
    }

    /// Creates an instance of `component` in `store`.
    ///
    /// # Errors
    /// As [`Linker::instantiate_pre`] and [`InstancePre::instantiate`].
    pub fn instantiate(&self, store: impl AsContextMut<Data = T>, component: &Component) -> Result<Instance> {
        self.instantiate_pre(component)?.instantiate(store)
    }
}

/// A component with its imports resolved and checked.
pub struct InstancePre<T: Send + 'static> {
    component: Component,
    imports: Arc<[Resolved<T>]>,
}

impl<T: Send + 'static> InstancePre<T> {
    /// Creates an instance in `store`; start functions run.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] if a limit of the store is exceeded, [`Error::Instantiate`] if there is no memory, [`Error::Trap`]
    /// and [`Error::Host`] from start functions.
    pub fn instantiate(&self, mut store: impl AsContextMut<Data = T>) -> Result<Instance> {
        instance::instantiate(&mut store.as_context_mut(), &self.component, &self.imports)
    }

    /// Returns the component.
    pub fn component(&self) -> &Component {
        &self.component
    }

    /// The engine that compiled the component.
    pub fn engine(&self) -> &Engine {
        self.component.engine()
    }
}

impl<T: Send + 'static> Clone for InstancePre<T> {
    fn clone(&self) -> InstancePre<T> {
        InstancePre {
            component: self.component.clone(),
            imports: self.imports.clone(),
        }
    }
}

impl<T: Send + 'static> fmt::Debug for InstancePre<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstancePre")
            .field("component", &self.component)
            .finish_non_exhaustive()
    }
}

/// One level of a [`Linker`]: its root, or an instance in it.
pub struct LinkerInstance<'a, T: Send + 'static> {
    definitions: &'a mut Definitions<T>,
    path: String,
    shadowing: bool,
}

impl<T: Send + 'static> fmt::Debug for LinkerInstance<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkerInstance")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

pub(super) fn typecheck<P: LiftList, R: LowerList>(
    function: &Function,
    types: &TypeContext<'_>,
) -> std::result::Result<(), String> {
    let params = function.ty.params.iter().map(|(_, ty)| ty).collect::<Vec<_>>();
    P::typecheck_list(&params, types).map_err(|message| format!("parameters: {message}"))?;
    let results = function.ty.result.iter().collect::<Vec<_>>();
    R::typecheck_list(&results, types).map_err(|message| format!("results: {message}"))
}

impl<'a, T: Send + 'static> LinkerInstance<'a, T> {
    fn full_name(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}#{name}", self.path)
        }
    }

    /// Defines a function with Rust types: a tuple of parameters, and a tuple of results (none or one).
    ///
    /// # Errors
    /// [`Error::Redefined`].
    pub fn func_wrap<F, P, R>(&mut self, name: &str, func: F) -> Result<()>
    where
        F: Fn(StoreContextMut<'_, T>, P) -> HostResult<R> + Send + Sync + 'static,
        P: LiftList + 'static,
        R: LowerList + 'static,
    {
        self.define_func(name, Box::new(typecheck::<P, R>), host_func::typed(func))
    }

    /// Defines a function of [`Val`]s, for whatever type the component imports it with: it gets that type, the arguments, and
    /// a place for each result (none or one), which is `Val::Bool(false)` until it is overwritten.
    ///
    /// # Errors
    /// [`Error::Redefined`].
    pub fn func_new<F>(&mut self, name: &str, func: F) -> Result<()>
    where
        F: Fn(StoreContextMut<'_, T>, ComponentFunc, &[Val], &mut [Val]) -> HostResult<()>
            + Send
            + Sync
            + 'static,
    {
        self.define_func(name, Box::new(|_, _| Ok(())), host_func::dynamic(func))
    }

    /// Defines a function by a constructor of the core function that a guest calls; it runs for each import of an
    /// instance.
    ///
    /// # Errors
    /// [`Error::Redefined`].
    #[doc(hidden)]
    pub fn func_core<F>(&mut self, name: &str, make: F) -> Result<()>
    where
        F: Fn(&mut StoreContextMut<'_, T>) -> Result<wasmer::Function> + Send + Sync + 'static,
    {
        self.define_func(name, Box::new(|_, _| Ok(())), host_func::core(make))
    }

    /// Defines a function of core numbers that accesses the memory of the module that imports it. `params` and
    /// `results` have `i` for an `i32` and `I` for an `i64`.
    ///
    /// # Errors
    /// [`Error::Redefined`].
    #[doc(hidden)]
    pub fn func_of_memory<F>(&mut self, name: &str, params: &str, results: &str, func: F) -> Result<()>
    where
        F: Fn(&mut CoreCaller<'_, '_, T>, &[u64]) -> HostResult<u32> + Send + Sync + 'static,
    {
        let signature = core_import::signature(params, results);
        let bind = core_import::bind(self.full_name(name).into(), signature.clone(), func);
        let check = move |function: &Function, _: &TypeContext<'_>| match function.plan() {
            Ok(plan) if *plan.import_signature() == signature => Ok(()),
            _ => Err("preview 1 declares this function with another signature".to_owned()),
        };
        self.define_func(name, Box::new(check), bind)
    }

    /// Defines the export of `instance` at `path` under the last of these names.
    fn export_of(
        &mut self,
        store: &mut StoreContextMut<'_, T>,
        instance: &Instance,
        path: &mut Vec<String>,
        ty: &ExternType,
    ) -> Result<()> {
        let Some(name) = path.last().cloned() else {
            return Err(Error::bug("an export without a name"));
        };
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        match ty {
            ExternType::Func(_) => {
                let func = instance.try_get_func(&mut *store, &names[..])?;
                let theirs = func.clone();
                let check =
                    move |function: &Function, types: &TypeContext<'_>| theirs.check_same(function, types);
                if func.is_async() {
                    return self.define_func(&name, Box::new(check), host_concurrent::export(func));
                }
                let call = move |cx: StoreContextMut<'_, T>, _, arguments: &[Val], results: &mut [Val]| {
                    Ok(func.call(cx, arguments, results)?)
                };
                self.define_func(&name, Box::new(check), host_func::dynamic(call))
            }
            ExternType::Instance(items) => {
                let mut inner = self.instance(&name)?;
                for (item, ty) in items {
                    path.push(item.clone());
                    inner.export_of(store, instance, path, ty)?;
                    path.pop();
                }
                Ok(())
            }
            ExternType::Resource(_) => {
                let (ty, _) = instance.resource_at(&names[..])?;
                let (instance, path) = (instance.clone(), path.clone());
                self.resource(&name, ty, move |cx, rep| {
                    Ok(instance.drop_resource(cx, &path, rep)?)
                })
            }
            ExternType::Type(ty) => {
                let (instance, ty) = (instance.clone(), ty.clone());
                let check = move |wanted: &Type, types: &TypeContext<'_>| {
                    instance.check_same_type(&ty, wanted, types)
                };
                define(
                    self.definitions,
                    &name,
                    Definition::Type(Arc::new(check)),
                    self.shadowing,
                )
            }
            ExternType::Module(_) => self.module(&name, &instance.module_at(&names[..])?),
            // The linker says of an import that it has nothing for it.
            ExternType::Component => Ok(()),
        }
    }

    pub(super) fn define_func(
        &mut self,
        name: &str,
        check: Box<TypeCheck>,
        bind: Box<Bind<T>>,
    ) -> Result<()> {
        let func = HostFunc {
            name: self.full_name(name).into(),
            check,
            bind,
        };
        define(
            self.definitions,
            name,
            Definition::Func(Arc::new(func)),
            self.shadowing,
        )
    }

    /// Defines a resource type. `dtor` runs, with the resource's representation, when a guest drops one that it owns.
    ///
    /// # Errors
    /// [`Error::Redefined`].
    pub fn resource<F>(&mut self, name: &str, ty: ResourceType, dtor: F) -> Result<()>
    where
        F: Fn(StoreContextMut<'_, T>, u32) -> HostResult<()> + Send + Sync + 'static,
    {
        let dtor = HostResource {
            name: format!("{} destructor", self.full_name(name)),
            dtor: Arc::new(dtor),
        };
        let item = Definition::Resource {
            ty,
            dtor: Arc::new(dtor),
        };
        define(self.definitions, name, item, self.shadowing)
    }

    /// Defines a core module. Each component that imports it makes instances of its own.
    ///
    /// The component's import declares a type, which the module must fit: it exports all that is declared, imports nothing
    /// else, and the limits of its tables and memories lie within those declared. It needs code of the component's
    /// backend.
    ///
    /// # Errors
    /// [`Error::Redefined`].
    pub fn module(&mut self, name: &str, module: &Module) -> Result<()> {
        define(
            self.definitions,
            name,
            Definition::Module(module.clone()),
            self.shadowing,
        )
    }

    /// Returns the definitions of the instance `name` within this one.
    ///
    /// # Errors
    /// [`Error::Redefined`] if another kind of item has that name.
    pub fn instance(&mut self, name: &str) -> Result<LinkerInstance<'_, T>> {
        LinkerInstance {
            definitions: self.definitions,
            path: self.path.clone(),
            shadowing: self.shadowing,
        }
        .into_instance(name)
    }

    /// As [`LinkerInstance::instance`], for as long as this one is borrowed.
    ///
    /// # Errors
    /// [`Error::Redefined`] if something else has that name.
    pub fn into_instance(self, name: &str) -> Result<LinkerInstance<'a, T>> {
        let path = self.full_name(name);
        if self.definitions.get_mut(name).is_none() {
            self.definitions
                .insert(name, Definition::Instance(NameMap::new()));
        }
        match self.definitions.get_mut(name) {
            Some(Definition::Instance(definitions)) => Ok(LinkerInstance {
                definitions,
                path,
                shadowing: self.shadowing,
            }),
            _ => Err(Error::Redefined(path)),
        }
    }
}

/// Defines the imports of a component that a linker lacks.
struct Unknown<'a> {
    tables: &'a [ResourceTable],
    /// Resource types that earlier imports have declared.
    declared: HashSet<u32>,
}

impl Unknown<'_> {
    fn define<T: Send + 'static>(
        &mut self,
        definitions: &mut Definitions<T>,
        name: &str,
        full: &str,
        ty: &ExternType,
    ) -> Result<()> {
        match ty {
            ExternType::Type(_) => Ok(()),
            ExternType::Instance(items) => {
                if definitions.find(name).is_none() {
                    definitions.insert(name, Definition::Instance(NameMap::new()));
                }
                let Some(Definition::Instance(inner)) = definitions.find_mut(name) else {
                    return Ok(());
                };
                items
                    .iter()
                    .try_for_each(|(item, ty)| self.define(inner, item, &format!("{full}#{item}"), ty))
            }
            // Another name of a resource type is that type: it needs no definition of its own.
            ExternType::Resource(table) if !self.declares(table.0) => Ok(()),
            _ if definitions.find(name).is_some() => Ok(()),
            ExternType::Func(_) => {
                let import = full.to_owned();
                let call = move |_: StoreContextMut<'_, T>, _, _: &[Val], _: &mut [Val]| -> HostResult<()> {
                    Err(Box::new(Error::from(TrapKind::UnresolvedImport(import.clone()))))
                };
                let func = HostFunc {
                    name: full.into(),
                    check: Box::new(|_, _| Ok(())),
                    bind: host_func::dynamic(call),
                };
                definitions.insert(name, Definition::Func(Arc::new(func)));
                Ok(())
            }
            ExternType::Resource(_) => {
                enum Undefined {}
                let dtor = HostResource {
                    name: full.to_owned(),
                    dtor: Arc::new(|_, _| Ok(())),
                };
                let item = Definition::Resource {
                    ty: ResourceType::host::<Undefined>(),
                    dtor: Arc::new(dtor),
                };
                definitions.insert(name, item);
                Ok(())
            }
            ExternType::Module(_) => Err(Error::MissingImport {
                name: full.to_owned(),
                hint: "the component needs this core module, and a core module cannot be replaced by a trap"
                    .into(),
            }),
            ExternType::Component => Err(Error::Unsupported(format!("it imports a component, `{full}`"))),
        }
    }

    /// Records the declaration of the table's resource type; returns whether it is the first.
    fn declares(&mut self, table: u32) -> bool {
        match self.tables.get(table as usize) {
            Some(ResourceTable::Concrete { resource, .. }) => self.declared.insert(*resource),
            _ => true,
        }
    }
}
