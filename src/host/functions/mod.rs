//! Functions of the host application that components call by name, through `call-host-function`.

mod typed;
mod waiting;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::HostLimits;
use crate::messaging::ComponentId;
use airssys_wasm_component::internal::contain;
use airssys_wasm_component::internal::text::{cut, sanitize};

pub use super::bindings::airssys::host_core::host_capabilities::HostFunctionError;

/// Maximum bytes of the name of a host function.
pub const MAX_FUNCTION_NAME_BYTES: usize = 256;
/// Maximum bytes of the text of a failure that a guest gets. Stops handlers that repeat large arguments in their errors.
const MAX_FAILURE_BYTES: usize = 4096;

type Handler = dyn Fn(&CallInfo<'_>, &[u8]) -> Result<Vec<u8>, HostFunctionError> + Send + Sync;

/// A call of a host function.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallInfo<'a> {
    /// The function's name.
    pub function: &'a str,
    /// The calling component.
    pub component: &'a ComponentId,
    /// Identity of the operation that the component executes; `None` in other calls of the component.
    pub request_id: Option<&'a str>,
    /// The trace of that operation: the value of `traceparent` (W3C Trace Context).
    pub trace: Option<&'a str>,
    /// The end of the component's call; `None` if the call has no time limit. A handler that waits must end by then, since
    /// nothing interrupts it. After the deadline the guest is interrupted as soon as the handler returns.
    pub deadline: Option<Instant>,
}

impl CallInfo<'_> {
    /// Returns the time until the deadline: zero after it, `None` without one.
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }
}

/// Functions of the host application, by name. Cheap to clone.
///
/// A panic of a function is contained: the guest gets [`HostFunctionError::Failed`], and the host goes on.
///
/// ```
/// use airssys_wasm::host::{HostFunctionError, HostFunctions};
///
/// let functions = HostFunctions::new()
///     .with_typed("math.add", |_, (a, b): (u32, u32)| a.checked_add(b).ok_or("the sum is too large"))?
///     .with_raw("echo", |_, args| Ok(args.to_vec()))?;
/// assert_eq!(functions.names().collect::<Vec<_>>(), ["echo", "math.add"]);
/// # Ok::<(), airssys_wasm::host::InvalidFunction>(())
/// ```
#[derive(Clone, Default)]
pub struct HostFunctions(Arc<BTreeMap<Box<str>, Arc<Handler>>>);

/// The error for a function that cannot be registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the host function {name:?} {problem}")]
pub struct InvalidFunction {
    name: String,
    problem: &'static str,
}

impl HostFunctions {
    /// Creates an empty registry.
    pub fn new() -> HostFunctions {
        HostFunctions::default()
    }

    /// Adds a function over bytes: payloads, by convention.
    ///
    /// # Errors
    /// [`InvalidFunction`] if the name is taken, empty, longer than [`MAX_FUNCTION_NAME_BYTES`], has a control
    /// character, or begins or ends with a space.
    pub fn with_raw(
        mut self,
        name: &str,
        function: impl Fn(&CallInfo<'_>, &[u8]) -> Result<Vec<u8>, HostFunctionError> + Send + Sync + 'static,
    ) -> Result<HostFunctions, InvalidFunction> {
        let error = |problem| {
            Err(InvalidFunction {
                name: cut(name, MAX_FUNCTION_NAME_BYTES).to_owned(),
                problem,
            })
        };
        if name.is_empty() {
            return error("has an empty name");
        }
        if name.len() > MAX_FUNCTION_NAME_BYTES {
            return error("has a name of more than 256 bytes");
        }
        if name.contains(char::is_control) || name.trim() != name {
            return error("has a name with a control character, or a space at its beginning or end");
        }
        if self.0.contains_key(name) {
            return error("is already registered");
        }
        Arc::make_mut(&mut self.0).insert(name.into(), Arc::new(function));
        Ok(self)
    }

    /// Returns the names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|name| &**name)
    }

    /// Calls the function that `info` names.
    pub(super) fn call(
        &self,
        info: &CallInfo<'_>,
        args: &[u8],
        limits: &HostLimits,
    ) -> Result<Vec<u8>, HostFunctionError> {
        let failed = |text: String| Err(HostFunctionError::Failed(text));
        let most = limits.function_argument_bytes;
        if args.len() > most {
            let bytes = args.len();
            return failed(format!(
                "the arguments have {bytes} bytes, more than the limit of {most}"
            ));
        }
        let Some(function) = self.0.get(info.function) else {
            let name = sanitize(info.function, MAX_FUNCTION_NAME_BYTES).into_owned();
            return Err(HostFunctionError::Unknown(name));
        };
        let result = contain("a function of the host application", || function(info, args));
        let result = result.unwrap_or_else(|panicked| {
            // The text may be about the host's own state.
            log::error!(
                "the host function `{}`, called by `{}`: {panicked}",
                info.function,
                info.component
            );
            failed("the function panicked".to_owned())
        });
        let most = limits.function_result_bytes;
        match result.as_ref().map(Vec::len) {
            Ok(bytes) if bytes > most => failed(format!(
                "the result has {bytes} bytes, more than the limit of {most}"
            )),
            Ok(_) => result,
            Err(_) => result.map_err(bounded_error),
        }
    }
}

#[cold]
fn bounded_error(error: HostFunctionError) -> HostFunctionError {
    match error {
        HostFunctionError::Failed(text) => HostFunctionError::Failed(bounded(text)),
        HostFunctionError::Unknown(text) => HostFunctionError::Unknown(bounded(text)),
        HostFunctionError::Denied(text) => HostFunctionError::Denied(bounded(text)),
    }
}

fn bounded(mut text: String) -> String {
    let length = cut(&text, MAX_FAILURE_BYTES).len();
    text.truncate(length);
    text
}

impl fmt::Debug for HostFunctions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info<'a>(function: &'a str, component: &'a ComponentId) -> CallInfo<'a> {
        CallInfo {
            function,
            component,
            request_id: None,
            trace: None,
            deadline: None,
        }
    }

    #[test]
    fn names_are_checked_and_unique() {
        let add = |functions: HostFunctions, name: &str| functions.with_raw(name, |_, _| Ok(Vec::new()));
        let functions = add(HostFunctions::new(), "a").unwrap();
        assert!(add(functions.clone(), "a b.c/d").is_ok());
        for name in [
            "",
            "a",
            " b",
            "b ",
            "a\nb",
            &"x".repeat(MAX_FUNCTION_NAME_BYTES + 1),
        ] {
            assert!(add(functions.clone(), name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn arguments_results_and_errors_are_bounded() {
        let component: ComponentId = "caller".parse().unwrap();
        let functions = HostFunctions::new()
            .with_raw("echo", |_, args| Ok(args.to_vec()))
            .unwrap()
            .with_raw("large", |_, _| Ok(vec![0; 101]))
            .unwrap()
            .with_raw("verbose", |_, _| {
                Err(HostFunctionError::Failed("ü".repeat(10_000)))
            })
            .unwrap();
        let limits = HostLimits {
            function_argument_bytes: 3,
            function_result_bytes: 100,
            ..HostLimits::default()
        };
        let call = |name: &str, args: &[u8]| functions.call(&info(name, &component), args, &limits);
        assert_eq!(call("echo", b"abc"), Ok(b"abc".to_vec()));
        let failure = |result: Result<Vec<u8>, HostFunctionError>| match result {
            Err(HostFunctionError::Failed(text)) => text,
            other => panic!("{other:?}"),
        };
        assert!(failure(call("echo", b"abcd")).contains("limit of 3"));
        assert!(failure(call("large", b"")).contains("limit of 100"));
        assert!(failure(call("verbose", b"")).len() <= MAX_FAILURE_BYTES);
        assert_eq!(
            call("absent", b""),
            Err(HostFunctionError::Unknown("absent".into()))
        );
    }

    #[test]
    fn a_panic_becomes_a_failure_without_its_text() {
        let component: ComponentId = "caller".parse().unwrap();
        let functions = HostFunctions::new()
            .with_raw("panics", |_, _| panic!("secret state"))
            .unwrap();
        for _ in 0..3 {
            let failed = functions.call(&info("panics", &component), b"", &HostLimits::default());
            assert_eq!(
                failed,
                Err(HostFunctionError::Failed("the function panicked".into()))
            );
        }
    }
}
