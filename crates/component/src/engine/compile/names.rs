//! Takes name sections out of core modules. The code gets a key in place of the names (`engine/names`).
//!
//! The names are those that the engine would have read. It panics on the name of a module that is empty or has a NUL in
//! it; a section with such a name is of no use, and none of it is kept.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use wasm_encoder::{Encode, NameSection};
use wasmparser::{KnownCustom, Name, NameSectionReader, Parser, Payload, TypeRef};

use crate::engine::compile::debug_names::is_bad;
use crate::engine::compile::sections::start_of;
use crate::engine::names::{key, write};

const CUSTOM_SECTION: u8 = 0;

/// A core module whose only name is the key of its table of names.
#[derive(Debug)]
pub(in crate::engine) struct Apart<'a> {
    pub(in crate::engine) module: Cow<'a, [u8]>,
    /// The table; `None` if nothing has a name.
    pub(in crate::engine) names: Option<Vec<u8>>,
}

/// Takes a module's name sections out. The bytes are valid already; the compiler refuses what cannot be read.
pub(in crate::engine) fn take(module: Cow<'_, [u8]>) -> Apart<'_> {
    let found = Found::read(&module);
    if found.sections.is_empty() {
        return Apart { module, names: None };
    }
    let names = found.table();
    let mut out = Vec::with_capacity(module.len());
    let mut at = 0;
    for (section, _) in &found.sections {
        out.extend_from_slice(module.get(at..section.start).unwrap_or_default());
        at = section.end;
    }
    out.extend_from_slice(module.get(at..).unwrap_or_default());
    if let Some(names) = &names {
        let mut section = NameSection::new();
        section.module(&key(names));
        out.push(CUSTOM_SECTION);
        section.encode(&mut out);
    }
    Apart {
        module: Cow::Owned(out),
        names,
    }
}

/// The parts of a module that its names depend on.
#[derive(Default)]
struct Found<'a> {
    /// Name sections, each with its place.
    sections: Vec<(Range<usize>, NameSectionReader<'a>)>,
    /// Number of functions that are imported.
    imported: u32,
    /// Number of all functions.
    functions: u32,
}

impl<'a> Found<'a> {
    fn read(module: &'a [u8]) -> Found<'a> {
        let mut found = Found::default();
        for payload in Parser::new(0).parse_all(module) {
            match payload {
                Ok(Payload::ImportSection(section)) => {
                    let imports = section.into_imports().flatten();
                    let functions = imports
                        .filter(|import| matches!(import.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)));
                    found.imported = u32::try_from(functions.count()).unwrap_or(u32::MAX);
                    found.functions = found.functions.saturating_add(found.imported);
                }
                Ok(Payload::FunctionSection(section)) => {
                    found.functions = found.functions.saturating_add(section.count());
                }
                Ok(Payload::CustomSection(section)) => {
                    if let KnownCustom::Name(names) = section.as_known()
                        && let Some(start) = start_of(module, CUSTOM_SECTION, &section.range())
                    {
                        found.sections.push((start..section.range().end, names));
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// Returns the table of the names that the sections give to the module and to its own functions.
    fn table(&self) -> Option<Vec<u8>> {
        let mut module = None;
        let mut functions = BTreeMap::new();
        for (_, section) in &self.sections {
            if let Some(names) = Names::read(section.clone(), self.functions) {
                module = names.module.or(module);
                functions = names.functions;
            }
        }
        let own = self.imported..self.functions;
        functions.retain(|index, _| own.contains(index));
        write(module, &functions)
    }
}

/// The names in one section.
#[derive(Default)]
struct Names<'a> {
    module: Option<&'a str>,
    functions: BTreeMap<u32, Cow<'a, str>>,
}

impl<'a> Names<'a> {
    /// Reads a section of a module with `functions` functions; more names than that are ignored, which stops a section that
    /// names one function millions of times. `None` if the module's name is empty or has a NUL.
    ///
    /// Where the section is malformed, the engine goes on with what follows. It appends a number to the second function of
    /// a name and to those that follow, in the order of the section.
    fn read(section: NameSectionReader<'a>, functions: u32) -> Option<Names<'a>> {
        let mut names = Names::default();
        let mut taken: HashSet<Cow<'a, str>> = HashSet::new();
        let mut left = functions;
        for subsection in section.into_iter().flatten() {
            match subsection {
                Name::Module { name, .. } if is_bad(name) => return None,
                Name::Module { name, .. } => names.module = Some(name),
                Name::Function(named) => {
                    let mut again: HashMap<&str, u32> = HashMap::new();
                    for function in named.into_iter().flatten() {
                        if function.index == u32::MAX {
                            continue;
                        }
                        let Some(fewer) = left.checked_sub(1) else { break };
                        left = fewer;
                        let name = match taken.contains(function.name) {
                            false => Cow::Borrowed(function.name),
                            true => {
                                let number = again.entry(function.name).or_insert(0);
                                let name = format!("{}.{number}", function.name);
                                *number += 1;
                                Cow::Owned(name)
                            }
                        };
                        taken.insert(name.clone());
                        names.functions.insert(function.index, name);
                    }
                }
                _ => {}
            }
        }
        Some(names)
    }
}

#[cfg(test)]
mod tests;
