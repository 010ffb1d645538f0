//! The cache of compiled components, with many processes that are killed while they write.
//!
//! `cargo xtask cache-kills` runs the same test with more kills.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant, SystemTime};

use airssys_wasm::artifact::{
    Cache, CacheConfig, CacheKey, CachedFile, ComponentCache, MemoryLimits, cache_key,
};
use airssys_wasm::codec::{self, Codec};
use airssys_wasm::{ComponentOptions, ComponentRuntime, RuntimeConfig};

/// Environment variable that makes a process a writer: the cache's folder.
const WRITER: &str = "AIRSSYS_TEST_CACHE_WRITER";
/// Environment variables with the number of kills, and of parallel processes.
const KILLS: &str = "AIRSSYS_TEST_CACHE_KILLS";
const PROCESSES: &str = "AIRSSYS_TEST_CACHE_PROCESSES";

/// Times that the kills are repeated until one hits a process that writes.
const MOST_ROUNDS: u32 = 20;
const KEYS: u64 = 12;
/// Less than the size of all entries together, so that evictions keep happening.
const MAX_BYTES: u64 = 3 << 20;

/// A simple pseudorandom generator.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

fn key(name: u64) -> CacheKey {
    cache_key(&name.to_le_bytes(), b"a test")
}

/// Returns the content for a key: 1 KiB to 1 MiB.
fn content(name: u64) -> Vec<u8> {
    let mut random = Random(name ^ 0x5eed);
    let length = 1024 << (name % 11);
    (0..length).map(|_| random.below(256) as u8).collect()
}

fn open(dir: &Path) -> Cache {
    let mut config = CacheConfig::new(dir);
    config.max_bytes = MAX_BYTES;
    Cache::open(config).expect("the cache opens")
}

fn read(cached: &CachedFile) -> Vec<u8> {
    let mut bytes = Vec::new();
    (&cached.file).read_to_end(&mut bytes).expect("readable");
    bytes
}

/// Writes and reads until it is killed. Run by [`killed_writers_leave_no_bad_entry`].
#[test]
fn as_a_writer() {
    let Some(dir) = std::env::var_os(WRITER).map(PathBuf::from) else {
        return;
    };
    let end = Instant::now() + Duration::from_secs(120);
    let log = OpenOptions::new().append(true).open(dir.with_extension("log"));
    let mut log = log.expect("the other process made it");
    let nanoseconds = SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_nanos();
    let mut random = Random(nanoseconds as u64 ^ u64::from(std::process::id()) << 32);
    let contents: Vec<_> = (0..KEYS).map(content).collect();
    let cache = open(&dir);
    while Instant::now() < end {
        let name = random.below(KEYS);
        let expected = &contents[name as usize];
        let did = match random.below(20) {
            0 => {
                cache.prune(MAX_BYTES / 2).expect("it can be removed from");
                b'p'
            }
            1..8 => {
                assert!(cache.put(&key(name), expected), "the disk is well");
                b's'
            }
            _ => match cache.get(&key(name)) {
                None => b'm',
                Some(found) if read(&found) == *expected => b'h',
                Some(_) => b'X',
            },
        };
        log.write_all(&[did]).expect("writable");
    }
}

fn start(dir: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("known"));
    command.args(["--exact", "as_a_writer"]).env(WRITER, dir);
    command.stdout(std::process::Stdio::null());
    command.spawn().expect("it starts")
}

fn count(variable: &str, default: usize) -> usize {
    std::env::var(variable).map_or(default, |value| value.parse().expect("a number"))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("readable");
    entries.map(|entry| entry.expect("readable").path()).collect()
}

#[test]
fn killed_writers_leave_no_bad_entry() {
    let (kills, processes) = (count(KILLS, 40), count(PROCESSES, 4));
    let folder = std::env::temp_dir().join(format!("airssys-cache-kills-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("writable");
    let dir = folder.join("cache");
    let log = dir.with_extension("log");
    File::create(&log).expect("writable");
    let contents: Vec<_> = (0..KEYS).map(content).collect();
    let is_right = |cache: &Cache, name: u64| match cache.get(&key(name)) {
        Some(found) => {
            assert!(
                read(&found) == contents[name as usize],
                "bad content under key {name}"
            );
            true
        }
        None => false,
    };

    let done = |what: u8| {
        let did = fs::read(&log).expect("readable");
        did.iter().filter(|did| **did == what).count()
    };
    let mut random = Random(kills as u64);
    let (mut own_reads, mut rounds) = (0, 0);
    let info = loop {
        // All start at once, the first time in a folder that does not exist: they create it, and its key.
        let mut children: Vec<_> = (0..processes).map(|_| start(&dir)).collect();
        std::thread::sleep(Duration::from_millis(200));
        let cache = open(&dir);
        for _ in 0..kills {
            std::thread::sleep(Duration::from_micros(random.below(25_000)));
            let child = &mut children[random.below(processes as u64) as usize];
            let ended = child.try_wait().expect("known");
            assert!(ended.is_none(), "a writer ended by itself: {ended:?}");
            child.kill().expect("it runs");
            child.wait().expect("it is dead");
            *child = start(&dir);
            own_reads += usize::from(is_right(&cache, random.below(KEYS)));
        }
        for child in &mut children {
            child.kill().expect("it runs");
            child.wait().expect("it is dead");
        }
        rounds += 1;
        let info = open(&dir).info().expect("readable");
        // Chance decides on whether one was killed while it wrote: a fast disk makes it rare. Some came to do nothing else.
        let hit = info.leftover_files > 0 || kills < 40;
        let (stored, hits) = (done(b's'), done(b'h'));
        if hit && stored > kills / 4 && hits > kills / 4 || rounds == MOST_ROUNDS {
            break info;
        }
    };

    let (stored, hits, misses, pruned, bad) = (done(b's'), done(b'h'), done(b'm'), done(b'p'), done(b'X'));
    let cache = open(&dir);
    let left = (0..KEYS).filter(|name| is_right(&cache, *name)).count();
    println!(
        "{rounds} times {kills} kills of {processes} processes that stored {stored} times, read {hits} ({misses} times nothing), pruned \
         {pruned} times; bad reads: {bad}; read meanwhile: {own_reads}; afterwards {left} entries of {KEYS} keys, {} \
         unfinished files",
        info.leftover_files
    );
    assert_eq!(bad, 0);
    assert!(
        stored > kills / 4 && hits > kills / 4,
        "they hardly came to write and read"
    );
    assert!(
        info.leftover_files > 0 || kills < 40,
        "none was killed while it wrote"
    );

    // Every file that is named by a digest has that digest.
    for path in files(&dir.join("files")) {
        let name = path
            .file_name()
            .expect("it has one")
            .to_string_lossy()
            .into_owned();
        if let Some(digest) = name.strip_suffix(".cwasm") {
            let bytes = fs::read(&path).expect("readable");
            assert_eq!(blake3::hash(&bytes).to_hex().as_str(), digest);
        }
    }
    // Leftovers are removed once they are old.
    let old = SystemTime::now() - Duration::from_secs(3600);
    for path in files(&dir.join("files"))
        .into_iter()
        .chain(files(&dir.join("entries")))
    {
        let file = File::open(path).expect("readable");
        file.set_modified(old).expect("ours");
    }
    cache.prune(MAX_BYTES).expect("it can be removed from");
    assert_eq!(cache.info().expect("readable").leftover_files, 0);
    for name in 0..KEYS {
        assert!(
            cache.put(&key(name), &contents[name as usize]),
            "the cache goes on"
        );
        assert!(is_right(&cache, name));
    }
    let info = cache.info().expect("readable");
    assert!(info.bytes <= MAX_BYTES && info.leftover_files == 0, "{info:?}");
    fs::remove_dir_all(&folder).expect("ours");
}

#[test]
fn runtimes_share_what_is_compiled() {
    let dir = std::env::temp_dir().join(format!("airssys-cache-runtimes-{}", std::process::id()));
    let open = || ComponentCache::open(MemoryLimits::default(), CacheConfig::new(&dir)).expect("it is ours");
    let answer = |cache: Option<&ComponentCache>| {
        let config = RuntimeConfig::builder();
        let config = match cache {
            Some(cache) => config.with_cache(cache.clone()),
            None => config.with_cache(open()).without_cache(),
        };
        let config = config.build().expect("a backend");
        assert_eq!(config.cache().is_some(), cache.is_some());
        let runtime = ComponentRuntime::new(config).expect("the contract is defined");
        let id = runtime
            .load_component_from_file(
                airssys_wasm_test_support::fixture_path("text-processor.wasm"),
                ComponentOptions::new(),
            )
            .expect("it loads");
        runtime.init(&id).expect("it begins");
        let params = serde_json::json!({"text": "to be or not to be"});
        let operation = codec::operation(Codec::Json, "word-count", &params).expect("it is written");
        let answer = runtime.execute(&id, &operation).expect("it answers");
        codec::to_json(&codec::decode(&answer).expect("readable")).expect("JSON")
    };
    let expected = answer(None);
    let (first, second) = (open(), open());
    for cache in [&first, &first, &second] {
        assert_eq!(answer(Some(cache)), expected);
    }
    let (first, second) = (first.counters(), second.counters());
    assert_eq!((first.compiled, first.memory_hits, first.disk_hits), (1, 1, 0));
    assert_eq!((second.compiled, second.memory_hits, second.disk_hits), (0, 0, 1));
    fs::remove_dir_all(&dir).expect("ours");
}
