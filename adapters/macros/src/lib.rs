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
///     trappable_imports: true,           // or ["ns:pkg/iface/func", "ns:pkg/iface"]
///     store_imports: ["ns:pkg/iface"],   // or true: functions that get the store
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
///
/// # Asynchronous functions, streams and futures
///
/// An imported function belongs to a trait `HostWithStore<T>` beside `Host` (`HostFileWithStore<T>` for a resource `file`,
/// `WorldImportsWithStore<T>` for the world itself) if it is an `async func`, or if `store_imports` selects it. These traits are
/// implemented for the `HasData` of the host, `HasSelf<Host>` if the host is found as a reference. Their functions have no
/// `self`:
///
/// - An `async func` gets an `&Accessor<T, Self>`, and returns a future. It borrows the store and the host's part in it with
///   `Accessor::with`, and not while it waits. It may be an `async fn`.
/// - Another function gets an `Access<'_, T, Self>`, which is the store: a stream or future is created with it.
///
/// An exported `async func` becomes an `async fn` that gets an accessor, as `Store::run_concurrent` has one, and owns its
/// arguments. `trappable_imports` and `trappable_error_type` change results as for other functions.
///
/// `stream<t>` is `StreamReader<T>`, `future<t>` is `FutureReader<T>`, and both have `()` for an absent type. They are moved:
/// types that hold them are not `Clone`, do not get `additional_derives`, and are passed to exports by value.
///
/// ```text
/// bindgen!({
///     inline: "package a:b; world numbers {
///         import wait: async func(ms: u64);
///         import count: func() -> stream<u8>;
///         export sum: async func(numbers: stream<u8>) -> u32;
///     }",
///     trappable_imports: true,
///     store_imports: ["count"],
/// });
///
/// impl<T: Send + 'static> NumbersImportsWithStore<T> for HasSelf<Host> {
///     async fn wait(accessor: &Accessor<T, Self>, ms: u64) -> HostResult<()> {
///         let timer = accessor.with(|mut store| store.get().timer(ms));
///         Ok(timer.await)
///     }
///
///     fn count(store: Access<'_, T, Self>) -> HostResult<StreamReader<u8>> {
///         Ok(StreamReader::new(store, Counter::default()))
///     }
/// }
///
/// let sum = store
///     .run_concurrent(async |accessor| numbers.call_sum(accessor, stream).await)
///     .await??;
/// ```
///
/// `error-context` is not supported, and neither are borrowed handles in a stream or future.
#[proc_macro]
pub fn bindgen(input: TokenStream) -> TokenStream {
    bindgen::expand(input.into()).into()
}
