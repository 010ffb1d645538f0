//! Programs on the reference engine, wasmtime.

use std::pin::Pin;

use anyhow::{Context as _, Result, anyhow};
use wasmtime::component::{
    Accessor, Component, FutureReader, Instance, InstancePre, Linker, StreamReader, TypedFunc,
};
use wasmtime::{Config, Engine, Store, StoreContextMut, Trap};

use super::drive::{All, Turns, run};
use super::interpreter::{self, INSTANCES};
use super::ours::{NUMBERS, TURNS};
use super::outcome::{Event, MAX_EVENTS, Outcome};
use super::program::Program;
use super::script::FORMS;
use crate::failure::TrapClass;
use crate::text::to_binary;

#[derive(Default)]
struct Host {
    events: Vec<Event>,
}

/// The guest on wasmtime.
pub struct Reference {
    engine: Engine,
    pre: InstancePre<Host>,
}

impl std::fmt::Debug for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reference").finish_non_exhaustive()
    }
}

/// Converts wasmtime's error, which is not a `std::error::Error`.
pub(super) fn foreign(error: wasmtime::Error) -> anyhow::Error {
    anyhow!("{error:?}")
}

/// Returns wasmtime with all that is asynchronous.
pub(super) fn engine() -> Result<Engine> {
    let mut config = Config::new();
    config
        .wasm_component_model_async(true)
        .wasm_component_model_more_async_builtins(true)
        .wasm_component_model_async_stackful(true)
        .wasm_component_model_fixed_length_lists(true)
        // wasmer handles the same signals in this process, and each would treat the other's traps as its own.
        .signals_based_traps(false);
    Engine::new(&config).map_err(foreign)
}

impl Reference {
    /// # Errors
    /// If wasmtime refuses the guest.
    pub fn new() -> Result<Reference> {
        let engine = engine()?;
        let text = interpreter::text();
        let bytes = to_binary(text.as_bytes())?;
        let component = Component::from_binary(&engine, &bytes).map_err(foreign)?;
        let mut linker: Linker<Host> = Linker::new(&engine);
        define(&mut linker).map_err(foreign)?;
        let pre = linker.instantiate_pre(&component).map_err(foreign)?;
        Ok(Reference { engine, pre })
    }

    /// Runs a program in a new store.
    ///
    /// # Errors
    /// If the guest cannot be instantiated.
    pub fn run(&self, program: &Program) -> Result<Outcome> {
        let mut store = Store::new(&self.engine, Host::default());
        let instance = run(self.pre.instantiate_async(&mut store))
            .context("an instantiation that waits")?
            .map_err(foreign)?;
        let functions = load(&mut store, &instance, program)?;
        let mut values = vec![None; program.calls.len()];
        let mut error = None;
        let mut ended = |index: usize, result: wasmtime::Result<(u32,)>| match result {
            Ok((value,)) => values[index] = Some(value),
            Err(other) => error = error.take().or(Some(other)),
        };
        let whole = run(store.run_concurrent(async |accessor| {
            let calls = functions.iter().zip(&program.calls).map(|(function, call)| {
                Box::pin(function.call_concurrent(accessor, (call.script,))) as Pin<Box<_>>
            });
            All::new(calls.map(|call| call as _), &mut ended).await;
            Turns(TURNS).await;
        }));
        if let Some(Err(other)) = whole {
            error = error.or(Some(other));
        }
        let outcome = Outcome {
            events: std::mem::take(&mut store.data_mut().events),
            values,
            trap: error.map(|error| class(&error)),
        };
        Ok(outcome.late())
    }
}

fn define(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker.root().func_wrap(
        "log",
        |mut cx: StoreContextMut<'_, Host>, (at, a, b, c): (u32, u32, u32, u32)| {
            let events = &mut cx.data_mut().events;
            if events.len() >= MAX_EVENTS {
                wasmtime::bail!("a guest without end");
            }
            events.push(Event {
                at,
                values: [a, b, c],
            });
            Ok(())
        },
    )?;
    let mut next = linker.instance("next")?;
    next.func_wrap("plain", |_, (script,): (u32,)| Ok((script.wrapping_add(1_000),)))?;
    for form in FORMS {
        next.func_wrap_concurrent(&format!("run-{form}"), |_: &Accessor<Host>, (script,): (u32,)| {
            Box::pin(async move {
                Turns(script & 3).await;
                Ok((script.wrapping_add(1_000),))
            })
        })?;
        next.func_wrap_concurrent(
            &format!("take-{form}"),
            |accessor: &Accessor<Host>,
             (script, stream, future): (u32, StreamReader<u32>, FutureReader<u32>)| {
                Box::pin(async move {
                    Turns(script & 3).await;
                    accessor.with(|mut access| {
                        let (mut stream, mut future) = (stream, future);
                        stream.close(&mut access)?;
                        future.close(&mut access)
                    })?;
                    Ok((script.wrapping_add(2_000),))
                })
            },
        )?;
        next.func_wrap_concurrent(
            &format!("give-{form}"),
            |accessor: &Accessor<Host>, (script,): (u32,)| {
                Box::pin(async move {
                    Turns(script & 3).await;
                    let ends = accessor.with(|mut access| {
                        let stream = StreamReader::new(&mut access, NUMBERS.to_vec())?;
                        let future =
                            FutureReader::new(&mut access, async { wasmtime::error::Ok(NUMBERS[0]) })?;
                        wasmtime::error::Ok((stream, future))
                    })?;
                    Ok((ends,))
                })
            },
        )?;
    }
    Ok(())
}

/// Loads the scripts into the instances, and finds the functions of the calls.
fn load(
    store: &mut Store<Host>,
    instance: &Instance,
    program: &Program,
) -> Result<Vec<TypedFunc<(u32,), (u32,)>>> {
    let find = |store: &mut Store<Host>, name: &str, function: &str| {
        let parent = instance.get_export_index(&mut *store, None, name)?;
        let index = instance.get_export_index(&mut *store, Some(&parent), function)?;
        instance.get_func(&mut *store, index)
    };
    for (index, name) in INSTANCES.iter().enumerate() {
        let load = find(store, name, "load").context("a function")?;
        let load = load.typed::<(u32, Vec<u8>), ()>(&*store).map_err(foreign)?;
        run(load.call_async(&mut *store, (index as u32, program.memory(index))))
            .context("a function that waits")?
            .map_err(foreign)?;
    }
    let function = |call: &super::program::Call| {
        let name = INSTANCES.get(call.instance).copied().unwrap_or_default();
        let function = find(store, name, &call.function()).context("a function")?;
        function.typed(&*store).map_err(foreign)
    };
    program.calls.iter().map(function).collect()
}

/// Returns a trap's class and message.
pub(super) fn class(error: &wasmtime::Error) -> (String, String) {
    let cause = error.root_cause().to_string();
    let Some(trap) = error.downcast_ref::<Trap>() else {
        let class = match (of_text(&cause), TrapClass::of_text(&cause)) {
            (Some(class), _) => class.to_owned(),
            (None, Some(class)) => format!("trap: {class}"),
            (None, None) => String::from("other"),
        };
        return (class, cause);
    };
    let class = match trap {
        Trap::CannotBlockSyncTask => "cannot block",
        Trap::AsyncDeadlock => "deadlock",
        Trap::UnsupportedCallbackCode => "callback code",
        Trap::NoAsyncResult => "not returned",
        Trap::TaskCancelOrReturnTwice => "returned twice",
        Trap::TaskReturnInvalid => "return options",
        Trap::TaskCancelNotCancelled => "not cancelled",
        Trap::WaitableSetDropHasWaiters => "set dropped",
        Trap::WaitableSyncAndAsync => "in set",
        Trap::SubtaskDropNotResolved => "not resolved",
        Trap::SubtaskCancelAfterTerminal => "cancelled twice",
        Trap::BackpressureOverflow => "backpressure",
        Trap::ConcurrentFutureStreamOp | Trap::StreamOpTooBig => "transmit",
        other => {
            let text = other.to_string();
            let class = TrapClass::of_text(&text).unwrap_or(TrapClass::Other);
            return (format!("trap: {class}"), text);
        }
    };
    (class.to_owned(), trap.to_string())
}

/// Classifies the messages of traps that have no class of wasmtime's.
fn of_text(text: &str) -> Option<&'static str> {
    const PHRASES: [(&str, &str); 7] = [
        ("resource has children", "set dropped"),
        ("handle is not a", "trap: bad handle"),
        ("waitable set", "set dropped"),
        ("backpressure", "backpressure"),
        ("being notified", "transmit"),
        ("stream", "transmit"),
        ("future", "transmit"),
    ];
    let found = PHRASES.iter().find(|(phrase, _)| text.contains(phrase));
    found.map(|(_, class)| *class)
}
