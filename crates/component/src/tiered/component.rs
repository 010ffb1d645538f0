//! A component that is compiled in two stages.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::queue::{self, Job};
use crate::artifact::{ComponentCache, Digested};
use crate::component::Component;
use crate::engine::Engine;
use crate::error::{Error, Result};

/// A component that can be instantiated at once, while optimized code for it is compiled in the background. Cheap to clone.
///
/// Background compilations of a process run one after the other, in the order of their requests: each uses all processors.
/// Dropping the last clone cancels the compilation, which ends once the functions being compiled are done; the drop does
/// not wait for that.
#[derive(Clone)]
pub struct TieredComponent {
    handle: Arc<Handle>,
}

/// Cancels the compilation on drop.
struct Handle {
    shared: Arc<Shared>,
    /// The background compilation, until it is queued.
    job: Mutex<Option<Job>>,
}

/// State shared with the background compilation.
pub(super) struct Shared {
    stages: Mutex<Stages>,
    over: Condvar,
    stopped: AtomicBool,
}

struct Stages {
    current: Component,
    background: Background,
}

enum Background {
    Coming,
    Optimized,
    Failed(Arc<Error>),
}

impl TieredComponent {
    /// Compiles with the first of the engine's [starts](Engine::starts) that accepts the component, and lets the engine
    /// itself compile it in the background. If the engine has no starts, or all of them refuse the component, the engine
    /// compiles it before this function returns.
    ///
    /// # Errors
    /// As [`Component::from_binary`].
    pub fn new(engine: &Engine, bytes: &[u8]) -> Result<TieredComponent> {
        TieredComponent::started(engine, bytes, None)
    }

    /// As [`TieredComponent::new`], with a cache for all code: optimized code that is cached is used at once.
    ///
    /// # Errors
    /// As [`Component::from_binary`].
    pub fn with_cache(engine: &Engine, bytes: &[u8], cache: &ComponentCache) -> Result<TieredComponent> {
        TieredComponent::started(engine, bytes, Some(cache))
    }

    fn started(engine: &Engine, bytes: &[u8], cache: Option<&ComponentCache>) -> Result<TieredComponent> {
        let tiered = TieredComponent::prepare(engine, &Digested::new(bytes), cache)?;
        tiered.start();
        Ok(tiered)
    }

    /// As [`TieredComponent::new`], without the compilation in the background: [`TieredComponent::start`] begins it. A process
    /// that ends soon never does.
    #[doc(hidden)]
    pub fn prepare(
        engine: &Engine,
        bytes: &Digested<'_>,
        cache: Option<&ComponentCache>,
    ) -> Result<TieredComponent> {
        let (current, background) = match first(engine, bytes, cache)? {
            First::Optimized(component) => (component, Background::Optimized),
            First::Quick(component) => (component, Background::Coming),
        };
        let job = matches!(background, Background::Coming);
        let shared = Arc::new(Shared {
            stages: Mutex::new(Stages { current, background }),
            over: Condvar::new(),
            stopped: AtomicBool::new(false),
        });
        let job = job.then(|| Job::new(shared.clone(), engine, bytes.to_owned(), cache.cloned()));
        Ok(TieredComponent {
            handle: Arc::new(Handle {
                shared,
                job: Mutex::new(job),
            }),
        })
    }

    /// Queues the compilation of the optimized code, if it is not there and not queued yet.
    #[doc(hidden)]
    pub fn start(&self) {
        let job = self
            .handle
            .job
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(job) = job {
            queue::submit(job);
        }
    }

    /// Returns the best code available now, for new instances.
    pub fn current(&self) -> Component {
        self.stages().current.clone()
    }

    /// Reports whether [`TieredComponent::current`] returns the engine's own code.
    pub fn is_optimized(&self) -> bool {
        matches!(self.stages().background, Background::Optimized)
    }

    /// Returns the error of the background compilation, if it failed. The component stays on the code that it started with.
    pub fn failure(&self) -> Option<Arc<Error>> {
        match &self.stages().background {
            Background::Failed(error) => Some(error.clone()),
            Background::Coming | Background::Optimized => None,
        }
    }

    /// Waits until the background compilation has ended, well or not, for at most `timeout`. Returns whether the
    /// component is optimized then.
    pub fn wait(&self, timeout: Duration) -> bool {
        let coming = |stages: &mut Stages| matches!(stages.background, Background::Coming);
        let over = &self.handle.shared.over;
        let (stages, _) = over
            .wait_timeout_while(self.stages(), timeout, coming)
            .unwrap_or_else(PoisonError::into_inner);
        matches!(stages.background, Background::Optimized)
    }

    /// Returns a reference that keeps neither the component nor its compilation alive.
    #[doc(hidden)]
    pub fn downgrade(&self) -> WeakTiered {
        WeakTiered(Arc::downgrade(&self.handle))
    }

    fn stages(&self) -> MutexGuard<'_, Stages> {
        self.handle.shared.stages()
    }
}

/// A weak reference to a [`TieredComponent`].
#[derive(Clone)]
pub struct WeakTiered(std::sync::Weak<Handle>);

impl WeakTiered {
    pub fn is_alive(&self) -> bool {
        self.0.strong_count() > 0
    }

    pub fn upgrade(&self) -> Option<TieredComponent> {
        self.0.upgrade().map(|handle| TieredComponent { handle })
    }
}

impl Shared {
    fn stages(&self) -> MutexGuard<'_, Stages> {
        // The data is consistent at any time.
        self.stages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Records the result of the background compilation, and wakes those that wait for it.
    pub(super) fn end(&self, compiled: Result<Component>) {
        let mut stages = self.stages();
        match compiled {
            Ok(component) => {
                log::debug!("optimized a component with {}", component.backend());
                stages.current = component;
                stages.background = Background::Optimized;
            }
            Err(error) => {
                if !self.is_stopped() {
                    let backend = stages.current.backend();
                    log::warn!("cannot optimize a component, which stays with {backend}: {error}");
                }
                stages.background = Background::Failed(Arc::new(error));
            }
        }
        drop(stages);
        self.over.notify_all();
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        queue::forget(&self.shared);
    }
}

/// The code that a component starts with.
enum First {
    /// The engine's own code: it was cached, or no start accepts the component.
    Optimized(Component),
    Quick(Component),
}

fn first(engine: &Engine, bytes: &Digested<'_>, cache: Option<&ComponentCache>) -> Result<First> {
    let runs_here = engine.target().runs_here();
    let cache = cache.filter(|_| runs_here);
    let tiered = !engine.starts().is_empty();
    if let Some(component) = cache
        .filter(|_| tiered)
        .and_then(|cache| cache.ready(engine, bytes))
    {
        return Ok(First::Optimized(component));
    }
    for start in engine.starts() {
        match compile(start, bytes, cache) {
            // Another compiler may accept it.
            Err(error @ (Error::Compile { .. } | Error::BackendFeature(_))) => {
                log::info!("cannot start a component with the first compiler: {error}")
            }
            compiled => return compiled.map(First::Quick),
        }
    }
    compile(engine, bytes, cache).map(First::Optimized)
}

pub(super) fn compile(
    engine: &Engine,
    bytes: &Digested<'_>,
    cache: Option<&ComponentCache>,
) -> Result<Component> {
    match cache {
        Some(cache) => cache.get_digested(engine, bytes),
        None => Component::from_binary(engine, bytes.bytes()),
    }
}

impl fmt::Debug for TieredComponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stages = self.stages();
        let background = match &stages.background {
            Background::Coming => "coming",
            Background::Optimized => "optimized",
            Background::Failed(_) => "failed",
        };
        f.debug_struct("TieredComponent")
            .field("current", &stages.current)
            .field("background", &background)
            .finish()
    }
}

impl fmt::Debug for WeakTiered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WeakTiered")
    }
}
