//! Guests of the catalogue's types, on both kinds of hosts.

use std::any::Any;
use std::fmt::Write;
use std::ops::Range;

use airssys_wasm::component::{
    Component, Func, Instance, InstancePre, Linker, Store, StoreContextMut, Type, Val,
};
use airssys_wasm::engine::Engine;
use airssys_wasm::{Error, Result};
use wit_component::StringEncoding;

use crate::equality::echo;
use crate::equality::typed::{Case, Value};

pub(crate) type Cx<'a> = StoreContextMut<'a, Host>;

/// State of the host's functions.
#[derive(Default)]
pub(crate) struct Host {
    /// Bytes that overwrite the guest's memory from [`echo::DUMP`] on.
    pub(crate) fill: Vec<u8>,
    /// The guest's memory, each time that the guest has shown it.
    pub(crate) images: Vec<Vec<u8>>,
    /// Argument of the dynamic function.
    pub(crate) seen: Option<Val>,
}

/// Some of the types: a component with functions of them, linked with both kinds of host functions.
pub(crate) struct Group {
    engine: Engine,
    pub(crate) range: Range<usize>,
    /// Host functions of [`Val`]s.
    dynamic: InstancePre<Host>,
    /// Host functions of Rust types.
    typed: InstancePre<Host>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Dynamic,
    Typed,
}

impl Group {
    /// Builds the guest of the types in `range`; `wit` is a package with an interface `values` that has all of them.
    pub(crate) fn new(
        engine: &Engine,
        wit: &str,
        cases: &[Case],
        range: Range<usize>,
        encoding: StringEncoding,
    ) -> Group {
        let (resolve, world) = echo::world(&format!("{wit}{}", functions(range.clone())), "group");
        let bytes = echo::component(&resolve, world, encoding);
        let component = Component::from_binary(engine, &bytes).expect("the guest loads");
        let link = |kind| {
            let mut linker: Linker<Host> = Linker::new(engine);
            let mut host = linker.instance("equality:types/host").expect("a new name");
            host.func_wrap("probe", |mut cx: Cx<'_>, (memory,): (Vec<u8>,)| {
                cx.data_mut().images.push(memory);
                Ok(())
            })
            .expect("a new name");
            host.func_wrap("fill", |cx: Cx<'_>, (): ()| Ok((cx.data().fill.clone(),)))
                .expect("a new name");
            for index in range.clone() {
                let name = format!("echo{index}");
                let defined = match kind {
                    Kind::Typed => (cases[index].define_echo)(&mut host, &name),
                    Kind::Dynamic => host.func_new(&name, |mut cx: Cx<'_>, _, params, results| {
                        cx.data_mut().seen = params.first().cloned();
                        results.clone_from_slice(params);
                        Ok(())
                    }),
                };
                defined.expect("a new name");
            }
            let pre = linker.instantiate_pre(&component);
            pre.unwrap_or_else(|error| panic!("{}", chain(&error)))
        };
        Group {
            engine: engine.clone(),
            range: range.clone(),
            dynamic: link(Kind::Dynamic),
            typed: link(Kind::Typed),
        }
    }

    pub(crate) fn guest(&self, kind: Kind) -> Guest<'_> {
        let pre = match kind {
            Kind::Dynamic => &self.dynamic,
            Kind::Typed => &self.typed,
        };
        let (store, instance) = start(&self.engine, pre);
        Guest {
            engine: &self.engine,
            pre,
            store,
            instance,
            restarts: 0,
        }
    }
}

fn start(engine: &Engine, pre: &InstancePre<Host>) -> (Store<Host>, Instance) {
    let mut store = Store::new(engine, Host::default());
    let instance = pre.instantiate(&mut store).expect("an instance");
    (store, instance)
}

/// Returns the world of a group.
fn functions(range: Range<usize>) -> String {
    let names: Vec<String> = range.clone().map(|index| format!("t{index}")).collect();
    let names = names.join(", ");
    let mut host = String::from("probe: func(memory: list<u8>); fill: func() -> list<u8>;");
    let mut guest = String::new();
    for index in range {
        write!(host, "echo{index}: func(value: t{index}) -> t{index};").unwrap();
        write!(guest, "echo{index}: func(value: t{index}) -> t{index};").unwrap();
        write!(guest, "make{index}: func() -> t{index}; give{index}: func();").unwrap();
    }
    format!(
        "interface host {{ use values.{{{names}}}; {host} }}\n\
         interface guest {{ use values.{{{names}}}; {guest} }}\n\
         world group {{ import host; export guest; }}\n"
    )
}

/// An instance on one kind of host, and a new one after each trap.
pub(crate) struct Guest<'a> {
    engine: &'a Engine,
    pre: &'a InstancePre<Host>,
    store: Store<Host>,
    instance: Instance,
    pub(crate) restarts: usize,
}

/// Outcome of a call: the result, the images of the guest's memory, the argument of the dynamic host function.
#[derive(Debug)]
pub(crate) struct Outcome<R> {
    pub(crate) result: std::result::Result<R, String>,
    pub(crate) images: Vec<Vec<u8>>,
    pub(crate) seen: Option<Val>,
}

impl Guest<'_> {
    /// Returns the component's type at `index`.
    pub(crate) fn ty(&mut self, index: usize) -> Type {
        self.func("echo", index).ty(&self.store).params[0].1.clone()
    }

    fn func(&mut self, name: &str, index: usize) -> Func {
        let name = format!("{name}{index}");
        self.instance
            .get_func(&mut self.store, ["equality:types/guest", &name])
            .expect("exported")
    }

    fn run<R>(
        &mut self,
        (name, index): (&str, usize),
        call: impl FnOnce(&mut Store<Host>, &Func) -> Result<R>,
    ) -> Outcome<R> {
        let func = self.func(name, index);
        let result = call(&mut self.store, &func).map_err(|error| chain(&error));
        let host = self.store.data_mut();
        let (images, seen) = (std::mem::take(&mut host.images), host.seen.take());
        if result.is_err() {
            (self.store, self.instance) = start(self.engine, self.pre);
            self.restarts += 1;
        }
        Outcome { result, images, seen }
    }

    pub(crate) fn echo_val(&mut self, index: usize, value: &Val) -> Outcome<Val> {
        self.run(("echo", index), |store, func| {
            let result = func.call_dynamic(store, std::slice::from_ref(value))?;
            Ok(result.expect("it has a result"))
        })
    }

    pub(crate) fn echo_typed(&mut self, index: usize, case: &Case, value: &dyn Any) -> Outcome<Value> {
        self.run(("echo", index), |store, func| (case.echo)(store, func, value))
    }

    /// Calls the function that returns the value in these bytes.
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

    /// Calls the function that calls the host with the value in these bytes.
    pub(crate) fn give(&mut self, index: usize, fill: &[u8]) -> Outcome<()> {
        self.store.data_mut().fill = fill.to_vec();
        self.run(("give", index), |store, func| {
            func.call_dynamic(store, &[]).map(|_| ())
        })
    }
}

/// Formats an error with its causes.
pub(crate) fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        write!(text, ": {error}").unwrap();
        cause = error.source();
    }
    text
}
