//! Programs: components that export `wasi:cli/run` 0.3.

use std::future::poll_fn;
use std::pin::pin;
use std::time::{Duration, Instant};

use airssys_wasm_component::component::{
    AsAccessor, AsContextMut, Component, ExternType, Instance, Linker, Store, TypedFunc,
};
use airssys_wasm_component::error::{Error, Result, TrapKind};
use airssys_wasm_component::internal::timer;

use super::link::{exported, is_supported};
use crate::executor::{self, Timer};
use crate::io::interrupted;
use crate::{Exit, WasiView};

/// The interface that a program exports.
const RUN: &str = "wasi:cli/run";

/// Returns whether a component is a program of WASI 0.3, which [`run_command`] can run. Of its release candidates this applies to
/// 0.3.0-rc-2026-03-15 alone.
pub fn is_command(component: &Component) -> bool {
    let is_run = |(name, ty): &(String, ExternType)| {
        let exported = name.split_once('@');
        exported.is_some_and(|(name, version)| name == RUN && is_supported(version))
            && matches!(ty, ExternType::Instance(_))
    };
    component.exports().iter().any(is_run)
}

/// Runs a program to its end, in a store of its own, until `deadline` at the latest: until its task has returned, all its tasks have
/// ended or wait for each other, and streams between the host's own ends have ended, or have moved nothing for a second. Returns its
/// exit status: the status that it chose, 0 if it returned success, 1 if it returned failure.
///
/// # Errors
/// [`Error::MissingExport`] if it is not a program; any error of its instantiation; [`Error::Trap`] and [`Error::Host`]
/// if it ended otherwise; [`TrapKind::Poisoned`] if one of its tasks trapped after it had returned, with the reason in the log.
pub fn run_command<T: WasiView>(
    store: &mut Store<T>,
    component: &Component,
    linker: &Linker<T>,
    deadline: Option<Instant>,
) -> Result<Exit> {
    let ctx = store.data_mut().ctx().ctx;
    ctx.set_deadline(deadline);
    ctx.cli.exited = None;
    let armed = deadline.and_then(|deadline| timer::arm(deadline, store.lasting_interrupter()));
    let ended = linker
        .instantiate(&mut *store, component)
        .and_then(|instance| run(store, &instance));
    drop(armed);
    ended.or_else(|error| Exit::of(&error).ok_or(error))
}

fn run<T: WasiView>(store: &mut Store<T>, instance: &Instance) -> Result<Exit> {
    let command = Command::new(&mut *store, instance)?;
    let (returned,) = command.run.run.call(&mut *store, ())?;
    finish(store)?;
    if let Some(exit) = store.data_mut().ctx().ctx.cli.exited {
        return Ok(exit);
    }
    if instance.is_poisoned() {
        // The log has the reason.
        return Err(TrapKind::Poisoned.into());
    }
    Ok(Exit {
        code: u8::from(returned.is_err()),
    })
}

/// Time that streams between the host's own ends may move nothing once the program's tasks have ended. Stops a stream whose input never ends,
/// such as a terminal, from keeping a program that has returned.
const STILL: Duration = Duration::from_secs(1);

/// Time between two looks at the tasks that are left: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(10));

/// Runs the tasks that are left after the program has returned: it may have more to write.
fn finish<T: WasiView>(store: &mut Store<T>) -> Result<()> {
    let (mut pause, longest) = PAUSES;
    let (end, mut progress) = {
        let ctx = store.data_mut().ctx().ctx;
        (ctx.end_of_wait(), ctx.progress)
    };
    let mut moved = Instant::now();
    loop {
        let counts = store.concurrency_counts();
        let now = Instant::now();
        let before = std::mem::replace(&mut progress, store.data_mut().ctx().ctx.progress);
        if counts.tasks > 0 || progress != before {
            moved = now;
        }
        // Without any of the host, none of the guest is woken again.
        if counts.activities == 0 {
            return Ok(());
        }
        // Others than these wait for a guest.
        if counts.tasks == 0 && (store.pipes() == 0 || now.saturating_duration_since(moved) >= STILL) {
            return Ok(());
        }
        if now >= end {
            return Err(interrupted());
        }
        let mut timer = Timer::at(now.checked_add(pause).map_or(end, |next| next.min(end)));
        let mut run = pin!(store.run_concurrent(async |_| poll_fn(|cx| timer.poll(cx)).await));
        // The timer ends it, which may be late.
        let late = end.checked_add(longest).unwrap_or(end);
        let ran = executor::wait(late, |cx| run.as_mut().poll(cx));
        match ran {
            Ok(Some(ran)) => ran?,
            Ok(None) => return Err(interrupted()),
            Err(error) => {
                return Err(Error::Host {
                    name: "the tasks of a program that has returned".into(),
                    source: error.into(),
                });
            }
        }
        pause = (pause * 2).min(longest);
    }
}

/// An instance of a program: the world `wasi:cli/command`. [`run_command`] also turns the program's exit into a status, and runs the tasks
/// that are left when it has returned.
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
        let run = exported(store, instance, RUN, "run")?;
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
    /// Runs the program until it returns. `Err(())` in the result is the program's failure.
    ///
    /// # Errors
    /// [`Error::Host`] with an [`Exit`] in it if the program called `exit`, with whichever status; [`Error::Trap`].
    pub async fn call_run(&self, accessor: impl AsAccessor) -> Result<Result<(), ()>> {
        let (returned,) = self.run.call_concurrent(accessor, ()).await?;
        Ok(returned)
    }
}
