//! Stores: the host's data and the instances beside it.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use slab::Slab;
use wasmer::{AsStoreMut, AsStoreRef, FunctionEnv};

use crate::component::call::scope::Scope;
use crate::component::component::Component;
use crate::component::concurrent::abort_all;
use crate::component::concurrent::host::Closing;
use crate::component::concurrent::state::Tasks;
use crate::component::instance::memory_hook::InstanceHook;
use crate::component::instance::{Instance, InstanceInner};
use crate::component::resource::handles::HandleBudget;
use crate::engine::{
    self, CoreModule, Engine, Fuel, GuestGlobal, KeptMemories, NextModule, Reset, SendStore, Stacks,
    StoreLimits,
};
use crate::error::{Error, LimitExceeded, Result};

/// Holds instances and the host's data `T`, which host functions can access.
///
/// Memory, tables and code of an instance are freed when its store is dropped.
pub struct Store<T: Send + 'static> {
    // Dropped first: `core` keeps the code that `inner` runs.
    inner: SendStore,
    env: Env<T>,
    core: Arc<StoreCore>,
}

/// Gives functions of a store access to the host's data.
pub(crate) type Env<T> = FunctionEnv<Held<T>>;

/// The host's data; `None` while the store is idle in a pool, where nothing can access it.
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
    /// Creates a store with the default [`StoreLimits`].
    pub fn new(engine: &Engine, data: T) -> Store<T> {
        Store::with_limits(engine, data, StoreLimits::default())
    }

    /// Creates a store with the limits `limits`.
    pub fn with_limits(engine: &Engine, data: T, limits: StoreLimits) -> Store<T> {
        let (mut inner, next) = engine::new_store(&limits);
        let engine = engine.alone();
        let env = FunctionEnv::new(&mut inner, Held(Some(data)));
        Store {
            env,
            core: Arc::new(StoreCore::new(engine, limits, next, &inner)),
            inner,
        }
    }

    /// Lowers [`StoreLimits::total_memory_bytes`] for all growth from now on; a higher number changes nothing.
    ///
    /// # Errors
    /// [`LimitExceeded`] if the store's memories have more bytes; then nothing is changed.
    pub fn lower_memory_limit(&mut self, bytes: u64) -> std::result::Result<(), LimitExceeded> {
        // In a pool, it would be the limit of the next user.
        self.core.is_reached_from_outside();
        self.inner.lower_memory_limit(bytes)
    }

    /// Sets the fuel that the store's guests have left: all of them share it. An instance that is returned to its
    /// [`InstancePool`](crate::component::InstancePool) begins again with [`StoreLimits::fuel`].
    ///
    /// When it is consumed, guests trap with [`TrapKind::OutOfFuel`](crate::error::TrapKind::OutOfFuel). At most `i64::MAX` units; more is reduced to
    /// that. [`Config::consume_fuel`](crate::engine::Config::consume_fuel) has the cost of operators.
    ///
    /// # Errors
    /// [`Error::FuelNotConsumed`] if the store has instances whose code does not consume fuel.
    pub fn set_fuel(&mut self, fuel: u64) -> Result<()> {
        match self.core.fuel.set(&mut self.inner, fuel) {
            true => Ok(()),
            false => Err(Error::FuelNotConsumed),
        }
    }

    /// Returns the fuel that is left; 0 once it is consumed.
    ///
    /// # Errors
    /// As [`Store::set_fuel`].
    pub fn get_fuel(&mut self) -> Result<u64> {
        match self.core.fuel.left(&mut self.inner) {
            Some(left) => Ok(left),
            None => Err(Error::FuelNotConsumed),
        }
    }

    /// Runs `calls`, which together may use `limit` of CPU time; none by default. Stops a guest that computes without
    /// end, without charging it for the time in which it waits, or in which the machine is busy with others.
    ///
    /// CPU time is that of this thread, host functions included. A guest is stopped a few milliseconds after its limit at the
    /// latest, or when the host function that it called returns. Linux only.
    ///
    /// # Errors
    /// [`TrapKind::CpuTime`](crate::error::TrapKind::CpuTime) with the limit and the time used; [`Error::CpuLimit`] where CPU time
    /// cannot be limited; those of `calls`.
    pub fn with_cpu_limit<R>(
        &mut self,
        limit: Duration,
        calls: impl FnOnce(&mut Store<T>) -> Result<R>,
    ) -> Result<R> {
        let armed = engine::timer::arm_cpu(limit, self.interrupter())?;
        calls(self).map_err(|error| armed.explain(error))
    }

    /// Returns a handle that stops the guest that runs in this store, from another thread.
    #[cfg(all(unix, feature = "interrupt"))]
    pub fn interrupt_handle(&self) -> engine::InterruptHandle {
        self.lasting_interrupter()
    }

    /// As [`Store::interrupt_handle`], also in a build that interrupts nothing.
    #[doc(hidden)]
    pub fn lasting_interrupter(&self) -> crate::internal::InterruptHandle {
        self.core.is_reached_from_outside();
        self.interrupter()
    }

    /// As [`Store::interrupt_handle`], for a handle that does not outlive the use of this store.
    #[doc(hidden)]
    pub fn interrupter(&self) -> crate::internal::InterruptHandle {
        self.core.interrupter.clone()
    }

    /// Returns the host's data.
    pub fn data(&self) -> &T {
        self.env.as_ref(&self.inner).get()
    }

    /// Returns the host's data, for changing it.
    pub fn data_mut(&mut self) -> &mut T {
        self.env.as_mut(&mut self.inner).get_mut()
    }

    /// Takes the host's data out, and ends the store with all of its instances.
    pub fn into_data(mut self) -> T {
        match self.take() {
            Some(data) => data,
            None => absent(),
        }
    }

    /// Returns the engine that the store was created with.
    pub fn engine(&self) -> &Engine {
        &self.core.engine
    }

    /// Returns the limits that the store was created with.
    pub fn limits(&self) -> &StoreLimits {
        &self.core.limits
    }

    /// Records the memories of instances that are created from now on, for [`Store::record_for_reset`].
    pub(super) fn remember_memories(&self) {
        self.core.next.remember();
    }

    /// Returns the state needed to reset the store's only instance, which is new. `None` if it cannot be reset.
    ///
    /// # Errors
    /// [`Error::Instantiate`]; then the instance must not be used.
    pub(super) fn record_for_reset(
        &mut self,
        instance: &Instance,
        kept: &KeptMemories,
    ) -> Result<Option<Reset>> {
        let reset = Reset::of(&mut self.inner, &self.core.next, kept, instance.core_instances());
        reset.map_err(|error| Error::Instantiate(format!("its memory cannot be pooled: {error}")))
    }

    /// Takes the host's data out; the store must not be used until it has data again.
    pub(super) fn take(&mut self) -> Option<T> {
        self.env.as_mut(&mut self.inner).0.take()
    }

    /// Sets the host's data.
    pub(super) fn put(&mut self, data: T) {
        self.env.as_mut(&mut self.inner).0 = Some(data);
    }

    /// Returns whether nothing outside can reach into the store: the host holds no resource of a guest's, nothing can
    /// interrupt a later call, no function in it keeps state beside the host's data, and no task has left anything behind.
    pub(super) fn is_at_rest(&self) -> bool {
        self.core.close_dropped();
        let state = self.core.state();
        !self.core.reached.load(Ordering::Relaxed)
            && state.host_handles.is_empty()
            && state.scopes.is_empty()
            && state.components.len() == 1
            && (self.core.concurrency.get().is_none() || self.core.tasks().is_at_rest())
    }

    /// Resets memories and globals.
    pub(super) fn reset_to(&mut self, reset: &Reset) -> std::result::Result<(), String> {
        self.core.fuel.begin_again();
        reset.run(&mut self.inner)
    }
}

impl<T: Send + 'static> Drop for Store<T> {
    fn drop(&mut self) {
        self.core.closing.end();
        if self.core.has_tasks() {
            abort_all(&mut self.inner.as_store_mut(), &self.core);
        }
    }
}

impl<T: Send + 'static> fmt::Debug for Store<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("id", &self.core.id)
            .finish_non_exhaustive()
    }
}

/// A store, borrowed for reading.
pub struct StoreContext<'a, T: Send + 'static> {
    store: wasmer::StoreRef<'a>,
    env: &'a Env<T>,
    pub(crate) core: &'a Arc<StoreCore>,
}

impl<T: Send + 'static> StoreContext<'_, T> {
    /// The host's data.
    pub fn data(&self) -> &T {
        self.env.as_ref(&self.store).get()
    }

    /// The engine that the store was created with.
    pub fn engine(&self) -> &Engine {
        &self.core.engine
    }
}

impl<T: Send + 'static> fmt::Debug for StoreContext<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreContext")
            .field("id", &self.core.id)
            .finish_non_exhaustive()
    }
}

/// A borrowed store: the argument of host functions and of calls.
pub struct StoreContextMut<'a, T: Send + 'static> {
    pub(crate) store: wasmer::StoreMut<'a>,
    pub(crate) env: &'a Env<T>,
    pub(crate) core: &'a Arc<StoreCore>,
}

impl<'a, T: Send + 'static> StoreContextMut<'a, T> {
    /// Returns wasmer's store.
    #[doc(hidden)]
    pub fn wasmer_mut(&mut self) -> &mut wasmer::StoreMut<'a> {
        &mut self.store
    }

    /// Marks that panics of a guest's imports must be contained where the guest is called.
    #[doc(hidden)]
    pub fn imports_unguarded(&self) {
        self.core.imports_unguarded();
    }

    /// Returns the means by which a consumer knows that its writer was stopped.
    #[doc(hidden)]
    pub fn aborts(&self) -> crate::component::Aborts {
        crate::component::Aborts::of(&self.core.closing)
    }

    /// Sets the callback that gets the next core instance once it exists, for functions that access its memory.
    #[doc(hidden)]
    pub fn wait_for_instance(&self, waiting: InstanceHook) {
        self.core.state().waiting = Some(waiting);
    }

    /// Returns the host's data.
    pub fn data(&self) -> &T {
        self.env.as_ref(&self.store).get()
    }

    /// Returns the host's data, for changing it.
    pub fn data_mut(&mut self) -> &mut T {
        self.env.as_mut(&mut self.store).get_mut()
    }

    /// The engine that the store was created with.
    pub fn engine(&self) -> &Engine {
        &self.core.engine
    }
}

impl<T: Send + 'static> fmt::Debug for StoreContextMut<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreContextMut")
            .field("id", &self.core.id)
            .finish_non_exhaustive()
    }
}

/// Anything that a store can be borrowed from for reading.
pub trait AsContext {
    /// The host's data in the store.
    type Data: Send + 'static;

    /// Borrows the store.
    fn as_context(&self) -> StoreContext<'_, Self::Data>;
}

/// Anything that a store can be borrowed from.
pub trait AsContextMut: AsContext {
    /// Borrows the store.
    fn as_context_mut(&mut self) -> StoreContextMut<'_, Self::Data>;
}

impl<T: Send + 'static> AsContext for Store<T> {
    type Data = T;

    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext {
            store: self.inner.as_store_ref(),
            env: &self.env,
            core: &self.core,
        }
    }
}

impl<T: Send + 'static> AsContext for StoreContext<'_, T> {
    type Data = T;

    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext {
            store: self.store.as_store_ref(),
            env: self.env,
            core: self.core,
        }
    }
}

impl<T: Send + 'static> AsContext for StoreContextMut<'_, T> {
    type Data = T;

    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext {
            store: self.store.as_store_ref(),
            env: self.env,
            core: self.core,
        }
    }
}

impl<C: AsContext> AsContext for &C {
    type Data = C::Data;

    fn as_context(&self) -> StoreContext<'_, C::Data> {
        C::as_context(self)
    }
}

impl<C: AsContext> AsContext for &mut C {
    type Data = C::Data;

    fn as_context(&self) -> StoreContext<'_, C::Data> {
        C::as_context(self)
    }
}

impl<T: Send + 'static> AsContextMut for Store<T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut {
            store: self.inner.as_store_mut(),
            env: &self.env,
            core: &self.core,
        }
    }
}

impl<T: Send + 'static> AsContextMut for StoreContextMut<'_, T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut {
            store: self.store.as_store_mut(),
            env: self.env,
            core: self.core,
        }
    }
}

impl<C: AsContextMut> AsContextMut for &mut C {
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
    /// Without its callback, which may hold anything.
    engine: Engine,
    pub(crate) limits: StoreLimits,
    /// Selects the prepared memories of the next core instance.
    pub(super) next: NextModule,
    /// Stops its guests; has the addresses of their code.
    pub(super) interrupter: crate::internal::InterruptHandle,
    /// Room for the handles of all its instances, and for loans of them.
    pub(super) handles: Arc<HandleBudget>,
    /// Fuel of metered code.
    pub(crate) fuel: Fuel,
    /// Number of calls in flight that have a scope.
    pub(super) depth: AtomicUsize,
    /// True if later calls in this store can be interrupted from outside, or if functions in it keep state.
    reached: AtomicBool,
    /// True if functions of a library are imported directly, without this host's guard against panics.
    unguarded: AtomicBool,
    state: Mutex<StoreState>,
    /// The globals of thread-local storage, for components that use it.
    context: OnceLock<[GuestGlobal; 2]>,
    /// Made when a component uses concurrency.
    concurrency: OnceLock<Box<(Stacks, Mutex<Tasks>)>>,
    /// Ends of streams and futures that the host has dropped.
    pub(super) closing: Arc<Closing>,
}

impl StoreCore {
    fn new(engine: Engine, limits: StoreLimits, next: NextModule, store: &SendStore) -> StoreCore {
        StoreCore {
            id: unique(),
            engine,
            handles: Arc::new(HandleBudget::new(limits.handles)),
            fuel: Fuel::new(limits.fuel),
            limits,
            next,
            interrupter: store.interrupter().clone(),
            depth: AtomicUsize::new(0),
            reached: AtomicBool::new(false),
            unguarded: AtomicBool::new(false),
            state: Mutex::new(StoreState::default()),
            context: OnceLock::new(),
            concurrency: OnceLock::new(),
            closing: Arc::default(),
        }
    }

    fn concurrency(&self) -> &(Stacks, Mutex<Tasks>) {
        self.concurrency.get_or_init(|| {
            let stacks = Stacks::new(&self.interrupter);
            let tasks = Tasks::new(stacks.clone(), Arc::clone(self.closing.wakes()));
            Box::new((stacks, Mutex::new(tasks)))
        })
    }

    /// Returns the store's concurrency. Locked for single steps only.
    #[inline]
    pub(super) fn tasks(&self) -> MutexGuard<'_, Tasks> {
        // A panic while it was held at worst left a step undone; the data stays consistent.
        self.concurrency()
            .1
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the stacks of the store's tasks.
    pub(super) fn stacks(&self) -> &Stacks {
        &self.concurrency().0
    }

    /// Returns whether any task is left.
    pub(super) fn has_tasks(&self) -> bool {
        self.concurrency.get().is_some() && self.tasks().has_any()
    }

    /// Returns the globals of thread-local storage, if a component uses them.
    pub(super) fn context_globals(&self) -> Option<&[GuestGlobal; 2]> {
        self.context.get()
    }

    /// As [`StoreCore::context_globals`], which exist from now on.
    pub(super) fn new_context_globals(&self, store: &mut impl AsStoreMut) -> Result<&[GuestGlobal; 2]> {
        if let Some(globals) = self.context.get() {
            return Ok(globals);
        }
        let globals = [GuestGlobal::new(store)?, GuestGlobal::new(store)?];
        Ok(self.context.get_or_init(|| globals))
    }

    /// Marks that the store must not be reused for another purpose.
    pub(super) fn is_reached_from_outside(&self) {
        self.reached.store(true, Ordering::Relaxed);
    }

    /// Marks that panics of a guest's imports must be contained where the guest is called.
    pub(crate) fn imports_unguarded(&self) {
        self.unguarded.store(true, Ordering::Relaxed);
    }

    /// Lets the engine learn of the frames of all code in the store, for calls whose errors it makes itself.
    pub(super) fn register_frames(&self) {
        let (components, modules) = {
            let state = self.state();
            (state.components.clone(), state.modules.clone())
        };
        components
            .iter()
            .flat_map(|component| component.modules())
            .for_each(CoreModule::register_frames);
        modules
            .iter()
            .for_each(crate::component::load::module::Module::register_frames);
    }

    #[inline]
    pub(super) fn is_unguarded(&self) -> bool {
        self.unguarded.load(Ordering::Relaxed)
    }

    /// Returns the store's state. Locked for single steps only, never while guest or host functions run.
    pub(crate) fn state(&self) -> MutexGuard<'_, StoreState> {
        // A panic while it was held at worst left a step undone; the data stays consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
pub(crate) struct StoreState {
    /// The components of the store's instances; their machine code must outlive the instances.
    pub(crate) components: Vec<Component>,
    /// The core modules that they import, likewise.
    pub(crate) modules: Vec<crate::component::load::module::Module>,
    /// Guest-defined resources that the host holds, by an identity that is never reused.
    pub(crate) host_handles: HashMap<u64, HostHandle>,
    /// The scopes of calls in flight that may lend something.
    pub(crate) scopes: Slab<Scope>,
    /// Those of the calls that run, outermost first.
    pub(crate) running: Vec<usize>,
    /// The callback for the next core instance, from functions that need its memory.
    pub(crate) waiting: Option<InstanceHook>,
    /// The memory of the next core instance, if functions that access it have been created.
    pub(crate) memory_place: Option<crate::component::link::core_import::MemoryPlace>,
}

/// A guest-defined resource that the host holds.
#[derive(Debug)]
pub(crate) struct HostHandle {
    pub(crate) instance: Arc<InstanceInner>,
    pub(crate) resource: u32,
    pub(crate) rep: u32,
    pub(crate) own: bool,
    pub(crate) lends: u32,
}

/// Returns a number that is unique in this process.
pub(crate) fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
