//! What the generated glue takes from the crate that it was made with. It finds it by that crate's name, which is an alias of
//! this crate's (`lib.rs`), so that two things can be other than there: how long arguments are borrowed, and what a store is to
//! an initialiser.
#![allow(
    unsafe_code,
    reason = "the glue borrows a guest's memory for longer than its store lets it"
)]

pub(crate) use wai_glue::{AllBytesValid, Endian, anyhow, once_cell, rt};

/// The engine, but for one trait.
pub(crate) mod wasmer {
    pub(crate) use wai_glue::wasmer::*;

    /// In the place of the trait of this name: with wasmer's asynchronous functions, which WASIX brings along, there are no
    /// objects of that, and the glue wants some.
    pub(crate) trait AsStoreRef {
        fn as_store_ref(&self) -> StoreRef<'_>;
    }

    impl AsStoreRef for Store {
        fn as_store_ref(&self) -> StoreRef<'_> {
            wai_glue::wasmer::AsStoreRef::as_store_ref(self)
        }
    }
}

/// In the place of the type of this name.
pub(crate) struct BorrowChecker;

impl BorrowChecker {
    /// What hands out the arguments of a host function. The glue takes the function's environment out of the store while
    /// it holds this, which the compiler refuses since wasmer ties views of a memory to the store.
    #[expect(clippy::new_ret_no_self, reason = "the glue calls it so")]
    pub(crate) fn new<'a>(memory: &mut [u8]) -> wai_glue::BorrowChecker<'a> {
        // SAFETY: arguments are moved into the host function, which has no way to the store: until it returns, no guest runs,
        // and no memory grows or is freed. What follows takes the memory anew, and the guest is not shared between threads.
        wai_glue::BorrowChecker::new(unsafe {
            std::slice::from_raw_parts_mut(memory.as_mut_ptr(), memory.len())
        })
    }
}
