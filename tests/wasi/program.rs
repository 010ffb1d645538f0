//! Runs of the program.

use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use airssys_wasm::Error;
use airssys_wasm::component::{Component, Linker, Store};
use airssys_wasm::engine::Engine;
use airssys_wasm::error::{CoreTrap, TrapKind};
use airssys_wasm::wasi::{self, Exit, MemoryOutputPipe, Stdout, WasiCtxBuilder, WasiState};

use crate::common::{engines, fixture};

/// The program, compiled by one backend.
pub(crate) struct Program {
    pub(crate) engine: Engine,
    pub(crate) component: Component,
    pub(crate) linker: Linker<WasiState>,
}

/// Returns the program, compiled by each backend.
pub(crate) fn programs() -> &'static [Program] {
    static PROGRAMS: OnceLock<Vec<Program>> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let bytes = fixture("wasi-program.wasm");
        engines()
            .into_iter()
            .map(|engine| {
                let component = Component::from_binary(&engine, &bytes).expect("the fixture loads");
                let mut linker = Linker::new(&engine);
                wasi::add_to_linker(&mut linker).expect("each name is defined once");
                Program {
                    engine,
                    component,
                    linker,
                }
            })
            .collect()
    })
}

/// The result of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) end: Result<u8, Error>,
    pub(crate) stdout: String,
    pub(crate) took: Duration,
    /// Number of remaining resources.
    pub(crate) left: usize,
}

impl Ran {
    /// Returns the lines of a successful run.
    #[track_caller]
    pub(crate) fn lines(&self) -> Vec<&str> {
        assert!(matches!(self.end, Ok(0)), "{self:?}");
        self.stdout.lines().collect()
    }

    /// Checks that the run was stopped at its deadline.
    #[track_caller]
    pub(crate) fn was_interrupted(&self) {
        let kind = match &self.end {
            Err(error) => error.trap().map(|trap| trap.kind()),
            Ok(_) => None,
        };
        assert_eq!(kind, Some(&TrapKind::Core(CoreTrap::Interrupted)), "{self:?}");
    }

    /// Checks that a trap stopped the run, and its reason.
    #[track_caller]
    pub(crate) fn was_ended(&self, why: &str) {
        match &self.end {
            Err(error @ Error::Trap(_)) => assert!(error.to_string().contains(why), "{error}"),
            _ => panic!("{self:?}"),
        }
    }
}

/// Grants nothing, as an argument for `grant`.
pub(crate) fn nothing(_: &mut WasiCtxBuilder) {}

/// Grants a destination to connect to.
pub(crate) fn connect(grant: impl ToString) -> impl Fn(&mut WasiCtxBuilder) + Copy
where
    String: 'static,
{
    let grant: &'static str = grant.to_string().leak();
    move |builder| {
        builder.connect(grant.parse().expect("a grant"));
    }
}

impl Program {
    /// Runs the program with these arguments, within half a minute.
    pub(crate) fn run(&self, args: &[&str], grant: impl Fn(&mut WasiCtxBuilder)) -> Ran {
        self.run_within(Some(Duration::from_secs(30)), args, grant)
    }

    pub(crate) fn run_within(
        &self,
        time: Option<Duration>,
        args: &[&str],
        grant: impl Fn(&mut WasiCtxBuilder),
    ) -> Ran {
        let stdout = MemoryOutputPipe::new(16 << 20);
        let mut builder = WasiCtxBuilder::new();
        builder.arg("program").args(args.iter().copied());
        builder.stdout(Stdout::Pipe(stdout.clone()));
        grant(&mut builder);
        self.run_with(time, &builder, &stdout)
    }

    fn run_with(&self, time: Option<Duration>, builder: &WasiCtxBuilder, stdout: &MemoryOutputPipe) -> Ran {
        let start = Instant::now();
        let mut store = Store::new(&self.engine, WasiState::from(builder.build()));
        let deadline = time.map(|time| start + time);
        let end = wasi::run_command(&mut store, &self.component, &self.linker, deadline);
        Ran {
            end: end.map(|Exit { code }| code),
            stdout: String::from_utf8_lossy(&stdout.contents()).into_owned(),
            took: start.elapsed(),
            left: store.data().table.len(),
        }
    }

    /// Runs the program on a thread, and connects to the port that it prints.
    pub(crate) fn serve<R>(
        &self,
        args: &[&str],
        grant: impl Fn(&mut WasiCtxBuilder),
        meet: impl FnOnce(u16) -> R,
    ) -> (Ran, R) {
        let stdout = MemoryOutputPipe::new(1 << 20);
        let mut builder = WasiCtxBuilder::new();
        builder.arg("program").args(args.iter().copied());
        builder.stdout(Stdout::Pipe(stdout.clone()));
        grant(&mut builder);
        thread::scope(|scope| {
            let running = scope.spawn(|| {
                let time = Some(Duration::from_secs(30));
                self.run_with(time, &builder, &stdout)
            });
            let port = loop {
                let text = String::from_utf8(stdout.contents()).expect("text");
                if let Some(port) = text
                    .strip_prefix("port ")
                    .and_then(|rest| rest.strip_suffix('\n'))
                {
                    break port.parse().expect("a port");
                }
                assert!(!running.is_finished(), "it ended: {:?}", running.join());
                thread::sleep(Duration::from_millis(5));
            };
            let met = meet(port);
            (running.join().expect("no panic"), met)
        })
    }
}
