//! Descriptors that wasmer-wasix does not close: those of granted folders, and standard streams, which it answers for by their
//! numbers. Here, what was closed is closed.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use wasmer_wasix::VIRTUAL_ROOT_FD;
use wasmer_wasix::wasmer::{Function, RuntimeError};

use super::checks::{Answer, Call, errno};

/// Descriptors of a module whose meaning is decided here.
#[derive(Debug, Default)]
pub(super) struct Opened(Mutex<Numbers>);

#[derive(Debug, Default)]
struct Numbers {
    /// Those of folders that the module is granted. `None` before wasmer-wasix has made them.
    granted: Option<BTreeSet<u32>>,
    /// Those that the module has closed, and wasmer-wasix has open. No more than that has.
    closed: BTreeSet<u32>,
}

impl Opened {
    fn numbers(&self) -> MutexGuard<'_, Numbers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says which folders are granted.
    pub(super) fn grant(&self, descriptors: BTreeSet<u32>) {
        self.numbers().granted = Some(descriptors);
    }

    /// Says that none is: the descriptor that wasmer-wasix has for what would hold them is not open.
    pub(super) fn grant_nothing(&self) {
        let mut numbers = self.numbers();
        numbers.granted = Some(BTreeSet::new());
        numbers.closed.insert(VIRTUAL_ROOT_FD);
    }

    /// Whether the folder of this descriptor is granted.
    pub(super) fn is_granted(&self, descriptor: u32) -> bool {
        let numbers = self.numbers();
        numbers
            .granted
            .as_ref()
            .is_none_or(|granted| granted.contains(&descriptor))
    }

    /// Whether the module has closed this descriptor.
    pub(super) fn is_closed(&self, descriptor: u32) -> bool {
        self.numbers().closed.contains(&descriptor)
    }

    /// A descriptor is closed; `remains` if wasmer-wasix has it still.
    fn close(&self, descriptor: u32, remains: bool) {
        let mut numbers = self.numbers();
        if remains {
            numbers.closed.insert(descriptor);
        }
        if let Some(granted) = &mut numbers.granted {
            granted.remove(&descriptor);
        }
    }

    /// What `from` stood for is at `to`.
    fn renumber(&self, from: u32, to: u32) {
        if let Some(granted) = &mut self.numbers().granted {
            match granted.contains(&from) {
                true => granted.insert(to),
                false => granted.remove(&to),
            };
        }
    }

    /// A number is given to what was opened.
    fn open(&self, descriptor: u32) {
        self.numbers().closed.remove(&descriptor);
    }
}

/// Which arguments of a function are descriptors.
pub(super) fn descriptors(name: &str) -> &'static [usize] {
    match name {
        "fd_renumber" => &[0, 1],
        "path_link" => &[0, 4],
        "path_rename" => &[0, 3],
        "path_symlink" => &[2],
        _ if ["fd_", "path_", "sock_"]
            .iter()
            .any(|kind| name.starts_with(kind)) =>
        {
            &[0]
        }
        _ => &[],
    }
}

pub(super) fn close(call: &mut Call<'_, '_>, fdstat: &Function) -> Answer {
    let descriptor = call.descriptor(0);
    let closed = call.go_on()?;
    if closed == errno::SUCCESS {
        let remains = remains(call, fdstat, descriptor)?;
        call.border.opened.close(descriptor, remains);
    }
    Ok(closed)
}

/// Whether wasmer-wasix still has a descriptor that it said it has closed.
fn remains(call: &mut Call<'_, '_>, fdstat: &Function, descriptor: u32) -> Result<bool, RuntimeError> {
    const LAST_STREAM: u32 = 2;
    match call.can_look() {
        true => Ok(call.kind(fdstat, descriptor)?.is_some()),
        false => Ok(descriptor <= LAST_STREAM || call.border.opened.is_granted(descriptor)),
    }
}

/// wasmer-wasix copies the descriptor, also to a number that is not open.
pub(super) fn renumber(call: &mut Call<'_, '_>, close: &Function, fdstat: &Function) -> Answer {
    let (from, to) = (call.descriptor(0), call.descriptor(1));
    // Where it cannot be looked, it is left to wasmer-wasix.
    if call.can_look() && call.kind(fdstat, to)?.is_none() {
        return Ok(errno::BADF);
    }
    let moved = call.go_on()?;
    if moved == errno::SUCCESS && from != to {
        call.border.opened.renumber(from, to);
        let argument = call.args.first().cloned();
        call.ask(close, argument.as_slice())?;
        let remains = remains(call, fdstat, from)?;
        call.border.opened.close(from, remains);
    }
    Ok(moved)
}

/// A number that is given again is open.
pub(super) fn open(call: &mut Call<'_, '_>) -> Answer {
    let opened = call.go_on()?;
    let mut number = [0; 4];
    if opened == errno::SUCCESS && call.read(call.number(8), &mut number).is_some() {
        call.border.opened.open(u32::from_le_bytes(number));
    }
    Ok(opened)
}
