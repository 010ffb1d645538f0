//! Calls of the host's asynchronous functions by guests.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use wasmer::StoreMut;

use super::activity::Step;
use super::stream::failed;
use crate::component::concurrent::block::block;
use crate::component::concurrent::state::{ActivityKey, Kind, Wait, Waitable, WaitableKey};
use crate::component::concurrent::waitable::{Callee, Subtask, SubtaskState};
use crate::component::link::host_func::Import;
use crate::component::link::linker::HostResult;
use crate::component::resource::handles::Room;
use crate::component::store::StoreCore;
use crate::error::{Error, ResourceError, Result};

/// The future of a call.
pub(in crate::component) type Imported<R> = Pin<Box<dyn Future<Output = HostResult<R>> + Send>>;

/// The parts of a call that a guest has begun.
struct Begun<'a> {
    core: &'a Arc<StoreCore>,
    activity: ActivityKey,
    /// The subtask, once there is one that this value is to remove.
    subtask: Option<WaitableKey>,
    /// The scope of the caller's loans, until it ends.
    scope: Option<usize>,
    ended: bool,
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let removed = {
            let mut tasks = self.core.tasks();
            if let Some(subtask) = self.subtask {
                let _ = tasks.remove_waitable(subtask);
            }
            tasks.remove_activity(self.activity)
        };
        drop(removed);
        if let Some(scope) = self.scope.take() {
            self.core.end_scope(scope);
        }
    }
}

/// Runs the future of a call that a guest makes. An asynchronous call returns its state at once; a synchronous one waits for the end.
/// `lower` passes the result on, and returns the flat one.
pub(in crate::component) fn begin<R: Send + 'static>(
    store: &mut StoreMut<'_>,
    import: &Arc<Import>,
    scope: Option<usize>,
    mut future: Imported<R>,
    lower: impl Fn(&mut StoreMut<'_>, &R) -> Result<u64> + Send + 'static,
) -> Result<u64> {
    let core = &import.core;
    let (activity, waker) = {
        let mut tasks = core.tasks();
        let activity = tasks.add_activity(None, Some(Arc::clone(&import.instance)));
        (activity, tasks.waker(activity))
    };
    let mut begun = Begun {
        core,
        activity,
        subtask: None,
        scope,
        ended: false,
    };
    let mut cx = Context::from_waker(&waker);
    let polled = store.parked(|| future.as_mut().poll(&mut cx));
    match polled {
        Poll::Ready(result) => {
            let value = result.map_err(|error| failed(&import.name, error))?;
            let bits = lower(store, &value)?;
            Ok(match import.options.is_async {
                true => SubtaskState::Returned as u64,
                false => bits,
            })
        }
        Poll::Pending if import.options.is_async => {
            let room = Room::take(&core.handles).map_err(ResourceError::TableFull)?;
            let subtask = new_subtask(import, activity, begun.scope);
            begun.subtask = Some(subtask);
            let handle = import
                .instance
                .add_waitable(core, import.options.instance, subtask)?;
            let import = Arc::clone(import);
            let step = move |store: &mut StoreMut<'_>, core: &Arc<StoreCore>, cx: &mut Context<'_>| {
                let _room = &room;
                let Poll::Ready(result) = store.parked(|| future.as_mut().poll(cx)) else {
                    return Poll::Pending;
                };
                Poll::Ready((|| {
                    if !is_started(core, subtask) {
                        return Ok(());
                    }
                    let value = result.map_err(|error| failed(&import.name, error))?;
                    lower(store, &value)?;
                    core.tasks().set_subtask(subtask, SubtaskState::Returned)
                })())
            };
            begun.ended = true;
            core.tasks().go_on(activity, Step::Future(Box::new(step)));
            Ok(u64::from(SubtaskState::Started as u32 | handle << 4))
        }
        Poll::Pending => {
            let subtask = new_subtask(import, activity, None);
            begun.subtask = Some(subtask);
            let result = Arc::new(Mutex::new(None));
            let slot = Arc::clone(&result);
            let step = move |store: &mut StoreMut<'_>, core: &Arc<StoreCore>, cx: &mut Context<'_>| {
                let Poll::Ready(result) = store.parked(|| future.as_mut().poll(cx)) else {
                    return Poll::Pending;
                };
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
                Poll::Ready(match is_started(core, subtask) {
                    true => core.tasks().set_subtask(subtask, SubtaskState::Returned),
                    false => Ok(()),
                })
            };
            core.tasks().go_on(activity, Step::Future(Box::new(step)));
            block(store, core, Wait::Resolved(subtask), false)?;
            let value = result.lock().unwrap_or_else(PoisonError::into_inner).take();
            let value = value.ok_or_else(|| Error::bug("a call that ended without a result"))?;
            lower(store, &value.map_err(|error| failed(&import.name, error))?)
        }
    }
}

fn new_subtask(import: &Import, activity: ActivityKey, scope: Option<usize>) -> WaitableKey {
    import.core.tasks().waitables.insert(Waitable {
        place: (import.instance.id, import.options.instance),
        handle: 0,
        set: None,
        waiter: None,
        kind: Kind::Subtask(Subtask {
            state: SubtaskState::Started,
            callee: Callee::Host(activity),
            event: false,
            delivered: false,
            cancel_requested: false,
            scope,
            result: 0,
        }),
    })
}

/// Returns whether a call is neither over nor cancelled.
fn is_started(core: &StoreCore, subtask: WaitableKey) -> bool {
    let mut tasks = core.tasks();
    let subtask = tasks.subtask(subtask);
    subtask.is_ok_and(|subtask| subtask.state == SubtaskState::Started)
}

impl StoreCore {
    /// Ends a call of the host's that its caller cancels.
    pub(in crate::component::concurrent) fn cancel_host_call(
        &self,
        subtask: WaitableKey,
        activity: ActivityKey,
    ) -> Result<()> {
        let removed = {
            let mut tasks = self.tasks();
            tasks.set_subtask(subtask, SubtaskState::CancelledBeforeReturned)?;
            tasks.remove_activity(activity)
        };
        drop(removed);
        Ok(())
    }
}
