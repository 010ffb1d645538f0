//! Features of WebAssembly and of the component model: those that a component may use, and those that it lacks.

use rayon::prelude::*;
use wasmparser::{
    BinaryReaderError, FuncToValidate, FuncValidatorAllocations, FunctionBody, Parser, Payload, ValidPayload,
    Validator, ValidatorResources, WasmFeatures,
};

use crate::component::compile::value_size::ValueSizes;
use crate::component::standard::described;
use crate::engine::{Concurrent, Engine, first_use, names};
use crate::error::{Error, Result};
use crate::threads;

/// WebAssembly 2.0 with several memories, and the synchronous component model.
pub(in crate::component) fn supported() -> WasmFeatures {
    WasmFeatures::WASM2
        | WasmFeatures::MULTI_MEMORY
        | WasmFeatures::EXTENDED_CONST
        | WasmFeatures::COMPONENT_MODEL
        | WasmFeatures::CM_FIXED_LENGTH_LISTS
        | WasmFeatures::CM_IMPLEMENTS
        | WasmFeatures::CM_MAP
}

/// The features of the component model's concurrency, each with the part that enables it and the setting for that, if hosts can choose it.
const CONCURRENT: [(WasmFeatures, Concurrent, Option<&str>); 5] = [
    (
        WasmFeatures::CM_ASYNC,
        Concurrent::FUNCTIONS,
        Some("wasm_component_model_async"),
    ),
    (
        WasmFeatures::CM_MORE_ASYNC_BUILTINS,
        Concurrent::BUILTINS,
        Some("wasm_component_model_async_builtins"),
    ),
    (
        WasmFeatures::CM_ASYNC_STACKFUL,
        Concurrent::STACKFUL,
        Some("wasm_component_model_async_stackful"),
    ),
    (
        WasmFeatures::CM_THREADING,
        Concurrent::THREADING,
        Some("wasm_component_model_threading"),
    ),
    (WasmFeatures::CM_ERROR_CONTEXT, Concurrent::ERROR_CONTEXT, None),
];

/// Returns the features of the component model's concurrency that the engine's settings enable.
fn concurrent(engine: &Engine) -> WasmFeatures {
    let enabled = CONCURRENT
        .iter()
        .filter(|(_, part, _)| engine.concurrent().contains(*part));
    enabled.map(|(feature, ..)| *feature).collect()
}

/// Names the settings that enable `features`; `None` if some of them have no setting.
fn settings(features: WasmFeatures) -> Option<String> {
    let known = CONCURRENT.iter().filter(|(_, _, setting)| setting.is_some());
    let known: WasmFeatures = known.map(|(feature, ..)| *feature).collect();
    if !known.contains(features) {
        return None;
    }
    let needed = CONCURRENT
        .iter()
        .filter(|(feature, ..)| features.contains(*feature));
    let names = needed.filter_map(|(_, _, name)| name.map(|name| format!("`Config::{name}`")));
    let names: Vec<String> = names.collect();
    Some(match names.as_slice() {
        [] => return None,
        [name] => format!("{name} enables it"),
        names => format!("{} enable them", names.join(" and ")),
    })
}

/// Validates a whole component, the bodies of its functions included, with the features that the engine's backend has. Returns
/// the features that it is valid with: the supported ones, and those that the engine's settings enable only if it needs them.
///
/// # Errors
/// [`Error::BackendFeature`] for a component that other backends compile, [`Error::MissingFeatures`] for one that is
/// valid with more features; [`Error::InvalidComponent`] for one that is valid with none.
pub(in crate::component) fn validate(engine: &Engine, bytes: &[u8]) -> Result<WasmFeatures> {
    let enabled = supported() | concurrent(engine);
    let refused = match validate_on(engine, supported(), bytes) {
        Ok(()) => return Ok(supported()),
        Err(refused @ Error::BackendFeature(_)) => return Err(refused),
        Err(refused) if enabled == supported() => refused,
        Err(_) => match validate_on(engine, enabled, bytes) {
            Ok(()) => return Ok(enabled),
            Err(refused @ Error::BackendFeature(_)) => return Err(refused),
            Err(refused) => refused,
        },
    };
    validate_with(WasmFeatures::all(), bytes)?;
    let mut message = match refused {
        Error::InvalidComponent { message, .. } => message,
        other => other.to_string(),
    };
    let missing = missing(enabled, bytes);
    let features = names(missing);
    let is_async = |feature: &String| feature.starts_with("component-model-async");
    if features.iter().any(is_async)
        && let Some(remedy) = synchronous(bytes)
    {
        message = format!("{message}; {remedy}");
    }
    if let Some(settings) = settings(missing) {
        message = format!("{message}; {settings}");
    }
    if let Some(what) = described_by(bytes) {
        message = format!("{message}; {what}");
    }
    Err(Error::MissingFeatures {
        features,
        place: first_use(bytes, WasmFeatures::all(), enabled).map(|found| found.to_string()),
        message,
    })
}

/// Validates a component with those of the features that the engine's backend has.
///
/// # Errors
/// [`Error::BackendFeature`] for a component that is valid with the features that the backend lacks.
fn validate_on(engine: &Engine, features: WasmFeatures, bytes: &[u8]) -> Result<()> {
    let lacking = engine.backend().lacking();
    let validated = validate_with(features - lacking, bytes);
    if validated.is_err() && !lacking.is_empty() && validate_with(features, bytes).is_ok() {
        return Err(engine.lacks(bytes, features, lacking));
    }
    validated
}

/// Returns how to build a component without asynchronous functions, if its tool is known.
///
/// The producers sections of componentize-qjs 0.4.5 name its libraries and not the tool itself. But its modules import
/// from each other under the name of its runtime.
fn synchronous(bytes: &[u8]) -> Option<&'static str> {
    let payloads = Parser::new(0).parse_all(bytes).map_while(|payload| payload.ok());
    let mut imports = payloads.filter_map(|payload| match payload {
        Payload::ImportSection(imports) => Some(imports),
        _ => None,
    });
    let by_qjs = |import: wasmparser::Import<'_>| {
        let names = [import.module, import.name];
        names
            .iter()
            .any(|name| name.starts_with("componentize_qjs_runtime"))
    };
    let found = imports.any(|imports| {
        let mut imports = imports.into_imports().map_while(|import| import.ok());
        imports.any(by_qjs)
    });
    found.then_some(
        "componentize-qjs built it with asynchronous functions, its default: rebuild it with --sync",
    )
}

/// Returns whether a component is valid when every known feature is enabled.
#[cfg(feature = "compile")]
pub fn is_valid(bytes: &[u8]) -> bool {
    validate_with(WasmFeatures::all(), bytes).is_ok()
}

pub(in crate::component) fn invalid(error: &BinaryReaderError) -> Error {
    Error::InvalidComponent {
        offset: error.offset() as u64,
        message: error.message().to_owned(),
    }
}

fn validate_with(features: WasmFeatures, bytes: &[u8]) -> Result<()> {
    let mut validator = Validator::new_with_features(features);
    let mut functions = Vec::new();
    let rest = validate_but_last(&mut validator, bytes, &mut functions);
    // An error in `rest` comes after the functions found so far.
    validate_functions(functions)?;
    rest
}

type Function<'a> = (FuncToValidate<ValidatorResources>, FunctionBody<'a>);

/// Limit on functions that wait for validation. Stops a component of tiny functions from filling the memory.
const KEPT: usize = 16_384;

/// Validates all but the last functions, which it leaves in `functions`.
fn validate_but_last<'a>(
    validator: &mut Validator,
    bytes: &'a [u8],
    functions: &mut Vec<Function<'a>>,
) -> Result<()> {
    let mut sizes = ValueSizes::default();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(|error| invalid(&error))?;
        match validator.payload(&payload).map_err(|error| invalid(&error))? {
            ValidPayload::Func(function, body) => functions.push((function, body)),
            _ => sizes.check(&payload, validator)?,
        }
        if functions.len() == KEPT {
            validate_functions(std::mem::take(functions))?;
        }
    }
    Ok(())
}

/// Least number of functions that a thread validates at a time.
const AT_A_TIME: usize = 64;

/// Validates functions on all compiler threads; on this thread if there are none.
///
/// # Errors
/// That of the first function that is not valid.
fn validate_functions(functions: Vec<Function<'_>>) -> Result<()> {
    let fault = |room: &mut FuncValidatorAllocations, (function, body): Function<'_>| {
        let mut function = function.into_validator(std::mem::take(room));
        let valid = function.validate(&body);
        *room = function.into_allocations();
        valid.err()
    };
    let wrong = if functions.len() <= AT_A_TIME || threads::workers().is_err() {
        let mut room = FuncValidatorAllocations::default();
        functions
            .into_iter()
            .find_map(|function| fault(&mut room, function))
    } else {
        functions
            .into_par_iter()
            .with_min_len(AT_A_TIME)
            .map_init(FuncValidatorAllocations::default, fault)
            .find_map_first(|error| error)
    };
    wrong.map_or(Ok(()), |error| Err(invalid(&error)))
}

/// Returns a sentence on the purpose of a valid component, if its imports or exports include standard interfaces.
fn described_by(bytes: &[u8]) -> Option<String> {
    let (mut exports, mut imports) = (Vec::new(), Vec::new());
    let mut depth = 0u32;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.ok()? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentExportSection(section) if depth == 0 => {
                exports.extend(
                    section
                        .into_iter()
                        .filter_map(Result::ok)
                        .map(|export| export.name.name),
                );
            }
            Payload::ComponentImportSection(section) if depth == 0 => {
                imports.extend(
                    section
                        .into_iter()
                        .filter_map(Result::ok)
                        .map(|import| import.name.name),
                );
            }
            _ => {}
        }
    }
    described(exports, imports)
}

/// Returns the features that a component needs to be valid, among those that are not enabled.
fn missing(enabled: WasmFeatures, bytes: &[u8]) -> WasmFeatures {
    let needed = (WasmFeatures::all() - enabled)
        .iter()
        .filter(|feature| validate_with(WasmFeatures::all() - *feature, bytes).is_err());
    needed.collect()
}
