//! Command-line arguments with the WASI grants of a component.

use std::path::PathBuf;

use airssys_wasm::wasi::NetGrant;
use clap::Args;

use super::pair;

/// Grants of WASI capabilities. Without a grant, everything is virtual or disabled.
#[derive(Debug, Args)]
#[command(next_help_heading = "Grants")]
pub(crate) struct WasiArgs {
    /// Set an environment variable for the component; can be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) env: Vec<(String, String)>,

    /// Grant access to a host folder at a guest path; `:ro` makes it read-only; can be
    /// repeated
    #[arg(long, value_name = "HOST::GUEST[:ro]", value_parser = dir)]
    pub(crate) dir: Vec<DirArg>,

    /// Host that the component may connect to: a name, `*.name`, an address, a network as in 10.0.0.0/8, or `*` for all
    /// public hosts; can be repeated
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(crate) net: Vec<NetGrant>,

    /// Inherit this process's standard input, output and error; without it, input is empty and output goes to
    /// the log
    #[arg(long)]
    pub(crate) inherit_stdio: bool,
}

/// A granted folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DirArg {
    pub(crate) host: PathBuf,
    pub(crate) guest: String,
    pub(crate) read_only: bool,
}

fn dir(text: &str) -> Result<DirArg, String> {
    let (host, guest) = text
        .split_once("::")
        .ok_or("write HOST::GUEST or HOST::GUEST:ro")?;
    let (guest, read_only) = match guest.strip_suffix(":ro") {
        Some(guest) => (guest, true),
        None => (guest, false),
    };
    if host.is_empty() || guest.is_empty() {
        return Err("both paths are required: HOST::GUEST".to_owned());
    }
    Ok(DirArg {
        host: host.into(),
        guest: guest.to_owned(),
        read_only,
    })
}
