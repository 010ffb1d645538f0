//! Changes by the host, or another program, while the guest works; and special files.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::bench::{Bench, DATA, at, between, call, open};

const OPENED: u32 = 3;

/// Ends the other thread when the test does, also when it fails.
struct Ended<'a>(&'a AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Replaces a directory by a link to the outside.
fn swap(bench: &Bench) {
    fs::rename(bench.host("data/sub"), bench.host("data/was-sub")).unwrap();
    symlink("../secret", bench.host("data/sub")).unwrap();
}

#[test]
fn a_link_swapped_in_between_calls_is_not_followed() {
    let calls = [
        open(DATA, "sub/secret.txt", "read"),
        open(DATA, "sub/secret.txt", "write truncate"),
        open(DATA, "sub/new", "write create"),
        at("stat-at", DATA, "sub/secret.txt"),
        at("unlink-file-at", DATA, "sub/secret.txt"),
        at("create-directory-at", DATA, "sub/new"),
        at("remove-directory-at", DATA, "sub/."),
        at("set-times-at", DATA, "sub/secret.txt"),
        at("metadata-hash-at", DATA, "sub/secret.txt"),
        at("readlink-at", DATA, "sub/secret.txt"),
        between("symlink-at", DATA, "x", DATA, "sub/new"),
        between("link-at", DATA, "sub/secret.txt", DATA, "new"),
        between("link-at", DATA, "hello.txt", DATA, "sub/new"),
        between("rename-at", DATA, "sub/secret.txt", DATA, "new"),
        between("rename-at", DATA, "hello.txt", DATA, "sub/new"),
    ];
    for step in calls {
        let mut bench = Bench::new();
        assert_eq!(
            bench.take(at("stat-at", DATA, "sub/inner.txt")),
            "ok regular-file 5"
        );
        swap(&bench);
        let (name, path) = (step.call.clone(), step.path.clone());
        assert_eq!(bench.take(step), "not-permitted", "{name} {path}");
        bench.unharmed().unwrap();
    }
}

#[test]
fn an_open_directory_is_the_one_that_was_opened() {
    let mut bench = Bench::new();
    assert_eq!(bench.take(open(DATA, "sub", "read directory")), "ok 3");
    swap(&bench);
    assert_eq!(
        bench.take(call("list", OPENED)),
        "deeper directory, inner.txt regular-file"
    );
    assert_eq!(bench.take(open(OPENED, "secret.txt", "read")), "no-entry");
    assert_eq!(bench.take(open(OPENED, "inner.txt", "read")), "ok 4");
    // Moved out of the folder by the host, it still is the opened directory, and nothing above it can be reached.
    fs::rename(bench.host("data/was-sub"), bench.host("moved")).unwrap();
    assert_eq!(
        bench.take(open(OPENED, "../secret/secret.txt", "read")),
        "not-permitted"
    );
    assert_eq!(
        bench.take(call("list", OPENED)),
        "deeper directory, inner.txt regular-file"
    );
}

#[test]
fn a_link_that_is_swapped_all_the_time_is_never_followed() {
    let mut bench = Bench::new();
    let (place, links) = (bench.host("data/place"), bench.host("data/links"));
    fs::create_dir(bench.host("data/real")).unwrap();
    fs::write(bench.host("data/real/secret.txt"), "decoy").unwrap();
    symlink("real", &place).unwrap();
    let stop = AtomicBool::new(false);
    let (mut decoys, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut out = true;
            while !stop.load(Ordering::Relaxed) {
                let target = if out { "../secret" } else { "real" };
                let _ = fs::remove_file(&links);
                let _ = symlink(target, &links);
                let _ = fs::rename(&links, &place);
                out = !out;
            }
        });
        let _ended = Ended(&stop);
        // At least 2000 tries, and as many more as it takes the two threads to meet with the link in either state.
        let last = Instant::now() + Duration::from_secs(60);
        while decoys + refused < 2000 || ((decoys == 0 || refused == 0) && Instant::now() < last) {
            let answer = bench.take(open(DATA, "place/secret.txt", "read"));
            let Some(opened) = answer.strip_prefix("ok ") else {
                refused += 1;
                assert!(
                    ["not-permitted", "no-entry", "loop", "would-block"].contains(&answer.as_str()),
                    "{answer}"
                );
                continue;
            };
            let opened = opened.parse().unwrap();
            assert_eq!(bench.take(call("read", opened)), "ok \"decoy\" false");
            assert_eq!(bench.take(call("drop", opened)), "ok");
            decoys += 1;
        }
    });
    println!("{decoys} opened, {refused} refused");
    assert!(
        decoys > 0 && refused > 0,
        "{decoys} opened, {refused} refused: there was no race"
    );
    bench.unharmed().unwrap();
}

#[test]
fn names_that_are_not_unicode_are_errors_and_the_others_are_told() {
    let mut bench = Bench::new();
    let odd = OsStr::from_bytes(b"odd-\xff\xfe");
    fs::write(bench.host("more").join(odd), "").unwrap();
    fs::write(bench.host("more/plain"), "").unwrap();
    symlink(odd, bench.host("more/link")).unwrap();
    assert_eq!(
        bench.take(call("list", crate::bench::MORE)),
        "illegal-byte-sequence, link symbolic-link, plain regular-file"
    );
    assert_eq!(
        bench.take(at("readlink-at", crate::bench::MORE, "link")),
        "illegal-byte-sequence"
    );
    // The link makes it reachable, although the guest cannot name its target.
    assert_eq!(
        bench.take(open(crate::bench::MORE, "link", "read symlink-follow")),
        "ok 3"
    );
}

#[test]
fn pipes_and_devices_do_not_hold_the_thread() {
    let mut bench = Bench::new();
    let pipe = bench.host("more/pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo is there");
    let more = crate::bench::MORE;
    assert_eq!(bench.take(call("list", more)), "pipe fifo");
    assert_eq!(bench.take(at("stat-at", more, "pipe")), "ok fifo 0");
    // The other end is not open.
    assert_eq!(bench.take(open(more, "pipe", "write")), "no-such-device");
    assert_eq!(bench.take(open(more, "pipe", "read")), "ok 3");
    assert_eq!(bench.take(call("get-type", OPENED)), "ok fifo");
    // Pipes have no offsets.
    assert_eq!(bench.take(call("read", OPENED)), "invalid-seek");
    assert_eq!(bench.take(call("read-via-stream", OPENED)), "failed invalid-seek");
    assert_eq!(bench.take(open(more, "pipe", "read directory")), "not-directory");
    assert_eq!(bench.take(open(more, "pipe", "write directory")), "not-directory");
    // Its timestamps are changed without opening it.
    symlink("pipe", bench.host("more/to-pipe")).unwrap();
    for path in ["pipe", "to-pipe"] {
        assert_eq!(
            bench.take(at("set-times-at", more, path).with("symlink-follow")),
            "ok"
        );
    }
}

#[test]
fn a_file_that_others_shorten_ends_where_it_ends() {
    let mut bench = Bench::new();
    assert_eq!(bench.take(open(DATA, "hello.txt", "read write")), "ok 3");
    fs::write(bench.host("data/hello.txt"), "he").unwrap();
    assert_eq!(bench.take(call("read", OPENED)), "ok \"he\" false");
    assert_eq!(bench.take(call("read", OPENED).number(4)), "ok \"\" true");
    fs::remove_file(bench.host("data/hello.txt")).unwrap();
    assert_eq!(bench.take(call("write", OPENED)), "ok 1");
    assert_eq!(bench.take(call("stat", OPENED)), "ok regular-file 2");
    assert_eq!(bench.take(at("stat-at", DATA, "hello.txt")), "no-entry");
}

#[test]
fn a_folder_that_the_host_removes_is_empty() {
    let mut bench = Bench::new();
    fs::remove_dir(bench.host("more")).unwrap();
    let more = crate::bench::MORE;
    assert_eq!(bench.take(call("list", more)), "");
    assert_eq!(bench.take(open(more, "new", "write create")), "no-entry");
    assert_eq!(bench.take(at("create-directory-at", more, "new")), "no-entry");
}

#[test]
fn what_the_host_may_not_do_the_guest_may_not() {
    use std::os::unix::fs::PermissionsExt;

    let mut bench = Bench::new();
    fs::set_permissions(bench.host("data/hello.txt"), fs::Permissions::from_mode(0o0)).unwrap();
    // A process with all rights gets no error: the guest sees the host's own result.
    let expected = match fs::File::open(bench.host("data/hello.txt")) {
        Ok(_) => "ok 3",
        Err(_) => "access",
    };
    assert_eq!(bench.take(open(DATA, "hello.txt", "read")), expected);
}
