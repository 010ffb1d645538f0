//! LLVM's shared library, loaded by several threads and called.
#![cfg(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
#![allow(unsafe_code, reason = "calls LLVM")]

use std::thread;

use airssys_wasm_llvm::{LIBRARY, LoadError, load};
use llvm_sys::core::{LLVMContextCreate, LLVMContextDispose, LLVMGetVersion};

#[test]
fn functions_are_those_of_the_library() {
    let loads: Vec<_> = (0..4).map(|_| thread::spawn(load)).collect();
    for load in loads {
        match load.join().expect("it does not panic") {
            Ok(()) => {}
            // Without LLVM on this machine, there is the error to check.
            Err(error @ LoadError::Library(_)) if std::env::var_os("AIRSSYS_REQUIRE_ALL").is_none() => {
                let text = error.to_string();
                assert!(text.contains(LIBRARY) && text.contains("cannot open"), "{text}");
                eprintln!("LEFT OUT: {text}");
                return;
            }
            Err(error) => panic!("{error}"),
        }
    }
    let (mut major, mut minor, mut patch) = (0, 0, 0);
    // SAFETY: It is loaded, and writes to three numbers.
    unsafe { LLVMGetVersion(&mut major, &mut minor, &mut patch) };
    assert_eq!((major, minor), (22, 1));
    // SAFETY: The context is disposed of once.
    unsafe {
        let context = LLVMContextCreate();
        assert!(!context.is_null());
        LLVMContextDispose(context);
    }
}
