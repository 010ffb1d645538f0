//! Streams and futures of which the host has an end.
//!
//! The host gives up the writable end to a producer, and the readable end to a consumer. Both are polled when a guest reads or writes, and
//! when they wake up.

use std::any::Any;
use std::sync::Arc;
use std::task::{Context, Poll};

use wasmer::StoreMut;

use super::activity::Step;
use super::stream::StreamResult;
use crate::component::concurrent::host_call::interrupts;
use crate::component::concurrent::state::{ActivityKey, SharedKey, Tasks, WaitableKey};
use crate::component::concurrent::transmit::CopyResult;
use crate::component::instance::InstanceInner;
use crate::component::resource::handles::Room;
use crate::component::store::{AsContext, Store, StoreCore};
use crate::error::{Error, Result};

/// The reader that a producer produces for.
pub(super) enum Reader<'a> {
    Guest(WaitableKey),
    /// A list of items, a `Vec` of the reader's Rust type.
    Host(&'a mut (dyn Any + Send)),
}

/// The writer that a consumer consumes from.
pub(super) enum Writer {
    Guest(WaitableKey),
    /// The consumer's own list, which a producer has filled.
    Host,
}

/// A producer, without its types.
pub(super) trait Produce: Send {
    fn produce(
        &mut self,
        store: &mut StoreMut<'_>,
        core: &Arc<StoreCore>,
        cx: &mut Context<'_>,
        reader: Reader<'_>,
        finish: bool,
    ) -> Poll<Result<StreamResult>>;
}

/// A consumer, without its types.
pub(super) trait Consume: Send {
    fn consume(
        &mut self,
        store: &mut StoreMut<'_>,
        core: &Arc<StoreCore>,
        cx: &mut Context<'_>,
        writer: Writer,
        finish: bool,
    ) -> Poll<Result<StreamResult>>;

    /// The list that a producer of the host's fills for it.
    fn list(&mut self) -> &mut (dyn Any + Send);

    fn list_len(&self) -> usize;
}

/// The host's part of a stream or future.
pub(in crate::component::concurrent) struct HostSide {
    pub(in crate::component::concurrent) activity: ActivityKey,
    pub(super) producer: Option<Box<dyn Produce>>,
    pub(super) consumer: Option<Box<dyn Consume>>,
    /// True if the guest that waits has cancelled its copy.
    pub(in crate::component::concurrent) finishing: bool,
    /// True if the producer has ended, and nothing of it is left.
    ended: bool,
    /// True if the consumer has taken items of the host's since it last said so.
    taken: bool,
    /// Room for a stream whose two ends are the host's. Others have handles.
    pub(super) room: Option<Room>,
}

/// Rounds of a stream between the host's own ends before others have a turn.
const ROUNDS: u32 = 64;

/// One step of a copy.
enum Work {
    Produce(Box<dyn Produce>, WaitableKey),
    Consume(Box<dyn Consume>, WaitableKey),
    Pump(Box<dyn Produce>, Box<dyn Consume>),
    Drain(Box<dyn Consume>),
}

/// Lets the host's ends of a stream or future copy as much as they can. Sets the `instance` that they do it for.
pub(super) fn copy(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    key: SharedKey,
    cx: &mut Context<'_>,
    instance: &mut Option<Arc<InstanceInner>>,
) -> Poll<Result<()>> {
    for _ in 0..ROUNDS {
        let (work, finish) = {
            let mut tasks = core.tasks();
            let pending = tasks.shared_of(key).and_then(|shared| shared.pending);
            let is_reader = pending.is_some_and(|end| tasks.is_readable(end));
            let Some(side) = tasks.shared_of(key).and_then(|shared| shared.host.as_mut()) else {
                return Poll::Ready(Ok(()));
            };
            let finish = side.finishing;
            let ended = side.ended;
            let work = match (side.producer.take(), side.consumer.take(), pending) {
                (Some(producer), Some(consumer), _) => Work::Pump(producer, consumer),
                (Some(producer), None, Some(reader)) if is_reader => Work::Produce(producer, reader),
                (None, Some(consumer), Some(writer)) if !is_reader => Work::Consume(consumer, writer),
                (None, Some(consumer), None) if ended => Work::Drain(consumer),
                (producer, consumer, _) => {
                    side.producer = producer;
                    side.consumer = consumer;
                    return Poll::Ready(Ok(()));
                }
            };
            let guest = match &work {
                Work::Produce(_, guest) | Work::Consume(_, guest) => Some(*guest),
                Work::Pump(..) | Work::Drain(_) => None,
            };
            let buffer = guest.and_then(|guest| tasks.end(guest).ok()?.buffer());
            *instance = buffer.map(|buffer| Arc::clone(&buffer.instance));
            (work, finish)
        };
        let polled = match work {
            Work::Produce(producer, reader) => produce(store, core, cx, key, (producer, reader), finish),
            Work::Consume(consumer, writer) => consume(store, core, cx, key, (consumer, writer), finish),
            Work::Pump(producer, consumer) => pump(store, core, cx, key, producer, consumer),
            Work::Drain(consumer) => drain(store, core, cx, key, consumer),
        };
        match polled {
            Poll::Ready(Ok(true)) => {}
            Poll::Ready(Ok(false)) => return Poll::Ready(Ok(())),
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return Poll::Pending,
        }
    }
    cx.waker().wake_by_ref();
    Poll::Ready(Ok(()))
}

/// Returns a producer and consumer to their stream; one whose stream has ended is dropped.
fn put_back(
    core: &StoreCore,
    key: SharedKey,
    producer: Option<Box<dyn Produce>>,
    consumer: Option<Box<dyn Consume>>,
) {
    let mut tasks = core.tasks();
    match tasks.shared_of(key).and_then(|shared| shared.host.as_mut()) {
        Some(side) => {
            side.producer = producer;
            side.consumer = consumer;
        }
        None => {
            drop(tasks);
            drop((producer, consumer));
        }
    }
}

fn misused(text: &'static str) -> Error {
    Error::Host {
        name: "the host's end of a stream".into(),
        source: text.into(),
    }
}

/// Polls a producer for the guest that reads. Returns true if there may be more to do.
fn produce(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    cx: &mut Context<'_>,
    key: SharedKey,
    (mut producer, reader): (Box<dyn Produce>, WaitableKey),
    finish: bool,
) -> Poll<Result<bool>> {
    let polled = producer.produce(store, core, cx, Reader::Guest(reader), finish);
    settle(core, key, reader, polled, finish, |result| match result {
        Some(StreamResult::Dropped) => drop(producer),
        _ => put_back(core, key, Some(producer), None),
    })
}

/// Polls a consumer for the guest that writes.
fn consume(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    cx: &mut Context<'_>,
    key: SharedKey,
    (mut consumer, writer): (Box<dyn Consume>, WaitableKey),
    finish: bool,
) -> Poll<Result<bool>> {
    let polled = consumer.consume(store, core, cx, Writer::Guest(writer), finish);
    settle(core, key, writer, polled, finish, |result| match result {
        Some(StreamResult::Dropped) => drop(consumer),
        _ => put_back(core, key, None, Some(consumer)),
    })
}

/// Tells the guest that waits what came of its copy. `done` keeps or drops the host's end.
fn settle(
    core: &StoreCore,
    key: SharedKey,
    guest: WaitableKey,
    polled: Poll<Result<StreamResult>>,
    finish: bool,
    done: impl FnOnce(Option<StreamResult>),
) -> Poll<Result<bool>> {
    let result = match polled {
        Poll::Pending => {
            done(None);
            return Poll::Pending;
        }
        Poll::Ready(Err(error)) => {
            // A consumer has not got all.
            let aborting = core.closing.aborting();
            done(Some(StreamResult::Dropped));
            drop(aborting);
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(result)) => result,
    };
    done(Some(result));
    let mut tasks = core.tasks();
    let side = match result {
        StreamResult::Dropped => {
            if let Some(shared) = tasks.shared_of(key) {
                shared.dropped = true;
            }
            tasks.end_host_side(key)
        }
        _ => None,
    };
    // The guest may have gone meanwhile.
    if tasks.shared_of(key).and_then(|shared| shared.pending) != Some(guest) {
        drop(tasks);
        drop(side);
        return Poll::Ready(Ok(true));
    }
    // Also in polls before this one, which have left it waiting.
    let moved = tasks.progress(guest)? > 0;
    let wanted = tasks.remain(guest)? > 0;
    let outcome = match result {
        StreamResult::Dropped if moved => CopyResult::Completed,
        StreamResult::Dropped => CopyResult::Dropped,
        StreamResult::Completed if moved || !wanted => CopyResult::Completed,
        StreamResult::Cancelled if moved => CopyResult::Completed,
        StreamResult::Cancelled | StreamResult::Completed if finish => CopyResult::Cancelled,
        StreamResult::Completed => {
            return Poll::Ready(Err(misused(
                "it completed without an item, while the guest waits for some",
            )));
        }
        StreamResult::Cancelled => {
            return Poll::Ready(Err(misused(
                "it cancelled a copy that the guest has not cancelled",
            )));
        }
    };
    if let Some(shared) = tasks.shared_of(key) {
        shared.pending = None;
        if let Some(side) = &mut shared.host {
            side.finishing = false;
        }
    }
    tasks.notify(guest, outcome, false)?;
    drop(tasks);
    drop(side);
    Poll::Ready(Ok(false))
}

/// Moves items between the host's own ends.
fn pump(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    cx: &mut Context<'_>,
    key: SharedKey,
    mut producer: Box<dyn Produce>,
    mut consumer: Box<dyn Consume>,
) -> Poll<Result<bool>> {
    if consumer.list_len() == 0 {
        match producer.produce(store, core, cx, Reader::Host(consumer.list()), false) {
            Poll::Ready(Ok(StreamResult::Dropped)) => {
                if let Some(side) = core
                    .tasks()
                    .shared_of(key)
                    .and_then(|shared| shared.host.as_mut())
                {
                    side.ended = true;
                }
                put_back(core, key, None, Some(consumer));
                drop(producer);
                return Poll::Ready(Ok(true));
            }
            Poll::Ready(Ok(StreamResult::Completed)) if consumer.list_len() > 0 => {}
            Poll::Ready(failed) => {
                let error = failed
                    .err()
                    .unwrap_or_else(|| misused("it completed without an item"));
                return cut(core, key, error, (producer, consumer));
            }
            Poll::Pending => {
                put_back(core, key, Some(producer), Some(consumer));
                return Poll::Pending;
            }
        }
    }
    match feed(store, core, cx, key, &mut *consumer) {
        Poll::Ready(Ok(StreamResult::Dropped)) => {
            let side = core.tasks().end_host_side(key);
            drop((side, producer, consumer));
            Poll::Ready(Ok(false))
        }
        Poll::Ready(Ok(_)) => {
            put_back(core, key, Some(producer), Some(consumer));
            Poll::Ready(Ok(true))
        }
        Poll::Ready(Err(error)) => cut(core, key, error, (producer, consumer)),
        Poll::Pending => {
            put_back(core, key, Some(producer), Some(consumer));
            Poll::Pending
        }
    }
}

/// Ends a stream between the host's own ends, one of which has failed. Its consumer learns that it has not got all.
///
/// # Errors
/// The failure, unless it is a deadline: that ends the stream alone.
fn cut(core: &StoreCore, key: SharedKey, error: Error, ends: impl Sized) -> Poll<Result<bool>> {
    let side = core.tasks().end_host_side(key);
    let aborting = core.closing.aborting();
    drop((side, ends));
    drop(aborting);
    match interrupts(&error) {
        true => {
            log::warn!("a stream between the host's own ends was cut off at the deadline");
            Poll::Ready(Ok(false))
        }
        false => Poll::Ready(Err(error)),
    }
}

/// Has a consumer take items from its list.
fn feed(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    cx: &mut Context<'_>,
    key: SharedKey,
    consumer: &mut dyn Consume,
) -> Poll<Result<StreamResult>> {
    let before = consumer.list_len();
    let polled = consumer.consume(store, core, cx, Writer::Host, false);
    let mut tasks = core.tasks();
    let Some(side) = tasks.shared_of(key).and_then(|shared| shared.host.as_mut()) else {
        return polled;
    };
    side.taken |= consumer.list_len() < before;
    match polled {
        Poll::Ready(Ok(StreamResult::Completed | StreamResult::Cancelled)) => {
            match std::mem::take(&mut side.taken) {
                true => Poll::Ready(Ok(StreamResult::Completed)),
                false => Poll::Ready(Err(misused("it completed without an item, while there are some"))),
            }
        }
        other => other,
    }
}

/// Lets a consumer have what its producer left, which has ended.
fn drain(
    store: &mut StoreMut<'_>,
    core: &Arc<StoreCore>,
    cx: &mut Context<'_>,
    key: SharedKey,
    mut consumer: Box<dyn Consume>,
) -> Poll<Result<bool>> {
    let polled = match consumer.list_len() == 0 {
        true => Poll::Ready(Ok(StreamResult::Dropped)),
        false => feed(store, core, cx, key, &mut *consumer),
    };
    match polled {
        Poll::Pending => {
            put_back(core, key, None, Some(consumer));
            Poll::Pending
        }
        Poll::Ready(Ok(StreamResult::Completed | StreamResult::Cancelled)) => {
            put_back(core, key, None, Some(consumer));
            Poll::Ready(Ok(true))
        }
        Poll::Ready(Ok(StreamResult::Dropped)) => {
            let side = core.tasks().end_host_side(key);
            drop((side, consumer));
            Poll::Ready(Ok(false))
        }
        Poll::Ready(Err(error)) => cut(core, key, error, consumer),
    }
}

impl Tasks {
    /// Takes the host's side from a stream or future, with its activity. The stream or future ends with it if no guest has an end.
    pub(in crate::component::concurrent) fn end_host_side(&mut self, key: SharedKey) -> Option<Gone> {
        let shared = self.shared_of(key)?;
        let side = shared.host.take()?;
        if shared.ends == 0 {
            self.shared.remove(key);
        }
        let activity = self.remove_activity(side.activity);
        Some(Gone {
            _side: side,
            _activity: activity,
        })
    }

    /// Gives a stream or future a side of the host's.
    pub(super) fn with_host_side(&mut self, key: SharedKey, set: impl FnOnce(&mut HostSide)) {
        let activity = match self.shared_of(key).map(|shared| &shared.host) {
            None => return,
            Some(Some(side)) => side.activity,
            Some(None) => self.add_activity(Some(Step::Transmit(key)), None),
        };
        if let Some(shared) = self.shared_of(key) {
            set(shared.host.get_or_insert_with(|| {
                Box::new(HostSide {
                    activity,
                    producer: None,
                    consumer: None,
                    finishing: false,
                    ended: false,
                    taken: false,
                    room: None,
                })
            }));
        }
        self.wake(activity);
    }
}

/// The rest of a host's end. To be dropped without the lock: it runs code of the host's.
pub(in crate::component::concurrent) struct Gone {
    _side: Box<HostSide>,
    _activity: Option<super::activity::Activity>,
}

impl<T: Send + 'static> Store<T> {
    /// Counts the streams and futures whose two ends are both the host's: they go on without tasks.
    #[doc(hidden)]
    pub fn pipes(&self) -> usize {
        let tasks = self.as_context().core.tasks();
        let shared = tasks.shared.values();
        shared
            .filter(|shared| shared.ends == 0 && shared.host.is_some())
            .count()
    }
}
