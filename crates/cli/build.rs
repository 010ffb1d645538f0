//! Linking of the program: relocations in the compact form, where the system's loader reads it.
//!
//! The tables of a program that may be loaded anywhere hold a hundred thousand addresses, which the loader corrects at each start. In the
//! usual form (24 bytes each) it reads megabytes for that.

use std::env;
use std::process::Command;

/// The first version of glibc that reads compact relocations.
const GLIBC: (u32, u32) = (2, 36);

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if for_this_machine() && this_glibc().is_some_and(|version| version >= GLIBC) {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Reports whether the program is for a Linux with glibc of this machine's kind.
fn for_this_machine() -> bool {
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    is("CARGO_CFG_TARGET_OS", "linux")
        && is("CARGO_CFG_TARGET_ENV", "gnu")
        && env::var_os("TARGET") == env::var_os("HOST")
}

/// Returns the version of glibc on this machine, from `glibc 2.36`.
fn this_glibc() -> Option<(u32, u32)> {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
    let minor = minor.split('.').next()?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
