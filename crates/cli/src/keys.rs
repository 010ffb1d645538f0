//! Keys in files and on the command line, and `keygen`.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use airssys_wasm::artifact::{PublicKey, SecretKey, Trust};
use serde_json::json;

use crate::args::{KeygenArgs, TrustArgs};
use crate::exit::{Exit, Failure, Outcome};
use crate::{files, output, unsigned};

/// Most bytes of a key's file: the digits, and room for white space.
const MAX_KEY_BYTES: u64 = 4096;

/// Runs `keygen`.
pub(crate) fn generate(args: &KeygenArgs) -> Outcome {
    let mut public_name = args.output.clone().into_os_string();
    public_name.push(".pub");
    let public_name = PathBuf::from(public_name);
    let key = SecretKey::generate().map_err(|error| Failure::new(Exit::Host, error))?;
    let public = key.public().to_string();

    let secret_file = create(&args.output, true)?;
    let written = create(&public_name, false).and_then(|public_file| {
        let written = fill(public_file, &public).map_err(|error| unwritable(&public_name, error));
        let written = written.and_then(|()| {
            fill(secret_file, &key.to_text()).map_err(|error| unwritable(&args.output, error))
        });
        written.inspect_err(|_| discard(&public_name))
    });
    written.inspect_err(|_| discard(&args.output))?;
    let printed = match args.json {
        true => output::print_json(&json!({
            "secret-file": args.output.to_string_lossy(),
            "public-file": public_name.to_string_lossy(),
            "public": public,
        })),
        false => output::print(&public),
    };
    // The public key was not printed: the files are removed, so that the user can try again with the same names.
    printed.inspect_err(|_| {
        discard(&public_name);
        discard(&args.output);
    })?;
    Ok(Exit::Done)
}

/// Creates a file. An existing one is never replaced: it may be the only copy of a key.
fn create(path: &Path, secret: bool) -> Outcome<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if secret { 0o600 } else { 0o644 });
    options.open(path).map_err(|error| {
        if error.kind() == io::ErrorKind::AlreadyExists {
            Failure::usage(format!(
                "`{}` already exists, and keys are never replaced: choose another name",
                path.display()
            ))
        } else {
            unwritable(path, error)
        }
    })
}

fn fill(mut file: File, text: &str) -> io::Result<()> {
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

/// Removes a file that this run created. The error that led here is the one to report.
fn discard(path: &Path) {
    let _ = std::fs::remove_file(path);
}

fn unwritable(path: &Path, error: io::Error) -> Failure {
    Failure::new(Exit::Host, error).context(format!("`{}` cannot be written", path.display()))
}

/// Reads the secret key from a file, which must not be accessible to other users.
pub(crate) fn secret(path: &Path) -> Outcome<SecretKey> {
    let unreadable = |error| files::unreadable(path, error);
    let file = File::open(path).map_err(unreadable)?;
    #[cfg(unix)]
    {
        let about = file.metadata().map_err(unreadable)?;
        if about.is_dir() {
            return Err(unreadable(io::ErrorKind::IsADirectory.into()));
        }
        closed(&about, path)?;
    }
    let text = text(file).map_err(unreadable)?;
    let key = text.parse();
    key.map_err(|error| {
        Failure::new(Exit::Usage, error)
            .context(format!("`{}` does not contain a secret key", path.display()))
    })
}

/// Checks that only its owner has access to the file of a secret.
#[cfg(unix)]
fn closed(about: &std::fs::Metadata, path: &Path) -> Outcome<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = about.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "the key `{0}` is accessible to other users (mode {1:03o}): if it is still secret, run `chmod 600 {0}`; \
         otherwise generate a new key",
        path.display(),
        mode & 0o777
    )))
}

/// Reads at most `limit` bytes of a secret's file, which must be a regular one that only its owner has access to. What is read is
/// the file that was checked, also if another one takes its path meanwhile.
#[cfg(all(unix, feature = "nats"))]
pub(crate) fn read_closed(path: &Path, limit: usize) -> Outcome<Vec<u8>> {
    use std::os::unix::fs::OpenOptionsExt;
    let unreadable = |error| files::unreadable(path, error);
    // Opening a pipe without a writer would wait for one.
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let mut options = File::options();
    let file = options.read(true).custom_flags(nonblocking).open(path);
    let file = file.map_err(unreadable)?;
    let about = file.metadata().map_err(unreadable)?;
    if !about.is_file() {
        return Err(unreadable(io::Error::other("it is not a regular file")));
    }
    closed(&about, path)?;
    let mut secret = Vec::new();
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    file.take(limit).read_to_end(&mut secret).map_err(unreadable)?;
    Ok(secret)
}

/// Returns the artifacts whose code may run: all with `--allow-unsigned`, or else those that a key of `--trust` has signed.
/// Reads the keys even if no artifact is loaded: a wrong name is an error in either case.
pub(crate) fn accepted(args: &TrustArgs) -> Outcome<Trust> {
    match args.allow_unsigned {
        true => Ok(unsigned::trust()),
        false => trust(&args.trust),
    }
}

/// Reads the keys that `--trust` names, each as digits or as a file.
pub(crate) fn trust(named: &[String]) -> Outcome<Trust> {
    let keys: Vec<PublicKey> = named.iter().map(|named| public(named)).collect::<Outcome<_>>()?;
    Ok(Trust::new(keys))
}

fn public(named: &str) -> Outcome<PublicKey> {
    let of_text = match named.parse() {
        Ok(key) => return Ok(key),
        Err(error) => error,
    };
    let path = Path::new(named);
    let file = match File::open(path) {
        Ok(file) => file,
        // 64 digits that are not a key are an error, not the name of a file.
        Err(_) if named.len() == 64 && named.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            return Err(
                Failure::new(Exit::Usage, of_text).context(format!("`{named}` is not a valid public key"))
            );
        }
        Err(error) => {
            let error = Failure::new(Exit::Load, error);
            return Err(error.context(format!("`{named}` is neither a public key nor a readable file")));
        }
    };
    let text = text(file).map_err(|error| files::unreadable(path, error))?;
    let key = text.parse();
    key.map_err(|error| {
        Failure::new(Exit::Usage, error).context(format!("`{named}` does not contain a public key"))
    })
}

fn text(file: File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.take(MAX_KEY_BYTES).read_to_end(&mut bytes)?;
    // Bytes that are not text are not a key either; parsing the key reports that.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(all(test, unix, feature = "nats"))]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    struct Folder(PathBuf);

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn folder(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("airssys-keys-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    fn file(path: &Path, text: &str, mode: u32) {
        fs::write(path, text).expect("it can be written");
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
    }

    /// The permissions of one file were checked, and another one was opened by the same path.
    #[test]
    fn a_secret_is_read_from_the_file_that_was_checked() {
        let folder = folder("swapped");
        let at = |name: &str| folder.0.join(name);
        file(&at("closed"), "closed", 0o600);
        file(&at("open"), "open", 0o644);
        let swap = |to: &str| {
            symlink(at(to), at("next")).expect("it is not there");
            fs::rename(at("next"), at("key")).expect("it is ours");
        };
        swap("closed");
        let is_over = AtomicBool::new(false);
        let (mut read, mut refused) = (0, 0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    swap("open");
                    swap("closed");
                }
            });
            // Until both were seen.
            while read + refused < 20_000 || read == 0 || refused == 0 {
                match read_closed(&at("key"), 100) {
                    Ok(secret) if secret == b"closed" => read += 1,
                    Ok(secret) => {
                        is_over.store(true, Ordering::Relaxed);
                        panic!("{}", String::from_utf8_lossy(&secret));
                    }
                    Err(_) => refused += 1,
                }
            }
            is_over.store(true, Ordering::Relaxed);
        });
    }

    #[test]
    fn a_secret_is_in_a_regular_file_and_read_to_its_limit() {
        let folder = folder("kinds");
        let at = |name: &str| folder.0.join(name);
        file(&at("key"), "secret", 0o600);
        assert_eq!(read_closed(&at("key"), 3).expect("it is closed"), b"sec");
        file(&at("open"), "secret", 0o640);
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, at("pipe"), rustix::fs::FileType::Fifo, mode, 0)
            .expect("a pipe");
        for (name, exit) in [
            ("open", Exit::Usage),
            ("pipe", Exit::Load),
            (".", Exit::Load),
            ("none", Exit::Load),
        ] {
            let refused = read_closed(&at(name), 100).expect_err(name);
            assert_eq!(refused.exit, exit, "{name}");
        }
    }
}
