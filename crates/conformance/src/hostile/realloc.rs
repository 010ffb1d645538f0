//! `realloc` that returns invalid pointers, traps, or calls imports.

use crate::TrapClass;
use airssys_wasm_abi::AbiError;
use airssys_wasm_component::component::Val;
use airssys_wasm_component::error::{CoreTrap, TrapKind};

use super::case::{Case, Expected};
use super::guest::{Caller, Core, Exporter, MEMORY, Ty, component, composed, core_types, realloc};
use super::places::{Given, words};

/// A value to lower.
struct Lowered {
    name: &'static str,
    ty: &'static str,
    encoding: &'static str,
    /// Size argument of the first call of `realloc`.
    size: u32,
    align: u32,
    value: fn() -> Val,
    /// The value as another guest passes it: pointer and length, or the data at the pointer.
    flat: &'static [u32],
    data: fn() -> Vec<(u32, Vec<u8>)>,
    /// The adapter's message for memory that it cannot use.
    adapter: &'static str,
    class: TrapClass,
}

const STRING: &str = "string content out-of-bounds";
const LIST: &str = "list content out-of-bounds";

const fn string(name: &'static str, encoding: &'static str, size: u32, align: u32) -> Lowered {
    Lowered {
        name,
        ty: "string",
        encoding,
        size,
        align,
        value: || Val::String("four".into()),
        flat: &[256, 4],
        data: || vec![(256, b"four".to_vec())],
        adapter: STRING,
        class: TrapClass::PointerOutOfBounds,
    }
}

const LOWERED: &[Lowered] = &[
    string("a string in utf8", "utf8", 4, 1),
    string("a string in utf16", "utf16", 8, 2),
    string("a string in latin1+utf16", "latin1+utf16", 4, 2),
    Lowered {
        name: "a list of u8",
        ty: "(list u8)",
        encoding: "utf8",
        size: 4,
        align: 1,
        value: || Val::Bytes(vec![1, 2, 3, 4]),
        flat: &[256, 4],
        data: || vec![(256, vec![1, 2, 3, 4])],
        adapter: LIST,
        class: TrapClass::PointerOutOfBounds,
    },
    Lowered {
        name: "a list of u64",
        ty: "(list u64)",
        encoding: "utf8",
        size: 16,
        align: 8,
        value: || Val::List(vec![Val::U64(1), Val::U64(2)]),
        flat: &[256, 2],
        data: || vec![(256, words(&[1, 0, 2, 0]))],
        adapter: LIST,
        class: TrapClass::PointerOutOfBounds,
    },
    Lowered {
        name: "a list of strings",
        ty: "(list string)",
        encoding: "utf8",
        size: 8,
        align: 4,
        value: || Val::List(vec![Val::String("four".into())]),
        flat: &[256, 1],
        data: || vec![(256, words(&[512, 4])), (512, b"four".to_vec())],
        adapter: LIST,
        class: TrapClass::PointerOutOfBounds,
    },
    Lowered {
        name: "17 parameters",
        ty: "(tuple u32 u32 u32 u32 u32 u32 u32 u32 u32 u32 u32 u32 u32 u32 u32 u32 u32)",
        encoding: "utf8",
        size: 68,
        align: 4,
        value: || Val::Tuple(vec![Val::U32(5); 17]),
        flat: &[256],
        data: || vec![(256, words(&[5; 17]))],
        adapter: "out of bounds memory access",
        class: TrapClass::MemoryOutOfBounds,
    },
];

/// A behavior of `realloc`.
struct Behavior {
    name: &'static str,
    body: &'static str,
    ends: Ends,
}

enum Ends {
    /// It returns this pointer.
    Returns(u32),
    Traps(TrapKind, TrapClass),
}

fn behaviors() -> Vec<Behavior> {
    let behavior = |name, body, ends| Behavior { name, body, ends };
    let core = |trap, class| Ends::Traps(TrapKind::Core(trap), class);
    vec![
        behavior(
            "returns the last address",
            "(i32.const -8)",
            Ends::Returns(0u32.wrapping_sub(8)),
        ),
        behavior(
            "returns the end of memory",
            "(i32.const 65536)",
            Ends::Returns(MEMORY),
        ),
        behavior("returns an odd address", "(i32.const 1025)", Ends::Returns(1025)),
        behavior(
            "returns an odd address outside",
            "(i32.const -1)",
            Ends::Returns(u32::MAX),
        ),
        behavior(
            "gives up",
            "unreachable",
            core(CoreTrap::Unreachable, TrapClass::Unreachable),
        ),
        behavior(
            "divides by zero",
            "(i32.div_u (i32.const 1) (i32.const 0))",
            core(CoreTrap::DivisionByZero, TrapClass::DivisionByZero),
        ),
        behavior(
            "reads outside of memory",
            "(i32.load (i32.const -4))",
            core(CoreTrap::MemoryOutOfBounds, TrapClass::MemoryOutOfBounds),
        ),
        behavior(
            "makes a resource",
            "(call $new (i32.const 1))",
            Ends::Traps(TrapKind::CannotLeave, TrapClass::CannotLeave),
        ),
    ]
}

/// The lowering direction, by host or adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Into {
    Arguments,
    ImportResult,
    AdapterArguments,
    AdapterResult,
}

impl Lowered {
    /// Returns the guest whose `name` accepts the value.
    fn taker(&self, name: &str, realloc: &str) -> String {
        let core: Vec<Core> = self.flat.iter().map(|value| Core::I32(*value)).collect();
        Exporter {
            ty: &Ty::new(self.ty),
            name,
            signature: "(param \"x\" $t)",
            core_signature: &format!("(param{})", core_types(&core)),
            body: "",
            encoding: self.encoding,
            realloc,
            data: "",
        }
        .text()
    }

    /// Returns the guest that requests the value.
    fn asker(&self, realloc: &str) -> String {
        Caller {
            ty: &Ty::new(self.ty),
            name: "give",
            signature: "(result $t)",
            core_signature: "(param i32)",
            body: "(call $f (i32.const 128))",
            encoding: self.encoding,
            realloc,
            data: "",
        }
        .text()
    }

    /// Returns the well-behaved guest that provides the value.
    fn owner(&self) -> Given {
        let pair = self.flat.len() == 2;
        Given {
            name: String::new(),
            ty: Ty::new(self.ty),
            encoding: "utf8",
            flat: self.flat.iter().map(|value| Core::I32(*value)).collect(),
            in_memory: true,
            stored: if pair { words(self.flat) } else { Vec::new() },
            data: (self.data)(),
            abi: AbiError::NotFlat,
            adapter: "",
            class: TrapClass::Other,
        }
    }

    fn case(&self, behavior: &Behavior, into: Into) -> Case {
        let realloc = realloc(behavior.body);
        let by_adapter = matches!(into, Into::AdapterArguments | Into::AdapterResult);
        let expected = match &behavior.ends {
            Ends::Traps(kind, class) => Expected::Trap(kind.clone(), *class),
            Ends::Returns(ptr) => self.returned(*ptr, by_adapter),
        };
        let whose = match into {
            Into::Arguments => "an argument of its",
            Into::ImportResult => "a result of the host",
            Into::AdapterArguments => "an argument from a component",
            Into::AdapterResult => "a result of a component",
        };
        let name = format!("realloc {} for {}, {whose}", behavior.name, self.name);
        let case = |text, expected| Case::new("realloc", &*name, text, expected);
        match into {
            Into::Arguments => {
                case(component(&self.taker("run", &realloc)), expected).arguments(vec![(self.value)()])
            }
            Into::ImportResult => case(component(&self.asker(&realloc)), expected)
                .provider(component(&self.owner().giver("give"))),
            Into::AdapterArguments => {
                let caller = self.owner().passer();
                case(composed(&self.taker("take", &realloc), &caller), expected)
            }
            Into::AdapterResult => case(
                composed(&self.owner().giver("give"), &self.asker(&realloc)),
                expected,
            ),
        }
    }

    /// Returns the expected outcome for a pointer that `realloc` returned.
    fn returned(&self, ptr: u32, by_adapter: bool) -> Expected {
        let Lowered { size, align, .. } = *self;
        let memory = u64::from(MEMORY);
        let aligned = ptr.is_multiple_of(align);
        if aligned && u64::from(ptr) + u64::from(size) <= memory {
            return Expected::Value(None);
        }
        if by_adapter {
            return if aligned {
                Expected::Trap(TrapKind::Adapter(self.adapter.into()), self.class)
            } else {
                Expected::Trap(
                    TrapKind::Adapter("unaligned pointer".into()),
                    TrapClass::Unaligned,
                )
            };
        }
        let class = if aligned {
            TrapClass::PointerOutOfBounds
        } else {
            TrapClass::Unaligned
        };
        let error = AbiError::InvalidReallocResult {
            ptr,
            size,
            align,
            memory,
        };
        Expected::Trap(TrapKind::Abi(error), class)
    }
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for lowered in LOWERED {
        for behavior in behaviors() {
            cases.push(lowered.case(&behavior, Into::Arguments));
            cases.push(lowered.case(&behavior, Into::AdapterArguments));
            // Other results lie in the caller's return area, without `realloc`.
            if lowered.flat.len() == 2 {
                cases.push(lowered.case(&behavior, Into::ImportResult));
                cases.push(lowered.case(&behavior, Into::AdapterResult));
            }
        }
    }
    cases
}
