//! Limits on one component's use of the host through WASI.

use std::time::Duration;

/// Limits on a component's WASI. Exceeding one returns the interface's own error if it has one, and otherwise traps.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WasiLimits {
    /// Resources of the component at once, of all kinds together. Stops a guest that opens a hundred thousand of them.
    /// Default 10,000.
    pub resources: usize,
    /// Files and directories that the component has open at once, including directories that are being listed. Stops a
    /// guest that uses up the descriptors of the process. Default 1000.
    pub descriptors: usize,
    /// Pollables in one call of `poll`. Stops a list of a million references to one pollable. Default 10,000.
    pub poll_list: usize,
    /// Longest wait of a call that has no deadline; the guest then traps. Stops a guest that holds its thread forever. In WASI 0.3, a wait
    /// goes on if others of the component have ended meanwhile, and streams wait without this limit, since they hold no thread. Default one
    /// hour.
    pub longest_wait: Duration,
    /// Bytes that one read of a stream returns, whatever it asks for. Stops a read of 2^64 - 1 bytes. Default 64 KiB.
    pub read_bytes: usize,
    /// Bytes of one write to a stream. Stops a stream's buffer from using up memory. Default 64 KiB.
    pub write_bytes: usize,
    /// Random bytes that one call may ask for. Stops a request that keeps the host busy for hours. Default 16 MiB.
    pub random_bytes: usize,
    /// Sockets that the component has open at once. Stops a flood that uses up the descriptors of the process. Default
    /// 128.
    pub sockets: usize,
    /// Bytes that the system may buffer for one socket in one direction, whatever the component asks for. Stops a
    /// hundred sockets from using up the system's memory. Default 1 MiB.
    pub socket_buffer_bytes: usize,
    /// Bytes of a line of standard output or error in the host's log; a longer line continues in the next entry. Stops
    /// a guest that fills memory with a line that never ends. Default 4096.
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
