//! A wasmer store that can move between threads.
#![allow(
    unsafe_code,
    reason = "wasmer's store consists of raw pointers and is not `Send` by itself"
)]

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::engine::interrupt::{GuestCode, InterruptHandle};
use crate::engine::memory::account::Account;
use crate::engine::run::tunables::NextModule;
use crate::error::LimitExceeded;

/// A wasmer store, for one thread at a time.
#[derive(Debug)]
pub struct SendStore {
    store: wasmer::Store,
    interrupter: InterruptHandle,
    account: Arc<Account>,
    next: NextModule,
}

// SAFETY: a store owns what its pointers refer to (instances, memories, tables, globals, functions), and nothing of it
// is bound to a thread: wasmer sets up signal stacks and trap handlers anew at each entry into a guest, and keeps
// nothing of a thread in the store between two entries. What others put in is `Send` by the bounds of wasmer's own
// functions: host functions and their environments (the glue of `wai` says so itself of environments with an `Rc`, of which
// each is the only one once the instance is made). The one place where wasmer takes values without that bound,
// the `on_called` handler, is never set here, and no external references are made: this module
// is the only one that makes stores, and `StoreContextMut` does not give them out. `on_called` is why
// the type has not been `Send` by itself since wasmer 7.0 (https://github.com/wasmerio/wasmer/issues/7001).
unsafe impl Send for SendStore {}

impl SendStore {
    /// `account` and `next` are those of the store's tunables.
    pub(in crate::engine) fn new(store: wasmer::Store, account: Arc<Account>, next: NextModule) -> SendStore {
        SendStore {
            store,
            interrupter: InterruptHandle::new(GuestCode::default()),
            account,
            next,
        }
    }

    /// Returns the limit because of which no memory or table was created since the last call. The engine's error has only its
    /// text.
    #[doc(hidden)]
    pub fn take_refusal(&self) -> Option<LimitExceeded> {
        self.next.take_refusal()
    }

    /// Lowers the limit on all memories of the store together; a higher number changes nothing.
    ///
    /// # Errors
    /// [`LimitExceeded`] if more is in use; then nothing is changed.
    #[doc(hidden)]
    pub fn lower_memory_limit(&mut self, bytes: u64) -> Result<(), LimitExceeded> {
        self.account.lower_memory(bytes)
    }

    /// Returns the handle that stops its guest. It has the addresses of the code that runs in the store, and each call from outside
    /// must [enter](InterruptHandle::enter) it.
    #[doc(hidden)]
    pub fn interrupter(&self) -> &InterruptHandle {
        &self.interrupter
    }
}

impl Deref for SendStore {
    type Target = wasmer::Store;

    fn deref(&self) -> &wasmer::Store {
        &self.store
    }
}

impl DerefMut for SendStore {
    fn deref_mut(&mut self) -> &mut wasmer::Store {
        &mut self.store
    }
}
