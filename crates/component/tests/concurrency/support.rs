//! Engines and components of these tests.

use airssys_wasm_component::component::{Component, Instance, Linker, Store};
use airssys_wasm_component::engine::{Backend, Config, Engine, StoreLimits};
use airssys_wasm_component::error::{Error, Result, TrapKind};

pub(crate) const PAIR: &str = include_str!("pair.wat");

/// One engine for each backend of this build, with concurrency.
pub(crate) fn engines() -> Vec<Engine> {
    Backend::available()
        .iter()
        .map(|backend| {
            let mut config = Config::new();
            config.backend(*backend);
            config.wasm_component_model_async_builtins(true);
            config.wasm_component_model_async_stackful(true);
            config.wasm_component_model_threading(true);
            Engine::new(&config).unwrap()
        })
        .collect()
}

pub(crate) fn component(engine: &Engine, text: &str) -> Component {
    Component::new(engine, wat::parse_str(text).unwrap()).unwrap()
}

/// A store with room for many handles.
pub(crate) fn store(engine: &Engine) -> Store<()> {
    let mut limits = StoreLimits::default();
    limits.handles = 100_000;
    Store::with_limits(engine, (), limits)
}

pub(crate) fn pair(store: &mut Store<()>) -> Instance {
    let component = component(store.engine(), PAIR);
    Linker::new(store.engine())
        .instantiate(store, &component)
        .unwrap()
}

/// Calls a function from `u32` to `u32`.
pub(crate) fn call(store: &mut Store<()>, instance: &Instance, name: &str, x: u32) -> Result<u32> {
    let func = instance.get_typed_func::<(u32,), (u32,)>(&mut *store, name)?;
    Ok(func.call(store, (x,))?.0)
}

/// The trap of a call that must end with one.
pub(crate) fn trap<T: std::fmt::Debug>(result: Result<T>) -> TrapKind {
    match result {
        Err(Error::Trap(trap)) => trap.kind().clone(),
        other => panic!("no trap: {other:?}"),
    }
}
