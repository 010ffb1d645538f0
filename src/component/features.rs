//! Which features of WebAssembly and of the component model a component may use, and which one it lacks.

use wasmparser::{BinaryReaderError, Validator, WasmFeatures};

use crate::error::{Error, Result};

/// WebAssembly 2.0 with several memories, and the synchronous component model.
pub(super) fn supported() -> WasmFeatures {
    WasmFeatures::WASM2
        | WasmFeatures::MULTI_MEMORY
        | WasmFeatures::EXTENDED_CONST
        | WasmFeatures::COMPONENT_MODEL
        | WasmFeatures::CM_FIXED_LENGTH_LISTS
}

/// Validates a whole component, the bodies of its functions included.
///
/// # Errors
/// [`Error::Unsupported`], which names the features, for a component that is valid where more is supported;
/// [`Error::InvalidComponent`] for one that is valid nowhere.
pub(super) fn validate(bytes: &[u8]) -> Result<()> {
    let Err(refused) = validate_with(supported(), bytes) else {
        return Ok(());
    };
    validate_with(WasmFeatures::all(), bytes).map_err(|error| invalid(&error))?;
    let lacking = lacking(bytes);
    Err(Error::Unsupported(if lacking.is_empty() {
        refused.message().to_owned()
    } else {
        format!("it needs {}", lacking.join(", "))
    }))
}

pub(super) fn invalid(error: &BinaryReaderError) -> Error {
    Error::InvalidComponent {
        offset: error.offset() as u64,
        message: error.message().to_owned(),
    }
}

fn validate_with(features: WasmFeatures, bytes: &[u8]) -> Result<(), BinaryReaderError> {
    Validator::new_with_features(features)
        .validate_all(bytes)
        .map(drop)
}

/// The features without which a component is not valid, among those that are not supported.
fn lacking(bytes: &[u8]) -> Vec<String> {
    let unsupported = WasmFeatures::all() - supported();
    unsupported
        .iter_names()
        .filter(|(_, feature)| validate_with(WasmFeatures::all() - *feature, bytes).is_err())
        .map(|(name, _)| {
            name.to_lowercase()
                .replace('_', "-")
                .replacen("cm-", "component-model-", 1)
        })
        .collect()
}

/// Whether a component is valid where every known feature is supported.
#[cfg(feature = "reference")]
pub(crate) fn is_valid(bytes: &[u8]) -> bool {
    validate_with(WasmFeatures::all(), bytes).is_ok()
}
