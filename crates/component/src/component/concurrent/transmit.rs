//! Streams and futures between components: their two ends, and the copies that these ask for.
//!
//! Implements [Stream State] and [Future State].
//!
//! [Stream State]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#stream-state
//! [Future State]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#future-state

use std::sync::Arc;

use wasmer::StoreMut;

use super::block::block;
use super::copy::{Buffer, begin_copy};
use super::host::{Gone, HostSide, poll};
use super::state::{Kind, Place, SharedKey, Tasks, Wait, Waitable, WaitableKey, gone};
use super::waitable::BLOCKED;
use crate::component::instance::InstanceInner;
pub(super) use crate::component::ir::End;
use crate::component::ir::{Options, Transmit, TransmitTable};
use crate::component::resource::handles::Handle;
use crate::component::store::StoreCore;
use crate::error::{AsyncTrap, Error, ResourceError, Result};

/// The progress of one end's copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CopyState {
    Idle,
    Copying,
    Cancelling,
    Done,
}

/// The result of a copy. The numbers are the specification's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CopyResult {
    Completed = 0,
    Dropped = 1,
    Cancelled = 2,
}

/// The event of an end whose copy has made progress.
#[derive(Clone, Copy, Debug)]
pub(super) struct CopyEvent {
    result: CopyResult,
    /// True if the buffer can be copied to or from until the event is taken.
    pending: bool,
}

/// One end of a stream or future.
pub(super) struct EndState {
    pub(super) is_stream: bool,
    pub(super) end: End,
    shared: SharedKey,
    /// The identity of the type.
    ty: u32,
    state: CopyState,
    pub(super) buffer: Option<Buffer>,
    pub(super) event: Option<CopyEvent>,
}

/// A stream or future: what its ends share.
pub(super) struct Shared {
    /// True once one of its ends is gone.
    pub(super) dropped: bool,
    /// The end that waits with its buffer.
    pub(super) pending: Option<WaitableKey>,
    /// Number of ends that are waitables: those of guests, and readable ones that the host holds.
    pub(super) ends: u32,
    /// The ends that the host has given to a producer or consumer.
    pub(super) host: Option<Box<HostSide>>,
}

/// The most elements of one copy.
const MAX_LENGTH: u32 = (1 << 28) - 1;

impl EndState {
    /// Takes the event. Returns its code and payload, and the stream that has no pending end from now on.
    pub(super) fn take_event(&mut self) -> Result<(u32, u32, Option<SharedKey>)> {
        let event = self.event.take();
        let event = event.ok_or_else(|| Error::bug("an end without the event that ended a wait"))?;
        let is_done = match event.result {
            CopyResult::Dropped => true,
            CopyResult::Completed => !self.is_stream,
            CopyResult::Cancelled => false,
        };
        self.state = if is_done { CopyState::Done } else { CopyState::Idle };
        let progress = self.buffer.take().map_or(0, |buffer| buffer.progress);
        let code = match (self.is_stream, self.end) {
            (true, End::Readable) => 2,
            (true, End::Writable) => 3,
            (false, End::Readable) => 4,
            (false, End::Writable) => 5,
        };
        let progress = if self.is_stream { progress << 4 } else { 0 };
        Ok((
            code,
            event.result as u32 | progress,
            event.pending.then_some(self.shared),
        ))
    }

    pub(super) fn shared(&self) -> SharedKey {
        self.shared
    }

    /// Returns the buffer of a copy in progress.
    pub(super) fn buffer(&self) -> Option<&Buffer> {
        self.buffer.as_ref()
    }

    pub(super) fn buffer_mut(&mut self) -> Option<&mut Buffer> {
        self.buffer.as_mut()
    }

    fn is_copying(&self) -> bool {
        matches!(self.state, CopyState::Copying | CopyState::Cancelling)
    }

    /// The trap for a use of an end after its last.
    fn done(&self) -> AsyncTrap {
        AsyncTrap::Transmit(match (self.is_stream, self.end) {
            (true, End::Readable) => {
                "cannot read from stream after being notified that the writable end dropped"
            }
            (true, End::Writable) => {
                "cannot write to stream after being notified that the readable end dropped"
            }
            (false, End::Readable) => "cannot read from future after previous read succeeded",
            (false, End::Writable) => {
                "cannot write to future after previous write succeeded or readable end dropped"
            }
        })
    }
}

impl EndState {
    fn new(is_stream: bool, end: End, shared: SharedKey, ty: u32) -> EndState {
        EndState {
            is_stream,
            end,
            shared,
            ty,
            state: CopyState::Idle,
            buffer: None,
            event: None,
        }
    }
}

impl Waitable {
    fn of_end(place: Place, state: EndState) -> Waitable {
        Waitable {
            place,
            handle: 0,
            set: None,
            waiter: None,
            kind: Kind::End(state),
        }
    }
}

/// The place of ends that the host holds. No instance has this identity.
const HOST: Place = (0, 0);

impl Tasks {
    fn new_shared(&mut self, ends: u32) -> SharedKey {
        self.shared.insert(Shared {
            dropped: false,
            pending: None,
            ends,
            host: None,
        })
    }

    /// Creates a stream or future of the host's; returns it and its readable end, which has a type once it has a handle.
    pub(super) fn new_readable(&mut self, is_stream: bool) -> (SharedKey, WaitableKey) {
        let shared = self.new_shared(1);
        let state = EndState::new(is_stream, End::Readable, shared, u32::MAX);
        (shared, self.waitables.insert(Waitable::of_end(HOST, state)))
    }

    /// Removes an end. Its other end learns of it.
    pub(super) fn drop_end(&mut self, key: WaitableKey) -> Result<Option<Gone>> {
        let key_of_shared = self.end(key)?.shared;
        self.remove_waitable(key)?;
        let shared = self.shared(key_of_shared)?;
        shared.dropped = true;
        shared.ends = shared.ends.saturating_sub(1);
        // It may be the end itself, of an instance that was stopped.
        let pending = shared.pending.take().filter(|pending| *pending != key);
        let ends = shared.ends;
        if let Some(pending) = pending {
            self.notify(pending, CopyResult::Dropped, false)?;
        }
        // The consumer has nothing more to read, or the producer no reader.
        let gone = self.end_host_side(key_of_shared);
        if ends == 0 && gone.is_none() {
            self.shared.remove(key_of_shared);
        }
        Ok(gone)
    }

    pub(super) fn end(&mut self, key: WaitableKey) -> Result<&mut EndState> {
        match self.waitables.get_mut(key) {
            Some(Waitable {
                kind: Kind::End(end), ..
            }) => Ok(end),
            _ => Err(gone("end of a stream or future")),
        }
    }

    pub(super) fn shared(&mut self, key: SharedKey) -> Result<&mut Shared> {
        self.shared.get_mut(key).ok_or_else(|| gone("stream or future"))
    }

    /// Returns a stream or future, if it exists.
    pub(super) fn shared_of(&mut self, key: SharedKey) -> Option<&mut Shared> {
        self.shared.get_mut(key)
    }

    /// Returns whether an end is a readable one.
    pub(super) fn is_readable(&mut self, key: WaitableKey) -> bool {
        self.end(key).is_ok_and(|end| end.end == End::Readable)
    }

    /// Returns the number of elements that the copy of an end has moved.
    pub(super) fn progress(&mut self, key: WaitableKey) -> Result<u32> {
        Ok(self.end(key)?.buffer.as_ref().map_or(0, |buffer| buffer.progress))
    }

    pub(super) fn notify(&mut self, key: WaitableKey, result: CopyResult, pending: bool) -> Result<()> {
        self.end(key)?.event = Some(CopyEvent { result, pending });
        self.has_event_now(key);
        Ok(())
    }

    pub(super) fn remain(&mut self, key: WaitableKey) -> Result<u32> {
        Ok(self.end(key)?.buffer.as_ref().map_or(0, Buffer::remain))
    }
}

fn wrong_type(index: u32) -> Error {
    ResourceError::WrongType(index).into()
}

/// A table of streams or futures.
pub(super) fn table(instance: &InstanceInner, transmit: Transmit) -> Result<&TransmitTable> {
    let concurrency = instance.ir().concurrency.as_deref();
    let table = concurrency.and_then(|concurrency| match transmit {
        Transmit::Stream(index) => concurrency.streams.get(index as usize),
        Transmit::Future(index) => concurrency.futures.get(index as usize),
    });
    table.ok_or_else(|| Error::bug("a stream or future type out of range"))
}

fn is_stream(transmit: Transmit) -> bool {
    matches!(transmit, Transmit::Stream(_))
}

/// An end that a built-in uses: its type and the handle's index.
#[derive(Clone, Copy)]
pub(super) struct Used {
    pub(super) component_instance: u32,
    pub(super) transmit: Transmit,
    pub(super) end: End,
    pub(super) index: u32,
}

impl InstanceInner {
    /// `stream.new` and `future.new`. Returns the readable end's index, and the writable end's in the upper half.
    pub(super) fn transmit_new(
        &self,
        core: &StoreCore,
        component_instance: u32,
        transmit: Transmit,
    ) -> Result<u64> {
        let ty = table(self, transmit)?.ty;
        let shared = core.tasks().new_shared(2);
        let mut packed = 0;
        for (end, shift) in [(End::Readable, 0), (End::Writable, 32)] {
            let state = EndState::new(is_stream(transmit), end, shared, ty);
            let place = (self.id, component_instance);
            let key = core.tasks().waitables.insert(Waitable::of_end(place, state));
            packed |= u64::from(self.add_waitable(core, component_instance, key)?) << shift;
        }
        Ok(packed)
    }

    /// Adds a handle of a waitable to a component instance.
    pub(super) fn add_waitable(
        &self,
        core: &StoreCore,
        component_instance: u32,
        key: WaitableKey,
    ) -> Result<u32> {
        let handle = self.handles(component_instance, |table| table.insert(Handle::Waitable(key)))?;
        let mut tasks = core.tasks();
        let waitable = tasks.waitable(key)?;
        waitable.place = (self.id, component_instance);
        waitable.handle = handle;
        Ok(handle)
    }

    /// Returns the end that a handle refers to, which must be of this type.
    fn end(&self, core: &StoreCore, used: Used) -> Result<WaitableKey> {
        let key = self.waitable(used.component_instance, used.index)?;
        let ty = table(self, used.transmit)?.ty;
        let mut tasks = core.tasks();
        match tasks.end(key) {
            Ok(end) if end.end == used.end && end.is_stream == is_stream(used.transmit) && end.ty == ty => {
                Ok(key)
            }
            _ => Err(wrong_type(used.index)),
        }
    }

    /// `{stream,future}.{read,write}`, of `length` elements at `at`.
    pub(super) fn transmit_copy(
        self: &Arc<Self>,
        store: &mut StoreMut<'_>,
        core: &Arc<StoreCore>,
        used: Used,
        options: Options,
        at: u32,
        length: u32,
    ) -> Result<u32> {
        let key = self.end(core, used)?;
        {
            let mut tasks = core.tasks();
            let end = tasks.end(key)?;
            match end.state {
                CopyState::Idle => {}
                CopyState::Done => return Err(end.done().into()),
                CopyState::Copying | CopyState::Cancelling => {
                    return Err(AsyncTrap::Transmit(
                        "cannot have concurrent operations active on a future/stream",
                    )
                    .into());
                }
            }
            if tasks.waitable(key)?.set.is_some() && !options.is_async {
                return Err(AsyncTrap::InSet.into());
            }
        }
        if length > MAX_LENGTH {
            return Err(AsyncTrap::Transmit("the length of a stream's buffer is 2^28 or more").into());
        }
        let buffer = Buffer::new(store, self, used, options, at, length)?;
        {
            let mut tasks = core.tasks();
            let end = tasks.end(key)?;
            end.state = CopyState::Copying;
            end.buffer = Some(buffer);
        }
        begin_copy(store, core, key)?;
        if core.tasks().end(key)?.event.is_none() {
            if options.is_async {
                return Ok(BLOCKED);
            }
            block(store, core, Wait::Event(key), false)?;
        }
        let (_, _, payload) = core.take_event(key)?;
        Ok(payload)
    }

    /// `{stream,future}.cancel-{read,write}`.
    pub(super) fn transmit_cancel(
        &self,
        store: &mut StoreMut<'_>,
        core: &Arc<StoreCore>,
        used: Used,
        is_async: bool,
    ) -> Result<u32> {
        let key = self.end(core, used)?;
        let host = {
            let mut tasks = core.tasks();
            let waited_for = tasks.waitable(key)?.waiter.is_some();
            let in_set = tasks.waitable(key)?.set.is_some();
            let end = tasks.end(key)?;
            if end.state != CopyState::Copying || waited_for {
                return Err(AsyncTrap::Transmit(
                    "stream or future write or read cancelled without one in progress",
                )
                .into());
            }
            if in_set && !is_async {
                return Err(AsyncTrap::InSet.into());
            }
            end.state = CopyState::Cancelling;
            // A copy that may still go on is cancelled, with what it has copied.
            let is_over = end.event.is_some_and(|event| !event.pending);
            let shared = end.shared;
            let shared = tasks.shared(shared)?;
            match &mut shared.host {
                _ if is_over => None,
                Some(side) => {
                    side.finishing = true;
                    Some(side.activity)
                }
                None => {
                    if let Some(pending) = shared.pending.take() {
                        tasks.notify(pending, CopyResult::Cancelled, false)?;
                    }
                    None
                }
            }
        };
        if let Some(activity) = host {
            poll(store, core, activity).map_err(|failure| failure.error)?;
        }
        let has_event = core.tasks().end(key)?.event.is_some();
        if !has_event {
            if is_async {
                return Ok(BLOCKED);
            }
            block(store, core, Wait::Event(key), false)?;
        }
        let (_, _, payload) = core.take_event(key)?;
        Ok(payload)
    }

    /// `{stream,future}.drop-{readable,writable}`.
    pub(super) fn transmit_drop(&self, core: &StoreCore, used: Used) -> Result<()> {
        let key = self.end(core, used)?;
        let mut tasks = core.tasks();
        let end = tasks.end(key)?;
        if end.is_copying() {
            let busy = match (end.is_stream, end.end) {
                (true, End::Readable) => "cannot remove busy stream",
                (true, End::Writable) => "cannot drop busy stream",
                (false, End::Readable) => "cannot remove busy future",
                (false, End::Writable) => "cannot drop busy future",
            };
            return Err(AsyncTrap::Transmit(busy).into());
        }
        if !end.is_stream && end.end == End::Writable && end.state != CopyState::Done {
            let text = "cannot drop future write end without first writing a value";
            return Err(AsyncTrap::Transmit(text).into());
        }
        let gone = tasks.drop_end(key)?;
        drop(tasks);
        drop(gone);
        self.handles(used.component_instance, |table| table.remove_any(used.index))?;
        Ok(())
    }

    /// Moves the readable end from one component instance to another; returns its new index.
    pub(super) fn transmit_transfer(
        &self,
        core: &StoreCore,
        index: u32,
        from: Transmit,
        to: Transmit,
    ) -> Result<u32> {
        let key = self.take_readable(core, from, index)?;
        self.give_readable(core, to, key)
    }

    /// Removes the handle of a readable end (`lift_async_value`).
    pub(super) fn take_readable(&self, core: &StoreCore, from: Transmit, index: u32) -> Result<WaitableKey> {
        let source = table(self, from)?.instance;
        let key = self.end(
            core,
            Used {
                component_instance: source,
                transmit: from,
                end: End::Readable,
                index,
            },
        )?;
        {
            let mut tasks = core.tasks();
            let in_set = tasks.waitable(key)?.set.is_some();
            let end = tasks.end(key)?;
            let text = match (end.is_stream, end.state) {
                (_, CopyState::Idle) if !in_set => None,
                (true, CopyState::Idle) => Some("cannot lift stream while it's in a waitable set"),
                (false, CopyState::Idle) => Some("cannot lift future while it's in a waitable set"),
                (true, CopyState::Done) => {
                    Some("cannot lift stream after being notified that the writable end dropped")
                }
                (false, CopyState::Done) => Some("cannot lift future after previous read succeeded"),
                (true, _) => Some("cannot remove busy stream"),
                (false, _) => Some("cannot remove busy future"),
            };
            if let Some(text) = text {
                return Err(AsyncTrap::Transmit(text).into());
            }
        }
        self.handles(source, |table| table.remove_any(index))?;
        let mut tasks = core.tasks();
        let waitable = tasks.waitable(key)?;
        (waitable.place, waitable.handle) = (HOST, 0);
        Ok(key)
    }

    /// Adds a handle of a readable end that no instance has (`lower_async_value`); returns its index.
    pub(super) fn give_readable(&self, core: &StoreCore, to: Transmit, key: WaitableKey) -> Result<u32> {
        let &TransmitTable { instance, ty, .. } = table(self, to)?;
        // Each instance numbers the types of its own view.
        core.tasks().end(key)?.ty = ty;
        self.add_waitable(core, instance, key)
    }
}
