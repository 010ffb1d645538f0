//! The cases on the reference engine, with its own WASI.

use anyhow::{Context, Result, anyhow};
use wasmtime::component::{Component, InstancePre, Linker, ResourceTable};
use wasmtime::{Config, Engine, Store};
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::p2::bindings::LinkOptions;
use wasmtime_wasi_http::p2::bindings::sync::ProxyPre;
use wasmtime_wasi_http::p2::bindings::sync::http::{outgoing_handler, types};
use wasmtime_wasi_http::{WasiHttp, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView};

use super::answer::{Answer, End};
use super::served::{Talk, serve_reference, told};
use super::world::{ARGS, CWD, ENV, GRANTS, STDIN, World};
use super::{MAX_OUTPUT, Side};
use crate::engines::REFERENCE;

/// The cases, compiled and linked once.
pub struct Reference {
    engine: Engine,
    cases: InstancePre<Host>,
}

pub(super) struct Host {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: Hooks,
}

/// Default hooks.
struct Hooks;

impl WasiHttpHooks for Hooks {}

impl WasiHttpView for Host {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.hooks,
        }
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl std::fmt::Debug for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reference").finish_non_exhaustive()
    }
}

impl Reference {
    /// # Errors
    /// An error of compiling or linking.
    pub fn new(cases: &[u8]) -> Result<Reference> {
        let mut config = Config::new();
        config.wasm_component_model(true).concurrency_support(false);
        let engine = Engine::new(&config).map_err(foreign)?;
        let component = Component::new(&engine, cases).map_err(foreign)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker).map_err(foreign)?;
        let mut options = LinkOptions::default();
        options.informational_outbound_responses(true);
        outgoing_handler::add_to_linker::<_, WasiHttp>(&mut linker, Host::http).map_err(foreign)?;
        types::add_to_linker::<_, WasiHttp>(&mut linker, &(&options).into(), Host::http).map_err(foreign)?;
        let cases = linker.instantiate_pre(&component).map_err(foreign)?;
        Ok(Reference { engine, cases })
    }

    fn store(&self, wasi: WasiCtx) -> Store<Host> {
        store(&self.engine, wasi)
    }
}

fn store(engine: &Engine, wasi: WasiCtx) -> Store<Host> {
    Store::new(
        engine,
        Host {
            table: ResourceTable::new(),
            wasi,
            http: WasiHttpCtx::new(),
            hooks: Hooks,
        },
    )
}

/// Returns the output of a pipe that has no other owners.
fn text(pipe: MemoryOutputPipe) -> Result<String> {
    let bytes = pipe.try_into_inner().context("a stream is still open")?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn grants(world: &World, stdout: &MemoryOutputPipe, stderr: &MemoryOutputPipe) -> Result<WasiCtx> {
    let mut builder = WasiCtxBuilder::new();
    builder
        .args(&ARGS)
        .initial_cwd(CWD)
        .envs(&ENV)
        .stdin(MemoryInputPipe::new(STDIN))
        .inherit_network()
        .allow_ip_name_lookup(true)
        .allow_tcp(true)
        .allow_udp(true)
        .stdout(stdout.clone())
        .stderr(stderr.clone());
    for grant in &GRANTS {
        let perms = if grant.writable {
            FsPerms::ReadWrite
        } else {
            FsPerms::ReadOnly
        };
        builder
            .preopened_dir(world.folder(grant), grant.guest, perms)
            .map_err(foreign)?;
    }
    Ok(builder.build())
}

impl Side for Reference {
    fn name(&self) -> &str {
        REFERENCE
    }

    fn is_reference(&self) -> bool {
        true
    }

    fn list(&self) -> Result<Vec<String>> {
        let mut store = self.store(WasiCtxBuilder::new().build());
        let instance = self.cases.instantiate(&mut store).map_err(foreign)?;
        let names = instance.get_typed_func::<(), (Vec<String>,)>(&mut store, "names");
        Ok(names.map_err(foreign)?.call(&mut store, ()).map_err(foreign)?.0)
    }

    fn run(&self, case: &str, world: &World) -> Result<Answer> {
        let (stdout, stderr) = (
            MemoryOutputPipe::new(MAX_OUTPUT),
            MemoryOutputPipe::new(MAX_OUTPUT),
        );
        let mut store = self.store(grants(world, &stdout, &stderr)?);
        let instance = self.cases.instantiate(&mut store).map_err(foreign)?;
        let run = instance.get_typed_func::<(&str,), (Result<String, String>,)>(&mut store, "run");
        let end = match run.map_err(foreign)?.call(&mut store, (case,)) {
            Ok((Ok(seen),)) => End::Seen(seen),
            Ok((Err(reason),)) => End::Failed(reason),
            Err(error) => match error.downcast_ref::<I32Exit>() {
                Some(exit) => End::Exited(exit.0),
                None => End::Trapped(error.root_cause().to_string()),
            },
        };
        drop(store);
        Ok(Answer {
            end,
            stdout: text(stdout)?,
            stderr: text(stderr)?,
        })
    }

    fn serve(&self, talk: &Talk<'_>) -> Result<Answer> {
        let (stdout, stderr) = (
            MemoryOutputPipe::new(MAX_OUTPUT),
            MemoryOutputPipe::new(MAX_OUTPUT),
        );
        let guest = ProxyPre::new(self.cases.clone()).map_err(foreign)?;
        let stores = Box::new({
            let (engine, stdout, stderr) = (self.engine.clone(), stdout.clone(), stderr.clone());
            move || {
                let mut wasi = WasiCtxBuilder::new();
                wasi.stdout(stdout.clone()).stderr(stderr.clone());
                store(&engine, wasi.build())
            }
        });
        let seen = serve_reference(guest, stores, talk)?;
        Ok(Answer {
            end: told(&seen, &text(stdout)?),
            stdout: String::new(),
            stderr: text(stderr)?,
        })
    }
}

/// Converts an error of the reference, which has a type of its own.
pub(super) fn foreign(error: wasmtime::Error) -> anyhow::Error {
    anyhow!("{error:#}")
}
