//! `compile`: compiles a component to an artifact, ahead of time.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use airssys_wasm::artifact::{Artifact, ArtifactOptions, SecretKey, Trust, Unfinished};
use airssys_wasm::engine::{Backend, Config, Engine, Target};
use airssys_wasm::runtime::RuntimeError;
use airssys_wasm::{ComponentRuntime, RuntimeConfig};
use serde_json::json;

use crate::args::CompileArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::inspect::Life;
use crate::interrupt::Interrupt;
use crate::progress::Bar;
use crate::{files, keys, load, manifest, output, text};

pub(crate) fn run(args: &CompileArgs) -> Outcome {
    let engine = engine(args)?;
    let key = args.sign.as_deref().map(keys::secret).transpose()?;
    // Compiling can take minutes; errors of the output are reported before.
    expect_folder(&args.output)?;
    let source = load::unlike_artifact(
        &args.component,
        "is already an artifact: compile the component that it was built from",
    )?;
    let component = source.bytes().unwrap_or_default();
    let manifest = manifest::for_artifact(args.manifest.as_deref(), &args.component, &source)?;
    let interrupt = Interrupt::watch()?;
    let (watched, bar) = watched(&engine, &interrupt);
    let compiled = Unfinished::compile(&watched, component);
    bar.clear();
    let compiled = compiled
        .map_err(Failure::from)
        .map_err(|failure| match failure.exit {
            Exit::Interrupted => failure,
            _ => failure.context(format!("`{}` cannot be compiled", args.component.display())),
        })?;
    let metadata = match engine.target().runs_here() {
        true => metadata(&compiled)?,
        false => None,
    };
    let mut options = ArtifactOptions::default();
    options.key = key.as_ref();
    options.metadata = metadata.as_deref();
    options.manifest = manifest.as_deref().map(str::as_bytes);
    let file = compiled.finish(&options)?;
    interrupt.writing()?;
    files::write(&args.output, &file)?;
    tell(args, &file)
}

fn engine(args: &CompileArgs) -> Outcome<Engine> {
    let mut config = Config::new();
    if args.backend == Some(Backend::Tiered) {
        return Err(Failure::usage(
            "an artifact contains the code of one compiler: choose cranelift, llvm or singlepass",
        ));
    }
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

fn expect_folder(file: &Path) -> Outcome<()> {
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

fn tell(args: &CompileArgs, file: &[u8]) -> Outcome {
    let artifact = Artifact::open(file)?;
    let (header, signer) = (artifact.header(), artifact.signer());
    if args.json {
        output::print_json(&json!({
            "output": args.output.to_string_lossy(),
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
        output::print(&format!(
            "{}: {} for {}, {signed}",
            text::line(&args.output.to_string_lossy()),
            header.backend,
            header.target,
        ))?;
    }
    Ok(Exit::Done)
}
