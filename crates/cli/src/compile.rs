//! `compile`: compiles a component to an artifact, ahead of time.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use airssys_wasm::artifact::{Artifact, ArtifactOptions, SecretKey, Trust, Unfinished};
use airssys_wasm::engine::{Backend, Config, Engine, Target};
use airssys_wasm::load::Source;
use airssys_wasm::runtime::RuntimeError;
use airssys_wasm::{ComponentRuntime, RuntimeConfig};
use serde_json::json;

use crate::args::CompileArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::inspect::Life;
use crate::interrupt::Interrupt;
use crate::output::{print, print_json};
use crate::progress::Bar;
use crate::{files, keys, load, manifest, text};

pub(crate) fn run(args: &CompileArgs) -> Outcome {
    let engine = engine(args)?;
    let key = args.sign.as_deref().map(keys::secret).transpose()?;
    // Compiling can take minutes; errors of the output are reported before.
    expect_folder(&args.output)?;
    let source = load::unlike_artifact(
        &args.component,
        "is already an artifact: compile the component that it was built from",
    )?;
    let interrupt = Interrupt::watch()?;
    let given = (args.component.as_path(), &source, args.manifest.as_deref());
    let file = artifact(&engine, given, key.as_ref(), &interrupt)?;
    interrupt.writing()?;
    files::write(&args.output, &file)?;
    tell(&args.output, args.json, &file)
}

/// Compiles a component to an artifact, with its metadata, and with its manifest: the given one, or its own.
pub(crate) fn artifact(
    engine: &Engine,
    (path, source, manifest): (&Path, &Source<'_>, Option<&Path>),
    key: Option<&SecretKey>,
    interrupt: &Interrupt,
) -> Outcome<Vec<u8>> {
    let manifest = manifest::for_artifact(manifest, path, source)?;
    let (watched, bar) = watched(engine, interrupt);
    let compiled = Unfinished::compile(&watched, source.bytes().unwrap_or_default());
    bar.clear();
    let compiled = compiled
        .map_err(Failure::from)
        .map_err(|failure| match failure.exit {
            Exit::Interrupted => failure,
            _ => failure.context(format!("`{}` cannot be compiled", path.display())),
        })?;
    let metadata = match engine.target().runs_here() {
        true => metadata(&compiled)?,
        false => None,
    };
    let mut options = ArtifactOptions::default();
    options.key = key;
    options.metadata = metadata.as_deref();
    options.manifest = manifest.as_deref().map(str::as_bytes);
    Ok(compiled.finish(&options)?)
}

fn engine(args: &CompileArgs) -> Outcome<Engine> {
    let mut config = Config::new();
    refuse_tiered(args.backend)?;
    if let Some(backend) = args.backend {
        config.backend(backend);
    }
    if let Some(level) = args.opt {
        config.opt_level(level);
    }
    if args.target.is_some() || args.cpu.is_some() {
        let mut target = args.target.clone().unwrap_or_else(Target::host);
        if let Some(features) = &args.cpu {
            target = target
                .with_features(features)
                .map_err(|error| Failure::new(Exit::Usage, error))?;
        }
        config.target(target);
    }
    Ok(Engine::new(&config)?)
}

/// Refuses two compilers for one artifact.
pub(crate) fn refuse_tiered(backend: Option<Backend>) -> Outcome<()> {
    match backend {
        Some(Backend::Tiered) => Err(Failure::usage(
            "an artifact contains the code of one compiler: choose cranelift, llvm or singlepass",
        )),
        _ => Ok(()),
    }
}

/// Returns the engine with a progress bar, and with cancellation by an interrupt.
fn watched(engine: &Engine, interrupt: &Interrupt) -> (Engine, Arc<Bar>) {
    let bar = Arc::new(Bar::new());
    let (shown, interrupted) = (bar.clone(), interrupt.flag());
    let engine = engine.watched(move |progress| {
        shown.show(progress);
        match interrupted() {
            false => ControlFlow::Continue(()),
            true => ControlFlow::Break(()),
        }
    });
    (engine, bar)
}

/// Returns the component's metadata, in JSON; `None` for a component that does not follow the contract. The component
/// is loaded like any artifact, trusted by a key that is created for this alone.
fn metadata(compiled: &Unfinished<'_>) -> Outcome<Option<Vec<u8>>> {
    let key = SecretKey::generate().map_err(|error| Failure::new(Exit::Host, error))?;
    let mut options = ArtifactOptions::default();
    options.key = Some(&key);
    let artifact = compiled.finish(&options)?;
    let component = Artifact::open(&artifact)?.load(&Trust::new([key.public()]))?;
    let runtime = ComponentRuntime::new(RuntimeConfig::builder().build().map_err(RuntimeError::from)?)?;
    match Life::of(&runtime, &component) {
        Life::Answers(answers) => Ok(Some(answers.described().to_string().into_bytes())),
        Life::No(why) => {
            log::info!("the artifact does not describe its component: {why}");
            Ok(None)
        }
        Life::Stopped(failure) => {
            log::warn!("the artifact does not describe its component: {failure}");
            Ok(None)
        }
    }
}

/// Checks that a file can be written where it is to be.
pub(crate) fn expect_folder(file: &Path) -> Outcome<()> {
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let name = file.display();
    if file.is_dir() {
        let message = format!("`{name}` cannot be written: it is a folder");
        return Err(Failure::new(Exit::Host, anyhow::Error::msg(message)));
    }
    match std::fs::metadata(folder) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => {
            let message = format!(
                "`{name}` cannot be written: `{}` is not a folder",
                folder.display()
            );
            Err(Failure::new(Exit::Host, anyhow::Error::msg(message)))
        }
        Err(error) => Err(Failure::new(Exit::Host, error).context(format!(
            "`{name}` cannot be written: the folder `{}` cannot be used",
            folder.display()
        ))),
    }
}

/// Prints the facts about an artifact that was written to `output`.
pub(crate) fn tell(output: &Path, json: bool, file: &[u8]) -> Outcome {
    let artifact = Artifact::open(file)?;
    let (header, signer) = (artifact.header(), artifact.signer());
    if json {
        print_json(&json!({
            "output": output.to_string_lossy(),
            "bytes": file.len(),
            "backend": header.backend,
            "target": header.target,
            "cpu": header.cpu,
            "signer": signer.map(|signer| signer.to_string()),
        }))?;
    } else {
        let signed = match signer {
            Some(signer) => format!("signed by {signer}"),
            None => "not signed".to_owned(),
        };
        print(&format!(
            "{}: {} for {}, {signed}",
            text::line(&output.to_string_lossy()),
            header.backend,
            header.target,
        ))?;
    }
    Ok(Exit::Done)
}
