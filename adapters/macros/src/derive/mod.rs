//! The derives: [`input`] parses a Rust type and its attributes once, and each trait has its generator.

mod component_type;
mod input;
mod lift;
mod lower;
#[cfg(test)]
mod tests;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

pub(crate) use component_type::component_type;
pub(crate) use lift::lift;
pub(crate) use lower::lower;

/// A derive: generates the implementation of a trait for a type.
type Derive = fn(TokenStream) -> syn::Result<TokenStream>;

/// Runs a derive; an error becomes a compile error at its place in the source.
pub(crate) fn expand(derive: Derive, input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    derive(input.into())
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}

/// The names of parameters of the generated methods. Hygiene and the underscores keep them apart from the user's names.
struct Names {
    cx: Ident,
    plan: Ident,
    flat: Ident,
    at: Ident,
}

impl Names {
    fn new() -> Names {
        Names {
            cx: local("cx"),
            plan: local("plan"),
            flat: local("flat"),
            at: local("at"),
        }
    }
}

fn local(name: &str) -> Ident {
    Ident::new(&format!("__{name}"), Span::mixed_site())
}

fn offset_name(index: usize) -> Ident {
    format_ident!("__offset{index}", span = Span::mixed_site())
}

/// Builds the `impl` around the items of a trait: every type parameter must implement the trait too.
fn implementation(input: &input::Input, trait_name: &str, items: &TokenStream) -> TokenStream {
    let component = input.component();
    let (trait_name, name) = (Ident::new(trait_name, Span::call_site()), &input.ident);
    let mut generics = input.generics.clone();
    let params: Vec<Ident> = generics.type_params().map(|param| param.ident.clone()).collect();
    if !params.is_empty() {
        let bounds = &mut generics.make_where_clause().predicates;
        bounds.extend(
            params
                .iter()
                .map(|param| -> syn::WherePredicate { syn::parse_quote!(#param: #component::#trait_name) }),
        );
    }
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #impl_generics #component::#trait_name for #name #type_generics #where_clause {
            #items
        }
    }
}

/// Generates a local variable for each field, with the field's offset in the record.
fn field_offsets(input: &input::Input, fields: &[input::Field]) -> TokenStream {
    let component = input.component();
    let layouts = fields.iter().map(|field| layout_of(&component, Some(&field.ty)));
    let names = (0..fields.len()).map(offset_name);
    quote!(let [#(#names),*] = const { #component::Layout::offsets(&[#(#layouts),*]) };)
}

/// Generates the offset of the payloads of a variant.
fn payload_offset(input: &input::Input, cases: &[input::Case]) -> TokenStream {
    let component = input.component();
    let layouts = cases
        .iter()
        .map(|case| layout_of(&component, case.payload.as_ref()));
    quote!(const { #component::Layout::payload_offset(&[#(#layouts),*]) })
}

fn layout_of(component: &TokenStream, ty: Option<&syn::Type>) -> TokenStream {
    match ty {
        Some(ty) => quote!(<#ty as #component::ComponentType>::LAYOUT),
        None => quote!(#component::Layout::NONE),
    }
}
