//! Options that name items of the WIT: each name is looked up once, and an unknown one is an error.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;
use wit_parser::{
    Function, InterfaceId, Resolve, Type, TypeDefKind, TypeId, TypeOwner, WorldId, WorldItem, WorldKey,
};

use crate::error::Error;
use crate::names::{Names, snake, upper_camel};
use crate::options::{Options, Selection};
use crate::scope::Scope;

/// A Rust path given by the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mapped {
    /// An absolute path, with the same meaning everywhere.
    Absolute(String),
    /// A path relative to the module that includes the source: the alias that it gets there, and the rest of the path.
    Alias(String, String),
}

impl Mapped {
    fn item(&self, name: &str) -> Mapped {
        match self {
            Mapped::Absolute(path) => Mapped::Absolute(format!("{path}::{name}")),
            Mapped::Alias(alias, rest) => Mapped::Alias(alias.clone(), format!("{rest}::{name}")),
        }
    }

    /// Returns the path of `name` within it, seen from `scope`.
    pub(crate) fn path_of(&self, scope: &Scope, name: &str) -> String {
        self.item(name).path(scope)
    }

    /// Returns the path, seen from `scope`.
    pub(crate) fn path(&self, scope: &Scope) -> String {
        match self {
            Mapped::Absolute(path) => path.clone(),
            Mapped::Alias(alias, rest) => scope.path(&[], alias) + rest,
        }
    }
}

/// The kind of item that a path refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Module,
    Type,
}

/// The alias of a path in the module that includes the source.
#[derive(Debug)]
pub(crate) struct Alias {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) kind: Kind,
}

/// Settings of items, from the options.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    pub(crate) aliases: Vec<Alias>,
    names: Names,
    pub(crate) interfaces: HashMap<InterfaceId, Mapped>,
    pub(crate) types: HashMap<TypeId, Mapped>,
    /// The host's error types, by the definitions that they become.
    pub(crate) errors: IndexMap<TypeId, Mapped>,
    /// The functions that may end in a trap.
    pub(crate) trappable: Selected,
    /// The functions that get the store.
    store: Selected,
}

/// The imported functions of one option.
#[derive(Debug, Default)]
pub(crate) struct Selected {
    all: bool,
    some: HashSet<(Option<InterfaceId>, String)>,
}

impl Selected {
    fn new(option: &'static str, selection: &Selection, rooms: &[NameScope<'_>]) -> Result<Selected, Error> {
        let mut selected = Selected {
            all: *selection == Selection::All,
            some: HashSet::new(),
        };
        if let Selection::Only(keys) = selection {
            for key in keys {
                selected.add(option, key, rooms)?;
            }
        }
        Ok(selected)
    }

    fn add(&mut self, option: &'static str, key: &str, rooms: &[NameScope<'_>]) -> Result<(), Error> {
        let mut found = false;
        for room in rooms {
            let all = room.is(key);
            for func in &room.functions {
                if all || room.names(key, &func.name) || room.names(key, plain_name(func)) {
                    self.some.insert((room.interface, func.name.clone()));
                    found = true;
                }
            }
        }
        if found {
            return Ok(());
        }
        let known = rooms.iter().flat_map(|room| {
            let functions = room.functions.iter();
            functions.map(|func| full_name(room, plain_name(func)))
        });
        Err(unknown(option, key, known.collect()))
    }

    /// Returns whether a function of an interface, or of the world itself, is among them.
    pub(crate) fn has(&self, interface: Option<InterfaceId>, func: &Function) -> bool {
        self.all || self.some.contains(&(interface, func.name.clone()))
    }
}

/// A container of items: an interface, or the world itself.
struct NameScope<'a> {
    interface: Option<InterfaceId>,
    /// The names that options may use for it.
    bases: Vec<String>,
    types: Vec<(&'a str, TypeId)>,
    functions: Vec<&'a Function>,
}

impl NameScope<'_> {
    /// Returns whether `key` names the interface itself.
    fn is(&self, key: &str) -> bool {
        self.interface.is_some() && self.bases.iter().any(|base| base == key)
    }

    /// Returns whether `key` names `item` of this container.
    fn names(&self, key: &str, item: &str) -> bool {
        self.bases.iter().any(|base| {
            let Some(rest) = key.strip_prefix(base.as_str()) else {
                return false;
            };
            if base.is_empty() {
                return rest == item;
            }
            rest.strip_prefix(['/', '.', '#']) == Some(item)
        })
    }
}

impl Keys {
    pub(crate) fn new(resolve: &Resolve, world: WorldId, options: &Options) -> Result<Keys, Error> {
        let rooms = rooms(resolve, world);
        let mut keys = Keys::default();
        for (key, path) in &options.with {
            keys.with(resolve, &rooms, key, path)?;
        }
        for (key, path) in &options.trappable_error_type {
            let mapped = keys.mapped(key, path, Kind::Type);
            let found = rooms.iter().flat_map(|room| {
                let types = room.types.iter();
                types.filter(|(name, _)| room.names(key, name)).map(|(_, id)| *id)
            });
            let found: Vec<TypeId> = found.collect();
            if found.is_empty() {
                return Err(unknown("trappable_error_type", key, type_names(&rooms)));
            }
            for id in found {
                keys.errors.insert(definition(resolve, id), mapped.clone());
            }
        }
        keys.trappable = Selected::new("trappable_imports", &options.trappable_imports, &rooms)?;
        keys.store = Selected::new("store_imports", &options.store_imports, &rooms)?;
        Ok(keys)
    }

    fn with(
        &mut self,
        resolve: &Resolve,
        rooms: &[NameScope<'_>],
        key: &str,
        path: &str,
    ) -> Result<(), Error> {
        let is_type = rooms
            .iter()
            .any(|room| room.types.iter().any(|(name, _)| room.names(key, name)));
        let kind = if is_type { Kind::Type } else { Kind::Module };
        let mapped = self.mapped(key, path, kind);
        let mut found = false;
        for room in rooms {
            if let Some(interface) = room.interface {
                if room.is(key) {
                    self.interfaces.insert(interface, mapped.clone());
                    found = true;
                } else if in_package(resolve, interface, key)
                    && let Some(name) = &resolve.interfaces[interface].name
                {
                    self.interfaces.insert(interface, mapped.item(&snake(name)));
                    found = true;
                }
            }
            for (name, id) in &room.types {
                if room.names(key, name) {
                    self.types.insert(*id, mapped.clone());
                    found = true;
                }
            }
        }
        if found {
            return Ok(());
        }
        let mut known: Vec<String> = rooms
            .iter()
            .filter_map(|room| room.bases.first())
            .cloned()
            .collect();
        known.retain(|name| !name.is_empty());
        known.extend(type_names(rooms));
        Err(unknown("with", key, known))
    }

    /// Returns whether an imported function gets the store, or an accessor to it.
    pub(crate) fn needs_store(&self, interface: Option<InterfaceId>, func: &Function) -> bool {
        func.kind.is_async() || self.store.has(interface, func)
    }

    fn mapped(&mut self, key: &str, path: &str, kind: Kind) -> Mapped {
        let path: String = path.split_whitespace().collect();
        if path.starts_with("::") || path.split("::").next() == Some("crate") {
            return Mapped::Absolute(path);
        }
        // A prefix, so that the name begins with a letter.
        let name = format!("with-{}", key.replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
        let name = match kind {
            Kind::Module => snake(&name),
            Kind::Type => upper_camel(&name),
        };
        let name = self.names.take(name);
        self.aliases.push(Alias {
            name: name.clone(),
            path,
            kind,
        });
        Mapped::Alias(name, String::new())
    }
}

/// Returns a method's name with its resource's, without the component model's prefix.
fn plain_name(func: &Function) -> &str {
    func.name
        .split_once(']')
        .map_or(func.name.as_str(), |(_, name)| name)
}

fn full_name(room: &NameScope<'_>, item: &str) -> String {
    match room.bases.first() {
        Some(base) if !base.is_empty() => format!("{base}/{item}"),
        _ => item.to_owned(),
    }
}

fn type_names(rooms: &[NameScope<'_>]) -> Vec<String> {
    let names = rooms
        .iter()
        .flat_map(|room| room.types.iter().map(|(name, _)| full_name(room, name)));
    names.collect()
}

fn unknown(option: &'static str, key: &str, mut known: Vec<String>) -> Error {
    /// Limit on the names in a message.
    const MOST: usize = 40;
    known.sort();
    known.dedup();
    let more = if known.len() > MOST { ", …" } else { "" };
    known.truncate(MOST);
    let hint = if known.is_empty() {
        "there is nothing that could be named".to_owned()
    } else {
        format!("there are: {}{more}", known.join(", "))
    };
    Error::UnknownKey {
        option,
        key: key.to_owned(),
        hint,
    }
}

fn in_package(resolve: &Resolve, interface: InterfaceId, key: &str) -> bool {
    let Some(package) = resolve.interfaces[interface].package else {
        return false;
    };
    let name = &resolve.packages[package].name;
    key == name.to_string() || key == format!("{}:{}", name.namespace, name.name)
}

/// Resolves aliases: returns the definition behind a type's other names.
pub(crate) fn definition(resolve: &Resolve, mut id: TypeId) -> TypeId {
    while let TypeDefKind::Type(Type::Id(next)) = resolve.types[id].kind {
        id = next;
    }
    id
}

fn rooms(resolve: &Resolve, world: WorldId) -> Vec<NameScope<'_>> {
    let world = &resolve.worlds[world];
    let mut root = NameScope {
        interface: None,
        bases: vec![String::new()],
        types: Vec::new(),
        functions: Vec::new(),
    };
    let mut rooms: Vec<NameScope<'_>> = Vec::new();
    let imports = world.imports.iter().map(|item| (item, true));
    for ((key, item), import) in imports.chain(world.exports.iter().map(|item| (item, false))) {
        match item {
            WorldItem::Function(func) if import => root.functions.push(func),
            WorldItem::Function(_) => {}
            WorldItem::Type { id, .. } => {
                if let WorldKey::Name(name) = key {
                    root.types.push((name, *id));
                }
            }
            WorldItem::Interface { id, .. } => {
                let interface = &resolve.interfaces[*id];
                let functions = || interface.functions.values().filter(|_| import).collect();
                if let Some(room) = rooms.iter_mut().find(|room| room.interface == Some(*id)) {
                    room.functions = if room.functions.is_empty() {
                        functions()
                    } else {
                        continue;
                    };
                    continue;
                }
                let mut bases = vec![resolve.name_world_key(key)];
                if let Some((base, _)) = bases[0].split_once('@') {
                    bases.push(base.to_owned());
                }
                rooms.push(NameScope {
                    interface: Some(*id),
                    bases,
                    types: interface
                        .types
                        .iter()
                        .map(|(name, id)| (name.as_str(), *id))
                        .collect(),
                    functions: functions(),
                });
            }
        }
    }
    rooms.push(root);
    rooms
}

/// Returns the interface that defines a type.
pub(crate) fn owner(resolve: &Resolve, id: TypeId) -> Option<InterfaceId> {
    match resolve.types[id].owner {
        TypeOwner::Interface(interface) => Some(interface),
        TypeOwner::World(_) | TypeOwner::None => None,
    }
}
