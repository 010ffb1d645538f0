//! Short names for types, values and crossings.

use std::sync::Arc;

use airssys_wasm_abi::{
    AbiError, Case, CoreValue, EnumType, Field, FixedLengthListType, FlagsType, FuncPlan, FuncType, Plan,
    RecordType, ResultType, TransmitType, Type, VariantType,
};

use crate::guest::{Rep, TestGuest};

pub(crate) type Val = airssys_wasm_abi::Val<Rep, Rep, Rep>;

pub(crate) fn list(element: Type) -> Type {
    Type::List(Arc::new(element))
}

pub(crate) fn fixed(element: Type, length: u32) -> Type {
    Type::FixedLengthList(Arc::new(FixedLengthListType { element, length }))
}

pub(crate) fn record(fields: &[(&str, Type)]) -> Type {
    let fields = fields
        .iter()
        .map(|(name, ty)| Field {
            name: Arc::from(*name),
            ty: ty.clone(),
        })
        .collect();
    Type::Record(Arc::new(RecordType { fields }))
}

pub(crate) fn tuple(types: &[Type]) -> Type {
    Type::Tuple(Arc::from(types))
}

pub(crate) fn variant(cases: &[(&str, Option<Type>)]) -> Type {
    let cases = cases
        .iter()
        .map(|(name, ty)| Case {
            name: Arc::from(*name),
            ty: ty.clone(),
        })
        .collect();
    Type::Variant(Arc::new(VariantType { cases }))
}

pub(crate) fn option(payload: Type) -> Type {
    Type::Option(Arc::new(payload))
}

pub(crate) fn result(ok: Option<Type>, err: Option<Type>) -> Type {
    Type::Result(Arc::new(ResultType { ok, err }))
}

/// Returns `n` labels named by their position.
pub(crate) fn labels(n: usize) -> Box<[Arc<str>]> {
    (0..n).map(|n| Arc::from(n.to_string())).collect()
}

pub(crate) fn enumeration(n: usize) -> Type {
    Type::Enum(Arc::new(EnumType { names: labels(n) }))
}

pub(crate) fn flags(n: usize) -> Type {
    Type::Flags(Arc::new(FlagsType { names: labels(n) }))
}

pub(crate) fn stream(payload: Option<Type>) -> Type {
    Type::Stream(Arc::new(TransmitType { table: 0, payload }))
}

pub(crate) fn future(payload: Option<Type>) -> Type {
    Type::Future(Arc::new(TransmitType { table: 0, payload }))
}

pub(crate) fn func(params: &[Type], result: Option<Type>) -> FuncType {
    let params = params
        .iter()
        .enumerate()
        .map(|(n, ty)| (Arc::from(format!("p{n}")), ty.clone()))
        .collect();
    FuncType { params, result }
}

pub(crate) fn plan(ty: &Type) -> Plan {
    Plan::new(ty).unwrap()
}

pub(crate) fn i32(value: u32) -> CoreValue {
    CoreValue::I32(value.cast_signed())
}

pub(crate) fn i64(value: u64) -> CoreValue {
    CoreValue::I64(value.cast_signed())
}

pub(crate) fn f32(value: f32) -> CoreValue {
    CoreValue::F32(value.to_bits())
}

pub(crate) fn f64(value: f64) -> CoreValue {
    CoreValue::F64(value.to_bits())
}

pub(crate) fn name(name: &str) -> Arc<str> {
    Arc::from(name)
}

pub(crate) fn string(text: &str) -> Val {
    Val::String(text.to_owned())
}

pub(crate) fn some(val: Val) -> Val {
    Val::Option(Some(Box::new(val)))
}

pub(crate) fn case(label: &str, payload: Option<Val>) -> Val {
    Val::Variant(name(label), payload.map(Box::new))
}

pub(crate) fn set(labels: &[&str]) -> Val {
    Val::Flags(labels.iter().map(|label| name(label)).collect())
}

/// Lifts one flat value of type `ty`.
pub(crate) fn lift(guest: &mut TestGuest, ty: &Type, flat: &[CoreValue]) -> Result<Val, AbiError> {
    let plan = FuncPlan::new(&func(std::slice::from_ref(ty), None)).unwrap();
    let mut vals = plan.lift_params(guest, flat)?;
    assert_eq!(vals.len(), 1);
    Ok(vals.remove(0))
}

/// Lowers one value of type `ty` to core values.
pub(crate) fn lower(guest: &mut TestGuest, ty: &Type, val: &Val) -> Result<Vec<CoreValue>, AbiError> {
    let plan = FuncPlan::new(&func(std::slice::from_ref(ty), None)).unwrap();
    let mut flat = Vec::new();
    plan.lower_params(guest, std::slice::from_ref(val), &mut flat)?;
    Ok(flat)
}

/// Lifts, compares, lowers into another guest and lifts again.
#[track_caller]
pub(crate) fn there_and_back(mut guest: TestGuest, ty: &Type, flat: &[CoreValue], expected: &Val) {
    assert_eq!(
        lift(&mut guest, ty, flat).as_ref(),
        Ok(expected),
        "{ty}: lifting {flat:?}"
    );
    let mut other = TestGuest::new().encoding(guest.encoding);
    let lowered = lower(&mut other, ty, expected).unwrap();
    assert_eq!(
        lift(&mut other, ty, &lowered).as_ref(),
        Ok(expected),
        "{ty}: lifting again"
    );
}
