//! Building blocks of derived code and of `flags!`. Not for direct use.

use airssys_wasm_abi::Type;
pub use airssys_wasm_abi::steps::check_case;
pub use airssys_wasm_abi::{AbiError, Plan};
pub use bitflags;

use super::{
    ComponentType, FlatReader, GuestPtr, Layout, LiftContext, LowerContext, TypeCheck, TypeContext, differ,
};
use crate::error::Result;

/// Signature of [`ComponentType::typecheck`], for a record's field.
pub type FieldCheck = fn(&Type, &TypeContext<'_>) -> TypeCheck;

/// Signature of [`ComponentType::typecheck_payload`], for a variant's case.
pub type CaseCheck = fn(Option<&Type>, &TypeContext<'_>) -> TypeCheck;

/// Returns the plan of a part of a type, see [`Plan::part`].
#[inline]
pub fn part<T: ComponentType + ?Sized>(plan: &Plan, index: usize) -> &Plan {
    super::part::<T>(plan, index)
}

/// Checks that `ty` is the record with these fields, in this order.
///
/// # Errors
/// A sentence on the difference.
pub fn typecheck_record<T>(ty: &Type, cx: &TypeContext<'_>, fields: &[(&str, FieldCheck)]) -> TypeCheck {
    let Type::Record(record) = ty else {
        return differ::<T>(ty);
    };
    same_count("fields", fields.len(), record.fields.len())?;
    for ((name, check), field) in fields.iter().zip(&record.fields) {
        same_name("field", name, &field.name)?;
        check(&field.ty, cx).map_err(|message| format!("field `{name}`: {message}"))?;
    }
    Ok(())
}

/// Checks that `ty` is the variant with these cases, in this order.
///
/// # Errors
/// A sentence on the difference.
pub fn typecheck_variant<T>(ty: &Type, cx: &TypeContext<'_>, cases: &[(&str, CaseCheck)]) -> TypeCheck {
    let Type::Variant(variant) = ty else {
        return differ::<T>(ty);
    };
    same_count("cases", cases.len(), variant.cases.len())?;
    for ((name, check), case) in cases.iter().zip(&variant.cases) {
        same_name("case", name, &case.name)?;
        check(case.ty.as_ref(), cx).map_err(|message| format!("case `{name}`: {message}"))?;
    }
    Ok(())
}

/// Checks that `ty` is the enum with these cases, in this order.
///
/// # Errors
/// A sentence on the difference.
pub fn typecheck_enum<T>(ty: &Type, names: &[&str]) -> TypeCheck {
    let Type::Enum(found) = ty else {
        return differ::<T>(ty);
    };
    typecheck_names("case", "cases", names, &found.names)
}

/// Checks that `ty` is the flags type with these labels, in this order.
///
/// # Errors
/// A sentence on the difference.
pub fn typecheck_flags<T>(ty: &Type, names: &[&str]) -> TypeCheck {
    let Type::Flags(found) = ty else {
        return differ::<T>(ty);
    };
    typecheck_names("flag", "flags", names, &found.names)
}

fn typecheck_names(one: &str, many: &str, names: &[&str], found: &[std::sync::Arc<str>]) -> TypeCheck {
    same_count(many, names.len(), found.len())?;
    for (name, found) in names.iter().zip(found) {
        same_name(one, name, found)?;
    }
    Ok(())
}

fn same_count(what: &str, host: usize, component: usize) -> TypeCheck {
    if host == component {
        Ok(())
    } else {
        Err(format!(
            "the host has {host} {what}, the component has {component}"
        ))
    }
}

fn same_name(what: &str, host: &str, component: &str) -> TypeCheck {
    if host == component {
        Ok(())
    } else {
        Err(format!(
            "the host has the {what} `{host}` where the component has `{component}`"
        ))
    }
}

/// Reads the discriminant of a variant or enum, or the bits of flags: `width` bytes, which are 1, 2 or 4.
///
/// # Errors
/// [`AbiError::PointerOutOfBounds`].
#[inline]
pub fn load_word(cx: &LiftContext<'_>, at: GuestPtr, width: u32) -> Result<u32> {
    Ok(match width {
        1 => cx.load_u8(at)?.into(),
        2 => cx.load_u16(at)?.into(),
        _ => cx.load_u32(at)?,
    })
}

/// Writes a word that [`load_word`] reads.
///
/// # Errors
/// [`AbiError::PointerOutOfBounds`].
#[inline]
pub fn store_word(cx: &mut LowerContext<'_>, at: GuestPtr, width: u32, word: u32) -> Result<()> {
    let [low, high, ..] = word.to_le_bytes();
    match width {
        1 => cx.store_u8(at, low),
        2 => cx.store_u16(at, u16::from_le_bytes([low, high])),
        _ => cx.store_u32(at, word),
    }
}

/// Returns the size, in bytes, of the discriminant for a number of cases.
pub const fn discriminant_width(cases: usize) -> u32 {
    Layout::discriminant(cases).bytes()
}

/// Splits a variant's flat values: the discriminant, checked, and those of the payload.
///
/// # Errors
/// [`AbiError::InvalidDiscriminant`].
#[inline]
pub fn split_case<'a>(
    flat: &mut FlatReader<'a>,
    layout: Layout,
    cases: u32,
) -> Result<(u32, FlatReader<'a>)> {
    let index = flat.next_u32();
    let payload = flat.split(layout.flat as usize - 1);
    check_case(index, cases)?;
    Ok((index, payload))
}
