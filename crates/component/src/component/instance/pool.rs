//! Reuse of instances: an instance is reset when it is released, and serves the next request.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::component::instance::Instance;
use crate::component::link::linker::InstancePre;
use crate::component::store::{AsContext, AsContextMut, Store, StoreContext, StoreContextMut};
use crate::engine::{Engine, KeptMemories, Reset, StoreLimits};
use crate::error::Result;

/// Instances of one component, each in a store of its own.
///
/// A released instance is reset: its memory, globals and resource tables are as they were when it was new, and the
/// host's data is dropped. Nothing of one use is visible to the next. So it is cheap to use an instance for each
/// request.
///
/// An instance is dropped instead if a trap poisoned it; if something still refers to it, such as a
/// [`Func`](crate::component::Func), a clone of the [`Instance`] or a resource of the guest; if its store issued an
/// [`InterruptHandle`](crate::engine::InterruptHandle); or if its component keeps state that cannot be reset: its code
/// changes tables, drops segments, or runs while it is instantiated. For such a component the pool creates a new
/// instance each time.
///
/// Cheap to clone; all clones share the instances.
pub struct InstancePool<T: Send + 'static> {
    shared: Arc<Shared<T>>,
}

struct Shared<T: Send + 'static> {
    engine: Engine,
    pre: InstancePre<T>,
    limits: StoreLimits,
    most: usize,
    kept: KeptMemories,
    idle: Mutex<Vec<Idle<T>>>,
}

impl<T: Send + 'static> Shared<T> {
    fn idle(&self) -> MutexGuard<'_, Vec<Idle<T>>> {
        // A panic while it was held at worst lost an instance from the list.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An instance that is ready for use.
struct Idle<T: Send + 'static> {
    store: Store<T>,
    instance: Instance,
    again: Again,
}

/// State needed to reset an instance.
struct Again {
    reset: Reset,
    /// References to the instance while nothing outside its store has one.
    holders: usize,
}

impl<T: Send + 'static> InstancePool<T> {
    /// Creates a pool whose stores have the limits `limits`, and which keeps at most `most` idle instances. Each of
    /// these takes address space for its memories, and the memory that the engine needs for an instance.
    pub fn new(engine: &Engine, pre: InstancePre<T>, limits: StoreLimits, most: usize) -> InstancePool<T> {
        InstancePool {
            shared: Arc::new(Shared {
                engine: engine.clone(),
                pre,
                limits,
                most,
                kept: KeptMemories::default(),
                idle: Mutex::default(),
            }),
        }
    }

    /// Returns an instance in its initial state, with `data` in its store.
    ///
    /// # Errors
    /// Those of [`InstancePre::instantiate`]; [`Error::Instantiate`](crate::Error::Instantiate) also if the initial
    /// content of a memory cannot be kept.
    pub fn get(&self, data: T) -> Result<PooledInstance<T>> {
        self.get_watched(data, |_| ()).map(|(instance, ())| instance)
    }

    /// As [`InstancePool::get`]; `watch` is called with the store before anything runs in it.
    #[doc(hidden)]
    pub fn get_watched<W>(
        &self,
        data: T,
        watch: impl FnOnce(&Store<T>) -> W,
    ) -> Result<(PooledInstance<T>, W)> {
        let idle = self.shared.idle().pop();
        if let Some(Idle {
            mut store,
            instance,
            again,
        }) = idle
        {
            store.put(data);
            let watched = watch(&store);
            let instance = PooledInstance::new(store, instance, Some(again), &self.shared);
            return Ok((instance, watched));
        }
        let mut store = Store::with_limits(&self.shared.engine, data, self.shared.limits.clone());
        let watched = watch(&store);
        store.remember_memories();
        let instance = self.shared.pre.instantiate(&mut store)?;
        let reset = store.record_for_reset(&instance, &self.shared.kept)?;
        let again = reset.map(|reset| Again {
            reset,
            holders: instance.holders(),
        });
        let instance = PooledInstance::new(store, instance, again, &self.shared);
        Ok((instance, watched))
    }

    /// Returns the number of idle instances.
    pub fn idle(&self) -> usize {
        self.shared.idle().len()
    }
}

impl<T: Send + 'static> Clone for InstancePool<T> {
    fn clone(&self) -> InstancePool<T> {
        InstancePool {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<T: Send + 'static> fmt::Debug for InstancePool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstancePool")
            .field("component", self.shared.pre.component())
            .field("most", &self.shared.most)
            .field("idle", &self.idle())
            .finish_non_exhaustive()
    }
}

/// An instance of an [`InstancePool`], in its store. It returns to the pool when it is dropped.
pub struct PooledInstance<T: Send + 'static> {
    /// `None` only during the drop.
    parts: Option<(Store<T>, Instance)>,
    again: Option<Again>,
    home: Arc<Shared<T>>,
}

impl<T: Send + 'static> PooledInstance<T> {
    fn new(store: Store<T>, instance: Instance, again: Option<Again>, home: &Arc<Shared<T>>) -> Self {
        PooledInstance {
            parts: Some((store, instance)),
            again,
            home: Arc::clone(home),
        }
    }

    /// Has the instance dropped instead of returned to its pool.
    pub fn discard(&mut self) {
        self.again = None;
    }

    /// Returns the store and the instance.
    pub fn parts(&mut self) -> (&mut Store<T>, &Instance) {
        match &mut self.parts {
            Some((store, instance)) => (store, instance),
            None => unreachable!("it is dropped"),
        }
    }
}

impl<T: Send + 'static> AsContext for PooledInstance<T> {
    type Data = T;

    fn as_context(&self) -> StoreContext<'_, T> {
        match &self.parts {
            Some((store, _)) => store.as_context(),
            None => unreachable!("it is dropped"),
        }
    }
}

impl<T: Send + 'static> AsContextMut for PooledInstance<T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        self.parts().0.as_context_mut()
    }
}

impl<T: Send + 'static> fmt::Debug for PooledInstance<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PooledInstance").finish_non_exhaustive()
    }
}

impl<T: Send + 'static> Drop for PooledInstance<T> {
    fn drop(&mut self) {
        let (Some((mut store, instance)), Some(again)) = (self.parts.take(), self.again.take()) else {
            return;
        };
        // The host's data is dropped here, whether or not the instance is reused.
        drop(store.take());
        if !store.is_at_rest() || instance.holders() != again.holders || !instance.reset() {
            return;
        }
        if self.home.idle().len() >= self.home.most || store.reset_to(&again.reset).is_err() {
            return;
        }
        let idle = Idle {
            store,
            instance,
            again,
        };
        let mut kept = self.home.idle();
        if kept.len() < self.home.most {
            kept.push(idle);
        }
    }
}
