//! The macro `flags!`: Rust types for flags.

/// Declares a Rust type for a component's flags.
///
/// The type is a set of the flags (see the crate `bitflags` for its methods): `contains`, `|`, `is_empty` and so on.
/// Bits that have no flag are dropped when it is lifted.
///
/// ```
/// # extern crate airssys_wasm_component as airssys_wasm;
/// airssys_wasm::component::flags! {
///     /// What a file may be used for.
///     pub Access {
///         #[component(name = "read")]
///         const READ;
///         #[component(name = "write")]
///         const WRITE;
///     }
/// }
/// let both = Access::READ | Access::WRITE;
/// assert!(both.contains(Access::WRITE));
/// ```
#[macro_export]
macro_rules! flags {
    (
        $(#[$meta:meta])*
        $vis:vis $name:ident {
            $( $(#[doc = $doc:literal])* #[component(name = $label:literal)] const $flag:ident; )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
        $vis struct $name(u32);

        #[allow(non_camel_case_types, dead_code, clippy::upper_case_acronyms)]
        const _: () = {
            // A flag's position is its bit.
            #[repr(u32)]
            enum Position { $($flag),+ }

            $crate::component::support::bitflags::bitflags! {
                impl $name: u32 {
                    $( $(#[doc = $doc])* const $flag = 1 << (Position::$flag as u32); )+
                }
            }

            impl ::core::fmt::Debug for $name {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    ::core::write!(f, "{}(", ::core::stringify!($name))?;
                    $crate::component::support::bitflags::parser::to_writer(self, &mut *f)?;
                    f.write_str(")")
                }
            }

            const LABELS: &[&str] = &[$($label),+];
            const WIDTH: u32 = <$name as $crate::component::ComponentType>::LAYOUT.size;

            impl $crate::component::ComponentType for $name {
                const LAYOUT: $crate::component::Layout = $crate::component::Layout::flags(LABELS.len());

                fn typecheck(
                    ty: &$crate::component::Type,
                    _: &$crate::component::TypeContext<'_>,
                ) -> $crate::component::TypeCheck {
                    $crate::component::support::typecheck_flags::<$name>(ty, LABELS)
                }
            }

            impl $crate::component::Lower for $name {
                #[inline]
                fn lower_flat(
                    &self,
                    _: &mut $crate::component::LowerContext<'_>,
                    _: &$crate::component::support::Plan,
                    flat: &mut $crate::component::FlatValues<'_>,
                ) -> $crate::error::Result<()> {
                    flat.push(::core::convert::From::from(self.bits()));
                    ::core::result::Result::Ok(())
                }

                #[inline]
                fn store(
                    &self,
                    cx: &mut $crate::component::LowerContext<'_>,
                    _: &$crate::component::support::Plan,
                    at: $crate::component::GuestPtr,
                ) -> $crate::error::Result<()> {
                    $crate::component::support::store_word(cx, at, WIDTH, self.bits())
                }
            }

            impl $crate::component::Lift for $name {
                #[inline]
                fn lift_flat(
                    _: &mut $crate::component::LiftContext<'_>,
                    _: &$crate::component::support::Plan,
                    flat: &mut $crate::component::FlatReader<'_>,
                ) -> $crate::error::Result<$name> {
                    ::core::result::Result::Ok($name::from_bits_truncate(flat.next_u32()))
                }

                #[inline]
                fn load(
                    cx: &mut $crate::component::LiftContext<'_>,
                    _: &$crate::component::support::Plan,
                    at: $crate::component::GuestPtr,
                ) -> $crate::error::Result<$name> {
                    ::core::result::Result::Ok($name::from_bits_truncate(
                        $crate::component::support::load_word(cx, at, WIDTH)?,
                    ))
                }
            }
        };
    };
}
