//! The loop of a store: threads of guests and activities of the host, in turns.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmer::{AsStoreMut, StoreMut};

use super::accessor::Accessor;
use super::activity::poll_next;
use crate::component::call::func::contained_if;
use crate::component::concurrent::host_call::{Resumed, fail, resume_any, settle};
use crate::component::instance::InstanceInner;
use crate::component::store::{AsContextMut, StoreCore};
use crate::engine::{self, EngineEntry};
use crate::error::Result;

/// A turn of the loop.
pub(in crate::component::concurrent) enum Turned {
    /// Nothing was ready.
    Idle,
    Ran,
    /// A thread ran, whose end is to be settled outside the entry into the engine.
    Left(Resumed),
}

impl Turned {
    /// Returns whether something ran.
    pub(in crate::component::concurrent) fn ran(&self) -> bool {
        !matches!(self, Turned::Idle)
    }
}

/// Polls an activity that was woken, and runs a thread that is ready, for a call of `called` or none. In an entry into the engine, if there is
/// one.
///
/// # Errors
/// As [`settle`].
pub(in crate::component::concurrent) fn turn(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    called: Option<&Arc<InstanceInner>>,
    entry: Option<&EngineEntry>,
) -> Result<Turned> {
    // Without end, if the host's futures are always ready.
    engine::check_interrupted()?;
    core.close_dropped();
    let polled = match poll_next(store, core) {
        Ok(polled) => polled,
        Err(failure) => {
            match failure.instance {
                Some(instance) => fail(store, core, &instance, failure.error.into(), called)?,
                None => return Err(failure.error),
            }
            true
        }
    };
    let next = core.tasks().next_turn()?;
    let Some(next) = next else {
        return Ok(match polled {
            true => Turned::Ran,
            false => Turned::Idle,
        });
    };
    let resumed = resume_any(store, core, next, entry);
    match entry {
        Some(entry) if !resumed.is_fine() || !entry.is_intact() => Ok(Turned::Left(resumed)),
        _ => settle(store, core, resumed, called).map(|()| Turned::Ran),
    }
}

/// Time between two looks for an interruption, while a call waits for the host's futures.
const SLICE: Duration = Duration::from_millis(10);

/// Waits until an activity is woken. Returns false if none will be.
///
/// # Errors
/// An interruption of the call.
pub(in crate::component::concurrent) fn park(core: &StoreCore) -> Result<bool> {
    let wakes = {
        let tasks = core.tasks();
        if !tasks.awaits_outside() && !tasks.wakes.has_some() {
            return Ok(core.closing.has_some());
        }
        Arc::clone(&tasks.wakes)
    };
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        if wakes.set_driver(&waker) || core.closing.has_some() {
            return Ok(true);
        }
        engine::check_interrupted()?;
        thread::park_timeout(SLICE);
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The waker of the future of a run.
struct Main {
    woken: AtomicBool,
    outer: Mutex<Option<Waker>>,
}

impl Wake for Main {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        let outer = self.outer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(outer) = outer {
            outer.wake();
        }
    }
}

impl Main {
    fn set_outer(&self, waker: Waker) {
        let before = {
            let mut outer = self.outer.lock().unwrap_or_else(PoisonError::into_inner);
            outer.replace(waker)
        };
        drop(before);
    }
}

/// Turns before the executor that polls a run has one.
const TURNS: u32 = 1000;

/// Runs a future of the host's together with the store's tasks, until the future has ended.
pub(in crate::component) async fn run_concurrent<S: AsContextMut, R>(
    store: &mut S,
    f: impl AsyncFnOnce(&Accessor<S::Data>) -> R,
) -> Result<R> {
    let accessor = {
        let mut cx = store.as_context_mut();
        Accessor::of(&mut cx.store, cx.core, cx.env)
    };
    let mut future = pin!(f(&accessor));
    let main = Arc::new(Main {
        woken: AtomicBool::new(true),
        outer: Mutex::new(None),
    });
    let waker = Waker::from(Arc::clone(&main));
    poll_fn(|cx| {
        let mut borrowed = store.as_context_mut();
        let core = Arc::clone(borrowed.core);
        let store = &mut borrowed.store;
        main.set_outer(cx.waker().clone());
        // Nothing is lost if another thread polls it.
        let id = store.objects_mut().id();
        let stacks = core.stacks();
        if stacks.live() > 0
            && let Err(error) = stacks.check_here(id)
        {
            return Poll::Ready(Err(error));
        }
        let _running = core.interrupter.enter();
        let mut turns = 0..TURNS;
        loop {
            let polled = stacks.entered(store, |store, entry| {
                for _ in &mut turns {
                    if main.woken.swap(false, Ordering::AcqRel) {
                        let mut main_cx = Context::from_waker(&waker);
                        let polled = store.parked(|| future.as_mut().poll(&mut main_cx));
                        if let Poll::Ready(value) = polled {
                            return Ok(Poll::Ready(Ok(value)));
                        }
                    }
                    let turned = contained_if(core.is_unguarded(), store, |store| {
                        turn(store, &core, None, Some(entry))
                    });
                    match turned {
                        Ok(Turned::Ran) => {}
                        Ok(Turned::Left(resumed)) => return Err(resumed),
                        Ok(Turned::Idle) => {
                            let ready =
                                core.closing.wakes().set_driver(cx.waker()) || core.closing.has_some();
                            if !ready && !main.woken.load(Ordering::Acquire) {
                                return Ok(Poll::Pending);
                            }
                        }
                        Err(error) => return Ok(Poll::Ready(Err(error))),
                    }
                }
                cx.waker().wake_by_ref();
                Ok(Poll::Pending)
            });
            let left = match polled {
                Ok(Ok(polled)) => return polled,
                Ok(Err(left)) => left,
                Err(error) => return Poll::Ready(Err(error)),
            };
            let settled = contained_if(core.is_unguarded(), store, |store| {
                settle(store, &core, left, None)
            });
            if let Err(error) = settled {
                return Poll::Ready(Err(error));
            }
        }
    })
    .await
}
