//! Command-line arguments about policies.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::exit;

/// Check a policy file, or explain what it allows
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct PolicyArgs {
    #[command(subcommand)]
    pub(crate) command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    Check(PolicyCheckArgs),
    Explain(PolicyExplainArgs),
}

/// Check a policy file: its keys, its capabilities, and rules that contradict each other
///
/// The exit code is 0 if the file is valid, and 3 if it is not. Rules that have expired are listed, but valid.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct PolicyCheckArgs {
    /// Policy file (TOML); docs/security.md describes the format
    pub(crate) file: PathBuf,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Explain what a policy allows a component, and by which rule
///
/// With capabilities, each is explained. Without, those are that the manifest of the component declares, or the rules that
/// apply are listed; then the limits, each with its source. The exit code is 0 if the policy allows each capability as a
/// whole, optional ones of the manifest aside, and 1 otherwise. Nothing is run.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct PolicyExplainArgs {
    /// Identity of the component, as rules name it, or its file, whose manifest is read
    pub(crate) component: String,

    /// Capabilities to explain, as in filesystem:read:/data/models
    #[arg(value_name = "CAPABILITY")]
    pub(crate) capabilities: Vec<String>,

    #[command(flatten)]
    pub(crate) layers: PolicyLayers,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options that a policy is made of.
#[derive(Debug, Args)]
pub(crate) struct PolicyLayers {
    /// Policy file (TOML); docs/security.md describes the format
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,

    /// Also allow this capability; can be repeated
    #[arg(long, value_name = "CAPABILITY")]
    pub(crate) grant: Vec<String>,

    /// Also deny this capability, which has precedence over every permission; can be repeated
    #[arg(long, value_name = "CAPABILITY")]
    pub(crate) deny: Vec<String>,

    /// Principal on whose behalf the component runs [default: none]
    #[arg(long, value_name = "NAME")]
    pub(crate) principal: Option<String>,
}

/// Options about the capabilities of a component or program that is run.
#[derive(Debug, Args)]
pub(crate) struct SecurityArgs {
    #[command(flatten)]
    pub(crate) layers: PolicyLayers,

    /// Append each decision on a capability to this file, as a line of JSON
    ///
    /// The file is rotated at 64 MiB. docs/security.md describes the lines.
    #[arg(long, value_name = "FILE")]
    pub(crate) audit: Option<PathBuf>,
}

impl SecurityArgs {
    /// Returns whether any of the options is given.
    pub(crate) fn is_given(&self) -> bool {
        let layers = &self.layers;
        layers.policy.is_some()
            || !layers.grant.is_empty()
            || !layers.deny.is_empty()
            || layers.principal.is_some()
            || self.audit.is_some()
    }
}
