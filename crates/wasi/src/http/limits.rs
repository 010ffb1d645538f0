//! What one component may take of the host through HTTP.

use std::time::Duration;

/// Limits on a component's HTTP, as client and as server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpLimits {
    /// Bytes that the fields of one message may have: names, values, and 32 for each value. What a guest adds beyond traps; a
    /// response from outside that has more is `HTTP-response-header-section-size`. Stops enormous headers.
    pub field_bytes: usize,
    /// Values that the fields of one message may have. Stops a million empty headers, whose look-up is what costs.
    pub fields: usize,
    /// As [`HttpLimits::field_bytes`], for all `fields` resources of the component together. Stops a guest that makes thousands
    /// of large ones.
    pub all_field_bytes: usize,
    /// Bytes that method, host and path of a request to be sent may have together: more is `HTTP-request-URI-too-long`.
    pub uri_bytes: usize,
    /// Bytes that a body from outside may have: more is `HTTP-request-body-size` or `HTTP-response-body-size`. Stops a body that
    /// never ends.
    pub incoming_body_bytes: u64,
    /// Bytes that a guest may write to one body. Stops a guest that sends forever.
    pub outgoing_body_bytes: u64,
    /// Bytes of a body that the host holds until they are sent. Stops a guest that writes faster than anybody reads.
    pub body_buffer_bytes: usize,
    /// Connections of the component that are open at once: more is `connection-limit-reached`.
    pub connections: usize,
    /// Time to connect, name look-up and TLS included: longer is `connection-timeout`. A guest can ask for less, never for more.
    pub connect_time: Duration,
    /// Time from the connection to the response's head: longer is `HTTP-response-timeout`. A guest can ask for less.
    pub first_byte_time: Duration,
    /// Time that a body may pause for while somebody waits for it: longer is `connection-read-timeout`. A guest can ask for less
    /// in responses. Stops the other side from holding a connection forever.
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
