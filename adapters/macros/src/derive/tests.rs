//! Errors of the derives. Tests with real components are in `tests/library/derive.rs` of the main package.

use proc_macro2::TokenStream;
use quote::quote;

use super::{component_type, lift, lower};

/// Returns the error of all three derives, which is the same.
fn refused(input: &str) -> String {
    let errors = [component_type, lower, lift].map(|derive| {
        let tokens: TokenStream = input.parse().expect("the test's own Rust");
        derive(tokens).expect_err("it is refused").to_string()
    });
    let [first, second, third] = errors;
    assert_eq!(first, second);
    assert_eq!(second, third);
    first
}

#[track_caller]
fn expect(input: &str, message: &str) {
    assert_eq!(refused(input), message, "{input}");
}

#[test]
fn a_union_is_no_component_type() {
    expect(
        "#[component(record)] union U { a: u8 }",
        "a union has no component type: use a struct or an enum",
    );
}

#[test]
fn a_type_says_what_it_stands_for() {
    let which =
        "choose the component type: `#[component(record)]`, `#[component(variant)]` or `#[component(enum)]`";
    expect("struct Plain { a: u8 }", which);
    expect("#[component(crate = a::b)] enum Plain { A }", which);
    let one = "a type is one of `record`, `variant` and `enum`";
    expect("#[component(variant, enum)] enum E { A }", one);
    expect("#[component(variant)] #[component(variant)] enum E { A }", one);
}

#[test]
fn what_it_stands_for_fits_the_rust_type() {
    expect(
        "#[component(record)] enum E { A }",
        "a record is a struct with named fields: for a Rust enum, write `variant` or `enum`",
    );
    for kind in ["variant", "enum"] {
        expect(
            &format!("#[component({kind})] struct S {{ a: u8 }}"),
            "variants and enums are Rust enums: for a struct, write `record`",
        );
    }
}

#[test]
fn a_record_has_named_fields() {
    expect(
        "#[component(record)] struct S(u8, u16);",
        "the fields of a record have names: name them, or use a tuple instead of the struct",
    );
    for empty in [
        "#[component(record)] struct S;",
        "#[component(record)] struct S {}",
    ] {
        expect(empty, "a record needs a field");
    }
}

#[test]
fn variants_and_enums_have_cases() {
    expect("#[component(variant)] enum None {}", "a variant needs a case");
    expect("#[component(enum)] enum None {}", "an enum needs a case");
}

#[test]
fn a_case_has_one_payload_or_none() {
    expect(
        "#[component(variant)] enum V { A(u8, u16) }",
        "a case has one payload at most: make it a tuple or a record",
    );
    expect(
        "#[component(variant)] enum V { A { a: u8 } }",
        "a case has one payload without a name, or none: for named fields, make the payload a record",
    );
    expect(
        "#[component(variant)] enum V { A() }",
        "a case without a payload has no parentheses: remove them",
    );
    expect(
        "#[component(enum)] enum E { A, B(u8) }",
        "the cases of an enum have no payload: write `#[component(variant)]` for cases with payloads",
    );
}

#[test]
fn unknown_keys_are_refused() {
    expect(
        "#[component(flags)] struct S { a: u8 }",
        "expected `record`, `variant` or `enum`, and optionally `crate = path`",
    );
    expect(
        "#[component(record)] struct S { #[component(rename = \"b\")] a: u8 }",
        "a field accepts only `name = \"…\"`",
    );
    expect(
        "#[component(enum)] enum E { #[component(label = \"b\")] A }",
        "a case accepts only `name = \"…\"`",
    );
    expect(
        "#[component(variant)] enum V { A(#[component(name = \"b\")] u8) }",
        "a payload has no attributes: put them before the case",
    );
}

#[test]
fn a_key_is_given_once() {
    expect(
        "#[component(record)] struct S { #[component(name = \"b\", name = \"c\")] a: u8 }",
        "`name` is given twice",
    );
    expect(
        "#[component(record, crate = a, crate = b)] struct S { a: u8 }",
        "`crate` is given twice",
    );
}

#[test]
fn names_differ() {
    expect(
        "#[component(record)] struct S { #[component(name = \"b\")] a: u8, b: u8 }",
        "two fields are named `b`: rename one",
    );
    expect(
        "#[component(enum)] enum E { A, #[component(name = \"A\")] B }",
        "two cases are named `A`: rename one",
    );
}

#[test]
fn a_name_is_a_string() {
    expect(
        "#[component(record)] struct S { #[component(name = 7)] a: u8 }",
        "expected string literal",
    );
}

#[test]
fn what_is_not_refused_is_an_implementation() {
    let input = quote! {
        #[component(record, crate = my::host)]
        struct Pair<'a, T: Copy, const N: usize> where T: Send { r#type: &'a str, other: [T; N] }
    };
    for (derive, name) in [
        (component_type as super::Derive, "ComponentType"),
        (lower, "Lower"),
        (lift, "Lift"),
    ] {
        let output = derive(input.clone()).expect("a good record");
        let item: syn::ItemImpl = syn::parse2(output).expect("an implementation");
        let (_, path, _) = item.trait_.expect("of a trait");
        let last = path.segments.last().expect("a path").ident.to_string();
        assert_eq!(last, name);
        assert_eq!(path.segments.first().expect("a path").ident.to_string(), "my");
        let bounds = item.generics.where_clause.expect("bounds").predicates;
        assert_eq!(bounds.len(), 2, "the type's own bound, and the trait's");
        assert!(
            item.attrs
                .iter()
                .any(|attr| attr.path().is_ident("automatically_derived"))
        );
    }
}

#[test]
fn a_field_is_called_as_it_is_written() {
    let output = component_type(quote!(
        #[component(record)]
        struct S {
            r#type: u8,
            with_line: u8,
        }
    ));
    let output = output.expect("a good record").to_string();
    assert!(
        output.contains("\"type\"") && output.contains("\"with_line\""),
        "{output}"
    );
    assert!(!output.contains("\"r#"), "{output}");
}
