//! Checks of paths that wasmer-wasix handles wrongly, or asserts conditions about, before its functions are called.

use wasmer_wasix::wasmer::{Function, RuntimeError, Value};

use super::checks::{Answer, Call, DIRECTORY, errno};

/// Bytes of a path that is checked. Stops a length that would make the host allocate.
const MAX_PATH: usize = 1 << 20;

/// Bytes of a `filestat`.
const FILESTAT: usize = 64;

/// A path argument of a module.
pub(super) struct Path {
    /// Indices of the arguments.
    descriptor: usize,
    pointer: usize,
    text: Vec<u8>,
}

impl Path {
    /// Returns the path without slashes at its end.
    fn trimmed(&self) -> &[u8] {
        let end = self.text.iter().rposition(|byte| *byte != b'/');
        self.text
            .get(..end.map_or(0, |last| last + 1))
            .unwrap_or_default()
    }

    fn ends_in_slash(&self) -> bool {
        self.text.ends_with(b"/")
    }

    /// Returns the last part: empty for the root.
    fn name(&self) -> &[u8] {
        self.trimmed()
            .rsplit(|byte| *byte == b'/')
            .next()
            .unwrap_or_default()
    }

    /// Returns the length of the part before the name, without the slashes in between.
    fn parent(&self) -> usize {
        let before = self.trimmed().len() - self.name().len();
        let parent = self.text.get(..before).unwrap_or_default();
        parent
            .iter()
            .rposition(|byte| *byte != b'/')
            .map_or(0, |last| last + 1)
    }

    /// Returns whether the last part is not the name of an entry.
    fn is_nameless(&self) -> bool {
        matches!(self.name(), b"" | b"." | b"..")
    }
}

impl Call<'_, '_> {
    /// Returns the type of the object at a path. The look-up also makes wasmer-wasix read the folder's entry, without
    /// which it cannot remove it.
    fn kind_at(
        &mut self,
        filestat: &Function,
        path: &Path,
        length: usize,
        follow: bool,
    ) -> Result<Option<u8>, RuntimeError> {
        let descriptor = self.args.get(path.descriptor).cloned().unwrap_or(Value::I32(-1));
        let like = path.pointer;
        let at = self.number(like);
        let found = self.look::<FILESTAT>(filestat, |call, place| {
            vec![
                descriptor,
                Value::I32(i32::from(follow)),
                call.pointer(like, at),
                call.pointer(like, length as u64),
                call.pointer(like, place),
            ]
        })?;
        Ok(found.map(|stat| stat[16]))
    }

    /// Returns whether the path's parent is not a folder.
    fn is_below_a_file(&mut self, filestat: &Function, path: &Path) -> Result<bool, RuntimeError> {
        let kind = match path.parent() {
            0 => None,
            parent => self.kind_at(filestat, path, parent, true)?,
        };
        Ok(kind.is_some_and(|kind| kind != DIRECTORY))
    }

    /// Reads the path whose pointer is the argument at `pointer`, relative to the folder at `descriptor`. `None` if it
    /// is not in the memory, or too long; wasmer-wasix then refuses it.
    fn path(&self, descriptor: usize, pointer: usize) -> Option<Path> {
        let length = usize::try_from(self.number(pointer + 1)).ok()?;
        if length > MAX_PATH {
            return None;
        }
        let mut text = vec![0; length];
        self.read(self.number(pointer), &mut text)?;
        Some(Path {
            descriptor,
            pointer,
            text,
        })
    }
}

pub(super) fn create_directory(call: &mut Call<'_, '_>) -> Answer {
    match call.number(2) {
        0 => Ok(errno::NOENT),
        _ => call.go_on(),
    }
}

pub(super) fn unlink_file(call: &mut Call<'_, '_>) -> Answer {
    match call.path(0, 1) {
        Some(path) if !path.text.is_empty() && path.is_nameless() => Ok(errno::ISDIR),
        _ => call.go_on(),
    }
}

/// Checks a rename. wasmer-wasix renames first, and then asserts that the new name leads to the renamed object, which
/// is false if the last part is not a name. The answers are Linux's.
pub(super) fn rename(call: &mut Call<'_, '_>, filestat: &Function) -> Answer {
    let (Some(from), Some(to)) = (call.path(0, 1), call.path(3, 4)) else {
        return call.go_on();
    };
    if from.text.is_empty() || to.text.is_empty() {
        return Ok(errno::NOENT);
    }
    if from.is_nameless() || to.is_nameless() {
        return Ok(errno::BUSY);
    }
    if call.is_below_a_file(filestat, &to)? {
        return Ok(errno::NOTDIR);
    }
    let source = call.kind_at(filestat, &from, from.trimmed().len(), false)?;
    if source.is_none_or(|kind| kind == DIRECTORY) {
        return call.go_on();
    }
    if from.ends_in_slash() || to.ends_in_slash() {
        return Ok(errno::NOTDIR);
    }
    match call.kind_at(filestat, &to, to.text.len(), false)? {
        Some(DIRECTORY) => Ok(errno::ISDIR),
        _ => call.go_on(),
    }
}

pub(super) fn remove_directory(call: &mut Call<'_, '_>, filestat: &Function) -> Answer {
    let Some(path) = call.path(0, 1) else {
        return call.go_on();
    };
    match path.name() {
        b"." => return Ok(errno::INVAL),
        b".." => return Ok(errno::NOTEMPTY),
        _ => {}
    }
    match call.kind_at(filestat, &path, path.trimmed().len(), false)? {
        Some(kind) if kind != DIRECTORY => Ok(errno::NOTDIR),
        _ => call.go_on(),
    }
}

/// Checks a new link, since wasmer-wasix asserts that its parent is a folder.
pub(super) fn symlink(call: &mut Call<'_, '_>, filestat: &Function) -> Answer {
    let Some(path) = call.path(2, 3) else {
        return call.go_on();
    };
    if path.text.is_empty() {
        return Ok(errno::NOENT);
    }
    if path.is_nameless() {
        return Ok(errno::EXIST);
    }
    if call.is_below_a_file(filestat, &path)? {
        return Ok(errno::NOTDIR);
    }
    if path.ends_in_slash() {
        return Ok(match call.kind_at(filestat, &path, path.trimmed().len(), true)? {
            Some(DIRECTORY) => errno::EXIST,
            Some(_) => errno::NOTDIR,
            None => errno::NOENT,
        });
    }
    call.go_on()
}
