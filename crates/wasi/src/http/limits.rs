//! Limits on one component's use of the host through HTTP.

use std::time::Duration;

/// Limits on a component's HTTP, as client and as server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpLimits {
    /// Bytes of the fields of one message: names, values, and 32 for each value. A guest that exceeds it traps; an
    /// incoming response that exceeds it fails with `HTTP-response-header-section-size`. Stops enormous headers.
    /// Default 64 KiB.
    pub field_bytes: usize,
    /// Values of the fields of one message. Stops a million empty headers, whose look-up is expensive. Default 256.
    pub fields: usize,
    /// As [`HttpLimits::field_bytes`], for all `fields` resources of the component together. Stops a guest that creates
    /// thousands of large ones. Default 4 MiB.
    pub all_field_bytes: usize,
    /// Bytes of the authority and the path of an outgoing request together: more is `HTTP-request-URI-too-long`. A
    /// method name may be as long; `set-method` refuses a longer one. Stops a guest that fills the host's memory and other
    /// servers' logs with enormous targets. Default 16 KiB.
    pub uri_bytes: usize,
    /// Bytes of an incoming body: more is `HTTP-request-body-size` or `HTTP-response-body-size`. Stops a body that
    /// never ends. Default 64 MiB.
    pub incoming_body_bytes: u64,
    /// Bytes that a guest may write to one body. Stops a guest that sends forever. Default 1 GiB.
    pub outgoing_body_bytes: u64,
    /// Bytes of a body that the host buffers until they are sent. Stops a guest that writes faster than the other side
    /// reads. Default 256 KiB.
    pub body_buffer_bytes: usize,
    /// Open connections of the component: more is `connection-limit-reached`. Stops a guest that uses up the descriptors of
    /// the process. Default 64.
    pub connections: usize,
    /// Time to connect, including name look-up and TLS: longer is `connection-timeout`. A guest can ask for less, never
    /// for more. Stops servers that do not respond from holding connections. Default 10 s.
    pub connect_time: Duration,
    /// Time from the connection to the response's head: longer is `HTTP-response-timeout`. A guest can ask for less.
    /// Stops servers that accept a request and never answer. Default 60 s.
    pub first_byte_time: Duration,
    /// Time that a body may pause while it is waited for: longer is `connection-read-timeout`. A guest can ask for less
    /// in responses. Stops the other side from holding a connection forever. Default 30 s.
    pub between_bytes_time: Duration,
}

impl Default for HttpLimits {
    fn default() -> HttpLimits {
        HttpLimits {
            field_bytes: 64 << 10,
            fields: 256,
            all_field_bytes: 4 << 20,
            uri_bytes: 16 << 10,
            incoming_body_bytes: 64 << 20,
            outgoing_body_bytes: 1 << 30,
            body_buffer_bytes: 256 << 10,
            connections: 64,
            connect_time: Duration::from_secs(10),
            first_byte_time: Duration::from_secs(60),
            between_bytes_time: Duration::from_secs(30),
        }
    }
}
