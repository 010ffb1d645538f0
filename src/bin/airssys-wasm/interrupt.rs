//! Ctrl-C while a component is compiled.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use crate::exit::{Exit, Failure, Outcome};

const WORKING: u8 = 0;
const INTERRUPTED: u8 = 1;
const WRITING: u8 = 2;

/// Time that a compiler has to come to an end of the functions that it is working on.
const GRACE: Duration = Duration::from_secs(2);

/// The state of this process's work, for its handler of Ctrl-C.
#[derive(Debug)]
pub(crate) struct Interrupt(Arc<AtomicU8>);

impl Interrupt {
    /// Ctrl-C stops the work from now on, and not the process.
    ///
    /// A compiler that is not done with a function for long is not waited for: until [`Interrupt::writing`], the
    /// process has nothing on disk that it would leave behind, and can just as well end.
    pub(crate) fn watch() -> Outcome<Interrupt> {
        let state = Arc::new(AtomicU8::new(WORKING));
        let seen = state.clone();
        ctrlc::set_handler(move || {
            let was = seen.compare_exchange(WORKING, INTERRUPTED, Ordering::SeqCst, Ordering::SeqCst);
            // What is being written is written in a moment, and then the process ends anyway.
            if was != Err(WRITING) {
                std::thread::sleep(GRACE);
                std::process::exit(Exit::Interrupted.code().into());
            }
        })
        .map_err(unwatched)?;
        Ok(Interrupt(state))
    }

    /// Whether there was one, to ask from any thread.
    pub(crate) fn flag(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let state = self.0.clone();
        move || state.load(Ordering::SeqCst) == INTERRUPTED
    }

    /// From now on the work is carried to its end.
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

/// The error of a handler that cannot be set: what the system says, which the handler's library keeps to itself, and the remedy.
pub(crate) fn unwatched(error: ctrlc::Error) -> Failure {
    const WHAT: &str = "Ctrl-C cannot be watched for";
    let what = match &error {
        // The handler waits on a thread.
        ctrlc::Error::System(cause) => format!(
            "{WHAT}: {cause}; allow the process more threads (`ulimit -u`, the `pids.max` of its cgroup)"
        ),
        _ => WHAT.to_owned(),
    };
    Failure::new(Exit::Host, error).context(what)
}
