//! Random programs: mostly valid idioms of the built-ins, some with a wrong handle, length or order.

use super::interpreter::INSTANCES;
use super::program::{Call, Instruction, Program};
use super::script::{FORMS, Kind, NUMBERS, REGISTERS, SPECIAL, code, ops};
use crate::differential::random::Random;

/// The functions of an instance, each with a script of its own.
const ROLES: [&str; 13] = [
    "run-sync",
    "run-callback",
    "run-callback",
    "run-stackful",
    "run-stackful",
    "plain",
    "take-sync",
    "take-callback",
    "take-stackful",
    "give-sync",
    "give-callback",
    "give-stackful",
    "run-callback",
];

/// The special operand with all bits set: a copy that has not ended.
const BLOCKED: u8 = SPECIAL;
/// Registers that a task's ends are passed in.
const PASSED: u8 = 12;
/// Registers of the latest event of a callback.
const EVENT: u8 = 8;

/// How a program departs from the rules.
#[derive(Clone, Copy, Debug)]
struct Manners {
    /// One operand in so many is of another kind.
    wrong: usize,
    /// One instruction in so many is any.
    any: usize,
    /// Tasks that were called asynchronously call so too. wasmtime runs those in another order.
    nests: bool,
    /// One wait in so many is in a place where nothing may come.
    careless: usize,
}

/// Generates a program.
pub fn program(seed: u64) -> Program {
    let mut random = Random::new(seed);
    let nests = random.once_in(2);
    let manners = match random.below(4) {
        0 => Manners {
            wrong: 12,
            any: 12,
            nests,
            careless: 3,
        },
        1 => Manners {
            wrong: 40,
            any: 60,
            nests,
            careless: 6,
        },
        _ => Manners {
            wrong: usize::MAX,
            any: usize::MAX,
            nests,
            careless: 20,
        },
    };
    let longest = random.pick([3, 6, 10, 14]);
    let scripts = std::array::from_fn(|instance| {
        ROLES
            .iter()
            .map(|role| {
                let mut script = Script {
                    random: &mut random,
                    manners,
                    role,
                    is_first: instance == 0,
                    is_last: instance + 1 == INSTANCES.len(),
                    kinds: [Kind::None; REGISTERS as usize],
                    busy: [false; REGISTERS as usize],
                    next: 2,
                    returned: false,
                    out: Vec::new(),
                };
                script.fill(longest);
                script.out
            })
            .collect()
    });
    let count = random.pick([1, 1, 1, 1, 1, 1, 1, 1, 2, 3]);
    let calls = (0..count).map(|_| {
        let instance = random.pick([0, 0, 0, 0, 0, 0, 1, 2]);
        // A function that is not `async` runs at once, before or after what other calls begin with.
        let script = match count {
            1 => random.pick([0, 1, 2, 3, 4, 5, 12, 1, 3]),
            _ => random.pick([0, 1, 2, 3, 4, 12, 1, 3]),
        };
        let role = ROLES[script].strip_prefix("run-");
        Call {
            instance,
            form: FORMS
                .iter()
                .position(|form| Some(*form) == role)
                .unwrap_or(FORMS.len()),
            script: script as u32,
        }
    });
    let calls = calls.collect();
    Program { scripts, calls }
}

struct Script<'a> {
    random: &'a mut Random,
    manners: Manners,
    role: &'static str,
    is_first: bool,
    is_last: bool,
    /// The meanings of the registers.
    kinds: [Kind; REGISTERS as usize],
    /// Ends with a copy that may not have ended.
    busy: [bool; REGISTERS as usize],
    /// The next register for a result.
    next: u8,
    returned: bool,
    out: Vec<Instruction>,
}

impl Script<'_> {
    fn is_callback(&self) -> bool {
        self.role.ends_with("callback")
    }

    fn is_async(&self) -> bool {
        self.is_callback() || self.role.ends_with("stackful")
    }

    fn push(&mut self, name: &str, to: u8, x: u8, y: u8) {
        let Some(code) = code(name) else {
            debug_assert!(false, "no operation {name}");
            return;
        };
        if self.random.once_in(self.manners.any) {
            let any = self.random.bits().to_le_bytes();
            let code = any[0] % ops().len() as u8;
            self.out.push([code, any[1] % REGISTERS, any[2], any[3]]);
            return;
        }
        self.out.push([code, to, x, y]);
        for (offset, kind) in ops()[usize::from(code)].gives.iter().enumerate() {
            if *kind != Kind::None {
                let register = (to as usize + offset) % usize::from(REGISTERS);
                self.kinds[register] = *kind;
                self.busy[register] = false;
            }
        }
    }

    /// Picks registers for results, which later ones overwrite.
    fn room(&mut self, count: u8) -> u8 {
        if self.next + count > EVENT {
            self.next = 2;
        }
        let first = self.next;
        self.next += count;
        first
    }

    /// Finds a register of a kind that fits a test.
    fn find(&mut self, fits: impl Fn(Kind) -> bool, busy: Option<bool>) -> Option<u8> {
        if self.random.once_in(self.manners.wrong) {
            let any = self.random.below(40) as u8;
            return Some(match any {
                0..REGISTERS => any,
                16..24 => NUMBERS + any % 8,
                _ => SPECIAL + any % 16,
            });
        }
        let found: Vec<u8> = (0..REGISTERS)
            .filter(|register| {
                let index = usize::from(*register);
                fits(self.kinds[index]) && busy.is_none_or(|busy| self.busy[index] == busy)
            })
            .collect();
        match found.is_empty() {
            true => None,
            false => Some(found[self.random.below(found.len())]),
        }
    }

    fn forget(&mut self, register: u8) {
        if let Some(kind) = self.kinds.get_mut(usize::from(register)) {
            *kind = Kind::None;
        }
    }

    fn set(&mut self) -> u8 {
        if let Some(set) = self.find(|kind| kind == Kind::Set, None) {
            return set;
        }
        // A register that results do not overwrite.
        self.push("set-new", 11, 0, 0);
        11
    }

    fn fill(&mut self, longest: usize) {
        if self.role.starts_with("take") {
            self.kinds[0] = Kind::StreamRead;
            self.kinds[1] = Kind::FutureRead;
        }
        let length = self.random.below(longest + 1);
        while self.out.len() < length {
            self.fragment();
        }
        self.end();
        self.out.truncate(60);
    }

    fn end(&mut self) {
        if self.is_async() && !self.returned && !self.random.once_in(60) {
            self.give_back();
        }
        if self.role == "give-sync" {
            self.new_ends();
            self.push("move", 0, PASSED, 0);
            self.push("move", 1, PASSED + 1, 0);
        }
    }

    fn give_back(&mut self) {
        self.returned = true;
        if self.is_callback() && self.random.once_in(3) {
            // Confirms a cancellation, or returns.
            self.push("when", 0, EVENT, NUMBERS + 6);
            self.push("cancel", 0, 0, 0);
            self.push("when", 0, EVENT, NUMBERS + 6);
            self.push("halt", 0, 0, 0);
        }
        match self.role.starts_with("give") {
            true => {
                self.new_ends();
                self.push("return-ends", 0, PASSED, PASSED + 1);
            }
            false => {
                let value = match self.random.once_in(2) {
                    true => NUMBERS + self.random.below(200) as u8,
                    false => self.random.below(usize::from(REGISTERS)) as u8,
                };
                self.push("return", 0, value, 0);
            }
        }
    }

    /// Makes a stream and a future, whose readable ends are in the registers from [`PASSED`] on.
    fn new_ends(&mut self) {
        let stream = self.room(2);
        self.push("stream-new", stream, 0, 0);
        self.push("move", PASSED, stream, 0);
        self.forget(stream);
        let future = self.room(2);
        self.push("future-new", future, 0, 0);
        self.push("move", PASSED + 1, future, 0);
        self.forget(future);
    }

    fn fragment(&mut self) {
        match self.random.below(40) {
            0..3 => {
                let to = self.room(2);
                self.push("stream-new", to, 0, 0);
            }
            3..5 => {
                let to = self.room(2);
                self.push("future-new", to, 0, 0);
            }
            5..12 => self.copy(),
            12..14 => self.call(),
            14..21 => self.start(),
            21..23 => {
                self.push("yield", EVENT + 2, 0, 0);
            }
            23 => {
                let value = self.random.below(16) as u8;
                self.push("set", EVENT + 2, value, 0);
                self.push("get", EVENT + 2, 0, 0);
            }
            24 => match self.random.once_in(3) {
                true => self.push("dec", 0, 0, 0),
                false => {
                    self.push("inc", 0, 0, 0);
                    self.push("yield", EVENT + 2, 0, 0);
                    self.push("dec", 0, 0, 0);
                }
            },
            25..28 => self.wait(),
            28..31 => self.drop(),
            31 => self.new_ends(),
            32..34 if self.is_async() && !self.returned => self.give_back(),
            34..36 if self.is_callback() => self.push("code", 0, NUMBERS + 1, 0),
            36 => {
                let value = self.random.below(256) as u8;
                self.push("store", 0, value, 0);
            }
            37 => self.push("load", EVENT + 2, 0, 0),
            38 => {
                let set = self.set();
                self.push("poll", EVENT, set, 0);
            }
            _ => self.cancel_copy(),
        }
    }

    /// Reads or writes, and joins an end whose copy has not ended to a set.
    fn copy(&mut self) {
        let end = self.find(
            |kind| {
                use Kind::{FutureRead, FutureWrite, StreamRead, StreamWrite};
                matches!(kind, StreamRead | StreamWrite | FutureRead | FutureWrite)
            },
            Some(false),
        );
        let Some(end) = end else { return };
        let name = match self.kinds.get(usize::from(end)) {
            Some(Kind::StreamRead) => "stream-read",
            Some(Kind::StreamWrite) => "stream-write",
            Some(Kind::FutureRead) => "future-read",
            Some(Kind::FutureWrite) => "future-write",
            _ => self
                .random
                .pick(["stream-read", "stream-write", "future-read", "future-write"]),
        };
        let length = match self.random.below(12) {
            0 => self.random.below(256) as u8,
            _ => NUMBERS + self.random.below(4) as u8,
        };
        if self.random.once_in(8) {
            self.push(&format!("{name}-sync"), EVENT + 2, end, length);
            return;
        }
        self.push(name, EVENT + 2, end, length);
        if let Some(busy) = self.busy.get_mut(usize::from(end)) {
            *busy = true;
        }
        if !self.random.once_in(4) {
            let set = self.set();
            self.push("join", 0, end, set);
            if self.random.once_in(3) {
                self.push("when", 0, EVENT + 2, BLOCKED);
                self.wait_for(set);
            }
        }
    }

    fn cancel_copy(&mut self) {
        let Some(end) = self.find(|kind| kind != Kind::None, Some(true)) else {
            return;
        };
        let name = match self.kinds.get(usize::from(end)) {
            Some(Kind::StreamWrite) => "stream-cancel-write",
            Some(Kind::FutureRead) => "future-cancel-read",
            Some(Kind::FutureWrite) => "future-cancel-write",
            _ => "stream-cancel-read",
        };
        let suffix = self.random.pick(["", "", "-sync"]);
        self.push(&format!("{name}{suffix}"), EVENT + 2, end, 0);
        if let Some(busy) = self.busy.get_mut(usize::from(end)) {
            *busy = false;
        }
    }

    /// Picks a function of the next instance, and its script.
    fn function(&mut self) -> (&'static str, u8) {
        let script = self.random.below(ROLES.len());
        let role = ROLES[script];
        if role.starts_with("take") {
            self.new_ends();
        }
        let script = match self.is_last {
            // The host's functions wait for so many turns.
            true => self.random.below(4),
            false => script,
        };
        (role, NUMBERS + script as u8)
    }

    fn call(&mut self) {
        let (role, script) = self.function();
        let to = self.room(2);
        self.push(&format!("call-{role}"), to, script, PASSED);
    }

    fn start(&mut self) {
        if !self.is_first && !self.manners.nests {
            return self.call();
        }
        let (role, script) = self.function();
        let to = self.room(2);
        if role == "plain" {
            self.push("call-plain", to, script, 0);
            return;
        }
        self.push(&format!("start-{role}"), to, script, PASSED);
        let subtask = to + 1;
        self.busy[usize::from(subtask) % 16] = true;
        match self.random.below(8) {
            0..5 => {
                let set = self.set();
                self.push("unless", 0, subtask, NUMBERS);
                self.push("join", 0, subtask, set);
                if self.random.once_in(2) {
                    self.push("unless", 0, subtask, NUMBERS);
                    self.wait_for(set);
                    if role.starts_with("give") {
                        let to = self.room(2);
                        self.push("result", to, 0, 0);
                    }
                    if self.random.once_in(2) {
                        self.push("unless", 0, subtask, NUMBERS);
                        self.push("subtask-drop", 0, subtask, 0);
                        self.forget(subtask);
                    }
                }
            }
            5 | 6 => {
                if self.random.once_in(2) {
                    self.push("yield", EVENT + 2, 0, 0);
                }
                let name = self.random.pick(["subtask-cancel", "subtask-cancel-async"]);
                self.push("unless", 0, subtask, NUMBERS);
                self.push(name, EVENT + 2, subtask, 0);
            }
            _ => {}
        }
    }

    fn wait(&mut self) {
        match self.find(|kind| kind == Kind::Set, None) {
            Some(set) => self.wait_for(set),
            None if self.random.once_in(self.manners.careless) => {
                let set = self.set();
                self.wait_for(set);
            }
            None => {}
        }
    }

    fn wait_for(&mut self, set: u8) {
        if self.is_callback() && !self.random.once_in(4) {
            self.push("code-wait", 0, set, 0);
            return;
        }
        let name = self.random.pick(["wait", "wait", "wait", "poll", "poll"]);
        self.push(name, EVENT, set, 0);
    }

    fn drop(&mut self) {
        let end = match self.random.once_in(4) {
            true => self.find(|kind| kind != Kind::None && kind != Kind::Number, None),
            false => self.find(|kind| kind != Kind::None && kind != Kind::Number, Some(false)),
        };
        let Some(end) = end else { return };
        let name = match self.kinds.get(usize::from(end)) {
            Some(Kind::StreamRead) => "stream-drop-read",
            Some(Kind::StreamWrite) => "stream-drop-write",
            Some(Kind::FutureRead) => "future-drop-read",
            Some(Kind::FutureWrite) => "future-drop-write",
            Some(Kind::Set) if !self.random.once_in(6) => return,
            Some(Kind::Set) => "set-drop",
            _ => "subtask-drop",
        };
        self.push(name, 0, end, 0);
        self.forget(end);
    }
}
