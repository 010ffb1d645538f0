//! Bindings of imports that get the store: asynchronous functions, and those that the option `store_imports` selects.
//!
//! These functions belong to the type that finds the host's part in a store's data, since they run without a borrow of that
//! part: an asynchronous one borrows the store through its accessor, between the points where it waits.

use wit_parser::{InterfaceId, TypeId};

use crate::context::Context;
use crate::functions::{allowance, declared, parameters};
use crate::imports::{Method, Provided, converted};
use crate::names::docs;
use crate::scope::Scope;

impl Context<'_> {
    /// Generates the traits of functions that get the store.
    pub(crate) fn with_store_traits(
        &self,
        scope: &mut Scope,
        provided: &Provided<'_>,
        methods: &[Method<'_>],
    ) -> String {
        let mut text = String::new();
        let traits = self.with_store(provided.interface);
        if traits.is_empty() {
            return text;
        }
        let mut supers = vec![scope.component("HasData")];
        let t = scope.parameter("T");
        for (id, name) in traits {
            let mut declarations = String::new();
            for method in methods
                .iter()
                .filter(|method| method.with_store.as_ref() == Some(name))
            {
                declarations.push_str(&self.method_with_store(scope, provided.interface, method));
            }
            let of = match id.and_then(|id| resource_name(provided, id)) {
                Some(resource) => format!("the resource `{resource}` of {}", provided.of),
                None => provided.of.clone(),
            };
            let bounds = match id {
                Some(_) => scope.component("HasData"),
                None => supers.join(" + "),
            };
            let send = scope.prelude("Send");
            text.push_str(&format!(
                "/// The host's implementation of {of}: the functions that get the store.\n\
                 pub trait {name}<{t}: {send} + 'static>: {bounds} {{\n{declarations}}}\n",
            ));
            if declarations.is_empty() {
                // Only its resources have such functions.
                let (h, sized) = (scope.parameter("H"), scope.prelude("Sized"));
                text.push_str(&format!(
                    "impl<{t}: {send} + 'static, {h}: {bounds} + ?{sized}> {name}<{t}> for {h} {{}}\n"
                ));
            }
            supers.push(format!("{name}<{t}>"));
        }
        text
    }

    /// Generates a function's declaration.
    fn method_with_store(
        &self,
        scope: &mut Scope,
        interface: Option<InterfaceId>,
        method: &Method<'_>,
    ) -> String {
        let Method { func, name, .. } = method;
        let t = scope.parameter("T");
        let returned = self.returned(scope, interface, func);
        let (first, result) = if func.kind.is_async() {
            let accessor = scope.component("Accessor");
            let send = scope.prelude("Send");
            let result = format!(" -> impl ::core::future::Future<Output = {returned}> + {send}");
            (format!("accessor: &{accessor}<{t}, Self>"), result)
        } else {
            let access = scope.component("Access");
            let result = match returned.as_str() {
                "()" => String::new(),
                returned => format!(" -> {returned}"),
            };
            (format!("store: {access}<'_, {t}, Self>"), result)
        };
        let params = parameters(func, &["accessor", "store"], |ty| self.owned(scope, ty));
        format!(
            "{docs}{allow}fn {name}({first}{declared}){result};\n",
            docs = docs(func.docs.contents.as_deref()),
            allow = allowance(1 + params.len()),
            declared = declared(&params),
        )
    }

    /// Generates the rest of the statement that defines a function in a linker's instance. `host` is the function's trait.
    pub(crate) fn definition_with_store(
        &self,
        scope: &mut Scope,
        provided: &Provided<'_>,
        method: &Method<'_>,
        host: &str,
        arguments: &str,
        passed: &str,
    ) -> String {
        let Method { func, name, .. } = method;
        let (t, d) = (scope.parameter("T"), scope.parameter("D"));
        let path = format!("<{d} as {host}<{t}>>::{name}");
        let converter = self.converter(scope, provided, func);
        let finish = |scope: &Scope, call: &str, conversion: &dyn Fn(&str) -> String| match &converter {
            Some(converter) => converted(scope, call, &conversion(converter)),
            None => self.finished(scope, provided.interface, func, call),
        };
        let name = &func.name;
        if func.kind.is_async() {
            let body = finish(scope, &format!("{path}(accessor{passed}).await"), &|convert| {
                format!("accessor.with(|mut access| {convert}(&mut access.get(), error))")
            });
            return format!(
                "func_wrap_concurrent({name:?}, move |accessor, {arguments}| {{\n\
                 ::std::boxed::Box::pin(async move {{\n\
                 let accessor = &accessor.with_getter::<{d}>(host);\n{body}\n}})\n}})?;"
            );
        }
        let access = scope.component("Access");
        let (pattern, store) = match &converter {
            Some(_) => {
                let context = scope.component("AsContextMut");
                ("mut cx", format!("{context}::as_context_mut(&mut cx)"))
            }
            None => ("cx", "cx".to_owned()),
        };
        let call = format!("{path}({access}::new({store}, host){passed})");
        let body = finish(scope, &call, &|convert| {
            format!("{convert}(&mut host(cx.data_mut()), error)")
        });
        format!("func_wrap({name:?}, move |{pattern}, {arguments}| {{\n{body}\n}})?;")
    }
}

/// Returns the name of a resource.
fn resource_name<'a>(provided: &Provided<'a>, id: TypeId) -> Option<&'a str> {
    let mut resources = provided.resources.iter();
    resources.find_map(|(name, other)| (*other == id).then_some(*name))
}
