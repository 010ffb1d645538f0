/// The world of a component: what the host links and calls.
///
/// An import that a component does not use may be missing from the built binary; the exports may not.
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
        /// Identities, limits, health, metadata and errors, in terms of which the other interfaces are written.
        pub mod types {
            use ::airssys_wasm::component::{ComponentType, Lift, Lower};

            /// Identifies one loaded component within one host.
            ///
            /// The host chooses it when it loads the component. It is not empty, it stays the same until the component is
            /// unloaded, and it means nothing to another host. Compare it as a whole; its inner form is the host's business.
            pub type ComponentId = String;

            /// A codec's number: one from the multiformats table, or one that this contract reserves.
            ///
            /// The codecs that the contract knows are listed at `airssys:multicodec-core`. At most 63 bits are usable, since a
            /// payload's prefix has no room for more.
            pub type MulticodecId = u64;

            /// Permission for one kind of action: `domain:action`, or `domain:action:scope` to narrow it.
            ///
            /// Examples: `filesystem:read:/models`, `network:outbound:api.example.com`. The scope is everything behind the
            /// second colon, so it may hold colons itself. Without a scope the capability covers the whole domain and action.
            pub type Capability = String;

            /// How much a log line matters, from least to most.
            #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
            #[component(enum)]
            pub enum LogLevel {
                /// Step-by-step detail, of use only while hunting one fault.
                #[component(name = "trace")]
                Trace,
                /// Detail for the component's developers.
                #[component(name = "debug")]
                Debug,
                /// Normal milestones.
                #[component(name = "info")]
                Info,
                /// Something unexpected that the component coped with.
                #[component(name = "warn")]
                Warn,
                /// Something failed.
                #[component(name = "error")]
                Error,
            }

            /// Upper bounds that the host sets for one instance of a component, for as long as the instance lives.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct ResourceLimits {
                /// Most linear memory the instance may hold, in bytes, over all its memories. Growing beyond it fails, as
                /// `memory.grow` does when memory runs out.
                #[component(name = "max-memory-bytes")]
                pub max_memory_bytes: u64,
                /// Longest that one call into the component may take, in milliseconds of wall-clock time. The host interrupts a
                /// call that takes longer, and the instance cannot be called again.
                #[component(name = "max-execution-time-ms")]
                pub max_execution_time_ms: u64,
                /// Most work that one call may do, in the host's units of counted instructions. `none`: the host does not count.
                /// Units are comparable only within one host and version.
                #[component(name = "max-fuel")]
                pub max_fuel: Option<u64>,
            }

            /// What one call may still use, as counted when the call starts.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct ResourceAllocation {
                /// Linear memory, in bytes, that the instance may hold by the end of the call, what it already holds included.
                #[component(name = "memory-bytes")]
                pub memory_bytes: u64,
                /// Time for this call, in milliseconds of wall-clock time.
                #[component(name = "execution-time-ms")]
                pub execution_time_ms: u64,
                /// Counted instructions for this call, in the units of `resource-limits.max-fuel`. `none`: not counted.
                #[component(name = "fuel")]
                pub fuel: Option<u64>,
            }

            /// On whose behalf a call is made. The host fills it in; no component can claim to be another.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(variant)]
            pub enum CallerInfo {
                /// The host application itself.
                #[component(name = "host")]
                Host,
                /// Another component of the same host.
                #[component(name = "component")]
                Component(ComponentId),
                /// A caller that the host has not identified, for instance a request from outside. Trust it least.
                #[component(name = "anonymous")]
                Anonymous,
            }

            /// Ties a call to a distributed trace, in the terms of W3C Trace Context.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct TraceContext {
                /// The `traceparent` header's value, for example `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`.
                #[component(name = "traceparent")]
                pub traceparent: String,
                /// The `tracestate` header's value, if there is one. Hand it on unchanged.
                #[component(name = "tracestate")]
                pub tracestate: Option<String>,
            }

            /// A component's own verdict on itself.
            #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
            #[component(enum)]
            pub enum HealthState {
                /// Working normally.
                #[component(name = "healthy")]
                Healthy,
                /// Working, but slower or with less than it should have; `health-status.message` says what.
                #[component(name = "degraded")]
                Degraded,
                /// Not able to do its work. The host may stop sending it operations, or restart it.
                #[component(name = "unhealthy")]
                Unhealthy,
            }

            /// The answer to a health check.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct HealthStatus {
                /// The verdict.
                #[component(name = "state")]
                pub state: HealthState,
                /// One line for operators: why the state is what it is. The host logs and shows it, and never acts on its text.
                #[component(name = "message")]
                pub message: Option<String>,
            }

            /// How much linear memory a component needs, in bytes. `min` ≤ `preferred` ≤ `max`.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct MemoryRequirements {
                /// Least memory, in bytes, with which the component works at all. A host that cannot give it does not start the
                /// component.
                #[component(name = "min-memory-bytes")]
                pub min_memory_bytes: u64,
                /// Most memory, in bytes, that the component will ever use. The host may limit it to less.
                #[component(name = "max-memory-bytes")]
                pub max_memory_bytes: u64,
                /// Memory, in bytes, with which the component works best; a hint.
                #[component(name = "preferred-memory-bytes")]
                pub preferred_memory_bytes: u64,
            }

            /// What a component says about itself.
            ///
            /// Each field has its audience, and only that audience acts on it:
            ///
            /// | fields                                                         | read by                           |
            /// |----------------------------------------------------------------|-----------------------------------|
            /// | `name`, `version`, `description`, `author`, `license`          | everyone: the identity            |
            /// | `required-capabilities`, `supported-operations`, `supported-codecs` | the host: what to grant and route |
            /// | `language`, `memory-requirements`, `timeout-ms`, `stateful`, `api-version` | the host: how to run it |
            /// | `homepage`, `repository`, `tags`                               | people, and components that search |
            /// | `custom-metadata`                                              | other components; opaque to the host |
            ///
            /// It stays the same for the life of an instance.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct ComponentMetadata {
                /// The component's name, for example `text-processor`. It names the program; a loaded copy of it has a `component-id`.
                #[component(name = "name")]
                pub name: String,
                /// The component's own version, as semantic versioning writes it: `1.2.3`.
                #[component(name = "version")]
                pub version: String,
                /// One sentence on what the component does.
                #[component(name = "description")]
                pub description: String,
                /// Who made it: a person or an organisation, with an address if they like.
                #[component(name = "author")]
                pub author: String,
                /// The licence, as an SPDX expression: `MIT OR Apache-2.0`.
                #[component(name = "license")]
                pub license: String,
                /// What the component asks to be allowed. Asking grants nothing: what it may do is in
                /// `component-config.granted-capabilities`.
                #[component(name = "required-capabilities")]
                pub required_capabilities: Vec<Capability>,
                /// The operation names that `execute` understands, for example `word-count`. Any other name gives
                /// `execution-error.unsupported-operation`.
                #[component(name = "supported-operations")]
                pub supported_operations: Vec<String>,
                /// The codecs that `execute` takes; the same list as the function `supported-codecs` returns.
                #[component(name = "supported-codecs")]
                pub supported_codecs: Vec<MulticodecId>,
                /// The language it was written in, in lower case: `rust`, `javascript`, `python`, `go`, `c`.
                #[component(name = "language")]
                pub language: String,
                /// Memory it needs.
                #[component(name = "memory-requirements")]
                pub memory_requirements: MemoryRequirements,
                /// Longest that one `execute` should ever take, in milliseconds. The host applies this or its own limit, whichever
                /// is shorter. `none`: the host's limit alone.
                #[component(name = "timeout-ms")]
                pub timeout_ms: Option<u64>,
                /// Whether one `execute` can influence a later one. `false` lets the host use a fresh or a pooled instance for
                /// every operation.
                #[component(name = "stateful")]
                pub stateful: bool,
                /// The version of `airssys:component-core` it was built against: `1.0.0`.
                #[component(name = "api-version")]
                pub api_version: String,
                /// Address of a page about the component.
                #[component(name = "homepage")]
                pub homepage: Option<String>,
                /// Address of its source code.
                #[component(name = "repository")]
                pub repository: Option<String>,
                /// Words to find it by: `text`, `statistics`.
                #[component(name = "tags")]
                pub tags: Vec<String>,
                /// Whatever components of one field want to tell each other: formats, model names, protocol versions.
                ///
                /// For other components, not for the host. The host keeps the pairs in their order and hands them out unchanged
                /// through `get-component-metadata`; it does not parse, check or act on them. Prefix keys with the field they
                /// belong to (`ml:model-type`, `db:protocol`), keep values short and plain, and describe them where your users
                /// will look. What the host must know does not belong here: limits, capabilities and timeouts have fields of
                /// their own, and run-time settings come through `component-config`.
                #[component(name = "custom-metadata")]
                pub custom_metadata: Option<Vec<(String, String)>>,
            }

            /// Why a lifecycle step, or a question about a component, failed.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(variant)]
            pub enum ComponentError {
                /// The configuration is unusable; the text names the setting and what is wrong with it.
                #[component(name = "invalid-config")]
                InvalidConfig(String),
                /// The host has no component of this identity.
                #[component(name = "not-found")]
                NotFound(ComponentId),
                /// `init` has not been called, or did not succeed.
                #[component(name = "not-initialized")]
                NotInitialized,
                /// `init` was called a second time.
                #[component(name = "already-initialized")]
                AlreadyInitialized,
                /// The component has been shut down.
                #[component(name = "shut-down")]
                ShutDown,
                /// Anything else; the text says what happened.
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

            /// Why an operation failed. The instance stays usable.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(variant)]
            pub enum ExecutionError {
                /// The component has no operation of this name.
                #[component(name = "unsupported-operation")]
                UnsupportedOperation(String),
                /// The component does not take payloads in this codec.
                #[component(name = "unsupported-codec")]
                UnsupportedCodec(MulticodecId),
                /// The payload is damaged, or does not have the form that the operation needs; the text says where.
                #[component(name = "invalid-input")]
                InvalidInput(String),
                /// The operation needs a capability that the component was not granted.
                #[component(name = "capability-denied")]
                CapabilityDenied(Capability),
                /// The component gave up because the operation's time was running out.
                #[component(name = "timeout")]
                Timeout,
                /// The component ran out of something other than time; the text says of what.
                #[component(name = "resource-exhausted")]
                ResourceExhausted(String),
                /// The operation was understood and attempted, and failed; the text says why.
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
        /// What a message is, and how sending or receiving can fail.
        ///
        /// The functions are in `airssys:host-core/host-services`. Every component has one mailbox, of limited length. The
        /// messages from one sender arrive in the order in which they were sent, each at most once; between two senders there
        /// is no order.
        pub mod messaging {
            use ::airssys_wasm::component::{ComponentType, Lift, Lower};

            pub type ComponentId = super::super::types_core::types::ComponentId;

            /// One message, taken from the mailbox.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct IncomingMessage {
                /// Who sent it. The host fills this in, so it can be trusted.
                #[component(name = "sender")]
                pub sender: ComponentId,
                /// What was sent, unchanged: by convention a payload, a codec's prefix and data.
                #[component(name = "payload")]
                pub payload: Vec<u8>,
                /// When the host accepted it, in milliseconds since 1970-01-01T00:00:00Z by the host's clock.
                #[component(name = "sent-at-millis")]
                pub sent_at_millis: u64,
            }

            /// Why a message was not sent, or none could be received.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(variant)]
            pub enum MessagingError {
                /// The host has no component of this identity.
                #[component(name = "unknown-target")]
                UnknownTarget(ComponentId),
                /// This component's mailbox is full. The message was not delivered; sending it later may succeed.
                #[component(name = "mailbox-full")]
                MailboxFull(ComponentId),
                /// The sender is not allowed to send messages to this target, or the receiver to receive any.
                #[component(name = "denied")]
                Denied,
                /// The message is longer than the host allows; the number is the most it takes, in bytes.
                #[component(name = "too-large")]
                TooLarge(u64),
                /// The mailbox is closed, since its component is shutting down. Sending again cannot succeed.
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
        /// Services that every component has, without any capability.
        ///
        /// All of them may be called from `init`, `execute`, `health` and `shutdown`. Each works for the calling component:
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

            /// Why a setting could not be read or changed.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(variant)]
            pub enum ConfigError {
                /// The key is empty, too long, or holds a control character; the text says which.
                #[component(name = "invalid-key")]
                InvalidKey(String),
                /// The host has fixed the setting of this name.
                #[component(name = "read-only")]
                ReadOnly(String),
                /// The component is not allowed to touch this setting.
                #[component(name = "denied")]
                Denied,
                /// Settings cannot be reached at the moment, or there is no room for another; the text says why.
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
                /// `context` holds key-value pairs, kept in their order. The host adds the component's identity, and drops lines
                /// below its own level. It takes message and context as untrusted text: control characters (line ends and
                /// terminal escapes among them) are replaced, and what is overlong is cut.
                fn log(
                    &mut self,
                    level: LogLevel,
                    message: String,
                    context: Option<Vec<(String, String)>>,
                );

                /// Puts a message into another component's mailbox and returns without waiting for it to be read.
                ///
                /// `message` is by convention a payload, a codec's prefix and data; the host carries it unchanged. A component may
                /// send to itself. Each case of `messaging-error` can occur, and none of them leaves a message behind.
                fn send_message(
                    &mut self,
                    target: ComponentId,
                    message: Vec<u8>,
                ) -> Result<(), MessagingError>;

                /// Takes the oldest message out of the caller's mailbox; `none` when it is empty. Never waits.
                ///
                /// Errors: `denied`, `closed`.
                fn receive_message(
                    &mut self,
                ) -> Result<Option<IncomingMessage>, MessagingError>;

                /// Reads one of the component's settings; `none` when there is no such setting.
                ///
                /// A component sees its own settings only: those that the host gave it and those it has set itself.
                /// Errors: `invalid-key`, `denied`, `unavailable`.
                fn get_config(
                    &mut self,
                    key: String,
                ) -> Result<Option<String>, ConfigError>;

                /// Changes one of the component's settings, or adds it. A later `get-config` of the same component sees it.
                ///
                /// The host need not keep it beyond the component's life. Each case of `config-error` can occur.
                fn set_config(
                    &mut self,
                    key: String,
                    value: String,
                ) -> Result<(), ConfigError>;

                /// Wall-clock time: milliseconds since 1970-01-01T00:00:00Z.
                ///
                /// The clock may be set while the component runs, so the difference of two readings can be negative.
                fn current_time_millis(&mut self) -> u64;

                /// Pauses the caller for this many milliseconds, or a little longer; zero returns at once.
                ///
                /// A pause counts towards the time of the call it is made in. One that would outlast that time ends when it is up,
                /// and the call is interrupted as if it had been computing.
                fn sleep_millis(&mut self, duration: u64);

                /// The components that the host has loaded at this moment, the caller among them, in no particular order.
                ///
                /// The list may be out of date as soon as it is returned. A host may leave out components that the caller has no
                /// business with.
                fn list_components(&mut self) -> Vec<ComponentId>;

                /// The metadata that another component gave, `custom-metadata` untouched.
                ///
                /// Errors: `not-found`; `not-initialized` when the host does not have that component's metadata yet; `internal`.
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

        /// Actions on the outside world. Each needs a capability, and is denied without one.
        ///
        /// The functions are always there to import, so that one build of a component runs with any set of grants. The host
        /// checks `component-config.granted-capabilities` on every call, before it does anything else; a `denied` call has had
        /// no effect, and says nothing about whether its object exists.
        pub mod host_capabilities {
            use ::airssys_wasm::Error;
            use ::airssys_wasm::component::{ComponentType, HasData, Lift, Linker, Lower};

            /// Why a file could not be read or written.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(variant)]
            pub enum FileError {
                /// A capability is missing; the text is the capability that would be needed.
                #[component(name = "denied")]
                Denied(String),
                /// There is no such file, or no such folder to write it in; the text is the path.
                #[component(name = "not-found")]
                NotFound(String),
                /// The file is larger than the host lets a component read or write at once; the number is the most, in bytes.
                #[component(name = "too-large")]
                TooLarge(u64),
                /// The file system failed; the text says how.
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
                /// The method, in capital letters: `GET`, `POST`.
                #[component(name = "method")]
                pub method: String,
                /// The absolute address, with the scheme `http` or `https`.
                #[component(name = "url")]
                pub url: String,
                /// Header names and values, in the order in which they are to be sent. A name may occur more than once.
                #[component(name = "headers")]
                pub headers: Vec<(String, String)>,
                /// The body; `none` sends none.
                #[component(name = "body")]
                pub body: Option<Vec<u8>>,
                /// Longest to wait for the whole response, in milliseconds. The time left for the call limits it further.
                /// `none`: that limit alone.
                #[component(name = "timeout-ms")]
                pub timeout_ms: Option<u64>,
            }

            /// An HTTP response. Any status is a response: 404 and 500 are not errors here.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Response {
                /// The status code, 100 to 599.
                #[component(name = "status")]
                pub status: u16,
                /// Header names, in lower case, and values, in the order received.
                #[component(name = "headers")]
                pub headers: Vec<(String, String)>,
                /// The body, whole; empty if there is none.
                #[component(name = "body")]
                pub body: Vec<u8>,
            }

            /// Why there is no HTTP response.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(variant)]
            pub enum HttpError {
                /// A capability is missing; the text is the capability that would be needed.
                #[component(name = "denied")]
                Denied(String),
                /// Method, address or a header is malformed; the text says which.
                #[component(name = "invalid-request")]
                InvalidRequest(String),
                /// The response was not complete in time.
                #[component(name = "timeout")]
                Timeout,
                /// The server could not be reached, or the connection broke; the text says how.
                #[component(name = "connection-failed")]
                ConnectionFailed(String),
                /// A body is larger than the host allows; the number is the most, in bytes.
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

            /// Why a function of the host application gave no answer.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(variant)]
            pub enum HostFunctionError {
                /// The host application offers no function of this name.
                #[component(name = "unknown")]
                Unknown(String),
                /// A capability is missing; the text is the capability that would be needed.
                #[component(name = "denied")]
                Denied(String),
                /// The function ran and failed; the text says why.
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
                /// Reads a whole file. Needs a capability of the kind `filesystem:read:PATH`.
                ///
                /// `path` is absolute in the component's own view of the file system, with `/` between its parts. Each case of
                /// `file-error` can occur.
                fn read_file(&mut self, path: String) -> Result<Vec<u8>, FileError>;

                /// Writes a whole file, in place of what was there. Needs a capability of the kind `filesystem:write:PATH`.
                ///
                /// `path` is as for `read-file`. Folders are not created. Each case of `file-error` can occur.
                fn write_file(
                    &mut self,
                    path: String,
                    data: Vec<u8>,
                ) -> Result<(), FileError>;

                /// Makes one HTTP request and waits for the whole response. Needs a capability of the kind `network:outbound:HOST`.
                ///
                /// Each case of `http-error` can occur.
                fn http_request(
                    &mut self,
                    request: Request,
                ) -> Result<Response, HttpError>;

                /// Calls a function that the host application offers under this name.
                ///
                /// `args` and the answer are payloads: a codec's prefix and data. Which functions there are, and what they take, the
                /// host application documents. Each case of `host-function-error` can occur.
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
        /// Put the prefix on, take it off, and ask about codecs.
        ///
        /// Always available; needs no capability. These functions handle the prefix only: they never look into the data, so a
        /// payload that decodes here can still hold damaged JSON.
        pub mod multicodec_utilities {
            use ::airssys_wasm::Error;
            use ::airssys_wasm::component::{ComponentType, HasData, Lift, Linker, Lower};

            pub type MulticodecId = super::super::types_core::types::MulticodecId;

            /// A payload, taken apart.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct DecodedData {
                /// The codec that the prefix names; one of those in the table.
                #[component(name = "codec")]
                pub codec: MulticodecId,
                /// Everything behind the prefix, unchanged.
                #[component(name = "data")]
                pub data: Vec<u8>,
            }

            /// What the host knows about one codec.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct CodecInfo {
                /// Its number.
                #[component(name = "id")]
                pub id: MulticodecId,
                /// Its name in the table: `json`.
                #[component(name = "name")]
                pub name: String,
                /// One line for people.
                #[component(name = "description")]
                pub description: String,
                /// Whether its data can be read without a schema.
                #[component(name = "self-describing")]
                pub self_describing: bool,
            }

            /// Why a payload's prefix could not be read, or a codec is not known.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(variant)]
            pub enum MulticodecError {
                /// The payload has no bytes at all.
                #[component(name = "empty")]
                Empty,
                /// The payload ends within the prefix.
                #[component(name = "truncated-prefix")]
                TruncatedPrefix,
                /// The prefix takes more bytes than its number needs, or more than nine.
                #[component(name = "overlong-prefix")]
                OverlongPrefix,
                /// The prefix is well formed, and its number is not in the table.
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
                /// Puts the codec's prefix before the data: at most ten bytes more than `data` has.
                ///
                /// There is no error to return, so the number is written as it is, whether the table has it or not; `decode`
                /// refuses what the table does not hold. A number of 64 bits gives a ten-byte prefix, which every reader refuses
                /// as overlong. Ask `is-codec-supported` first when the number comes from elsewhere.
                fn encode(&mut self, codec: MulticodecId, data: Vec<u8>) -> Vec<u8>;

                /// Splits a payload into codec and data.
                ///
                /// Each case of `multicodec-error` can occur.
                fn decode(
                    &mut self,
                    encoded: Vec<u8>,
                ) -> Result<DecodedData, MulticodecError>;

                /// Whether the table holds this codec.
                fn is_codec_supported(&mut self, codec: MulticodecId) -> bool;

                /// Looks a codec up in the table.
                ///
                /// The only error is `unknown-codec`, with the number that was asked for.
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
            /// The functions by which a host runs a component. A component exports all of them.
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

                /// What the component is given when it starts.
                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(record)]
                pub struct ComponentConfig {
                    /// Environment variables, meant for this component alone; the host's own environment is not passed on. Names are
                    /// not empty and occur once.
                    #[component(name = "env-vars")]
                    pub env_vars: Vec<(String, String)>,
                    /// Configuration in the component's own form, as a payload: a codec's prefix and data. `none` when the host has
                    /// none for it.
                    #[component(name = "config-data")]
                    pub config_data: Option<Vec<u8>>,
                    /// The bounds within which the instance runs. The host enforces them; they are told for planning.
                    #[component(name = "resource-limits")]
                    pub resource_limits: ResourceLimits,
                    /// What the component may do: of the capabilities it asked for, those that were granted. The host checks every
                    /// action against them by itself.
                    #[component(name = "granted-capabilities")]
                    pub granted_capabilities: Vec<Capability>,
                }

                /// What is particular to one operation.
                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(record)]
                pub struct ExecutionContext {
                    /// Names this request in logs and traces. Unique within the host, not empty.
                    #[component(name = "request-id")]
                    pub request_id: String,
                    /// On whose behalf the operation runs.
                    #[component(name = "caller")]
                    pub caller: CallerInfo,
                    /// What the operation may use.
                    #[component(name = "available-resources")]
                    pub available_resources: ResourceAllocation,
                    /// Time until the host interrupts the operation, in milliseconds from the start of the call.
                    #[component(name = "timeout-ms")]
                    pub timeout_ms: u64,
                    /// The trace that the operation belongs to, if there is one. Pass it on with requests made for the operation.
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
                    /// Return `invalid-config` for a configuration the component cannot work with, and `already-initialized` for a
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

                    /// Runs one operation: the one way in for all work.
                    ///
                    /// `operation` is a payload: a codec's prefix, then data (`airssys:multicodec-core` has the table).
                    ///
                    /// - For the self-describing codecs (json, msgpack, yaml) the data is the *operation envelope*, a map with two
                    ///   entries under text keys: `{"operation": NAME, "params": ANY}`. NAME is a string, one of the component's
                    ///   `supported-operations`; ANY is whatever that operation takes, and null when it takes nothing.
                    /// - For borsh, bincode and protobuf the data has the component's own schema.
                    /// - For raw the data is bytes, as they come.
                    ///
                    /// The answer is a payload too: by convention in the codec of the question, and without an envelope.
                    ///
                    /// The host passes payloads on without a look at the data, so check them: return `unsupported-codec` for a prefix
                    /// that is not among `supported-codecs`, `invalid-input` for data that does not decode, `unsupported-operation` for
                    /// another NAME. After an error of this kind the instance goes on; a trap ends it.
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

                    /// Describes the component. Answers the same every time, without `init` and without calls to the host.
                    pub fn call_metadata(
                        &self,
                        store: impl AsContextMut,
                    ) -> Result<ComponentMetadata, Error> {
                        let (result,): (ComponentMetadata,) = self
                            .metadata
                            .call_typed(store, ())?;
                        Ok(result)
                    }

                    /// Reports how the component is doing. Called often: answer at once, from what is known, and do no work for it.
                    pub fn call_health(
                        &self,
                        store: impl AsContextMut,
                    ) -> Result<HealthStatus, Error> {
                        let (result,): (HealthStatus,) = self
                            .health
                            .call_typed(store, ())?;
                        Ok(result)
                    }

                    /// The codecs that `execute` takes, the preferred one first; not empty. Answers the same every time.
                    pub fn call_supported_codecs(
                        &self,
                        store: impl AsContextMut,
                    ) -> Result<Vec<MulticodecId>, Error> {
                        let (result,): (Vec<MulticodecId>,) = self
                            .supported_codecs
                            .call_typed(store, ())?;
                        Ok(result)
                    }

                    /// Releases what the component holds. The last call that an instance gets, in time limited as for an operation.
                    ///
                    /// After an error the instance is gone all the same; the host logs it.
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
