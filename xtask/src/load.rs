//! `cargo xtask load`: measures requests per second and latencies of `serve`, beside wasmtime in the same kind of
//! server.

use crate::tools::cargo_command;
use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The component
    #[arg(long, default_value = "tests/fixtures/wasi-http.wasm")]
    component: PathBuf,
    /// The path to request
    #[arg(long, default_value = "/")]
    path: String,
    /// The expected body of every response
    #[arg(long, default_value = "hello")]
    answer: String,
    /// Duration of each measurement, in seconds
    #[arg(long, default_value_t = 8)]
    seconds: u32,
    /// Number of measurements of each server, alternating
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Number of concurrent connections
    #[arg(long, default_value_t = 32)]
    connections: u32,
    /// Folder with programs that are already built
    #[arg(long)]
    built: Option<PathBuf>,
}

const INSTALL: &str = "the load generator `wrk` is not installed: on Debian `apt-get install wrk`";

/// Checks every answer, and counts those that are wrong.
const CHECK: &str = r#"
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init(args) wrong = 0; right = 0; wanted = args[1] end
function response(status, headers, body)
  if status == 200 and body == wanted then right = right + 1 else wrong = wrong + 1 end
end
function done(summary, latency, requests)
  local wrong, right = 0, 0
  for _, thread in ipairs(threads) do wrong = wrong + thread:get("wrong"); right = right + thread:get("right") end
  print("Wrong answers: " .. wrong)
  print("Right answers: " .. right)
end
"#;

/// A server and its measurements.
struct Side {
    name: &'static str,
    program: PathBuf,
    args: Vec<String>,
    runs: Vec<Figures>,
    checked: Figures,
}

#[derive(Clone, Debug, Default)]
struct Figures {
    per_second: f64,
    /// Microseconds.
    p50: f64,
    p99: f64,
    /// KiB of the server, at the end of the run.
    resident: u64,
    errors: u64,
    right: u64,
}

pub(crate) fn run(root: &Path, options: &Options) -> Result<bool> {
    ensure!(Command::new("wrk").arg("-v").output().is_ok(), INSTALL);
    let folder = match &options.built {
        Some(folder) => folder.clone(),
        None => build(root)?,
    };
    let component = root.join(&options.component).display().to_string();
    let any = || "127.0.0.1:0".to_owned();
    let reference = folder.join("reference-server");
    let side = |name, program: &Path, args: Vec<String>| Side {
        name,
        program: program.to_owned(),
        args,
        runs: Vec::new(),
        checked: Figures::default(),
    };
    let ours = ["serve", &component, "--addr", &any(), "--cache", "off"].map(str::to_owned);
    let mut sides = [
        side("airssys-wasm", &folder.join("airssys-wasm"), ours.to_vec()),
        side("wasmtime", &reference, vec![component.clone(), any()]),
        side(
            "wasmtime pooling",
            &reference,
            vec![component.clone(), any(), "--pooling".to_owned()],
        ),
    ];
    for round in 0..options.rounds {
        for side in &mut sides {
            eprintln!("round {}: {}", round + 1, side.name);
            let server = Server::start(side)?;
            server.load(options, 1, None)?;
            side.runs.push(server.load(options, options.seconds, None)?);
        }
    }
    let script = folder.join("load-check.lua");
    std::fs::write(&script, CHECK).with_context(|| format!("cannot write {}", script.display()))?;
    for side in &mut sides {
        eprintln!("answers: {}", side.name);
        side.checked = Server::start(side)?.load(options, options.seconds, Some(&script))?;
    }
    print!("{}", table(&sides, options));
    Ok(sides.iter().all(|side| side.checked.errors == 0))
}

/// Builds both servers, as their users have them; returns their folder.
fn build(root: &Path) -> Result<PathBuf> {
    let built = cargo_command()
        .current_dir(root)
        .args(["build", "--release", "--workspace", "--features", "load"])
        .args(["--bin", "airssys-wasm", "--bin", "reference-server"])
        .status()
        .context("cannot start cargo")?;
    ensure!(built.success(), "the servers cannot be built");
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
    Ok(target.join("release"))
}

struct Server {
    child: Child,
    url: String,
}

impl Server {
    /// Starts the server, and waits until it listens.
    fn start(side: &Side) -> Result<Server> {
        let mut child = Command::new(&side.program)
            .args(&side.args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", side.program.display()))?;
        let errors = child.stderr.take().context("standard error is a pipe")?;
        let mut lines = BufReader::new(errors).lines();
        while let Some(line) = lines.next() {
            if let Some(url) = line?.strip_prefix("serving ") {
                let url = url.trim_end_matches('/').to_owned();
                // The rest of its output is read, so that the server does not block.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(Server { child, url });
            }
        }
        let _ = child.wait();
        bail!("{} exited before it served requests", side.program.display())
    }

    fn load(&self, options: &Options, seconds: u32, check: Option<&Path>) -> Result<Figures> {
        let mut command = Command::new("wrk");
        command.args(["--threads", "1", "--latency", "--timeout", "10s"]);
        command.arg(format!("--connections={}", options.connections));
        command.arg(format!("--duration={seconds}s"));
        if let Some(script) = check {
            command.arg("--script").arg(script);
        }
        command.arg(format!("{}{}", self.url, options.path));
        if check.is_some() {
            command.arg("--").arg(&options.answer);
        }
        let output = command.output().context(INSTALL)?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "wrk failed: {text}");
        // Time for memory that is freed late.
        std::thread::sleep(Duration::from_millis(100));
        let mut figures = figures(&text).with_context(|| format!("unexpected output of wrk:\n{text}"))?;
        figures.resident = resident(self.child.id())?;
        Ok(figures)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Parses the output of wrk.
fn figures(text: &str) -> Result<Figures> {
    let mut figures = Figures::default();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["50%", time] => figures.p50 = micros(time)?,
            ["99%", time] => figures.p99 = micros(time)?,
            ["Requests/sec:", number] => figures.per_second = number.parse()?,
            ["Wrong", "answers:", number] | ["Non-2xx", "or", "3xx", "responses:", number] => {
                figures.errors += number.parse::<f64>()? as u64;
            }
            ["Right", "answers:", number] => figures.right = number.parse::<f64>()? as u64,
            ["Socket", "errors:", rest @ ..] => {
                let numbers = rest
                    .iter()
                    .filter_map(|word| word.trim_end_matches(',').parse::<u64>().ok());
                figures.errors += numbers.sum::<u64>();
            }
            _ => {}
        }
    }
    ensure!(
        figures.per_second > 0.0 && figures.p99 > 0.0,
        "some figures are missing"
    );
    Ok(figures)
}

fn micros(text: &str) -> Result<f64> {
    let (number, factor) = match text {
        text if text.ends_with("us") => (text.trim_end_matches("us"), 1.0),
        text if text.ends_with("ms") => (text.trim_end_matches("ms"), 1e3),
        text => (text.trim_end_matches('s'), 1e6),
    };
    Ok(number
        .parse::<f64>()
        .with_context(|| format!("`{text}` is not a time"))?
        * factor)
}

fn resident(process: u32) -> Result<u64> {
    let path = format!("/proc/{process}/status");
    let status = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line
        .and_then(|line| line.split_whitespace().next())
        .context("no VmRSS")?;
    Ok(number.parse()?)
}

fn median(runs: &[Figures], of: impl Fn(&Figures) -> f64) -> f64 {
    let mut values: Vec<f64> = runs.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn table(sides: &[Side], options: &Options) -> String {
    let mut out = format!(
        "`GET {}`, {} connections, {} s, {} rounds in turns; medians\n\n\
         | server | requests/s | p50 µs | p99 µs | RSS KiB | answers checked | wrong or lost |\n|---|---|---|---|---|---|---|\n",
        options.path, options.connections, options.seconds, options.rounds
    );
    for side in sides {
        let lost: u64 = side.runs.iter().map(|run| run.errors).sum();
        let _ = writeln!(
            out,
            "| {} | {:.0} | {:.0} | {:.0} | {:.0} | {} | {} |",
            side.name,
            median(&side.runs, |run| run.per_second),
            median(&side.runs, |run| run.p50),
            median(&side.runs, |run| run.p99),
            median(&side.runs, |run| run.resident as f64),
            side.checked.right,
            side.checked.errors + lost
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wrk_says_is_read() {
        let text = "  Latency Distribution\n     50%  312.00us\n     99%    1.25ms\n  80000 requests in 8.00s\n\
                    Socket errors: connect 0, read 2, write 0, timeout 1\n  Non-2xx or 3xx responses: 4\n\
                    Requests/sec:  10000.50\nWrong answers: 5\n";
        let figures = figures(text).unwrap();
        assert_eq!((figures.p50, figures.p99, figures.errors), (312.0, 1250.0, 12));
        assert!((figures.per_second - 10000.5).abs() < f64::EPSILON);
        assert!(super::figures("nothing").is_err());
    }
}
