use super::*;
use std::fs::{self, FileTimes, Permissions};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;

/// Users other than the one that runs the tests.
const STRANGER: u32 = 65_534;
const ANOTHER: u32 = 12_345;

/// Returns a folder on a file system whose files are remembered, as that of temporary files need not be.
pub(in crate::artifact) fn temporary() -> PathBuf {
    let usual = std::env::temp_dir();
    let probe = usual.join(format!(
        "airssys-probe-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    let does = File::create(&probe).is_ok_and(|file| Identity::protected(&file).is_ok());
    let _ = fs::remove_file(probe);
    let program = std::env::current_exe().expect("known");
    match program.parent() {
        Some(folder) if !does => folder.to_owned(),
        _ => usual,
    }
}

/// A folder that is removed with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = temporary().join(format!("airssys-records-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("writable");
        Folder(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn records(&self) -> Records {
        Records::open(&self.path("verified")).expect("it is ours")
    }

    /// Creates a file with this content as an installer does, and remembers it.
    fn installed(&self, records: &Records, name: &str, content: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).expect("writable");
        fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("ours");
        assert_eq!(verify(records, &path), Ok(false));
        assert!(recalls(records, &path), "{name} is remembered");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn digest(path: &Path) -> [u8; 32] {
    *blake3::hash(&fs::read(path).expect("readable")).as_bytes()
}

fn verify(records: &Records, path: &Path) -> Result<bool, std::convert::Infallible> {
    records.verify_once(&File::open(path).expect("readable"), &digest(path), || Ok(()))
}

/// Reports whether the file is remembered with this `digest`.
fn recalls_as(records: &Records, path: &Path, digest: &[u8; 32]) -> bool {
    records.recalls(&File::open(path).expect("readable"), digest)
}

fn recalls(records: &Records, path: &Path) -> bool {
    recalls_as(records, path, &digest(path))
}

fn is_root() -> bool {
    user_dir::user() == 0
}

#[test]
fn what_was_verified_is_recalled_and_nothing_else() {
    let folder = Folder::new("recalled");
    let records = folder.records();
    let path = folder.installed(&records, "a", b"content");
    let file = File::open(&path).expect("readable");
    assert!(!records.recalls(&file, &[0; 32]), "another digest");
    assert!(recalls(&folder.records(), &path), "another process");
    assert_eq!(verify(&records, &path), Ok(true));

    let failed = records.verify_once(&file, &[1; 32], || Err("no"));
    assert_eq!(failed, Err("no"));
    assert!(!records.recalls(&file, &[1; 32]));

    records.forget(&file).expect("it goes");
    assert!(!recalls(&records, &path));
    records.forget(&file).expect("once more does no harm");
    assert_eq!(verify(&records, &path), Ok(false));
    assert_eq!(records.clear().expect("they go"), 1);
    assert!(!recalls(&records, &path));
}

#[test]
fn no_alteration_by_its_owner_goes_unnoticed() {
    type Alter = fn(&Path);
    let alterations: [(&str, Alter); 11] = [
        ("written in place", |path| {
            let mut file = fs::OpenOptions::new().write(true).open(path).expect("ours");
            file.write_all(b"C").expect("writable");
        }),
        ("written in place, with the old time", |path| {
            let old = fs::metadata(path).expect("there").modified().expect("known");
            let mut file = fs::OpenOptions::new().write(true).open(path).expect("ours");
            file.write_all(b"C").expect("writable");
            file.set_times(FileTimes::new().set_modified(old)).expect("ours");
            assert_eq!(fs::metadata(path).expect("there").modified().expect("known"), old);
        }),
        ("truncated", |path| {
            let file = fs::OpenOptions::new().write(true).open(path).expect("ours");
            file.set_len(3).expect("writable");
        }),
        ("truncated and filled up", |path| {
            fs::write(path, b"CONTENT").expect("writable")
        }),
        ("appended to", |path| {
            let mut file = fs::OpenOptions::new().append(true).open(path).expect("ours");
            file.write_all(b"!").expect("writable");
        }),
        ("replaced by renaming", |path| {
            let other = path.with_extension("new");
            fs::write(&other, b"CONTENT").expect("writable");
            fs::rename(other, path).expect("ours");
        }),
        ("replaced by a hard link", |path| {
            let other = path.with_extension("new");
            fs::write(&other, b"CONTENT").expect("writable");
            fs::remove_file(path).expect("ours");
            fs::hard_link(other, path).expect("ours");
        }),
        ("replaced by a symbolic link", |path| {
            let other = path.with_extension("new");
            fs::write(&other, b"CONTENT").expect("writable");
            fs::remove_file(path).expect("ours");
            symlink(other, path).expect("ours");
        }),
        ("touched", |path| {
            let file = fs::OpenOptions::new().write(true).open(path).expect("ours");
            file.set_modified(SystemTime::now()).expect("ours");
        }),
        ("writable by its group", |path| {
            fs::set_permissions(path, Permissions::from_mode(0o664)).expect("ours");
        }),
        ("writable by others", |path| {
            fs::set_permissions(path, Permissions::from_mode(0o646)).expect("ours");
        }),
    ];
    let folder = Folder::new("altered");
    let records = folder.records();
    for (what, alter) in alterations {
        let path = folder.installed(&records, "file", b"content");
        let verified = digest(&path);
        alter(&path);
        assert!(
            !recalls_as(&records, &path, &verified),
            "{what}, with the old digest"
        );
        assert!(!recalls(&records, &path), "{what}, with its own digest");
        let _ = fs::remove_file(&path);
    }
}

#[test]
fn a_file_that_changed_back_is_still_another() {
    let folder = Folder::new("back");
    let records = folder.records();
    let path = folder.installed(&records, "file", b"content");
    fs::set_permissions(&path, Permissions::from_mode(0o666)).expect("ours");
    fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("ours");
    // Another user could have written the file, and still hold it open.
    assert!(!recalls(&records, &path));
    assert_eq!(verify(&records, &path), Ok(false));
    assert!(recalls(&records, &path));
}

#[test]
fn files_of_others_are_not_remembered() {
    if !is_root() {
        // Without the right to give files away, a file of root has to do: it counts as protected.
        let file = File::open("/etc/passwd").expect("readable");
        assert!(Identity::protected(&file).is_ok() || Identity::of(&file).is_ok_and(|file| file.owner != 0));
        return;
    }
    let folder = Folder::new("others");
    let records = folder.records();
    let path = folder.installed(&records, "file", b"content");
    chown(&path, Some(STRANGER), None).expect("root may");
    assert!(!recalls(&records, &path));
    let file = File::open(&path).expect("readable");
    let error = records.watch(&file).expect_err("its owner can change it");
    assert!(
        matches!(error, RecordsError::Exposed(Exposed::Owner(STRANGER))),
        "{error}"
    );
    assert_eq!(verify(&records, &path), Ok(false));
    assert!(!recalls(&records, &path), "verified, and not remembered");
    // Given back, it is still not the file that was verified.
    chown(&path, Some(0), None).expect("root may");
    assert!(!recalls(&records, &path));
}

#[test]
fn files_that_others_may_write_to_are_not_remembered() {
    let folder = Folder::new("writable");
    let records = folder.records();
    let path = folder.installed(&records, "file", b"content");
    for mode in [0o664, 0o646, 0o620, 0o602] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("ours");
        let error = records.watch(&File::open(&path).expect("readable"));
        assert!(
            matches!(error, Err(RecordsError::Exposed(Exposed::Writable(_)))),
            "{mode:o}"
        );
        assert_eq!(verify(&records, &path), Ok(false));
        assert!(!recalls(&records, &path), "{mode:o}");
    }
    let pipe = std::process::Command::new("true")
        .stdout(std::process::Stdio::piped())
        .spawn();
    let mut child = pipe.expect("it runs");
    let pipe: std::os::fd::OwnedFd = child.stdout.take().expect("piped").into();
    let error = records.watch(&File::from(pipe));
    assert!(matches!(error, Err(RecordsError::Exposed(Exposed::NotRegular))));
    child.wait().expect("it ends");
}

#[test]
fn a_file_that_changes_while_it_is_verified_is_not_remembered() {
    let folder = Folder::new("race");
    let records = folder.records();
    let path = folder.path("file");
    // Repeated, to meet the case that the change falls into the same tick of the clock as the write before.
    for round in 0..50_u8 {
        fs::write(&path, b"content").expect("writable");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("ours");
        let mut file = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .expect("ours");
        let before = records.watch(&file).expect("it settles");
        let digest = digest(&path);
        file.seek(SeekFrom::Start(0)).expect("it has a start");
        file.write_all(&[round]).expect("writable");
        let error = records.remember(&file, &digest, &before);
        assert!(matches!(error, Err(RecordsError::Changed)), "{round}: {error:?}");
        assert!(!records.recalls(&file, &digest));
        let stale = records.remember(
            &File::open(folder.path("verified/key")).expect("ours"),
            &digest,
            &before,
        );
        assert!(matches!(stale, Err(RecordsError::Changed)), "of another file");
    }
}

#[test]
fn a_change_right_after_it_was_remembered_shows() {
    let folder = Folder::new("tick");
    let records = folder.records();
    for round in 0..50_u8 {
        let path = folder.installed(&records, "file", b"content");
        let verified = digest(&path);
        let mut file = fs::OpenOptions::new().write(true).open(&path).expect("ours");
        file.write_all(&[round]).expect("writable");
        assert!(!recalls_as(&records, &path, &verified), "{round}");
        fs::remove_file(&path).expect("ours");
    }
}

#[test]
fn a_new_file_is_waited_for_and_not_for_long() {
    let folder = Folder::new("wait");
    let records = folder.records();
    for _ in 0..20 {
        fs::write(folder.path("file"), b"content").expect("writable");
        let file = File::open(folder.path("file")).expect("readable");
        let start = std::time::Instant::now();
        let before = records.watch(&file).expect("it settles");
        assert_eq!(before.0.unsettled(SystemTime::now()), Duration::ZERO);
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }
}

#[test]
fn a_record_is_of_one_file_and_one_key() {
    let folder = Folder::new("records");
    let records = folder.records();
    let (one, two) = (folder.path("one"), folder.path("two"));
    for path in [&one, &two] {
        fs::write(path, b"content").expect("writable");
        verify(&records, path).expect("no error");
    }
    let record =
        |path: &Path| records.path(&Identity::of(&File::open(path).expect("readable")).expect("known"));
    let (of_one, of_two) = (record(&one), record(&two));
    assert!(recalls(&records, &one) && recalls(&records, &two));

    // The record of another file with the same content.
    let (first, second) = (fs::read(&of_one).expect("ours"), fs::read(&of_two).expect("ours"));
    fs::write(&of_one, &second).expect("ours");
    assert!(!recalls(&records, &one));
    fs::write(&of_one, &first).expect("ours");
    assert!(recalls(&records, &one));

    // Every bit, every length.
    for bit in 0..8 * first.len() {
        let mut altered = first.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        fs::write(&of_one, &altered).expect("ours");
        assert!(!recalls(&records, &one), "bit {bit}");
    }
    for length in 0..first.len() {
        fs::write(&of_one, &first[..length]).expect("ours");
        assert!(!recalls(&records, &one), "{length} bytes");
    }
    fs::write(&of_one, [&first[..], b"!"].concat()).expect("ours");
    assert!(!recalls(&records, &one));
    fs::write(&of_one, vec![0; 1 << 20]).expect("ours");
    assert!(!recalls(&records, &one));

    // Paths that are not regular files; none may block.
    fs::remove_file(&of_one).expect("ours");
    assert!(!recalls(&records, &one));
    symlink(&of_two, &of_one).expect("ours");
    assert!(!recalls(&records, &one));
    fs::remove_file(&of_one).expect("ours");
    let made = std::process::Command::new("mkfifo").arg(&of_one).status();
    assert!(made.expect("it runs").success());
    assert!(!recalls(&records, &one));
    fs::remove_file(&of_one).expect("ours");
    assert_eq!(verify(&records, &one), Ok(false));
    assert!(recalls(&records, &one));

    // Another key.
    let key = folder.path("verified/key");
    let mut altered = fs::read(&key).expect("ours");
    assert_eq!(altered.len(), 32);
    altered[7] ^= 1;
    fs::write(&key, &altered).expect("ours");
    assert!(!recalls(&folder.records(), &one), "the key was altered");
    fs::remove_file(&key).expect("ours");
    assert!(!recalls(&folder.records(), &one), "the key was lost");
    assert_eq!(fs::metadata(&key).expect("there").mode() & 0o7777, 0o600);
}

#[test]
fn keys_that_others_know_are_refused() {
    let folder = Folder::new("key");
    let records = folder.records();
    folder.installed(&records, "file", b"content");
    let (verified, key) = (folder.path("verified"), folder.path("verified/key"));
    for mode in [0o644, 0o640, 0o604, 0o660] {
        fs::set_permissions(&key, Permissions::from_mode(mode)).expect("ours");
        let error = Records::open(&verified).expect_err("others know the key");
        assert!(
            matches!(&error, RecordsError::Private(PrivateError::KeyExposed { mode: found, .. }) if *found == mode),
            "{error}"
        );
    }
    fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("ours");
    let whole = fs::read(&key).expect("ours");
    for damaged in [&whole[..31], &[&whole[..], b"!"].concat(), &[0; 32], b""] {
        fs::write(&key, damaged).expect("ours");
        let error = Records::open(&verified).expect_err("it is damaged");
        assert!(
            matches!(error, RecordsError::Private(PrivateError::KeyDamaged(_))),
            "{error}"
        );
    }
    fs::write(&key, &whole).expect("ours");
    Records::open(&verified).expect("whole again");
    if is_root() {
        chown(&key, Some(STRANGER), None).expect("root may");
        let error = Records::open(&verified).expect_err("another's key");
        assert!(matches!(
            error,
            RecordsError::Private(PrivateError::Foreign { owner: STRANGER, .. })
        ));
    }
    fs::remove_file(&key).expect("ours");
    symlink(folder.path("file"), &key).expect("ours");
    assert!(Records::open(&verified).is_err(), "elsewhere");
}

#[test]
fn folders_of_others_are_refused() {
    let folder = Folder::new("folder");
    let verified = folder.path("deep/down/verified");
    Records::open(&verified).expect("it is made");
    assert_eq!(fs::metadata(&verified).expect("made").mode() & 0o7777, 0o700);
    for mode in [0o777, 0o770, 0o702, 0o720] {
        fs::set_permissions(&verified, Permissions::from_mode(mode)).expect("ours");
        let error = Records::open(&verified).expect_err("others may write");
        assert!(
            matches!(error, RecordsError::Private(PrivateError::Writable { .. })),
            "{error}"
        );
    }
    fs::set_permissions(&verified, Permissions::from_mode(0o755)).expect("ours");
    Records::open(&verified).expect("others may look");
    fs::write(folder.path("plain"), b"").expect("writable");
    let error = Records::open(&folder.path("plain")).expect_err("no folder");
    assert!(
        matches!(error, RecordsError::Private(PrivateError::NotFolder(_))),
        "{error}"
    );
    let below = Records::open(&folder.path("plain/below")).expect_err("no folder above");
    assert!(
        matches!(&below, RecordsError::Private(error) if error.is_unavailable()),
        "{below}"
    );
    if is_root() {
        chown(&verified, Some(STRANGER), None).expect("root may");
        let error = Records::open(&verified).expect_err("another's folder");
        assert!(
            matches!(&error, RecordsError::Private(PrivateError::Foreign { owner: STRANGER, path }) if *path == verified),
            "{error}"
        );
    }
}

#[test]
fn many_openers_get_one_key() {
    let folder = Folder::new("openers");
    for round in 0..20 {
        let verified = folder.path(&format!("verified-{round}"));
        let open = || {
            Records::open(&verified)
                .expect("it is made")
                .key
                .seal(b"one".to_vec())
        };
        let sealed: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("no panic"))
                .collect()
        });
        assert!(sealed.windows(2).all(|two| two[0] == two[1]), "round {round}");
        let left = disk::list(&verified).expect("readable");
        assert_eq!(left.len(), 1, "the key alone: {left:?}");
    }
}

/// Run by [`a_non_owner_changes_nothing`] as another user.
#[test]
fn as_another_user() {
    let Some(folder) = std::env::var_os("AIRSSYS_TEST_STRANGER").map(PathBuf::from) else {
        return;
    };
    assert_ne!(user_dir::user(), 0);
    let file = folder.join("file");
    assert!(fs::write(&file, b"CONTENT").is_err());
    assert!(fs::set_permissions(&file, Permissions::from_mode(0o666)).is_err());
    assert!(fs::rename(&file, folder.join("other")).is_err());
    assert!(fs::read(folder.join("verified/key")).is_err());
    let error = Records::open(&folder.join("verified")).expect_err("another's");
    assert!(
        matches!(error, RecordsError::Private(PrivateError::Foreign { .. })),
        "{error}"
    );
    // Root may change any file anyway, so this user may rely on root's file, too.
    assert!(Identity::protected(&File::open(&file).expect("readable")).is_ok());
    // In a folder that it may write to, it creates a file of its own.
    let open = folder.join("open");
    fs::rename(open.join("file"), open.join("old")).expect("anybody may");
    fs::write(open.join("file"), b"content").expect("anybody may");
    println!("altered as {}", user_dir::user());
}

#[test]
fn a_non_owner_changes_nothing() {
    if !is_root() {
        eprintln!("left out: only root can act as another user");
        return;
    }
    let folder = Folder::new("stranger");
    fs::set_permissions(&folder.0, Permissions::from_mode(0o755)).expect("ours");
    let records = folder.records();
    let path = folder.installed(&records, "file", b"content");
    let open = folder.path("open");
    fs::create_dir(&open).expect("ours");
    fs::set_permissions(&open, Permissions::from_mode(0o777)).expect("ours");
    let exposed = folder.installed(&records, "open/file", b"content");

    // The program itself may be where the other user has no access.
    let program = open.join("program");
    fs::copy(std::env::current_exe().expect("known"), &program).expect("room for it");
    fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("ours");
    let output = std::process::Command::new(&program)
        .args([
            "--exact",
            "artifact::records::tests::as_another_user",
            "--nocapture",
        ])
        .env("AIRSSYS_TEST_STRANGER", &folder.0)
        .current_dir("/")
        .uid(ANOTHER)
        .gid(ANOTHER)
        .output()
        .expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains(&format!("altered as {ANOTHER}")), "{text}");

    assert!(recalls(&records, &path), "it was out of reach");
    assert!(
        !recalls(&records, &exposed),
        "the same content, in a file of another's"
    );
    assert_eq!(verify(&records, &exposed), Ok(false));
    assert!(!recalls(&records, &exposed));
}

#[test]
fn records_do_not_pile_up() {
    let folder = Folder::new("pile");
    let records = folder.records();
    let verified = folder.path("verified");
    for record in 0..=RECORDS {
        fs::write(verified.join(format!("{:016x}-{record:016x}", 1)), b"").expect("writable");
    }
    let old = SystemTime::now() - 2 * disk::ABANDONED;
    for (name, time) in [("tmp-1", old), ("tmp-2", SystemTime::now())] {
        let file = File::create(verified.join(name)).expect("writable");
        file.set_modified(time).expect("ours");
    }
    let path = folder.installed(&records, "file", b"content");
    let left = disk::list(&verified).expect("readable");
    let count = left.iter().filter(|file| is_record(&file.name)).count();
    assert_eq!(count, RECORDS + 1 - RECORDS / 2 + 1);
    let temporary: Vec<_> = left.iter().filter(|file| file.name.starts_with("tmp-")).collect();
    assert!(
        temporary.len() == 1 && temporary[0].name == "tmp-2",
        "{temporary:?}"
    );
    assert!(verified.join("key").exists() && recalls(&records, &path));
}

#[test]
fn recalling_takes_microseconds() {
    let folder = Folder::new("time");
    let records = folder.records();
    let path = folder.installed(&records, "file", &vec![7; 1 << 20]);
    let file = File::open(&path).expect("readable");
    let digest = digest(&path);
    let start = std::time::Instant::now();
    for _ in 0..2000 {
        assert!(records.recalls(&file, &digest));
    }
    let time = start.elapsed() / 2000;
    println!("recalled in {time:?}");
    assert!(time < Duration::from_millis(1), "{time:?}");
}
