//! Imports and exports as a table.

use std::sync::Arc;

use airssys_wasm_abi::ResourceType;
use borsh::{BorshDeserialize, BorshSerialize};

use super::concurrency::FuncConcurrency;
use super::types::{Func, Node, TypeReader, Types};
use super::{MAX_DEPTH, Malformed};
use crate::component::ir::{CoreDef, Export, ExternType, Function, ModuleSource};
use crate::component::load::module_type::ModuleType;

/// An import or export. Numbers are indices of earlier items, of types or of functions.
#[derive(BorshSerialize, BorshDeserialize)]
pub(super) enum Item {
    Func(u32),
    Instance(Vec<(String, u32)>),
    Resource(u32),
    Type(u32),
    /// An imported core module, by its type.
    Module(u32),
    Component,
    /// An exported function, with its core function and options.
    Lifted {
        func: u32,
        def: CoreDef,
        options: u32,
    },
    /// An exported core module, by its type.
    ExportedModule {
        ty: u32,
        source: ModuleSource,
    },
}

#[derive(Default)]
pub(super) struct Items {
    items: Vec<Item>,
    modules: Vec<ModuleType>,
}

impl Items {
    /// The items, and the types of core modules.
    pub(super) fn into_tables(self) -> (Vec<Item>, Vec<ModuleType>) {
        (self.items, self.modules)
    }

    fn push(&mut self, item: Item) -> u32 {
        push(&mut self.items, item)
    }

    fn module(&mut self, ty: &ModuleType) -> u32 {
        push(&mut self.modules, ty.clone())
    }

    pub(super) fn import(&mut self, ty: &ExternType, types: &mut Types) -> u32 {
        let item = match ty {
            ExternType::Func(function) => Item::Func(types.func(function)),
            ExternType::Instance(items) => {
                let items = items
                    .iter()
                    .map(|(name, ty)| (name.clone(), self.import(ty, types)));
                Item::Instance(items.collect())
            }
            ExternType::Resource(table) => Item::Resource(table.0),
            ExternType::Type(ty) => Item::Type(types.ty(ty)),
            ExternType::Module(ty) => Item::Module(self.module(ty)),
            ExternType::Component => Item::Component,
        };
        self.push(item)
    }

    pub(super) fn export(&mut self, export: &Export, types: &mut Types) -> u32 {
        let item = match export {
            Export::Func {
                function,
                def,
                options,
            } => Item::Lifted {
                func: types.func(function),
                def: def.clone(),
                options: *options,
            },
            Export::Instance(items) => {
                let items = items
                    .iter()
                    .map(|(name, item)| (name.clone(), self.export(item, types)));
                Item::Instance(items.collect())
            }
            Export::Resource(table) => Item::Resource(*table),
            Export::Type(ty) => Item::Type(types.ty(ty)),
            Export::Module { ty, source } => Item::ExportedModule {
                ty: self.module(ty),
                source: *source,
            },
        };
        self.push(item)
    }
}

fn push<T>(table: &mut Vec<T>, entry: T) -> u32 {
    table.push(entry);
    u32::try_from(table.len() - 1).unwrap_or(u32::MAX)
}

/// The decoded tables, with the functions planned.
pub(super) struct Readers<'a> {
    types: TypeReader,
    functions: Vec<Arc<Function>>,
    items: &'a [Item],
    modules: Vec<Arc<ModuleType>>,
}

impl<'a> Readers<'a> {
    pub(super) fn new(
        types: &[Node],
        funcs: &[Func],
        described: Option<&[FuncConcurrency]>,
        items: &'a [Item],
        modules: Vec<ModuleType>,
    ) -> Result<Readers<'a>, Malformed> {
        let types = TypeReader::new(types)?;
        let functions = (0..).zip(funcs);
        let functions = functions
            .map(|(place, func)| types.function(func, described.and_then(|described| described.get(place))));
        let functions = functions.collect::<Result<_, _>>()?;
        let mut depths: Vec<u32> = Vec::new();
        // An item that is named twice would be built twice, and the items within it four times.
        let mut named = vec![false; items.len()];
        for item in items {
            let mut depth = 0;
            if let Item::Instance(items) = item {
                for (_, place) in items {
                    let below = depths.get(*place as usize);
                    let below =
                        below.ok_or_else(|| Malformed::new(format!("item {place} is not defined yet")))?;
                    depth = depth.max(below + 1);
                    if std::mem::replace(&mut named[*place as usize], true) {
                        return Err(Malformed::new(format!("item {place} is part of two items")));
                    }
                }
            }
            if depth > MAX_DEPTH {
                return Err(Malformed::new(format!(
                    "an instance nests deeper than {MAX_DEPTH} levels"
                )));
            }
            depths.push(depth);
        }
        Ok(Readers {
            types,
            functions,
            items,
            modules: modules.into_iter().map(Arc::new).collect(),
        })
    }

    pub(super) fn ty(&self, place: u32) -> Result<airssys_wasm_abi::Type, Malformed> {
        self.types.get(place)
    }

    pub(super) fn func(&self, place: u32) -> Result<Arc<Function>, Malformed> {
        let function = self.functions.get(place as usize).cloned();
        function.ok_or_else(|| Malformed::new(format!("there is no function {place}")))
    }

    fn item(&self, place: u32) -> Result<&'a Item, Malformed> {
        let item = self.items.get(place as usize);
        item.ok_or_else(|| Malformed::new(format!("there is no item {place}")))
    }

    fn module(&self, place: u32) -> Result<Arc<ModuleType>, Malformed> {
        let ty = self.modules.get(place as usize).cloned();
        ty.ok_or_else(|| Malformed::new(format!("there is no type of a core module {place}")))
    }

    // The depth of items has been checked.
    pub(super) fn import(&self, place: u32) -> Result<ExternType, Malformed> {
        Ok(match self.item(place)? {
            Item::Func(func) => ExternType::Func(self.func(*func)?),
            Item::Instance(items) => {
                let items = items
                    .iter()
                    .map(|(name, place)| Ok((name.clone(), self.import(*place)?)));
                ExternType::Instance(items.collect::<Result<_, Malformed>>()?)
            }
            Item::Resource(table) => ExternType::Resource(ResourceType(*table)),
            Item::Type(ty) => ExternType::Type(self.types.get(*ty)?),
            Item::Module(ty) => ExternType::Module(self.module(*ty)?),
            Item::Component => ExternType::Component,
            Item::Lifted { .. } | Item::ExportedModule { .. } => {
                return Err(Malformed::new("an import that is an export"));
            }
        })
    }

    pub(super) fn export(&self, place: u32) -> Result<Export, Malformed> {
        Ok(match self.item(place)? {
            Item::Lifted { func, def, options } => Export::Func {
                function: self.func(*func)?,
                def: def.clone(),
                options: *options,
            },
            Item::Instance(items) => {
                let items = items
                    .iter()
                    .map(|(name, place)| Ok((name.clone(), self.export(*place)?)));
                Export::Instance(items.collect::<Result<_, Malformed>>()?)
            }
            Item::Resource(table) => Export::Resource(*table),
            Item::Type(ty) => Export::Type(self.types.get(*ty)?),
            Item::ExportedModule { ty, source } => Export::Module {
                ty: self.module(*ty)?,
                source: *source,
            },
            Item::Func(_) | Item::Module(_) | Item::Component => {
                return Err(Malformed::new("an export that is an import"));
            }
        })
    }
}
