//! Differences from the reference engine that have a reason.

use super::interpreter::STARTED;
use super::outcome::{Event, LATE, Outcome};
use super::program::Program;

/// The comparison of two outcomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Same,
    /// A difference with a reason, by its name.
    Explained(&'static str),
    Unexplained,
}

/// The reference engine panics.
pub const PANIC: &str = "panic of the reference engine";
const ORDER: &str = "order of tasks";
const RACE: &str = "race of tasks";
const RACE_SAME: &str = "race of tasks with the same end";
const HOST_CANCEL: &str = "cancellation of a host function";
const MAY_BLOCK: &str = "eager check of blocking";
const STACKFUL: &str = "entry of a stackful task";
const HOST_STREAM: &str = "end of a host's stream";
const SYNC_ENTRY: &str = "entry of an instance that a task keeps";
const SYNC_RETURN: &str = "task.return of a synchronous function";
const IDLE_DROP: &str = "dropped end told to an idle one";
const HOST_TIME: &str = "time of a host function's end";
const ENDED_CALLER: &str = "caller that has ended";
const KEPT: &str = "callback in an instance that another task keeps";
const UNALIGNED: &str = "eager check of alignment";
const CANCEL_AFTER: &str = "cancellation of a task that has returned";
const CANCEL_NOTHING: &str = "cancellation of a copy of nothing";
const CANCEL_KEPT: &str = "cancellation in an instance that another task keeps";
const BUG: &str = "bug that the reference engine reports";

/// Names of differences, and their reasons.
const KNOWN: &[(&str, &str)] = &[
    (
        PANIC,
        "wasmtime 48 asserts that a task may block where it checks so only later",
    ),
    (
        ORDER,
        "the specification resumes any of the threads that are ready; every task sees the same",
    ),
    (
        RACE,
        "as before, and what some task sees depends on the order: the traces are the same up to the first switch to another task",
    ),
    (RACE_SAME, "as before, and the end is the same"),
    (
        HOST_CANCEL,
        "a host function decides when its cancellation is complete; a Rust future is dropped at once, wasmtime waits for its loop",
    ),
    (
        MAY_BLOCK,
        "wasmtime 48 checks at the call that a task may block, the specification where it blocks",
    ),
    (
        ENDED_CALLER,
        "wasmtime 48 fails in a table of its own if a subtask returns after its caller has ended",
    ),
    (
        STACKFUL,
        "wasmtime 48 lets no task enter an instance that one keeps for itself; the specification lets stackful ones",
    ),
    (
        HOST_STREAM,
        "wasmtime drops a host's stream with the read of its last element, ours with the next read",
    ),
    (
        HOST_TIME,
        "the host's executor decides when a pending host function ends, and its result enters the table of the caller",
    ),
    (
        SYNC_ENTRY,
        "a task that keeps its instance for itself lets none enter that would, too; wasmtime 48 enters",
    ),
    (
        KEPT,
        "a callback has its turn once no other task keeps the instance for itself, as one that is lifted synchronously does while it waits; wasmtime 48 calls it meanwhile",
    ),
    (
        CANCEL_AFTER,
        "a task that returns before its cancellation reaches it gets no event; wasmtime 48 gives it one",
    ),
    (
        CANCEL_KEPT,
        "a task whose callback cannot run, as another keeps the instance for itself, is cancelled with its next wait; wasmtime 48 cancels the one that it is in",
    ),
    (
        BUG,
        "wasmtime 48 finds within itself that a task has returned twice, where a function that is lifted synchronously has called task.return",
    ),
    (
        CANCEL_NOTHING,
        "a write of nothing is complete once the other end reads; wasmtime 48 cancels it",
    ),
    (
        UNALIGNED,
        "the address of a copy is checked when it begins; wasmtime 48 checks it when the value is there",
    ),
    (
        SYNC_RETURN,
        "a trap in a function that is lifted synchronously; wasmtime 48 takes it",
    ),
    (
        IDLE_DROP,
        "an end without a copy gets no event if the other is dropped; later versions of the specification, and wasmtime 48, have one",
    ),
];

/// The result of a copy of nothing whose other end is dropped.
const DROPPED: u32 = 1;
/// The state of a subtask that has returned.
const RETURNED: u32 = 2;
/// The state of a subtask that has not begun.
const STARTING: u32 = 0;
/// The code of no event.
const NONE: u32 = 0;
/// The code of the event of a cancelled task.
const TASK_CANCELLED: u32 = 6;
/// The results of a copy that is complete, and of one that was cancelled, both of nothing.
const COPIED_NOTHING: [u32; 2] = [0, 2];

/// Messages of wasmtime's own tables.
const TABLE: [&str; 2] = ["resource not present", "resource is of another type"];

/// Returns the reason of a known difference.
pub fn reason(name: &str) -> &'static str {
    let found = KNOWN.iter().find(|(known, _)| *known == name);
    found.map_or("", |(_, reason)| reason)
}

/// Compares an outcome of ours with the reference engine's.
pub fn judge(program: &Program, ours: &Outcome, reference: &Outcome) -> Verdict {
    let same_end = same_class(ours, reference) && same_values(ours, reference);
    if same_end && ours.events == reference.events {
        return Verdict::Same;
    }
    if same_end && ours.by_task() == reference.by_task() {
        return Verdict::Explained(ORDER);
    }
    let same = ours.events.iter().zip(&reference.events);
    let same = same.take_while(|(a, b)| a == b).count();
    let first = Difference {
        program,
        last: same
            .checked_sub(1)
            .and_then(|last| ours.events.get(last))
            .copied(),
        ours: ours.events.get(same).copied(),
        reference: reference.events.get(same).copied(),
    };
    // Of the instance that calls the host, a call that has not returned at once.
    let waits_for_host = |event: &Event| {
        event.instance() == 2
            && !event.is_begin()
            && event.values[0] != RETURNED
            && event.operation(program).starts_with("start-")
    };
    match first.reason(ours, reference) {
        Some(RACE) if same_end => Verdict::Explained(RACE_SAME),
        Some(name) => Verdict::Explained(name),
        None if ours.events[..same].iter().any(waits_for_host) => Verdict::Explained(HOST_TIME),
        None => Verdict::Unexplained,
    }
}

/// Classes that describe one trap from two sides.
const EQUAL: [[&str; 2]; 7] = [
    ["not async", "return options"],
    // A second result, with other options.
    ["return options", "returned twice"],
    ["not async", "not cancelled"],
    // A second end of a task.
    ["not cancelled", "returned twice"],
    // A handle and an address that are both wrong.
    ["trap: bad handle", "trap: pointer out of bounds"],
    // A handle and a length that are both wrong.
    ["trap: bad handle", "transmit"],
    ["transmit", "trap: bad handle"],
];

fn same_class(ours: &Outcome, reference: &Outcome) -> bool {
    match (ours.class(), reference.class()) {
        (Some(a), Some(b)) => a == b || EQUAL.contains(&[a, b]),
        (a, b) => a == b,
    }
}

/// Compares the results. After a trap, wasmtime drops those that the host has not taken yet.
fn same_values(ours: &Outcome, reference: &Outcome) -> bool {
    let mut pairs = ours.values.iter().zip(&reference.values);
    pairs.all(|(a, b)| a == b || reference.trap.is_some() && (a.is_none() || b.is_none()))
}

/// Describes the first difference of two traces: what both have last, and what each has next.
pub fn switch(program: &Program, ours: &Outcome, reference: &Outcome) -> String {
    let pairs = ours.events.iter().zip(&reference.events);
    let same = pairs.take_while(|(a, b)| a == b).count();
    let name = |event: Option<&Event>| match event {
        Some(event) if event.is_begin() => format!("begin of {}", event.operation(program)),
        Some(event) => event.operation(program).to_owned(),
        None => String::from("end"),
    };
    let last = same.checked_sub(1).and_then(|last| ours.events.get(last));
    format!(
        "after {}: {}, and {} on wasmtime",
        name(last),
        name(ours.events.get(same)),
        name(reference.events.get(same))
    )
}

/// The first difference of two traces.
struct Difference<'a> {
    program: &'a Program,
    /// The last event that is the same.
    last: Option<Event>,
    ours: Option<Event>,
    reference: Option<Event>,
}

fn task(event: Event) -> (u32, u32) {
    (event.instance(), event.task())
}

impl Difference<'_> {
    /// Returns whether an event tells that the other end was dropped to an end without a copy.
    fn tells_idle(&self, event: Event, outcome: &Outcome) -> bool {
        let [code, end, result] = event.values;
        let is_event =
            matches!(event.operation(self.program), "poll" | "wait" | "event") && !event.is_begin();
        if !is_event || !(2..=5).contains(&code) || result != DROPPED {
            return false;
        }
        let mut copies = Vec::new();
        // The tasks that are within a copy of this end.
        let mut open = Vec::new();
        let before = outcome.events.iter().take_while(|other| **other != event);
        for other in before.filter(|other| other.instance() == event.instance()) {
            let operation = other.operation(self.program);
            let is_cancel = operation.contains("-cancel-");
            let is_copy = is_cancel || operation.contains("-read") || operation.contains("-write");
            if !is_copy || operation.contains("-drop-") {
                continue;
            }
            let at = open.iter().position(|(of, _)| *of == task(*other));
            let of_end = at.map(|at| open.swap_remove(at).1);
            if other.is_begin() && other.values[0] == end {
                open.push((task(*other), copies.len()));
                copies.push((is_cancel, u32::MAX));
            } else if let Some(copy) = of_end.and_then(|at: usize| copies.get_mut(at)) {
                copy.1 = other.values[0];
            }
        }
        !copies
            .last()
            .is_some_and(|(is_cancel, result)| !is_cancel && *result == u32::MAX)
    }

    /// Returns whether an event is the cancellation of a task that has returned before.
    fn is_cancelled_after(&self, event: Event, outcome: &Outcome) -> bool {
        let before = outcome.events.iter().take_while(|other| **other != event);
        let mut of_task = before.filter(|other| task(**other) == task(event) && !other.is_begin());
        let is_event = matches!(event.operation(self.program), "poll" | "wait" | "event");
        is_event
            && event.values[0] == TASK_CANCELLED
            && of_task.any(|other| other.operation(self.program) == "return")
    }

    /// Returns whether another task of the event's instance waits within an operation, at the end of a trace.
    fn keeps(&self, event: Event, outcome: &Outcome) -> bool {
        let of_others = |other: &&Event| other.instance() == event.instance() && task(**other) != task(event);
        let last = outcome.events.iter().rfind(of_others);
        last.is_some_and(|last| last.is_begin())
    }

    fn reason(&self, ours: &Outcome, reference: &Outcome) -> Option<&'static str> {
        let last = self
            .last
            .map(|event| event.operation(self.program))
            .unwrap_or_default();
        let message = reference.trap.as_ref().map(|(_, message)| message.as_str());
        if ours.class() == Some("not async") && self.ours.is_none() && last.starts_with("return") {
            return Some(SYNC_RETURN);
        }
        if message.is_some_and(|message| TABLE.contains(&message)) && self.reference.is_none() {
            return Some(ENDED_CALLER);
        }
        if message.is_some_and(|message| message.starts_with("BUG: task has already produced a result")) {
            return Some(BUG);
        }
        if message.is_some_and(|message| message.contains("cannot block a synchronous task"))
            && self.reference.is_none()
        {
            return Some(MAY_BLOCK);
        }
        let is_copy = last.contains("-read") || last.contains("-write");
        if is_copy && self.ours.is_none() {
            // After the result of the host's call, the trap has no message.
            let blocks = |event: Event| event.operation(self.program) == last && event.values[0] == u32::MAX;
            let late = ours.class() == Some(LATE) && self.reference.is_some_and(blocks);
            if late || ours.class() == Some("trap: unaligned pointer") {
                return Some(UNALIGNED);
            }
        }
        match (self.ours, self.reference) {
            (_, Some(b)) if self.is_cancelled_after(b, reference) => Some(CANCEL_AFTER),
            (None, Some(b)) if b.operation(self.program) == last && last.contains("stackful") => {
                // Ours has begun the task, and so read its parameters.
                (ours.class() == Some("trap: bad handle") && b.values[0] & 0xf == STARTING)
                    .then_some(STACKFUL)
            }
            (None, Some(b))
                if ours.trap.is_none() && b.operation(self.program) == "event" && self.keeps(b, ours) =>
            {
                Some(KEPT)
            }
            (_, Some(b)) if self.tells_idle(b, reference) => Some(IDLE_DROP),
            (Some(a), Some(b))
                if task(a) == task(b)
                    && [a, b].map(|event| event.operation(self.program)) == ["event"; 2]
                    && [a.values[0], b.values[0]] == [NONE, TASK_CANCELLED] =>
            {
                Some(CANCEL_KEPT)
            }
            (Some(a), Some(b)) if task(a) != task(b) || a.place() == STARTED && a.values != b.values => {
                Some(RACE)
            }
            (Some(a), Some(b)) => {
                // The same script, of calls that entered in another order.
                let is_start = a.operation(self.program).starts_with("start-");
                if is_start && self.program.calls.len() > 1 && a.values[1] == b.values[1] {
                    return Some(RACE);
                }
                let is_read = a.operation(self.program).starts_with("stream-read");
                if is_read
                    && a.instance() == 2
                    && b.values[0] == a.values[0] | 1
                    && b.values[0] != a.values[0]
                {
                    return Some(HOST_STREAM);
                }
                let copies_nothing = a.operation(self.program).contains("-cancel-write");
                if copies_nothing && [a.values[0], b.values[0]] == COPIED_NOTHING {
                    return Some(CANCEL_NOTHING);
                }
                let is_cancel = a.operation(self.program).starts_with("subtask-cancel");
                (is_cancel && a.instance() == 2 && b.values[0] == u32::MAX).then_some(HOST_CANCEL)
            }
            (Some(event), None) | (None, Some(event)) => {
                let trapped = if self.ours.is_none() { ours } else { reference };
                if trapped.trap.is_none() {
                    let kept = last.starts_with("call-") || self.keeps(event, ours);
                    if self.ours.is_none() && event.place() == STARTED && kept {
                        return Some(SYNC_ENTRY);
                    }
                    return (self.ours.is_some() && event.place() == STARTED).then_some(STACKFUL);
                }
                // Another task than the last one goes on, or has trapped.
                let switches = self
                    .last
                    .is_some_and(|last| last.is_begin() && task(last) != task(event));
                (switches || last == "halt").then_some(RACE)
            }
            (None, None) => {
                let late = [ours, reference].map(|outcome| outcome.class() == Some(LATE));
                (late[0] != late[1] && ours.trap.is_some() && reference.trap.is_some()).then_some(RACE)
            }
        }
    }
}
