//! Load time: components and core modules out of files, and their form in artifacts.

pub(super) mod file;
pub(super) mod module;
pub(super) mod module_type;
pub(super) mod portable;
pub(super) mod precompiled;
