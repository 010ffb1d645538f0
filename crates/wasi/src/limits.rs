//! What one component may take of the host through WASI.

use std::time::Duration;

/// Limits on a component's WASI. What would go beyond one gets the interface's own error where it has one, and a trap
/// where it has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WasiLimits {
    /// Resources that the component may have at once, of all kinds together. Stops a guest that opens a hundred thousand of
    /// them.
    pub resources: usize,
    /// Files and directories that the component may have open at once, directories that are being listed among them. Stops a
    /// guest that takes all descriptors of the process.
    pub descriptors: usize,
    /// Pollables in one call of `poll`. Stops a list of a million references to one pollable.
    pub poll_list: usize,
    /// Longest wait of a call that has no deadline. Stops a guest that holds its thread forever: it gets a trap.
    pub longest_wait: Duration,
    /// Bytes that one read of a stream gives, whatever it asks for. Stops a read of 2^64 - 1 bytes.
    pub read_bytes: usize,
    /// Bytes that one write to a stream may have. Stops a stream's buffer from taking all memory.
    pub write_bytes: usize,
    /// Random bytes that one call may ask for. Stops a request that keeps the host busy for hours.
    pub random_bytes: usize,
    /// Sockets that the component may have open at once. Stops a flood that takes all descriptors of the process.
    pub sockets: usize,
    /// Bytes that the system may keep for one socket in one direction, whatever the component asks for. Stops a hundred
    /// sockets from taking all of the system's memory.
    pub socket_buffer_bytes: usize,
    /// Bytes of a line of standard output or error in the host's log; the line goes on in the next entry. Stops a guest
    /// that fills memory with a line that never ends.
    pub log_line_bytes: usize,
}

impl Default for WasiLimits {
    fn default() -> WasiLimits {
        WasiLimits {
            resources: 10_000,
            descriptors: 1000,
            poll_list: 10_000,
            longest_wait: Duration::from_secs(3600),
            read_bytes: 64 << 10,
            write_bytes: 64 << 10,
            random_bytes: 16 << 20,
            sockets: 128,
            socket_buffer_bytes: 1 << 20,
            log_line_bytes: 4096,
        }
    }
}
