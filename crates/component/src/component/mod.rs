//! The component model on wasmer: components, linkers, instances, functions, values and resources.
//!
//! Public names follow `wasmtime::component`, so that a port is mechanical. Functions are synchronous: a call
//! runs on the calling thread, which must own the store.
//!
//! ```
//! # extern crate airssys_wasm_component as airssys_wasm;
//! use airssys_wasm::component::{Component, Linker, Store};
//! use airssys_wasm::engine::Engine;
//!
//! # fn main() -> Result<(), airssys_wasm::Error> {
//! let engine = Engine::default();
//! // An empty component: nothing but the header.
//! let component = Component::from_binary(&engine, b"\0asm\x0d\0\x01\0")?;
//! let linker = Linker::new(&engine);
//! let mut store = Store::new(&engine, ());
//! let instance = linker.instantiate(&mut store, &component)?;
//! assert!(instance.get_func(&mut store, "run").is_none());
//! # Ok(())
//! # }
//! ```

use std::fmt::Write;

mod adapter_trap;
#[expect(clippy::module_inception, reason = "the component model's own noun")]
mod component;
mod core_call;
mod core_import;
mod crossing;
#[cfg(feature = "compile")]
mod features;
mod file;
mod func;
mod handles;
mod has_data;
mod host_func;
mod instance;
mod ir;
#[cfg(feature = "compile")]
mod knot;
mod linker;
mod lookup;
mod may_leave;
mod module;
mod module_type;
mod names;
mod notation;
#[cfg(feature = "compile")]
mod pack;
mod pool;
mod portable;
#[cfg(feature = "compile")]
mod post_return;
mod precompiled;
mod resolve;
mod resource;
mod same;
mod scope;
mod standard;
mod store;
mod text;
mod trampoline;
mod transcode;
#[cfg(feature = "compile")]
mod translate;
mod trap;
mod typed;
pub mod types;
#[cfg(feature = "compile")]
mod value_size;

pub use airssys_wasm_abi::{
    Case, EnumType, Field, FixedLengthListType, FlagsType, FuncType, RecordType, ResultType, Type,
    VariantType,
};
pub use airssys_wasm_macros::{ComponentType, Lift, Lower, bindgen};
pub use component::Component;
#[doc(hidden)]
pub use core_import::CoreCaller;
#[cfg(feature = "compile")]
#[doc(hidden)]
pub use features::is_valid;
pub use file::{MAX_FILE_BYTES, read_file, read_from};
pub use func::Func;
pub use has_data::{HasData, HasSelf};
pub use instance::Instance;
pub use ir::{ExternType, Function};
pub use linker::{HostResult, InstancePre, Linker, LinkerInstance};
pub use lookup::{ComponentExportIndex, ExportLookup};
pub use module::Module;
pub use module_type::{CoreExternType, CoreImport, CoreLimits, CoreValType, ModuleType};
pub use notation::TypeNames;
pub use pool::{InstancePool, PooledInstance};
pub(crate) use precompiled::{Precompiled, SavedModule};
pub use resource::{Resource, ResourceAny, ResourceTable, ResourceTableError, ResourceType};
#[doc(hidden)]
pub use standard::described;
#[doc(hidden)]
pub use store::Waiting;
pub use store::{AsContext, AsContextMut, Store, StoreContext, StoreContextMut};
#[doc(hidden)]
pub use trap::from_runtime as error_of;
#[doc(hidden)]
pub use trap::to_runtime as runtime_error;
#[doc(hidden)]
pub use typed::support;
pub use typed::{
    ComponentNamedList, ComponentType, FlatReader, FlatValues, GuestPtr, Layout, Lift, LiftContext, LiftList,
    Lower, LowerContext, LowerList, Plans, TypeCheck, TypeContext, TypedFunc,
};

pub use crate::flags;

/// A component value of any type. A list of bytes is a single [`Val::Bytes`](airssys_wasm_abi::Val::Bytes).
pub type Val = airssys_wasm_abi::Val<ResourceAny>;

/// Formats a function's type as WIT; text beyond a few thousand bytes is cut and ends with `…`.
pub fn display_func(ty: &FuncType) -> String {
    let mut text = text::Bounded::new(MAX_TYPE_TEXT);
    let written = (|| {
        text.write_str("func(")?;
        for (index, (name, ty)) in ty.params.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(text, "{comma}{name}: {ty}")?;
        }
        text.write_str(")")?;
        ty.result
            .as_ref()
            .map_or(Ok(()), |result| write!(text, " -> {result}"))
    })();
    text.finish(written)
}

/// Bytes of a type's text. Stops types that share their parts, whose text is far longer than they are.
const MAX_TYPE_TEXT: usize = 4096;
