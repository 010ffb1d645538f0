//! Arguments, environment, standard streams, and exit.

use airssys_wasm::component::{Component, Linker, Store};
use airssys_wasm::error::{CoreTrap, TrapKind};
use airssys_wasm::wasi::{self, MemoryOutputPipe, Stdin, Stdout, WasiCtxBuilder, WasiState};

use crate::common::{default_engine, fixture};
use crate::program::{nothing, programs};

#[test]
fn everything_is_virtual_at_first() {
    for program in programs() {
        let ran = program.run(&["surroundings"], nothing);
        assert_eq!(ran.lines(), ["folder None", "terminals [false, false, false]"]);
        assert_eq!(program.run(&["cat"], nothing).stdout, "");
    }
}

#[test]
fn what_is_granted_is_there() {
    for program in programs() {
        let ran = program.run(&["surroundings", "a b", "", "grün"], |builder| {
            builder
                .env("LANG", "de")
                .env("EMPTY", "")
                .env("LANG", "en")
                .initial_cwd("/home");
        });
        let expected = [
            "argument a b",
            "argument ",
            "argument grün",
            "variable EMPTY=",
            "variable LANG=en",
            "folder Some(\"/home\")",
            "terminals [false, false, false]",
        ];
        assert_eq!(ran.lines(), expected);
        let input: Vec<u8> = (0..100_000_u32).map(|number| (number % 90 + 33) as u8).collect();
        let ran = program.run(&["cat"], |builder| {
            builder.stdin(Stdin::Bytes(input.clone()));
        });
        assert_eq!(ran.stdout.as_bytes(), input);
    }
}

#[test]
fn a_program_ends_as_it_says() {
    for program in programs() {
        for (args, status) in [
            (&["exit", "0"][..], 0),
            (&["exit", "7"], 7),
            (&["exit", "255"], 255),
            (&["exit-ok"], 0),
            (&["exit-err"], 1),
            (&["fail"], 1),
            (&[], 0),
        ] {
            let ran = program.run(args, nothing);
            assert!(matches!(ran.end, Ok(code) if code == status), "{args:?}: {ran:?}");
        }
        let ran = program.run(&["panic"], nothing);
        let trap = ran.end.as_ref().expect_err("it panics").trap().expect("a trap");
        assert_eq!(trap.kind(), &TrapKind::Core(CoreTrap::Unreachable));
    }
}

#[test]
fn errors_have_an_output_of_their_own() {
    for program in programs() {
        let stderr = MemoryOutputPipe::new(100);
        let ran = program.run(&["stderr", "one", "two"], |builder| {
            builder.stderr(Stdout::Pipe(stderr.clone()));
        });
        assert_eq!(ran.stdout, "");
        assert_eq!(stderr.contents(), b"one\ntwo\n");
        let ran = program.run(&["surroundings", "discarded"], |builder| {
            builder.stdout(Stdout::Discard);
        });
        assert_eq!(ran.lines(), Vec::<&str>::new());
    }
}

/// The guest of this test panics when its output fails.
#[test]
fn a_full_buffer_takes_no_more() {
    for program in programs() {
        let small = MemoryOutputPipe::new(10);
        let ran = program.run(&["surroundings", "a long argument"], |builder| {
            builder.stdout(Stdout::Pipe(small.clone()));
        });
        assert!(ran.end.is_err(), "{ran:?}");
        assert!(small.contents().is_empty());
    }
}

#[test]
fn what_exports_no_run_is_no_program() {
    let engine = default_engine();
    let component = Component::from_binary(&engine, &fixture("types.wasm")).unwrap();
    assert!(!wasi::is_command(&component));
    assert!(
        programs()
            .iter()
            .all(|program| wasi::is_command(&program.component))
    );
    let mut linker = Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&component).unwrap();
    let mut store = Store::new(&engine, WasiState::from(WasiCtxBuilder::new().build()));
    let refused = wasi::run_command(&mut store, &component, &linker, None);
    assert!(
        matches!(refused, Err(airssys_wasm::Error::MissingExport { .. })),
        "{refused:?}"
    );
}
