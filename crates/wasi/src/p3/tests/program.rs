//! Programs, and what they do after they have returned.

use std::time::{Duration, Instant};

use airssys_wasm_component::error::TrapKind;

use super::functions::{is_interrupted, kind};
use super::guest::compile;
use super::{engines, linker, store};
use crate::p3::{Command, is_command, run_command};
use crate::{Exit, MemoryOutputPipe, WasiCtxBuilder, executor};

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
