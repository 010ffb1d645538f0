//! Actors as users of wasmtime write them: a task of tokio for each component, which owns its store, and a channel of messages,
//! each with the receiver of its answer.

use super::{NAME, POOLING, SYNC, Variant, foreign};
use crate::messages::{Pairs, Reports};
use anyhow::{Context, Result};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Engine, Store};

/// Messages that wait for one actor, as many as in our mailboxes.
const CAPACITY: usize = 1024;
/// Milliseconds of one call, as ours by default.
const CALL_TIME: u64 = 30_000;
/// Milliseconds between two epochs.
const EPOCH: u64 = 10;

/// Ways to call components in a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Asynchronous calls and host functions, with the default settings.
    Asynchronous,
    /// The same, with the pooling allocator.
    #[cfg_attr(
        not(feature = "reference-defaults"),
        expect(dead_code, reason = "wasmtime is built without it")
    )]
    Pooling,
    /// Synchronous calls, each of which blocks a thread of the executor, without support for concurrency.
    Synchronous,
}

impl Style {
    #[cfg(feature = "reference-defaults")]
    pub(crate) const ALL: &[Style] = &[Style::Asynchronous, Style::Pooling, Style::Synchronous];
    #[cfg(not(feature = "reference-defaults"))]
    pub(crate) const ALL: &[Style] = &[Style::Asynchronous, Style::Synchronous];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Style::Asynchronous => NAME,
            Style::Pooling => POOLING,
            Style::Synchronous => SYNC,
        }
    }

    fn variant(self) -> Variant {
        match self {
            Style::Asynchronous => Variant::Default,
            Style::Pooling => Variant::Pooling,
            Style::Synchronous => Variant::Sync,
        }
    }
}

/// A message, and the receiver of its answer.
struct Message {
    payload: Vec<u8>,
    reply: oneshot::Sender<Result<Vec<u8>>>,
}

/// The actors by their names.
type Names = Arc<RwLock<HashMap<String, mpsc::Sender<Message>>>>;

fn find(names: &Names, name: &str) -> Option<mpsc::Sender<Message>> {
    let names = names.read().unwrap_or_else(PoisonError::into_inner);
    names.get(name).cloned()
}

/// The host's data of one component.
struct Data {
    names: Names,
    next: String,
    reports: Arc<Reports>,
}

impl Data {
    fn function(&self, name: &str, args: &[u8]) {
        match name {
            "done" => self.reports.done(),
            _ => self.reports.stamp(args),
        }
    }
}

/// Implements an actor with bindings in `$module`. The tokens are `async` and `await` or none, and those that differ.
macro_rules! actor {
    ($module:ident, $options:tt, [$($async:tt)?], [$($await:tt)*], |$sender:ident, $message:ident| $send:expr) => {
        #[allow(unreachable_pub, missing_debug_implementations, reason = "generated")]
        mod $module {
            wasmtime::component::bindgen! $options;

            use super::{CALL_TIME, Data, EPOCH, Message, find};
            use airssys::host_core::host_capabilities::{
                self, FileError, HostFunctionError, HttpError, Request, Response,
            };
            use airssys::host_core::host_services::{
                self, ComponentError, ComponentMetadata, ConfigError, IncomingMessage, LogLevel, MessagingError,
            };
            use anyhow::anyhow;
            use exports::airssys::component_core::component_lifecycle::{
                CallerInfo, ComponentConfig, ExecutionContext, ResourceAllocation, ResourceLimits,
            };
            use tokio::sync::{mpsc, oneshot};
            use wasmtime::Store;

            impl airssys::types_core::types::Host for Data {}
            impl airssys::messaging_core::messaging::Host for Data {}

            impl host_services::Host for Data {
                $($async)? fn log(&mut self, _: LogLevel, _: String, _: Option<Vec<(String, String)>>) {}

                $($async)? fn send_message(&mut self, target: String, payload: Vec<u8>) -> Result<(), MessagingError> {
                    let Some($sender) = find(&self.names, &target) else {
                        return Err(MessagingError::UnknownTarget(target));
                    };
                    // The answer is dropped, as the contract has it.
                    let (reply, _) = oneshot::channel();
                    let $message = Message { payload, reply };
                    $send.map_err(|_| MessagingError::Closed)
                }

                $($async)? fn receive_message(&mut self) -> Result<Option<IncomingMessage>, MessagingError> {
                    Ok(None)
                }

                $($async)? fn get_config(&mut self, _: String) -> Result<Option<String>, ConfigError> {
                    Ok(Some(self.next.clone()))
                }

                $($async)? fn set_config(&mut self, key: String, _: String) -> Result<(), ConfigError> {
                    Err(ConfigError::ReadOnly(key))
                }

                $($async)? fn current_time_millis(&mut self) -> u64 {
                    0
                }

                $($async)? fn sleep_millis(&mut self, _: u64) {}

                $($async)? fn list_components(&mut self) -> Vec<String> {
                    Vec::new()
                }

                $($async)? fn get_component_metadata(&mut self, id: String) -> Result<ComponentMetadata, ComponentError> {
                    Err(ComponentError::NotFound(id))
                }
            }

            impl host_capabilities::Host for Data {
                $($async)? fn read_file(&mut self, path: String) -> Result<Vec<u8>, FileError> {
                    Err(FileError::Denied(path))
                }

                $($async)? fn write_file(&mut self, path: String, _: Vec<u8>) -> Result<(), FileError> {
                    Err(FileError::Denied(path))
                }

                $($async)? fn http_request(&mut self, request: Request) -> Result<Response, HttpError> {
                    Err(HttpError::Denied(request.url))
                }

                $($async)? fn call_host_function(&mut self, name: String, args: Vec<u8>) -> Result<Vec<u8>, HostFunctionError> {
                    self.function(&name, &args);
                    Ok(Vec::new())
                }
            }

            /// Initializes a component, and calls it for its messages, to the end of the channel.
            pub(super) async fn run(
                mut store: Store<Data>,
                component: Component,
                mut inbox: mpsc::Receiver<Message>,
            ) -> wasmtime::Result<()> {
                let lifecycle = component.airssys_component_core_component_lifecycle();
                store.set_epoch_deadline(CALL_TIME / EPOCH);
                let config = ComponentConfig {
                    env_vars: Vec::new(),
                    config_data: None,
                    resource_limits: ResourceLimits {
                        max_memory_bytes: u64::MAX,
                        max_execution_time_ms: CALL_TIME,
                        max_fuel: None,
                    },
                    granted_capabilities: Vec::new(),
                };
                let _ = lifecycle.call_init(&mut store, &config) $($await)* ?;
                let mut number = 0u64;
                while let Some(message) = inbox.recv().await {
                    number += 1;
                    let context = ExecutionContext {
                        request_id: format!("request-{number}"),
                        caller: CallerInfo::Host,
                        available_resources: ResourceAllocation {
                            memory_bytes: u64::MAX,
                            execution_time_ms: CALL_TIME,
                            fuel: None,
                        },
                        timeout_ms: CALL_TIME,
                        trace_context: None,
                    };
                    store.set_epoch_deadline(CALL_TIME / EPOCH);
                    let answer = lifecycle.call_execute(&mut store, &message.payload, &context) $($await)* ?;
                    let _ = message.reply.send(answer.map_err(|error| anyhow!("{error:?}")));
                }
                Ok(())
            }
        }
    };
}

actor!(
    asynchronous,
    ({
        path: [
            "../../wit/core/types.wit",
            "../../wit/core/multicodec.wit",
            "../../wit/core/messaging.wit",
            "../../wit/core/host.wit",
            "../../wit/core/component.wit",
        ],
        world: "airssys:component-core/component",
        imports: { default: async },
        exports: { default: async },
    }),
    [async],
    [.await],
    |sender, message| sender.send(message).await
);

actor!(
    synchronous,
    ({
        path: [
            "../../wit/core/types.wit",
            "../../wit/core/multicodec.wit",
            "../../wit/core/messaging.wit",
            "../../wit/core/host.wit",
            "../../wit/core/component.wit",
        ],
        world: "airssys:component-core/component",
    }),
    [],
    [],
    |sender, message| sender.try_send(message)
);

/// Pairs of actors that pass messages on to each other.
pub(crate) struct Peers {
    runtime: Runtime,
    names: Names,
    reports: Arc<Reports>,
}

impl std::fmt::Debug for Peers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peers").finish_non_exhaustive()
    }
}

impl Peers {
    pub(crate) fn new(style: Style, guest: &[u8], pairs: usize) -> Result<Peers> {
        let mut config = style.variant().config();
        config.epoch_interruption(cfg!(feature = "interrupt"));
        let engine = Engine::new(&config).map_err(foreign)?;
        let component = Component::from_binary(&engine, guest).map_err(foreign)?;
        let peers = Peers {
            runtime: tokio::runtime::Builder::new_multi_thread().build()?,
            names: Names::default(),
            reports: Arc::default(),
        };
        if cfg!(feature = "interrupt") {
            let weak = engine.weak();
            std::thread::spawn(move || {
                while let Some(engine) = weak.upgrade() {
                    engine.increment_epoch();
                    drop(engine);
                    std::thread::sleep(std::time::Duration::from_millis(EPOCH));
                }
            });
        }
        for number in 0..pairs {
            let pair = [format!("first-{number}"), format!("second-{number}")];
            peers.start(style, &engine, &component, &pair[0], &pair[1])?;
            peers.start(style, &engine, &component, &pair[1], &pair[0])?;
        }
        Ok(peers)
    }

    fn start(
        &self,
        style: Style,
        engine: &Engine,
        component: &Component,
        id: &str,
        next: &str,
    ) -> Result<()> {
        let data = Data {
            names: self.names.clone(),
            next: next.to_owned(),
            reports: self.reports.clone(),
        };
        let mut store = Store::new(engine, data);
        let (sender, inbox) = mpsc::channel(CAPACITY);
        let mut names = self.names.write().unwrap_or_else(PoisonError::into_inner);
        names.insert(id.to_owned(), sender);
        drop(names);
        let mut linker = Linker::<Data>::new(engine);
        store.set_epoch_deadline(CALL_TIME / EPOCH);
        match style {
            Style::Asynchronous | Style::Pooling => {
                use asynchronous::airssys::host_core::{host_capabilities, host_services};
                host_services::add_to_linker::<_, HasSelf<Data>>(&mut linker, |data| data)
                    .map_err(foreign)?;
                host_capabilities::add_to_linker::<_, HasSelf<Data>>(&mut linker, |data| data)
                    .map_err(foreign)?;
                let component = asynchronous::Component::instantiate_async(&mut store, component, &linker);
                let component = self.runtime.block_on(component).map_err(foreign)?;
                self.runtime.spawn(asynchronous::run(store, component, inbox));
            }
            Style::Synchronous => {
                use synchronous::airssys::host_core::{host_capabilities, host_services};
                host_services::add_to_linker::<_, HasSelf<Data>>(&mut linker, |data| data)
                    .map_err(foreign)?;
                host_capabilities::add_to_linker::<_, HasSelf<Data>>(&mut linker, |data| data)
                    .map_err(foreign)?;
                let component = synchronous::Component::instantiate(&mut store, component, &linker);
                self.runtime
                    .spawn(synchronous::run(store, component.map_err(foreign)?, inbox));
            }
        }
        Ok(())
    }
}

impl Pairs for Peers {
    fn reports(&self) -> &Arc<Reports> {
        &self.reports
    }

    fn send(&self, pair: usize, second: bool, message: Vec<u8>) -> Result<()> {
        let name = format!("{}-{pair}", if second { "second" } else { "first" });
        let sender = find(&self.names, &name).context("no such actor")?;
        let (reply, _) = oneshot::channel();
        let message = Message {
            payload: message,
            reply,
        };
        sender.blocking_send(message).ok().context("the actor has ended")
    }
}
