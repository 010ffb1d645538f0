//! Faults at each step of writing, of every kind that a disk can have: nothing that is read afterwards is wrong.

use super::tests::{Folder, content, got, key};
use super::*;
use std::collections::BTreeMap;
#[cfg(unix)]
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

/// Kind of fault, at one step or at it and all that follow.
#[derive(Clone, Copy, Debug, PartialEq)]
enum FaultPoint {
    NoSpace,
    Io,
    ReadOnly,
    /// Half is written, which is not an error.
    Short,
    /// Half is written, and then the disk is full.
    ShortThenFull,
}

/// A disk with a fault.
#[derive(Debug)]
pub(in crate::artifact) struct Faulty {
    fault: FaultPoint,
    /// The step, counted from 0.
    at: usize,
    /// True if the steps that follow fail as well.
    lasting: bool,
    steps: AtomicUsize,
    /// Number of calls of each step, for the message of a test.
    done: Mutex<BTreeMap<&'static str, usize>>,
}

impl Faulty {
    fn new(fault: FaultPoint, at: usize, lasting: bool) -> Arc<Faulty> {
        Arc::new(Faulty {
            fault,
            at,
            lasting,
            steps: AtomicUsize::new(0),
            done: Mutex::default(),
        })
    }

    /// Every step fails: the disk is full.
    pub(in crate::artifact) fn full() -> Arc<Faulty> {
        Faulty::new(FaultPoint::NoSpace, 0, true)
    }

    /// Reports whether the step of the fault was reached.
    fn met(&self) -> bool {
        self.steps.load(Ordering::Relaxed) > self.at
    }

    fn step(&self, name: &'static str) -> io::Result<bool> {
        *self.done.lock().expect("no panic").entry(name).or_default() += 1;
        let step = self.steps.fetch_add(1, Ordering::Relaxed);
        if step != self.at && !(self.lasting && step > self.at) {
            return Ok(false);
        }
        let code = match self.fault {
            FaultPoint::NoSpace => 28,
            FaultPoint::Io => 5,
            FaultPoint::ReadOnly => 30,
            FaultPoint::Short if name == "write" => return Ok(true),
            FaultPoint::ShortThenFull if name == "write" && step == self.at => return Ok(true),
            FaultPoint::Short => return Ok(false),
            FaultPoint::ShortThenFull => 28,
        };
        Err(io::Error::from_raw_os_error(code))
    }
}

impl Disk for Faulty {
    fn create(&self, path: &Path) -> io::Result<File> {
        self.step("create")?;
        System.create(path)
    }

    fn write(&self, file: &File, bytes: &[u8]) -> io::Result<usize> {
        let half = self.step("write")?;
        let bytes = if half {
            &bytes[..bytes.len().div_ceil(2)]
        } else {
            bytes
        };
        System.write(file, bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.step("sync")?;
        System.sync(file)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step("rename")?;
        System.rename(from, to)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step("link")?;
        System.link(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step("remove")?;
        System.remove(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.step("sync_folder")?;
        System.sync_folder(folder)
    }
}

/// Runs everything that a process does with a cache, one of whose entries must go for the new one.
fn a_day(folder: &Folder, disk: Arc<Faulty>) -> Option<CacheCounters> {
    let config = CacheConfig {
        dir: folder.0.clone(),
        max_bytes: 5000,
    };
    let cache = match Cache::with(config, disk) {
        Ok(cache) => cache,
        Err(error) => {
            assert!(error.is_unavailable(), "{error}");
            return None;
        }
    };
    for name in [1, 2] {
        if let Some(found) = got(&cache, name) {
            assert_eq!(found, content(name, 3000));
        }
        let stored = cache.put(&key(name), &content(name, 3000));
        let found = got(&cache, name);
        assert!(!stored || found.is_none() || found == Some(content(name, 3000)));
        assert!(found.is_none() || found == Some(content(name, 3000)), "{name}");
    }
    Some(cache.counters())
}

/// Lets each step fail in its turn. Returns the number of faults, and the steps of the run without any.
fn each_step_fails(
    fault: FaultPoint,
    lasting: bool,
    used_before: bool,
) -> (usize, BTreeMap<&'static str, usize>) {
    let name = format!("faults-{fault:?}-{lasting}-{used_before}");
    for at in 0.. {
        let folder = Folder::new(&name);
        if used_before {
            let cache = folder.cache();
            assert!(cache.put(&key(1), &content(1, 3000)) && cache.put(&key(3), &content(3, 1500)));
        }
        let faulty = Faulty::new(fault, at, lasting);
        let counters = a_day(&folder, faulty.clone());
        if !faulty.met() {
            let counters = counters.expect("nothing went wrong");
            assert_eq!((counters.stored, counters.failed_writes), (2, 0));
            return (at, faulty.done.lock().expect("no panic").clone());
        }
        let what = format!("{fault:?} at step {at}, lasting: {lasting}");
        if fault == FaultPoint::Short {
            let counters = counters.expect("a short write is no error");
            assert_eq!((counters.stored, counters.failed_writes), (2, 0), "{what}");
        }
        // A process with a working disk, afterwards.
        let cache = folder.limited(5000);
        for name in [1, 2, 3] {
            let expected = content(name, if name == 3 { 1500 } else { 3000 });
            let found = got(&cache, name);
            assert!(found.is_none() || found == Some(expected), "{what}: {name}");
        }
        assert!(cache.put(&key(2), &content(2, 3000)), "{what}");
        assert_eq!(got(&cache, 2), Some(content(2, 3000)), "{what}");
        assert_eq!(cache.counters().failed_writes, 0, "{what}");
        let info = cache.info().expect("readable");
        assert!(info.bytes <= 5000, "{what}: {info:?}");
        cache.clear().expect("it goes");
    }
    unreachable!("there are more steps than numbers")
}

#[test]
fn no_fault_while_writing_makes_a_bad_entry() {
    let kinds = [
        (FaultPoint::NoSpace, false),
        (FaultPoint::NoSpace, true),
        (FaultPoint::Io, false),
        (FaultPoint::ReadOnly, true),
        (FaultPoint::Short, false),
        (FaultPoint::ShortThenFull, false),
        (FaultPoint::ShortThenFull, true),
    ];
    let kinds = kinds.into_iter().flat_map(|kind| [(kind, false), (kind, true)]);
    // Most of the time is waiting, for the disk and its clock.
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = kinds
            .map(|((fault, lasting), used)| scope.spawn(move || each_step_fails(fault, lasting, used)))
            .collect();
        let results = threads.into_iter().map(|thread| thread.join().expect("no panic"));
        results.collect()
    });
    let all = [
        "create",
        "link",
        "remove",
        "rename",
        "sync",
        "sync_folder",
        "write",
    ];
    let mut steps = BTreeMap::new();
    let mut faults = 0;
    for (made, done) in results {
        faults += made;
        steps.extend(done);
    }
    assert!(
        steps.keys().copied().eq(all),
        "every kind of step is met: {steps:?}"
    );
    assert!(faults > 300, "{faults}");
    println!("{faults} faults");
}

#[test]
fn a_full_disk_is_no_error() {
    let folder = Folder::new("full");
    assert!(folder.cache().put(&key(1), b"content"));
    let cache = Cache::with(CacheConfig::new(&folder.0), Faulty::full()).expect("what is there is enough");
    assert_eq!(got(&cache, 1), Some(b"content".to_vec()), "it can be read");
    assert!(!cache.put(&key(2), b"content") && !cache.put(&key(2), b"content"));
    assert_eq!(got(&cache, 2), None);
    let counters = cache.counters();
    assert_eq!(
        (counters.hits, counters.misses, counters.failed_writes),
        (1, 1, 2)
    );
    assert!(cache.warned.load(Ordering::Relaxed));
    let error = cache.clear().expect_err("asked for, so that it is an error");
    assert!(
        error.to_string().contains("cannot remove from the cache"),
        "{error}"
    );
}

/// Run by [`a_read_only_folder_is_no_error`] as another user than root.
#[cfg(unix)]
#[test]
fn in_a_read_only_folder() {
    let Some(folder) = std::env::var_os("AIRSSYS_TEST_READ_ONLY").map(PathBuf::from) else {
        return;
    };
    use std::os::unix::fs::PermissionsExt;
    let cache = Cache::open(CacheConfig::new(&folder)).expect("it is ours");
    assert!(cache.put(&key(1), b"content"));
    let below = ["entries", "files", "verified", ""].map(|below| folder.join(below));
    let protect = |mode| {
        for below in &below {
            fs::set_permissions(below, fs::Permissions::from_mode(mode)).expect("ours");
        }
    };
    protect(0o500);
    let cache = Cache::open(CacheConfig::new(&folder)).expect("it can be read");
    assert_eq!(got(&cache, 1), Some(b"content".to_vec()));
    assert!(!cache.put(&key(2), b"content"));
    assert_eq!(got(&cache, 2), None);
    assert_eq!(cache.counters().failed_writes, 1);
    let error = Cache::open(CacheConfig::new(folder.join("below"))).expect_err("nothing can be made");
    assert!(error.is_unavailable(), "{error}");
    protect(0o700);
    println!("read only as {}", user_dir::user());
}

#[cfg(unix)]
#[test]
fn a_read_only_folder_is_no_error() {
    use std::os::unix::fs::{PermissionsExt, chown};
    use std::os::unix::process::CommandExt;
    let folder = Folder::new("read-only");
    let own = folder.0.join("own");
    fs::create_dir_all(&own).expect("writable");
    let program = folder.0.join("program");
    fs::copy(std::env::current_exe().expect("known"), &program).expect("room for it");
    for path in [&folder.0, &program] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("ours");
    }
    let mut command = std::process::Command::new(program);
    command.args([
        "--exact",
        "artifact::cache::faults::in_a_read_only_folder",
        "--nocapture",
    ]);
    command.env("AIRSSYS_TEST_READ_ONLY", &own).current_dir("/");
    // Nothing is read only for root.
    if user_dir::user() == 0 {
        chown(&own, Some(12_345), Some(12_345)).expect("root may");
        command.uid(12_345).gid(12_345);
    }
    fs::set_permissions(&own, fs::Permissions::from_mode(0o700)).expect("ours");
    let output = command.output().expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains("read only as "), "{text}");
}
