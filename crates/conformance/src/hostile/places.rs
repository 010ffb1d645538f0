//! Places of a bad value: a result or an argument, received by the host or by another component.

use crate::TrapClass;
use airssys_wasm_abi::AbiError;
use airssys_wasm_component::error::TrapKind;

use super::case::{Case, Expected, Reference};
use super::guest::{
    Caller, Core, Exporter, RESULT, Ty, component, composed, core_types, core_values, data, good_realloc,
};

/// A value that a guest passes. As an argument it consists of core values; as a result it is one core value, or lies in
/// memory.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) name: String,
    pub(super) ty: Ty,
    pub(super) encoding: &'static str,
    pub(super) flat: Vec<Core>,
    /// Set if a result is returned through the caller's memory.
    pub(super) in_memory: bool,
    /// The bytes in memory, if it lies there.
    pub(super) stored: Vec<u8>,
    /// Other content of memory.
    pub(super) data: Vec<(u32, Vec<u8>)>,
    /// The host's error.
    pub(super) abi: AbiError,
    /// The beginning of the adapter's message.
    pub(super) adapter: &'static str,
    pub(super) class: TrapClass,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The host lifts the result of the function that it called.
    Result,
    /// The host lifts an argument of an import.
    Argument,
    /// An adapter receives an argument for another component, whose strings are in this encoding.
    AdapterArgument(&'static str),
    /// An adapter receives a result for another component, whose strings are in this encoding.
    AdapterResult(&'static str),
}

/// The four places, for values without strings.
pub(super) const PLACES: [Place; 4] = [
    Place::Result,
    Place::Argument,
    Place::AdapterArgument("utf8"),
    Place::AdapterResult("utf8"),
];

impl Place {
    fn text(self) -> String {
        match self {
            Place::Result => "as a result".into(),
            Place::Argument => "as an argument of the host".into(),
            Place::AdapterArgument(encoding) => format!("as an argument of a component in {encoding}"),
            Place::AdapterResult(encoding) => format!("as a result for a component in {encoding}"),
        }
    }
}

impl Given {
    fn data(&self) -> String {
        let mut segments = self.data.clone();
        if !self.stored.is_empty() {
            segments.push((RESULT, self.stored.clone()));
        }
        data(&segments)
    }

    /// Returns the guest that returns the value from `name`.
    pub(super) fn giver(&self, name: &str) -> String {
        let (core_signature, body) = match &self.flat[..] {
            // The value itself, or a pointer that should lead to it.
            [value] if self.stored.is_empty() => {
                let values = [*value];
                (format!("(result{})", core_types(&values)), core_values(&values))
            }
            _ => ("(result i32)".into(), format!("(i32.const {RESULT})")),
        };
        Exporter {
            ty: &self.ty,
            name,
            signature: "(result $t)",
            core_signature: &core_signature,
            body: &body,
            encoding: self.encoding,
            realloc: &good_realloc(),
            data: &self.data(),
        }
        .text()
    }

    /// Returns the guest that passes the value to the import `take`.
    pub(super) fn passer(&self) -> String {
        Caller {
            ty: &self.ty,
            name: "take",
            signature: "(param \"x\" $t)",
            core_signature: &format!("(param{})", core_types(&self.flat)),
            body: &format!("(call $f {})", core_values(&self.flat)),
            encoding: self.encoding,
            realloc: &good_realloc(),
            data: &self.data(),
        }
        .text()
    }

    /// Returns a well-behaved component whose `take` accepts the value.
    fn taker(&self, encoding: &str) -> String {
        Exporter {
            ty: &self.ty,
            name: "take",
            signature: "(param \"x\" $t)",
            core_signature: &format!("(param{})", core_types(&self.flat)),
            body: "",
            encoding,
            realloc: &good_realloc(),
            data: "",
        }
        .text()
    }

    /// Returns a well-behaved component that requests the value.
    fn asker(&self, encoding: &str) -> String {
        let direct = !self.in_memory;
        let result = format!("(result{})", core_types(&self.flat));
        Caller {
            ty: &self.ty,
            name: "give",
            signature: "(result $t)",
            core_signature: if direct { &result } else { "(param i32)" },
            body: if direct {
                "(drop (call $f))"
            } else {
                "(call $f (i32.const 128))"
            },
            encoding,
            realloc: &good_realloc(),
            data: "",
        }
        .text()
    }

    /// Returns the case of this value at a place.
    pub(super) fn case(&self, group: &'static str, place: Place) -> Case {
        let name = format!("{} {}", self.name, place.text());
        let by_host = Expected::Trap(TrapKind::Abi(self.abi.clone()), self.class);
        let by_adapter = Expected::Trap(TrapKind::Adapter(self.adapter.into()), self.class);
        match place {
            Place::Result => Case::new(group, name, component(&self.giver("run")), by_host),
            Place::Argument => Case::new(group, name, component(&self.passer()), by_host)
                .provider(component(&self.taker("utf8"))),
            Place::AdapterArgument(encoding) => {
                let text = composed(&self.taker(encoding), &self.passer());
                Case::new(group, name, text, by_adapter)
            }
            Place::AdapterResult(encoding) => {
                let text = composed(&self.giver("give"), &self.asker(encoding));
                Case::new(group, name, text, by_adapter)
            }
        }
        .reference(Reference::Same)
    }

    pub(super) fn cases(&self, group: &'static str, places: &[Place]) -> Vec<Case> {
        places.iter().map(|place| self.case(group, *place)).collect()
    }
}

/// Encodes 32-bit numbers as bytes.
pub(super) fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
