//! `Lift`: lifting from core values and from memory. Errors, and their order, are the same as in the untyped path.

use proc_macro2::TokenStream;
use quote::quote;

use super::input::{Case, Field, Input, Shape};
use super::{Names, field_offsets, implementation, local, offset_name, payload_offset};

/// The bodies of the methods.
struct Bodies {
    lift_flat: TokenStream,
    load: TokenStream,
}

pub(crate) fn lift(tokens: TokenStream) -> syn::Result<TokenStream> {
    let input = Input::parse(tokens)?;
    let (component, result) = (input.component(), input.result());
    let names = Names::new();
    let Bodies { lift_flat, load } = match &input.shape {
        Shape::Record(fields) => record(&input, &names, fields),
        Shape::Variant(cases) => variant(&input, &names, cases),
        Shape::Enum(cases) => enumeration(&input, &names, cases),
    };
    let Names { cx, plan, flat, at } = names;
    let items = quote! {
        #[inline]
        fn lift_flat(
            #cx: &mut #component::LiftContext<'_>,
            #plan: &#component::support::Plan,
            #flat: &mut #component::FlatReader<'_>,
        ) -> #result<Self> {
            #lift_flat
        }

        #[inline]
        fn load(
            #cx: &mut #component::LiftContext<'_>,
            #plan: &#component::support::Plan,
            #at: #component::GuestPtr,
        ) -> #result<Self> {
            #load
        }
    };
    Ok(implementation(&input, "Lift", &items))
}

fn record(input: &Input, names: &Names, fields: &[Field]) -> Bodies {
    let component = input.component();
    let Names { cx, plan, flat, at } = names;
    let (mut flats, mut loads) = (TokenStream::new(), TokenStream::new());
    for (index, Field { ident, ty, .. }) in fields.iter().enumerate() {
        let (lift, part) = lift_and_part(&component, ty, plan, index);
        let offset = offset_name(index);
        flats.extend(quote!(#ident: #lift::lift_flat(#cx, #part, #flat)?,));
        loads.extend(quote!(#ident: #lift::load(#cx, #part, #component::GuestPtr::member(#at, #offset))?,));
    }
    let offsets = field_offsets(input, fields);
    Bodies {
        lift_flat: quote!(::core::result::Result::Ok(Self { #flats })),
        load: quote! {
            #offsets
            ::core::result::Result::Ok(Self { #loads })
        },
    }
}

fn variant(input: &Input, names: &Names, cases: &[Case]) -> Bodies {
    let component = input.component();
    let Names { cx, plan, flat, at } = names;
    let (index, payload) = (local("index"), local("payload"));
    let (mut flats, mut loads) = (TokenStream::new(), TokenStream::new());
    for (number, case) in cases.iter().enumerate() {
        let (pattern, ident) = (pattern(number, cases.len()), &case.ident);
        let Some(ty) = &case.payload else {
            flats.extend(quote!(#pattern => Self::#ident,));
            loads.extend(quote!(#pattern => Self::#ident,));
            continue;
        };
        let (lift, part) = lift_and_part(&component, ty, plan, number);
        flats.extend(quote!(#pattern => Self::#ident(#lift::lift_flat(#cx, #part, &mut #payload)?),));
        loads.extend(quote!(#pattern => Self::#ident(#lift::load(#cx, #part, #payload)?),));
    }
    // Without a payload, neither variable is used.
    let (mutable, place) = if cases.iter().any(|case| case.payload.is_some()) {
        let offset = payload_offset(input, cases);
        let place = quote!(let #payload = #component::GuestPtr::member(#at, #offset););
        (quote!(mut), place)
    } else {
        (quote!(), quote!())
    };
    let count = proc_macro2::Literal::usize_unsuffixed(cases.len());
    Bodies {
        lift_flat: quote! {
            let (#index, #mutable #payload) = #component::support::split_case(
                #flat,
                <Self as #component::ComponentType>::LAYOUT,
                #count,
            )?;
            ::core::result::Result::Ok(match #index { #flats })
        },
        load: quote! {
            let #index = #component::support::load_word(
                #cx,
                #at,
                const { #component::support::discriminant_width(#count) },
            )?;
            #component::support::check_case(#index, #count)?;
            #place
            ::core::result::Result::Ok(match #index { #loads })
        },
    }
}

fn enumeration(input: &Input, names: &Names, cases: &[Case]) -> Bodies {
    let component = input.component();
    let Names { cx, flat, at, .. } = names;
    let index = local("index");
    let arms: TokenStream = cases
        .iter()
        .enumerate()
        .map(|(number, case)| {
            let (pattern, ident) = (pattern(number, cases.len()), &case.ident);
            quote!(#pattern => Self::#ident,)
        })
        .collect();
    let count = proc_macro2::Literal::usize_unsuffixed(cases.len());
    let checked = quote! {
        #component::support::check_case(#index, #count)?;
        ::core::result::Result::Ok(match #index { #arms })
    };
    Bodies {
        lift_flat: quote! {
            let #index = #component::FlatReader::next_u32(#flat);
            #checked
        },
        load: quote! {
            let #index =
                #component::support::load_word(#cx, #at, <Self as #component::ComponentType>::LAYOUT.size)?;
            #checked
        },
    }
}

/// Returns the pattern for the number of a case; the last case matches the rest, since numbers have been checked.
fn pattern(number: usize, count: usize) -> TokenStream {
    if number + 1 == count {
        return quote!(_);
    }
    let number = proc_macro2::Literal::usize_unsuffixed(number);
    quote!(#number)
}

/// Returns the implementation of `Lift` for a part, and the plan of the part.
fn lift_and_part(
    component: &TokenStream,
    ty: &syn::Type,
    plan: &proc_macro2::Ident,
    index: usize,
) -> (TokenStream, TokenStream) {
    (
        quote!(<#ty as #component::Lift>),
        quote!(#component::support::part::<#ty>(#plan, #index)),
    )
}
