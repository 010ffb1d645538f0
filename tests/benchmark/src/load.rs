//! Row P16: requests to an actor while its component is replaced, and beside actors that are flooded.

use crate::idle;
use crate::ours::{LoadedActors, Version};
use crate::rows::{Figure, Row};
use airssys_wasm::artifact::PublicKey;
use airssys_wasm::engine::Backend;
use anyhow::{Context, Result, anyhow, ensure};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Threads that send requests, and the time from one request of a thread to its next: 2,000 requests a second.
const SENDERS: usize = 4;
const EVERY: Duration = Duration::from_millis(2);
/// Time of each part of the measurement.
const PART: Duration = Duration::from_secs(5);
/// Time between replacements.
const BETWEEN: Duration = Duration::from_millis(20);
/// Time after a replacement that counts as its: the new version's first requests.
const AFTER: Duration = Duration::from_millis(5);
/// Replacements whose memory is counted, after some others.
const COUNTED: u32 = 1000;
const FIRST: u32 = 100;
/// Goals: the largest multiple of the 99th percentile before, and the most bytes of a replacement.
const DURING: f64 = 5.0;
const BESIDE: f64 = 3.0;
const MEMORY: f64 = 1024.0;
/// Time from one request of the sender to the quiet actor to its next.
const QUIET: Duration = Duration::from_millis(1);

/// A request's begin and time.
type Sample = (Instant, Duration);

/// Measures all cases with one backend. `file` is the guest, precompiled.
pub(crate) fn measure(backend: Backend, file: &Path, signer: PublicKey, guest: &[u8]) -> Result<Vec<Figure>> {
    let actors = LoadedActors::new(backend, file, signer, guest)?;
    let mut figures = Vec::new();
    for (version, name) in [(Version::Artifact, "artifact"), (Version::Component, "component")] {
        let case = format!("a request during a replacement by a new {name}, p99");
        eprintln!("{} {case}, {backend}", Row::P16);
        let (before, during) = replaced(&actors, version)?;
        figures.push(compared(
            &case,
            backend,
            (during, "during"),
            (before, "before"),
            DURING,
        )?);
    }
    eprintln!("{} memory of a replacement, {backend}", Row::P16);
    let figures_of_memory = [("ours", memory(&actors)?)];
    let case = "one more replacement, RSS";
    let memory = Figure::new(Row::P16, case, backend, "bytes", &figures_of_memory)?;
    figures.push(memory.at_most(MEMORY));
    eprintln!("{} a quiet actor, {backend}", Row::P16);
    let alone = quiet(&actors)?;
    let ended = AtomicBool::new(false);
    let beside = thread::scope(|scope| {
        let flood = scope.spawn(|| actors.flood(&ended));
        let beside = {
            let _ended = Ended(&ended);
            quiet(&actors)
        };
        flood.join().map_err(|_| anyhow!("the flood has panicked"))??;
        beside
    })?;
    let case = "a request beside flooded actors, p99";
    figures.push(compared(
        case,
        backend,
        (beside, "beside"),
        (alone, "alone"),
        BESIDE,
    )?);
    Ok(figures)
}

/// Ends other threads when it is dropped, also after an error.
struct Ended<'a>(&'a AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn compared(
    case: &str,
    backend: Backend,
    (ours, name): (Vec<Sample>, &'static str),
    (other, beside): (Vec<Sample>, &'static str),
    goal: f64,
) -> Result<Figure> {
    let figures = [(name, p99(ours)?), (beside, p99(other)?)];
    Figure::beside(
        Row::P16,
        case,
        backend,
        &figures,
        (name, beside),
        "ns",
        (Some(goal), None),
    )
}

fn p99(samples: Vec<Sample>) -> Result<f64> {
    let mut took: Vec<_> = samples.into_iter().map(|(_, took)| took).collect();
    took.sort();
    let at = took.get(took.len() * 99 / 100).context("no request was sent")?;
    Ok(at.as_nanos() as f64)
}

/// Sends a request every so often until `is_over`. What is sent late, because the one before was late, counts from its time.
fn requests(
    send: impl Fn() -> Result<()>,
    every: Duration,
    is_over: impl Fn() -> bool,
) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    let mut next = Instant::now();
    while !is_over() {
        next += every;
        let wait = next.saturating_duration_since(Instant::now());
        let begin = match wait.is_zero() {
            true => next,
            false => {
                thread::sleep(wait);
                Instant::now()
            }
        };
        send()?;
        samples.push((begin, begin.elapsed()));
    }
    Ok(samples)
}

/// Returns the requests before any replacement, and those of their time.
fn replaced(actors: &LoadedActors, version: Version) -> Result<(Vec<Sample>, Vec<Sample>)> {
    let ended = AtomicBool::new(false);
    let is_over = || ended.load(Ordering::Relaxed);
    let first = Instant::now();
    let (samples, windows) = thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|_| scope.spawn(move || requests(|| actors.request(), EVERY, is_over)))
            .collect();
        let end = Ended(&ended);
        thread::sleep(PART);
        let (mut windows, first) = (Vec::new(), Instant::now());
        while first.elapsed() < PART {
            thread::sleep(BETWEEN);
            let begin = Instant::now();
            actors.replace(version)?;
            windows.push((begin, Instant::now() + AFTER));
        }
        drop(end);
        let mut samples = Vec::new();
        for sender in senders {
            samples.extend(sender.join().map_err(|_| anyhow!("a sender has panicked"))??);
        }
        anyhow::Ok((samples, windows))
    })?;
    let took = first.elapsed();
    let first = windows.first().context("nothing was replaced")?.0;
    let sent = samples.len() as f64 / took.as_secs_f64();
    ensure!(sent > 1000.0, "the machine is too slow: {sent} requests a second");
    let is_during = |(begin, took): &Sample| {
        windows
            .iter()
            .any(|(from, to)| *begin <= *to && *begin + *took >= *from)
    };
    let (before, later): (Vec<_>, Vec<_>) = samples
        .into_iter()
        .partition(|(begin, took)| *begin + *took < first);
    let during: Vec<_> = later.into_iter().filter(is_during).collect();
    eprintln!(
        "{} replacements; {} requests before and {} during them",
        windows.len(),
        before.len(),
        during.len()
    );
    Ok((before, during))
}

/// Returns the growth of this process by each of many replacements.
fn memory(actors: &LoadedActors) -> Result<f64> {
    let replace = |count| (0..count).try_for_each(|_| actors.replace(Version::Artifact));
    replace(FIRST)?;
    let before = idle::rss()?;
    replace(COUNTED)?;
    Ok((idle::rss()? - before) / f64::from(COUNTED))
}

fn quiet(actors: &LoadedActors) -> Result<Vec<Sample>> {
    let begin = Instant::now();
    requests(|| actors.quiet_request(), QUIET, || begin.elapsed() > PART)
}
