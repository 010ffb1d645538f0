//! Compile time: from the bytes of a component to [`Ir`](super::ir::Ir) and core modules.

mod async_adapters;
pub(super) mod features;
pub(super) mod packed_results;
pub(super) mod post_return;
pub(super) mod shim;
pub(super) mod translate;
mod unused_exports;
pub(super) mod value_size;
