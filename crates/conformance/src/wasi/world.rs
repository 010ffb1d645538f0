//! Environment of every case: untouched folders, arguments, environment variables, standard input.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The component's arguments.
pub(super) const ARGS: [&str; 3] = ["wasi-cases", "one", "zwölf"];
/// Its environment.
pub(super) const ENV: [(&str, &str); 3] = [("LANG", "de"), ("EMPTY", ""), ("TEXT", "a=b c")];
/// Its standard input.
pub(super) const STDIN: &[u8] = b"first line\nsecond line, without an end";
/// The base folder of its relative paths.
pub(super) const CWD: &str = "/data";

/// A granted folder.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grant {
    /// The path below the world's folder.
    host: &'static str,
    /// The path for the component.
    pub(super) guest: &'static str,
    pub(super) writable: bool,
}

/// The granted folders. `secret.txt` lies beside them.
pub(super) const GRANTS: [Grant; 3] = [
    Grant {
        host: "data",
        guest: "/data",
        writable: true,
    },
    Grant {
        host: "fixed",
        guest: "/fixed",
        writable: false,
    },
    Grant {
        host: "more",
        guest: "/more",
        writable: true,
    },
];

/// A folder with the content that `GRANTS` names. Removed on drop.
#[derive(Debug)]
pub struct World {
    root: PathBuf,
}

impl World {
    /// Creates a fresh one.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn new() -> io::Result<World> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "airssys-wasm-wasi-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let world = World {
            root: std::env::temp_dir().join(name),
        };
        fs::create_dir(&world.root)?;
        fs::write(world.root.join("secret.txt"), "secret")?;
        for folder in ["data", "fixed"] {
            fill(&world.root.join(folder))?;
        }
        fs::create_dir(world.root.join("more"))?;
        fs::write(world.root.join("more/other.txt"), "other")?;
        Ok(world)
    }

    /// Returns the path of a granted folder.
    pub(super) fn folder(&self, grant: &Grant) -> PathBuf {
        self.root.join(grant.host)
    }

    /// Reports whether everything outside of the granted folders is unchanged.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn is_unharmed(&self) -> io::Result<bool> {
        let mut names: Vec<_> = fs::read_dir(&self.root)?
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect::<io::Result<_>>()?;
        names.sort();
        Ok(names == ["data", "fixed", "more", "secret.txt"]
            && fs::read(self.root.join("secret.txt"))? == b"secret"
            && fs::read(self.root.join("fixed/hello.txt"))? == HELLO
            && fs::read_dir(self.root.join("fixed"))?.count() == ENTRIES)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

const HELLO: &[u8] = b"hello, world\n";
/// Number of entries that [`fill`] creates.
const ENTRIES: usize = 12;

fn fill(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder.join("sub/deeper"))?;
    fs::write(folder.join("hello.txt"), HELLO)?;
    fs::write(folder.join("empty.txt"), "")?;
    let large: Vec<u8> = (0..300_000u32)
        .map(|place| place.wrapping_mul(31).to_le_bytes()[1])
        .collect();
    fs::write(folder.join("large.bin"), large)?;
    fs::write(folder.join("sub/inner.txt"), "inner")?;
    for (target, link) in [
        ("hello.txt", "link"),
        ("sub", "sublink"),
        ("nowhere", "dangling"),
        ("loop-b", "loop-a"),
        ("loop-a", "loop-b"),
        ("..", "out"),
        ("../data/hello.txt", "around"),
        ("/etc/passwd", "absolute"),
    ] {
        symlink(target, &folder.join(link))?;
    }
    Ok(())
}

#[cfg(unix)]
fn symlink(target: &str, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(not(unix))]
fn symlink(_: &str, _: &Path) -> io::Result<()> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "the cases need symbolic links",
    ))
}
