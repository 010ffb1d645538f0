//! Bindings of exports: structs that look the component's functions up once, and call them.

use std::fmt::Write;

use wit_parser::{Function, InterfaceId, Type, TypeId};

use crate::context::{Context, Module, resources};
use crate::functions::{allowance, declared, is_constructor, of_resource, own_name, parameters};
use crate::names::{Names, docs, snake, upper_camel};
use crate::scope::{Scope, Side};
use crate::types::tuple_of;

/// An exported function, and the struct's field for it.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    pub(crate) func: &'a Function,
    pub(crate) field: String,
}

impl<'a> Found<'a> {
    /// Assigns names of fields to functions.
    pub(crate) fn all(functions: impl Iterator<Item = &'a Function>, names: &mut Names) -> Vec<Found<'a>> {
        let found = functions.map(|func| {
            // `[method]counter.increment` becomes `method_counter_increment`.
            let name = func.name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
            Found {
                func,
                field: names.take(snake(name.trim_start_matches('-'))),
            }
        });
        found.collect()
    }
}

impl Context<'_> {
    /// Returns whether an exported interface has functions.
    pub(crate) fn has_guest(&self, id: InterfaceId) -> bool {
        !self.resolve.interfaces[id].functions.is_empty()
    }

    /// Generates the module of an exported interface.
    pub(crate) fn export_module(&self, id: InterfaceId, module: &Module) -> String {
        let mut scope = self.scope(module, Side::Export);
        let interface = &self.resolve.interfaces[id];
        let mut body = self.definitions(&mut scope, interface.types.values());
        if self.has_guest(id) {
            body.push_str(&self.guest(&mut scope, id, module));
        }
        scope.uses() + &body
    }

    fn guest(&self, scope: &mut Scope, id: InterfaceId, module: &Module) -> String {
        let interface = &self.resolve.interfaces[id];
        let found = Found::all(interface.functions.values(), &mut Names::default());
        let (func, result, error) = (scope.component("Func"), scope.prelude("Result"), scope.error());
        let (mut fields, mut lookups, mut methods) = (String::new(), String::new(), String::new());
        let mut names = Names::reserving(&["new", "find"]);
        for found in &found {
            let field = &found.field;
            let _ = writeln!(fields, "{field}: {func},");
            let (params, results) = self.signature(scope, found.func);
            let name = &found.func.name;
            let _ = writeln!(
                lookups,
                "{field}: Self::find::<{params}, {results}>(&mut store, instance, {name:?})?,"
            );
            if found.func.kind.resource().is_none() {
                let name = names.take(format!("call_{}", snake(&found.func.name)));
                methods.push_str(&self.call_method(scope, found, &name, "self"));
            }
        }
        let resources = resources(self.resolve, interface.types.values());
        let mut structs = String::new();
        for (name, resource) in &resources {
            let functions = of_resource(&interface.functions.values().collect::<Vec<_>>(), *resource);
            if functions.is_empty() {
                continue;
            }
            let accessor = names.take(snake(name));
            let ty = format!("Guest{}", upper_camel(name));
            let _ = write!(
                methods,
                "/// The functions of the resource `{name}`.\n\
                 pub fn {accessor}(&self) -> {ty}<'_> {{\n{ty} {{ guest: self }}\n}}\n"
            );
            structs.push_str(&self.guest_resource(scope, &ty, name, *resource, &found));
        }
        let context = scope.component("AsContextMut");
        let instance = scope.component("Instance");
        let ok = scope.prelude("Ok");
        let find = finder(scope, &format!("&[{:?}, name]", module.name));
        let name = &module.name;
        format!(
            "/// The functions of `{name}`, found in one instance.\n#[derive(Clone, Debug)]\n\
             pub struct Guest {{\n{fields}}}\nimpl Guest {{\n\
             /// Finds the functions in `instance`, and checks their types.\n\
             pub fn new(mut store: impl {context}, instance: &{instance}) -> {result}<Self, {error}> {{\n\
             {ok}(Self {{\n{lookups}}})\n}}\n{methods}{find}}}\n{structs}"
        )
    }

    fn guest_resource(
        &self,
        scope: &mut Scope,
        ty: &str,
        name: &str,
        resource: TypeId,
        found: &[Found<'_>],
    ) -> String {
        let mut names = Names::default();
        let mut methods = String::new();
        let own = found
            .iter()
            .filter(|found| found.func.kind.resource() == Some(resource));
        for found in own {
            let own = if is_constructor(found.func) {
                "constructor"
            } else {
                own_name(found.func)
            };
            let name = names.take(format!("call_{}", snake(own)));
            methods.push_str(&self.call_method(scope, found, &name, "self.guest"));
        }
        format!(
            "/// The functions of the resource `{name}`.\n#[derive(Clone, Copy, Debug)]\n\
             pub struct {ty}<'a> {{\nguest: &'a Guest,\n}}\nimpl {ty}<'_> {{\n{methods}}}\n"
        )
    }

    /// Returns the type of a function's parameter. The call of an asynchronous function may end after its caller, and owns
    /// its arguments.
    fn parameter(&self, scope: &mut Scope, func: &Function, ty: &Type) -> String {
        if func.kind.is_async() {
            self.owned(scope, ty)
        } else {
            self.argument(scope, ty)
        }
    }

    /// Returns the types of a function's parameters and of its results, as tuples.
    pub(crate) fn signature(&self, scope: &mut Scope, func: &Function) -> (String, String) {
        let params = func
            .params
            .iter()
            .map(|param| self.parameter(scope, func, &param.ty))
            .collect();
        let results = func.result.iter().map(|ty| self.owned(scope, ty)).collect();
        (tuple_of(params), tuple_of(results))
    }

    /// Generates a method that calls the function of a field.
    pub(crate) fn call_method(
        &self,
        scope: &mut Scope,
        found: &Found<'_>,
        name: &str,
        holder: &str,
    ) -> String {
        let Found { func, field } = found;
        let (head, from, bound, method, end) = if func.kind.is_async() {
            let bound = scope.component("AsAccessor");
            ("async fn", "accessor", bound, "call_typed_concurrent", ".await")
        } else {
            ("fn", "store", scope.component("AsContextMut"), "call_typed", "")
        };
        let params = parameters(func, &[from], |ty| self.parameter(scope, func, ty));
        let arguments = tuple_of(params.iter().map(|param| param.name.clone()).collect());
        let ty = self.result(scope, func);
        let call = format!("{holder}.{field}.{method}({from}, {arguments}){end}");
        let body = match func.result {
            Some(_) => format!(
                "let (result,): ({ty},) = {call}?;\n{}(result)",
                scope.prelude("Ok")
            ),
            None => call,
        };
        format!(
            "{docs}{allow}pub {head} {name}(&self, {from}: impl {bound}{declared}) -> {result}<{ty}, {error}> {{\n{body}\n}}\n",
            docs = docs(func.docs.contents.as_deref()),
            allow = allowance(2 + params.len()),
            declared = declared(&params),
            result = scope.prelude("Result"),
            error = scope.error(),
        )
    }
}

/// Generates the function that looks up and checks one export, at `path`.
pub(crate) fn finder(scope: &mut Scope, path: &str) -> String {
    let (p, r) = (scope.parameter("P"), scope.parameter("R"));
    format!(
        "fn find<{p}: {lower}, {r}: {lift}>(\nstore: impl {context},\ninstance: &{instance},\nname: &str,\n\
         ) -> {result}<{func}, {error}> {{\nlet func = instance.try_get_func(store, {path})?;\n\
         func.typecheck::<{p}, {r}>()?;\n{ok}(func)\n}}\n",
        ok = scope.prelude("Ok"),
        lower = scope.component("LowerList"),
        lift = scope.component("LiftList"),
        context = scope.component("AsContextMut"),
        instance = scope.component("Instance"),
        func = scope.component("Func"),
        result = scope.prelude("Result"),
        error = scope.error(),
    )
}
