//! Matching a component's imports against a linker, once for any number of instances.

use std::collections::HashMap;
use std::sync::Arc;

use super::component::Component;
use super::display_func;
use super::host_func::{HostFunc, HostResource};
use super::ir::{ExternType, ResourceTable};
use super::linker::{Definition, Definitions, Linker};
use super::names;
use super::resource::ResourceType;
use super::typed::TypeContext;
use crate::error::{Error, Result};

/// What an import came to.
pub(crate) enum Resolved<T: Send + 'static> {
    Func(Arc<HostFunc<T>>),
    Resource {
        ty: ResourceType,
        dtor: Arc<HostResource<T>>,
    },
}

/// Every import that the component uses, in the order of its runtime imports.
///
/// # Errors
/// [`Error::MissingImport`], [`Error::ImportType`].
pub(super) fn resolve<T: Send + 'static>(
    linker: &Linker<T>,
    component: &Component,
) -> Result<Vec<Resolved<T>>> {
    Resolver::new(linker, component).resolve()
}

/// The first fault of each import that the linker does not meet.
pub(super) fn unmet<T: Send + 'static>(linker: &Linker<T>, component: &Component) -> Vec<Error> {
    let mut resolver = Resolver::new(linker, component);
    resolver.find_resources();
    let imports = component.imports().iter();
    imports
        .filter_map(|(name, ty)| resolver.check(&linker.root, name, name, ty).err())
        .collect()
}

struct Resolver<'a, T: Send + 'static> {
    linker: &'a Linker<T>,
    component: &'a Component,
    /// Resource types by resource index, for checking the functions that use them.
    resources: HashMap<u32, ResourceType>,
}

impl<'a, T: Send + 'static> Resolver<'a, T> {
    fn new(linker: &'a Linker<T>, component: &'a Component) -> Resolver<'a, T> {
        Resolver {
            linker,
            component,
            resources: HashMap::new(),
        }
    }

    /// Finds the resource types that are there; the check of the imports tells of the others.
    fn find_resources(&mut self) {
        for (index, import) in (0u32..).zip(&self.component.ir().imported_resources) {
            if let Ok((_, Definition::Resource { ty, .. })) = self.look_up(*import) {
                self.resources.insert(index, *ty);
            }
        }
    }

    fn resolve(mut self) -> Result<Vec<Resolved<T>>> {
        let ir = self.component.ir();
        // Resources first: the types of functions refer to them.
        self.find_resources();
        for (name, ty) in &ir.imports {
            self.check(&self.linker.root, name, name, ty)?;
        }
        (0u32..)
            .zip(&ir.runtime_imports)
            .map(|(import, _)| {
                let (name, definition) = self.look_up(import)?;
                match definition {
                    Definition::Func(func) => Ok(Resolved::Func(func.clone())),
                    Definition::Resource { ty, dtor } => Ok(Resolved::Resource {
                        ty: *ty,
                        dtor: dtor.clone(),
                    }),
                    Definition::Instance(_) => Err(Error::ImportType {
                        name,
                        message: "the linker has an instance where a function or resource is needed".into(),
                    }),
                }
            })
            .collect()
    }

    /// What the linker has for a runtime import.
    fn look_up(&self, import: u32) -> Result<(String, &'a Definition<T>)> {
        let ir = self.component.ir();
        let import = ir
            .runtime_imports
            .get(import as usize)
            .ok_or_else(|| Error::bug("a runtime import out of range"))?;
        let (root, ty) = ir
            .imports
            .get(import.import as usize)
            .ok_or_else(|| Error::bug("an import out of range"))?;
        let mut name = root.clone();
        let mut definition = self
            .linker
            .root
            .find(root)
            .ok_or_else(|| self.missing(root, root, ty))?;
        for item in &import.path {
            let Definition::Instance(items) = definition else {
                return Err(Error::ImportType {
                    name,
                    message: "the linker has no instance there".into(),
                });
            };
            name = format!("{name}#{item}");
            definition = items.find(item).ok_or_else(|| self.missing_item(&name, root))?;
        }
        Ok((name, definition))
    }

    fn check(&self, definitions: &Definitions<T>, name: &str, full: &str, ty: &ExternType) -> Result<()> {
        if let ExternType::Type(_) = ty {
            return Ok(());
        }
        let found = definitions.find(name);
        match (ty, found) {
            // An instance of types alone needs nothing of the host.
            (ExternType::Instance(items), None) if only_types(items) => Ok(()),
            // An interface that uses another's resource: what it is has been found there.
            (ExternType::Resource(table), None) if self.resource_type(table.0).is_some() => Ok(()),
            (_, None) if name == full => Err(self.missing(name, full, ty)),
            (_, None) => Err(self.missing_item(full, full.split_once('#').map_or(full, |(root, _)| root))),
            (ExternType::Instance(items), Some(Definition::Instance(inner))) => items
                .iter()
                .try_for_each(|(item, ty)| self.check(inner, item, &format!("{full}#{item}"), ty)),
            (ExternType::Func(function), Some(Definition::Func(host))) => {
                let look_up = |table: airssys_wasm_abi::ResourceType| self.resource_type(table.0);
                (host.check)(function, &TypeContext { look_up: &look_up }).map_err(|message| {
                    Error::ImportType {
                        name: full.to_owned(),
                        message: format!("{message}; the component expects {}", display_func(&function.ty)),
                    }
                })
            }
            (ExternType::Resource(_), Some(Definition::Resource { .. })) => Ok(()),
            (expected, Some(found)) => Err(Error::ImportType {
                name: full.to_owned(),
                message: format!(
                    "the component needs {}, and the linker has {}",
                    with_article(expected.kind()),
                    with_article(found.kind())
                ),
            }),
        }
    }

    fn resource_type(&self, table: u32) -> Option<ResourceType> {
        match self.component.ir().resource_tables.get(table as usize)? {
            ResourceTable::Concrete { resource, .. } => self.resources.get(resource).copied(),
            ResourceTable::Abstract => None,
        }
    }

    fn missing(&self, name: &str, full: &str, ty: &ExternType) -> Error {
        let names = self.linker.root.iter().map(|(name, _)| name);
        let others = names::other_versions(names, name);
        let hint = if others.is_empty() {
            format!(
                "the component needs this {}, and the host does not provide it",
                ty.kind()
            )
        } else {
            format!(
                "the host provides {}; build the component against that version, or use a host that provides this one",
                others.join(", ")
            )
        };
        Error::MissingImport {
            name: full.to_owned(),
            hint,
        }
    }

    fn missing_item(&self, full: &str, root: &str) -> Error {
        let names = self.linker.root.iter().map(|(name, _)| name);
        let others = names::other_versions(names, root);
        let hint = if others.is_empty() {
            "the host provides the interface without this item".to_owned()
        } else {
            format!("the host provides {}, which lacks this item", others.join(", "))
        };
        Error::MissingImport {
            name: full.to_owned(),
            hint,
        }
    }
}

fn only_types(items: &[(String, ExternType)]) -> bool {
    items.iter().all(|(_, ty)| match ty {
        ExternType::Type(_) => true,
        ExternType::Instance(items) => only_types(items),
        _ => false,
    })
}

fn with_article(kind: &str) -> String {
    let article = if kind.starts_with('i') { "an" } else { "a" };
    format!("{article} {kind}")
}
