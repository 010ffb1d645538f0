//! Bare wasmer: the guest's core module, with hand-written lifting and lowering.
//!
//! This is the least cost of a component model on wasmer: the same core calls, and one copy in each direction.

use crate::host::{Host, Input};
use crate::measure::Side;
use airssys_wasm::engine::Backend;
use anyhow::{Context, Result, bail, ensure};
use std::hint::black_box;
use wasmer::sys::EngineBuilder;
use wasmer::{
    Function, FunctionEnv, FunctionEnvMut, Instance, Memory, Module, RuntimeError, Store, TypedFunction,
    WasmPtr, imports,
};

pub(crate) const NAME: &str = "wasmer";
/// The core calls of `execute` alone.
pub(crate) const GUEST: &str = "guest";

/// The guest's compiled core module.
#[derive(Debug)]
pub(crate) struct Bare {
    engine: wasmer::Engine,
    module: Module,
}

/// State of the host functions.
#[derive(Default)]
struct Env {
    host: Host,
    memory: Option<Memory>,
}

impl Bare {
    pub(crate) fn new(backend: Backend, guest: &[u8]) -> Result<Bare> {
        let engine = engine(backend)?;
        let module = Module::from_binary(&engine, core_module(guest)?)?;
        Ok(Bare { engine, module })
    }

    fn instance(&self) -> Result<(Store, Instance, FunctionEnv<Env>)> {
        let mut store = Store::new(self.engine.clone());
        let env = FunctionEnv::new(&mut store, Env::default());
        let imports = imports! {
            "fixtures:bench/host" => {
                "log" => Function::new_typed_with_env(&mut store, &env, log),
                "tick" => Function::new_typed(&mut store, Host::tick),
            },
        };
        let instance = Instance::new(&mut store, &self.module, &imports)?;
        let memory = instance.exports.get_memory("memory")?.clone();
        env.as_mut(&mut store).memory = Some(memory);
        Ok((store, instance, env))
    }

    pub(crate) fn add(&self) -> Result<Side<'static>> {
        let (mut store, instance, _) = self.instance()?;
        let add: TypedFunction<(u32, u32), u32> = instance
            .exports
            .get_typed_function(&store, "fixtures:bench/operations#add")?;
        ensure!(add.call(&mut store, 40, 2)? == 42, "a wrong sum");
        Ok(Side::new(NAME, move |times| {
            for _ in 0..times {
                black_box(add.call(&mut store, black_box(40), black_box(2))?);
            }
            Ok(())
        }))
    }

    pub(crate) fn execute<'a>(&self, input: &'a Input) -> Result<Side<'a>> {
        let (mut store, instance, _) = self.instance()?;
        let execute = Execute::new(&store, &instance)?;
        let mut work = move |times: u64| -> Result<Vec<u8>> {
            let mut output = Vec::new();
            for _ in 0..times {
                output = execute.call(&mut store, black_box(input))?;
            }
            Ok(output)
        };
        ensure!(work(1)? == input.reversed, "the bytes are not reversed");
        Ok(Side::new(NAME, move |times| {
            black_box(work(times)?);
            Ok(())
        }))
    }

    pub(crate) fn guest_of_execute<'a>(&self, input: &'a Input) -> Result<Side<'a>> {
        let (mut store, instance, _) = self.instance()?;
        let execute = Execute::new(&store, &instance)?;
        Ok(Side::new(GUEST, move |times| {
            for _ in 0..times {
                black_box(execute.core_calls(&mut store, black_box(input))?);
            }
            Ok(())
        }))
    }

    pub(crate) fn call_host(&self) -> Result<Side<'static>> {
        let (mut store, instance, _) = self.instance()?;
        let call_host: TypedFunction<u32, u32> = instance
            .exports
            .get_typed_function(&store, "fixtures:bench/operations#call-host")?;
        ensure!(call_host.call(&mut store, 7)? == 7, "a wrong count");
        Ok(Side::per_part(NAME, 1000, move |parts, times| {
            for _ in 0..times {
                black_box(call_host.call(&mut store, black_box(parts))?);
            }
            Ok(())
        }))
    }

    pub(crate) fn call_host_text(&self) -> Result<Side<'static>> {
        let (mut store, instance, env) = self.instance()?;
        let call_host: TypedFunction<u32, ()> = instance
            .exports
            .get_typed_function(&store, "fixtures:bench/operations#call-host-text")?;
        call_host.call(&mut store, 7)?;
        ensure!(
            env.as_ref(&store).host.messages == 7,
            "the host was not called as often"
        );
        Ok(Side::per_part(NAME, 1000, move |parts, times| {
            for _ in 0..times {
                call_host.call(&mut store, black_box(parts))?;
            }
            Ok(())
        }))
    }
}

/// The core functions that a call of `execute` uses.
struct Execute {
    memory: Memory,
    realloc: TypedFunction<(u32, u32, u32, u32), u32>,
    execute: TypedFunction<(u32, u32, u32, u32, u64), u32>,
    post_return: TypedFunction<u32, ()>,
}

impl Execute {
    fn new(store: &Store, instance: &Instance) -> Result<Execute> {
        let exports = &instance.exports;
        Ok(Execute {
            memory: exports.get_memory("memory")?.clone(),
            realloc: exports.get_typed_function(store, "cabi_realloc")?,
            execute: exports.get_typed_function(store, "fixtures:bench/operations#execute")?,
            post_return: exports.get_typed_function(store, "cabi_post_fixtures:bench/operations#execute")?,
        })
    }

    fn call(&self, store: &mut Store, input: &Input) -> Result<Vec<u8>> {
        let (bytes, id) = self.allocate(store, input)?;
        let view = self.memory.view(store);
        view.write(u64::from(bytes), &input.bytes)?;
        view.write(u64::from(id), input.id.as_bytes())?;
        let result = self.enter(store, input, bytes, id)?;
        let view = self.memory.view(store);
        let case = WasmPtr::<u8>::new(result).read(&view)?;
        ensure!(case == 0, "the guest failed");
        // The case, then the list's address and length.
        let [start, length] = WasmPtr::<[u32; 2]>::new(result + 4).read(&view)?;
        let output = WasmPtr::<u8>::new(start).slice(&view, length)?.read_to_vec()?;
        self.post_return.call(store, result)?;
        Ok(output)
    }

    /// Makes the calls of [`Execute::call`] without its copies: the guest reverses the bytes that are there.
    fn core_calls(&self, store: &mut Store, input: &Input) -> Result<()> {
        let (bytes, id) = self.allocate(store, input)?;
        let result = self.enter(store, input, bytes, id)?;
        self.post_return.call(store, result)?;
        Ok(())
    }

    fn allocate(&self, store: &mut Store, input: &Input) -> Result<(u32, u32)> {
        let bytes = self.realloc.call(store, 0, 0, 1, length(&input.bytes)?)?;
        let id = self.realloc.call(store, 0, 0, 1, length(input.id.as_bytes())?)?;
        Ok((bytes, id))
    }

    fn enter(&self, store: &mut Store, input: &Input, bytes: u32, id: u32) -> Result<u32> {
        let (bytes_length, id_length) = (length(&input.bytes)?, length(input.id.as_bytes())?);
        Ok(self
            .execute
            .call(store, bytes, bytes_length, id, id_length, input.deadline)?)
    }
}

fn length(bytes: &[u8]) -> Result<u32> {
    Ok(u32::try_from(bytes.len())?)
}

/// The host's `log`: copies the text, and checks that it is UTF-8.
fn log(mut env: FunctionEnvMut<'_, Env>, start: WasmPtr<u8>, length: u32) -> Result<(), RuntimeError> {
    let (env, store) = env.data_and_store_mut();
    let Some(memory) = &env.memory else {
        return Err(RuntimeError::new("no memory"));
    };
    let message = start
        .read_utf8_string(&memory.view(&store), length)
        .map_err(|error| RuntimeError::new(error.to_string()))?;
    env.host.log(&message);
    Ok(())
}

#[allow(unreachable_patterns, reason = "the arms depend on the enabled features")]
fn engine(backend: Backend) -> Result<wasmer::Engine> {
    let builder = match backend {
        #[cfg(feature = "cranelift")]
        Backend::Cranelift => EngineBuilder::new(wasmer::sys::Cranelift::default()),
        #[cfg(feature = "llvm")]
        Backend::Llvm => {
            airssys_wasm_llvm::load()?;
            EngineBuilder::new(wasmer::sys::LLVM::default())
        }
        #[cfg(feature = "singlepass")]
        Backend::Singlepass => EngineBuilder::new(wasmer::sys::Singlepass::default()),
        other => bail!("{other} is not compiled in"),
    };
    #[allow(unreachable_code, reason = "reached with one backend or more")]
    Ok(builder.engine().into())
}

/// Returns the first core module of a component, which is the guest's own; adapters follow it.
fn core_module(component: &[u8]) -> Result<&[u8]> {
    const HEADER: usize = 8;
    const CORE_MODULE: u8 = 1;
    let mut rest = component.get(HEADER..).context("no component")?;
    while let Some((id, after)) = rest.split_first() {
        let (size, body) = leb128(after).context("a section without a size")?;
        let (section, next) = body.split_at_checked(size).context("a section that is cut off")?;
        if *id == CORE_MODULE {
            return Ok(section);
        }
        rest = next;
    }
    bail!("a component without a core module")
}

/// Parses an unsigned LEB128 number; returns its value and the bytes behind it.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0usize;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}
