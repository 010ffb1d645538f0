//! Results of a program on an engine, and their comparison.

use std::collections::BTreeMap;
use std::fmt;

use super::interpreter::{BEGIN, EVENT, INSTANCES, STARTED};
use super::program::Program;
use super::script::ops;

/// Most events of one program. Stops a guest that runs without end.
pub const MAX_EVENTS: usize = 20_000;

/// One report of a guest: its place, and three numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    pub at: u32,
    pub values: [u32; 3],
}

impl Event {
    /// The instance's position.
    pub fn instance(self) -> u32 {
        self.at >> 28
    }

    /// The number of the task in its instance, in the order of their starts.
    pub fn task(self) -> u32 {
        self.at >> 16 & 0xfff
    }

    /// The instruction's place, or [`STARTED`] or [`EVENT`].
    pub fn place(self) -> u32 {
        self.at & 0xffff
    }

    /// Returns whether it is the begin of an instruction.
    pub fn is_begin(self) -> bool {
        self.place() & BEGIN != 0 && !matches!(self.place(), STARTED | EVENT)
    }

    /// Returns the name of the operation.
    pub fn operation(self, program: &Program) -> &str {
        use super::script::INSTRUCTIONS;
        let place = (self.place() & !BEGIN) as usize;
        match self.place() {
            STARTED => return "start",
            EVENT => return "event",
            _ => {}
        }
        let scripts = program.scripts.get(self.instance() as usize);
        let script = scripts.and_then(|scripts| scripts.get(place / INSTRUCTIONS));
        let instruction = script.and_then(|script| script.get(place % INSTRUCTIONS));
        let code = instruction.map_or(0, |instruction| instruction[0]);
        ops().get(usize::from(code)).map_or("halt", |op| &op.name)
    }

    pub fn describe(self, program: &Program) -> String {
        let instance = INSTANCES.get(self.instance() as usize).copied().unwrap_or("?");
        let [a, b, c] = self.values.map(|value| value as i32);
        let place = (self.place() & !BEGIN) as usize % super::script::INSTRUCTIONS;
        let mark = if self.is_begin() { "begins " } else { "" };
        format!(
            "{instance}{}:{place} {mark}{} {a} {b} {c}",
            self.task(),
            self.operation(program)
        )
    }
}

/// The end of a program on an engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    pub events: Vec<Event>,
    /// Results of the calls, in order. `None`: the call did not end.
    pub values: Vec<Option<u32>>,
    /// The class of the trap, and the engine's message.
    pub trap: Option<(String, String)>,
}

/// The class of a trap that follows the end of all calls, which not every engine describes.
pub const LATE: &str = "late";

/// An event as its task sees it: its place and values.
pub type Seen = (u32, [u32; 3]);

impl Outcome {
    /// Marks a trap that follows the end of all calls.
    pub(super) fn late(mut self) -> Outcome {
        if let Some((class, _)) = &mut self.trap
            && self.values.iter().all(Option::is_some)
        {
            *class = LATE.to_owned();
        }
        self
    }

    /// Returns the events of each task, in their order, without the order between tasks.
    pub fn by_task(&self) -> BTreeMap<(u32, u32), Vec<Seen>> {
        let mut tasks: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for event in &self.events {
            let task = tasks.entry((event.instance(), event.task())).or_default();
            task.push((event.place(), event.values));
        }
        tasks
    }

    pub fn class(&self) -> Option<&str> {
        self.trap.as_ref().map(|(class, _)| class.as_str())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.trap {
            Some((class, message)) => write!(f, "{:?}, trap {class} ({message})", self.values),
            None if self.values.contains(&None) => write!(f, "{:?}, all wait", self.values),
            None => write!(f, "{:?}", self.values),
        }
    }
}

/// Events that are shown before and after the first difference.
const BEFORE: usize = 100;
const AFTER: usize = 12;

/// Shows both traces up to their first difference.
pub fn explain(program: &Program, ours: &Outcome, reference: &Outcome) -> String {
    let same = ours.events.iter().zip(&reference.events);
    let same = same.take_while(|(a, b)| a == b).count();
    let show = |outcome: &Outcome| {
        let from = same.saturating_sub(BEFORE);
        let events = outcome.events.iter().enumerate().skip(from).take(BEFORE + AFTER);
        let events = events.map(|(index, event)| {
            let mark = if index >= same { "!" } else { " " };
            format!("    {mark} {}\n", event.describe(program))
        });
        events.collect::<String>()
    };
    format!(
        "  ours: {ours}\n{}  reference: {reference}\n{}",
        show(ours),
        show(reference)
    )
}
