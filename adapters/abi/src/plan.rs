//! The plan of one type: everything about its crossing that is known before the value.

use std::fmt;
use std::sync::Arc;

use crate::core_value::CoreType;
use crate::error::AbiError;
use crate::layout::IntWidth;
use crate::planner::Planner;
use crate::types::{ResourceType, TransmitType, Type};

/// The layout of one type's values in memory and among core values. Clones are cheap and share their parts.
#[derive(Clone)]
pub struct Plan(Arc<PlanData>);

pub(crate) struct PlanData {
    pub(crate) ty: Type,
    pub(crate) size: u32,
    pub(crate) align: u32,
    pub(crate) flat: Option<Box<[CoreType]>>,
    /// Levels of nesting, this one included.
    pub(crate) height: u32,
    pub(crate) needs: Needs,
    pub(crate) kind: PlanKind,
}

/// Requirements of a crossing beside the value itself.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Needs {
    /// Lowering calls the guest's `realloc`: there are strings or lists in the type.
    pub memory: bool,
    /// Something is lent for the length of the call: there are borrows in the type.
    pub scope: bool,
}

impl Needs {
    pub(crate) fn and(self, other: Needs) -> Needs {
        Needs {
            memory: self.memory || other.memory,
            scope: self.scope || other.scope,
        }
    }
}

/// The parts of a plan. Offsets are bytes from the start of the value that contains them.
#[derive(Clone, Debug)]
pub enum PlanKind {
    Bool,
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
    Float32,
    Float64,
    Char,
    /// Pointer and length, in memory at offsets 0 and 4.
    String,
    /// `list<u8>`: laid out as any list, copied as a whole.
    Bytes,
    /// Any other list; pointer and length in memory at offsets 0 and 4. The plan is the element's.
    List(Plan),
    /// Elements in place, each at a multiple of the element's size.
    FixedLengthList {
        element: Plan,
        length: u32,
    },
    Record(Box<[FieldPlan]>),
    Tuple(Box<[ElementPlan]>),
    Variant(VariantPlan),
    Enum(EnumPlan),
    /// A one-byte discriminant at offset 0: 0 for none, 1 for some.
    Option {
        payload_offset: u32,
        payload: Plan,
    },
    /// A one-byte discriminant at offset 0: 0 for ok, 1 for error.
    Result {
        payload_offset: u32,
        ok: Option<Plan>,
        err: Option<Plan>,
    },
    Flags(FlagsPlan),
    Own(ResourceType),
    Borrow(ResourceType),
    /// The handle of a stream's readable end.
    Stream(Arc<TransmitType>),
    /// The handle of a future's readable end.
    Future(Arc<TransmitType>),
    /// The handle of an error context.
    ErrorContext,
}

/// A record's field.
#[derive(Clone, Debug)]
pub struct FieldPlan {
    pub name: Arc<str>,
    pub offset: u32,
    pub plan: Plan,
}

/// A tuple's element.
#[derive(Clone, Debug)]
pub struct ElementPlan {
    pub offset: u32,
    pub plan: Plan,
}

/// A variant: the discriminant at offset 0, and one payload offset for all cases.
#[derive(Clone, Debug)]
pub struct VariantPlan {
    pub discriminant: IntWidth,
    pub payload_offset: u32,
    pub cases: Box<[CasePlan]>,
}

/// A variant's case; its position is its discriminant.
#[derive(Clone, Debug)]
pub struct CasePlan {
    pub name: Arc<str>,
    pub payload: Option<Plan>,
}

/// An enum; a name's position is its discriminant.
#[derive(Clone, Debug)]
pub struct EnumPlan {
    pub discriminant: IntWidth,
    pub names: Box<[Arc<str>]>,
}

/// Flags; a name's position is its bit.
#[derive(Clone, Debug)]
pub struct FlagsPlan {
    pub width: IntWidth,
    pub names: Box<[Arc<str>]>,
}

impl Plan {
    /// Creates the plan of a type. Work and memory are linear in the number of distinct parts, even if a type refers to
    /// one part many times.
    ///
    /// # Errors
    /// [`AbiError::TypeTooDeep`], [`AbiError::TypeTooLarge`], [`AbiError::EmptyType`], [`AbiError::TooManyFlags`].
    pub fn new(ty: &Type) -> Result<Plan, AbiError> {
        Planner::new().plan(ty)
    }

    pub(crate) fn from_data(data: PlanData) -> Plan {
        Plan(Arc::new(data))
    }

    /// Returns the type that this is the plan of.
    pub fn ty(&self) -> &Type {
        &self.0.ty
    }

    /// Returns the size in memory, in bytes, 1 to 2^28 - 1; a multiple of [`align`](Plan::align) ([Element Size]).
    ///
    /// [Element Size]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#element-size
    pub fn size(&self) -> u32 {
        self.0.size
    }

    /// Returns the alignment in bytes: 1, 2, 4 or 8 ([Alignment]).
    ///
    /// [Alignment]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#alignment
    pub fn align(&self) -> u32 {
        self.0.align
    }

    /// Returns the core types of the flattened value ([Flattening]); `None` if there are more than
    /// [`MAX_FLAT_PARAMS`](crate::MAX_FLAT_PARAMS), in which case the value always goes through memory.
    ///
    /// [Flattening]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#flattening
    pub fn flat(&self) -> Option<&[CoreType]> {
        self.0.flat.as_deref()
    }

    /// Returns the parts.
    pub fn kind(&self) -> &PlanKind {
        &self.0.kind
    }

    /// Returns the plan of one part: a record's field, a tuple's element, a case's payload (of an option: none 0, some
    /// 1; of a result: ok 0, error 1), or, whatever the index, a list's element. Returns itself if there is no such
    /// part.
    pub fn part(&self, index: usize) -> &Plan {
        let part = match self.kind() {
            PlanKind::List(element) | PlanKind::FixedLengthList { element, .. } => Some(element),
            PlanKind::Record(fields) => fields.get(index).map(|field| &field.plan),
            PlanKind::Tuple(elements) => elements.get(index).map(|element| &element.plan),
            PlanKind::Variant(variant) => variant.cases.get(index).and_then(|case| case.payload.as_ref()),
            PlanKind::Option { payload, .. } => Some(payload),
            PlanKind::Result { ok, err, .. } => if index == 0 { ok } else { err }.as_ref(),
            _ => None,
        };
        part.unwrap_or(self)
    }

    /// Returns the requirements of a crossing beside the value.
    pub fn needs(&self) -> Needs {
        self.0.needs
    }

    pub(crate) fn height(&self) -> u32 {
        self.0.height
    }

    /// Returns the flat types of a value that the function's plan passes flat.
    pub(crate) fn expect_flat(&self) -> Result<&[CoreType], AbiError> {
        self.flat().ok_or(AbiError::NotFlat)
    }
}

/// Formats only the outermost level: a plan shares its parts, so its full text could be far larger than itself.
impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("ty", &format_args!("{}", self.ty().summary()))
            .field("size", &self.size())
            .field("align", &self.align())
            .field("flat", &self.flat())
            .finish()
    }
}
