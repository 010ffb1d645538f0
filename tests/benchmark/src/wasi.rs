//! The WASI functions that the large guests call, with the least behavior. Their other imports trap.

use std::sync::LazyLock;
use std::time::Instant;

/// The versions that they import: the newer for JavaScript, the older for Python.
pub(crate) const VERSIONS: [&str; 2] = ["0.2.12", "0.2.9"];

/// `wasi:clocks/monotonic-clock#now`: returns the nanoseconds since the first call.
pub(crate) fn now() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// `wasi:random/random#get-random-bytes`: returns the same bytes each time, so that every call has the same work.
pub(crate) fn random_bytes(length: u64) -> Vec<u8> {
    // No guest requests more than a few kibibytes; one that does gets fewer, and notices.
    (0..=250).cycle().take(length.min(1 << 16) as usize).collect()
}

/// Defines them in a linker of airssys-wasm or of wasmtime; the matching `StoreContextMut` must be in scope.
macro_rules! wasi {
    ($linker:ident) => {
        for version in $crate::wasi::VERSIONS {
            $linker
                .instance(&format!("wasi:clocks/monotonic-clock@{version}"))?
                .func_wrap("now", |_: StoreContextMut<'_, Host>, (): ()| {
                    Ok(($crate::wasi::now(),))
                })?;
            $linker
                .instance(&format!("wasi:random/random@{version}"))?
                .func_wrap(
                    "get-random-bytes",
                    |_: StoreContextMut<'_, Host>, (length,): (u64,)| {
                        Ok(($crate::wasi::random_bytes(length),))
                    },
                )?;
            let mut environment = $linker.instance(&format!("wasi:cli/environment@{version}"))?;
            environment.func_wrap("get-environment", |_: StoreContextMut<'_, Host>, (): ()| {
                Ok((Vec::<(String, String)>::new(),))
            })?;
            environment.func_wrap("get-arguments", |_: StoreContextMut<'_, Host>, (): ()| {
                Ok((Vec::<String>::new(),))
            })?;
        }
    };
}
