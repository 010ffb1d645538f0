//! Command-line arguments of `host`.

use std::path::PathBuf;

use airssys_wasm::ComponentId;
use airssys_wasm::codec::Codec;
use clap::{Args, Subcommand, value_parser};
use serde_json::Value;

use super::{MAX_TIMEOUT_MS, json};
use crate::exit;

/// Run components as supervised actors, and control them
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct HostArgs {
    #[command(subcommand)]
    pub(crate) command: HostCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum HostCommand {
    Run(HostRunArgs),
    Ps(HostPsArgs),
    Logs(HostLogsArgs),
    Send(HostSendArgs),
    Replace(HostReplaceArgs),
    Rollback(HostRollbackArgs),
    Publish(HostPublishArgs),
    Stop(HostStopArgs),
    Undeclare(HostUndeclareArgs),
    /// Print the JSON Schema of HOST.toml, for editors
    Schema,
}

/// Run the components that a file declares
///
/// Each is an actor with a mailbox, and is restarted when it fails. docs/host.md describes the file. Ctrl-C or SIGTERM
/// drains: no message is accepted any more, those in the mailboxes are handled, and each component is shut down; a second
/// one stops immediately. The other commands of `host` reach the host by a local socket that only its user can open.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct HostRunArgs {
    /// File that declares the host (TOML)
    pub(crate) file: PathBuf,

    /// Path of the socket, instead of the file's
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,

    /// Print errors as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// The host that a command is for.
#[derive(Debug, Args)]
pub(crate) struct ReachArgs {
    /// File that declares the host, whose socket is used
    #[arg(
        long,
        value_name = "FILE",
        default_value = "HOST.toml",
        conflicts_with = "socket"
    )]
    pub(crate) host: PathBuf,

    /// Path of the socket of the host
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
}

/// List the components of a host: state, restarts, and messages
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct HostPsArgs {
    #[command(flatten)]
    pub(crate) reach: ReachArgs,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show the log of a component, as far as the host has kept it
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct HostLogsArgs {
    /// Identity of the component
    pub(crate) id: ComponentId,

    /// Keep printing new lines until Ctrl-C, or until the host ends
    #[arg(long, short)]
    pub(crate) follow: bool,

    #[command(flatten)]
    pub(crate) reach: ReachArgs,

    /// Print one JSON object for each line
    #[arg(long)]
    pub(crate) json: bool,
}

/// Send an operation to a component, and print its answer
///
/// Ctrl-C gives the message up: it leaves the mailbox, or its call is interrupted.
///
/// If the host has no such component and is in a cluster, HOST/ID is a component of another host, and any other ID one that a
/// host of the cluster has announced.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct HostSendArgs {
    /// Identity of the component, or of one in the cluster: HOST/ID, or ID
    pub(crate) id: String,

    /// Name of the operation
    pub(crate) operation: String,

    /// Parameters of the operation, as JSON [default: null]. Bytes are written {"$bytes": "00ff"}, in hexadecimal
    #[arg(value_parser = json)]
    pub(crate) params: Option<Value>,

    /// Codec of the payload: json, msgpack, yaml
    #[arg(long, default_value = "json")]
    pub(crate) codec: Codec,

    /// Time limit until the message is handled, in milliseconds, waiting included [default: none for waiting, and the
    /// component's for the call]
    #[arg(long, value_name = "MS", value_parser = value_parser!(u64).range(1..=MAX_TIMEOUT_MS))]
    pub(crate) timeout: Option<u64>,

    /// Put the message into the cluster's stream instead, which keeps it until a host that has the component handles it; `topic:NAME`
    /// as ID stands for all subscribers of a topic. There is no answer
    #[arg(long)]
    pub(crate) durable: bool,

    /// Identity of a durable message: one that is sent again is handled once [default: random]
    #[arg(long, value_name = "TEXT", requires = "durable")]
    pub(crate) message_id: Option<String>,

    #[command(flatten)]
    pub(crate) reach: ReachArgs,

    /// Print one JSON object: codec, operation, and the result or, in hexadecimal, its bytes
    #[arg(long)]
    pub(crate) json: bool,
}

/// Put another version in place of a component, without stopping it
///
/// The new version gets the grants, configuration and limits that the host file declared. It is compiled, initialized and
/// queried for its health while the version before goes on, and then gets the messages, in their order. Returns when it has
/// passed its trial, if it has one. After an error the version before handles all messages. Ctrl-C does not take the request
/// back.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct HostReplaceArgs {
    /// Identity of the component
    pub(crate) id: ComponentId,

    /// File of the new version: a component, or an artifact that the host trusts
    pub(crate) path: PathBuf,

    /// File of its manifest [default: the one inside the component or beside it]
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,

    /// Messages of a trial, in which a failure brings the version before back [default: no trial]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub(crate) trial: Option<u32>,

    /// Longest time of the trial, in milliseconds; it has passed if it has not failed by then
    #[arg(long, value_name = "MS", default_value_t = 60_000, requires = "trial",
          value_parser = value_parser!(u64).range(1..=MAX_TIMEOUT_MS))]
    pub(crate) trial_time: u64,

    /// Part of the messages that the new version gets during the trial, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 100, requires = "trial",
          value_parser = value_parser!(u32).range(1..=100))]
    pub(crate) share: u32,

    /// Part of the messages of the trial that may fail, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 0, requires = "trial",
          value_parser = value_parser!(u32).range(0..=100))]
    pub(crate) max_errors: u32,

    /// Hand the state over: the operation `snapshot` of the version before, and `restore` of the new one
    #[arg(long)]
    pub(crate) keep_state: bool,

    #[command(flatten)]
    pub(crate) reach: ReachArgs,

    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Put the version before in place of a component's, without stopping it
///
/// The earlier version is compiled already: it is initialized and queried for its health, and then gets the messages. Ctrl-C
/// does not take the request back.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct HostRollbackArgs {
    /// Identity of the component
    pub(crate) id: ComponentId,

    #[command(flatten)]
    pub(crate) reach: ReachArgs,

    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Store an artifact on the servers of the host's cluster, and print its digest
///
/// Hosts that declare a component with this digest (`artifact`) fetch it from there.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct HostPublishArgs {
    /// File of the artifact
    pub(crate) path: PathBuf,

    #[command(flatten)]
    pub(crate) reach: ReachArgs,

    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Stop a component after the messages in its mailbox; the host goes on
///
/// Returns when the component is shut down. Ctrl-C does not take the request back.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct HostStopArgs {
    /// Identity of the component
    pub(crate) id: ComponentId,

    #[command(flatten)]
    pub(crate) reach: ReachArgs,

    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Withdraw the declaration of a placed component from the host's cluster
///
/// The declaration (`place-on`) stays in the cluster when a component is removed from the host files, until this command. The
/// host that the component runs on stops it. A host whose file declares it declares it again when it starts. Ctrl-C does not
/// take the request back.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct HostUndeclareArgs {
    /// Identity of the component
    pub(crate) id: ComponentId,

    #[command(flatten)]
    pub(crate) reach: ReachArgs,

    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}
