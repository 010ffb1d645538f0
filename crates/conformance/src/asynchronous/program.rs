//! A program: scripts for each instance, and the calls with which the host begins.

use std::fmt;

use super::interpreter::INSTANCES;
use super::script::{FORMS, INSTRUCTIONS, SCRIPTS, describe};

/// Most calls by the host.
pub const CALLS: usize = 3;

/// An instruction, see [`script`](super::script).
pub type Instruction = [u8; 4];

/// A call by the host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Call {
    /// The position in [`INSTANCES`].
    pub instance: usize,
    /// The position in [`FORMS`], or a number beyond them for the function that is not `async`.
    pub form: usize,
    pub script: u32,
}

impl Call {
    /// Returns the exported function's name.
    pub fn function(&self) -> String {
        match FORMS.get(self.form) {
            Some(form) => format!("run-{form}"),
            None => String::from("plain"),
        }
    }
}

/// Scripts, by instance, and calls.
#[derive(Clone, Debug)]
pub struct Program {
    pub scripts: [Vec<Vec<Instruction>>; INSTANCES.len()],
    pub calls: Vec<Call>,
}

impl Program {
    /// Reads any bytes as a program: first the calls, then scripts for the instances in turn, each with its length.
    pub fn from_bytes(bytes: &[u8]) -> Program {
        let mut bytes = bytes.iter().copied();
        let mut calls = Vec::new();
        let count = 1 + usize::from(bytes.next().unwrap_or(0)) % CALLS;
        for _ in 0..count {
            let byte = usize::from(bytes.next().unwrap_or(0));
            calls.push(Call {
                instance: byte % INSTANCES.len(),
                form: byte / 4 % (FORMS.len() + 1),
                script: u32::from(bytes.next().unwrap_or(0)) % SCRIPTS as u32,
            });
        }
        let mut scripts: [Vec<Vec<Instruction>>; INSTANCES.len()] = Default::default();
        'all: for script in 0..SCRIPTS * INSTANCES.len() {
            let Some(length) = bytes.next() else { break };
            let mut instructions = Vec::new();
            let place = script % INSTANCES.len();
            for _ in 0..usize::from(length) % INSTRUCTIONS {
                let mut instruction = [0; 4];
                for byte in &mut instruction {
                    match bytes.next() {
                        Some(next) => *byte = next,
                        None => {
                            scripts[place].push(instructions);
                            break 'all;
                        }
                    }
                }
                instructions.push(instruction);
            }
            scripts[place].push(instructions);
        }
        Program { scripts, calls }
    }

    /// Returns bytes that [`from_bytes`](Program::from_bytes) reads as this program.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![(self.calls.len().clamp(1, CALLS) - 1) as u8];
        for call in self.calls.iter().take(CALLS) {
            // The first number of which the form and the instance are these.
            let byte = (0..=u8::MAX).find(|byte| {
                let byte = usize::from(*byte);
                byte % INSTANCES.len() == call.instance
                    && byte / 4 % (FORMS.len() + 1) == call.form.min(FORMS.len())
            });
            bytes.extend([byte.unwrap_or(0), call.script as u8]);
        }
        let longest = self.scripts.iter().map(Vec::len).max().unwrap_or(0);
        for index in 0..longest {
            for scripts in &self.scripts {
                let script = scripts.get(index).map_or(&[][..], Vec::as_slice);
                let script = &script[..script.len().min(INSTRUCTIONS - 1)];
                bytes.push(script.len() as u8);
                bytes.extend(script.iter().flatten());
            }
        }
        bytes
    }

    /// Returns the memory of an instance's scripts.
    pub fn memory(&self, instance: usize) -> Vec<u8> {
        let mut memory = Vec::new();
        for script in self.scripts.get(instance).into_iter().flatten().take(SCRIPTS) {
            let end = memory.len() + INSTRUCTIONS * 4;
            memory.extend(script.iter().take(INSTRUCTIONS - 1).flatten());
            memory.resize(end, 0);
        }
        memory
    }

    /// Returns the smallest program, of those with instructions removed, of which a test holds.
    pub fn shrink(&self, fails: &mut dyn FnMut(&Program) -> bool) -> Program {
        let mut smallest = self.clone();
        loop {
            let mut smaller = false;
            for call in (0..smallest.calls.len())
                .rev()
                .filter(|_| smallest.calls.len() > 1)
            {
                let mut candidate = smallest.clone();
                candidate.calls.remove(call);
                if fails(&candidate) {
                    smallest = candidate;
                    smaller = true;
                    break;
                }
            }
            for instance in 0..INSTANCES.len() {
                for script in 0..smallest.scripts[instance].len() {
                    for place in (0..smallest.scripts[instance][script].len()).rev() {
                        let mut candidate = smallest.clone();
                        candidate.scripts[instance][script].remove(place);
                        if fails(&candidate) {
                            smallest = candidate;
                            smaller = true;
                        }
                    }
                }
            }
            if !smaller {
                return smallest;
            }
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for call in &self.calls {
            let instance = INSTANCES.get(call.instance).copied().unwrap_or_default();
            writeln!(f, "  call {instance}.{}({})", call.function(), call.script)?;
        }
        for (instance, scripts) in INSTANCES.iter().zip(&self.scripts) {
            for (index, script) in scripts.iter().enumerate() {
                let text = describe(script);
                if !text.is_empty() {
                    write!(f, "  {instance}, script {index}:\n{text}")?;
                }
            }
        }
        Ok(())
    }
}
