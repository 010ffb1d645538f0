//! Removes the core modules that exist only to break an import cycle (wit-component's shim and fix-up modules).
//!
//! A module needs its imports before its memory exists, and canonical definitions need the memory. Encoders of
//! components break that cycle with a module of stubs, which call through a table, and another module that fills the
//! table once everything is instantiated. The host functions of this runtime look the memory up when they are called,
//! so that they can exist before it: imports of stubs become imports of the functions that the stubs would call. The
//! difference is not observable unless guest code runs before the table is full; in that case nothing is changed. Two
//! core modules less save a third of the time that a small component takes to load.

use std::collections::{BTreeSet, HashMap};

use wasmparser::{ElementItems, ElementKind, ExternalKind, FuncType, Operator, Parser, Payload, TypeRef};

use crate::component::ir::{CoreDef, CoreExport, Export, Initializer, Ir, ModuleSource};

/// A module of stubs (a shim module).
#[derive(Debug, PartialEq, Eq)]
struct Stubs {
    table: String,
    /// Size of the table, in elements.
    size: u64,
    /// For each stub, by name: the index in the table that it calls, and the function type.
    places: HashMap<String, (u32, FuncType)>,
}

/// A module that fills a table (a fix-up module).
#[derive(Debug, PartialEq, Eq)]
struct Filler {
    /// The index of the import that is the table.
    table: usize,
    /// For each index of the table: the import that it holds, and its type.
    filled: HashMap<u32, (usize, FuncType)>,
}

/// Properties of a core module.
#[derive(Debug, Default)]
struct Shape {
    stubs: Option<Stubs>,
    filler: Option<Filler>,
    starts: bool,
}

/// Bypasses stubs and removes their modules where that changes nothing else.
pub(in crate::component) fn untie(ir: &mut Ir) {
    let shapes: Vec<Shape> = ir
        .modules
        .iter()
        .map(|module| shape(module).unwrap_or_default())
        .collect();
    // One pair at a time, since the instances are renumbered after each.
    while let Some((stubs, filler)) = untie_one(ir, &shapes) {
        remove_instances(ir, &[stubs, filler]);
    }
    remove_unused_modules(ir);
}

/// The core instances in their order: the component's module, if it is not an imported one, and the arguments.
fn instances(ir: &Ir) -> impl Iterator<Item = (Option<u32>, Vec<&CoreDef>)> {
    ir.initializers
        .iter()
        .filter(|initializer| makes_core_instance(initializer))
        .map(|initializer| {
            let module = match initializer {
                Initializer::InstantiateModule { module, .. } => Some(*module),
                _ => None,
            };
            (module, initializer.args().collect())
        })
}

/// Finds a pair of instances, replaces uses of the stubs, and returns the two if nothing refers to them any more.
fn untie_one(ir: &mut Ir, shapes: &[Shape]) -> Option<(u32, u32)> {
    let found: Vec<(u32, u32, HashMap<String, u32>)> = pairs(ir, shapes);
    for (stubs, filler, functions) in found {
        let direct = |def: &mut CoreDef| {
            if let CoreDef::Export(CoreExport { instance, name }) = def
                && *instance == stubs
                && let Some(trampoline) = functions.get(name)
            {
                *def = CoreDef::Trampoline(*trampoline);
            }
        };
        for initializer in &mut ir.initializers {
            initializer.args_mut().for_each(direct);
            match initializer {
                Initializer::ExtractRealloc { def, .. }
                | Initializer::ExtractPostReturn { def, .. }
                | Initializer::ExtractCallback { def, .. } => direct(def),
                Initializer::Resource { dtor, .. } => dtor.iter_mut().for_each(direct),
                Initializer::InstantiateModule { .. }
                | Initializer::InstantiateImport { .. }
                | Initializer::ExtractMemory { .. } => {}
            }
        }
        let needed = uses(ir, Some(filler));
        if !needed.contains(&stubs) && !needed.contains(&filler) {
            return Some((stubs, filler));
        }
    }
    None
}

/// Finds instances of stubs and of their fillers, with the trampoline that each stub calls.
fn pairs(ir: &Ir, shapes: &[Shape]) -> Vec<(u32, u32, HashMap<String, u32>)> {
    let all: Vec<(Option<u32>, Vec<&CoreDef>)> = instances(ir).collect();
    let shape_of = |instance: usize| {
        all.get(instance)
            .and_then(|(module, _)| shapes.get((*module)? as usize))
    };
    let mut pairs = Vec::new();
    for (filler, (module, args)) in (0u32..).zip(&all) {
        let Some(shape) = module
            .and_then(|module| shapes.get(module as usize))
            .and_then(|shape| shape.filler.as_ref())
        else {
            continue;
        };
        let Some(CoreDef::Export(table)) = args.get(shape.table) else {
            continue;
        };
        let stubs = table.instance as usize;
        let Some(found) = shape_of(stubs).and_then(|shape| shape.stubs.as_ref()) else {
            continue;
        };
        // Guest code that runs before the table is full would trap in a stub. An imported module may run some.
        let starts =
            (stubs..=filler as usize).any(|instance| shape_of(instance).is_none_or(|shape| shape.starts));
        let is_table = |def: &&&CoreDef| matches!(**def, CoreDef::Export(export) if export == table);
        let shared = all.iter().flat_map(|(_, args)| args).filter(is_table).count() > 1;
        if found.table != table.name || starts || shared {
            continue;
        }
        // An element outside of the table, or a call with another type, must trap.
        if shape.filled.keys().any(|place| u64::from(*place) >= found.size) {
            continue;
        }
        let functions = found.places.iter().filter_map(|(name, (place, ty))| {
            let (import, _) = shape.filled.get(place).filter(|(_, filled)| filled == ty)?;
            match args.get(*import)? {
                CoreDef::Trampoline(index) => Some((name.clone(), *index)),
                _ => None,
            }
        });
        pairs.push((table.instance, filler, functions.collect()));
    }
    pairs
}

/// Returns the instances that something refers to, other than the arguments of `except`.
fn uses(ir: &Ir, except: Option<u32>) -> BTreeSet<u32> {
    let mut used = BTreeSet::new();
    let mut note = |def: &CoreDef| {
        if let CoreDef::Export(export) = def {
            used.insert(export.instance);
        }
    };
    let mut instance = 0;
    for initializer in &ir.initializers {
        match initializer {
            Initializer::InstantiateModule { .. } | Initializer::InstantiateImport { .. } => {
                if except != Some(instance) {
                    initializer.args().for_each(&mut note);
                }
                instance += 1;
            }
            Initializer::ExtractRealloc { def, .. }
            | Initializer::ExtractPostReturn { def, .. }
            | Initializer::ExtractCallback { def, .. } => note(def),
            Initializer::Resource { dtor, .. } => dtor.iter().for_each(&mut note),
            Initializer::ExtractMemory { export, .. } => note(&CoreDef::Export(export.clone())),
        }
    }
    let mut exports: Vec<&Export> = ir.exports.iter().map(|(_, export)| export).collect();
    while let Some(export) = exports.pop() {
        match export {
            Export::Func { def, .. } => note(def),
            Export::Instance(items) => exports.extend(items.iter().map(|(_, export)| export)),
            Export::Resource(_) | Export::Type(_) | Export::Module { .. } => {}
        }
    }
    let adapters = ir
        .concurrency
        .iter()
        .flat_map(|concurrency| &concurrency.adapters);
    used.extend(adapters.map(|adapter| adapter.export.instance));
    used
}

/// Removes instances that nothing refers to, and renumbers the others.
fn remove_instances(ir: &mut Ir, gone: &[u32]) {
    let renumber = |instance: &mut u32| {
        let before = gone.iter().filter(|gone| **gone < *instance).count();
        *instance -= u32::try_from(before).unwrap_or(0);
    };
    let define = |def: &mut CoreDef| {
        if let CoreDef::Export(export) = def {
            renumber(&mut export.instance);
        }
    };
    let mut instance = 0u32;
    ir.initializers.retain(|initializer| {
        if !makes_core_instance(initializer) {
            return true;
        }
        instance += 1;
        !gone.contains(&(instance - 1))
    });
    for initializer in &mut ir.initializers {
        initializer.args_mut().for_each(define);
        match initializer {
            Initializer::InstantiateModule { .. } | Initializer::InstantiateImport { .. } => {}
            Initializer::ExtractRealloc { def, .. }
            | Initializer::ExtractPostReturn { def, .. }
            | Initializer::ExtractCallback { def, .. } => define(def),
            Initializer::Resource { dtor, .. } => dtor.iter_mut().for_each(define),
            Initializer::ExtractMemory { export, .. } => renumber(&mut export.instance),
        }
    }
    let mut exports: Vec<&mut Export> = ir.exports.iter_mut().map(|(_, export)| export).collect();
    while let Some(export) = exports.pop() {
        match export {
            Export::Func { def, .. } => define(def),
            Export::Instance(items) => exports.extend(items.iter_mut().map(|(_, export)| export)),
            Export::Resource(_) | Export::Type(_) | Export::Module { .. } => {}
        }
    }
    let concurrency = ir.concurrency.iter_mut();
    let adapters = concurrency.flat_map(|concurrency| &mut concurrency.adapters);
    adapters.for_each(|adapter| renumber(&mut adapter.export.instance));
    ir.counts.core_instances = ir
        .counts
        .core_instances
        .saturating_sub(u32::try_from(gone.len()).unwrap_or(0));
}

/// Removes modules that nothing instantiates, and renumbers the others.
fn remove_unused_modules(ir: &mut Ir) {
    let mut used: BTreeSet<u32> = instances(ir).filter_map(|(module, _)| module).collect();
    for_each_exported_module(&mut ir.exports, &mut |module| {
        used.insert(*module);
    });
    let renumber = |module: &mut u32| {
        *module = u32::try_from(used.range(..*module).count()).unwrap_or(*module);
    };
    for initializer in &mut ir.initializers {
        if let Initializer::InstantiateModule { module, .. } = initializer {
            renumber(module);
        }
    }
    for_each_exported_module(&mut ir.exports, &mut |module| renumber(module));
    let mut index = 0;
    ir.modules.retain(|_| {
        index += 1;
        used.contains(&(index - 1))
    });
}

/// Visits the component's modules among its exports, by their indices.
fn for_each_exported_module(exports: &mut [(String, Export)], visit: &mut dyn FnMut(&mut u32)) {
    for (_, export) in exports {
        match export {
            Export::Module {
                source: ModuleSource::Defined(module),
                ..
            } => visit(module),
            Export::Instance(items) => for_each_exported_module(items, visit),
            _ => {}
        }
    }
}

/// Reads the properties of a module; `None` if it cannot be read.
fn shape(module: &[u8]) -> Option<Shape> {
    let mut shape = Shape::default();
    let mut imports = Vec::new();
    let (mut exports, mut bodies, mut elements) = (Vec::new(), Vec::new(), Vec::new());
    let (mut functions, mut tables, mut types) = (Vec::new(), Vec::new(), Vec::new());
    // True for anything that neither kind contains.
    let mut more = false;
    for payload in Parser::new(0).parse_all(module) {
        match payload.ok()? {
            Payload::TypeSection(section) => {
                for ty in section.into_iter_err_on_gc_types() {
                    types.push(ty.ok()?);
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    imports.push(import.ok()?.ty);
                }
            }
            Payload::FunctionSection(section) => {
                functions = section.into_iter().collect::<Result<_, _>>().ok()?
            }
            Payload::TableSection(section) => {
                for table in section {
                    tables.push(table.ok()?.ty.initial);
                }
            }
            Payload::ExportSection(section) => {
                exports = section.into_iter().collect::<Result<_, _>>().ok()?
            }
            Payload::ElementSection(section) => {
                elements = section.into_iter().collect::<Result<_, _>>().ok()?
            }
            Payload::CodeSectionEntry(body) => bodies.push(body),
            Payload::StartSection { .. } => shape.starts = true,
            Payload::MemorySection(_)
            | Payload::GlobalSection(_)
            | Payload::TagSection(_)
            | Payload::DataSection(_) => more = true,
            _ => {}
        }
    }
    if more || shape.starts {
        return Some(shape);
    }
    if let (true, [size], true) = (imports.is_empty(), &tables[..], elements.is_empty()) {
        let called: Option<Vec<(u32, FuncType)>> = bodies
            .iter()
            .zip(&functions)
            .map(|(body, index)| {
                let ty = types.get(*index as usize)?;
                Some((stub(body, *index, ty.params().len())?, ty.clone()))
            })
            .collect();
        shape.stubs = called.and_then(|called| stubs(*size, &exports, &called));
    }
    if functions.is_empty() && tables.is_empty() && exports.is_empty() {
        shape.filler = filler(&types, &imports, &elements);
    }
    Some(shape)
}

fn stubs(size: u64, exports: &[wasmparser::Export<'_>], called: &[(u32, FuncType)]) -> Option<Stubs> {
    let mut table = None;
    let mut places = HashMap::new();
    for export in exports {
        match export.kind {
            ExternalKind::Table => table = Some(export.name.to_owned()),
            ExternalKind::Func => {
                places.insert(export.name.to_owned(), called.get(export.index as usize)?.clone());
            }
            _ => return None,
        }
    }
    Some(Stubs {
        table: table?,
        size,
        places,
    })
}

/// Returns the index in the table that a function calls with its own parameters, if it does nothing else.
fn stub(body: &wasmparser::FunctionBody<'_>, ty: u32, params: usize) -> Option<u32> {
    if body.get_locals_reader().ok()?.get_count() > 0 {
        return None;
    }
    let mut operators = body.get_operators_reader().ok()?.into_iter();
    for param in (0u32..).take(params) {
        match operators.next()?.ok()? {
            Operator::LocalGet { local_index } if local_index == param => {}
            _ => return None,
        }
    }
    let Operator::I32Const { value } = operators.next()?.ok()? else {
        return None;
    };
    match operators.next()?.ok()? {
        Operator::CallIndirect {
            type_index,
            table_index: 0,
        } if type_index == ty => {}
        _ => return None,
    }
    let ends = matches!(operators.next()?.ok()?, Operator::End) && operators.next().is_none();
    ends.then_some(value.cast_unsigned())
}

fn filler(types: &[FuncType], imports: &[TypeRef], elements: &[wasmparser::Element<'_>]) -> Option<Filler> {
    let mut table = None;
    let mut functions = Vec::new();
    for (index, import) in imports.iter().enumerate() {
        match import {
            TypeRef::Table(_) if table.is_none() => table = Some(index),
            TypeRef::Func(ty) => functions.push((index, types.get(*ty as usize)?.clone())),
            _ => return None,
        }
    }
    let [element] = elements else {
        return None;
    };
    let ElementKind::Active {
        table_index: None | Some(0),
        offset_expr,
    } = &element.kind
    else {
        return None;
    };
    let mut operators = offset_expr.get_operators_reader().into_iter();
    let start = match (operators.next()?.ok()?, operators.next()?.ok()?, operators.next()) {
        (Operator::I32Const { value }, Operator::End, None) => value.cast_unsigned(),
        _ => return None,
    };
    let ElementItems::Functions(items) = &element.items else {
        return None;
    };
    let mut filled = HashMap::new();
    for (place, function) in (start..).zip(items.clone()) {
        filled.insert(place, functions.get(function.ok()? as usize)?.clone());
    }
    Some(Filler {
        table: table?,
        filled,
    })
}
/// Returns whether an initializer creates the next core instance.
fn makes_core_instance(initializer: &Initializer) -> bool {
    matches!(
        initializer,
        Initializer::InstantiateModule { .. } | Initializer::InstantiateImport { .. }
    )
}
