//! Scopes of the calls in flight and the resources that they lend: the specification's borrow accounting.
//!
//! A call into a component, out of it, or between two of its parts has a scope if it may lend something: if there are
//! borrows among its parameters. A call that lends an owned resource keeps it from being dropped until the call ends; a
//! callee must drop the handles that it borrowed.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::component::instance::InstanceInner;
use crate::component::store::{StoreCore, StoreState};
use crate::error::{Result, TrapKind};

/// Stands for the scope of a call that lends nothing, or whose caller has one.
pub(crate) const NO_SCOPE: usize = usize::MAX;

/// The scope of one call.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    /// Borrow handles that the callee still holds.
    pub(crate) borrows: u32,
    /// Owners of the resources that were lent for the call.
    pub(crate) lenders: Vec<Lender>,
    /// Borrows in the host's hands, by identity; they end with the call.
    pub(crate) host_borrows: Vec<u64>,
}

/// The owner of a resource that is lent.
#[derive(Debug)]
pub(crate) enum Lender {
    Guest {
        instance: Arc<InstanceInner>,
        component_instance: u32,
        handle: u32,
    },
    Host(u64),
}

impl StoreState {
    /// Returns the scope of the innermost call that has one.
    pub(crate) fn innermost(&mut self) -> Option<(usize, &mut Scope)> {
        let key = *self.running.last()?;
        Some((key, self.scopes.get_mut(key)?))
    }
}

impl StoreCore {
    /// Returns the number of scopes of the running calls, for [`StoreCore::unwind_scopes`] after a trap.
    pub(crate) fn depth(&self) -> usize {
        self.depth.load(Ordering::Relaxed)
    }

    /// Begins the scope of a call.
    pub(crate) fn enter_scope(&self) {
        let mut state = self.state();
        let key = state.scopes.insert(Scope::default());
        state.running.push(key);
        self.depth.store(state.running.len(), Ordering::Relaxed);
    }

    /// Ends the innermost scope and its loans. Traps if the callee still holds a borrow.
    pub(crate) fn exit_scope(&self) -> Result<(), TrapKind> {
        let scope = self.pop_scope();
        let scope = scope.ok_or_else(|| TrapKind::Other("a call ended that never began".into()))?;
        let borrows = scope.borrows;
        self.end_loans(scope);
        if borrows == 0 {
            Ok(())
        } else {
            Err(TrapKind::BorrowsRemain(borrows))
        }
    }

    /// Ends every scope deeper than `depth`, after a trap.
    pub(crate) fn unwind_scopes(&self, depth: usize) {
        while self.depth() > depth {
            match self.pop_scope() {
                Some(scope) => self.end_loans(scope),
                None => return,
            }
        }
    }

    /// Creates the scope of a call that does not run yet.
    pub(crate) fn new_scope(&self) -> usize {
        self.state().scopes.insert(Scope::default())
    }

    /// Runs a step of a call whose scope outlasts it; it ends with an error of the step.
    pub(crate) fn within_scope<R>(
        &self,
        scope: Option<usize>,
        step: impl FnOnce() -> Result<R>,
    ) -> Result<R> {
        let Some(scope) = scope else {
            return step();
        };
        let depth = self.depth();
        {
            let mut state = self.state();
            state.running.push(scope);
            self.depth.store(state.running.len(), Ordering::Relaxed);
        }
        let result = step();
        {
            let mut state = self.state();
            state.running.truncate(depth);
            self.depth.store(state.running.len(), Ordering::Relaxed);
        }
        if result.is_err() {
            self.end_scope(scope);
        }
        result
    }

    /// Replaces the scopes of the running calls, outermost first, by those of others.
    pub(crate) fn swap_scopes(&self, scopes: Vec<usize>) -> Vec<usize> {
        if scopes.is_empty() && self.depth() == 0 {
            return scopes;
        }
        let mut state = self.state();
        self.depth.store(scopes.len(), Ordering::Relaxed);
        std::mem::replace(&mut state.running, scopes)
    }

    /// Traps if the callee of a call still holds a borrow.
    pub(crate) fn check_returned(&self, scope: usize) -> Result<()> {
        if scope == NO_SCOPE {
            return Ok(());
        }
        let borrows = self.state().scopes.get(scope).map_or(0, |scope| scope.borrows);
        match borrows {
            0 => Ok(()),
            borrows => Err(TrapKind::BorrowsRemain(borrows).into()),
        }
    }

    /// Ends the loans of a call.
    pub(crate) fn end_scope(&self, scope: usize) {
        if scope == NO_SCOPE {
            return;
        }
        let ended = self.state().scopes.try_remove(scope);
        if let Some(scope) = ended {
            self.end_loans(scope);
        }
    }

    fn pop_scope(&self) -> Option<Scope> {
        let mut state = self.state();
        let key = state.running.pop();
        self.depth.store(state.running.len(), Ordering::Relaxed);
        state.scopes.try_remove(key?)
    }

    fn end_loans(&self, scope: Scope) {
        for lender in &scope.lenders {
            match lender {
                Lender::Guest {
                    instance,
                    component_instance,
                    handle,
                } => {
                    if let Some(table) = instance.tables().get_mut(*component_instance as usize) {
                        table.end_lend(*handle);
                    }
                    self.handles.give_back(1);
                }
                Lender::Host(id) => {
                    if let Some(handle) = self.state().host_handles.get_mut(id) {
                        handle.lends = handle.lends.saturating_sub(1);
                    }
                }
            }
        }
        let mut state = self.state();
        for id in &scope.host_borrows {
            state.host_handles.remove(id);
        }
    }
}
