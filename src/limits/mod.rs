//! Limits on the resources of a component, from all places that can set them.
//!
//! [`ResourceLimits`] are the limits that one place sets: the runtime's configuration, the options of a component, its
//! manifest, or a policy. The smallest value of a resource applies. [`EffectiveLimits`] are these, each with its
//! [`LimitSource`].
//!
//! ```
//! use std::time::Duration;
//! use airssys_wasm::RuntimeConfig;
//! use airssys_wasm::limits::ResourceLimits;
//!
//! let limits = ResourceLimits::new()
//!     .with_memory_bytes(64 << 20)
//!     .with_call_time(Duration::from_secs(5));
//! let config = RuntimeConfig::builder().with_resource_limits(limits).build()?;
//! # Ok::<(), airssys_wasm::runtime::InvalidConfig>(())
//! ```

mod effective;
mod resource;
mod units;

use std::time::Duration;

pub use effective::{EffectiveLimit, EffectiveLimits, LimitSource};
pub use resource::{InvalidLimit, Resource};
pub(crate) use units::bytes as parse_bytes;
pub use units::{ByteSize, ExecutionTimeout, InvalidUnit};

/// Limits that one place sets, each of them optional. The default sets none.
///
/// A value that cannot be used, such as a call time of zero, is an error where the limits are used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct ResourceLimits([Option<u64>; Resource::ALL.len()]);

impl ResourceLimits {
    /// Creates limits that limit nothing.
    pub fn new() -> ResourceLimits {
        ResourceLimits::default()
    }

    /// Sets [`Resource::Memory`].
    pub fn with_memory_bytes(self, bytes: u64) -> Self {
        self.with(Resource::Memory, bytes)
    }

    /// Sets [`Resource::TableElements`].
    pub fn with_table_elements(self, elements: u32) -> Self {
        self.with(Resource::TableElements, elements.into())
    }

    /// Sets [`Resource::CoreInstances`].
    pub fn with_core_instances(self, instances: u32) -> Self {
        self.with(Resource::CoreInstances, instances.into())
    }

    /// Sets [`Resource::Handles`].
    pub fn with_handles(self, handles: u32) -> Self {
        self.with(Resource::Handles, handles.into())
    }

    /// Sets [`Resource::CallTime`]. A part of a millisecond counts as a whole one.
    pub fn with_call_time(self, time: Duration) -> Self {
        self.with(Resource::CallTime, whole_millis(time))
    }

    /// Sets [`Resource::CpuTime`]. A part of a millisecond counts as a whole one.
    pub fn with_cpu_time(self, time: Duration) -> Self {
        self.with(Resource::CpuTime, whole_millis(time))
    }

    /// Sets [`Resource::Fuel`].
    pub fn with_fuel(self, fuel: u64) -> Self {
        self.with(Resource::Fuel, fuel)
    }

    /// Sets [`Resource::Stack`].
    pub fn with_stack_bytes(self, bytes: u64) -> Self {
        self.with(Resource::Stack, bytes)
    }

    /// Sets [`Resource::OpenFiles`].
    pub fn with_open_files(self, files: u32) -> Self {
        self.with(Resource::OpenFiles, files.into())
    }

    /// Sets [`Resource::Sockets`].
    pub fn with_sockets(self, sockets: u32) -> Self {
        self.with(Resource::Sockets, sockets.into())
    }

    /// Sets [`Resource::MailboxMessages`].
    pub fn with_mailbox_messages(self, messages: u64) -> Self {
        self.with(Resource::MailboxMessages, messages)
    }

    /// Sets [`Resource::MailboxBytes`].
    pub fn with_mailbox_bytes(self, bytes: u64) -> Self {
        self.with(Resource::MailboxBytes, bytes)
    }

    /// Sets [`Resource::PayloadBytes`].
    pub fn with_payload_bytes(self, bytes: u64) -> Self {
        self.with(Resource::PayloadBytes, bytes)
    }

    /// Sets [`Resource::LogLines`].
    pub fn with_log_lines(self, lines: u64) -> Self {
        self.with(Resource::LogLines, lines)
    }

    /// Sets [`Resource::LogBytes`].
    pub fn with_log_bytes(self, bytes: u64) -> Self {
        self.with(Resource::LogBytes, bytes)
    }

    /// Sets the limit of a resource, in its [unit](Resource::unit): bytes, milliseconds, or a number.
    pub fn with(mut self, resource: Resource, value: u64) -> Self {
        self.0[resource as usize] = Some(value);
        self
    }

    /// Returns the limit of a resource, in its unit; `None` if it is not set.
    pub fn get(&self, resource: Resource) -> Option<u64> {
        self.0[resource as usize]
    }

    /// Iterates over the limits that are set.
    pub fn iter(&self) -> impl Iterator<Item = (Resource, u64)> {
        Resource::ALL
            .into_iter()
            .filter_map(|resource| Some((resource, self.get(resource)?)))
    }

    /// Reports whether no limit is set.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// Checks that each limit can be used.
    ///
    /// # Errors
    /// [`InvalidLimit`] for the first that is too small.
    pub fn check(&self) -> Result<(), InvalidLimit> {
        self.iter()
            .try_for_each(|(resource, value)| resource.check(value).map(|_| ()))
    }
}

/// Returns milliseconds, rounded up.
fn whole_millis(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}
