//! Keeps tables of a fixed size apart from their copy.
//!
//! wasmer keeps a copy of each funcref table of fixed size (minimum = maximum) beside the instance that defines it,
//! and calls through the copy. Writes by another instance, which imports the table, do not reach it: an indirect
//! call then finds a null element. Components fill tables in just that way. So a table that other instances may
//! write is compiled as growable: its maximum is raised by one here, and lowered by one when it is created
//! ([`crate::engine::run::tables::true_maximum`]), so that the guest sees its own limits.

use std::borrow::Cow;

use crate::engine::compile::sections::{leb, start_of};
use wasmparser::{ExternalKind, Imports, Parser, Payload, RefType, Table, TypeRef};

const TABLE_SECTION: u8 = 4;

/// Returns the module with room above the maximum of each table that may be shared. The bytes are valid
/// already; the compiler refuses what cannot be read.
pub(in crate::engine) fn make_room(module: &[u8]) -> Cow<'_, [u8]> {
    rewrite(module).map_or(Cow::Borrowed(module), Cow::Owned)
}

fn rewrite(module: &[u8]) -> Option<Vec<u8>> {
    let mut imported = 0u32;
    let mut exported = Vec::new();
    let mut tables: Vec<Table<'_>> = Vec::new();
    let mut section = None;
    for payload in Parser::new(0).parse_all(module) {
        match payload.ok()? {
            Payload::ImportSection(imports) => {
                for import in imports {
                    match import.ok()? {
                        Imports::Single(_, import) => {
                            imported += u32::from(matches!(import.ty, TypeRef::Table(_)))
                        }
                        // The compact forms are outside the supported features.
                        _ => return None,
                    }
                }
            }
            Payload::TableSection(reader) => {
                section = Some(reader.range());
                tables = reader.into_iter().collect::<Result<_, _>>().ok()?;
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export.ok()?;
                    if export.kind == ExternalKind::Table {
                        exported.push(export.index);
                    }
                }
            }
            Payload::CodeSectionStart { .. } => break,
            _ => {}
        }
    }
    let section = section?;
    let mut content = Vec::new();
    leb(&mut content, u64::try_from(tables.len()).ok()?);
    for (index, table) in (imported..).zip(&tables) {
        let ty = table.ty;
        content.push(match ty.element_type {
            RefType::FUNCREF => 0x70,
            RefType::EXTERNREF => 0x6f,
            _ => return None,
        });
        let fixed_and_own = ty.maximum == Some(ty.initial) && !exported.contains(&index);
        let maximum = ty
            .maximum
            .map(|maximum| if fixed_and_own { maximum } else { maximum + 1 });
        content.push(u8::from(maximum.is_some()));
        leb(&mut content, ty.initial);
        if let Some(maximum) = maximum {
            leb(&mut content, maximum.min(u64::from(u32::MAX)));
        }
    }
    let header = start_of(module, TABLE_SECTION, &section)?;
    let mut out = module.get(..header)?.to_vec();
    out.push(TABLE_SECTION);
    leb(&mut out, u64::try_from(content.len()).ok()?);
    out.extend(content);
    out.extend(module.get(section.end..)?);
    Some(out)
}
