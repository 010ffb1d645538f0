//! Memory of one more idle instance. Each side is measured in its own process: this program, started again.

use crate::ours;
use crate::reference::{self, Variant};
use airssys_wasm::artifact::PublicKey;
use airssys_wasm::engine::Backend;
use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// The file in which Linux reports it.
const SMAPS: &str = "/proc/self/smaps_rollup";

/// Instances that exist before the count: one-time costs of the first ones are shared by all.
const FIRST: usize = 8;

/// Memory of a process, or of each instance in it, in bytes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Resident {
    /// Resident; a shared page counts as often as it is mapped.
    rss: f64,
    /// Resident; a shared page is divided among its mappings.
    pss: f64,
    /// Resident, written to, and private to the process.
    private_dirty: f64,
    /// Nanoseconds in which each was made; 0 for a process.
    pub(crate) start: f64,
}

/// Selects one of the figures.
pub(crate) type Pick = fn(&Resident) -> f64;

/// The figures by name; the goal is set for the first.
pub(crate) const MEASURES: [(&str, Pick); 3] = [
    ("RSS", |resident| resident.rss),
    ("PSS", |resident| resident.pss),
    ("private dirty", |resident| resident.private_dirty),
];

/// The engine whose instances are counted.
#[derive(Debug)]
pub(crate) enum Side {
    Ours {
        backend: Backend,
        signer: PublicKey,
    },
    Reference {
        variant: Variant,
    },
    /// Actors, or what they are compared with, of our engine.
    Relay {
        backend: Backend,
        signer: PublicKey,
        kind: Kind,
    },
}

/// Forms of one component of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// An instance without a runtime
    Instance,
    /// A component of a runtime
    Component,
    /// An actor
    Actor,
}

/// Arguments of the process.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    file: PathBuf,
    #[arg(long)]
    instances: usize,
    #[arg(long, requires = "signer")]
    ours: Option<Backend>,
    #[arg(long)]
    signer: Option<PublicKey>,
    #[arg(long, conflicts_with = "ours")]
    reference: Option<Variant>,
    #[arg(long, requires = "ours")]
    kind: Option<Kind>,
}

pub(crate) fn is_possible() -> bool {
    Path::new(SMAPS).exists()
}

/// Measures the growth by each of `instances` instances, in a process that does nothing else.
pub(crate) fn in_a_process(side: &Side, file: &Path, instances: u32) -> Result<Resident> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("idle").arg("--file").arg(file);
    command.args(["--instances", &instances.to_string()]);
    match side {
        Side::Ours { backend, signer } => {
            command.args(["--ours", backend.name(), "--signer", &signer.to_string()]);
        }
        Side::Relay {
            backend,
            signer,
            kind,
        } => {
            command.args(["--ours", backend.name(), "--signer", &signer.to_string()]);
            let kind = kind.to_possible_value().context("a kind without a name")?;
            command.args(["--kind", kind.get_name()]);
        }
        Side::Reference { variant } => {
            let variant = variant.to_possible_value().context("a variant without a name")?;
            command.args(["--reference", variant.get_name()]);
        }
    }
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {command:?}"))?;
    ensure!(
        output.status.success(),
        "{command:?} ended with {}",
        output.status
    );
    serde_json::from_slice(&output.stdout).with_context(|| format!("{command:?} printed no figures"))
}

/// Main function of the process: prints the growth per instance.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let growth = match (arguments.ours, arguments.signer, arguments.reference) {
        (Some(backend), Some(signer), None) if let Some(kind) = arguments.kind => {
            let count = arguments.instances;
            match kind {
                Kind::Instance => {
                    let deployed = ours::Deployed::new(backend, &arguments.file, signer)?;
                    growth(count, |count| deployed.idle_relays(count))
                }
                Kind::Component => {
                    let idle = ours::Idle::new(backend, &arguments.file, signer)?;
                    growth(count, |count| idle.components(count))
                }
                Kind::Actor => {
                    let idle = ours::Idle::new(backend, &arguments.file, signer)?;
                    growth(count, |count| idle.actors(count))
                }
            }
        }
        (Some(backend), Some(signer), None) => {
            let deployed = ours::Deployed::new(backend, &arguments.file, signer)?;
            growth(arguments.instances, |count| deployed.idle(count))
        }
        (None, _, Some(variant)) => {
            let deployed = reference::Deployed::new(variant, &arguments.file)?;
            growth(arguments.instances, |count| deployed.idle(count))
        }
        _ => bail!("idle instances of nobody"),
    }?;
    println!("{}", serde_json::to_string(&growth)?);
    Ok(())
}

fn growth<I>(count: usize, make: impl Fn(usize) -> Result<Vec<I>>) -> Result<Resident> {
    ensure!(count > 0, "no instance to count");
    let first = make(FIRST)?;
    let before = resident()?;
    let begin = Instant::now();
    let more = make(count)?;
    let start = begin.elapsed().as_nanos() as f64 / count as f64;
    let after = resident()?;
    drop((first, more));
    let each = |pick: Pick| (pick(&after) - pick(&before)) / count as f64;
    Ok(Resident {
        rss: each(|resident| resident.rss),
        pss: each(|resident| resident.pss),
        private_dirty: each(|resident| resident.private_dirty),
        start,
    })
}

/// Returns the resident memory of this process, in bytes.
pub(crate) fn rss() -> Result<f64> {
    Ok(resident()?.rss)
}

/// Reads the memory of this process.
fn resident() -> Result<Resident> {
    let smaps = fs::read_to_string(SMAPS).with_context(|| format!("cannot read {SMAPS}"))?;
    Ok(Resident {
        rss: bytes(&smaps, "Rss:")?,
        pss: bytes(&smaps, "Pss:")?,
        private_dirty: bytes(&smaps, "Private_Dirty:")?,
        start: 0.0,
    })
}

/// Reads one of its lines, whose unit is KiB.
fn bytes(smaps: &str, name: &str) -> Result<f64> {
    let kibibytes = smaps
        .lines()
        .find_map(|line| line.strip_prefix(name)?.trim().strip_suffix("kB"))
        .with_context(|| format!("no `{name}` in {SMAPS}"))?;
    let kibibytes: f64 = kibibytes.trim().parse()?;
    Ok(kibibytes * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn lines_are_found_by_their_whole_name() {
        let smaps =
            "55d0-7ffc ---p 00000000 00:00 0  [rollup]\nRss:   1912 kB\nPss:   1017 kB\nPss_Dirty:  8 kB\n";
        assert_eq!(bytes(smaps, "Pss:").expect("it is there"), 1017.0 * 1024.0);
        assert!(bytes(smaps, "Private_Dirty:").is_err());
    }
}
