//! Hand-written modules in a few lines of text, which no tool would generate.

/// The parts of a module; the rest returns zeros: success, healthy, empty metadata.
#[derive(Clone, Copy)]
pub(crate) struct Module {
    /// Functions that it imports.
    pub(crate) imports: &'static str,
    /// Its memory.
    pub(crate) memory: &'static str,
    /// The body of each function, which returns the address of its result.
    pub(crate) init: &'static str,
    pub(crate) execute: &'static str,
    pub(crate) metadata: &'static str,
    pub(crate) health: &'static str,
    pub(crate) codecs: &'static str,
    pub(crate) shutdown: &'static str,
    /// The body of `canonical_abi_realloc`, with the size as `local 3`.
    pub(crate) realloc: &'static str,
    /// The body of `canonical_abi_free`.
    pub(crate) free: &'static str,
    /// Further items of the module.
    pub(crate) more: &'static str,
}

const ZERO: &str = "i32.const 0";

impl Default for Module {
    fn default() -> Module {
        Module {
            imports: "",
            memory: "2 100",
            init: ZERO,
            execute: ZERO,
            metadata: ZERO,
            health: ZERO,
            codecs: ZERO,
            shutdown: ZERO,
            // Never frees, and starts over at the end.
            realloc:
                "(global.set $next (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const 65528)))
                (local.set 0 (i32.add (i32.const 65536) (global.get $next)))
                (global.set $next (i32.add (global.get $next) (local.get 3)))
                (local.get 0)",
            free: "",
            more: "",
        }
    }
}

impl Module {
    pub(crate) fn text(&self) -> String {
        let Module {
            imports,
            memory,
            init,
            execute,
            metadata,
            health,
            codecs,
            shutdown,
            realloc,
            free,
            more,
        } = self;
        format!(
            r#"(module
              {imports}
              (memory (export "memory") {memory})
              (global $next (mut i32) (i32.const 0))
              (func (export "canonical_abi_realloc") (param i32 i32 i32 i32) (result i32) {realloc})
              (func (export "canonical_abi_free") (param i32 i32 i32) {free})
              (func (export "init")
                (param i32 i32 i32 i32 i32 i64 i64 i32 i64 i32 i32) (result i32) {init})
              (func (export "execute") (param i32) (result i32) {execute})
              (func (export "metadata") (result i32) {metadata})
              (func (export "health") (result i32) {health})
              (func (export "supported-codecs") (result i32) {codecs})
              (func (export "shutdown") (result i32) {shutdown})
              {more})"#
        )
    }

    pub(crate) fn build(&self) -> Vec<u8> {
        binary(&self.text())
    }
}

pub(crate) fn binary(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}
