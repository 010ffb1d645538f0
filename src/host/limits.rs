//! Limits on the functions of `host-capabilities`.

use std::time::Duration;

/// Limits on one component's use of `host-capabilities`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostLimits {
    /// Bytes of a file that is read or written: more is `too-large`. Stops a guest that has the host read a file into all
    /// of its memory, or fills a disk with one call. Default 16 MiB.
    pub file_bytes: u64,
    /// Bytes of the body of an HTTP request, and of a response: more is `too-large`. Stops a body that never ends. Default
    /// 16 MiB.
    pub http_body_bytes: u64,
    /// Redirections of an HTTP request that are followed: more is `connection-failed`. With 0, redirections are returned
    /// like any other response. Stops servers that redirect forever. Default 10.
    pub http_redirects: u32,
    /// Time for an HTTP request, with its redirections, in a call that has no deadline. Stops servers that hold the thread
    /// forever. Default 60 s.
    pub http_time: Duration,
    /// Bytes of the arguments of a host function: more is `failed`. Stops guests that have the host parse all of their
    /// memory. Default 1 MiB.
    pub function_argument_bytes: usize,
    /// Bytes of the result of a host function: more is `failed`. Stops results that fill the guest's memory. Default
    /// 16 MiB.
    pub function_result_bytes: usize,
}

impl Default for HostLimits {
    fn default() -> HostLimits {
        HostLimits {
            file_bytes: 16 << 20,
            http_body_bytes: 16 << 20,
            http_redirects: 10,
            http_time: Duration::from_secs(60),
            function_argument_bytes: 1 << 20,
            function_result_bytes: 16 << 20,
        }
    }
}
