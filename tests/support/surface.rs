//! Text form of interfaces, for comparison.

use std::fmt::Write;

use wit_parser::{Function, Handle, InterfaceId, Resolve, Type, TypeDefKind};

/// Reports whether a type of an interface is another interface's, imported by `use`.
pub fn is_use(resolve: &Resolve, kind: &TypeDefKind) -> bool {
    matches!(kind, TypeDefKind::Type(Type::Id(id)) if resolve.types[*id].name.is_some())
}

/// Writes one interface with its types and functions, each on a line.
pub fn surface(resolve: &Resolve, id: InterfaceId, out: &mut String) {
    let interface = &resolve.interfaces[id];
    line(out, &resolve.id_of(id).expect("the interface has a name"));
    for (name, id) in &interface.types {
        let kind = &resolve.types[*id].kind;
        let text = match kind {
            _ if is_use(resolve, kind) => format!("use {name}"),
            TypeDefKind::Type(_) => format!("type {name} = {}", shape(resolve, kind)),
            TypeDefKind::Resource => format!("resource {name}"),
            _ => format!("{} {name} {}", kind.as_str(), shape(resolve, kind)),
        };
        line(out, &format!("  {text}"));
    }
    for (name, function) in &interface.functions {
        line(out, &format!("  {name}: {}", signature(resolve, function)));
    }
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("a string takes text");
}

fn signature(resolve: &Resolve, function: &Function) -> String {
    let params: Vec<_> = function
        .params
        .iter()
        .map(|p| format!("{}: {}", p.name, name_of(resolve, &p.ty)))
        .collect();
    let result = function
        .result
        .as_ref()
        .map_or(String::new(), |ty| format!(" -> {}", name_of(resolve, ty)));
    format!("func({}){result}", params.join(", "))
}

/// Returns a type's name in a signature.
fn name_of(resolve: &Resolve, ty: &Type) -> String {
    match ty {
        Type::Bool => "bool".to_string(),
        Type::U8 => "u8".to_string(),
        Type::U16 => "u16".to_string(),
        Type::U64 => "u64".to_string(),
        Type::String => "string".to_string(),
        Type::Id(id) => {
            let definition = &resolve.types[*id];
            definition
                .name
                .clone()
                .unwrap_or_else(|| shape(resolve, &definition.kind))
        }
        other => format!("{other:?}"),
    }
}

/// Returns a type's definition.
fn shape(resolve: &Resolve, kind: &TypeDefKind) -> String {
    let name = |ty: &Type| name_of(resolve, ty);
    let optional = |ty: &Option<Type>| ty.as_ref().map_or("_".to_string(), name);
    let braces = |items: Vec<String>| format!("{{ {} }}", items.join(", "));
    match kind {
        TypeDefKind::Record(record) => braces(
            record
                .fields
                .iter()
                .map(|f| format!("{}: {}", f.name, name(&f.ty)))
                .collect(),
        ),
        TypeDefKind::Variant(variant) => {
            let case = |name: &str, ty: &Option<Type>| match ty {
                Some(ty) => format!("{name}({})", name_of(resolve, ty)),
                None => name.to_string(),
            };
            braces(variant.cases.iter().map(|c| case(&c.name, &c.ty)).collect())
        }
        TypeDefKind::Flags(flags) => braces(flags.flags.iter().map(|f| f.name.clone()).collect()),
        TypeDefKind::Enum(cases) => braces(cases.cases.iter().map(|c| c.name.clone()).collect()),
        TypeDefKind::Tuple(tuple) => {
            format!(
                "tuple<{}>",
                tuple.types.iter().map(name).collect::<Vec<_>>().join(", ")
            )
        }
        TypeDefKind::Option(ty) => format!("option<{}>", name(ty)),
        TypeDefKind::Result(result) if result.ok.is_none() && result.err.is_none() => "result".to_string(),
        TypeDefKind::Result(result) => format!("result<{}, {}>", optional(&result.ok), optional(&result.err)),
        TypeDefKind::List(ty) => format!("list<{}>", name(ty)),
        TypeDefKind::Type(ty) => name(ty),
        TypeDefKind::Handle(Handle::Own(id)) => format!("own<{}>", name(&Type::Id(*id))),
        TypeDefKind::Handle(Handle::Borrow(id)) => format!("borrow<{}>", name(&Type::Id(*id))),
        other => other.as_str().to_string(),
    }
}
