//! `wasi:io/poll`.

use std::fmt;
use std::task::{Context, Poll, Waker};

use super::{Waits, beyond, misuse};
use crate::bindings::wasi::io::poll;
use crate::{WasiCtx, executor};
use airssys_wasm_component::component::{HostResult, Resource, ResourceTable, ResourceTableError};

/// The resource `pollable`. It waits for a value that it owns, or for another resource, and is then a child of that.
pub(crate) enum Pollable {
    /// Waits for a value that only the pollable has.
    Own(Box<dyn Waits>),
    /// Waits for another resource.
    Of {
        /// The resource's key in the table.
        rep: u32,
        /// Polls the resource by its own type.
        poll: fn(&mut ResourceTable, u32, &mut Context<'_>) -> Result<Poll<()>, ResourceTableError>,
    },
}

impl fmt::Debug for Pollable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pollable::Own(_) => f.write_str("Pollable::Own"),
            Pollable::Of { rep, .. } => f
                .debug_struct("Pollable::Of")
                .field("rep", rep)
                .finish_non_exhaustive(),
        }
    }
}

/// Creates a pollable for a resource.
///
/// # Errors
/// [`ResourceTableError`] if the resource does not exist, or the table is full.
pub(crate) fn subscribe<X: Waits>(
    table: &mut ResourceTable,
    parent: &Resource<X>,
) -> Result<Resource<Pollable>, ResourceTableError> {
    table.get(parent)?;
    let pollable = Pollable::Of {
        rep: parent.rep(),
        poll: |table, rep, cx| Ok(table.get_mut(&Resource::<X>::new_borrow(rep))?.poll_ready(cx)),
    };
    table.push_child(pollable, parent)
}

/// Creates a pollable for a value that belongs to no other resource.
///
/// # Errors
/// [`ResourceTableError::Full`].
pub(crate) fn subscribe_own(
    table: &mut ResourceTable,
    waits: impl Waits,
) -> Result<Resource<Pollable>, ResourceTableError> {
    table.push(Pollable::Own(Box::new(waits)))
}

/// Returns whether the pollable is ready; if not, `cx` is woken later.
fn poll_one(table: &mut ResourceTable, rep: u32, cx: &mut Context<'_>) -> Result<bool, ResourceTableError> {
    let (parent, poll) = match table.get_mut(&Resource::<Pollable>::new_borrow(rep))? {
        Pollable::Own(waits) => return Ok(waits.poll_ready(cx).is_ready()),
        Pollable::Of { rep, poll } => (*rep, *poll),
    };
    Ok(poll(table, parent, cx)?.is_ready())
}

impl poll::HostPollable for WasiCtx {
    fn ready(&mut self, pollable: Resource<Pollable>) -> HostResult<bool> {
        let _context = executor::enter()?;
        let mut cx = Context::from_waker(Waker::noop());
        Ok(poll_one(&mut self.table, pollable.rep(), &mut cx)?)
    }

    fn block(&mut self, pollable: Resource<Pollable>) -> HostResult<()> {
        let patience = self.patience();
        let table = &mut self.table;
        patience.wait(|cx| match poll_one(table, pollable.rep(), cx) {
            Ok(true) => Poll::Ready(Ok(())),
            Ok(false) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error.into())),
        })?
    }

    fn drop(&mut self, pollable: Resource<Pollable>) -> HostResult<()> {
        self.table.delete(pollable)?;
        Ok(())
    }
}

impl poll::Host for WasiCtx {
    fn poll(&mut self, pollables: Vec<Resource<Pollable>>) -> HostResult<Vec<u32>> {
        if pollables.is_empty() {
            return Err(misuse("`poll` was called with an empty list").into());
        }
        if pollables.len() > self.limits.poll_list {
            let (len, most) = (pollables.len(), self.limits.poll_list);
            return Err(beyond(format!(
                "`poll` was called with {len} pollables, more than the limit of {most}"
            ))
            .into());
        }
        let patience = self.patience();
        let table = &mut self.table;
        patience.wait(|cx| {
            let mut ready = Vec::new();
            for (place, pollable) in (0..).zip(&pollables) {
                match poll_one(table, pollable.rep(), cx) {
                    Ok(true) => ready.push(place),
                    Ok(false) => {}
                    Err(error) => return Poll::Ready(Err(error.into())),
                }
            }
            match ready.is_empty() {
                true => Poll::Pending,
                false => Poll::Ready(Ok(ready)),
            }
        })?
    }
}
