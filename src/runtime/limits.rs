//! Limits of a component, from all places that set them.

use std::sync::Arc;
use std::time::Duration;

use super::config::{LONGEST_TIMEOUT, RuntimeConfig};
use super::error::RuntimeError;
use super::options::{Allowance, ComponentOptions, TimeLimit};
use super::start::WasiGrants;
use super::state::Call;
use super::{ComponentId, millis};
use crate::engine::StoreLimits;
use crate::error::{CoreTrap, Error, LimitExceeded, ResourceError, TrapKind};
use crate::limits::{EffectiveLimit, EffectiveLimits, LimitSource, Resource};
use crate::messaging::MailboxLimits;
#[cfg(feature = "wasi")]
use crate::wasi::WasiLimits;

/// Lines and bytes per second in the log of the host, by default.
const LOG_LINES: u64 = 1000;
const LOG_BYTES: u64 = 1 << 20;

impl RuntimeConfig {
    /// Returns the limits that a component with this identity and these options would have, each with its source.
    /// [`ComponentRuntime::effective_limits`] has those of a component that is loaded.
    ///
    /// A limit of [`RuntimeConfigBuilder::with_resource_limits`] replaces the default. After that the smallest applies: of the
    /// runtime, the component's options, its manifest, and the policy of its security context.
    ///
    /// [`ComponentRuntime::effective_limits`]: super::ComponentRuntime::effective_limits
    /// [`RuntimeConfigBuilder::with_resource_limits`]: super::RuntimeConfigBuilder::with_resource_limits
    pub fn effective_limits(&self, id: &ComponentId, options: &ComponentOptions) -> EffectiveLimits {
        let mut limits = EffectiveLimits::default();
        let mut start = |resource, value: u64, default: u64| {
            let source = match value == default {
                true => LimitSource::Default,
                false => LimitSource::Runtime,
            };
            limits.set(resource, value, source);
        };
        let (store, usual) = (&self.limits, StoreLimits::default());
        start(Resource::Memory, memory(store), memory(&usual));
        start(
            Resource::TableElements,
            store.total_table_elements,
            usual.total_table_elements,
        );
        start(
            Resource::CoreInstances,
            store.core_instances.into(),
            usual.core_instances.into(),
        );
        start(Resource::Handles, store.handles.into(), usual.handles.into());
        start(Resource::Stack, store.stack_bytes, usual.stack_bytes);
        start(
            Resource::CallTime,
            millis(self.longest_timeout),
            millis(LONGEST_TIMEOUT),
        );
        let (mailbox, usual) = (&self.mailbox, MailboxLimits::default());
        start(
            Resource::MailboxMessages,
            number(mailbox.messages),
            number(usual.messages),
        );
        start(Resource::MailboxBytes, number(mailbox.bytes), number(usual.bytes));
        start(Resource::LogLines, LOG_LINES, LOG_LINES);
        start(Resource::LogBytes, LOG_BYTES, LOG_BYTES);
        #[cfg(feature = "wasi")]
        let usual = WasiLimits::default();
        #[cfg(feature = "wasi")]
        for (resource, value) in [
            (Resource::OpenFiles, number(usual.descriptors)),
            (Resource::Sockets, number(usual.sockets)),
        ] {
            start(resource, value, value);
        }
        if let Some(fuel) = store.fuel {
            limits.set(Resource::Fuel, fuel, LimitSource::Runtime);
        }
        for (resource, value) in self.resource_limits.iter() {
            match limits.get(resource).map(|limit| &limit.source) {
                None | Some(LimitSource::Default) => limits.set(resource, value, LimitSource::Runtime),
                Some(_) => limits.lower(resource, value, LimitSource::Runtime),
            }
        }
        #[cfg(feature = "wasi")]
        if let Some(wasi) = options.wasi_limits() {
            if wasi.descriptors != usual.descriptors {
                limits.lower(
                    Resource::OpenFiles,
                    number(wasi.descriptors),
                    LimitSource::Options,
                );
            }
            if wasi.sockets != usual.sockets {
                limits.lower(Resource::Sockets, number(wasi.sockets), LimitSource::Options);
            }
        }
        limits.lower_all(&options.limits, &LimitSource::Options);
        limits.lower_all(&options.manifest_limits, &LimitSource::Manifest);
        if let Some(context) = &options.security.context {
            limits.lower_to(&context.limits_for(id.as_str()));
        }
        limits
    }

    /// Returns the limits of the stores of the component called `id`, with its part of the memory budget.
    ///
    /// # Errors
    /// [`RuntimeError::MemoryBudget`] if `reserve` does not fit.
    pub(super) fn store_limits(
        &self,
        id: &ComponentId,
        limits: &EffectiveLimits,
        reserve: Option<u64>,
    ) -> Result<StoreLimits, RuntimeError> {
        let mut store = self.limits.clone();
        if let Some(budget) = &self.limits.memory_budget {
            let reserve = reserve.unwrap_or(self.memory_reserve);
            let share = budget.reserve(reserve.min(limits.value(Resource::Memory)));
            let refused = |exceeded| RuntimeError::MemoryBudget {
                id: id.clone(),
                exceeded,
            };
            store.memory_budget = Some(share.map_err(refused)?);
        }
        let narrow = |resource| u32::try_from(limits.value(resource)).unwrap_or(u32::MAX);
        let total = limits.value(Resource::Memory);
        // The limits of `StoreLimits` for each memory and for all may differ; if no other applies, both stay.
        if total != memory(&store) {
            (store.memory_bytes, store.total_memory_bytes) = (total, total);
        }
        store.total_table_elements = limits.value(Resource::TableElements);
        store.core_instances = narrow(Resource::CoreInstances);
        store.handles = narrow(Resource::Handles);
        store.stack_bytes = limits.value(Resource::Stack);
        store.fuel = fuel(limits);
        Ok(store)
    }

    /// Returns the limits of a component's mailbox.
    pub(super) fn mailbox_limits(&self, limits: &EffectiveLimits) -> MailboxLimits {
        let mut mailbox = self.mailbox.clone();
        mailbox.messages = size(limits.value(Resource::MailboxMessages));
        mailbox.bytes = size(limits.value(Resource::MailboxBytes));
        mailbox
    }

    /// Returns the time for a call that has none of its own.
    pub(super) fn default_time(&self, limits: &EffectiveLimits) -> Allowance {
        let default = Allowance::new(self.default_timeout, TimeLimit::Default);
        default.or_shorter(call_time(limits))
    }
}

impl WasiGrants {
    /// Applies limits to WASI. The options' own stay if they are lower.
    pub(super) fn limit(&mut self, limits: &EffectiveLimits) {
        #[cfg(feature = "wasi")]
        {
            let wasi = self.wasi.limits_mut();
            wasi.descriptors = size(limits.value(Resource::OpenFiles));
            wasi.sockets = size(limits.value(Resource::Sockets));
            wasi.resources = wasi.resources.min(size(limits.value(Resource::Handles)));
        }
        #[cfg(feature = "wasix")]
        {
            let files = &mut self.preview1.limits_mut().open_files;
            *files = (*files).min(size(limits.value(Resource::OpenFiles)));
        }
        #[cfg(not(feature = "wasi"))]
        let _ = limits;
    }
}

/// A component that is being instantiated.
pub(super) struct Starting {
    pub(super) id: ComponentId,
    pub(super) limits: Arc<EffectiveLimits>,
    /// The time for its start functions.
    pub(super) allowed: Allowance,
}

impl Starting {
    /// Returns the error of the instantiation, with the limit that was exceeded or cannot be kept.
    pub(super) fn failed(self, error: Error) -> RuntimeError {
        let unenforced = match &error {
            Error::FuelNotConsumed => self.limits.get(Resource::Fuel),
            Error::CpuLimit(_) => self.limits.get(Resource::CpuTime),
            _ => None,
        };
        if let Some(limit) = unenforced {
            let (id, limit) = (self.id, Box::new(limit.clone()));
            return RuntimeError::Unenforceable {
                id,
                limit,
                source: error,
            };
        }
        match error {
            Error::LimitExceeded(exceeded) if exceeded.limit == "memory_budget" => {
                RuntimeError::MemoryBudget {
                    id: self.id,
                    exceeded,
                }
            }
            Error::LimitExceeded(exceeded) => match exceeded_at_start(&self.limits, &exceeded) {
                Some(limit) => RuntimeError::LimitExceeded {
                    id: self.id,
                    exceeded,
                    limit: Box::new(limit.clone()),
                },
                None => RuntimeError::Load(Error::LimitExceeded(exceeded)),
            },
            error => {
                match RuntimeError::of_limit(&self.id, Call::Instantiate, &self.allowed, &self.limits, error)
                {
                    Ok(stopped) => stopped,
                    Err(error) => RuntimeError::Load(error),
                }
            }
        }
    }
}

/// Returns the limit of the component that an instantiation exceeds.
fn exceeded_at_start<'l>(
    limits: &'l EffectiveLimits,
    exceeded: &LimitExceeded,
) -> Option<&'l EffectiveLimit> {
    let resource = match exceeded.limit {
        "memory_bytes" | "total_memory_bytes" => Resource::Memory,
        "total_table_elements" => Resource::TableElements,
        "core_instances" => Resource::CoreInstances,
        _ => return None,
    };
    limits
        .get(resource)
        .filter(|limit| limit.value == exceeded.allowed)
}

/// Returns the limit of the component because of which a guest trapped.
pub(super) fn exceeded_in_call<'l>(
    limits: &'l EffectiveLimits,
    trap: &TrapKind,
) -> Option<&'l EffectiveLimit> {
    match trap {
        TrapKind::CpuTime { .. } => limits.get(Resource::CpuTime),
        TrapKind::OutOfFuel { .. } => limits.get(Resource::Fuel),
        TrapKind::Core(CoreTrap::StackOverflow) => limits.get(Resource::Stack),
        // WASI's own limit on its resources may be lower: then this one is not the cause.
        TrapKind::Resource(ResourceError::TableFull(allowed)) => limits
            .get(Resource::Handles)
            .filter(|limit| limit.value == u64::from(*allowed)),
        _ => None,
    }
}

/// Returns the fuel of each call; `None` if it is not limited.
pub(super) fn fuel(limits: &EffectiveLimits) -> Option<u64> {
    // More than the engine can count.
    limited(limits, Resource::Fuel).map(|fuel| fuel.min(i64::MAX as u64))
}

/// Returns the CPU time of each call; `None` if it is not limited.
pub(super) fn cpu_time(limits: &EffectiveLimits) -> Option<Duration> {
    limited(limits, Resource::CpuTime).map(Duration::from_millis)
}

/// Returns the value of a limit. The largest number limits nothing, so that it needs nothing of system and code.
fn limited(limits: &EffectiveLimits, resource: Resource) -> Option<u64> {
    let value = limits.get(resource)?.value;
    (value != u64::MAX).then_some(value)
}

/// Returns the time that a component's calls may take.
pub(super) fn call_time(limits: &EffectiveLimits) -> Option<Allowance> {
    let limit = limits.get(Resource::CallTime)?;
    let time = match &limit.source {
        LimitSource::Default | LimitSource::Runtime => TimeLimit::Longest,
        source => TimeLimit::Limit(source.clone()),
    };
    Some(Allowance::new(Duration::from_millis(limit.value), time))
}

/// Returns the memory that a component can have for certain, in one memory or in several.
fn memory(limits: &StoreLimits) -> u64 {
    limits.memory_bytes.min(limits.total_memory_bytes)
}

fn number(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

fn size(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::ResourceLimits;
    use crate::runtime::options::Allowance;

    #[test]
    fn a_limit_on_cpu_time_is_an_error_where_threads_have_no_clock() {
        let mut limits = EffectiveLimits::default();
        limits.lower_all(
            &ResourceLimits::new().with(Resource::CpuTime, 5),
            &LimitSource::Options,
        );
        let starting = Starting {
            id: "busy".parse().expect("an identity"),
            limits: Arc::new(limits),
            allowed: Allowance::new(Duration::from_secs(1), TimeLimit::Default),
        };
        let refused = starting.failed(Error::CpuLimit(std::io::ErrorKind::Unsupported.into()));
        assert!(matches!(refused, RuntimeError::Unenforceable { .. }), "{refused}");
        let shown = refused.to_string();
        assert!(
            shown.starts_with(
                "`busy` cannot be loaded, since its limit (cpu-time = 5ms, by the component's options) cannot be enforced: "
            ),
            "{shown}"
        );
        assert!(
            shown.ends_with("limit the time of calls by deadlines instead"),
            "{shown}"
        );
    }
}
