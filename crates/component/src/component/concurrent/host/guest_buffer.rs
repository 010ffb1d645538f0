//! Buffers of guests that the host's ends copy to and from.

use std::sync::Arc;

use airssys_wasm_abi::steps::GuestPtr;
use airssys_wasm_abi::{Plan, Type};
use wasmer::{AsStoreMut, AsStoreRef, StoreMut};

use super::buffers::WriteBuffer;
use crate::component::call::crossing::{LiftContext, LowerContext};
use crate::component::call::typed::{Lift, Lower};
use crate::component::concurrent::copy::Buffer;
use crate::component::concurrent::state::WaitableKey;
use crate::component::instance::InstanceInner;
use crate::component::ir::Options;
use crate::component::store::StoreCore;
use crate::error::{Error, Result};

/// The rest of a guest's buffer: a place in its memory.
pub(super) struct Place {
    instance: Arc<InstanceInner>,
    options: Options,
    at: GuestPtr,
    remain: u32,
}

/// Returns the rest of the buffer of an end that waits.
pub(super) fn place(core: &StoreCore, end: WaitableKey) -> Result<Place> {
    let mut tasks = core.tasks();
    place_of(tasks.end(end)?.buffer())
}

/// The same, and the plan of its elements, if they have one.
fn place_and_plan(core: &StoreCore, end: WaitableKey) -> Result<(Place, Option<Plan>)> {
    let mut tasks = core.tasks();
    let buffer = tasks.end(end)?.buffer();
    let plan = buffer.and_then(|buffer| buffer.plan.clone());
    Ok((place_of(buffer)?, plan))
}

fn place_of(buffer: Option<&Buffer>) -> Result<Place> {
    let buffer = buffer.ok_or_else(|| Error::bug("an end that copies without a buffer"))?;
    Ok(Place {
        instance: Arc::clone(&buffer.instance),
        options: buffer.options,
        at: buffer.plan.as_ref().map_or(GuestPtr(0), |plan| buffer.next(plan)),
        remain: buffer.remain(),
    })
}

/// Records that items were copied.
pub(super) fn advance(core: &StoreCore, end: WaitableKey, count: usize) {
    let mut tasks = core.tasks();
    if let Some(buffer) = tasks.end(end).ok().and_then(|end| end.buffer_mut()) {
        let count = u32::try_from(count).unwrap_or(u32::MAX).min(buffer.remain());
        buffer.progress += count;
    }
}

impl Place {
    /// Returns the bytes; none if the guest's memory is gone.
    pub(super) fn bytes<'a>(&self, store: &'a impl AsStoreRef) -> &'a [u8] {
        let memory = self.options.memory.and_then(|index| self.instance.memory(index));
        let bytes = memory.and_then(|memory| self.at.slice(self.remain.into(), memory.data(store)).ok());
        bytes.unwrap_or_default()
    }

    /// The same, for writing.
    pub(super) fn bytes_mut<'a>(&self, store: &'a mut impl AsStoreMut) -> &'a mut [u8] {
        let memory = self.options.memory.and_then(|index| self.instance.memory(index));
        let bytes = memory.and_then(|memory| {
            let data = memory.data_mut(store);
            self.at.slice_mut(self.remain.into(), data).ok()
        });
        bytes.unwrap_or_default()
    }
}

/// Copies as many items to the buffer of a reader as it has room for.
pub(super) fn lower<T: Lower>(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    reader: WaitableKey,
    items: &mut impl WriteBuffer<T>,
) -> Result<()> {
    if items.remaining().is_empty() {
        return Ok(());
    }
    let (place, plan) = place_and_plan(core, reader)?;
    let remaining = items.remaining();
    let count = remaining.len().min(place.remain as usize);
    if count == 0 {
        return Ok(());
    }
    if let Some(plan) = &plan {
        let items = &remaining[..count];
        T::check_list(items)?;
        let (instance, options) = (&place.instance, &place.options);
        instance.staying(store, options.instance, |store| {
            let mut cx = LowerContext::new(store, core, instance, options);
            T::store_list(items, &mut cx, plan, place.at)
        })?;
    }
    items.skip(count);
    advance(core, reader, count);
    Ok(())
}

/// Takes at most `room` items from the buffer of a writer.
pub(super) fn lift<T: Lift>(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    writer: WaitableKey,
    room: usize,
) -> Result<Vec<T>> {
    let (place, plan) = place_and_plan(core, writer)?;
    let count = u32::try_from(room).unwrap_or(u32::MAX).min(place.remain);
    if count == 0 {
        return Ok(Vec::new());
    }
    let mut cx = LiftContext::new(store, core, &place.instance, &place.options);
    let items = match &plan {
        Some(plan) => T::load_list(&mut cx, plan, place.at, count)?,
        // Of `()`, which reads neither the plan nor the memory.
        None => T::load_list(&mut cx, &Plan::new(&Type::Bool)?, place.at, count)?,
    };
    advance(core, writer, count as usize);
    Ok(items)
}
