//! A process that is killed at random moments: what it reported is in the file, and what it removed is not.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Folder, bounds, open};

/// The file of the process that is killed.
const FILE: &str = "AIRSSYS_STORE_KILL_FILE";
/// Number of kills; 40 by default.
const ROUNDS: &str = "AIRSSYS_STORE_KILL_ROUNDS";

/// Times that the number of kills is repeated until each change was seen.
const MOST: u64 = 10;

/// Random numbers (xorshift), for moments and changes.
struct Random(u64);

impl Random {
    fn new() -> Random {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Random(u64::from(time.subsec_nanos()) << 20 | u64::from(std::process::id()) | 1)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// The process that is killed: makes changes without end, and prints a line before and after each.
#[test]
fn child() {
    let Some(path) = std::env::var_os(FILE) else {
        return;
    };
    let store = open(Path::new(&path));
    let mut random = Random::new();
    // A line is one write, so that lines of both threads stay whole.
    let say = |line: String| {
        let mut output = std::io::stdout().lock();
        output
            .write_all(format!("\n@{line}\n").as_bytes())
            .expect("the parent reads");
        output.flush().expect("the parent reads");
    };
    let mut entries: Vec<(u64, u64)> = Vec::new();
    for entry in store.queue("a", None, usize::MAX).unwrap() {
        entries.push((
            entry.number,
            u64::from_le_bytes(entry.value[..8].try_into().unwrap()),
        ));
    }
    let (appended, more) = std::sync::mpsc::channel();
    let mut value = random.below(1 << 60) << 4;
    loop {
        entries.extend(more.try_iter());
        match random.below(8) {
            0..4 => {
                value += 1;
                let (own, appended) = (value, appended.clone());
                let mut bytes = own.to_le_bytes().to_vec();
                bytes.resize(8 + usize::try_from(random.below(2000)).unwrap(), 7);
                say(format!("append? {own}"));
                store.append("a", bytes, Some(own.to_le_bytes().to_vec()), move |result| {
                    if let Ok(result) = result {
                        say(format!("append {own}"));
                        let _ = appended.send((result.number(), own));
                    }
                });
            }
            4..6 if !entries.is_empty() => {
                let at = usize::try_from(random.below(entries.len() as u64)).unwrap();
                let (number, own) = entries.swap_remove(at);
                say(format!("remove? {own}"));
                store.remove("a", number, move |result| {
                    if result == Ok(true) {
                        say(format!("remove {own}"));
                    }
                });
            }
            6 => {
                value += 1;
                let own = value;
                say(format!("set? {own}"));
                store.set("a", "key", own.to_le_bytes().to_vec(), bounds(), move |result| {
                    if result.is_ok() {
                        say(format!("set {own}"));
                    }
                });
            }
            _ => {
                let _ = store.blocking().flush();
            }
        }
    }
}

/// Content that the file may have.
#[derive(Default)]
struct Model {
    /// Entries that were reported as appended, and not as removed.
    present: BTreeSet<u64>,
    /// Entries of which that is not known.
    unknown: BTreeSet<u64>,
    removed: BTreeSet<u64>,
    /// The configuration value: the last that was reported, and those after it.
    set: Vec<Option<u64>>,
}

impl Model {
    fn read(&mut self, line: &str) {
        let Some((what, number)) = line.strip_prefix('@').and_then(|line| line.split_once(' ')) else {
            return;
        };
        let Ok(number) = number.parse::<u64>() else { return };
        match what {
            "append?" => drop(self.unknown.insert(number)),
            "append" => {
                self.unknown.remove(&number);
                self.present.insert(number);
            }
            "remove?" => {
                self.present.remove(&number);
                self.unknown.insert(number);
            }
            "remove" => {
                self.unknown.remove(&number);
                self.removed.insert(number);
            }
            "set?" => self.set.push(Some(number)),
            "set" => {
                let at = self
                    .set
                    .iter()
                    .position(|set| *set == Some(number))
                    .expect("it was begun");
                self.set.drain(..at);
            }
            other => panic!("an unknown line: {other}"),
        }
    }

    fn check(&mut self, path: &Path) {
        let store = open(path);
        let mut found = BTreeSet::new();
        for entry in store.queue("a", None, usize::MAX).unwrap() {
            let value = u64::from_le_bytes(entry.value[..8].try_into().unwrap());
            assert!(entry.value[8..].iter().all(|byte| *byte == 7), "half a value");
            assert!(found.insert(value), "an entry is there twice");
        }
        let lost: Vec<_> = self.present.difference(&found).collect();
        assert!(lost.is_empty(), "lost: {lost:?}");
        let back: Vec<_> = self.removed.intersection(&found).collect();
        assert!(back.is_empty(), "removed, and there again: {back:?}");
        let foreign = found
            .iter()
            .filter(|value| !self.present.contains(value) && !self.unknown.contains(value));
        assert_eq!(foreign.count(), 0, "never appended");
        let value = store.value("a", "key").unwrap();
        let value = value.map(|value| u64::from_le_bytes(value[..].try_into().unwrap()));
        assert!(self.set.contains(&value), "{value:?} of {:?}", self.set);
        // What is there now stays, and what is not does not come.
        let mut removed = std::mem::take(&mut self.removed);
        removed.extend(self.unknown.difference(&found));
        *self = Model {
            removed,
            set: vec![value],
            present: found,
            ..Model::default()
        };
    }
}

#[test]
fn a_process_killed_at_random_moments_loses_nothing_that_it_reported() {
    let rounds = std::env::var(ROUNDS).map_or(40, |rounds| rounds.parse().expect("a number"));
    let folder = Folder::new();
    drop(folder.open());
    let mut model = Model {
        set: vec![None],
        ..Model::default()
    };
    let mut random = Random::new();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for round in 0..rounds * MOST {
        // Chance decides on what a round shows: a slow machine needs more of them.
        if round >= rounds && ["append", "remove"].iter().all(|what| kinds.contains_key(*what)) {
            break;
        }
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::child", "--nocapture", "--test-threads=1"])
            .env(FILE, folder.file())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        let (begun, has_begun) = std::sync::mpsc::channel();
        let lines = std::thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            let lines = lines.filter(|line| line.starts_with('@')).inspect(|_| {
                let _ = begun.send(());
            });
            lines.collect::<Vec<_>>()
        });
        // Every fourth is killed as it starts, the others while they change the file.
        if round % 4 != 0 {
            has_begun
                .recv_timeout(Duration::from_secs(60))
                .expect("it starts");
        }
        std::thread::sleep(Duration::from_millis(5 + random.below(120)));
        // SIGKILL on Unix.
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert!(!status.success(), "round {round}: it ended by itself");
        // Lines are shorter than what a pipe takes as a whole, so none is cut.
        let lines = lines.join().unwrap();
        for line in &lines {
            *kinds
                .entry(line[1..].split(' ').next().unwrap_or_default().to_owned())
                .or_default() += 1;
            model.read(line);
        }
        model.check(&folder.file());
    }
    println!(
        "at least {rounds} kills: {kinds:?}, {} entries",
        model.present.len()
    );
    assert!(
        kinds.get("append").is_some_and(|appended| *appended > 0),
        "{kinds:?}"
    );
    assert!(
        kinds.get("remove").is_some_and(|removed| *removed > 0),
        "{kinds:?}"
    );
}
