//! Modules that are built with the WAI tools: the life cycle, what is refused, and what hostile ones cannot do.

mod host_support;
#[path = "wai/hostile.rs"]
mod hostile;
#[path = "wai/lifecycle.rs"]
mod lifecycle;
#[path = "wai/module.rs"]
mod module;
#[path = "wai/refused.rs"]
mod refused;
