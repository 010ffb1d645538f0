//! Limit on the size of values: the rule of `CanonicalABI.md`, section "Element Size", which the validator does not
//! check.
//!
//! `elem_size(t, i64) < 2^28` for every defined value type, so that no size overflows on its way through an adapter,
//! whatever the width of pointers. This checks the types that components define; types that are only declared, inside
//! the type of a component or an instance, meet the same limit when a function that uses them is planned.

use std::collections::HashMap;

use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentDefinedType, ComponentDefinedTypeId, ComponentValType,
};
use wasmparser::types::TypesRef;
use wasmparser::{Payload, PrimitiveValType, Validator};

use crate::error::{Error, Result};

/// The first size that is too large, in bytes.
const LIMIT: u64 = 1 << 28;

#[derive(Clone, Copy)]
struct Layout {
    size: u64,
    align: u64,
}

/// The layouts of the types so far, each computed once: types share their parts.
#[derive(Default)]
pub(in crate::component) struct ValueSizes {
    layouts: HashMap<ComponentDefinedTypeId, Layout>,
}

impl ValueSizes {
    /// Checks the types that a section of a component, just validated, has defined.
    ///
    /// # Errors
    /// [`Error::InvalidComponent`] for the first type that is too large.
    pub(in crate::component) fn check(&mut self, payload: &Payload<'_>, validator: &Validator) -> Result<()> {
        let Payload::ComponentTypeSection(section) = payload else {
            return Ok(());
        };
        let Some(types) = validator.types(0) else {
            return Ok(());
        };
        let count = types.component_type_count();
        for index in count.saturating_sub(section.count())..count {
            let ComponentAnyTypeId::Defined(id) = types.component_any_type_at(index) else {
                continue;
            };
            let Layout { size, .. } = self.defined(&types, id);
            if size >= LIMIT {
                return Err(Error::InvalidComponent {
                    offset: section.range().start as u64,
                    message: format!(
                        "type {index} of this section's component exceeds maximum byte size: \
                         a value takes {size} bytes, more than the limit of {}",
                        LIMIT - 1
                    ),
                });
            }
        }
        Ok(())
    }

    fn defined(&mut self, types: &TypesRef<'_>, id: ComponentDefinedTypeId) -> Layout {
        if let Some(layout) = self.layouts.get(&id) {
            return *layout;
        }
        let layout = self.layout(types, &types[id]);
        self.layouts.insert(id, layout);
        layout
    }

    // Recursion is bounded: the validator has refused types that nest deeper than it allows.
    fn layout(&mut self, types: &TypesRef<'_>, ty: &ComponentDefinedType) -> Layout {
        match ty {
            ComponentDefinedType::Primitive(ty) => primitive(*ty),
            ComponentDefinedType::Record(record) => self.members(types, record.fields.values().copied()),
            ComponentDefinedType::Tuple(tuple) => self.members(types, tuple.types.iter().copied()),
            ComponentDefinedType::Variant(variant) => self.cases(
                types,
                variant.cases.len(),
                variant.cases.values().filter_map(|case| case.ty),
            ),
            ComponentDefinedType::List { .. } | ComponentDefinedType::Map { .. } => POINTER_AND_LENGTH,
            ComponentDefinedType::FixedLengthList { element, length, .. } => {
                let Layout { size, align } = self.value(types, *element);
                Layout {
                    size: size.saturating_mul(u64::from(*length)),
                    align,
                }
            }
            ComponentDefinedType::Flags(labels) => scalar(match labels.len() {
                0..=8 => 1,
                9..=16 => 2,
                _ => 4,
            }),
            ComponentDefinedType::Enum(cases) => scalar(discriminant(cases.len())),
            ComponentDefinedType::Option { ty, .. } => self.cases(types, 2, Some(*ty)),
            ComponentDefinedType::Result { ok, err, .. } => {
                self.cases(types, 2, ok.iter().chain(err).copied())
            }
            // Handles only.
            _ => scalar(4),
        }
    }

    fn value(&mut self, types: &TypesRef<'_>, ty: ComponentValType) -> Layout {
        match ty {
            ComponentValType::Primitive(ty) => primitive(ty),
            ComponentValType::Type(id) => self.defined(types, id),
        }
    }

    fn members(&mut self, types: &TypesRef<'_>, members: impl Iterator<Item = ComponentValType>) -> Layout {
        let mut layout = Layout { size: 0, align: 1 };
        for member in members {
            let member = self.value(types, member);
            layout.size = align_to(layout.size, member.align).saturating_add(member.size);
            layout.align = layout.align.max(member.align);
        }
        layout.size = align_to(layout.size, layout.align);
        layout
    }

    fn cases(
        &mut self,
        types: &TypesRef<'_>,
        count: usize,
        payloads: impl IntoIterator<Item = ComponentValType>,
    ) -> Layout {
        let mut largest = Layout { size: 0, align: 1 };
        for payload in payloads {
            let payload = self.value(types, payload);
            largest.size = largest.size.max(payload.size);
            largest.align = largest.align.max(payload.align);
        }
        let discriminant = discriminant(count);
        let align = largest.align.max(discriminant);
        let size = align_to(discriminant, largest.align).saturating_add(largest.size);
        Layout {
            size: align_to(size, align),
            align,
        }
    }
}

/// The layout of a string or list with 64-bit pointers.
const POINTER_AND_LENGTH: Layout = Layout { size: 16, align: 8 };

fn scalar(size: u64) -> Layout {
    Layout { size, align: size }
}

fn primitive(ty: PrimitiveValType) -> Layout {
    use PrimitiveValType as P;
    match ty {
        P::Bool | P::S8 | P::U8 => scalar(1),
        P::S16 | P::U16 => scalar(2),
        P::S32 | P::U32 | P::F32 | P::Char | P::ErrorContext => scalar(4),
        P::S64 | P::U64 | P::F64 => scalar(8),
        P::String => POINTER_AND_LENGTH,
    }
}

fn discriminant(cases: usize) -> u64 {
    match cases {
        0..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        _ => 4,
    }
}

fn align_to(size: u64, align: u64) -> u64 {
    size.checked_next_multiple_of(align).unwrap_or(u64::MAX)
}
