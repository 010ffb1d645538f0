//! `install`: verifies an artifact once, and records that.

use std::path::{Path, PathBuf};

use airssys_wasm::artifact::Records;
use serde_json::json;

use crate::args::InstallArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::{files, keys, load, output, text};

pub(crate) fn run(args: &InstallArgs) -> Outcome {
    let trust = keys::accepted(&args.trust)?;
    let file = load::open(&args.artifact)?;
    let artifact = load::verify(&file)?;
    artifact
        .check_signer(&trust)
        .map_err(|error| load::refused(&args.artifact, error))?;
    artifact.header().check_host().map_err(|error| {
        Failure::from(error).context(format!("`{}` does not run on this host", args.artifact.display()))
    })?;
    let signer = artifact.signer();
    let place = match &args.into {
        Some(folder) => copy(&args.artifact, folder)?,
        None => args.artifact.clone(),
    };
    let installed = remember(&place, file.digest())?;
    if !installed {
        return Err(Failure::new(
            Exit::Host,
            anyhow::Error::msg("the file was replaced during the installation: install it again"),
        ));
    }
    let signer = signer.map(|signer| signer.to_string());
    if args.json {
        output::print_json(&json!({ "installed": place.to_string_lossy(), "signer": signer }))?;
    } else {
        output::print(&format!(
            "{}: installed, signed by {}",
            text::line(&place.to_string_lossy()),
            signer.as_deref().unwrap_or("nobody")
        ))?;
    }
    Ok(Exit::Done)
}

/// Copies the artifact to the folder under its own name; replaces a file with that name.
fn copy(artifact: &Path, folder: &Path) -> Outcome<PathBuf> {
    let name = artifact
        .file_name()
        .ok_or_else(|| Failure::usage(format!("`{}` does not name a file", artifact.display())))?;
    let place = folder.join(name);
    let bytes = std::fs::read(artifact).map_err(|error| files::unreadable(artifact, error))?;
    files::write(&place, &bytes)?;
    Ok(place)
}

/// Verifies the artifact at `place`, and records that for this user. Returns whether its digest is `digest`.
fn remember(place: &Path, digest: &[u8; 32]) -> Outcome<bool> {
    let records = Records::for_user().map_err(|error| {
        Failure::new(Exit::Host, error).context("cannot open this user's records of verified files")
    })?;
    let forgetful = |error| {
        Failure::new(Exit::Host, error).context(format!(
            "`{}` is intact, but cannot be recorded as verified",
            place.display()
        ))
    };
    let file = load::open(place)?;
    let before = records.watch(file.file()).map_err(forgetful)?;
    load::verify(&file)?;
    if file.digest() != digest {
        return Ok(false);
    }
    records
        .remember(file.file(), digest, &before)
        .map_err(forgetful)?;
    Ok(true)
}
