//! Access to a store from futures of the host, which hold no borrow of it between their polls.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use wasmer::sys::vm::StoreId;
use wasmer::{AsStoreMut, StoreMut};

use super::activity::Step;
use super::stream::failed;
use crate::component::concurrent::state::ActivityKey;
use crate::component::has_data::{HasData, HasSelf};
use crate::component::link::linker::HostResult;
use crate::component::store::{
    AsContext, AsContextMut, Env, Store, StoreContext, StoreContextMut, StoreCore,
};
use crate::error::Result;

/// Access to a store for a future of the host's: an asynchronous host function, or the future of
/// [`Store::run_concurrent`](crate::component::Store::run_concurrent).
///
/// `D` is the host's part in the store's data, all of it by default.
pub struct Accessor<T: Send + 'static, D: HasData + ?Sized = HasSelf<T>> {
    core: Arc<StoreCore>,
    store: StoreId,
    /// Within a lock, since the accessor is shared between threads also if `T` is not.
    env: Mutex<Env<T>>,
    getter: fn(&mut T) -> D::Data<'_>,
}

impl<T: Send + 'static, D: HasData + ?Sized> fmt::Debug for Accessor<T, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accessor")
            .field("store", &self.core.id)
            .finish_non_exhaustive()
    }
}

fn whole<T>(data: &mut T) -> &mut T {
    data
}

impl<T: Send + 'static> Accessor<T> {
    pub(in crate::component) fn of(
        store: &mut StoreMut<'_>,
        core: &Arc<StoreCore>,
        env: &Env<T>,
    ) -> Accessor<T> {
        Accessor {
            core: Arc::clone(core),
            store: store.objects_mut().id(),
            env: Mutex::new(env.clone()),
            getter: whole,
        }
    }
}

impl<T: Send + 'static, D: HasData + ?Sized> Accessor<T, D> {
    fn env(&self) -> Env<T> {
        self.env.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Runs `f` with the store. Nothing else of the store runs meanwhile.
    ///
    /// # Panics
    /// If the future that has the accessor is not polled by its own store: moved to another executor's task or thread, for example.
    pub fn with<R>(&self, f: impl FnOnce(Access<'_, T, D>) -> R) -> R {
        let env = self.env();
        let got = wasmer::Store::with_current(|store| {
            (store.objects_mut().id() == self.store).then(|| {
                f(Access {
                    store: StoreContextMut {
                        store: store.as_store_mut(),
                        env: &env,
                        core: &self.core,
                    },
                    getter: self.getter,
                })
            })
        });
        match got.flatten() {
            Some(result) => result,
            None => not_polled(),
        }
    }

    /// Returns the function that finds the host's part in the store's data.
    pub fn getter(&self) -> fn(&mut T) -> D::Data<'_> {
        self.getter
    }

    /// Returns an accessor of another part of the store's data.
    pub fn with_getter<D2: HasData>(&self, getter: fn(&mut T) -> D2::Data<'_>) -> Accessor<T, D2> {
        Accessor {
            core: Arc::clone(&self.core),
            store: self.store,
            env: Mutex::new(self.env()),
            getter,
        }
    }

    /// Runs a task in the background, while the store runs. If the store has ended, the task ends at once.
    pub fn spawn(&self, task: impl AccessorTask<T, D>) -> JoinHandle {
        let accessor = Accessor {
            core: Arc::clone(&self.core),
            store: self.store,
            env: Mutex::new(self.env()),
            getter: self.getter,
        };
        spawn(&self.core, Box::pin(async move { task.run(&accessor).await }))
    }
}

#[cold]
fn not_polled() -> ! {
    panic!("an accessor is used outside the future that its store polls")
}

/// A store, borrowed by an [`Accessor`].
pub struct Access<'a, T: Send + 'static, D: HasData + ?Sized = HasSelf<T>> {
    store: StoreContextMut<'a, T>,
    getter: fn(&mut T) -> D::Data<'_>,
}

impl<T: Send + 'static, D: HasData + ?Sized> fmt::Debug for Access<'_, T, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

impl<'a, T: Send + 'static, D: HasData + ?Sized> Access<'a, T, D> {
    /// Creates access to a borrowed store; `getter` finds the host's part in its data.
    pub fn new(store: StoreContextMut<'a, T>, getter: fn(&mut T) -> D::Data<'_>) -> Access<'a, T, D> {
        Access { store, getter }
    }

    /// Returns the host's part in the store's data.
    pub fn get(&mut self) -> D::Data<'_> {
        (self.getter)(self.store.data_mut())
    }

    /// Returns the store's data, for changing it.
    pub fn data_mut(&mut self) -> &mut T {
        self.store.data_mut()
    }

    /// Returns the function that finds the host's part in the store's data.
    pub fn getter(&self) -> fn(&mut T) -> D::Data<'_> {
        self.getter
    }

    /// Runs a task in the background, while the store runs.
    pub fn spawn(&mut self, task: impl AccessorTask<T, D>) -> JoinHandle {
        let accessor = Accessor {
            core: Arc::clone(self.store.core),
            store: self.store.store.objects_mut().id(),
            env: Mutex::new(self.store.env.clone()),
            getter: self.getter,
        };
        spawn(
            self.store.core,
            Box::pin(async move { task.run(&accessor).await }),
        )
    }
}

impl<T: Send + 'static, D: HasData + ?Sized> AsContext for Access<'_, T, D> {
    type Data = T;

    fn as_context(&self) -> StoreContext<'_, T> {
        self.store.as_context()
    }
}

impl<T: Send + 'static, D: HasData + ?Sized> AsContextMut for Access<'_, T, D> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        self.store.as_context_mut()
    }
}

/// Anything that has an [`Accessor`].
pub trait AsAccessor {
    /// The host's data in the store.
    type Data: Send + 'static;
    /// The host's part in it.
    type AccessorData: HasData + ?Sized;

    /// Returns the accessor.
    fn as_accessor(&self) -> &Accessor<Self::Data, Self::AccessorData>;
}

impl<A: AsAccessor + ?Sized> AsAccessor for &A {
    type Data = A::Data;
    type AccessorData = A::AccessorData;

    fn as_accessor(&self) -> &Accessor<A::Data, A::AccessorData> {
        A::as_accessor(self)
    }
}

impl<T: Send + 'static, D: HasData + ?Sized> AsAccessor for Accessor<T, D> {
    type Data = T;
    type AccessorData = D;

    fn as_accessor(&self) -> &Accessor<T, D> {
        self
    }
}

/// A task that runs in the background of a store.
pub trait AccessorTask<T: Send + 'static, D: HasData + ?Sized = HasSelf<T>>: Send + 'static {
    /// Runs the task. Its error ends the call that polls it.
    fn run(self, accessor: &Accessor<T, D>) -> impl Future<Output = HostResult<()>> + Send;
}

/// A handle of a task in the background: a future that is ready once the task has ended. Dropping it leaves the task running.
pub struct JoinHandle(Arc<Joined>);

#[derive(Default)]
struct Joined {
    aborted: AtomicBool,
    wakers: Mutex<Wakers>,
}

#[derive(Default)]
struct Wakers {
    ended: bool,
    of_task: Option<Waker>,
    of_handle: Option<Waker>,
}

impl Joined {
    fn wakers(&self) -> MutexGuard<'_, Wakers> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for JoinHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle")
            .field("ended", &self.0.wakers().ended)
            .finish()
    }
}

impl JoinHandle {
    /// Ends the task at its next step; at once if it is waiting and the store runs.
    pub fn abort(&self) {
        self.0.aborted.store(true, Ordering::Release);
        let waker = self.0.wakers().of_task.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Future for JoinHandle {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut wakers = self.0.wakers();
        if wakers.ended {
            return Poll::Ready(());
        }
        let before = wakers.of_handle.replace(cx.waker().clone());
        drop(wakers);
        drop(before);
        Poll::Pending
    }
}

/// Lets the handle of a task know of its end, however it ends.
struct Ends(Arc<Joined>);

impl Drop for Ends {
    fn drop(&mut self) {
        let waker = {
            let mut wakers = self.0.wakers();
            wakers.ended = true;
            wakers.of_handle.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

fn spawn(core: &Arc<StoreCore>, future: Pin<Box<dyn Future<Output = HostResult<()>> + Send>>) -> JoinHandle {
    let joined = Arc::new(Joined::default());
    let ends = Ends(Arc::clone(&joined));
    let mut future = future;
    let step = move |store: &mut StoreMut<'_>, _: &Arc<StoreCore>, cx: &mut Context<'_>| {
        ends.0.wakers().of_task = Some(cx.waker().clone());
        if ends.0.aborted.load(Ordering::Acquire) {
            return Poll::Ready(Ok(()));
        }
        let polled = store.parked(|| future.as_mut().poll(cx));
        polled.map_err(|error| failed("a task in the background", error))
    };
    let step = Step::Future(Box::new(step));
    let mut tasks = core.tasks();
    if core.closing.has_ended() {
        drop(tasks);
        drop(step);
    } else {
        let key: ActivityKey = tasks.add_activity(Some(step), None);
        tasks.wake(key);
    }
    JoinHandle(joined)
}

impl<T: Send + 'static> StoreContextMut<'_, T> {
    /// Runs a task in the background, while the store runs: during calls, and during
    /// [`run_concurrent`](crate::component::Store::run_concurrent).
    pub fn spawn(&mut self, task: impl AccessorTask<T>) -> JoinHandle {
        let accessor = Accessor::of(&mut self.store, self.core, self.env);
        spawn(self.core, Box::pin(async move { task.run(&accessor).await }))
    }

    /// As [`Store::run_concurrent`](crate::component::Store::run_concurrent).
    ///
    /// # Errors
    /// As there.
    pub async fn run_concurrent<R>(mut self, f: impl AsyncFnOnce(&Accessor<T>) -> R) -> Result<R> {
        super::drive::run_concurrent(&mut self, f).await
    }
}

impl<T: Send + 'static> Store<T> {
    /// Runs a future of the host's together with the tasks of the store's components, until the future has ended. Through its accessor, it
    /// starts calls with [`TypedFunc::call_concurrent`](crate::component::TypedFunc::call_concurrent), many at a time. Tasks that are left go
    /// on in the next run or call.
    ///
    /// To be polled on one thread: stacks that are suspended stay there. Dropping it leaves the tasks as they are.
    ///
    /// # Errors
    /// An interruption; the error of a task that [`Accessor::spawn`] has begun; [`Error::SuspendedCalls`]. Traps are the errors of the calls
    /// that they end.
    pub async fn run_concurrent<R>(&mut self, f: impl AsyncFnOnce(&Accessor<T>) -> R) -> Result<R> {
        super::drive::run_concurrent(self, f).await
    }

    /// Runs a task in the background, while the store runs.
    pub fn spawn(&mut self, task: impl AccessorTask<T>) -> JoinHandle {
        self.as_context_mut().spawn(task)
    }
}
