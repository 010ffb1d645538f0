//! What every case finds: folders that no other case has touched, arguments, environment, standard input.

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
/// The folder that it is told to take relative paths from.
pub(super) const CWD: &str = "/data";

/// A granted folder.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grant {
    /// Below the world's folder.
    host: &'static str,
    /// For the component.
    pub(super) guest: &'static str,
    pub(super) writable: bool,
}

/// What is granted. `secret.txt` lies beside these folders.
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

/// A folder with what [`GRANTS`] names. Removed when it is dropped.
#[derive(Debug)]
pub struct World {
    root: PathBuf,
}

impl World {
    /// A fresh one.
    ///
    /// # Errors
    /// If it cannot be made.
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

    /// Where a granted folder lies.
    pub(super) fn folder(&self, grant: &Grant) -> PathBuf {
        self.root.join(grant.host)
    }

    /// Whether what lies outside of the granted folders is as it was.
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
/// How many entries [`fill`] makes.
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
