//! `cargo xtask test`: runs every check that a change must pass.
//!
//! Formatting, lints, guests rebuilt and compared, then all tests once, with all backends that can be compiled here;
//! the tests themselves go through the backends that they find compiled in. Lints and tests use the release profile:
//! one build of the engine, and compilers that run at full speed.
//!
//! | part              | needs                                            | otherwise                 |
//! |-------------------|--------------------------------------------------|---------------------------|
//! | formatting        | rustfmt                                          | left out                  |
//! | lints             | clippy                                           | left out                  |
//! | guests            | each guest's own toolchain                       | that guest is left out    |
//! | tests, cranelift  | nothing                                          |                           |
//! | tests, llvm       | LLVM 22.1's shared library (libllvm22)           | left out                  |
//! | tests, singlepass | `AIRSSYS_REQUIRE_ALL=1`                          | left out                  |
//! | headless program  | nothing                                          |                           |
//! | fuzzing           | a C++ compiler; `AIRSSYS_REQUIRE_ALL=1`          | left out                  |
//!
//! The end gives the output of failed tests once more, and lists omitted parts. With `AIRSSYS_REQUIRE_ALL=1` a part that
//! would be left out fails instead.

use crate::failures::Failures;
use crate::fuzz::{self, Outcome};
use crate::guests;
use crate::tools::{
    Llvm, announce, cargo, cargo_command, cargo_read, find_llvm, output, target_dir, workspace_features,
};
use anyhow::Result;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Parts that passed, that failed, and that could not run.
#[derive(Debug, Default)]
struct Summary {
    passed: Vec<String>,
    failed: Vec<String>,
    left_out: Vec<String>,
    /// True if a part that is omitted is a failure.
    require_all: bool,
}

impl Summary {
    fn record(&mut self, part: &str, passed: bool) {
        let list = if passed {
            &mut self.passed
        } else {
            &mut self.failed
        };
        list.push(part.to_string());
    }

    fn leave_out(&mut self, part: &str, why: &str) {
        self.left_out.push(format!("{part}: {why}"));
    }

    fn is_success(&self) -> bool {
        self.failed.is_empty() && (self.left_out.is_empty() || !self.require_all)
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for part in &self.passed {
            writeln!(out, "passed    {part}")?;
        }
        for part in &self.failed {
            writeln!(out, "FAILED    {part}")?;
        }
        let word = if self.require_all {
            "MISSING  "
        } else {
            "LEFT OUT "
        };
        for part in &self.left_out {
            writeln!(out, "{word} {part}")?;
        }
        let verdict = match (self.is_success(), self.left_out.len()) {
            (false, _) => "failed".to_string(),
            (true, 0) => "passed, nothing skipped".to_string(),
            (true, count) => format!("passed, {count} skipped (AIRSSYS_REQUIRE_ALL=1 makes them failures)"),
        };
        writeln!(out, "cargo xtask test: {verdict}")
    }
}

/// Runs every part, also after one has failed; returns whether all passed.
pub(crate) fn run(root: &Path) -> Result<bool> {
    let require_all = std::env::var("AIRSSYS_REQUIRE_ALL").is_ok_and(|value| value == "1");
    let mut summary = Summary {
        require_all,
        ..Summary::default()
    };
    let llvm = find_llvm();
    let features = choose_features(&llvm, &mut summary);
    let cargo = |arguments: &[&str]| cargo(root, arguments);

    if has_component(root, "fmt") {
        summary.record("formatting", cargo(&["fmt", "--all", "--check"])?);
    } else {
        summary.leave_out(
            "formatting",
            "there is no rustfmt; `rustup component add rustfmt`",
        );
    }

    if require_all {
        summary.record("lock file of the fuzz targets", fuzz::lock_file_is_current(root)?);
    }

    let build = ["--workspace", "--locked", "--release", "--features", &features];
    if has_component(root, "clippy") {
        let arguments = [
            &["clippy"][..],
            &build,
            &["--all-targets", "--", "-D", "warnings"],
        ]
        .concat();
        summary.record("lints", cargo(&arguments)?);
    } else {
        summary.leave_out("lints", "there is no clippy; `rustup component add clippy`");
    }

    // Before the tests, which use the guests that are too large to commit.
    check_guests(root, &mut summary);

    // Before the tests, so that cargo's list of failed test binaries is near the end.
    fuzz_all(root, &mut summary);

    let headless = headless(root)?;
    summary.record("the program without a compiler, built", headless.is_some());
    let program = headless.as_ref().map(|program| program.to_string_lossy());
    let variables: Vec<(&str, &str)> = program.iter().map(|program| (HEADLESS, &**program)).collect();
    let mut failures = Failures::default();
    let passed = cargo_read(
        root,
        &[&["test", "--no-fail-fast"][..], &build].concat(),
        &variables,
        |line| failures.read(line),
    )?;
    summary.record(&format!("tests, with {features}"), passed);

    print!("\n{failures}");
    println!("\n{summary}");
    Ok(summary.is_success())
}

/// The variable with the path of the program without a compiler, for tests.
const HEADLESS: &str = "AIRSSYS_HEADLESS";

/// Builds the program without a compiler, in a folder of its own: its engine has other features.
fn headless(root: &Path) -> Result<Option<PathBuf>> {
    let folder = target_dir(root).join("headless");
    let folder_name = folder.to_string_lossy();
    let arguments = [
        "build",
        "--package",
        "airssys-wasm-cli",
        "--locked",
        "--release",
        "--no-default-features",
        "--features",
        "headless",
        "--target-dir",
        &folder_name,
    ];
    let program = folder.join(format!("release/airssys-wasm{}", std::env::consts::EXE_SUFFIX));
    Ok(cargo(root, &arguments)?.then_some(program))
}

/// Returns the features for cargo's `--features`: the backends to compile in, and others that are off by default.
fn choose_features(llvm: &Llvm, summary: &mut Summary) -> String {
    if let Llvm::Missing(why) = llvm {
        summary.leave_out("backend llvm", why);
    }
    if !summary.require_all {
        summary.leave_out("backend singlepass", "compiled only with AIRSSYS_REQUIRE_ALL=1");
    }
    workspace_features(llvm, summary.require_all)
}

fn check_guests(root: &Path, summary: &mut Summary) {
    announce("guests --check");
    match guests::run(root, true, &[]) {
        Ok(report) => {
            print!("{report}");
            for (name, install) in &report.missing {
                summary.leave_out(&format!("guest {name}"), install);
            }
            let mut part = format!("guests, {} rebuilt", report.built.len());
            for (name, difference) in &report.stale {
                // Writing to a string cannot fail.
                let _ = write!(part, "; {name}: {difference}");
            }
            summary.record(&part, report.stale.is_empty());
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            summary.record("guests", false);
        }
    }
}

/// Fuzzes every target for a minute. The build takes longer than that, so it runs only if every part is required.
fn fuzz_all(root: &Path, summary: &mut Summary) {
    const TIME: Duration = Duration::from_secs(60);
    if !summary.require_all {
        return summary.leave_out(
            "fuzzing",
            "run only with AIRSSYS_REQUIRE_ALL=1; `cargo xtask fuzz ci` does the same",
        );
    }
    match fuzz::run_all(root, TIME) {
        Ok(Outcome::Ran(reports)) => {
            for report in reports {
                summary.record(&format!("fuzzing {}", report.target), report.is_clean());
            }
        }
        Ok(Outcome::Impossible(why)) => summary.leave_out("fuzzing", &why),
        Err(error) => {
            eprintln!("error: {error:#}");
            summary.record("fuzzing", false);
        }
    }
}

fn has_component(root: &Path, name: &str) -> bool {
    output(cargo_command().current_dir(root).args([name, "--version"])).is_some()
}
