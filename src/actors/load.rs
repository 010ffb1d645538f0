//! The methods of a runtime that concern actors.

use std::path::Path;
use std::sync::Arc;

use super::actor::Actor;
use super::core::Core;
use super::durable::Queue;
use super::error::ActorError;
use super::events::ActorEventKind;
use super::letter::{Letter, Receipt};
use super::options::{ActorOptions, GuestMessages, SendOptions};
use super::pending::{Cancel, Pending, pending};
use super::state::Closing;
use super::status::ActorStatus;
use super::system::ActorSystem;
use super::versions::Version;
use crate::artifact::Trust;
use crate::load::{Loaded, Source};
use crate::manifest::ComponentManifest;
use crate::messaging::ComponentId;
use crate::runtime::{ComponentOptions, ComponentRuntime, RuntimeError};
use crate::security::SecurityContext;

/// # Actors
///
/// Methods of [`actors`](crate::actors).
impl ComponentRuntime {
    /// Loads a component from a file and initializes it, on a worker of `system`, which then calls it for its messages. It gets
    /// what its manifest declares and the policy of `security` allows. Its identity is derived from the manifest's name.
    ///
    /// Dropping the result before it is there stops the actor.
    ///
    /// # Errors
    /// [`ActorError::Runtime`] with the errors of [`ComponentRuntime::load_component_from_file`] and of
    /// [`ComponentRuntime::init`]: then nothing of the component remains. [`ActorError::ShutDown`].
    pub fn load_component_as_actor(
        &self,
        path: impl AsRef<Path>,
        manifest: &ComponentManifest,
        system: &ActorSystem,
        security: &SecurityContext,
    ) -> Pending<ComponentId> {
        let path = path.as_ref().to_owned();
        let options = ComponentOptions::new()
            .with_name_of(&path)
            .with_manifest(manifest)
            .with_security(security.clone());
        self.start_with(system, ActorOptions::new(), options, move |runtime, options| {
            let source = Source::open(&path)?;
            Ok(runtime
                .loader()
                .load(&source, &Trust::default(), options.load_options())?)
        })
    }

    /// Instantiates what [`Loader::load`](crate::load::Loader::load) returned, and initializes it, with options of the
    /// component and of the actor. Otherwise as [`ComponentRuntime::load_component_as_actor`].
    ///
    /// # Errors
    /// As [`ComponentRuntime::load_component_as_actor`]; [`ActorError::Options`].
    pub fn start_actor(
        &self,
        loaded: &Loaded,
        component: ComponentOptions,
        system: &ActorSystem,
        options: ActorOptions,
    ) -> Pending<ComponentId> {
        let loaded = loaded.clone();
        self.start_with(system, options, component, move |_, _| Ok(loaded))
    }

    fn start_with(
        &self,
        system: &ActorSystem,
        options: ActorOptions,
        component: ComponentOptions,
        load: impl FnOnce(&ComponentRuntime, &ComponentOptions) -> Result<Loaded, RuntimeError> + Send + 'static,
    ) -> Pending<ComponentId> {
        if let Err(invalid) = options.check() {
            return Pending::ready(Err(invalid.into()));
        }
        let (runtime, core) = (self.clone(), system.core().clone());
        let (loading, key) = match core.begin_load() {
            Ok(begun) => begun,
            Err(error) => return Pending::ready(Err(error)),
        };
        let (receiver, started) = pending();
        system.core().submit(move || {
            let result = start(&runtime, &core, key, options, component, load);
            let actor = result.as_ref().ok().cloned();
            // Before the answer, so that a system that is shut down after it has nothing left to wait for.
            drop(loading);
            if !receiver.complete(result.map(|actor| actor.id().clone()))
                && let Some(actor) = actor
            {
                actor.close(Closing::Stop, None);
            }
        });
        started
    }

    /// Sends a message to an actor: a payload ([`codec::operation`](crate::codec::operation)) that its `execute` gets. Returns
    /// the answer.
    ///
    /// Messages that one thread sends one after the other are handled in that order, one at a time. Dropping the result
    /// gives the message up: one that waits leaves the mailbox. A call that runs is interrupted, as at its deadline, and a
    /// fresh instance takes the place of the one that was interrupted, which the policy on restarts does not count.
    ///
    /// # Errors
    /// [`ActorError::Unknown`], [`ActorError::TooLarge`], [`ActorError::Full`], [`ActorError::GaveUp`],
    /// [`ActorError::Stopped`] and [`ActorError::ShutDown`], and of durable actors `ActorError::Store`, for a message that is
    /// refused; [`ActorError::Displaced`],
    /// [`ActorError::Expired`], [`ActorError::Poison`], or any of the above, for one that goes to the dead letters;
    /// [`ActorError::Runtime`] with the errors of [`ComponentRuntime::execute`].
    pub fn send_message_to_component(
        &self,
        id: &ComponentId,
        payload: impl Into<Vec<u8>>,
    ) -> Pending<Vec<u8>> {
        self.send_message_to_component_with(id, payload, SendOptions::new())
    }

    /// Sends a message as [`ComponentRuntime::send_message_to_component`] does, with options.
    ///
    /// # Errors
    /// Those of [`ComponentRuntime::send_message_to_component`].
    pub fn send_message_to_component_with(
        &self,
        id: &ComponentId,
        payload: impl Into<Vec<u8>>,
        options: SendOptions,
    ) -> Pending<Vec<u8>> {
        let (receiver, answer) = pending();
        self.send(id, payload.into(), options, Receipt::Answer(receiver), answer)
    }

    /// Sends a message whose answer is dropped. The result is there as soon as the message is in the mailbox: at once, unless
    /// its sender waits for room ([`Backpressure::Wait`](super::Backpressure::Wait)). Dropping the result before that gives the
    /// message up.
    ///
    /// # Errors
    /// For a message that is refused, as for [`ComponentRuntime::send_message_to_component`]. Later failures are in the dead
    /// letters.
    pub fn tell(&self, id: &ComponentId, payload: impl Into<Vec<u8>>) -> Pending<()> {
        self.tell_with(id, payload, SendOptions::new())
    }

    /// Sends a message as [`ComponentRuntime::tell`] does, with options.
    ///
    /// # Errors
    /// Those of [`ComponentRuntime::tell`].
    pub fn tell_with(
        &self,
        id: &ComponentId,
        payload: impl Into<Vec<u8>>,
        options: SendOptions,
    ) -> Pending<()> {
        let (receiver, accepted) = pending();
        let receipt = Receipt::Acceptance(Some(receiver));
        self.send(id, payload.into(), options, receipt, accepted)
    }

    fn send<T>(
        &self,
        id: &ComponentId,
        payload: Vec<u8>,
        options: SendOptions,
        receipt: Receipt,
        result: Pending<T>,
    ) -> Pending<T> {
        let letter = Letter::new(payload, options, receipt);
        let Some(actor) = self.actor(id) else {
            letter.answer(Err(ActorError::Unknown(id.clone())));
            return result;
        };
        match actor.offer(letter) {
            Some(ticket) => result.cancels(Cancel {
                actor: Arc::downgrade(&actor),
                ticket,
            }),
            None => result,
        }
    }

    /// Stops an actor: it accepts no message any more, handles those in its mailbox, and is then shut down and unloaded.
    /// Dropping the result changes nothing.
    ///
    /// # Errors
    /// [`ActorError::Unknown`].
    pub fn stop_actor(&self, id: &ComponentId) -> Pending<()> {
        let Some(actor) = self.actor(id) else {
            return Pending::ready(Err(ActorError::Unknown(id.clone())));
        };
        let (receiver, stopped) = pending();
        actor.close(Closing::Stop, Some(receiver));
        stopped
    }

    /// Returns the state of an actor at this moment.
    ///
    /// # Errors
    /// [`ActorError::Unknown`].
    pub fn actor_status(&self, id: &ComponentId) -> Result<ActorStatus, ActorError> {
        let actor = self.actor(id).ok_or_else(|| ActorError::Unknown(id.clone()))?;
        Ok(actor.status())
    }

    pub(super) fn actor(&self, id: &ComponentId) -> Option<Arc<Actor>> {
        self.actor_of(id)?.downcast().ok()
    }
}

/// Loads and initializes a component, and adds its actor to the system.
fn start(
    runtime: &ComponentRuntime,
    core: &Arc<Core>,
    key: u64,
    options: ActorOptions,
    component_options: ComponentOptions,
    load: impl FnOnce(&ComponentRuntime, &ComponentOptions) -> Result<Loaded, RuntimeError>,
) -> Result<Arc<Actor>, ActorError> {
    let component_options = component_options.with_saved_settings(core.store.settings(&options)?);
    let loaded = load(runtime, &component_options)?;
    let component = runtime.supervise(&loaded, component_options.clone())?;
    let queue = Queue::open(core, component.id(), options.durable).inspect_err(|_| component.unload())?;
    let delivery = options.guest_messages;
    let instances = options.instances;
    let version = Version::new(1, loaded, component_options);
    let actor = Arc::new(Actor::new(core.clone(), key, component, version, queue, options));
    let component = actor.component();
    let publish = |kind| core.events.publish(actor.id(), kind);
    publish(ActorEventKind::Started);
    let result = super::turn::contained(&actor, || {
        actor.take_up()?;
        component.init()?;
        // Before another refers to the version.
        actor.lock().versions.record(&component);
        actor.open_lanes(instances)?;
        core.enter(&actor)
    });
    if let Err(error) = result {
        for lane in actor.take_lanes() {
            lane.discard();
        }
        component.unload();
        publish(ActorEventKind::Stopped);
        return Err(error);
    }
    publish(ActorEventKind::Ready);
    component.attach(actor.weak());
    if let Some(group) = &actor.group {
        group.join(&actor);
    }
    actor.watch_health();
    if delivery == GuestMessages::Execute {
        actor.receive_all();
    }
    // Messages that were in the store.
    actor.schedule();
    Ok(actor)
}
