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

    /// Where the names end that come before the first `..` that leaves the folder, if there is one. `None` for a path with too
    /// many of them as well.
    fn names_before_leaving(&self) -> Option<Vec<usize>> {
        /// Names that are looked at. Stops a path of a million from being resolved as often.
        const MOST: usize = 64;
        let (mut names, mut depth, mut at) = (Vec::new(), 0_usize, 0);
        for part in self.text.split(|byte| *byte == b'/') {
            at += part.len();
            match part {
                b"" | b"." => {}
                b".." if depth == 0 => return Some(names),
                b".." => depth -= 1,
                _ if names.len() == MOST => return None,
                _ => {
                    depth += 1;
                    names.push(at);
                }
            }
            at += 1;
        }
        None
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
        let descriptor = self.argument(path.descriptor);
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

/// Rules for all paths of preview 1: they begin at a folder, and do not leave it.
pub(super) struct Inside {
    fdstat: Function,
    open: Function,
    close: Function,
    /// Arguments that are a descriptor and the path's pointer.
    places: &'static [(usize, usize)],
}

impl Inside {
    /// For a function that takes paths, in a module of preview 1. WASIX has absolute paths.
    pub(super) fn of(name: &str, plain: bool, look_up: &impl Fn(&str) -> Option<Function>) -> Option<Inside> {
        let places: &[(usize, usize)] = match name {
            "path_create_directory" | "path_readlink" | "path_remove_directory" | "path_unlink_file" => {
                &[(0, 1)]
            }
            "path_filestat_get" | "path_filestat_set_times" | "path_open" => &[(0, 2)],
            "path_link" => &[(0, 2), (4, 5)],
            "path_rename" => &[(0, 1), (3, 4)],
            "path_symlink" => &[(2, 3)],
            _ => return None,
        };
        plain.then_some(())?;
        Some(Inside {
            fdstat: look_up("fd_fdstat_get")?,
            open: look_up("path_open")?,
            close: look_up("fd_close")?,
            places,
        })
    }

    /// The error of a call that is refused.
    pub(super) fn refuse(&self, call: &mut Call<'_, '_>) -> Result<Option<i32>, RuntimeError> {
        for (descriptor, pointer) in self.places {
            let kind = call.kind(&self.fdstat, call.descriptor(*descriptor))?;
            if kind.is_some_and(|kind| kind != DIRECTORY) {
                return Ok(Some(errno::NOTDIR));
            }
            let Some(path) = call.path(*descriptor, *pointer) else {
                continue;
            };
            if path.text.starts_with(b"/") || self.leaves(call, &path)? {
                return Ok(Some(errno::PERM));
            }
        }
        Ok(None)
    }

    /// Returns whether a path has more `..` than names before them, all of which are folders. Where a link is among them, cap-std
    /// finds out.
    fn leaves(&self, call: &mut Call<'_, '_>, path: &Path) -> Result<bool, RuntimeError> {
        let Some(names) = path.names_before_leaving() else {
            return Ok(false);
        };
        for end in names {
            if !self.is_folder(call, path, end)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns whether the first `length` bytes of a path are a folder's, and no link's. It is opened, which needs no right that the
    /// call itself does not need.
    fn is_folder(&self, call: &mut Call<'_, '_>, path: &Path, length: usize) -> Result<bool, RuntimeError> {
        const OPEN_DIRECTORY: i32 = 2;
        let descriptor = call.argument(path.descriptor);
        let pointer = call.argument(path.pointer);
        let opened = call.look::<4>(&self.open, |call, place| {
            vec![
                descriptor,
                Value::I32(0),
                pointer,
                call.pointer(path.pointer, length as u64),
                Value::I32(OPEN_DIRECTORY),
                Value::I64(0),
                Value::I64(0),
                Value::I32(0),
                call.pointer(path.pointer, place),
            ]
        })?;
        let Some(opened) = opened else {
            return Ok(false);
        };
        call.ask(&self.close, &[Value::I32(i32::from_le_bytes(opened))])?;
        Ok(true)
    }
}

/// The answer where there is little room is a part, as on Linux; wasmer-wasix refuses, also where there is just enough.
pub(super) fn readlink(call: &mut Call<'_, '_>) -> Answer {
    /// Bytes of the longest link that Linux has, and one that wasmer-wasix wants to have left.
    const LONGEST: usize = 4096;
    /// With the place of the length.
    const ROOM: usize = LONGEST + 8;
    let answer = call.go_on()?;
    let room = call.number(4);
    if answer != errno::OVERFLOW || room > LONGEST as u64 {
        return Ok(answer);
    }
    let function = call.function().clone();
    let found = call.look::<ROOM>(&function, |call, place| {
        let mut args = call.args.to_vec();
        args.truncate(3);
        args.push(call.pointer(3, place));
        args.push(call.pointer(4, LONGEST as u64));
        args.push(call.pointer(5, place + LONGEST as u64));
        args
    })?;
    let Some(found) = found else {
        return Ok(answer);
    };
    let (text, length) = found.split_at(LONGEST);
    let is_wide = matches!(call.args.get(5), Some(Value::I64(_)));
    let mut number = [0; 8];
    number[..4].copy_from_slice(&length[..4]);
    let used = u64::from_le_bytes(number).min(room);
    let part = text.get(..usize::try_from(used).unwrap_or(0)).unwrap_or_default();
    let used = used.to_le_bytes();
    let used = if is_wide { &used[..] } else { &used[..4] };
    match call
        .write(call.number(3), part)
        .and(call.write(call.number(5), used))
    {
        Some(()) => Ok(errno::SUCCESS),
        None => Ok(errno::FAULT),
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

/// wasmer-wasix links folders, and takes a slash behind the new name for nothing.
pub(super) fn link(call: &mut Call<'_, '_>, filestat: &Function) -> Answer {
    let (Some(from), Some(to)) = (call.path(0, 2), call.path(4, 5)) else {
        return call.go_on();
    };
    let Some(source) = call.kind_at(filestat, &from, from.text.len(), false)? else {
        return call.go_on();
    };
    if call.kind_at(filestat, &to, to.trimmed().len(), false)?.is_some() {
        return Ok(errno::EXIST);
    }
    if to.ends_in_slash() && !call.is_below_a_file(filestat, &to)? {
        return Ok(errno::NOENT);
    }
    match source {
        DIRECTORY => Ok(errno::PERM),
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
        return Ok(
            match call.kind_at(filestat, &path, path.trimmed().len(), false)? {
                Some(_) => errno::EXIST,
                None => errno::NOENT,
            },
        );
    }
    call.go_on()
}
