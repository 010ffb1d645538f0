//! `ComponentType`: the layout, and the check against the component's type.

use proc_macro2::TokenStream;
use quote::quote;

use super::input::{Input, Shape};
use super::{implementation, layout_of, local};

pub(crate) fn component_type(tokens: TokenStream) -> syn::Result<TokenStream> {
    let input = Input::parse(tokens)?;
    let component = input.component();
    let (ty, cx) = (local("ty"), local("cx"));
    let (layout, check) = match &input.shape {
        Shape::Record(fields) => {
            let layouts = fields.iter().map(|field| layout_of(&component, Some(&field.ty)));
            let names = fields.iter().map(|field| &field.name);
            let types = fields.iter().map(|field| &field.ty);
            let check = quote! {
                #component::support::typecheck_record::<Self>(#ty, #cx, &[
                    #((#names, <#types as #component::ComponentType>::typecheck),)*
                ])
            };
            (quote!(record(&[#(#layouts),*])), check)
        }
        Shape::Variant(cases) => {
            let layouts = cases
                .iter()
                .map(|case| layout_of(&component, case.payload.as_ref()));
            let names = cases.iter().map(|case| &case.name);
            let nothing: syn::Type = syn::parse_quote!(());
            let types = cases.iter().map(|case| case.payload.as_ref().unwrap_or(&nothing));
            let check = quote! {
                #component::support::typecheck_variant::<Self>(#ty, #cx, &[
                    #((#names, <#types as #component::ComponentType>::typecheck_payload),)*
                ])
            };
            (quote!(variant(&[#(#layouts),*])), check)
        }
        Shape::Enum(cases) => {
            let (count, names) = (cases.len(), cases.iter().map(|case| &case.name));
            let check = quote!(#component::support::typecheck_enum::<Self>(#ty, &[#(#names),*]));
            (quote!(enumeration(#count)), check)
        }
    };
    let items = quote! {
        const LAYOUT: #component::Layout = #component::Layout::#layout;

        fn typecheck(#ty: &#component::Type, #cx: &#component::TypeContext<'_>) -> #component::TypeCheck {
            #check
        }
    };
    Ok(implementation(&input, "ComponentType", &items))
}
