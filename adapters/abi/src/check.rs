//! Checks of a host's values against their types, before anything is lowered.

use crate::error::{AbiError, ValuePath};
use crate::lower::{field, list_bytes, same_count};
use crate::plan::{FieldPlan, Plan, PlanKind};
use crate::scalar::position;
use crate::val::Val;

/// Returns the error for a value of another kind than its type.
pub(crate) fn mismatch<R, S, F>(plan: &Plan, val: &Val<R, S, F>) -> AbiError {
    AbiError::TypeMismatch {
        path: ValuePath::default(),
        expected: plan.ty().summary(),
        got: val.kind_name(),
    }
}

impl Plan {
    /// Checks that a value has this plan's type, down to the last element, and that its lists are short enough for a
    /// guest. The types of resources are known to the [`Guest`](crate::Guest) only; lowering checks those.
    ///
    /// # Errors
    /// One of [`Fault::Host`](crate::Fault::Host), with the path to the value that does not fit.
    pub fn check<R, S, F>(&self, val: &Val<R, S, F>) -> Result<(), AbiError> {
        use PlanKind as K;
        match (self.kind(), val) {
            (K::Bool, Val::Bool(_))
            | (K::S8, Val::S8(_))
            | (K::U8, Val::U8(_))
            | (K::S16, Val::S16(_))
            | (K::U16, Val::U16(_))
            | (K::S32, Val::S32(_))
            | (K::U32, Val::U32(_))
            | (K::S64, Val::S64(_))
            | (K::U64, Val::U64(_))
            | (K::Float32, Val::Float32(_))
            | (K::Float64, Val::Float64(_))
            | (K::Char, Val::Char(_))
            | (K::String, Val::String(_))
            | (K::Own(_) | K::Borrow(_), Val::Resource(_))
            | (K::Stream(_), Val::Stream(_))
            | (K::Future(_), Val::Future(_)) => Ok(()),
            (K::Bytes, Val::Bytes(bytes)) => list_bytes(1, bytes.len()).map(drop),
            (K::Bytes, Val::List(vals)) => {
                list_bytes(1, vals.len())?;
                for (index, val) in vals.iter().enumerate() {
                    if !matches!(val, Val::U8(_)) {
                        let (path, got) = (ValuePath::default(), val.kind_name());
                        let error = AbiError::TypeMismatch {
                            path,
                            expected: String::from("u8"),
                            got,
                        };
                        return Err(error.within(|| format!("element {index}")));
                    }
                }
                Ok(())
            }
            (K::List(element), Val::List(vals)) => {
                list_bytes(element.size(), vals.len())?;
                check_elements(element, vals)
            }
            (K::FixedLengthList { element, length }, Val::FixedLengthList(vals)) => {
                same_count(u64::from(*length), vals.len())?;
                check_elements(element, vals)
            }
            (K::Record(plans), Val::Record(fields)) => check_record(plans, fields),
            (K::Tuple(plans), Val::Tuple(vals)) => {
                same_count(plans.len() as u64, vals.len())?;
                for (index, (element, val)) in plans.iter().zip(vals).enumerate() {
                    element
                        .plan
                        .check(val)
                        .map_err(|error| error.within(|| format!("element {index}")))?;
                }
                Ok(())
            }
            (K::Variant(variant), Val::Variant(name, payload)) => {
                match variant.cases.iter().find(|case| case.name == *name) {
                    Some(case) => check_payload(&case.name, case.payload.as_ref(), payload.as_deref()),
                    None => Err(self.unknown_case(name)),
                }
            }
            (K::Enum(plan), Val::Enum(name)) => match position(&plan.names, |name| &**name, name) {
                Some(_) => Ok(()),
                None => Err(self.unknown_case(name)),
            },
            (K::Option { .. }, Val::Option(None)) => Ok(()),
            (K::Option { payload, .. }, Val::Option(Some(val))) => {
                check_payload("some", Some(payload), Some(val))
            }
            (K::Result { ok, .. }, Val::Result(Ok(val))) => check_payload("ok", ok.as_ref(), val.as_deref()),
            (K::Result { err, .. }, Val::Result(Err(val))) => {
                check_payload("err", err.as_ref(), val.as_deref())
            }
            (K::Flags(plan), Val::Flags(names)) => {
                match names.iter().find(|flag| !plan.names.contains(flag)) {
                    None => Ok(()),
                    Some(flag) => Err(AbiError::UnknownFlag {
                        path: ValuePath::default(),
                        flag: flag.to_string(),
                        expected: self.ty().summary(),
                    }),
                }
            }
            _ => Err(mismatch(self, val)),
        }
    }

    fn unknown_case(&self, case: &str) -> AbiError {
        AbiError::UnknownCase {
            path: ValuePath::default(),
            case: case.to_owned(),
            expected: self.ty().summary(),
        }
    }
}

fn check_elements<R, S, F>(element: &Plan, vals: &[Val<R, S, F>]) -> Result<(), AbiError> {
    for (index, val) in vals.iter().enumerate() {
        element
            .check(val)
            .map_err(|error| error.within(|| format!("element {index}")))?;
    }
    Ok(())
}

/// Checks that a record has exactly the fields of the type, in any order.
fn check_record<R, S, F, N: AsRef<str>>(
    plans: &[FieldPlan],
    fields: &[(N, Val<R, S, F>)],
) -> Result<(), AbiError> {
    for (index, plan) in plans.iter().enumerate() {
        let val = field(fields, index, plan)?;
        plan.plan
            .check(val)
            .map_err(|error| error.within(|| format!("field \"{}\"", plan.name)))?;
    }
    // No field is missing; with the same count, there is neither an unknown field nor a duplicate.
    if fields.len() == plans.len() {
        return Ok(());
    }
    for (index, (name, _)) in fields.iter().enumerate() {
        let (path, name) = (ValuePath::default(), name.as_ref());
        if !plans.iter().any(|plan| &*plan.name == name) {
            return Err(AbiError::UnknownField {
                path,
                field: name.to_owned(),
            });
        }
        if fields[..index]
            .iter()
            .any(|(earlier, _)| earlier.as_ref() == name)
        {
            return Err(AbiError::DuplicateField {
                path,
                field: name.to_owned(),
            });
        }
    }
    same_count(plans.len() as u64, fields.len())
}

fn check_payload<R, S, F>(
    case: &str,
    plan: Option<&Plan>,
    val: Option<&Val<R, S, F>>,
) -> Result<(), AbiError> {
    let path = ValuePath::default();
    match (plan, val) {
        (None, None) => Ok(()),
        (Some(plan), Some(val)) => plan
            .check(val)
            .map_err(|error| error.within(|| format!("case \"{case}\""))),
        (Some(plan), None) => Err(AbiError::MissingPayload {
            path,
            case: case.to_owned(),
            expected: plan.ty().summary(),
        }),
        (None, Some(_)) => Err(AbiError::UnexpectedPayload {
            path,
            case: case.to_owned(),
        }),
    }
}
