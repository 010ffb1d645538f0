//! Names of exports: a name at the root, a path of names, or an index that was found before.

use crate::component::component::Component;
use crate::component::ir::Export;
use crate::error::{Error, Result};

/// A place among the exports of a component, found once and used many times, with every instance of that component.
#[derive(Clone, Debug)]
pub struct ComponentExportIndex {
    pub(in crate::component) component: u64,
    pub(in crate::component) path: Vec<usize>,
}

/// Names an export of an instance: `"run"` at the root, `["ns:pkg/interface@1.0.0", "run"]` in an exported instance, or a
/// [`ComponentExportIndex`].
pub trait ExportLookup {
    /// Finds the export.
    ///
    /// # Errors
    /// [`Error::MissingExport`] with the names that there are.
    #[doc(hidden)]
    fn lookup(&self, component: &Component) -> Result<ComponentExportIndex>;
}

impl<T: ExportLookup + ?Sized> ExportLookup for &T {
    fn lookup(&self, component: &Component) -> Result<ComponentExportIndex> {
        T::lookup(self, component)
    }
}

impl ExportLookup for str {
    fn lookup(&self, component: &Component) -> Result<ComponentExportIndex> {
        find(component, &[self])
    }
}

impl ExportLookup for String {
    fn lookup(&self, component: &Component) -> Result<ComponentExportIndex> {
        find(component, &[self])
    }
}

impl<S: AsRef<str>> ExportLookup for [S] {
    fn lookup(&self, component: &Component) -> Result<ComponentExportIndex> {
        find(component, self)
    }
}

impl<S: AsRef<str>, const N: usize> ExportLookup for [S; N] {
    fn lookup(&self, component: &Component) -> Result<ComponentExportIndex> {
        find(component, self)
    }
}

impl ExportLookup for ComponentExportIndex {
    fn lookup(&self, component: &Component) -> Result<ComponentExportIndex> {
        match component.export(self) {
            Some(_) => Ok(self.clone()),
            None => Err(missing(component, None, "(an index of another component)")),
        }
    }
}

fn find<S: AsRef<str>>(component: &Component, path: &[S]) -> Result<ComponentExportIndex> {
    let mut found = None;
    for name in path {
        let name = name.as_ref();
        let next = component.get_export_index(found.as_ref(), name);
        found = Some(next.ok_or_else(|| missing(component, found.as_ref(), name))?);
    }
    found.ok_or_else(|| missing(component, None, ""))
}

/// The error for an export that is not there, with those that are there instead.
pub(in crate::component) fn missing(
    component: &Component,
    parent: Option<&ComponentExportIndex>,
    name: &str,
) -> Error {
    let items: &[(String, Export)] = match parent.and_then(|parent| component.export(parent)) {
        Some(Export::Instance(items)) => items,
        _ => &component.ir().exports,
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

/// The names on the way to an export, with `#` between them: `ns:pkg/interface@1.0.0#run`.
pub(in crate::component) fn name_of(component: &Component, path: &[usize]) -> String {
    let mut items: &[(String, Export)] = &component.ir().exports;
    let mut names = Vec::new();
    for place in path {
        let Some((name, export)) = items.get(*place) else {
            break;
        };
        names.push(name.as_str());
        items = match export {
            Export::Instance(items) => items,
            _ => &[],
        };
    }
    names.join("#")
}
