//! Instances that are used again: an instance that is gone becomes what it was when it was new, and the next one who asks
//! gets it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::instance::Instance;
use super::linker::InstancePre;
use super::store::{AsContextMut, Store, StoreContextMut};
use crate::engine::{Engine, Kept, Restart, StoreLimits};
use crate::error::Result;

/// Instances of one component, each in a store of its own.
///
/// What is given back begins again: its memory is what it was when the instance was new, so are its globals and its table of
/// resources, and the host's data is dropped. Nothing of one use can be seen by the next. So it is cheap to take an instance
/// for each request.
///
/// An instance is dropped instead if it was poisoned by a trap; if somebody still holds something of it, a
/// [`Func`](super::Func) or a clone of the [`Instance`] or a resource of the guest's; if its store gave out an
/// [`InterruptHandle`](crate::engine::InterruptHandle); or if its component keeps state where it cannot be put back: its code
/// changes tables, drops segments, or runs while it is instantiated. For such a component the pool makes a new instance each time.
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
    kept: Kept,
    idle: Mutex<Vec<Idle<T>>>,
}

impl<T: Send + 'static> Shared<T> {
    fn idle(&self) -> MutexGuard<'_, Vec<Idle<T>>> {
        // A panic while it was held left at worst an instance out of the list.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An instance, ready to begin.
struct Idle<T: Send + 'static> {
    store: Store<T>,
    instance: Instance,
    again: Again,
}

/// What it takes to begin again.
struct Again {
    restart: Restart,
    /// How many hold the instance if nobody outside its store does.
    holders: usize,
}

impl<T: Send + 'static> InstancePool<T> {
    /// A pool of instances in stores under `limits`, of which it keeps `most` while nobody uses them. Each of these takes
    /// address space for its memories, and the memory that the engine itself needs for an instance.
    pub fn new(engine: &Engine, pre: InstancePre<T>, limits: StoreLimits, most: usize) -> InstancePool<T> {
        InstancePool {
            shared: Arc::new(Shared {
                engine: engine.clone(),
                pre,
                limits,
                most,
                kept: Kept::default(),
                idle: Mutex::default(),
            }),
        }
    }

    /// An instance as it is when it is new, with `data` in its store.
    ///
    /// # Errors
    /// Those of [`InstancePre::instantiate`]; [`Error::Instantiate`](crate::Error::Instantiate) also if what a memory begins with
    /// cannot be kept.
    pub fn get(&self, data: T) -> Result<PooledInstance<T>> {
        self.get_watched(data, |_| ()).map(|(instance, ())| instance)
    }

    /// As [`InstancePool::get`]; `watch` sees the store before anything runs in it.
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
        let restart = store.restart(&instance, &self.shared.kept)?;
        let again = restart.map(|restart| Again {
            restart,
            holders: instance.holders(),
        });
        let instance = PooledInstance::new(store, instance, again, &self.shared);
        Ok((instance, watched))
    }

    /// Instances that are kept at this moment.
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

/// An instance out of an [`InstancePool`], in its store. Goes back to the pool when it is dropped.
pub struct PooledInstance<T: Send + 'static> {
    /// `None` only while it is dropped.
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

    /// Has the instance dropped when this is, and not go back to its pool.
    pub fn discard(&mut self) {
        self.again = None;
    }

    /// The store and the instance.
    pub fn parts(&mut self) -> (&mut Store<T>, &Instance) {
        match &mut self.parts {
            Some((store, instance)) => (store, instance),
            None => unreachable!("it is dropped"),
        }
    }
}

impl<T: Send + 'static> AsContextMut for PooledInstance<T> {
    type Data = T;

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
        // The host's data ends here, whether or not the instance goes on.
        drop(store.take());
        if !store.is_at_rest() || instance.holders() != again.holders || !instance.restart() {
            return;
        }
        if self.home.idle().len() >= self.home.most || store.begin_again(&again.restart).is_err() {
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
