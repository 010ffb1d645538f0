//! Handling of Ctrl-C while a component is compiled, or initialized for a snapshot.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use crate::exit::{Exit, Failure, Outcome};

const WORKING: u8 = 0;
const INTERRUPTED: u8 = 1;
const WRITING: u8 = 2;

/// Time for a compiler to finish the functions that it is working on.
const GRACE: Duration = Duration::from_secs(2);

/// The state of this process's work, for its handler of Ctrl-C.
#[derive(Debug)]
pub(crate) struct Interrupt(Arc<AtomicU8>);

impl Interrupt {
    /// Installs the handler: Ctrl-C cancels the work.
    ///
    /// The process exits after a grace period, even if a compiler is still busy: until [`Interrupt::writing`], nothing
    /// on disk would be left behind.
    pub(crate) fn watch() -> Outcome<Interrupt> {
        let state = Arc::new(AtomicU8::new(WORKING));
        let seen = state.clone();
        ctrlc::set_handler(move || {
            let was = seen.compare_exchange(WORKING, INTERRUPTED, Ordering::SeqCst, Ordering::SeqCst);
            // A write in progress ends in a moment, and then the process ends anyway.
            if was != Err(WRITING) {
                std::thread::sleep(GRACE);
                std::process::exit(Exit::Interrupted.code().into());
            }
        })
        .map_err(unwatched)?;
        Ok(Interrupt(state))
    }

    /// Returns a predicate for any thread: true once Ctrl-C was pressed.
    pub(crate) fn flag(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let state = self.0.clone();
        move || state.load(Ordering::SeqCst) == INTERRUPTED
    }

    /// Marks that the output is being written, which Ctrl-C no longer cancels.
    pub(crate) fn writing(&self) -> Outcome<()> {
        let was = self
            .0
            .compare_exchange(WORKING, WRITING, Ordering::SeqCst, Ordering::SeqCst);
        match was {
            Ok(_) => Ok(()),
            Err(_) => Err(airssys_wasm::Error::Stopped.into()),
        }
    }
}

/// The error of a handler that cannot be installed: the system's error, which the library omits, and the remedy.
pub(crate) fn unwatched(error: ctrlc::Error) -> Failure {
    const WHAT: &str = "cannot handle Ctrl-C";
    let what = match &error {
        // The handler waits on a thread.
        ctrlc::Error::System(cause) => format!(
            "{WHAT}: {cause}; raise the process's thread limit (`ulimit -u`, the `pids.max` of its cgroup)"
        ),
        _ => WHAT.to_owned(),
    };
    Failure::new(Exit::Host, error).context(what)
}
