//! Limits on what clients may use of a server.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use airssys_wasm_component::engine::StoreLimits;

/// Limits of a [`Server`](super::Server). [`ServeLimits::check`] checks their ranges.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServeLimits {
    /// Open connections. For another one, the connection closes that has been without a request for longest; if all
    /// have requests, the new one waits. Stops a flood from using all descriptors. Default 1024, from 1 to 65,536.
    pub connections: usize,
    /// Requests that wait for a thread, beside those that can begin at once; more get 503, unless clients of some have left. Stops a queue
    /// that grows faster than requests are answered. Default 1024, from 0 to 1,048,576.
    pub queue: usize,
    /// Threads for requests that have arrived completely, and so the number of such requests that are answered at once.
    /// Stops a flood of requests, or a slow component, from occupying the whole host.
    /// There is first one per processor; more start while requests wait, and end when idle. Default 64, from 1 to 4096.
    pub threads: usize,
    /// Threads for requests that wait for their client: the body has not arrived completely, or the client reads the
    /// response slowly. Keeps clients that send or read a byte now and then from blocking the threads of the others.
    /// Default 64, from 1 to 4096.
    pub slow_threads: usize,
    /// Instances that are kept for later requests, each reset to its initial state
    /// ([`InstancePool`](airssys_wasm_component::component::InstancePool)); 0 creates one for each request. Instances of
    /// components of 0.3 are kept as they are, each with its thread. Stops idle instances from filling memory. Default 16, from 0 to 4096.
    pub instances: usize,
    /// Requests that an instance of a component of 0.3 answers at a time; more get another instance, up to [`ServeLimits::threads`] of them. Stops
    /// one instance from having all requests, so that a trap cuts off few. Default 16, from 1 to 4096.
    pub instance_concurrency: usize,
    /// Requests that an instance of a component of 0.3 answers in total; then it ends. Stops a component that leaks memory from filling it.
    /// Default 128, from 1 to 1,048,576.
    pub instance_requests: usize,
    /// Time for one request, from the start of the component: then the component is stopped, and the answer is 504, or
    /// is cut off if it was started. Stops a component that never ends. A request that waits as long to start gets 503.
    /// Default 30 s, from 1 ms to a day, as for all times here.
    pub request_time: Duration,
    /// Bytes of the fields of a request's head; more is 431. Stops enormous headers. Default 65,536, from 1024 to
    /// 16,777,216.
    pub head_bytes: usize,
    /// Fields of a request's head; more is 431. Stops a million empty fields. Default 100, from 1 to 10,000.
    pub fields: usize,
    /// Bytes of a request's target; more is 414. Stops enormous targets. Default 16,384, from 64 to 65,534.
    pub target_bytes: usize,
    /// Time for a request's head to arrive, and for a connection to be idle. Stops clients that send a byte a minute.
    /// Default 15 s.
    pub head_time: Duration,
    /// Bytes of a request's body: the component gets `HTTP-request-body-size` for more, or the client gets 413 if the
    /// head declares more. Stops a body that never ends. Default 64 MiB, any value.
    pub body_bytes: u64,
    /// Bytes of a request's body that are read before it has a thread. A body that fits uses no thread while it
    /// arrives. Stops waiting requests from filling memory with their bodies. Default 65,536, from 0 to 16,777,216.
    pub ahead_bytes: usize,
    /// Time that a request's body may pause while it is waited for; longer is 408. Stops clients that go silent.
    /// Default 15 s.
    pub read_time: Duration,
    /// Bytes per second of a request's body, on average over [`ServeLimits::read_time`] of waiting for it; less is 408.
    /// Stops clients that send a byte now and then. Default 256, from 0, which accepts any rate, to 1,048,576.
    pub read_rate: u64,
    /// Time that a client may pause in reading a response. Stops clients that never read. Default 30 s.
    pub write_time: Duration,
    /// Bytes per second that a client reads, on average over [`ServeLimits::write_time`] of waiting for it. Stops
    /// clients that read a byte now and then. Default 256, from 0, which accepts any rate, to 1,048,576.
    pub write_rate: u64,
    /// Time for the component's answer once the client has closed its side of the connection: the client may wait for
    /// the answer, or be gone. After it, the answer is 504. Stops clients that ask and leave. Default 10 s.
    pub half_closed_time: Duration,
    /// Time for requests in flight to end when the server shuts down. Stops requests that would delay the shutdown
    /// forever. Default 10 s, from 0 to a day.
    pub drain_time: Duration,
    /// Limits of one instance's store.
    pub store: StoreLimits,
}

impl Default for ServeLimits {
    fn default() -> ServeLimits {
        ServeLimits {
            connections: 1024,
            queue: 1024,
            threads: 64,
            slow_threads: 64,
            instances: 16,
            instance_concurrency: 16,
            instance_requests: 128,
            request_time: Duration::from_secs(30),
            head_bytes: 64 << 10,
            fields: 100,
            target_bytes: 16 << 10,
            head_time: Duration::from_secs(15),
            body_bytes: 64 << 20,
            ahead_bytes: 64 << 10,
            read_time: Duration::from_secs(15),
            read_rate: 256,
            write_time: Duration::from_secs(30),
            write_rate: 256,
            half_closed_time: Duration::from_secs(10),
            drain_time: Duration::from_secs(10),
            store: StoreLimits::default(),
        }
    }
}

/// A limit that is out of its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitError {
    name: &'static str,
    value: u128,
    least: u64,
    most: u64,
    unit: &'static str,
}

impl LimitError {
    /// Returns the name of the field of [`ServeLimits`].
    pub fn name(&self) -> &'static str {
        self.name
    }
}

impl fmt::Display for LimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LimitError {
            name,
            value,
            least,
            most,
            unit,
        } = self;
        write!(
            f,
            "`{name}` is {value}{unit}, but must be from {least} to {most}{unit}"
        )
    }
}

impl std::error::Error for LimitError {}

impl ServeLimits {
    /// Range of [`ServeLimits::connections`].
    pub const CONNECTIONS: RangeInclusive<u64> = 1..=65_536;
    /// Range of [`ServeLimits::queue`].
    pub const QUEUE: RangeInclusive<u64> = 0..=1_048_576;
    /// Range of [`ServeLimits::threads`] and [`ServeLimits::slow_threads`].
    pub const THREADS: RangeInclusive<u64> = 1..=4096;
    /// Range of [`ServeLimits::instances`].
    pub const INSTANCES: RangeInclusive<u64> = 0..=4096;
    /// Range of [`ServeLimits::instance_concurrency`].
    pub const INSTANCE_CONCURRENCY: RangeInclusive<u64> = 1..=4096;
    /// Range of [`ServeLimits::instance_requests`].
    pub const INSTANCE_REQUESTS: RangeInclusive<u64> = 1..=1_048_576;
    /// Range of times, in milliseconds.
    pub const MILLIS: RangeInclusive<u64> = 1..=86_400_000;
    /// Range of [`ServeLimits::head_bytes`].
    pub const HEAD_BYTES: RangeInclusive<u64> = 1024..=16_777_216;
    /// Range of [`ServeLimits::fields`].
    pub const FIELDS: RangeInclusive<u64> = 1..=10_000;
    /// Range of [`ServeLimits::target_bytes`].
    pub const TARGET_BYTES: RangeInclusive<u64> = 64..=65_534;
    /// Range of [`ServeLimits::ahead_bytes`].
    pub const AHEAD_BYTES: RangeInclusive<u64> = 0..=16_777_216;
    /// Range of [`ServeLimits::read_rate`] and [`ServeLimits::write_rate`].
    pub const RATE: RangeInclusive<u64> = 0..=1_048_576;

    /// Returns the requests that an instance of a component of 0.3 answers in total: one if no instances are kept.
    pub(super) fn requests_of_instance(&self) -> usize {
        match self.instances {
            0 => 1,
            _ => self.instance_requests,
        }
    }

    /// Checks that each limit is in its range.
    ///
    /// # Errors
    /// The first limit that is not.
    pub fn check(&self) -> Result<(), LimitError> {
        let wide = |value: usize| u128::try_from(value).unwrap_or(u128::MAX);
        let numbers = [
            ("connections", wide(self.connections), Self::CONNECTIONS),
            ("queue", wide(self.queue), Self::QUEUE),
            ("threads", wide(self.threads), Self::THREADS),
            ("slow_threads", wide(self.slow_threads), Self::THREADS),
            ("instances", wide(self.instances), Self::INSTANCES),
            (
                "instance_concurrency",
                wide(self.instance_concurrency),
                Self::INSTANCE_CONCURRENCY,
            ),
            (
                "instance_requests",
                wide(self.instance_requests),
                Self::INSTANCE_REQUESTS,
            ),
            ("head_bytes", wide(self.head_bytes), Self::HEAD_BYTES),
            ("fields", wide(self.fields), Self::FIELDS),
            ("target_bytes", wide(self.target_bytes), Self::TARGET_BYTES),
            ("ahead_bytes", wide(self.ahead_bytes), Self::AHEAD_BYTES),
            ("read_rate", self.read_rate.into(), Self::RATE),
            ("write_rate", self.write_rate.into(), Self::RATE),
        ];
        for (name, value, range) in numbers {
            within(name, value, range, "")?;
        }
        let times = [
            ("request_time", self.request_time),
            ("head_time", self.head_time),
            ("read_time", self.read_time),
            ("write_time", self.write_time),
            ("half_closed_time", self.half_closed_time),
        ];
        for (name, time) in times {
            within(name, time.as_millis(), Self::MILLIS, " ms")?;
        }
        within(
            "drain_time",
            self.drain_time.as_millis(),
            0..=*Self::MILLIS.end(),
            " ms",
        )
    }
}

fn within(
    name: &'static str,
    value: u128,
    range: RangeInclusive<u64>,
    unit: &'static str,
) -> Result<(), LimitError> {
    let (least, most) = range.into_inner();
    match (u128::from(least)..=u128::from(most)).contains(&value) {
        true => Ok(()),
        false => Err(LimitError {
            name,
            value,
            least,
            most,
            unit,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_within_their_ranges() {
        assert_eq!(ServeLimits::default().check(), Ok(()));
    }

    #[test]
    fn an_error_says_which_limit_and_what_it_may_be() {
        let limits = ServeLimits {
            connections: usize::MAX,
            ..ServeLimits::default()
        };
        let error = limits.check().unwrap_err();
        assert_eq!(error.name(), "connections");
        let text = format!("`connections` is {}, but must be from 1 to 65536", usize::MAX);
        assert_eq!(error.to_string(), text);
        let limits = ServeLimits {
            head_time: Duration::MAX,
            ..ServeLimits::default()
        };
        let text = limits.check().unwrap_err().to_string();
        assert!(text.ends_with(" ms, but must be from 1 to 86400000 ms"), "{text}");
    }
}
