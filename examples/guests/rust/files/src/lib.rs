//! An example guest: reads files that a policy grants, through the contract and through WASI.

mod payload;

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "files", generate_all });
    use super::Files;
    export!(Files);
}

use bindings::airssys::host_core::host_capabilities::{self, FileError};
use bindings::airssys::types_core::types::{HealthState, MemoryRequirements};
use bindings::exports::airssys::component_core::component_lifecycle::{
    ComponentConfig, ComponentError, ComponentMetadata, ExecutionContext, ExecutionError, Guest, HealthStatus,
};
use bindings::wasi::filesystem::preopens::get_directories;
use bindings::wasi::filesystem::types::{DescriptorFlags, ErrorCode, OpenFlags, PathFlags};
use payload::{JSON, Unreadable, json_of, to_payload};
use serde::{Deserialize, Serialize};

const NAMES: [&str; 2] = ["read-file", "open-file"];

#[derive(Deserialize)]
struct Envelope {
    operation: String,
    params: Params,
}

#[derive(Deserialize)]
struct Params {
    path: String,
}

#[derive(Serialize)]
struct Answer {
    bytes: usize,
}

/// Reads a file through the contract.
fn read_file(path: &str) -> Result<Vec<u8>, ExecutionError> {
    host_capabilities::read_file(path).map_err(|error| match error {
        FileError::Denied(capability) => ExecutionError::CapabilityDenied(capability),
        error => ExecutionError::Failed(error.to_string()),
    })
}

/// Reads a file through WASI: below the granted folder with the longest path.
fn open_file(path: &str) -> Result<Vec<u8>, ExecutionError> {
    let failed = |code: ErrorCode| match code {
        ErrorCode::Access | ErrorCode::NotPermitted => {
            ExecutionError::CapabilityDenied(format!("filesystem:read:{path}"))
        }
        code => ExecutionError::Failed(code.message().to_owned()),
    };
    let folders = get_directories().into_iter();
    let below = folders.filter_map(|(folder, name)| {
        let rest = path.strip_prefix(&name)?;
        let rest = if name.ends_with('/') { rest } else { rest.strip_prefix('/')? };
        Some((name.len(), folder, rest))
    });
    let Some((_, folder, rest)) = below.max_by_key(|(length, ..)| *length) else {
        return Err(ExecutionError::CapabilityDenied(format!("filesystem:read:{path}")));
    };
    let file = folder
        .open_at(PathFlags::SYMLINK_FOLLOW, rest, OpenFlags::empty(), DescriptorFlags::READ)
        .map_err(failed)?;
    let mut all = Vec::new();
    loop {
        let offset = u64::try_from(all.len()).unwrap_or(u64::MAX);
        let (bytes, ended) = file.read(64 << 10, offset).map_err(failed)?;
        all.extend(bytes);
        if ended {
            return Ok(all);
        }
    }
}

struct Files;

impl Guest for Files {
    fn init(_: ComponentConfig) -> Result<(), ComponentError> {
        Ok(())
    }

    fn execute(operation: Vec<u8>, _: ExecutionContext) -> Result<Vec<u8>, ExecutionError> {
        let data = json_of(&operation).map_err(|error| match error {
            Unreadable::OtherCodec(id) => ExecutionError::UnsupportedCodec(id),
            Unreadable::Malformed(reason) => ExecutionError::InvalidInput(reason),
        })?;
        let Envelope { operation, params } =
            serde_json::from_slice(&data).map_err(|error| ExecutionError::InvalidInput(error.to_string()))?;
        let bytes = match operation.as_str() {
            "read-file" => read_file(&params.path)?.len(),
            "open-file" => open_file(&params.path)?.len(),
            _ => return Err(ExecutionError::UnsupportedOperation(operation)),
        };
        to_payload(&Answer { bytes }).map_err(ExecutionError::Failed)
    }

    fn metadata() -> ComponentMetadata {
        ComponentMetadata {
            name: "files".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            description: "Reads files that a policy grants".into(),
            author: "The airssys-wasm authors".into(),
            license: env!("CARGO_PKG_LICENSE").into(),
            required_capabilities: Vec::new(),
            supported_operations: NAMES.map(String::from).into(),
            supported_codecs: Self::supported_codecs(),
            language: "rust".into(),
            memory_requirements: MemoryRequirements {
                min_memory_bytes: 1 << 20,
                max_memory_bytes: 64 << 20,
                preferred_memory_bytes: 2 << 20,
            },
            timeout_ms: Some(10_000),
            stateful: false,
            api_version: "1.0.0".into(),
            homepage: None,
            repository: Some("https://github.com/airssys/airssys-wasm".into()),
            tags: vec!["files".into(), "example".into()],
            custom_metadata: None,
        }
    }

    fn health() -> HealthStatus {
        HealthStatus {
            state: HealthState::Healthy,
            message: None,
        }
    }

    fn supported_codecs() -> Vec<u64> {
        vec![JSON]
    }

    fn shutdown() -> Result<(), ComponentError> {
        Ok(())
    }
}
