//! Marks core modules whose instances can be reset or saved, and exports their mutable globals.
//!
//! Code leaves state behind in an instance's memories and mutable globals, which can be reset and saved, and in tables and segments,
//! which cannot. So a module whose code changes no table and drops no segment is marked, and its mutable globals are
//! exported. One with a start function is marked, too: its instances cannot be reset, but saved.

use std::borrow::Cow;

use wasm_encoder::{ExportKind, Module, RawSection};
use wasmparser::{DataKind, Parser, Payload, TypeRef, ValType};

use crate::engine::compile::instructions::Instructions;
use crate::engine::compile::sections::leb;
use crate::engine::run::fuel::IMPORT;
use crate::engine::run::reset::{MARK, WITH_DATA};

const EXPORT_SECTION: u8 = 7;

/// The sections that follow the exports: start, elements, their count, code, data.
const AFTER_EXPORTS: [u8; 5] = [8, 9, 12, 10, 11];

/// Returns the module, marked if its instances can be reset, but for a start function. The bytes are valid already; the compiler refuses what
/// cannot be read.
///
/// # Errors
/// The name of an export that looks like a mark, since a guest cannot mark itself; that of an import which looks like the counter of
/// metered code, if the guest has it itself, beside that of this host in a `metered` module.
pub(in crate::engine) fn mark(
    module: &[u8],
    instructions: Instructions,
    metered: bool,
) -> Result<Cow<'_, [u8]>, String> {
    match Found::read(module, instructions) {
        Some(found) if found.counters != u32::from(metered) => Err(IMPORT.to_owned()),
        Some(Found {
            forged: Some(name), ..
        }) => Err(name),
        Some(found) if found.can_reset() => Ok(found.marked(module).map_or(module.into(), Cow::Owned)),
        _ => Ok(module.into()),
    }
}

#[derive(Default)]
struct Found<'a> {
    tables: u32,
    memories: u32,
    globals: u32,
    mutable: Vec<u32>,
    has_mutable_references: bool,
    changes_what_stays: bool,
    has_data: bool,
    /// Content of the export section.
    exports: &'a [u8],
    count: u64,
    /// Imports of a counter of metered code.
    counters: u32,
    forged: Option<String>,
}

impl<'a> Found<'a> {
    fn read(module: &'a [u8], instructions: Instructions) -> Option<Found<'a>> {
        let mut found = Found {
            changes_what_stays: instructions.change_what_stays,
            ..Found::default()
        };
        for payload in Parser::new(0).parse_all(module) {
            match payload.ok()? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import.ok()?;
                        found.counters += u32::from(import.module == IMPORT);
                        match import.ty {
                            TypeRef::Table(_) => found.tables += 1,
                            TypeRef::Memory(_) => found.memories += 1,
                            TypeRef::Global(ty) => found.global(ty),
                            _ => {}
                        }
                    }
                }
                Payload::TableSection(section) => found.tables += section.count(),
                Payload::MemorySection(section) => found.memories += section.count(),
                Payload::GlobalSection(section) => {
                    for global in section {
                        found.global(global.ok()?.ty);
                    }
                }
                Payload::ExportSection(section) => {
                    found.count = section.count().into();
                    let range = section.range();
                    found.exports = module.get(range)?;
                    for export in section {
                        let name = export.ok()?.name;
                        if name.starts_with(MARK) {
                            found.forged = Some(name.to_owned());
                            return Some(found);
                        }
                    }
                }
                Payload::DataSection(section) => {
                    for data in section {
                        let data = data.ok()?;
                        let active = matches!(data.kind, DataKind::Active { .. });
                        found.has_data |= active && !data.data.is_empty();
                    }
                }
                _ => {}
            }
        }
        Some(found)
    }

    fn global(&mut self, ty: wasmparser::GlobalType) {
        if ty.mutable {
            self.mutable.push(self.globals);
            self.has_mutable_references |= matches!(ty.content_type, ValType::Ref(_));
        }
        self.globals += 1;
    }

    fn can_reset(&self) -> bool {
        !self.changes_what_stays && !self.has_mutable_references
    }

    fn marked(&self, module: &[u8]) -> Option<Vec<u8>> {
        let mut marks = Vec::new();
        let mut count = self.count;
        let mut export = |name: &str, kind: ExportKind, index: u32| {
            count += 1;
            wasm_encoder::Encode::encode(name, &mut marks);
            wasm_encoder::Encode::encode(&kind, &mut marks);
            leb(&mut marks, index.into());
        };
        for global in &self.mutable {
            export(&format!("{MARK}{global}"), ExportKind::Global, *global);
        }
        if self.memories > 0 {
            let with_data = if self.has_data { WITH_DATA } else { "" };
            export(&format!("{MARK}{with_data}"), ExportKind::Memory, 0);
        } else if self.tables > 0 {
            export(MARK, ExportKind::Table, 0);
        }
        if count == self.count {
            return None;
        }
        let mut content = Vec::with_capacity(self.exports.len() + marks.len() + 4);
        leb(&mut content, count);
        content.extend_from_slice(without_count(self.exports, self.count)?);
        content.extend(marks);
        with_exports(module, &content)
    }
}

/// Returns the exports in a section's content, without their count.
fn without_count(exports: &[u8], count: u64) -> Option<&[u8]> {
    if exports.is_empty() {
        return (count == 0).then_some(exports);
    }
    let length = exports.iter().position(|byte| byte & 0x80 == 0)? + 1;
    exports.get(length..)
}

/// Returns the module with this content in its export section.
fn with_exports(module: &[u8], content: &[u8]) -> Option<Vec<u8>> {
    let mut out = Module::new();
    let mut done = false;
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.ok()?;
        let Some((id, range)) = payload.as_section() else {
            continue;
        };
        let exports = RawSection {
            id: EXPORT_SECTION,
            data: content,
        };
        if id == EXPORT_SECTION {
            out.section(&exports);
            done = true;
            continue;
        }
        if !done && AFTER_EXPORTS.contains(&id) {
            out.section(&exports);
            done = true;
        }
        out.section(&RawSection {
            id,
            data: module.get(range)?,
        });
    }
    if !done {
        out.section(&RawSection {
            id: EXPORT_SECTION,
            data: content,
        });
    }
    Some(out.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(module: &[u8]) -> Result<Cow<'_, [u8]>, String> {
        super::mark(module, Instructions::of(module).expect("it can be read"), false)
    }

    fn parsed(text: &str) -> Vec<u8> {
        wat::parse_str(text).expect("the text parses")
    }

    fn marked(text: &str) -> Vec<u8> {
        let module = parsed(text);
        let marked = mark(&module).expect("it has no mark").into_owned();
        wasmparser::validate(&marked).expect("it is valid");
        marked
    }

    #[test]
    fn globals_and_a_mark_are_exported() {
        assert_eq!(
            marked(
                r#"(module (import "" "" (global (mut i32))) (memory (export "m") 1) (global i32 (i32.const 1))
                    (global (mut i64) (i64.const 1)) (func (global.set 0 (i32.const 7)) (memory.fill (i32.const 0) (i32.const 0) (i32.const 1))))"#
            ),
            parsed(
                r#"(module (import "" "" (global (mut i32))) (memory (export "m") 1) (global i32 (i32.const 1))
                    (global (mut i64) (i64.const 1))
                    (export "airssys:restart 0" (global 0)) (export "airssys:restart 2" (global 2)) (export "airssys:restart " (memory 0))
                    (func (global.set 0 (i32.const 7)) (memory.fill (i32.const 0) (i32.const 0) (i32.const 1))))"#
            ),
        );
        assert_eq!(
            marked(r#"(module (table 1 funcref) (func) (elem (i32.const 0) func 0))"#),
            parsed(
                r#"(module (table 1 funcref) (export "airssys:restart " (table 0)) (func) (elem (i32.const 0) func 0))"#
            ),
        );
        assert_eq!(
            marked("(module (memory 1))"),
            parsed(r#"(module (memory 1) (export "airssys:restart " (memory 0)))"#)
        );
        assert_eq!(
            marked(r#"(module (import "" "" (memory 1)) (data (i32.const 0) "a"))"#),
            parsed(
                r#"(module (import "" "" (memory 1)) (export "airssys:restart with-data" (memory 0)) (data (i32.const 0) "a"))"#
            )
        );
    }

    #[test]
    fn what_stays_as_it_was_left_is_not_marked() {
        let left_alone = [
            "(module)",
            "(module (func))",
            "(module (memory 1) (table 1 funcref) (func (table.set (i32.const 0) (ref.null func))))",
            "(module (memory 1) (table 1 funcref) (func (drop (table.grow (ref.null func) (i32.const 1)))))",
            "(module (memory 1) (table 1 funcref) (func (table.fill (i32.const 0) (ref.null func) (i32.const 1))))",
            "(module (memory 1) (table 1 funcref) (func (table.copy (i32.const 0) (i32.const 0) (i32.const 1))))",
            r#"(module (memory 1) (table 1 funcref) (elem func)
                (func (table.init 0 (i32.const 0) (i32.const 0) (i32.const 0))))"#,
            "(module (memory 1) (elem func) (func (elem.drop 0)))",
            r#"(module (memory 1) (data "a") (func (data.drop 0)))"#,
            "(module (memory 1) (global (mut funcref) (ref.null func)))",
        ];
        for text in left_alone {
            assert_eq!(marked(text), parsed(text), "{text}");
        }
    }

    #[test]
    fn a_module_that_runs_when_it_is_instantiated_is_marked() {
        assert_eq!(
            marked("(module (memory 1) (func) (start 0))"),
            parsed(r#"(module (memory 1) (func) (export "airssys:restart " (memory 0)) (start 0))"#)
        );
    }

    #[test]
    fn nobody_marks_a_module_but_the_host() {
        let forged = parsed(r#"(module (memory (export "airssys:restart 9") 1))"#);
        assert_eq!(mark(&forged).expect_err("it is forged"), "airssys:restart 9");
        let counter = parsed(r#"(module (import "airssys:fuel" "" (global (mut i64))))"#);
        assert_eq!(mark(&counter).expect_err("it is forged"), "airssys:fuel");
        let instructions = Instructions::default();
        assert!(super::mark(&counter, instructions, true).is_ok());
        assert!(super::mark(&parsed("(module)"), instructions, true).is_err());
    }
}
