//! Lengths of the types of parameters in Rust. A type that shares its parts by name can have a text exponentially
//! longer than itself; writing it by its name avoids that.

use wit_parser::{Resolve, Type, TypeDefKind, TypeId};

/// Parts that the borrowed form of a named type may be written with. Stops WIT of some hundred bytes, where each type
/// is a tuple of two of the former, from becoming megabytes of Rust.
const MAX_PARTS: u32 = 64;

/// The form in which a parameter of a named tuple, option or result is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// By its name: nothing in it is borrowed.
    Name,
    /// With its parts, as far as these are borrowed: `(&str, &[u8])`.
    Parts,
    /// As a reference to the named type: its parts are too many to write out.
    Reference,
}

/// The text of one type at the place of its use.
#[derive(Clone, Copy, Debug)]
struct Length {
    /// Parts of the type's owned form.
    owned: u32,
    /// Parts of the type's form as a parameter.
    argument: u32,
    /// True if the two differ.
    borrows: bool,
    form: Form,
}

impl Length {
    const ONE: Length = Length {
        owned: 1,
        argument: 1,
        borrows: false,
        form: Form::Name,
    };

    const BORROWED: Length = Length {
        borrows: true,
        form: Form::Parts,
        ..Length::ONE
    };

    fn with(self, part: Length) -> Length {
        Length {
            owned: self.owned.saturating_add(part.owned),
            argument: self.argument.saturating_add(part.argument),
            borrows: self.borrows || part.borrows,
            form: Form::Parts,
        }
    }
}

/// The forms of all types, by their indices in the arena.
#[derive(Debug)]
pub(crate) struct Forms(Vec<Length>);

impl Forms {
    /// Computes the form of each type once. Definitions come before their uses, so nothing here recurses.
    pub(crate) fn new(resolve: &Resolve) -> Forms {
        let mut forms = Forms(Vec::with_capacity(resolve.types.len()));
        for (_, def) in resolve.types.iter() {
            let mut length = forms.define(&def.kind);
            if def.name.is_some() {
                length.owned = 1;
                length.form = match () {
                    () if !length.borrows => Form::Name,
                    () if length.argument > MAX_PARTS => Form::Reference,
                    () => Form::Parts,
                };
                if length.form != Form::Parts {
                    length.argument = 1;
                }
            }
            forms.0.push(length);
        }
        forms
    }

    /// Returns the form of a named tuple, option or result.
    pub(crate) fn of(&self, id: TypeId) -> Form {
        self.0.get(id.index()).map_or(Form::Parts, |length| length.form)
    }

    fn length(&self, ty: &Type) -> Length {
        match ty {
            Type::Id(id) => self.0.get(id.index()).copied().unwrap_or(Length::BORROWED),
            Type::String => Length::BORROWED,
            _ => Length::ONE,
        }
    }

    fn define(&self, kind: &TypeDefKind) -> Length {
        let all = |parts: &mut dyn Iterator<Item = &Type>| {
            parts.fold(Length::ONE, |length, part| length.with(self.length(part)))
        };
        match kind {
            TypeDefKind::Type(ty) => self.length(ty),
            TypeDefKind::Tuple(tuple) => all(&mut tuple.types.iter()),
            TypeDefKind::Option(ty) => all(&mut std::iter::once(ty)),
            TypeDefKind::Result(result) => all(&mut result.ok.iter().chain(&result.err)),
            // A slice, or a reference to an array: its elements are owned.
            TypeDefKind::List(ty) | TypeDefKind::FixedLengthList(ty, _) => {
                let owned = self.length(ty).owned.saturating_add(1);
                Length {
                    owned,
                    argument: owned,
                    ..Length::BORROWED
                }
            }
            TypeDefKind::Record(_) | TypeDefKind::Variant(_) => Length::BORROWED,
            TypeDefKind::Stream(Some(ty)) | TypeDefKind::Future(Some(ty)) => {
                let owned = self.length(ty).owned.saturating_add(1);
                Length {
                    owned,
                    argument: owned,
                    ..Length::ONE
                }
            }
            _ => Length::ONE,
        }
    }
}
