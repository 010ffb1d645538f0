//! A compiled module, an instance of it, and the calls into it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmer::{FunctionEnv, Imports, Instance, InstantiationError, Module, RuntimeError, Store};

use super::contract::{self, FREE, WaiError, contract};
use super::glue::airssys_component_v1::{self as wai, AirssysComponentV1, AirssysComponentV1Data};
use super::glue::{airssys_host_capabilities_v1, airssys_host_services_v1, airssys_multicodec_v1};
use super::guard::{self, Guard};
use super::host::Host;
use super::values;
use crate::component::error_of;
use crate::engine::functions;
use crate::engine::{Backend, Engine, SendStore, StoreLimits, program_store};
use crate::error::{Error, LimitExceeded, Result, TrapKind};
use crate::host::bindings::airssys::types_core::types::CallerInfo;
use crate::host::bindings::exports::airssys::component_core::component_lifecycle::{
    ComponentConfig, ExecutionContext,
};
use crate::host::{CallScope, ComponentError, ComponentMetadata, ExecutionError, HealthStatus, HostContext};
use airssys_wasm_component::internal::InterruptHandle;
use airssys_wasm_component::internal::contain;
use airssys_wasm_component::internal::timer;

/// A compiled module that follows the contract. Cheap to clone.
#[derive(Clone)]
pub(crate) struct WaiModule {
    module: Module,
    /// Owns the module's code.
    code: wasmer::Engine,
    backend: Backend,
}

impl fmt::Debug for WaiModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaiModule")
            .field("backend", &self.backend)
            .finish_non_exhaustive()
    }
}

impl WaiModule {
    /// Compiles a module and checks its types.
    pub(crate) fn compile(engine: &Engine, bytes: &[u8]) -> std::result::Result<WaiModule, WaiError> {
        let (module, code) = engine.compile_program(bytes).map_err(WaiError::Other)?;
        contract::check(&module)?;
        let backend = engine.backend();
        Ok(WaiModule {
            module,
            code,
            backend,
        })
    }

    pub(crate) fn backend(&self) -> Backend {
        self.backend
    }
}

/// Limits on the time of a start function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WaiTimes {
    pub(crate) deadline: Option<Instant>,
    /// CPU time.
    pub(crate) cpu: Option<Duration>,
}

/// An instance.
pub(crate) struct WaiGuest {
    /// Dropped before the code that it runs.
    store: SendStore,
    calls: AirssysComponentV1,
    free: guard::Free,
    guard: Arc<Guard>,
    poisoned: bool,
    _code: wasmer::Engine,
}

impl fmt::Debug for WaiGuest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaiGuest")
            .field("guard", &self.guard)
            .field("poisoned", &self.poisoned)
            .finish_non_exhaustive()
    }
}

impl WaiGuest {
    /// Creates an instance. Its start function runs, within `times`.
    pub(crate) fn new(
        module: &WaiModule,
        context: HostContext,
        limits: &StoreLimits,
        times: WaiTimes,
    ) -> Result<WaiGuest> {
        contain("the module's instantiation", || {
            WaiGuest::instantiate(module, context, limits, times)
        })
        .unwrap_or_else(|panicked| Err(panicked.trap()))
    }

    fn instantiate(
        module: &WaiModule,
        context: HostContext,
        limits: &StoreLimits,
        times: WaiTimes,
    ) -> Result<WaiGuest> {
        let contract = contract()?;
        let mut store = program_store(limits);
        let handle = store.interrupter().clone();
        handle.code().add(functions(&module.module));
        let host = Host::new(context);
        let guard = Guard::new(host.clone(), limits.lift_bytes);
        let mut imports = Imports::new();
        let env = FunctionEnv::new(&mut *store, AirssysComponentV1Data::default());
        let services = airssys_host_services_v1::add_to_imports(&mut store, &mut imports, host.clone());
        let capabilities =
            airssys_host_capabilities_v1::add_to_imports(&mut store, &mut imports, host.clone());
        let multicodec = airssys_multicodec_v1::add_to_imports(&mut store, &mut imports, host.clone());
        guard::imports(&mut store, &guard, contract, &mut imports);

        let WaiTimes { deadline, cpu } = times;
        let cpu = cpu
            .map(|limit| timer::arm_cpu(limit, handle.clone()))
            .transpose()?;
        host.set_deadline(deadline);
        let armed = deadline.and_then(|deadline| timer::arm(deadline, handle.clone()));
        let instance =
            handle.running(|| Instance::new(&mut *store, &module.module, &imports).map_err(Box::new));
        let instance = instance.map_err(|error| {
            let error = not_instantiated(*error, store.take_refusal());
            match &cpu {
                Some(cpu) => cpu.explain(error),
                None => error,
            }
        });
        drop((armed, cpu));
        host.set_deadline(None);
        let instance = instance?;

        let free = instance.exports.get_typed_function(&*store, FREE);
        let free = free.map_err(|error| Error::bug(error.to_string()))?;
        let guarded = guard::exports(&mut store, &guard, contract, &instance)?;
        let ready = services(&guarded, &*store)
            .and_then(|()| capabilities(&guarded, &*store))
            .and_then(|()| multicodec(&guarded, &*store));
        ready.map_err(|error| Error::bug(error.to_string()))?;
        let calls = AirssysComponentV1::new(&mut *store, &guarded, env);
        Ok(WaiGuest {
            calls: calls.map_err(|error| Error::bug(error.to_string()))?,
            free,
            guard,
            poisoned: false,
            store,
            _code: module.code.clone(),
        })
    }

    pub(crate) fn set_deadline(&self, deadline: Option<Instant>) {
        self.guard.host.set_deadline(deadline);
    }

    /// Lowers the limit on memory.
    ///
    /// # Errors
    /// [`LimitExceeded`] if more is in use.
    pub(crate) fn lower_memory_limit(&mut self, bytes: u64) -> std::result::Result<(), LimitExceeded> {
        self.store.lower_memory_limit(bytes)
    }

    /// Sets the operation that is about to be executed.
    pub(crate) fn set_call(&self, call: CallScope) {
        self.guard.host.set_call(call);
    }

    pub(crate) fn is_poisoned(&self) -> bool {
        self.poisoned
    }

    pub(crate) fn interrupter(&self) -> InterruptHandle {
        self.store.interrupter().clone()
    }

    /// Calls through the glue, then frees the memory that it has read. A call that fails is the last.
    fn call<R>(
        &mut self,
        call: impl FnOnce(&AirssysComponentV1, &mut Store) -> std::result::Result<R, RuntimeError>,
    ) -> Result<R> {
        if self.poisoned {
            return Err(TrapKind::Poisoned.into());
        }
        // If this ends early, by a panic too, the instance is not called again.
        self.poisoned = true;
        let answer = self.interrupter().running(|| {
            let answer = contain("the module's exports", || call(&self.calls, &mut self.store));
            let answer = answer.map_err(|panicked| panicked.trap())?.map_err(error_of)?;
            guard::free(&mut *self.store, &self.guard, &self.free)?;
            Ok(answer)
        });
        self.poisoned = answer.is_err();
        answer
    }

    pub(crate) fn init(
        &mut self,
        config: &ComponentConfig,
    ) -> Result<std::result::Result<(), ComponentError>> {
        let env: Vec<_> = config
            .env_vars
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let capabilities: Vec<_> = config.granted_capabilities.iter().map(String::as_str).collect();
        let limits = &config.resource_limits;
        let config = wai::ComponentConfig {
            env_vars: &env,
            config_data: config.config_data.as_deref(),
            resource_limits: wai::ResourceLimits {
                max_memory_bytes: limits.max_memory_bytes,
                max_execution_time_ms: limits.max_execution_time_ms,
                max_fuel: limits.max_fuel,
            },
            granted_capabilities: &capabilities,
        };
        let answer = self.call(|calls, store| calls.init(store, config))?;
        Ok(answer.map_err(values::answer_of_lifecycle))
    }

    pub(crate) fn execute(
        &mut self,
        operation: &[u8],
        context: &ExecutionContext,
    ) -> Result<std::result::Result<Vec<u8>, ExecutionError>> {
        let resources = &context.available_resources;
        let trace = context.trace_context.as_ref();
        let context = wai::ExecutionContext {
            request_id: &context.request_id,
            caller: match &context.caller {
                CallerInfo::Host => wai::CallerInfo::Host,
                CallerInfo::Component(id) => wai::CallerInfo::Component(id),
                CallerInfo::Anonymous => wai::CallerInfo::Anonymous,
            },
            available_resources: wai::ResourceAllocation {
                memory_bytes: resources.memory_bytes,
                execution_time_ms: resources.execution_time_ms,
                fuel: resources.fuel,
            },
            timeout_ms: context.timeout_ms,
            trace_context: trace.map(|trace| wai::TraceContext {
                traceparent: &trace.traceparent,
                tracestate: trace.tracestate.as_deref(),
            }),
        };
        let answer = self.call(|calls, store| calls.execute(store, operation, context))?;
        Ok(answer.map_err(values::answer_of_execute))
    }

    pub(crate) fn metadata(&mut self) -> Result<ComponentMetadata> {
        self.call(AirssysComponentV1::metadata).map(values::own_metadata)
    }

    pub(crate) fn health(&mut self) -> Result<HealthStatus> {
        self.call(AirssysComponentV1::health).map(values::health)
    }

    pub(crate) fn supported_codecs(&mut self) -> Result<Vec<u64>> {
        self.call(AirssysComponentV1::supported_codecs)
    }

    pub(crate) fn shutdown(&mut self) -> Result<std::result::Result<(), ComponentError>> {
        let answer = self.call(AirssysComponentV1::shutdown)?;
        Ok(answer.map_err(values::answer_of_lifecycle))
    }
}

/// Returns the error of an instantiation; `refused` is the limit that a memory or table exceeds.
fn not_instantiated(error: InstantiationError, refused: Option<LimitExceeded>) -> Error {
    match (error, refused) {
        (InstantiationError::Start(error), _) => error_of(error),
        (_, Some(exceeded)) => exceeded.into(),
        (other, None) => Error::Instantiate(other.to_string()),
    }
}
