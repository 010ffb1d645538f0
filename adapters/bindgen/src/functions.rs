//! What functions of either side have in common.

use wit_parser::{Function, FunctionKind, Type, TypeId};

use crate::context::Context;
use crate::names::{Names, snake};
use crate::scope::Scope;

/// A function's own name: a method's is `increment`, where the component model says `[method]counter.increment`.
pub(crate) fn own_name(func: &Function) -> &str {
    match func.name.split_once(']') {
        Some((_, name)) => name.split_once('.').map_or(name, |(_, name)| name),
        None => &func.name,
    }
}

/// The functions that are not a resource's.
pub(crate) fn free<'a>(functions: &[&'a Function]) -> Vec<&'a Function> {
    let mut functions = functions.to_vec();
    functions.retain(|func| func.kind.resource().is_none());
    functions
}

/// The functions of a resource.
pub(crate) fn of_resource<'a>(functions: &[&'a Function], resource: TypeId) -> Vec<&'a Function> {
    let mut functions = functions.to_vec();
    functions.retain(|func| func.kind.resource() == Some(resource));
    functions
}

pub(crate) fn is_constructor(func: &Function) -> bool {
    matches!(func.kind, FunctionKind::Constructor(_))
}

/// A parameter: its name in Rust, and its type as Rust writes it.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) ty: String,
}

/// A function's parameters, of types as `ty` writes them, beside names that are `reserved`.
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

/// The parameters as a declaration has them, each behind a comma.
pub(crate) fn declared(parameters: &[Parameter]) -> String {
    let params = parameters
        .iter()
        .map(|param| format!(", {}: {}", param.name, param.ty));
    params.collect()
}

/// What stands before a function of so many parameters, those of Rust's included: nobody chose their number here.
pub(crate) fn allowance(count: usize) -> &'static str {
    if count > 7 {
        "#[allow(clippy::too_many_arguments)]\n"
    } else {
        ""
    }
}

/// The arguments as a call has them, each behind a comma.
pub(crate) fn passed(parameters: &[Parameter]) -> String {
    parameters
        .iter()
        .map(|param| format!(", {}", param.name))
        .collect()
}

impl Context<'_> {
    /// A function's result as a type.
    pub(crate) fn result(&self, scope: &mut Scope, func: &Function) -> String {
        match &func.result {
            Some(ty) => self.owned(scope, ty),
            None => "()".to_owned(),
        }
    }
}
