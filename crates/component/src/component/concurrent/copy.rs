//! Copies between the two ends of a stream or future, and of elements between their buffers.
//!
//! Implements [Buffer State] for buffers in linear memory.
//!
//! [Buffer State]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#buffer-state

use std::sync::Arc;

use airssys_wasm_abi::Plan;
use airssys_wasm_abi::steps::GuestPtr;
use wasmer::StoreMut;

use super::host::poll;
use super::state::{Tasks, WaitableKey};
use super::transmit::{CopyResult, End, Used, table};
use crate::component::Type;
use crate::component::call::crossing::{LiftContext, LowerContext};
use crate::component::instance::InstanceInner;
use crate::component::ir::Options;
use crate::component::store::StoreCore;
use crate::error::{AsyncTrap, Error, Result};

/// A buffer in a guest's memory.
pub(super) struct Buffer {
    pub(super) instance: Arc<InstanceInner>,
    pub(super) options: Options,
    pub(super) plan: Option<Plan>,
    at: u32,
    pub(super) progress: u32,
    pub(super) length: u32,
}

impl Buffer {
    /// Describes a buffer.
    ///
    /// # Errors
    /// A trap if it is not aligned, or not within the memory.
    pub(super) fn new(
        store: &mut StoreMut<'_>,
        instance: &Arc<InstanceInner>,
        used: Used,
        options: Options,
        at: u32,
        length: u32,
    ) -> Result<Buffer> {
        let payload = table(instance, used.transmit)?.payload.as_ref();
        let plan = payload.map(Plan::new).transpose().map_err(Error::from)?;
        if let Some(plan) = plan.as_ref().filter(|_| length > 0) {
            GuestPtr(at).check_aligned(plan.align())?;
            let bytes = u64::from(length) * u64::from(plan.size());
            let memory = options.memory.and_then(|index| instance.memory(index));
            let memory = memory.ok_or_else(|| Error::bug("a buffer without a memory"))?;
            GuestPtr(at).slice(bytes, memory.data(store))?;
        }
        Ok(Buffer {
            instance: instance.clone(),
            options,
            plan,
            at,
            progress: 0,
            length,
        })
    }

    pub(super) fn remain(&self) -> u32 {
        self.length.saturating_sub(self.progress)
    }

    /// Returns whether elements are none or numbers.
    pub(super) fn has_no_or_number_elements(&self) -> bool {
        self.plan.as_ref().is_none_or(is_number)
    }

    /// Returns the address of the next element.
    pub(super) fn next(&self, plan: &Plan) -> GuestPtr {
        // Within the memory: it was checked when the buffer was made, and memories do not shrink.
        GuestPtr(self.at.wrapping_add(self.progress.wrapping_mul(plan.size())))
    }
}

fn is_number(plan: &Plan) -> bool {
    matches!(
        plan.ty(),
        Type::U8
            | Type::S8
            | Type::U16
            | Type::S16
            | Type::U32
            | Type::S32
            | Type::U64
            | Type::S64
            | Type::Float32
            | Type::Float64
    )
}

/// Copies the next elements of one buffer into another.
///
/// # Errors
/// A trap for elements that break the canonical ABI, or of the target's realloc.
fn copy_values(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    from: &Buffer,
    to: &Buffer,
    count: u32,
) -> Result<()> {
    let (Some(source), Some(target)) = (&from.plan, &to.plan) else {
        return Ok(());
    };
    if is_number(source) {
        let bytes = u64::from(count) * u64::from(source.size());
        let values = {
            let cx = LiftContext::new(store, core, &from.instance, &from.options);
            use airssys_wasm_abi::Guest;
            from.next(source).slice(bytes, cx.memory()?)?.to_vec()
        };
        let mut cx = LowerContext::new(store, core, &to.instance, &to.options);
        use airssys_wasm_abi::LowerGuest;
        to.next(target)
            .slice_mut(bytes, cx.memory_mut()?)?
            .copy_from_slice(&values);
        return Ok(());
    }
    let values = {
        let mut cx = LiftContext::new(store, core, &from.instance, &from.options);
        source.load_elements(&mut cx, from.next(source), count)?
    };
    to.instance.staying(store, to.options.instance, |store| {
        let mut cx = LowerContext::new(store, core, &to.instance, &to.options);
        target.store_elements(&mut cx, &values, to.next(target))
    })
}

/// Copies between an end that has a buffer and the other, if that waits; otherwise this one waits.
pub(super) fn begin_copy(store: &mut StoreMut<'_>, core: &Arc<StoreCore>, key: WaitableKey) -> Result<()> {
    let mut tasks = core.tasks();
    let end = tasks.end(key)?;
    let (is_stream, is_writer, key_of_shared) = (end.is_stream, end.end == End::Writable, end.shared());
    let shared = tasks.shared(key_of_shared)?;
    if shared.dropped {
        return tasks.notify(key, CopyResult::Dropped, false);
    }
    let Some(other) = shared.pending else {
        shared.pending = Some(key);
        let host = shared.host.as_mut().map(|side| {
            side.finishing = false;
            side.activity
        });
        drop(tasks);
        return match host {
            Some(activity) => poll(store, core, activity).map_err(|failure| failure.error),
            None => Ok(()),
        };
    };
    let (remain, others) = (tasks.remain(key)?, tasks.remain(other)?);
    let both_empty = {
        let length = |tasks: &mut Tasks, key| -> Result<u32> {
            Ok(tasks.end(key)?.buffer.as_ref().map_or(0, |buffer| buffer.length))
        };
        length(&mut tasks, key)? == 0 && length(&mut tasks, other)? == 0
    };
    let count = remain.min(others);
    drop(tasks);
    check_apart(core, key, other, is_stream)?;
    if count > 0 {
        copy_between(store, core, key, other, is_writer, count)?;
    }
    let mut tasks = core.tasks();
    if !is_stream {
        tasks.shared(key_of_shared)?.pending = None;
        tasks.notify(other, CopyResult::Completed, false)?;
        return tasks.notify(key, CopyResult::Completed, false);
    }
    if others > 0 {
        if count > 0 {
            tasks.notify(other, CopyResult::Completed, true)?;
        }
        return tasks.notify(key, CopyResult::Completed, false);
    }
    if is_writer && both_empty {
        return tasks.notify(key, CopyResult::Completed, false);
    }
    tasks.shared(key_of_shared)?.pending = Some(key);
    tasks.notify(other, CopyResult::Completed, false)
}

/// Refuses a copy within one component instance, of elements that are not numbers.
fn check_apart(core: &StoreCore, key: WaitableKey, other: WaitableKey, is_stream: bool) -> Result<()> {
    let mut tasks = core.tasks();
    let place = tasks.waitable(key)?.place;
    let same = place == tasks.waitable(other)?.place;
    let is_plain = tasks
        .end(key)?
        .buffer
        .as_ref()
        .is_none_or(Buffer::has_no_or_number_elements);
    match same && !is_plain {
        false => Ok(()),
        true if is_stream => {
            Err(AsyncTrap::Transmit("cannot read from and write to intra-component stream").into())
        }
        true => Err(AsyncTrap::Transmit("cannot read from and write to intra-component future").into()),
    }
}

fn copy_between(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    key: WaitableKey,
    other: WaitableKey,
    is_writer: bool,
    count: u32,
) -> Result<()> {
    let take = |key| -> Result<Buffer> {
        let buffer = core.tasks().end(key)?.buffer.take();
        buffer.ok_or_else(|| Error::bug("an end that copies without a buffer"))
    };
    let (mut own, mut others) = (take(key)?, take(other)?);
    match is_writer {
        true => copy_values(store, core, &own, &others, count)?,
        false => copy_values(store, core, &others, &own, count)?,
    }
    own.progress += count;
    others.progress += count;
    let mut tasks = core.tasks();
    tasks.end(key)?.buffer = Some(own);
    tasks.end(other)?.buffer = Some(others);
    Ok(())
}
