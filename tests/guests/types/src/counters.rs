use crate::Types;
use crate::bindings::exports::fixtures::types::counters as world;
use std::cell::Cell;

thread_local! {
    static DROPS: Cell<u32> = const { Cell::new(0) };
}

pub struct Counter(Cell<u32>);

impl Counter {
    fn own(start: u32) -> world::Counter {
        world::Counter::new(Counter(Cell::new(start)))
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        DROPS.set(DROPS.get() + 1);
    }
}

impl world::GuestCounter for Counter {
    fn new(start: u32) -> Self {
        Counter(Cell::new(start))
    }

    fn increment(&self) -> u32 {
        self.0.set(self.0.get().wrapping_add(1));
        self.0.get()
    }

    fn value(&self) -> u32 {
        self.0.get()
    }

    fn merge(a: world::Counter, b: world::Counter) -> world::Counter {
        Counter::own(
            a.get::<Counter>()
                .0
                .get()
                .wrapping_add(b.get::<Counter>().0.get()),
        )
    }
}

impl world::Guest for Types {
    type Counter = Counter;

    fn peek(counter: world::CounterBorrow<'_>) -> u32 {
        counter.get::<Counter>().0.get()
    }

    fn finish(counter: world::Counter) -> u32 {
        counter.get::<Counter>().0.get()
    }

    fn pass(counter: world::Counter) -> world::Counter {
        counter
    }

    fn make(count: u32) -> Vec<world::Counter> {
        (0..count).map(Counter::own).collect()
    }

    fn total(counters: Vec<world::CounterBorrow<'_>>) -> u64 {
        counters
            .iter()
            .map(|counter| u64::from(counter.get::<Counter>().0.get()))
            .sum()
    }

    fn perhaps(start: u32) -> Option<world::Counter> {
        (start != 0).then(|| Counter::own(start))
    }

    fn drops() -> u32 {
        DROPS.get()
    }
}
