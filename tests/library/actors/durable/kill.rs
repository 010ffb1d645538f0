//! A durable host that is killed at random moments: queues and settings are those that it reported.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use airssys_wasm::ComponentOptions;
use airssys_wasm::codec::Codec;
use airssys_wasm::store::{Store, StoreOptions};
use serde_json::json;

use super::super::host_support::operation;
use super::super::{commanded, first, fixture, id, load, start};
use super::{Folder, durable, system_with};

/// The store of the host that is killed.
const FILE: &str = "AIRSSYS_DURABLE_KILL_FILE";
/// Number of kills; 20 by default.
const ROUNDS: &str = "AIRSSYS_DURABLE_KILL_ROUNDS";

/// Times that the number of kills is repeated until each step was seen.
const MOST: u64 = 10;

/// Prints a line, as one write, so that lines of several threads stay whole.
fn say(what: &str, number: u64) {
    let mut output = std::io::stdout().lock();
    output
        .write_all(format!("\n@{what} {number}\n").as_bytes())
        .expect("the parent reads");
    output.flush().expect("the parent reads");
}

fn now() -> u64 {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(time.as_nanos()).unwrap()
}

fn number(message: &[u8]) -> u64 {
    u64::from_le_bytes(message[..8].try_into().expect("a number"))
}

/// The host that is killed: sends messages without end, and prints a line before and after each step.
#[test]
fn child() {
    let Some(path) = std::env::var_os(FILE) else {
        return;
    };
    let store = Store::open(StoreOptions::new(path)).expect("it opens");
    let step = |_: &str, message: &[u8]| {
        std::thread::sleep(Duration::from_micros(300));
        say("handled", number(message));
        5
    };
    let runtime = commanded(first(), step, |_| 3);
    let system = system_with(&store);
    let counter = load(&runtime, &fixture("counter.wasm"));
    let options = ComponentOptions::new().with_id(id("counter"));
    let counter = runtime
        .start_actor(&counter, options, &system, durable())
        .wait()
        .unwrap();
    let actor = start(&runtime, &system, "a", durable()).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for step in now() / 1_000_000 % 1_000_000_000.. {
                say("set?", step);
                let message = operation(Codec::Json, "set-step", json!({"step": step}));
                runtime
                    .send_message_to_component(&counter, message)
                    .wait()
                    .unwrap();
                say("set", step);
            }
        });
        loop {
            let own = now();
            say("tell?", own);
            if own.is_multiple_of(4) {
                let asked = runtime.send_message_to_component(&actor, own.to_le_bytes());
                scope.spawn(move || {
                    if asked.wait().is_ok() {
                        say("answered", own);
                    }
                });
            } else if runtime.tell(&actor, own.to_le_bytes()).wait().is_ok() {
                say("told", own);
            }
        }
    });
}

/// Content that the store may have.
#[derive(Default)]
struct Model {
    begun: BTreeSet<u64>,
    /// Accepted, and not handled.
    told: BTreeSet<u64>,
    handled: BTreeSet<u64>,
    answered: BTreeSet<u64>,
    /// The setting: the last that was reported, and those after it.
    set: Vec<Option<u64>>,
}

impl Model {
    fn read(&mut self, what: &str, number: u64) {
        match what {
            "tell?" => drop(self.begun.insert(number)),
            "told" => drop(self.told.insert(number)),
            "handled" => drop(self.handled.insert(number)),
            "answered" => drop(self.answered.insert(number)),
            "set?" => self.set.push(Some(number)),
            "set" => {
                let at = self.set.iter().position(|set| *set == Some(number));
                self.set.drain(..at.expect("it was begun"));
            }
            other => panic!("an unknown line: {other}"),
        }
    }

    /// Compares the store with what was reported; returns the number of messages in it.
    fn check(&mut self, path: &Path) -> usize {
        let store = Store::open(StoreOptions::new(path)).expect("it opens");
        let entries = store.queue("a", None, usize::MAX).unwrap();
        // The message is the end of the record.
        let found: Vec<_> = entries
            .iter()
            .map(|entry| number(&entry.value[entry.value.len() - 8..]))
            .collect();
        assert!(
            found.is_sorted_by(|a, b| a < b),
            "not in the order of sending, or twice"
        );
        let found: BTreeSet<_> = found.into_iter().collect();
        let lost: Vec<_> = self
            .told
            .iter()
            .filter(|told| !self.handled.contains(told) && !found.contains(told))
            .collect();
        assert!(
            lost.is_empty(),
            "accepted, and neither handled nor in the store: {lost:?}"
        );
        assert!(found.is_subset(&self.begun), "never sent");
        let back: Vec<_> = self.answered.intersection(&found).collect();
        assert!(back.is_empty(), "answered, and still in the store: {back:?}");
        let value = store.value("counter", "step").unwrap();
        let value = value.map(|value| String::from_utf8(value).unwrap().parse().unwrap());
        assert!(self.set.contains(&value), "{value:?} of {:?}", self.set);
        assert_eq!(store.dead_letter_counts().unwrap(), (0, 0));
        // A change that was sent and not reported is made after the next start, if its message is in the store.
        let at = self.set.iter().position(|set| *set == value);
        self.set.drain(..at.unwrap_or_default());
        if store.queue("counter", None, usize::MAX).unwrap().is_empty() {
            self.set.truncate(1);
        }
        // What is in the store stays until it is handled, and nothing else comes.
        self.told = found.clone();
        self.handled.clear();
        found.len()
    }
}

#[test]
fn a_host_killed_at_random_moments_keeps_what_it_accepted() {
    let rounds: u64 = std::env::var(ROUNDS).map_or(20, |rounds| rounds.parse().expect("a number"));
    let folder = Folder::new();
    drop(Store::open(StoreOptions::new(folder.file())).expect("it is created"));
    let mut model = Model {
        set: vec![None],
        ..Model::default()
    };
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let mut waiting = 0;
    let needed = ["told", "handled", "answered", "set"];
    for round in 0..rounds * MOST {
        // Chance decides on what a round shows: a slow machine needs more of them.
        if round >= rounds && waiting > 0 && needed.iter().all(|what| kinds.contains_key(*what)) {
            break;
        }
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "actors::durable::kill::child",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(FILE, folder.file())
            .stdout(Stdio::piped())
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
        // Every fourth is killed as it starts, the others while they handle messages.
        if round % 4 != 0 {
            has_begun.recv_timeout(super::LONG).expect("it starts");
        }
        std::thread::sleep(Duration::from_micros(now() / 1000 % 150_000));
        // SIGKILL on Unix.
        child.kill().unwrap();
        assert!(
            !child.wait().unwrap().success(),
            "round {round}: it ended by itself"
        );
        // Lines are shorter than what a pipe takes as a whole, so none is cut.
        for line in lines.join().unwrap() {
            let (what, number) = line[1..].split_once(' ').expect("two words");
            *kinds.entry(what.to_owned()).or_default() += 1;
            model.read(what, number.parse().expect("a number"));
        }
        waiting += model.check(&folder.file());
    }
    println!("at least {rounds} kills: {kinds:?}; {waiting} messages taken up");
    for what in needed {
        assert!(kinds.get(what).is_some_and(|count| *count > 0), "{kinds:?}");
    }
    assert!(waiting > 0, "no message was left in the store");
}
