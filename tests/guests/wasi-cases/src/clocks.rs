//! Cases of `wasi:clocks`, and of waiting for them.

use crate::bindings::wasi::clocks::{monotonic_clock, wall_clock};
use crate::bindings::wasi::io::poll;
use crate::text::Lines;
use crate::{Case, Outcome};

pub const CASES: &[Case] = &[
    ("clocks/monotonic now does not go back", monotonic),
    ("clocks/monotonic resolution", monotonic_resolution),
    ("clocks/wall now is of this century", wall),
    ("clocks/wall resolution", wall_resolution),
    ("clocks/subscribe-duration waits", duration),
    ("clocks/subscribe-duration of zero", duration_zero),
    ("clocks/subscribe-instant waits", instant),
    ("clocks/subscribe-instant of the past", instant_past),
    ("clocks/subscribe to 2^64-1", endless),
    ("poll/the earlier one is ready", earlier),
    ("poll/all that are ready are told", several),
    ("poll/the same pollable twice", twice),
    ("poll/a hundred pollables", hundred),
];

const MILLI: u64 = 1_000_000;

fn monotonic() -> Outcome {
    let mut last = monotonic_clock::now();
    for _ in 0..100 {
        let now = monotonic_clock::now();
        if now < last {
            return Ok("it went back".into());
        }
        last = now;
    }
    Ok("it did not".into())
}

fn monotonic_resolution() -> Outcome {
    let resolution = monotonic_clock::resolution();
    Ok(format!("between 1 ns and 1 s: {}", (1..=1_000_000_000).contains(&resolution)))
}

fn wall() -> Outcome {
    let (one, two) = (wall_clock::now(), wall_clock::now());
    let this_century = (1_700_000_000..4_102_444_800).contains(&one.seconds);
    let forwards = (one.seconds, one.nanoseconds) <= (two.seconds, two.nanoseconds);
    Ok(format!("{this_century}, forwards: {forwards}, {}", one.nanoseconds < 1_000_000_000))
}

fn wall_resolution() -> Outcome {
    let resolution = wall_clock::resolution();
    Ok(format!(
        "above 0: {}, below 1 s: {}",
        (resolution.seconds, resolution.nanoseconds) > (0, 0),
        resolution.seconds == 0 && resolution.nanoseconds < 1_000_000_000
    ))
}

fn waited(wait: impl FnOnce(u64)) -> (bool, bool) {
    let start = monotonic_clock::now();
    wait(start);
    let took = monotonic_clock::now() - start;
    (took >= 20 * MILLI, took < 20_000 * MILLI)
}

fn duration() -> Outcome {
    let (long, short) = waited(|_| {
        let pollable = monotonic_clock::subscribe_duration(20 * MILLI);
        pollable.block();
    });
    Ok(format!("20 ms: {long}, not 20 s: {short}"))
}

fn duration_zero() -> Outcome {
    let pollable = monotonic_clock::subscribe_duration(0);
    pollable.block();
    Ok(format!("ready: {}", pollable.ready()))
}

fn instant() -> Outcome {
    let (long, short) = waited(|start| {
        let pollable = monotonic_clock::subscribe_instant(start + 20 * MILLI);
        pollable.block();
    });
    Ok(format!("20 ms: {long}, not 20 s: {short}"))
}

fn instant_past() -> Outcome {
    let mut lines = Lines::default();
    for when in [0, monotonic_clock::now()] {
        let pollable = monotonic_clock::subscribe_instant(when);
        pollable.block();
        lines.add("ready", pollable.ready().to_string());
    }
    lines.end()
}

fn endless() -> Outcome {
    let mut lines = Lines::default();
    lines.add("duration", monotonic_clock::subscribe_duration(u64::MAX).ready().to_string());
    lines.add("instant", monotonic_clock::subscribe_instant(u64::MAX).ready().to_string());
    lines.end()
}

fn earlier() -> Outcome {
    let late = monotonic_clock::subscribe_duration(3_600_000 * MILLI);
    let soon = monotonic_clock::subscribe_duration(5 * MILLI);
    let ready = poll::poll(&[&late, &soon]);
    Ok(format!("{ready:?}, late: {}, soon: {}", late.ready(), soon.ready()))
}

fn several() -> Outcome {
    let one = monotonic_clock::subscribe_duration(0);
    let late = monotonic_clock::subscribe_duration(3_600_000 * MILLI);
    let two = monotonic_clock::subscribe_duration(0);
    one.block();
    two.block();
    Ok(format!("{:?}", poll::poll(&[&one, &late, &two])))
}

fn twice() -> Outcome {
    let one = monotonic_clock::subscribe_duration(0);
    one.block();
    Ok(format!("{:?}", poll::poll(&[&one, &one])))
}

fn hundred() -> Outcome {
    let pollables: Vec<_> =
        (0..100).map(|place| monotonic_clock::subscribe_duration((place % 2) * 3_600_000 * MILLI)).collect();
    for pollable in pollables.iter().step_by(2) {
        pollable.block();
    }
    let ready = poll::poll(&pollables.iter().collect::<Vec<_>>());
    Ok(format!("{}, all even: {}", ready.len(), ready.iter().all(|place| place % 2 == 0)))
}
