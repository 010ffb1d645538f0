//! Resources as the host sees them: types, handles, and a table for host values.

pub(super) mod handles;

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::component::call::core_call::CoreFunc;
use crate::component::call::func::guarded;
use crate::component::concurrent::host_call::run_sync;
use crate::component::instance::InstanceInner;
use crate::component::ir::Options;
use crate::component::store::{AsContextMut, HostHandle, StoreContextMut, StoreCore, unique};
use crate::error::{Error, ResourceError, Result, TrapKind};

/// The identity of a resource type.
///
/// Types are equal by identity ([Type Checking]).
///
/// [Type Checking]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/Explainer.md#type-checking
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ResourceType(pub(crate) ResourceTypeKind);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ResourceTypeKind {
    /// Defined by the host, represented by a Rust type.
    Host(TypeId),
    /// Defined by a component; each instance defines its own.
    Guest { instance: u64, resource: u32 },
}

impl ResourceType {
    /// Returns the resource type that the host represents by `T`. `T` is a name only; no value of it is stored.
    pub fn host<T: 'static>() -> ResourceType {
        ResourceType(ResourceTypeKind::Host(TypeId::of::<T>()))
    }
}

/// A host-defined resource: a number (its representation, `rep`) with a meaning to the host, such as an index into a
/// [`ResourceTable`]. `T` names the type.
///
/// Implements the host's side of [Resource State].
///
/// [Resource State]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#resource-state
pub struct Resource<T> {
    rep: u32,
    owned: bool,
    marker: PhantomData<fn() -> T>,
}

impl<T: 'static> Resource<T> {
    /// Creates a resource that is transferred when it is passed as `own`.
    pub fn new_own(rep: u32) -> Resource<T> {
        Resource {
            rep,
            owned: true,
            marker: PhantomData,
        }
    }

    /// Creates a resource that can only be lent.
    pub fn new_borrow(rep: u32) -> Resource<T> {
        Resource {
            rep,
            owned: false,
            marker: PhantomData,
        }
    }

    /// Returns the host's number for it.
    pub fn rep(&self) -> u32 {
        self.rep
    }

    /// Returns whether the holder owns the resource, and must drop it.
    pub fn owned(&self) -> bool {
        self.owned
    }

    pub(crate) fn to_any(&self) -> ResourceAny {
        ResourceAny {
            repr: Repr::Host {
                ty: ResourceType::host::<T>(),
                rep: self.rep,
                owned: self.owned,
            },
        }
    }

    pub(crate) fn from_any(any: ResourceAny) -> Result<Resource<T>> {
        match any.repr {
            Repr::Host { ty, rep, owned } if ty == ResourceType::host::<T>() => Ok(Resource {
                rep,
                owned,
                marker: PhantomData,
            }),
            _ => Err(Error::Resource(ResourceError::HostType)),
        }
    }
}

impl<T> fmt::Debug for Resource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resource")
            .field("rep", &self.rep)
            .field("owned", &self.owned)
            .finish()
    }
}

/// A resource of any type, host-defined or guest-defined.
///
/// A guest-defined resource that is owned lives until it is given to a component or dropped with
/// [`ResourceAny::resource_drop`]; a borrowed one until the host function that received it returns. Copies refer to the
/// same resource: once one is transferred, the others are stale and refused.
///
/// Implements the host's side of [Resource State].
///
/// [Resource State]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#resource-state
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceAny {
    repr: Repr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repr {
    Host { ty: ResourceType, rep: u32, owned: bool },
    Guest { id: u64, ty: ResourceType, owned: bool },
}

impl ResourceAny {
    /// Returns the resource's type.
    pub fn ty(&self) -> ResourceType {
        match self.repr {
            Repr::Host { ty, .. } | Repr::Guest { ty, .. } => ty,
        }
    }

    /// Returns whether the host owns the resource.
    pub fn owned(&self) -> bool {
        match self.repr {
            Repr::Host { owned, .. } | Repr::Guest { owned, .. } => owned,
        }
    }

    /// Converts to a host-defined resource of type `T`.
    ///
    /// # Errors
    /// [`ResourceError::HostType`] if it is of another type.
    pub fn try_into_resource<T: 'static>(self) -> Result<Resource<T>> {
        Resource::from_any(self)
    }

    /// Drops the host's handle: runs the destructor of a guest-defined resource that the host owns. For a host-defined
    /// resource, and for a borrow, nothing runs.
    ///
    /// As [`canon resource.drop`].
    ///
    /// # Errors
    /// [`ResourceError::Stale`] if it was transferred or dropped before, [`ResourceError::HostLent`] if a call that
    /// borrows it has not ended; a trap of the destructor.
    ///
    /// [`canon resource.drop`]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#canon-resourcedrop
    pub fn resource_drop(self, mut store: impl AsContextMut) -> Result<()> {
        let Repr::Guest { id, owned, .. } = self.repr else {
            return Ok(());
        };
        if !owned {
            return Ok(());
        }
        let mut cx = store.as_context_mut();
        let handle = take_owned(cx.core, id)?;
        drop_rep(&mut cx, &handle.instance, handle.resource, handle.rep)
    }

    pub(crate) fn host(ty: ResourceType, rep: u32, owned: bool) -> ResourceAny {
        ResourceAny {
            repr: Repr::Host { ty, rep, owned },
        }
    }

    /// Creates the host's handle of a guest-defined resource. A borrow ends with the innermost call.
    pub(crate) fn from_guest(core: &StoreCore, handle: HostHandle, ty: ResourceType) -> ResourceAny {
        let id = unique();
        let owned = handle.own;
        let mut state = core.state();
        state.host_handles.insert(id, handle);
        if !owned && let Some((_, scope)) = state.innermost() {
            scope.host_borrows.push(id);
        }
        ResourceAny {
            repr: Repr::Guest { id, ty, owned },
        }
    }

    /// Gives the resource away to an owner that expects `ty`; returns its representation.
    pub(crate) fn give(&self, core: &StoreCore, ty: ResourceType) -> Result<u32> {
        if self.ty() != ty {
            return Err(Error::Resource(ResourceError::HostType));
        }
        match self.repr {
            Repr::Host { owned: false, .. } => Err(Error::Resource(ResourceError::HostNotOwned)),
            Repr::Host { rep, .. } => Ok(rep),
            Repr::Guest { id, .. } => Ok(take_owned(core, id)?.rep),
        }
    }

    /// Lends the resource to a borrower that expects `ty`; returns its representation and, if the host owns it, the
    /// identity with which to end the loan.
    pub(crate) fn lend(&self, core: &StoreCore, ty: ResourceType) -> Result<(u32, Option<u64>)> {
        if self.ty() != ty {
            return Err(Error::Resource(ResourceError::HostType));
        }
        match self.repr {
            Repr::Host { rep, .. } => Ok((rep, None)),
            Repr::Guest { id, .. } => {
                let mut state = core.state();
                let handle = state
                    .host_handles
                    .get_mut(&id)
                    .ok_or(Error::Resource(ResourceError::Stale))?;
                if handle.own {
                    handle.lends = handle.lends.saturating_add(1);
                }
                Ok((handle.rep, handle.own.then_some(id)))
            }
        }
    }
}

fn take_owned(core: &StoreCore, id: u64) -> Result<HostHandle> {
    let mut state = core.state();
    let handle = state
        .host_handles
        .get(&id)
        .ok_or(Error::Resource(ResourceError::Stale))?;
    if !handle.own {
        return Err(Error::Resource(ResourceError::HostNotOwned));
    }
    if handle.lends > 0 {
        return Err(Error::Resource(ResourceError::HostLent));
    }
    state
        .host_handles
        .remove(&id)
        .ok_or(Error::Resource(ResourceError::Stale))
}

/// Calls the destructor that `instance` has for one of its resource types, as a call from outside.
pub(super) fn drop_rep<T: Send + 'static>(
    cx: &mut StoreContextMut<'_, T>,
    instance: &Arc<InstanceInner>,
    resource: u32,
    rep: u32,
) -> Result<()> {
    let Some(dtor) = instance.dtor(resource).cloned() else {
        return Ok(());
    };
    guarded(&mut cx.store, cx.core, instance, true, |store| {
        if !instance.is_concurrent() {
            return run_dtor(&dtor, store, rep);
        }
        run_sync(store, cx.core, instance, &Options::of_host(), |store| {
            run_dtor(&dtor, store, rep)
        })
    })
}

/// Runs a resource type's destructor on a representation.
pub(crate) fn run_dtor(dtor: &CoreFunc, store: &mut wasmer::StoreMut<'_>, rep: u32) -> Result<()> {
    dtor.call(store, &[u64::from(rep)])?;
    Ok(())
}

/// Run-time state of one resource type of an instance.
#[derive(Debug)]
pub(crate) struct ResourceRuntime {
    pub(crate) ty: ResourceType,
    pub(crate) dtor: Option<Arc<CoreFunc>>,
    /// The component instance that defines the type, if the component does.
    pub(crate) definer: Option<u32>,
}

impl InstanceInner {
    fn dtor(&self, resource: u32) -> Option<&Arc<CoreFunc>> {
        self.resource(resource)
            .and_then(|resource| resource.dtor.as_ref())
    }
}

/// A table of host values by number; the number is the `rep` of a [`Resource`].
///
/// Numbers are never reused, so a stale one is an error and never refers to another value. A value may be a child of
/// another one, its parent, which cannot be deleted before its children.
#[derive(Debug)]
pub struct ResourceTable {
    values: HashMap<u32, Entry>,
    next: u32,
    max: usize,
}

#[derive(Debug)]
struct Entry {
    value: Box<dyn Any + Send>,
    parent: Option<u32>,
    children: u32,
}

/// Errors of a [`ResourceTable`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResourceTableError {
    /// There is no such value: it was deleted, or never existed.
    #[error("the resource table has no entry {0}")]
    NotPresent(u32),
    /// The value is of another type.
    #[error("the resource table's entry {0} is of another type")]
    WrongType(u32),
    /// The table has its maximum of values, this number, or all 2^32 numbers are used up.
    #[error("the resource table is full: it holds at most {0} resources")]
    Full(usize),
    /// The value has children.
    #[error("the resource table's entry {0} has child resources, which must be deleted first")]
    HasChildren(u32),
}

impl ResourceTableError {
    /// Returns the trap of a guest that caused the error.
    pub(crate) fn trap(&self) -> Option<TrapKind> {
        match self {
            ResourceTableError::Full(max) => {
                let max = u32::try_from(*max).unwrap_or(u32::MAX);
                Some(TrapKind::Resource(ResourceError::TableFull(max)))
            }
            ResourceTableError::HasChildren(_) => Some(TrapKind::Other(self.to_string())),
            // Handles that a guest does not have are refused before the table is used.
            ResourceTableError::NotPresent(_) | ResourceTableError::WrongType(_) => None,
        }
    }
}

impl Default for ResourceTable {
    fn default() -> ResourceTable {
        ResourceTable::new()
    }
}

impl ResourceTable {
    /// Creates an empty table without a maximum.
    pub fn new() -> ResourceTable {
        ResourceTable::with_max(usize::MAX)
    }

    /// Creates an empty table for at most `max` values at once.
    pub fn with_max(max: usize) -> ResourceTable {
        ResourceTable {
            values: HashMap::new(),
            next: 0,
            max,
        }
    }

    /// Lowers the number of values that the table holds at once to `max`.
    pub fn limit(&mut self, max: usize) {
        self.max = self.max.min(max);
    }

    /// Adds a value.
    ///
    /// # Errors
    /// [`ResourceTableError::Full`].
    pub fn push<T: Send + 'static>(&mut self, value: T) -> Result<Resource<T>, ResourceTableError> {
        self.insert(Box::new(value), None).map(Resource::new_own)
    }

    /// Adds a child of `parent`, which cannot be deleted before it.
    ///
    /// # Errors
    /// [`ResourceTableError::Full`]; [`ResourceTableError::NotPresent`] if there is no such parent.
    pub fn push_child<T: Send + 'static, U: 'static>(
        &mut self,
        value: T,
        parent: &Resource<U>,
    ) -> Result<Resource<T>, ResourceTableError> {
        if !self.values.contains_key(&parent.rep) {
            return Err(ResourceTableError::NotPresent(parent.rep));
        }
        let rep = self.insert(Box::new(value), Some(parent.rep))?;
        if let Some(parent) = self.values.get_mut(&parent.rep) {
            // There are fewer children than numbers.
            parent.children = parent.children.saturating_add(1);
        }
        Ok(Resource::new_own(rep))
    }

    fn insert(&mut self, value: Box<dyn Any + Send>, parent: Option<u32>) -> Result<u32, ResourceTableError> {
        let rep = self.next;
        if self.values.len() >= self.max {
            return Err(ResourceTableError::Full(self.max));
        }
        self.next = rep.checked_add(1).ok_or(ResourceTableError::Full(self.max))?;
        let children = 0;
        self.values.insert(
            rep,
            Entry {
                value,
                parent,
                children,
            },
        );
        Ok(rep)
    }

    /// Returns the value of a resource.
    ///
    /// # Errors
    /// [`ResourceTableError::NotPresent`], [`ResourceTableError::WrongType`].
    pub fn get<T: 'static>(&self, resource: &Resource<T>) -> Result<&T, ResourceTableError> {
        let entry = self
            .values
            .get(&resource.rep)
            .ok_or(ResourceTableError::NotPresent(resource.rep))?;
        entry
            .value
            .downcast_ref()
            .ok_or(ResourceTableError::WrongType(resource.rep))
    }

    /// Returns the value of a resource, for changing it.
    ///
    /// # Errors
    /// [`ResourceTableError::NotPresent`], [`ResourceTableError::WrongType`].
    pub fn get_mut<T: 'static>(&mut self, resource: &Resource<T>) -> Result<&mut T, ResourceTableError> {
        let entry = self
            .values
            .get_mut(&resource.rep)
            .ok_or(ResourceTableError::NotPresent(resource.rep))?;
        entry
            .value
            .downcast_mut()
            .ok_or(ResourceTableError::WrongType(resource.rep))
    }

    /// Removes a value and returns it.
    ///
    /// # Errors
    /// [`ResourceTableError::NotPresent`], [`ResourceTableError::WrongType`], [`ResourceTableError::HasChildren`]; the
    /// value stays.
    pub fn delete<T: 'static>(&mut self, resource: Resource<T>) -> Result<T, ResourceTableError> {
        self.get(&resource)?;
        let rep = resource.rep;
        if self.values.get(&rep).is_some_and(|entry| entry.children > 0) {
            return Err(ResourceTableError::HasChildren(rep));
        }
        let entry = self
            .values
            .remove(&rep)
            .ok_or(ResourceTableError::NotPresent(rep))?;
        if let Some(parent) = entry.parent.and_then(|parent| self.values.get_mut(&parent)) {
            parent.children = parent.children.saturating_sub(1);
        }
        match entry.value.downcast() {
            Ok(value) => Ok(*value),
            Err(_) => Err(ResourceTableError::WrongType(rep)),
        }
    }

    /// Returns the number of values.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Returns whether the table is empty.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_outlive_their_children() {
        let mut table = ResourceTable::new();
        let parent = table.push("parent").unwrap();
        let rep = parent.rep();
        let child = table.push_child(1_u8, &parent).unwrap();
        let grandchild = table.push_child(2_u16, &child).unwrap();
        assert_eq!(table.delete(parent), Err(ResourceTableError::HasChildren(rep)));
        assert_eq!(
            table.delete(Resource::<u8>::new_own(child.rep())),
            Err(ResourceTableError::HasChildren(child.rep()))
        );
        assert_eq!(table.delete(grandchild), Ok(2));
        assert_eq!(table.delete(child), Ok(1));
        assert_eq!(table.delete(Resource::<&str>::new_own(rep)), Ok("parent"));
        assert!(table.is_empty());
        assert_eq!(
            table.push_child((), &Resource::<&str>::new_own(rep)).unwrap_err(),
            ResourceTableError::NotPresent(rep)
        );
        assert!(table.is_empty());
    }

    #[test]
    fn a_full_table_takes_no_more() {
        let mut table = ResourceTable::with_max(2);
        let first = table.push(1).unwrap();
        table.push_child(2, &first).unwrap();
        assert_eq!(table.push(3).unwrap_err(), ResourceTableError::Full(2));
        assert_eq!(
            table.push_child(3, &first).unwrap_err(),
            ResourceTableError::Full(2)
        );
        assert_eq!(table.len(), 2);
    }
}
