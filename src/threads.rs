//! Threads that libraries start without a way to fail: asked for before, so that a system that has none gives an error.

use std::io;
use std::sync::Mutex;
#[cfg(feature = "compile")]
use std::sync::PoisonError;
use std::thread::{self, Builder};

/// Threads beside those that are needed. One that has ended counts for the system a moment longer.
const SPARE: usize = 2;

/// What to do about a system that gives no threads, for messages.
pub(crate) const REMEDY: &str = "allow the process more threads (`ulimit -u`, the `pids.max` of its cgroup)";

/// Threads that this machine runs at a time.
pub(crate) fn parallel() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Checks that so many threads can be made, by making them. Compilers and executors panic when they get none.
///
/// # Errors
/// The system's.
pub(crate) fn check(count: usize) -> io::Result<()> {
    let gate = Mutex::new(());
    thread::scope(|scope| {
        // Each waits until the others are there.
        let closed = gate.lock();
        let made: io::Result<Vec<_>> = (0..count.saturating_add(SPARE))
            .map(|_| {
                Builder::new()
                    .name("airssys-wasm-check".into())
                    .spawn_scoped(scope, || drop(gate.lock()))
            })
            .collect();
        drop(closed);
        for thread in made? {
            // It has nothing to panic about.
            let _ = thread.join();
        }
        Ok(())
    })
}

/// The pool that compilers share, by rayon.
#[cfg(feature = "compile")]
#[derive(Clone, Copy)]
enum Pool {
    Unasked,
    There,
    /// It can be made once only.
    Failed,
}

/// Makes the pool that rayon keeps for the process, which our validation and the engine's translation share. Left to
/// itself, rayon panics where there are no threads.
///
/// # Errors
/// The system's. The next call tries again.
#[cfg(feature = "compile")]
pub(crate) fn workers() -> io::Result<()> {
    use std::error::Error;

    static POOL: Mutex<Pool> = Mutex::new(Pool::Unasked);
    let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    match *pool {
        Pool::There => return Ok(()),
        Pool::Failed => return Err(io::Error::other("there were no threads when the first were made")),
        Pool::Unasked => {}
    }
    let asked = std::env::var("RAYON_NUM_THREADS")
        .ok()
        .and_then(|count| count.parse().ok());
    let count = asked.filter(|count| *count > 0).unwrap_or_else(parallel);
    check(count)?;
    let made = rayon::ThreadPoolBuilder::new().num_threads(count).build_global();
    // An error without a source says that the process has a pool already.
    match made.as_ref().err().and_then(Error::source) {
        None => *pool = Pool::There,
        Some(_) => *pool = Pool::Failed,
    }
    drop(pool);
    match made {
        Err(error) if error.source().is_some() => Err(io::Error::other(error)),
        _ => Ok(()),
    }
}

/// Checks that a compiler can be run: it makes threads of its own for each module, beside [`workers`].
///
/// # Errors
/// The system's.
#[cfg(feature = "compile")]
pub(crate) fn check_compiler() -> io::Result<()> {
    workers()?;
    check(parallel())
}
