//! Compilation of core modules to machine code.

mod compiler;
pub(super) mod debug_names;
mod dummy_memory;
mod floats;
mod fuel;
pub(super) mod growable_tables;
mod import_results;
mod instance_marks;
mod instructions;
pub(super) mod lacking;
mod memory_image;
mod names;
mod reset_marks;
mod sections;

use std::borrow::Cow;
use std::ops::ControlFlow;

use wasmer::sys::NativeEngineExt;
use wasmer_types::{CompilationProgressCallback, CompileError, UserAbort};
use wasmparser::{Parser, Payload};

use self::compiler::find_memories;
use self::instructions::Instructions;
use self::names::Apart;
pub(crate) use self::sections::start_of;
use crate::engine::progress::{Progress, ProgressWatch};
use crate::engine::run::tunables::Memories;
use crate::engine::{Backend, Compiled, Engine, floats_cross};
use crate::panics::contain;

/// Reasons for which a core module is not compiled.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The message of the compiler, or of a step before it.
    Compiler(String),
    /// The progress callback stopped the compilation.
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
    /// The progress so far; sizes are counted only if there is a progress callback.
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

    /// Compiles the next core module, which is valid already. `compiler` comes from [`Engine::compiler`].
    ///
    /// # Errors
    /// [`Refused`].
    pub(crate) fn compile(&mut self, compiler: &wasmer::Engine, module: &[u8]) -> Result<Compiled, Refused> {
        let backend = self.engine.backend;
        let own = size_if(self.engine.watch.is_some(), module);
        let metered = self.engine.options.consume_fuel;
        let counting = match metered {
            true => Cow::Owned(fuel::meter(module)?),
            false => Cow::Borrowed(module),
        };
        let within = match floats_cross(backend) {
            true => Cow::Borrowed(&*counting),
            false => floats::keep_within(&counting)?,
        };
        // The compiler refuses what cannot be read.
        let instructions = Instructions::of(&within);
        let (rest, image) = match instructions.and_then(|found| memory_image::split(&within, found)) {
            Some(split) => (split.module.into(), Some(split.image)),
            None => (within, None),
        };
        let second = match backend {
            Backend::Llvm => dummy_memory::make_second(&rest),
            _ => None,
        };
        let mut compiler = compiler.clone();
        if second.is_some() {
            find_memories(&mut compiler, Memories::ReservedSecond);
        }
        let rest = second.map_or(rest, Into::into);
        let found = instructions.unwrap_or(Instructions::ALL);
        let rest = reset_marks::mark(&rest, found, metered)
            .and_then(|marked| instance_marks::mark(marked, found))
            .map_err(|name| {
                Refused::Compiler(format!("it uses `{name}`, a name that is reserved for this host"))
            })?;
        let fit = growable_tables::make_room(&rest, found.grow_tables);
        let Apart { module: fit, names } = names::take(fit);
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
            _ => Ok(Compiled { module, image, names }),
        }
    }
}

/// Creates the callback that reports a module's progress to `watch`. The module has `own` bytes of code; the
/// component's progress before it is `at`.
fn callback(watch: ProgressWatch, at: Progress, own: u64) -> CompilationProgressCallback {
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

/// Returns a module's number of functions, and the bytes of their bodies.
fn size(module: &[u8]) -> (u64, u64) {
    let (mut functions, mut bytes) = (0, 0);
    for payload in Parser::new(0).parse_all(module) {
        match payload {
            Ok(Payload::CodeSectionEntry(body)) => {
                functions += 1;
                bytes += body.range().len() as u64;
            }
            Ok(_) => {}
            // Not reached: the module is valid.
            Err(_) => break,
        }
    }
    (functions, bytes)
}
