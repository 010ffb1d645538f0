//! Several hosts of [`airssys_wasm`] over NATS with JetStream.
//!
//! A host that [joins](Cluster::join) a cluster accepts messages of the other hosts for its actors, and sends messages to
//! theirs. Its messages carry a code that only hosts with the cluster's [key](ClusterKey) can make: messages of strangers are
//! counted ([`ClusterCounters::forged`]) and dropped before any of them is read.
//!
//! ```no_run
//! use airssys_wasm::{ComponentRuntime, RuntimeConfig};
//! use airssys_wasm_cluster::{Cluster, ClusterKey, ClusterOptions, Name};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let runtime = ComponentRuntime::new(RuntimeConfig::builder().build()?)?;
//! let key = ClusterKey::from_file("/etc/airssys/cluster.key")?;
//! let options = ClusterOptions::new(Name::new("shop")?, Name::new("eu-1")?, key)
//!     .with_server("nats://127.0.0.1:4222");
//! let cluster = Cluster::join(&runtime, options).await?;
//! let answer = cluster.send(&"eu-2/counter".parse()?, b"a payload".to_vec()).await?;
//! # drop(answer);
//! # Ok(())
//! # }
//! ```
//!
//! [`Cluster::send_durable`] puts a message into a stream on the servers, from which the host of a component takes it when there
//! is one:
//!
//! ```no_run
//! use airssys_wasm_cluster::{Cluster, ClusterError, DurableOptions};
//!
//! # async fn run(cluster: Cluster, id: airssys_wasm::ComponentId) -> Result<(), Box<dyn std::error::Error>> {
//! let options = DurableOptions::new().with_message_id("order 4711");
//! let mut sent = cluster.send_durable(&id, b"a payload".to_vec(), options.clone()).await;
//! while let Err(ClusterError::NotKnownStored { .. }) = sent {
//!     // With the same id, so that it is handled once.
//!     sent = cluster.send_durable(&id, b"a payload".to_vec(), options.clone()).await;
//! }
//! # sent?;
//! # Ok(())
//! # }
//! ```
//!
//! Components of the runtime reach those of other hosts with the contract's `send-message`: by the identity that a host has
//! [announced](Cluster::announce), or by an [`Address`]. The sender is an address for them, `host/identity`, to which they can reply.
//! The call returns when the message is in the mailbox there.
//!
//! Results are [`Pending`]: futures for any executor, or awaited by a thread. The cluster has threads of its own.
//!
//! The servers are nats-server 2.12 or later with JetStream; older ones ignore parts of what they are asked for, and are
//! refused when the host joins.

mod artifacts;
mod body;
mod call;
mod cluster;
mod connect;
mod counters;
mod durable;
mod envelope;
mod error;
mod executor;
mod inbox;
mod key;
mod lease;
mod mail;
mod names;
mod nats;
mod node;
mod options;
mod pending;
mod placed;
mod placement;
mod placer;
mod placing;
mod post;
mod presence;
mod receive;
mod registry;
mod request;
mod seen;
mod serve;
#[cfg(test)]
mod simulation;
mod slots;
mod subjects;
mod time;
mod tls;
mod told;
mod topics;
mod transport;

pub use artifacts::{ArtifactDigest, InvalidArtifactDigest, MAX_ARTIFACT_BYTES};
pub use cluster::{Cluster, ClusterState};
pub use counters::ClusterCounters;
pub use durable::{DurableOptions, MAX_MESSAGE_ID_BYTES, Stored};
pub use error::{ClusterError, FailureKind, InvalidClusterOptions};
pub use key::{ClusterKey, MAX_SECRET_BYTES, MIN_SECRET_BYTES};
pub use names::{Address, InvalidName, MAX_NAME_BYTES, Name};
pub use node::RESERVED_BYTES;
pub use options::{ClusterOptions, MAX_REQUEST_TIME, MailLimits};
pub use pending::Pending;
pub use placement::{MAX_DECLARED, MAX_LABELS, MAX_MEMBERS};
pub use placer::Placer;
pub use topics::{DurablePublished, MAX_SUBSCRIBERS};
