//! `run` of a program: a component that exports `wasi:cli/run`.

use std::path::Path;
use std::time::{Duration, Instant};

use airssys_wasm::component::{Component, Linker, Store};
use airssys_wasm::engine::Engine;
use airssys_wasm::wasi::{self, FsPerms, WasiCtxBuilder, WasiState};

use crate::args::{DirArg, RunArgs, WasiArgs};
use crate::exit::{Exit, Failure, Outcome};

/// Returns whether a component is a program, of WASI 0.2 or 0.3.
pub(crate) fn is_program(component: &Component) -> bool {
    wasi::is_command(component) || wasi::p3::is_command(component)
}

/// Runs a program with the command line's arguments and grants.
pub(crate) fn run(
    args: &RunArgs,
    engine: &Engine,
    component: &Component,
    mut grants: WasiCtxBuilder,
) -> Outcome {
    refuse_operations(args)?;
    environment(&mut grants, &args.wasi);
    grants.arg(name(&args.component)).args(&args.args);
    let mut linker = Linker::new(engine);
    wasi::add_imports_to_linker(&mut linker, component)?;
    let mut store = Store::new(engine, WasiState::from(grants.build()));
    let deadline = args
        .timeout
        .and_then(|timeout| Instant::now().checked_add(Duration::from_millis(timeout)));
    let exit = match wasi::is_command(component) {
        true => wasi::run_command(&mut store, component, &linker, deadline)?,
        false => wasi::p3::run_command(&mut store, component, &linker, deadline)?,
    };
    Ok(Exit::Status(exit.code))
}

/// Refuses options of operations, which a program does not have.
pub(crate) fn refuse_operations(args: &RunArgs) -> Outcome<()> {
    let given = [
        ("--operation", args.operation.is_some()),
        ("--input", args.input.is_some()),
        ("--output", args.output.is_some()),
        ("--config", !args.config.is_empty()),
        ("--json", args.json),
    ];
    match given.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((flag, _)) => Err(Failure::usage(format!(
            "{flag} does not apply to the program `{}`: pass its arguments after `--`",
            args.component.display()
        ))),
    }
}

/// Returns the grants of the command line.
pub(crate) fn grants(args: &WasiArgs, component: &Path) -> Outcome<WasiCtxBuilder> {
    let mut builder = grants_without_environment(args, component)?;
    environment(&mut builder, args);
    Ok(builder)
}

fn environment(builder: &mut WasiCtxBuilder, args: &WasiArgs) {
    for (name, value) in &args.env {
        builder.env(name, value);
    }
}

/// Returns the grants of the command line, for a component that gets the environment by another way.
pub(crate) fn grants_without_environment(args: &WasiArgs, component: &Path) -> Outcome<WasiCtxBuilder> {
    let mut builder = WasiCtxBuilder::new();
    builder.name(name(component));
    for grant in &args.net {
        builder.connect(grant.clone());
    }
    for dir in &args.dir {
        grant_folder(&mut builder, dir)?;
    }
    if args.inherit_stdio {
        builder.inherit_stdio();
    }
    Ok(builder)
}

fn grant_folder(builder: &mut WasiCtxBuilder, dir: &DirArg) -> Outcome<()> {
    let access = match dir.read_only {
        true => FsPerms::ReadOnly,
        false => FsPerms::ReadWrite,
    };
    match builder.preopened_dir(&dir.host, dir.guest.as_str(), access) {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::new(Exit::Usage, error).context(format!(
            "cannot grant access to the folder `{}`",
            dir.host.display()
        ))),
    }
}

/// Returns the file's name, which is a program's first argument.
pub(crate) fn name(component: &Path) -> String {
    let name = component.file_name().unwrap_or(component.as_os_str());
    name.to_string_lossy().into_owned()
}
