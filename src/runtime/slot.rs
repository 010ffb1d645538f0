//! One loaded component: its instance, its state, and the calls into it.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::directory::MetadataCell;
use super::error::{Payload, RuntimeError};
use super::grants;
use super::guest::GuestInstance;
use super::lifecycle::ExecutionContext;
use super::limits;
use super::metadata;
use super::options::Allowance;
use super::snapshot::SnapshotProblem;
use super::start::{Start, WasiGrants};
use super::state::{Call, ComponentState};
use super::supervised::Seat;
use super::watch::Watched;
use crate::artifact::{Artifact, SecretKey, SnapshotOptions};
use crate::component::Component;
use crate::engine::{Backend, StoreLimits};
use crate::error::Error;
use crate::host::{ComponentMetadata, HealthStatus, HostContext};
use crate::limits::{EffectiveLimit, EffectiveLimits, Resource};
use crate::messaging::{ComponentId, Mailbox};
use crate::tiered::TieredComponent;
use airssys_wasm_component::internal::InterruptHandle;

/// A loaded component.
#[derive(Debug)]
pub(super) struct Slot {
    id: ComponentId,
    status: Mutex<Status>,
    /// Locked by the thread whose call `status` records, so never contended. `None` once it is freed.
    guest: Mutex<Option<GuestInstance>>,
    start: Start,
    metadata: MetadataCell,
    mailbox: Arc<Mailbox>,
    /// Source of optimized code, with a tiered backend.
    tiered: Option<TieredComponent>,
    /// Set for an actor.
    pub(super) seat: Option<Box<Seat>>,
    /// The mailbox belongs to another version of the component.
    is_replaced: AtomicBool,
    /// Its instances begin initialized.
    is_snapshot: bool,
}

#[derive(Debug)]
struct Status {
    state: ComponentState,
    running: Option<Call>,
    backend: Backend,
}

impl Slot {
    pub(super) fn new(
        id: ComponentId,
        guest: GuestInstance,
        start: Start,
        metadata: MetadataCell,
        mailbox: Arc<Mailbox>,
        tiered: Option<TieredComponent>,
    ) -> Slot {
        Slot {
            id,
            status: Mutex::new(Status {
                state: ComponentState::Created,
                running: None,
                backend: guest.backend,
            }),
            guest: Mutex::new(Some(guest)),
            start,
            metadata,
            mailbox,
            tiered,
            seat: None,
            is_replaced: AtomicBool::new(false),
            is_snapshot: false,
        }
    }

    /// Returns the backend of its instance, or of the instance that was freed.
    pub(super) fn backend(&self) -> Backend {
        lock(&self.status).backend
    }

    pub(super) fn tiered(&self) -> Option<&TieredComponent> {
        self.tiered.as_ref()
    }

    pub(super) fn state(&self) -> ComponentState {
        let status = lock(&self.status);
        match status.running {
            Some(Call::Execute) => ComponentState::Executing,
            _ => status.state,
        }
    }

    /// `make` creates another instance of the component.
    pub(super) fn init(
        &self,
        allowed: Allowance,
        make: impl FnOnce(
            &Component,
            HostContext,
            &WasiGrants,
            StoreLimits,
        ) -> Result<GuestInstance, RuntimeError>,
    ) -> Result<(), RuntimeError> {
        if let (true, ComponentState::Initialized, Some(metadata)) =
            (self.is_snapshot, self.state(), self.metadata.get())
        {
            return self.check_needs(metadata).map(drop);
        }
        let mut running = self.begin(Call::Init)?;
        running.optimize(make);
        let metadata = running.metadata(allowed.clone())?;
        let memory = self.check_needs(&metadata)?;
        let mut config = Cow::Borrowed(&self.start.config);
        if let Some(limit) = memory.filter(|limit| limit.value < config.resource_limits.max_memory_bytes) {
            config.to_mut().resource_limits.max_memory_bytes = limit.value;
        }
        let answer = running.call(allowed, |guest| guest.init(&config))?;
        running.next = Some(match answer {
            Ok(()) => ComponentState::Initialized,
            Err(_) => ComponentState::Failed,
        });
        answer.map_err(RuntimeError::Component)
    }

    /// Checks that the component gets what its metadata requires. Returns its limit on memory.
    fn check_needs(&self, metadata: &ComponentMetadata) -> Result<Option<EffectiveLimit>, RuntimeError> {
        let needed = metadata.memory_requirements.min_memory_bytes;
        let memory = self.memory_limit();
        if let Some(limit) = &memory
            && needed > limit.value
        {
            return Err(RuntimeError::Memory {
                id: self.id.clone(),
                needed,
                limit: limit.value,
                origin: limit.source.clone(),
            });
        }
        grants::check_required(&self.id, &self.start.security, metadata)?;
        Ok(memory)
    }

    /// Begins with the state after `init`, as a snapshot has it.
    pub(super) fn begin_initialized(&mut self, metadata: ComponentMetadata) -> Result<(), RuntimeError> {
        let metadata = self.metadata.fill(metadata).clone();
        if let (Some(guest), Some(limit)) = (lock(&self.guest).as_mut(), metadata::memory(&metadata)) {
            self.lower_memory(guest, limit)?;
        }
        self.check_needs(&metadata)?;
        self.is_snapshot = true;
        lock(&self.status).state = ComponentState::Initialized;
        Ok(())
    }

    /// Returns an artifact whose instances begin with the state that the component has now.
    pub(super) fn snapshot(
        &self,
        artifact: &Artifact<'_>,
        key: Option<&SecretKey>,
    ) -> Result<Vec<u8>, RuntimeError> {
        let _running = self.begin(Call::Snapshot)?;
        let refused = |problem| RuntimeError::Snapshot {
            id: self.id.clone(),
            problem,
        };
        let metadata = self.metadata.get();
        let mut guest = lock(&self.guest);
        let (Some(guest), Some(metadata)) = (guest.as_mut(), metadata) else {
            let source = Error::bug("an initialized component without an instance or metadata");
            let (id, call) = (self.id.clone(), Call::Snapshot);
            return Err(RuntimeError::Call { id, call, source });
        };
        let mut held = guest.host_state();
        held.extend(self.start.secrets.iter().cloned());
        match self.mailbox.len() {
            0 => {}
            1 => held.push("a message".into()),
            messages => held.push(format!("{messages} messages")),
        }
        if !held.is_empty() {
            return Err(refused(SnapshotProblem::HostState(held)));
        }
        let record = guest.record(&self.start.config, metadata);
        let record = record.write().map_err(refused)?;
        let mut options = SnapshotOptions::default();
        (options.key, options.record) = (key, &record);
        let made = guest.snapshot(artifact, &options);
        made.map_err(|error| refused(error.into()))
    }

    /// `started` gets the handle that stops the guest, before it runs.
    pub(super) fn execute(
        &self,
        operation: &[u8],
        context: &ExecutionContext,
        allowed: Allowance,
        started: impl FnOnce(InterruptHandle),
    ) -> Result<Vec<u8>, RuntimeError> {
        self.check_payload(Payload::Operation, operation.len())?;
        let mut running = self.begin(Call::Execute)?;
        let answer = running.call(allowed, |guest| {
            started(guest.interrupter());
            guest.execute(operation, context)
        })?;
        let answer = answer.map_err(RuntimeError::Execution)?;
        self.check_payload(Payload::Answer, answer.len())?;
        Ok(answer)
    }

    /// Frees the instance, which has failed from then on. Without effect while a call runs.
    pub(super) fn fail(&self) {
        let mut status = lock(&self.status);
        if status.running.is_none() {
            status.state = ComponentState::Failed;
            // No call begins before the state is known.
            let guest = lock(&self.guest).take();
            drop(status);
            drop(guest);
        }
    }

    /// Replaces the instance of a component that has failed, or that `init` left created: `init` can be called again. Instances of a
    /// snapshot begin initialized.
    pub(super) fn replace(&self, mut guest: GuestInstance) -> Result<(), RuntimeError> {
        let state = self.state();
        if !matches!(state, ComponentState::Failed | ComponentState::Created) {
            return Err(self.wrong_state(state, Call::Instantiate));
        }
        if let Some(limit) = self.known_metadata().and_then(|known| metadata::memory(known)) {
            self.lower_memory(&mut guest, limit)?;
        }
        let backend = guest.backend;
        *lock(&self.guest) = Some(guest);
        let mut status = lock(&self.status);
        let first = match self.is_snapshot {
            true => ComponentState::Initialized,
            false => ComponentState::Created,
        };
        (status.state, status.backend) = (first, backend);
        Ok(())
    }

    /// Frees the instance, and drops the messages of other components.
    pub(super) fn discard(&self) {
        let guest = lock(&self.guest).take();
        drop(guest);
        if !self.is_replaced() {
            self.mailbox.discard();
        }
    }

    /// Leaves the mailbox to another version of the component: the end of this one does not close it.
    pub(super) fn leave_mailbox(&self) {
        self.is_replaced.store(true, Ordering::Release);
    }

    fn is_replaced(&self) -> bool {
        self.is_replaced.load(Ordering::Acquire)
    }

    pub(super) fn metadata_cell(&self) -> &MetadataCell {
        &self.metadata
    }

    pub(super) fn shared_mailbox(&self) -> &Arc<Mailbox> {
        &self.mailbox
    }

    fn lower_memory(&self, guest: &mut GuestInstance, limit: EffectiveLimit) -> Result<(), RuntimeError> {
        let lowered = guest.lower_memory_limit(limit.value);
        lowered.map_err(|exceeded| RuntimeError::LimitExceeded {
            id: self.id.clone(),
            exceeded,
            limit: Box::new(limit),
        })
    }

    fn check_payload(&self, payload: Payload, bytes: usize) -> Result<(), RuntimeError> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        match self.limits().get(Resource::PayloadBytes) {
            Some(limit) if bytes > limit.value => Err(RuntimeError::Payload {
                id: self.id.clone(),
                payload,
                bytes,
                limit: limit.value,
                origin: limit.source.clone(),
            }),
            _ => Ok(()),
        }
    }

    pub(super) fn id(&self) -> &ComponentId {
        &self.id
    }

    pub(super) fn grants(&self) -> &WasiGrants {
        &self.start.grants
    }

    pub(super) fn limits(&self) -> &EffectiveLimits {
        &self.start.grants.limits
    }

    /// Returns the limit on memory, which is that of the metadata once it is known, if it is lower.
    pub(super) fn memory_limit(&self) -> Option<EffectiveLimit> {
        let limit = self.limits().get(Resource::Memory);
        let own = self
            .known_metadata()
            .and_then(|metadata| metadata::memory(metadata));
        match (limit, own) {
            (Some(limit), Some(own)) if own.value >= limit.value => Some(limit.clone()),
            (_, Some(own)) => Some(own),
            (limit, None) => limit.cloned(),
        }
    }

    pub(super) fn known_metadata(&self) -> Option<&Arc<ComponentMetadata>> {
        self.metadata.get()
    }

    /// Returns known metadata without a call, so also while another call runs.
    pub(super) fn metadata(&self, allowed: Allowance) -> Result<Arc<ComponentMetadata>, RuntimeError> {
        if let Some(metadata) = self.metadata.get() {
            let state = lock(&self.status).state;
            return match Call::Metadata.is_allowed(state) {
                true => Ok(metadata.clone()),
                false => Err(self.wrong_state(state, Call::Metadata)),
            };
        }
        self.begin(Call::Metadata)?.metadata(allowed)
    }

    /// `started` gets the handle that stops the guest, before it runs.
    pub(super) fn health(
        &self,
        allowed: Allowance,
        started: impl FnOnce(InterruptHandle),
    ) -> Result<HealthStatus, RuntimeError> {
        self.begin(Call::Health)?.call(allowed, |guest| {
            started(guest.interrupter());
            guest.health()
        })
    }

    pub(super) fn supported_codecs(&self, allowed: Allowance) -> Result<Vec<u64>, RuntimeError> {
        self.begin(Call::SupportedCodecs)?
            .call(allowed, GuestInstance::supported_codecs)
    }

    /// Shuts the component down, even if it returns an error.
    pub(super) fn shutdown(&self, allowed: Allowance) -> Result<(), RuntimeError> {
        let mut running = self.begin(Call::Shutdown)?;
        // The mailbox accepts no more messages; the component itself can still empty it.
        if !self.is_replaced() {
            self.mailbox.close();
        }
        running.next = Some(ComponentState::ShutDown);
        let answer = running.call(allowed, GuestInstance::shutdown)?;
        answer.map_err(|error| {
            log::warn!("`{}` shut down with an error: {error}", self.id);
            RuntimeError::Component(error)
        })
    }

    /// Records a call, if the state allows it and no other is recorded.
    fn begin(&self, call: Call) -> Result<Running<'_>, RuntimeError> {
        let mut status = lock(&self.status);
        if let Some(running) = status.running {
            let id = self.id.clone();
            return Err(RuntimeError::Busy { id, call, running });
        }
        if !call.is_allowed(status.state) {
            return Err(self.wrong_state(status.state, call));
        }
        status.running = Some(call);
        Ok(Running {
            slot: self,
            call,
            next: None,
            panicking: std::thread::panicking(),
        })
    }

    fn wrong_state(&self, state: ComponentState, call: Call) -> RuntimeError {
        let id = self.id.clone();
        RuntimeError::WrongState { id, state, call }
    }
}

/// A recorded call. Dropping it, also on a panic, clears the record and sets the next state.
struct Running<'a> {
    slot: &'a Slot,
    call: Call,
    next: Option<ComponentState>,
    /// Set if the thread was already panicking when the call began: then a panic at its end says nothing about it.
    panicking: bool,
}

impl Running<'_> {
    /// Replaces the instance with one on optimized code, if that code is ready and the component cannot observe the
    /// replacement.
    fn optimize(
        &mut self,
        make: impl FnOnce(
            &Component,
            HostContext,
            &WasiGrants,
            StoreLimits,
        ) -> Result<GuestInstance, RuntimeError>,
    ) {
        let Some(tiered) = self.slot.tiered.as_ref().filter(|tiered| tiered.is_optimized()) else {
            return;
        };
        let mut guest = lock(&self.slot.guest);
        let component = tiered.current();
        let Some(before) = guest.as_mut() else { return };
        if before.backend == component.backend() {
            return;
        }
        let Some((context, limits)) = before.pristine() else {
            return;
        };
        match make(&component, context, &self.slot.start.grants, limits) {
            Ok(after) => {
                *before = after;
                lock(&self.slot.status).backend = component.backend();
            }
            Err(error) => log::warn!("`{}` continues with unoptimized code: {error}", self.slot.id),
        }
    }

    /// Calls into the guest, with a deadline, and with the CPU time and fuel of one call.
    fn call<R>(
        &mut self,
        allowed: Allowance,
        work: impl FnOnce(&mut GuestInstance) -> Result<R, Error>,
    ) -> Result<R, RuntimeError> {
        let id = &self.slot.id;
        let limits = self.slot.limits();
        let failed = |intact, source| RuntimeError::of_call(id, self.call, &allowed, limits, intact, source);
        let mut guest = lock(&self.slot.guest);
        let Some(guest) = guest.as_mut() else {
            let source = Error::bug("a component that may be called has no instance");
            return Err(failed(true, source));
        };
        let deadline = Instant::now().checked_add(allowed.time);
        let watched = guest
            .set_fuel(limits::fuel(limits))
            .and_then(|()| Watched::new(guest.interrupter(), deadline, limits::cpu_time(limits)));
        let watched = watched.map_err(|error| failed(true, error))?;
        guest.called = true;
        guest.set_deadline(deadline);
        let result = work(guest).map_err(|error| watched.explain(error));
        drop(watched);
        guest.set_deadline(None);
        result.map_err(|source| {
            let intact = !guest.is_poisoned();
            if !intact {
                self.next = Some(ComponentState::Failed);
            }
            failed(intact, source)
        })
    }

    /// Returns the metadata; queries the component if it is not known.
    fn metadata(&mut self, allowed: Allowance) -> Result<Arc<ComponentMetadata>, RuntimeError> {
        let cell = &self.slot.metadata;
        if let Some(metadata) = cell.get() {
            return Ok(metadata.clone());
        }
        let metadata = self.call(allowed, GuestInstance::metadata)?;
        metadata::check(&metadata).map_err(|problem| RuntimeError::Metadata {
            id: self.slot.id.clone(),
            problem,
        })?;
        self.limit_memory(&metadata)?;
        Ok(cell.fill(metadata).clone())
    }
}

impl Running<'_> {
    /// Applies the most memory that the metadata states to all growth from now on.
    fn limit_memory(&self, metadata: &ComponentMetadata) -> Result<(), RuntimeError> {
        let mut guest = lock(&self.slot.guest);
        let (Some(guest), Some(limit)) = (guest.as_mut(), metadata::memory(metadata)) else {
            return Ok(());
        };
        self.slot.lower_memory(guest, limit)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() && !self.panicking {
            self.next = Some(ComponentState::Failed);
        }
        if matches!(self.next, Some(ComponentState::ShutDown | ComponentState::Failed)) {
            let guest = lock(&self.slot.guest).take();
            drop(guest);
            // Messages of other components outlast the instance of an actor, which is replaced.
            if (self.slot.seat.is_none() || self.next == Some(ComponentState::ShutDown))
                && !self.slot.is_replaced()
            {
                self.slot.mailbox.discard();
            }
        }
        let mut status = lock(&self.slot.status);
        status.running = None;
        if let Some(next) = self.next {
            status.state = next;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // `Running` leaves a consistent state behind after a panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
