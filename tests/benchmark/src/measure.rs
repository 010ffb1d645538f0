//! Timing of several sides of one comparison, in turns.

use anyhow::{Context, Result};
use std::time::{Duration, Instant};

/// Extent of a measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Rounds; a side's figure is the median of their faster half.
    pub(crate) rounds: u32,
    /// Least time of one side in one round.
    pub(crate) round: Duration,
}

/// Longest time of one case: slow operations get fewer rounds.
const CASE: Duration = Duration::from_secs(20);

/// Least number of rounds of a slow case.
const FEWEST_ROUNDS: u32 = 3;

/// Longest time of the attempts at one sample.
const SAMPLE: Duration = Duration::from_millis(60);

/// Runs the given number of operations, one after the other.
type Work<'a> = Box<dyn FnMut(u64) -> Result<()> + 'a>;

/// One side: its work, and the overhead to subtract.
pub(crate) struct Side<'a> {
    pub(crate) name: &'static str,
    work: Work<'a>,
    /// Subtracted overhead: the same operations without their measured part.
    base: Option<Work<'a>>,
    /// Number of measured parts in one operation.
    parts: u32,
}

/// Most attempts at a sample without disturbance by other load on the machine.
const TRIES: u32 = 20;

impl<'a> Side<'a> {
    /// Measures an operation.
    pub(crate) fn new(name: &'static str, work: impl FnMut(u64) -> Result<()> + 'a) -> Side<'a> {
        Side {
            name,
            work: Box::new(work),
            base: None,
            parts: 1,
        }
    }

    /// Measures one of the `parts` of an operation: `work` receives the number of parts and of repetitions; its time
    /// without parts is subtracted.
    pub(crate) fn per_part(
        name: &'static str,
        parts: u32,
        work: impl FnMut(u32, u64) -> Result<()> + 'a,
    ) -> Side<'a> {
        let work = std::rc::Rc::new(std::cell::RefCell::new(work));
        let base = work.clone();
        Side {
            name,
            work: Box::new(move |times| (work.borrow_mut())(parts, times)),
            base: Some(Box::new(move |times| (base.borrow_mut())(0, times))),
            parts,
        }
    }

    /// Returns the number of operations that fill a round, and their time. Also warms everything up.
    fn calibrate(&mut self, round: Duration) -> Result<(u64, Duration)> {
        let mut times = 1u64;
        loop {
            let took = timed(&mut self.work, times)?;
            if took >= round {
                return Ok((times, took));
            }
            let wanted = round.as_secs_f64() / took.as_secs_f64().max(1e-9);
            times = (times as f64 * (wanted * 1.1).clamp(1.5, 50.0)).ceil() as u64;
        }
    }

    /// Returns the nanoseconds of one part, preferably from a stretch of time without another thread on this processor.
    fn sample(&mut self, times: u64, tries: u32) -> Result<f64> {
        let mut last = None;
        for _ in 0..tries {
            let before = preemptions();
            let took = timed(&mut self.work, times)?;
            let base = match &mut self.base {
                Some(base) => timed(base, times)?,
                None => Duration::ZERO,
            };
            let undisturbed = preemptions() == before;
            if let Some(took) = took.checked_sub(base)
                && !took.is_zero()
            {
                last = Some(took.as_nanos() as f64 / (times as f64 * f64::from(self.parts)));
                if undisturbed {
                    break;
                }
            }
        }
        last.with_context(|| format!("the machine is too busy to measure {}", self.name))
    }
}

/// Returns the number of involuntary context switches of this thread; only Linux reports it.
fn preemptions() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/thread-self/status").ok()?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("nonvoluntary_ctxt_switches:"))
        .and_then(|count| count.trim().parse().ok())
}

fn timed(work: &mut Work<'_>, times: u64) -> Result<Duration> {
    let start = Instant::now();
    work(times)?;
    Ok(start.elapsed())
}

/// Returns the nanoseconds of each side, over rounds in which the sides take turns, so that disturbances affect all of
/// them.
pub(crate) fn compare(mut sides: Vec<Side<'_>>, plan: Plan) -> Result<Vec<(&'static str, f64)>> {
    let mut calibrated = Vec::new();
    for side in &mut sides {
        let (times, took) = side.calibrate(plan.round)?;
        calibrated.push((times, tries(took)));
    }
    let mut samples = vec![Vec::new(); sides.len()];
    let start = Instant::now();
    for round in 0..plan.rounds {
        if round >= FEWEST_ROUNDS && start.elapsed() > CASE {
            break;
        }
        for ((side, (times, tries)), samples) in sides.iter_mut().zip(&calibrated).zip(&mut samples) {
            samples.push(side.sample(*times, *tries)?);
        }
    }
    Ok(sides
        .iter()
        .zip(samples)
        .map(|(side, samples)| (side.name, typical(samples)))
        .collect())
}

/// Returns the number of attempts at a sample of this duration.
fn tries(sample: Duration) -> u32 {
    let tries = SAMPLE.as_secs_f64() / sample.as_secs_f64().max(1e-9);
    (tries as u32).clamp(1, TRIES)
}

/// Returns the median of the faster half: other load on the machine can only lengthen a round.
pub(crate) fn typical(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 4).copied().unwrap_or(f64::NAN)
}
