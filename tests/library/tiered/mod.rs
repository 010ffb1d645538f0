//! Tiered start: quick code at once, optimized code for later instances.

#[cfg(any(
    all(feature = "cranelift", feature = "llvm"),
    all(feature = "cranelift", feature = "singlepass"),
    all(feature = "llvm", feature = "singlepass"),
))]
use airssys_wasm_test_support::host as host_support;
#[cfg(any(
    all(feature = "cranelift", feature = "llvm"),
    all(feature = "cranelift", feature = "singlepass"),
    all(feature = "llvm", feature = "singlepass"),
))]
mod with_two;

use airssys_wasm::Error;
use airssys_wasm::engine::{Backend, Config, Engine};

#[test]
fn it_takes_two_compilers() {
    let chosen = Engine::new(Config::new().backend(Backend::Tiered));
    match Backend::available().len() {
        0 | 1 => assert!(matches!(chosen, Err(Error::OneCompiler { .. })), "{chosen:?}"),
        _ => {
            let engine = chosen.expect("there are two");
            assert!(!engine.starts().is_empty());
            for start in engine.starts() {
                assert_ne!(start.backend(), engine.backend());
                assert!(start.starts().is_empty());
            }
        }
    }
}
