//! The section `[cluster]`, and the tables `[component.cluster]`.

use std::ops::RangeInclusive;

use toml::de::{DeTable, DeValue};
use url::Url;

use super::section;
use super::values::{Folder, boolean, bytes_from, declared, number, part, path, time};
use crate::host_file::cluster::{
    ClusterMail, ClusterSettings, ClusterTls, DeclaredMembership, ServerAddress,
};
use crate::host_file::value::DeclaredValue;
use crate::manifest::read::report::{Report, quoted};
use crate::manifest::read::values::{Section, Text};
use crate::messaging::Topic;

pub(super) const KEYS: [&str; 20] = [
    "name",
    "host",
    "servers",
    "key",
    "credentials",
    "user",
    "password",
    "labels",
    "artifacts",
    "artifact-bytes",
    "connect-time",
    "call-time",
    "request-time",
    "clock-tolerance",
    "lease-time",
    "max-requests",
    "max-served",
    "replicas",
    "tls",
    "durable",
];

const TLS: [&str; 4] = ["authorities", "certificate", "key", "required"];
const DURABLE: [&str; 3] = ["bytes", "messages-per-component", "age"];
const MEMBERSHIP: [&str; 6] = [
    "announce",
    "accept-durable",
    "topics",
    "left-topics",
    "place-on",
    "artifact",
];

/// Most bytes of the name of a cluster, of a host in it, and of a label: those of a token of a NATS subject.
const MAX_NAME_BYTES: usize = 48;

/// Most servers. Stops lists that a client would go through for minutes.
const MAX_SERVERS: usize = 64;

/// Most labels of a host or a component: those of a record of the cluster.
const MAX_LABELS: usize = 16;

/// Sizes of what the servers store, in bytes: 1 MiB to 1 PiB.
const STORED: RangeInclusive<u64> = 1 << 20..=1 << 50;

/// One hour, in milliseconds: the longest of most times.
const HOUR: u64 = 3_600_000;

pub(super) fn settings(
    root: &DeTable<'_>,
    folder: &Folder,
    report: &mut Report<'_>,
) -> Option<ClusterSettings> {
    let section = section(root, "cluster", "cluster", &KEYS, report)?;
    let cluster = name(&section, "name", report);
    let host = name(&section, "host", report);
    hide_secrets(&section, report);
    let servers = servers(&section, report);
    let key = section.required("key", report).map(|key| folder.join(key.text));
    let credentials = path(&section, "credentials", folder, report);
    let (user, password) = password(&section, folder, report);
    if credentials.is_some() && user.is_some() {
        let place = section.get("user").map(|value| value.span());
        let message = "the servers take either `credentials` or `user`: remove one of them";
        report.add(place.unwrap_or_else(|| section.span.clone()), message);
    }
    let labels = labels(&section, "labels", report);
    let up_to_an_hour = 1..=HOUR;
    let tls = part(&section, "tls", "cluster.tls", &TLS, report);
    let tls = tls.map(|section| tls_of(&section, folder, report));
    let durable = part(&section, "durable", "cluster.durable", &DURABLE, report);
    let durable = durable.map(|section| ClusterMail {
        bytes: bytes_from(&section, "bytes", STORED, report),
        messages_per_component: number(&section, "messages-per-component", 1..=1_000_000_000, report),
        age: time(&section, "age", 60_000..=u32::MAX.into(), report),
    });
    let found = ClusterSettings {
        name: String::new(),
        host: String::new(),
        servers,
        key: Default::default(),
        credentials,
        user,
        password,
        labels,
        artifacts: path(&section, "artifacts", folder, report),
        artifact_bytes: bytes_from(&section, "artifact-bytes", STORED, report),
        connect_time: time(&section, "connect-time", up_to_an_hour.clone(), report),
        call_time: time(&section, "call-time", up_to_an_hour.clone(), report),
        request_time: time(&section, "request-time", up_to_an_hour.clone(), report),
        clock_tolerance: time(&section, "clock-tolerance", up_to_an_hour, report),
        lease_time: time(&section, "lease-time", 300..=HOUR, report),
        max_requests: number(&section, "max-requests", 1..=1_000_000, report),
        max_served: number(&section, "max-served", 1..=65_536, report),
        replicas: number(&section, "replicas", 1..=5, report),
        tls: tls.unwrap_or_default(),
        durable: durable.unwrap_or_default(),
    };
    Some(ClusterSettings {
        name: cluster?,
        host: host?,
        key: key?,
        ..found
    })
}

fn name(section: &Section<'_>, key: &str, report: &mut Report<'_>) -> Option<String> {
    let text = section.required(key, report)?;
    checked(&text, &format!("`{key}`"), report)
}

/// Checks the name of a cluster or a host, or a label.
fn checked(text: &Text<'_>, what: &str, report: &mut Report<'_>) -> Option<String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if text.text.len() <= MAX_NAME_BYTES && text.text.bytes().all(allowed) {
        return Some(text.text.to_owned());
    }
    let message = format!(
        "{what} is `{}`, and must have 1 to {MAX_NAME_BYTES} ASCII letters, digits, `-` and `_`",
        quoted(text.text)
    );
    report.add(text.span.clone(), message);
    None
}

/// Hides what may hold a password.
fn hide_secrets(section: &Section<'_>, report: &mut Report<'_>) {
    if let Some(value) = section.get("servers") {
        let message = "`servers` has an entry that is not valid, and that may hold a password: write a list of different addresses such as \
            `nats://127.0.0.1:4222`, and a user with `user` and `password`";
        report.hide_if(value.span(), '@', message);
    }
    if let Some(value) = section.get("password") {
        let message = "`password` must be `{ env = \"NAME\" }` or `{ file = \"PATH\" }`";
        report.hide(value.span(), message);
    }
}

/// Returns the addresses of the servers. Problems of one that may hold a password have the place of the section: reports show
/// the line of a problem.
fn servers(section: &Section<'_>, report: &mut Report<'_>) -> Vec<ServerAddress> {
    let texts = section.texts("servers", report);
    if section.get("servers").is_none() {
        let message =
            "[cluster] has no `servers`, which is required: addresses such as `nats://127.0.0.1:4222`";
        report.add(section.span.clone(), message);
    } else if let Some(value) = section.get("servers")
        && let DeValue::Array(list) = value.get_ref()
        && !(1..=MAX_SERVERS).contains(&list.len())
    {
        let message = format!(
            "`servers` has {} addresses, and must have 1 to {MAX_SERVERS}",
            list.len()
        );
        report.add(value.span(), message);
        return Vec::new();
    }
    let mut found = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        let number = at + 1;
        let url = Url::parse(text.text);
        let has_user = |url: &Url| !url.username().is_empty() || url.password().is_some();
        match url {
            Ok(url) if has_user(&url) => {
                let message =
                    format!("server {number} of `servers` has a user: set it with `user` and `password`");
                report.add(section.span.clone(), message);
            }
            Ok(url)
                if ["nats", "tls"].contains(&url.scheme())
                    && url.host_str().is_some_and(|host| !host.is_empty())
                    && ["", "/"].contains(&url.path())
                    && url.query().is_none()
                    && url.fragment().is_none() =>
            {
                found.push(ServerAddress(text.text.to_owned()));
            }
            _ => {
                let message = format!(
                    "server {number} of `servers` is not an address, such as `tls://nats.example.com:4222`"
                );
                report.add(section.span.clone(), message);
            }
        }
    }
    found
}

/// Returns the user and the password, which come together.
fn password(
    section: &Section<'_>,
    folder: &Folder,
    report: &mut Report<'_>,
) -> (Option<String>, Option<DeclaredValue>) {
    let user = section.text("user", report).map(|user| user.text.to_owned());
    let Some(value) = section.get("password") else {
        if user.is_some() {
            let message = "[cluster] has a `user` and no `password`";
            report.add(section.span.clone(), message);
        }
        return (user, None);
    };
    // The line of the value is not shown.
    if matches!(value.get_ref(), DeValue::String(_)) {
        let message =
            "`password` is written in the file: write `{ env = \"NAME\" }` or `{ file = \"PATH\" }`";
        report.add(section.span.clone(), message);
        return (user, None);
    }
    if section.get("user").is_none() {
        report.add(section.span.clone(), "[cluster] has a `password` and no `user`");
    }
    (user, declared(value, "`password`", folder, report))
}

fn labels(section: &Section<'_>, key: &str, report: &mut Report<'_>) -> Vec<String> {
    let texts = section.texts(key, report);
    if let Some(value) = section.get(key)
        && texts.len() > MAX_LABELS
    {
        let message = format!(
            "`{key}` has {} labels, and at most {MAX_LABELS} are allowed",
            texts.len()
        );
        report.add(value.span(), message);
        return Vec::new();
    }
    let what = format!("a label of `{key}`");
    let texts = texts.iter();
    texts.filter_map(|text| checked(text, &what, report)).collect()
}

fn tls_of(section: &Section<'_>, folder: &Folder, report: &mut Report<'_>) -> ClusterTls {
    let tls = ClusterTls {
        authorities: path(section, "authorities", folder, report),
        certificate: path(section, "certificate", folder, report),
        key: path(section, "key", folder, report),
        required: boolean(section, "required", report).unwrap_or_default(),
    };
    if tls.certificate.is_some() != tls.key.is_some() {
        let message = "[cluster.tls] needs both `certificate` and `key`, or neither of them";
        report.add(section.span.clone(), message);
    }
    tls
}

/// The parts of a host file that a component's membership depends on.
pub(super) struct Owner<'a> {
    /// True if the file has the section `[cluster]`.
    pub(super) is_member: bool,
    /// Folder of fetched artifacts.
    pub(super) artifacts: Option<&'a std::path::Path>,
    /// True if the component is durable.
    pub(super) is_durable: bool,
}

pub(super) fn membership(
    component: &Section<'_>,
    owner: &Owner<'_>,
    report: &mut Report<'_>,
) -> Option<DeclaredMembership> {
    let section = part(component, "cluster", "component.cluster", &MEMBERSHIP, report)?;
    if !owner.is_member {
        let message = "[component.cluster] needs a cluster: declare it with the section [cluster]";
        report.add(section.span.clone(), message);
    }
    let place_on = section
        .get("place-on")
        .is_some()
        .then(|| labels(&section, "place-on", report));
    let found = DeclaredMembership {
        announce: boolean(&section, "announce", report).unwrap_or_default(),
        accept_durable: boolean(&section, "accept-durable", report).unwrap_or_default(),
        topics: topics(&section, "topics", report),
        left_topics: topics(&section, "left-topics", report),
        place_on,
        artifact: digest(&section, owner, report),
    };
    let at = |key: &str| {
        section
            .get(key)
            .map_or(section.span.clone(), |value| value.span())
    };
    if found.accept_durable && !owner.is_durable {
        let message = "a component that accepts durable messages must be durable: set `durable = true`";
        report.add(at("accept-durable"), message);
    }
    let gets_durable = found.accept_durable || found.place_on.is_some() && owner.is_durable;
    if !found.topics.is_empty() && !gets_durable {
        let message = "a component with `topics` must get durable messages: set `accept-durable = true`";
        report.add(at("topics"), message);
    }
    if let Some(both) = found
        .topics
        .iter()
        .find(|topic| found.left_topics.contains(topic))
    {
        let message = format!("`topics` and `left-topics` both have `{both}`: remove it from one of them");
        report.add(at("left-topics"), message);
    }
    Some(found)
}

fn topics(section: &Section<'_>, key: &str, report: &mut Report<'_>) -> Vec<Topic> {
    let mut found = Vec::new();
    for text in section.texts(key, report) {
        match Topic::new(text.text) {
            Ok(topic) => found.push(topic),
            Err(error) => report.add(text.span, format!("`{key}`: {error}")),
        }
    }
    found
}

fn digest(section: &Section<'_>, owner: &Owner<'_>, report: &mut Report<'_>) -> Option<String> {
    let text = section.text("artifact", report)?;
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.text.len() != 64 || !text.text.bytes().all(is_digit) {
        let message =
            "`artifact` must have 64 hexadecimal digits in lower case, as `host publish` prints them";
        report.add(text.span, message);
        return None;
    }
    if owner.is_member && owner.artifacts.is_none() {
        let message = "`artifact` needs a folder for fetched artifacts: set `artifacts` of [cluster]";
        report.add(text.span.clone(), message);
    }
    Some(text.text.to_owned())
}
