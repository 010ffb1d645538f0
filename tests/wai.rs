//! Modules that are built with the WAI tools: the life cycle, refusals, and hostile modules.

use airssys_wasm_test_support::host as host_support;
#[path = "wai/hostile.rs"]
mod hostile;
#[path = "wai/lifecycle.rs"]
mod lifecycle;
#[path = "wai/module.rs"]
mod module;
#[path = "wai/refused.rs"]
mod refused;
