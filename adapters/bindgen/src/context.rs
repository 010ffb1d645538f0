//! Everything that is decided before text is generated: modules, names of types, the items that options name.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;
use wit_parser::{
    Function, InterfaceId, Resolve, Type, TypeDefKind, TypeId, World, WorldId, WorldItem, WorldKey,
};

use crate::check::Facts;
use crate::error::Error;
use crate::forms::Forms;
use crate::keys::{self, Keys};
use crate::names::{Names, snake, upper_camel};
use crate::options::Options;
use crate::scope::{Scope, Side};

/// The module of one interface on one side.
#[derive(Debug)]
pub(crate) struct Module {
    pub(crate) path: Vec<String>,
    /// The interface's name in components.
    pub(crate) name: String,
    /// The Rust names of its types.
    pub(crate) types: TypeNames,
    /// The documentation of the import or export.
    pub(crate) docs: Option<String>,
}

/// The Rust names of the types in one module.
#[derive(Clone, Debug, Default)]
pub(crate) struct TypeNames {
    by_id: HashMap<TypeId, String>,
    /// The names of the types, and of traits and structs beside them.
    pub(crate) all: Names,
    /// The traits of functions that get the store: by their resource, or `None` for the trait of all.
    with_store: IndexMap<Option<TypeId>, String>,
}

impl TypeNames {
    /// Assigns names to types. `own` are names of the module's own that it needs in any case, and `with_store` those that
    /// it needs with a suffix.
    fn new<'a>(
        own: &[String],
        with_store: impl IntoIterator<Item = (Option<TypeId>, String)>,
        types: impl Iterator<Item = (&'a str, TypeId)>,
    ) -> TypeNames {
        let mut all = Names::default();
        for name in own {
            all.take(name.clone());
        }
        let with_store = with_store
            .into_iter()
            .map(|(id, host)| (id, all.take(format!("{host}WithStore"))))
            .collect();
        let by_id = types
            .map(|(name, id)| (id, all.take(upper_camel(name))))
            .collect();
        TypeNames {
            by_id,
            all,
            with_store,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) resolve: &'a Resolve,
    pub(crate) world: &'a World,
    pub(crate) options: &'a Options,
    pub(crate) facts: Facts,
    pub(crate) forms: Forms,
    pub(crate) keys: Keys,
    pub(crate) imports: IndexMap<InterfaceId, Module>,
    pub(crate) exports: IndexMap<InterfaceId, Module>,
    pub(crate) root: TypeNames,
    /// Definitions that are the error type of a function's result.
    pub(crate) errors: HashSet<TypeId>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(
        resolve: &'a Resolve,
        world: WorldId,
        options: &'a Options,
        facts: Facts,
    ) -> Result<Context<'a>, Error> {
        let keys = Keys::new(resolve, world, options)?;
        let world = &resolve.worlds[world];
        let mut context = Context {
            resolve,
            world,
            options,
            facts,
            forms: Forms::new(resolve),
            imports: modules(resolve, world, &keys, Side::Import),
            exports: modules(resolve, world, &keys, Side::Export),
            root: root_types(resolve, world, &keys),
            keys,
            errors: HashSet::new(),
        };
        context.errors = context
            .functions()
            .filter_map(|func| context.error_of(func))
            .collect();
        Ok(context)
    }

    fn functions(&self) -> impl Iterator<Item = &'a Function> {
        let resolve = self.resolve;
        let items = self.world.imports.values().chain(self.world.exports.values());
        items.flat_map(move |item| {
            let (one, many) = match item {
                WorldItem::Function(func) => (Some(func), None),
                WorldItem::Interface { id, .. } => (None, Some(resolve.interfaces[*id].functions.values())),
                WorldItem::Type { .. } => (None, None),
            };
            one.into_iter().chain(many.into_iter().flatten())
        })
    }

    /// Returns the definition of the error type in a function's result.
    pub(crate) fn error_of(&self, func: &Function) -> Option<TypeId> {
        let Some(Type::Id(result)) = func.result else {
            return None;
        };
        let result = &self.resolve.types[self.definition(result)];
        match &result.kind {
            TypeDefKind::Result(result) => match result.err? {
                Type::Id(id) => Some(self.definition(id)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Resolves aliases: returns the definition behind a type's other names.
    pub(crate) fn definition(&self, id: TypeId) -> TypeId {
        keys::definition(self.resolve, id)
    }

    pub(crate) fn owner(&self, id: TypeId) -> Option<InterfaceId> {
        keys::owner(self.resolve, id)
    }

    /// Returns the names of the traits for functions that get the store, of an imported interface or of the world: by
    /// their resource, and last the trait of all, `None`. There are none without such functions.
    pub(crate) fn with_store(&self, interface: Option<InterfaceId>) -> &IndexMap<Option<TypeId>, String> {
        let module = interface.and_then(|id| self.imports.get(&id));
        &module.map_or(&self.root, |module| &module.types).with_store
    }

    /// Returns the host's own errors that become types of this interface, or of the world.
    pub(crate) fn conversions(&self, interface: Option<InterfaceId>) -> Vec<TypeId> {
        let errors = self.keys.errors.keys().copied();
        errors.filter(|id| self.owner(*id) == interface).collect()
    }

    /// Returns whether a resource type is the component's, seen from `side`.
    pub(crate) fn is_guests(&self, side: Side, resource: TypeId) -> bool {
        let owner = self.owner(self.definition(resource));
        side == Side::Export && owner.is_some_and(|interface| self.exports.contains_key(&interface))
    }

    /// Returns whether values of a type hold a resource of the host's, which cannot be copied.
    pub(crate) fn holds_hosts(&self, side: Side, id: TypeId) -> bool {
        let resources = self.facts.resources(id);
        resources.iter().any(|resource| !self.is_guests(side, *resource))
    }

    /// Creates a scope for the module of an interface.
    pub(crate) fn scope(&self, module: &Module, side: Side) -> Scope {
        Scope::new(
            module.path.clone(),
            side,
            &self.options.crate_path,
            module.types.all.clone(),
        )
    }

    /// Creates a scope for the module that includes the source.
    pub(crate) fn root_scope(&self) -> Scope {
        Scope::new(
            Vec::new(),
            Side::Import,
            &self.options.crate_path,
            self.root.all.clone(),
        )
    }

    /// Returns the name of a type in the module that defines it.
    pub(crate) fn type_name(&self, side: Side, id: TypeId) -> String {
        let modules = match side {
            Side::Import => [&self.imports, &self.exports],
            Side::Export => [&self.exports, &self.imports],
        };
        let module = self
            .owner(id)
            .and_then(|owner| modules.iter().find_map(|modules| modules.get(&owner)));
        let names = module.map_or(&self.root, |module| &module.types);
        let given = self.resolve.types[id].name.as_deref().unwrap_or_default();
        names
            .by_id
            .get(&id)
            .cloned()
            .unwrap_or_else(|| upper_camel(given))
    }

    /// Returns the path of a named type, seen from `scope`.
    pub(crate) fn type_path(&self, scope: &Scope, id: TypeId) -> String {
        let Some(owner) = self.owner(id) else {
            return scope.path(&[], &self.type_name(Side::Import, id));
        };
        let exported = self.exports.get(&owner).filter(|_| scope.side == Side::Export);
        if let Some(module) = exported {
            return scope.path(&module.path, &self.type_name(Side::Export, id));
        }
        let name = self.type_name(Side::Import, id);
        if let Some(mapped) = self.keys.interfaces.get(&owner) {
            return mapped.path_of(scope, &name);
        }
        match self.imports.get(&owner) {
            Some(module) => scope.path(&module.path, &name),
            None => name,
        }
    }

    /// Returns the path of an item in the module of an imported interface.
    pub(crate) fn import_path(&self, scope: &Scope, interface: InterfaceId, name: &str) -> String {
        if let Some(mapped) = self.keys.interfaces.get(&interface) {
            return mapped.path_of(scope, name);
        }
        let module = self.imports.get(&interface).map(|module| module.path.as_slice());
        scope.path(module.unwrap_or_default(), name)
    }
}

/// Returns the resource types among some types.
pub(crate) fn resources<'a>(
    resolve: &'a Resolve,
    types: impl IntoIterator<Item = &'a TypeId>,
) -> Vec<(&'a str, TypeId)> {
    let resources = types.into_iter().filter_map(|id| {
        let def = &resolve.types[*id];
        let name = def.name.as_deref()?;
        matches!(def.kind, TypeDefKind::Resource).then_some((name, *id))
    });
    resources.collect()
}

/// Returns the traits for those functions that get the store, before their suffix.
fn with_store(
    keys: &Keys,
    interface: Option<InterfaceId>,
    host: &str,
    resources: &[(&str, TypeId)],
    functions: &[&Function],
) -> Vec<(Option<TypeId>, String)> {
    let needed = |func: &Function| keys.needs_store(interface, func);
    let mut traits: Vec<(Option<TypeId>, String)> = resources
        .iter()
        .filter(|(_, id)| {
            let own = |func: &&Function| func.kind.resource() == Some(*id);
            functions.iter().copied().filter(own).any(needed)
        })
        .map(|(name, id)| (Some(*id), format!("Host{}", upper_camel(name))))
        .collect();
    if functions.iter().copied().any(needed) {
        traits.push((None, host.to_owned()));
    }
    traits
}

fn root_types(resolve: &Resolve, world: &World, keys: &Keys) -> TypeNames {
    let (mut types, mut functions) = (Vec::new(), Vec::new());
    for (key, item) in &world.imports {
        match (key, item) {
            (WorldKey::Name(name), WorldItem::Type { id, .. }) => types.push((name.as_str(), *id)),
            (_, WorldItem::Function(func)) => functions.push(func),
            _ => {}
        }
    }
    let name = upper_camel(&world.name);
    let host = format!("{name}Imports");
    let mut own = vec![host.clone(), name];
    let resources = resources(resolve, types.iter().map(|(_, id)| id));
    own.extend(
        resources
            .iter()
            .map(|(name, _)| format!("Host{}", upper_camel(name))),
    );
    let with_store = with_store(keys, None, &host, &resources, &functions);
    TypeNames::new(&own, with_store, types.into_iter())
}

fn modules(resolve: &Resolve, world: &World, keys: &Keys, side: Side) -> IndexMap<InterfaceId, Module> {
    let (items, prefix) = match side {
        Side::Import => (&world.imports, "Host"),
        Side::Export => (&world.exports, "Guest"),
    };
    let mut modules = IndexMap::new();
    for (key, item) in items {
        let WorldItem::Interface { id, docs, .. } = item else {
            continue;
        };
        let interface = &resolve.interfaces[*id];
        let mut path = Vec::new();
        if side == Side::Export {
            path.push("exports".to_owned());
        }
        match key {
            WorldKey::Name(name) => path.push(snake(name)),
            WorldKey::Interface(id) => path.extend(interface_path(resolve, world, *id)),
        }
        let mut own = vec![prefix.to_owned()];
        let resources = resources(resolve, interface.types.values());
        own.extend(
            resources
                .iter()
                .map(|(name, _)| format!("{prefix}{}", upper_camel(name))),
        );
        let with_store = match side {
            Side::Import => {
                let functions: Vec<&Function> = interface.functions.values().collect();
                with_store(keys, Some(*id), prefix, &resources, &functions)
            }
            Side::Export => Vec::new(),
        };
        let types = interface.types.iter().map(|(name, id)| (name.as_str(), *id));
        let module = Module {
            path,
            name: resolve.name_world_key(key),
            types: TypeNames::new(&own, with_store, types),
            docs: docs.contents.clone(),
        };
        modules.insert(*id, module);
    }
    modules
}

/// Returns `ns`, `pkg`, `iface`; with the version behind the package if the world uses several.
fn interface_path(resolve: &Resolve, world: &World, id: InterfaceId) -> Vec<String> {
    let interface = &resolve.interfaces[id];
    let name = snake(interface.name.as_deref().unwrap_or("interface"));
    let Some(package) = interface.package else {
        return vec![name];
    };
    let own = &resolve.packages[package].name;
    let rivals = world.imports.values().chain(world.exports.values()).any(|item| {
        let WorldItem::Interface { id, .. } = item else {
            return false;
        };
        let other = resolve.interfaces[*id]
            .package
            .map(|id| &resolve.packages[id].name);
        other.is_some_and(|other| {
            (&other.namespace, &other.name) == (&own.namespace, &own.name) && other.version != own.version
        })
    });
    let package = match &own.version {
        Some(version) if rivals => {
            let version = version.to_string();
            let version = version.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
            format!("{}{version}", own.name.replace('-', "_").to_lowercase())
        }
        _ => snake(&own.name),
    };
    vec![snake(&own.namespace), package, name]
}
