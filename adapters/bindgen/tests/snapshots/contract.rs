/// The world of a component.
///
/// A component may omit unused imports, but not exports.
#[derive(Clone, Debug)]
pub struct Component {
    airssys_component_core_component_lifecycle: self::exports::airssys::component_core::component_lifecycle::Guest,
}

impl Component {
    /// Instantiates `component`, and finds its exports.
    pub fn instantiate<T: Send + 'static>(
        mut store: impl ::airssys_wasm::component::AsContextMut<Data = T>,
        component: &::airssys_wasm::component::Component,
        linker: &::airssys_wasm::component::Linker<T>,
    ) -> ::core::result::Result<Self, ::airssys_wasm::Error> {
        let instance = linker.instantiate(&mut store, component)?;
        Self::new(&mut store, &instance)
    }

    /// Finds the exports of `instance`, and checks their types.
    pub fn new(
        mut store: impl ::airssys_wasm::component::AsContextMut,
        instance: &::airssys_wasm::component::Instance,
    ) -> ::core::result::Result<Self, ::airssys_wasm::Error> {
        Ok(Self {
            airssys_component_core_component_lifecycle: self::exports::airssys::component_core::component_lifecycle::Guest::new(
                &mut store,
                instance,
            )?,
        })
    }

    /// Defines everything that the world imports in `linker`. `host` finds the host's part in a store's
    /// data: `|data| data` with `HasSelf<_>` for `D` if that is the host.
    pub fn add_to_linker<T, D>(
        linker: &mut ::airssys_wasm::component::Linker<T>,
        host: impl Fn(&mut T) -> D::Data<'_> + Send + Sync + Copy + 'static,
    ) -> ::core::result::Result<(), ::airssys_wasm::Error>
    where
        T: Send + 'static,
        D: ::airssys_wasm::component::HasData,
        for<'a> D::Data<
            'a,
        >: self::airssys::host_core::host_services::Host
            + self::airssys::host_core::host_capabilities::Host
            + self::airssys::multicodec_core::multicodec_utilities::Host,
    {
        self::airssys::host_core::host_services::add_to_linker::<T, D>(linker, host)?;
        self::airssys::host_core::host_capabilities::add_to_linker::<
            T,
            D,
        >(linker, host)?;
        self::airssys::multicodec_core::multicodec_utilities::add_to_linker::<
            T,
            D,
        >(linker, host)?;
        Ok(())
    }

    /// The functions of `airssys:component-core/component-lifecycle@1.0.0`.
    pub fn airssys_component_core_component_lifecycle(
        &self,
    ) -> &self::exports::airssys::component_core::component_lifecycle::Guest {
        &self.airssys_component_core_component_lifecycle
    }
}

pub mod airssys {
    pub mod types_core {
        /// Identities, limits, health, metadata and errors that the other interfaces use.
        pub mod types {
            use ::airssys_wasm::component::{ComponentType, Lift, Lower};

            /// Identifies one loaded component within one host.
            ///
            /// The host chooses it when it loads the component. It is not empty, does not change until the component is
            /// unloaded, and has no meaning on another host. Compare it as a whole; its syntax is host-specific.
            pub type ComponentId = String;

            /// A codec's number: one from the multiformats table, or one that this contract reserves.
            ///
            /// `airssys:multicodec-core` lists the codecs of the contract. At most 63 bits are usable, since a
            /// payload's prefix cannot represent more.
            pub type MulticodecId = u64;

            /// Permission for one kind of action: `domain:action`, or `domain:action:scope` to restrict it.
            ///
            /// Examples: `filesystem:read:/models`, `network:outbound:api.example.com`. The scope is everything after the
            /// second colon, so it may contain colons. Without a scope the capability covers the whole domain and action.
            pub type Capability = String;

            /// The severity of a log line, from least to most.
            #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
            #[component(enum)]
            pub enum LogLevel {
                /// Step-by-step detail, for debugging a specific problem.
                #[component(name = "trace")]
                Trace,
                /// Detail for the component's developers.
                #[component(name = "debug")]
                Debug,
                /// Normal milestones.
                #[component(name = "info")]
                Info,
                /// An unexpected event that the component handled.
                #[component(name = "warn")]
                Warn,
                /// A failure.
                #[component(name = "error")]
                Error,
            }

            /// Limits that the host sets for one instance of a component, for its lifetime.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct ResourceLimits {
                /// Maximum size of all linear memories of the instance, in bytes. Growing beyond it fails, as
                /// `memory.grow` does when memory runs out.
                #[component(name = "max-memory-bytes")]
                pub max_memory_bytes: u64,
                /// Time limit of one call into the component, in milliseconds of wall-clock time. The host interrupts a
                /// longer call, and the instance cannot be called again.
                #[component(name = "max-execution-time-ms")]
                pub max_execution_time_ms: u64,
                /// Maximum number of instructions of one call, in the host's units. `none`: the host does not count.
                /// Units are comparable only within one host and version.
                #[component(name = "max-fuel")]
                pub max_fuel: Option<u64>,
            }

            /// The resources available to one call, as of its start.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct ResourceAllocation {
                /// Linear memory that the instance may have by the end of the call, in bytes, including its present memory.
                #[component(name = "memory-bytes")]
                pub memory_bytes: u64,
                /// Time limit of this call, in milliseconds of wall-clock time.
                #[component(name = "execution-time-ms")]
                pub execution_time_ms: u64,
                /// Instructions available to this call, in the units of `resource-limits.max-fuel`. `none`: not counted.
                #[component(name = "fuel")]
                pub fuel: Option<u64>,
            }

            /// The caller of an operation. The host sets it; no component can impersonate another.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(variant)]
            pub enum CallerInfo {
                /// The host application itself.
                #[component(name = "host")]
                Host,
                /// Another component of the same host.
                #[component(name = "component")]
                Component(ComponentId),
                /// An unidentified caller, for instance an external request. The least trusted caller.
                #[component(name = "anonymous")]
                Anonymous,
            }

            /// The distributed trace of a call, as defined by W3C Trace Context.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct TraceContext {
                /// The value of the `traceparent` header, for example `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`.
                #[component(name = "traceparent")]
                pub traceparent: String,
                /// The value of the `tracestate` header, if any. Propagate it unchanged.
                #[component(name = "tracestate")]
                pub tracestate: Option<String>,
            }

            /// A component's health, as reported by itself.
            #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
            #[component(enum)]
            pub enum HealthState {
                /// Working normally.
                #[component(name = "healthy")]
                Healthy,
                /// Working with reduced performance or functionality; `health-status.message` describes it.
                #[component(name = "degraded")]
                Degraded,
                /// Not working. The host may stop sending operations, or restart it.
                #[component(name = "unhealthy")]
                Unhealthy,
            }

            /// The result of a health check.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct HealthStatus {
                /// The state.
                #[component(name = "state")]
                pub state: HealthState,
                /// One line for operators: the reason for the state. The host logs and shows it, but does not interpret it.
                #[component(name = "message")]
                pub message: Option<String>,
            }

            /// The linear memory that a component requires, in bytes. `min` ≤ `preferred` ≤ `max`.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct MemoryRequirements {
                /// Minimum memory, in bytes, with which the component works. A host that cannot provide it does not start the
                /// component.
                #[component(name = "min-memory-bytes")]
                pub min_memory_bytes: u64,
                /// Maximum memory, in bytes, that the component uses. The host may set a lower limit.
                #[component(name = "max-memory-bytes")]
                pub max_memory_bytes: u64,
                /// Memory, in bytes, with which the component performs best; a hint.
                #[component(name = "preferred-memory-bytes")]
                pub preferred_memory_bytes: u64,
            }

            /// The metadata of a component.
            ///
            /// Each field is for specific readers, and only they interpret it:
            ///
            /// | fields                                                         | read by                           |
            /// |----------------------------------------------------------------|-----------------------------------|
            /// | `name`, `version`, `description`, `author`, `license`          | everyone: the identity            |
            /// | `required-capabilities`, `supported-operations`, `supported-codecs` | the host: what to grant and route |
            /// | `language`, `memory-requirements`, `timeout-ms`, `stateful`, `api-version` | the host: how to run it |
            /// | `homepage`, `repository`, `tags`                               | people, and components that search |
            /// | `custom-metadata`                                              | other components; opaque to the host |
            ///
            /// It does not change during the lifetime of an instance.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct ComponentMetadata {
                /// Name of the component, for example `text-processor`. A loaded instance of it has a `component-id`.
                #[component(name = "name")]
                pub name: String,
                /// Version of the component, as a semantic version: `1.2.3`.
                #[component(name = "version")]
                pub version: String,
                /// One sentence about the component's purpose.
                #[component(name = "description")]
                pub description: String,
                /// The author: a person or an organization, optionally with an address.
                #[component(name = "author")]
                pub author: String,
                /// The license, as an SPDX expression: `MIT OR Apache-2.0`.
                #[component(name = "license")]
                pub license: String,
                /// The capabilities that the component requests. They are not granted automatically: the granted ones are in
                /// `component-config.granted-capabilities`.
                #[component(name = "required-capabilities")]
                pub required_capabilities: Vec<Capability>,
                /// The names of the operations of `execute`, for example `word-count`. Any other name returns
                /// `execution-error.unsupported-operation`.
                #[component(name = "supported-operations")]
                pub supported_operations: Vec<String>,
                /// The codecs that `execute` accepts; the same list as the function `supported-codecs` returns.
                #[component(name = "supported-codecs")]
                pub supported_codecs: Vec<MulticodecId>,
                /// The source language, in lowercase: `rust`, `javascript`, `python`, `go`, `c`.
                #[component(name = "language")]
                pub language: String,
                /// The required memory.
                #[component(name = "memory-requirements")]
                pub memory_requirements: MemoryRequirements,
                /// Time limit of one `execute`, in milliseconds. The host applies this or its own limit, whichever
                /// is shorter. `none`: only the host's limit.
                #[component(name = "timeout-ms")]
                pub timeout_ms: Option<u64>,
                /// True if one `execute` can affect a later one. `false` permits the host to use a new or pooled instance for
                /// every operation.
                #[component(name = "stateful")]
                pub stateful: bool,
                /// The version of `airssys:component-core` that it was built against: `1.0.0`.
                #[component(name = "api-version")]
                pub api_version: String,
                /// URL of a page about the component.
                #[component(name = "homepage")]
                pub homepage: Option<String>,
                /// URL of its source code.
                #[component(name = "repository")]
                pub repository: Option<String>,
                /// Search keywords: `text`, `statistics`.
                #[component(name = "tags")]
                pub tags: Vec<String>,
                /// Domain-specific information for other components: formats, model names, protocol versions.
                ///
                /// For other components, not for the host. The host keeps the order of the pairs and returns them unchanged
                /// from `get-component-metadata`; it does not interpret them. Prefix keys with their domain
                /// (`ml:model-type`, `db:protocol`), keep values short and simple, and document them where your users
                /// look. Information for the host does not belong here: limits, capabilities and timeouts have fields of
                /// their own, and runtime settings are in `component-config`.
                #[component(name = "custom-metadata")]
                pub custom_metadata: Option<Vec<(String, String)>>,
            }

            /// The failure of a lifecycle function, or of a query about a component.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(variant)]
            pub enum ComponentError {
                /// The configuration is unusable; the text names the setting and the problem.
                #[component(name = "invalid-config")]
                InvalidConfig(String),
                /// The host has no component with this identity.
                #[component(name = "not-found")]
                NotFound(ComponentId),
                /// `init` was not called, or failed.
                #[component(name = "not-initialized")]
                NotInitialized,
                /// `init` was called a second time.
                #[component(name = "already-initialized")]
                AlreadyInitialized,
                /// The component has been shut down.
                #[component(name = "shut-down")]
                ShutDown,
                /// Another error; the text describes it.
                #[component(name = "internal")]
                Internal(String),
            }

            impl ::core::fmt::Display for ComponentError {
                fn fmt(
                    &self,
                    f: &mut ::core::fmt::Formatter<'_>,
                ) -> ::core::fmt::Result {
                    write!(f, "{self:?}")
                }
            }

            impl ::core::error::Error for ComponentError {}

            /// The failure of an operation. The instance remains usable.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(variant)]
            pub enum ExecutionError {
                /// The component has no operation with this name.
                #[component(name = "unsupported-operation")]
                UnsupportedOperation(String),
                /// The component does not accept payloads in this codec.
                #[component(name = "unsupported-codec")]
                UnsupportedCodec(MulticodecId),
                /// The payload is damaged, or does not have the operation's schema; the text names the place.
                #[component(name = "invalid-input")]
                InvalidInput(String),
                /// The operation needs a capability that the component was not granted.
                #[component(name = "capability-denied")]
                CapabilityDenied(Capability),
                /// The component stopped because the operation's time limit was near.
                #[component(name = "timeout")]
                Timeout,
                /// A resource other than time is exhausted; the text names it.
                #[component(name = "resource-exhausted")]
                ResourceExhausted(String),
                /// The operation failed; the text describes the error.
                #[component(name = "failed")]
                Failed(String),
            }

            impl ::core::fmt::Display for ExecutionError {
                fn fmt(
                    &self,
                    f: &mut ::core::fmt::Formatter<'_>,
                ) -> ::core::fmt::Result {
                    write!(f, "{self:?}")
                }
            }

            impl ::core::error::Error for ExecutionError {}
        }
    }

    pub mod messaging_core {
        /// Messages, and the errors of sending and receiving them.
        ///
        /// The functions are in `airssys:host-core/host-services`. Every component has one mailbox of limited capacity. The
        /// messages of one sender arrive in the order of sending, each at most once; between two senders there
        /// is no order.
        pub mod messaging {
            use ::airssys_wasm::component::{ComponentType, Lift, Lower};

            pub type ComponentId = super::super::types_core::types::ComponentId;

            /// One received message.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct IncomingMessage {
                /// The sender. The host sets this field, so it can be trusted.
                #[component(name = "sender")]
                pub sender: ComponentId,
                /// The message as sent: by convention a payload, a codec's prefix and data.
                #[component(name = "payload")]
                pub payload: Vec<u8>,
                /// Time at which the host accepted it, in milliseconds since 1970-01-01T00:00:00Z by the host's clock.
                #[component(name = "sent-at-millis")]
                pub sent_at_millis: u64,
            }

            /// The failure to send or receive a message.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(variant)]
            pub enum MessagingError {
                /// The host has no component with this identity.
                #[component(name = "unknown-target")]
                UnknownTarget(ComponentId),
                /// This component's mailbox is full. The message was not delivered; sending it later may succeed.
                #[component(name = "mailbox-full")]
                MailboxFull(ComponentId),
                /// The sender may not send messages to this target, or the receiver may not receive messages.
                #[component(name = "denied")]
                Denied,
                /// The message exceeds the host's size limit; the number is the limit, in bytes.
                #[component(name = "too-large")]
                TooLarge(u64),
                /// The mailbox is closed, since its component is shutting down. A retry cannot succeed.
                #[component(name = "closed")]
                Closed,
            }

            impl ::core::fmt::Display for MessagingError {
                fn fmt(
                    &self,
                    f: &mut ::core::fmt::Formatter<'_>,
                ) -> ::core::fmt::Result {
                    write!(f, "{self:?}")
                }
            }

            impl ::core::error::Error for MessagingError {}
        }
    }

    pub mod host_core {
        /// Services that need no capability.
        ///
        /// All of them may be called from `init`, `execute`, `health` and `shutdown`. Each applies to the calling component:
        /// its own log target, its own settings, its own mailbox.
        pub mod host_services {
            use ::airssys_wasm::Error;
            use ::airssys_wasm::component::{ComponentType, HasData, Lift, Linker, Lower};

            pub type ComponentId = super::super::types_core::types::ComponentId;
            pub type ComponentMetadata = super::super::types_core::types::ComponentMetadata;
            pub type ComponentError = super::super::types_core::types::ComponentError;
            pub type LogLevel = super::super::types_core::types::LogLevel;
            pub type IncomingMessage = super::super::messaging_core::messaging::IncomingMessage;
            pub type MessagingError = super::super::messaging_core::messaging::MessagingError;

            /// The failure to read or change a setting.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(variant)]
            pub enum ConfigError {
                /// The key is empty, too long, or contains a control character; the text names the reason.
                #[component(name = "invalid-key")]
                InvalidKey(String),
                /// The setting of this name is read-only.
                #[component(name = "read-only")]
                ReadOnly(String),
                /// The component has no access to this setting.
                #[component(name = "denied")]
                Denied,
                /// Settings are temporarily unavailable, or their limit is reached; the text names the reason.
                #[component(name = "unavailable")]
                Unavailable(String),
            }

            impl ::core::fmt::Display for ConfigError {
                fn fmt(
                    &self,
                    f: &mut ::core::fmt::Formatter<'_>,
                ) -> ::core::fmt::Result {
                    write!(f, "{self:?}")
                }
            }

            impl ::core::error::Error for ConfigError {}

            /// The host's implementation of `airssys:host-core/host-services@1.0.0`.
            pub trait Host {
                /// Writes one structured line to the host's log. Never fails.
                ///
                /// `context` contains ordered key-value pairs. The host adds the component's identity, and drops lines
                /// below its own level. Message and context are untrusted text: control characters (line ends and
                /// terminal escapes among them) are replaced, and long text is truncated.
                fn log(
                    &mut self,
                    level: LogLevel,
                    message: String,
                    context: Option<Vec<(String, String)>>,
                );

                /// Sends a message to another component's mailbox, without waiting for it to be received.
                ///
                /// `message` is by convention a payload, a codec's prefix and data; the host delivers it unchanged. A component may
                /// send to itself. Each case of `messaging-error` can occur; the message is then not delivered.
                fn send_message(
                    &mut self,
                    target: ComponentId,
                    message: Vec<u8>,
                ) -> Result<(), MessagingError>;

                /// Removes and returns the oldest message of the caller's mailbox; `none` if it is empty. Never waits.
                ///
                /// Errors: `denied`, `closed`.
                fn receive_message(
                    &mut self,
                ) -> Result<Option<IncomingMessage>, MessagingError>;

                /// Reads one of the component's settings; `none` if there is no such setting.
                ///
                /// A component sees only its own settings: those set by the host and those that it has set itself.
                /// Errors: `invalid-key`, `denied`, `unavailable`.
                fn get_config(
                    &mut self,
                    key: String,
                ) -> Result<Option<String>, ConfigError>;

                /// Changes or adds one of the component's settings. A later `get-config` of the same component returns it.
                ///
                /// The host may discard it when the component is unloaded. Each case of `config-error` can occur.
                fn set_config(
                    &mut self,
                    key: String,
                    value: String,
                ) -> Result<(), ConfigError>;

                /// Wall-clock time: milliseconds since 1970-01-01T00:00:00Z.
                ///
                /// The clock may be adjusted while the component runs, so the difference of two readings can be negative.
                fn current_time_millis(&mut self) -> u64;

                /// Pauses the caller for at least this many milliseconds; zero returns immediately.
                ///
                /// A pause counts toward the time limit of the current call. When the limit is reached, the pause ends,
                /// and the call is interrupted as if it had been computing.
                fn sleep_millis(&mut self, duration: u64);

                /// The components that the host has currently loaded, including the caller, in no particular order.
                ///
                /// The list may be out of date as soon as it is returned. A host may omit components that the caller has no
                /// access to.
                fn list_components(&mut self) -> Vec<ComponentId>;

                /// The metadata of another component, with `custom-metadata` unchanged.
                ///
                /// Errors: `not-found`; `not-initialized` if the host does not have that component's metadata yet; `internal`.
                fn get_component_metadata(
                    &mut self,
                    id: ComponentId,
                ) -> Result<ComponentMetadata, ComponentError>;
            }

            impl<H: Host + ?Sized> Host for &mut H {
                fn log(
                    &mut self,
                    level: LogLevel,
                    message: String,
                    context: Option<Vec<(String, String)>>,
                ) {
                    Host::log(*self, level, message, context)
                }

                fn send_message(
                    &mut self,
                    target: ComponentId,
                    message: Vec<u8>,
                ) -> Result<(), MessagingError> {
                    Host::send_message(*self, target, message)
                }

                fn receive_message(
                    &mut self,
                ) -> Result<Option<IncomingMessage>, MessagingError> {
                    Host::receive_message(*self)
                }

                fn get_config(
                    &mut self,
                    key: String,
                ) -> Result<Option<String>, ConfigError> {
                    Host::get_config(*self, key)
                }

                fn set_config(
                    &mut self,
                    key: String,
                    value: String,
                ) -> Result<(), ConfigError> {
                    Host::set_config(*self, key, value)
                }

                fn current_time_millis(&mut self) -> u64 {
                    Host::current_time_millis(*self)
                }

                fn sleep_millis(&mut self, duration: u64) {
                    Host::sleep_millis(*self, duration)
                }

                fn list_components(&mut self) -> Vec<ComponentId> {
                    Host::list_components(*self)
                }

                fn get_component_metadata(
                    &mut self,
                    id: ComponentId,
                ) -> Result<ComponentMetadata, ComponentError> {
                    Host::get_component_metadata(*self, id)
                }
            }

            /// Defines `airssys:host-core/host-services@1.0.0` in `linker`. `host` finds the host's part in a store's data.
            pub fn add_to_linker<T, D>(
                linker: &mut Linker<T>,
                host: impl Fn(&mut T) -> D::Data<'_> + Send + Sync + Copy + 'static,
            ) -> Result<(), Error>
            where
                T: Send + 'static,
                D: HasData,
                for<'a> D::Data<'a>: Host,
            {
                let mut interface = linker
                    .instance("airssys:host-core/host-services@1.0.0")?;
                interface
                    .func_wrap(
                        "log",
                        move |
                            mut cx,
                            (
                                level,
                                message,
                                context,
                            ): (LogLevel, String, Option<Vec<(String, String)>>)|
                        {
                            Host::log(&mut host(cx.data_mut()), level, message, context);
                            Ok(())
                        },
                    )?;
                interface
                    .func_wrap(
                        "send-message",
                        move |mut cx, (target, message): (ComponentId, Vec<u8>)| {
                            Ok((
                                Host::send_message(
                                    &mut host(cx.data_mut()),
                                    target,
                                    message,
                                ),
                            ))
                        },
                    )?;
                interface
                    .func_wrap(
                        "receive-message",
                        move |mut cx, (): ()| {
                            Ok((Host::receive_message(&mut host(cx.data_mut())),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "get-config",
                        move |mut cx, (key,): (String,)| {
                            Ok((Host::get_config(&mut host(cx.data_mut()), key),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "set-config",
                        move |mut cx, (key, value): (String, String)| {
                            Ok((Host::set_config(&mut host(cx.data_mut()), key, value),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "current-time-millis",
                        move |mut cx, (): ()| {
                            Ok((Host::current_time_millis(&mut host(cx.data_mut())),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "sleep-millis",
                        move |mut cx, (duration,): (u64,)| {
                            Host::sleep_millis(&mut host(cx.data_mut()), duration);
                            Ok(())
                        },
                    )?;
                interface
                    .func_wrap(
                        "list-components",
                        move |mut cx, (): ()| {
                            Ok((Host::list_components(&mut host(cx.data_mut())),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "get-component-metadata",
                        move |mut cx, (id,): (ComponentId,)| {
                            Ok((
                                Host::get_component_metadata(&mut host(cx.data_mut()), id),
                            ))
                        },
                    )?;
                Ok(())
            }
        }

        /// Access to the outside world. Each function needs a capability, and is denied without it.
        ///
        /// The functions can always be imported, so that one build of a component runs with any set of grants. The host
        /// checks `component-config.granted-capabilities` first on every call; a `denied` call has
        /// no effect, and does not reveal whether its object exists.
        pub mod host_capabilities {
            use ::airssys_wasm::Error;
            use ::airssys_wasm::component::{ComponentType, HasData, Lift, Linker, Lower};

            /// The failure to read or write a file.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(variant)]
            pub enum FileError {
                /// A capability is missing; the text is the required capability.
                #[component(name = "denied")]
                Denied(String),
                /// The file, or the folder to write it in, does not exist; the text is the path.
                #[component(name = "not-found")]
                NotFound(String),
                /// The file exceeds the host's size limit; the number is the limit, in bytes.
                #[component(name = "too-large")]
                TooLarge(u64),
                /// The file system failed; the text describes the error.
                #[component(name = "io")]
                Io(String),
            }

            impl ::core::fmt::Display for FileError {
                fn fmt(
                    &self,
                    f: &mut ::core::fmt::Formatter<'_>,
                ) -> ::core::fmt::Result {
                    write!(f, "{self:?}")
                }
            }

            impl ::core::error::Error for FileError {}

            /// An HTTP request.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Request {
                /// The method, in uppercase: `GET`, `POST`.
                #[component(name = "method")]
                pub method: String,
                /// The absolute URL, with the scheme `http` or `https`.
                #[component(name = "url")]
                pub url: String,
                /// Header names and values, in the order of sending. A name may occur more than once.
                #[component(name = "headers")]
                pub headers: Vec<(String, String)>,
                /// The body; `none` for no body.
                #[component(name = "body")]
                pub body: Option<Vec<u8>>,
                /// Time limit for the whole response, in milliseconds. The remaining time of the call limits it further.
                /// `none`: only that limit.
                #[component(name = "timeout-ms")]
                pub timeout_ms: Option<u64>,
            }

            /// An HTTP response, with any status: 404 and 500 are not errors here.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Response {
                /// The status code, 100 to 599.
                #[component(name = "status")]
                pub status: u16,
                /// Header names, in lowercase, and values, in the order received.
                #[component(name = "headers")]
                pub headers: Vec<(String, String)>,
                /// The complete body; empty if there is none.
                #[component(name = "body")]
                pub body: Vec<u8>,
            }

            /// The failure of an HTTP request.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(variant)]
            pub enum HttpError {
                /// A capability is missing; the text is the required capability.
                #[component(name = "denied")]
                Denied(String),
                /// The method, URL or a header is malformed; the text names it.
                #[component(name = "invalid-request")]
                InvalidRequest(String),
                /// The response was not complete within the time limit.
                #[component(name = "timeout")]
                Timeout,
                /// The server is unreachable, or the connection failed; the text describes the error.
                #[component(name = "connection-failed")]
                ConnectionFailed(String),
                /// A body exceeds the host's size limit; the number is the limit, in bytes.
                #[component(name = "too-large")]
                TooLarge(u64),
            }

            impl ::core::fmt::Display for HttpError {
                fn fmt(
                    &self,
                    f: &mut ::core::fmt::Formatter<'_>,
                ) -> ::core::fmt::Result {
                    write!(f, "{self:?}")
                }
            }

            impl ::core::error::Error for HttpError {}

            /// The failure of a function of the host application.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(variant)]
            pub enum HostFunctionError {
                /// The host application has no function with this name.
                #[component(name = "unknown")]
                Unknown(String),
                /// A capability is missing; the text is the required capability.
                #[component(name = "denied")]
                Denied(String),
                /// The function failed; the text describes the error.
                #[component(name = "failed")]
                Failed(String),
            }

            impl ::core::fmt::Display for HostFunctionError {
                fn fmt(
                    &self,
                    f: &mut ::core::fmt::Formatter<'_>,
                ) -> ::core::fmt::Result {
                    write!(f, "{self:?}")
                }
            }

            impl ::core::error::Error for HostFunctionError {}

            /// The host's implementation of `airssys:host-core/host-capabilities@1.0.0`.
            pub trait Host {
                /// Reads a whole file. Requires the capability `filesystem:read:PATH`.
                ///
                /// `path` is absolute in the component's own view of the file system, with the separator `/`. Each case of
                /// `file-error` can occur.
                fn read_file(&mut self, path: String) -> Result<Vec<u8>, FileError>;

                /// Writes a whole file, replacing an existing one. Requires the capability `filesystem:write:PATH`.
                ///
                /// `path` is as for `read-file`. Folders are not created. Each case of `file-error` can occur.
                fn write_file(
                    &mut self,
                    path: String,
                    data: Vec<u8>,
                ) -> Result<(), FileError>;

                /// Sends one HTTP request and waits for the whole response. Requires the capability `network:outbound:HOST`.
                ///
                /// Each case of `http-error` can occur.
                fn http_request(
                    &mut self,
                    request: Request,
                ) -> Result<Response, HttpError>;

                /// Calls the function of the host application with this name.
                ///
                /// `args` and the result are payloads: a codec's prefix and data. The functions and their parameters are documented by the
                /// host application. Each case of `host-function-error` can occur.
                fn call_host_function(
                    &mut self,
                    function_name: String,
                    args: Vec<u8>,
                ) -> Result<Vec<u8>, HostFunctionError>;
            }

            impl<H: Host + ?Sized> Host for &mut H {
                fn read_file(&mut self, path: String) -> Result<Vec<u8>, FileError> {
                    Host::read_file(*self, path)
                }

                fn write_file(
                    &mut self,
                    path: String,
                    data: Vec<u8>,
                ) -> Result<(), FileError> {
                    Host::write_file(*self, path, data)
                }

                fn http_request(
                    &mut self,
                    request: Request,
                ) -> Result<Response, HttpError> {
                    Host::http_request(*self, request)
                }

                fn call_host_function(
                    &mut self,
                    function_name: String,
                    args: Vec<u8>,
                ) -> Result<Vec<u8>, HostFunctionError> {
                    Host::call_host_function(*self, function_name, args)
                }
            }

            /// Defines `airssys:host-core/host-capabilities@1.0.0` in `linker`. `host` finds the host's part in a store's data.
            pub fn add_to_linker<T, D>(
                linker: &mut Linker<T>,
                host: impl Fn(&mut T) -> D::Data<'_> + Send + Sync + Copy + 'static,
            ) -> Result<(), Error>
            where
                T: Send + 'static,
                D: HasData,
                for<'a> D::Data<'a>: Host,
            {
                let mut interface = linker
                    .instance("airssys:host-core/host-capabilities@1.0.0")?;
                interface
                    .func_wrap(
                        "read-file",
                        move |mut cx, (path,): (String,)| {
                            Ok((Host::read_file(&mut host(cx.data_mut()), path),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "write-file",
                        move |mut cx, (path, data): (String, Vec<u8>)| {
                            Ok((Host::write_file(&mut host(cx.data_mut()), path, data),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "http-request",
                        move |mut cx, (request,): (Request,)| {
                            Ok((Host::http_request(&mut host(cx.data_mut()), request),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "call-host-function",
                        move |mut cx, (function_name, args): (String, Vec<u8>)| {
                            Ok((
                                Host::call_host_function(
                                    &mut host(cx.data_mut()),
                                    function_name,
                                    args,
                                ),
                            ))
                        },
                    )?;
                Ok(())
            }
        }
    }

    pub mod multicodec_core {
        /// Encoding, decoding and looking up prefixes.
        ///
        /// Always available, without a capability. These functions handle only the prefix and never read the data, so a
        /// payload that decodes here can still contain invalid JSON.
        pub mod multicodec_utilities {
            use ::airssys_wasm::Error;
            use ::airssys_wasm::component::{ComponentType, HasData, Lift, Linker, Lower};

            pub type MulticodecId = super::super::types_core::types::MulticodecId;

            /// A decoded payload.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct DecodedData {
                /// The codec of the prefix; one of those in the table.
                #[component(name = "codec")]
                pub codec: MulticodecId,
                /// The data after the prefix, unchanged.
                #[component(name = "data")]
                pub data: Vec<u8>,
            }

            /// Information about one codec.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct CodecInfo {
                /// Its number.
                #[component(name = "id")]
                pub id: MulticodecId,
                /// Its name in the table: `json`.
                #[component(name = "name")]
                pub name: String,
                /// One line for users.
                #[component(name = "description")]
                pub description: String,
                /// True if its data can be read without a schema.
                #[component(name = "self-describing")]
                pub self_describing: bool,
            }

            /// The failure to read a payload's prefix, or to find a codec.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(variant)]
            pub enum MulticodecError {
                /// The payload has no bytes at all.
                #[component(name = "empty")]
                Empty,
                /// The payload ends within the prefix.
                #[component(name = "truncated-prefix")]
                TruncatedPrefix,
                /// The prefix has more bytes than its number needs, or more than nine.
                #[component(name = "overlong-prefix")]
                OverlongPrefix,
                /// The prefix is well formed, but its number is not in the table.
                #[component(name = "unknown-codec")]
                UnknownCodec(MulticodecId),
            }

            impl ::core::fmt::Display for MulticodecError {
                fn fmt(
                    &self,
                    f: &mut ::core::fmt::Formatter<'_>,
                ) -> ::core::fmt::Result {
                    write!(f, "{self:?}")
                }
            }

            impl ::core::error::Error for MulticodecError {}

            /// The host's implementation of `airssys:multicodec-core/multicodec-utilities@1.0.0`.
            pub trait Host {
                /// Prepends the codec's prefix to the data, which adds at most ten bytes.
                ///
                /// There is no error to return, so the number is written whether or not the table has it; `decode`
                /// refuses numbers outside of the table. A number of 64 bits becomes a ten-byte prefix, which every reader refuses
                /// as overlong. Call `is-codec-supported` first for numbers from other sources.
                fn encode(&mut self, codec: MulticodecId, data: Vec<u8>) -> Vec<u8>;

                /// Splits a payload into codec and data.
                ///
                /// Each case of `multicodec-error` can occur.
                fn decode(
                    &mut self,
                    encoded: Vec<u8>,
                ) -> Result<DecodedData, MulticodecError>;

                /// True if the table has this codec.
                fn is_codec_supported(&mut self, codec: MulticodecId) -> bool;

                /// Looks a codec up in the table.
                ///
                /// The only error is `unknown-codec`, with the requested number.
                fn get_codec_info(
                    &mut self,
                    codec: MulticodecId,
                ) -> Result<CodecInfo, MulticodecError>;
            }

            impl<H: Host + ?Sized> Host for &mut H {
                fn encode(&mut self, codec: MulticodecId, data: Vec<u8>) -> Vec<u8> {
                    Host::encode(*self, codec, data)
                }

                fn decode(
                    &mut self,
                    encoded: Vec<u8>,
                ) -> Result<DecodedData, MulticodecError> {
                    Host::decode(*self, encoded)
                }

                fn is_codec_supported(&mut self, codec: MulticodecId) -> bool {
                    Host::is_codec_supported(*self, codec)
                }

                fn get_codec_info(
                    &mut self,
                    codec: MulticodecId,
                ) -> Result<CodecInfo, MulticodecError> {
                    Host::get_codec_info(*self, codec)
                }
            }

            /// Defines `airssys:multicodec-core/multicodec-utilities@1.0.0` in `linker`. `host` finds the host's part in a store's data.
            pub fn add_to_linker<T, D>(
                linker: &mut Linker<T>,
                host: impl Fn(&mut T) -> D::Data<'_> + Send + Sync + Copy + 'static,
            ) -> Result<(), Error>
            where
                T: Send + 'static,
                D: HasData,
                for<'a> D::Data<'a>: Host,
            {
                let mut interface = linker
                    .instance("airssys:multicodec-core/multicodec-utilities@1.0.0")?;
                interface
                    .func_wrap(
                        "encode",
                        move |mut cx, (codec, data): (MulticodecId, Vec<u8>)| {
                            Ok((Host::encode(&mut host(cx.data_mut()), codec, data),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "decode",
                        move |mut cx, (encoded,): (Vec<u8>,)| {
                            Ok((Host::decode(&mut host(cx.data_mut()), encoded),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "is-codec-supported",
                        move |mut cx, (codec,): (MulticodecId,)| {
                            Ok((
                                Host::is_codec_supported(&mut host(cx.data_mut()), codec),
                            ))
                        },
                    )?;
                interface
                    .func_wrap(
                        "get-codec-info",
                        move |mut cx, (codec,): (MulticodecId,)| {
                            Ok((Host::get_codec_info(&mut host(cx.data_mut()), codec),))
                        },
                    )?;
                Ok(())
            }
        }
    }
}

pub mod exports {
    pub mod airssys {
        pub mod component_core {
            /// The functions through which a host runs a component. A component must export all of them.
            pub mod component_lifecycle {
                use ::airssys_wasm::Error;
                use ::airssys_wasm::component::{
                    AsContextMut, ComponentType, Func, Instance, Lift, LiftList, Lower,
                    LowerList,
                };

                pub type ComponentMetadata = super::super::super::super::airssys::types_core::types::ComponentMetadata;
                pub type ComponentError = super::super::super::super::airssys::types_core::types::ComponentError;
                pub type ExecutionError = super::super::super::super::airssys::types_core::types::ExecutionError;
                pub type HealthStatus = super::super::super::super::airssys::types_core::types::HealthStatus;
                pub type MulticodecId = super::super::super::super::airssys::types_core::types::MulticodecId;
                pub type Capability = super::super::super::super::airssys::types_core::types::Capability;
                pub type ResourceLimits = super::super::super::super::airssys::types_core::types::ResourceLimits;
                pub type ResourceAllocation = super::super::super::super::airssys::types_core::types::ResourceAllocation;
                pub type CallerInfo = super::super::super::super::airssys::types_core::types::CallerInfo;
                pub type TraceContext = super::super::super::super::airssys::types_core::types::TraceContext;

                /// The configuration of a component.
                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(record)]
                pub struct ComponentConfig {
                    /// Environment variables of this component; the host's own environment is not inherited. Names are
                    /// not empty and unique.
                    #[component(name = "env-vars")]
                    pub env_vars: Vec<(String, String)>,
                    /// Configuration in the component's own schema, as a payload: a codec's prefix and data. `none` if the host has
                    /// none.
                    #[component(name = "config-data")]
                    pub config_data: Option<Vec<u8>>,
                    /// The limits of the instance. The host enforces them; they are provided for information.
                    #[component(name = "resource-limits")]
                    pub resource_limits: ResourceLimits,
                    /// The granted capabilities, a subset of the requested ones. The host checks every
                    /// action against them.
                    #[component(name = "granted-capabilities")]
                    pub granted_capabilities: Vec<Capability>,
                }

                /// The context of one operation.
                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(record)]
                pub struct ExecutionContext {
                    /// Identifies this request in logs and traces. Unique within the host, not empty.
                    #[component(name = "request-id")]
                    pub request_id: String,
                    /// The caller of the operation.
                    #[component(name = "caller")]
                    pub caller: CallerInfo,
                    /// The resources available to the operation.
                    #[component(name = "available-resources")]
                    pub available_resources: ResourceAllocation,
                    /// Time limit of the operation, in milliseconds from the start of the call; the host then interrupts it.
                    #[component(name = "timeout-ms")]
                    pub timeout_ms: u64,
                    /// The trace that the operation belongs to, if any. Propagate it in requests on behalf of the operation.
                    #[component(name = "trace-context")]
                    pub trace_context: Option<TraceContext>,
                }

                /// The functions of `airssys:component-core/component-lifecycle@1.0.0`, found in one instance.
                #[derive(Clone, Debug)]
                pub struct Guest {
                    init: Func,
                    execute: Func,
                    metadata: Func,
                    health: Func,
                    supported_codecs: Func,
                    shutdown: Func,
                }

                impl Guest {
                    /// Finds the functions in `instance`, and checks their types.
                    pub fn new(
                        mut store: impl AsContextMut,
                        instance: &Instance,
                    ) -> Result<Self, Error> {
                        Ok(Self {
                            init: Self::find::<
                                (&ComponentConfig,),
                                (Result<(), ComponentError>,),
                            >(&mut store, instance, "init")?,
                            execute: Self::find::<
                                (&[u8], &ExecutionContext),
                                (Result<Vec<u8>, ExecutionError>,),
                            >(&mut store, instance, "execute")?,
                            metadata: Self::find::<
                                (),
                                (ComponentMetadata,),
                            >(&mut store, instance, "metadata")?,
                            health: Self::find::<
                                (),
                                (HealthStatus,),
                            >(&mut store, instance, "health")?,
                            supported_codecs: Self::find::<
                                (),
                                (Vec<MulticodecId>,),
                            >(&mut store, instance, "supported-codecs")?,
                            shutdown: Self::find::<
                                (),
                                (Result<(), ComponentError>,),
                            >(&mut store, instance, "shutdown")?,
                        })
                    }

                    /// Prepares the component for operations. Called once, before the first `execute`.
                    ///
                    /// Return `invalid-config` for an unusable configuration, and `already-initialized` for a
                    /// second call. After an error the host does not call `execute`.
                    pub fn call_init(
                        &self,
                        store: impl AsContextMut,
                        config: &ComponentConfig,
                    ) -> Result<Result<(), ComponentError>, Error> {
                        let (result,): (Result<(), ComponentError>,) = self
                            .init
                            .call_typed(store, (config,))?;
                        Ok(result)
                    }

                    /// Runs one operation.
                    ///
                    /// `operation` is a payload: a codec's prefix, then data (`airssys:multicodec-core` has the table).
                    ///
                    /// - For the self-describing codecs (json, msgpack, yaml) the data is the *operation envelope*, a map with two
                    ///   entries under text keys: `{"operation": NAME, "params": ANY}`. NAME is a string, one of the component's
                    ///   `supported-operations`; ANY is the operation's parameter, and null if it has none.
                    /// - For borsh, bincode and protobuf the data has the component's own schema.
                    /// - For raw the data is uninterpreted bytes.
                    ///
                    /// The result is a payload too: by convention in the codec of the request, and without an envelope.
                    ///
                    /// The host does not validate payloads, so check them: return `unsupported-codec` for a prefix
                    /// that is not among `supported-codecs`, `invalid-input` for data that does not decode, `unsupported-operation` for
                    /// another NAME. After such an error the instance remains usable; a trap ends it.
                    pub fn call_execute(
                        &self,
                        store: impl AsContextMut,
                        operation: &[u8],
                        context: &ExecutionContext,
                    ) -> Result<Result<Vec<u8>, ExecutionError>, Error> {
                        let (result,): (Result<Vec<u8>, ExecutionError>,) = self
                            .execute
                            .call_typed(store, (operation, context))?;
                        Ok(result)
                    }

                    /// Describes the component. Returns the same value every time, also before `init`, without calls to the host.
                    pub fn call_metadata(
                        &self,
                        store: impl AsContextMut,
                    ) -> Result<ComponentMetadata, Error> {
                        let (result,): (ComponentMetadata,) = self
                            .metadata
                            .call_typed(store, ())?;
                        Ok(result)
                    }

                    /// Reports the component's health. Called often: return known state immediately.
                    pub fn call_health(
                        &self,
                        store: impl AsContextMut,
                    ) -> Result<HealthStatus, Error> {
                        let (result,): (HealthStatus,) = self
                            .health
                            .call_typed(store, ())?;
                        Ok(result)
                    }

                    /// The codecs that `execute` accepts, the preferred one first; not empty. Returns the same value every time.
                    pub fn call_supported_codecs(
                        &self,
                        store: impl AsContextMut,
                    ) -> Result<Vec<MulticodecId>, Error> {
                        let (result,): (Vec<MulticodecId>,) = self
                            .supported_codecs
                            .call_typed(store, ())?;
                        Ok(result)
                    }

                    /// Releases the component's resources. The last call to an instance, with the time limit of an operation.
                    ///
                    /// The host logs an error and destroys the instance in any case.
                    pub fn call_shutdown(
                        &self,
                        store: impl AsContextMut,
                    ) -> Result<Result<(), ComponentError>, Error> {
                        let (result,): (Result<(), ComponentError>,) = self
                            .shutdown
                            .call_typed(store, ())?;
                        Ok(result)
                    }

                    fn find<P: LowerList, R: LiftList>(
                        store: impl AsContextMut,
                        instance: &Instance,
                        name: &str,
                    ) -> Result<Func, Error> {
                        let func = instance
                            .try_get_func(
                                store,
                                &["airssys:component-core/component-lifecycle@1.0.0", name],
                            )?;
                        func.typecheck::<P, R>()?;
                        Ok(func)
                    }
                }
            }
        }
    }
}
