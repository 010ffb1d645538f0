//! Row P12: messages of 1 KiB between pairs of components on one host.
//!
//! Each component of a pair passes what it gets on to the other. Throughput is measured with several messages of each pair under
//! way, latency with one: the time from one component's sending a message to the other's, which is its handling included.

use crate::measure::{Plan, compare, typical};
use crate::ours::{self, Actors};
use crate::reference::{Peers, Style};
use crate::rows::{Figure, Row};
use airssys_wasm::engine::Backend;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes of each message.
const MESSAGE: usize = 1024;
/// The case without a counterpart.
const ALONE: &str = "the call alone";
/// Numbers of pairs.
const PAIRS: [usize; 3] = [1, 2, 100];
/// Messages of each pair that are under way while throughput is measured.
const UNDER_WAY: usize = 16;
/// Rounds of a side, at most.
const ROUNDS: u32 = 15;
/// Length of a round, in those of other rows: threads that change need longer to settle.
const LENGTH: u32 = 30;
/// Times that a message is passed on, at least: the time from one to the next is what is measured.
const FEWEST: u32 = 4;
/// Longest time that messages are awaited.
const LONG: Duration = Duration::from_secs(60);

/// The largest accepted part of the reference's time per message: five times as many messages.
pub(crate) const GOAL: f64 = 0.2;

/// The host functions of the guests, which report the ends of messages and their times.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    done: Mutex<usize>,
    changed: Condvar,
    stamps: Mutex<Vec<Stamps>>,
}

/// The times of one pair.
#[derive(Clone, Debug, Default)]
struct Stamps {
    last: Option<Instant>,
    gaps: Vec<f64>,
}

impl Reports {
    /// Counts a message that was passed on for the last time.
    pub(crate) fn done(&self) {
        *lock(&self.done) += 1;
        self.changed.notify_all();
    }

    /// Takes the time of a pair's message.
    pub(crate) fn stamp(&self, pair: &[u8]) {
        let now = Instant::now();
        let pair = pair.first_chunk().copied().map_or(0, u32::from_le_bytes) as usize;
        if let Some(stamps) = lock(&self.stamps).get_mut(pair) {
            let gap = stamps.last.replace(now).map(|last| now - last);
            stamps.gaps.extend(gap.map(|gap| gap.as_nanos() as f64));
        }
    }

    fn begin(&self, pairs: usize) {
        *lock(&self.done) = 0;
        *lock(&self.stamps) = vec![Stamps::default(); pairs];
    }

    fn wait_for(&self, messages: usize) -> Result<()> {
        let done = lock(&self.done);
        let (done, _) = self
            .changed
            .wait_timeout_while(done, LONG, |done| *done < messages)
            .unwrap_or_else(PoisonError::into_inner);
        ensure!(*done == messages, "{} of {messages} messages have arrived", *done);
        Ok(())
    }

    fn gaps(&self) -> Vec<f64> {
        let stamps = std::mem::take(&mut *lock(&self.stamps));
        stamps.into_iter().flat_map(|stamps| stamps.gaps).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Pairs of components that pass messages on.
pub(crate) trait Pairs {
    fn reports(&self) -> &Arc<Reports>;

    /// Sends a message to the first or second component of a pair.
    fn send(&self, pair: usize, second: bool, message: Vec<u8>) -> Result<()>;
}

/// Time and CPU time of each message.
struct Pass {
    each: f64,
    cpu: f64,
    took: Duration,
}

/// Has `under_way` messages of each pair passed on `times` times.
fn pass(sides: &dyn Pairs, pairs: usize, under_way: usize, times: u32, stamps: bool) -> Result<Pass> {
    sides.reports().begin(pairs);
    let (start, cpu) = (Instant::now(), cpu_time()?);
    for pair in 0..pairs {
        for number in 0..under_way {
            let mut message = vec![0; MESSAGE];
            message[..4].copy_from_slice(&times.to_le_bytes());
            message[4..8].copy_from_slice(&u32::try_from(pair)?.to_le_bytes());
            message[8] = stamps.into();
            sides.send(pair, number % 2 == 1, message)?;
        }
    }
    sides.reports().wait_for(pairs * under_way)?;
    let (took, cpu) = (start.elapsed(), cpu_time()?.saturating_sub(cpu));
    let messages = f64::from(times) * (pairs * under_way) as f64;
    Ok(Pass {
        each: took.as_nanos() as f64 / messages,
        cpu: cpu.as_nanos() as f64 / messages,
        took,
    })
}

/// Finds the number of times that takes `round`.
fn calibrate(sides: &dyn Pairs, pairs: usize, under_way: usize, round: Duration) -> Result<u32> {
    let mut times = 8u32;
    loop {
        let took = pass(sides, pairs, under_way, times, false)?.took;
        if took >= round / 2 {
            let factor = round.as_secs_f64() / took.as_secs_f64();
            return Ok(((f64::from(times) * factor).ceil() as u32).max(FEWEST));
        }
        times = times.checked_mul(4).context("messages take no time")?;
    }
}

/// Measures the pairs of all sides, with one backend for ours.
pub(crate) fn measure(backend: Backend, plan: Plan) -> Result<Vec<Figure>> {
    let guest = crate::guests::fixture("relay")?;
    let alone = vec![ours::call_alone(backend, &guest, vec![0; MESSAGE])?];
    let alone = Figure::new(Row::P12, ALONE, backend, "ns", &compare(alone, plan)?)?;
    let mut figures = vec![alone.without_goal()];
    for pairs in PAIRS {
        let case = format!("{pairs} {}", if pairs == 1 { "pair" } else { "pairs" });
        eprintln!("{} {case}, {backend}", Row::P12);
        let ours = Actors::new(backend, &guest, pairs)?;
        let mut peers = Vec::new();
        for style in Style::ALL {
            peers.push((style.name(), Peers::new(*style, &guest, pairs)?));
        }
        let mut sides: Vec<(&str, &dyn Pairs)> = vec![(ours::NAME, &ours)];
        sides.extend(peers.iter().map(|(name, peers)| (*name, peers as &dyn Pairs)));
        figures.extend(figures_of(&case, backend, &sides, pairs, plan)?);
    }
    Ok(figures)
}

fn figures_of(
    case: &str,
    backend: Backend,
    sides: &[(&'static str, &dyn Pairs)],
    pairs: usize,
    plan: Plan,
) -> Result<Vec<Figure>> {
    let round = plan.round * LENGTH;
    let mut plans = Vec::new();
    for (_, side) in sides {
        let many = calibrate(*side, pairs, UNDER_WAY, round)?;
        plans.push((many, calibrate(*side, pairs, 1, round / 4)?));
    }
    let mut samples = vec![(Vec::new(), Vec::new(), Vec::new()); sides.len()];
    for _ in 0..plan.rounds.min(ROUNDS) {
        for (((_, side), (many, one)), (each, cpu, gaps)) in sides.iter().zip(&plans).zip(&mut samples) {
            let pass_of_many = pass(*side, pairs, UNDER_WAY, *many, false)?;
            each.push(pass_of_many.each);
            cpu.push(pass_of_many.cpu);
            pass(*side, pairs, 1, *one, true)?;
            gaps.extend(side.reports().gaps());
        }
    }
    let [mut each, mut cpu, mut half, mut most] = [const { Vec::new() }; 4];
    for ((name, _), (of_each, of_cpu, mut gaps)) in sides.iter().zip(samples) {
        each.push((*name, typical(of_each)));
        cpu.push((*name, typical(of_cpu)));
        gaps.sort_by(f64::total_cmp);
        let at = |percent: usize| gaps.get(gaps.len() * percent / 100).copied();
        let (Some(p50), Some(p99)) = (at(50), at(99)) else {
            bail!("{name}: no message was stamped");
        };
        half.push((*name, p50));
        most.push((*name, p99));
    }
    let figure = |what: &str, figures: &[(&'static str, f64)]| {
        Figure::new(Row::P12, format!("{case}, {what}"), backend, "ns", figures)
    };
    Ok(vec![
        figure("a message", &each)?,
        figure("CPU of a message", &cpu)?.without_goal(),
        figure("p50", &half)?.without_goal(),
        figure("p99", &most)?.without_goal(),
    ])
}

/// Returns the CPU time of all threads of this process.
fn cpu_time() -> Result<Duration> {
    let mut nanoseconds = 0u64;
    for task in fs::read_dir("/proc/self/task").context("the CPU time of threads is read on Linux only")? {
        // A thread may end meanwhile.
        let Ok(stat) = fs::read_to_string(task?.path().join("schedstat")) else {
            continue;
        };
        let used = stat.split(' ').next().and_then(|used| used.parse::<u64>().ok());
        nanoseconds += used.context("no time in schedstat")?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// Reports whether the CPU time of threads can be read.
pub(crate) fn is_possible() -> bool {
    cpu_time().is_ok()
}

#[cfg(test)]
mod tests {
    use super::Reports;

    #[test]
    fn the_gaps_of_each_pair_are_its_own() {
        let reports = Reports::default();
        reports.begin(2);
        for pair in [0u32, 1, 0, 7, 0] {
            reports.stamp(&pair.to_le_bytes());
        }
        assert_eq!(reports.gaps().len(), 2);
        assert!(reports.gaps().is_empty());
        reports.done();
        assert!(reports.wait_for(1).is_ok());
    }
}
