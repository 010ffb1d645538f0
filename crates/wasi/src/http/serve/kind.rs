//! Classification of a component that answers no requests.

use std::fmt;

use airssys_wasm_component::component::{Component, ExternType};

/// Exports that an error names, at most.
const SHOWN: usize = 6;
/// Characters of a name in an error, at most.
const NAME: usize = 80;

/// A component that exports neither `wasi:http/incoming-handler` nor `wasi:http/handler` in a supported version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherComponent {
    kind: Kind,
    exports: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Exports the interface in another version.
    OtherVersion,
    /// A program, for `run`.
    Program,
    /// A component of the contract, for `run`.
    Contract,
    /// A library of functions.
    Library,
    /// A component without exports.
    Empty,
}

/// The version of a handler of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V2,
    V3,
}

/// Returns the version of the component's handler; the newer one if it has both.
///
/// # Errors
/// The component's kind, if it answers no requests.
pub(super) fn of(component: &Component) -> Result<Version, OtherComponent> {
    let exports = component.exports();
    let has = |start: &str| {
        let found = |(name, ty): &(String, ExternType)| {
            name.starts_with(start) && matches!(ty, ExternType::Instance(_))
        };
        exports.iter().any(found)
    };
    let is_new = |(name, ty): &(String, ExternType)| {
        let version = name.strip_prefix("wasi:http/handler@");
        version.is_some_and(crate::p3::is_supported) && matches!(ty, ExternType::Instance(_))
    };
    if exports.iter().any(is_new) {
        return Ok(Version::V3);
    }
    if has("wasi:http/incoming-handler@0.2.") {
        return Ok(Version::V2);
    }
    let kind = if has("wasi:http/incoming-handler") || has("wasi:http/handler@") {
        Kind::OtherVersion
    } else if crate::is_command(component) || has("wasi:cli/run@") {
        Kind::Program
    } else if has("airssys:component-core/") {
        Kind::Contract
    } else if exports.is_empty() {
        Kind::Empty
    } else {
        Kind::Library
    };
    Err(OtherComponent {
        kind,
        exports: exports.iter().map(|(name, _)| name.clone()).collect(),
    })
}

impl fmt::Display for OtherComponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the component does not handle HTTP requests: it exports neither wasi:http/incoming-handler@0.2 nor wasi:http/handler@0.3; ",
        )?;
        f.write_str(match self.kind {
            Kind::OtherVersion => "it exports a handler of an unsupported version of wasi:http",
            Kind::Program => "it is a program (wasi:cli/run): run it with `airssys-wasm run`",
            Kind::Contract => {
                "it is a component of the contract (airssys:component-core): call its operations with `airssys-wasm run`"
            }
            Kind::Library => "it is a library of functions: call them with `airssys-wasm invoke`",
            Kind::Empty => "it exports nothing",
        })?;
        for (place, name) in self.exports.iter().take(SHOWN).enumerate() {
            f.write_str(if place == 0 { " (its exports: " } else { ", " })?;
            write!(f, "{}", name.escape_debug().take(NAME).collect::<String>())?;
        }
        match self.exports.len() {
            0 => Ok(()),
            shown if shown <= SHOWN => f.write_str(")"),
            all => write!(f, " and {} more)", all - SHOWN),
        }
    }
}
