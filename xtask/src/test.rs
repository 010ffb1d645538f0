//! `cargo xtask test`: everything that is checked before a change is taken.
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
//! | tests, llvm       | LLVM 22.1 with Polly (`LLVM_SYS_221_PREFIX`)     | left out                  |
//! | tests, singlepass | `AIRSSYS_REQUIRE_ALL=1`                          | left out                  |
//!
//! What is left out is listed at the end. With `AIRSSYS_REQUIRE_ALL=1` a part that would be left out fails instead.

use crate::guests;
use anyhow::{Context, Result};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Debian's `llvm-22-dev` puts LLVM.
const USUAL_LLVM: &str = "/usr/lib/llvm-22";

const LLVM_PREFIX: &str = "LLVM_SYS_221_PREFIX";

/// What has passed, what has not, and what could not be tried.
#[derive(Debug, Default)]
struct Summary {
    passed: Vec<String>,
    failed: Vec<String>,
    left_out: Vec<String>,
    /// Whether leaving something out is a failure.
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
            (true, 0) => "passed, nothing left out".to_string(),
            (true, count) => format!("passed, {count} left out (AIRSSYS_REQUIRE_ALL=1 makes them failures)"),
        };
        writeln!(out, "cargo xtask test: {verdict}")
    }
}

/// Runs every part, also after one has failed; returns whether all is well.
pub(crate) fn run(root: &Path) -> Result<bool> {
    let require_all = std::env::var("AIRSSYS_REQUIRE_ALL").is_ok_and(|value| value == "1");
    let mut summary = Summary {
        require_all,
        ..Summary::default()
    };
    let llvm = find_llvm();
    let features = choose_features(&llvm, &mut summary);
    let cargo = |arguments: &[&str]| cargo(root, &llvm, arguments);

    if has_component(root, "fmt") {
        summary.record("formatting", cargo(&["fmt", "--all", "--check"])?);
    } else {
        summary.leave_out(
            "formatting",
            "there is no rustfmt; `rustup component add rustfmt`",
        );
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

    let passed = cargo(&[&["test"][..], &build].concat())?;
    summary.record(&format!("tests, with the backends {features}"), passed);

    println!("\n{summary}");
    Ok(summary.is_success())
}

/// The backends to compile in, as cargo's `--features` takes them.
fn choose_features(llvm: &Llvm, summary: &mut Summary) -> String {
    let mut features = "cranelift".to_string();
    match llvm {
        Llvm::At(_) => features.push_str(",llvm"),
        Llvm::Missing(why) => summary.leave_out("backend llvm", why),
    }
    if summary.require_all {
        features.push_str(",singlepass");
    } else {
        summary.leave_out("backend singlepass", "compiled only with AIRSSYS_REQUIRE_ALL=1");
    }
    features
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

enum Llvm {
    At(PathBuf),
    Missing(String),
}

/// LLVM 22.1: where the variable says, or in the usual place, or where its own program says.
fn find_llvm() -> Llvm {
    let prefix = match std::env::var_os(LLVM_PREFIX) {
        Some(prefix) => PathBuf::from(prefix),
        None if Path::new(USUAL_LLVM).is_dir() => PathBuf::from(USUAL_LLVM),
        None => match output(Command::new("llvm-config-22").arg("--prefix")) {
            Some(prefix) => PathBuf::from(prefix),
            None => {
                return Llvm::Missing(format!(
                    "there is no LLVM 22.1; `apt-get install llvm-22-dev libpolly-22-dev libzstd-dev zlib1g-dev \
                     libxml2-dev`, or set {LLVM_PREFIX}"
                ));
            }
        },
    };
    let config = prefix.join("bin/llvm-config");
    match output(Command::new(&config).arg("--version")) {
        Some(version) if version.starts_with("22.1.") => {}
        Some(version) => return Llvm::Missing(format!("{} is LLVM {version}, not 22.1", prefix.display())),
        None => return Llvm::Missing(format!("{} does not run", config.display())),
    }
    if !prefix.join("lib/libPolly.a").is_file() {
        return Llvm::Missing(format!(
            "{} has no lib/libPolly.a; `apt-get install libpolly-22-dev`",
            prefix.display()
        ));
    }
    Llvm::At(prefix)
}

fn has_component(root: &Path, name: &str) -> bool {
    output(
        Command::new(cargo_program())
            .current_dir(root)
            .args([name, "--version"]),
    )
    .is_some()
}

/// What a program prints, if it can be run and succeeds.
fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_string())
}

/// Runs cargo in the workspace, its output going where ours goes; returns whether it succeeded.
fn cargo(root: &Path, llvm: &Llvm, arguments: &[&str]) -> Result<bool> {
    announce(&format!("cargo {}", arguments.join(" ")));
    let mut command = Command::new(cargo_program());
    command.current_dir(root).args(arguments);
    if let Llvm::At(prefix) = llvm {
        command.env(LLVM_PREFIX, prefix);
    }
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", cargo_program().display()))?;
    Ok(status.success())
}

/// The cargo that runs us, so that all parts use one toolchain.
fn cargo_program() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

fn announce(what: &str) {
    println!("\n== {what}");
}
