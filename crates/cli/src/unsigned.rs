//! `--allow-unsigned`: native code without the signature of a trusted key.
#![allow(
    unsafe_code,
    reason = "the user declares trust in the file on the command line"
)]

use airssys_wasm::artifact::Trust;

/// Accepts artifacts without checking their signatures. Called for `--allow-unsigned` only.
pub(crate) fn trust() -> Trust {
    // SAFETY: with `--allow-unsigned`, the user has stated that the file comes from `airssys-wasm compile`.
    unsafe { Trust::unsigned() }
}
