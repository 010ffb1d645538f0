//! Bindings of imports: traits for the host to implement, and functions that add them to a linker.

use std::fmt::Write;

use wit_parser::{Function, InterfaceId, Type, TypeDefKind, TypeId};

use crate::context::{Context, Module, resources};
use crate::functions::{self, declared, free, is_constructor, of_resource, own_name, parameters, passed};
use crate::names::{Names, docs, snake, upper_camel};
use crate::scope::{Scope, Side};
use crate::types::tuple_of;

/// The functions and resources of an imported interface, or of the world itself.
#[derive(Debug)]
pub(crate) struct Provided<'a> {
    /// The owner in documentation of traits: an interface's name, or the world's.
    pub(crate) of: String,
    pub(crate) host: String,
    pub(crate) interface: Option<InterfaceId>,
    pub(crate) functions: Vec<&'a Function>,
    pub(crate) resources: Vec<(&'a str, TypeId)>,
}

/// A trait's method: its declaration for the host, and its call by the linker's function.
pub(crate) struct Method<'a> {
    pub(crate) func: &'a Function,
    pub(crate) name: String,
    /// The trait that declares it, unless it gets the store.
    pub(crate) host: String,
    /// The same for one that gets the store.
    pub(crate) with_store: Option<String>,
}

impl Context<'_> {
    /// Generates the module of an imported interface.
    pub(crate) fn import_module(&self, id: InterfaceId, module: &Module) -> String {
        let mut scope = self.scope(module, Side::Import);
        let interface = &self.resolve.interfaces[id];
        let provided = Provided {
            of: format!("`{}`", module.name),
            host: "Host".into(),
            interface: Some(id),
            functions: interface.functions.values().collect(),
            resources: resources(self.resolve, interface.types.values()),
        };
        let mut body = self.definitions(&mut scope, interface.types.values());
        if self.has_host(id) {
            body.push_str(&self.traits(&mut scope, &provided));
        }
        if self.has_linking(id) {
            body.push_str(&self.linking(&mut scope, &provided, &module.name));
        }
        scope.uses() + &body
    }

    /// Returns whether an imported interface has a trait for the host.
    pub(crate) fn has_host(&self, id: InterfaceId) -> bool {
        self.has_linking(id) || !self.conversions(Some(id)).is_empty()
    }

    /// Returns whether an imported interface has items to add to a linker. An interface of types only has none.
    pub(crate) fn has_linking(&self, id: InterfaceId) -> bool {
        let interface = &self.resolve.interfaces[id];
        !interface.functions.is_empty() || !resources(self.resolve, interface.types.values()).is_empty()
    }

    /// Generates the host's traits.
    pub(crate) fn traits(&self, scope: &mut Scope, provided: &Provided<'_>) -> String {
        let mut text = String::new();
        for (name, id) in &provided.resources {
            text.push_str(&self.resource_trait(scope, provided, name, *id));
        }
        let host = &provided.host;
        let methods = self.methods(provided);
        let mut names = Names::default();
        let (mut declarations, mut forwards) = (String::new(), String::new());
        for method in methods.iter().filter(|method| method.host == *host) {
            names.take(method.name.clone());
            if method.with_store.is_some() {
                continue;
            }
            let (declaration, forward) = self.method(scope, provided.interface, method);
            declarations.push_str(&declaration);
            forwards.push_str(&forward);
        }
        for id in self.conversions(provided.interface) {
            let Some(error) = self.keys.errors.get(&id) else {
                continue;
            };
            let error = error.path(scope);
            let name = names.take(self.conversion(id));
            let ty = self.type_path(scope, id);
            let result = scope.component("HostResult");
            let signature = format!("fn {name}(&mut self, error: {error}) -> {result}<{ty}>");
            let host_self = self.host_self();
            let _ = writeln!(
                declarations,
                "/// Converts an error of the host to the component's; an `Err` is a trap.\n{signature};"
            );
            let _ = writeln!(forwards, "{signature} {{ {host}::{name}({host_self}, error) }}");
        }
        let mut supers: Vec<String> = provided
            .resources
            .iter()
            .map(|(name, _)| format!("Host{}", upper_camel(name)))
            .collect();
        supers.extend(self.foreign_hosts(scope, provided));
        let of = &provided.of;
        text.push_str(&self.trait_text(
            scope,
            &format!("The host's implementation of {of}."),
            host,
            &supers,
            &declarations,
            &forwards,
        ));
        text.push_str(&self.with_store_traits(scope, provided, &methods));
        text
    }

    /// Returns the traits that convert errors of other interfaces.
    fn foreign_hosts(&self, scope: &Scope, provided: &Provided<'_>) -> Vec<String> {
        let mut hosts = Vec::new();
        for func in &provided.functions {
            let Some((id, _)) = self.own_error(func) else {
                continue;
            };
            let Some(owner) = self.owner(id) else {
                continue;
            };
            let host = self.import_path(scope, owner, "Host");
            if Some(owner) != provided.interface && !hosts.contains(&host) {
                hosts.push(host);
            }
        }
        hosts
    }

    fn resource_trait(&self, scope: &mut Scope, provided: &Provided<'_>, name: &str, id: TypeId) -> String {
        let host = format!("Host{}", upper_camel(name));
        let methods = self.methods(provided);
        let (mut declarations, mut forwards) = (String::new(), String::new());
        let own = |method: &&Method<'_>| method.host == host && method.with_store.is_none();
        for method in methods.iter().filter(own) {
            let (declaration, forward) = self.method(scope, provided.interface, method);
            declarations.push_str(&declaration);
            forwards.push_str(&forward);
        }
        let ty = self.type_path(scope, id);
        let (resource, result) = (scope.component("Resource"), scope.component("HostResult"));
        let host_self = self.host_self();
        let signature = format!("fn drop(&mut self, rep: {resource}<{ty}>) -> {result}<()>");
        let _ = writeln!(
            declarations,
            "/// Called when the component drops an owned handle.\n{signature};"
        );
        let _ = writeln!(forwards, "{signature} {{ {host}::drop({host_self}, rep) }}");
        let of = &provided.of;
        let about = format!("The host's implementation of the resource `{name}` of {of}.");
        self.trait_text(scope, &about, &host, &[], &declarations, &forwards)
    }

    /// Returns every function with its name in the trait that it belongs to.
    fn methods<'f>(&self, provided: &Provided<'f>) -> Vec<Method<'f>> {
        let mut methods = Vec::new();
        let with_store = self.with_store(provided.interface);
        let mut add = |host: &str, names: &mut Names, functions: Vec<&'f Function>| {
            for func in functions {
                let needed = self.keys.needs_store(provided.interface, func);
                let with_store = with_store.get(&func.kind.resource()).filter(|_| needed);
                let name = if is_constructor(func) {
                    "new".to_owned()
                } else {
                    names.take(snake(own_name(func)))
                };
                methods.push(Method {
                    func,
                    name,
                    host: host.to_owned(),
                    with_store: with_store.cloned(),
                });
            }
        };
        add(&provided.host, &mut Names::default(), free(&provided.functions));
        for (name, id) in &provided.resources {
            let functions = of_resource(&provided.functions, *id);
            let constructed = functions.iter().any(|func| is_constructor(func));
            let reserved: &[&str] = if constructed { &["drop", "new"] } else { &["drop"] };
            let host = format!("Host{}", upper_camel(name));
            add(&host, &mut Names::reserving(reserved), functions);
        }
        methods
    }

    /// Generates a method's declaration, and its implementation for a reference.
    fn method(
        &self,
        scope: &mut Scope,
        interface: Option<InterfaceId>,
        method: &Method<'_>,
    ) -> (String, String) {
        let Method { func, name, host, .. } = method;
        let params = parameters(func, &[], |ty| self.owned(scope, ty));
        let result = match self.returned(scope, interface, func).as_str() {
            "()" => String::new(),
            result => format!(" -> {result}"),
        };
        let signature = format!("fn {name}(&mut self{}){result}", declared(&params));
        let docs = docs(func.docs.contents.as_deref());
        let host_self = self.host_self();
        let forward = format!(
            "{signature} {{ {host}::{name}({host_self}{}) }}\n",
            passed(&params)
        );
        let allow = functions::allowance(1 + params.len());
        (format!("{docs}{allow}{signature};\n"), forward)
    }

    /// Returns the type of the result of the host's function.
    pub(crate) fn returned(
        &self,
        scope: &mut Scope,
        interface: Option<InterfaceId>,
        func: &Function,
    ) -> String {
        if let Some((_, error)) = self.own_error(func) {
            let ok = self.ok_type(scope, func);
            let error = error.path(scope);
            return format!("{}<{ok}, {error}>", scope.prelude("Result"));
        }
        let result = self.result(scope, func);
        if self.keys.trappable.has(interface, func) {
            format!("{}<{result}>", scope.component("HostResult"))
        } else {
            result
        }
    }

    /// Returns the host's own error type for a function, and the definition that it becomes.
    fn own_error(&self, func: &Function) -> Option<(TypeId, &crate::keys::Mapped)> {
        let id = self.error_of(func)?;
        Some((id, self.keys.errors.get(&id)?))
    }

    fn ok_type(&self, scope: &mut Scope, func: &Function) -> String {
        let ok = func.result.and_then(|ty| match ty {
            Type::Id(id) => match &self.resolve.types[self.definition(id)].kind {
                TypeDefKind::Result(result) => result.ok,
                _ => None,
            },
            _ => None,
        });
        ok.map_or_else(|| "()".to_owned(), |ty| self.owned(scope, &ty))
    }

    /// Returns the name of the method that converts an error.
    fn conversion(&self, id: TypeId) -> String {
        let name = self.resolve.types[id].name.as_deref().unwrap_or("error");
        snake(&format!("convert-{name}"))
    }

    /// Generates `add_to_linker` of an interface.
    fn linking(&self, scope: &mut Scope, provided: &Provided<'_>, name: &str) -> String {
        let registrations = self.registrations(scope, provided, "interface");
        let with_store = self.with_store(provided.interface);
        let with_store = with_store.get(&None).map(|name| {
            let t = scope.parameter("T");
            format!("{name}<{t}>")
        });
        let signature = add_to_linker(scope, &provided.host, with_store.as_deref());
        format!(
            "/// Defines {of} in `linker`. `host` finds the host's part in a store's data.\n\
             {signature} {{\nlet mut interface = linker.instance({name:?})?;\n{registrations}{ok}(())\n}}\n",
            of = provided.of,
            ok = scope.prelude("Ok"),
        )
    }

    /// Generates the statements that define resources and functions in the linker's instance `target`.
    pub(crate) fn registrations(&self, scope: &mut Scope, provided: &Provided<'_>, target: &str) -> String {
        let mut text = String::new();
        for (name, id) in &provided.resources {
            let ty = self.type_path(scope, *id);
            let _ = writeln!(
                text,
                "{target}.resource({name:?}, {resource_type}::host::<{ty}>(), move |mut cx, rep| {{\n\
                 Host{host}::drop(&mut host(cx.data_mut()), {resource}::new_own(rep))\n}})?;",
                resource_type = scope.component("ResourceType"),
                resource = scope.component("Resource"),
                host = upper_camel(name),
            );
        }
        for method in self.methods(provided) {
            let params = parameters(method.func, &["accessor", "cx", "host"], |ty| {
                self.owned(scope, ty)
            });
            let names = tuple_of(params.iter().map(|param| param.name.clone()).collect());
            let types = tuple_of(params.iter().map(|param| param.ty.clone()).collect());
            let arguments = if params.is_empty() {
                "(): ()".to_owned()
            } else {
                format!("{names}: {types}")
            };
            let name = &method.func.name;
            let passed = passed(&params);
            let _ = match &method.with_store {
                Some(host) => {
                    let definition =
                        self.definition_with_store(scope, provided, &method, host, &arguments, &passed);
                    writeln!(text, "{target}.{definition}")
                }
                None => {
                    let body = self.call(scope, provided, &method, &passed);
                    writeln!(
                        text,
                        "{target}.func_wrap({name:?}, move |mut cx, {arguments}| {{\n{body}\n}})?;"
                    )
                }
            };
        }
        text
    }

    /// Generates the body of the linker's function.
    fn call(&self, scope: &Scope, provided: &Provided<'_>, method: &Method<'_>, passed: &str) -> String {
        let Method { func, name, host, .. } = method;
        let Some(convert) = self.converter(scope, provided, func) else {
            let call = format!("{host}::{name}(&mut host(cx.data_mut()){passed})");
            return self.finished(scope, provided.interface, func, &call);
        };
        let call = format!("{host}::{name}(&mut host{passed})");
        let result = converted(scope, &call, &format!("{convert}(&mut host, error)"));
        format!("let mut host = host(cx.data_mut());\n{result}")
    }

    /// Returns the path of the conversion for a function with an error type of the host's own.
    pub(crate) fn converter(
        &self,
        scope: &Scope,
        provided: &Provided<'_>,
        func: &Function,
    ) -> Option<String> {
        let (id, _) = self.own_error(func)?;
        let converter = match self.owner(id) {
            Some(owner) if Some(owner) != provided.interface => self.import_path(scope, owner, "Host"),
            Some(_) => provided.host.clone(),
            None => scope.path(&[], &format!("{}Imports", upper_camel(&self.world.name))),
        };
        Some(format!("{converter}::{}", self.conversion_in(id)))
    }

    /// Generates the result of the linker's function from a call of the host's that needs no conversion.
    pub(crate) fn finished(
        &self,
        scope: &Scope,
        interface: Option<InterfaceId>,
        func: &Function,
        call: &str,
    ) -> String {
        let ok = scope.prelude("Ok");
        match (self.keys.trappable.has(interface, func), func.result.is_some()) {
            (true, true) => format!("{ok}(({call}?,))"),
            (true, false) => call.to_owned(),
            (false, true) => format!("{ok}(({call},))"),
            (false, false) => format!("{call};\n{ok}(())"),
        }
    }

    /// Returns the name of a conversion in its trait, other than those of the functions there.
    fn conversion_in(&self, id: TypeId) -> String {
        let interface = self.owner(id);
        let functions: Vec<&Function> = match interface {
            Some(interface) => self.resolve.interfaces[interface].functions.values().collect(),
            None => self.world_functions(),
        };
        let mut names = Names::default();
        for func in free(&functions) {
            names.take(snake(functions::own_name(func)));
        }
        let mut name = self.conversion(id);
        for other in self.conversions(interface) {
            let taken = names.take(self.conversion(other));
            if other == id {
                name = taken;
            }
        }
        name
    }

    /// The implementor behind `self` in an implementation that forwards to it.
    fn host_self(&self) -> &'static str {
        match self.options.deref_hosts {
            true => "&mut **self",
            false => "*self",
        }
    }

    /// A trait, and its implementation for what leads to an implementor.
    fn trait_text(
        &self,
        scope: &Scope,
        about: &str,
        name: &str,
        supers: &[String],
        declarations: &str,
        forwards: &str,
    ) -> String {
        let bounds = if supers.is_empty() {
            String::new()
        } else {
            format!(": {}", supers.join(" + "))
        };
        let (h, sized) = (scope.parameter("H"), scope.prelude("Sized"));
        let (parameter, of) = match self.options.deref_hosts {
            true => (format!("{h}: ::core::ops::DerefMut<Target: {name}>"), h),
            false => (format!("{h}: {name} + ?{sized}"), format!("&mut {h}")),
        };
        format!(
            "/// {about}\npub trait {name}{bounds} {{\n{declarations}}}\n\
             impl<{parameter}> {name} for {of} {{\n{forwards}}}\n"
        )
    }
}

/// Generates the result of the linker's function from a call whose error is of the host's own type.
pub(crate) fn converted(scope: &Scope, call: &str, conversion: &str) -> String {
    let (ok, err) = (scope.prelude("Ok"), scope.prelude("Err"));
    format!(
        "let result = match {call} {{\n{ok}(value) => {ok}(value),\n\
         {err}(error) => {err}({conversion}?),\n}};\n{ok}((result,))"
    )
}

/// Generates the head of an `add_to_linker`. `with_store` are the traits of functions that get the store. They need the
/// host's part again later, so that `host` cannot be any closure.
pub(crate) fn add_to_linker(scope: &mut Scope, bounds: &str, with_store: Option<&str>) -> String {
    let (t, d) = (scope.parameter("T"), scope.parameter("D"));
    let host = match with_store {
        Some(_) => format!("fn(&mut {t}) -> {d}::Data<'_>"),
        None => format!(
            "impl {func}(&mut {t}) -> {d}::Data<'_> + {send} + {sync} + {copy} + 'static",
            func = scope.prelude("Fn"),
            send = scope.prelude("Send"),
            sync = scope.prelude("Sync"),
            copy = scope.prelude("Copy"),
        ),
    };
    let own = match with_store {
        Some(traits) => traits.to_owned(),
        None => scope.component("HasData"),
    };
    format!(
        "pub fn add_to_linker<{t}, {d}>(\nlinker: &mut {linker}<{t}>,\nhost: {host},\n\
         ) -> {result}<(), {error}>\nwhere\n{t}: {send} + 'static,\n{d}: {own},\n\
         for<'a> {d}::Data<'a>: {bounds},\n",
        linker = scope.component("Linker"),
        send = scope.prelude("Send"),
        result = scope.prelude("Result"),
        error = scope.error(),
    )
}
