//! Programs on our backends.

use airssys_wasm_component::component::{
    Access, Accessor, Component, Destination, FutureReader, HostResult, Instance, InstancePre, Linker, Store,
    StoreContextMut, StreamProducer, StreamReader, StreamResult, TypedFunc,
};
use airssys_wasm_component::engine::{Backend, Config, Engine, InterruptHandle, StoreLimits};
use airssys_wasm_component::error::{AsyncTrap, Error, TrapKind};
use std::pin::Pin;
use std::task::{Context, Poll};

use super::drive::{All, Turns, run};
use super::interpreter::{self, INSTANCES};
use super::outcome::{Event, LATE, MAX_EVENTS, Outcome};
use super::program::Program;
use super::script::FORMS;
use crate::failure::Failure;
use crate::text::to_binary;

/// Turns of the event loop after the last call has ended, in which tasks run that go on after their return.
pub(super) const TURNS: u32 = 200;
/// Numbers of a stream of the host's.
pub(super) const NUMBERS: [u32; 3] = [7_001, 7_002, 7_003];

#[derive(Default)]
struct Host {
    events: Vec<Event>,
}

impl Host {
    fn log(&mut self, at: u32, values: [u32; 3]) -> HostResult<()> {
        if self.events.len() >= MAX_EVENTS {
            return Err("a guest without end".into());
        }
        self.events.push(Event { at, values });
        Ok(())
    }
}

/// The guest on one backend.
#[derive(Clone)]
pub struct Ours {
    engine: Engine,
    pre: InstancePre<Host>,
}

impl std::fmt::Debug for Ours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Ours").field(&self.engine.backend()).finish()
    }
}

/// Some numbers in one piece.
struct Numbers(Vec<u32>);

impl StreamProducer<Host> for Numbers {
    type Item = u32;
    type Buffer = Vec<u32>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: StoreContextMut<'a, Host>,
        mut destination: Destination<'a, u32, Vec<u32>>,
        _finish: bool,
    ) -> Poll<HostResult<StreamResult>> {
        destination.set_buffer(std::mem::take(&mut self.0));
        Poll::Ready(Ok(StreamResult::Dropped))
    }
}

type Ends = (StreamReader<u32>, FutureReader<u32>);

fn ends(mut access: Access<'_, Host>) -> Ends {
    let stream = StreamReader::new(&mut access, Numbers(NUMBERS.to_vec()));
    let future = FutureReader::new(&mut access, async { HostResult::Ok(NUMBERS[0]) });
    (stream, future)
}

impl Ours {
    /// # Errors
    /// If the backend is not available, or refuses the guest.
    pub fn new(backend: Backend) -> airssys_wasm_component::Result<Ours> {
        let mut config = Config::new();
        config
            .backend(backend)
            .wasm_component_model_async(true)
            .wasm_component_model_async_builtins(true)
            .wasm_component_model_async_stackful(true);
        let engine = Engine::new(&config)?;
        let text = interpreter::text();
        let bytes = to_binary(text.as_bytes()).map_err(|error| Error::bug(error.to_string()))?;
        let component = Component::from_binary(&engine, &bytes)?;
        let mut linker = Linker::<Host>::new(&engine);
        linker.root().func_wrap(
            "log",
            |mut cx: StoreContextMut<'_, Host>, (at, a, b, c): (u32, u32, u32, u32)| {
                cx.data_mut().log(at, [a, b, c])
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
                |accessor, (script, stream, future): (u32, StreamReader<u32>, FutureReader<u32>)| {
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
            next.func_wrap_concurrent(&format!("give-{form}"), |accessor, (script,): (u32,)| {
                Box::pin(async move {
                    Turns(script & 3).await;
                    Ok((accessor.with(ends),))
                })
            })?;
        }
        let pre = linker.instantiate_pre(&component)?;
        Ok(Ours { engine, pre })
    }

    /// Returns the backend's name.
    pub fn name(&self) -> &'static str {
        self.engine.backend().name()
    }

    /// Runs a program in a new store.
    ///
    /// # Errors
    /// If the guest cannot be instantiated.
    pub fn run(&self, program: &Program) -> airssys_wasm_component::Result<Outcome> {
        self.run_watched(program, StoreLimits::default(), |_| ())
    }

    /// Runs a program, with limits, and a guard that may interrupt it.
    ///
    /// # Errors
    /// If the guest cannot be instantiated, or a bug of the library's is found.
    pub fn run_watched<W>(
        &self,
        program: &Program,
        limits: StoreLimits,
        watch: impl FnOnce(InterruptHandle) -> W,
    ) -> airssys_wasm_component::Result<Outcome> {
        let mut store = Store::with_limits(&self.engine, Host::default(), limits);
        let _watched = watch(store.interrupt_handle());
        let instance = self.pre.instantiate(&mut store)?;
        let functions = load(&mut store, &instance, program)?;
        let mut values = vec![None; program.calls.len()];
        let mut error = None;
        let mut ended = |index: usize, result: airssys_wasm_component::Result<(u32,)>| match result {
            Ok((value,)) => values[index] = Some(value),
            // The other calls of its instance end by that.
            Err(Error::Trap(trap)) if matches!(trap.kind(), TrapKind::Poisoned) => {}
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
        let trap = match error {
            Some(error) => Some(class(error)?),
            None if instance.is_poisoned() => Some((LATE.to_owned(), String::new())),
            None => None,
        };
        let outcome = Outcome {
            events: std::mem::take(&mut store.data_mut().events),
            values,
            trap,
        };
        Ok(outcome.late())
    }
}

/// Loads the scripts into the instances, and finds the functions of the calls.
fn load(
    store: &mut Store<Host>,
    instance: &Instance,
    program: &Program,
) -> airssys_wasm_component::Result<Vec<TypedFunc<(u32,), (u32,)>>> {
    for (index, name) in INSTANCES.iter().enumerate() {
        let load: TypedFunc<(u32, Vec<u8>), ()> = instance.get_typed_func(&mut *store, [*name, "load"])?;
        load.call(&mut *store, (index as u32, program.memory(index)))?;
    }
    let function = |call: &super::program::Call| {
        let name = INSTANCES.get(call.instance).copied().unwrap_or_default();
        instance.get_typed_func(&mut *store, [name, &call.function()])
    };
    program.calls.iter().map(function).collect()
}

/// Returns a trap's class and message.
fn class(error: Error) -> airssys_wasm_component::Result<(String, String)> {
    let message = error.to_string().lines().next().unwrap_or_default().to_owned();
    let class = match &error {
        Error::Bug(_) => return Err(error),
        Error::Trap(trap) => match trap.kind() {
            TrapKind::Async(trap) => Some(async_class(trap)),
            _ => None,
        },
        _ => None,
    };
    let class = match class {
        Some(class) => class.to_owned(),
        None => Failure::from(error).kind.to_string(),
    };
    Ok((class, message))
}

fn async_class(trap: &AsyncTrap) -> &'static str {
    match trap {
        AsyncTrap::CannotBlock => "cannot block",
        AsyncTrap::Deadlock => "deadlock",
        AsyncTrap::CallbackCode(_) => "callback code",
        AsyncTrap::NotReturned => "not returned",
        AsyncTrap::ReturnedTwice => "returned twice",
        AsyncTrap::ReturnOptions => "return options",
        AsyncTrap::NotAsync => "not async",
        AsyncTrap::NotCancelled => "not cancelled",
        AsyncTrap::SetNotEmpty | AsyncTrap::SetWaitedFor => "set dropped",
        AsyncTrap::InSet => "in set",
        AsyncTrap::SubtaskNotResolved => "not resolved",
        AsyncTrap::CancelledTwice => "cancelled twice",
        AsyncTrap::Backpressure => "backpressure",
        AsyncTrap::Transmit(_) => "transmit",
        _ => "other async",
    }
}
