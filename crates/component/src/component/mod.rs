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

mod call;
#[cfg(feature = "compile")]
mod compile;
#[expect(clippy::module_inception, reason = "the component model's own noun")]
mod component;
mod concurrent;
mod has_data;
mod instance;
mod ir;
mod link;
mod load;
mod notation;
mod resource;
mod standard;
mod store;
mod text;
pub mod types;

pub use airssys_wasm_abi::{
    Case, EnumType, Field, FixedLengthListType, FlagsType, FuncType, RecordType, ResultType, TransmitType,
    Type, VariantType,
};
pub use airssys_wasm_macros::{ComponentType, Lift, Lower, bindgen};
pub use call::func::Func;
#[doc(hidden)]
pub use call::trap::from_runtime as error_of;
#[doc(hidden)]
pub use call::trap::to_runtime as runtime_error;
#[doc(hidden)]
pub use call::typed::support;
pub use call::typed::{
    ComponentNamedList, ComponentType, FlatReader, FlatValues, GuestPtr, Layout, Lift, LiftContext, LiftList,
    Lower, LowerContext, LowerList, Plans, TypeCheck, TypeContext, TypedFunc,
};
#[cfg(feature = "compile")]
#[doc(hidden)]
pub use compile::features::is_valid;
pub use component::Component;
#[doc(hidden)]
pub use concurrent::ConcurrencyCounts;
#[doc(hidden)]
pub use concurrent::host::Aborts;
pub use concurrent::host::{
    Access, Accessor, AccessorTask, AsAccessor, CallTask, Destination, DirectDestination, DirectSource,
    FutureAny, FutureConsumer, FutureProducer, FutureReader, JoinHandle, ReadBuffer, Source, StreamAny,
    StreamConsumer, StreamProducer, StreamReader, StreamResult, VecBuffer, WriteBuffer,
};
pub use has_data::{HasData, HasSelf};
pub use instance::Instance;
pub use instance::lookup::{ComponentExportIndex, ExportLookup};
#[doc(hidden)]
pub use instance::memory_hook::InstanceHook;
pub use instance::pool::{InstancePool, PooledInstance};
pub use ir::{ExternType, Function};
#[doc(hidden)]
pub use link::core_import::CoreCaller;
pub use link::linker::{HostResult, InstancePre, Linker, LinkerInstance};
pub use load::file::{MAX_FILE_BYTES, read_file, read_from};
pub use load::module::Module;
pub use load::module_type::{CoreExternType, CoreImport, CoreLimits, CoreValType, ModuleType};
pub(crate) use load::precompiled::{Precompiled, SavedModule};
pub use notation::TypeNames;
pub use resource::{Resource, ResourceAny, ResourceTable, ResourceTableError, ResourceType};
#[doc(hidden)]
pub use standard::described;
pub use store::{AsContext, AsContextMut, Store, StoreContext, StoreContextMut};

pub use crate::flags;

/// A component value of any type. A list of bytes is a single [`Val::Bytes`](airssys_wasm_abi::Val::Bytes).
pub type Val = airssys_wasm_abi::Val<ResourceAny, StreamAny, FutureAny>;

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
