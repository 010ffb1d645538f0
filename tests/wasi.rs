//! WASI from a program's point of view, correct or misusing, on every backend: arguments control
//! `tests/guests/wasi-program`.

use airssys_wasm_test_support as common;
#[path = "wasi/datagrams.rs"]
mod datagrams;
#[path = "wasi/logging.rs"]
mod logging;
#[path = "wasi/misuse.rs"]
mod misuse;
#[path = "wasi/names.rs"]
mod names;
#[path = "wasi/policy.rs"]
mod policy;
#[path = "wasi/program.rs"]
mod program;
#[path = "wasi/surroundings.rs"]
mod surroundings;
#[path = "wasi/table.rs"]
mod table;
#[path = "wasi/tcp.rs"]
mod tcp;
#[path = "wasi/waiting.rs"]
mod waiting;
