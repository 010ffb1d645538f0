//! Generation of the world: the tree of modules, and the struct of its exports.

use std::fmt::Write;

use indexmap::IndexMap;
use wit_parser::{Function, TypeId, WorldItem};

use crate::context::{Context, Module, resources};
use crate::exports::{Found, finder};
use crate::imports::{Provided, add_to_linker};
use crate::keys::{Alias, Kind};
use crate::names::{Names, docs, snake, upper_camel};

/// Generates the whole source, not yet formatted.
pub(crate) fn source(context: &Context<'_>) -> String {
    let mut text = String::new();
    for Alias { name, path, kind } in &context.keys.aliases {
        let _ = match kind {
            Kind::Module => writeln!(text, "#[allow(unused_imports)]\nuse {path} as {name};"),
            Kind::Type => writeln!(text, "#[allow(dead_code)]\ntype {name} = {path};"),
        };
    }
    text.push_str(&context.world());
    let mut tree = Node::default();
    for (id, module) in &context.imports {
        if !context.keys.interfaces.contains_key(id) {
            tree.put(
                module,
                context.resolve.interfaces[*id].docs.contents.as_deref(),
                context.import_module(*id, module),
            );
        }
    }
    for (id, module) in &context.exports {
        tree.put(
            module,
            context.resolve.interfaces[*id].docs.contents.as_deref(),
            context.export_module(*id, module),
        );
    }
    text + &tree.text()
}

/// A module of the source.
#[derive(Debug, Default)]
struct Node {
    docs: String,
    text: String,
    modules: IndexMap<String, Node>,
}

impl Node {
    fn put(&mut self, module: &Module, about: Option<&str>, text: String) {
        let mut node = self;
        for name in &module.path {
            node = node.modules.entry(name.clone()).or_default();
        }
        node.docs = docs(about.or(module.docs.as_deref()));
        node.text = text;
    }

    fn text(&self) -> String {
        let mut text = self.text.clone();
        for (name, module) in &self.modules {
            let _ = writeln!(text, "{}pub mod {name} {{\n{}}}", module.docs, module.text());
        }
        text
    }
}

impl Context<'_> {
    /// Returns the functions that the world itself imports.
    pub(crate) fn world_functions(&self) -> Vec<&Function> {
        let functions = self.world.imports.values().filter_map(|item| match item {
            WorldItem::Function(func) => Some(func),
            _ => None,
        });
        functions.collect()
    }

    fn world(&self) -> String {
        let mut scope = self.root_scope();
        let types: Vec<TypeId> = self
            .world
            .imports
            .values()
            .filter_map(|item| match item {
                WorldItem::Type { id, .. } => Some(*id),
                _ => None,
            })
            .collect();
        let name = upper_camel(&self.world.name);
        let provided = Provided {
            of: format!("the world `{}`", self.world.name),
            host: format!("{name}Imports"),
            interface: None,
            functions: self.world_functions(),
            resources: resources(self.resolve, &types),
        };
        let mut text = self.definitions(&mut scope, &types);
        let links = !provided.functions.is_empty() || !provided.resources.is_empty();
        let hosted = links || !self.conversions(None).is_empty();
        if hosted {
            text.push_str(&self.traits(&mut scope, &provided));
        }

        // The additions of the host, and the trait bounds that they need.
        let (mut bounds, mut with_store) = (Vec::new(), Vec::new());
        let mut additions = String::new();
        let (t, d) = (scope.parameter("T"), scope.parameter("D"));
        for id in self
            .imports
            .keys()
            .filter(|id| !self.keys.interfaces.contains_key(*id))
        {
            if self.has_host(*id) {
                bounds.push(self.import_path(&scope, *id, "Host"));
            }
            if let Some(name) = self.with_store(Some(*id)).get(&None) {
                with_store.push(format!("{}<{t}>", self.import_path(&scope, *id, name)));
            }
            if self.has_linking(*id) {
                let path = self.import_path(&scope, *id, "add_to_linker");
                let _ = writeln!(additions, "{path}::<{t}, {d}>(linker, host)?;");
            }
        }
        if hosted {
            bounds.push(provided.host.clone());
        }
        if let Some(name) = self.with_store(None).get(&None) {
            with_store.push(format!("{name}<{t}>"));
        }
        if links {
            additions.push_str("let mut root = linker.root();\n");
            additions.push_str(&self.registrations(&mut scope, &provided, "root"));
        }
        let mut add = String::new();
        if !additions.is_empty() {
            let with_store = with_store.join(" + ");
            let with_store = Some(with_store.as_str()).filter(|traits| !traits.is_empty());
            let signature = add_to_linker(&mut scope, &bounds.join(" + "), with_store);
            let _ = write!(
                add,
                "/// Defines everything that the world imports in `linker`. `host` finds the host's part in a store's\n\
                 /// data: `|data| data` with `HasSelf<_>` for `D` if that is the host.\n\
                 {signature} {{\n{additions}{ok}(())\n}}\n",
                ok = scope.prelude("Ok"),
            );
        }

        let context = scope.component("AsContextMut");
        let (instance, linker) = (scope.component("Instance"), scope.component("Linker"));
        let component = scope.component("Component");
        let (result, error, send) = (scope.prelude("Result"), scope.error(), scope.prelude("Send"));
        let (t, ok) = (scope.parameter("T"), scope.prelude("Ok"));
        let Members {
            fields,
            lookups,
            methods,
            finds,
        } = self.world_members(&mut scope);
        let find = if finds {
            finder(&mut scope, "&[name]")
        } else {
            String::new()
        };
        let (store, unused) = if lookups.is_empty() {
            ("_store", "_instance")
        } else {
            ("mut store", "instance")
        };
        let about = match &self.world.docs.contents {
            Some(text) => docs(Some(text)),
            None => format!("/// An instance of the world `{}`.\n", self.world.name),
        };
        let _ = write!(
            text,
            "{about}#[derive(Clone, Debug)]\npub struct {name} {{\n{fields}}}\nimpl {name} {{\n\
             /// Instantiates `component`, and finds its exports.\n\
             pub fn instantiate<{t}: {send} + 'static>(\nmut store: impl {context}<Data = {t}>,\n\
             component: &{component},\nlinker: &{linker}<{t}>,\n) -> {result}<Self, {error}> {{\n\
             let instance = linker.instantiate(&mut store, component)?;\n\
             Self::new(&mut store, &instance)\n}}\n\
             /// Finds the exports of `instance`, and checks their types.\n\
             pub fn new({store}: impl {context}, {unused}: &{instance}) -> {result}<Self, {error}> {{\n\
             {ok}(Self {{\n{lookups}}})\n}}\n{add}{methods}{find}}}\n"
        );
        text
    }

    /// Generates the members of the world's struct, for its exports.
    fn world_members(&self, scope: &mut crate::scope::Scope) -> Members {
        let mut members = Members::default();
        let mut field_names = Names::default();
        let mut method_names = Names::reserving(&["new", "instantiate", "add_to_linker", "find"]);
        let functions = self.world.exports.values().filter_map(|item| match item {
            WorldItem::Function(func) => Some(func),
            _ => None,
        });
        let func = scope.component("Func");
        for found in Found::all(functions, &mut field_names) {
            let field = &found.field;
            let (params, results) = self.signature(scope, found.func);
            let name = &found.func.name;
            let _ = writeln!(members.fields, "{field}: {func},");
            let _ = writeln!(
                members.lookups,
                "{field}: Self::find::<{params}, {results}>(&mut store, instance, {name:?})?,"
            );
            let name = method_names.take(format!("call_{}", snake(name)));
            let method = self.call_method(scope, &found, &name, "self");
            members.methods.push_str(&method);
            members.finds = true;
        }
        for (_, module) in self.exports.iter().filter(|(id, _)| self.has_guest(**id)) {
            let name = snake(&module.path[1..].join("-"));
            let (field, method) = (field_names.take(name.clone()), method_names.take(name));
            let guest = scope.path(&module.path, "Guest");
            let _ = writeln!(members.fields, "{field}: {guest},");
            let _ = writeln!(members.lookups, "{field}: {guest}::new(&mut store, instance)?,");
            let _ = write!(
                members.methods,
                "/// The functions of `{}`.\npub fn {method}(&self) -> &{guest} {{\n&self.{field}\n}}\n",
                module.name
            );
        }
        members
    }
}

/// The text of a struct's members for its exports.
#[derive(Debug, Default)]
struct Members {
    fields: String,
    lookups: String,
    methods: String,
    /// True if lookups need the struct's own finder.
    finds: bool,
}
