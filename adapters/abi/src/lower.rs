//! Lowering: one interpreter of plans for both targets of a value, linear memory ([Storing]) and core values ("Flat
//! Lowering").
//!
//! Values have been checked against their plan before ([`Plan::check`]), so that no handle moves and no memory is
//! allocated for a call that cannot be made.
//!
//! [Storing]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#storing

use crate::check::mismatch;
use crate::core_value::{CoreType, CoreValue};
use crate::error::{AbiError, ValuePath};
use crate::guest::{GuestVal, LowerGuest};
use crate::layout::{MAX_LIST_BYTE_LENGTH, PAIR_LENGTH_OFFSET};
use crate::memory::{GuestPtr, allocate, allocate_bytes, int_to_le, store_int};
use crate::plan::{FieldPlan, Plan, PlanKind};
use crate::scalar::{case as case_at, lower_scalar, position};
use crate::scalar_type::Scalar;
use crate::strings::lower_string;
use crate::val::Val;

/// The target of a value: an address in memory, aligned and within bounds, or the end of a list of core values.
pub(crate) enum Target<'a> {
    Memory(GuestPtr),
    Flat(&'a mut Vec<CoreValue>),
}

impl Target<'_> {
    /// Returns the target of a member that lies `offset` bytes into a value in memory.
    fn member(&mut self, offset: u64) -> Result<Target<'_>, AbiError> {
        Ok(match self {
            Target::Memory(base) => Target::Memory(base.offset(offset)?),
            Target::Flat(values) => Target::Flat(values),
        })
    }

    /// Writes a scalar, a handle or a discriminant of `size` bytes in memory.
    fn put<G: LowerGuest>(
        &mut self,
        guest: &mut G,
        ty: CoreType,
        size: u32,
        bits: u64,
    ) -> Result<(), G::Error> {
        match self {
            Target::Memory(ptr) => store_int(guest, *ptr, size, bits),
            Target::Flat(values) => {
                values.push(CoreValue::from_bits(ty, bits));
                Ok(())
            }
        }
    }

    /// Writes an `i32` that takes `size` bytes in memory.
    fn put_u32<G: LowerGuest>(&mut self, guest: &mut G, size: u32, value: u32) -> Result<(), G::Error> {
        self.put(guest, CoreType::I32, size, u64::from(value))
    }

    /// Writes the pointer and the length of a string or list.
    fn put_pair<G: LowerGuest>(&mut self, guest: &mut G, ptr: GuestPtr, length: u32) -> Result<(), G::Error> {
        self.put_u32(guest, 4, ptr.0)?;
        self.member(u64::from(PAIR_LENGTH_OFFSET))?
            .put_u32(guest, 4, length)
    }
}

/// Lowers one value.
pub(crate) fn lower<G: LowerGuest>(
    guest: &mut G,
    plan: &Plan,
    val: &GuestVal<G>,
    mut target: Target<'_>,
) -> Result<(), G::Error> {
    if plan.is_scalar() {
        return match (lower_scalar(plan, val), plan.expect_flat()?) {
            (Some(bits), [ty]) => target.put(guest, *ty, plan.size(), bits),
            _ => Err(mismatch(plan, val).into()),
        };
    }
    lower_compound(guest, plan, val, target)
}

/// Lowers a compound value. Separate from [`lower`], so that scalars do not pay for its stack frame.
fn lower_compound<G: LowerGuest>(
    guest: &mut G,
    plan: &Plan,
    val: &GuestVal<G>,
    mut target: Target<'_>,
) -> Result<(), G::Error> {
    match (plan.kind(), val) {
        (PlanKind::String, Val::String(string)) => {
            let (ptr, units) = lower_string(guest, string)?;
            target.put_pair(guest, ptr, units)
        }
        (PlanKind::Bytes, Val::Bytes(bytes)) => {
            let (ptr, memory) = allocate_bytes(guest, 1, list_bytes(1, bytes.len())?)?;
            memory.copy_from_slice(bytes);
            // Each byte is an element.
            let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            target.put_pair(guest, ptr, length)
        }
        (PlanKind::Bytes, Val::List(vals)) => {
            let (ptr, length) = allocate_list(guest, 1, 1, vals.len())?;
            let memory = ptr.slice_mut(u64::from(length), guest.memory_mut()?)?;
            for (byte, val) in memory.iter_mut().zip(vals) {
                let Val::U8(value) = val else {
                    return Err(mismatch(plan, val).into());
                };
                *byte = *value;
            }
            target.put_pair(guest, ptr, length)
        }
        (PlanKind::List(element), Val::List(vals)) => {
            let (ptr, length) = allocate_list(guest, element.size(), element.align(), vals.len())?;
            store_elements(guest, element, vals, ptr)?;
            target.put_pair(guest, ptr, length)
        }
        (PlanKind::FixedLengthList { element, length }, Val::FixedLengthList(vals)) => {
            same_count(u64::from(*length), vals.len())?;
            match target {
                Target::Memory(ptr) => store_elements(guest, element, vals, ptr),
                Target::Flat(values) => vals
                    .iter()
                    .try_for_each(|val| lower(guest, element, val, Target::Flat(&mut *values))),
            }
        }
        (PlanKind::Record(plans), Val::Record(fields)) => {
            for (index, plan) in plans.iter().enumerate() {
                let val = field(fields, index, plan)?;
                lower(guest, &plan.plan, val, target.member(u64::from(plan.offset))?)?;
            }
            Ok(())
        }
        (PlanKind::Tuple(plans), Val::Tuple(vals)) => {
            same_count(plans.len() as u64, vals.len())?;
            for (element, val) in plans.iter().zip(vals) {
                lower(
                    guest,
                    &element.plan,
                    val,
                    target.member(u64::from(element.offset))?,
                )?;
            }
            Ok(())
        }
        (PlanKind::Variant(variant), Val::Variant(name, payload)) => {
            let Some(index) = position(&variant.cases, |case| &case.name, name) else {
                return Err(mismatch(plan, val).into());
            };
            let case = case_at(&variant.cases, index)?;
            let width = variant.discriminant.bytes();
            let payload = (case.payload.as_ref(), payload.as_deref());
            lower_case(
                guest,
                plan,
                (index, width),
                variant.payload_offset,
                payload,
                target,
            )
        }
        (
            PlanKind::Option {
                payload_offset,
                payload,
            },
            Val::Option(val),
        ) => {
            let (index, payload) = match val {
                None => (0, (None, None)),
                Some(val) => (1, (Some(payload), Some(&**val))),
            };
            lower_case(guest, plan, (index, 1), *payload_offset, payload, target)
        }
        (
            PlanKind::Result {
                payload_offset,
                ok,
                err,
            },
            Val::Result(val),
        ) => {
            let (index, payload) = match val {
                Ok(val) => (0, (ok.as_ref(), val.as_deref())),
                Err(val) => (1, (err.as_ref(), val.as_deref())),
            };
            lower_case(guest, plan, (index, 1), *payload_offset, payload, target)
        }
        (PlanKind::Own(ty), Val::Resource(resource)) => {
            let handle = guest.lower_own(*ty, resource)?;
            target.put_u32(guest, plan.size(), handle)
        }
        (PlanKind::Borrow(ty), Val::Resource(resource)) => {
            let handle = guest.lower_borrow(*ty, resource)?;
            target.put_u32(guest, plan.size(), handle)
        }
        (PlanKind::Stream(ty), Val::Stream(stream)) => {
            let handle = guest.lower_stream(ty, stream)?;
            target.put_u32(guest, plan.size(), handle)
        }
        (PlanKind::Future(ty), Val::Future(future)) => {
            let handle = guest.lower_future(ty, future)?;
            target.put_u32(guest, plan.size(), handle)
        }
        _ => Err(mismatch(plan, val).into()),
    }
}

/// Has the guest allocate a list of `count` elements (`store_list_into_range`); returns pointer and length.
///
/// # Errors
/// [`AbiError::ValueTooLong`], [`AbiError::InvalidReallocResult`], and errors of `realloc`.
pub fn allocate_list<G: LowerGuest>(
    guest: &mut G,
    size: u32,
    align: u32,
    count: usize,
) -> Result<(GuestPtr, u32), G::Error> {
    let bytes = list_bytes(size, count)?;
    let ptr = allocate(guest, align, bytes)?;
    // There are at most as many elements as bytes.
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    Ok((ptr, count))
}

/// Lowers a list of scalars (`store_list_into_range`); returns pointer and length.
///
/// # Errors
/// As [`allocate_list`].
#[inline]
pub fn lower_scalars<G: LowerGuest, S: Scalar>(
    guest: &mut G,
    list: &[S],
) -> Result<(GuestPtr, u32), G::Error> {
    let (ptr, memory) = allocate_bytes(guest, S::SIZE, list_bytes(S::SIZE, list.len())?)?;
    S::store_all(list, memory);
    // There are at most as many elements as bytes.
    Ok((ptr, u32::try_from(list.len()).unwrap_or(u32::MAX)))
}

/// Returns the size of a list in the guest, in bytes, if it is allowed.
///
/// # Errors
/// [`AbiError::ValueTooLong`] for more than [`MAX_LIST_BYTE_LENGTH`](crate::MAX_LIST_BYTE_LENGTH).
pub fn list_bytes(size: u32, count: usize) -> Result<u32, AbiError> {
    let bytes = (count as u64).saturating_mul(u64::from(size));
    match u32::try_from(bytes) {
        Ok(bytes) if bytes <= MAX_LIST_BYTE_LENGTH => Ok(bytes),
        _ => Err(AbiError::ValueTooLong {
            path: ValuePath::default(),
            bytes,
            max: MAX_LIST_BYTE_LENGTH,
        }),
    }
}

impl Plan {
    /// Stores values one after the other in memory from `ptr` on: the elements of a stream's buffer.
    ///
    /// # Errors
    /// Values of another type, a range outside of memory, or a failing `realloc`.
    pub fn store_elements<G: LowerGuest>(
        &self,
        guest: &mut G,
        vals: &[GuestVal<G>],
        ptr: GuestPtr,
    ) -> Result<(), G::Error> {
        store_elements(guest, self, vals, ptr)
    }
}

/// Stores elements into a checked range of memory.
fn store_elements<G: LowerGuest>(
    guest: &mut G,
    element: &Plan,
    vals: &[GuestVal<G>],
    ptr: GuestPtr,
) -> Result<(), G::Error> {
    if element.is_scalar() {
        let bytes = (vals.len() as u64).saturating_mul(u64::from(element.size()));
        let memory = ptr.slice_mut(bytes, guest.memory_mut()?)?;
        let size = usize::try_from(element.size().max(1)).unwrap_or(usize::MAX);
        for (bytes, val) in memory.chunks_exact_mut(size).zip(vals) {
            int_to_le(
                lower_scalar(element, val).ok_or_else(|| mismatch(element, val))?,
                bytes,
            );
        }
        return Ok(());
    }
    for (index, val) in vals.iter().enumerate() {
        let ptr = ptr.offset((index as u64).saturating_mul(u64::from(element.size())))?;
        lower(guest, element, val, Target::Memory(ptr))?;
    }
    Ok(())
}

/// Finds the value of a record's field: usually at the field's own position, or else elsewhere.
pub(crate) fn field<'v, R, S, F, N: AsRef<str>>(
    fields: &'v [(N, Val<R, S, F>)],
    index: usize,
    plan: &FieldPlan,
) -> Result<&'v Val<R, S, F>, AbiError> {
    let named = |(name, _): &&(N, Val<R, S, F>)| name.as_ref() == &*plan.name;
    let found = fields
        .get(index)
        .filter(named)
        .or_else(|| fields.iter().find(named));
    match found {
        Some((_, val)) => Ok(val),
        None => Err(AbiError::MissingField {
            path: ValuePath::default(),
            field: plan.name.to_string(),
        }),
    }
}

/// Checks the number of elements of a tuple or fixed-length list.
pub(crate) fn same_count(expected: u64, got: usize) -> Result<(), AbiError> {
    let got = got as u64;
    if expected == got {
        Ok(())
    } else {
        Err(AbiError::WrongElementCount {
            path: ValuePath::default(),
            expected,
            got,
        })
    }
}

/// Lowers one case of a variant: discriminant (index and bytes), then the payload, then, among core values, zeros for
/// the values that only other cases use (`store_variant`, `lower_flat_variant`).
fn lower_case<G: LowerGuest>(
    guest: &mut G,
    variant: &Plan,
    (index, width): (u32, u32),
    payload_offset: u32,
    payload: (Option<&Plan>, Option<&GuestVal<G>>),
    mut target: Target<'_>,
) -> Result<(), G::Error> {
    target.put_u32(guest, width, index)?;
    let start = match &target {
        Target::Memory(_) => 0,
        Target::Flat(values) => values.len(),
    };
    match payload {
        (Some(plan), Some(val)) => lower(guest, plan, val, target.member(u64::from(payload_offset))?)?,
        (None, None) => {}
        (Some(plan), None) => {
            let (path, case) = (ValuePath::default(), index.to_string());
            return Err(AbiError::MissingPayload {
                path,
                case,
                expected: plan.ty().summary(),
            }
            .into());
        }
        (None, Some(_)) => {
            return Err(AbiError::UnexpectedPayload {
                path: ValuePath::default(),
                case: index.to_string(),
            }
            .into());
        }
    }
    if let Target::Flat(values) = target {
        let joined = variant.expect_flat()?.get(1..).unwrap_or_default();
        for (at, ty) in (start..).zip(joined) {
            match values.get_mut(at) {
                Some(value) => *value = value.join(*ty)?,
                None => values.push(CoreValue::from_bits(*ty, 0)),
            }
        }
    }
    Ok(())
}
