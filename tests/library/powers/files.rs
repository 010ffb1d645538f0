//! `read-file` and `write-file`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use airssys_wasm::host::{HostLimits, HostPowers};

use super::{Caller, Failure, bytes, data, failure, text};

/// A folder that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("airssys-powers-{}-{number}", std::process::id());
        let path = std::env::temp_dir().canonicalize().unwrap().join(name);
        fs::create_dir_all(path.join("data/inner")).unwrap();
        fs::write(path.join("data/a.txt"), "content of a").unwrap();
        fs::write(path.join("data/inner/b.txt"), "content of b").unwrap();
        fs::create_dir(path.join("database")).unwrap();
        fs::write(path.join("database/secret.txt"), "secret").unwrap();
        Folder(path)
    }

    /// Returns a path below, as text.
    fn path(&self, below: &str) -> String {
        format!("{}/{below}", self.0.to_str().unwrap())
    }

    /// Returns the names in a folder, sorted.
    fn names(&self, below: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(below)).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn limited(bytes: u64) -> HostPowers {
    let mut limits = HostLimits::default();
    limits.file_bytes = bytes;
    HostPowers::new().with_limits(limits)
}

impl Caller {
    fn with_files(folder: &Folder, rules: &[&str]) -> Caller {
        let rules: Vec<_> = rules
            .iter()
            .map(|rule| rule.replace("ROOT", folder.0.to_str().unwrap()))
            .collect();
        let rules: Vec<_> = rules.iter().map(String::as_str).collect();
        Caller::new(&rules, limited(1000))
    }

    fn read(&mut self, path: &str) -> Result<Vec<u8>, Failure> {
        self.call("read-file", &[text(path)]).map(data)
    }

    fn write(&mut self, path: &str, data: &[u8]) -> Result<(), Failure> {
        self.call("write-file", &[text(path), bytes(data)]).map(|_| ())
    }

    fn is_denied(&mut self, path: &str) {
        let needed = format!("filesystem:read:{path}");
        assert_eq!(self.read(path), Err(failure("denied", &needed)));
        let last = self.last();
        assert_eq!(
            (last.verdict, last.request_id.as_str()),
            ("denied", "request-7"),
            "{path}"
        );
    }
}

const BOTH: [&str; 2] = [
    "allow filesystem:read:ROOT/data",
    "allow filesystem:write:ROOT/data",
];

#[test]
fn granted_files_are_read_and_others_are_denied() {
    let folder = Folder::new();
    let mut caller = Caller::with_files(&folder, &BOTH);
    assert_eq!(caller.read(&folder.path("data/a.txt")).unwrap(), b"content of a");
    assert_eq!(caller.last().verdict, "allowed");
    assert_eq!(
        caller.read(&folder.path("data//./inner/b.txt")).unwrap(),
        b"content of b"
    );
    let absent = folder.path("data/absent.txt");
    assert_eq!(caller.read(&absent), Err(failure("not-found", &absent)));
    let absent = folder.path("data/absent/absent.txt");
    assert_eq!(caller.read(&absent), Err(failure("not-found", &absent)));
    for denied in [
        "database/secret.txt",
        "database",
        "absent.txt",
        "data/../database/secret.txt",
        "data/inner/../a.txt",
        "data%2f..%2fdatabase/secret.txt",
    ] {
        caller.is_denied(&folder.path(denied));
    }
    for denied in ["", "a.txt", "/etc/passwd", "/", "data/a.txt", "C:/a"] {
        let (case, _) = caller.read(denied).unwrap_err();
        assert_eq!(case, "denied", "{denied}");
    }
    let (case, _) = caller.read(&folder.path("data/a.txt\0b")).unwrap_err();
    assert_eq!(case, "denied");
}

#[test]
fn reading_and_writing_are_separate_grants() {
    let folder = Folder::new();
    let path = folder.path("data/a.txt");
    let mut reader = Caller::with_files(&folder, &BOTH[..1]);
    let needed = format!("filesystem:write:{path}");
    assert_eq!(reader.write(&path, b"new"), Err(failure("denied", &needed)));
    assert_eq!(reader.last().verdict, "denied");
    assert_eq!(reader.read(&path).unwrap(), b"content of a", "it is unchanged");
    let mut writer = Caller::with_files(&folder, &BOTH[1..]);
    let needed = format!("filesystem:read:{path}");
    assert_eq!(writer.read(&path), Err(failure("denied", &needed)));
    writer.write(&path, b"new").unwrap();
    assert_eq!(reader.read(&path).unwrap(), b"new");
}

#[test]
fn a_single_file_can_be_granted() {
    let folder = Folder::new();
    let rules = [
        "allow filesystem:read:ROOT/data/a.txt",
        "allow filesystem:write:ROOT/data/new.txt",
    ];
    let mut caller = Caller::with_files(&folder, &rules);
    assert_eq!(caller.read(&folder.path("data/a.txt")).unwrap(), b"content of a");
    caller.is_denied(&folder.path("data/inner/b.txt"));
    caller.write(&folder.path("data/new.txt"), b"new").unwrap();
    assert_eq!(fs::read(folder.path("data/new.txt")).unwrap(), b"new");
    let (case, _) = caller.write(&folder.path("data/other.txt"), b"new").unwrap_err();
    assert_eq!(case, "denied");
    assert_eq!(folder.names("data"), ["a.txt", "inner", "new.txt"]);
}

#[test]
fn exceptions_within_a_granted_folder_are_denied() {
    let folder = Folder::new();
    let rules = [
        "allow filesystem:read:ROOT/data",
        "deny filesystem:read:ROOT/data/inner",
    ];
    let mut caller = Caller::with_files(&folder, &rules);
    caller.is_denied(&folder.path("data/inner/b.txt"));
    assert!(caller.read(&folder.path("data/a.txt")).is_ok());
}

#[cfg(unix)]
#[test]
fn links_lead_only_to_what_is_granted() {
    use std::os::unix::fs::symlink;

    let folder = Folder::new();
    let link = |target: &str, name: &str| symlink(target, folder.path(name)).unwrap();
    link("a.txt", "data/to-a");
    link("inner", "data/to-inner");
    link("../data/./inner/b.txt", "data/around");
    link(&folder.path("data/a.txt"), "data/absolute");
    link("../database/secret.txt", "data/out");
    link("../database", "data/out-folder");
    link("/etc/passwd", "data/passwd");
    link("../../../../../../../etc/passwd", "data/far-out");
    link("to-loop", "data/loop");
    link("loop", "data/to-loop");
    link("../database/absent", "data/out-absent");
    link("absent", "data/to-absent");
    link("/proc/self/root/etc/passwd", "data/proc");
    let rules = [BOTH[0], BOTH[1], "deny filesystem:read:ROOT/data/inner"];
    let mut caller = Caller::with_files(&folder, &rules[..2]);
    for (name, content) in [
        ("data/to-a", "content of a"),
        ("data/to-inner/b.txt", "content of b"),
        ("data/around", "content of b"),
        ("data/absolute", "content of a"),
    ] {
        assert_eq!(
            caller.read(&folder.path(name)).unwrap(),
            content.as_bytes(),
            "{name}"
        );
    }
    // An answer does not depend on the existence of a file outside.
    for name in [
        "data/out",
        "data/out-folder/secret.txt",
        "data/passwd",
        "data/far-out",
        "data/out-absent",
        "data/proc",
    ] {
        caller.is_denied(&folder.path(name));
        let needed = format!("filesystem:write:{}", folder.path(name));
        assert_eq!(
            caller.write(&folder.path(name), b"x"),
            Err(failure("denied", &needed))
        );
    }
    assert_eq!(fs::read(folder.path("database/secret.txt")).unwrap(), b"secret");
    let (case, text) = caller.read(&folder.path("data/loop")).unwrap_err();
    assert_eq!((case.as_str(), text.as_str()), ("io", "too many symbolic links"));
    let absent = folder.path("data/to-absent");
    assert_eq!(caller.read(&absent), Err(failure("not-found", &absent)));

    let mut caller = Caller::with_files(&folder, &rules);
    for name in ["data/to-inner/b.txt", "data/around"] {
        caller.is_denied(&folder.path(name));
    }
    let (case, _) = caller.read(&folder.path("data/out-absent")).unwrap_err();
    assert_eq!(case, "denied");
}

#[cfg(unix)]
#[test]
fn writing_through_a_link_replaces_its_target() {
    use std::os::unix::fs::symlink;

    let folder = Folder::new();
    symlink("a.txt", folder.path("data/link")).unwrap();
    let mut caller = Caller::with_files(&folder, &BOTH);
    caller.write(&folder.path("data/link"), b"new").unwrap();
    assert_eq!(fs::read(folder.path("data/a.txt")).unwrap(), b"new");
    let link = fs::symlink_metadata(folder.path("data/link")).unwrap();
    assert!(link.is_symlink());
}

#[cfg(unix)]
#[test]
fn folders_and_special_files_are_refused_without_blocking() {
    use std::os::unix::net::UnixListener;

    let folder = Folder::new();
    let pipe = folder.path("data/pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let _listener = UnixListener::bind(folder.path("data/socket")).unwrap();
    let rules = [
        BOTH[0],
        BOTH[1],
        "allow filesystem:read:/dev",
        "allow filesystem:write:/dev",
    ];
    let mut caller = Caller::with_files(&folder, &rules);
    for path in [
        pipe,
        folder.path("data/socket"),
        folder.path("data/inner"),
        folder.path("data"),
        "/dev/zero".to_owned(),
        "/dev/null".to_owned(),
        "/dev".to_owned(),
    ] {
        let (case, text) = caller.read(&path).unwrap_err();
        assert_eq!(case, "io", "{path}: {text}");
        let (case, text) = caller.write(&path, b"x").unwrap_err();
        assert_eq!(case, "io", "{path}: {text}");
    }
    assert_eq!(folder.names("data"), ["a.txt", "inner", "pipe", "socket"]);
}

#[test]
fn sizes_are_limited() {
    let folder = Folder::new();
    let path = folder.path("data/sized");
    let mut caller = Caller::with_files(&folder, &BOTH);
    fs::write(&path, vec![b'x'; 1000]).unwrap();
    assert_eq!(caller.read(&path).unwrap().len(), 1000);
    fs::write(&path, vec![b'x'; 1001]).unwrap();
    assert_eq!(caller.read(&path), Err(failure("too-large", "1000")));
    assert_eq!(
        caller.write(&path, &[b'y'; 1001]),
        Err(failure("too-large", "1000"))
    );
    assert_eq!(fs::metadata(&path).unwrap().len(), 1001, "it is unchanged");
    caller.write(&path, &[b'y'; 1000]).unwrap();
    assert_eq!(caller.read(&path).unwrap(), [b'y'; 1000]);
    caller.write(&path, b"").unwrap();
    assert_eq!(caller.read(&path).unwrap(), b"");
    // Denied first: nothing is revealed.
    let (case, _) = caller
        .write(&folder.path("database/x"), &[b'y'; 1001])
        .unwrap_err();
    assert_eq!(case, "denied");
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_claims_to_be_empty_is_read_up_to_the_limit() {
    let folder = Folder::new();
    let mut caller = Caller::with_files(&folder, &["allow filesystem:read:/proc"]);
    let version = fs::read("/proc/version").unwrap();
    assert_eq!(caller.read("/proc/version").unwrap(), version);
    assert_eq!(caller.read("/proc/cpuinfo"), Err(failure("too-large", "1000")));
}

#[test]
fn a_write_replaces_the_file_as_a_whole() {
    let folder = Folder::new();
    let path = folder.path("data/a.txt");
    let mut caller = Caller::with_files(&folder, &BOTH);
    let before = fs::File::open(&path).unwrap();
    caller.write(&path, b"new").unwrap();
    assert_eq!(
        std::io::read_to_string(before).unwrap(),
        "content of a",
        "an open file keeps its content"
    );
    assert_eq!(fs::read(&path).unwrap(), b"new");
    caller.write(&folder.path("data/created"), b"created").unwrap();
    assert_eq!(folder.names("data"), ["a.txt", "created", "inner"]);
    let absent = folder.path("data/no-folder/a.txt");
    assert_eq!(caller.write(&absent, b"x"), Err(failure("not-found", &absent)));
}

#[cfg(unix)]
#[test]
fn permissions_outlast_a_write_and_protect_a_file() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new();
    let path = folder.path("data/a.txt");
    let set = |path: &str, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let mode = |path: &str| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let mut caller = Caller::with_files(&folder, &BOTH);
    set(&path, 0o4751);
    caller.write(&path, b"new").unwrap();
    assert_eq!(mode(&path), 0o751);
    set(&path, 0o444);
    let (case, text) = caller.write(&path, b"newer").unwrap_err();
    assert_eq!((case.as_str(), text.as_str()), ("io", "the file is read-only"));
    assert_eq!(fs::read(&path).unwrap(), b"new");
}

/// The temporary file is written, and cannot be renamed: the target has become a folder meanwhile, or the time is over.
#[test]
fn a_failed_write_leaves_the_file_and_nothing_else() {
    let folder = Folder::new();
    let path = folder.path("data/a.txt");
    let mut caller = Caller::with_files(&folder, &BOTH);
    caller.store.data_mut().deadline = Some(std::time::Instant::now());
    let (case, _) = caller.write(&path, b"new").unwrap_err();
    assert_eq!(case, "io");
    let (case, _) = caller.read(&path).unwrap_err();
    assert_eq!(case, "io");
    assert_eq!(fs::read(&path).unwrap(), b"content of a");
    assert_eq!(folder.names("data"), ["a.txt", "inner"]);
}

#[test]
fn a_reader_never_sees_a_part_of_a_file() {
    let folder = Folder::new();
    let path = folder.path("data/a.txt");
    let mut caller = Caller::with_files(&folder, &BOTH);
    caller.write(&path, &[b'0'; 1000]).unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let content = fs::read(Path::new(&path)).unwrap();
                assert_eq!(content.len(), 1000);
                assert!(content.iter().all(|byte| *byte == content[0]));
            }
        });
        for round in 0..200_u8 {
            caller.write(&path, &[round; 1000]).unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
}
