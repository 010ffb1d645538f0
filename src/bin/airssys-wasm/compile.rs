//! `compile`: a component ahead of time, to an artifact.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use airssys_wasm::artifact::{self, Artifact, SecretKey};
use airssys_wasm::engine::{Backend, Config, Engine, Target};
use serde_json::json;

use crate::args::CompileArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::interrupt::Interrupt;
use crate::progress::Bar;
use crate::{files, keys, load, output, text};

pub(crate) fn run(args: &CompileArgs) -> Outcome {
    let engine = engine(args)?;
    let key = args.sign.as_deref().map(keys::secret).transpose()?;
    // Compiling can take minutes; what is wrong with the output is better known before.
    expect_folder(&args.output)?;
    let component = load::read(&args.component)?;
    if artifact::is_artifact(&component) {
        return Err(Failure::usage(format!(
            "`{}` is an artifact already: compile the component that it was made from",
            args.component.display()
        )));
    }
    let interrupt = Interrupt::watch()?;
    let file =
        compile(&engine, &component, key.as_ref(), &interrupt).map_err(|failure| match failure.exit {
            Exit::Interrupted => failure,
            _ => failure.context(format!("`{}` cannot be compiled", args.component.display())),
        })?;
    interrupt.writing()?;
    files::write(&args.output, &file)?;
    tell(args, &file)
}

fn engine(args: &CompileArgs) -> Outcome<Engine> {
    let mut config = Config::new();
    if args.backend == Some(Backend::Tiered) {
        return Err(Failure::usage(
            "an artifact holds the code of one compiler: choose cranelift, llvm or singlepass",
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

fn compile(
    engine: &Engine,
    component: &[u8],
    key: Option<&SecretKey>,
    interrupt: &Interrupt,
) -> Outcome<Vec<u8>> {
    let bar = Arc::new(Bar::new());
    let (shown, interrupted) = (bar.clone(), interrupt.flag());
    let engine = engine.watched(move |progress| {
        shown.show(progress);
        match interrupted() {
            false => ControlFlow::Continue(()),
            true => ControlFlow::Break(()),
        }
    });
    let file = artifact::compile(&engine, component, key);
    bar.clear();
    Ok(file?)
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
            let message = format!("`{name}` cannot be written: `{}` is no folder", folder.display());
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
