//! Rust types for the records, variants and enums of the contract: one declaration gives the type, its check
//! against the component's type, and the conversion both ways.

use crate::component::{ComponentType, Lift, Lower, Type, TypeContext, Val};
use crate::error::{Error, Result};
use crate::host::text::brief;

pub(crate) type Check = std::result::Result<(), String>;
type CheckType = fn(&Type, &TypeContext<'_>) -> Check;
type CheckPayload = fn(Option<&Type>, &TypeContext<'_>) -> Check;

/// A record with its fields in the order of the contract.
macro_rules! record {
    ($(#[$meta:meta])* $vis:vis $name:ident { $($(#[$doc:meta])* $field:ident: $ty:ty = $wit:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        $vis struct $name { $($(#[$doc])* $vis $field: $ty,)* }

        impl $crate::component::ComponentType for $name {
            fn typecheck(
                ty: &$crate::component::Type,
                cx: &$crate::component::TypeContext<'_>,
            ) -> $crate::host::convert::Check {
                $crate::host::convert::check_record(ty, cx, &[
                    $(($wit, <$ty as $crate::component::ComponentType>::typecheck),)*
                ])
            }
        }

        impl $crate::component::Lower for $name {
            fn into_val(self) -> $crate::component::Val {
                $crate::component::Val::Record(vec![
                    $(($wit.into(), $crate::component::Lower::into_val(self.$field)),)*
                ])
            }
        }

        impl $crate::component::Lift for $name {
            fn from_val(val: $crate::component::Val) -> $crate::Result<$name> {
                let mut fields = $crate::host::convert::Fields::of(val)?;
                Ok($name { $($field: fields.next($wit)?,)* })
            }
        }
    };
}

/// A variant; a payload has a name for the macro's own use.
macro_rules! variant {
    ($(#[$meta:meta])* $vis:vis $name:ident {
        $($(#[$doc:meta])* $case:ident $(($payload:ident: $ty:ty))? = $wit:literal,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        $vis enum $name { $($(#[$doc])* $case $(($ty))?,)* }

        impl $crate::component::ComponentType for $name {
            fn typecheck(
                ty: &$crate::component::Type,
                cx: &$crate::component::TypeContext<'_>,
            ) -> $crate::host::convert::Check {
                $crate::host::convert::check_variant(ty, cx, &[
                    $(($wit, $crate::host::convert::payload_check!($($ty)?)),)*
                ])
            }
        }

        impl $crate::component::Lower for $name {
            fn into_val(self) -> $crate::component::Val {
                match self {
                    $($name::$case $(($payload))? => {
                        let payload: Option<Box<$crate::component::Val>> = None;
                        $(let payload = payload.or($crate::component::Lower::into_payload($payload));)?
                        $crate::component::Val::Variant($wit.into(), payload)
                    })*
                }
            }
        }

        impl $crate::component::Lift for $name {
            fn from_val(val: $crate::component::Val) -> $crate::Result<$name> {
                let $crate::component::Val::Variant(case, payload) = val else {
                    return Err($crate::host::convert::unexpected("a variant", &val));
                };
                match &*case {
                    $($wit => {
                        $(let $payload = <$ty as $crate::component::Lift>::from_payload(payload)?;)?
                        Ok($name::$case $(($payload))?)
                    })*
                    _ => Err($crate::host::convert::unknown_case(&case)),
                }
            }
        }
    };
}

/// An enum.
macro_rules! labels {
    ($(#[$meta:meta])* $vis:vis $name:ident { $($(#[$doc:meta])* $case:ident = $wit:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $vis enum $name { $($(#[$doc])* $case,)* }

        impl $name {
            /// The name in the contract.
            $vis fn name(self) -> &'static str {
                match self { $($name::$case => $wit,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl $crate::component::ComponentType for $name {
            fn typecheck(
                ty: &$crate::component::Type,
                _: &$crate::component::TypeContext<'_>,
            ) -> $crate::host::convert::Check {
                $crate::host::convert::check_enum(ty, &[$($wit,)*])
            }
        }

        impl $crate::component::Lower for $name {
            fn into_val(self) -> $crate::component::Val {
                $crate::component::Val::Enum(self.name().into())
            }
        }

        impl $crate::component::Lift for $name {
            fn from_val(val: $crate::component::Val) -> $crate::Result<$name> {
                let $crate::component::Val::Enum(case) = val else {
                    return Err($crate::host::convert::unexpected("an enum", &val));
                };
                match &*case {
                    $($wit => Ok($name::$case),)*
                    _ => Err($crate::host::convert::unknown_case(&case)),
                }
            }
        }
    };
}

macro_rules! payload_check {
    () => {
        <() as $crate::component::ComponentType>::typecheck_payload
    };
    ($ty:ty) => {
        <$ty as $crate::component::ComponentType>::typecheck_payload
    };
}

pub(crate) use {labels, payload_check, record, variant};

pub(crate) fn check_record(ty: &Type, cx: &TypeContext<'_>, fields: &[(&str, CheckType)]) -> Check {
    let Type::Record(record) = ty else {
        return differ("record", ty);
    };
    let theirs = record.fields.iter().map(|field| &*field.name);
    same_names("fields", theirs, fields.iter().map(|(name, _)| *name))?;
    record
        .fields
        .iter()
        .zip(fields)
        .try_for_each(|(field, (name, check))| {
            check(&field.ty, cx).map_err(|error| format!("field `{name}`: {error}"))
        })
}

pub(crate) fn check_variant(ty: &Type, cx: &TypeContext<'_>, cases: &[(&str, CheckPayload)]) -> Check {
    let Type::Variant(variant) = ty else {
        return differ("variant", ty);
    };
    let theirs = variant.cases.iter().map(|case| &*case.name);
    same_names("cases", theirs, cases.iter().map(|(name, _)| *name))?;
    variant
        .cases
        .iter()
        .zip(cases)
        .try_for_each(|(case, (name, check))| {
            check(case.ty.as_ref(), cx).map_err(|error| format!("case `{name}`: {error}"))
        })
}

pub(crate) fn check_enum(ty: &Type, names: &[&str]) -> Check {
    let Type::Enum(labels) = ty else {
        return differ("enum", ty);
    };
    let theirs = labels.names.iter().map(|name| &**name);
    same_names("cases", theirs, names.iter().copied())
}

fn differ(kind: &str, ty: &Type) -> Check {
    Err(format!(
        "the host has a {kind}, the component has `{}`",
        brief(ty)
    ))
}

fn same_names<'a>(
    what: &str,
    theirs: impl Iterator<Item = &'a str> + Clone,
    ours: impl Iterator<Item = &'a str> + Clone,
) -> Check {
    if theirs.clone().eq(ours.clone()) {
        return Ok(());
    }
    let list = |names: &mut dyn Iterator<Item = &'a str>| names.collect::<Vec<_>>().join(", ");
    Err(format!(
        "the host has the {what} {}; the component has {}",
        list(&mut ours.clone()),
        brief(&list(&mut theirs.clone())),
    ))
}

/// The fields of a lifted record, which come in the order of the type that was checked.
pub(crate) struct Fields(std::vec::IntoIter<(std::sync::Arc<str>, Val)>);

impl Fields {
    pub(crate) fn of(val: Val) -> Result<Fields> {
        match val {
            Val::Record(fields) => Ok(Fields(fields.into_iter())),
            other => Err(unexpected("a record", &other)),
        }
    }

    pub(crate) fn next<T: Lift>(&mut self, name: &str) -> Result<T> {
        match self.0.next() {
            Some((field, val)) if *field == *name => T::from_val(val),
            _ => Err(mismatch(format!("expected the field `{name}`"))),
        }
    }
}

pub(crate) fn unexpected(expected: &str, got: &Val) -> Error {
    mismatch(format!("expected {expected}, got {}", got.kind_name()))
}

pub(crate) fn unknown_case(case: &str) -> Error {
    mismatch(format!("there is no case `{case}`"))
}

fn mismatch(message: String) -> Error {
    Error::TypeMismatch {
        place: "of a value".into(),
        message,
    }
}

impl ComponentType for crate::messaging::ComponentId {
    fn typecheck(ty: &Type, cx: &TypeContext<'_>) -> Check {
        String::typecheck(ty, cx)
    }
}

impl Lower for crate::messaging::ComponentId {
    fn into_val(self) -> Val {
        Val::String(self.as_str().to_owned())
    }
}
