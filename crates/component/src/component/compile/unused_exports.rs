//! Removes the exports of core modules that nothing in the component uses.
//!
//! Toolchains for libraries export each of their functions. An export costs a name, and each exported function a reference in every
//! instance. Which ones are used is known here: core modules are linked with each other by their component alone. Exported modules
//! keep everything, since others may instantiate them; so do the modules of components that get core functions of the host, since libraries
//! look for exports by names of their own.

use std::collections::BTreeSet;
use std::ops::Range;

use wasm_encoder::{Encode, ExportKind, ExportSection, Section};
use wasmparser::{ExternalKind, Parser, Payload};

use crate::component::ir::{CoreDef, CoreExport, Export, Initializer, Ir, ModuleSource};
use crate::engine::start_of;

/// Prefix of the imports that are core functions of the host.
const CORE_FUNCTIONS: &str = "airssys:core-imports/";

/// Removes the unused exports of all modules.
pub(in crate::component) fn remove(ir: &mut Ir) {
    if ir
        .imports
        .iter()
        .any(|(name, _)| name.starts_with(CORE_FUNCTIONS))
    {
        return;
    }
    let mut used = Used {
        by_module: vec![Some(BTreeSet::new()); ir.modules.len()],
        instances: Vec::new(),
    };
    used.in_initializers(&ir.initializers);
    used.in_exports(&ir.exports);
    let adapters = ir
        .concurrency
        .iter()
        .flat_map(|concurrency| &concurrency.adapters);
    adapters.for_each(|adapter| used.export(&adapter.export));
    let mut modules = std::mem::take(&mut ir.modules);
    for (module, used) in modules.iter_mut().zip(&used.by_module) {
        // The module is valid, so it can be read.
        if let Some(used) = used
            && let Some((section, kept)) = kept(module, used)
        {
            module.splice(section, kept);
        }
    }
    ir.modules = modules;
}

/// The exports that a component uses.
struct Used {
    /// Their names, for each of its modules; `None` if all may be used.
    by_module: Vec<Option<BTreeSet<String>>>,
    /// The module of each core instance; `None` for imported ones.
    instances: Vec<Option<u32>>,
}

impl Used {
    fn in_initializers(&mut self, initializers: &[Initializer]) {
        for initializer in initializers {
            initializer.args().for_each(|def| self.def(def));
            match initializer {
                Initializer::InstantiateModule { module, .. } => self.instances.push(Some(*module)),
                Initializer::InstantiateImport { .. } => self.instances.push(None),
                Initializer::ExtractMemory { export, .. } => self.export(export),
                Initializer::ExtractRealloc { def, .. }
                | Initializer::ExtractPostReturn { def, .. }
                | Initializer::ExtractCallback { def, .. } => self.def(def),
                Initializer::Resource { dtor, .. } => dtor.iter().for_each(|def| self.def(def)),
            }
        }
    }

    fn in_exports(&mut self, exports: &[(String, Export)]) {
        for (_, export) in exports {
            match export {
                Export::Func { def, .. } => self.def(def),
                Export::Instance(exports) => self.in_exports(exports),
                Export::Module {
                    source: ModuleSource::Defined(module),
                    ..
                } => {
                    if let Some(used) = self.by_module.get_mut(*module as usize) {
                        *used = None;
                    }
                }
                Export::Module { .. } | Export::Resource(_) | Export::Type(_) => {}
            }
        }
    }

    fn def(&mut self, def: &CoreDef) {
        if let CoreDef::Export(export) = def {
            self.export(export);
        }
    }

    fn export(&mut self, export: &CoreExport) {
        let module = self.instances.get(export.instance as usize).copied().flatten();
        let used = module.and_then(|module| self.by_module.get_mut(module as usize)?.as_mut());
        if let Some(used) = used {
            used.insert(export.name.clone());
        }
    }
}

/// Returns the place of a module's export section, and the section with the exports that stay: those that are used, and memories, which
/// host functions look for. `None` if all stay.
fn kept(module: &[u8], used: &BTreeSet<String>) -> Option<(Range<usize>, Vec<u8>)> {
    let section = Parser::new(0)
        .parse_all(module)
        .find_map(|payload| match payload {
            Ok(Payload::ExportSection(section)) => Some(section),
            _ => None,
        })?;
    let (content, count) = (section.range(), section.count());
    let mut kept = ExportSection::new();
    for export in section {
        let export = export.ok()?;
        let kind = match export.kind {
            ExternalKind::Func | ExternalKind::FuncExact => ExportKind::Func,
            ExternalKind::Table => ExportKind::Table,
            ExternalKind::Memory => ExportKind::Memory,
            ExternalKind::Global => ExportKind::Global,
            ExternalKind::Tag => ExportKind::Tag,
        };
        if kind == ExportKind::Memory || used.contains(export.name) {
            kept.export(export.name, kind, export.index);
        }
    }
    if kept.len() == count {
        return None;
    }
    let start = start_of(module, kept.id(), &content)?;
    let mut bytes = Vec::new();
    if !kept.is_empty() {
        bytes.push(kept.id());
        kept.encode(&mut bytes);
    }
    Some((start..content.end, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::compile::translate::translate;
    use crate::engine::Engine;

    /// Returns the names that each module of a component exports, after the removal.
    fn exports(component: &str) -> Vec<Vec<String>> {
        let bytes = wat::parse_str(component).expect("the text parses");
        let ir = translate(&Engine::default(), &bytes).expect("it is valid");
        let names = |module: &Vec<u8>| {
            wasmparser::validate(module).expect("it stays valid");
            let sections = Parser::new(0)
                .parse_all(module)
                .filter_map(|payload| match payload {
                    Ok(Payload::ExportSection(section)) => Some(section),
                    _ => None,
                });
            let exports = sections.flat_map(|section| section.into_iter().flatten());
            exports.map(|export| export.name.to_owned()).collect()
        };
        ir.modules.iter().map(names).collect()
    }

    const LIBRARY: &str = r#"
        (core module $library
            (func $f (export "f")) (func (export "g")) (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable)
            (func (export "after") (param i32)) (func (export "run") (result i32) unreachable)
            (memory (export "m") 1) (table (export "t") 1 funcref) (table (export "u") 1 funcref)
            (global (export "c") i32 (i32.const 0)) (global (export "d") i32 (i32.const 0)))
        (core module $user (import "l" "f" (func)) (import "l" "t" (table 1 funcref)) (import "l" "c" (global i32)))"#;

    const LINKED: &str = r#"
        (core instance $l (instantiate $library))
        (core instance $u (instantiate $user (with "l" (instance $l))))
        (func (export "run") (result string) (canon lift (core func $l "run") (memory (core memory $l "m"))
            (realloc (core func $l "realloc")) (post-return (core func $l "after"))))"#;

    #[test]
    fn what_a_component_uses_stays() {
        let found = exports(&format!("(component {LIBRARY} {LINKED})"));
        let used = ["f", "realloc", "after", "run", "m", "t", "c"];
        assert_eq!(found[0], used);
        assert!(found[1].is_empty());
    }

    #[test]
    fn modules_without_a_use_keep_their_memories_alone() {
        let unused = r#"(component (core module $m (func (export "f")) (memory (export "m") 1)) (core instance (instantiate $m)))"#;
        assert_eq!(exports(unused), [["m"]]);
        let no_memory =
            r#"(component (core module $m (func (export "f"))) (core instance (instantiate $m)))"#;
        assert_eq!(exports(no_memory), [Vec::<String>::new()]);
    }

    #[test]
    fn modules_that_others_can_instantiate_keep_everything() {
        let exported = r#"(export "library" (core module $library))"#;
        let found = exports(&format!("(component {LIBRARY} {LINKED} {exported})"));
        assert_eq!(found[0].len(), 10);
        let nested = format!(
            r#"(component (component $c {LIBRARY} {LINKED} {exported}) (instance $i (instantiate $c)) (export "i" (instance $i)))"#
        );
        assert_eq!(exports(&nested)[0].len(), 10);
    }

    #[test]
    fn components_with_core_functions_of_the_host_keep_everything() {
        let import = r#"(import "airssys:core-imports/wasi@1.0.0" (instance))"#;
        let found = exports(&format!("(component {import} {LIBRARY} {LINKED})"));
        assert_eq!(found[0].len(), 10);
    }

    #[test]
    fn each_instance_of_a_module_counts() {
        let twice = r#"
            (core instance $a (instantiate $library))
            (core instance $b (instantiate $library))
            (func (export "f") (canon lift (core func $a "f")))
            (func (export "g") (canon lift (core func $b "g")))"#;
        let found = exports(&format!("(component {LIBRARY} {twice})"));
        assert_eq!(found[0], ["f", "g", "m"]);
    }
}
