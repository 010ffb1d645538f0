//! Instances of core modules.
//!
//! The engine's own instance resolves every export when it is made, and has a reference to every function of its module. This one is made
//! of the engine's public parts, with the functions that something outside the code can name, and resolves exports when they are
//! first asked for.

mod exports;
mod functions;
mod imports;
mod make;
mod plan;
#[cfg(unix)]
mod saved;
mod tables;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use wasmer::sys::vm::{
    StoreHandle, StoreId, StoreObject, VMFunction, VMFunctionBody, VMFunctionContext, VMFunctionEnvironment,
    VMInstance, VMTrampoline,
};
use wasmer::{AsStoreMut, Extern, Memory, VMExternToExtern};
use wasmer_types::{ExportIndex, FunctionType};

pub(in crate::engine) use self::plan::{Base, InstancePlan, Plan};
#[cfg(feature = "compile")]
pub(in crate::engine) use self::plan::{MARK, ONLY_CALLS, Places};
#[cfg(unix)]
pub(in crate::engine) use self::saved::SavedPlan;
use crate::engine::load::core_module::CoreModule;
use crate::engine::run::tunables::NextModule;

/// An instance of a core module, in a store.
pub(crate) struct CoreInstance(Form);

enum Form {
    /// Built here.
    Lean {
        handle: StoreHandle<VMInstance>,
        plan: Arc<InstancePlan>,
        /// The exports that were asked for, by their numbers.
        resolved: Mutex<BTreeMap<u32, Extern>>,
    },
    /// The engine's own, for libraries that need one.
    Whole(wasmer::Instance),
}

impl fmt::Debug for CoreInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CoreInstance")
    }
}

impl CoreInstance {
    /// Instantiates `module`, and calls its start function. `imports` are in the order of the module's imports. `next` is the store's, and
    /// has the module's memories. The module must outlive the store.
    ///
    /// # Errors
    /// As [`wasmer::Instance::new_by_index`].
    pub(crate) fn new(
        store: &mut impl AsStoreMut,
        module: &CoreModule,
        imports: &[Extern],
        next: &NextModule,
    ) -> Result<CoreInstance, Box<wasmer::InstantiationError>> {
        if let Ok(plan) = module.plan() {
            next.set_tables(plan.sizes());
        }
        let (handle, plan) = make::instance(store, module, imports)?;
        Ok(CoreInstance(Form::Lean {
            handle,
            plan,
            resolved: Mutex::default(),
        }))
    }

    /// As [`CoreInstance::new`], with the engine's own instance, which [`CoreInstance::whole`] returns.
    pub(crate) fn new_whole(
        store: &mut impl AsStoreMut,
        module: &CoreModule,
        imports: &[Extern],
    ) -> Result<CoreInstance, Box<wasmer::InstantiationError>> {
        let whole = module.whole().map_err(|message| {
            wasmer::InstantiationError::Link(wasmer::LinkError::Resource(message.to_owned()))
        })?;
        let instance = wasmer::Instance::new_by_index(store, whole, imports)?;
        Ok(CoreInstance(Form::Whole(instance)))
    }

    /// Returns the engine's instance of [`CoreInstance::new_whole`].
    pub(crate) fn whole(&self) -> Option<&wasmer::Instance> {
        match &self.0 {
            Form::Whole(instance) => Some(instance),
            Form::Lean { .. } => None,
        }
    }

    /// Returns an export.
    pub(crate) fn export(&self, store: &mut impl AsStoreMut, name: &str) -> Option<Extern> {
        let (plan, resolved) = match &self.0 {
            Form::Whole(instance) => return instance.exports.get_extern(name).cloned(),
            Form::Lean { plan, resolved, .. } => (plan, resolved),
        };
        let (number, export) = plan.exports.get(name)?;
        // A panic while it was held left at worst an export out of the list.
        let mut resolved = resolved.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = resolved.get(&number) {
            return Some(found.clone());
        }
        let found = self.item(store, export)?;
        resolved.insert(number, found.clone());
        Some(found)
    }

    /// Returns an item of the instance, exported or not, by its number in the module; `None` for the engine's own instance. Functions are
    /// those that are kept.
    pub(in crate::engine) fn item(&self, store: &mut impl AsStoreMut, index: ExportIndex) -> Option<Extern> {
        let Form::Lean { handle, .. } = &self.0 else {
            return None;
        };
        let mut store = store.as_store_mut();
        let objects = store.objects_mut().as_sys_mut();
        if handle.store_id() != objects.id() {
            return None;
        }
        let found = handle.get_mut(objects).lookup_by_declaration(index);
        Some(found.to_extern(&mut store))
    }

    /// Returns an exported function for calls from outside. One of the instance's own takes no place in the store.
    pub(crate) fn callee(&self, store: &mut impl AsStoreMut, name: &str) -> Option<Callee<'_>> {
        let own = match &self.0 {
            Form::Lean { handle, plan, .. } => own_callee(store, handle, plan, name),
            Form::Whole(_) => None,
        };
        if own.is_some() {
            return own;
        }
        match self.export(store, name)? {
            Extern::Function(function) => Some(Callee::Other(function)),
            _ => None,
        }
    }

    /// Returns the exported memory named `memory`, or else the one that the module exports first.
    pub(crate) fn memory(&self, store: &mut impl AsStoreMut) -> Option<Memory> {
        let plan = match &self.0 {
            Form::Whole(instance) => {
                let named = instance.exports.get_memory("memory").ok();
                let first = || {
                    instance
                        .exports
                        .iter()
                        .memories()
                        .next()
                        .map(|(_, memory)| memory)
                };
                return named.or_else(first).cloned();
            }
            Form::Lean { plan, .. } => plan.clone(),
        };
        let name = plan.exports.memory()?;
        match self.export(store, name)? {
            Extern::Memory(memory) => Some(memory),
            _ => None,
        }
    }
}

/// An exported function.
pub(crate) enum Callee<'a> {
    /// A function of the instance itself.
    Own {
        store: StoreId,
        code: *const VMFunctionBody,
        context: VMFunctionContext,
        trampoline: VMTrampoline,
        ty: &'a FunctionType,
    },
    /// An imported one, or one of the engine's own instance.
    Other(wasmer::Function),
}

fn own_callee<'a>(
    store: &mut impl AsStoreMut,
    handle: &StoreHandle<VMInstance>,
    plan: &'a InstancePlan,
    name: &str,
) -> Option<Callee<'a>> {
    let info = &plan.info;
    let Some((_, ExportIndex::Function(function))) = plan.exports.get(name) else {
        return None;
    };
    let signature = *info.functions.get(function)?;
    let code = plan.functions.get(info.local_func_index(function)?)?;
    let mut store = store.as_store_mut();
    let objects = store.objects_mut().as_sys_mut();
    (handle.store_id() == objects.id()).then(|| {
        Some(Callee::Own {
            store: objects.id(),
            code: code.0,
            context: VMFunctionContext {
                vmctx: handle.get(objects).vmctx_ptr(),
            },
            trampoline: *plan.trampolines.get(signature)?,
            ty: info.signatures.get(signature)?,
        })
    })?
}

/// Makes room in a store for functions, of which `host` are the host's: the store would double its lists again and again.
pub(crate) fn make_room(store: &mut impl AsStoreMut, host: usize, guest: usize) {
    let mut store = store.as_store_mut();
    let objects = store.objects_mut().as_sys_mut();
    // Of an empty list exactly as much; later the lists double, so that many instances in one store cost no more than one each.
    VMFunction::list_mut(objects).reserve(host.saturating_add(guest));
    VMFunctionEnvironment::list_mut(objects).reserve(host);
}
