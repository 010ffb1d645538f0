//! Serialization of a translated component, for artifacts.
//!
//! Everything is a table whose entries refer to earlier entries only, so that reading needs no recursion, and the
//! result nests no deeper than [`MAX_DEPTH`]. Reading checks the form; indices of core items are checked where they are
//! used, as those of the translator are. Core modules are not part of it. What asynchronous functions need follows in a table of its
//! own, so that other components are written as they were before there was one.

mod concurrency;
mod items;
mod types;

use borsh::{BorshDeserialize, BorshSerialize};

use self::concurrency::{WireBuiltin, WireConcurrency, Writer, check_types, read_builtin, write_builtin};
use self::items::{Item, Items, Readers};
use self::types::{Func, Node, Types};
use crate::component::ir::{
    Counts, Initializer, Ir, Options, ResourceTable, RuntimeImport, Trampoline, Transcode,
};
use crate::component::load::module_type::ModuleType;
use airssys_wasm_abi::StringEncoding;

/// Levels that types and instances may nest. The translator's own limit is the same.
const MAX_DEPTH: u32 = 100;

/// The error for bytes that are not a translated component.
#[derive(Debug, thiserror::Error)]
#[error("the translated component is malformed: {0}")]
pub(crate) struct Malformed(String);

impl Malformed {
    fn new(what: impl Into<String>) -> Malformed {
        Malformed(what.into())
    }
}

#[derive(BorshSerialize, BorshDeserialize)]
struct Wire {
    types: Vec<Node>,
    funcs: Vec<Func>,
    items: Vec<Item>,
    modules: Vec<ModuleType>,
    imports: Vec<(String, u32)>,
    exports: Vec<(String, u32)>,
    runtime_imports: Vec<RuntimeImport>,
    lowerings: Vec<u32>,
    initializers: Vec<Initializer>,
    trampolines: Vec<WireTrampoline>,
    options: Vec<WireOptions>,
    resource_tables: Vec<ResourceTable>,
    imported_resources: Vec<u32>,
    defined_resources: Vec<u32>,
    counts: Counts,
}

#[derive(BorshSerialize, BorshDeserialize)]
enum WireTrampoline {
    LowerImport { lowering: u32, func: u32, options: u32 },
    Transcoder { op: Transcode, from: u32, to: u32 },
    ResourceNew { instance: u32, table: u32 },
    ResourceRep { table: u32 },
    ResourceDrop { instance: u32, table: u32 },
    ResourceTransferOwn,
    ResourceTransferBorrow,
    EnterSyncCall,
    ExitSyncCall,
    Trap,
    Concurrent(WireBuiltin),
}

#[derive(BorshSerialize, BorshDeserialize)]
struct WireOptions {
    instance: u32,
    encoding: u8,
    memory: Option<u32>,
    realloc: Option<u32>,
    post_return: Option<u32>,
}

/// Serializes the component without its core modules.
pub(crate) fn write(ir: Ir) -> Vec<u8> {
    let mut types = Types::default();
    let mut items = Items::default();
    let imports = ir
        .imports
        .iter()
        .map(|(name, ty)| (name.clone(), items.import(ty, &mut types)));
    let imports = imports.collect();
    let exports = ir
        .exports
        .iter()
        .map(|(name, export)| (name.clone(), items.export(export, &mut types)));
    let exports = exports.collect();
    let trampolines = ir
        .trampolines
        .iter()
        .map(|trampoline| write_trampoline(trampoline, &mut types));
    let trampolines = trampolines.collect();
    let concurrency = ir
        .concurrency
        .map(|concurrency| (Writer::new(&concurrency, &mut types), concurrency));
    let (nodes, funcs, described) = types.into_tables();
    let concurrency =
        concurrency.map(|(writer, concurrency)| writer.finish(*concurrency, described, &ir.options));
    let (items, modules) = items.into_tables();
    let wire = Wire {
        types: nodes,
        funcs,
        items,
        modules,
        imports,
        exports,
        runtime_imports: ir.runtime_imports,
        lowerings: ir.lowerings,
        initializers: ir.initializers,
        trampolines,
        options: ir.options.iter().map(write_options).collect(),
        resource_tables: ir.resource_tables,
        imported_resources: ir.imported_resources,
        defined_resources: ir.defined_resources,
        counts: ir.counts,
    };
    let mut bytes = Vec::new();
    // Writing to a vector cannot fail.
    let _ = borsh::to_writer(&mut bytes, &wire);
    if let Some(concurrency) = concurrency {
        let _ = borsh::to_writer(&mut bytes, &concurrency);
    }
    bytes
}

/// # Errors
/// Bytes that are cut off, too long, or refer to an entry that does not exist.
pub(crate) fn read(bytes: &[u8]) -> Result<Ir, Malformed> {
    let mut rest = bytes;
    let wire = Wire::deserialize(&mut rest).map_err(|error| Malformed(error.to_string()))?;
    let concurrent = WireConcurrency::read(rest, wire.funcs.len())?;
    let concurrent = concurrent.as_ref();
    check_types(&wire.types, concurrent)?;
    let described = concurrent.map(|concurrent| concurrent.functions.as_slice());
    let readers = Readers::new(&wire.types, &wire.funcs, described, &wire.items, wire.modules)?;
    let concurrency = concurrent.map(|concurrent| concurrent.concurrency(&readers));
    let mut options: Vec<Options> = wire.options.iter().map(read_options).collect::<Result<_, _>>()?;
    if let Some(concurrent) = concurrent {
        concurrent.add_to(&mut options)?;
    }
    let imports = wire
        .imports
        .into_iter()
        .map(|(name, item)| Ok((name, readers.import(item)?)));
    let exports = wire
        .exports
        .into_iter()
        .map(|(name, item)| Ok((name, readers.export(item)?)));
    let trampolines = wire
        .trampolines
        .iter()
        .map(|trampoline| read_trampoline(trampoline, concurrent, &readers));
    Ok(Ir {
        modules: Vec::new(),
        imports: imports.collect::<Result<_, Malformed>>()?,
        exports: exports.collect::<Result<_, Malformed>>()?,
        trampolines: trampolines.collect::<Result<_, _>>()?,
        options,
        runtime_imports: wire.runtime_imports,
        lowerings: wire.lowerings,
        initializers: wire.initializers,
        resource_tables: wire.resource_tables,
        imported_resources: wire.imported_resources,
        defined_resources: wire.defined_resources,
        counts: wire.counts,
        concurrency: concurrency.transpose()?.map(Box::new),
    })
}

fn write_trampoline(trampoline: &Trampoline, types: &mut Types) -> WireTrampoline {
    match trampoline {
        Trampoline::LowerImport {
            lowering,
            function,
            options,
        } => WireTrampoline::LowerImport {
            lowering: *lowering,
            func: types.func(function),
            options: *options,
        },
        Trampoline::Transcoder { op, from, to } => WireTrampoline::Transcoder {
            op: *op,
            from: *from,
            to: *to,
        },
        Trampoline::ResourceNew { instance, table } => WireTrampoline::ResourceNew {
            instance: *instance,
            table: *table,
        },
        Trampoline::ResourceRep { table } => WireTrampoline::ResourceRep { table: *table },
        Trampoline::ResourceDrop { instance, table } => WireTrampoline::ResourceDrop {
            instance: *instance,
            table: *table,
        },
        Trampoline::ResourceTransferOwn => WireTrampoline::ResourceTransferOwn,
        Trampoline::ResourceTransferBorrow => WireTrampoline::ResourceTransferBorrow,
        Trampoline::EnterSyncCall => WireTrampoline::EnterSyncCall,
        Trampoline::ExitSyncCall => WireTrampoline::ExitSyncCall,
        Trampoline::Trap => WireTrampoline::Trap,
        Trampoline::Concurrent(builtin) => WireTrampoline::Concurrent(write_builtin(builtin, types)),
    }
}

fn read_trampoline(
    trampoline: &WireTrampoline,
    concurrent: Option<&WireConcurrency>,
    readers: &Readers,
) -> Result<Trampoline, Malformed> {
    Ok(match trampoline {
        WireTrampoline::LowerImport {
            lowering,
            func,
            options,
        } => Trampoline::LowerImport {
            lowering: *lowering,
            function: readers.func(*func)?,
            options: *options,
        },
        WireTrampoline::Transcoder { op, from, to } => Trampoline::Transcoder {
            op: *op,
            from: *from,
            to: *to,
        },
        WireTrampoline::ResourceNew { instance, table } => Trampoline::ResourceNew {
            instance: *instance,
            table: *table,
        },
        WireTrampoline::ResourceRep { table } => Trampoline::ResourceRep { table: *table },
        WireTrampoline::ResourceDrop { instance, table } => Trampoline::ResourceDrop {
            instance: *instance,
            table: *table,
        },
        WireTrampoline::ResourceTransferOwn => Trampoline::ResourceTransferOwn,
        WireTrampoline::ResourceTransferBorrow => Trampoline::ResourceTransferBorrow,
        WireTrampoline::EnterSyncCall => Trampoline::EnterSyncCall,
        WireTrampoline::ExitSyncCall => Trampoline::ExitSyncCall,
        WireTrampoline::Trap => Trampoline::Trap,
        WireTrampoline::Concurrent(builtin) => {
            let concurrent = concurrent
                .ok_or_else(|| Malformed::new("a built-in of a component without asynchronous functions"))?;
            Trampoline::Concurrent(read_builtin(builtin, concurrent, readers)?)
        }
    })
}

fn write_options(options: &Options) -> WireOptions {
    WireOptions {
        instance: options.instance,
        encoding: match options.string_encoding {
            StringEncoding::Utf8 => 0,
            StringEncoding::Utf16 => 1,
            StringEncoding::CompactUtf16 => 2,
        },
        memory: options.memory,
        realloc: options.realloc,
        post_return: options.post_return,
    }
}

fn read_options(options: &WireOptions) -> Result<Options, Malformed> {
    Ok(Options {
        instance: options.instance,
        string_encoding: match options.encoding {
            0 => StringEncoding::Utf8,
            1 => StringEncoding::Utf16,
            2 => StringEncoding::CompactUtf16,
            other => return Err(Malformed(format!("there is no string encoding {other}"))),
        },
        memory: options.memory,
        realloc: options.realloc,
        post_return: options.post_return,
        is_async: false,
        callback: None,
        cancellable: false,
    })
}
