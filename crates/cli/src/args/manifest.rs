//! Command-line arguments about manifests.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::exit;

/// Check, show and embed the manifests of components (component.toml)
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct ManifestArgs {
    #[command(subcommand)]
    pub(crate) command: ManifestCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ManifestCommand {
    Check(ManifestFileArgs),
    Show(ManifestShowArgs),
    Embed(ManifestEmbedArgs),
    /// Print the JSON Schema of component.toml, for editors
    Schema,
}

/// Check a manifest; for a component, also that it reports what the manifest declares
///
/// Each problem is shown with its line. The exit code is 3 if the manifest is invalid, and 1 if the component reports
/// something else.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct ManifestFileArgs {
    /// File of the manifest, or of a component or artifact that has a manifest inside or beside it
    pub(crate) file: PathBuf,

    /// Print one JSON object: the name, the version, and each difference
    #[arg(long)]
    pub(crate) json: bool,
}

/// Print the manifest in a file, or of a component or artifact, as TOML without comments
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct ManifestShowArgs {
    /// File of the manifest, or of a component or artifact that has a manifest inside or beside it
    pub(crate) file: PathBuf,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Embed a manifest in a component, as its custom section component.toml
///
/// A manifest that is already in the component is replaced.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct ManifestEmbedArgs {
    /// File of the component or core module
    pub(crate) component: PathBuf,

    /// File of the manifest [default: component.toml in the component's folder]
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,

    /// File of the component with the manifest; an existing file is replaced
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
}
