//! Names of WIT as names of Rust.

use std::collections::HashSet;

use heck::{ToShoutySnakeCase, ToSnakeCase, ToUpperCamelCase};

/// A type, a trait, a case.
pub(crate) fn upper_camel(name: &str) -> String {
    escaped(name.to_upper_camel_case())
}

/// A function, a parameter, a field, a module.
pub(crate) fn snake(name: &str) -> String {
    escaped(name.to_snake_case())
}

/// A label of flags.
pub(crate) fn shouty(name: &str) -> String {
    name.to_shouty_snake_case()
}

/// Words of Rust's own get an underscore behind them; `gen` is one since the edition of 2024.
fn escaped(mut name: String) -> String {
    if name == "gen" || syn::parse_str::<syn::Ident>(&name).is_err() {
        name.push('_');
    }
    name
}

/// The names of one Rust namespace: whoever comes second gets an underscore behind the name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    taken: HashSet<String>,
}

impl Names {
    /// With names that generated code needs for itself.
    pub(crate) fn reserving(names: &[&str]) -> Names {
        Names {
            taken: names.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    pub(crate) fn take(&mut self, mut name: String) -> String {
        while !self.taken.insert(name.clone()) {
            name.push('_');
        }
        name
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.taken.contains(name)
    }
}

/// WIT's documentation as Rust's. Code blocks that name no language would be taken for tests.
pub(crate) fn docs(text: Option<&str>) -> String {
    let mut out = String::new();
    let mut within = false;
    for line in text.unwrap_or_default().lines() {
        let line = line.trim_end();
        let fence = line.trim_start().starts_with("```");
        let bare = fence && line.trim() == "```";
        let language = if bare && !within { "text" } else { "" };
        within ^= fence;
        let space = if line.is_empty() { "" } else { " " };
        out.push_str(&format!("///{space}{line}{language}\n"));
    }
    out
}
