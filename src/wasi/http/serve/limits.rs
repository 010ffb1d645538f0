//! What clients may take of a server.

use std::time::Duration;

use crate::engine::StoreLimits;

/// Limits of a [`Server`](super::Server).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServeLimits {
    /// Connections at once; more wait to be accepted. Stops a flood from taking all descriptors.
    pub connections: usize,
    /// Requests that wait for a thread; more get 503. Stops a queue whose end nobody waits for any more.
    pub queue: usize,
    /// Threads that run the component, and so requests that it answers at once. There is one for each processor first, more
    /// come while requests wait because those are held up, and go again.
    pub threads: usize,
    /// Instances that are kept for later requests, each as it is when it is new ([`InstancePool`](crate::component::InstancePool));
    /// 0 makes one for each request.
    pub instances: usize,
    /// Time for one request, from when the component begins with it: the component is stopped then, and the answer is 504, or
    /// cut off if it was begun. Stops a component that never ends.
    pub request_time: Duration,
    /// Bytes of a request's head; more is 431. Stops enormous headers.
    pub head_bytes: usize,
    /// Fields of a request's head; more is 431.
    pub fields: usize,
    /// Time for a request's head to come, and for a connection to be idle. Stops clients that send a byte a minute.
    pub head_time: Duration,
    /// Bytes of a request's body: the component gets `HTTP-request-body-size`, or the client 413 if it says so ahead. Stops a
    /// body that never ends.
    pub body_bytes: u64,
    /// Time that a request's body may pause for while the component waits. Stops slow senders.
    pub read_time: Duration,
    /// Time that a client may take nothing for of what is sent. Stops slow readers.
    pub write_time: Duration,
    /// Time that requests in flight have to end in when the server shuts down.
    pub drain_time: Duration,
    /// What one instance may take.
    pub store: StoreLimits,
}

impl Default for ServeLimits {
    fn default() -> ServeLimits {
        ServeLimits {
            connections: 1024,
            queue: 1024,
            threads: 64,
            instances: 16,
            request_time: Duration::from_secs(30),
            head_bytes: 64 << 10,
            fields: 100,
            head_time: Duration::from_secs(15),
            body_bytes: 64 << 20,
            read_time: Duration::from_secs(15),
            write_time: Duration::from_secs(30),
            drain_time: Duration::from_secs(10),
            store: StoreLimits::default(),
        }
    }
}
