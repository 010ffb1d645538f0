//! Check of the memory that a guest's values point to, complete before the glue reads any of it.

use airssys_wasm_abi::AbiError;
use wai_parser::{Int, Type, TypeDefKind};
use wasmer::MemoryView;

use super::contract::Described;
use crate::error::{Error, Result, TrapKind};

/// Bytes that the host allocates for each non-numeric element: the fields of a vector or a string.
const ELEMENT: u64 = 32;

/// End of the glue's address range: its pointers are signed 32-bit integers.
const END: u64 = i32::MAX as u64;

/// Follows the pointers of the values of one call.
pub(super) struct Reach<'a> {
    described: &'a Described,
    view: MemoryView<'a>,
    /// Bytes that the host may still allocate for these values.
    left: u64,
    limit: u64,
}

impl<'a> Reach<'a> {
    pub(super) fn new(described: &'a Described, view: MemoryView<'a>, limit: u64) -> Reach<'a> {
        Reach {
            described,
            view,
            left: limit,
            limit,
        }
    }

    /// Checks a value of type `ty` at address `at`.
    pub(super) fn value(&mut self, ty: &Type, at: u32) -> Result<()> {
        self.lies(at, self.size(ty), 1)?;
        self.parts(ty, at)
    }

    /// Checks values that are passed flat; returns the number of `args` that they use.
    pub(super) fn flat(&mut self, ty: &Type, args: &[u64]) -> Result<usize> {
        let word = |at: usize| args.get(at).map_or(0, |bits| *bits as u32);
        match ty {
            Type::Unit => return Ok(0),
            Type::String => {
                self.text(word(0), word(1))?;
                return Ok(2);
            }
            Type::Id(_) => {}
            _ => return Ok(1),
        }
        let described = self.described;
        match self.kind(ty) {
            Some(TypeDefKind::Type(ty)) => self.flat(ty, args),
            Some(TypeDefKind::List(element)) => {
                self.list(element, word(0), word(1))?;
                Ok(2)
            }
            Some(TypeDefKind::Record(record)) => {
                let mut taken = 0;
                for field in &record.fields {
                    taken += self.flat(&field.ty, args.get(taken..).unwrap_or_default())?;
                }
                Ok(taken)
            }
            Some(TypeDefKind::Tuple(tuple)) => {
                let mut taken = 0;
                for ty in &tuple.types {
                    taken += self.flat(ty, args.get(taken..).unwrap_or_default())?;
                }
                Ok(taken)
            }
            Some(kind) => {
                let Some((_, cases)) = cases(kind) else {
                    return Ok(1);
                };
                let case = chosen(&cases, word(0))?;
                self.flat(&case, args.get(1..).unwrap_or_default())?;
                let widths = cases.iter().map(|case| width(described, case));
                Ok(1 + widths.max().unwrap_or_default())
            }
            None => Ok(1),
        }
    }

    /// Checks that a range of `bytes` lies in memory, within the glue's address range.
    pub(super) fn lies(&self, ptr: u32, bytes: u64, align: u64) -> Result<()> {
        let memory = self.view.data_size();
        if u64::from(ptr) + bytes > memory.min(END) {
            return Err(AbiError::PointerOutOfBounds {
                ptr,
                len: bytes,
                memory: memory.min(END),
            }
            .into());
        }
        if !u64::from(ptr).is_multiple_of(align) {
            let align = u32::try_from(align).unwrap_or(u32::MAX);
            return Err(AbiError::Misaligned { ptr, align }.into());
        }
        Ok(())
    }

    fn parts(&mut self, ty: &Type, at: u32) -> Result<()> {
        match ty {
            Type::String => {
                let (ptr, length) = self.pair(at)?;
                return self.text(ptr, length);
            }
            Type::Id(_) => {}
            _ => return Ok(()),
        }
        match self.kind(ty) {
            Some(TypeDefKind::Type(ty)) => self.parts(ty, at),
            Some(TypeDefKind::List(element)) => {
                let (ptr, length) = self.pair(at)?;
                self.list(element, ptr, length)
            }
            Some(TypeDefKind::Record(record)) => self.fields(
                &record.fields.iter().map(|field| field.ty).collect::<Vec<_>>(),
                at,
            ),
            Some(TypeDefKind::Tuple(tuple)) => self.fields(&tuple.types, at),
            Some(kind) => {
                let Some((tag, cases)) = cases(kind) else {
                    return Ok(());
                };
                let discriminant = match tag {
                    Int::U8 => u32::from(self.bytes::<1>(at)?[0]),
                    Int::U16 => u32::from(u16::from_le_bytes(self.bytes(at)?)),
                    Int::U32 | Int::U64 => u32::from_le_bytes(self.bytes(at)?),
                };
                let case = chosen(&cases, discriminant)?;
                let offset = self.described.sizes.payload_offset(tag, &cases);
                self.parts(&case, at.saturating_add(offset as u32))
            }
            None => Ok(()),
        }
    }

    fn fields(&mut self, types: &[Type], at: u32) -> Result<()> {
        let offsets = self.described.sizes.field_offsets(types);
        types
            .iter()
            .zip(offsets)
            .try_for_each(|(ty, offset)| self.parts(ty, at.saturating_add(offset as u32)))
    }

    fn text(&mut self, ptr: u32, length: u32) -> Result<()> {
        self.lies(ptr, length.into(), 1)?;
        self.take(length.into())?;
        let start = u64::from(ptr);
        let bytes = self.view.copy_range_to_vec(start..start + u64::from(length));
        let bytes = bytes.map_err(|error| Error::bug(error.to_string()))?;
        match std::str::from_utf8(&bytes) {
            Ok(_) => Ok(()),
            Err(error) => Err(AbiError::InvalidUtf8 {
                ptr,
                offset: error.valid_up_to() as u64,
            }
            .into()),
        }
    }

    fn list(&mut self, element: &Type, ptr: u32, length: u32) -> Result<()> {
        let size = self.size(element);
        let bytes = u64::from(length) * size;
        let align = self.described.sizes.align(element) as u64;
        self.lies(ptr, bytes, align)?;
        self.take(bytes)?;
        if !matches!(element, Type::String | Type::Id(_)) {
            return Ok(());
        }
        self.take(u64::from(length) * ELEMENT)?;
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        (0..length).try_for_each(|index| self.parts(element, ptr + index * size))
    }

    /// Charges an allocation of the host to the limit.
    fn take(&mut self, bytes: u64) -> Result<()> {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(TrapKind::Limit(format!(
                "the values of one call exceed the host's limit of {} bytes (lift_bytes)",
                self.limit
            ))
            .into()),
        }
    }

    fn kind(&self, ty: &Type) -> Option<&'a TypeDefKind> {
        match ty {
            Type::Id(id) => self.described.interface.types.get(*id).map(|ty| &ty.kind),
            _ => None,
        }
    }

    fn size(&self, ty: &Type) -> u64 {
        self.described.sizes.size(ty) as u64
    }

    fn pair(&self, at: u32) -> Result<(u32, u32)> {
        let bytes = u64::from_le_bytes(self.bytes(at)?);
        Ok((bytes as u32, (bytes >> 32) as u32))
    }

    fn bytes<const N: usize>(&self, at: u32) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        match self.view.read(at.into(), &mut bytes) {
            Ok(()) => Ok(bytes),
            Err(error) => Err(Error::bug(error.to_string())),
        }
    }
}

/// Returns the cases of a variant-like type.
fn cases(kind: &TypeDefKind) -> Option<(Int, Vec<Type>)> {
    match kind {
        TypeDefKind::Variant(variant) => {
            Some((variant.tag(), variant.cases.iter().map(|case| case.ty).collect()))
        }
        TypeDefKind::Enum(cases) => Some((cases.tag(), vec![Type::Unit; cases.cases.len()])),
        TypeDefKind::Option(some) => Some((Int::U8, vec![Type::Unit, *some])),
        TypeDefKind::Expected(expected) => Some((Int::U8, vec![expected.ok, expected.err])),
        TypeDefKind::Union(union) => Some((union.tag(), union.cases.iter().map(|case| case.ty).collect())),
        _ => None,
    }
}

fn chosen(cases: &[Type], discriminant: u32) -> Result<Type> {
    let case = usize::try_from(discriminant).ok().and_then(|at| cases.get(at));
    case.copied().ok_or_else(|| {
        let cases = u32::try_from(cases.len()).unwrap_or(u32::MAX);
        let got = discriminant;
        AbiError::InvalidDiscriminant { got, cases }.into()
    })
}

/// Returns the number of core values that a value flattens to.
fn width(described: &Described, ty: &Type) -> usize {
    match ty {
        Type::Unit => 0,
        Type::String => 2,
        Type::Id(id) => match described.interface.types.get(*id).map(|ty| &ty.kind) {
            Some(TypeDefKind::Type(ty)) => width(described, ty),
            Some(TypeDefKind::List(_)) => 2,
            Some(TypeDefKind::Record(record)) => record
                .fields
                .iter()
                .map(|field| width(described, &field.ty))
                .sum(),
            Some(TypeDefKind::Tuple(tuple)) => tuple.types.iter().map(|ty| width(described, ty)).sum(),
            Some(kind) => match cases(kind) {
                Some((_, cases)) => {
                    let widths = cases.iter().map(|case| width(described, case));
                    1 + widths.max().unwrap_or_default()
                }
                None => 1,
            },
            None => 1,
        },
        _ => 1,
    }
}
