//! Keeps tables of a fixed size apart from their copy, and bounds tables that nothing grows.
//!
//! wasmer keeps a copy of each funcref table of fixed size (minimum = maximum) beside the instance that defines it,
//! and calls through the copy. Writes by another instance, which imports the table, do not reach it: an indirect
//! call then finds a null element. Components fill tables in just that way. So a table that other instances may
//! write is compiled as growable: its maximum is raised by one here, and lowered by one when it is created
//! ([`crate::engine::run::tables::true_maximum`]), so that the guest sees its own limits.
//!
//! A table that is not exported, of a module without `table.grow`, stays as small as it is. It is compiled with its minimum
//! as its maximum, so that it counts with no more elements in its store. Marks of this host are exports that nothing imports.

use std::borrow::Cow;

use crate::engine::compile::sections::{leb, start_of};
use crate::engine::run::reset::MARK;
use wasmparser::{ExternalKind, Imports, Parser, Payload, RefType, Table, TypeRef};

const TABLE_SECTION: u8 = 4;
/// Most elements of a module's tables of fixed size together. wasmer's copies, 32 bytes for each element, are part of the instance's
/// record, which it allocates before any limit applies; its compilers panic if they do not fit.
const MAX_FIXED: u64 = 1 << 20;

/// Returns the module with room above the maximum of each table that may be shared. `grows` if its code may grow tables.
/// The bytes are valid already; the compiler refuses what cannot be read.
pub(in crate::engine) fn make_room(module: &[u8], grows: bool) -> Cow<'_, [u8]> {
    rewrite(module, grows).map_or(Cow::Borrowed(module), Cow::Owned)
}

fn rewrite(module: &[u8], grows: bool) -> Option<Vec<u8>> {
    let mut imported = 0u32;
    let (mut exported, mut marked) = (Vec::new(), Vec::new());
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
                        match export.name.starts_with(MARK) {
                            true => marked.push(export.index),
                            false => exported.push(export.index),
                        }
                    }
                }
            }
            Payload::CodeSectionStart { .. } => break,
            _ => {}
        }
    }
    let section = section?;
    let mut content = Vec::new();
    let mut left = MAX_FIXED;
    leb(&mut content, u64::try_from(tables.len()).ok()?);
    for (index, table) in (imported..).zip(&tables) {
        let ty = table.ty;
        content.push(match ty.element_type {
            RefType::FUNCREF => 0x70,
            RefType::EXTERNREF => 0x6f,
            _ => return None,
        });
        let own = !exported.contains(&index);
        let maximum = match ty.maximum {
            Some(maximum) if own && !marked.contains(&index) && maximum == ty.initial && maximum <= left => {
                left -= maximum;
                Some(maximum)
            }
            _ if own && !grows => Some(ty.initial + 1),
            maximum => maximum.map(|maximum| maximum + 1),
        };
        let maximum = maximum.filter(|maximum| *maximum <= u64::from(u32::MAX));
        content.push(u8::from(maximum.is_some()));
        leb(&mut content, ty.initial);
        if let Some(maximum) = maximum {
            leb(&mut content, maximum);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::run::tables::true_maximum;

    fn maximums(module: &str, grows: bool) -> Vec<(u32, Option<u32>)> {
        let module = wat::parse_str(module).expect("the text parses");
        let made = make_room(&module, grows);
        wasmparser::validate(&made).expect("it is valid");
        let mut found = Vec::new();
        for payload in Parser::new(0).parse_all(&made) {
            if let Payload::TableSection(tables) = payload.expect("it can be read") {
                for table in tables {
                    let ty = table.expect("it can be read").ty;
                    let elements = |count: u64| u32::try_from(count).expect("32 bits");
                    found.push((elements(ty.initial), ty.maximum.map(elements)));
                }
            }
        }
        found
    }

    #[test]
    fn large_tables_are_not_of_fixed_size() {
        const MOST: u32 = u32::MAX;
        let tables = r#"(module (table 4294967295 funcref) (table 4294967295 4294967295 funcref)
            (table 4294967294 4294967294 funcref) (table 1048577 1048577 funcref)
            (table 1048570 1048570 funcref) (table 7 7 funcref) (table 6 6 funcref))"#;
        let made = [
            (MOST, None),
            (MOST, None),
            (MOST - 1, Some(MOST)),
            (1_048_577, Some(1_048_578)),
            (1_048_570, Some(1_048_570)),
            (7, Some(8)),
            (6, Some(6)),
        ];
        assert_eq!(maximums(tables, false), made);
        assert_eq!(maximums(tables, true), made);
    }

    #[test]
    fn only_tables_that_may_grow_have_room_to_grow() {
        let tables = r#"(module (table 3 3 funcref) (table 3 9 funcref) (table 3 externref)
            (export "airssys:restart " (table 2)) (table (export "a") 3 3 funcref) (table (export "b") 3 9 funcref) (table (export "c") 3 funcref))"#;
        let shared = [(3, Some(4)), (3, Some(10)), (3, None)];
        let growing = [&[(3, Some(3)), (3, Some(10)), (3, None)], &shared[..]].concat();
        assert_eq!(maximums(tables, true), growing);
        let still = [&[(3, Some(3)), (3, Some(4)), (3, Some(4))], &shared[..]].concat();
        assert_eq!(maximums(tables, false), still);
        let truth = still
            .iter()
            .map(|(minimum, maximum)| true_maximum(*minimum, *maximum));
        assert_eq!(
            truth.collect::<Vec<_>>(),
            [Some(3), Some(3), Some(3), Some(3), Some(9), None]
        );
    }
}
