//! Construction of plans from types.

use std::collections::HashMap;
use std::sync::Arc;

use crate::core_value::CoreType;
use crate::error::AbiError;
use crate::layout::{
    Flat, IntWidth, MAX_FLAGS, MAX_TYPE_DEPTH, MAX_TYPE_SIZE, Overlay, PAIR_SIZE, Sequence, bounded,
};
use crate::plan::{
    CasePlan, ElementPlan, EnumPlan, FieldPlan, FlagsPlan, Needs, Plan, PlanData, PlanKind, VariantPlan,
};
use crate::types::{Type, TypeAddress};

/// Creates plans, each shared part once. The planned types must outlive the planner, since it identifies them by
/// address.
#[derive(Debug)]
pub(crate) struct Planner {
    done: HashMap<TypeAddress, Plan>,
    has_error_context: bool,
}

/// The data of any plan, before the depth and size checks.
struct Draft {
    size: u64,
    align: u32,
    flat: Flat,
    kind: PlanKind,
    /// Height of the highest part; 0 for a leaf.
    below: u32,
    needs: Needs,
}

impl Draft {
    fn leaf(kind: PlanKind, size: u32, flat: CoreType) -> Draft {
        Draft {
            size: u64::from(size),
            align: size,
            flat: Flat::new(&[flat]),
            kind,
            below: 0,
            needs: Needs::default(),
        }
    }

    /// A pointer and a length.
    fn pair(kind: PlanKind, below: u32, needs: Needs) -> Draft {
        let flat = Flat::new(&[CoreType::I32, CoreType::I32]);
        Draft {
            size: u64::from(PAIR_SIZE),
            align: 4,
            flat,
            kind,
            below,
            needs: Needs {
                memory: true,
                ..needs
            },
        }
    }
}

impl Planner {
    pub(crate) fn new() -> Planner {
        Planner {
            done: HashMap::new(),
            has_error_context: false,
        }
    }

    /// Returns whether there was an error context in any of the types so far.
    pub(crate) fn has_error_context(&self) -> bool {
        self.has_error_context
    }

    pub(crate) fn plan(&mut self, ty: &Type) -> Result<Plan, AbiError> {
        self.plan_at(ty, 1)
    }

    fn plan_at(&mut self, ty: &Type, depth: u32) -> Result<Plan, AbiError> {
        if depth > MAX_TYPE_DEPTH {
            return Err(AbiError::TypeTooDeep { max: MAX_TYPE_DEPTH });
        }
        let key = ty.address();
        if let Some(plan) = key.and_then(|key| self.done.get(&key)) {
            return Ok(plan.clone());
        }
        let draft = self.draft(ty, depth + 1)?;
        // A part that was planned before is not descended into: its height counts, not the depth here.
        let height = draft.below + 1;
        if height > MAX_TYPE_DEPTH {
            return Err(AbiError::TypeTooDeep { max: MAX_TYPE_DEPTH });
        }
        let plan = Plan::from_data(PlanData {
            ty: ty.clone(),
            size: bounded(draft.size, MAX_TYPE_SIZE - 1)?,
            align: draft.align,
            flat: draft.flat.finish(),
            height,
            needs: draft.needs,
            kind: draft.kind,
        });
        if let Some(key) = key {
            self.done.insert(key, plan.clone());
        }
        Ok(plan)
    }

    fn draft(&mut self, ty: &Type, depth: u32) -> Result<Draft, AbiError> {
        use CoreType::{F32, F64, I32, I64};
        Ok(match ty {
            Type::Bool => Draft::leaf(PlanKind::Bool, 1, I32),
            Type::S8 => Draft::leaf(PlanKind::S8, 1, I32),
            Type::U8 => Draft::leaf(PlanKind::U8, 1, I32),
            Type::S16 => Draft::leaf(PlanKind::S16, 2, I32),
            Type::U16 => Draft::leaf(PlanKind::U16, 2, I32),
            Type::S32 => Draft::leaf(PlanKind::S32, 4, I32),
            Type::U32 => Draft::leaf(PlanKind::U32, 4, I32),
            Type::S64 => Draft::leaf(PlanKind::S64, 8, I64),
            Type::U64 => Draft::leaf(PlanKind::U64, 8, I64),
            Type::Float32 => Draft::leaf(PlanKind::Float32, 4, F32),
            Type::Float64 => Draft::leaf(PlanKind::Float64, 8, F64),
            Type::Char => Draft::leaf(PlanKind::Char, 4, I32),
            Type::Own(resource) => Draft::leaf(PlanKind::Own(*resource), 4, I32),
            Type::Borrow(resource) => Draft {
                needs: Needs {
                    scope: true,
                    ..Needs::default()
                },
                ..Draft::leaf(PlanKind::Borrow(*resource), 4, I32)
            },
            Type::Stream(stream) => {
                let kind = PlanKind::Stream(Arc::clone(stream));
                self.concurrent(kind, stream.payload.as_ref(), depth)?
            }
            Type::Future(future) => {
                let kind = PlanKind::Future(Arc::clone(future));
                self.concurrent(kind, future.payload.as_ref(), depth)?
            }
            Type::ErrorContext => {
                self.has_error_context = true;
                self.concurrent(PlanKind::ErrorContext, None, depth)?
            }
            Type::String => Draft::pair(PlanKind::String, 0, Needs::default()),
            Type::List(element) if **element == Type::U8 => Draft::pair(PlanKind::Bytes, 1, Needs::default()),
            Type::List(element) => {
                let element = self.plan_at(element, depth)?;
                let (below, needs) = (element.height(), element.needs());
                Draft::pair(PlanKind::List(element), below, needs)
            }
            Type::FixedLengthList(list) => {
                if list.length == 0 {
                    return Err(AbiError::EmptyType {
                        what: "fixed-length list",
                    });
                }
                let element = self.plan_at(&list.element, depth)?;
                let mut flat = Flat::new(&[]);
                flat.append_times(element.flat(), list.length);
                Draft {
                    size: u64::from(element.size()) * u64::from(list.length),
                    align: element.align(),
                    flat,
                    below: element.height(),
                    needs: element.needs(),
                    kind: PlanKind::FixedLengthList {
                        element,
                        length: list.length,
                    },
                }
            }
            Type::Record(record) => {
                let (mut members, mut fields) = (Members::new(), Vec::with_capacity(record.fields.len()));
                for field in &record.fields {
                    let plan = self.plan_at(&field.ty, depth)?;
                    let offset = members.push(&plan)?;
                    fields.push(FieldPlan {
                        name: Arc::clone(&field.name),
                        offset,
                        plan,
                    });
                }
                members.finish("record", PlanKind::Record(fields.into()))?
            }
            Type::Tuple(types) => {
                let (mut members, mut elements) = (Members::new(), Vec::with_capacity(types.len()));
                for ty in types.iter() {
                    let plan = self.plan_at(ty, depth)?;
                    elements.push(ElementPlan {
                        offset: members.push(&plan)?,
                        plan,
                    });
                }
                members.finish("tuple", PlanKind::Tuple(elements.into()))?
            }
            Type::Variant(variant) => {
                let discriminant = discriminant_width("variant", variant.cases.len())?;
                let (mut payloads, mut cases) = (Payloads::new(), Vec::with_capacity(variant.cases.len()));
                for case in &variant.cases {
                    let payload = self.payload(case.ty.as_ref(), depth, &mut payloads)?;
                    cases.push(CasePlan {
                        name: Arc::clone(&case.name),
                        payload,
                    });
                }
                let cases = cases.into();
                payloads.finish(discriminant, |payload_offset| {
                    PlanKind::Variant(VariantPlan {
                        discriminant,
                        payload_offset,
                        cases,
                    })
                })?
            }
            Type::Option(payload) => {
                let mut payloads = Payloads::new();
                let payload = self.plan_at(payload, depth)?;
                payloads.push(&payload);
                payloads.finish(IntWidth::One, |payload_offset| PlanKind::Option {
                    payload_offset,
                    payload,
                })?
            }
            Type::Result(result) => {
                let mut payloads = Payloads::new();
                let ok = self.payload(result.ok.as_ref(), depth, &mut payloads)?;
                let err = self.payload(result.err.as_ref(), depth, &mut payloads)?;
                payloads.finish(IntWidth::One, |payload_offset| PlanKind::Result {
                    payload_offset,
                    ok,
                    err,
                })?
            }
            Type::Enum(names) => {
                let discriminant = discriminant_width("enum", names.names.len())?;
                let kind = PlanKind::Enum(EnumPlan {
                    discriminant,
                    names: names.names.clone(),
                });
                Draft::leaf(kind, discriminant.bytes(), I32)
            }
            Type::Flags(flags) => {
                let count = flags.names.len();
                if count == 0 {
                    return Err(AbiError::EmptyType { what: "flags" });
                }
                if count > MAX_FLAGS {
                    return Err(AbiError::TooManyFlags {
                        count,
                        max: MAX_FLAGS,
                    });
                }
                let width = IntWidth::of_flags(count);
                let kind = PlanKind::Flags(FlagsPlan {
                    width,
                    names: flags.names.clone(),
                });
                Draft::leaf(kind, width.bytes(), I32)
            }
        })
    }

    /// A handle. The elements lie elsewhere, but must have a plan, too.
    fn concurrent(&mut self, kind: PlanKind, element: Option<&Type>, depth: u32) -> Result<Draft, AbiError> {
        let below = match element {
            Some(element) => self.plan_at(element, depth)?.height(),
            None => 0,
        };
        Ok(Draft {
            below,
            ..Draft::leaf(kind, 4, CoreType::I32)
        })
    }

    fn payload(
        &mut self,
        ty: Option<&Type>,
        depth: u32,
        payloads: &mut Payloads,
    ) -> Result<Option<Plan>, AbiError> {
        let Some(ty) = ty else { return Ok(None) };
        let plan = self.plan_at(ty, depth)?;
        payloads.push(&plan);
        Ok(Some(plan))
    }
}

/// Fields or elements, one after the other.
struct Members {
    sequence: Sequence,
    flat: Flat,
    below: u32,
    needs: Needs,
}

impl Members {
    fn new() -> Members {
        Members {
            sequence: Sequence::new(),
            flat: Flat::new(&[]),
            below: 0,
            needs: Needs::default(),
        }
    }

    fn push(&mut self, plan: &Plan) -> Result<u32, AbiError> {
        self.flat.append(plan.flat());
        self.below = self.below.max(plan.height());
        self.needs = self.needs.and(plan.needs());
        self.sequence.push(plan.size(), plan.align())
    }

    fn finish(self, what: &'static str, kind: PlanKind) -> Result<Draft, AbiError> {
        let (size, align) = self.sequence.finish()?;
        if size == 0 {
            return Err(AbiError::EmptyType { what });
        }
        Ok(Draft {
            size: u64::from(size),
            align,
            flat: self.flat,
            kind,
            below: self.below,
            needs: self.needs,
        })
    }
}

/// The payloads of a variant, all at the same place.
struct Payloads {
    overlay: Overlay,
    flat: Flat,
    below: u32,
    needs: Needs,
}

impl Payloads {
    fn new() -> Payloads {
        Payloads {
            overlay: Overlay::new(),
            flat: Flat::new(&[CoreType::I32]),
            below: 0,
            needs: Needs::default(),
        }
    }

    fn push(&mut self, plan: &Plan) {
        self.overlay = self.overlay.with(plan.size(), plan.align());
        self.flat.overlay(plan.flat());
        self.below = self.below.max(plan.height());
        self.needs = self.needs.and(plan.needs());
    }

    fn finish(self, discriminant: IntWidth, kind: impl FnOnce(u32) -> PlanKind) -> Result<Draft, AbiError> {
        let (offset, size, align) = self.overlay.behind(discriminant);
        Ok(Draft {
            size,
            align,
            flat: self.flat,
            kind: kind(bounded(offset, MAX_TYPE_SIZE)?),
            below: self.below,
            needs: self.needs,
        })
    }
}

fn discriminant_width(what: &'static str, cases: usize) -> Result<IntWidth, AbiError> {
    match u32::try_from(cases) {
        Ok(0) => Err(AbiError::EmptyType { what }),
        Ok(cases) => Ok(IntWidth::of_discriminant(cases)),
        Err(_) => Err(AbiError::TypeTooLarge {
            size: cases as u64,
            max: u32::MAX,
        }),
    }
}
