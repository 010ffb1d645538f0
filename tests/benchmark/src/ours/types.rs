//! The guest's types.

use airssys_wasm::component::{ComponentType, Lift, Lower, Type, TypeContext, Val};

/// `record context`.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) id: String,
    pub(super) deadline: u64,
}

/// `variant failure`.
#[derive(Debug)]
#[allow(dead_code, reason = "read in messages only")]
pub(super) enum Failure {
    Empty,
    Refused(String),
}

type Check = Result<(), String>;

impl ComponentType for &Context {
    fn typecheck(ty: &Type, cx: &TypeContext<'_>) -> Check {
        match ty {
            Type::Record(record) => match &record.fields[..] {
                [id, deadline] if &*id.name == "id" && &*deadline.name == "deadline" => {
                    String::typecheck(&id.ty, cx)?;
                    u64::typecheck(&deadline.ty, cx)
                }
                _ => Err("expected the fields id and deadline".into()),
            },
            _ => Err("expected a record".into()),
        }
    }
}

impl Lower for &Context {
    fn into_val(self) -> Val {
        Val::Record(vec![
            ("id".into(), Val::String(self.id.clone())),
            ("deadline".into(), Val::U64(self.deadline)),
        ])
    }
}

impl ComponentType for Failure {
    fn typecheck(ty: &Type, _: &TypeContext<'_>) -> Check {
        match ty {
            Type::Variant(_) => Ok(()),
            _ => Err("expected a variant".into()),
        }
    }
}

impl Lift for Failure {
    fn from_val(val: Val) -> airssys_wasm::Result<Failure> {
        Ok(match val {
            Val::Variant(_, Some(reason)) => Failure::Refused(String::from_val(*reason)?),
            _ => Failure::Empty,
        })
    }
}
