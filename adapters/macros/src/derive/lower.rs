//! `Lower`: the check of a value, and lowering to core values and to memory.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::input::{Case, Field, Input, Shape};
use super::{Names, field_offsets, implementation, local, offset_name, payload_offset};

/// The bodies of the methods.
struct Bodies {
    check: TokenStream,
    lower_flat: TokenStream,
    store: TokenStream,
}

pub(crate) fn lower(tokens: TokenStream) -> syn::Result<TokenStream> {
    let input = Input::parse(tokens)?;
    let (component, result) = (input.component(), input.result());
    let names = Names::new();
    let Bodies {
        check,
        lower_flat,
        store,
    } = match &input.shape {
        Shape::Record(fields) => record(&input, &names, fields),
        Shape::Variant(cases) => variant(&input, &names, cases),
        Shape::Enum(cases) => enumeration(&input, &names, cases),
    };
    let Names { cx, plan, flat, at } = names;
    let items = quote! {
        #[inline]
        fn check(&self) -> ::core::result::Result<(), #component::support::AbiError> {
            #check
        }

        #[inline]
        fn lower_flat(
            &self,
            #cx: &mut #component::LowerContext<'_>,
            #plan: &#component::support::Plan,
            #flat: &mut #component::FlatValues,
        ) -> #result<()> {
            #lower_flat
        }

        #[inline]
        fn store(
            &self,
            #cx: &mut #component::LowerContext<'_>,
            #plan: &#component::support::Plan,
            #at: #component::GuestPtr,
        ) -> #result<()> {
            #store
        }
    };
    Ok(implementation(&input, "Lower", &items))
}

/// Generates the check of one part; its errors name the part as the untyped path does.
fn check_part(component: &TokenStream, value: &TokenStream, place: &str) -> TokenStream {
    let error = local("error");
    quote! {
        #component::Lower::check(#value).map_err(|#error| {
            #component::support::AbiError::within(#error, || ::core::convert::From::from(#place))
        })
    }
}

fn record(input: &Input, names: &Names, fields: &[Field]) -> Bodies {
    let component = input.component();
    let Names { cx, plan, flat, at } = names;
    let offsets = field_offsets(input, fields);
    let (mut check, mut lower_flat, mut store) = (TokenStream::new(), TokenStream::new(), offsets);
    for (index, Field { ident, name, ty }) in fields.iter().enumerate() {
        let one = check_part(&component, &quote!(&self.#ident), &format!("field \"{name}\""));
        check.extend(quote!(#one?;));
        let part = quote!(#component::support::part::<#ty>(#plan, #index));
        lower_flat.extend(quote!(#component::Lower::lower_flat(&self.#ident, #cx, #part, #flat)?;));
        let offset = offset_name(index);
        store.extend(quote! {
            #component::Lower::store(&self.#ident, #cx, #part, #component::GuestPtr::member(#at, #offset))?;
        });
    }
    let ok = quote!(::core::result::Result::Ok(()));
    check.extend(ok.clone());
    lower_flat.extend(ok.clone());
    store.extend(ok);
    Bodies {
        check,
        lower_flat,
        store,
    }
}

fn variant(input: &Input, names: &Names, cases: &[Case]) -> Bodies {
    let component = input.component();
    let Names { cx, plan, flat, at } = names;
    let (value, payload, end) = (local("value"), local("payload"), local("end"));
    let (mut checks, mut flats, mut stores) = (TokenStream::new(), TokenStream::new(), TokenStream::new());
    for (index, case) in cases.iter().enumerate() {
        let (ident, number) = (&case.ident, literal(index));
        let Some(ty) = &case.payload else {
            checks.extend(quote!(Self::#ident => ::core::result::Result::Ok(()),));
            flats.extend(quote!(Self::#ident => #component::FlatValues::push(#flat, #number),));
            stores.extend(
                quote!(Self::#ident => #component::support::store_word(#cx, #at, #payload.0, #number),),
            );
            continue;
        };
        let pattern = quote!(Self::#ident(#value));
        let one = check_part(&component, &quote!(#value), &format!("case \"{}\"", case.name));
        checks.extend(quote!(#pattern => #one,));
        let part = quote!(#component::support::part::<#ty>(#plan, #index));
        flats.extend(quote! {
            #pattern => {
                #component::FlatValues::push(#flat, #number);
                #component::Lower::lower_flat(#value, #cx, #part, #flat)?;
            }
        });
        stores.extend(quote! {
            #pattern => {
                #component::support::store_word(#cx, #at, #payload.0, #number)?;
                #component::Lower::store(#value, #cx, #part, #component::GuestPtr::member(#at, #payload.1))
            }
        });
    }
    let (count, offset) = (cases.len(), payload_offset(input, cases));
    Bodies {
        check: quote!(match self { #checks }),
        lower_flat: quote! {
            let #end = #component::FlatValues::len(#flat)
                + <Self as #component::ComponentType>::LAYOUT.flat as ::core::primitive::usize;
            match self { #flats }
            #component::FlatValues::pad_to(#flat, #end);
            ::core::result::Result::Ok(())
        },
        store: quote! {
            let #payload = (const { #component::support::discriminant_width(#count) }, #offset);
            match self { #stores }
        },
    }
}

fn enumeration(input: &Input, names: &Names, cases: &[Case]) -> Bodies {
    let component = input.component();
    let Names { cx, flat, at, .. } = names;
    let idents: Vec<&Ident> = cases.iter().map(|case| &case.ident).collect();
    let numbers: Vec<proc_macro2::Literal> = (0..cases.len()).map(literal).collect();
    Bodies {
        check: quote!(::core::result::Result::Ok(())),
        lower_flat: quote! {
            #component::FlatValues::push(#flat, match self { #(Self::#idents => #numbers,)* });
            ::core::result::Result::Ok(())
        },
        store: quote! {
            #component::support::store_word(
                #cx,
                #at,
                <Self as #component::ComponentType>::LAYOUT.size,
                match self { #(Self::#idents => #numbers,)* },
            )
        },
    }
}

/// Returns a case's number as a literal whose type is inferred.
fn literal(index: usize) -> proc_macro2::Literal {
    proc_macro2::Literal::usize_unsuffixed(index)
}
