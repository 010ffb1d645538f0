use super::*;
use crate::artifact::format::FORMAT;
use std::fs;

/// A folder that is removed with the test.
pub(in crate::artifact) struct Folder(pub(in crate::artifact) PathBuf);

impl Folder {
    pub(in crate::artifact) fn new(name: &str) -> Folder {
        #[cfg(target_os = "linux")]
        let temporary = crate::artifact::records::tests::temporary();
        #[cfg(not(target_os = "linux"))]
        let temporary = std::env::temp_dir();
        let path = temporary.join(format!("airssys-cache-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Folder(path)
    }

    pub(super) fn cache(&self) -> Cache {
        self.limited(1 << 30)
    }

    pub(super) fn limited(&self, max_bytes: u64) -> Cache {
        Cache::open(CacheConfig {
            dir: self.0.clone(),
            max_bytes,
        })
        .expect("it is ours")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(super) fn key(name: u8) -> CacheKey {
    cache_key(&[name], b"tests")
}

pub(super) fn content(name: u8, bytes: usize) -> Vec<u8> {
    let mut content = vec![0; bytes];
    let mut reader = blake3::Hasher::new().update(&[name]).finalize_xof();
    reader.fill(&mut content);
    content
}

fn read(cached: &CachedFile) -> Vec<u8> {
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut &cached.file, &mut bytes).expect("readable");
    assert_eq!(bytes.len() as u64, cached.bytes);
    bytes
}

pub(super) fn got(cache: &Cache, name: u8) -> Option<Vec<u8>> {
    cache.get(&key(name)).map(|cached| read(&cached))
}

/// Sets the noted use of an entry.
fn used(cache: &Cache, name: u8, seconds_ago: u64) {
    let file = File::open(cache.entries.join(key(name).to_string())).expect("there");
    let time = SystemTime::now() - Duration::from_secs(seconds_ago);
    file.set_modified(time).expect("ours");
}

fn file_of(cache: &Cache, name: u8) -> PathBuf {
    cache.get(&key(name)).expect("there").path
}

#[test]
fn what_is_stored_is_found() {
    let folder = Folder::new("found");
    let cache = folder.cache();
    assert_eq!(got(&cache, 1), None);
    assert!(cache.put(&key(1), &content(1, 100_000)));
    assert!(cache.put(&key(2), b""));
    assert_eq!(got(&cache, 1), Some(content(1, 100_000)));
    assert_eq!(got(&cache, 1), Some(content(1, 100_000)), "recalled");
    assert_eq!(got(&cache, 2), Some(Vec::new()));
    assert_eq!(got(&cache, 3), None);
    assert!(cache.put(&key(1), b"another"));
    assert_eq!(
        got(&folder.cache(), 1),
        Some(b"another".to_vec()),
        "another process"
    );
    let counters = cache.counters();
    assert_eq!((counters.hits, counters.misses, counters.stored), (3, 2, 3));
    assert_eq!((counters.removed, counters.failed_writes), (0, 0));
    cache.remove(&key(1));
    assert_eq!(got(&cache, 1), None);
}

#[test]
fn keys_tell_what_they_are_made_of() {
    let keys = [
        cache_key(b"a", b"b"),
        cache_key(b"ab", b""),
        cache_key(b"", b"ab"),
        cache_key(b"a", b"c"),
        cache_key(b"b", b"b"),
        Digested::new(b"a").key_in_format(b"b", FORMAT - 1),
        Digested::new(b"a").key_in_format(b"b", FORMAT + 1),
    ];
    let different: std::collections::BTreeSet<_> = keys.iter().collect();
    assert_eq!(different.len(), keys.len());
    assert_eq!(cache_key(b"a", b"b"), keys[0]);
    assert_eq!(keys[0].to_string().len(), 64);
}

#[cfg(unix)]
#[test]
fn everything_is_this_users_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("modes");
    let cache = folder.cache();
    assert!(cache.put(&key(1), b"content") && cache.get(&key(1)).is_some());
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o7777;
    let mut seen = 0;
    for below in [".", "entries", "files", "verified"] {
        let below = folder.0.join(below);
        assert_eq!(mode(&below), 0o700, "{}", below.display());
        for file in disk::list(&below).expect("readable") {
            assert_eq!(mode(&file.path), 0o600, "{}", file.path.display());
            seen += 1;
        }
    }
    let expected = if cfg!(target_os = "linux") { 4 } else { 3 };
    assert_eq!(
        seen, expected,
        "an entry, a file, a key, a record where there are any"
    );

    for below in ["", "entries", "files", "verified"] {
        let below = folder.0.join(below);
        fs::set_permissions(&below, fs::Permissions::from_mode(0o777)).expect("ours");
        let error = Cache::open(CacheConfig::new(&folder.0)).expect_err("others may write");
        assert!(!error.is_unavailable(), "{error}");
        fs::set_permissions(&below, fs::Permissions::from_mode(0o700)).expect("ours");
    }
}

#[test]
fn what_was_altered_is_a_miss_and_removed() {
    let folder = Folder::new("altered");
    let cache = folder.cache();
    type Alter = fn(&Path);
    let alterations: [(&str, Alter); 6] = [
        ("altered", |path| {
            let mut bytes = fs::read(path).expect("ours");
            bytes[500] ^= 1;
            fs::write(path, bytes).expect("ours");
        }),
        ("cut off", |path| {
            let bytes = fs::read(path).expect("ours");
            fs::write(path, &bytes[..bytes.len() - 1]).expect("ours");
        }),
        ("longer", |path| {
            let bytes = fs::read(path).expect("ours");
            fs::write(path, [&bytes[..], b"!"].concat()).expect("ours");
        }),
        ("empty", |path| fs::write(path, b"").expect("ours")),
        ("gone", |path| fs::remove_file(path).expect("ours")),
        ("a folder", |path| {
            fs::remove_file(path).expect("ours");
            fs::create_dir(path).expect("ours");
        }),
    ];
    for (what, alter) in alterations {
        assert!(cache.put(&key(1), &content(1, 1000)), "{what}");
        let path = file_of(&cache, 1);
        alter(&path);
        assert_eq!(got(&cache, 1), None, "{what}");
        assert!(
            !cache.entries.join(key(1).to_string()).exists(),
            "{what}: the entry is removed"
        );
        let _ = fs::remove_dir(&path);
        assert!(!path.exists(), "{what}: the file is removed");
    }
    assert_eq!(cache.counters().removed, alterations.len() as u64);
}

#[cfg(unix)]
#[test]
fn what_others_could_alter_is_a_miss_and_removed() {
    use std::os::unix::fs::{PermissionsExt, chown};
    let folder = Folder::new("exposed");
    let cache = folder.cache();
    for mode in [0o620, 0o602, 0o666] {
        assert!(cache.put(&key(1), &content(1, 1000)));
        let path = file_of(&cache, 1);
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("ours");
        assert_eq!(got(&cache, 1), None, "{mode:o}");
        assert!(!path.exists(), "{mode:o}");
    }
    if user_dir::user() == 0 {
        assert!(cache.put(&key(1), &content(1, 1000)));
        let path = file_of(&cache, 1);
        chown(&path, Some(12_345), None).expect("root may");
        assert_eq!(got(&cache, 1), None);
        assert!(!path.exists());
    }
}

#[test]
fn no_entry_is_taken_for_another() {
    let folder = Folder::new("entries");
    let cache = folder.cache();
    let entry = |name| cache.entries.join(key(name).to_string());
    let put = |name| assert!(cache.put(&key(name), &content(name, 1000)));
    put(1);
    put(2);
    fs::copy(entry(2), entry(1)).expect("ours");
    assert_eq!(got(&cache, 1), None, "another's entry");
    assert!(!entry(1).exists() && got(&cache, 2).is_some());
    put(1);
    let written = fs::read(entry(1)).expect("ours");
    assert_eq!(written.len(), ENTRY_BYTES);
    for bit in 0..8 * written.len() {
        let mut altered = written.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        fs::write(entry(1), &altered).expect("ours");
        assert_eq!(got(&cache, 1), None, "bit {bit}");
    }
    for length in 0..written.len() {
        fs::write(entry(1), &written[..length]).expect("ours");
        assert_eq!(got(&cache, 1), None, "{length} bytes");
    }
    fs::write(entry(1), &written).expect("ours");
    assert_eq!(got(&cache, 1), Some(content(1, 1000)));

    // Content that was stored, with the user's other content in its place.
    fs::copy(file_of(&cache, 2), file_of(&cache, 1)).expect("ours");
    assert_eq!(got(&cache, 1), None);
    put(1);

    // Another user's key: nothing that was stored counts.
    fs::remove_file(folder.0.join("verified/key")).expect("ours");
    assert_eq!(got(&folder.cache(), 1), None);
    assert_eq!(folder.cache().info().expect("readable").entries, 0);
}

#[cfg(unix)]
#[test]
fn links_and_pipes_are_not_followed() {
    let folder = Folder::new("links");
    let cache = folder.cache();
    assert!(cache.put(&key(1), b"one") && cache.put(&key(2), b"two"));
    let entry = |name| cache.entries.join(key(name).to_string());
    let (one, two) = (file_of(&cache, 1), file_of(&cache, 2));
    fs::remove_file(&one).expect("ours");
    std::os::unix::fs::symlink(two, &one).expect("ours");
    assert_eq!(got(&cache, 1), None);
    assert!(!entry(1).exists());
    let made = std::process::Command::new("mkfifo").arg(entry(1)).status();
    assert!(made.expect("it runs").success());
    assert_eq!(got(&cache, 1), None);
    assert!(!entry(1).exists() && got(&cache, 2).is_some());
}

#[test]
fn what_was_not_used_for_longest_goes_first() {
    let folder = Folder::new("room");
    let cache = folder.limited(10_000);
    for name in 1..=3 {
        assert!(cache.put(&key(name), &content(name, 3000)));
        used(&cache, name, 1000 - u64::from(name));
    }
    assert!(got(&cache, 1).is_some(), "its use is noted");
    assert!(cache.put(&key(4), &content(4, 3000)));
    let left: Vec<u8> = (1..=4).filter(|name| got(&cache, *name).is_some()).collect();
    assert_eq!(left, [1, 3, 4]);
    let info = cache.info().expect("readable");
    assert_eq!((info.entries, info.bytes, info.leftover_files), (3, 9000, 0));
    assert_eq!((info.max_bytes, info.dir), (10_000, folder.0.clone()));

    assert!(!cache.put(&key(5), &content(5, 10_001)), "more than all of it");
    assert_eq!(cache.info().expect("readable").entries, 3);
    // The entry stored last is kept, whatever the clock says.
    for name in [1, 3, 4] {
        let file = File::open(cache.entries.join(key(name).to_string())).expect("there");
        file.set_modified(SystemTime::now() + Duration::from_secs(50))
            .expect("ours");
    }
    assert!(cache.put(&key(6), &content(6, 10_000)));
    let left: Vec<u8> = (1..=6).filter(|name| got(&cache, *name).is_some()).collect();
    assert_eq!(left, [6]);

    let pruned = cache.prune(10_000).expect("it goes");
    assert_eq!(pruned, Pruned::default());
    let pruned = cache.prune(9999).expect("it goes");
    assert_eq!((pruned.entries, pruned.bytes), (1, 10_000));
    assert_eq!(cache.info().expect("readable").bytes, 0);
    // One record for each file there is, and the key.
    assert_eq!(disk::list(&folder.0.join("verified")).expect("readable").len(), 1);
}

#[test]
fn uses_are_noted_rarely_and_change_no_identity() {
    let folder = Folder::new("noted");
    let cache = folder.cache();
    assert!(cache.put(&key(1), b"content"));
    let modified = |cache: &Cache| {
        let file = cache.entries.join(key(1).to_string());
        fs::metadata(file).expect("there").modified().expect("known")
    };
    used(&cache, 1, 30);
    let noted = modified(&cache);
    assert!(got(&cache, 1).is_some());
    assert_eq!(modified(&cache), noted);
    used(&cache, 1, 90);
    let before = SystemTime::now() - Duration::from_secs(1);
    let file = cache.get(&key(1)).expect("there");
    assert!(modified(&cache) > before);
    if cfg!(target_os = "linux") {
        assert!(cache.records.recalls(&file.file, &file.digest));
    }
}

#[test]
fn keys_with_the_same_content_share_a_file() {
    let folder = Folder::new("shared");
    let cache = folder.cache();
    for name in [1, 2] {
        assert!(cache.put(&key(name), b"content"));
        used(&cache, name, 1000 - u64::from(name));
    }
    let info = cache.info().expect("readable");
    assert_eq!((info.entries, info.bytes), (2, 7));
    assert!(cache.put(&key(3), &content(3, 100)));
    let pruned = cache.prune(107).expect("nothing goes");
    assert_eq!(pruned.entries, 0);
    let pruned = cache.prune(106).expect("they go");
    assert_eq!((pruned.entries, pruned.bytes), (2, 7));
    assert!(got(&cache, 3).is_some());
}

#[test]
fn what_killed_processes_left_goes_after_a_time() {
    let folder = Folder::new("left");
    let cache = folder.cache();
    assert!(cache.put(&key(1), b"content"));
    let old = SystemTime::now() - disk::ABANDONED - Duration::from_secs(1);
    let nobodys = format!("{}.cwasm", blake3::hash(b"nobody's").to_hex());
    for (below, name) in [("entries", "tmp-1"), ("files", "tmp-2"), ("files", &nobodys)] {
        let file = folder.0.join(below).join(name);
        fs::write(&file, b"left").expect("ours");
    }
    fs::write(folder.0.join("files/tmp-new"), b"new").expect("ours");
    fs::write(folder.0.join("files/foreign.txt"), b"not of the cache").expect("ours");
    let info = cache.info().expect("readable");
    assert_eq!((info.leftover_files, info.leftover_bytes), (4, 15));
    assert_eq!(cache.prune(u64::MAX).expect("nothing goes"), Pruned::default());
    for (below, name) in [("entries", "tmp-1"), ("files", "tmp-2"), ("files", &nobodys)] {
        let file = File::open(folder.0.join(below).join(name)).expect("still there");
        file.set_modified(old).expect("ours");
    }
    assert!(cache.put(&key(2), b"another"), "which makes room");
    let info = cache.info().expect("readable");
    assert_eq!(
        (info.entries, info.leftover_files, info.leftover_bytes),
        (2, 1, 3)
    );

    let pruned = cache.clear().expect("all goes");
    assert_eq!((pruned.entries, pruned.leftover_files), (2, 1));
    assert!(folder.0.join("files/foreign.txt").exists());
    let info = cache.info().expect("readable");
    assert_eq!((info.entries, info.leftover_files), (0, 0));
    assert_eq!(got(&cache, 1), None);
    assert!(cache.put(&key(1), b"content") && got(&cache, 1).is_some());
}

#[test]
fn threads_share_a_cache() {
    let folder = Folder::new("threads");
    let cache = folder.limited(40_000);
    std::thread::scope(|scope| {
        for thread in 0..4_u8 {
            let cache = &cache;
            scope.spawn(move || {
                for round in 0..40_u8 {
                    let name = (round.wrapping_mul(7) + thread) % 6;
                    match got(cache, name) {
                        Some(found) => assert_eq!(found, content(name, 10_000)),
                        None => assert!(cache.put(&key(name), &content(name, 10_000))),
                    }
                }
            });
        }
    });
    let info = cache.info().expect("readable");
    assert!(info.bytes <= 40_000 && info.entries > 0, "{info:?}");
    assert_eq!(info.leftover_files, 0);
}
