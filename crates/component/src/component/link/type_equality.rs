//! Equality of the types of two components: structural, with resource types by identity ([Type Checking]).
//!
//! [Type Checking]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/Explainer.md#type-checking

use std::collections::HashSet;

use airssys_wasm_abi::{FuncType, Type, TypeAddress};

use crate::component::call::typed::TypeContext;

/// Compares types of one component with types of another.
pub(in crate::component) struct Same<'a> {
    left: &'a TypeContext<'a>,
    right: &'a TypeContext<'a>,
    /// Compound types that were found equal. Stops types that share their parts, whose comparison would take
    /// exponential time.
    found: HashSet<(TypeAddress, TypeAddress)>,
}

impl<'a> Same<'a> {
    pub(in crate::component) fn new(left: &'a TypeContext<'a>, right: &'a TypeContext<'a>) -> Same<'a> {
        Same {
            left,
            right,
            found: HashSet::new(),
        }
    }

    /// Returns whether two function types are equal, the names of parameters included.
    pub(in crate::component) fn functions(&mut self, left: &FuncType, right: &FuncType) -> bool {
        left.params.len() == right.params.len()
            && left
                .params
                .iter()
                .zip(&right.params)
                .all(|((left_name, left), (right_name, right))| {
                    left_name == right_name && self.types(left, right)
                })
            && self.optional(left.result.as_ref(), right.result.as_ref())
    }

    pub(in crate::component) fn optional(&mut self, left: Option<&Type>, right: Option<&Type>) -> bool {
        match (left, right) {
            (Some(left), Some(right)) => self.types(left, right),
            (None, None) => true,
            _ => false,
        }
    }

    /// Returns whether two value types are equal. Types nest no deeper than validation allows.
    pub(in crate::component) fn types(&mut self, left: &Type, right: &Type) -> bool {
        let places = left.address().zip(right.address());
        if places.is_some_and(|places| self.found.contains(&places)) {
            return true;
        }
        let same = match (left, right) {
            (Type::List(left), Type::List(right)) | (Type::Option(left), Type::Option(right)) => {
                self.types(left, right)
            }
            (Type::FixedLengthList(left), Type::FixedLengthList(right)) => {
                left.length == right.length && self.types(&left.element, &right.element)
            }
            (Type::Tuple(left), Type::Tuple(right)) => {
                left.len() == right.len()
                    && left
                        .iter()
                        .zip(&**right)
                        .all(|(left, right)| self.types(left, right))
            }
            (Type::Record(left), Type::Record(right)) => {
                left.fields.len() == right.fields.len()
                    && left
                        .fields
                        .iter()
                        .zip(&right.fields)
                        .all(|(left, right)| left.name == right.name && self.types(&left.ty, &right.ty))
            }
            (Type::Variant(left), Type::Variant(right)) => {
                left.cases.len() == right.cases.len()
                    && left.cases.iter().zip(&right.cases).all(|(left, right)| {
                        left.name == right.name && self.optional(left.ty.as_ref(), right.ty.as_ref())
                    })
            }
            (Type::Result(left), Type::Result(right)) => {
                self.optional(left.ok.as_ref(), right.ok.as_ref())
                    && self.optional(left.err.as_ref(), right.err.as_ref())
            }
            (Type::Own(left), Type::Own(right)) | (Type::Borrow(left), Type::Borrow(right)) => {
                let left = (self.left.look_up)(*left);
                left.is_some() && left == (self.right.look_up)(*right)
            }
            // The number of the table is each component's own.
            (Type::Stream(left), Type::Stream(right)) | (Type::Future(left), Type::Future(right)) => {
                self.optional(left.payload.as_ref(), right.payload.as_ref())
            }
            // The remaining types have no parts.
            (left, right) => left == right,
        };
        if same && let Some(places) = places {
            self.found.insert(places);
        }
        same
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use airssys_wasm_abi::{Field, RecordType, ResourceType as TableType, TransmitType};

    use super::*;
    use crate::component::ResourceType;

    fn record(name: &str, ty: Type) -> Type {
        let fields = [("a", ty.clone()), (name, ty)].map(|(name, ty)| Field {
            name: name.into(),
            ty,
        });
        Type::Record(Arc::new(RecordType {
            fields: fields.into(),
        }))
    }

    fn same(left: &Type, right: &Type) -> bool {
        struct One;
        struct Two;
        // Another component numbers its tables differently.
        let left_tables = |table: TableType| match table.0 {
            0 => Some(ResourceType::host::<One>()),
            1 => Some(ResourceType::host::<Two>()),
            _ => None,
        };
        let right_tables = |table: TableType| match table.0 {
            5 => Some(ResourceType::host::<One>()),
            6 => Some(ResourceType::host::<Two>()),
            _ => None,
        };
        let (left_cx, right_cx) = (
            TypeContext {
                look_up: &left_tables,
            },
            TypeContext {
                look_up: &right_tables,
            },
        );
        Same::new(&left_cx, &right_cx).types(left, right)
    }

    #[test]
    fn resource_types_are_the_same_by_identity() {
        let own = |table| Type::Own(TableType(table));
        assert!(same(&own(0), &own(5)));
        assert!(same(&record("b", own(1)), &record("b", own(6))));
        assert!(!same(&own(0), &own(6)));
        assert!(!same(&own(0), &Type::Borrow(TableType(5))));
        assert!(!same(&own(7), &own(7)), "two that are not known");
    }

    #[test]
    fn value_types_are_the_same_by_structure() {
        assert!(same(&record("b", Type::U8), &record("b", Type::U8)));
        assert!(!same(&record("b", Type::U8), &record("c", Type::U8)));
        assert!(!same(&record("b", Type::U8), &record("b", Type::S8)));
        assert!(!same(
            &Type::Option(Arc::new(Type::U8)),
            &Type::List(Arc::new(Type::U8))
        ));
    }

    #[test]
    fn streams_are_the_same_by_element() {
        let stream = |table, payload| Type::Stream(Arc::new(TransmitType { table, payload }));
        let future = |table, payload| Type::Future(Arc::new(TransmitType { table, payload }));
        let own = |table| Some(Type::Own(TableType(table)));
        assert!(same(&stream(0, Some(Type::U8)), &stream(3, Some(Type::U8))));
        assert!(same(&future(0, None), &future(3, None)));
        assert!(same(&Type::ErrorContext, &Type::ErrorContext));
        assert!(same(&stream(0, own(0)), &stream(0, own(5))));
        assert!(!same(&stream(0, own(0)), &stream(0, own(6))));
        assert!(!same(&stream(0, Some(Type::U8)), &stream(0, Some(Type::S8))));
        assert!(!same(&stream(0, Some(Type::U8)), &stream(0, None)));
        assert!(!same(&stream(0, None), &future(0, None)));
        let nested = |table| stream(table, Some(Type::List(Arc::new(stream(table, Some(Type::U8))))));
        assert!(same(&nested(1), &nested(2)));
        // Types of two kinds can share their part.
        let part = Arc::new(TransmitType {
            table: 0,
            payload: None,
        });
        let mixed = |second: fn(Arc<TransmitType>) -> Type| {
            Type::Tuple([Type::Stream(Arc::clone(&part)), second(Arc::clone(&part))].into())
        };
        assert!(!same(&mixed(Type::Stream), &mixed(Type::Future)));
    }

    #[test]
    fn types_that_share_their_parts_are_compared_in_linear_time() {
        let tower = || (0..90).fold(Type::Bool, |ty, _| record("b", ty));
        assert!(same(&tower(), &tower()));
    }
}
