//! Parsing of Rust types and their attributes, with errors for wrong ones.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Error, Fields, Generics, LitStr, Path, Result, Type, Variant};

/// A Rust type that represents a component type.
pub(crate) struct Input {
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    pub(crate) shape: Shape,
    krate: Path,
}

/// The kind of component type that it stands for.
pub(crate) enum Shape {
    Record(Vec<Field>),
    Variant(Vec<Case>),
    /// Its cases have no payload.
    Enum(Vec<Case>),
}

pub(crate) struct Field {
    pub(crate) ident: Ident,
    /// The name in the component.
    pub(crate) name: String,
    pub(crate) ty: Type,
}

pub(crate) struct Case {
    pub(crate) ident: Ident,
    /// The name in the component.
    pub(crate) name: String,
    pub(crate) payload: Option<Type>,
}

/// Attributes of a type.
#[derive(Default)]
struct TypeAttributes {
    /// The kind and its place in the source.
    kind: Option<(Kind, Span)>,
    krate: Option<Path>,
}

#[derive(Clone, Copy)]
enum Kind {
    Record,
    Variant,
    Enum,
}

const WHICH_KIND: &str =
    "choose the component type: `#[component(record)]`, `#[component(variant)]` or `#[component(enum)]`";

impl Input {
    pub(crate) fn parse(tokens: TokenStream) -> Result<Input> {
        let input: DeriveInput = syn::parse2(tokens)?;
        if let Data::Union(union) = &input.data {
            return Err(Error::new(
                union.union_token.span,
                "a union has no component type: use a struct or an enum",
            ));
        }
        let attributes = TypeAttributes::parse(&input.attrs)?;
        let Some((kind, span)) = attributes.kind else {
            return Err(Error::new(input.ident.span(), WHICH_KIND));
        };
        let shape = match (kind, &input.data) {
            (Kind::Record, Data::Struct(data)) => Shape::Record(record(&input.ident, &data.fields)?),
            (Kind::Variant, Data::Enum(data)) => Shape::Variant(cases(
                &input.ident,
                data.variants.iter(),
                payload,
                "a variant needs a case",
            )?),
            (Kind::Enum, Data::Enum(data)) => Shape::Enum(cases(
                &input.ident,
                data.variants.iter(),
                no_payload,
                "an enum needs a case",
            )?),
            (Kind::Record, _) => {
                return Err(Error::new(
                    span,
                    "a record is a struct with named fields: for a Rust enum, write `variant` or `enum`",
                ));
            }
            (Kind::Variant | Kind::Enum, _) => {
                return Err(Error::new(
                    span,
                    "variants and enums are Rust enums: for a struct, write `record`",
                ));
            }
        };
        let krate = match attributes.krate {
            Some(krate) => krate,
            None => syn::parse_str(crate::CRATE)?,
        };
        Ok(Input {
            ident: input.ident,
            generics: input.generics,
            shape,
            krate,
        })
    }

    /// Returns the path of the module `component`.
    pub(crate) fn component(&self) -> TokenStream {
        let krate = &self.krate;
        quote!(#krate::component)
    }

    /// Returns the path of the crate's result type.
    pub(crate) fn result(&self) -> TokenStream {
        let krate = &self.krate;
        quote!(#krate::error::Result)
    }
}

impl TypeAttributes {
    fn parse(attributes: &[Attribute]) -> Result<TypeAttributes> {
        let mut found = TypeAttributes::default();
        for_each_key(attributes, |meta| {
            let kind = if meta.path.is_ident("crate") {
                if found.krate.is_some() {
                    return Err(meta.error("`crate` is given twice"));
                }
                found.krate = Some(meta.value()?.call(Path::parse_mod_style)?);
                return Ok(());
            } else if meta.path.is_ident("record") {
                Kind::Record
            } else if meta.path.is_ident("variant") {
                Kind::Variant
            } else if meta.path.is_ident("enum") {
                Kind::Enum
            } else {
                return Err(
                    meta.error("expected `record`, `variant` or `enum`, and optionally `crate = path`")
                );
            };
            if found.kind.is_some() {
                return Err(meta.error("a type is one of `record`, `variant` and `enum`"));
            }
            found.kind = Some((kind, meta.path.span()));
            Ok(())
        })?;
        Ok(found)
    }
}

/// Calls `key` for each key of the attributes `#[component(…)]`.
fn for_each_key(
    attributes: &[Attribute],
    mut key: impl FnMut(ParseNestedMeta<'_>) -> Result<()>,
) -> Result<()> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("component"))
        .try_for_each(|attribute| attribute.parse_nested_meta(&mut key))
}

fn record(ident: &Ident, fields: &Fields) -> Result<Vec<Field>> {
    let named = match fields {
        Fields::Named(named) => &named.named,
        Fields::Unnamed(unnamed) => {
            return Err(Error::new(
                unnamed.span(),
                "the fields of a record have names: name them, or use a tuple instead of the struct",
            ));
        }
        Fields::Unit => return Err(Error::new(ident.span(), "a record needs a field")),
    };
    if named.is_empty() {
        return Err(Error::new(ident.span(), "a record needs a field"));
    }
    let mut found: Vec<Field> = Vec::with_capacity(named.len());
    for field in named {
        let Some(ident) = field.ident.clone() else {
            continue;
        };
        let (name, span) = name(&field.attrs, &ident, "a field")?;
        if found.iter().any(|earlier| earlier.name == name) {
            return Err(Error::new(
                span,
                format!("two fields are named `{name}`: rename one"),
            ));
        }
        let ty = field.ty.clone();
        found.push(Field { ident, name, ty });
    }
    Ok(found)
}

fn cases<'a>(
    ident: &Ident,
    variants: impl Iterator<Item = &'a Variant>,
    payload: fn(&Variant) -> Result<Option<Type>>,
    empty: &str,
) -> Result<Vec<Case>> {
    let mut found: Vec<Case> = Vec::new();
    for variant in variants {
        let ident = variant.ident.clone();
        let (name, span) = name(&variant.attrs, &ident, "a case")?;
        if found.iter().any(|earlier| earlier.name == name) {
            return Err(Error::new(
                span,
                format!("two cases are named `{name}`: rename one"),
            ));
        }
        let payload = payload(variant)?;
        found.push(Case { ident, name, payload });
    }
    if found.is_empty() {
        return Err(Error::new(ident.span(), empty));
    }
    Ok(found)
}

fn payload(variant: &Variant) -> Result<Option<Type>> {
    let Fields::Unnamed(fields) = &variant.fields else {
        return match &variant.fields {
            Fields::Unit => Ok(None),
            other => Err(Error::new(
                other.span(),
                "a case has one payload without a name, or none: for named fields, make the payload a record",
            )),
        };
    };
    let mut types = fields.unnamed.iter();
    match (types.next(), types.next()) {
        (Some(field), None) => {
            for_each_key(&field.attrs, |meta| {
                Err(meta.error("a payload has no attributes: put them before the case"))
            })?;
            Ok(Some(field.ty.clone()))
        }
        (None, _) => Err(Error::new(
            fields.span(),
            "a case without a payload has no parentheses: remove them",
        )),
        (Some(_), Some(second)) => Err(Error::new(
            second.span(),
            "a case has one payload at most: make it a tuple or a record",
        )),
    }
}

fn no_payload(variant: &Variant) -> Result<Option<Type>> {
    match &variant.fields {
        Fields::Unit => Ok(None),
        fields => Err(Error::new(
            fields.span(),
            "the cases of an enum have no payload: write `#[component(variant)]` for cases with payloads",
        )),
    }
}

/// Returns the component's name of a field or case, and its place in the source.
fn name(attributes: &[Attribute], ident: &Ident, what: &str) -> Result<(String, Span)> {
    let mut found: Option<LitStr> = None;
    for_each_key(attributes, |meta| {
        if !meta.path.is_ident("name") {
            return Err(meta.error(format!("{what} accepts only `name = \"…\"`")));
        }
        if found.is_some() {
            return Err(meta.error("`name` is given twice"));
        }
        found = Some(meta.value()?.parse()?);
        Ok(())
    })?;
    Ok(match found {
        Some(name) => (name.value(), name.span()),
        None => (ident.unraw().to_string(), ident.span()),
    })
}
