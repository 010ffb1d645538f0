//! Actors under overload, with random traps, failing `init` and dead health: each message is accounted for.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use airssys_wasm::actors::{ActorError, ActorOptions, Backpressure, HealthProbe, RestartPolicy, SendOptions};
use airssys_wasm::messaging::MailboxLimits;
use airssys_wasm::{ComponentRuntime, RuntimeError};

use super::{LONG, TRAP, answer, commanded, first, id, start, system};

/// Seconds of the run: 2, or as many as this variable says.
const SECONDS: &str = "AIRSSYS_SOAK_SECONDS";

/// SplitMix64, shared by threads.
struct Random(AtomicU64);

impl Random {
    fn below(&self, most: u64) -> u64 {
        let mut mixed = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % most
    }
}

/// Times by their microseconds, in a memory that does not grow.
struct Times(Vec<u32>);

impl Times {
    /// Times of a second and more count as one.
    const LONGEST: usize = 1_000_000;

    fn new() -> Times {
        Times(vec![0; Times::LONGEST + 1])
    }

    fn add(&mut self, time: Duration) {
        let at = usize::try_from(time.as_micros()).unwrap_or(usize::MAX);
        self.0[at.min(Times::LONGEST)] += 1;
    }

    /// Returns the time that so many hundredths of them do not exceed.
    fn at(&self, hundredths: u64) -> Duration {
        let all: u64 = self.0.iter().map(|count| u64::from(*count)).sum();
        let mut left = all * hundredths / 100;
        for (micros, count) in (0..).zip(&self.0) {
            match left.checked_sub(u64::from(*count)) {
                Some(rest) => left = rest,
                None => return Duration::from_micros(micros),
            }
        }
        Duration::from_micros(Times::LONGEST as u64)
    }
}

/// Asks the quiet actor at intervals until `end`, at least once.
fn ask(runtime: &ComponentRuntime, end: Instant, tally: &Tally, mut each: impl FnMut(Duration)) {
    loop {
        let begin = Instant::now();
        let answered = answer(runtime.send_message_to_component(&id("quiet"), [0]));
        assert_eq!(
            answered.unwrap(),
            9,
            "the quiet one is never refused, and never fails"
        );
        each(begin.elapsed());
        tally.sent.fetch_add(1, Ordering::Relaxed);
        tally.answered.fetch_add(1, Ordering::Relaxed);
        if Instant::now() >= end {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// The resident memory of this process at times of the run, in KiB.
#[derive(Default)]
struct Memory(Vec<(Duration, u64)>);

impl Memory {
    /// Looks at most once a second.
    fn look(&mut self, time: Duration) {
        let last = self.0.last().map(|(time, _)| *time);
        if last.is_some_and(|last| time < last + Duration::from_secs(1)) {
            return;
        }
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        self.0.extend(resident.map(|resident| (time, resident)));
    }

    /// Returns the growth from the second quarter of the run to the last one, in MiB per hour.
    fn slope(&self) -> Option<f64> {
        let quarter = self.0.len() / 4;
        let median = |part: &[(Duration, u64)]| {
            let mut sizes: Vec<u64> = part.iter().map(|(_, size)| *size).collect();
            sizes.sort_unstable();
            Some(*sizes.get(sizes.len() / 2)? as f64 / 1024.0)
        };
        let (second, last) = (self.0.get(quarter..2 * quarter)?, self.0.get(3 * quarter..)?);
        let hours = (last.first()?.0.checked_sub(second.first()?.0)?).as_secs_f64() / 3600.0;
        Some((median(last)? - median(second)?) / hours)
    }
}

/// Results that senders saw.
#[derive(Default)]
struct Tally {
    sent: AtomicU64,
    answered: AtomicU64,
    /// Refused, or dead letters.
    failed: AtomicU64,
    kinds: Mutex<BTreeMap<&'static str, u64>>,
}

impl Tally {
    fn add(&self, result: &Result<u8, ActorError>) {
        let kind = match result {
            Ok(_) => "answered",
            Err(ActorError::Full { .. }) => "full",
            Err(ActorError::Displaced(_)) => "displaced",
            Err(ActorError::Expired { .. }) => "expired",
            Err(ActorError::Poison { .. }) => "poison",
            Err(ActorError::Runtime(RuntimeError::Timeout { .. })) => "timeout",
            Err(error) => panic!("{error}"),
        };
        let of = if result.is_ok() {
            &self.answered
        } else {
            &self.failed
        };
        of.fetch_add(1, Ordering::Relaxed);
        *self.kinds.lock().unwrap().entry(kind).or_default() += 1;
    }
}

fn options(backpressure: Backpressure) -> ActorOptions {
    let mut mailbox = MailboxLimits::default();
    mailbox.messages = 16;
    let restarts = RestartPolicy::default()
        .with_intensity(10_000, Duration::from_millis(1))
        .with_pauses(Duration::from_micros(100), Duration::from_millis(1));
    ActorOptions::new()
        .with_mailbox(mailbox)
        .with_backpressure(backpressure)
        .with_restarts(restarts)
        .with_health(HealthProbe::every(Duration::from_millis(5)))
}

/// A runtime whose guests trap in a hundredth of their messages, and fail in a tenth of their `init`.
fn failing(random: &'static Random) -> ComponentRuntime {
    commanded(
        first(),
        move |component, message| match message[0] {
            _ if component == "quiet" => 9,
            _ if random.below(100) == 0 => TRAP,
            order => order,
        },
        move |component| match component {
            "quiet" => 0,
            _ if random.below(10) == 0 && STARTED.load(Ordering::SeqCst) => TRAP,
            _ => 0,
        },
    )
}

/// Set once all actors are loaded.
static STARTED: AtomicBool = AtomicBool::new(false);
static RANDOM: Random = Random(AtomicU64::new(1));

#[test]
fn overload_and_failures_lose_no_message() {
    let seconds = std::env::var(SECONDS).map_or(2, |text| text.parse().expect("a number of seconds"));
    let runtime = failing(&RANDOM);
    let system = system(2);
    let targets = [
        ("refuses", Backpressure::Refuse),
        ("drops", Backpressure::DropOldest),
        (
            "waits",
            Backpressure::Wait {
                longest: Duration::from_millis(5),
            },
        ),
    ];
    for (name, backpressure) in targets.clone() {
        start(&runtime, &system, name, options(backpressure)).unwrap();
    }
    start(&runtime, &system, "quiet", ActorOptions::new()).unwrap();
    STARTED.store(true, Ordering::SeqCst);
    let (tally, all) = (Tally::default(), Duration::from_secs(seconds));
    let (mut idle, mut quiet, mut memory) = (Times::new(), Times::new(), Memory::default());
    ask(&runtime, Instant::now() + all / 10, &tally, |time| idle.add(time));
    let (begin, end) = (Instant::now(), Instant::now() + all);
    thread::scope(|scope| {
        for (name, _) in &targets {
            for _ in 0..2 {
                scope.spawn(|| flood(&runtime, name, end, &tally));
            }
        }
        ask(&runtime, end, &tally, |time| {
            quiet.add(time);
            memory.look(begin.elapsed());
        });
    });
    println!("{:?}", tally.kinds.lock().unwrap());
    println!(
        "quiet: p50 {:?}, p99 {:?}; before: p50 {:?}, p99 {:?}; {:?}",
        quiet.at(50),
        quiet.at(99),
        idle.at(50),
        idle.at(99),
        system.counters()
    );
    println!("memory grew by {:?} MiB an hour", memory.slope());
    let report = system.shutdown(LONG).wait().unwrap();
    let counters = report.counters;
    assert!(
        counters.add_up() && counters.in_flight == 0 && report.unfinished == 0,
        "{report:?}"
    );
    let read = |number: &AtomicU64| number.load(Ordering::SeqCst);
    assert_eq!(counters.sent, read(&tally.sent));
    assert_eq!(counters.canceled, 0);
    assert_eq!(counters.delivered, read(&tally.answered));
    assert_eq!(counters.refused + counters.dead_lettered, read(&tally.failed));
    assert!(
        counters.refused > 0 && counters.dead_lettered > 0 && counters.delivered > 0,
        "{counters:?}"
    );
    let dead = system.take_dead_letters().len();
    let dead = u64::try_from(dead).unwrap() + system.lost_dead_letters();
    assert_eq!(dead, counters.dead_lettered);
}

/// Sends bursts of ten times the messages that a mailbox holds.
fn flood(runtime: &ComponentRuntime, name: &str, end: Instant, tally: &Tally) {
    while Instant::now() < end {
        let burst: Vec<_> = (0..160)
            .map(|_| {
                tally.sent.fetch_add(1, Ordering::Relaxed);
                let options = SendOptions::new().with_timeout(Duration::from_millis(50));
                runtime.send_message_to_component_with(&id(name), [7], options)
            })
            .collect();
        for pending in burst {
            tally.add(&answer(pending));
        }
    }
}
