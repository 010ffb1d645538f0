//! Opening and creating the file.

use std::any::Any;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use redb::backends::FileBackend;
use redb::{Builder, Database, DatabaseError, ReadableDatabase, StorageError, TableError};

use crate::backend::Bounded;
use crate::error::{Failure, OpenError};
use crate::options::StoreOptions;
use crate::tables::{BATCH, FORMAT, FORMAT_VERSION, Limits, META, Tables};

/// First bytes of every redb file.
const MAGIC: &[u8; 9] = b"redb\x1A\x0A\xA9\x0D\x0A";

/// An open file, and the number of its last commit.
pub(crate) struct Opened {
    pub(crate) database: Database,
    pub(crate) batch: u64,
}

/// Opens the file, or creates it if the options allow that.
pub(crate) fn open_or_create(options: &StoreOptions, limits: &Limits) -> Result<Opened, OpenError> {
    let path = &options.path;
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if !options.create {
                return Err(OpenError::Missing { path: path.clone() });
            }
            create(options, limits)?;
        }
        _ => {}
    }
    open(options)
}

/// Opens a file that exists, and verifies its content.
pub(crate) fn open(options: &StoreOptions) -> Result<Opened, OpenError> {
    let path = &options.path;
    let metadata = fs::metadata(path).map_err(|source| io_error(path, source))?;
    if !metadata.is_file() {
        return Err(not_a_store(path, "it is no regular file"));
    }
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .map_err(|source| io_error(path, source))?;
    identify(path, &mut file)?;
    let database = database(options, file)?;
    let batch = check_format(path, &database)?;
    Ok(Opened { database, batch })
}

/// Recognizes files that are something else, and files that are cut to less than their first bytes.
fn identify(path: &Path, file: &mut File) -> Result<(), OpenError> {
    let mut first = Vec::new();
    let read = file.by_ref().take(MAGIC.len() as u64).read_to_end(&mut first);
    read.map_err(|source| io_error(path, source))?;
    if first.is_empty() {
        return Err(OpenError::Empty {
            path: path.to_owned(),
        });
    }
    if !MAGIC.starts_with(&first) {
        return Err(not_a_store(path, "it does not begin as a redb file does"));
    }
    if first.len() < MAGIC.len() {
        return Err(damaged(path, "it is cut to a few bytes"));
    }
    Ok(())
}

/// Opens a file as a database. An empty one is initialized.
fn database(options: &StoreOptions, file: File) -> Result<Database, OpenError> {
    let path = &options.path;
    let handle = file.try_clone().map_err(|source| io_error(path, source))?;
    let backend = FileBackend::new(file).map_err(|error| database_error(path, error))?;
    let backend = Bounded {
        file: backend,
        handle,
        largest: options.largest_file,
        #[cfg(test)]
        faults: options.faults.clone(),
    };
    let open = || {
        Builder::new()
            .set_cache_size(options.cache_bytes)
            .set_check_integrity_on_open(true)
            .create_with_backend(backend)
    };
    match contained(open) {
        Ok(opened) => opened.map_err(|error| database_error(path, error)),
        Err(panic) => Err(damaged(path, &panic.to_string())),
    }
}

/// Checks the format's version, and returns the number of the last commit.
fn check_format(path: &Path, database: &Database) -> Result<u64, OpenError> {
    let read = || -> Result<Option<(u64, u64)>, Failure> {
        let transaction = database.begin_read()?;
        let meta = match transaction.open_table(META) {
            Ok(meta) => meta,
            Err(TableError::Storage(error)) => return Err(error.into()),
            Err(_) => return Ok(None),
        };
        let Some(format) = meta.get(FORMAT)? else {
            return Ok(None);
        };
        let batch = meta.get(BATCH)?.map_or(0, |value| value.value());
        Ok(Some((format.value(), batch)))
    };
    match contained(read).unwrap_or_else(Err) {
        Ok(Some((FORMAT_VERSION, batch))) => Ok(batch),
        Ok(Some((0, _))) => Err(damaged(path, "its format version is 0")),
        Ok(Some((found, _))) => Err(OpenError::Newer {
            path: path.to_owned(),
            found,
            supported: FORMAT_VERSION,
        }),
        Ok(None) => Err(not_a_store(path, "it is a redb file of another program")),
        Err(failure) => Err(open_error(path, failure)),
    }
}

/// Creates an empty store. A crash leaves no file at the path, or a whole one.
fn create(options: &StoreOptions, limits: &Limits) -> Result<(), OpenError> {
    let path = &options.path;
    let new = beside(path);
    let result = create_at(options, limits, &new).and_then(|()| {
        // Unlike a rename, it does not replace a file that another process created meanwhile.
        match fs::hard_link(&new, path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            // Some file systems have no links.
            Err(_) => fs::rename(&new, path).map_err(|source| io_error(path, source)),
        }
    });
    // It is gone if it was renamed.
    let _ = fs::remove_file(&new);
    result?;
    sync_folder(path).map_err(|source| io_error(path, source))
}

fn create_at(options: &StoreOptions, limits: &Limits, new: &Path) -> Result<(), OpenError> {
    let mut opening = OpenOptions::new();
    opening.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut opening, 0o600);
    let file = opening
        .open(new)
        .map_err(|source| io_error(&options.path, source))?;
    let database = database(options, file)?;
    let write = || -> Result<(), Failure> {
        let transaction = database.begin_write()?;
        let mut tables = Tables::open(&transaction, limits)?;
        tables.set_number(FORMAT, FORMAT_VERSION)?;
        drop(tables);
        transaction.commit()?;
        Ok(())
    };
    contained(write)
        .unwrap_or_else(Err)
        .map_err(|failure| open_error(&options.path, failure))
}

/// Returns a name in the same folder that no other process uses.
fn beside(path: &Path) -> PathBuf {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
    name.push(format!(".new-{}-{number}", std::process::id()));
    path.with_file_name(name)
}

/// Makes a new name in a folder durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    let _ = path;
    Ok(())
}

/// Runs a step of redb. A panic is a failure.
pub(crate) fn contained<R>(step: impl FnOnce() -> R) -> Result<R, Failure> {
    catch_unwind(AssertUnwindSafe(step)).map_err(|panic| Failure::Panicked(text(&*panic)))
}

fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}

fn io_error(path: &Path, source: io::Error) -> OpenError {
    OpenError::Io {
        path: path.to_owned(),
        source,
    }
}

fn not_a_store(path: &Path, problem: &str) -> OpenError {
    OpenError::NotAStore {
        path: path.to_owned(),
        problem: problem.to_owned(),
    }
}

fn damaged(path: &Path, problem: &str) -> OpenError {
    OpenError::Damaged {
        path: path.to_owned(),
        problem: problem.to_owned(),
    }
}

fn open_error(path: &Path, failure: Failure) -> OpenError {
    match failure {
        Failure::Io(source) if is_of_content(&source) => damaged(path, &source.to_string()),
        Failure::Io(source) => io_error(path, source),
        Failure::Full(problem) => io_error(path, io::Error::new(ErrorKind::StorageFull, problem)),
        Failure::Damaged(_) | Failure::Panicked(_) => damaged(path, &failure.to_string()),
    }
}

/// Reports whether an I/O error is that of a file which is shorter than its content says.
fn is_of_content(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData)
}

fn database_error(path: &Path, error: DatabaseError) -> OpenError {
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => OpenError::InUse {
            path: path.to_owned(),
        },
        DatabaseError::Storage(StorageError::Io(source)) => open_error(path, Failure::of_io(source)),
        DatabaseError::Storage(error) => open_error(path, error.into()),
        DatabaseError::UpgradeRequired(version) => {
            not_a_store(path, &format!("it is a redb file of the old version {version}"))
        }
        other => damaged(path, &other.to_string()),
    }
}
