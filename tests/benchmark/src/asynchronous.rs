//! Rows P17 to P19: calls of asynchronous functions, streams of the host, and tasks that give way.

use crate::measure::{Plan, Side, compare};
use crate::ours::NAME;
use crate::rows::{Figure, Row};
use airssys_wasm::component::{
    Component, Destination, HostResult, Instance, Linker, Store, StoreContextMut, StreamProducer,
    StreamReader, StreamResult,
};
use airssys_wasm::engine::{Backend, Config, Engine};
use anyhow::{Result, ensure};
use std::future::Future;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// Bytes of one chunk of a stream.
const CHUNK: usize = 64 << 10;

/// Accepted nanoseconds of a task that gives way.
const SWITCH: f64 = 400.0;

/// Measures the cases of a row.
pub(crate) fn measure(row: Row, backend: Backend, plan: Plan) -> Result<Vec<Figure>> {
    let guest = wat::parse_str(include_str!("async.wat"))?;
    let mut sides = Vec::new();
    let (case, ours) = match row {
        Row::P17 => ("call_concurrent, add(u32)", calls(backend, &guest)?),
        Row::P19 => ("thread.yield", yields(backend, &guest)?),
        _ => ("a chunk of 64 KiB to a guest", chunks(backend, &guest)?),
    };
    sides.push(ours);
    #[cfg(feature = "reference-defaults")]
    sides.push(match row {
        Row::P17 => reference::calls(&guest)?,
        Row::P19 => reference::yields(&guest)?,
        _ => reference::chunks(&guest)?,
    });
    eprintln!("{row} {case}, {backend}");
    let figure = Figure::new(row, case, backend, "ns", &compare(sides, plan)?)?;
    Ok(vec![match row {
        Row::P19 => figure.at_most(SWITCH),
        _ => figure,
    }])
}

/// Runs a future that only waits for what runs with it.
fn finish<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}

fn instance(backend: Backend, guest: &[u8]) -> Result<(Store<()>, Instance)> {
    let mut config = Config::new();
    config.backend(backend);
    let engine = Engine::new(&config)?;
    let component = Component::from_binary(&engine, guest)?;
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &component)?;
    Ok((store, instance))
}

fn calls(backend: Backend, guest: &[u8]) -> Result<Side<'static>> {
    let (mut store, instance) = instance(backend, guest)?;
    let add = instance.get_typed_func::<(u32,), (u32,)>(&mut store, "add")?;
    Ok(Side::new(NAME, move |times| {
        finish(store.run_concurrent(async |accessor| {
            for x in 0..times {
                let (sum,) = add.call_concurrent(accessor, (black_box(x as u32),)).await?;
                ensure!(sum == (x as u32).wrapping_add(1), "a wrong sum");
            }
            Ok(())
        }))?
    }))
}

fn yields(backend: Backend, guest: &[u8]) -> Result<Side<'static>> {
    let (mut store, instance) = instance(backend, guest)?;
    let give_way = instance.get_typed_func::<(u32,), (u32,)>(&mut store, "give-way")?;
    Ok(Side::new(NAME, move |times| {
        finish(store.run_concurrent(async |accessor| {
            give_way.call_concurrent(accessor, (times as u32,)).await?;
            Ok(())
        }))?
    }))
}

/// A number of chunks, written to the guest's memory.
struct Chunks(u64);

impl StreamProducer<()> for Chunks {
    type Item = u8;
    type Buffer = Vec<u8>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        store: StoreContextMut<'a, ()>,
        destination: Destination<'a, u8, Vec<u8>>,
        _: bool,
    ) -> Poll<HostResult<StreamResult>> {
        let Some(rest) = self.0.checked_sub(1) else {
            return Poll::Ready(Ok(StreamResult::Dropped));
        };
        self.0 = rest;
        let mut direct = destination.as_direct(store, CHUNK)?;
        let room = direct.remaining();
        room.fill(black_box(7));
        let length = room.len();
        direct.mark_written(length);
        Poll::Ready(Ok(StreamResult::Completed))
    }
}

fn chunks(backend: Backend, guest: &[u8]) -> Result<Side<'static>> {
    let (mut store, instance) = instance(backend, guest)?;
    let read = instance.get_typed_func::<(StreamReader<u8>,), (u32,)>(&mut store, "read-all")?;
    Ok(Side::new(NAME, move |times| {
        finish(store.run_concurrent(async |accessor| {
            let stream = accessor.with(|access| StreamReader::new(access, Chunks(times)));
            let (total,) = read.call_concurrent(accessor, (stream,)).await?;
            ensure!(total == (times as usize * CHUNK) as u32, "bytes are missing");
            Ok(())
        }))?
    }))
}

#[cfg(feature = "reference-defaults")]
mod reference {
    use super::{CHUNK, finish};
    use crate::measure::Side;
    use crate::reference::{NAME, foreign};
    use anyhow::{Result, ensure};
    use std::hint::black_box;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use wasmtime::component::{
        Component, Destination, Instance, Linker, StreamProducer, StreamReader, StreamResult,
    };
    use wasmtime::{Config, Engine, Store, StoreContextMut};

    fn instance(guest: &[u8]) -> Result<(Store<()>, Instance)> {
        let mut config = Config::new();
        config.wasm_component_model_async(true);
        let engine = Engine::new(&config).map_err(foreign)?;
        let component = Component::from_binary(&engine, guest).map_err(foreign)?;
        let mut store = Store::new(&engine, ());
        let linker = Linker::new(&engine);
        let instance = finish(linker.instantiate_async(&mut store, &component)).map_err(foreign)?;
        Ok((store, instance))
    }

    pub(super) fn calls(guest: &[u8]) -> Result<Side<'static>> {
        let (mut store, instance) = instance(guest)?;
        let add = instance
            .get_typed_func::<(u32,), (u32,)>(&mut store, "add")
            .map_err(foreign)?;
        Ok(Side::new(NAME, move |times| {
            let ran = finish(store.run_concurrent(async |accessor| {
                for x in 0..times {
                    let called = add.call_concurrent(accessor, (black_box(x as u32),)).await;
                    let (sum,) = called.map_err(foreign)?;
                    ensure!(sum == (x as u32).wrapping_add(1), "a wrong sum");
                }
                Ok(())
            }));
            ran.map_err(foreign)?
        }))
    }

    pub(super) fn yields(guest: &[u8]) -> Result<Side<'static>> {
        let (mut store, instance) = instance(guest)?;
        let give_way = instance
            .get_typed_func::<(u32,), (u32,)>(&mut store, "give-way")
            .map_err(foreign)?;
        Ok(Side::new(NAME, move |times| {
            let ran = finish(store.run_concurrent(async |accessor| {
                let called = give_way.call_concurrent(accessor, (times as u32,)).await;
                called.map_err(foreign)?;
                Ok(())
            }));
            ran.map_err(foreign)?
        }))
    }

    struct Chunks(u64);

    impl StreamProducer<()> for Chunks {
        type Item = u8;
        type Buffer = Option<u8>;

        fn poll_produce<'a>(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            store: StoreContextMut<'a, ()>,
            destination: Destination<'a, u8, Option<u8>>,
            _: bool,
        ) -> Poll<wasmtime::Result<StreamResult>> {
            let Some(rest) = self.0.checked_sub(1) else {
                return Poll::Ready(Ok(StreamResult::Dropped));
            };
            self.0 = rest;
            let mut direct = destination.as_direct(store, CHUNK);
            let room = direct.remaining();
            room.fill(black_box(7));
            let length = room.len();
            direct.mark_written(length);
            Poll::Ready(Ok(StreamResult::Completed))
        }
    }

    pub(super) fn chunks(guest: &[u8]) -> Result<Side<'static>> {
        let (mut store, instance) = instance(guest)?;
        let read = instance
            .get_typed_func::<(StreamReader<u8>,), (u32,)>(&mut store, "read-all")
            .map_err(foreign)?;
        Ok(Side::new(NAME, move |times| {
            let ran = finish(store.run_concurrent(async |accessor| {
                let stream = accessor.with(|access| StreamReader::new(access, Chunks(times)));
                let stream = stream.map_err(foreign)?;
                let (total,) = read.call_concurrent(accessor, (stream,)).await.map_err(foreign)?;
                ensure!(total == (times as usize * CHUNK) as u32, "bytes are missing");
                Ok(())
            }));
            ran.map_err(foreign)?
        }))
    }
}
