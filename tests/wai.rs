//! Modules that are built with the WAI tools: the life cycle, what is refused, and what hostile ones cannot do.

use airssys_wasm_test_support::host as host_support;
#[path = "wai/hostile.rs"]
mod hostile;
#[path = "wai/lifecycle.rs"]
mod lifecycle;
#[path = "wai/module.rs"]
mod module;
#[path = "wai/refused.rs"]
mod refused;
