//! `wasi:random` 0.3.

use airssys_wasm_component::component::HostResult;

use super::bindings::wasi::random::{insecure, insecure_seed, random};
use crate::WasiCtx;
use crate::io::beyond;
use crate::random::{exactly, number};

/// Returns as many bytes as were asked for, and at most `most`: the caller asks again for the rest.
fn bytes(max_len: u64, most: usize) -> HostResult<Vec<u8>> {
    if max_len > 0 && most == 0 {
        return Err(beyond("random bytes were requested, and the limit is 0").into());
    }
    exactly(usize::try_from(max_len).map_or(most, |len| len.min(most)))
}

impl random::Host for WasiCtx {
    fn get_random_bytes(&mut self, max_len: u64) -> HostResult<Vec<u8>> {
        bytes(max_len, self.limits.random_bytes)
    }

    fn get_random_u64(&mut self) -> HostResult<u64> {
        number()
    }
}

impl insecure::Host for WasiCtx {
    fn get_insecure_random_bytes(&mut self, max_len: u64) -> HostResult<Vec<u8>> {
        bytes(max_len, self.limits.random_bytes)
    }

    fn get_insecure_random_u64(&mut self) -> HostResult<u64> {
        number()
    }
}

impl insecure_seed::Host for WasiCtx {
    fn get_insecure_seed(&mut self) -> HostResult<(u64, u64)> {
        self.hash_seed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_requests_are_cut_and_never_empty() {
        assert_eq!(bytes(0, 8).unwrap(), b"");
        assert_eq!(bytes(8, 8).unwrap().len(), 8);
        assert_eq!(bytes(9, 8).unwrap().len(), 8);
        assert_eq!(bytes(u64::MAX, 8).unwrap().len(), 8);
        assert_ne!(bytes(8, 8).unwrap(), bytes(8, 8).unwrap());
        assert!(bytes(1, 0).is_err());
        assert_eq!(bytes(0, 0).unwrap(), b"");
    }
}
