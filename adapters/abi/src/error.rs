//! Errors at the boundary, and the side at fault.

use std::fmt;

use crate::core_value::CoreType;

/// An error of the canonical ABI. [`fault`](AbiError::fault) returns the side at fault.
///
/// The checks of [Lifting and Lowering Values].
///
/// [Lifting and Lowering Values]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#lifting-and-lowering-values
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum AbiError {
    // The guest's violations: the call traps.
    /// A pointer, with the bytes that it refers to, leaves linear memory.
    #[error("pointer {ptr:#x} with {len} bytes is out of bounds of linear memory of {memory} bytes")]
    PointerOutOfBounds { ptr: u32, len: u64, memory: u64 },
    /// A list's bytes exceed [`MAX_LIST_BYTE_LENGTH`](crate::MAX_LIST_BYTE_LENGTH).
    #[error("a list of {count} elements of {element_size} bytes exceeds the maximum of {max} bytes")]
    LengthOverflow { count: u32, element_size: u32, max: u32 },
    /// A pointer is not a multiple of the alignment of its target.
    #[error("pointer {ptr:#x} is not aligned to {align} bytes")]
    Misaligned { ptr: u32, align: u32 },
    /// A discriminant names no case.
    #[error("discriminant {got} is out of range: there are {cases} cases")]
    InvalidDiscriminant { got: u32, cases: u32 },
    /// A `char` is not a Unicode scalar value.
    #[error("{0:#x} is not a Unicode scalar value (0 to 0xd7ff, 0xe000 to 0x10ffff)")]
    InvalidChar(u32),
    /// A string is not UTF-8.
    #[error("string at {ptr:#x} is not valid UTF-8: fault after {offset} bytes")]
    InvalidUtf8 { ptr: u32, offset: u64 },
    /// A string is not UTF-16: a surrogate stands alone.
    #[error("string at {ptr:#x} is not valid UTF-16: lone surrogate {unit:#x} at code unit {offset}")]
    InvalidUtf16 { ptr: u32, offset: u64, unit: u16 },
    /// A string's bytes exceed [`MAX_STRING_BYTE_LENGTH`](crate::MAX_STRING_BYTE_LENGTH).
    #[error("a string of {bytes} bytes exceeds the maximum of {max} bytes")]
    StringTooLong { bytes: u64, max: u32 },
    /// `realloc` returned a pointer that is misaligned or leaves memory.
    #[error(
        "realloc of {size} bytes aligned to {align} returned {ptr:#x}, misaligned or outside of memory of {memory} bytes"
    )]
    InvalidReallocResult {
        ptr: u32,
        size: u32,
        align: u32,
        memory: u64,
    },
    /// The host has no memory for a value that the guest passed.
    #[error("the host cannot allocate {bytes} bytes for a lifted value")]
    HostAllocation { bytes: u64 },

    // Types without a plan: the component is invalid, or ahead of this crate.
    /// A type nests too deep.
    #[error("a type nests deeper than {max} levels")]
    TypeTooDeep { max: u32 },
    /// A type, or a function's parameters together, take too many bytes.
    #[error("a type takes {size} bytes in memory, more than the maximum of {max}")]
    TypeTooLarge { size: u64, max: u32 },
    /// A type without members.
    #[error("an empty {what} is not a valid type")]
    EmptyType { what: &'static str },
    /// A `flags` type has too many labels.
    #[error("a flags type has {count} labels, more than the maximum of {max}")]
    TooManyFlags { count: usize, max: usize },
    /// A function passes a value of a kind that this crate does not pass.
    #[error("{place} has the type {ty}: error contexts cannot yet cross between the host and a component")]
    Unsupported { place: String, ty: String },

    // The host's mistakes: a value that does not fit its type.
    /// A value is of another kind than its type.
    #[error("{path}expected {expected}, got {got}")]
    TypeMismatch {
        path: ValuePath,
        expected: String,
        got: &'static str,
    },
    /// A record's field is absent.
    #[error("{path}field `{field}` is missing")]
    MissingField { path: ValuePath, field: String },
    /// A record has a field that its type does not.
    #[error("{path}there is no field `{field}`")]
    UnknownField { path: ValuePath, field: String },
    /// A record has a field twice.
    #[error("{path}field `{field}` is given twice")]
    DuplicateField { path: ValuePath, field: String },
    /// A case is not among those of its variant or enum.
    #[error("{path}there is no case `{case}` in {expected}")]
    UnknownCase {
        path: ValuePath,
        case: String,
        expected: String,
    },
    /// A case lacks its payload.
    #[error("{path}case `{case}` needs a payload of type {expected}")]
    MissingPayload {
        path: ValuePath,
        case: String,
        expected: String,
    },
    /// A case has a payload but should not.
    #[error("{path}case `{case}` takes no payload")]
    UnexpectedPayload { path: ValuePath, case: String },
    /// A label is not among those of its flags type.
    #[error("{path}there is no flag `{flag}` in {expected}")]
    UnknownFlag {
        path: ValuePath,
        flag: String,
        expected: String,
    },
    /// A tuple or fixed-length list has the wrong number of elements.
    #[error("{path}expected {expected} elements, got {got}")]
    WrongElementCount {
        path: ValuePath,
        expected: u64,
        got: u64,
    },
    /// A host's list or string would take more bytes in the guest than are allowed.
    #[error("{path}the value takes {bytes} bytes in the guest, more than the maximum of {max}")]
    ValueTooLong { path: ValuePath, bytes: u64, max: u32 },
    /// A call has the wrong number of arguments.
    #[error("expected {expected} arguments, got {got}")]
    WrongArgumentCount { expected: usize, got: usize },
    /// The host returned no result for a function that has one.
    #[error("expected a result of type {expected}, got none")]
    MissingResult { expected: String },
    /// The host returned a result for a function that has none.
    #[error("expected no result, got {got}")]
    UnexpectedResult { got: &'static str },

    // Violated contracts between this crate and its caller.
    /// A core value is of another type than the signature says.
    #[error("expected a core value of type {expected}, got {got}")]
    CoreValueMismatch { expected: CoreType, got: CoreType },
    /// There are more or fewer core values than the signature says.
    #[error("expected {expected} core values, got {got}")]
    WrongCoreValueCount { expected: usize, got: usize },
    /// A type with too many flat values met a flat crossing.
    #[error("a value that is passed only in memory was passed flat")]
    NotFlat,
}

/// The side at fault for an [`AbiError`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fault {
    /// The guest violated the ABI (a trap), or its component is invalid or unsupported.
    Guest,
    /// The host passed a value that does not fit its type.
    Host,
    /// The embedder and this crate disagree about a signature: a defect of either.
    Internal,
}

impl AbiError {
    /// Returns the side at fault.
    pub fn fault(&self) -> Fault {
        match self {
            AbiError::PointerOutOfBounds { .. }
            | AbiError::LengthOverflow { .. }
            | AbiError::Misaligned { .. }
            | AbiError::InvalidDiscriminant { .. }
            | AbiError::InvalidChar(_)
            | AbiError::InvalidUtf8 { .. }
            | AbiError::InvalidUtf16 { .. }
            | AbiError::StringTooLong { .. }
            | AbiError::InvalidReallocResult { .. }
            | AbiError::HostAllocation { .. }
            | AbiError::TypeTooDeep { .. }
            | AbiError::TypeTooLarge { .. }
            | AbiError::EmptyType { .. }
            | AbiError::TooManyFlags { .. }
            | AbiError::Unsupported { .. } => Fault::Guest,
            AbiError::TypeMismatch { .. }
            | AbiError::MissingField { .. }
            | AbiError::UnknownField { .. }
            | AbiError::DuplicateField { .. }
            | AbiError::UnknownCase { .. }
            | AbiError::MissingPayload { .. }
            | AbiError::UnexpectedPayload { .. }
            | AbiError::UnknownFlag { .. }
            | AbiError::WrongElementCount { .. }
            | AbiError::ValueTooLong { .. }
            | AbiError::WrongArgumentCount { .. }
            | AbiError::MissingResult { .. }
            | AbiError::UnexpectedResult { .. } => Fault::Host,
            AbiError::CoreValueMismatch { .. } | AbiError::WrongCoreValueCount { .. } | AbiError::NotFlat => {
                Fault::Internal
            }
        }
    }

    /// Returns whether the guest is at fault: the call traps and its instance is poisoned.
    pub fn is_guest_fault(&self) -> bool {
        self.fault() == Fault::Guest
    }

    /// Returns the same error, found one level deeper: the level is put in front of the path.
    #[must_use]
    pub fn within(mut self, level: impl FnOnce() -> String) -> AbiError {
        match &mut self {
            AbiError::TypeMismatch { path, .. }
            | AbiError::MissingField { path, .. }
            | AbiError::UnknownField { path, .. }
            | AbiError::DuplicateField { path, .. }
            | AbiError::UnknownCase { path, .. }
            | AbiError::MissingPayload { path, .. }
            | AbiError::UnexpectedPayload { path, .. }
            | AbiError::UnknownFlag { path, .. }
            | AbiError::WrongElementCount { path, .. }
            | AbiError::ValueTooLong { path, .. } => path.0.insert_str(0, &format!("{}: ", level())),
            _ => {}
        }
        self
    }
}

/// The place of an error within a value, outermost level first: `argument 1: field "x": element 3: `. Positions count
/// from 0. Empty at the outermost level, otherwise it ends in `: `, ready to precede a message.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ValuePath(String);

impl ValuePath {
    /// Returns the path's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ValuePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
