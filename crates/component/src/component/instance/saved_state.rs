//! State of an instance, saved for an artifact whose instances begin with it.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use super::HandleTable;
use super::Instance;
use crate::component::ir::{Export, Initializer, Ir, ModuleSource};
use crate::component::store::{AsContextMut, StoreContextMut};
use crate::engine::SavedState;
use crate::error::UnsavedState;

impl Instance {
    /// Saves the state of each core module that has an instance, by module.
    ///
    /// # Errors
    /// [`UnsavedState`], if a new instance could not have this state.
    pub(crate) fn save_state(
        &self,
        mut store: impl AsContextMut,
    ) -> Result<BTreeMap<u32, SavedState>, UnsavedState> {
        let mut cx = store.as_context_mut();
        let inner = &self.inner;
        if cx.core.id != inner.store {
            return Err(UnsavedState::WrongStore);
        }
        if inner.poisoned.load(Ordering::Relaxed) {
            return Err(UnsavedState::Poisoned);
        }
        if inner.entered.load(Ordering::Relaxed) {
            return Err(UnsavedState::Running);
        }
        if inner.tables().iter().any(HandleTable::has_waitables) || cx.core.has_tasks() {
            return Err(UnsavedState::Waitables);
        }
        let held = self.held_resources();
        if !held.is_empty() {
            return Err(UnsavedState::Resources(held));
        }
        self.save_modules(&mut cx)
    }

    fn save_modules<T: Send + 'static>(
        &self,
        cx: &mut StoreContextMut<'_, T>,
    ) -> Result<BTreeMap<u32, SavedState>, UnsavedState> {
        let inner = &self.inner;
        let made = inner
            .ir()
            .initializers
            .iter()
            .filter_map(|initializer| match initializer {
                Initializer::InstantiateModule { module, .. } => Some(Some(*module)),
                Initializer::InstantiateImport { .. } => Some(None),
                _ => None,
            });
        let mut saved = BTreeMap::new();
        for (number, instance) in made.zip(&inner.core_instances) {
            let module = number.ok_or(UnsavedState::ImportedModules)?;
            let refused = |reason: String| UnsavedState::Module { module, reason };
            let missing = || refused("it is not there".into());
            let instance = OnceLock::get(instance).ok_or_else(missing)?;
            let code = inner.component.module(module).map_err(|_| missing())?;
            if is_exported(inner.ir(), module) {
                return Err(refused(
                    "the component exports it, for new instances of others".into(),
                ));
            }
            let state = SavedState::of(&mut cx.store, code, instance).map_err(refused)?;
            let is_empty = state.is_empty();
            if saved.insert(module, state).is_some() && !is_empty {
                return Err(refused("the component has several instances of it".into()));
            }
        }
        Ok(saved)
    }

    /// Returns the types of the resources in all handle tables, sorted.
    fn held_resources(&self) -> Vec<String> {
        let mut held = BTreeMap::new();
        for resource in self.inner.tables().iter().flat_map(|table| table.resources()) {
            *held.entry(name(self.inner.ir(), resource)).or_insert(0u32) += 1;
        }
        let held = held.into_iter();
        held.map(|(name, count)| match count {
            1 => format!("`{name}`"),
            count => format!("{count} of `{name}`"),
        })
        .collect()
    }
}

/// Returns the name under which a resource type is imported or exported.
fn name(ir: &Ir, resource: u32) -> String {
    let found = match ir.imported_resources.get(resource as usize) {
        Some(import) => ir.runtime_imports.get(*import as usize).and_then(|import| {
            let (name, _) = ir.imports.get(import.import as usize)?;
            let names = std::iter::once(name).chain(&import.path);
            Some(names.map(String::as_str).collect::<Vec<_>>().join("/"))
        }),
        None => None,
    };
    found.unwrap_or_else(|| format!("a resource of its own, number {resource}"))
}

/// Reports whether a core module is exported as such.
fn is_exported(ir: &Ir, module: u32) -> bool {
    fn has(exports: &[(String, Export)], module: u32) -> bool {
        exports.iter().any(|(_, export)| match export {
            Export::Instance(items) => has(items, module),
            Export::Module { source, .. } => matches!(source, ModuleSource::Defined(own) if *own == module),
            _ => false,
        })
    }
    has(&ir.exports, module)
}
