//! `manifest`: checks, shows and embeds manifests.

use std::path::Path;

use airssys_wasm::ComponentRuntime;
use airssys_wasm::artifact::Trust;
use airssys_wasm::load::{Format, LoadOptions, Source};
use airssys_wasm::manifest::{
    ComponentManifest, Difference, FILE_NAME, InvalidManifest, ManifestError, SCHEMA,
};
use serde_json::json;

use crate::args::{
    BackendArg, ManifestArgs, ManifestCommand, ManifestEmbedArgs, ManifestFileArgs, ManifestShowArgs,
};
use crate::exit::{Exit, Failure, Outcome};
use crate::inspect::Life;
use crate::{files, load, output, run, text};

pub(crate) fn run(args: &ManifestArgs) -> Outcome {
    match &args.command {
        ManifestCommand::Check(args) => check(args),
        ManifestCommand::Show(args) => show(args),
        ManifestCommand::Embed(args) => embed(args),
        ManifestCommand::Schema => output::print(SCHEMA.trim_end()).map(|()| Exit::Done),
    }
}

fn check(args: &ManifestFileArgs) -> Outcome {
    let (manifest, source) = open(&args.file)?;
    let compared = match &source {
        Some(source) => differences(&manifest, &args.file, source)?,
        None => Err("it is a manifest only".to_owned()),
    };
    let differences = compared.as_deref().unwrap_or_default();
    if args.json {
        let differences: Vec<_> = differences
            .iter()
            .map(|found| json!({ "field": found.field, "declared": found.declared, "reported": found.reported }))
            .collect();
        output::print_json(&json!({
            "file": args.file.to_string_lossy(),
            "name": manifest.component.name,
            "version": manifest.component.version.to_string(),
            "differences": differences,
            "why-not-compared": compared.as_ref().err(),
        }))?;
    } else {
        let identity = &manifest.component;
        let mut lines = vec![format!(
            "{}: a valid manifest, of {} {}",
            text::line(&args.file.to_string_lossy()),
            identity.name,
            identity.version
        )];
        lines.extend(
            differences
                .iter()
                .map(|found| format!("  {}", text::line(&found.to_string()))),
        );
        if let (Err(why), true) = (&compared, source.is_some()) {
            lines.push(format!(
                "  not compared with the component: {}",
                text::message(why)
            ));
        }
        output::print(&lines.join("\n"))?;
    }
    Ok(match differences.is_empty() {
        true => Exit::Done,
        false => Exit::Answered,
    })
}

/// Compares a manifest with the metadata of its component. The inner error is the reason that they cannot be compared.
fn differences(
    manifest: &ComponentManifest,
    path: &Path,
    source: &Source<'_>,
) -> Outcome<Result<Vec<Difference>, String>> {
    match source.format() {
        Format::Component => {}
        Format::Artifact => return Ok(Err("an artifact is not run: check its component".to_owned())),
        _ => return Ok(Err("it is a core module".to_owned())),
    }
    let config = run::config(&BackendArg { backend: None }, None, None, None)?;
    let runtime = ComponentRuntime::new(config)?;
    let options = LoadOptions::default();
    let loaded = load::from(runtime.loader(), (path, source), &Trust::default(), &options)?;
    let component = loaded.component().ok_or_else(|| load::wai(path))?;
    match Life::of(&runtime, &component) {
        Life::Answers(answers) => Ok(Ok(manifest.differences(&answers.metadata))),
        Life::No(why) => Ok(Err(why)),
        Life::Stopped(failure) => Err(failure),
    }
}

fn show(args: &ManifestShowArgs) -> Outcome {
    let (manifest, _) = open(&args.file)?;
    if args.json {
        let json = serde_json::to_value(&manifest).map_err(|error| Failure::new(Exit::Host, error))?;
        output::print_json(&json)?;
    } else {
        output::print(manifest.to_toml().trim_end())?;
    }
    Ok(Exit::Done)
}

fn embed(args: &ManifestEmbedArgs) -> Outcome {
    let refusal = "is an artifact: embed the manifest in its component, and compile that again";
    let source = load::unlike_artifact(&args.component, refusal)?;
    let file = match &args.manifest {
        Some(file) => file.clone(),
        None => args.component.with_file_name(FILE_NAME),
    };
    let manifest = ComponentManifest::from_file(&file).map_err(failure)?;
    let embedded = manifest.embed(source.bytes().unwrap_or_default());
    let embedded = embedded.map_err(|error| {
        failure(error).context(format!("`{}` cannot have a manifest", args.component.display()))
    })?;
    files::write(&args.output, &embedded)?;
    let identity = &manifest.component;
    output::print(&format!(
        "{}: {} bytes, with the manifest of {} {}",
        text::line(&args.output.to_string_lossy()),
        embedded.len(),
        identity.name,
        identity.version
    ))?;
    Ok(Exit::Done)
}

/// Reads the manifest of a component or artifact, which is returned too, or the manifest in any other file.
fn open(path: &Path) -> Outcome<(ComponentManifest, Option<Source<'static>>)> {
    let source = load::source(path)?;
    let is_wasm = source.bytes().is_none_or(|bytes| bytes.starts_with(b"\0asm"));
    if !is_wasm {
        let manifest = ComponentManifest::from_file(path).map_err(failure)?;
        return Ok((manifest, None));
    }
    match ComponentManifest::from_source(&source).map_err(failure)? {
        Some(manifest) => Ok((manifest, Some(source))),
        None => Err(failure(ManifestError::Missing(path.to_owned()))),
    }
}

/// Returns the manifest for an artifact: the one that `--manifest` names, or the one inside the component or beside it. The
/// one inside must agree with the other.
pub(crate) fn for_artifact(
    given: Option<&Path>,
    path: &Path,
    source: &Source<'_>,
) -> Outcome<Option<String>> {
    let bytes = source.bytes().unwrap_or_default();
    let found = match given {
        // The compiler's error about other bytes is the better one.
        _ if !bytes.starts_with(b"\0asm") => Ok(None),
        None => ComponentManifest::from_source(source),
        Some(file) => ComponentManifest::from_file(file).and_then(|other| {
            match ComponentManifest::from_component(bytes)? {
                None => Ok(Some(other)),
                Some(inside) => inside.agreed(path, &other, file).map(Some),
            }
        }),
    };
    let found = found.map_err(|error| failure(error).context("the manifest cannot be used"))?;
    Ok(found.map(|manifest| manifest.to_toml()))
}

/// Most characters of a line of the manifest in an error. Stops a line of a megabyte.
const MAX_LINE: usize = 100;

pub(crate) fn failure(error: ManifestError) -> Failure {
    match &error {
        ManifestError::Invalid(problems) => invalid(problems, "manifest"),
        _ => Failure::new(Exit::Load, error),
    }
}

/// Returns the failure of a file with problems, each with its line. `kind` is what the file should be.
pub(crate) fn invalid(invalid: &InvalidManifest, kind: &str) -> Failure {
    let origin = match invalid.origin() {
        Some(path) => path.display().to_string(),
        None => FILE_NAME.to_owned(),
    };
    let mut lines = vec![format!("`{origin}` is not a valid {kind}")];
    for problem in invalid.problems() {
        let (line, column) = (problem.line, problem.column);
        lines.push(format!("{origin}:{line}:{column}: {}", problem.message));
        let number = line.to_string();
        let shown = invalid.text().lines().nth(line - 1).unwrap_or_default();
        // A tab, and an escaped character, would move the mark.
        let shown: String = shown
            .chars()
            .take(MAX_LINE)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let length = shown.chars().count();
        let marked = invalid.text()[problem.span.clone()]
            .lines()
            .next()
            .map_or(0, |text| text.chars().count());
        if column <= length {
            let mark = "^".repeat(marked.clamp(1, length + 1 - column));
            lines.push(format!("{number} | {shown}"));
            lines.push(format!(
                "{} | {}{mark}",
                " ".repeat(number.len()),
                " ".repeat(column - 1)
            ));
        }
    }
    if invalid.omitted() > 0 {
        lines.push(format!("and {} more", invalid.omitted()));
    }
    Failure::new(Exit::Load, anyhow::Error::msg(lines.join("\n")))
}
