//! `cargo xtask fuzz TARGET`: libFuzzer over the targets of `tests/fuzz`, and calls compared between engines.
//!
//! The targets are built as cargo-fuzz builds them with `--sanitizer none`, which a stable toolchain can do, in a
//! folder of their own: `fuzz` in cargo's target folder. It also has the corpus of each target (`corpus/TARGET`), its
//! findings (`artifacts/TARGET`) and its logs. The inputs that every run starts with are committed:
//! `tests/fuzz/seeds/TARGET`.

use crate::tools::{announce, cargo, cargo_command, find_llvm, output, target_dir, workspace_features};
use anyhow::{Context, Result, bail, ensure};
use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The libFuzzer targets, as `tests/fuzz/Cargo.toml` names them.
const TARGETS: [&str; 4] = ["async_builtins", "component_bytes", "guest_memory", "wast_script"];
/// The program that compares calls between engines, without libFuzzer.
const DIFFERENTIAL: &str = "airssys-wasm-conformance";

/// Compiler flags of cargo-fuzz, for the coverage that libFuzzer uses.
const RUSTFLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing -Ccodegen-units=1";

/// Limits of libFuzzer, above which an input is a finding: seconds for one input, mebibytes for the process and for one
/// allocation.
const LIMITS: [&str; 3] = ["-timeout=25", "-rss_limit_mb=2048", "-malloc_limit_mb=2048"];

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[arg(value_enum)]
    target: Target,
    /// Time to run each target for: 30s, 1m, 4h
    #[arg(long = "for", value_name = "TIME", default_value = "1m", value_parser = duration)]
    time: Duration,
    /// Number of parallel processes per target
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: u16,
    /// Run only the seeds and the saved corpus, without new inputs
    #[arg(long)]
    smoke: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum Target {
    /// Arbitrary programs of the asynchronous built-ins
    #[value(name = "async_builtins", alias = "async-builtins")]
    AsyncBuiltins,
    /// Arbitrary bytes as a component
    #[value(name = "component_bytes", alias = "component-bytes")]
    ComponentBytes,
    /// Arbitrary memory of a guest, lifted as values
    #[value(name = "guest_memory", alias = "guest-memory")]
    GuestMemory,
    /// Arbitrary text as a test script
    #[value(name = "wast_script", alias = "wast-script")]
    WastScript,
    /// Generated calls, on this library and on wasmtime
    Differential,
    /// Every libFuzzer target, one after the other
    #[value(alias = "all")]
    Ci,
    /// Regenerate the committed seeds from their sources
    Seeds,
}

/// Result of fuzzing all libFuzzer targets.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// One report for each target that ran.
    Ran(Vec<Report>),
    /// The targets cannot be built here; the text is the reason.
    Impossible(String),
}

/// Result of fuzzing one target.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) target: String,
    seconds: u64,
    executions: u64,
    /// Peak memory of the largest process, in MiB.
    peak: u64,
    /// Inputs that libFuzzer reported.
    pub(crate) findings: Vec<PathBuf>,
    /// The end of the log of each process that failed.
    failures: Vec<String>,
    /// The program that reproduces a finding.
    program: PathBuf,
}

impl Report {
    /// Returns whether nothing was found.
    pub(crate) fn is_clean(&self) -> bool {
        self.findings.is_empty() && self.failures.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in &self.failures {
            writeln!(out, "{failure}")?;
        }
        let speed = self.executions / self.seconds.max(1);
        let (target, executions, seconds, peak) = (&self.target, self.executions, self.seconds, self.peak);
        writeln!(
            out,
            "{target}: {executions} executions in {seconds} s, {speed}/s, peak RSS {peak} MiB, {} findings",
            self.findings.len()
        )?;
        for finding in &self.findings {
            writeln!(out, "  {}", finding.display())?;
            writeln!(out, "    again: {} {}", self.program.display(), finding.display())?;
            writeln!(
                out,
                "    once fixed, it stays as a seed: tests/fuzz/seeds/{target}/"
            )?;
        }
        Ok(())
    }
}

/// Runs the target that the options select; returns whether nothing was found.
pub(crate) fn run(root: &Path, options: &Options) -> Result<bool> {
    let targets: &[&str] = match options.target {
        Target::AsyncBuiltins => &TARGETS[..1],
        Target::ComponentBytes => &TARGETS[1..2],
        Target::GuestMemory => &TARGETS[2..3],
        Target::WastScript => &TARGETS[3..],
        Target::Ci => &TARGETS,
        Target::Differential => return differential(root, options.time),
        Target::Seeds => return seeds(root),
    };
    let time = (!options.smoke).then_some(options.time);
    match run_targets(root, targets, time, options.jobs)? {
        Outcome::Ran(reports) => Ok(reports.iter().all(Report::is_clean)),
        Outcome::Impossible(why) => bail!("nothing was fuzzed: {why}"),
    }
}

/// Runs every libFuzzer target for `time`, one after the other; prints the reports.
pub(crate) fn run_all(root: &Path, time: Duration) -> Result<Outcome> {
    run_targets(root, &TARGETS, Some(time), 1)
}

fn run_targets(root: &Path, targets: &[&str], time: Option<Duration>, jobs: u16) -> Result<Outcome> {
    if let Some(why) = missing() {
        return Ok(Outcome::Impossible(why));
    }
    let folder = folder(root);
    let programs = build(root, &folder, targets)?;
    let mut reports = Vec::new();
    for (target, program) in targets.iter().zip(programs) {
        let report = fuzz(root, &folder, target, program, time, jobs)?;
        print!("{report}");
        reports.push(report);
    }
    Ok(Outcome::Ran(reports))
}

/// Returns the missing requirement for building the targets, and its remedy.
fn missing() -> Option<String> {
    if !cfg!(unix) {
        return Some("guests are interrupted on Unix only".into());
    }
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".into());
    let missing = output(Command::new(&compiler).arg("--version")).is_none();
    missing.then(|| format!("there is no C++ compiler `{compiler}`, for libFuzzer; `apt-get install g++`"))
}

/// Returns the folder of the targets, corpora, findings and logs.
fn folder(root: &Path) -> PathBuf {
    target_dir(root).join("fuzz")
}

/// Builds the targets; returns the program of each.
fn build(root: &Path, folder: &Path, targets: &[&str]) -> Result<Vec<PathBuf>> {
    // The target is named, or else the flags would apply to build scripts and macros too.
    let host = host().context("rustc does not print its host")?;
    let mut command = cargo_command();
    command.current_dir(root).args(["build", "--release", "--locked"]);
    command.arg("--manifest-path").arg(manifest(root));
    command.args(["--target", &host]).arg("--target-dir").arg(folder);
    for target in targets {
        command.args(["--bin", target]);
    }
    command.env("RUSTFLAGS", RUSTFLAGS);
    announce(&format!("cargo build of the fuzz targets {}", targets.join(", ")));
    ensure!(command.status()?.success(), "the fuzz targets are not built");
    let programs = folder.join(host).join("release");
    Ok(targets.iter().map(|target| programs.join(target)).collect())
}

fn host() -> Option<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = output(Command::new(rustc).arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "))?;
    Some(host.to_string())
}

fn manifest(root: &Path) -> PathBuf {
    root.join("tests/fuzz/Cargo.toml")
}

/// Checks early that the fuzz targets' own lock file agrees with their manifests: their build uses `--locked` and comes last.
pub(crate) fn lock_file_is_current(root: &Path) -> Result<bool> {
    announce("lock file of the fuzz targets");
    let status = cargo_command()
        .args([
            "metadata",
            "--locked",
            "--quiet",
            "--format-version",
            "1",
            "--manifest-path",
        ])
        .arg(manifest(root))
        .stdout(std::process::Stdio::null())
        .status()?;
    Ok(status.success())
}

/// Returns the folder of a target's committed seeds. libFuzzer ends at once without it.
fn seeds_of(root: &Path, target: &str) -> PathBuf {
    root.join("tests/fuzz/seeds").join(target)
}

/// Runs one target for a time, or, without one, over the existing inputs.
fn fuzz(
    root: &Path,
    folder: &Path,
    target: &str,
    program: PathBuf,
    time: Option<Duration>,
    jobs: u16,
) -> Result<Report> {
    let make = |name: &str| {
        let folder = folder.join(name).join(target);
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        anyhow::Ok(folder)
    };
    let (corpus, artifacts, logs) = (make("corpus")?, make("artifacts")?, make("logs")?);
    let seeds = seeds_of(root, target);
    ensure!(
        seeds.is_dir(),
        "{target} has no seeds: commit some in {}",
        seeds.display()
    );
    let limit = time.map_or_else(
        || "-runs=0".to_string(),
        |time| format!("-max_total_time={}", time.as_secs().max(1)),
    );
    announce(&format!("{target} {limit}, logs in {}", logs.display()));
    let start = Instant::now();
    let mut children = Vec::new();
    for job in 0..jobs {
        let log = logs.join(format!("{job}.log"));
        let mut command = Command::new(&program);
        command.args(LIMITS).args(["-print_final_stats=1", &limit]);
        command.arg(format!("-artifact_prefix={}/", artifacts.display()));
        command.arg(&corpus).arg(&seeds);
        command.stdout(Stdio::null()).stderr(File::create(&log)?);
        let child = command.spawn().with_context(|| program.display().to_string())?;
        children.push((child, log));
    }
    let mut report = Report {
        target: target.to_string(),
        program,
        ..Report::default()
    };
    for (child, log) in children {
        read(child, &log, &mut report)?;
    }
    report.findings.sort();
    report.findings.dedup();
    report.seconds = start.elapsed().as_secs();
    Ok(report)
}

/// Waits for a process, and adds the figures and findings of its log to the report.
fn read(mut child: Child, log: &Path, report: &mut Report) -> Result<()> {
    let status = child.wait()?;
    // Guests and compilers may have written any bytes to it.
    let text = String::from_utf8_lossy(&fs::read(log)?).into_owned();
    report.executions += stat(&text, "number_of_executed_units");
    report.peak = report.peak.max(stat(&text, "peak_rss_mb"));
    if status.success() {
        return Ok(());
    }
    report.findings.extend(findings(&text));
    let lines: Vec<&str> = text.lines().collect();
    let last = lines[lines.len().saturating_sub(40)..].join("\n");
    report
        .failures
        .push(format!("{last}\n{status}, full log in {}", log.display()));
    Ok(())
}

/// Returns one of the figures that libFuzzer prints at its end.
fn stat(log: &str, name: &str) -> u64 {
    let value = log.lines().find_map(|line| {
        let value = line.strip_prefix("stat::")?.strip_prefix(name)?;
        value.strip_prefix(':')?.trim().parse().ok()
    });
    value.unwrap_or(0)
}

/// Returns the inputs that libFuzzer kept. Slow units are not findings.
fn findings(log: &str) -> Vec<PathBuf> {
    let paths = log
        .lines()
        .filter_map(|line| line.split_once("Test unit written to ").map(|(_, path)| path));
    paths
        .filter(|path| !path.contains("/slow-unit-"))
        .map(PathBuf::from)
        .collect()
}

/// Compares calls between engines for a time.
fn differential(root: &Path, time: Duration) -> Result<bool> {
    let llvm = find_llvm();
    let features = workspace_features(&llvm, true);
    let build = [
        "build",
        "--workspace",
        "--locked",
        "--release",
        "--features",
        &features,
    ];
    if !cargo(root, &[&build[..], &["--bin", DIFFERENTIAL]].concat())? {
        return Ok(false);
    }
    let mut program = Command::new(target_dir(root).join("release").join(DIFFERENTIAL));
    program.args(["differential", "--for", &time.as_secs().to_string()]);
    announce(&format!("{program:?}"));
    let status = program
        .status()
        .with_context(|| format!("cannot start {program:?}"))?;
    Ok(status.success())
}

/// Writes the seeds.
fn seeds(root: &Path) -> Result<bool> {
    let mut command = cargo_command();
    command.current_dir(root).args(["run", "--locked", "--quiet"]);
    command.arg("--manifest-path").arg(manifest(root));
    command.args(["--package", "airssys-wasm-fuzz-seeds"]);
    command.arg("--target-dir").arg(folder(root).join("seeds"));
    announce("the seeds of the fuzz targets");
    Ok(command.status()?.success())
}

/// Parses `90`, `90s`, `2m`, `4h`.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.char_indices().last() {
        Some((at, 's')) => (&text[..at], 1),
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 3600),
        _ => (text, 1),
    };
    let seconds = number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit));
    match seconds {
        Some(seconds) if seconds > 0 => Ok(Duration::from_secs(seconds)),
        _ => Err("a time is a number followed by s, m or h: 30s, 1m, 4h".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("4h"), Ok(Duration::from_secs(4 * 3600)));
        for text in [
            "",
            "m",
            "0s",
            "-1m",
            "1.5h",
            "99999999999999999999h",
            "6000000000000000h",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_target_has_seeds() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("the package is in a folder of the project");
        for target in TARGETS {
            let seeds = fs::read_dir(seeds_of(root, target)).map(Iterator::count);
            assert!(seeds.is_ok_and(|count| count > 0), "{target}");
        }
    }

    #[test]
    fn logs_are_read() {
        let log = "artifact_prefix='/a/'; Test unit written to /a/crash-1\nBase64: AA==\n\
                   artifact_prefix='/a/'; Test unit written to /a/slow-unit-2\n\
                   stat::number_of_executed_units: 1234\nstat::peak_rss_mb:              77\n";
        assert_eq!(stat(log, "number_of_executed_units"), 1234);
        assert_eq!(stat(log, "peak_rss_mb"), 77);
        assert_eq!(stat(log, "absent"), 0);
        assert_eq!(findings(log), [PathBuf::from("/a/crash-1")]);
    }
}
