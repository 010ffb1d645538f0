//! Types in Rust's notation.

use wit_parser::{Handle, Type, TypeDefKind, TypeId};

use crate::context::Context;
use crate::forms::Form;
use crate::scope::Scope;

impl Context<'_> {
    /// Returns the type of a value that is passed by ownership, or received.
    pub(crate) fn owned(&self, scope: &mut Scope, ty: &Type) -> String {
        match ty {
            Type::Bool => "bool".into(),
            Type::U8 => "u8".into(),
            Type::U16 => "u16".into(),
            Type::U32 => "u32".into(),
            Type::U64 => "u64".into(),
            Type::S8 => "i8".into(),
            Type::S16 => "i16".into(),
            Type::S32 => "i32".into(),
            Type::S64 => "i64".into(),
            Type::F32 => "f32".into(),
            Type::F64 => "f64".into(),
            Type::Char => "char".into(),
            Type::String | Type::ErrorContext => scope.prelude("String"),
            Type::Id(id) if self.resolve.types[*id].name.is_some() => self.type_path(scope, *id),
            Type::Id(id) => self.defined(scope, *id),
        }
    }

    /// Returns the type of a definition that has no name, or that an alias refers to.
    pub(crate) fn defined(&self, scope: &mut Scope, id: TypeId) -> String {
        let def = &self.resolve.types[id];
        match &def.kind {
            TypeDefKind::Type(ty) => self.owned(scope, ty),
            TypeDefKind::Handle(Handle::Own(resource) | Handle::Borrow(resource)) => {
                self.handle(scope, *resource)
            }
            TypeDefKind::Tuple(tuple) => {
                let types = tuple.types.iter().map(|ty| self.owned(scope, ty)).collect();
                tuple_of(types)
            }
            TypeDefKind::Option(ty) => {
                let ty = self.owned(scope, ty);
                format!("{}<{ty}>", scope.prelude("Option"))
            }
            TypeDefKind::Result(result) => {
                let ok = self.payload(scope, result.ok.as_ref());
                let err = self.payload(scope, result.err.as_ref());
                format!("{}<{ok}, {err}>", scope.prelude("Result"))
            }
            TypeDefKind::List(ty) => {
                let ty = self.owned(scope, ty);
                format!("{}<{ty}>", scope.prelude("Vec"))
            }
            TypeDefKind::FixedLengthList(ty, length) => format!("[{}; {length}]", self.owned(scope, ty)),
            TypeDefKind::Stream(ty) => {
                let ty = self.payload(scope, ty.as_ref());
                format!("{}<{ty}>", scope.component("StreamReader"))
            }
            TypeDefKind::Future(ty) => {
                let ty = self.payload(scope, ty.as_ref());
                format!("{}<{ty}>", scope.component("FutureReader"))
            }
            // These have names; definitions without a name were refused.
            _ => self.type_path(scope, id),
        }
    }

    fn payload(&self, scope: &mut Scope, ty: Option<&Type>) -> String {
        ty.map_or_else(|| "()".to_owned(), |ty| self.owned(scope, ty))
    }

    fn handle(&self, scope: &mut Scope, resource: TypeId) -> String {
        if self.is_guests(scope.side, resource) {
            return scope.component("ResourceAny");
        }
        let ty = self.type_path(scope, resource);
        format!("{}<{ty}>", scope.component("Resource"))
    }

    /// Returns the type of an argument that is borrowed. The ends of streams and futures in it would be consumed, so that a
    /// value with any is passed by ownership.
    pub(crate) fn argument(&self, scope: &mut Scope, ty: &Type) -> String {
        let Type::Id(id) = ty else {
            return match ty {
                Type::String => "&str".into(),
                _ => self.owned(scope, ty),
            };
        };
        if self.facts.transmits(*id) {
            return self.owned(scope, ty);
        }
        let kind = &self.resolve.types[self.definition(*id)].kind;
        if self.resolve.types[*id].name.is_some()
            && matches!(
                kind,
                TypeDefKind::Tuple(_) | TypeDefKind::Option(_) | TypeDefKind::Result(_)
            )
        {
            match self.forms.of(*id) {
                Form::Name => return self.owned(scope, ty),
                Form::Reference => return format!("&{}", self.owned(scope, ty)),
                Form::Parts => {}
            }
        }
        match kind {
            TypeDefKind::Record(_) | TypeDefKind::Variant(_) | TypeDefKind::FixedLengthList(..) => {
                format!("&{}", self.owned(scope, ty))
            }
            TypeDefKind::Type(ty) => self.argument(scope, ty),
            TypeDefKind::List(ty) => format!("&[{}]", self.owned(scope, ty)),
            TypeDefKind::Option(ty) => {
                let ty = self.argument(scope, ty);
                format!("{}<{ty}>", scope.prelude("Option"))
            }
            TypeDefKind::Result(result) => {
                let mut payload = |ty: Option<&Type>| match ty {
                    Some(ty) => self.argument(scope, ty),
                    None => "()".to_owned(),
                };
                let (ok, err) = (payload(result.ok.as_ref()), payload(result.err.as_ref()));
                format!("{}<{ok}, {err}>", scope.prelude("Result"))
            }
            TypeDefKind::Tuple(tuple) => {
                let types = tuple.types.iter().map(|ty| self.argument(scope, ty)).collect();
                tuple_of(types)
            }
            _ => self.owned(scope, ty),
        }
    }
}

/// Returns a tuple type or value with these members.
pub(crate) fn tuple_of(members: Vec<String>) -> String {
    match members.as_slice() {
        [one] => format!("({one},)"),
        _ => format!("({})", members.join(", ")),
    }
}
