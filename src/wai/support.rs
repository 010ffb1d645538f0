//! The items that the generated glue uses from its runtime crate. The glue finds them by that crate's name, an alias of
//! this crate (`lib.rs`). Two of them differ from the original: the lifetime of borrowed arguments, and the store type of
//! initializers.
#![allow(
    unsafe_code,
    reason = "the glue borrows a guest's memory for longer than the store permits"
)]

pub(crate) use wai_glue::{AllBytesValid, Endian, anyhow, once_cell, rt};

/// The wasmer API, except for one trait.
pub(crate) mod wasmer {
    pub(crate) use wai_glue::wasmer::*;

    /// Replaces the trait of this name: with wasmer's asynchronous functions, which WASIX enables, that one is not
    /// object-safe, and the glue needs trait objects.
    pub(crate) trait AsStoreRef {
        fn as_store_ref(&self) -> StoreRef<'_>;
    }

    impl AsStoreRef for Store {
        fn as_store_ref(&self) -> StoreRef<'_> {
            wai_glue::wasmer::AsStoreRef::as_store_ref(self)
        }
    }
}

/// Replaces the type of this name.
pub(crate) struct BorrowChecker;

impl BorrowChecker {
    /// Returns the checker that lends out a host function's arguments. The glue takes the function's environment out of the
    /// store while it holds the checker, which the compiler refuses since wasmer ties memory views to the store.
    #[expect(clippy::new_ret_no_self, reason = "the glue calls it with this signature")]
    pub(crate) fn new<'a>(memory: &mut [u8]) -> wai_glue::BorrowChecker<'a> {
        // SAFETY: arguments are moved into the host function, which has no access to the store: until it returns, no guest
        // runs, and no memory grows or is freed. Later code borrows the memory again, and the guest is not shared between
        // threads.
        wai_glue::BorrowChecker::new(unsafe {
            std::slice::from_raw_parts_mut(memory.as_mut_ptr(), memory.len())
        })
    }
}
