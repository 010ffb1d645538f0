//! Guards around the post-returns that adapter modules call.
//!
//! A component may not be left while its post-return runs. Where the host is the caller, it ensures that; the adapters
//! that the translator generates clear the `may_leave` flag while they copy values, but not for post-returns. They are
//! rewritten here to do so.

use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{CodeSection, Instruction};
use wasmparser::{FunctionBody, Imports, Parser, Payload, TypeRef};

use crate::component::ir::{CoreDef, Initializer};
use crate::error::{Error, Result};

/// The module name that adapter modules import post-returns from.
const POST_RETURN: &str = "post_return";

/// Rewrites the adapter modules: those that import flags of instances.
pub(in crate::component) fn guard_all(modules: &mut [Vec<u8>], initializers: &[Initializer]) -> Result<()> {
    for initializer in initializers {
        let Initializer::InstantiateModule { module, args } = initializer else {
            continue;
        };
        if !args.iter().any(|arg| matches!(arg, CoreDef::InstanceFlags(_))) {
            continue;
        }
        let module = modules.get_mut(*module as usize);
        let module = module.ok_or_else(|| Error::bug("a core module out of range"))?;
        if let Some(guarded) = guard(module)? {
            *module = guarded;
        }
    }
    Ok(())
}

/// Returns the module with its post-returns guarded; `None` if it calls none.
fn guard(module: &[u8]) -> Result<Option<Vec<u8>>> {
    let malformed = |_| Error::bug("an adapter module that cannot be read");
    let mut guard = Guard {
        post_returns: Vec::new(),
    };
    let mut functions = 0;
    for payload in Parser::new(0).parse_all(module) {
        let Payload::ImportSection(section) = payload.map_err(malformed)? else {
            continue;
        };
        for import in section {
            let Imports::Single(_, import) = import.map_err(malformed)? else {
                return Err(Error::bug("an adapter module with grouped imports"));
            };
            if matches!(import.ty, TypeRef::Func(_)) {
                if import.module == POST_RETURN {
                    guard.post_returns.push(functions);
                }
                functions += 1;
            }
        }
    }
    if guard.post_returns.is_empty() {
        return Ok(None);
    }
    let mut out = wasm_encoder::Module::new();
    guard
        .parse_core_module(&mut out, Parser::new(0), module)
        .map_err(|error| Error::bug(format!("an adapter module of an unknown shape: {error}")))?;
    Ok(Some(out.finish()))
}

struct Guard {
    /// Function indices of the imported post-returns.
    post_returns: Vec<u32>,
}

/// The error for an adapter that calls a post-return without setting a flag before.
#[derive(Debug, thiserror::Error)]
#[error("a post-return without a flag")]
struct NoFlag;

impl Reencode for Guard {
    type Error = NoFlag;

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), reencode::Error<NoFlag>> {
        let mut function = self.new_function_with_parsed_locals(&body)?;
        let mut reader = body.get_operators_reader()?;
        // The flag that an adapter sets first is the callee's, while it lowers the arguments.
        let mut flag = None;
        while !reader.eof() {
            match self.parse_instruction(&mut reader)? {
                Instruction::Call(callee) if self.post_returns.contains(&callee) => {
                    let flag = flag.ok_or(reencode::Error::UserError(NoFlag))?;
                    let guarded = [
                        Instruction::I32Const(0),
                        Instruction::GlobalSet(flag),
                        Instruction::Call(callee),
                        Instruction::I32Const(1),
                        Instruction::GlobalSet(flag),
                    ];
                    guarded.iter().for_each(|instruction| {
                        function.instruction(instruction);
                    });
                }
                instruction => {
                    if let Instruction::GlobalSet(global) = instruction {
                        flag.get_or_insert(global);
                    }
                    function.instruction(&instruction);
                }
            }
        }
        code.function(&function);
        Ok(())
    }
}
