//! Component types as `wasm-wave` sees them.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::component::Type;
use airssys_wasm_abi::TypeAddress;
use wasm_wave::wasm::{WasmType, WasmTypeKind};

#[derive(Clone, Debug)]
pub(crate) struct WaveType(pub(crate) Type);

impl WasmType for WaveType {
    fn kind(&self) -> WasmTypeKind {
        match self.0 {
            Type::Bool => WasmTypeKind::Bool,
            Type::S8 => WasmTypeKind::S8,
            Type::U8 => WasmTypeKind::U8,
            Type::S16 => WasmTypeKind::S16,
            Type::U16 => WasmTypeKind::U16,
            Type::S32 => WasmTypeKind::S32,
            Type::U32 => WasmTypeKind::U32,
            Type::S64 => WasmTypeKind::S64,
            Type::U64 => WasmTypeKind::U64,
            Type::Float32 => WasmTypeKind::F32,
            Type::Float64 => WasmTypeKind::F64,
            Type::Char => WasmTypeKind::Char,
            Type::String => WasmTypeKind::String,
            // The parser has one kind of list; `make_list` checks the length.
            Type::List(_) | Type::FixedLengthList(_) => WasmTypeKind::List,
            Type::Record(_) => WasmTypeKind::Record,
            Type::Tuple(_) => WasmTypeKind::Tuple,
            Type::Variant(_) => WasmTypeKind::Variant,
            Type::Enum(_) => WasmTypeKind::Enum,
            Type::Option(_) => WasmTypeKind::Option,
            Type::Result(_) => WasmTypeKind::Result,
            Type::Flags(_) => WasmTypeKind::Flags,
            Type::Own(_) | Type::Borrow(_) | Type::Stream(_) | Type::Future(_) | Type::ErrorContext => {
                WasmTypeKind::Unsupported
            }
        }
    }

    fn list_element_type(&self) -> Option<WaveType> {
        match &self.0 {
            Type::List(element) => Some(WaveType((**element).clone())),
            Type::FixedLengthList(list) => Some(WaveType(list.element.clone())),
            _ => None,
        }
    }

    fn record_fields(&self) -> Box<dyn Iterator<Item = (Cow<'_, str>, WaveType)> + '_> {
        let fields = match &self.0 {
            Type::Record(record) => &record.fields[..],
            _ => &[],
        };
        Box::new(
            fields
                .iter()
                .map(|field| (Cow::Borrowed(&*field.name), WaveType(field.ty.clone()))),
        )
    }

    fn tuple_element_types(&self) -> Box<dyn Iterator<Item = WaveType> + '_> {
        let types = match &self.0 {
            Type::Tuple(types) => &types[..],
            _ => &[],
        };
        Box::new(types.iter().cloned().map(WaveType))
    }

    fn variant_cases(&self) -> Box<dyn Iterator<Item = (Cow<'_, str>, Option<WaveType>)> + '_> {
        let cases = match &self.0 {
            Type::Variant(variant) => &variant.cases[..],
            _ => &[],
        };
        Box::new(
            cases
                .iter()
                .map(|case| (Cow::Borrowed(&*case.name), case.ty.clone().map(WaveType))),
        )
    }

    fn enum_cases(&self) -> Box<dyn Iterator<Item = Cow<'_, str>> + '_> {
        let names = match &self.0 {
            Type::Enum(names) => &names.names[..],
            _ => &[],
        };
        Box::new(names.iter().map(|name| Cow::Borrowed(&**name)))
    }

    fn option_some_type(&self) -> Option<WaveType> {
        match &self.0 {
            Type::Option(payload) => Some(WaveType((**payload).clone())),
            _ => None,
        }
    }

    fn result_types(&self) -> Option<(Option<WaveType>, Option<WaveType>)> {
        match &self.0 {
            Type::Result(result) => Some((result.ok.clone().map(WaveType), result.err.clone().map(WaveType))),
            _ => None,
        }
    }

    fn flags_names(&self) -> Box<dyn Iterator<Item = Cow<'_, str>> + '_> {
        let names = match &self.0 {
            Type::Flags(flags) => &flags.names[..],
            _ => &[],
        };
        Box::new(names.iter().map(|name| Cow::Borrowed(&**name)))
    }

    fn map_key_value_types(&self) -> Option<(WaveType, WaveType)> {
        None
    }
}

/// Reports whether values of the type hold handles, which have no text.
pub fn holds_resource(ty: &Type) -> bool {
    holds(ty, &mut HashSet::new())
}

/// As [`holds_resource`], with the parts already searched in `seen`: they hold no handle.
fn holds(ty: &Type, seen: &mut HashSet<TypeAddress>) -> bool {
    if ty.address().is_some_and(|address| !seen.insert(address)) {
        return false;
    }
    let mut any =
        |mut parts: &mut dyn Iterator<Item = &Type>| Iterator::any(&mut parts, |part| holds(part, seen));
    match ty {
        Type::Own(_) | Type::Borrow(_) | Type::Stream(_) | Type::Future(_) | Type::ErrorContext => true,
        Type::List(element) | Type::Option(element) => any(&mut std::iter::once(&**element)),
        Type::FixedLengthList(list) => any(&mut std::iter::once(&list.element)),
        Type::Record(record) => any(&mut record.fields.iter().map(|field| &field.ty)),
        Type::Tuple(types) => any(&mut types.iter()),
        Type::Variant(variant) => any(&mut variant.cases.iter().filter_map(|case| case.ty.as_ref())),
        Type::Result(result) => any(&mut result.ok.iter().chain(&result.err)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use airssys_wasm_abi::{ResourceType, TransmitType};

    use super::*;

    /// A type with 2^60 paths and 120 parts.
    fn shared(leaf: Type) -> Type {
        (0..60).fold(leaf, |ty, _| {
            let list = Type::List(Arc::new(ty));
            Type::Tuple([list.clone(), list].into())
        })
    }

    #[test]
    fn shared_parts_are_looked_at_once() {
        assert!(!holds_resource(&shared(Type::U8)));
        assert!(holds_resource(&shared(Type::Own(ResourceType(0)))));
        let both = Type::Tuple([shared(Type::String), Type::Borrow(ResourceType(0))].into());
        assert!(holds_resource(&both));
        assert!(holds_resource(&shared(Type::ErrorContext)));
        let stream = Type::Stream(Arc::new(TransmitType {
            table: 0,
            payload: Some(Type::U8),
        }));
        assert!(holds_resource(&shared(stream)));
    }
}
