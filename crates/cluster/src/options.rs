//! Options of a host in a cluster.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use async_nats::ServerAddr;

use crate::error::InvalidClusterOptions;
use crate::key::ClusterKey;
use crate::names::Name;
use crate::time::{Clock, millis};

/// Longest time of a request. Bounds the time for which the identities of requests are remembered, so that none is
/// handled twice.
pub const MAX_REQUEST_TIME: Duration = Duration::from_secs(3600);

/// Limits of the stream of durable messages. All hosts of a cluster have the same.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MailLimits {
    /// Bytes of all durable messages that are not handled yet, with their headers; 1 GiB by default, at least 1 MiB. The servers
    /// set this much aside (`max_file_store`). Beyond, messages are refused.
    pub bytes: u64,
    /// Durable messages to one component that are not handled yet; 100,000 by default, at least 1. Stops a component that is away
    /// from taking the place of others' messages.
    pub messages_per_component: u64,
    /// Time after which a message is dropped that no host fetched; 7 days by default, 1 minute to 10 years. A message that
    /// is fetched earlier and whose time to live is over is a dead letter.
    pub age: Duration,
}

impl Default for MailLimits {
    fn default() -> MailLimits {
        MailLimits {
            bytes: 1 << 30,
            messages_per_component: 100_000,
            age: Duration::from_secs(7 * 24 * 3600),
        }
    }
}

impl MailLimits {
    /// Creates limits: bytes of all messages, messages to one component, and the time after which they are dropped.
    pub fn new(bytes: u64, messages_per_component: u64, age: Duration) -> MailLimits {
        MailLimits {
            bytes,
            messages_per_component,
            age,
        }
    }
}

/// Options of a host that joins a cluster. `Debug` hides the key and the password.
///
/// ```
/// use airssys_wasm_cluster::{ClusterKey, ClusterOptions, Name};
///
/// # fn options() -> Result<(), Box<dyn std::error::Error>> {
/// let key = ClusterKey::from_file("/etc/airssys/cluster.key")?;
/// let options = ClusterOptions::new(Name::new("shop")?, Name::new("eu-1")?, key)
///     .with_server("tls://nats.example.com:4222")
///     .with_root_certificates("/etc/airssys/authority.pem")
///     .with_credentials_file("/etc/airssys/eu-1.creds");
/// # drop(options);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct ClusterOptions {
    pub(crate) cluster: Name,
    pub(crate) host: Name,
    pub(crate) key: ClusterKey,
    pub(crate) servers: Vec<String>,
    pub(crate) roots: Option<PathBuf>,
    pub(crate) client_certificate: Option<(PathBuf, PathBuf)>,
    pub(crate) credentials: Option<PathBuf>,
    pub(crate) password: Option<(String, String)>,
    pub(crate) require_tls: bool,
    pub(crate) connect_timeout: Duration,
    pub(crate) call_timeout: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) clock_tolerance: Duration,
    pub(crate) max_requests: usize,
    pub(crate) max_served: usize,
    pub(crate) drain_time: Duration,
    pub(crate) lease_time: Duration,
    pub(crate) replicas: usize,
    pub(crate) clock: Clock,
    pub(crate) mail: MailLimits,
    pub(crate) artifact_bytes: u64,
}

impl ClusterOptions {
    /// Starts from the default settings. Hosts with the same cluster name, key and servers reach each other; each has a host
    /// name of its own.
    pub fn new(cluster: Name, host: Name, key: ClusterKey) -> ClusterOptions {
        ClusterOptions {
            cluster,
            host,
            key,
            servers: Vec::new(),
            roots: None,
            client_certificate: None,
            credentials: None,
            password: None,
            require_tls: false,
            connect_timeout: Duration::from_secs(10),
            call_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
            clock_tolerance: Duration::from_secs(5),
            max_requests: 4096,
            max_served: 1024,
            drain_time: Duration::from_secs(10),
            lease_time: Duration::from_secs(10),
            replicas: 1,
            clock: Clock::System,
            mail: MailLimits::default(),
            artifact_bytes: 4 << 30,
        }
    }

    /// Adds the address of a server: `nats://` or `tls://`, a host, a port. Can be repeated: the first that answers is used, and
    /// after it ends another. All must have version 2.12 or later.
    pub fn with_server(mut self, address: impl Into<String>) -> Self {
        self.servers.push(address.into());
        self
    }

    /// Sets the file with the certificates, in PEM, of the authorities that the servers' certificates are checked against,
    /// instead of those of the operating system.
    pub fn with_root_certificates(mut self, file: impl Into<PathBuf>) -> Self {
        self.roots = Some(file.into());
        self
    }

    /// Sets the files with this host's certificate and its private key, in PEM, for servers that check them.
    pub fn with_client_certificate(
        mut self,
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Self {
        self.client_certificate = Some((certificate.into(), key.into()));
        self
    }

    /// Refuses servers without TLS, also for addresses with `nats://`.
    pub fn with_required_tls(mut self) -> Self {
        self.require_tls = true;
        self
    }

    /// Sets the credentials file of the NATS account: a JWT and the seed of its key, as `nsc` writes it.
    pub fn with_credentials_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.credentials = Some(file.into());
        self
    }

    /// Sets the user and the password of servers that ask for them. They are sent as they are: require TLS.
    pub fn with_password(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.password = Some((user.into(), password.into()));
        self
    }

    /// Sets the time for the connection to be made when the host joins; 1 ms to 1 hour, 10 seconds by default.
    pub fn with_connect_timeout(mut self, time: Duration) -> Self {
        self.connect_timeout = time;
        self
    }

    /// Sets the time for each call of the server; 1 ms to 1 hour, 5 seconds by default. The client has none for most calls
    /// while no server is there.
    pub fn with_call_timeout(mut self, time: Duration) -> Self {
        self.call_timeout = time;
        self
    }

    /// Sets the time of requests that state none; 1 ms to [`MAX_REQUEST_TIME`], 30 seconds by default.
    pub fn with_request_timeout(mut self, time: Duration) -> Self {
        self.request_timeout = time;
        self
    }

    /// Sets the difference between the clocks of hosts that is allowed for; up to 1 hour, 5 seconds by default. A message is
    /// refused as expired that much after its deadline.
    pub fn with_clock_tolerance(mut self, time: Duration) -> Self {
        self.clock_tolerance = time;
        self
    }

    /// Sets the number of requests to other hosts that may wait for their answers; 1 to 1,000,000, by default 4096. Stops
    /// a host that does not answer from filling this one's memory.
    pub fn with_max_requests(mut self, requests: usize) -> Self {
        self.max_requests = requests;
        self
    }

    /// Sets the number of requests of other hosts that are handled at the same time, those in mailboxes included; 1 to 65,536,
    /// by default 1024. Others are refused as [`FailureKind::Busy`](crate::FailureKind::Busy).
    pub fn with_max_served(mut self, requests: usize) -> Self {
        self.max_served = requests;
        self
    }

    /// Sets the time for which a host holds its name, and with it its announced components, without renewing that; 300 ms to
    /// 1 hour, 10 seconds by default. It is renewed after a third. After a host is killed, another can take its name and its
    /// components when this time and the tolerance of clocks are over.
    pub fn with_lease_time(mut self, time: Duration) -> Self {
        self.lease_time = time;
        self
    }

    /// Sets the limits of durable messages.
    pub fn with_mail(mut self, limits: MailLimits) -> Self {
        self.mail = limits;
        self
    }

    /// Sets the bytes of all published artifacts together; 4 GiB by default, at least 1 MiB. The servers set this much aside
    /// (`max_file_store`) when a host first publishes or fetches one. All hosts have the same number.
    pub fn with_artifact_bytes(mut self, bytes: u64) -> Self {
        self.artifact_bytes = bytes;
        self
    }

    /// Sets the number of servers that store the registry and durable messages; 1 to 5, by default 1. More than one needs a cluster of servers. All
    /// hosts have the same number.
    pub fn with_replicas(mut self, replicas: usize) -> Self {
        self.replicas = replicas;
        self
    }

    /// Sets the time that dropping the last [`Cluster`](crate::Cluster) has to leave; up to 1 hour, 10 seconds by default.
    pub fn with_drain_time(mut self, time: Duration) -> Self {
        self.drain_time = time;
        self
    }

    pub(crate) fn check(&self) -> Result<Vec<ServerAddr>, InvalidClusterOptions> {
        const HOUR: u64 = 3_600_000;
        let number = |value| u64::try_from(value).unwrap_or(u64::MAX);
        for (what, value, least, most) in [
            ("the time to connect", millis(self.connect_timeout), 1, HOUR),
            ("the time of a call", millis(self.call_timeout), 1, HOUR),
            (
                "the time of a request",
                millis(self.request_timeout),
                1,
                millis(MAX_REQUEST_TIME),
            ),
            ("the tolerance of clocks", millis(self.clock_tolerance), 0, HOUR),
            ("the time to leave", millis(self.drain_time), 0, HOUR),
            ("the time of a lease", millis(self.lease_time), 300, HOUR),
            ("the number of replicas", number(self.replicas), 1, 5),
            ("the bytes of durable messages", self.mail.bytes, 1 << 20, 1 << 50),
            ("the bytes of artifacts", self.artifact_bytes, 1 << 20, 1 << 50),
            (
                "the durable messages to a component",
                self.mail.messages_per_component,
                1,
                1 << 40,
            ),
            (
                "the age of durable messages",
                millis(self.mail.age),
                60_000,
                87_600 * HOUR,
            ),
            ("the number of requests", number(self.max_requests), 1, 1_000_000),
            (
                "the number of served requests",
                number(self.max_served),
                1,
                65_536,
            ),
        ] {
            if !(least..=most).contains(&value) {
                return Err(InvalidClusterOptions::Range {
                    what,
                    value,
                    least,
                    most,
                });
            }
        }
        if self.servers.is_empty() {
            return Err(InvalidClusterOptions::NoServer);
        }
        let parse = |(at, text): (usize, &String)| {
            let address: Option<ServerAddr> = text.parse().ok();
            // The client would leave it out without a word.
            if address.as_ref().is_some_and(ServerAddr::has_user_pass) {
                return Err(InvalidClusterOptions::User(at + 1));
            }
            // Other schemes pass the parser.
            let known = |address: &ServerAddr| {
                ["nats", "tls"].contains(&address.scheme()) && !address.host().is_empty()
            };
            address.filter(known).ok_or(InvalidClusterOptions::Server(at + 1))
        };
        self.servers.iter().enumerate().map(parse).collect()
    }
}

impl fmt::Debug for ClusterOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterOptions")
            .field("cluster", &self.cluster)
            .field("host", &self.host)
            .field("servers", &self.servers.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> ClusterOptions {
        let key = ClusterKey::new(&[1; 32]).unwrap();
        ClusterOptions::new(Name::new("c").unwrap(), Name::new("h").unwrap(), key)
    }

    #[test]
    fn options_outside_their_ranges_are_refused() {
        let good = || options().with_server("nats://127.0.0.1:4222");
        assert_eq!(good().check().unwrap().len(), 1);
        assert_eq!(options().check(), Err(InvalidClusterOptions::NoServer));
        for (server, number) in [("ws://a:1", 2), ("nats://", 2), ("http://a", 2)] {
            let refused = good().with_server(server).check();
            assert_eq!(refused, Err(InvalidClusterOptions::Server(number)), "{server}");
        }
        let over = MAX_REQUEST_TIME + Duration::from_millis(1);
        for refused in [
            good().with_connect_timeout(Duration::ZERO),
            good().with_call_timeout(Duration::MAX),
            good().with_request_timeout(over),
            good().with_clock_tolerance(over),
            good().with_max_requests(0),
            good().with_max_served(65_537),
            good().with_drain_time(over),
            good().with_lease_time(Duration::from_millis(299)),
            good().with_replicas(6),
            good().with_artifact_bytes(0),
            good().with_mail(MailLimits::new(1, 1, over)),
            good().with_mail(MailLimits::new(1 << 20, 0, over)),
            good().with_mail(MailLimits::new(1 << 20, 1, Duration::ZERO)),
        ] {
            let refused = refused.check();
            assert!(
                matches!(refused, Err(InvalidClusterOptions::Range { .. })),
                "{refused:?}"
            );
        }
    }

    #[test]
    fn passwords_and_the_key_are_hidden() {
        let with_user = options().with_server("nats://user:geheim@a:1");
        assert_eq!(with_user.check(), Err(InvalidClusterOptions::User(1)));
        let text = format!("{:?}", with_user.with_password("user", "geheim"));
        assert!(!text.contains("geheim"), "{text}");
    }
}
