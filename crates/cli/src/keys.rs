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

/// Checks that the file of a secret is a regular one that only its owner has access to.
#[cfg(all(unix, feature = "nats"))]
pub(crate) fn check_closed(path: &Path) -> Outcome<()> {
    let about = std::fs::metadata(path).map_err(|error| files::unreadable(path, error))?;
    if !about.is_file() {
        let error = io::Error::other("it is not a regular file");
        return Err(files::unreadable(path, error));
    }
    closed(&about, path)
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
