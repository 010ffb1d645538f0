//! Resources that can be limited.

use std::fmt;

use super::units::{self, ExecutionTimeout, MAX_MILLIS, MIN_BYTES};

/// A resource that a component uses, and that can be limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Resource {
    /// Bytes of all linear memories of the instance together; at least 64 KiB, one page. Beyond it, memory does not grow, and
    /// a component that starts with more is not loaded. Stops a guest that allocates without end, in one memory or in many.
    /// Default 1 GiB.
    Memory,
    /// Elements of all tables of the instance together; of one table never more than 1,000,000. Stops tables that fill the
    /// host's memory. Default 4,000,000.
    TableElements,
    /// Core instances of the component, adapter modules included; at least 1. Stops a component that instantiates one small
    /// module thousands of times. Default 1000.
    CoreInstances,
    /// Handles of resources, in the tables of all instances; those of WASI count a second time, on their own. A guest that
    /// creates more is stopped, or gets the error of the interface. Stops a guest that creates resources forever. Default
    /// 1,000,000, of WASI 10,000.
    Handles,
    /// Milliseconds of wall-clock time of one call; at least 1. A call that takes longer is stopped, and the component has
    /// failed. Stops a component that never answers. Default ten minutes.
    CallTime,
    /// Milliseconds of CPU time of one call, of its thread, host functions included; at least 1. A call that uses more is
    /// stopped, and the component has failed. Linux only: elsewhere a component with this limit is not loaded. Stops a guest
    /// that computes without end, without charging it for waiting. Default none.
    CpuTime,
    /// Fuel of one call: about one unit for each operator that it executes; at least 1. A call that consumes more is stopped at
    /// the same operator on each run and backend, and the component has failed. Only for code that counts
    /// ([`RuntimeConfigBuilder::with_fuel_metering`]): otherwise a component with this limit is not loaded. Stops a guest
    /// that computes without end. Default none.
    ///
    /// [`RuntimeConfigBuilder::with_fuel_metering`]: crate::runtime::RuntimeConfigBuilder::with_fuel_metering
    Fuel,
    /// Bytes of the stack that the code of a call runs on; at least 64 KiB, and at most 100 MiB: more is reduced to that. A
    /// call that needs more is stopped, and the component has failed. Stops a recursion that fills the host's memory. Default
    /// 1 MiB.
    Stack,
    /// Files and folders that the component has open at once through WASI. More are refused with the interface's error.
    /// Stops a guest that uses up the descriptors of the process. Default 1000.
    OpenFiles,
    /// Sockets that the component has open at once through WASI. More are refused with `new-socket-limit`. Stops a guest that
    /// uses up the descriptors of the process. Default 128.
    Sockets,
    /// Messages that wait in the component's mailbox; at least 1. The sender of more gets `mailbox-full`. Stops a flood of
    /// small messages. Default 1024.
    MailboxMessages,
    /// Bytes of all messages that wait in the component's mailbox; at least 1. The sender of more gets `mailbox-full`. Stops a
    /// few large messages that fill the host's memory. Default 16 MiB.
    MailboxBytes,
    /// Bytes of the payload of an operation, and of its answer; at least 1. A larger operation is refused before the call, a
    /// larger answer is dropped; the component keeps running. Stops payloads that fill the memory of the component or of
    /// its callers. Default none; the values of a call have at most 256 MiB.
    PayloadBytes,
    /// Lines in one second that the component writes to the log of the host. More are dropped, and their number is logged.
    /// Stops a guest that fills the disk of the log. Default 1000.
    LogLines,
    /// Bytes in one second that the component writes to the log of the host. More are dropped, and their number is logged.
    /// Stops a guest that fills the disk of the log with a few long lines. Default 1 MiB.
    LogBytes,
}

/// The meaning of a limit's number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Measure {
    Bytes,
    Millis,
    Number,
}

/// An error for a limit with a value that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is {problem}", resource.name())]
pub struct InvalidLimit {
    /// The resource.
    pub resource: Resource,
    /// The problem and the remedy.
    problem: String,
}

impl Resource {
    /// All resources, in the order of the documentation.
    pub const ALL: [Resource; 15] = [
        Resource::Memory,
        Resource::TableElements,
        Resource::CoreInstances,
        Resource::Handles,
        Resource::CallTime,
        Resource::CpuTime,
        Resource::Fuel,
        Resource::Stack,
        Resource::OpenFiles,
        Resource::Sockets,
        Resource::MailboxMessages,
        Resource::MailboxBytes,
        Resource::PayloadBytes,
        Resource::LogLines,
        Resource::LogBytes,
    ];

    /// Returns the name of the limit: its key in a policy.
    pub const fn name(self) -> &'static str {
        match self {
            Resource::Memory => "memory",
            Resource::TableElements => "table-elements",
            Resource::CoreInstances => "core-instances",
            Resource::Handles => "handles",
            Resource::CallTime => "call-time",
            Resource::CpuTime => "cpu-time",
            Resource::Fuel => "fuel",
            Resource::Stack => "stack",
            Resource::OpenFiles => "open-files",
            Resource::Sockets => "sockets",
            Resource::MailboxMessages => "mailbox-messages",
            Resource::MailboxBytes => "mailbox-bytes",
            Resource::PayloadBytes => "payload-bytes",
            Resource::LogLines => "log-lines",
            Resource::LogBytes => "log-bytes",
        }
    }

    /// Returns the resource of this name.
    pub fn from_name(name: &str) -> Option<Resource> {
        Resource::ALL.into_iter().find(|resource| resource.name() == name)
    }

    /// Returns the unit of the limit's number: `bytes`, `ms`, `bytes per second`, or the things that are counted.
    pub fn unit(self) -> &'static str {
        match self {
            Resource::Memory | Resource::Stack | Resource::MailboxBytes | Resource::PayloadBytes => "bytes",
            Resource::TableElements => "table elements",
            Resource::CoreInstances => "core instances",
            Resource::Handles => "handles",
            Resource::CallTime | Resource::CpuTime => "ms",
            Resource::Fuel => "units",
            Resource::OpenFiles => "files",
            Resource::Sockets => "sockets",
            Resource::MailboxMessages => "messages",
            Resource::LogLines => "lines per second",
            Resource::LogBytes => "bytes per second",
        }
    }

    fn measure(self) -> Measure {
        match self {
            Resource::Memory
            | Resource::Stack
            | Resource::MailboxBytes
            | Resource::PayloadBytes
            | Resource::LogBytes => Measure::Bytes,
            Resource::CallTime | Resource::CpuTime => Measure::Millis,
            _ => Measure::Number,
        }
    }

    /// Reports whether the limit is written as a whole number, rather than as a text with a unit.
    pub fn is_number(self) -> bool {
        self.measure() == Measure::Number
    }

    /// Returns the smallest value that can be used.
    fn least(self) -> u64 {
        match self {
            Resource::Memory | Resource::Stack => MIN_BYTES,
            Resource::CoreInstances
            | Resource::CallTime
            | Resource::CpuTime
            | Resource::Fuel
            | Resource::MailboxMessages
            | Resource::MailboxBytes
            | Resource::PayloadBytes => 1,
            _ => 0,
        }
    }

    /// Checks a value of the limit.
    pub(super) fn check(self, value: u64) -> Result<u64, InvalidLimit> {
        let least = self.least();
        match value < least {
            false => Ok(value),
            true => Err(InvalidLimit {
                resource: self,
                problem: format!(
                    "{}, and must be at least {}: raise it, or leave it out",
                    self.show(value),
                    self.show(least)
                ),
            }),
        }
    }

    /// Reads a value with its unit, as in `64MiB` or `1m30s`, or a number.
    ///
    /// # Errors
    /// [`InvalidLimit`].
    pub fn parse(self, text: &str) -> Result<u64, InvalidLimit> {
        let invalid = |problem: String| InvalidLimit {
            resource: self,
            problem,
        };
        let value = match self.measure() {
            Measure::Bytes => units::bytes(text).map_err(|error| invalid(format!("wrong: {error}")))?,
            Measure::Millis => {
                let time = text.parse::<ExecutionTimeout>();
                time.map_err(|error| invalid(format!("wrong: {error}")))?.millis()
            }
            Measure::Number => text
                .parse()
                .map_err(|_| invalid("not a whole number: write it without a sign and a unit".to_owned()))?,
        };
        self.check(value)
    }

    /// Writes a value of the limit as a policy has it.
    pub fn show(self, value: u64) -> String {
        match self.measure() {
            Measure::Bytes => units::shown(value),
            Measure::Millis if (1..=MAX_MILLIS).contains(&value) => units::shown_millis(value),
            Measure::Millis => format!("{value}ms"),
            Measure::Number => value.to_string(),
        }
    }
}

/// Writes the [name](Resource::name).
impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
