//! Sections of a host file for a host of a cluster. The first paragraph of each field's documentation is its text in
//! `docs/host.md` and in the JSON Schema.

use std::fmt;
use std::path::PathBuf;

use super::value::DeclaredValue;
use crate::limits::ExecutionTimeout;
use crate::messaging::Topic;

/// The section `[cluster]`: a host that gets messages of other hosts over NATS servers. The package `airssys-wasm-cluster` joins it.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename_all = "kebab-case", deny_unknown_fields))]
#[non_exhaustive]
pub struct ClusterSettings {
    /// Name of the cluster: 1 to 48 ASCII letters, digits, `-` and `_`. Hosts with the same one, the same key and the same servers
    /// reach each other.
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::cluster_name"))]
    pub name: String,
    /// Name of this host in the cluster, of the same form. No other host of the cluster has it.
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::cluster_name"))]
    pub host: String,
    /// Addresses of the NATS servers, 1 to 64: `nats://` or `tls://`, a host, a port. The first that answers is used, and after it ends
    /// another.
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::servers"))]
    pub servers: Vec<ServerAddress>,
    /// File of the secret that all hosts of the cluster have, 32 to 4096 random bytes, all of which count. Only its owner may
    /// have access to it.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub key: PathBuf,
    /// Credentials file of the account on the servers, as `nsc` writes it.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub credentials: Option<PathBuf>,
    /// User, for servers that ask for a password. Not with `credentials`.
    pub user: Option<String>,
    /// Password of the user: `{ env = "NAME" }` or `{ file = "PATH" }`, never the text itself. It is sent as it is: require TLS.
    #[cfg_attr(feature = "schema", schemars(default, schema_with = "super::schema::place"))]
    pub password: Option<DeclaredValue>,
    /// Labels of this host, at most 16, of the form of names: those that components ask for with `place-on`.
    #[cfg_attr(feature = "schema", schemars(default, schema_with = "super::schema::labels"))]
    pub labels: Vec<String>,
    /// Folder for the artifacts that are fetched from the servers (`artifact` of `[component.cluster]`). Only this user and root may
    /// be able to write to it.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub artifacts: Option<PathBuf>,
    /// Bytes of all artifacts on the servers, `1MiB` to `1048576GiB`, the same for all hosts; without it, `4GiB`.
    #[cfg_attr(feature = "schema", schemars(default, schema_with = "super::schema::size"))]
    pub artifact_bytes: Option<u64>,
    /// Time for the connection to be made, at most `1h`; without it, `10s`.
    pub connect_time: Option<ExecutionTimeout>,
    /// Time of each call of the servers, at most `1h`; without it, `5s`.
    pub call_time: Option<ExecutionTimeout>,
    /// Time of a message to another host that has none of its own, at most `1h`; without it, `30s`.
    pub request_time: Option<ExecutionTimeout>,
    /// Difference between the clocks of hosts that is allowed for, at most `1h`; without it, `5s`.
    pub clock_tolerance: Option<ExecutionTimeout>,
    /// Time for which the host holds its name and its components without renewing that, `300ms` to `1h`; without it, `10s`.
    pub lease_time: Option<ExecutionTimeout>,
    /// Messages to other hosts that may wait for their answers; without it, 4096.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1000000)))]
    pub max_requests: Option<usize>,
    /// Messages of other hosts that are handled at the same time; without it, 1024.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 65536)))]
    pub max_served: Option<usize>,
    /// Servers that store the registry and durable messages, the same number for all hosts; without it, 1. More need a cluster of servers.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 5)))]
    pub replicas: Option<usize>,
    /// TLS to the servers.
    #[cfg_attr(feature = "schema", schemars(default))]
    pub tls: ClusterTls,
    /// Limits of the stream of durable messages, the same for all hosts.
    #[cfg_attr(feature = "schema", schemars(default))]
    pub durable: ClusterMail,
}

/// The address of a NATS server, checked: a scheme, a host and perhaps a port; no user and no password.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServerAddress(pub(super) String);

impl ServerAddress {
    /// Returns the address as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The table `[cluster.tls]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename_all = "kebab-case", deny_unknown_fields))]
#[non_exhaustive]
pub struct ClusterTls {
    /// File of the certificates, in PEM, of the authorities that the servers' certificates are checked against; without it, those of
    /// the operating system.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub authorities: Option<PathBuf>,
    /// File of this host's certificate, in PEM, for servers that check it. It needs `key`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub certificate: Option<PathBuf>,
    /// File of the private key of the certificate, in PEM.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub key: Option<PathBuf>,
    /// Refuses servers without TLS, also at addresses with `nats://`.
    #[cfg_attr(feature = "schema", schemars(default))]
    pub required: bool,
}

/// The table `[cluster.durable]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename_all = "kebab-case", deny_unknown_fields))]
#[non_exhaustive]
pub struct ClusterMail {
    /// Bytes of all durable messages that wait, `1MiB` to `1048576GiB`; without it, `1GiB`.
    #[cfg_attr(feature = "schema", schemars(default, schema_with = "super::schema::size"))]
    pub bytes: Option<u64>,
    /// Durable messages to one component that wait; without it, 100000.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1000000000)))]
    pub messages_per_component: Option<u64>,
    /// Time after which a message is dropped that no host fetched, `1m` to 49 days; without it, `168h`.
    pub age: Option<ExecutionTimeout>,
}

/// The table `[component.cluster]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename_all = "kebab-case", deny_unknown_fields))]
#[non_exhaustive]
pub struct DeclaredMembership {
    /// Enters the component in the registry of the cluster, so that other hosts find it by its identity alone. No other host has
    /// entered this identity.
    #[cfg_attr(feature = "schema", schemars(default))]
    pub announce: bool,
    /// Enters the component, and hands it the durable messages to its identity. It must be `durable`.
    #[cfg_attr(feature = "schema", schemars(default))]
    pub accept_durable: bool,
    /// Durable topics that the component subscribes to, until `left-topics` names them: the subscription outlasts the host. It must get durable
    /// messages.
    #[cfg_attr(feature = "schema", schemars(default, schema_with = "super::schema::topics"))]
    pub topics: Vec<Topic>,
    /// Durable topics whose subscription ends.
    #[cfg_attr(feature = "schema", schemars(default, schema_with = "super::schema::topics"))]
    pub left_topics: Vec<Topic>,
    /// Labels, at most 16, of the hosts that may run the component: it runs on one of them at a time, which the cluster chooses. The next
    /// one starts it when the one before has stopped it, has left, or has been cut off for longer than its lease. With an empty list, on any
    /// host that declares a component with this key. All hosts with these labels must declare the component. Without it, the component runs on this host.
    #[cfg_attr(feature = "schema", schemars(default, schema_with = "super::schema::labels"))]
    pub place_on: Option<Vec<String>>,
    /// BLAKE3 digest of the artifact to run, 64 hexadecimal digits in lower case, instead of `path`: it is fetched from the servers into `artifacts` of `[cluster]`,
    /// unless it is there. A key of `trust` must have signed it.
    #[cfg_attr(feature = "schema", schemars(default, schema_with = "super::schema::digest"))]
    pub artifact: Option<String>,
}
