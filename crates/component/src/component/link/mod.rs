//! Link time: what the host defines, and which import it fits.

mod alias;
pub(super) mod core_import;
pub(super) mod host_concurrent;
pub(super) mod host_func;
pub(super) mod linker;
pub(super) mod names;
pub(super) mod resolve;
pub(super) mod type_equality;
