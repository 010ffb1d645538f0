//! `thread.new-indirect`: the functions of new threads, in a core module that is made here.
//!
//! A thread runs the function that its creator's table had when it was created, though the table may change before the thread starts. A
//! host that reads a table keeps each function that it finds until its store ends. So an instance of this module, one for each table,
//! copies the function to a table of its own, at a place by the thread's index, and calls it there.

use wasm_encoder::{
    BlockType, CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection,
    Module, RefType, TableSection, TableType, TypeSection, ValType,
};

use crate::component::ir::{AdapterFunc, CoreDef, CoreExport, Initializer, MOST_THREADS};
use crate::error::{Error, Result};
use airssys_wasm_abi::{CoreSignature, CoreType};

/// Parameters: an index in the guest's table, and a place in the other. Result: 0, or 1 for an index out of bounds, 2 for a null element, 3 if
/// there is no room for more functions.
const TAKE: &str = "take";
/// Parameters: the place, and the thread's argument.
const START: &str = "start";

/// The module's tables: the guest's, and that of the functions of threads.
const GUEST: u32 = 0;
const TAKEN: u32 = 1;

/// Creates the module's instance for a table; `module` is its index.
pub(super) fn initializer(module: usize, table: CoreExport) -> Result<Initializer> {
    Ok(Initializer::InstantiateModule {
        module: u32::try_from(module).map_err(|_| Error::bug("too many core modules"))?,
        args: vec![CoreDef::Export(table)],
    })
}

/// Returns the functions of an instance of the module: to take a function, and to start a thread.
pub(super) fn functions(instance: u32) -> [AdapterFunc; 2] {
    let function = |name: &str, results: &[CoreType]| AdapterFunc {
        export: CoreExport {
            instance,
            name: name.to_owned(),
        },
        signature: CoreSignature {
            params: vec![CoreType::I32; 2],
            results: results.to_vec(),
        },
    };
    [function(TAKE, &[CoreType::I32]), function(START, &[])]
}

/// Encodes the module.
pub(super) fn module() -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32; 2], [ValType::I32]);
    types.ty().function([ValType::I32; 2], []);
    types.ty().function([ValType::I32], []);
    let table = |maximum| TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: 0,
        maximum,
        shared: false,
    };
    let mut imports = ImportSection::new();
    imports.import("threads", "table", EntityType::Table(table(None)));
    let mut tables = TableSection::new();
    tables.table(table(Some(MOST_THREADS.into())));
    let mut functions = FunctionSection::new();
    functions.function(0).function(1);
    let mut code = CodeSection::new();
    code.function(&take()).function(&start());
    let mut exports = ExportSection::new();
    exports.export(TAKE, ExportKind::Func, 0);
    exports.export(START, ExportKind::Func, 1);
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions);
    module.section(&tables).section(&exports).section(&code);
    module.finish()
}

fn take() -> Function {
    let mut function = Function::new([(1, ValType::FUNCREF)]);
    let mut code = function.instructions();
    // The element is there, and is a function.
    code.local_get(0).table_size(GUEST).i32_ge_u();
    code.if_(BlockType::Empty).i32_const(1).return_().end();
    code.local_get(0).table_get(GUEST).local_tee(2).ref_is_null();
    code.if_(BlockType::Empty).i32_const(2).return_().end();
    code.local_get(1).table_size(TAKEN).i32_ge_u();
    code.if_(BlockType::Empty);
    code.ref_null(wasm_encoder::HeapType::FUNC);
    code.local_get(1)
        .i32_const(1)
        .i32_add()
        .table_size(TAKEN)
        .i32_sub();
    code.table_grow(TAKEN).i32_const(-1).i32_eq();
    code.if_(BlockType::Empty).i32_const(3).return_().end();
    code.end();
    code.local_get(1).local_get(2).table_set(TAKEN);
    code.i32_const(0).end();
    function
}

fn start() -> Function {
    let mut function = Function::new([]);
    let mut code = function.instructions();
    code.local_get(1).local_get(0).call_indirect(TAKEN, 2).end();
    function
}
