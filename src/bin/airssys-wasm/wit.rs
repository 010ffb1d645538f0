//! Types as WIT writes them, by the names that their interface gives them.

use airssys_wasm::component::{ExternType, FuncType, Type};

/// Longest text of one type, in bytes. A type that shares its parts can have a text exponentially longer than itself.
const MAX_BYTES: usize = 16 << 10;

/// The names that one interface gives to types.
pub(crate) struct Names<'a>(&'a [(String, ExternType)]);

impl<'a> Names<'a> {
    /// The names among the items of an instance.
    pub(crate) fn of(items: &'a [(String, ExternType)]) -> Names<'a> {
        Names(items)
    }

    /// `func(a: u32) -> string`
    pub(crate) fn func(&self, ty: &FuncType) -> String {
        let mut out = Text::default();
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

    /// `record point { x: s32, y: s32 }`, `type path = list<string>`
    pub(crate) fn definition(&self, name: &str, ty: &Type) -> String {
        let mut out = Text::default();
        match ty {
            Type::Record(_) | Type::Variant(_) | Type::Enum(_) | Type::Flags(_) => {
                let (keyword, body) = self.body(ty);
                out.push(&format!("{keyword} {name} {body}"));
            }
            _ => {
                out.push(&format!("type {name} = "));
                self.ty(&mut out, ty, false);
            }
        }
        out.text
    }

    /// Of a type that WIT writes in braces: its keyword, and the braces.
    fn body(&self, ty: &Type) -> (&'static str, String) {
        let mut out = Text::default();
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

    /// The name of a type that has an identity of its own in WIT: aliases of `string` are not that.
    fn name(&self, wanted: &Type) -> Option<&'a str> {
        self.0.iter().find_map(|(name, item)| match (item, wanted) {
            (ExternType::Type(ty), Type::Record(_) | Type::Variant(_) | Type::Enum(_) | Type::Flags(_))
                if ty == wanted =>
            {
                Some(name.as_str())
            }
            (ExternType::Resource(resource), Type::Own(handle) | Type::Borrow(handle))
                if resource == handle =>
            {
                Some(name.as_str())
            }
            _ => None,
        })
    }

    fn ty(&self, out: &mut Text, ty: &Type, by_name: bool) {
        if out.full {
            return;
        }
        let name = self.name(ty);
        match (ty, name) {
            (Type::Own(_), Some(name)) => return out.push(name),
            (Type::Borrow(_), Some(name)) => return out.push(&format!("borrow<{name}>")),
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
            plain => out.show(plain),
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

/// Text up to [`MAX_BYTES`]; what does not fit becomes one `…`.
#[derive(Default)]
struct Text {
    text: String,
    full: bool,
}

impl Text {
    fn push(&mut self, text: &str) {
        if self.full {
            return;
        }
        self.full = self.text.len() + text.len() > MAX_BYTES;
        self.text.push_str(if self.full { "…" } else { text });
    }

    /// A type without parts that have names, in the library's own words.
    fn show(&mut self, ty: &Type) {
        self.push(&ty.to_string());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use airssys_wasm::component::{Field, RecordType};

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
        ];
        let names = Names::of(&items);
        assert_eq!(
            names.definition("point", &point),
            "record point { x: s32, y: s32 }"
        );
        assert_eq!(
            names.definition("line", &line),
            "record line { from: point, to: option<point> }"
        );
        assert_eq!(names.definition("name", &Type::String), "type name = string");
        let func = FuncType {
            params: Box::new([("at".into(), point), ("label".into(), Type::String)]),
            result: Some(Type::List(Arc::new(line))),
        };
        assert_eq!(
            names.func(&func),
            "func(at: point, label: string) -> list<record { from: point, to: option<point> }>"
        );
    }

    #[test]
    fn a_type_of_exponential_text_is_cut() {
        let twice = |ty: Type, _| record(&[("a", ty.clone()), ("b", ty)]);
        let huge = (0..90).fold(Type::Bool, twice);
        let text = Names::of(&[]).definition("huge", &huge);
        assert!(
            text.ends_with('…') && text.len() < MAX_BYTES + 10,
            "{}",
            text.len()
        );
    }
}
