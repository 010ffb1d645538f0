//! Core modules to machine code.

use std::borrow::Cow;
use std::ops::ControlFlow;

use wasmer::sys::NativeEngineExt;
use wasmer_types::{CompilationProgressCallback, CompileError, UserAbort};
use wasmparser::{Parser, Payload};

use super::compiler::find_memories;
use super::instructions::Instructions;
use super::tunables::Memories;
use super::watch::{Progress, Watch};
use super::{
    Backend, Compiled, Engine, debug_names, floats, floats_cross, image, restart_marks, second_memory,
    table_room,
};
use crate::panics::contain;

/// Why a core module is not compiled.
#[derive(Debug)]
pub(crate) enum Refused {
    /// What the compiler said.
    Compiler(String),
    /// Whoever watches has stopped it.
    Stopped,
}

impl From<String> for Refused {
    fn from(message: String) -> Refused {
        Refused::Compiler(message)
    }
}

/// The compilation of one component's core modules, one after the other.
#[derive(Debug)]
pub(crate) struct Work<'a> {
    engine: &'a Engine,
    /// How far it is; kept up only if somebody watches.
    at: Progress,
}

impl<'a> Work<'a> {
    /// The work on these modules.
    pub(crate) fn new(engine: &'a Engine, modules: &[impl AsRef<[u8]>]) -> Work<'a> {
        let mut at = Progress {
            modules_done: 0,
            modules: modules.len(),
            functions: 0,
            bytes_done: 0,
            bytes: 0,
        };
        if engine.watch.is_some() {
            for module in modules {
                let (functions, bytes) = size(module.as_ref());
                at.functions += functions;
                at.bytes += bytes;
            }
        }
        Work { engine, at }
    }

    /// Compiles the next core module, which is valid already. `compiler` is what [`Engine::compiler`] made.
    ///
    /// # Errors
    /// [`Refused`].
    pub(crate) fn compile(&mut self, compiler: &wasmer::Engine, module: &[u8]) -> Result<Compiled, Refused> {
        let backend = self.engine.backend;
        let own = size_if(self.engine.watch.is_some(), module);
        let within = match floats_cross(backend) {
            true => module.into(),
            false => floats::keep_within(module)?,
        };
        // What cannot be read is left to the compiler to refuse.
        let instructions = Instructions::of(&within);
        let (rest, image) = match instructions.and_then(|found| image::split(&within, found)) {
            Some(split) => (split.module.into(), Some(split.image)),
            None => (within, None),
        };
        let second = match backend {
            Backend::Llvm => second_memory::make_second(&rest),
            _ => None,
        };
        let mut compiler = compiler.clone();
        if second.is_some() {
            find_memories(&mut compiler, Memories::ReservedSecond);
        }
        let rest = second.map_or(rest, Into::into);
        let rest = match instructions {
            None => Cow::Borrowed(&*rest),
            Some(found) => restart_marks::mark(&rest, found).map_err(|name| {
                Refused::Compiler(format!("it exports `{name}`, a name that only this host gives"))
            })?,
        };
        let fit = debug_names::without_bad(table_room::make_room(&rest));
        let compiled = contain("the compiler", || match &self.engine.watch {
            None => wasmer::Module::from_binary(&compiler, &fit),
            Some(watch) => {
                let callback = callback(watch.clone(), self.at, own);
                NativeEngineExt::new_module_with_progress(&compiler, &fit, callback)
            }
        });
        let module = match compiled {
            Ok(Ok(module)) => module,
            Ok(Err(CompileError::Aborted(_))) => return Err(Refused::Stopped),
            Ok(Err(error)) => return Err(Refused::Compiler(error.to_string())),
            Err(panicked) => return Err(Refused::Compiler(panicked.to_string())),
        };
        self.at.modules_done += 1;
        self.at.bytes_done += own;
        match &self.engine.watch {
            Some(watch) if watch.look(self.at).is_break() => Err(Refused::Stopped),
            _ => Ok(Compiled { module, image }),
        }
    }
}

/// Tells `watch` how far a module is that has `own` bytes of code, of a component that is as far as `at`.
fn callback(watch: Watch, at: Progress, own: u64) -> CompilationProgressCallback {
    CompilationProgressCallback::new(move |progress| {
        // The engine counts what it adds to the functions, too.
        let step = progress.phase_step().unwrap_or(0).min(own);
        let now = Progress {
            bytes_done: at.bytes_done + step,
            ..at
        };
        match watch.look(now) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(UserAbort::new("stopped")),
        }
    })
}

fn size_if(wanted: bool, module: &[u8]) -> u64 {
    if wanted { size(module).1 } else { 0 }
}

/// A module's functions, and the bytes of their bodies.
fn size(module: &[u8]) -> (u64, u64) {
    let (mut functions, mut bytes) = (0, 0);
    for payload in Parser::new(0).parse_all(module) {
        match payload {
            Ok(Payload::CodeSectionEntry(body)) => {
                functions += 1;
                bytes += body.range().len() as u64;
            }
            Ok(_) => {}
            // It is valid: there is nothing that cannot be read.
            Err(_) => break,
        }
    }
    (functions, bytes)
}
