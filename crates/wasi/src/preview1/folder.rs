//! A folder of the host, as a file system that no path leads out of.

use std::future::ready;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use cap_std::fs::{Dir, OpenOptions as DirOptions};
use wasmer_wasix::FsError;
use wasmer_wasix::virtual_fs::{
    DirEntry, FileOpener, FileSystem, FileType, Metadata, OpenOptions, OpenOptionsConfig, ReadDir, Result,
    VirtualFile,
};

use super::file::{OpenFile, OpenSlot, nanoseconds};

/// A granted folder. cap-std resolves every path step by step from the folder itself: neither `..` nor a symbolic link
/// leads out of it, even if another program changes the folder at the same time.
#[derive(Debug)]
pub(super) struct Folder {
    dir: Arc<Dir>,
    writable: bool,
    /// Files that may still be opened, in all folders of a module together.
    files_left: Arc<AtomicUsize>,
    most_entries: usize,
}

impl Folder {
    pub(super) fn new(
        dir: Arc<Dir>,
        writable: bool,
        files_left: Arc<AtomicUsize>,
        most_entries: usize,
    ) -> Folder {
        Folder {
            dir,
            writable,
            files_left,
            most_entries,
        }
    }

    fn change(&self) -> Result<()> {
        match self.writable {
            true => Ok(()),
            false => Err(FsError::PermissionDenied),
        }
    }
}

/// Converts a path of wasmer-wasix, which is absolute with the folder as its root, to one relative to the folder.
fn within(path: &Path) -> PathBuf {
    let parts = path
        .components()
        .filter(|part| !matches!(part, Component::RootDir | Component::Prefix(_)));
    let within: PathBuf = parts.collect();
    match within.as_os_str().is_empty() {
        true => PathBuf::from("."),
        false => within,
    }
}

/// Converts an error to wasmer-wasix's.
fn fs_error(error: io::Error) -> FsError {
    match error.kind() {
        io::ErrorKind::NotADirectory => FsError::BaseNotDirectory,
        io::ErrorKind::IsADirectory => FsError::NotAFile,
        io::ErrorKind::DirectoryNotEmpty => FsError::DirectoryNotEmpty,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            FsError::StorageFull
        }
        io::ErrorKind::ReadOnlyFilesystem => FsError::PermissionDenied,
        io::ErrorKind::InvalidFilename => FsError::InvalidInput,
        _ => error.into(),
    }
}

fn metadata(of: &cap_std::fs::Metadata) -> Metadata {
    let kind = of.file_type();
    let time =
        |time: io::Result<cap_std::time::SystemTime>| nanoseconds(time.ok().map(|time| time.into_std()));
    let (dir, file, symlink) = (kind.is_dir(), kind.is_file(), kind.is_symlink());
    #[cfg(unix)]
    let (char_device, block_device, socket, fifo) = {
        use cap_std::fs::FileTypeExt;
        (
            kind.is_char_device(),
            kind.is_block_device(),
            kind.is_socket(),
            kind.is_fifo(),
        )
    };
    #[cfg(not(unix))]
    let (char_device, block_device, socket, fifo) = (false, false, false, false);
    Metadata {
        ft: FileType {
            dir,
            file,
            symlink,
            char_device,
            block_device,
            socket,
            fifo,
        },
        accessed: time(of.accessed()),
        created: time(of.created()),
        modified: time(of.modified()),
        len: of.len(),
    }
}

impl FileSystem for Folder {
    fn readlink(&self, path: &Path) -> Result<PathBuf> {
        self.dir.read_link(within(path)).map_err(fs_error)
    }

    fn read_dir(&self, path: &Path) -> Result<ReadDir> {
        let mut entries = Vec::new();
        for entry in self.dir.read_dir(within(path)).map_err(fs_error)? {
            if entries.len() == self.most_entries {
                return Err(FsError::StorageFull);
            }
            let entry = entry.map_err(fs_error)?;
            entries.push(DirEntry {
                path: path.join(entry.file_name()),
                metadata: entry.metadata().map(|of| metadata(&of)).map_err(fs_error),
            });
        }
        entries.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(ReadDir::new(entries))
    }

    fn create_dir(&self, path: &Path) -> Result<()> {
        self.change()?;
        self.dir.create_dir(within(path)).map_err(fs_error)
    }

    fn create_symlink(&self, contents: &Path, link: &Path) -> Result<()> {
        self.change()?;
        // cap-std refuses absolute contents, which the host would resolve differently.
        #[cfg(unix)]
        return self.dir.symlink(contents, within(link)).map_err(fs_error);
        #[cfg(not(unix))]
        return self.dir.symlink_file(contents, within(link)).map_err(fs_error);
    }

    fn hard_link(&self, old: &Path, new: &Path) -> Result<()> {
        self.change()?;
        self.dir
            .hard_link(within(old), &self.dir, within(new))
            .map_err(fs_error)
    }

    fn remove_dir(&self, path: &Path) -> Result<()> {
        self.change()?;
        self.dir.remove_dir(within(path)).map_err(fs_error)
    }

    fn rename<'a>(
        &'a self,
        from: &'a Path,
        to: &'a Path,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>> {
        let renamed = self.change().and_then(|()| {
            self.dir
                .rename(within(from), &self.dir, within(to))
                .map_err(fs_error)
        });
        Box::pin(ready(renamed))
    }

    fn metadata(&self, path: &Path) -> Result<Metadata> {
        let of = self.dir.metadata(within(path)).map_err(fs_error)?;
        Ok(metadata(&of))
    }

    fn symlink_metadata(&self, path: &Path) -> Result<Metadata> {
        let of = self.dir.symlink_metadata(within(path)).map_err(fs_error)?;
        Ok(metadata(&of))
    }

    fn remove_file(&self, path: &Path) -> Result<()> {
        self.change()?;
        self.dir.remove_file(within(path)).map_err(fs_error)
    }

    fn new_open_options(&self) -> OpenOptions<'_> {
        OpenOptions::new(self)
    }
}

impl FileOpener for Folder {
    fn open(
        &self,
        path: &Path,
        asked: &OpenOptionsConfig,
    ) -> Result<Box<dyn VirtualFile + Send + Sync + 'static>> {
        if asked.would_mutate() {
            self.change()?;
        }
        let slot = OpenSlot::take(&self.files_left).ok_or(FsError::StorageFull)?;
        let mut options = DirOptions::new();
        options
            .read(asked.read())
            // Creating or truncating a file writes to it. So does appending: wasmer-wasix seeks to the
            // end before each write, as long as the descriptor's flag is set.
            .write(
                asked.write() || asked.append() || asked.create() || asked.create_new() || asked.truncate(),
            )
            .create(asked.create())
            .create_new(asked.create_new())
            .truncate(asked.truncate());
        #[cfg(unix)]
        {
            use cap_std::fs::OpenOptionsExt;
            // Opening a pipe would wait for its other end.
            options.custom_flags(i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0));
        }
        let path = within(path);
        let file = self.dir.open_with(&path, &options).map_err(fs_error)?;
        let is_file = file.metadata().map_err(fs_error)?.is_file();
        if !is_file {
            return Err(FsError::NotAFile);
        }
        let dir = self.dir.clone();
        Ok(Box::new(OpenFile::new(
            file.into_std(),
            dir,
            path,
            self.writable,
            slot,
        )))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use cap_std::ambient_authority;
    use std::fs;

    /// A granted folder with a secret file beside it, and links to that file.
    struct Scene(PathBuf);

    impl Scene {
        fn new(name: &str) -> Scene {
            let root = std::env::temp_dir().join(format!("airssys-preview1-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&root);
            fs::create_dir_all(root.join("granted/inner")).unwrap();
            fs::write(root.join("secret"), "secret").unwrap();
            fs::write(root.join("granted/file"), "file").unwrap();
            for (contents, link) in [
                ("../secret", "up"),
                ("/etc/passwd", "absolute"),
                ("..", "parent"),
                ("inner/../../secret", "zigzag"),
                ("file", "good"),
                ("loop", "loop"),
            ] {
                std::os::unix::fs::symlink(contents, root.join("granted").join(link)).unwrap();
            }
            Scene(root)
        }

        fn folder(&self, writable: bool, files: usize) -> Folder {
            let dir = Dir::open_ambient_dir(self.0.join("granted"), ambient_authority()).unwrap();
            Folder::new(Arc::new(dir), writable, Arc::new(AtomicUsize::new(files)), 100)
        }
    }

    impl Drop for Scene {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn open(folder: &Folder, path: &str, write: bool) -> Result<Box<dyn VirtualFile + Send + Sync>> {
        folder.new_open_options().read(true).write(write).open(path)
    }

    #[test]
    fn no_path_leads_out() {
        let scene = Scene::new("out");
        let folder = scene.folder(true, 10);
        let out = [
            "/../secret",
            "/up",
            "/absolute",
            "/parent/secret",
            "/zigzag",
            "/inner/../../secret",
            "/loop",
        ];
        for path in out {
            assert!(open(&folder, path, false).is_err(), "{path} is opened");
            assert!(open(&folder, path, true).is_err(), "{path} is opened for writing");
            assert!(folder.metadata(Path::new(path)).is_err(), "{path} is looked at");
            let renamed = futures_util::FutureExt::now_or_never(
                folder.rename(Path::new("/file"), Path::new(&format!("{path}/x"))),
            );
            assert!(renamed.unwrap().is_err(), "a file is moved to {path}");
            assert!(
                folder.hard_link(Path::new(path), Path::new("/new")).is_err() || {
                    // A link to the link itself stays within the folder.
                    folder.symlink_metadata(Path::new("/new")).unwrap().ft.symlink
                }
            );
            let _ = folder.remove_file(Path::new("/new"));
        }
        for path in ["/..", "/parent", "/parent/.."] {
            assert!(folder.read_dir(Path::new(path)).is_err(), "{path} is listed");
            assert!(folder.create_dir(Path::new(&format!("{path}/new"))).is_err());
            assert!(folder.remove_file(Path::new(&format!("{path}/secret"))).is_err());
        }
        assert!(
            folder
                .create_symlink(Path::new("/etc"), Path::new("/new"))
                .is_err()
        );
        assert_eq!(fs::read_to_string(scene.0.join("secret")).unwrap(), "secret");
        assert!(open(&folder, "/good", false).is_ok());
    }

    #[test]
    fn what_is_read_only_is_not_changed() {
        let scene = Scene::new("read-only");
        let folder = scene.folder(false, 10);
        let file = Path::new("/file");
        assert_eq!(
            open(&folder, "/file", true).unwrap_err(),
            FsError::PermissionDenied
        );
        for change in [
            |options: &mut OpenOptions<'_>| {
                options.create(true);
            },
            |options: &mut OpenOptions<'_>| {
                options.truncate(true);
            },
            |options: &mut OpenOptions<'_>| {
                options.append(true);
            },
        ] {
            let mut options = folder.new_open_options();
            options.read(true);
            change(&mut options);
            assert_eq!(options.open("/file").unwrap_err(), FsError::PermissionDenied);
        }
        assert!(folder.remove_file(file).is_err() && folder.create_dir(Path::new("/new")).is_err());
        assert!(folder.hard_link(file, Path::new("/new")).is_err());
        assert!(folder.create_symlink(file, Path::new("/new")).is_err());
        let mut open = open(&folder, "/file", false).unwrap();
        assert_eq!(open.set_len(0), Err(FsError::PermissionDenied));
        assert_eq!(open.set_times(Some(0), None), Err(FsError::PermissionDenied));
        assert_eq!(open.unlink(), Err(FsError::PermissionDenied));
        assert_eq!(fs::read_to_string(scene.0.join("granted/file")).unwrap(), "file");
    }

    #[test]
    fn open_files_are_bounded_and_given_back() {
        let scene = Scene::new("bound");
        let folder = scene.folder(false, 2);
        let first = open(&folder, "/file", false).unwrap();
        let second = open(&folder, "/good", false).unwrap();
        assert_eq!(open(&folder, "/file", false).unwrap_err(), FsError::StorageFull);
        drop((first, second));
        assert!(open(&folder, "/file", false).is_ok());
        // A failed open uses no slot.
        assert!(open(&folder, "/missing", false).is_err() && open(&folder, "/inner", false).is_err());
        assert!(open(&folder, "/file", false).is_ok() && open(&folder, "/good", false).is_ok());
    }

    #[test]
    fn pipes_are_not_waited_for() {
        let scene = Scene::new("pipe");
        let made = std::process::Command::new("mkfifo")
            .arg(scene.0.join("granted/pipe"))
            .status();
        assert!(made.unwrap().success());
        assert_eq!(
            open(&scene.folder(true, 2), "/pipe", false).unwrap_err(),
            FsError::NotAFile
        );
    }

    #[test]
    fn a_large_folder_is_not_listed() {
        let scene = Scene::new("large");
        let mut folder = scene.folder(true, 2);
        folder.most_entries = 3;
        assert_eq!(folder.read_dir(Path::new("/")).unwrap_err(), FsError::StorageFull);
    }
}
