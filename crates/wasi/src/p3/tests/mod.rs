//! Tests of WASI 0.3 with guests.

mod files;
mod functions;
mod guest;
mod http;
mod origin;
mod program;
mod sockets;
mod streams;
mod suite;
mod suite_http;
mod waiting;

use airssys_wasm_component::component::{Component, Linker, Store};
use airssys_wasm_component::engine::{Backend, Config, Engine};

use crate::{WasiCtxBuilder, WasiState};

/// An engine for each backend.
fn engines() -> Vec<Engine> {
    let engine = |backend: &Backend| {
        let mut config = Config::new();
        config.backend(*backend);
        config.wasm_component_model_async_builtins(true);
        config.wasm_component_model_async_stackful(true);
        Engine::new(&config).unwrap()
    };
    Backend::available().iter().map(engine).collect()
}

/// A linker with WASI 0.2 and 0.3.
fn linker(engine: &Engine) -> Linker<WasiState> {
    let mut linker = Linker::new(engine);
    crate::add_to_linker(&mut linker).unwrap();
    crate::p3::add_to_linker(&mut linker).unwrap();
    linker
}

fn store(engine: &Engine, builder: &WasiCtxBuilder) -> Store<WasiState> {
    Store::new(engine, builder.build().into())
}
