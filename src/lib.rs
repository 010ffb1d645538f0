//! airssys-wasm
