//! `bindgen!` and the derives of component types.

mod derive;

use proc_macro::TokenStream;

/// Derives `ComponentType`: the Rust type stands for a record, a variant or an enum of a component.
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
/// enum Colour {
///     #[component(name = "red")]
///     Red,
///     #[component(name = "green")]
///     Green,
/// }
/// ```
///
/// Fields and cases come in the order that the component's type has them in. One without a `name` is called as its
/// identifier is written, `r#` left out. `#[component(crate = path)]` at the type says where `airssys_wasm` is, if it
/// has another name. A type may have parameters; one that borrows derives `ComponentType` and `Lower`.
#[proc_macro_derive(ComponentType, attributes(component))]
pub fn component_type(input: TokenStream) -> TokenStream {
    derive::expand(derive::component_type, input)
}

/// Derives `Lower`: values can be given to a component. For types that derive [`macro@ComponentType`], with the same
/// attributes.
#[proc_macro_derive(Lower, attributes(component))]
pub fn lower(input: TokenStream) -> TokenStream {
    derive::expand(derive::lower, input)
}

/// Derives `Lift`: values can be got from a component. For types that derive [`macro@ComponentType`], with the same
/// attributes.
#[proc_macro_derive(Lift, attributes(component))]
pub fn lift(input: TokenStream) -> TokenStream {
    derive::expand(derive::lift, input)
}
