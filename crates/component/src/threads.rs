//! Thread checks for libraries that panic when no thread can be started: an exhausted system causes an error instead.

use std::io;
use std::panic::resume_unwind;
use std::sync::Mutex;
#[cfg(feature = "compile")]
use std::sync::PoisonError;
use std::thread::{self, Builder};

/// Threads that are checked beyond those needed: one that has ended counts for the system a moment longer.
const SPARE: usize = 2;

/// Remedy for a system that is out of threads, for messages.
pub const REMEDY: &str = "raise the process's thread limit (`ulimit -u`, the `pids.max` of its cgroup)";

/// Returns the number of threads that this machine runs in parallel.
pub fn parallel() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Checks that `count` threads can be started, by starting them. Compilers and executors panic when they get none.
///
/// # Errors
/// The operating system's error.
pub fn check(count: usize) -> io::Result<()> {
    let gate = Mutex::new(());
    thread::scope(|scope| {
        // Each thread waits until all have started.
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
            // The thread does nothing that can panic.
            let _ = thread.join();
        }
        Ok(())
    })
}

/// Priority of threads whose work can wait, below that of the process: a third of a processor's time where both compete, and the
/// next turn later.
#[cfg(target_os = "linux")]
const BELOW: i32 = 5;

/// Lowers the priority of this thread, and of those that it starts, below that of the process's first one. There is no way back.
/// Without effect on systems other than Linux, where it would apply to the process.
///
/// Threads that serve others, too, must be there before: see [`aside`].
pub(crate) fn give_way() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{getpid, getpriority_process, setpriority_process};
        let of = |thread| getpriority_process(thread).ok();
        let (Some(first), Some(own)) = (of(Some(getpid())), of(None)) else {
            return;
        };
        if own < first + BELOW {
            // A process that may not change it goes on as it is.
            let _ = setpriority_process(None, first + BELOW);
        }
    }
}

/// Starts the threads that serve all compilers, which otherwise begin with the priority of the first one. Their lack shows when
/// something is compiled.
pub(crate) fn start_shared() {
    #[cfg(feature = "compile")]
    if let Err(error) = workers() {
        log::debug!("the threads of compilers: {error}");
    }
}

/// Runs work that others should not wait for, compiling beside calls for example, on a thread of lower priority (on Linux), and
/// awaits it. On this thread if there is no other.
pub fn aside<R: Send>(name: &str, work: impl Fn() -> R + Sync) -> R {
    start_shared();
    thread::scope(|scope| {
        let spawned = Builder::new().name(name.to_owned()).spawn_scoped(scope, || {
            give_way();
            work()
        });
        match spawned {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => work(),
        }
    })
}

/// State of the rayon pool that compilers share.
#[cfg(feature = "compile")]
#[derive(Clone, Copy)]
enum Pool {
    Unasked,
    There,
    /// Final: rayon builds its pool once only.
    Failed,
}

/// Builds the rayon pool of the process, which our validation and the engine's translation share. Without this call,
/// rayon builds it on first use, and panics where there are no threads.
///
/// # Errors
/// The operating system's error. After a failed check the next call tries again; a failed build is final.
#[cfg(feature = "compile")]
pub fn workers() -> io::Result<()> {
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
    // An error without a source means that the process has a pool already.
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

/// Checks that a compiler can run: it starts threads of its own for each module, beside [`workers`].
///
/// # Errors
/// The operating system's error.
#[cfg(feature = "compile")]
pub fn check_compiler() -> io::Result<()> {
    workers()?;
    check(parallel())
}
