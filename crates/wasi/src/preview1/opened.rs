//! Descriptors that wasmer-wasix does not close: those of granted folders, and standard streams, which it answers for by their
//! numbers. Here, what was closed is closed.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use wasmer_wasix::VIRTUAL_ROOT_FD;
use wasmer_wasix::wasmer::{Function, RuntimeError, Value};

use super::checks::{Answer, Call, REGULAR_FILE, errno};

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

    /// Returns whether the folder of this descriptor is granted.
    pub(super) fn is_granted(&self, descriptor: u32) -> bool {
        let numbers = self.numbers();
        numbers
            .granted
            .as_ref()
            .is_none_or(|granted| granted.contains(&descriptor))
    }

    /// Returns whether the module has closed this descriptor.
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

    /// Moves the state of `from` to `to`.
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

/// Positions of the arguments of a function that are descriptors.
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

/// Returns whether wasmer-wasix still has a descriptor that it said it has closed.
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
    // A path that cannot be looked up is left to wasmer-wasix.
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

/// Functions of wasmer-wasix that opening calls besides.
pub(super) struct Rights {
    pub(super) fdstat: Function,
    pub(super) set: Function,
}

/// A number that is given again is open; and a file's descriptor has the rights that were asked for, wherever it is moved.
///
/// wasmer-wasix adds rights to write to a file that it makes or empties, and a descriptor that it copies has the inheriting
/// rights for its own. So files get their own as inheriting ones as well, which mean nothing else for them.
pub(super) fn open(call: &mut Call<'_, '_>, rights: &Rights) -> Answer {
    let Some(asked) = call
        .stat(&rights.fdstat, call.descriptor(0))?
        .map(|_| call.number(5))
    else {
        let opened = call.go_on()?;
        note(call, opened);
        return Ok(opened);
    };
    let inheriting = call.number(6);
    let mut args = call.args.to_vec();
    if let Some(argument) = args.get_mut(6) {
        *argument = Value::I64((inheriting | asked | WRITES | READS).cast_signed());
    }
    let function = call.function().clone();
    let opened = call.ask(&function, &args)?;
    let Some(descriptor) = note(call, opened) else {
        return Ok(opened);
    };
    let Some(stat) = call.stat(&rights.fdstat, descriptor)? else {
        return Ok(opened);
    };
    let own = match asked & FD_WRITE {
        0 => stat.rights & (asked | !WRITES),
        _ => stat.rights,
    };
    let inheriting = match stat.kind {
        REGULAR_FILE => own,
        _ => inheriting,
    };
    let set = [
        Value::I32(descriptor.cast_signed()),
        Value::I64(own.cast_signed()),
        Value::I64((inheriting & stat.inheriting).cast_signed()),
    ];
    call.ask(&rights.set, &set)?;
    Ok(opened)
}

/// `fd_write`.
const FD_WRITE: u64 = 1 << 6;

/// Rights that wasmer-wasix adds to those of a file that it makes: `fd_datasync`, `fd_fdstat_set_flags`, `fd_sync`, `fd_write`,
/// `fd_allocate`, `fd_filestat_set_size`, `fd_filestat_set_times`.
const WRITES: u64 = 1 | 1 << 3 | 1 << 4 | FD_WRITE | 1 << 8 | 1 << 22 | 1 << 23;

/// Those that it adds to every file's: `fd_seek`, `fd_tell`, `fd_advise`, `fd_filestat_get`.
const READS: u64 = 1 << 2 | 1 << 5 | 1 << 7 | 1 << 21;

/// The number of what was opened, which is open from then on.
fn note(call: &Call<'_, '_>, opened: i32) -> Option<u32> {
    let mut number = [0; 4];
    if opened != errno::SUCCESS || call.read(call.number(8), &mut number).is_none() {
        return None;
    }
    let descriptor = u32::from_le_bytes(number);
    call.border.opened.open(descriptor);
    Some(descriptor)
}
