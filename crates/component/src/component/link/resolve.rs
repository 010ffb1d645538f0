//! Resolution of a component's imports against a linker, once for any number of instances.

use std::collections::HashMap;
use std::sync::Arc;

use crate::component::TypeNames;
use crate::component::call::typed::TypeContext;
use crate::component::component::Component;
use crate::component::ir::{ExternType, ResourceTable};
use crate::component::link::host_func::{HostFunc, HostResource};
use crate::component::link::linker::{Definition, Definitions, Linker};
use crate::component::link::names;
use crate::component::load::module::Module;
use crate::component::resource::ResourceType;
use crate::engine::Signatures;
use crate::error::{Error, Result};

/// The definition that an import resolves to.
pub(crate) enum Resolved<T: Send + 'static> {
    Func(Arc<HostFunc<T>>),
    Resource {
        ty: ResourceType,
        dtor: Arc<HostResource<T>>,
    },
    Module(Module),
}

/// Resolves every import that the component uses, in the order of its runtime imports.
///
/// # Errors
/// [`Error::MissingImport`], [`Error::ImportType`].
pub(in crate::component) fn resolve<T: Send + 'static>(
    linker: &Linker<T>,
    component: &Component,
) -> Result<Vec<Resolved<T>>> {
    Resolver::new(linker, component).resolve()
}

/// Returns the first error of each import that the linker does not satisfy.
pub(in crate::component) fn unmet<T: Send + 'static>(
    linker: &Linker<T>,
    component: &Component,
) -> Vec<Error> {
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

    /// Finds the resource types that the linker defines; the check of the imports reports the others.
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
        let resolved: Vec<Resolved<T>> = (0u32..)
            .zip(&ir.runtime_imports)
            .map(|(import, _)| {
                let (name, definition) = self.look_up(import)?;
                match definition {
                    Definition::Func(func) => Ok(Resolved::Func(func.clone())),
                    Definition::Resource { ty, dtor } => Ok(Resolved::Resource {
                        ty: *ty,
                        dtor: dtor.clone(),
                    }),
                    Definition::Module(module) => Ok(Resolved::Module(module.clone())),
                    other => Err(Error::ImportType {
                        name,
                        message: format!(
                            "the linker has {} where a function, resource or core module is needed",
                            with_article(other.kind())
                        ),
                    }),
                }
            })
            .collect::<Result<_>>()?;
        self.check_signatures(&resolved)?;
        Ok(resolved)
    }

    /// Checks that the component's modules and the imported ones call each other's functions by no other type than their own.
    fn check_signatures(&self, resolved: &[Resolved<T>]) -> Result<()> {
        let modules = (0u32..)
            .zip(resolved)
            .filter_map(|(import, resolved)| match resolved {
                Resolved::Module(module) => Some((import, module.code(self.component.backend())?)),
                _ => None,
            });
        let mut modules = modules.peekable();
        if modules.peek().is_none() {
            return Ok(());
        }
        let mut signatures = Signatures::default();
        for module in self.component.modules() {
            signatures.add_module(module).map_err(Error::Instantiate)?;
        }
        for (import, module) in modules {
            signatures
                .add_module(module)
                .map_err(|message| Error::ImportType {
                    name: self.path(import).unwrap_or_default(),
                    message,
                })?;
        }
        Ok(())
    }

    /// Looks up the linker's definition for a runtime import, and its full name.
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

    /// Checks one import, or one item of an imported instance, used or not: an import is a promise about each item that
    /// it declares (explainer, "Import and Export Definitions").
    fn check(&self, definitions: &Definitions<T>, name: &str, full: &str, ty: &ExternType) -> Result<()> {
        let found = definitions.find(name);
        match (ty, found) {
            // A host defines no value types: the types of functions include them.
            (ExternType::Type(_), None) => Ok(()),
            (ExternType::Type(ty), Some(Definition::Type(check))) => {
                let look_up = |table: airssys_wasm_abi::ResourceType| self.resource_type(table.0);
                check(ty, &TypeContext { look_up: &look_up }).map_err(|message| Error::ImportType {
                    name: full.to_owned(),
                    message,
                })
            }
            (ExternType::Instance(items), None) if self.needs_nothing(items) => Ok(()),
            // An interface that uses another's resource: the resource was resolved there.
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
                        message: format!(
                            "{message}; the component expects {}",
                            TypeNames::of(self.component).brief_func(&function.ty)
                        ),
                    }
                })
            }
            (ExternType::Resource(table), Some(Definition::Resource { ty, .. })) => {
                self.check_resource(table.0, *ty, full)
            }
            (ExternType::Module(declared), Some(Definition::Module(module))) => module
                .check(declared, self.component.backend())
                .map_err(|message| Error::ImportType {
                    name: full.to_owned(),
                    message,
                }),
            (expected, Some(found)) => Err(Error::ImportType {
                name: full.to_owned(),
                message: format!(
                    "the component needs {}, but the linker has {}",
                    with_article(expected.kind()),
                    with_article(found.kind())
                ),
            }),
        }
    }

    /// Returns whether the linker may lack an instance: it has only value types, and resource types that are known from
    /// an earlier declaration.
    fn needs_nothing(&self, items: &[(String, ExternType)]) -> bool {
        items.iter().all(|(_, ty)| match ty {
            ExternType::Type(_) => true,
            ExternType::Resource(table) => self.resource_type(table.0).is_some(),
            ExternType::Instance(items) => self.needs_nothing(items),
            _ => false,
        })
    }

    /// Checks that a declared resource type is the one that the linker has where the component declared it first:
    /// `(type (eq $other))` is equality (explainer, "Type Checking").
    fn check_resource(&self, table: u32, found: ResourceType, full: &str) -> Result<()> {
        let Some(resource) = self.resource(table) else {
            return Ok(());
        };
        match self.resources.get(&resource) {
            // The linker lacks the first one, which the check of that import reports.
            None => Ok(()),
            Some(expected) if *expected == found => Ok(()),
            Some(_) => {
                let imports = &self.component.ir().imported_resources;
                let first = imports
                    .get(resource as usize)
                    .and_then(|import| self.path(*import));
                let first = first.unwrap_or_else(|| "another import".to_owned());
                let other = first_name(&self.linker.root, found, full);
                let other = other.map_or_else(
                    || "another".to_owned(),
                    |other| format!("another, which it defines as `{other}`"),
                );
                Err(Error::ImportType {
                    name: full.to_owned(),
                    message: format!(
                        "mismatched resource types: the component needs the resource type of `{first}` here, and the \
                         linker has {other}"
                    ),
                })
            }
        }
    }

    /// Returns the resource index of a resource table that an import uses.
    fn resource(&self, table: u32) -> Option<u32> {
        match self.component.ir().resource_tables.get(table as usize)? {
            ResourceTable::Concrete { resource, .. } => Some(*resource),
            ResourceTable::Abstract => None,
        }
    }

    fn resource_type(&self, table: u32) -> Option<ResourceType> {
        self.resources.get(&self.resource(table)?).copied()
    }

    /// Returns the name of a runtime import, with `#` between its parts.
    fn path(&self, import: u32) -> Option<String> {
        let ir = self.component.ir();
        let import = ir.runtime_imports.get(import as usize)?;
        let (root, _) = ir.imports.get(import.import as usize)?;
        Some(
            import
                .path
                .iter()
                .fold(root.clone(), |name, item| format!("{name}#{item}")),
        )
    }

    fn missing(&self, name: &str, full: &str, ty: &ExternType) -> Error {
        let names = self.linker.root.iter().map(|(name, _)| name);
        let others = names::other_versions(names, name);
        let hint = if others.is_empty() {
            format!(
                "the component needs this {}, but the host does not provide it",
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
            "the host provides the interface, but not this item".to_owned()
        } else {
            format!("the host provides {}, which lacks this item", others.join(", "))
        };
        Error::MissingImport {
            name: full.to_owned(),
            hint,
        }
    }
}

/// Returns the first name, other than `but`, that a linker has for a resource type.
fn first_name<T: Send + 'static>(
    definitions: &Definitions<T>,
    wanted: ResourceType,
    but: &str,
) -> Option<String> {
    definitions
        .iter()
        .find_map(|(name, definition)| match definition {
            Definition::Resource { ty, .. } if *ty == wanted && name != but => Some(name.to_owned()),
            Definition::Instance(items) => {
                let but = but.strip_prefix(name).and_then(|rest| rest.strip_prefix('#'));
                // No item has an empty name.
                let inner = first_name(items, wanted, but.unwrap_or_default());
                inner.map(|item| format!("{name}#{item}"))
            }
            _ => None,
        })
}

fn with_article(kind: &str) -> String {
    let article = if kind.starts_with('i') { "an" } else { "a" };
    format!("{article} {kind}")
}
