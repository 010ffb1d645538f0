//! Durable actors (feature `durable`): their messages are in the store before they are accepted, and leave it before their
//! answers are delivered.

mod dead;
mod record;
mod settings;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use airssys_wasm_store::{Appended, Store, StoreError};

use super::actor::Actor;
use super::core::Core;
use super::dead_letters::DeadLetterReason;
use super::error::ActorError;
use super::letter::{Letter, Receipt};
use super::mailbox::Entry;
use super::options::{ActorOptions, InvalidActorOptions};
use super::state::{Outbox, State};
use super::timer::Alarm;
use crate::host::SavedSettings;
use crate::messaging::ComponentId;

/// Bytes of messages that are read from the store at once.
const READ_BYTES: usize = 4 << 20;

/// The store of an actor system, if it has one.
#[derive(Clone, Debug, Default)]
pub(super) struct SystemStore(Option<Arc<Shared>>);

#[derive(Debug)]
struct Shared {
    store: Store,
    /// Components that are durable actors now.
    in_use: Mutex<BTreeSet<String>>,
}

impl SystemStore {
    pub(super) fn new(store: Option<Store>) -> SystemStore {
        SystemStore(store.map(|store| {
            Arc::new(Shared {
                store,
                in_use: Mutex::default(),
            })
        }))
    }

    /// Returns the saved settings for an actor with these options; `None` for one that is not durable.
    ///
    /// # Errors
    /// [`InvalidActorOptions::NoStore`].
    pub(super) fn settings(
        &self,
        options: &ActorOptions,
    ) -> Result<Option<Arc<dyn SavedSettings>>, InvalidActorOptions> {
        match &self.0 {
            _ if !options.durable => Ok(None),
            Some(shared) => Ok(Some(Arc::new(settings::StoreSettings(shared.store.clone())))),
            None => Err(InvalidActorOptions::NoStore),
        }
    }
}

/// The queue of a durable actor in the store; nothing for other actors.
#[derive(Debug, Default)]
pub(super) struct Queue(Option<Arc<Open>>);

#[derive(Debug)]
struct Open {
    shared: Arc<Shared>,
    id: ComponentId,
    /// The name is no longer its own.
    released: AtomicBool,
}

impl Open {
    /// Lets another actor have the name.
    fn release(&self) {
        if !self.released.swap(true, Ordering::Relaxed) {
            lock(&self.shared.in_use).remove(self.id.as_str());
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.release();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No step in between panics.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Queue {
    /// Opens the queue of an actor.
    ///
    /// # Errors
    /// [`ActorError::Options`] if the system has no store; [`ActorError::StoreInUse`].
    pub(super) fn open(core: &Core, id: &ComponentId, is_durable: bool) -> Result<Queue, ActorError> {
        if !is_durable {
            return Ok(Queue::default());
        }
        let Some(shared) = &core.store.0 else {
            return Err(InvalidActorOptions::NoStore.into());
        };
        if !lock(&shared.in_use).insert(id.as_str().to_owned()) {
            return Err(ActorError::StoreInUse(id.clone()));
        }
        let (shared, id) = (shared.clone(), id.clone());
        let released = AtomicBool::new(false);
        Ok(Queue(Some(Arc::new(Open { shared, id, released }))))
    }

    /// Reports whether the messages are in memory only.
    pub(super) fn is_in_memory(&self) -> bool {
        self.0.is_none()
    }

    /// Makes a message durable once it is accepted.
    pub(super) fn attach(&self, letter: &mut Letter) {
        if let Some(open) = &self.0 {
            let value = record::encode(letter);
            let slot = Slot::new(open, Stage::Outside { value });
            lock(&slot.state).once = letter.once.take();
            letter.stored = Stored(Some(slot));
        }
    }

    /// Reports whether the actor is durable.
    pub(super) fn is_open(&self) -> bool {
        self.0.is_some()
    }

    /// Adds a message that was never in the queue to the dead letters.
    pub(super) fn bury(
        &self,
        letter: &Letter,
        reason: &DeadLetterReason,
        done: impl FnOnce(Result<(), StoreError>) + Send + 'static,
    ) {
        match &self.0 {
            Some(open) => {
                let (reason, value) = (dead::encode(reason), record::encode(letter));
                let store = &open.shared.store;
                store.add_dead_letter(open.id.as_str(), reason, value, done);
            }
            None => done(Err(StoreError::Closed)),
        }
    }

    /// Waits until all that was decided about messages is in the store, and lets another actor have the name.
    pub(super) fn close(&self) {
        self.flush();
        if let Some(open) = &self.0 {
            open.release();
        }
    }

    /// Waits until all that was decided about messages is in the store.
    fn flush(&self) {
        let Some(open) = &self.0 else { return };
        // What the first awaits may hand over another change.
        for _ in 0..2 {
            if let Err(error) = open.shared.store.blocking().flush() {
                log::error!("messages of `{}` are not in the store: {error}", open.id);
                return;
            }
        }
    }
}

/// A message's place in the store; nothing for messages of other actors.
#[derive(Debug, Default)]
pub(super) struct Stored(Option<Arc<Slot>>);

/// The place of one message.
pub(super) struct Slot {
    open: Arc<Open>,
    state: Mutex<SlotState>,
}

struct SlotState {
    stage: Stage,
    ticket: u64,
    /// Reason of its death, if it dies.
    reason: Option<DeadLetterReason>,
    /// The id by which it is stored once only.
    once: Option<Vec<u8>>,
}

enum Stage {
    /// It is not accepted.
    Outside {
        value: Vec<u8>,
    },
    /// It is on its way into the store. The end may come meanwhile.
    Storing {
        value: Option<Vec<u8>>,
        end: Option<End>,
    },
    /// It is in the store, under a number.
    In(u64),
    Ended,
}

type Then = Box<dyn FnOnce() + Send>;

/// The end of a message, and the step after it.
struct End(Option<DeadLetterReason>, Then);

impl Slot {
    fn new(open: &Arc<Open>, stage: Stage) -> Arc<Slot> {
        let state = SlotState {
            stage,
            ticket: 0,
            reason: None,
            once: None,
        };
        Arc::new(Slot {
            open: open.clone(),
            state: Mutex::new(state),
        })
    }

    /// Appends the message to the queue in the store. No lock is held.
    pub(super) fn store(self: Arc<Self>, actor: &Arc<Actor>) {
        let (value, ticket, once) = {
            let mut state = lock(&self.state);
            let Stage::Storing { value, .. } = &mut state.stage else {
                return;
            };
            (value.take().unwrap_or_default(), state.ticket, state.once.take())
        };
        let actor = Arc::downgrade(actor);
        let (store, id) = (self.open.shared.store.clone(), self.open.id.clone());
        store.append(id.as_str(), value, once, move |result| {
            self.appended(result, &actor, ticket);
        });
    }

    fn appended(&self, result: Result<Appended, StoreError>, actor: &Weak<Actor>, ticket: u64) {
        let refused = match result {
            Ok(Appended::New { number }) => {
                let before = std::mem::replace(&mut lock(&self.state).stage, Stage::In(number));
                return match (before, actor.upgrade()) {
                    // It ended on its way.
                    (Stage::Storing { end: Some(end), .. }, _) => self.end(end),
                    (_, Some(actor)) => actor.stored(ticket),
                    (_, None) => {}
                };
            }
            Ok(_) => ActorError::Repeated(self.open.id.clone()),
            Err(error) => error.into(),
        };
        // While it leaves the mailbox it counts as on its way: otherwise it could be handled instead.
        if let Some(actor) = actor.upgrade() {
            actor.not_stored(ticket, refused);
        }
        let before = std::mem::replace(&mut lock(&self.state).stage, Stage::Ended);
        if let Stage::Storing { end: Some(end), .. } = before {
            self.end(end);
        }
    }

    /// Removes the message from the store, or moves it to the dead letters; then runs the step after that.
    fn end(&self, end: End) {
        let mut state = lock(&self.state);
        let number = match &mut state.stage {
            Stage::Storing { end: at_end, .. } => {
                *at_end = Some(end);
                return;
            }
            Stage::In(number) => Some(*number),
            Stage::Outside { .. } | Stage::Ended => None,
        };
        state.stage = Stage::Ended;
        drop(state);
        let End(reason, then) = end;
        let (Some(number), id) = (number, self.open.id.clone()) else {
            return then();
        };
        let store = &self.open.shared.store;
        let done = move |result: Result<bool, StoreError>| {
            if let Err(error) = result {
                log::error!("a message of `{id}` stays in the store, and is handled again: {error}");
            }
            then();
        };
        let id = self.open.id.as_str();
        match reason {
            // It stays for the next start.
            Some(DeadLetterReason::ShutDown) => done(Ok(true)),
            Some(reason) => store.bury(id, number, dead::encode(&reason), done),
            None => store.remove(id, number, done),
        }
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot")
            .field("id", &self.open.id)
            .finish_non_exhaustive()
    }
}

impl Stored {
    pub(super) fn set_ticket(&self, ticket: u64) {
        if let Some(slot) = &self.0 {
            lock(&slot.state).ticket = ticket;
        }
    }

    /// Reports whether the message is on its way into the store: it is not handled before it is there.
    pub(super) fn is_storing(&self) -> bool {
        let storing = |slot: &Arc<Slot>| matches!(lock(&slot.state).stage, Stage::Storing { .. });
        self.0.as_ref().is_some_and(storing)
    }

    /// Records that the message came into the mailbox; returns its place, for [`Slot::store`].
    pub(super) fn admitted(&self) -> Option<Arc<Slot>> {
        let slot = self.0.as_ref()?;
        let mut state = lock(&slot.state);
        let Stage::Outside { value } = &mut state.stage else {
            return None;
        };
        let value = Some(std::mem::take(value));
        state.stage = Stage::Storing { value, end: None };
        Some(slot.clone())
    }

    /// Undoes [`Stored::admitted`].
    pub(super) fn restore(slot: &Slot) {
        let mut state = lock(&slot.state);
        if let Stage::Storing { value, .. } = &mut state.stage {
            let value = value.take().unwrap_or_default();
            state.stage = Stage::Outside { value };
        }
    }

    /// Reports whether the message stays in the store although it was not handled.
    pub(super) fn stays(&self, reason: &DeadLetterReason) -> bool {
        self.0.is_some() && *reason == DeadLetterReason::ShutDown
    }

    /// Records that the message dies; returns false if its dead letter is none of the store's.
    pub(super) fn dies(&self, reason: &DeadLetterReason) -> bool {
        if let Some(slot) = &self.0 {
            lock(&slot.state).reason = Some(reason.clone());
        }
        self.0.is_some()
    }

    /// Ends the message in the store, and then runs `then`.
    pub(super) fn end(self, then: impl FnOnce() + Send + 'static) {
        match self.0 {
            Some(slot) => {
                let reason = lock(&slot.state).reason.take();
                slot.end(End(reason, Box::new(then)));
            }
            None => then(),
        }
    }
}

impl Actor {
    /// Takes up the messages that are in the store, which the mailbox keeps whatever its bounds.
    pub(super) fn take_up(self: &Arc<Self>) -> Result<(), ActorError> {
        let Some(open) = &self.queue.0 else { return Ok(()) };
        self.queue.flush();
        let mut after = None;
        loop {
            let entries = open.shared.store.queue(open.id.as_str(), after, READ_BYTES)?;
            let Some(last) = entries.last() else { return Ok(()) };
            after = Some(last.number);
            let mut state = self.lock();
            for entry in entries {
                let slot = Slot::new(open, Stage::In(entry.number));
                match record::decode(&entry.value) {
                    Ok(letter) => self.take_up_letter(&mut state, letter, slot),
                    Err(problem) => {
                        log::error!(
                            "a message of `{}` in the store is not readable: {problem}",
                            open.id
                        );
                        let reason = Some(DeadLetterReason::GaveUp);
                        slot.end(End(reason, Box::new(|| ())));
                    }
                }
            }
        }
    }

    fn take_up_letter(self: &Arc<Self>, state: &mut State, mut letter: Box<Letter>, slot: Arc<Slot>) {
        let ticket = state.mailbox.next_ticket();
        letter.stored = Stored(Some(slot));
        letter.alarm = letter.deadline.map(|at| {
            let alarm = Alarm::Message(Arc::downgrade(self), ticket);
            self.core.timer.set(at, alarm)
        });
        state.counters.sent += 1;
        state.mailbox.take_up(letter.payload.len(), letter);
    }

    /// Accepts a message that is in the store now.
    fn stored(self: &Arc<Self>, ticket: u64) {
        let mut outbox = Outbox::default();
        let mut state = self.lock();
        if let Some(letter) = state.mailbox.inside_mut(ticket)
            && let Receipt::Acceptance(receiver) = &mut letter.receipt
        {
            outbox.accept(receiver.take());
        }
        self.schedule_in(&mut state);
        drop(state);
        outbox.send(self);
    }

    /// Refuses a message that the store did not take.
    fn not_stored(self: &Arc<Self>, ticket: u64, error: ActorError) {
        let mut outbox = Outbox::default();
        let mut guard = self.lock();
        let state = &mut *guard;
        let accepted = &mut outbox.accepted;
        let removed: Option<Box<Letter>> = state
            .mailbox
            .remove(ticket, |letter| accepted.extend(letter.accepted()));
        if let Some(letter) = removed {
            state.refuse(letter, error, &mut outbox);
        }
        self.schedule_in(state);
        drop(guard);
        outbox.send(self);
    }
}

/// Reports whether an entry of the mailbox must not be handled yet.
pub(super) fn is_storing(entry: Option<&Entry<Box<Letter>>>) -> bool {
    entry.is_some_and(|entry| entry.message.stored.is_storing())
}
