//! Real guests: components of types of every kind, on a host of dynamic values or of typed ones. What their functions
//! do is described in `tests/support/src/echo.rs`, which makes them.

use std::any::Any;
use std::collections::HashMap;
use std::fmt::Write;

use airssys_wasm::component::{Component, Func, Instance, InstancePre, Linker, Store, StoreContextMut, Val};
use airssys_wasm::engine::{Config, Engine, StoreLimits};
use airssys_wasm::{Error, Result};

use crate::host_memory::{kept_by, peak_of};
use crate::typed::{Case, Value};
use crate::types::cases;

pub(crate) type Cx<'a> = StoreContextMut<'a, Host>;

/// The component of all types, in each encoding of strings.
const COMPONENTS: [&[u8]; 3] = [
    include_bytes!("../guests/utf8.wasm"),
    include_bytes!("../guests/utf16.wasm"),
    include_bytes!("../guests/latin1-utf16.wasm"),
];
/// Where those have their memory overwritten, where results lie in it, and where `realloc` begins.
pub(crate) const DUMP: usize = 0x1000;
pub(crate) const RESULT: usize = 0x1100;
pub(crate) const HEAP: usize = 0x3000;
/// Bytes that the host allocates for the values of one call.
const LIFT_BYTES: u64 = 1 << 20;
/// Bytes that it may take beyond: what a call needs for itself, and the image of memory that the guest shows.
const BESIDE: u64 = 256 << 10;

/// Input and output of the host's functions.
#[derive(Default)]
pub(crate) struct Host {
    /// Bytes that overwrite the guest's memory from [`DUMP`] on.
    fill: Vec<u8>,
    /// The guest's memory, each time that it showed it.
    images: Vec<Vec<u8>>,
    /// Values that the dynamic function got, if it keeps them.
    look: bool,
    seen: Option<Val>,
    /// Bytes that the host's own copies of values took: no limit of the store counts them.
    copied: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Kind {
    Dynamic,
    Typed,
}

/// Outcome of a call: the result, the guest's memory whenever it showed it, what the dynamic host function got.
#[derive(Debug)]
pub(crate) struct Outcome<R> {
    pub(crate) result: std::result::Result<R, String>,
    pub(crate) images: Vec<Vec<u8>>,
    pub(crate) seen: Option<Val>,
}

/// All guests, each made when it is asked for first.
pub(crate) struct Guests {
    engine: Engine,
    pub(crate) cases: Vec<Case>,
    guests: HashMap<(usize, Kind), Guest>,
}

impl Guests {
    pub(crate) fn new() -> Guests {
        Guests {
            engine: Engine::new(&Config::new()).expect("a backend"),
            cases: cases(),
            guests: HashMap::new(),
        }
    }

    /// The guest with one of the three encodings, and the case of the type at `index`.
    pub(crate) fn get(&mut self, index: usize, encoding: usize, kind: Kind) -> (&mut Guest, &Case) {
        let guest = self.guests.entry((encoding, kind));
        let guest = guest.or_insert_with(|| Guest::new(&self.engine, &self.cases, encoding, kind));
        (guest, &self.cases[index])
    }
}

/// An instance, and a new one after each trap.
pub(crate) struct Guest {
    engine: Engine,
    pre: InstancePre<Host>,
    store: Store<Host>,
    instance: Instance,
}

impl Guest {
    fn new(engine: &Engine, cases: &[Case], encoding: usize, kind: Kind) -> Guest {
        let component = Component::from_binary(engine, COMPONENTS[encoding]).expect("the guest loads");
        let mut linker: Linker<Host> = Linker::new(engine);
        define(&mut linker, cases, kind).expect("new names");
        let pre = linker.instantiate_pre(&component).expect("the guest links");
        let (store, instance) = start(engine, &pre);
        Guest {
            engine: engine.clone(),
            pre,
            store,
            instance,
        }
    }

    fn run<R>(
        &mut self,
        (name, index): (&str, usize),
        call: impl FnOnce(&mut Store<Host>, &Func) -> Result<R>,
    ) -> Outcome<R> {
        let path = ["equality:types/guest", &format!("{name}{index}")];
        let func = self.instance.get_func(&mut self.store, path).expect("exported");
        self.store.data_mut().copied = 0;
        let (result, peak) = peak_of(|| call(&mut self.store, &func));
        if name != "echo" {
            // A call of `echo` holds the argument and the result at once.
            let copied = self.store.data().copied;
            assert!(
                peak <= LIFT_BYTES + BESIDE + copied,
                "{name}{index}: {peak} bytes allocated, {copied} of them the host's copy"
            );
        }
        let result = result.map_err(|error| chain(&error));
        let host = self.store.data_mut();
        let (images, seen) = (std::mem::take(&mut host.images), host.seen.take());
        if result.is_err() {
            (self.store, self.instance) = start(&self.engine, &self.pre);
        }
        Outcome { result, images, seen }
    }

    pub(crate) fn echo_val(&mut self, index: usize, value: &Val) -> Outcome<Val> {
        self.store.data_mut().look = true;
        self.run(("echo", index), |store, func| {
            let result = func.call_dynamic(store, std::slice::from_ref(value))?;
            Ok(result.expect("it has a result"))
        })
    }

    pub(crate) fn echo_typed(&mut self, index: usize, case: &Case, value: &dyn Any) -> Outcome<Value> {
        self.store.data_mut().look = true;
        self.run(("echo", index), |store, func| (case.echo)(store, func, value))
    }

    /// The function that returns what lies in these bytes.
    pub(crate) fn make_val(&mut self, index: usize, fill: &[u8]) -> Outcome<Val> {
        self.store.data_mut().fill = fill.to_vec();
        self.run(("make", index), |store, func| {
            let result = func.call_dynamic(store, &[])?;
            Ok(result.expect("it has a result"))
        })
    }

    pub(crate) fn make_typed(&mut self, index: usize, case: &Case, fill: &[u8]) -> Outcome<Value> {
        self.store.data_mut().fill = fill.to_vec();
        self.run(("make", index), |store, func| (case.make)(store, func))
    }

    /// The function that calls the host with what lies in these bytes.
    pub(crate) fn give(&mut self, index: usize, fill: &[u8]) -> Outcome<()> {
        let host = self.store.data_mut();
        host.fill = fill.to_vec();
        host.look = false;
        self.run(("give", index), |store, func| {
            func.call_dynamic(store, &[]).map(|_| ())
        })
    }
}

fn start(engine: &Engine, pre: &InstancePre<Host>) -> (Store<Host>, Instance) {
    let mut limits = StoreLimits::default();
    limits.lift_bytes = LIFT_BYTES;
    let mut store = Store::with_limits(engine, Host::default(), limits);
    let instance = pre.instantiate(&mut store).expect("an instance");
    (store, instance)
}

fn define(linker: &mut Linker<Host>, cases: &[Case], kind: Kind) -> Result<()> {
    let mut host = linker.instance("equality:types/host")?;
    host.func_wrap("probe", |mut cx: Cx<'_>, (memory,): (Vec<u8>,)| {
        cx.data_mut().images.push(memory);
        Ok(())
    })?;
    host.func_wrap("fill", |cx: Cx<'_>, (): ()| Ok((cx.data().fill.clone(),)))?;
    for (index, case) in cases.iter().enumerate() {
        let name = format!("echo{index}");
        match kind {
            Kind::Typed => (case.define_echo)(&mut host, &name)?,
            Kind::Dynamic => host.func_new(&name, |mut cx: Cx<'_>, _, params, results| {
                if cx.data().look {
                    cx.data_mut().seen = params.first().cloned();
                }
                cx.data_mut().copied += kept_by(|| results.clone_from_slice(params));
                Ok(())
            })?,
        }
    }
    Ok(())
}

/// An error and what caused it.
fn chain(error: &Error) -> String {
    crate::expect_no_bug(error);
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        // Writing to a string cannot fail.
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
