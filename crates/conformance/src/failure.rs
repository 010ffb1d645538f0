//! Failures of steps on an engine, in terms that all engines share.

use std::fmt;

/// A step that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The category.
    pub kind: FailureKind,
    /// The engine's message.
    pub message: String,
}

impl Failure {
    pub(super) fn new(kind: FailureKind, message: impl Into<String>) -> Failure {
        Failure {
            kind,
            message: message.into(),
        }
    }

    pub(super) fn unsupported(feature: impl Into<String>) -> Failure {
        let feature = feature.into();
        Failure {
            message: format!("unsupported: {feature}"),
            kind: FailureKind::Unsupported(feature),
        }
    }
}

impl Failure {
    /// Reports whether the failure is the trap that a text describes, by its words or by others with the same meaning.
    pub fn is_trap(&self, text: &str) -> bool {
        match &self.kind {
            FailureKind::Trap(class) => {
                let text = text.strip_prefix("wasm trap: ").unwrap_or(text);
                self.message.contains(text) || TrapClass::of_text(text) == Some(*class)
            }
            _ => false,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.kind)
    }
}

impl std::error::Error for Failure {}

/// The categories of failures, on which engines must agree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// The bytes are not a valid component.
    Invalid,
    /// The component is valid, and needs a feature that the engine lacks.
    Unsupported(String),
    /// An import is missing or has a different type.
    Unlinkable,
    /// The guest was stopped.
    Trap(TrapClass),
    /// The call was wrong: no such function, or arguments of the wrong types.
    Host,
    /// The time limit of the whole session is exceeded ([`Options::whole`](super::Options::whole)).
    TimedOut,
    /// The engine failed without a valid reason.
    Engine,
    /// The library reported a bug of its own.
    Bug,
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FailureKind::Invalid => f.write_str("invalid"),
            FailureKind::Unsupported(feature) => write!(f, "unsupported: {feature}"),
            FailureKind::Unlinkable => f.write_str("unlinkable"),
            FailureKind::Trap(class) => write!(f, "trap: {class}"),
            FailureKind::Host => f.write_str("wrong call"),
            FailureKind::TimedOut => f.write_str("time is up"),
            FailureKind::Engine => f.write_str("engine failure"),
            FailureKind::Bug => f.write_str("bug"),
        }
    }
}

/// The classes of traps that engines distinguish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TrapClass {
    Unreachable,
    StackExhausted,
    MemoryOutOfBounds,
    TableOutOfBounds,
    UninitializedElement,
    IndirectCallType,
    IntegerOverflow,
    DivisionByZero,
    BadConversion,
    /// The host's deadline or fuel ran out.
    Interrupted,
    /// The instance is executing, or trapped earlier.
    CannotEnter,
    CannotLeave,
    /// A pointer, or the end of its data, is outside of memory; also one that `realloc` returned.
    PointerOutOfBounds,
    Unaligned,
    InvalidString,
    InvalidChar,
    InvalidDiscriminant,
    /// A handle that is stale, forged, of another type, or a borrow where an own is required.
    BadHandle,
    /// An own that is currently lent.
    Lent,
    BorrowsRemain,
    /// A host function failed.
    HostFunction,
    /// A named limit of the host.
    Limit,
    UncaughtException,
    Other,
}

/// Phrases in messages of engines and test suites, with their classes. The first match counts.
const PHRASES: &[(&str, TrapClass)] = &[
    ("unreachable", TrapClass::Unreachable),
    ("call stack exhausted", TrapClass::StackExhausted),
    ("out of bounds memory access", TrapClass::MemoryOutOfBounds),
    ("out of bounds table access", TrapClass::TableOutOfBounds),
    ("undefined element", TrapClass::TableOutOfBounds),
    ("uninitialized element", TrapClass::UninitializedElement),
    ("indirect call type mismatch", TrapClass::IndirectCallType),
    ("integer overflow", TrapClass::IntegerOverflow),
    ("integer divide by zero", TrapClass::DivisionByZero),
    ("invalid conversion to integer", TrapClass::BadConversion),
    ("wasm trap: interrupt", TrapClass::Interrupted),
    ("all fuel consumed", TrapClass::Interrupted),
    ("cannot enter component instance", TrapClass::CannotEnter),
    ("cannot leave component instance", TrapClass::CannotLeave),
    ("result not aligned", TrapClass::Unaligned),
    ("not aligned", TrapClass::Unaligned),
    ("unaligned pointer", TrapClass::Unaligned),
    ("beyond end of memory", TrapClass::PointerOutOfBounds),
    ("out of bounds of memory", TrapClass::PointerOutOfBounds),
    ("content out-of-bounds", TrapClass::PointerOutOfBounds),
    ("pointer out of bounds", TrapClass::PointerOutOfBounds),
    ("size overflow", TrapClass::PointerOutOfBounds),
    ("byte length overflow", TrapClass::PointerOutOfBounds),
    ("byte length too large", TrapClass::PointerOutOfBounds),
    ("invalid utf", TrapClass::InvalidString),
    ("incomplete utf-8", TrapClass::InvalidString),
    ("unpaired surrogate", TrapClass::InvalidString),
    ("`char` bit pattern", TrapClass::InvalidChar),
    ("out of range integral type conversion", TrapClass::InvalidChar),
    (
        "converted integer out of range for `char`",
        TrapClass::InvalidChar,
    ),
    ("discriminant", TrapClass::InvalidDiscriminant),
    ("while borrowed", TrapClass::Lent),
    ("borrow handles still remain", TrapClass::BorrowsRemain),
    ("handle index", TrapClass::BadHandle),
    ("is not a resource", TrapClass::BadHandle),
    ("is not an own resource", TrapClass::BadHandle),
    ("own resource from a borrow", TrapClass::BadHandle),
    ("uncaught exception", TrapClass::UncaughtException),
    // An import that nothing provides.
    ("has not been defined", TrapClass::HostFunction),
];

impl TrapClass {
    /// Returns the class that a message of an engine or of a test suite denotes.
    pub fn of_text(text: &str) -> Option<TrapClass> {
        let found = PHRASES.iter().find(|(phrase, _)| text.contains(phrase));
        found.map(|(_, class)| *class)
    }
}

impl fmt::Display for TrapClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TrapClass::Unreachable => "unreachable",
            TrapClass::StackExhausted => "call stack exhausted",
            TrapClass::MemoryOutOfBounds => "out of bounds memory access",
            TrapClass::TableOutOfBounds => "out of bounds table access",
            TrapClass::UninitializedElement => "uninitialized element",
            TrapClass::IndirectCallType => "indirect call type mismatch",
            TrapClass::IntegerOverflow => "integer overflow",
            TrapClass::DivisionByZero => "integer divide by zero",
            TrapClass::BadConversion => "invalid conversion to integer",
            TrapClass::Interrupted => "interrupted",
            TrapClass::CannotEnter => "cannot enter instance",
            TrapClass::CannotLeave => "cannot leave instance",
            TrapClass::PointerOutOfBounds => "pointer out of bounds",
            TrapClass::Unaligned => "unaligned pointer",
            TrapClass::InvalidString => "invalid string",
            TrapClass::InvalidChar => "invalid char",
            TrapClass::InvalidDiscriminant => "invalid discriminant",
            TrapClass::BadHandle => "bad handle",
            TrapClass::Lent => "handle is lent",
            TrapClass::BorrowsRemain => "borrows remain",
            TrapClass::HostFunction => "host function failed",
            TrapClass::Limit => "limit",
            TrapClass::UncaughtException => "uncaught exception",
            TrapClass::Other => "other",
        })
    }
}
