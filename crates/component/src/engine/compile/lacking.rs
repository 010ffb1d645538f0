//! WebAssembly features that a backend does not compile, found by validation, and the code that uses them.

use std::fmt;

use wasmparser::{ExternalKind, KnownCustom, Name, Parser, Payload, ValidPayload, Validator, WasmFeatures};

use super::import_results;
use crate::engine::{Backend, Engine};
use crate::error::{BackendFeature, Error, Result};
use crate::text::brief;

impl Backend {
    /// Returns the features that components may use and the backend lacks.
    pub(crate) fn lacking(self) -> WasmFeatures {
        match self {
            Backend::Singlepass => WasmFeatures::SIMD,
            _ => WasmFeatures::empty(),
        }
    }
}

/// Returns the names that validators give to features: `relaxed-simd`, `component-model-async`.
pub(crate) fn names(features: WasmFeatures) -> Vec<String> {
    features
        .iter_names()
        .map(|(name, _)| {
            name.to_lowercase()
                .replace('_', "-")
                .replacen("cm-", "component-model-", 1)
        })
        .collect()
}

/// A place in the code of a component or core module that uses a feature.
#[derive(Debug)]
pub(crate) struct Use {
    /// Index of the core module in its component; `None` for a core module that stands alone.
    module: Option<usize>,
    /// The function's index, and its name if the module has one for it.
    function: (u32, Option<String>),
    offset: u64,
}

/// Prints as in ``function `sum` (index 3) of core module 0, at byte offset 0x1a``.
impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.function {
            (index, Some(name)) => write!(f, "function `{name}` (index {index})")?,
            (index, None) => write!(f, "function {index}")?,
        }
        if let Some(module) = self.module {
            write!(f, " of core module {module}")?;
        }
        write!(f, ", at byte offset {:#x}", self.offset)
    }
}

/// Finds the first function whose body is not valid with `without`, in a component or core module that is valid with
/// `with`. `None` if no function body needs the difference, or the bytes are not valid at all.
pub(crate) fn first_use(bytes: &[u8], with: WasmFeatures, without: WasmFeatures) -> Option<Use> {
    let mut validator = Validator::new_with_features(with);
    let mut modules = 0;
    let mut nested = false;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.ok()?;
        match &payload {
            Payload::ModuleSection { .. } => {
                modules += 1;
                nested = true;
            }
            Payload::ComponentSection { .. } => nested = true,
            _ => {}
        }
        if let ValidPayload::Func(mut function, body) = validator.payload(&payload).ok()? {
            let index = function.index;
            function.features = without;
            if let Err(error) = function.into_validator(Default::default()).validate(&body) {
                let module = nested.then(|| modules - 1);
                return Some(Use {
                    module,
                    function: (index, name(bytes, module, index)),
                    offset: error.offset() as u64,
                });
            }
        }
    }
    None
}

/// Returns the name of a function: from the name section, or one that it is exported by.
fn name(bytes: &[u8], module: Option<usize>, function: u32) -> Option<String> {
    let mut seen = 0;
    let mut exported = None;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.ok()?;
        if let Payload::ModuleSection { .. } = payload {
            seen += 1;
        }
        if module.is_some_and(|module| seen != module + 1) {
            continue;
        }
        match payload {
            Payload::ExportSection(exports) => {
                let mut functions = exports.into_iter().filter_map(Result::ok).filter(|export| {
                    export.index == function
                        && matches!(export.kind, ExternalKind::Func | ExternalKind::FuncExact)
                });
                exported = functions.next().map(|export| export.name);
            }
            Payload::CustomSection(section) => {
                let KnownCustom::Name(names) = section.as_known() else {
                    continue;
                };
                for names in names.into_iter().filter_map(Result::ok) {
                    let Name::Function(names) = names else { continue };
                    let mut names = names.into_iter().filter_map(Result::ok);
                    if let Some(name) = names.find(|name| name.index == function) {
                        return Some(brief(&name.name));
                    }
                }
            }
            _ => {}
        }
    }
    exported.map(|name| brief(&name))
}

impl Engine {
    /// Creates the error for a component or core module that is valid with the features `with` and needs some of
    /// `lacking`, which this engine's backend does not compile.
    pub(crate) fn lacks(&self, bytes: &[u8], with: WasmFeatures, lacking: WasmFeatures) -> Error {
        let used = lacking
            .iter()
            .find_map(|feature| Some((feature, first_use(bytes, with, with - feature)?)));
        let (features, place) = match used {
            Some((feature, place)) => (feature, place.to_string()),
            None => (lacking, "a type of its core modules".to_owned()),
        };
        self.lacks_feature(names(features).join(", "), place, |backend| {
            backend != self.backend && (features & backend.lacking()).is_empty()
        })
    }

    /// Refuses a core module that imports a function with several results, where the backend compiles none.
    ///
    /// # Errors
    /// [`Error::BackendFeature`].
    pub(crate) fn check_imports(&self, which: &str, module: &[u8]) -> Result<()> {
        if self.backend != Backend::Singlepass {
            return Ok(());
        }
        match import_results::import_with_several(module) {
            Some(import) => Err(self.lacks_feature(
                "imports with several results".to_owned(),
                format!("{which}, in its import `{}`,", brief(&import)),
                |backend| backend != Backend::Singlepass,
            )),
            None => Ok(()),
        }
    }

    fn lacks_feature(&self, feature: String, place: String, has: impl Fn(Backend) -> bool) -> Error {
        let (here, elsewhere): (Vec<Backend>, Vec<Backend>) = Backend::ALL
            .into_iter()
            .filter(|backend| has(*backend))
            .partition(|backend| backend.is_available());
        Error::BackendFeature(Box::new(BackendFeature {
            backend: self.backend.name().to_owned(),
            feature,
            place,
            available: here.iter().map(|backend| backend.name().to_owned()).collect(),
            elsewhere: elsewhere
                .iter()
                .map(|backend| backend.name().to_owned())
                .collect(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(text: &str, without: WasmFeatures) -> Option<String> {
        let bytes = wat::parse_str(text).expect("the text parses");
        first_use(&bytes, WasmFeatures::all(), without).map(|found| found.to_string())
    }

    #[test]
    fn the_function_that_uses_a_feature_is_named() {
        let without = WasmFeatures::all() - WasmFeatures::SIMD - WasmFeatures::RELAXED_SIMD;
        let vector = "(drop (v128.const i64x2 0 0))";
        let named = used(&format!("(module (func) (func $sum {vector}))"), without);
        assert_eq!(
            named.as_deref(),
            Some("function `sum` (index 1), at byte offset 0x1b")
        );
        let exported = used(
            &format!(r#"(module (import "" "" (func)) (func (export "run") {vector}))"#),
            without,
        );
        assert!(
            exported
                .as_deref()
                .is_some_and(|text| text.starts_with("function `run` (index 1), ")),
            "{exported:?}"
        );
        let plain = used(&format!("(module (func {vector}))"), without);
        assert!(
            plain
                .as_deref()
                .is_some_and(|text| text.starts_with("function 0, ")),
            "{plain:?}"
        );
        let second = format!(
            "(component (core module (func $same)) (component (core module (func $same) (func $same_2 {vector}))))"
        );
        let second = used(&second, without);
        assert!(
            second
                .as_deref()
                .is_some_and(|text| text.starts_with("function `same_2` (index 1) of core module 1, ")),
            "{second:?}"
        );
        // A type alone is not used in code.
        assert_eq!(used("(module (type (func (param v128))))", without), None);
    }
}
