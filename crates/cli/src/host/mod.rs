//! `host`: runs components as actors, and controls them through a local socket.

#[cfg(unix)]
mod answers;
#[cfg(unix)]
mod client;
#[cfg(unix)]
#[cfg_attr(not(feature = "nats"), path = "no_cluster.rs")]
mod cluster;
#[cfg(all(unix, feature = "nats"))]
mod join;
#[cfg(unix)]
mod logs;
#[cfg(unix)]
mod protocol;
#[cfg(unix)]
mod run;
#[cfg(unix)]
mod running;
#[cfg(unix)]
mod server;
#[cfg(unix)]
mod socket;
#[cfg(unix)]
mod start;
#[cfg(unix)]
mod wait;

use airssys_wasm::host_file::{HostFile, HostFileError, SCHEMA};

use crate::args::{HostArgs, HostCommand};
use crate::exit::{Exit, Failure, Outcome};
use crate::{manifest, output};

/// Runs `host`.
pub(crate) fn run(args: &HostArgs) -> Outcome {
    match &args.command {
        HostCommand::Schema => output::print(SCHEMA.trim_end()).map(|()| Exit::Done),
        #[cfg(unix)]
        HostCommand::Run(args) => run::run(args),
        #[cfg(unix)]
        HostCommand::Ps(args) => client::ps(args),
        #[cfg(unix)]
        HostCommand::Logs(args) => client::logs(args),
        #[cfg(unix)]
        HostCommand::Send(args) => client::send(args),
        #[cfg(unix)]
        HostCommand::Replace(args) => client::replace(args),
        #[cfg(unix)]
        HostCommand::Rollback(args) => client::rollback(args),
        #[cfg(unix)]
        HostCommand::Publish(args) => client::publish(args),
        #[cfg(unix)]
        HostCommand::Stop(args) => client::stop(args),
        #[cfg(unix)]
        HostCommand::Undeclare(args) => client::undeclare(args),
        #[cfg(not(unix))]
        _ => Err(Failure::new(
            Exit::Host,
            anyhow::Error::msg("`host` needs Unix domain sockets, which this system does not have"),
        )),
    }
}

/// Reads a host file.
#[cfg_attr(not(unix), expect(dead_code, reason = "there are no sockets"))]
fn file(path: &std::path::Path) -> Outcome<HostFile> {
    HostFile::from_file(path).map_err(|error| match error {
        HostFileError::Invalid(invalid) => manifest::invalid(&invalid, "host file"),
        HostFileError::Read { source, .. } => crate::files::unreadable(path, source),
        error => Failure::new(Exit::Load, error),
    })
}
