//! Components of the contract that attack their host.

use airssys_wasm::runtime::{Call, Payload};
use airssys_wasm_test_support::host::Guest;

/// An attack, and how it must end.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    pub(crate) guest: fn() -> Guest<'static>,
    pub(crate) ended: Ended,
}

/// How an attack ends, and what it leaves.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ended {
    /// It is not loaded, since a start function was stopped at its time.
    NotLoaded,
    /// It is stopped at its time, in this call.
    Timeout(Call),
    /// It is stopped in `execute`, by an error with these words.
    Stopped(&'static str),
    /// A payload of `execute` is too large; the component keeps running.
    Refused(Payload),
    /// It finds its limit and answers this number: it traps if it got another error than that of the limit.
    Answers(u32),
    /// It answers how many messages the neighbor's mailbox accepted.
    Delivers(u32),
    /// It answers how many lines it wrote: at most so many reach the log in one second, the rest is counted.
    Logs(u32),
}

/// Open files, and sockets, of an attacker.
pub(crate) const OPEN: u32 = 20;
/// Lines of an attacker's log in one second, and their bytes.
pub(crate) const LINES: u32 = 100;
pub(crate) const LOG_BYTES: u32 = 64 << 10;
/// Messages that wait for the neighbor, and their bytes.
pub(crate) const MESSAGES: u32 = 100;
pub(crate) const MESSAGE_BYTES: u32 = 1 << 20;
/// Bytes of a payload of an attacker.
pub(crate) const PAYLOAD_BYTES: usize = 3 << 20;
/// The operation that is sent to each attacker, and one byte more than a payload may have.
pub(crate) const OPERATION: usize = 1;
pub(crate) const LARGE_OPERATION: usize = PAYLOAD_BYTES + 1;

/// A component that answers how many messages it received, and uses its whole memory of 2 MiB.
pub(crate) fn neighbor() -> Guest<'static> {
    Guest {
        execute: r#"(local $count i32)
            (global.set $next (i32.const 65536))
            (block $end (loop $again
                (call $receive-message (i32.const 4096))
                (if (i32.load8_u (i32.const 4096)) (then unreachable))
                (br_if $end (i32.eqz (i32.load8_u offset=8 (i32.const 4096))))
                (local.set $count (i32.add (local.get $count) (i32.const 1)))
                (br $again)))
            (memory.fill (i32.const 65536) (i32.const 7) (i32.const 0x1f0000))
            (call $answer (local.get $count))"#,
        ..Guest::default()
    }
}

const LOOP: &str = "(loop $again (br $again)) unreachable";

/// Sends messages of `$size` bytes to the neighbor until its mailbox is full, and answers their number.
const SEND: &str = r#"(data (i32.const 2048) "neighbor")
    (func $flood (param $size i32) (result i32) (local $count i32)
        (block $full (loop $again
            (call $send-message (i32.const 2048) (i32.const 8) (i32.const 65536) (local.get $size) (i32.const 4096))
            (br_if $full (i32.load8_u (i32.const 4096)))
            (local.set $count (i32.add (local.get $count) (i32.const 1)))
            (br $again)))
        (if (i32.ne (i32.load8_u (i32.const 4104)) (i32.const 1)) (then unreachable))
        (call $answer (local.get $count)))"#;

/// Writes `$count` lines of `$size` bytes, and answers their number.
const LOG: &str = r#"(data (i32.const 2048) "flood")
    (func $flood (param $count i32) (param $size i32) (result i32) (local $left i32)
        (local.set $left (local.get $count))
        (loop $again
            (call $log (i32.const 4) (i32.const 2048) (local.get $size) (i32.const 0) (i32.const 0) (i32.const 0))
            (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (call $answer (local.get $count)))"#;

/// Answers with all of its memory, once that has as many pages.
const BOMB: &str = r#"
    (func $bomb (param $pages i32) (result i32)
        (drop (memory.grow (i32.sub (local.get $pages) (memory.size))))
        (i32.store offset=8 (i32.const 2048) (i32.const 0))
        (i32.store offset=12 (i32.const 2048) (i32.mul (local.get $pages) (i32.const 65536)))
        (i32.const 2048))"#;

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "a loop in a component's start function",
        guest: || Guest {
            more: "(func $start (loop $again (br $again))) (start $start)",
            ..Guest::default()
        },
        ended: Ended::NotLoaded,
    },
    Attack {
        name: "a loop in metadata",
        guest: || Guest {
            metadata: LOOP,
            ..Guest::default()
        },
        ended: Ended::Timeout(Call::Metadata),
    },
    Attack {
        name: "a loop in init",
        guest: || Guest {
            init: LOOP,
            ..Guest::default()
        },
        ended: Ended::Timeout(Call::Init),
    },
    Attack {
        name: "a loop in execute",
        guest: || Guest {
            execute: LOOP,
            ..Guest::default()
        },
        ended: Ended::Timeout(Call::Execute),
    },
    Attack {
        name: "a loop in health",
        guest: || Guest {
            health: LOOP,
            ..Guest::default()
        },
        ended: Ended::Timeout(Call::Health),
    },
    Attack {
        name: "a loop in shutdown",
        guest: || Guest {
            shutdown: LOOP,
            ..Guest::default()
        },
        ended: Ended::Timeout(Call::Shutdown),
    },
    Attack {
        name: "a loop of log lines",
        guest: || Guest {
            execute: r#"(loop $again
                (call $log (i32.const 4) (i32.const 2048) (i32.const 9) (i32.const 0) (i32.const 0) (i32.const 0))
                (br $again)) unreachable"#,
            ..Guest::default()
        },
        ended: Ended::Timeout(Call::Execute),
    },
    Attack {
        name: "a flood of log lines",
        guest: || Guest {
            execute: "(call $flood (i32.const 20000) (i32.const 5))",
            more: LOG,
            ..Guest::default()
        },
        ended: Ended::Logs(LINES),
    },
    Attack {
        name: "a flood of long log lines",
        guest: || Guest {
            execute: "(call $flood (i32.const 5000) (i32.const 4096))",
            more: LOG,
            ..Guest::default()
        },
        ended: Ended::Logs(LOG_BYTES / 4096),
    },
    Attack {
        name: "a flood of messages",
        guest: || Guest {
            execute: "(call $flood (i32.const 1))",
            more: SEND,
            ..Guest::default()
        },
        ended: Ended::Delivers(MESSAGES),
    },
    Attack {
        name: "a flood of large messages",
        guest: || Guest {
            execute: "(call $flood (i32.const 61440))",
            more: SEND,
            ..Guest::default()
        },
        ended: Ended::Delivers(MESSAGE_BYTES / 61440),
    },
    Attack {
        name: "an answer beyond the limit of payloads",
        guest: || Guest {
            execute: "(call $bomb (i32.const 50))",
            more: BOMB,
            ..Guest::default()
        },
        ended: Ended::Refused(Payload::Answer),
    },
    Attack {
        name: "an answer beyond the limit of lifted bytes",
        guest: || Guest {
            execute: "(call $bomb (i32.const 250))",
            more: BOMB,
            ..Guest::default()
        },
        ended: Ended::Stopped("lift_bytes"),
    },
    Attack {
        name: "an operation beyond the limit of payloads",
        guest: Guest::default,
        ended: Ended::Refused(Payload::Operation),
    },
    Attack {
        name: "an operation that has no room in the component",
        // The allocator's addresses end behind the memory.
        guest: || Guest {
            init: "(global.set $next (i32.const 0x1fffff)) i32.const 0",
            ..Guest::default()
        },
        ended: Ended::Stopped("realloc"),
    },
    Attack {
        name: "a payload for the host to decode beyond the limit of lifted bytes",
        guest: || Guest {
            execute: r#"(drop (memory.grow (i32.const 100)))
                (call $decode (i32.const 0) (i32.const 0x500000) (i32.const 4096)) unreachable"#,
            ..Guest::default()
        },
        ended: Ended::Stopped("lift_bytes"),
    },
    Attack {
        name: "open files of a component without end",
        guest: || Guest {
            execute: r#"(local $folder i32) (local $count i32)
                (call $directories (i32.const 4096))
                (if (i32.ne (i32.load offset=4 (i32.const 4096)) (i32.const 1)) (then unreachable))
                (local.set $folder (i32.load (i32.load (i32.const 4096))))
                (block $end (loop $again
                    (call $open-at (local.get $folder) (i32.const 0) (i32.const 2048) (i32.const 4) (i32.const 0)
                        (i32.const 1) (i32.const 4096))
                    (br_if $end (i32.load8_u (i32.const 4096)))
                    (local.set $count (i32.add (local.get $count) (i32.const 1)))
                    (br $again)))
                ;; `insufficient-memory`
                (if (i32.ne (i32.load8_u (i32.const 4100)) (i32.const 22)) (then unreachable))
                (call $answer (local.get $count))"#,
            more: r#"(data (i32.const 2048) "file")"#,
            ..Guest::default()
        },
        ended: Ended::Answers(OPEN),
    },
    Attack {
        name: "sockets of a component without end",
        guest: || Guest {
            execute: r#"(local $count i32)
                (block $end (loop $again
                    (call $tcp (i32.const 0) (i32.const 4096))
                    (br_if $end (i32.load8_u (i32.const 4096)))
                    (local.set $count (i32.add (local.get $count) (i32.const 1)))
                    (br $again)))
                ;; `new-socket-limit`
                (if (i32.ne (i32.load8_u (i32.const 4100)) (i32.const 10)) (then unreachable))
                (call $answer (local.get $count))"#,
            ..Guest::default()
        },
        ended: Ended::Answers(OPEN),
    },
];
