//! The queues of threads that may be ready, and of those that wait for the end of another's exclusivity.

use std::collections::VecDeque;

use slotmap::SlotMap;

use super::state::{Body, Place, Tasks, Thread, ThreadKey, Wait};

/// Removes threads that have ended from a queue, once they may be the most.
fn forget_ended(queue: &mut VecDeque<ThreadKey>, threads: &SlotMap<ThreadKey, Thread>) {
    if queue.len() > 2 * threads.len() + 64 {
        queue.retain(|key| threads.contains_key(*key));
    }
}

/// Removes a thread from a queue, mostly its first.
pub(super) fn remove_from(queue: &mut VecDeque<ThreadKey>, key: ThreadKey) {
    match queue.front() {
        Some(first) if *first == key => drop(queue.pop_front()),
        _ => queue.retain(|other| *other != key),
    }
}

impl Tasks {
    /// Queues a thread that may be ready now.
    pub(super) fn may_be_ready(&mut self, key: ThreadKey) {
        if let Some(thread) = self.threads.get_mut(key)
            && !thread.queued
        {
            thread.queued = true;
            self.ready.push_back(key);
            forget_ended(&mut self.ready, &self.threads);
        }
    }

    /// Queues a thread that waits for nothing but the end of another's exclusivity.
    fn exclude(&mut self, place: Place, key: ThreadKey) {
        if let Some(thread) = self.threads.get_mut(key)
            && !thread.excluded
        {
            thread.excluded = true;
            let excluded = &mut self.instances.entry(place).or_default().excluded;
            excluded.push_back(key);
            forget_ended(excluded, &self.threads);
        }
    }

    /// Takes the first thread that waits for the end of another's exclusivity.
    fn next_excluded(&mut self, place: Place) -> Option<ThreadKey> {
        let state = self.instances.get_mut(&place)?;
        if state.exclusive.is_some() {
            return None;
        }
        while let Some(key) = state.excluded.pop_front() {
            if let Some(thread) = self.threads.get_mut(key) {
                thread.excluded = false;
                if matches!(
                    thread.wait,
                    Some(Wait::CallbackYield(_) | Wait::CallbackEvent(..))
                ) {
                    return Some(key);
                }
            }
        }
        None
    }

    /// Queues the threads that an instance's state let wait.
    pub(super) fn instance_changed(&mut self, place: Place) {
        let Some(state) = self.instances.get(&place) else {
            return;
        };
        let [shared, exclusively] = &state.entering;
        let entering = [shared.front().copied(), exclusively.front().copied()];
        let excluded = self.next_excluded(place);
        for key in entering.into_iter().chain([excluded]).flatten() {
            self.may_be_ready(key);
        }
    }

    /// Ends a thread's exclusivity.
    pub(super) fn release(&mut self, place: Place, key: ThreadKey) {
        let state = self.instance(place);
        if state.exclusive == Some(key) {
            state.exclusive = None;
            self.instance_changed(place);
        }
    }

    /// Takes the next thread that is ready. During a call by a host function, those of instances that run are left for later.
    pub(super) fn next_ready(&mut self) -> Option<ThreadKey> {
        if self.current.is_none() {
            return self.next_of_all();
        }
        let running: Vec<ThreadKey> = self
            .threads
            .iter()
            .filter(|(_, thread)| matches!(thread.body, Body::Running))
            .map(|(key, _)| key)
            .collect();
        let instances: Vec<u64> = running
            .into_iter()
            .filter_map(|key| self.instance_of(key))
            .collect();
        let mut later = Vec::new();
        let mut found = None;
        while let Some(key) = self.next_of_all() {
            match self.instance_of(key) {
                Some(instance) if instances.contains(&instance) => later.push(key),
                _ => {
                    found = Some(key);
                    break;
                }
            }
        }
        for key in later {
            self.may_be_ready(key);
        }
        found
    }

    pub(super) fn instance_of(&self, key: ThreadKey) -> Option<u64> {
        let task = self.threads.get(key)?.task;
        Some(self.tasks.get(task)?.instance.id)
    }

    fn next_of_all(&mut self) -> Option<ThreadKey> {
        while let Some(key) = self.next_queued() {
            let Some(thread) = self.threads.get_mut(key) else {
                continue;
            };
            thread.queued = false;
            let Some(wait) = thread.wait else { continue };
            if self.is_over(wait) {
                return Some(key);
            }
            if let Wait::CallbackYield(place) | Wait::CallbackEvent(place, _) = wait {
                let over = match wait {
                    Wait::CallbackEvent(_, set) => self.set_has_event(set),
                    _ => true,
                };
                if over {
                    self.exclude(place, key);
                } else {
                    // Another may have waited behind it.
                    self.instance_changed(place);
                }
            }
        }
        None
    }

    /// Takes the next thread of one component instance that is ready and may run during a synchronous call of it.
    pub(super) fn next_in(&mut self, place: Place) -> Option<ThreadKey> {
        let at = self.find_in(place)?;
        let key = self.ready.remove(at)?;
        self.threads.get_mut(key)?.queued = false;
        Some(key)
    }

    /// Returns whether there is a thread for [`Tasks::next_in`].
    pub(super) fn has_next_in(&mut self, place: Place) -> bool {
        self.find_in(place).is_some()
    }

    /// Finds that thread in the queue. It is none that keeps others from running between its waits.
    fn find_in(&mut self, place: Place) -> Option<usize> {
        self.queue_starved();
        (0..self.ready.len()).find(|at| {
            let thread = self
                .ready
                .get(*at)
                .and_then(|key| Some((*key, self.threads.get(*key)?)));
            let Some((key, thread)) = thread else {
                return false;
            };
            let (Some(task), Some(wait)) = (self.tasks.get(thread.task), thread.wait) else {
                return false;
            };
            let may_run = task.place() == place
                && !matches!(thread.body, Body::Running)
                && !(task.thread == key && task.is_async && task.lift.needs_exclusive());
            may_run && self.is_over(wait)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::concurrent::state::TaskKey;
    use crate::engine::Stacks;
    use crate::engine::interrupt::{GuestCode, InterruptHandle};

    fn tasks() -> Tasks {
        Tasks::new(
            Stacks::new(&InterruptHandle::new(GuestCode::default())),
            Default::default(),
        )
    }

    fn thread(tasks: &mut Tasks) -> ThreadKey {
        tasks.threads.insert(Thread::new(TaskKey::default(), Body::New))
    }

    #[test]
    fn queues_forget_threads_that_have_ended() {
        let mut tasks = tasks();
        for _ in 0..10_000 {
            let key = thread(&mut tasks);
            tasks.begin_wait(key, Wait::Yield, false).unwrap();
            tasks.threads.remove(key);
        }
        assert!(tasks.ready.len() < 100, "{}", tasks.ready.len());
    }

    #[test]
    fn an_excluded_thread_is_queued_once_and_released_once() {
        let mut tasks = tasks();
        let place = (1, 0);
        let (holder, ended, waits) = (thread(&mut tasks), thread(&mut tasks), thread(&mut tasks));
        tasks.instance(place).exclusive = Some(holder);
        for key in [ended, waits] {
            tasks.begin_wait(key, Wait::CallbackYield(place), true).unwrap();
        }
        for _ in 0..3 {
            for key in [ended, waits] {
                tasks.exclude(place, key);
            }
        }
        assert_eq!(tasks.instance(place).excluded, [ended, waits]);
        tasks.threads.remove(ended);
        tasks.release(place, holder);
        // The first one has ended, so that the next one has its turn.
        assert_eq!(tasks.next_of_all(), Some(waits));
        assert!(tasks.instance(place).excluded.is_empty());
    }
}
