//! Generation of type definitions.

use std::fmt::Write;

use wit_parser::{Type, TypeDef, TypeDefKind, TypeId};

use crate::context::Context;
use crate::names::{Names, docs, shouty, snake, upper_camel};
use crate::scope::{Scope, Side};
use crate::text::FLAGS;

impl Context<'_> {
    /// Returns the definition of each of `types`.
    pub(crate) fn definitions<'t>(
        &self,
        scope: &mut Scope,
        types: impl IntoIterator<Item = &'t TypeId>,
    ) -> String {
        types
            .into_iter()
            .map(|id| self.definition_of(scope, *id))
            .collect()
    }

    fn definition_of(&self, scope: &mut Scope, id: TypeId) -> String {
        let def = &self.resolve.types[id];
        let name = self.type_name(scope.side, id);
        if let Some(path) = self.mapped(scope, id) {
            return format!(
                "{}pub type {name} = {path};\n",
                docs(def.docs.contents.as_deref())
            );
        }
        let body = match &def.kind {
            TypeDefKind::Record(record) => {
                let mut names = Names::default();
                let mut fields = String::new();
                for field in &record.fields {
                    let ty = self.owned(scope, &field.ty);
                    let rust = names.take(snake(&field.name));
                    let _ = writeln!(
                        fields,
                        "{}#[component(name = {:?})]\npub {rust}: {ty},",
                        docs(field.docs.contents.as_deref()),
                        field.name,
                    );
                }
                let derives = self.derives(scope, id, &["Debug"]);
                format!("{derives}#[component(record)]\npub struct {name} {{\n{fields}}}\n")
            }
            TypeDefKind::Variant(variant) => {
                let mut names = Names::default();
                let mut cases = String::new();
                for case in &variant.cases {
                    let payload = case.ty.map(|ty| format!("({})", self.owned(scope, &ty)));
                    let rust = names.take(upper_camel(&case.name));
                    let _ = writeln!(
                        cases,
                        "{}#[component(name = {:?})]\n{rust}{},",
                        docs(case.docs.contents.as_deref()),
                        case.name,
                        payload.unwrap_or_default(),
                    );
                }
                let derives = self.derives(scope, id, &["Debug"]);
                format!("{derives}#[component(variant)]\npub enum {name} {{\n{cases}}}\n")
            }
            TypeDefKind::Enum(cases) => {
                let mut names = Names::default();
                let mut text = String::new();
                for case in &cases.cases {
                    let rust = names.take(upper_camel(&case.name));
                    let docs = docs(case.docs.contents.as_deref());
                    let _ = writeln!(text, "{docs}#[component(name = {:?})]\n{rust},", case.name);
                }
                let derives = self.derives(scope, id, &["Copy", "Debug", "PartialEq", "Eq"]);
                format!("{derives}#[component(enum)]\npub enum {name} {{\n{text}}}\n")
            }
            TypeDefKind::Flags(flags) => {
                let mut names = Names::default();
                let mut labels = String::new();
                for flag in &flags.flags {
                    let rust = names.take(shouty(&flag.name));
                    let docs = docs(flag.docs.contents.as_deref());
                    let _ = writeln!(labels, "{docs}#[component(name = {:?})]\n{rust},", flag.name);
                }
                let docs = docs(def.docs.contents.as_deref());
                return format!("{FLAGS}\n{docs}pub enum {name} {{\n{labels}}}\n");
            }
            TypeDefKind::Resource if scope.side == Side::Export => {
                format!("pub type {name} = {};\n", scope.component("ResourceAny"))
            }
            TypeDefKind::Resource => format!("#[derive(Debug)]\npub enum {name} {{}}\n"),
            TypeDefKind::Type(Type::Id(target)) => {
                let target = self.type_path(scope, *target);
                // An alias has no documentation of its own.
                return format!("{}pub type {name} = {target};\n", self.alias_docs(def));
            }
            _ => format!("pub type {name} = {};\n", self.defined(scope, id)),
        };
        let mut text = docs(def.docs.contents.as_deref());
        text.push_str(&body);
        if self.errors.contains(&id)
            && matches!(
                def.kind,
                TypeDefKind::Record(_) | TypeDefKind::Variant(_) | TypeDefKind::Enum(_)
            )
        {
            let result = "::core::fmt::Result";
            let _ = write!(
                text,
                "impl ::core::fmt::Display for {name} {{\n\
                 fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> {result} {{\nwrite!(f, \"{{self:?}}\")\n}}\n}}\n\
                 impl ::core::error::Error for {name} {{}}\n"
            );
        }
        text
    }

    fn alias_docs(&self, def: &TypeDef) -> String {
        docs(def.docs.contents.as_deref())
    }

    /// Returns the user's path for a type. A resource of the component's cannot have a type of the host's.
    fn mapped(&self, scope: &Scope, id: TypeId) -> Option<String> {
        let guests = || {
            let resources = self.facts.resources(id);
            resources
                .iter()
                .any(|resource| self.is_guests(scope.side, *resource))
        };
        if let Some(mapped) = self.keys.types.get(&id) {
            return (!guests()).then(|| mapped.path(scope));
        }
        // An imported interface with a path of its own has no module to define types in.
        let interface = self.keys.interfaces.get(&self.owner(id)?)?;
        (scope.side == Side::Export && !guests())
            .then(|| interface.path_of(scope, &self.type_name(Side::Import, id)))
    }

    fn derives(&self, scope: &mut Scope, id: TypeId, own: &[&str]) -> String {
        let mut derives: Vec<String> = Vec::new();
        if !self.holds_hosts(scope.side, id) && !self.facts.transmits(id) {
            derives.push("Clone".into());
        }
        derives.extend(own.iter().map(|derive| (*derive).to_owned()));
        if self.facts.resources(id).is_empty() && !self.facts.transmits(id) {
            for path in &self.options.additional_derives {
                let last = |path: &str| path.rsplit("::").next().map(|name| name.trim().to_owned());
                if !derives.iter().any(|derive| last(derive) == last(path)) {
                    derives.push(path.clone());
                }
            }
        }
        for name in ["ComponentType", "Lower", "Lift"] {
            derives.push(scope.component(name));
        }
        let mut text = format!("#[derive({})]\n", derives.join(", "));
        if self.options.name_crate {
            let _ = writeln!(text, "#[component(crate = {})]", self.options.crate_path);
        }
        text
    }
}
