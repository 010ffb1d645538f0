//! The specification's `may_leave` flag: permission of a component instance to call out.

use std::sync::atomic::{AtomicBool, Ordering};

use wasmer::{AsStoreMut, Global, StoreMut, Value};

use crate::component::instance::InstanceInner;
use crate::component::ir::{CoreDef, Initializer, Ir};
use crate::error::{Error, Result, TrapKind};

/// The flag of one component instance.
#[derive(Debug)]
pub(in crate::component) enum Flag {
    /// Used by the host only.
    Host(AtomicBool),
    /// Shared with adapter modules: 1 while the instance may call out.
    Shared(Global),
}

/// Creates the flags of a component's instances.
pub(in crate::component) fn flags(store: &mut impl AsStoreMut, ir: &Ir) -> Box<[Flag]> {
    (0..ir.counts.component_instances)
        .map(|instance| {
            if is_shared(ir, instance) {
                Flag::Shared(Global::new_mut(store, Value::I32(1)))
            } else {
                Flag::Host(AtomicBool::new(true))
            }
        })
        .collect()
}

fn is_shared(ir: &Ir, instance: u32) -> bool {
    ir.initializers
        .iter()
        .flat_map(Initializer::args)
        .any(|arg| matches!(arg, CoreDef::InstanceFlags(of) if *of == instance))
}

impl Flag {
    /// Resets the flag. A shared one is reset with the globals of the adapter modules.
    pub(in crate::component) fn reset(&self) {
        if let Flag::Host(flag) = self {
            flag.store(true, Ordering::Relaxed);
        }
    }

    /// Returns the global that adapter modules import.
    pub(in crate::component) fn global(&self) -> Result<&Global> {
        match self {
            Flag::Shared(global) => Ok(global),
            Flag::Host(_) => Err(Error::bug("an adapter module imports a flag of the host's")),
        }
    }
}

impl InstanceInner {
    #[inline(always)]
    fn may_leave_flag(&self, component_instance: u32) -> Result<&Flag> {
        self.flag(component_instance)
            .ok_or_else(|| Error::bug("a component instance out of range"))
    }

    /// Traps if the instance may not call out.
    #[inline(always)]
    pub(crate) fn check_may_leave(&self, store: &mut StoreMut<'_>, component_instance: u32) -> Result<()> {
        let may_leave = match self.may_leave_flag(component_instance)? {
            Flag::Host(flag) => flag.load(Ordering::Relaxed),
            Flag::Shared(global) => global.get(store).i32().is_some_and(|flag| flag != 0),
        };
        if may_leave {
            Ok(())
        } else {
            Err(TrapKind::CannotLeave.into())
        }
    }

    #[inline(always)]
    pub(crate) fn set_may_leave(
        &self,
        store: &mut StoreMut<'_>,
        component_instance: u32,
        may_leave: bool,
    ) -> Result<()> {
        match self.may_leave_flag(component_instance)? {
            Flag::Host(flag) => flag.store(may_leave, Ordering::Relaxed),
            Flag::Shared(global) => global
                .set(store, Value::I32(may_leave.into()))
                .map_err(|error| Error::bug(error.message()))?,
        }
        Ok(())
    }

    /// Runs a step during which the guest, if the step runs it at all, may not call out.
    #[inline(always)]
    pub(crate) fn staying<R>(
        &self,
        store: &mut StoreMut<'_>,
        component_instance: u32,
        step: impl FnOnce(&mut StoreMut<'_>) -> Result<R>,
    ) -> Result<R> {
        self.set_may_leave(store, component_instance, false)?;
        let result = step(store);
        self.set_may_leave(store, component_instance, true)?;
        result
    }
}
