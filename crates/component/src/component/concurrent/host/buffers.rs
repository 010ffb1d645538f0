//! Buffers of items that producers fill and consumers empty.

use std::collections::VecDeque;

/// Items that a producer has made and no reader has got yet.
pub trait WriteBuffer<T>: Send + 'static {
    /// Returns the items, the next one first.
    fn remaining(&self) -> &[T];

    /// Removes the next `count` items, which were copied.
    fn skip(&mut self, count: usize);

    /// Moves the next `count` items, or all if there are fewer, to the end of `items`.
    fn take(&mut self, count: usize, items: &mut Vec<T>);
}

impl<T: Send + 'static> WriteBuffer<T> for Vec<T> {
    fn remaining(&self) -> &[T] {
        self
    }

    fn skip(&mut self, count: usize) {
        self.drain(..count.min(self.len()));
    }

    fn take(&mut self, count: usize, items: &mut Vec<T>) {
        items.extend(self.drain(..count.min(self.len())));
    }
}

impl<T: Send + 'static> WriteBuffer<T> for Option<T> {
    fn remaining(&self) -> &[T] {
        self.as_slice()
    }

    fn skip(&mut self, count: usize) {
        if count > 0 {
            *self = None;
        }
    }

    fn take(&mut self, count: usize, items: &mut Vec<T>) {
        if count > 0 {
            items.extend(Option::take(self));
        }
    }
}

/// A list of items, of which the first ones are removed at no cost for the others.
#[derive(Clone, Debug, Default)]
pub struct VecBuffer<T>(VecDeque<T>);

impl<T> From<Vec<T>> for VecBuffer<T> {
    fn from(items: Vec<T>) -> VecBuffer<T> {
        // Without copying: what is contiguous stays so, since items are only removed.
        VecBuffer(items.into())
    }
}

impl<T: Send + 'static> WriteBuffer<T> for VecBuffer<T> {
    fn remaining(&self) -> &[T] {
        self.0.as_slices().0
    }

    fn skip(&mut self, count: usize) {
        self.0.drain(..count.min(self.0.len()));
    }

    fn take(&mut self, count: usize, items: &mut Vec<T>) {
        items.extend(self.0.drain(..count.min(self.0.len())));
    }
}

/// Room for items that a consumer takes.
pub trait ReadBuffer<T>: Send {
    /// Returns the number of items that there is room for.
    fn remaining_capacity(&self) -> usize;

    /// Adds items, no more than there is room for.
    fn fill(&mut self, items: Vec<T>);
}

/// Its free capacity; none is added.
impl<T: Send> ReadBuffer<T> for Vec<T> {
    fn remaining_capacity(&self) -> usize {
        self.capacity() - self.len()
    }

    fn fill(&mut self, mut items: Vec<T>) {
        self.append(&mut items);
    }
}

/// Room for one item, while it is `None`.
impl<T: Send> ReadBuffer<T> for Option<T> {
    fn remaining_capacity(&self) -> usize {
        usize::from(self.is_none())
    }

    fn fill(&mut self, items: Vec<T>) {
        if let Some(item) = items.into_iter().next() {
            *self = Some(item);
        }
    }
}
