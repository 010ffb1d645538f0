//! The contract's shared types (`airssys:types-core/types`, `airssys:messaging-core/messaging`) in Rust.
//!
//! Field for field and case for case as `wit/core` documents them. Text in them comes from guests: it may hold
//! anything that is Unicode. The errors' `Display` escapes it.

use super::convert::{labels, record, variant};
use super::text::shown;

labels! {
    /// How much a log line matters.
    pub LogLevel {
        /// Step-by-step detail.
        Trace = "trace",
        /// Detail for the component's developers.
        Debug = "debug",
        /// Normal milestones.
        Info = "info",
        /// Something unexpected that the component coped with.
        Warn = "warn",
        /// Something failed.
        Error = "error",
    }
}

labels! {
    /// A component's own verdict on itself.
    pub HealthState {
        /// Working normally.
        Healthy = "healthy",
        /// Working, but slower or with less than it should have.
        Degraded = "degraded",
        /// Not able to do its work.
        Unhealthy = "unhealthy",
    }
}

record! {
    /// The answer to a health check.
    pub HealthStatus {
        /// The verdict.
        state: HealthState = "state",
        /// One line for operators: why the state is what it is.
        message: Option<String> = "message",
    }
}

record! {
    /// How much linear memory a component needs, in bytes.
    pub MemoryRequirements {
        /// Least memory, in bytes, with which it works at all. `init` is refused where the limit is lower.
        min_memory_bytes: u64 = "min-memory-bytes",
        /// Most memory, in bytes, that it will ever use.
        max_memory_bytes: u64 = "max-memory-bytes",
        /// Memory, in bytes, with which it works best.
        preferred_memory_bytes: u64 = "preferred-memory-bytes",
    }
}

record! {
    /// What a component says about itself.
    pub ComponentMetadata {
        /// The program's name.
        name: String = "name",
        /// The component's own version.
        version: String = "version",
        /// One sentence on what it does.
        description: String = "description",
        /// Who made it.
        author: String = "author",
        /// The licence, as an SPDX expression.
        license: String = "license",
        /// What it asks to be allowed.
        required_capabilities: Vec<String> = "required-capabilities",
        /// The operation names that `execute` understands.
        supported_operations: Vec<String> = "supported-operations",
        /// The codecs that `execute` takes.
        supported_codecs: Vec<u64> = "supported-codecs",
        /// The language it was written in.
        language: String = "language",
        /// Memory it needs.
        memory_requirements: MemoryRequirements = "memory-requirements",
        /// Longest that one `execute` should ever take, in milliseconds.
        timeout_ms: Option<u64> = "timeout-ms",
        /// Whether one `execute` can influence a later one.
        stateful: bool = "stateful",
        /// The version of the contract that it was built against.
        api_version: String = "api-version",
        /// Address of a page about it.
        homepage: Option<String> = "homepage",
        /// Address of its source code.
        repository: Option<String> = "repository",
        /// Words to find it by.
        tags: Vec<String> = "tags",
        /// For other components, not for the host: handed on untouched, in its order.
        custom_metadata: Option<Vec<(String, String)>> = "custom-metadata",
    }
}

variant! {
    /// Why a lifecycle step, or a question about a component, failed.
    #[derive(thiserror::Error)]
    pub ComponentError {
        /// The configuration is unusable; the text says why.
        #[error("invalid configuration: {}", shown(.0))]
        InvalidConfig(text: String) = "invalid-config",
        /// The host has no component of this identity.
        #[error("there is no component `{}`", shown(.0))]
        NotFound(id: String) = "not-found",
        /// `init` has not been called, or did not succeed.
        #[error("not initialised")]
        NotInitialized = "not-initialized",
        /// `init` was called a second time.
        #[error("already initialised")]
        AlreadyInitialized = "already-initialized",
        /// The component has been shut down.
        #[error("shut down")]
        ShutDown = "shut-down",
        /// Anything else; the text says what happened.
        #[error("internal: {}", shown(.0))]
        Internal(text: String) = "internal",
    }
}

variant! {
    /// Why an operation failed. The instance stays usable.
    #[derive(thiserror::Error)]
    pub ExecutionError {
        /// The component has no operation of this name.
        #[error("there is no operation `{}`", shown(.0))]
        UnsupportedOperation(name: String) = "unsupported-operation",
        /// The component does not take payloads in this codec.
        #[error("payloads in codec {0:#x} are not taken")]
        UnsupportedCodec(codec: u64) = "unsupported-codec",
        /// The payload is damaged, or does not have the form that the operation needs.
        #[error("invalid input: {}", shown(.0))]
        InvalidInput(text: String) = "invalid-input",
        /// The operation needs a capability that the component was not granted.
        #[error("the capability `{}` is missing", shown(.0))]
        CapabilityDenied(capability: String) = "capability-denied",
        /// The component gave up because the operation's time was running out.
        #[error("the component gave up for lack of time")]
        Timeout = "timeout",
        /// The component ran out of something other than time.
        #[error("out of resources: {}", shown(.0))]
        ResourceExhausted(text: String) = "resource-exhausted",
        /// The operation was attempted, and failed.
        #[error("failed: {}", shown(.0))]
        Failed(text: String) = "failed",
    }
}

record! {
    /// One message, taken from a mailbox.
    pub IncomingMessage {
        /// Who sent it.
        sender: String = "sender",
        /// What was sent.
        payload: Vec<u8> = "payload",
        /// When the host accepted it, in milliseconds since 1970-01-01T00:00:00Z.
        sent_at_millis: u64 = "sent-at-millis",
    }
}

variant! {
    /// Why a message was not sent, or none could be received.
    pub MessagingError {
        /// The host has no component of this identity.
        UnknownTarget(id: String) = "unknown-target",
        /// This component's mailbox is full.
        MailboxFull(id: String) = "mailbox-full",
        /// Not allowed.
        Denied = "denied",
        /// The message is longer than this many bytes.
        TooLarge(limit: u64) = "too-large",
        /// The mailbox is closed.
        Closed = "closed",
    }
}

variant! {
    /// Why a setting could not be read or changed.
    pub ConfigError {
        /// The key is unusable; the text says why.
        InvalidKey(text: String) = "invalid-key",
        /// The host has fixed the setting of this name.
        ReadOnly(key: String) = "read-only",
        /// The component is not allowed to touch this setting. This host never answers so.
        Denied = "denied",
        /// There is no room; the text says why.
        Unavailable(text: String) = "unavailable",
    }
}
