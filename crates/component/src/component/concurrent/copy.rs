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
use super::host_call::fail;
use super::state::{Tasks, WaitableKey};
use super::transmit::{CopyResult, End, Used, table};
use crate::component::Type;
use crate::component::call::crossing::{LiftContext, LowerContext};
use crate::component::instance::InstanceInner;
use crate::component::ir::Options;
use crate::component::store::StoreCore;
use crate::engine::GuestMemory;
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
        let plan = table(instance, used.transmit)?.plan()?.cloned();
        if let Some(plan) = plan.as_ref().filter(|_| length > 0) {
            GuestPtr(at).check_aligned(plan.align())?;
            let bytes = u64::from(length) * u64::from(plan.size());
            GuestPtr(at).slice(bytes, memory_of(instance, &options)?.data(store))?;
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

    fn memory(&self) -> Result<&GuestMemory, Fault> {
        // No guest can be without one.
        memory_of(&self.instance, &self.options).map_err(Fault::Reader)
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

fn memory_of<'a>(instance: &'a InstanceInner, options: &Options) -> Result<&'a GuestMemory> {
    let memory = options.memory.and_then(|index| instance.memory(index));
    memory.ok_or_else(|| Error::bug("a buffer without a memory"))
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

/// A failure of a copy, by the end whose instance is at fault.
enum Fault {
    Writer(Error),
    Reader(Error),
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
) -> Result<(), Fault> {
    let (Some(source), Some(target)) = (&from.plan, &to.plan) else {
        return Ok(());
    };
    if is_number(source) {
        let bytes = u64::from(count) * u64::from(source.size());
        let (from_memory, to_memory) = (from.memory()?, to.memory()?);
        let (from_at, to_at) = (from.next(source), to.next(target));
        return copy_bytes(store, (from_memory, from_at), (to_memory, to_at), bytes).map_err(Fault::Reader);
    }
    let values = {
        let mut cx = LiftContext::new(store, core, &from.instance, &from.options);
        source
            .load_elements(&mut cx, from.next(source), count)
            .map_err(Fault::Writer)?
    };
    let stored = to.instance.staying(store, to.options.instance, |store| {
        let mut cx = LowerContext::new(store, core, &to.instance, &to.options);
        target.store_elements(&mut cx, &values, to.next(target))
    });
    stored.map_err(Fault::Reader)
}

/// Most bytes that a copy between two memories takes to the host at a time.
const CHUNK: usize = 64 << 10;

/// Copies bytes of one memory to another, or within one, where the two places may overlap.
fn copy_bytes(
    store: &mut StoreMut<'_>,
    (from, from_at): (&GuestMemory, GuestPtr),
    (to, to_at): (&GuestMemory, GuestPtr),
    bytes: u64,
) -> Result<()> {
    // Both are within their memories.
    let length = from_at.slice(bytes, from.data(store))?.len();
    to_at.slice(bytes, to.data(store))?;
    let (from_at, to_at) = (from_at.0 as usize, to_at.0 as usize);
    if from.is_same(to) {
        to.data_mut(store).copy_within(from_at..from_at + length, to_at);
        return Ok(());
    }
    let mut chunk = Vec::with_capacity(CHUNK.min(length));
    for at in (0..length).step_by(CHUNK) {
        let size = CHUNK.min(length - at);
        chunk.clear();
        chunk.extend_from_slice(&from.data(store)[from_at + at..][..size]);
        to.data_mut(store)[to_at + at..][..size].copy_from_slice(&chunk);
    }
    Ok(())
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
    if tasks.shared(key_of_shared)?.dropped {
        // With the instance of the other end, which was at fault.
        return tasks.notify(key, CopyResult::Dropped, false);
    }
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

/// Copies between the end of the running thread and the other's, which waits. A fault of another instance ends that one only.
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
    let copied = match is_writer {
        true => copy_values(store, core, &own, &others, count),
        false => copy_values(store, core, &others, &own, count),
    };
    let count = if copied.is_ok() { count } else { 0 };
    own.progress += count;
    others.progress += count;
    let (own_instance, other_instance) = (own.instance.id, others.instance.clone());
    {
        let mut tasks = core.tasks();
        tasks.end(key)?.buffer = Some(own);
        tasks.end(other)?.buffer = Some(others);
    }
    let (error, is_own) = match copied {
        Ok(()) => return Ok(()),
        Err(Fault::Writer(error)) => (error, is_writer),
        Err(Fault::Reader(error)) => (error, !is_writer),
    };
    if is_own || own_instance == other_instance.id {
        return Err(error);
    }
    fail(store, core, &other_instance, error.into(), None)
}
