//! Runs a program and prints its processor time and peak memory after its output.
//!
//! It is a program of its own since Linux counts the memory of the process that starts a program toward the
//! program's peak: the benchmark is larger than the programs that it measures.
#![allow(
    unsafe_code,
    reason = "the standard library does not return the usage of a child"
)]

use std::ffi::OsString;
use std::process::{Command, ExitCode};

/// Processor time of user and system in nanoseconds, and peak resident memory in bytes.
#[derive(Clone, Copy, Debug)]
struct Usage {
    processor: u64,
    memory: u64,
}

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    let Some(program) = words.next() else {
        eprintln!("usage: meter PROGRAM ARGUMENT...");
        return ExitCode::FAILURE;
    };
    match run(&program, words) {
        Ok(Usage { processor, memory }) => {
            println!("{processor} {memory}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}: {error}", program.display());
            ExitCode::FAILURE
        }
    }
}

#[cfg(unix)]
fn run(program: &OsString, arguments: impl Iterator<Item = OsString>) -> std::io::Result<Usage> {
    use std::io::Error;
    let child = Command::new(program).args(arguments).spawn()?;
    let process = libc::pid_t::try_from(child.id()).map_err(Error::other)?;
    let mut status = 0;
    // SAFETY: all zeros is a valid value: the structure has numbers only.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: both pointers are to values of this function. The process is a child that nothing else waits for.
        let ended = unsafe { libc::wait4(process, &raw mut status, 0, &raw mut usage) };
        if ended == process {
            break;
        }
        let error = Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    if status != 0 {
        return Err(Error::other(format!("it ended with the wait status {status}")));
    }
    let time = |time: libc::timeval| {
        u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000
            + u64::try_from(time.tv_usec).unwrap_or(0) * 1000
    };
    // macOS counts bytes, the others KiB.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    Ok(Usage {
        processor: time(usage.ru_utime) + time(usage.ru_stime),
        memory: u64::try_from(usage.ru_maxrss).unwrap_or(0) * unit,
    })
}

#[cfg(not(unix))]
fn run(_: &OsString, _: impl Iterator<Item = OsString>) -> std::io::Result<Usage> {
    Err(std::io::Error::other(
        "this system does not tell a program's usage",
    ))
}
