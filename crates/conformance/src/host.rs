//! Imports that test suites of component runtimes expect: functions, and the instance `host`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use wast::Wat;
use wast::parser::{self, ParseBuffer};

use airssys_wasm_component::component::{Linker, Module, Resource, ResourceType};
use airssys_wasm_component::engine::Engine;
use airssys_wasm_component::error::Error;

/// Types of its resources; the first one's second name denotes the same type.
struct First;
struct Second;

/// The core module with that name, as text.
const SIMPLE_MODULE: &str = r#"(module
    (global (export "g") i32 (i32.const 100))
    (func (export "f") (result i32) (i32.const 101)))"#;

/// The core module `simple-module`, in its binary form.
///
/// # Errors
/// A syntax error in the text.
pub(super) fn simple_module() -> Result<Vec<u8>, wast::Error> {
    let buffer = ParseBuffer::new(SIMPLE_MODULE)?;
    parser::parse::<Wat<'_>>(&buffer)?.encode()
}

/// Defines it. `docs/conformance.md` lists what is in it.
pub(super) fn define(engine: &Engine, linker: &mut Linker<()>) -> airssys_wasm_component::Result<()> {
    let bytes = simple_module().map_err(|error| Error::bug(error.message()))?;
    let module = Module::from_binary(engine, &bytes)?;
    linker.root().module("simple-module", &module)?;
    linker.instance("host")?.module("simple-module", &module)?;
    let mut root = linker.root();
    root.func_wrap("host-return-two", |_, ()| Ok((2u32,)))?;
    root.func_wrap("host-echo-u32", |_, (value,): (u32,)| Ok((value,)))?;
    let mut host = linker.instance("host")?;
    host.func_wrap("return-three", |_, ()| Ok((3u32,)))?;
    host.func_wrap("host-echo-u32", |_, (value,): (u32,)| Ok((value,)))?;
    host.instance("nested")?
        .func_wrap("return-four", |_, ()| Ok((4u32,)))?;

    let drops = Arc::new(AtomicU32::new(0));
    let last = Arc::new(AtomicU32::new(0));
    for name in ["resource1", "resource1-again"] {
        let (drops, last) = (Arc::clone(&drops), Arc::clone(&last));
        host.resource(name, ResourceType::host::<First>(), move |_, rep| {
            drops.fetch_add(1, Relaxed);
            last.store(rep, Relaxed);
            Ok(())
        })?;
    }
    host.resource("resource2", ResourceType::host::<Second>(), |_, _| Ok(()))?;
    host.func_wrap("[constructor]resource1", |_, (rep,): (u32,)| {
        Ok((Resource::<First>::new_own(rep),))
    })?;
    host.func_wrap(
        "[static]resource1.assert",
        |_, (this, rep): (Resource<First>, u32)| {
            expect(&this, rep)?;
            Ok(())
        },
    )?;
    host.func_wrap("[static]resource1.last-drop", move |_, ()| {
        Ok((last.load(Relaxed),))
    })?;
    host.func_wrap("[static]resource1.drops", move |_, ()| Ok((drops.load(Relaxed),)))?;
    host.func_wrap(
        "[method]resource1.simple",
        |_, (this, rep): (Resource<First>, u32)| {
            expect(&this, rep)?;
            Ok(())
        },
    )?;
    host.func_wrap(
        "[method]resource1.take-borrow",
        |_, (_this, _other): (Resource<First>, Resource<First>)| Ok(()),
    )?;
    host.func_wrap(
        "[method]resource1.take-own",
        |_, (_this, _other): (Resource<First>, Resource<First>)| Ok(()),
    )
}

fn expect(resource: &Resource<First>, rep: u32) -> Result<(), String> {
    if resource.rep() == rep {
        return Ok(());
    }
    Err(format!("the resource is {}, not {rep}", resource.rep()))
}
