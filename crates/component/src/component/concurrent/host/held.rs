//! Readable ends of streams and futures that the host holds until it passes them on, and those that it has dropped.

use std::any::TypeId;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use airssys_wasm_abi::Type;

use super::activity::Wakes;
use super::ends::{Consume, Produce};
use crate::component::call::typed::{ComponentType, TypeCheck, TypeContext};
use crate::component::concurrent::state::WaitableKey;
use crate::component::concurrent::transmit::table;
use crate::component::instance::InstanceInner;
use crate::component::ir::Transmit;
use crate::component::link::type_equality::Same;
use crate::component::resource::handles::Room;
use crate::component::store::StoreCore;
use crate::error::{Error, ResourceError, Result};

/// The readable ends that the host has dropped, and that are to be closed.
#[derive(Default)]
pub(in crate::component) struct Closing {
    keys: Mutex<Vec<WaitableKey>>,
    /// False if there are no keys, as far as this thread knows.
    has_some: AtomicBool,
    wakes: Arc<Wakes>,
    /// True once the store is dropped.
    ended: AtomicBool,
    /// Number of instances and streams that are being stopped, one within another.
    aborts: AtomicUsize,
}

/// Tells a consumer, when it is dropped, why its writer is gone.
#[derive(Clone, Debug)]
pub struct Aborts(Arc<Closing>);

impl Aborts {
    pub(in crate::component) fn of(closing: &Arc<Closing>) -> Aborts {
        Aborts(Arc::clone(closing))
    }

    /// Returns whether an instance is being stopped after a trap, or with its store, or a stream after the failure of one of its ends. A
    /// consumer that is dropped meanwhile has not got all: otherwise its writer has closed the stream.
    pub fn is_aborting(&self) -> bool {
        self.0.has_ended() || self.0.aborts.load(Ordering::Acquire) > 0 || std::thread::panicking()
    }
}

/// Marks that an instance or a stream is being stopped.
pub(in crate::component::concurrent) struct Aborting<'a>(&'a Closing);

impl Drop for Aborting<'_> {
    fn drop(&mut self) {
        self.0.aborts.fetch_sub(1, Ordering::AcqRel);
    }
}

impl fmt::Debug for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closing")
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

impl Closing {
    fn keys(&self) -> MutexGuard<'_, Vec<WaitableKey>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn extend(&self, added: impl IntoIterator<Item = WaitableKey>) {
        let mut keys = self.keys();
        keys.extend(added);
        self.has_some.store(!keys.is_empty(), Ordering::Release);
    }

    fn take(&self) -> Vec<WaitableKey> {
        let mut keys = self.keys();
        self.has_some.store(false, Ordering::Release);
        std::mem::take(&mut *keys)
    }

    /// Returns whether there is any.
    pub(super) fn has_some(&self) -> bool {
        self.has_some.load(Ordering::Acquire)
    }

    /// Records that the store is dropped: nothing runs in it any more.
    pub(in crate::component) fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }

    /// Marks that an instance or a stream is being stopped, until the value is dropped.
    pub(in crate::component::concurrent) fn aborting(&self) -> Aborting<'_> {
        self.aborts.fetch_add(1, Ordering::AcqRel);
        Aborting(self)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Returns the store's wake-ups.
    pub(in crate::component) fn wakes(&self) -> &Arc<Wakes> {
        &self.wakes
    }
}

/// A Rust type of elements.
#[derive(Clone, Copy)]
pub(super) struct RustType {
    id: TypeId,
    check: fn(Option<&Type>, &TypeContext<'_>) -> TypeCheck,
}

impl RustType {
    pub(super) fn of<T: ComponentType + 'static>() -> RustType {
        RustType {
            id: TypeId::of::<T>(),
            check: T::typecheck_payload,
        }
    }
}

/// The type of a stream's or future's elements.
enum Origin {
    /// As an instance declares it.
    Guest(Arc<InstanceInner>, Transmit),
    /// A Rust type.
    Host(RustType),
}

/// A readable end that the host holds. Dropping it closes the end.
pub(in crate::component) struct HostEnd {
    closing: Arc<Closing>,
    store: u64,
    is_stream: bool,
    origin: Origin,
    /// `None` once the end was given away.
    key: Mutex<Option<WaitableKey>>,
}

impl fmt::Debug for HostEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostEnd")
            .field("store", &self.store)
            .field("is_stream", &self.is_stream)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl Drop for HostEnd {
    fn drop(&mut self) {
        // Closed by the store's next turn: this can be within one of its steps.
        let key = self.key.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if key.is_some() {
            self.closing.extend(key);
            self.closing.wakes.wake_driver();
        }
    }
}

impl HostEnd {
    fn key(&self) -> MutexGuard<'_, Option<WaitableKey>> {
        self.key.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates a stream or future whose writable end a producer has.
    pub(super) fn new(
        core: &StoreCore,
        is_stream: bool,
        items: RustType,
        producer: Box<dyn Produce>,
    ) -> HostEnd {
        // A guest may have the host make and drop streams without a turn of the loop.
        core.close_dropped();
        let mut tasks = core.tasks();
        let (shared, key) = tasks.new_readable(is_stream);
        tasks.with_host_side(shared, |side| side.producer = Some(producer));
        HostEnd {
            closing: Arc::clone(&core.closing),
            store: core.id,
            is_stream,
            origin: Origin::Host(items),
            key: Mutex::new(Some(key)),
        }
    }

    /// Takes the end, to give it away.
    ///
    /// # Errors
    /// [`ResourceError::Stale`] if it was given away before; [`Error::WrongStore`].
    fn take(&self, core: &StoreCore) -> Result<WaitableKey> {
        if self.store != core.id {
            return Err(Error::WrongStore("the stream or future"));
        }
        self.key().take().ok_or(Error::Resource(ResourceError::Stale))
    }

    /// Has a consumer read it from now on.
    ///
    /// # Errors
    /// As [`HostEnd::take`]; [`ResourceError::TableFull`] if the other end is the host's too, and the store has no room for such a stream.
    pub(super) fn pipe(&self, core: &StoreCore, consumer: Box<dyn Consume>) -> Result<()> {
        let key = self.take(core)?;
        let mut tasks = core.tasks();
        let shared = tasks.end(key)?.shared();
        // A guest can have the host make such streams without end: no handle of it refers to them.
        let is_own = tasks
            .shared_of(shared)
            .is_some_and(|shared| shared.host.is_some());
        let room = match is_own.then(|| Room::take(&core.handles)).transpose() {
            Ok(room) => room,
            Err(limit) => {
                drop(tasks);
                core.close_end(key)?;
                return Err(ResourceError::TableFull(limit).into());
            }
        };
        tasks.remove_waitable(key)?;
        let mut left = Some(consumer);
        if let Some(state) = tasks.shared_of(shared) {
            state.ends = state.ends.saturating_sub(1);
            // Of a stream whose writable end is gone, nothing is left to read.
            match state.dropped && state.host.is_none() {
                true => {
                    tasks.shared.remove(shared);
                }
                false => tasks.with_host_side(shared, |side| {
                    side.consumer = left.take();
                    side.room = room;
                }),
            }
        }
        drop(tasks);
        core.wake_driver();
        drop(left);
        Ok(())
    }

    /// Closes it.
    ///
    /// # Errors
    /// As [`HostEnd::take`].
    pub(super) fn close(&self, core: &StoreCore) -> Result<()> {
        let key = self.take(core)?;
        core.close_end(key)
    }

    /// Checks that its elements are represented by a Rust type.
    pub(super) fn check(&self, items: RustType) -> std::result::Result<(), String> {
        match &self.origin {
            Origin::Guest(instance, transmit) => {
                let look_up = |ty: airssys_wasm_abi::ResourceType| instance.resource_type(ty);
                let table = table(instance, *transmit).map_err(|error| error.to_string())?;
                (items.check)(table.payload.as_ref(), &TypeContext { look_up: &look_up })
            }
            Origin::Host(own) if own.id == items.id => Ok(()),
            Origin::Host(_) => Err("it was made of another Rust type".into()),
        }
    }
}

impl InstanceInner {
    /// Moves the readable end of a handle to the host.
    ///
    /// # Errors
    /// A trap if the handle is of another kind or type, or the end in use.
    pub(in crate::component) fn lift_end(
        self: &Arc<Self>,
        core: &StoreCore,
        transmit: Transmit,
        index: u32,
    ) -> Result<HostEnd> {
        core.close_dropped();
        let key = self.take_readable(core, transmit, index)?;
        Ok(HostEnd {
            closing: Arc::clone(&core.closing),
            store: core.id,
            is_stream: matches!(transmit, Transmit::Stream(_)),
            origin: Origin::Guest(Arc::clone(self), transmit),
            key: Mutex::new(Some(key)),
        })
    }

    /// Moves a readable end of the host's to a component instance; returns the handle's index.
    ///
    /// # Errors
    /// [`ResourceError::HostType`] if its elements are of another type; [`ResourceError::Stale`] if it was given away before, or is of
    /// another store.
    pub(in crate::component) fn lower_end(
        &self,
        core: &StoreCore,
        transmit: Transmit,
        end: &HostEnd,
    ) -> Result<u32> {
        let wanted = table(self, transmit)?;
        let look_up = |ty: airssys_wasm_abi::ResourceType| self.resource_type(ty);
        let types = TypeContext { look_up: &look_up };
        let fits = match &end.origin {
            Origin::Guest(from, theirs) => {
                let look_up = |ty: airssys_wasm_abi::ResourceType| from.resource_type(ty);
                let theirs = table(from, *theirs)?;
                Same::new(&types, &TypeContext { look_up: &look_up })
                    .optional(wanted.payload.as_ref(), theirs.payload.as_ref())
            }
            Origin::Host(items) => (items.check)(wanted.payload.as_ref(), &types).is_ok(),
        };
        if !fits || end.is_stream != matches!(transmit, Transmit::Stream(_)) {
            return Err(Error::Resource(ResourceError::HostType));
        }
        // One of another store is none of this one's.
        let key = end
            .take(core)
            .map_err(|_| Error::Resource(ResourceError::Stale))?;
        let given = self.give_readable(core, transmit, key);
        if given.is_err() {
            // There was no room for its handle.
            core.closing.extend([key]);
        }
        given
    }
}

impl StoreCore {
    /// Closes a readable end of the host's.
    fn close_end(&self, key: WaitableKey) -> Result<()> {
        let gone = {
            let mut tasks = self.tasks();
            match tasks.end(key).is_ok() {
                true => tasks.drop_end(key)?,
                false => None,
            }
        };
        drop(gone);
        Ok(())
    }

    /// Closes the readable ends that the host has dropped.
    pub(in crate::component) fn close_dropped(&self) {
        loop {
            if !self.closing.has_some() {
                return;
            }
            for key in self.closing.take() {
                // One that is gone, with its store's instance.
                let _ = self.close_end(key);
            }
        }
    }

    pub(super) fn wake_driver(&self) {
        self.closing.wakes.wake_driver();
    }
}
