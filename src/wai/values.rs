//! Conversions between the glue's types of the contract and the host's.

use super::glue::airssys_component_v1 as wai;
use super::glue::airssys_host_capabilities_v1 as wai_capabilities;
use super::glue::airssys_host_services_v1 as wai_services;
use super::glue::airssys_multicodec_v1 as wai_multicodec;
use crate::host::bindings::airssys::host_core::host_capabilities::{
    FileError, HostFunctionError, HttpError, Request, Response,
};
use crate::host::bindings::airssys::multicodec_core::multicodec_utilities::MulticodecError;
use crate::host::{
    ComponentError, ComponentMetadata, ConfigError, ExecutionError, HealthState, HealthStatus,
    IncomingMessage, LogLevel, MemoryRequirements, MessagingError,
};

pub(super) fn owned_pairs(pairs: Vec<(&str, &str)>) -> Vec<(String, String)> {
    let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    pairs.into_iter().map(owned).collect()
}

/// Converts the guest's answers.
pub(super) fn answer_of_lifecycle(error: wai::ComponentError) -> ComponentError {
    match error {
        wai::ComponentError::InvalidConfig(text) => ComponentError::InvalidConfig(text),
        wai::ComponentError::NotFound(id) => ComponentError::NotFound(id),
        wai::ComponentError::NotInitialized => ComponentError::NotInitialized,
        wai::ComponentError::AlreadyInitialized => ComponentError::AlreadyInitialized,
        wai::ComponentError::ShutDown => ComponentError::ShutDown,
        wai::ComponentError::Internal(text) => ComponentError::Internal(text),
    }
}

pub(super) fn answer_of_execute(error: wai::ExecutionError) -> ExecutionError {
    match error {
        wai::ExecutionError::UnsupportedOperation(name) => ExecutionError::UnsupportedOperation(name),
        wai::ExecutionError::UnsupportedCodec(codec) => ExecutionError::UnsupportedCodec(codec),
        wai::ExecutionError::InvalidInput(text) => ExecutionError::InvalidInput(text),
        wai::ExecutionError::CapabilityDenied(capability) => ExecutionError::CapabilityDenied(capability),
        wai::ExecutionError::Timeout => ExecutionError::Timeout,
        wai::ExecutionError::ResourceExhausted(text) => ExecutionError::ResourceExhausted(text),
        wai::ExecutionError::Failed(text) => ExecutionError::Failed(text),
    }
}

pub(super) fn own_metadata(metadata: wai::ComponentMetadata) -> ComponentMetadata {
    let memory = metadata.memory_requirements;
    ComponentMetadata {
        name: metadata.name,
        version: metadata.version,
        description: metadata.description,
        author: metadata.author,
        license: metadata.license,
        required_capabilities: metadata.required_capabilities,
        supported_operations: metadata.supported_operations,
        supported_codecs: metadata.supported_codecs,
        language: metadata.language,
        memory_requirements: MemoryRequirements {
            min_memory_bytes: memory.min_memory_bytes,
            max_memory_bytes: memory.max_memory_bytes,
            preferred_memory_bytes: memory.preferred_memory_bytes,
        },
        timeout_ms: metadata.timeout_ms,
        stateful: metadata.stateful,
        api_version: metadata.api_version,
        homepage: metadata.homepage,
        repository: metadata.repository,
        tags: metadata.tags,
        custom_metadata: metadata.custom_metadata,
    }
}

pub(super) fn health(health: wai::HealthStatus) -> HealthStatus {
    HealthStatus {
        state: match health.state {
            wai::HealthState::Healthy => HealthState::Healthy,
            wai::HealthState::Degraded => HealthState::Degraded,
            wai::HealthState::Unhealthy => HealthState::Unhealthy,
        },
        message: health.message,
    }
}

/// Converts the host's answers for the guest.
pub(super) fn metadata_of_another(metadata: ComponentMetadata) -> wai_services::ComponentMetadata {
    let memory = metadata.memory_requirements;
    wai_services::ComponentMetadata {
        name: metadata.name,
        version: metadata.version,
        description: metadata.description,
        author: metadata.author,
        license: metadata.license,
        required_capabilities: metadata.required_capabilities,
        supported_operations: metadata.supported_operations,
        supported_codecs: metadata.supported_codecs,
        language: metadata.language,
        memory_requirements: wai_services::MemoryRequirements {
            min_memory_bytes: memory.min_memory_bytes,
            max_memory_bytes: memory.max_memory_bytes,
            preferred_memory_bytes: memory.preferred_memory_bytes,
        },
        timeout_ms: metadata.timeout_ms,
        stateful: metadata.stateful,
        api_version: metadata.api_version,
        homepage: metadata.homepage,
        repository: metadata.repository,
        tags: metadata.tags,
        custom_metadata: metadata.custom_metadata,
    }
}

pub(super) fn component_error(error: ComponentError) -> wai_services::ComponentError {
    match error {
        ComponentError::InvalidConfig(text) => wai_services::ComponentError::InvalidConfig(text),
        ComponentError::NotFound(id) => wai_services::ComponentError::NotFound(id),
        ComponentError::NotInitialized => wai_services::ComponentError::NotInitialized,
        ComponentError::AlreadyInitialized => wai_services::ComponentError::AlreadyInitialized,
        ComponentError::ShutDown => wai_services::ComponentError::ShutDown,
        ComponentError::Internal(text) => wai_services::ComponentError::Internal(text),
    }
}

pub(super) fn log_level(level: wai_services::LogLevel) -> LogLevel {
    match level {
        wai_services::LogLevel::Trace => LogLevel::Trace,
        wai_services::LogLevel::Debug => LogLevel::Debug,
        wai_services::LogLevel::Info => LogLevel::Info,
        wai_services::LogLevel::Warn => LogLevel::Warn,
        wai_services::LogLevel::Error => LogLevel::Error,
    }
}

pub(super) fn incoming_message(message: IncomingMessage) -> wai_services::IncomingMessage {
    wai_services::IncomingMessage {
        sender: message.sender,
        payload: message.payload,
        sent_at_millis: message.sent_at_millis,
    }
}

pub(super) fn messaging_error(error: MessagingError) -> wai_services::MessagingError {
    match error {
        MessagingError::UnknownTarget(id) => wai_services::MessagingError::UnknownTarget(id),
        MessagingError::MailboxFull(id) => wai_services::MessagingError::MailboxFull(id),
        MessagingError::Denied => wai_services::MessagingError::Denied,
        MessagingError::TooLarge(most) => wai_services::MessagingError::TooLarge(most),
        MessagingError::Closed => wai_services::MessagingError::Closed,
    }
}

pub(super) fn config_error(error: ConfigError) -> wai_services::ConfigError {
    match error {
        ConfigError::InvalidKey(text) => wai_services::ConfigError::InvalidKey(text),
        ConfigError::ReadOnly(key) => wai_services::ConfigError::ReadOnly(key),
        ConfigError::Denied => wai_services::ConfigError::Denied,
        ConfigError::Unavailable(text) => wai_services::ConfigError::Unavailable(text),
    }
}

pub(super) fn file_error(error: FileError) -> wai_capabilities::FileError {
    match error {
        FileError::Denied(capability) => wai_capabilities::FileError::Denied(capability),
        FileError::NotFound(path) => wai_capabilities::FileError::NotFound(path),
        FileError::TooLarge(most) => wai_capabilities::FileError::TooLarge(most),
        FileError::Io(text) => wai_capabilities::FileError::Io(text),
    }
}

pub(super) fn request(request: wai_capabilities::Request<'_>) -> Request {
    Request {
        method: request.method.to_owned(),
        url: request.url.to_owned(),
        headers: owned_pairs(request.headers),
        body: request.body.map(<[u8]>::to_vec),
        timeout_ms: request.timeout_ms,
    }
}

pub(super) fn response(response: Response) -> wai_capabilities::Response {
    wai_capabilities::Response {
        status: response.status.into(),
        headers: response.headers,
        body: response.body,
    }
}

pub(super) fn http_error(error: HttpError) -> wai_capabilities::HttpError {
    match error {
        HttpError::Denied(capability) => wai_capabilities::HttpError::Denied(capability),
        HttpError::InvalidRequest(text) => wai_capabilities::HttpError::InvalidRequest(text),
        HttpError::Timeout => wai_capabilities::HttpError::Timeout,
        HttpError::ConnectionFailed(text) => wai_capabilities::HttpError::ConnectionFailed(text),
        HttpError::TooLarge(most) => wai_capabilities::HttpError::TooLarge(most),
    }
}

pub(super) fn host_function_error(error: HostFunctionError) -> wai_capabilities::HostFunctionError {
    match error {
        HostFunctionError::Unknown(name) => wai_capabilities::HostFunctionError::Unknown(name),
        HostFunctionError::Denied(capability) => wai_capabilities::HostFunctionError::Denied(capability),
        HostFunctionError::Failed(text) => wai_capabilities::HostFunctionError::Failed(text),
    }
}

pub(super) fn multicodec_error(error: MulticodecError) -> wai_multicodec::MulticodecError {
    match error {
        MulticodecError::Empty => wai_multicodec::MulticodecError::Empty,
        MulticodecError::TruncatedPrefix => wai_multicodec::MulticodecError::TruncatedPrefix,
        MulticodecError::OverlongPrefix => wai_multicodec::MulticodecError::OverlongPrefix,
        MulticodecError::UnknownCodec(code) => wai_multicodec::MulticodecError::UnknownCodec(code),
    }
}
