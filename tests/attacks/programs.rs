//! Programs that attack their host through WASI.

use std::path::Path;
use std::time::{Duration, Instant};

use airssys_wasm::Error;
use airssys_wasm::adapt::{self, Preview1, World};
use airssys_wasm::component::{Component, Linker, Store};
use airssys_wasm::engine::{Engine, MemoryBudget};
use airssys_wasm::wasi::{self, FsPerms, MemoryOutputPipe, Stdout, WasiCtxBuilder, WasiLimits, WasiState};

use crate::common::fixture;
use crate::guests::Outcome;
use crate::{DEADLINE, limits};

/// Open files and sockets that a program may have.
const OPEN: usize = 20;

/// A program, and how it must end.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    from: From,
    pub(crate) outcome: Outcome,
}

enum From {
    /// `tests/guests/wasi-program` with these arguments; it prints this, if it ends.
    Arguments(&'static [&'static str], Option<&'static str>),
    /// A core module that imports preview 1.
    Text(&'static str),
}

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "a loop in a program",
        from: From::Arguments(&["spin"], None),
        outcome: Outcome::Interrupted,
    },
    Program {
        name: "a wait without end",
        from: From::Arguments(&["sleep", "18446744073709551615"], None),
        outcome: Outcome::Interrupted,
    },
    Program {
        name: "pollables without end",
        from: From::Arguments(&["pollables", "100000"], None),
        outcome: Outcome::Refused("the resource table is full"),
    },
    Program {
        name: "streams without end",
        from: From::Arguments(&["streams", "100000"], None),
        outcome: Outcome::Refused("the resource table is full"),
    },
    Program {
        name: "sockets without end",
        from: From::Arguments(&["sockets", "100000"], Some("20")),
        outcome: Outcome::Answers,
    },
    Program {
        name: "random bytes without end",
        from: From::Arguments(&["random", "18446744073709551615"], None),
        outcome: Outcome::Refused("random bytes"),
    },
    Program {
        name: "open files without end",
        from: From::Text(
            r#"(module
                (import "wasi_snapshot_preview1" "path_open"
                    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
                (memory (export "memory") 1) (data (i32.const 8) "file")
                (func (export "_start") (local $opened i32)
                    (loop $next
                        (if (i32.eqz (call $open (i32.const 3) (i32.const 0) (i32.const 8) (i32.const 4) (i32.const 0)
                                (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16)))
                            (then (local.set $opened (i32.add (local.get $opened) (i32.const 1))) (br $next))))
                    (if (i32.or (i32.eqz (local.get $opened)) (i32.gt_u (local.get $opened) (i32.const 20)))
                        (then unreachable))))"#,
        ),
        outcome: Outcome::Answers,
    },
    Program {
        name: "output without end",
        from: From::Text(
            r#"(module
                (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
                (memory (export "memory") 2) (data (i32.const 8) "\20\00\00\00\00\00\01\00")
                (func (export "_start") (loop $next
                    (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))
                    (drop (call $write (i32.const 2) (i32.const 8) (i32.const 1) (i32.const 0)))
                    (br $next))))"#,
        ),
        outcome: Outcome::Interrupted,
    },
];

/// A program that is ready to be run.
pub(crate) struct Ready<'a> {
    program: &'a Program,
    component: Component,
    linker: Linker<WasiState>,
}

impl Program {
    pub(crate) fn ready(&self, engine: &Engine) -> Ready<'_> {
        let bytes = match self.from {
            From::Arguments(..) => fixture("wasi-program.wasm"),
            From::Text(text) => {
                let module = wat::parse_str(text).expect("the text parses");
                adapt::lift(&module, &World::Contract, Preview1::Auto).expect("it is lifted")
            }
        };
        let mut linker = Linker::new(engine);
        wasi::add_to_linker(&mut linker).expect("each name is defined once");
        Ready {
            program: self,
            component: Component::from_binary(engine, &bytes).expect("it loads"),
            linker,
        }
    }
}

impl Ready<'_> {
    /// Runs it, with a folder of one file. Loops end at their deadline; returns how much later the program ended.
    pub(crate) fn run(
        &self,
        engine: &Engine,
        budget: &MemoryBudget,
        folder: &Path,
    ) -> (Result<(), Error>, Duration) {
        let mut builder = WasiCtxBuilder::new();
        builder.limits({
            let mut limits = WasiLimits::default();
            limits.descriptors = OPEN;
            limits.sockets = OPEN;
            limits
        });
        builder
            .preopened_dir(folder, "/", FsPerms::ReadOnly)
            .expect("it is a folder");
        let output = MemoryOutputPipe::new(1 << 20);
        if let From::Arguments(args, _) = self.program.from {
            builder.arg("program").args(args.iter().copied());
            builder.stdout(Stdout::Pipe(output.clone()));
        }
        let mut store = Store::with_limits(engine, WasiState::from(builder.build()), limits(budget));
        let deadline =
            matches!(self.program.outcome, Outcome::Interrupted).then(|| Instant::now() + DEADLINE);
        let result = wasi::run_command(&mut store, &self.component, &self.linker, deadline);
        let late = deadline.map_or(Duration::ZERO, |deadline| {
            Instant::now().saturating_duration_since(deadline)
        });
        if let (Ok(exit), From::Arguments(_, Some(line))) = (&result, &self.program.from) {
            let printed = String::from_utf8(output.contents()).expect("text");
            assert!(
                printed.lines().any(|printed| printed == *line),
                "{exit:?}: {printed}"
            );
        }
        (
            result.map(|exit| assert_eq!(exit.code, 0, "{}", self.program.name)),
            late,
        )
    }
}
