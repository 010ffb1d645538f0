//! A wasmer store that can move between threads.
#![allow(
    unsafe_code,
    reason = "wasmer's store is made of raw pointers, and it does not say itself that they may move"
)]

use std::ops::{Deref, DerefMut};

/// A wasmer store, for one thread at a time.
#[derive(Debug)]
pub struct SendStore(wasmer::Store);

// SAFETY: a store owns what its pointers lead to (instances, memories, tables, globals, functions), and nothing of it is
// bound to a thread: wasmer sets up signal stacks and trap handlers anew at each entry into a guest, and keeps nothing of a
// thread in the store between two entries. Host functions and their environments are `Send` by the bounds of wasmer's own
// functions (the glue of `wai` asserts it for environments with an `Rc`, each of which is the only one once the instance is
// created). The two places where wasmer accepts values without that bound, the trap handler and the `on_called` handler,
// are never set here, and no external references are created: this module alone creates stores, and `StoreContextMut` does
// not expose them. One of those places, `on_called`, is why the type has not been `Send` by itself since wasmer 7.0
// (https://github.com/wasmerio/wasmer/issues/7001).
unsafe impl Send for SendStore {}

impl SendStore {
    pub(in crate::engine) fn new(store: wasmer::Store) -> SendStore {
        SendStore(store)
    }
}

impl Deref for SendStore {
    type Target = wasmer::Store;

    fn deref(&self) -> &wasmer::Store {
        &self.0
    }
}

impl DerefMut for SendStore {
    fn deref_mut(&mut self) -> &mut wasmer::Store {
        &mut self.0
    }
}
