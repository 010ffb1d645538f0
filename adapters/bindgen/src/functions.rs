//! Helpers for functions of imports and exports.

use wit_parser::{Function, FunctionKind, Type, TypeId};

use crate::context::Context;
use crate::names::{Names, snake};
use crate::scope::Scope;

/// Returns a function's own name: `increment` for a method that the component model calls `[method]counter.increment`.
pub(crate) fn own_name(func: &Function) -> &str {
    match func.name.split_once(']') {
        Some((_, name)) => name.split_once('.').map_or(name, |(_, name)| name),
        None => &func.name,
    }
}

/// Returns the functions that do not belong to a resource.
pub(crate) fn free<'a>(functions: &[&'a Function]) -> Vec<&'a Function> {
    let mut functions = functions.to_vec();
    functions.retain(|func| func.kind.resource().is_none());
    functions
}

/// Returns the functions of a resource.
pub(crate) fn of_resource<'a>(functions: &[&'a Function], resource: TypeId) -> Vec<&'a Function> {
    let mut functions = functions.to_vec();
    functions.retain(|func| func.kind.resource() == Some(resource));
    functions
}

pub(crate) fn is_constructor(func: &Function) -> bool {
    matches!(func.kind, FunctionKind::Constructor(_))
}

/// A parameter: its name and its type in Rust.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) ty: String,
}

/// Returns a function's parameters, with types in the form of `ty`, and names other than those that are `reserved`.
pub(crate) fn parameters(
    func: &Function,
    reserved: &[&str],
    mut ty: impl FnMut(&Type) -> String,
) -> Vec<Parameter> {
    let mut names = Names::reserving(reserved);
    let params = func.params.iter().map(|param| Parameter {
        name: names.take(snake(&param.name)),
        ty: ty(&param.ty),
    });
    params.collect()
}

/// Generates the parameters of a declaration, each after a comma.
pub(crate) fn declared(parameters: &[Parameter]) -> String {
    let params = parameters
        .iter()
        .map(|param| format!(", {}: {}", param.name, param.ty));
    params.collect()
}

/// Returns the lint attribute for a function of `count` parameters, including those that Rust adds: WIT determines
/// their number.
pub(crate) fn allowance(count: usize) -> &'static str {
    if count > 7 {
        "#[allow(clippy::too_many_arguments)]\n"
    } else {
        ""
    }
}

/// Generates the arguments of a call, each after a comma.
pub(crate) fn passed(parameters: &[Parameter]) -> String {
    parameters
        .iter()
        .map(|param| format!(", {}", param.name))
        .collect()
}

impl Context<'_> {
    /// Returns a function's result as a type.
    pub(crate) fn result(&self, scope: &mut Scope, func: &Function) -> String {
        match &func.result {
            Some(ty) => self.owned(scope, ty),
            None => "()".to_owned(),
        }
    }
}
