//! Lifting: one interpreter of plans for both sources of a value, linear memory ([Loading]) and core values ("Flat
//! Lifting").
//!
//! [Loading]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#loading

use std::sync::Arc;

use crate::core_value::{CoreValue, low_half};
use crate::error::AbiError;
use crate::guest::{Guest, GuestVal, LiftGuest};
use crate::layout::{MAX_FLAT_PARAMS, MAX_LIST_BYTE_LENGTH, PAIR_LENGTH_OFFSET};
use crate::memory::{GuestPtr, int_from_le, load_int, vec_with_room};
use crate::plan::{Plan, PlanKind};
use crate::scalar::{case, lift_scalar, load_numbers};
use crate::strings::lift_string;
use crate::val::Val;

/// The source of a value: an address in memory, aligned and within bounds, or the value's core values.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    Memory(GuestPtr),
    Flat(&'a [CoreValue]),
}

impl<'a> Source<'a> {
    /// Splits off the next member of a sequence, which lies `offset` bytes into it.
    pub(crate) fn member(&mut self, plan: &Plan, offset: u64) -> Result<Source<'a>, AbiError> {
        match self {
            Source::Memory(base) => Ok(Source::Memory(base.offset(offset)?)),
            Source::Flat(rest) => {
                let (expected, got) = (plan.expect_flat()?.len(), rest.len());
                let (member, after) = rest
                    .split_at_checked(expected)
                    .ok_or(AbiError::WrongCoreValueCount { expected, got })?;
                *rest = after;
                Ok(Source::Flat(member))
            }
        }
    }

    /// Returns the bits of a scalar or a handle that takes `size` bytes in memory.
    fn bits<G: Guest>(self, guest: &G, size: u32) -> Result<u64, G::Error> {
        match self {
            Source::Memory(ptr) => load_int(guest, ptr, size),
            Source::Flat([value]) => Ok(value.bits()),
            Source::Flat(flat) => Err(AbiError::WrongCoreValueCount {
                expected: 1,
                got: flat.len(),
            }
            .into()),
        }
    }

    fn u32<G: Guest>(self, guest: &G, size: u32) -> Result<u32, G::Error> {
        match self {
            Source::Flat([value]) => Ok(value.u32()?),
            // At most four bytes were read.
            other => Ok(low_half(other.bits(guest, size)?)),
        }
    }

    /// Returns the pointer and the length of a string or list.
    fn pair<G: Guest>(self, guest: &G) -> Result<(GuestPtr, u32), G::Error> {
        match self {
            Source::Memory(ptr) => {
                let length = Source::Memory(ptr.offset(u64::from(PAIR_LENGTH_OFFSET))?);
                Ok((GuestPtr(self.u32(guest, 4)?), length.u32(guest, 4)?))
            }
            Source::Flat([ptr, length]) => Ok((GuestPtr(ptr.u32()?), length.u32()?)),
            Source::Flat(flat) => Err(AbiError::WrongCoreValueCount {
                expected: 2,
                got: flat.len(),
            }
            .into()),
        }
    }

    /// Returns the discriminant of a variant, of `width` bytes in memory.
    fn discriminant<G: Guest>(self, guest: &G, width: u32) -> Result<u32, G::Error> {
        match self {
            Source::Memory(_) => self.u32(guest, width),
            Source::Flat([first, ..]) => Ok(first.u32()?),
            Source::Flat([]) => Err(AbiError::WrongCoreValueCount { expected: 1, got: 0 }.into()),
        }
    }
}

/// Lifts one value.
pub(crate) fn lift<G: LiftGuest>(
    guest: &mut G,
    plan: &Plan,
    source: Source<'_>,
) -> Result<GuestVal<G>, G::Error> {
    if plan.is_scalar() {
        let cost = plan.scalar_lift_cost();
        if cost > 0 {
            guest.consume_lift_budget(cost)?;
        }
        return Ok(lift_scalar(plan, source.bits(guest, plan.size())?)?);
    }
    lift_compound(guest, plan, source)
}

/// Lifts a compound value. Separate from [`lift`], so that scalars do not pay for its stack frame.
fn lift_compound<G: LiftGuest>(
    guest: &mut G,
    plan: &Plan,
    source: Source<'_>,
) -> Result<GuestVal<G>, G::Error> {
    match plan.kind() {
        PlanKind::String => {
            let (ptr, units) = source.pair(guest)?;
            Ok(Val::String(lift_string(guest, ptr, units)?))
        }
        PlanKind::Bytes => {
            let (ptr, length) = source.pair(guest)?;
            Ok(Val::Bytes(lift_bytes(guest, ptr, length)?))
        }
        PlanKind::List(element) => {
            let (ptr, length) = source.pair(guest)?;
            check_list(guest, element.size(), element.align(), ptr, length)?;
            Ok(Val::List(load_elements(guest, element, ptr, length)?))
        }
        PlanKind::FixedLengthList { element, length } => Ok(Val::FixedLengthList(lift_fixed_length_list(
            guest, element, *length, source,
        )?)),
        PlanKind::Record(plans) => {
            let (mut rest, mut fields) = (source, room(guest, plans.len() as u64)?);
            for field in plans {
                let member = rest.member(&field.plan, u64::from(field.offset))?;
                fields.push((Arc::clone(&field.name), lift(guest, &field.plan, member)?));
            }
            Ok(Val::Record(fields))
        }
        PlanKind::Tuple(plans) => {
            let (mut rest, mut elements) = (source, room(guest, plans.len() as u64)?);
            for element in plans {
                let member = rest.member(&element.plan, u64::from(element.offset))?;
                elements.push(lift(guest, &element.plan, member)?);
            }
            Ok(Val::Tuple(elements))
        }
        PlanKind::Variant(variant) => {
            let index = source.discriminant(guest, variant.discriminant.bytes())?;
            let case = case(&variant.cases, index)?;
            let payload = lift_payload(guest, case.payload.as_ref(), variant.payload_offset, source)?;
            Ok(Val::Variant(Arc::clone(&case.name), payload))
        }
        PlanKind::Option {
            payload_offset,
            payload,
        } => {
            let payload = *case(&[None, Some(payload)], source.discriminant(guest, 1)?)?;
            Ok(Val::Option(lift_payload(
                guest,
                payload,
                *payload_offset,
                source,
            )?))
        }
        PlanKind::Result {
            payload_offset,
            ok,
            err,
        } => {
            let index = source.discriminant(guest, 1)?;
            let payload = *case(&[ok.as_ref(), err.as_ref()], index)?;
            let payload = lift_payload(guest, payload, *payload_offset, source)?;
            Ok(Val::Result(if index == 0 { Ok(payload) } else { Err(payload) }))
        }
        PlanKind::Own(resource) => {
            let handle = source.u32(guest, plan.size())?;
            Ok(Val::Resource(guest.lift_own(*resource, handle)?))
        }
        PlanKind::Borrow(resource) => {
            let handle = source.u32(guest, plan.size())?;
            Ok(Val::Resource(guest.lift_borrow(*resource, handle)?))
        }
        PlanKind::Stream(ty) => {
            let handle = source.u32(guest, plan.size())?;
            Ok(Val::Stream(guest.lift_stream(ty, handle)?))
        }
        PlanKind::Future(ty) => {
            let handle = source.u32(guest, plan.size())?;
            Ok(Val::Future(guest.lift_future(ty, handle)?))
        }
        // Scalars, which the caller lifts, and error contexts, whose functions have no plan.
        _ => Err(AbiError::NotFlat.into()),
    }
}

/// Creates an empty vector with room for `count` elements, and charges the guest's budget for it.
///
/// # Errors
/// Errors of the budget; [`AbiError::HostAllocation`].
pub fn room<G: LiftGuest, T>(guest: &mut G, count: u64) -> Result<Vec<T>, G::Error> {
    guest.consume_lift_budget(count.saturating_mul(size_of::<T>() as u64))?;
    Ok(vec_with_room(count)?)
}

/// Checks length, alignment and bounds of a guest's list, in the order of `load_list_from_range`.
///
/// # Errors
/// [`AbiError::LengthOverflow`], [`AbiError::Misaligned`], [`AbiError::PointerOutOfBounds`].
pub fn check_list<G: Guest>(
    guest: &G,
    element_size: u32,
    align: u32,
    ptr: GuestPtr,
    count: u32,
) -> Result<(), G::Error> {
    let bytes = u64::from(count) * u64::from(element_size);
    if bytes > u64::from(MAX_LIST_BYTE_LENGTH) {
        let max = MAX_LIST_BYTE_LENGTH;
        return Err(AbiError::LengthOverflow {
            count,
            element_size,
            max,
        }
        .into());
    }
    ptr.check_aligned(align)?;
    ptr.range(bytes, guest.memory()?)?;
    Ok(())
}

fn lift_bytes<G: LiftGuest>(guest: &mut G, ptr: GuestPtr, count: u32) -> Result<Vec<u8>, G::Error> {
    check_list(guest, 1, 1, ptr, count)?;
    let count = u64::from(count);
    let mut bytes = room(guest, count)?;
    bytes.extend_from_slice(ptr.slice(count, guest.memory()?)?);
    Ok(bytes)
}

impl Plan {
    /// Loads `count` values that lie one after the other in memory from `ptr` on: the elements of a stream's buffer.
    ///
    /// # Errors
    /// Values that break the canonical ABI, or a range outside of memory.
    pub fn load_elements<G: LiftGuest>(
        &self,
        guest: &mut G,
        ptr: GuestPtr,
        count: u32,
    ) -> Result<Vec<GuestVal<G>>, G::Error> {
        load_elements(guest, self, ptr, count)
    }
}

/// Loads elements from a checked range of memory.
fn load_elements<G: LiftGuest>(
    guest: &mut G,
    element: &Plan,
    ptr: GuestPtr,
    count: u32,
) -> Result<Vec<GuestVal<G>>, G::Error> {
    let mut vals = room(guest, u64::from(count))?;
    if element.is_scalar() {
        guest.consume_lift_budget(element.scalar_lift_cost().saturating_mul(u64::from(count)))?;
        let bytes = u64::from(count) * u64::from(element.size());
        let bytes = ptr.slice(bytes, guest.memory()?)?;
        if load_numbers(element, bytes, &mut vals) {
            return Ok(vals);
        }
        let size = usize::try_from(element.size().max(1)).unwrap_or(usize::MAX);
        for scalar in bytes.chunks_exact(size) {
            vals.push(lift_scalar(element, int_from_le(scalar))?);
        }
        return Ok(vals);
    }
    for index in 0..count {
        let ptr = ptr.offset(u64::from(index) * u64::from(element.size()))?;
        vals.push(lift(guest, element, Source::Memory(ptr))?);
    }
    Ok(vals)
}

fn lift_fixed_length_list<G: LiftGuest>(
    guest: &mut G,
    element: &Plan,
    length: u32,
    mut source: Source<'_>,
) -> Result<Vec<GuestVal<G>>, G::Error> {
    if let Source::Memory(ptr) = source {
        return load_elements(guest, element, ptr, length);
    }
    let mut vals = room(guest, u64::from(length))?;
    for _ in 0..length {
        let member = source.member(element, 0)?;
        vals.push(lift(guest, element, member)?);
    }
    Ok(vals)
}

/// Lifts the payload of the current case (`load_variant`, `lift_flat_variant`).
fn lift_payload<G: LiftGuest>(
    guest: &mut G,
    payload: Option<&Plan>,
    payload_offset: u32,
    variant: Source<'_>,
) -> Result<Option<Box<GuestVal<G>>>, G::Error> {
    let Some(plan) = payload else { return Ok(None) };
    guest.consume_lift_budget(size_of::<GuestVal<G>>() as u64)?;
    let mut own_values = [CoreValue::I32(0); MAX_FLAT_PARAMS];
    let source = match variant {
        Source::Memory(base) => Source::Memory(base.offset(u64::from(payload_offset))?),
        Source::Flat(joined) => {
            let wanted = plan.expect_flat()?;
            let joined = joined.get(1..).unwrap_or_default();
            if joined.len() < wanted.len() || wanted.len() > own_values.len() {
                return Err(AbiError::WrongCoreValueCount {
                    expected: wanted.len(),
                    got: joined.len(),
                }
                .into());
            }
            for ((own, joined), wanted) in own_values.iter_mut().zip(joined).zip(wanted) {
                *own = joined.unjoin(*wanted)?;
            }
            Source::Flat(&own_values[..wanted.len()])
        }
    };
    Ok(Some(Box::new(lift(guest, plan, source)?)))
}
