//! The registry of hosts and components: a key-value bucket of JetStream, whose values are leases.
//!
//! A lease is moved by comparing the revision and setting the value. The bucket's own times to live are not used: the server
//! drops that of a key when the key is set again.

use std::sync::Arc;

use async_nats::jetstream;
use async_nats::jetstream::kv::{Config, Store};
use async_nats::jetstream::stream::StorageType;

use crate::call::timed;
use crate::error::ClusterError;
use crate::lease::Lease;
use crate::names::Name;
use crate::options::ClusterOptions;
use crate::transport::Transport;

/// Most bytes of the registry, about 400 a component. Stops hosts that announce without end from filling the server's disk.
const MAX_BYTES: i64 = 256 << 20;

/// The leases in the bucket.
#[derive(Debug)]
pub(crate) struct Registry {
    transport: Arc<dyn Transport>,
    options: ClusterOptions,
}

/// A key's value, and the revision to compare with; 0 if there is none.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) revision: u64,
    /// `None` also for a value that is not one of this cluster, which the next lease replaces.
    pub(crate) lease: Option<Lease>,
}

/// Returns the name of the bucket.
pub(crate) fn bucket(cluster: &Name) -> String {
    format!("airssys-v1-{cluster}-registry")
}

/// Opens the bucket, or creates it.
pub(crate) async fn open_bucket(
    options: &ClusterOptions,
    context: &jetstream::Context,
) -> Result<Store, ClusterError> {
    let bucket = bucket(&options.cluster);
    let config = Config {
        bucket: bucket.clone(),
        history: 1,
        max_bytes: MAX_BYTES,
        storage: StorageType::File,
        num_replicas: options.replicas,
        ..Config::default()
    };
    let created = context.create_key_value(config);
    let store = timed("create key-value bucket", options.call_timeout, created).await?;
    // A server answers with what it made of the configuration, which may be less than was asked for.
    let found = &store.stream.cached_info().config;
    for (setting, asked, found) in [
        ("max_msgs_per_subject", 1, found.max_messages_per_subject),
        ("max_bytes", MAX_BYTES, found.max_bytes),
        (
            "max_age",
            0,
            i64::try_from(found.max_age.as_millis()).unwrap_or(i64::MAX),
        ),
        (
            "num_replicas",
            i64::try_from(options.replicas).unwrap_or(i64::MAX),
            i64::try_from(found.num_replicas).unwrap_or(i64::MAX),
        ),
    ] {
        if asked != found {
            return Err(ClusterError::Stream {
                name: store.stream_name.clone(),
                setting,
                asked,
                found,
            });
        }
    }
    Ok(store)
}

impl Registry {
    pub(crate) fn new(transport: Arc<dyn Transport>, options: ClusterOptions) -> Registry {
        Registry { transport, options }
    }

    pub(crate) async fn read(&self, key: &str) -> Result<Record, ClusterError> {
        let entry = self.transport.read(key).await?;
        Ok(entry.map_or(
            Record {
                revision: 0,
                lease: None,
            },
            |(revision, value)| Record {
                revision,
                lease: Lease::open(&self.options.key, key, &value),
            },
        ))
    }

    /// Writes a lease if the key's revision is still the given one. `None` if it is another; otherwise the new revision.
    pub(crate) async fn write(
        &self,
        key: &str,
        lease: &Lease,
        revision: u64,
    ) -> Result<Option<u64>, ClusterError> {
        // Names have at most 48 bytes.
        let sealed = lease
            .seal(&self.options.key, key)
            .ok_or(ClusterError::LongOptions)?;
        self.transport.write(key, sealed.into(), revision).await
    }
}
