//! How generated code finds the host's part in a store's data.

use std::fmt;
use std::marker::PhantomData;

/// A host's part in a store's data, as `add_to_linker` of a generated world finds it: a reference
/// ([`HasSelf`]), or a structure of references.
pub trait HasData: 'static {
    /// The part, borrowed.
    type Data<'a>;
}

/// A reference to a `T` in a store's data.
pub struct HasSelf<T: ?Sized>(PhantomData<fn() -> Box<T>>);

impl<T: ?Sized> fmt::Debug for HasSelf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HasSelf")
    }
}

impl<T: ?Sized + 'static> HasData for HasSelf<T> {
    type Data<'a> = &'a mut T;
}
