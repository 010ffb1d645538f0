//! Function types that the engine cannot tell apart.
//!
//! Indirect calls compare types by hashes of 32 bits, which are easily made to collide. Modules of one component are compared here when they
//! are compiled, and with modules of others when they are linked, since all of them share tables: a function that is called by another type
//! than its own would break out of its sandbox.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use wasmer::FunctionType;
use wasmer_types::ModuleInfo;

use super::core_module::CoreModule;

/// The function types of modules that are linked with each other.
#[derive(Debug, Default)]
pub(crate) struct Signatures(HashMap<u32, FunctionType>);

impl Signatures {
    /// Adds the function types of a module.
    ///
    /// # Errors
    /// Two different types that have one hash.
    pub(crate) fn add(&mut self, info: &ModuleInfo) -> Result<(), String> {
        for (ty, hash) in info.signatures.values().zip(info.signature_hashes.values()) {
            match self.0.entry(hash.0) {
                Entry::Vacant(entry) => {
                    entry.insert(ty.clone());
                }
                Entry::Occupied(entry) if entry.get() == ty => {}
                Entry::Occupied(entry) => {
                    return Err(format!(
                        "the engine cannot distinguish the function types {} and {ty}: reorder the parameters of one",
                        entry.get()
                    ));
                }
            }
        }
        Ok(())
    }

    /// As [`Signatures::add`].
    ///
    /// # Errors
    /// As [`Signatures::add`].
    pub(crate) fn add_module(&mut self, module: &CoreModule) -> Result<(), String> {
        self.add(module.info())
    }
}
