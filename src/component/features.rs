//! Which features of WebAssembly and of the component model a component may use, and which ones it lacks.

use wasmparser::{
    BinaryReaderError, FuncValidatorAllocations, Parser, ValidPayload, Validator, WasmFeatures,
};

use super::value_size::ValueSizes;
use crate::error::{Error, Result};

/// WebAssembly 2.0 with several memories, and the synchronous component model.
pub(super) fn supported() -> WasmFeatures {
    WasmFeatures::WASM2
        | WasmFeatures::MULTI_MEMORY
        | WasmFeatures::EXTENDED_CONST
        | WasmFeatures::COMPONENT_MODEL
        | WasmFeatures::CM_FIXED_LENGTH_LISTS
        | WasmFeatures::CM_IMPLEMENTS
        | WasmFeatures::CM_MAP
}

/// Validates a whole component, the bodies of its functions included.
///
/// # Errors
/// [`Error::MissingFeatures`] for a component that is valid where more is supported; [`Error::InvalidComponent`] for
/// one that is valid nowhere.
pub(super) fn validate(bytes: &[u8]) -> Result<()> {
    let Err(refused) = validate_with(supported(), bytes) else {
        return Ok(());
    };
    validate_with(WasmFeatures::all(), bytes)?;
    let message = match refused {
        Error::InvalidComponent { message, .. } => message,
        other => other.to_string(),
    };
    Err(Error::MissingFeatures {
        features: lacking(bytes),
        message,
    })
}

/// Whether a component is valid where every known feature is supported.
#[cfg(feature = "reference")]
pub(crate) fn is_valid(bytes: &[u8]) -> bool {
    validate_with(WasmFeatures::all(), bytes).is_ok()
}

pub(super) fn invalid(error: &BinaryReaderError) -> Error {
    Error::InvalidComponent {
        offset: error.offset() as u64,
        message: error.message().to_owned(),
    }
}

fn validate_with(features: WasmFeatures, bytes: &[u8]) -> Result<()> {
    let mut validator = Validator::new_with_features(features);
    let mut sizes = ValueSizes::default();
    let mut room = FuncValidatorAllocations::default();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(|error| invalid(&error))?;
        match validator.payload(&payload).map_err(|error| invalid(&error))? {
            ValidPayload::Func(func, body) => {
                let mut func = func.into_validator(room);
                func.validate(&body).map_err(|error| invalid(&error))?;
                room = func.into_allocations();
            }
            _ => sizes.check(&payload, &validator)?,
        }
    }
    Ok(())
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
