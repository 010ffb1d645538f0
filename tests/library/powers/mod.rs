//! `host-capabilities` with grants: files, HTTP and functions of the host application, called through a component that
//! forwards every call to them. Each denial is audited, and the allowed case is beside it.

mod canary;
mod files;
mod functions;
mod http;
mod options;
mod required;
mod services;

use std::sync::Arc;
use std::time::{Duration, Instant};

use airssys_wasm::component::{Component, Instance, Linker, Store, Val};
use airssys_wasm::engine::{Config, Engine};
use airssys_wasm::host::{self, CallScope, HostContext, HostPowers, HostServices, LogRate, Settings};
use airssys_wasm::messaging::{Mailbox, MailboxLimits};
use airssys_wasm::runtime::ComponentMetadata;
use airssys_wasm::security::{AuditRecord, MemorySink, Policy, SecurityContext};
use airssys_wasm::{ComponentId, host::ComponentError, host::MessagingError};
use airssys_wasm_test_support::host::{id, proxy};

/// Host services that nothing here calls.
#[derive(Debug)]
struct NoServices;

impl HostServices for NoServices {
    fn now_millis(&self) -> u64 {
        0
    }

    fn list_components(&self) -> Vec<ComponentId> {
        Vec::new()
    }

    fn component_metadata(&self, id: &str) -> Result<Arc<ComponentMetadata>, ComponentError> {
        Err(ComponentError::NotFound(id.to_owned()))
    }

    fn send(
        &self,
        _: &ComponentId,
        _: &str,
        _: Vec<u8>,
        _: &CallScope,
        _: Option<std::time::Instant>,
    ) -> Result<(), MessagingError> {
        Err(MessagingError::Closed)
    }
}

/// The case of an error, and its text or number.
type Failure = (String, String);

/// A component with grants.
struct Caller {
    store: Store<HostContext>,
    instance: Instance,
    audit: Arc<MemorySink>,
}

impl Caller {
    /// Creates a component with a policy's rules: `allow CAPABILITY` or `deny CAPABILITY`.
    fn new(rules: &[&str], powers: HostPowers) -> Caller {
        let mut policy = Policy::builder();
        for rule in rules {
            policy = match rule.split_once(' ') {
                Some(("allow", capability)) => policy.allow(capability),
                Some(("deny", capability)) => policy.deny(capability),
                _ => panic!("{rule} is not a rule"),
            };
        }
        let audit = Arc::new(MemorySink::default());
        let policy = policy.build().unwrap_or_else(|error| panic!("{error}"));
        let context = SecurityContext::builder().policy(policy).audit(audit.clone());
        Caller::within(&context.build(), audit, powers)
    }

    /// Creates a component with what a security context grants, one of whose sinks is `audit`.
    fn within(security: &SecurityContext, audit: Arc<MemorySink>, powers: HostPowers) -> Caller {
        let grants = security.grants_undeclared("caller");
        let engine = Engine::new(&Config::new()).unwrap();
        let component = Component::from_binary(&engine, &proxy()).unwrap();
        let mut linker = Linker::new(&engine);
        host::add_to_linker(&mut linker).unwrap();
        let context = HostContext {
            id: id("caller"),
            settings: Settings::default(),
            mailbox: Arc::new(Mailbox::new(MailboxLimits::default())),
            services: Arc::new(NoServices),
            deadline: Some(Instant::now() + Duration::from_secs(60)),
            call: CallScope {
                request_id: Some("request-7".to_owned()),
                trace: None,
            },
            grants,
            log_rate: LogRate::default(),
            powers: Arc::new(powers),
        };
        let mut store = Store::new(&engine, context);
        let instance = linker.instantiate(&mut store, &component).unwrap();
        Caller {
            store,
            instance,
            audit,
        }
    }

    /// Calls a function of `host-capabilities`.
    fn call(&mut self, name: &str, params: &[Val]) -> Result<Option<Val>, Failure> {
        self.call_of("airssys:host-core/host-capabilities@1.0.0", name, params)
    }

    fn call_of(&mut self, interface: &str, name: &str, params: &[Val]) -> Result<Option<Val>, Failure> {
        let function = self.instance.try_get_func(&mut self.store, [interface, name]);
        let answer = function.unwrap().call_dynamic(&mut self.store, params).unwrap();
        match answer {
            Some(Val::Result(Ok(value))) => Ok(value.map(|value| *value)),
            Some(Val::Result(Err(Some(error)))) => match *error {
                Val::Variant(case, payload) => {
                    let text = match payload.map(|payload| *payload) {
                        Some(Val::String(text)) => text.to_string(),
                        Some(Val::U64(number)) => number.to_string(),
                        None => String::new(),
                        other => panic!("{other:?}"),
                    };
                    Err((case.to_string(), text))
                }
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    /// Sets the time that is left for the call.
    fn leave(&mut self, time: Duration) {
        self.store.data_mut().deadline = Some(Instant::now() + time);
    }

    /// Returns the latest decision.
    fn last(&self) -> AuditRecord {
        self.audit.last().expect("a decision")
    }
}

fn text(text: &str) -> Val {
    Val::String(text.into())
}

fn bytes(bytes: &[u8]) -> Val {
    Val::Bytes(bytes.into())
}

fn data(value: Option<Val>) -> Vec<u8> {
    match value {
        Some(Val::Bytes(bytes)) => bytes.to_vec(),
        other => panic!("{other:?}"),
    }
}

fn failure(case: &str, text: &str) -> Failure {
    (case.to_owned(), text.to_owned())
}
