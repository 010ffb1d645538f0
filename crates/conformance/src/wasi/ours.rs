//! The cases on a backend of this library.

use airssys_wasm_component::component::{Component, InstancePre, Linker, Store};
use airssys_wasm_component::engine::{Backend, Config, Engine};
use airssys_wasm_wasi::{self, Exit, FsPerms, MemoryOutputPipe, Stdin, Stdout, WasiCtxBuilder, WasiState};
use anyhow::Result;

use super::answer::{Answer, End};
use super::served::{Talk, serve_ours};
use super::world::{ARGS, CWD, ENV, GRANTS, STDIN, World};
use super::{MAX_OUTPUT, Side};

/// The cases, compiled and linked once.
#[derive(Debug)]
pub struct Ours {
    engine: Engine,
    component: Component,
    cases: InstancePre<WasiState>,
}

impl Ours {
    /// # Errors
    /// An error of compiling or linking.
    pub fn new(backend: Backend, cases: &[u8]) -> Result<Ours> {
        let engine = Engine::new(Config::new().backend(backend))?;
        let component = Component::from_binary(&engine, cases)?;
        let mut linker = Linker::new(&engine);
        airssys_wasm_wasi::add_to_linker(&mut linker)?;
        let cases = linker.instantiate_pre(&component)?;
        Ok(Ours {
            engine,
            component,
            cases,
        })
    }
}

fn grants(world: &World, stdout: &MemoryOutputPipe, stderr: &MemoryOutputPipe) -> Result<WasiState> {
    let mut builder = WasiCtxBuilder::new();
    builder
        .args(ARGS)
        .initial_cwd(CWD)
        .stdin(Stdin::Bytes(STDIN.to_vec()));
    for (name, value) in ENV {
        builder.env(name, value);
    }
    for host in ["127.0.0.1", "[::1]", "localhost"] {
        builder.connect(host.parse()?);
    }
    for address in ["127.0.0.1", "[::1]"] {
        builder.listen(address.parse()?);
    }
    builder.stdout(Stdout::Pipe(stdout.clone()));
    builder.stderr(Stdout::Pipe(stderr.clone()));
    for grant in &GRANTS {
        let access = if grant.writable {
            FsPerms::ReadWrite
        } else {
            FsPerms::ReadOnly
        };
        builder.preopened_dir(world.folder(grant), grant.guest, access)?;
    }
    Ok(builder.build().into())
}

impl Side for Ours {
    fn name(&self) -> &str {
        self.engine.backend().name()
    }

    fn list(&self) -> Result<Vec<String>> {
        let mut store = Store::new(&self.engine, WasiState::from(WasiCtxBuilder::new().build()));
        let instance = self.cases.instantiate(&mut store)?;
        let names = instance.get_typed_func::<(), (Vec<String>,)>(&mut store, ["names"])?;
        Ok(names.call(&mut store, ())?.0)
    }

    fn run(&self, case: &str, world: &World) -> Result<Answer> {
        let (stdout, stderr) = (
            MemoryOutputPipe::new(MAX_OUTPUT),
            MemoryOutputPipe::new(MAX_OUTPUT),
        );
        let mut store = Store::new(&self.engine, grants(world, &stdout, &stderr)?);
        let instance = self.cases.instantiate(&mut store)?;
        let run = instance.get_typed_func::<(&str,), (Result<String, String>,)>(&mut store, ["run"])?;
        let end = match run.call(&mut store, (case,)) {
            Ok((Ok(seen),)) => End::Seen(seen),
            Ok((Err(reason),)) => End::Failed(reason),
            Err(error) => match exit(&error) {
                Some(exit) => End::Exited(exit.code.into()),
                None => End::Trapped(error.to_string()),
            },
        };
        Ok(Answer {
            end,
            stdout: String::from_utf8_lossy(&stdout.contents()).into_owned(),
            stderr: String::from_utf8_lossy(&stderr.contents()).into_owned(),
        })
    }

    fn serve(&self, talk: &Talk<'_>) -> Result<Answer> {
        serve_ours(&self.engine, &self.component, talk)
    }
}

/// Returns the status with which a component exited, if that ended the call.
fn exit(error: &(dyn std::error::Error + 'static)) -> Option<Exit> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(exit) = error.downcast_ref::<Exit>() {
            return Some(*exit);
        }
        next = error.source();
    }
    None
}
