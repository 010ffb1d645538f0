//! Tables `[[component]]`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use toml::de::DeValue;

use super::cluster::{self, Owner};
use super::values::{Folder, boolean, bytes, choice, chosen, number, parsed, part, path, values, written};
use crate::actors::{GuestMessages, MAX_INSTANCES, Restart};
use crate::codec::Codec;
use crate::host_file::cluster::ClusterSettings;
use crate::host_file::types::{
    ConfigData, DeclaredBackpressure, DeclaredComponent, DeclaredGroup, DeclaredHealth, DeclaredMailbox,
    Supervision,
};
use crate::host_file::value::DeclaredValue;
use crate::limits::{Resource, ResourceLimits};
use crate::manifest::read::report::{Report, quoted};
use crate::manifest::read::values::{Section, Text, expected};
use crate::messaging::ComponentId;
use crate::security::Capability;

pub(super) const KEYS: [&str; 17] = [
    "id",
    "path",
    "manifest",
    "grants",
    "config",
    "env",
    "config-data",
    "backpressure",
    "messages",
    "instances",
    "mailbox",
    "supervision",
    "health",
    "group",
    "durable",
    "cluster",
    "limits",
];

const HEALTH: [&str; 3] = ["interval", "timeout", "failures"];
const MAILBOX: [&str; 3] = ["messages", "bytes", "message-bytes"];
const SUPERVISION: [&str; 7] = [
    "restart",
    "intensity",
    "period",
    "first-pause",
    "longest-pause",
    "jitter-percent",
    "max-tries",
];

/// The sections that components refer to.
#[derive(Clone, Copy)]
pub(super) struct Host<'a> {
    pub(super) groups: &'a [DeclaredGroup],
    pub(super) has_store: bool,
    pub(super) cluster: Option<&'a ClusterSettings>,
    /// True if the file has the section `[cluster]`, right or wrong.
    pub(super) is_member: bool,
}

pub(super) fn component(
    section: &Section<'_>,
    folder: &Folder,
    host: Host<'_>,
    ids: &mut HashSet<String>,
    report: &mut Report<'_>,
) -> Option<DeclaredComponent> {
    let id = section.required("id", report);
    let id = id.and_then(|id| identity(&id, ids, report));
    let manifest = path(section, "manifest", folder, report);
    let grants = grants(section, report);
    let config = values(section, "config", folder, report);
    let env = values(section, "env", folder, report);
    let config_data = config_data(section, folder, report);
    let backpressure = backpressure(section, report);
    let deliveries = [
        ("receive", GuestMessages::Receive),
        ("execute", GuestMessages::Execute),
    ];
    let messages = choice(section, "messages", &deliveries, report);
    let mailbox = part(section, "mailbox", "component.mailbox", &MAILBOX, report);
    let mailbox = mailbox.map(|section| mailbox_of(&section, report));
    let supervision = part(
        section,
        "supervision",
        "component.supervision",
        &SUPERVISION,
        report,
    );
    let supervision = supervision.map(|section| supervision_of(&section, report));
    let health = part(section, "health", "component.health", &HEALTH, report);
    let health = health.map(|section| health_of(&section, report));
    let group = section.text("group", report);
    let group = group.and_then(|group| known_group(&group, host.groups, report));
    let durable = durable(section, host.has_store, report);
    let artifacts = host.cluster.and_then(|cluster| cluster.artifacts.as_deref());
    let owner = Owner {
        is_member: host.is_member,
        artifacts,
        is_durable: durable,
    };
    let cluster = cluster::membership(section, &owner, report);
    let artifact = cluster.as_ref().and_then(|cluster| cluster.artifact.as_deref());
    let file = file(section, artifact, artifacts, folder, report);
    let names = Resource::ALL.map(Resource::name);
    let limits = part(section, "limits", "component.limits", &names, report);
    let limits = limits.map(|section| limits_of(&section, report));
    Some(DeclaredComponent {
        id: id?,
        path: file?,
        manifest,
        grants,
        config,
        env,
        config_data,
        backpressure,
        messages,
        instances: number(section, "instances", 1..=MAX_INSTANCES as u64, report),
        mailbox: mailbox.unwrap_or_default(),
        supervision: supervision.unwrap_or_default(),
        health,
        group,
        durable,
        cluster,
        limits: limits.unwrap_or_default(),
    })
}

/// Returns the file of the component: the declared one, or that which its artifact is fetched to.
fn file(
    section: &Section<'_>,
    artifact: Option<&str>,
    artifacts: Option<&Path>,
    folder: &Folder,
    report: &mut Report<'_>,
) -> Option<PathBuf> {
    let Some(digest) = artifact else {
        let has_artifact = section
            .get("cluster")
            .and_then(|cluster| cluster.get_ref().as_table())
            .is_some_and(|cluster| cluster.contains_key("artifact"));
        // One that is wrong is reported.
        return match has_artifact {
            true => None,
            false => section
                .required("path", report)
                .map(|file| folder.join(file.text)),
        };
    };
    if let Some(path) = section.get("path") {
        let message = "the component has a `path` and an `artifact`: remove one of them";
        report.add(path.span(), message);
    }
    // A cluster without the folder is reported.
    Some(artifacts?.join(format!("{digest}.artifact")))
}

fn identity(text: &Text<'_>, ids: &mut HashSet<String>, report: &mut Report<'_>) -> Option<ComponentId> {
    let id = match ComponentId::new(text.text) {
        Ok(id) => id,
        Err(error) => {
            report.add(text.span.clone(), error.to_string());
            return None;
        }
    };
    if !ids.insert(text.text.to_owned()) {
        let message = format!("two components have the id `{}`: change one", quoted(text.text));
        report.add(text.span.clone(), message);
        return None;
    }
    Some(id)
}

fn known_group(text: &Text<'_>, groups: &[DeclaredGroup], report: &mut Report<'_>) -> Option<String> {
    if groups.iter().any(|group| group.name == text.text) {
        return Some(text.text.to_owned());
    }
    let message = format!(
        "no group is named `{0}`: declare it with `[[group]]` and `name = \"{0}\"`",
        quoted(text.text)
    );
    report.add(text.span.clone(), message);
    None
}

fn durable(section: &Section<'_>, has_store: bool, report: &mut Report<'_>) -> bool {
    let durable = boolean(section, "durable", report).unwrap_or_default();
    if durable && !has_store {
        let place = section.get("durable").map(|value| value.span());
        let message = "a durable component needs a store: set `store` of [host] to the path of its file";
        report.add(place.unwrap_or_else(|| section.span.clone()), message);
    }
    durable
}

fn grants(section: &Section<'_>, report: &mut Report<'_>) -> Vec<Capability> {
    let mut grants = Vec::new();
    for grant in section.texts("grants", report) {
        match Capability::new(grant.text) {
            Ok(capability) => grants.push(capability),
            Err(error) => report.add(grant.span, error.to_string()),
        }
    }
    grants
}

fn config_data(section: &Section<'_>, folder: &Folder, report: &mut Report<'_>) -> Option<ConfigData> {
    let value = section.get("config-data")?;
    let codecs = Codec::ALL.map(|codec| (codec.name(), codec));
    match value.get_ref() {
        DeValue::String(_) => Some(ConfigData {
            codec: Codec::Json,
            data: written(value, "`config-data`", report)?,
        }),
        DeValue::Table(_) => {
            let name = "component.config-data";
            let keys = ["text", "file", "codec"];
            let section = part(section, "config-data", name, &keys, report)?;
            let codec = match section.get("codec") {
                None => Some(Codec::Json),
                Some(_) => choice(&section, "codec", &codecs, report),
            };
            let data = match (section.get("text"), section.get("file")) {
                (Some(text), None) => written(text, "`text`", report),
                (None, Some(_)) => path(&section, "file", folder, report).map(DeclaredValue::File),
                _ => {
                    report.add(value.span(), "`config-data` must have either `text` or `file`");
                    None
                }
            };
            Some(ConfigData {
                codec: codec?,
                data: data?,
            })
        }
        _ => {
            let wanted = "a string, or a table with `text` or `file`";
            report.add(value.span(), expected("`config-data`", wanted, value));
            None
        }
    }
}

fn backpressure(section: &Section<'_>, report: &mut Report<'_>) -> Option<DeclaredBackpressure> {
    let value = section.get("backpressure")?;
    match value.get_ref() {
        DeValue::Table(_) => {
            let name = "component.backpressure";
            let section = part(section, "backpressure", name, &["wait"], report)?;
            if section.get("wait").is_none() {
                report.add(value.span(), "`backpressure` has no `wait`, which is a time");
            }
            parsed(&section, "wait", report).map(DeclaredBackpressure::Wait)
        }
        DeValue::String(text) => {
            let text = Text {
                text,
                span: value.span(),
            };
            let choices = [
                ("refuse", DeclaredBackpressure::Refuse),
                ("drop-oldest", DeclaredBackpressure::DropOldest),
            ];
            chosen(&text, "backpressure", &choices, report)
        }
        _ => {
            let wanted = "`refuse`, `drop-oldest` or a table with `wait`";
            report.add(value.span(), expected("`backpressure`", wanted, value));
            None
        }
    }
}

fn mailbox_of(section: &Section<'_>, report: &mut Report<'_>) -> DeclaredMailbox {
    DeclaredMailbox {
        messages: number(section, "messages", 1..=1_000_000, report),
        bytes: bytes(section, "bytes", 1 << 30, report),
        message_bytes: bytes(section, "message-bytes", 256 << 20, report),
    }
}

fn supervision_of(section: &Section<'_>, report: &mut Report<'_>) -> Supervision {
    let restarts = [
        ("permanent", Restart::Permanent),
        ("transient", Restart::Transient),
        ("temporary", Restart::Temporary),
    ];
    let supervision = Supervision {
        restart: choice(section, "restart", &restarts, report),
        intensity: number(section, "intensity", 0..=10_000, report),
        period: parsed(section, "period", report),
        first_pause: parsed(section, "first-pause", report),
        longest_pause: parsed(section, "longest-pause", report),
        jitter_percent: number(section, "jitter-percent", 0..=100, report),
        max_tries: number(section, "max-tries", 1..=1000, report),
    };
    let policy = supervision.policy();
    if policy.longest_pause < policy.first_pause {
        let message = format!(
            "the first pause ({:?}) is longer than the longest ({:?})",
            policy.first_pause, policy.longest_pause
        );
        report.add(section.span.clone(), message);
    }
    supervision
}

fn health_of(section: &Section<'_>, report: &mut Report<'_>) -> DeclaredHealth {
    DeclaredHealth {
        interval: parsed(section, "interval", report),
        timeout: parsed(section, "timeout", report),
        failures: number(section, "failures", 1..=1000, report),
    }
}

fn limits_of(section: &Section<'_>, report: &mut Report<'_>) -> ResourceLimits {
    let mut limits = ResourceLimits::new();
    for (key, value) in section.table {
        let Some(resource) = Resource::from_name(key.get_ref()) else {
            continue;
        };
        let text = match (value.get_ref(), resource.is_number()) {
            (DeValue::Integer(number), true) => {
                let number = i128::from_str_radix(number.as_str(), number.radix());
                number.map(|number| number.to_string()).unwrap_or_default()
            }
            (DeValue::String(text), false) => text.clone().into_owned(),
            (_, true) => {
                let what = format!("`{}`", resource.name());
                report.add(value.span(), expected(&what, "a whole number", value));
                continue;
            }
            (_, false) => {
                let what = format!("`{}`", resource.name());
                report.add(value.span(), expected(&what, "a string with a unit", value));
                continue;
            }
        };
        match resource.parse(&text) {
            Ok(number) => limits = limits.with(resource, number),
            Err(error) => report.add(value.span(), error.to_string()),
        }
    }
    limits
}
