//! Sockets, with peers on this host.

mod guest;
mod policy;
mod tcp;
mod udp;

/// Results of functions: an error code is added to this.
const FAILED: u32 = 1_000_000;
const ACCESS_DENIED: u32 = FAILED;
const INVALID_ARGUMENT: u32 = FAILED + 2;
const INVALID_STATE: u32 = FAILED + 5;
const CONNECTION_REFUSED: u32 = FAILED + 9;
const CONNECTION_BROKEN: u32 = FAILED + 10;
const CONNECTION_RESET: u32 = FAILED + 11;
const DATAGRAM_TOO_LARGE: u32 = FAILED + 13;
const OTHER: u32 = FAILED + 14;

/// The result of a stream operation: the other end is dropped.
const DROPPED: u32 = 1;
/// The operation was cancelled.
const CANCELLED: u32 = 2;

/// The two halves of a result.
fn halves(packed: u32) -> (u32, u32) {
    (packed & 0xffff, packed >> 16)
}
