//! The membership of a host in a cluster: its options from the host file, its state, and messages to other hosts.

use std::error::Error as StdError;
use std::path::Path;
use std::time::Duration;

use airssys_wasm::ComponentId;
use airssys_wasm::actors::SendOptions;
use airssys_wasm::host_file::{ClusterSettings, HostFile};
use airssys_wasm::limits::ExecutionTimeout;
use airssys_wasm::messaging::{TOPIC_PREFIX, Topic};
use airssys_wasm_cluster::{
    Address, Cluster, ClusterError, ClusterKey, ClusterOptions, ClusterState, DurableOptions, FailureKind,
    MAX_SECRET_BYTES, MailLimits, Name,
};
use serde_json::{Value, json};

use super::wait::wait;
use crate::exit::{Exit, Failure, Outcome};
use crate::keys;

/// A cluster that a host is to join: its options are read.
pub(super) struct Joining {
    pub(super) options: ClusterOptions,
    pub(super) name: Name,
    pub(super) labels: Vec<Name>,
}

/// Reads the files that [cluster] names, if there is the section.
pub(super) fn read(file: &HostFile) -> Outcome<Option<Joining>> {
    let Some(settings) = &file.cluster else {
        return Ok(None);
    };
    let secret = keys::read_closed(&settings.key, MAX_SECRET_BYTES + 1)?;
    let key = ClusterKey::new(&secret).map_err(|error| {
        Failure::from(ClusterError::from(error)).context(format!(
            "the key of the cluster, `{}`, cannot be used",
            settings.key.display()
        ))
    })?;
    let name = named(&settings.name)?;
    let options = ClusterOptions::new(name.clone(), named(&settings.host)?, key);
    let options = with_servers(options, settings)?;
    Ok(Some(Joining {
        options: with_bounds(options, settings),
        name,
        labels: names(&settings.labels)?,
    }))
}

fn with_servers(mut options: ClusterOptions, settings: &ClusterSettings) -> Outcome<ClusterOptions> {
    for server in &settings.servers {
        options = options.with_server(server.as_str());
    }
    if let Some(file) = &settings.credentials {
        options = options.with_credentials_file(file);
    }
    if let (Some(user), Some(password)) = (&settings.user, &settings.password) {
        let password = password.read().map_err(|error| Failure::new(Exit::Load, error))?;
        options = options.with_password(user, password);
    }
    let tls = &settings.tls;
    if let Some(file) = &tls.authorities {
        options = options.with_root_certificates(file);
    }
    if let (Some(certificate), Some(key)) = (&tls.certificate, &tls.key) {
        options = options.with_client_certificate(certificate, key);
    }
    if tls.required {
        options = options.with_required_tls();
    }
    Ok(options)
}

fn with_bounds(mut options: ClusterOptions, settings: &ClusterSettings) -> ClusterOptions {
    type WithTime = fn(ClusterOptions, Duration) -> ClusterOptions;
    let times: [(_, WithTime); 5] = [
        (settings.connect_time, ClusterOptions::with_connect_timeout),
        (settings.call_time, ClusterOptions::with_call_timeout),
        (settings.request_time, ClusterOptions::with_request_timeout),
        (settings.clock_tolerance, ClusterOptions::with_clock_tolerance),
        (settings.lease_time, ClusterOptions::with_lease_time),
    ];
    for (time, with) in times {
        if let Some(time) = time {
            options = with(options, time.duration());
        }
    }
    type WithNumber = fn(ClusterOptions, usize) -> ClusterOptions;
    let numbers: [(_, WithNumber); 3] = [
        (settings.max_requests, ClusterOptions::with_max_requests),
        (settings.max_served, ClusterOptions::with_max_served),
        (settings.replicas, ClusterOptions::with_replicas),
    ];
    for (number, with) in numbers {
        if let Some(number) = number {
            options = with(options, number);
        }
    }
    if let Some(bytes) = settings.artifact_bytes {
        options = options.with_artifact_bytes(bytes);
    }
    let (durable, defaults) = (&settings.durable, MailLimits::default());
    options.with_mail(MailLimits::new(
        durable.bytes.unwrap_or(defaults.bytes),
        durable
            .messages_per_component
            .unwrap_or(defaults.messages_per_component),
        durable.age.map_or(defaults.age, ExecutionTimeout::duration),
    ))
}

fn named(text: &str) -> Outcome<Name> {
    Name::new(text).map_err(|error| Failure::new(Exit::Load, error))
}

pub(super) fn names(texts: &[String]) -> Outcome<Vec<Name>> {
    texts.iter().map(|text| named(text)).collect()
}

/// The membership of a host that has joined.
#[derive(Debug)]
pub(super) struct Joined {
    pub(super) cluster: Cluster,
    pub(super) name: Name,
}

impl Joined {
    /// Returns the state for `host ps`.
    pub(super) fn ps(&self) -> Value {
        let counters = self.cluster.counters();
        json!({
            "name": self.name.as_str(),
            "host": self.cluster.host().as_str(),
            "state": match self.cluster.state() {
                ClusterState::Joined => "joined",
                ClusterState::CutOff => "cut-off",
                ClusterState::Left => "left",
                _ => "other",
            },
            "server-version": self.cluster.server_version(),
            "requests": counters.requests,
            "replies": counters.replies,
            "served": counters.served,
            "busy": counters.busy,
            "expired": counters.expired,
            "forged": counters.forged,
            "disconnects": counters.disconnects,
            "durable-sent": counters.durable_sent,
            "durable-stored": counters.durable_stored,
            "durable-received": counters.durable_received,
            "durable-repeated": counters.durable_repeated,
        })
    }

    /// Returns the line of the startup message.
    pub(super) fn told(&self) -> String {
        format!("host {} of the cluster {}", self.cluster.host(), self.name)
    }

    /// Sends a message to a component of another host: `HOST/IDENTITY`, or an identity that a host has announced. `None` if
    /// it is given up.
    pub(super) fn send(
        &self,
        to: &str,
        payload: Vec<u8>,
        options: SendOptions,
        given_up: impl Fn() -> bool,
    ) -> Outcome<Option<Vec<u8>>> {
        let invalid = |error: &dyn StdError| {
            Failure::usage(format!(
                "`{to}` is not the address of a component of the cluster: {error}"
            ))
        };
        let pending = match to.contains('/') {
            true => {
                let address: Address = to.parse().map_err(|error| invalid(&error))?;
                self.cluster.send_with(&address, payload, options)
            }
            false => {
                let id = ComponentId::new(to).map_err(|error| invalid(&error))?;
                self.cluster.send_to(&id, payload, options)
            }
        };
        Ok(wait(pending, given_up).transpose()?)
    }

    /// Puts a message into the stream of durable messages: to an identity, or to the subscribers of a topic (`topic:NAME`).
    pub(super) fn send_durable(
        &self,
        to: &str,
        payload: Vec<u8>,
        message_id: Option<&str>,
        time: Option<Duration>,
        given_up: impl Fn() -> bool,
    ) -> Outcome<Option<Value>> {
        let mut options = DurableOptions::new();
        if let Some(id) = message_id {
            options = options.with_message_id(id);
        }
        if let Some(time) = time {
            options = options.with_timeout(time);
        }
        if let Some(topic) = to.strip_prefix(TOPIC_PREFIX) {
            let topic = Topic::new(topic).map_err(|error| Failure::new(Exit::Usage, error))?;
            let published = wait(self.cluster.publish_durable(&topic, payload, options), given_up);
            let Some(published) = published.transpose()? else {
                return Ok(None);
            };
            if let Some((id, error)) = published.failed.into_iter().next() {
                return Err(Failure::from(error).context(format!(
                    "the message is not stored for the subscriber `{id}`: send it again with --message-id {}",
                    published.message_id
                )));
            }
            return Ok(Some(
                json!({ "message-id": published.message_id, "stored": published.stored }),
            ));
        }
        let id = ComponentId::new(to).map_err(|error| Failure::new(Exit::Usage, error))?;
        let stored = wait(self.cluster.send_durable(&id, payload, options), given_up).transpose()?;
        Ok(stored.map(|stored| json!({ "message-id": stored.message_id, "stored": 1 })))
    }

    /// Stores an artifact on the servers, and returns its digest.
    pub(super) fn publish(&self, path: &Path, given_up: impl Fn() -> bool) -> Outcome<Option<String>> {
        let published = wait(self.cluster.publish_artifact(path), given_up).transpose()?;
        Ok(published.map(|digest| digest.to_string()))
    }

    /// Withdraws the declaration of a component that the cluster places.
    ///
    /// # Errors
    /// None is declared by this identity.
    pub(super) fn undeclare(&self, id: &ComponentId, given_up: impl Fn() -> bool) -> Outcome<Option<()>> {
        let Some(declared) = wait(self.cluster.placement(), &given_up).transpose()? else {
            return Ok(None);
        };
        if !declared.iter().any(|(declared, _)| declared == id) {
            return Err(Failure::usage(format!(
                "no component `{id}` is declared in the cluster with `place-on`"
            )));
        }
        Ok(wait(self.cluster.remove_declared(id), given_up).transpose()?)
    }

    /// Removes a component that is stopped from the registry.
    pub(super) fn withdraw(&self, id: &ComponentId) -> Outcome<()> {
        Ok(self.cluster.withdraw(id).wait()?)
    }

    /// Leaves: no message of another host is accepted any more, and those that are handled are answered, as far as `time` allows.
    pub(super) fn leave(&self, time: Duration) {
        if let Err(error) = self.cluster.leave(time).wait() {
            log::warn!("the host left the cluster with an error: {error}");
        }
    }
}

impl From<ClusterError> for Failure {
    fn from(error: ClusterError) -> Failure {
        let exit = match &error {
            ClusterError::Options(_)
            | ClusterError::Read { .. }
            | ClusterError::Tls(_)
            | ClusterError::Artifact { .. }
            | ClusterError::ArtifactDigest(_)
            | ClusterError::ArtifactTooLarge { .. }
            | ClusterError::NoArtifact(_) => Exit::Load,
            ClusterError::Name(_) | ClusterError::NotAnnounced(_) | ClusterError::LongOptions => Exit::Usage,
            ClusterError::TooLarge { .. }
            | ClusterError::TooManyRequests { .. }
            | ClusterError::MailFull { .. } => Exit::Trap,
            ClusterError::Failed { kind, .. } => match kind {
                FailureKind::Component => Exit::Answered,
                FailureKind::Unknown => Exit::Usage,
                FailureKind::Busy
                | FailureKind::Full
                | FailureKind::TooLarge
                | FailureKind::Expired
                | FailureKind::Poison
                | FailureKind::Stopped
                | FailureKind::Unavailable => Exit::Trap,
                _ => Exit::Host,
            },
            _ => Exit::Host,
        };
        Failure::new(exit, error)
    }
}
