//! Row P6b: the whole process, from the start of a program with an artifact to the printed answer.

use crate::guests::Guest;
use crate::lives::Lives;
use crate::measure::typical;
use crate::ours;
use crate::reference;
use crate::rows::{Figure, Row};
use airssys_wasm::artifact::PublicKey;
use airssys_wasm::engine::Backend;
use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The guests of the row. Those with interpreters import WASI in other versions than the program wasmtime defines: its option that
/// has imports trap which only the benchmark's host has replaces those of WASI too, and they fail.
const MEASURED: &[Guest] = &[Guest::Small];

/// The call, which every guest of the benchmark answers in the same way.
const CALL: &str = "add(40, 2)";
const ANSWER: &str = "42";

/// The file of the program that runs another one and prints its usage, beside the benchmark's.
const METER: &str = "meter";

/// The remedy for a missing program.
const HOW: &str = "`cargo xtask bench` builds airssys-wasm, and installs wasmtime with `cargo install wasmtime-cli --version =48.0.0 \
                   --locked --root target/wasmtime-cli`";

/// The programs to compare.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Programs {
    /// The program airssys-wasm, for row P6b
    #[arg(long, value_name = "PROGRAM")]
    program: Option<PathBuf>,
    /// The program wasmtime, for row P6b
    #[arg(long, value_name = "PROGRAM")]
    wasmtime: Option<PathBuf>,
}

/// Processor time of user and system in nanoseconds, and peak resident memory in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Usage {
    processor: f64,
    memory: f64,
}

/// A program with its arguments.
struct Invocation {
    name: &'static str,
    words: Vec<OsString>,
}

impl Programs {
    /// Returns both programs. Missing ones leave the row out with a notice, or are an error where everything is required.
    pub(crate) fn there(&self) -> Result<Option<(&Path, &Path)>> {
        let missing = match (&self.program, &self.wasmtime) {
            (Some(ours), Some(theirs)) => return Ok(Some((ours, theirs))),
            (None, _) => "airssys-wasm",
            (_, None) => "wasmtime",
        };
        let what = format!("the program {missing} is not given: {HOW}");
        ensure!(std::env::var_os("AIRSSYS_REQUIRE_ALL").is_none(), what);
        eprintln!("LEFT OUT: P6b: {what}");
        Ok(None)
    }
}

/// Measures both programs in turns.
pub(crate) fn measure(
    lives: &mut Lives,
    backend: Backend,
    (ours, theirs): (&Path, &Path),
    rounds: u32,
) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for guest in lives.guests(backend, MEASURED)? {
        eprintln!("P6b {guest}, {backend}");
        let (file, signer) = lives.our_file(backend, guest)?;
        // By the program itself, whose settings are not those of the library.
        let reference = lives.written(guest)?.with_extension("program.cwasm");
        precompile(theirs, &lives.written(guest)?, &reference)?;
        let sides = [
            our_invocation(ours, &file, signer),
            their_invocation(theirs, &reference),
        ];
        figures.extend(compare(guest, backend, &sides, rounds)?);
    }
    Ok(figures)
}

/// Has the program wasmtime compile a component.
fn precompile(program: &Path, component: &Path, file: &Path) -> Result<()> {
    let status = Command::new(program)
        .arg("compile")
        .arg(component)
        .arg("-o")
        .arg(file)
        .status();
    let status = status.with_context(|| format!("cannot start {}", program.display()))?;
    ensure!(
        status.success(),
        "{} cannot compile {}",
        program.display(),
        component.display()
    );
    Ok(())
}

fn our_invocation(program: &Path, file: &Path, signer: PublicKey) -> Invocation {
    let mut words: Vec<OsString> = vec![program.into(), "invoke".into(), file.into()];
    words.extend([CALL.into(), "--trust".into(), signer.to_string().into()]);
    Invocation {
        name: ours::NAME,
        words,
    }
}

/// Imports that only the benchmark's host has trap, as they do with airssys-wasm.
fn their_invocation(program: &Path, file: &Path) -> Invocation {
    let mut words: Vec<OsString> = vec![program.into()];
    words.extend(
        [
            "run",
            "--allow-precompiled",
            "-W",
            "unknown-imports-trap=y",
            "--invoke",
            CALL,
        ]
        .map(OsString::from),
    );
    words.push(file.into());
    Invocation {
        name: reference::NAME,
        words,
    }
}

fn compare(guest: Guest, backend: Backend, sides: &[Invocation], rounds: u32) -> Result<Vec<Figure>> {
    let meter = std::env::current_exe()?
        .with_file_name(METER)
        .with_extension(std::env::consts::EXE_EXTENSION);
    let mut usages = vec![Vec::new(); sides.len()];
    for round in 0..=rounds {
        for (side, usages) in sides.iter().zip(&mut usages) {
            let usage = run(&meter, side)?;
            // The first run brings files into the page cache and has ours verify the signature.
            if round > 0 {
                usages.push(usage);
            }
        }
    }
    let figure = |what: &str, unit, pick: fn(&Usage) -> f64| {
        let of_sides: Vec<_> = sides
            .iter()
            .zip(&usages)
            .map(|(side, usages)| (side.name, typical(usages.iter().map(pick).collect())))
            .collect();
        Figure::new(Row::P6b, format!("{guest}, {what}"), backend, unit, &of_sides)
    };
    Ok(vec![
        figure("processor time", "ns", |usage| usage.processor)?,
        figure("peak memory", "bytes", |usage| usage.memory)?,
    ])
}

fn run(meter: &Path, side: &Invocation) -> Result<Usage> {
    let output = Command::new(meter)
        .args(&side.words)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", meter.display()))?;
    let (text, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    ensure!(output.status.success(), "{:?} failed: {errors}", side.words);
    let Some((answer, usage)) = parse(&text) else {
        bail!("{:?} printed: {text}", side.words);
    };
    ensure!(answer == ANSWER, "{:?} answered {answer}", side.words);
    Ok(usage)
}

/// Splits what a program printed from its usage, which follows in a line of its own.
fn parse(text: &str) -> Option<(&str, Usage)> {
    let (answer, usage) = text.trim_end().rsplit_once('\n')?;
    let (processor, memory) = usage.split_once(' ')?;
    Some((
        answer.trim(),
        Usage {
            processor: processor.parse().ok()?,
            memory: memory.parse().ok()?,
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usage_is_the_last_line() {
        let usage = Usage {
            processor: 8_000_000.0,
            memory: 20_480.0,
        };
        assert_eq!(parse("42\n8000000 20480\n"), Some(("42", usage)));
        assert_eq!(parse("4\n2\n8000000 20480\n"), Some(("4\n2", usage)));
        for text in ["", "42\n", "42\n8000000\n", "42\n8 x\n"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_missing_program_leaves_the_row_out() {
        let programs = Programs {
            program: Some("airssys-wasm".into()),
            wasmtime: None,
        };
        // Where nothing may be left out, it is an error.
        let left_out = std::env::var_os("AIRSSYS_REQUIRE_ALL").is_none();
        assert_eq!(programs.there().is_ok_and(|there| there.is_none()), left_out);
        let both = Programs {
            wasmtime: Some("wasmtime".into()),
            ..programs
        };
        assert!(both.there().expect("both are given").is_some());
    }
}
