//! `poll_oneoff` with clocks.
//!
//! wasmer-wasix waits only for the last clock in the list, treats every absolute time as one of the monotonic clock,
//! and reports all clocks at once. Therefore each clock's due time is computed here, wasmer-wasix waits for the
//! earliest one with a relative timeout, and the clocks that are due are reported.

use std::time::{Duration, Instant};

use wasmer_wasix::wasmer::Function;

use super::checks::{Answer, Call, errno};

/// Bytes of a subscription and of an event.
const SUBSCRIPTION: usize = 48;
const EVENT: usize = 32;

/// Offsets in a subscription.
const TAG: usize = 8;
const CLOCK: usize = 16;
const TIMEOUT: usize = 24;
const FLAGS: usize = 40;
/// Offset in an event.
const KIND: usize = 10;

const IS_CLOCK: u8 = 0;
const REALTIME: u32 = 0;
const MONOTONIC: u32 = 1;
const ABSOLUTE: u16 = 1;

type Subscription = [u8; SUBSCRIPTION];
type Event = [u8; EVENT];

/// A clock subscription of one call.
struct Clock {
    user_data: [u8; 8],
    /// `None` for a time that the host's clock cannot represent.
    due: Option<Instant>,
}

/// Waits as `poll_oneoff` does; `time` is `clock_time_get`.
pub(super) fn poll(call: &mut Call<'_, '_>, time: &Function) -> Answer {
    let (input, output, count, seen) = (call.number(0), call.number(1), call.number(2), call.number(3));
    let most = usize::try_from(count).unwrap_or(usize::MAX);
    if most > MAX_SUBSCRIPTIONS {
        return call.go_on();
    }
    let mut subscriptions = vec![[0; SUBSCRIPTION]; most];
    if call.read(input, subscriptions.as_flattened_mut()).is_none() {
        return Ok(errno::FAULT);
    }
    let began = Instant::now();
    let mut clocks = Vec::new();
    for subscription in subscriptions
        .iter()
        .filter(|subscription| subscription[TAG] == IS_CLOCK)
    {
        let clock = u32::from_le_bytes(part(subscription, CLOCK));
        if clock != REALTIME && clock != MONOTONIC {
            // wasmer-wasix refuses the clock.
            return call.go_on();
        }
        let timeout = u64::from_le_bytes(part(subscription, TIMEOUT));
        let left = match u16::from_le_bytes(part(subscription, FLAGS)) & ABSOLUTE {
            0 => timeout,
            // The events' place is used for the query.
            _ => match call.time(time, clock, (1, output))? {
                Some(now) => timeout.saturating_sub(now),
                None => return call.go_on(),
            },
        };
        clocks.push(Clock {
            user_data: part(subscription, 0),
            due: began.checked_add(Duration::from_nanos(left)),
        });
    }
    if clocks.is_empty() {
        return call.go_on();
    }
    let first = clocks.iter().filter_map(|clock| clock.due).min();
    let left = first.map(|first| first.saturating_duration_since(began));
    let asked: Vec<Subscription> = subscriptions
        .iter()
        .map(|subscription| match subscription[TAG] {
            IS_CLOCK => relative(left),
            _ => *subscription,
        })
        .collect();
    call.write(input, asked.as_flattened());
    let answer = call.go_on();
    call.write(input, subscriptions.as_flattened());
    if answer.as_ref().is_ok_and(|errno| *errno == errno::SUCCESS) {
        report(call, (output, seen), &clocks, most);
    }
    answer
}

/// Replaces the reported clocks by those that are due.
fn report(call: &Call<'_, '_>, (output, seen): (u64, u64), clocks: &[Clock], most: usize) -> Option<()> {
    let mut number = [0; 4];
    call.read(seen, &mut number)?;
    let reported = usize::try_from(u32::from_le_bytes(number)).ok()?.min(most);
    let mut events = vec![[0; EVENT]; reported];
    call.read(output, events.as_flattened_mut())?;
    let before = events.len();
    events.retain(|event: &Event| event[KIND] != IS_CLOCK);
    let waited = before > events.len();
    let now = Instant::now();
    // The timer's clock may be slightly ahead: the clock that it waited for counts as due.
    let first = clocks.iter().filter_map(|clock| clock.due).min();
    let due = |clock: &&Clock| {
        clock
            .due
            .is_some_and(|due| due <= now || (waited && Some(due) == first))
    };
    for clock in clocks.iter().filter(due).take(most.saturating_sub(events.len())) {
        events.push(clock.event());
    }
    call.write(output, events.as_flattened())?;
    let number = u32::try_from(events.len()).ok()?;
    call.write(seen, &number.to_le_bytes())
}

impl Clock {
    fn event(&self) -> Event {
        let mut event = [0; EVENT];
        event[..8].copy_from_slice(&self.user_data);
        event
    }
}

fn part<const N: usize>(subscription: &Subscription, at: usize) -> [u8; N] {
    let mut part = [0; N];
    part.copy_from_slice(&subscription[at..at + N]);
    part
}

/// Returns a subscription to the monotonic clock in `left`; `None` stands for a century.
fn relative(left: Option<Duration>) -> Subscription {
    /// wasmer-wasix treats a timeout of 0 as none, and waits forever.
    const AT_ONCE: u64 = 1;
    const CENTURY: u64 = 100 * 366 * 86_400 * 1_000_000_000;
    let nanoseconds = left.map_or(CENTURY, |left| {
        u64::try_from(left.as_nanos()).map_or(CENTURY, |left| left.clamp(AT_ONCE, CENTURY))
    });
    let mut subscription = [0; SUBSCRIPTION];
    subscription[CLOCK..CLOCK + 4].copy_from_slice(&MONOTONIC.to_le_bytes());
    subscription[TIMEOUT..TIMEOUT + 8].copy_from_slice(&nanoseconds.to_le_bytes());
    subscription
}

/// Subscriptions that are checked. Stops a number that would make the host allocate; wasmer-wasix applies the module's
/// own limit, which is lower by default.
const MAX_SUBSCRIPTIONS: usize = 1 << 16;
