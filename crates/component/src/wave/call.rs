//! Calls as text, and the exported functions that they name.

use std::sync::Arc;

use crate::component::{Component, ExternType, Function, TypeNames};
use crate::text::{brief, cut};

/// Error for a text that names no function of a component: shows the expected form, or the functions that exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CallError(String);

/// The text `INTERFACE#FUNC(ARGS)`, split into its parts.
#[derive(Debug, PartialEq, Eq)]
pub struct Call<'a> {
    interface: Option<&'a str>,
    func: &'a str,
    /// The arguments with their parentheses.
    pub args: &'a str,
    /// Offset of the arguments in the text, in bytes.
    pub args_at: usize,
}

impl<'a> Call<'a> {
    /// Parses a text. The interface may be left out; nothing is looked up yet.
    ///
    /// # Errors
    /// A text without parentheses, or without a name in front of them.
    pub fn parse(text: &'a str) -> Result<Call<'a>, CallError> {
        let open = text.find('(').ok_or_else(|| {
            CallError(format!(
                "`{text}` is not a call: write FUNC(ARGS) or INTERFACE#FUNC(ARGS), as in `{text}()`"
            ))
        })?;
        let (path, args) = text.split_at(open);
        let (interface, func) = match path.rsplit_once('#') {
            Some((interface, func)) => (Some(interface.trim()), func.trim()),
            None => (None, path.trim()),
        };
        if func.is_empty() || interface.is_some_and(str::is_empty) {
            return Err(CallError(format!(
                "`{text}` names no function: write FUNC(ARGS) or INTERFACE#FUNC(ARGS)"
            )));
        }
        Ok(Call {
            interface,
            func,
            args,
            args_at: open,
        })
    }

    fn name(&self) -> String {
        match self.interface {
            Some(interface) => format!("{interface}#{}", self.func),
            None => self.func.to_owned(),
        }
    }
}

/// A function that a component exports.
#[derive(Clone, Debug)]
pub struct Export {
    /// Names from the root on; the last is the function's.
    pub path: Vec<String>,
    /// Its type.
    pub function: Arc<Function>,
}

impl Export {
    /// Returns `INTERFACE#FUNC`.
    pub fn name(&self) -> String {
        self.path.join("#")
    }

    fn is_meant_by(&self, call: &Call<'_>) -> bool {
        let Some((func, instances)) = self.path.split_last() else {
            return false;
        };
        func == call.func
            && call
                .interface
                .is_none_or(|wanted| is_called(&instances.join("#"), wanted))
    }
}

/// Reports whether `wanted` names the interface `name`: in full, without its version, or by its last part.
fn is_called(name: &str, wanted: &str) -> bool {
    let unversioned = name.split_once('@').map_or(name, |(base, _)| base);
    let last = unversioned.rsplit_once('/').map_or(unversioned, |(_, last)| last);
    [name, unversioned, last].contains(&wanted)
}

/// Finds the exported function that `call` names. The interface may be named in full, without its version, or by
/// its last part, and left out where the function's name alone is clear.
///
/// # Errors
/// No function matches, or several do; the message shows some of them, or the nearest names.
pub fn find(component: &Component, call: &Call<'_>) -> Result<Export, CallError> {
    let mut exports = Vec::new();
    collect(component.exports(), &mut Vec::new(), &mut exports);
    let mut meant: Vec<&Export> = exports.iter().filter(|export| export.is_meant_by(call)).collect();
    // Without an interface, a function at the root matches in full.
    if call.interface.is_none() && meant.iter().any(|export| export.path.len() == 1) {
        meant.retain(|export| export.path.len() == 1);
    }
    let names = TypeNames::of(component);
    match meant.as_slice() {
        [export] => Ok((*export).clone()),
        [] => Err(unknown(call, &exports, &names)),
        several => Err(CallError(format!(
            "several exported functions are named `{}`; use a full name:{}",
            brief(&call.name()),
            list(several, &names)
        ))),
    }
}

fn unknown(call: &Call<'_>, exports: &[Export], names: &TypeNames<'_>) -> CallError {
    let what = format!("the component exports no function `{}`", brief(&call.name()));
    if exports.is_empty() {
        return CallError(format!("{what}, nor any other function"));
    }
    let same_name: Vec<_> = exports
        .iter()
        .filter(|export| export.path.last().is_some_and(|name| name == call.func))
        .collect();
    if same_name.is_empty() {
        let mut nearest: Vec<_> = exports.iter().collect();
        nearest.sort_by_cached_key(|export| export.distance(call));
        CallError(format!("{what}; the nearest are:{}", list(&nearest, names)))
    } else {
        CallError(format!("{what}, but:{}", list(&same_name, names)))
    }
}

/// Functions that an error message lists.
const SHOWN: usize = 3;

/// Bytes of a name that are compared. Stops names of a megabyte: comparison time grows with the product of the lengths.
const COMPARED: usize = 100;

impl Export {
    /// Returns the least number of edits from the name in `call` to this function's name, in full or in short.
    fn distance(&self, call: &Call<'_>) -> usize {
        let wanted = call.name();
        let full = self.name();
        let short = full.rsplit_once('/').map_or(full.as_str(), |(_, last)| last);
        let func = self.path.last().map_or("", String::as_str);
        let of = |name: &str| strsim::osa_distance(cut(&wanted, COMPARED), cut(name, COMPARED));
        of(&full).min(of(short)).min(of(func))
    }
}

fn list(exports: &[&Export], names: &TypeNames<'_>) -> String {
    let shown = exports.iter().take(SHOWN);
    let mut text: String = shown
        .map(|export| format!("\n{}: {}", export.name(), names.brief_func(&export.function.ty)))
        .collect();
    if let Some(more) = exports.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        text.push_str(&format!("\nand {more} more"));
    }
    text
}

fn collect(items: &[(String, ExternType)], path: &mut Vec<String>, exports: &mut Vec<Export>) {
    for (name, item) in items {
        path.push(name.clone());
        match item {
            ExternType::Func(function) => exports.push(Export {
                path: path.clone(),
                function: function.clone(),
            }),
            ExternType::Instance(items) => collect(items, path, exports),
            _ => {}
        }
        path.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_taken_apart() {
        let call = Call::parse("a:b/c@1.0.0-rc.1#[method]d.e(\"(#\")").ok();
        let parts = call.map(|call| (call.interface, call.func, call.args, call.args_at));
        assert_eq!(
            parts,
            Some((Some("a:b/c@1.0.0-rc.1"), "[method]d.e", "(\"(#\")", 28))
        );
        for wrong in ["", "run", "()", "#()", "a#()", "#run()"] {
            assert!(Call::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn interfaces_go_by_shorter_names() {
        for wanted in ["a:b/c@1.0.0", "a:b/c", "c"] {
            assert!(is_called("a:b/c@1.0.0", wanted), "{wanted}");
        }
        for wanted in ["b/c", "a:b/c@1.0.1", "a:b", ""] {
            assert!(!is_called("a:b/c@1.0.0", wanted), "{wanted}");
        }
        assert!(is_called("plain", "plain"));
    }
}
