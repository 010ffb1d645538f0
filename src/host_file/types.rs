//! Sections of a host file. The first paragraph of each field's documentation is its text in `docs/host.md` and in the JSON
//! Schema.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::cluster::{ClusterSettings, DeclaredMembership};
use super::error::ValueError;
use super::value::{DeclaredValue, contents};
use crate::actors::{
    ActorGroup, ActorOptions, Backpressure, GroupStrategy, GuestMessages, HealthProbe, Restart, RestartPolicy,
};
use crate::codec::{self, Codec};
use crate::limits::{ExecutionTimeout, ResourceLimits};
use crate::messaging::{ComponentId, MailboxLimits};
use crate::security::Capability;
use airssys_wasm_component::engine::Backend;

/// A host file. Paths are those of the file, joined to its folder.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename_all = "kebab-case", deny_unknown_fields))]
#[non_exhaustive]
pub struct HostFile {
    /// Settings of the host.
    #[cfg_attr(feature = "schema", schemars(default))]
    pub host: HostSettings,
    /// Other hosts that this one exchanges messages with, over NATS servers. Without the section, the host is alone. The program needs
    /// the feature `nats`.
    pub cluster: Option<ClusterSettings>,
    /// A group of components that restart together, and give up together; at most 256.
    #[cfg_attr(
        feature = "schema",
        schemars(rename = "group", default, schema_with = "super::schema::groups")
    )]
    pub groups: Vec<DeclaredGroup>,
    /// A component that the host runs as an actor. They start in the order of the file, at least one and at most 4096.
    #[cfg_attr(
        feature = "schema",
        schemars(rename = "component", schema_with = "super::schema::components")
    )]
    pub components: Vec<DeclaredComponent>,
}

/// The section `[host]`.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename_all = "kebab-case", deny_unknown_fields))]
#[non_exhaustive]
pub struct HostSettings {
    /// Name of the host, which `host ps` shows. Without it, that of the file without its ending.
    pub name: Option<String>,
    /// Threads that components run on: the number of calls that run at the same time. Without it, the number of processors,
    /// at least 2.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1024)))]
    pub workers: Option<usize>,
    /// Messages that a worker handles for one component before it turns to the next; without it, 16.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 10000)))]
    pub turn_messages: Option<usize>,
    /// Longest time that the host drains when it is asked to end; without it, `30s`. After it, the remaining messages become
    /// dead letters, and guests are interrupted.
    pub drain_time: Option<ExecutionTimeout>,
    /// Time limit of a call that has none of its own; without it, `30s`.
    pub call_time: Option<ExecutionTimeout>,
    /// Path of the socket for `host ps` and the other commands. Its folder must be accessible to its owner only, and is created
    /// if it is not there. Without it, `host.sock` in the folder with the file's name and the ending `.run`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub socket: Option<PathBuf>,
    /// Policy file, whose rules apply to all components beside their grants.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub policy: Option<PathBuf>,
    /// Name of the principal on whose behalf the components run.
    pub principal: Option<String>,
    /// File that each decision on a capability is appended to, as a line of JSON.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub audit: Option<PathBuf>,
    /// File of the store that durable components keep their messages and changed settings in. It is created if it is not there.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub store: Option<PathBuf>,
    /// Folder of the compilation cache, or `off`. Without it, that of this user.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub cache: Option<CacheChoice>,
    /// Compiler, if this build includes it. Without it, the first of this build.
    #[cfg_attr(feature = "schema", schemars(default, schema_with = "super::schema::backend"))]
    pub backend: Option<Backend>,
    /// Public keys whose artifacts may run: 64 hexadecimal digits each, or a file from `airssys-wasm keygen`.
    #[cfg_attr(feature = "schema", schemars(default, schema_with = "super::schema::texts"))]
    pub trust: Vec<String>,
    /// Runs artifacts without a trusted signature, whose native code has all permissions of the host.
    #[cfg_attr(feature = "schema", schemars(default))]
    pub allow_unsigned: bool,
    /// Lines of the log that are kept of each component, for `host logs`; without it, 1000.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 100000)))]
    pub log_lines: Option<usize>,
    /// Bytes of these lines; without it, `1MiB`.
    #[cfg_attr(feature = "schema", schemars(default, schema_with = "super::schema::size"))]
    pub log_bytes: Option<usize>,
}

/// A compilation cache.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheChoice {
    /// None.
    Off,
    /// In this folder.
    Folder(PathBuf),
}

/// A table `[[component]]`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename_all = "kebab-case", deny_unknown_fields))]
#[non_exhaustive]
pub struct DeclaredComponent {
    /// Identity: at most 128 ASCII letters, digits and `-_.:/@`. No other component of the host has it.
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::id"))]
    pub id: ComponentId,
    /// File of the component or artifact, relative to the folder of the host file. Required, unless `artifact` of `[component.cluster]`
    /// stands for it.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub path: PathBuf,
    /// File of the manifest. Without it, the one inside the component or beside it, if there is one.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub manifest: Option<PathBuf>,
    /// Capabilities that the component is granted, beside those of the policy.
    #[cfg_attr(
        feature = "schema",
        schemars(default, schema_with = "super::schema::capabilities")
    )]
    pub grants: Vec<Capability>,
    /// Settings that the component reads with `get-config`: texts, or `{ env = "NAME" }` for a variable in the environment of the
    /// host, or `{ file = "PATH" }` for the contents of a file. Those of the last two kinds are fixed, and never shown.
    #[cfg_attr(feature = "schema", schemars(default, schema_with = "super::schema::values"))]
    pub config: BTreeMap<String, DeclaredValue>,
    /// Environment variables of the component: values as for `config`.
    #[cfg_attr(feature = "schema", schemars(default, schema_with = "super::schema::values"))]
    pub env: BTreeMap<String, DeclaredValue>,
    /// Configuration in the component's own form, which `init` gets: a text, which is JSON, or a table with `text` or `file`,
    /// and the name of a `codec`.
    #[cfg_attr(
        feature = "schema",
        schemars(default, schema_with = "super::schema::config_data")
    )]
    pub config_data: Option<ConfigData>,
    /// Behavior of a full mailbox: `refuse` the message, `drop-oldest` into the dead letters, or `{ wait = "1s" }`, the longest
    /// time that the sender waits for room. Without it, `refuse`.
    #[cfg_attr(
        feature = "schema",
        schemars(default, schema_with = "super::schema::backpressure")
    )]
    pub backpressure: Option<DeclaredBackpressure>,
    /// Delivery of messages that other components send: `receive` if the component calls `receive-message`, or `execute`, a call with
    /// the message as its operation and the sender as its caller. Without it, `receive`.
    #[cfg_attr(
        feature = "schema",
        schemars(default, schema_with = "super::schema::messages")
    )]
    pub messages: Option<GuestMessages>,
    /// Instances, each of which handles one message at a time; without it, 1. More are for components without state (`stateful: false` in
    /// their metadata).
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1024)))]
    pub instances: Option<usize>,
    /// Bounds of the mailbox.
    #[cfg_attr(feature = "schema", schemars(default))]
    pub mailbox: DeclaredMailbox,
    /// Replacement of failed instances.
    #[cfg_attr(feature = "schema", schemars(default))]
    pub supervision: Supervision,
    /// Calls of the component's `health` at intervals. Without the table, there are none.
    pub health: Option<DeclaredHealth>,
    /// Name of the group that the component belongs to, one of `[[group]]`.
    pub group: Option<String>,
    /// Keeps messages and changed settings in the store of the host, so that they outlast the process.
    #[cfg_attr(feature = "schema", schemars(default))]
    pub durable: bool,
    /// Part of the component in the cluster. Without the table, other hosts reach it by the names of this host and of the component.
    pub cluster: Option<DeclaredMembership>,
    /// Limits of the component, with the names and units of a policy's.
    #[cfg_attr(feature = "schema", schemars(default, schema_with = "super::schema::limits"))]
    pub limits: ResourceLimits,
}

/// Configuration in a component's own form.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigData {
    /// The codec that the payload names.
    pub codec: Codec,
    /// The data: a text of the host file, or a file, which may be binary.
    pub data: DeclaredValue,
}

/// Behavior of a full mailbox, declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeclaredBackpressure {
    /// The message is refused.
    Refuse,
    /// The oldest message becomes a dead letter.
    DropOldest,
    /// The sender waits, at most this time.
    Wait(ExecutionTimeout),
}

/// The table `[component.mailbox]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename_all = "kebab-case", deny_unknown_fields))]
#[non_exhaustive]
pub struct DeclaredMailbox {
    /// Messages that wait; without it, 1024.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1000000)))]
    pub messages: Option<usize>,
    /// Bytes of all messages that wait, at most `1GiB`; without it, `16MiB`.
    #[cfg_attr(feature = "schema", schemars(default, schema_with = "super::schema::size"))]
    pub bytes: Option<usize>,
    /// Bytes of one message, at most `256MiB`; without it, `1MiB`.
    #[cfg_attr(feature = "schema", schemars(default, schema_with = "super::schema::size"))]
    pub message_bytes: Option<usize>,
}

/// The table `[component.supervision]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename_all = "kebab-case", deny_unknown_fields))]
#[non_exhaustive]
pub struct Supervision {
    /// Ends after which there is a restart: `permanent` after each, `transient` after failures, `temporary` after none. Without
    /// it, `permanent`.
    #[cfg_attr(feature = "schema", schemars(default, schema_with = "super::schema::restart"))]
    pub restart: Option<Restart>,
    /// Restarts within the period after which the component gives up at its next end; without it, 10.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 10000)))]
    pub intensity: Option<u32>,
    /// Period of the intensity; without it, `1m`.
    pub period: Option<ExecutionTimeout>,
    /// Pause before the first restart, doubled for each further end until a message is handled; without it, `10ms`.
    pub first_pause: Option<ExecutionTimeout>,
    /// Longest pause, not shorter than the first; without it, `10s`.
    pub longest_pause: Option<ExecutionTimeout>,
    /// Largest random part by which a pause is shortened, in percent; without it, 50.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 100)))]
    pub jitter_percent: Option<u32>,
    /// Instances that one message may end; then it is a dead letter. Without it, 3.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1000)))]
    pub max_tries: Option<u32>,
}

/// The table `[component.health]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename_all = "kebab-case", deny_unknown_fields))]
#[non_exhaustive]
pub struct DeclaredHealth {
    /// Time between the calls; without it, `10s`.
    pub interval: Option<ExecutionTimeout>,
    /// Time limit of one call, after which the instance is replaced; without it, `1s`.
    pub timeout: Option<ExecutionTimeout>,
    /// Unhealthy reports in a row after which the instance is replaced; without it, 3.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1000)))]
    pub failures: Option<u32>,
}

/// A table `[[group]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename_all = "kebab-case", deny_unknown_fields))]
#[non_exhaustive]
pub struct DeclaredGroup {
    /// Name, which components refer to with `group`. No other group of the host has it.
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::name"))]
    pub name: String,
    /// Members that are restarted when one is: `one-for-one` for none, `one-for-all`, or `rest-for-one` for those that start
    /// after it. Without it, `one-for-one`.
    #[cfg_attr(
        feature = "schema",
        schemars(default, schema_with = "super::schema::strategy")
    )]
    pub strategy: Option<GroupStrategy>,
    /// Restarts of all members within the period after which they give up at the next; without it, 10.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 10000)))]
    pub intensity: Option<u32>,
    /// Period of the intensity; without it, `1m`.
    pub period: Option<ExecutionTimeout>,
}

impl DeclaredGroup {
    /// Creates the group, without members.
    pub fn group(&self) -> ActorGroup {
        let defaults = RestartPolicy::default();
        ActorGroup::new(
            self.name.clone(),
            self.strategy.unwrap_or_default(),
            self.intensity.unwrap_or(defaults.intensity),
            self.period.map_or(defaults.period, ExecutionTimeout::duration),
        )
    }
}

impl DeclaredHealth {
    /// Returns the probes, with the defaults where nothing is declared.
    pub fn probe(&self) -> HealthProbe {
        let defaults = HealthProbe::default();
        let time = |declared: Option<ExecutionTimeout>, default| {
            declared.map_or(default, ExecutionTimeout::duration)
        };
        HealthProbe::every(time(self.interval, defaults.interval))
            .with_timeout(time(self.timeout, defaults.timeout))
            .with_failures(self.failures.unwrap_or(defaults.failures))
    }
}

impl ConfigData {
    /// Reads the data, and returns it as a payload.
    ///
    /// # Errors
    /// Each case of [`ValueError`].
    pub fn payload(&self) -> Result<Vec<u8>, ValueError> {
        let data = match &self.data {
            DeclaredValue::File(path) => contents(path)?,
            other => other.read()?.into_bytes(),
        };
        Ok(codec::encode(self.codec.code(), &data))
    }
}

impl DeclaredComponent {
    /// Returns the options of the component's actor, without its group.
    pub fn actor_options(&self) -> ActorOptions {
        let options = match &self.health {
            Some(health) => ActorOptions::new().with_health(health.probe()),
            None => ActorOptions::new(),
        };
        options
            .with_durable(self.durable)
            .with_instances(self.instances.unwrap_or(1))
            .with_mailbox(self.mailbox.limits())
            .with_backpressure(match self.backpressure {
                None | Some(DeclaredBackpressure::Refuse) => Backpressure::Refuse,
                Some(DeclaredBackpressure::DropOldest) => Backpressure::DropOldest,
                Some(DeclaredBackpressure::Wait(longest)) => Backpressure::Wait {
                    longest: longest.duration(),
                },
            })
            .with_restarts(self.supervision.policy())
            .with_guest_messages(self.messages.unwrap_or_default())
    }
}

impl DeclaredMailbox {
    /// Returns the bounds, with the defaults where none is declared.
    pub fn limits(&self) -> MailboxLimits {
        let defaults = MailboxLimits::default();
        MailboxLimits {
            messages: self.messages.unwrap_or(defaults.messages),
            bytes: self.bytes.unwrap_or(defaults.bytes),
            message_bytes: self.message_bytes.unwrap_or(defaults.message_bytes),
        }
    }
}

impl Supervision {
    /// Returns the policy on restarts, with the defaults where nothing is declared.
    pub fn policy(&self) -> RestartPolicy {
        let defaults = RestartPolicy::default();
        let time = |declared: Option<ExecutionTimeout>, default: Duration| {
            declared.map_or(default, ExecutionTimeout::duration)
        };
        RestartPolicy::new(self.restart.unwrap_or(defaults.restart))
            .with_intensity(
                self.intensity.unwrap_or(defaults.intensity),
                time(self.period, defaults.period),
            )
            .with_pauses(
                time(self.first_pause, defaults.first_pause),
                time(self.longest_pause, defaults.longest_pause),
            )
            .with_jitter(self.jitter_percent.unwrap_or(defaults.jitter_percent))
            .with_max_tries(self.max_tries.unwrap_or(defaults.max_tries))
    }
}
