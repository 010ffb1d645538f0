//! Programs, and what they do after they have returned.

use std::io::Write;
use std::process;
use std::time::{Duration, Instant};

use airssys_wasm_component::error::TrapKind;

use super::functions::{is_interrupted, kind};
use super::guest::compile;
use super::{engines, linker, store};
use crate::p3::{Command, is_command, run_command};
use crate::{Exit, MemoryInputPipe, MemoryOutputPipe, WasiCtxBuilder, WasiLimits, executor};

#[test]
fn a_program_runs_until_its_tasks_have_ended() {
    for engine in engines() {
        for (mode, code, output) in [
            (None, 0, ""),
            // Its failure, and what it writes later.
            (Some("f"), 1, "late"),
            (Some("l"), 0, "late"),
            (Some("x"), 7, "x"),
        ] {
            let stdout = MemoryOutputPipe::new(100);
            let mut builder = WasiCtxBuilder::new();
            builder.stdout(stdout.clone());
            if let Some(mode) = mode {
                builder.arg(mode);
            }
            let component = compile(&engine, "0.3.0");
            assert!(is_command(&component));
            assert!(!crate::is_command(&component));
            let mut store = store(&engine, &builder);
            let linker = linker(&engine);
            let deadline = Some(Instant::now() + Duration::from_secs(20));
            let exit = run_command(&mut store, &component, &linker, deadline).unwrap();
            assert_eq!(exit, Exit { code }, "{mode:?}");
            assert_eq!(String::from_utf8(stdout.contents()).unwrap(), output, "{mode:?}");
            assert_eq!(store.concurrency_counts().tasks, 0);
        }
    }
}

#[test]
fn what_the_host_moves_between_its_own_streams_outlives_the_program() {
    for engine in engines() {
        let text: Vec<u8> = (0..300_000_u32).map(|at| (at % 251) as u8).collect();
        let stdout = MemoryOutputPipe::new(text.len());
        let mut builder = WasiCtxBuilder::new();
        builder.arg("p").stdout(stdout.clone());
        builder.stdin(MemoryInputPipe::new(text.clone()));
        builder.limits(WasiLimits {
            read_bytes: 1000,
            ..WasiLimits::default()
        });
        let component = compile(&engine, "0.3.0");
        let mut store = store(&engine, &builder);
        let deadline = Some(Instant::now() + Duration::from_secs(60));
        let exit = run_command(&mut store, &component, &linker(&engine), deadline).unwrap();
        assert_eq!(exit, Exit { code: 0 });
        assert!(stdout.contents() == text);
        assert_eq!(store.pipes(), 0);
    }
}

/// Set in the process whose standard input does not end.
const CHILD: &str = "AIRSSYS_WASIP3_ENDLESS";

#[test]
fn input_that_does_not_end_does_not_keep_a_program_that_has_returned() {
    if std::env::var_os(CHILD).is_some() {
        let engine = engines().remove(0);
        let stdout = MemoryOutputPipe::new(100);
        let mut builder = WasiCtxBuilder::new();
        builder.arg("p").inherit_stdin().stdout(stdout.clone());
        let mut store = store(&engine, &builder);
        let component = compile(&engine, "0.3.0");
        let exit = run_command(&mut store, &component, &linker(&engine), None).unwrap();
        assert_eq!(exit, Exit { code: 0 });
        assert_eq!(stdout.contents(), b"line\n", "what has come before is written");
        // Beside the thread that reads on.
        std::process::exit(0);
    }
    let name = "p3::tests::program::input_that_does_not_end_does_not_keep_a_program_that_has_returned";
    let mut child = process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .stdin(process::Stdio::piped())
        .stdout(process::Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"line\n").unwrap();
    assert!(child.wait().unwrap().success());
    drop(stdin);
}

#[test]
fn a_program_that_goes_on_ends_at_its_deadline() {
    for engine in engines() {
        let mut builder = WasiCtxBuilder::new();
        builder.arg("w");
        let component = compile(&engine, "0.3.2");
        let mut store = store(&engine, &builder);
        let deadline = Instant::now() + Duration::from_millis(100);
        let ended = run_command(&mut store, &component, &linker(&engine), Some(deadline));
        assert!(is_interrupted(&ended.unwrap_err()));
        assert!(deadline.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn a_trap_after_the_return_is_not_lost() {
    for engine in engines() {
        let mut builder = WasiCtxBuilder::new();
        builder.arg("t");
        let component = compile(&engine, "0.3.0");
        let mut store = store(&engine, &builder);
        let deadline = Some(Instant::now() + Duration::from_secs(20));
        let error = run_command(&mut store, &component, &linker(&engine), deadline).unwrap_err();
        assert!(matches!(kind(&error), Some(TrapKind::Poisoned)), "{error}");
    }
}

#[test]
fn a_program_is_called_concurrently() {
    for engine in engines() {
        let component = compile(&engine, "0.3.1");
        let mut builder = WasiCtxBuilder::new();
        builder.arg("f");
        let mut store = store(&engine, &builder);
        let command = Command::instantiate(&mut store, &component, &linker(&engine)).unwrap();
        let run = store.run_concurrent(async |accessor| command.wasi_cli_run().call_run(accessor).await);
        let returned = executor::block_on(run).unwrap().unwrap();
        assert_eq!(returned.unwrap(), Err(()));
    }
}
