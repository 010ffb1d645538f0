//! Scopes of generated modules: the names in them, so that the text can be short where it is unambiguous.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::names::Names;

/// The side of the component that an item is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Side {
    /// The host provides it.
    Import,
    /// The component provides it.
    Export,
}

/// A generated module, while its text is built.
#[derive(Debug)]
pub(crate) struct Scope {
    /// The path from the module that includes the source.
    pub(crate) module: Vec<String>,
    pub(crate) side: Side,
    crate_path: String,
    /// The types and traits that the module defines.
    pub(crate) types: Names,
    used: BTreeSet<String>,
    error: bool,
}

/// Names of the prelude, and their full paths.
const PRELUDE: [(&str, &str); 11] = [
    ("Copy", "::core::marker::Copy"),
    ("Err", "::core::result::Result::Err"),
    ("Fn", "::core::ops::Fn"),
    ("Ok", "::core::result::Result::Ok"),
    ("Option", "::core::option::Option"),
    ("Result", "::core::result::Result"),
    ("Send", "::core::marker::Send"),
    ("Sized", "::core::marker::Sized"),
    ("String", "::std::string::String"),
    ("Sync", "::core::marker::Sync"),
    ("Vec", "::std::vec::Vec"),
];

impl Scope {
    pub(crate) fn new(module: Vec<String>, side: Side, crate_path: &str, types: Names) -> Scope {
        Scope {
            module,
            side,
            crate_path: crate_path.to_owned(),
            types,
            used: BTreeSet::new(),
            error: false,
        }
    }

    /// Returns whether this is the module that includes the source, which may have names of its own: generated text
    /// neither relies on them nor adds any.
    fn shared(&self) -> bool {
        self.module.is_empty()
    }

    /// Returns a name of the crate's module `component`.
    pub(crate) fn component(&mut self, name: &str) -> String {
        if self.shared() || self.types.has(name) {
            return format!("{}::component::{name}", self.crate_path);
        }
        self.used.insert(name.to_owned());
        name.to_owned()
    }

    /// Returns the crate's error type.
    pub(crate) fn error(&mut self) -> String {
        if self.shared() || self.types.has("Error") {
            return format!("{}::Error", self.crate_path);
        }
        self.error = true;
        "Error".to_owned()
    }

    /// Returns a name of Rust's prelude. `Result` often has another meaning in the module that includes the source.
    pub(crate) fn prelude(&self, name: &str) -> String {
        let full = PRELUDE.iter().find(|(short, _)| *short == name);
        match full {
            Some((_, full)) if self.types.has(name) || (self.shared() && name == "Result") => {
                (*full).to_owned()
            }
            _ => name.to_owned(),
        }
    }

    /// Returns a name for a type parameter.
    pub(crate) fn parameter(&self, name: &str) -> String {
        self.types.clone().take(name.to_owned())
    }

    /// Returns the path from here to `name` in the module `to`.
    pub(crate) fn path(&self, to: &[String], name: &str) -> String {
        let common = self
            .module
            .iter()
            .zip(to)
            .take_while(|(here, there)| here == there)
            .count();
        let mut path = "super::".repeat(self.module.len() - common);
        if path.is_empty() && to.len() > common {
            // Distinguishes it from another crate's name.
            path.push_str("self::");
        }
        for module in &to[common..] {
            let _ = write!(path, "{module}::");
        }
        path + name
    }

    /// Generates the `use` items for the text so far.
    pub(crate) fn uses(&self) -> String {
        let mut uses = String::new();
        let names: Vec<&str> = self.used.iter().map(String::as_str).collect();
        if self.error {
            let _ = writeln!(uses, "use {}::Error;", self.crate_path);
        }
        if !names.is_empty() {
            let _ = writeln!(
                uses,
                "use {}::component::{{{}}};",
                self.crate_path,
                names.join(", ")
            );
        }
        uses
    }
}
