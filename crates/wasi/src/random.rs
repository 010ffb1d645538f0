//! `wasi:random`. All random numbers come from the system's generator, including those that may be insecure.

use super::WasiCtx;
use super::bindings::wasi::random::{insecure, insecure_seed, random};
use super::io::beyond;
use airssys_wasm_component::component::HostResult;

fn bytes(len: u64, most: usize) -> HostResult<Vec<u8>> {
    let len = usize::try_from(len)
        .ok()
        .filter(|len| *len <= most)
        .ok_or_else(|| {
            beyond(format!(
                "{len} random bytes were requested at once, more than the limit of {most}"
            ))
        })?;
    exactly(len)
}

/// Returns this number of random bytes.
///
/// # Errors
/// If the system has no generator.
pub(crate) fn exactly(len: usize) -> HostResult<Vec<u8>> {
    let mut bytes = vec![0; len];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// Returns a random number.
///
/// # Errors
/// If the system has no generator.
pub(crate) fn number() -> HostResult<u64> {
    Ok(getrandom::u64()?)
}

impl random::Host for WasiCtx {
    fn get_random_bytes(&mut self, len: u64) -> HostResult<Vec<u8>> {
        bytes(len, self.limits.random_bytes)
    }

    fn get_random_u64(&mut self) -> HostResult<u64> {
        number()
    }
}

impl insecure::Host for WasiCtx {
    fn get_insecure_random_bytes(&mut self, len: u64) -> HostResult<Vec<u8>> {
        bytes(len, self.limits.random_bytes)
    }

    fn get_insecure_random_u64(&mut self) -> HostResult<u64> {
        number()
    }
}

impl WasiCtx {
    /// Returns the same seed for the component's whole life, as hash tables require.
    pub(crate) fn hash_seed(&mut self) -> HostResult<(u64, u64)> {
        let seed = match self.seed {
            Some(seed) => seed,
            None => (number()?, number()?),
        };
        self.seed = Some(seed);
        Ok(seed)
    }
}

impl insecure_seed::Host for WasiCtx {
    fn insecure_seed(&mut self) -> HostResult<(u64, u64)> {
        self.hash_seed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_bounded() {
        assert_eq!(bytes(0, 8).unwrap(), b"");
        assert_ne!(bytes(8, 8).unwrap(), bytes(8, 8).unwrap());
        assert!(bytes(9, 8).is_err());
        assert!(bytes(u64::MAX, 8).is_err());
    }
}
