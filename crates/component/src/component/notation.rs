//! Types in WIT's notation, with the names that a component gives them.

use std::collections::HashMap;
use std::sync::Arc;

use airssys_wasm_abi::{FuncType, ResourceType as TableType, TransmitType, Type};

use crate::component::MAX_TYPE_TEXT;
use crate::component::component::Component;
use crate::component::ir::{ExternType, ResourceTable};

/// Longest text of one type, in bytes. Stops a type that shares its parts, whose text can be exponentially longer than
/// the type.
const MAX_BYTES: usize = 16 << 10;

/// The names that a component's imports and exports give to types, for texts in WIT's notation.
///
/// A type has its name in the interface at hand, or else the first that it has anywhere in the component. Only types
/// with an identity of their own in WIT have names: records, variants, enums, flags and resources.
#[derive(Debug, Default)]
pub struct TypeNames<'a> {
    tables: &'a [ResourceTable],
    interface: Names<'a>,
    component: Arc<Names<'a>>,
}

#[derive(Debug, Default)]
struct Names<'a> {
    /// By the address of a type's shared parts: equal types of a component are one.
    values: HashMap<usize, &'a str>,
    resources: HashMap<u32, &'a str>,
}

impl<'a> TypeNames<'a> {
    /// Collects the names of a component.
    pub fn of(component: &'a Component) -> TypeNames<'a> {
        let tables = &component.ir().resource_tables;
        let mut all = Names::default();
        all.add(component.imports(), tables, true);
        all.add(component.exports(), tables, true);
        TypeNames {
            tables,
            interface: Names::default(),
            component: Arc::new(all),
        }
    }

    /// Returns the same names, but prefers those of one interface: the component itself, or an instance among its
    /// imports and exports.
    #[must_use]
    pub fn within(&self, items: &'a [(String, ExternType)]) -> TypeNames<'a> {
        let mut interface = Names::default();
        interface.add(items, self.tables, false);
        TypeNames {
            tables: self.tables,
            interface,
            component: Arc::clone(&self.component),
        }
    }

    /// Formats a function's type: `func(a: u32) -> string`.
    pub fn func(&self, ty: &FuncType) -> String {
        self.func_of(ty, MAX_BYTES)
    }

    /// As [`TypeNames::func`], cut to a length that is fit for a message.
    pub fn brief_func(&self, ty: &FuncType) -> String {
        self.func_of(ty, MAX_TYPE_TEXT)
    }

    fn func_of(&self, ty: &FuncType, max: usize) -> String {
        let mut out = Text::new(max);
        out.push("func(");
        self.list(&mut out, &ty.params, |out, (name, ty)| {
            out.push(name);
            out.push(": ");
            self.ty(out, ty, true);
        });
        out.push(")");
        if let Some(result) = &ty.result {
            out.push(" -> ");
            self.ty(&mut out, result, true);
        }
        out.text
    }

    /// Formats a type: `list<point>`.
    pub fn show(&self, ty: &Type) -> String {
        let mut out = Text::new(MAX_BYTES);
        self.ty(&mut out, ty, true);
        out.text
    }

    /// Formats the definition of a type that an interface calls `name`: `record point { x: s32, y: s32 }`,
    /// `type path = list<string>`.
    pub fn definition(&self, name: &str, ty: &Type) -> String {
        let mut out = Text::new(MAX_BYTES);
        let another = self.name(ty).filter(|known| *known != name);
        match (ty, another) {
            (Type::Record(_) | Type::Variant(_) | Type::Enum(_) | Type::Flags(_), None) => {
                let (keyword, body) = self.body(ty);
                out.push(&format!("{keyword} {name} {body}"));
            }
            _ => {
                out.push(&format!("type {name} = "));
                self.ty(&mut out, ty, true);
            }
        }
        out.text
    }

    /// Formats a type that WIT writes in braces: its keyword, and the braces with their content.
    fn body(&self, ty: &Type) -> (&'static str, String) {
        let mut out = Text::new(MAX_BYTES);
        self.ty(&mut out, ty, false);
        let keyword = match ty {
            Type::Record(_) => "record",
            Type::Variant(_) => "variant",
            Type::Enum(_) => "enum",
            _ => "flags",
        };
        let body = out.text.strip_prefix(keyword).unwrap_or(&out.text).trim_start();
        (keyword, body.to_owned())
    }

    fn name(&self, wanted: &Type) -> Option<&'a str> {
        self.interface
            .find(wanted, self.tables)
            .or_else(|| self.component.find(wanted, self.tables))
    }

    fn ty(&self, out: &mut Text, ty: &Type, by_name: bool) {
        if out.full {
            return;
        }
        let name = self.name(ty);
        match (ty, name) {
            (Type::Own(_), Some(name)) => return out.push(name),
            (Type::Own(_), None) => return out.push("own<_>"),
            (Type::Borrow(_), name) => return out.push(&format!("borrow<{}>", name.unwrap_or("_"))),
            (_, Some(name)) if by_name => return out.push(name),
            _ => {}
        }
        match ty {
            Type::List(element) => self.angled(out, "list", [Some(&**element)]),
            Type::FixedLengthList(list) => {
                out.push("list<");
                self.ty(out, &list.element, true);
                out.push(&format!(", {}>", list.length));
            }
            Type::Option(payload) => self.angled(out, "option", [Some(&**payload)]),
            Type::Tuple(types) => self.angled(out, "tuple", types.iter().map(Some)),
            Type::Result(result) => match (&result.ok, &result.err) {
                (None, None) => out.push("result"),
                (ok, None) => self.angled(out, "result", [ok.as_ref()]),
                (ok, err) => self.angled(out, "result", [ok.as_ref(), err.as_ref()]),
            },
            Type::Record(record) => {
                out.push("record { ");
                self.list(out, &record.fields, |out, field| {
                    out.push(&field.name);
                    out.push(": ");
                    self.ty(out, &field.ty, true);
                });
                out.push(" }");
            }
            Type::Variant(variant) => {
                out.push("variant { ");
                self.list(out, &variant.cases, |out, case| {
                    out.push(&case.name);
                    if let Some(ty) = &case.ty {
                        out.push("(");
                        self.ty(out, ty, true);
                        out.push(")");
                    }
                });
                out.push(" }");
            }
            Type::Stream(stream) => self.transmit(out, "stream", stream),
            Type::Future(future) => self.transmit(out, "future", future),
            plain => out.push(&plain.to_string()),
        }
    }

    fn transmit(&self, out: &mut Text, word: &str, ty: &TransmitType) {
        match &ty.payload {
            Some(payload) => self.angled(out, word, [Some(payload)]),
            None => out.push(word),
        }
    }

    fn angled<'t>(&self, out: &mut Text, word: &str, types: impl IntoIterator<Item = Option<&'t Type>>) {
        out.push(word);
        for (index, ty) in types.into_iter().enumerate() {
            out.push(if index == 0 { "<" } else { ", " });
            match ty {
                Some(ty) => self.ty(out, ty, true),
                None => out.push("_"),
            }
        }
        out.push(">");
    }

    fn list<T>(&self, out: &mut Text, items: &[T], mut each: impl FnMut(&mut Text, &T)) {
        for (index, item) in items.iter().enumerate() {
            if out.full {
                return;
            }
            if index > 0 {
                out.push(", ");
            }
            each(out, item);
        }
    }
}

impl<'a> Names<'a> {
    // Recurses as deep as instances nest, which validation bounds.
    fn add(&mut self, items: &'a [(String, ExternType)], tables: &[ResourceTable], deep: bool) {
        for (name, item) in items {
            match item {
                ExternType::Type(ty) => {
                    if let Some(place) = place(ty) {
                        self.values.entry(place).or_insert(name);
                    }
                }
                ExternType::Resource(table) => {
                    self.resources.entry(resource(*table, tables)).or_insert(name);
                }
                ExternType::Instance(items) if deep => self.add(items, tables, true),
                _ => {}
            }
        }
    }

    fn find(&self, wanted: &Type, tables: &[ResourceTable]) -> Option<&'a str> {
        match wanted {
            Type::Own(table) | Type::Borrow(table) => self.resources.get(&resource(*table, tables)),
            wanted => self.values.get(&place(wanted)?),
        }
        .copied()
    }
}

/// Returns the address of a type that has an identity of its own in WIT: aliases of `string` have none.
fn place(ty: &Type) -> Option<usize> {
    match ty {
        Type::Record(ty) => Some(Arc::as_ptr(ty).addr()),
        Type::Variant(ty) => Some(Arc::as_ptr(ty).addr()),
        Type::Enum(ty) => Some(Arc::as_ptr(ty).addr()),
        Type::Flags(ty) => Some(Arc::as_ptr(ty).addr()),
        _ => None,
    }
}

/// Returns a number for the resource type of a table: several tables may be of one type.
fn resource(table: TableType, tables: &[ResourceTable]) -> u32 {
    match tables.get(table.0 as usize) {
        Some(ResourceTable::Concrete { resource, .. }) => *resource,
        // No other table is of its type; those numbers count down from the other end.
        _ => u32::MAX - table.0,
    }
}

/// Text of a limited length; the rest becomes one `…`.
struct Text {
    text: String,
    max: usize,
    full: bool,
}

impl Text {
    fn new(max: usize) -> Text {
        Text {
            text: String::new(),
            max,
            full: false,
        }
    }

    fn push(&mut self, text: &str) {
        if self.full {
            return;
        }
        self.full = self.text.len() + text.len() > self.max;
        self.text.push_str(if self.full { "…" } else { text });
    }
}

#[cfg(test)]
mod tests {
    use airssys_wasm_abi::{Field, RecordType};

    use super::*;

    fn record(fields: &[(&str, Type)]) -> Type {
        let fields = fields.iter().map(|(name, ty)| Field {
            name: Arc::from(*name),
            ty: ty.clone(),
        });
        Type::Record(Arc::new(RecordType {
            fields: fields.collect(),
        }))
    }

    #[test]
    fn types_go_by_their_names() {
        let point = record(&[("x", Type::S32), ("y", Type::S32)]);
        let line = record(&[
            ("from", point.clone()),
            ("to", Type::Option(Arc::new(point.clone()))),
        ]);
        let items = [
            ("name".to_owned(), ExternType::Type(Type::String)),
            ("point".to_owned(), ExternType::Type(point.clone())),
            ("place".to_owned(), ExternType::Type(point.clone())),
            ("file".to_owned(), ExternType::Resource(TableType(3))),
        ];
        let none = TypeNames::default();
        let names = none.within(&items);
        assert_eq!(
            names.definition("point", &point),
            "record point { x: s32, y: s32 }"
        );
        assert_eq!(names.definition("place", &point), "type place = point");
        assert_eq!(
            names.definition("line", &line),
            "record line { from: point, to: option<point> }"
        );
        assert_eq!(names.definition("name", &Type::String), "type name = string");
        let (own, borrow) = (Type::Own(TableType(3)), Type::Borrow(TableType(3)));
        let func = FuncType {
            params: Box::new([
                ("at".into(), point),
                ("label".into(), Type::String),
                ("in".into(), borrow),
            ]),
            result: Some(Type::Result(Arc::new(airssys_wasm_abi::ResultType {
                ok: Some(Type::List(Arc::new(line))),
                err: Some(own.clone()),
            }))),
        };
        assert_eq!(
            names.func(&func),
            "func(at: point, label: string, in: borrow<file>) -> result<list<record { from: point, to: option<point> }>, file>"
        );
        assert_eq!(none.show(&own), "own<_>");
        let transmit = |payload| Arc::new(TransmitType { table: 0, payload });
        let stream = Type::Stream(transmit(Some(own)));
        assert_eq!(names.show(&stream), "stream<file>");
        assert_eq!(
            names.show(&Type::Future(transmit(Some(stream)))),
            "future<stream<file>>"
        );
        assert_eq!(names.show(&Type::Stream(transmit(None))), "stream");
        assert_eq!(names.show(&Type::ErrorContext), "error-context");
    }

    #[test]
    fn a_type_of_exponential_text_is_cut() {
        let twice = |ty: Type, _| record(&[("a", ty.clone()), ("b", ty)]);
        let huge = (0..90).fold(Type::Bool, twice);
        let text = TypeNames::default().definition("huge", &huge);
        assert!(
            text.ends_with('…') && text.len() < MAX_BYTES + 10,
            "{}",
            text.len()
        );
    }
}
