//! `cargo xtask preview1`: runs the preview 1 programs of a checked-out wasi-testsuite with `airssys-wasm run`.

use crate::tools::{announce, cargo, find_llvm, target_dir, workspace_features};
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder name of a set of preview 1 programs.
const FOLDER: &str = "wasm32-wasip1";

/// Milliseconds for one program. Stops one that waits forever.
const TIMEOUT: &str = "60000";

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Checkout of <https://github.com/WebAssembly/wasi-testsuite>, branch `prod/testsuite-base`, which contains the programs
    suite: PathBuf,
    /// Implementations of preview 1: auto, own, host, adapter; one column for each
    #[arg(long, value_delimiter = ',', default_value = "auto")]
    preview1: Vec<String>,
    /// Backend [default: that of the program]
    #[arg(long)]
    backend: Option<String>,
    /// Programs to run, by name [default: all]
    #[arg(long)]
    only: Vec<String>,
}

/// One program, and its expected behavior.
struct Program {
    /// `rust/path_link`.
    name: String,
    file: PathBuf,
    args: Vec<String>,
    env: Vec<(String, String)>,
    /// The host folder that it is granted as `/`.
    root: Option<PathBuf>,
    exit_code: i32,
    stdout: Option<String>,
}

/// Builds the program and runs the suite; returns whether everything passed.
pub(crate) fn run(root: &Path, options: &Options) -> Result<bool> {
    let programs = programs(&options.suite)?;
    ensure!(
        !programs.is_empty(),
        "{} has no folder {FOLDER} with programs: check out the branch prod/testsuite-base",
        options.suite.display()
    );
    let llvm = find_llvm();
    let features = workspace_features(&llvm, true);
    let build = [
        "build",
        "--workspace",
        "--locked",
        "--release",
        "--bin",
        "airssys-wasm",
    ];
    if !cargo(root, &[&build[..], &["--features", &features]].concat())? {
        return Ok(false);
    }
    let airssys = target_dir(root).join("release/airssys-wasm");
    let mut all = true;
    for provider in &options.preview1 {
        announce(&format!("--preview1 {provider}"));
        let (mut passed, mut count) = (0, 0);
        for program in &programs {
            let named = |name: &String| program.name.ends_with(name.as_str());
            if !options.only.is_empty() && !options.only.iter().any(named) {
                continue;
            }
            count += 1;
            match program.run(&airssys, provider, options.backend.as_deref())? {
                None => passed += 1,
                Some(why) => println!("failed: {}: {why}", program.name),
            }
        }
        println!("--preview1 {provider}: {passed} of {count} passed");
        all &= passed == count;
    }
    Ok(all)
}

/// Returns the programs below a folder, by name.
fn programs(suite: &Path) -> Result<Vec<Program>> {
    let mut programs = Vec::new();
    let mut folders = vec![suite.join("tests")];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        for entry in entries {
            let path = entry?.path();
            let is_suite = folder.ends_with(FOLDER);
            if path.is_dir() && !is_suite {
                folders.push(path);
            } else if is_suite && path.extension().is_some_and(|ending| ending == "wasm") {
                programs.push(Program::read(suite, path)?);
            }
        }
    }
    programs.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(programs)
}

impl Program {
    fn read(suite: &Path, file: PathBuf) -> Result<Program> {
        let json = file.with_extension("json");
        let spec: Value = match fs::read(&json) {
            Ok(text) => serde_json::from_slice(&text).with_context(|| json.display().to_string())?,
            // Without a file, the suite's defaults apply.
            Err(_) => Value::Null,
        };
        if spec.get("operations").is_some() {
            bail!("{}: operations are for tests of other interfaces", json.display());
        }
        let language = file.strip_prefix(suite.join("tests"))?.iter().next();
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let args = spec["args"]
            .as_array()
            .map(|args| args.iter().map(text).collect());
        let env = spec["env"].as_object().map(|env| {
            let pairs = env.iter().map(|(name, value)| (name.clone(), text(value)));
            pairs.collect()
        });
        let folder = file.parent().context("a file is in a folder")?;
        Ok(Program {
            name: format!("{}/{stem}", language.unwrap_or_default().to_string_lossy()),
            args: args.unwrap_or_default(),
            env: env.unwrap_or_default(),
            root: spec["root"].as_str().map(|root| folder.join(root)),
            exit_code: spec["exit_code"].as_i64().unwrap_or(0).try_into()?,
            stdout: spec["stdout"].as_str().map(str::to_owned),
            file,
        })
    }

    /// Runs the program; returns the reason if it failed.
    fn run(&self, airssys: &Path, provider: &str, backend: Option<&str>) -> Result<Option<String>> {
        if let Some(root) = &self.root {
            clean(root)?;
        }
        let mut command = Command::new(airssys);
        command.args(["run", "--cache", "off", "--inherit-stdio", "--timeout", TIMEOUT]);
        command.args(["--preview1", provider]);
        if let Some(backend) = backend {
            command.args(["--backend", backend]);
        }
        for (name, value) in &self.env {
            command.arg("--env").arg(format!("{name}={value}"));
        }
        if let Some(root) = &self.root {
            command.arg("--dir").arg(format!("{}::/", root.display()));
        }
        command.arg(&self.file).arg("--").args(&self.args);
        let output = command.stdin(std::process::Stdio::null()).output();
        let output = output.with_context(|| format!("cannot start {}", airssys.display()))?;
        if let Some(root) = &self.root {
            clean(root)?;
        }
        let stdout = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        if output.status.code() != Some(self.exit_code) {
            let said: Vec<_> = stderr.lines().take(3).collect();
            return Ok(Some(format!(
                "{} and not {}: {}",
                output.status,
                self.exit_code,
                said.join(" / ")
            )));
        }
        Ok(match &self.stdout {
            Some(expected) if *expected != stdout => {
                Some(format!("it prints {stdout:?} instead of {expected:?}"))
            }
            _ => None,
        })
    }
}

/// Removes files that tests leave behind, as the suite's own runner does.
fn clean(root: &Path) -> Result<()> {
    let entries = fs::read_dir(root).with_context(|| root.display().to_string())?;
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_none_or(|ending| ending != "cleanup") {
            continue;
        }
        match path.is_dir() && !path.is_symlink() {
            true => fs::remove_dir_all(&path)?,
            false => fs::remove_file(&path)?,
        }
    }
    Ok(())
}
