//! Description of the machine and the software that are measured.

use airssys_wasm::engine::Backend;
use std::fs;
use std::process::Command;
use std::thread::available_parallelism;
use std::time::{SystemTime, UNIX_EPOCH};

/// The release of wasmtime that the manifest requires.
const WASMTIME: &str = "48.0.0";

/// Returns names and values, in display order.
pub(crate) fn facts() -> Vec<(&'static str, String)> {
    let cores = available_parallelism().map_or_else(|_| "?".to_owned(), |cores| cores.to_string());
    vec![
        ("date", today()),
        ("CPU", format!("{}, {cores} cores", cpu())),
        ("system", system()),
        ("airssys-wasm", env!("CARGO_PKG_VERSION").to_owned()),
        ("wasmer", Backend::wasmer_version().to_owned()),
        ("wasmtime", WASMTIME.to_owned()),
        ("rustc", rustc()),
    ]
}

/// Returns the average number of runnable processes in the last minute: above a few tenths, the figures are unreliable.
pub(crate) fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or_default().to_owned()
}

fn cpu() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    info.lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or_else(
            || std::env::consts::ARCH.to_owned(),
            |(_, name)| name.trim().to_owned(),
        )
}

fn system() -> String {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = release
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))
        .unwrap_or(std::env::consts::OS)
        .trim_matches('"');
    format!("{name}, {}", std::env::consts::ARCH)
}

/// Returns the compiler on the path, which is the one that cargo used unless configured otherwise.
fn rustc() -> String {
    Command::new("rustc")
        .arg("--version")
        .output()
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .and_then(|version| version.split_whitespace().nth(1).map(str::to_owned))
        .unwrap_or_else(|| "?".to_owned())
}

/// Returns the date in UTC, as 2026-01-31.
fn today() -> String {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let (year, month, day) = date(seconds / 86_400);
    format!("{year}-{month:02}-{day:02}")
}

/// Converts a day counted from 1970-01-01 to year, month and day.
fn date(days: u64) -> (u64, u64, u64) {
    // Years begin in March: leap days come last, and the months' lengths follow one line.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (era * 400 + year_of_era + next, month, day)
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn days_have_their_dates() {
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(19_782), (2024, 2, 29));
        assert_eq!(date(19_783), (2024, 3, 1));
        assert_eq!(date(20_818), (2026, 12, 31));
    }
}
