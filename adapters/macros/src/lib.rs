//! `bindgen!` and the derives of component types.

mod bindgen;
mod derive;

/// The default path of the crate that runs components.
const CRATE: &str = "::airssys_wasm";

use proc_macro::TokenStream;

/// Derives `ComponentType`: the Rust type represents a record, a variant or an enum of a component.
///
/// ```ignore
/// use airssys_wasm::component::{ComponentType, Lift, Lower};
///
/// #[derive(ComponentType, Lower, Lift)]
/// #[component(record)]
/// struct Person {
///     #[component(name = "full-name")]
///     full_name: String,
///     age: Option<u32>,
/// }
///
/// #[derive(ComponentType, Lower, Lift)]
/// #[component(variant)]
/// enum Shape {
///     #[component(name = "circle")]
///     Circle(f64),
///     #[component(name = "none")]
///     None,
/// }
///
/// #[derive(ComponentType, Lower, Lift)]
/// #[component(enum)]
/// enum Color {
///     #[component(name = "red")]
///     Red,
///     #[component(name = "green")]
///     Green,
/// }
/// ```
///
/// Fields and cases have the order of the component's type. Without a `name`, the name is the identifier as it is
/// written, without `r#`. `#[component(crate = path)]` on the type sets the path of `airssys_wasm`, if it has another
/// name. A type may have parameters; one that borrows derives `ComponentType` and `Lower`.
#[proc_macro_derive(ComponentType, attributes(component))]
pub fn component_type(input: TokenStream) -> TokenStream {
    derive::expand(derive::component_type, input)
}

/// Derives `Lower`: values can be passed to a component. For types that derive [`macro@ComponentType`], with the same
/// attributes.
#[proc_macro_derive(Lower, attributes(component))]
pub fn lower(input: TokenStream) -> TokenStream {
    derive::expand(derive::lower, input)
}

/// Derives `Lift`: values can be received from a component. For types that derive [`macro@ComponentType`], with the
/// same attributes.
#[proc_macro_derive(Lift, attributes(component))]
pub fn lift(input: TokenStream) -> TokenStream {
    derive::expand(derive::lift, input)
}

/// Generates Rust glue for a WIT world in place; `airssys-wasm bindgen` prints the same source.
///
/// ```text
/// bindgen!("world");                     // in the folder `wit` beside Cargo.toml
/// bindgen!("world" in "path");
/// bindgen!({
///     path: "wit",                       // or ["deps", "wit"]: earlier ones are used by later ones
///     inline: "package a:b; …",          // WIT text; it may use what the paths have
///     world: "ns:pkg/world@1.0.0",       // or the name alone; not needed if there is only one
///     with: {
///         "ns:pkg/iface": path::to::module,
///         "ns:pkg/iface/type": path::Type,
///     },
///     trappable_error_type: { "ns:pkg/iface/error" => path::Error },
///     trappable_imports: true,           // or ["ns:pkg/iface/func"]
///     additional_derives: [PartialEq],
///     features: ["name"],                // `@unstable` items to take
///     all_features: true,
///     deref_hosts: true,                 // hosts behind guards, not references alone
///     crate_path: some::path,            // where `airssys_wasm` is
/// });
/// ```
///
/// Paths are relative to the folder of Cargo.toml. Every option may be left out. An interface that has a path in `with`
/// is not generated, and the caller adds it to linkers; a type that has one is used in imports and exports.
///
/// The world becomes a struct: `add_to_linker` defines what it imports by traits `Host` of the interfaces, `instantiate`
/// finds what a component exports, and methods `call_…` call it. `World::add_to_linker::<_, HasSelf<_>>(&mut linker, |data| data)`
/// is for a host that is the store's data; the closure may also lead to a part of it, and a `HasData` of the host's own to a
/// structure of references.
#[proc_macro]
pub fn bindgen(input: TokenStream) -> TokenStream {
    bindgen::expand(input.into()).into()
}
