//! Standard streams.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::engines;
use super::functions::is_interrupted;
use super::guest::Guest;
use crate::{MemoryInputPipe, MemoryOutputPipe, WasiCtxBuilder, WasiLimits};

/// The result `error(io)` of a stream.
const IO: u32 = 1;

fn text(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 251) as u8).collect()
}

#[test]
fn input_reaches_output_whole() {
    for engine in engines() {
        for (len, chunk) in [(0, 10_u32), (10, 3), (100_000, 65_536), (200_000, 131_072)] {
            for to_stderr in [false, true] {
                let (stdout, stderr) = (MemoryOutputPipe::new(1 << 20), MemoryOutputPipe::new(1 << 20));
                let mut builder = WasiCtxBuilder::new();
                builder.stdin(MemoryInputPipe::new(text(len)));
                builder.stdout(stdout.clone()).stderr(stderr.clone());
                let mut guest = Guest::new(&engine, &builder);
                let before = guest.store.concurrency_counts();
                assert_eq!(guest.call("copy", (chunk, to_stderr)).unwrap(), 0);
                let (to, other) = if to_stderr {
                    (stderr, stdout)
                } else {
                    (stdout, stderr)
                };
                assert_eq!(to.contents(), text(len));
                assert_eq!(other.contents(), b"");
                assert_eq!(guest.store.concurrency_counts(), before);
            }
        }
    }
}

#[test]
fn limits_bound_single_reads_and_writes() {
    for engine in engines() {
        let limits = WasiLimits {
            read_bytes: 7,
            write_bytes: 3,
            ..WasiLimits::default()
        };
        let stdout = MemoryOutputPipe::new(100);
        let mut builder = WasiCtxBuilder::new();
        builder.limits(limits).stdout(stdout.clone());
        builder.stdin(MemoryInputPipe::new(text(50)));
        let mut guest = Guest::new(&engine, &builder);
        assert_eq!(guest.call("drop-result", (20_u32,)).unwrap(), 7 << 4);
        // All streams share one position.
        assert_eq!(guest.call("copy", (20_u32, false)).unwrap(), 0);
        assert_eq!(stdout.contents(), text(50)[7..]);
    }
}

#[test]
fn a_failed_write_closes_the_stream_with_a_value() {
    for engine in engines() {
        let stdout = MemoryOutputPipe::new(8);
        let mut builder = WasiCtxBuilder::new();
        builder
            .stdout(stdout.clone())
            .stdin(MemoryInputPipe::new(text(50)));
        let mut guest = Guest::new(&engine, &builder);
        let before = guest.store.concurrency_counts();
        assert_eq!(guest.call("copy", (5_u32, false)).unwrap(), IO << 16);
        assert_eq!(stdout.contents(), text(5));
        assert_eq!(guest.store.concurrency_counts(), before);
    }
}

#[test]
fn ends_that_are_dropped_early_are_no_failure() {
    for engine in engines() {
        let stdout = MemoryOutputPipe::new(8);
        let mut builder = WasiCtxBuilder::new();
        builder.stdout(stdout.clone()).stdin(MemoryInputPipe::new("abc"));
        let mut guest = Guest::new(&engine, &builder);
        let before = guest.store.concurrency_counts();
        assert_eq!(guest.call("drop-input", ()).unwrap(), 0);
        // A read of nothing asks whether there is input.
        assert_eq!(guest.call("drop-result", (0_u32,)).unwrap(), 0);
        assert_eq!(guest.call("drop-result", (2_u32,)).unwrap(), 2 << 4);
        assert_eq!(guest.call("cancel-read", ()).unwrap(), 1 << 4);
        // At the end of the input.
        assert_eq!(guest.call("drop-result", (2_u32,)).unwrap(), 1);
        assert_eq!(guest.call("cancel-read", ()).unwrap(), 1);
        assert_eq!(guest.call("drop-output", (b'a',)).unwrap(), 0);
        assert_eq!(stdout.contents(), b"a");
        assert_eq!(guest.store.concurrency_counts(), before);
    }
}

#[test]
fn a_trap_leaves_nothing_behind() {
    for engine in engines() {
        let stdout = MemoryOutputPipe::new(8);
        let mut guest = Guest::new(&engine, WasiCtxBuilder::new().stdout(stdout.clone()));
        let before = guest.store.concurrency_counts();
        guest.call("trap", (b't',)).unwrap_err();
        assert_eq!(stdout.contents(), b"t");
        assert_eq!(guest.store.concurrency_counts(), before);
    }
}

/// Set in the process that reads its own standard input.
const CHILD: &str = "AIRSSYS_WASIP3_CHILD";

#[test]
fn a_read_of_the_process_waits_for_input_until_the_deadline() {
    if std::env::var_os(CHILD).is_some() {
        return read_own_input();
    }
    let name = "p3::tests::streams::a_read_of_the_process_waits_for_input_until_the_deadline";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = thread::spawn(move || child.wait_with_output().unwrap());
    // One line for each engine, each after its guest has waited to no avail.
    for _ in engines() {
        thread::sleep(Duration::from_millis(100));
        let _ = stdin.write_all(b"line\n");
    }
    drop(stdin);
    let output = output.join().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

/// The limit on waits without a deadline ended a stream that waited for its peer, and so the whole program.
#[test]
fn a_read_without_a_deadline_waits_beyond_the_limit() {
    if std::env::var_os(CHILD).is_some() {
        for engine in engines() {
            let stdout = MemoryOutputPipe::new(100);
            let mut builder = WasiCtxBuilder::new();
            builder.inherit_stdin().stdout(stdout.clone());
            builder.limits(WasiLimits {
                longest_wait: Duration::from_millis(10),
                ..WasiLimits::default()
            });
            let mut guest = Guest::new(&engine, &builder);
            println!("it waits");
            assert_eq!(guest.call("copy", (64_u32, false)).unwrap(), 0);
            assert!(
                b"line\n".starts_with(&stdout.contents()),
                "the first of them has all"
            );
        }
        return;
    }
    let name = "p3::tests::streams::a_read_without_a_deadline_waits_beyond_the_limit";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(output.any(|line| line.unwrap().contains("it waits")));
    // Ten times as long as the limit.
    thread::sleep(Duration::from_millis(100));
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"line\n").unwrap();
    drop(stdin);
    let rest: Vec<String> = output.map_while(Result::ok).collect();
    assert!(child.wait().unwrap().success(), "{rest:?}");
}

fn read_own_input() {
    for engine in engines() {
        let stdout = MemoryOutputPipe::new(100);
        let mut builder = WasiCtxBuilder::new();
        builder.inherit_stdin().stdout(stdout.clone());
        // Input that has come before is read first.
        for _ in 0..10 {
            let mut guest = Guest::new(&engine, &builder);
            let deadline = Instant::now() + Duration::from_millis(30);
            guest.store.data_mut().ctx.set_deadline(Some(deadline));
            match guest.call("copy", (64_u32, false)) {
                Ok(result) => {
                    assert_eq!(result, 0, "the end of the input");
                    break;
                }
                Err(error) => assert!(is_interrupted(&error), "{error:?}"),
            }
            assert!(deadline.elapsed() < Duration::from_secs(5));
            let counts = guest.store.concurrency_counts();
            assert_eq!((counts.tasks, counts.activities, counts.stacks), (0, 0, 0));
        }
        let contents = stdout.contents();
        assert!(contents.chunks(5).all(|line| line == b"line\n"), "{contents:?}");
    }
}
