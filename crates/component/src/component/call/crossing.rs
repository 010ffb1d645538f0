//! Contexts of one crossing of values between the host and one component instance: the canonical ABI's view of both.

use std::fmt;
use std::sync::Arc;

use airssys_wasm_abi::steps::{GuestPtr, Scalar};
use airssys_wasm_abi::{
    Guest, LiftGuest, LowerGuest, ResourceType as TableType, StringEncoding, TransmitType,
};
use wasmer::{AsStoreMut, AsStoreRef, StoreMut};

use crate::component::call::scope::Lender;
use crate::component::concurrent::host::{FutureAny, HostEnd, StreamAny};
use crate::component::concurrent::without_storage;
use crate::component::instance::InstanceInner;
use crate::component::ir::{Options, ResourceTable, Transmit};
use crate::component::resource::handles::Handle;
use crate::component::resource::{ResourceAny, ResourceRuntime, ResourceType, ResourceTypeKind};
use crate::component::store::{HostHandle, StoreCore};
use crate::engine::GuestMemory;
use crate::error::{Error, ResourceError, Result, TrapKind};

/// Context for lifting a guest's value: memory, handles, remaining budget. The guest does not run meanwhile.
#[derive(Debug)]
pub struct LiftContext<'a> {
    memory: Option<&'a [u8]>,
    core: &'a StoreCore,
    instance: &'a Arc<InstanceInner>,
    string_encoding: StringEncoding,
    budget: u64,
}

impl<'a> LiftContext<'a> {
    pub(crate) fn new(
        store: &'a impl AsStoreRef,
        core: &'a StoreCore,
        instance: &'a Arc<InstanceInner>,
        options: &Options,
    ) -> LiftContext<'a> {
        let memory = options.memory.and_then(|index| instance.memory(index));
        LiftContext {
            memory: memory.map(|memory| memory.data(store)),
            core,
            instance,
            string_encoding: options.string_encoding,
            budget: core.limits.lift_bytes,
        }
    }

    /// Returns `size` bytes of memory.
    #[inline]
    pub(crate) fn bytes(&self, at: GuestPtr, size: u32) -> Result<&[u8]> {
        Ok(at.slice(u64::from(size), self.memory()?)?)
    }

    #[inline]
    pub(crate) fn load_u32(&self, at: GuestPtr) -> Result<u32> {
        Ok(u32::load(self.bytes(at, 4)?)?)
    }

    #[inline]
    pub(crate) fn load_u16(&self, at: GuestPtr) -> Result<u16> {
        Ok(u16::load(self.bytes(at, 2)?)?)
    }

    #[inline]
    pub(crate) fn load_u8(&self, at: GuestPtr) -> Result<u8> {
        Ok(u8::load(self.bytes(at, 1)?)?)
    }
}

impl Guest for LiftContext<'_> {
    type Resource = ResourceAny;
    type Stream = StreamAny;
    type Future = FutureAny;
    type Error = Error;

    #[inline]
    fn string_encoding(&self) -> StringEncoding {
        self.string_encoding
    }

    #[inline]
    fn memory(&self) -> Result<&[u8]> {
        self.memory.ok_or_else(no_memory)
    }
}

/// Bytes that the store keeps for a guest's resource that the host holds, its identity included.
const HOST_HANDLE_BYTES: u64 = (size_of::<u64>() + size_of::<HostHandle>()) as u64;

/// Bytes of the readable end of a stream or future that the host holds.
const HOST_END_BYTES: u64 = size_of::<HostEnd>() as u64;

impl LiftGuest for LiftContext<'_> {
    fn lift_own(&mut self, ty: TableType, index: u32) -> Result<ResourceAny> {
        self.consume_lift_budget(HOST_HANDLE_BYTES)?;
        let (component_instance, resource, runtime) = self.instance.resource_table(ty.0)?;
        let handle = self
            .instance
            .handles(component_instance, |table| table.remove(index, resource))?;
        let Handle::Own { rep, .. } = handle else {
            return Err(ResourceError::NotOwned(index).into());
        };
        Ok(to_host(self.core, self.instance, resource, runtime, rep, true))
    }

    fn lift_borrow(&mut self, ty: TableType, index: u32) -> Result<ResourceAny> {
        self.consume_lift_budget(HOST_HANDLE_BYTES)?;
        let (component_instance, resource, runtime) = self.instance.resource_table(ty.0)?;
        let rep = lend(self.core, self.instance, component_instance, index, resource)?;
        Ok(to_host(self.core, self.instance, resource, runtime, rep, false))
    }

    fn lift_stream(&mut self, ty: &TransmitType, handle: u32) -> Result<StreamAny> {
        self.lift_end(Transmit::Stream(ty.table), handle).map(StreamAny)
    }

    fn lift_future(&mut self, ty: &TransmitType, handle: u32) -> Result<FutureAny> {
        self.lift_end(Transmit::Future(ty.table), handle).map(FutureAny)
    }

    #[inline]
    fn consume_lift_budget(&mut self, bytes: u64) -> Result<()> {
        match self.budget.checked_sub(bytes) {
            Some(rest) => {
                self.budget = rest;
                Ok(())
            }
            None => Err(self.over_budget()),
        }
    }
}

impl LiftContext<'_> {
    fn lift_end(&mut self, transmit: Transmit, handle: u32) -> Result<Arc<HostEnd>> {
        self.consume_lift_budget(HOST_END_BYTES)?;
        Ok(Arc::new(self.instance.lift_end(self.core, transmit, handle)?))
    }

    #[cold]
    fn over_budget(&self) -> Error {
        Error::from(TrapKind::Limit(format!(
            "the values of one call exceed the host's limit of {} bytes (lift_bytes)",
            self.core.limits.lift_bytes
        )))
    }
}

/// Context for lowering a host's value: the guest's memory, its `realloc`, and its handles.
pub struct LowerContext<'a> {
    store: StoreMut<'a>,
    memory: Option<&'a GuestMemory>,
    core: &'a StoreCore,
    instance: &'a Arc<InstanceInner>,
    options: &'a Options,
}

impl<'a> LowerContext<'a> {
    pub(crate) fn new(
        store: &'a mut impl AsStoreMut,
        core: &'a StoreCore,
        instance: &'a Arc<InstanceInner>,
        options: &'a Options,
    ) -> LowerContext<'a> {
        LowerContext {
            store: store.as_store_mut(),
            memory: options.memory.and_then(|index| instance.memory(index)),
            core,
            instance,
            options,
        }
    }

    /// Returns `size` bytes of memory, for writing.
    #[inline]
    pub(crate) fn bytes_mut(&mut self, at: GuestPtr, size: u32) -> Result<&mut [u8]> {
        Ok(at.slice_mut(u64::from(size), self.memory_mut()?)?)
    }

    #[inline]
    pub(crate) fn store_u32(&mut self, at: GuestPtr, value: u32) -> Result<()> {
        value.store(self.bytes_mut(at, 4)?);
        Ok(())
    }

    #[inline]
    pub(crate) fn store_u16(&mut self, at: GuestPtr, value: u16) -> Result<()> {
        value.store(self.bytes_mut(at, 2)?);
        Ok(())
    }

    #[inline]
    pub(crate) fn store_u8(&mut self, at: GuestPtr, value: u8) -> Result<()> {
        value.store(self.bytes_mut(at, 1)?);
        Ok(())
    }
}

impl fmt::Debug for LowerContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LowerContext")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Guest for LowerContext<'_> {
    type Resource = ResourceAny;
    type Stream = StreamAny;
    type Future = FutureAny;
    type Error = Error;

    #[inline]
    fn string_encoding(&self) -> StringEncoding {
        self.options.string_encoding
    }

    #[inline]
    fn memory(&self) -> Result<&[u8]> {
        Ok(self.memory.ok_or_else(no_memory)?.data(&self.store))
    }
}

impl LowerGuest for LowerContext<'_> {
    #[inline]
    fn memory_mut(&mut self) -> Result<&mut [u8]> {
        let memory = self.memory.ok_or_else(no_memory)?;
        Ok(memory.data_mut(&mut self.store))
    }

    fn realloc(&mut self, old_ptr: u32, old_size: u32, align: u32, new_size: u32) -> Result<u32> {
        let realloc = self
            .options
            .realloc
            .and_then(|index| self.instance.realloc(index))
            .ok_or_else(|| Error::bug("a value in memory, and no realloc among the options"))?;
        let args = [old_ptr, old_size, align, new_size].map(u64::from);
        // Its result is an `i32`.
        let core = self.core;
        let ptr = without_storage(&mut self.store, core, |store| realloc.call(store, &args))?;
        Ok(ptr as u32)
    }

    fn lower_own(&mut self, ty: TableType, any: &ResourceAny) -> Result<u32> {
        let (component_instance, resource, runtime) = self.instance.resource_table(ty.0)?;
        let rep = any.give(self.core, runtime.ty)?;
        let handle = Handle::Own {
            resource,
            rep,
            lends: 0,
        };
        Ok(self
            .instance
            .handles(component_instance, |table| table.insert(handle))?)
    }

    fn lower_stream(&mut self, ty: &TransmitType, stream: &StreamAny) -> Result<u32> {
        self.instance
            .lower_end(self.core, Transmit::Stream(ty.table), &stream.0)
    }

    fn lower_future(&mut self, ty: &TransmitType, future: &FutureAny) -> Result<u32> {
        self.instance
            .lower_end(self.core, Transmit::Future(ty.table), &future.0)
    }

    fn lower_borrow(&mut self, ty: TableType, any: &ResourceAny) -> Result<u32> {
        let (component_instance, resource, runtime) = self.instance.resource_table(ty.0)?;
        let (rep, owner) = any.lend(self.core, runtime.ty)?;
        if let Some(id) = owner
            && let Some((_, scope)) = self.core.state().innermost()
        {
            scope.lenders.push(Lender::Host(id));
        }
        borrow(
            self.core,
            self.instance,
            component_instance,
            resource,
            runtime,
            rep,
        )
    }
}

#[cold]
fn no_memory() -> Error {
    Error::bug("a value in memory, and no memory among the options")
}

fn to_host(
    core: &StoreCore,
    instance: &Arc<InstanceInner>,
    resource: u32,
    runtime: &ResourceRuntime,
    rep: u32,
    own: bool,
) -> ResourceAny {
    match runtime.ty {
        ResourceType(ResourceTypeKind::Host(_)) => ResourceAny::host(runtime.ty, rep, own),
        ResourceType(ResourceTypeKind::Guest { .. }) => {
            let handle = HostHandle {
                instance: instance.clone(),
                resource,
                rep,
                own,
                lends: 0,
            };
            ResourceAny::from_guest(core, handle, runtime.ty)
        }
    }
}

/// Lends a resource that a guest holds, for the innermost call; returns its representation.
pub(crate) fn lend(
    core: &StoreCore,
    instance: &Arc<InstanceInner>,
    component_instance: u32,
    index: u32,
    resource: u32,
) -> Result<u32> {
    let (rep, owned) = instance.handles(component_instance, |table| {
        let handle = table.get(index, resource)?;
        if let Handle::Own { lends, .. } = handle {
            *lends = lends
                .checked_add(1)
                .ok_or_else(|| TrapKind::Limit("loans of one resource".into()))?;
        }
        Ok((handle.rep(), matches!(handle, Handle::Own { .. })))
    })?;
    if owned && let Some((_, scope)) = core.state().innermost() {
        core.handles.take().map_err(ResourceError::TableFull)?;
        scope.lenders.push(Lender::Guest {
            instance: instance.clone(),
            component_instance,
            handle: index,
        });
    }
    Ok(rep)
}

/// Adds a borrow handle to a component instance, for the innermost call. The instance that defines the resource type
/// gets the representation itself.
pub(crate) fn borrow(
    core: &StoreCore,
    instance: &Arc<InstanceInner>,
    component_instance: u32,
    resource: u32,
    runtime: &ResourceRuntime,
    rep: u32,
) -> Result<u32> {
    if runtime.definer == Some(component_instance) {
        return Ok(rep);
    }
    let scope = {
        let mut state = core.state();
        let innermost = state.innermost();
        let (key, scope) = innermost.ok_or_else(|| Error::bug("a borrow outside any call"))?;
        scope.borrows += 1;
        key
    };
    Ok(instance.handles(component_instance, |table| {
        table.insert(Handle::Borrow { resource, rep, scope })
    })?)
}

impl InstanceInner {
    /// Returns the resource type behind a handle type.
    pub(crate) fn resource_type(&self, table: TableType) -> Option<ResourceType> {
        self.resource_table(table.0)
            .ok()
            .map(|(_, _, resource)| resource.ty)
    }

    /// Returns the component instance, the resource and its run-time state, for a resource table of the component.
    pub(crate) fn resource_table(&self, table: u32) -> Result<(u32, u32, &ResourceRuntime)> {
        match self.ir().resource_tables.get(table as usize) {
            Some(&ResourceTable::Concrete { resource, instance }) => {
                let runtime = self
                    .resource(resource)
                    .ok_or_else(|| Error::bug("a resource that is not created yet"))?;
                Ok((instance, resource, runtime))
            }
            _ => Err(Error::bug("a resource type that no instance has")),
        }
    }
}
