//! Components as actors: a mailbox each, one message at a time for each instance, failed instances replaced.
//!
//! An [`ActorSystem`] has a number of workers, threads on which all calls of its actors run. A message waits in the bounded
//! mailbox of its actor until a worker has a turn for it: a turn is a bounded number of messages, so that no actor starves
//! another. Guests run on workers only, never on the threads of senders; a worker holds no lock meanwhile.
//!
//! [`ComponentRuntime`](crate::ComponentRuntime) has the methods:
//! [`load_component_as_actor`](crate::ComponentRuntime::load_component_as_actor),
//! [`send_message_to_component`](crate::ComponentRuntime::send_message_to_component),
//! [`stop_actor`](crate::ComponentRuntime::stop_actor). Their results are [`Pending`]: futures for any executor, or awaited
//! by a thread.
//!
//! ```no_run
//! use airssys_wasm::actors::ActorSystem;
//! use airssys_wasm::codec::{self, Codec};
//! use airssys_wasm::manifest::ComponentManifest;
//! use airssys_wasm::security::SecurityContext;
//! use airssys_wasm::{ComponentRuntime, RuntimeConfig};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let runtime = ComponentRuntime::new(RuntimeConfig::builder().build()?)?;
//! let (system, security) = (ActorSystem::new()?, SecurityContext::new());
//! let manifest = ComponentManifest::from_wasm_file("counter.wasm")?;
//! let id = runtime
//!     .load_component_as_actor("counter.wasm", &manifest, &system, &security)
//!     .await?;
//! let operation = codec::operation(Codec::Json, "increment", &serde_json::Value::Null)?;
//! let answer = runtime.send_message_to_component(&id, operation).await?;
//! # Ok(())
//! # }
//! ```
//!
//! An actor's instance that traps, exceeds a limit or exits is replaced by a fresh one, by its [`RestartPolicy`]. Messages
//! stay in its mailbox; so do those of other components (`receive-message`), and the identity. Settings that the component
//! changed, and its memory, are those of the first instance again.
//!
//! With the feature `durable` and a store, messages and settings of durable actors outlast the process
//! ([`ActorOptions::durable`]).
//!
//! The files without threads and clocks, `mailbox`, `supervision` and `trial`, decide; `actor`, `step`, `ended`, `lanes` and `state` apply
//! that under a lock, `turn` calls the guest, `core` and `timer` are the threads.

mod actor;
mod core;
mod dead_letters;
#[cfg_attr(not(feature = "durable"), path = "not_durable.rs")]
mod durable;
mod ended;
mod error;
mod events;
mod group;
mod guest_messages;
mod health;
mod lanes;
mod letter;
mod load;
mod mailbox;
#[cfg(feature = "durable")]
mod once;
mod options;
mod pending;
mod replace;
mod state;
mod status;
mod step;
mod supervision;
mod system;
mod timer;
mod together;
mod topics;
mod transfer;
mod trial;
mod turn;
mod update;
mod versions;

pub use self::core::{ShutdownReport, before_blocking};
pub use dead_letters::{DeadLetter, DeadLetterReason};
pub use error::{ActorError, ActorSystemError};
pub use events::{ActorEvent, ActorEventKind, ActorEvents, MAX_KEPT_EVENTS};
pub use group::{ActorGroup, GroupStrategy};
pub use mailbox::MAX_WAITING_SENDERS;
pub use options::{
    ActorOptions, Backpressure, GuestMessages, HealthProbe, InvalidActorOptions, MAX_INSTANCES, Restart,
    RestartPolicy, SendOptions,
};
pub use pending::Pending;
pub use replace::{NewVersion, ReplaceOptions, Replaced, StateTransfer};
pub use status::{ActorCounters, ActorPhase, ActorStatus};
pub use system::{ActorSystem, ActorSystemBuilder};
pub use topics::Published;
pub use versions::{ActorVersion, MAX_EARLIER_VERSIONS};
