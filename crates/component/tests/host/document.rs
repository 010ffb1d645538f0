//! `docs/async.md`: its examples run as they are written.

use std::error::Error;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use airssys_wasm_component::component::{
    Component, Destination, HostResult, Linker, Store, StoreContextMut, StreamProducer, StreamReader,
    StreamResult,
};
use airssys_wasm_component::engine::{Config, Engine};
use futures_util::join;

use crate::support::{Host, NOTHING, block_on};

const DOCUMENT: &str = include_str!("../../../../docs/async.md");
const THIS: &str = include_str!("document.rs");

/// The numbers below a limit.
struct Count(Range<u32>);

impl StreamProducer<Host> for Count {
    type Item = u32;
    type Buffer = Vec<u32>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        store: StoreContextMut<'a, Host>,
        mut destination: Destination<'a, u32, Vec<u32>>,
        _finish: bool,
    ) -> Poll<HostResult<StreamResult>> {
        let room = destination.remaining(store).unwrap_or(64);
        destination.set_buffer(self.0.by_ref().take(room).collect());
        Poll::Ready(Ok(match self.0.is_empty() {
            true => StreamResult::Dropped,
            false => StreamResult::Completed,
        }))
    }
}

fn examples() -> Result<(u32, u32), Box<dyn Error>> {
    let engine = Engine::new(
        Config::new()
            .wasm_component_model_async_builtins(true)
            .wasm_component_model_async_stackful(true),
    )?;

    let mut linker = Linker::<Host>::new(&engine);
    linker
        .root()
        .func_wrap_concurrent("sleep", |accessor, (x,): (u32,)| {
            Box::pin(async move {
                let gate = accessor.with(|mut access| {
                    let host = access.get();
                    host.calls += 1;
                    host.gate.clone()
                });
                gate.await;
                Ok((x + 1,))
            })
        })?;

    linker
        .root()
        .func_wrap_concurrent("name", |_, (of,): (String,)| Box::pin(async move { Ok((of,)) }))?;
    let component = Component::new(&engine, wat::parse_str(include_str!("guest.wat"))?)?;
    let mut store = Store::new(&engine, Host::default());
    store.data().gate.open_soon();
    let instance = linker.instantiate(&mut store, &component)?;

    let sleep = instance.get_typed_func::<(u32,), (u32,)>(&mut store, "sleep-async")?;
    let (one, two) = block_on(store.run_concurrent(async |accessor| {
        join!(
            sleep.call_concurrent(accessor, (1,)),
            sleep.call_concurrent(accessor, (2,)),
        )
    }))?;
    let sum = one?.0 + two?.0;
    let slept = sum;

    let numbers = StreamReader::new(&mut store, Count(0..100));
    let sum = instance.get_typed_func::<(StreamReader<u32>,), (u32,)>(&mut store, "sum")?;
    let (sum,) = sum.call(&mut store, (numbers,))?;

    assert_eq!(store.concurrency_counts(), NOTHING);
    Ok((slept, sum))
}

#[test]
fn the_examples_run_as_they_are_written() {
    assert_eq!(examples().unwrap(), (5, 4950));
    let trimmed = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    let this = trimmed(THIS);
    // Those about bindings are of another package's test.
    let (document, _) = DOCUMENT.split_once("\n## Bindings\n").unwrap_or((DOCUMENT, ""));
    let examples: Vec<&str> = document.split("```rust\n").skip(1).collect();
    assert_eq!(examples.len(), 5);
    for example in examples {
        let (written, _) = example.split_once("```\n").expect("its end");
        assert!(this.contains(&trimmed(written)), "{written}");
    }
}
