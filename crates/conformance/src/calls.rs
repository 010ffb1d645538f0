//! Lists of calls, as TOML.

use serde::Deserialize;

/// Calls to make on one component, in their order.
///
/// ```
/// use airssys_wasm_conformance::Calls;
///
/// let calls = Calls::from_toml(r#"
///     [[call]]
///     invoke = 'add(1, 2)'
///     expect = '3'           # optional: otherwise engines only have to agree
///
///     [[call]]
///     invoke = 'example:shop/cart@1.0.0#take({id: 7})'
///     trap = 'unreachable'   # optional: a part of the reason, or of its class
///     fresh = true           # optional: on a new instance
/// "#).unwrap();
/// assert_eq!(calls.iter().len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calls {
    #[serde(default)]
    call: Vec<Call>,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Call {
    /// `INTERFACE#FUNC(ARGS)`, with values in WAVE.
    pub invoke: String,
    /// The expected result, in WAVE. A NaN matches any NaN.
    pub expect: Option<String>,
    /// A part of the expected trap's reason.
    pub trap: Option<String>,
    /// Runs the call on a new instance. A call after a trap always does.
    #[serde(default)]
    pub fresh: bool,
}

/// Reasons for which text is not a list of calls.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallsError {
    /// It is not TOML, or has other keys.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// The list is empty.
    #[error("there are no calls: write at least one `[[call]]` with `invoke`")]
    Empty,
    /// A call expects both a value and a trap.
    #[error("call {number} (`{invoke}`) has both `expect` and `trap`: keep one")]
    Both {
        /// Number of the call, counted from 1.
        number: usize,
        /// Its text.
        invoke: String,
    },
}

impl Calls {
    /// Parses a list of calls.
    ///
    /// # Errors
    /// [`CallsError`], with the line for text that is not TOML.
    pub fn from_toml(text: &str) -> Result<Calls, CallsError> {
        let calls: Calls = toml::from_str(text)?;
        if calls.call.is_empty() {
            return Err(CallsError::Empty);
        }
        for (index, call) in calls.call.iter().enumerate() {
            if call.expect.is_some() && call.trap.is_some() {
                return Err(CallsError::Both {
                    number: index + 1,
                    invoke: call.invoke.clone(),
                });
            }
        }
        Ok(calls)
    }

    /// Iterates over the calls in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, Call> {
        self.call.iter()
    }
}
