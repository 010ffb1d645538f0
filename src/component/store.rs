//! A store: the host's data and everything that is instantiated beside it.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmer::{AsStoreMut, AsStoreRef, FunctionEnv};

use super::component::Component;
use super::handles::Room;
use super::instance::{Instance, InstanceInner};
use super::scope::Scope;
use crate::engine::{self, Engine, Kept, NextModule, Restart, SendStore, StoreLimits};
use crate::error::{Error, Result};

/// Holds instances and the host's data `T` that host functions see.
///
/// Memory, tables and code of an instance are freed when its store is dropped.
pub struct Store<T: Send + 'static> {
    // Dropped first: `core` keeps the code that it runs.
    inner: SendStore,
    env: Env<T>,
    core: Arc<StoreCore>,
}

/// How functions of a store find the host's data.
pub(crate) type Env<T> = FunctionEnv<Held<T>>;

/// The host's data; nothing while the store waits in a pool, where nobody can ask for it.
#[derive(Debug)]
pub(crate) struct Held<T>(Option<T>);

impl<T> Held<T> {
    #[inline(always)]
    fn get(&self) -> &T {
        match &self.0 {
            Some(data) => data,
            None => absent(),
        }
    }

    #[inline(always)]
    fn get_mut(&mut self) -> &mut T {
        match &mut self.0 {
            Some(data) => data,
            None => absent(),
        }
    }
}

#[cold]
fn absent() -> ! {
    unreachable!("a store that waits in a pool is in use")
}

impl<T: Send + 'static> Store<T> {
    /// A store with the default [`StoreLimits`].
    pub fn new(engine: &Engine, data: T) -> Store<T> {
        Store::with_limits(engine, data, StoreLimits::default())
    }

    /// A store under `limits`.
    pub fn with_limits(_engine: &Engine, data: T, limits: StoreLimits) -> Store<T> {
        let (mut inner, next) = engine::new_store(&limits);
        let env = FunctionEnv::new(&mut inner, Held(Some(data)));
        Store {
            env,
            core: Arc::new(StoreCore::new(limits, next, &inner)),
            inner,
        }
    }

    /// Stops the guest that runs in this store, from another thread.
    #[cfg(all(unix, feature = "interrupt"))]
    pub fn interrupt_handle(&self) -> engine::InterruptHandle {
        self.core.is_reached_from_outside();
        self.interrupter()
    }

    /// As [`Store::interrupt_handle`], for one that does not outlive the use of this store.
    #[cfg(all(unix, feature = "interrupt"))]
    pub(crate) fn interrupter(&self) -> engine::InterruptHandle {
        engine::InterruptHandle::new(&self.inner)
    }

    /// The host's data.
    pub fn data(&self) -> &T {
        self.env.as_ref(&self.inner).get()
    }

    /// The host's data, for changing it.
    pub fn data_mut(&mut self) -> &mut T {
        self.env.as_mut(&mut self.inner).get_mut()
    }

    /// Has the memories remembered that instances get from now on, for [`Store::restart`].
    pub(super) fn remember_memories(&self) {
        self.core.next.remember();
    }

    /// What it takes to have the store's only instance begin again, which has just been made. `None` if it cannot.
    ///
    /// # Errors
    /// [`Error::Instantiate`]; then it is not to be used.
    pub(super) fn restart(&mut self, instance: &Instance, kept: &Kept) -> Result<Option<Restart>> {
        let restart = Restart::of(&mut self.inner, &self.core.next, kept, instance.core_instances());
        restart.map_err(|error| Error::Instantiate(format!("its memory cannot be kept: {error}")))
    }

    /// Takes the host's data out; until there is other data, the store is not to be used.
    pub(super) fn take(&mut self) -> Option<T> {
        self.env.as_mut(&mut self.inner).0.take()
    }

    /// Puts the host's data in.
    pub(super) fn put(&mut self, data: T) {
        self.env.as_mut(&mut self.inner).0 = Some(data);
    }

    /// Whether nobody outside can reach into the store: the host holds no resource of a guest's, nobody can interrupt
    /// what runs in it later, and no function in it keeps anything beside the host's data.
    pub(super) fn is_at_rest(&self) -> bool {
        let state = self.core.state();
        !self.core.reached.load(Ordering::Relaxed)
            && state.host_handles.is_empty()
            && state.scopes.is_empty()
            && state.components.len() == 1
    }

    /// Puts memories and globals back.
    pub(super) fn begin_again(&mut self, restart: &Restart) -> std::result::Result<(), String> {
        restart.run(&mut self.inner)
    }
}

impl<T: Send + 'static> fmt::Debug for Store<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("id", &self.core.id)
            .finish_non_exhaustive()
    }
}

/// A store, borrowed: what host functions get, and what calls take.
pub struct StoreContextMut<'a, T: Send + 'static> {
    pub(crate) store: wasmer::StoreMut<'a>,
    pub(crate) env: &'a Env<T>,
    pub(crate) core: &'a Arc<StoreCore>,
}

impl<T: Send + 'static> StoreContextMut<'_, T> {
    /// The host's data.
    pub fn data(&self) -> &T {
        self.env.as_ref(&self.store).get()
    }

    /// The host's data, for changing it.
    pub fn data_mut(&mut self) -> &mut T {
        self.env.as_mut(&mut self.store).get_mut()
    }
}

impl<T: Send + 'static> fmt::Debug for StoreContextMut<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreContextMut")
            .field("id", &self.core.id)
            .finish_non_exhaustive()
    }
}

/// Anything that a store can be borrowed from.
pub trait AsContextMut {
    /// The host's data in that store.
    type Data: Send + 'static;

    /// Borrows the store.
    fn as_context_mut(&mut self) -> StoreContextMut<'_, Self::Data>;
}

impl<T: Send + 'static> AsContextMut for Store<T> {
    type Data = T;

    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut {
            store: self.inner.as_store_mut(),
            env: &self.env,
            core: &self.core,
        }
    }
}

impl<T: Send + 'static> AsContextMut for StoreContextMut<'_, T> {
    type Data = T;

    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut {
            store: self.store.as_store_mut(),
            env: self.env,
            core: self.core,
        }
    }
}

impl<C: AsContextMut> AsContextMut for &mut C {
    type Data = C::Data;

    fn as_context_mut(&mut self) -> StoreContextMut<'_, C::Data> {
        C::as_context_mut(self)
    }
}

impl<T: Send + 'static> AsStoreRef for StoreContextMut<'_, T> {
    fn as_store_ref(&self) -> wasmer::StoreRef<'_> {
        self.store.as_store_ref()
    }
}

/// The part of a store that does not depend on the host's data.
#[derive(Debug)]
pub(crate) struct StoreCore {
    pub(crate) id: u64,
    pub(crate) limits: StoreLimits,
    /// Tells the engine which prepared memories the next core instance gets.
    pub(super) next: NextModule,
    /// Where the code of its core instances is.
    #[cfg(all(unix, feature = "interrupt"))]
    pub(super) code: engine::GuestCode,
    /// For the handles of all its instances, and loans of them.
    pub(super) handles: Arc<Room>,
    /// How many calls in flight have a scope.
    pub(super) depth: AtomicUsize,
    /// Somebody may interrupt what runs in this store for as long as they like, or functions in it keep something.
    reached: AtomicBool,
    /// A library's functions that nothing of this host's stands before are imported here.
    #[cfg(feature = "wasix")]
    unguarded: AtomicBool,
    state: Mutex<StoreState>,
}

impl StoreCore {
    #[cfg_attr(
        not(all(unix, feature = "interrupt")),
        allow(unused_variables, reason = "nothing is interrupted")
    )]
    fn new(limits: StoreLimits, next: NextModule, store: &SendStore) -> StoreCore {
        StoreCore {
            id: unique(),
            handles: Arc::new(Room::new(limits.handles)),
            limits,
            next,
            #[cfg(all(unix, feature = "interrupt"))]
            code: store.code().clone(),
            depth: AtomicUsize::new(0),
            reached: AtomicBool::new(false),
            #[cfg(feature = "wasix")]
            unguarded: AtomicBool::new(false),
            state: Mutex::new(StoreState::default()),
        }
    }

    /// Says that the store is not to be used for another purpose later.
    #[cfg(any(feature = "wasi", all(unix, feature = "interrupt")))]
    pub(super) fn is_reached_from_outside(&self) {
        self.reached.store(true, Ordering::Relaxed);
    }

    /// Says that the panics of what a guest imports have to be contained where the guest is called.
    #[cfg(feature = "wasix")]
    pub(crate) fn imports_unguarded(&self) {
        self.unguarded.store(true, Ordering::Relaxed);
    }

    #[cfg(feature = "wasix")]
    #[inline]
    pub(super) fn is_unguarded(&self) -> bool {
        self.unguarded.load(Ordering::Relaxed)
    }

    /// The store's state. Held for single steps only, never while guest or host functions run.
    pub(crate) fn state(&self) -> MutexGuard<'_, StoreState> {
        // A panic while it was held left at worst a step undone; the data stays consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
pub(crate) struct StoreState {
    /// The components of the store's instances, whose machine code has to outlive those.
    pub(crate) components: Vec<Component>,
    /// The core modules that they import, likewise.
    pub(crate) modules: Vec<super::module::Module>,
    /// Guest-defined resources that the host holds, by an identity that is never used again.
    pub(crate) host_handles: HashMap<u64, HostHandle>,
    /// The calls in flight that may lend something, outermost first.
    pub(crate) scopes: Vec<Scope>,
    /// Functions that have been made for the next core instance, and wait for its memory.
    #[cfg(feature = "wasix")]
    pub(crate) waiting: Option<Waiting>,
    /// The place for the next core instance's memory, if functions that work on it have been made.
    #[cfg(feature = "wasi")]
    pub(crate) memory_place: Option<super::core_import::MemoryPlace>,
}

/// Checks that a module can have functions that work on its memory, which they find once it is instantiated.
#[cfg(feature = "wasi")]
pub(super) fn check_memory(module: &wasmer::Module) -> Result<()> {
    let has_memory = module.exports().memories().next().is_some();
    match module.info().start_function {
        None if has_memory => Ok(()),
        None => Err(Error::Instantiate(
            "a core module imports functions that work on its memory, and exports none".into(),
        )),
        Some(_) => Err(Error::Instantiate(
            "a core module has a start function, which would call what needs the memory before that is there"
                .into(),
        )),
    }
}

/// What core functions that work on a core instance's memory are told once that is there.
#[cfg(feature = "wasix")]
pub(crate) struct Waiting(Box<Told>);

#[cfg(feature = "wasix")]
type Told = dyn FnOnce(&mut wasmer::StoreMut<'_>, &wasmer::Instance) -> Result<()> + Send;

#[cfg(feature = "wasix")]
impl Waiting {
    pub(crate) fn new(
        told: impl FnOnce(&mut wasmer::StoreMut<'_>, &wasmer::Instance) -> Result<()> + Send + 'static,
    ) -> Waiting {
        Waiting(Box::new(told))
    }

    pub(super) fn tell(self, store: &mut wasmer::StoreMut<'_>, instance: &wasmer::Instance) -> Result<()> {
        (self.0)(store, instance)
    }
}

#[cfg(feature = "wasix")]
impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waiting")
    }
}

/// A guest-defined resource in the host's hands.
#[derive(Debug)]
pub(crate) struct HostHandle {
    pub(crate) instance: Arc<InstanceInner>,
    pub(crate) resource: u32,
    pub(crate) rep: u32,
    pub(crate) own: bool,
    pub(crate) lends: u32,
}

/// A number that no other call in this process gets.
pub(crate) fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
