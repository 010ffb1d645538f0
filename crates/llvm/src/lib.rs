//! LLVM's C interface, from a shared library that is loaded when it is first needed.
//!
//! A program with LLVM linked into it relocates and initializes LLVM at each start, also when it compiles nothing: most of the
//! time and memory of a short run. So this crate defines the functions that wasmer's LLVM compiler links with, as jumps through a
//! table, and [`load`] fills the table from LLVM's shared library. It has to succeed before the first use of that compiler.
//!
//! On Linux with glibc on x86-64 and aarch64. Elsewhere LLVM is linked into the program, and [`load`] does nothing.

mod error;
#[cfg_attr(
    not(all(
        target_os = "linux",
        target_env = "gnu",
        any(target_arch = "x86_64", target_arch = "aarch64")
    )),
    path = "linked.rs"
)]
mod library;

pub use error::LoadError;
pub use library::{IS_SHARED, load};

/// File name of the shared library, which the system's loader searches for in its folders and in those of `LD_LIBRARY_PATH`.
pub const LIBRARY: &str = "libLLVM.so.22.1";
