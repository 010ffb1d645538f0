//! Programs: components that export `wasi:cli/run`.

use std::time::Instant;

use super::{Exit, WasiView};
use airssys_wasm_component::component::{
    AsContextMut, Component, ExternType, Instance, Linker, Store, TypedFunc,
};
use airssys_wasm_component::error::{Error, Result};
use airssys_wasm_component::internal::timer;

/// The interface that a program exports, in every 0.2 version.
const RUN: &str = "wasi:cli/run@0.2.0";
const ANY_RUN: &str = "wasi:cli/run@0.2.";

/// Returns whether a component is a program of WASI 0.2, which [`run_command`] can run.
pub fn is_command(component: &Component) -> bool {
    let is_run = |(name, ty): &(String, ExternType)| {
        name.starts_with(ANY_RUN) && matches!(ty, ExternType::Instance(_))
    };
    component.exports().iter().any(is_run)
}

/// Returns whether a component is a program for a version of WASI that this host does not support. Loading it reports
/// that.
pub fn is_of_another_version(component: &Component) -> bool {
    let mut exports = component.exports().iter();
    let is_run = exports.any(|(name, _)| name.starts_with("wasi:cli/run@"));
    is_run && !is_command(component) && !crate::p3::is_command(component)
}

/// Runs a program to its end, in a store of its own, until `deadline` at the latest. Returns its exit status: the
/// status that it chose, 0 if it returned success, 1 if it returned failure.
///
/// # Errors
/// [`Error::MissingExport`] if it is not a program; any error of its instantiation; [`Error::Trap`] and [`Error::Host`]
/// if it ended otherwise.
pub fn run_command<T: WasiView>(
    store: &mut Store<T>,
    component: &Component,
    linker: &Linker<T>,
    deadline: Option<Instant>,
) -> Result<Exit> {
    store.data_mut().ctx().ctx.set_deadline(deadline);
    let armed = deadline.and_then(|deadline| timer::arm(deadline, store.lasting_interrupter()));
    let ended = linker
        .instantiate(&mut *store, component)
        .and_then(|instance| call(store, &instance));
    drop(armed);
    match ended {
        Ok(returned) => Ok(Exit {
            code: u8::from(returned.is_err()),
        }),
        Err(error) => Exit::of(&error).ok_or(error),
    }
}

fn call<T: WasiView>(store: &mut Store<T>, instance: &Instance) -> Result<Result<(), ()>> {
    Command::new(&mut *store, instance)?
        .wasi_cli_run()
        .call_run(&mut *store)
}

/// An instance of a program: the world `wasi:cli/command`. [`run_command`] also turns the program's exit into a status.
#[derive(Clone, Debug)]
pub struct Command {
    run: CommandRun,
}

/// The exported interface `wasi:cli/run` of a [`Command`].
#[derive(Clone, Debug)]
pub struct CommandRun {
    run: TypedFunc<(), (Result<(), ()>,)>,
}

impl Command {
    /// Instantiates `component`, and finds its exports.
    ///
    /// # Errors
    /// As [`Linker::instantiate`] and [`Command::new`].
    pub fn instantiate<T: Send + 'static>(
        mut store: impl AsContextMut<Data = T>,
        component: &Component,
        linker: &Linker<T>,
    ) -> Result<Command> {
        let instance = linker.instantiate(&mut store, component)?;
        Command::new(store, &instance)
    }

    /// Finds the exports of `instance`.
    ///
    /// # Errors
    /// [`Error::MissingExport`] if it is not a program.
    pub fn new(store: impl AsContextMut, instance: &Instance) -> Result<Command> {
        let run = instance.get_typed_func(store, [RUN, "run"])?;
        Ok(Command {
            run: CommandRun { run },
        })
    }

    /// The interface `wasi:cli/run`.
    pub fn wasi_cli_run(&self) -> &CommandRun {
        &self.run
    }
}

impl CommandRun {
    /// Runs the program to its end. `Err(())` in the result is the program's failure.
    ///
    /// # Errors
    /// [`Error::Host`] with an [`Exit`] in it if the program called `exit`, with whichever status; [`Error::Trap`].
    pub fn call_run(&self, store: impl AsContextMut) -> Result<Result<(), ()>> {
        self.run.call(store, ()).map(|(returned,)| returned)
    }
}

impl Exit {
    /// Returns the exit status that the component chose, if calling `exit` ended the call.
    pub fn of(error: &Error) -> Option<Exit> {
        match error {
            Error::Host { source, .. } => source.downcast_ref().copied(),
            _ => None,
        }
    }
}
