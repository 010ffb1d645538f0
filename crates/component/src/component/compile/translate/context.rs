//! `context.get` and `context.set`, as functions of a core module that is made here.
//!
//! They read and write a task's own two values, which the host keeps in globals while the task runs.

use wasm_encoder::{
    CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, GlobalType, ImportSection,
    Module, TypeSection, ValType,
};
use wasmtime_environ::component::{Component, UnsafeIntrinsic};

use super::unsupported;
use crate::component::ir::{CoreDef, CoreExport, Initializer};
use crate::error::{Error, Result};

/// The intrinsics that the module serves, with the names of its functions: getter and setter for each value.
const FUNCTIONS: [(UnsafeIntrinsic, &str); 4] = [
    (UnsafeIntrinsic::ContextGetI32_0, "get-0"),
    (UnsafeIntrinsic::ContextSetI32_0, "set-0"),
    (UnsafeIntrinsic::ContextGetI32_1, "get-1"),
    (UnsafeIntrinsic::ContextSetI32_1, "set-1"),
];

/// Number of values.
const VALUES: u32 = 2;

/// Returns whether the component reads or writes values of its tasks.
pub(super) fn is_used(component: &Component) -> bool {
    FUNCTIONS.iter().any(|(intrinsic, _)| {
        let ty = component.unsafe_intrinsics.get(intrinsic.index() as usize);
        ty.is_some_and(|ty| ty.is_some())
    })
}

/// Returns the module's function for an intrinsic. Its instance is the component's first.
///
/// # Errors
/// [`Error::Unsupported`] for another intrinsic.
pub(super) fn function(intrinsic: UnsafeIntrinsic) -> Result<CoreExport> {
    let mut functions = FUNCTIONS.iter();
    let (_, name) = functions
        .find(|(served, _)| *served == intrinsic)
        .ok_or_else(|| unsupported("intrinsics of another runtime"))?;
    Ok(CoreExport {
        instance: 0,
        name: (*name).to_owned(),
    })
}

/// Creates the module's instance; `module` is its index.
pub(super) fn initializer(module: usize) -> Result<Initializer> {
    Ok(Initializer::InstantiateModule {
        module: u32::try_from(module).map_err(|_| Error::bug("too many core modules"))?,
        args: (0..VALUES).map(CoreDef::Context).collect(),
    })
}

/// Encodes the module.
pub(super) fn module() -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], [ValType::I32]);
    types.ty().function([ValType::I32], []);
    let (mut imports, mut functions) = (ImportSection::new(), FunctionSection::new());
    let mut code = CodeSection::new();
    for value in 0..VALUES {
        let global = GlobalType {
            val_type: ValType::I32,
            mutable: true,
            shared: false,
        };
        imports.import("context", &value.to_string(), EntityType::Global(global));
        let (mut get, mut set) = (Function::new([]), Function::new([]));
        get.instructions().global_get(value).end();
        set.instructions().local_get(0).global_set(value).end();
        for (ty, function) in [(0, get), (1, set)] {
            functions.function(ty);
            code.function(&function);
        }
    }
    let mut exports = ExportSection::new();
    for (index, (_, name)) in (0u32..).zip(FUNCTIONS) {
        exports.export(name, ExportKind::Func, index);
    }
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions);
    module.section(&exports).section(&code);
    module.finish()
}
