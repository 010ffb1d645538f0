//! Rust types for the records, variants and enums of the contract, as derived.

/// A record with its fields in the order of the contract.
macro_rules! record {
    ($(#[$meta:meta])* $vis:vis $name:ident { $($(#[$doc:meta])* $field:ident: $ty:ty = $wit:literal,)* }) => {
        $(#[$meta])*
        #[derive(
            Clone, Debug, PartialEq, Eq,
            $crate::component::ComponentType, $crate::component::Lower, $crate::component::Lift,
        )]
        #[component(record)]
        $vis struct $name { $($(#[$doc])* #[component(name = $wit)] $vis $field: $ty,)* }
    };
}

/// A variant; a payload has a name for the macro's own use.
macro_rules! variant {
    ($(#[$meta:meta])* $vis:vis $name:ident {
        $($(#[$doc:meta])* $case:ident $(($payload:ident: $ty:ty))? = $wit:literal,)*
    }) => {
        $(#[$meta])*
        #[derive(
            Clone, Debug, PartialEq, Eq,
            $crate::component::ComponentType, $crate::component::Lower, $crate::component::Lift,
        )]
        #[component(variant)]
        $vis enum $name { $($(#[$doc])* #[component(name = $wit)] $case $(($ty))?,)* }
    };
}

/// An enum.
macro_rules! labels {
    ($(#[$meta:meta])* $vis:vis $name:ident { $($(#[$doc:meta])* $case:ident = $wit:literal,)* }) => {
        $(#[$meta])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash,
            $crate::component::ComponentType, $crate::component::Lower, $crate::component::Lift,
        )]
        #[component(enum)]
        $vis enum $name { $($(#[$doc])* #[component(name = $wit)] $case,)* }

        impl $name {
            /// The name in the contract.
            $vis fn name(self) -> &'static str {
                match self { $($name::$case => $wit,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

pub(crate) use {labels, record, variant};

use airssys_wasm_abi::Plan;

use crate::component::{
    ComponentType, FlatValues, GuestPtr, Layout, Lower, LowerContext, Type, TypeCheck, TypeContext,
};
use crate::error::Result;
use crate::messaging::ComponentId;

/// An identity is a string to components.
impl ComponentType for ComponentId {
    const LAYOUT: Layout = str::LAYOUT;

    fn typecheck(ty: &Type, cx: &TypeContext<'_>) -> TypeCheck {
        str::typecheck(ty, cx)
    }
}

impl Lower for ComponentId {
    fn lower_flat(&self, cx: &mut LowerContext<'_>, plan: &Plan, flat: &mut FlatValues<'_>) -> Result<()> {
        self.as_str().lower_flat(cx, plan, flat)
    }

    fn store(&self, cx: &mut LowerContext<'_>, plan: &Plan, at: GuestPtr) -> Result<()> {
        self.as_str().store(cx, plan, at)
    }
}
