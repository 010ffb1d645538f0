//! Containment of panics in the libraries that this host is built on.
//!
//! A library that asserts its assumptions panics when an input or a guest violates them. Each call into such a library
//! runs under [`contain`], which converts the panic to an error. Panics of an embedder's own code that a library calls
//! pass through, by [`own`].

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

use crate::error::Error;

thread_local! {
    /// Calls of `contain` in progress on this thread.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// Text of the last panic that the hook did not print.
    static HELD_BACK: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// A panic that was contained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked {
    place: String,
    message: String,
}

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} panicked: {}", self.place, self.message)
    }
}

impl std::error::Error for Panicked {}

impl Panicked {
    /// Converts the panic to a trap of the guest whose call caused it.
    pub fn trap(self) -> Error {
        let Panicked { place, message } = self;
        crate::error::TrapKind::Panicked { place, message }.into()
    }
}

impl From<Panicked> for Error {
    fn from(Panicked { place, message }: Panicked) -> Error {
        Error::Panicked { place, message }
    }
}

/// Guard that restores this thread's number of calls of `contain` in progress, whichever way a call ends.
struct Depth(u32);

impl Depth {
    fn set(depth: u32) -> Depth {
        Depth(DEPTH.replace(depth))
    }
}

impl Drop for Depth {
    fn drop(&mut self) {
        DEPTH.set(self.0);
    }
}

/// Returns the number of calls of [`contain`] in progress on this stack, for [`at_depth`].
pub(crate) fn depth() -> u32 {
    DEPTH.get()
}

/// Runs code of another stack of this thread, on which so many calls of [`contain`] are in progress.
pub(crate) fn at_depth<R>(depth: u32, run: impl FnOnce() -> R) -> R {
    let _depth = Depth::set(depth);
    run()
}

/// An embedder's panic that passes through a library.
struct Own(Box<dyn Any + Send>);

/// Runs a call into the library at `place`, and converts a panic to an error.
///
/// State that the call left half done must not be used again: callers poison the instance, or drop what they created.
///
/// # Errors
/// [`Panicked`].
pub fn contain<R>(place: &str, call: impl FnOnce() -> R) -> Result<R, Panicked> {
    let result = {
        let _depth = Depth::set(DEPTH.get().saturating_add(1));
        panic::catch_unwind(AssertUnwindSafe(|| {
            #[cfg(feature = "planted-panics")]
            planted::spring(place);
            call()
        }))
    };
    result.map_err(|payload| {
        let payload = match payload.downcast::<Own>() {
            Ok(own) if DEPTH.get() == 0 => panic::resume_unwind(own.0),
            Ok(own) => panic::resume_unwind(own),
            Err(payload) => payload,
        };
        let message = HELD_BACK.take().unwrap_or_else(|| text(&*payload));
        log::debug!("{place} panicked: {message}");
        Panicked {
            place: place.to_owned(),
            message,
        }
    })
}

/// Runs an embedder's code that a library calls: its panics pass through the library.
pub fn own<R>(call: impl FnOnce() -> R) -> R {
    if DEPTH.get() == 0 {
        return call();
    }
    let result = {
        let _depth = Depth::set(0);
        panic::catch_unwind(AssertUnwindSafe(call))
    };
    result.unwrap_or_else(|payload| panic::resume_unwind(Box::new(Own(payload))))
}

fn text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}

/// Installs a panic hook for the process that does not print contained panics: their text and place in the source are
/// in the error. The previous hook handles other panics.
///
/// For programs; an embedded library leaves the process's hook alone, and the default hook then prints contained panics, too.
pub fn quiet_contained() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| match DEPTH.get() {
            0 => before(info),
            _ => HELD_BACK.set(Some(report(info))),
        }));
    });
}

/// Returns the panic's text with its place in the source, without the folders of the machine that built it.
fn report(info: &PanicHookInfo<'_>) -> String {
    let text = text(info.payload());
    match info.location() {
        Some(at) => format!("{text} ({}:{})", within_crate(at.file()), at.line()),
        None => text,
    }
}

fn within_crate(file: &str) -> &str {
    let package = file.rfind("/src/").map_or(0, |src| {
        file.get(..src)
            .and_then(|before| before.rfind('/'))
            .map_or(0, |at| at + 1)
    });
    file.get(package..).unwrap_or(file)
}

/// Panics that tests put into libraries.
#[cfg(feature = "planted-panics")]
pub mod planted {
    use std::cell::RefCell;
    use std::sync::{Mutex, PoisonError};

    thread_local! {
        static HERE: RefCell<Option<String>> = const { RefCell::new(None) };
    }
    static ANYWHERE: Mutex<Option<String>> = Mutex::new(None);

    /// Plants a panic in the next call into the library at `place`, on this thread.
    pub fn at(place: &str) {
        HERE.set(Some(place.to_owned()));
    }

    /// Plants a panic for the first thread to reach `place`, which no other test reaches.
    pub fn anywhere(place: &str) {
        *ANYWHERE.lock().unwrap_or_else(PoisonError::into_inner) = Some(place.to_owned());
    }

    /// Removes the panic planted on this thread. Returns whether it was still there.
    pub fn is_left() -> bool {
        HERE.take().is_some()
    }

    pub(crate) fn spring(place: &str) {
        let here = HERE.with_borrow_mut(|planted| planted.take_if(|planted| planted == place));
        let mut anywhere = ANYWHERE.lock().unwrap_or_else(PoisonError::into_inner);
        if here
            .or_else(|| anywhere.take_if(|planted| planted == place))
            .is_some()
        {
            drop(anywhere);
            panic!("planted");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contained_panic_is_an_error_with_its_place_and_text() {
        let panicked = contain("the library", || panic!("no {}", 7)).unwrap_err();
        assert_eq!(panicked.to_string(), "the library panicked: no 7");
        let nothing = contain("the library", || panic::panic_any(7)).unwrap_err();
        assert_eq!(nothing.to_string(), "the library panicked: no message");
        assert_eq!(DEPTH.get(), 0);
        assert_eq!(contain("the library", || 7), Ok(7));
    }

    #[test]
    fn an_embedders_panic_passes_through_every_library() {
        let through = panic::catch_unwind(|| {
            let _ = contain("outer", || contain("inner", || own(|| panic!("of the embedder"))));
        });
        assert_eq!(text(&*through.unwrap_err()), "of the embedder");
        assert_eq!(DEPTH.get(), 0);
    }

    #[test]
    fn a_place_in_the_source_begins_with_its_crate() {
        let file = "/home/user/.cargo/registry/src/index/wasmer-wasix-0.704.2/src/syscalls/path.rs";
        assert_eq!(within_crate(file), "wasmer-wasix-0.704.2/src/syscalls/path.rs");
        assert_eq!(within_crate("src/lib.rs"), "src/lib.rs");
        assert_eq!(within_crate("lib.rs"), "lib.rs");
    }
}
