//! `bindgen!`: its options, and the expansion.

use std::path::{Path, PathBuf};

use airssys_wasm_bindgen::{Options, Selection};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, LitBool, LitStr, Result, Token, braced, bracketed, token};

use crate::CRATE;

/// The folder of the WIT when no path is given.
const FOLDER: &str = "wit";

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    match syn::parse2::<Input>(input).and_then(|input| expanded(input.options)) {
        Ok(tokens) => tokens,
        Err(error) => error.into_compile_error(),
    }
}

fn expanded(mut options: Options) -> Result<TokenStream> {
    let failed = |message: String| Error::new(Span::call_site(), message);
    let folder = std::env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .ok_or_else(|| failed("CARGO_MANIFEST_DIR is not set: build with cargo".into()))?;
    if options.paths.is_empty() && (options.inline.is_none() || folder.join(FOLDER).exists()) {
        options.paths.push(FOLDER.into());
    }
    for path in &mut options.paths {
        *path = plain(&folder.join(&path));
    }
    let output = airssys_wasm_bindgen::generate(&options).map_err(|error| failed(error.to_string()))?;
    let source: TokenStream = output.source.parse()?;
    let files = output.files.iter().map(|file| {
        let file = file.display().to_string();
        // Tells the compiler that the source depends on the file.
        quote!(
            const _: &[u8] = include_bytes!(#file);
        )
    });
    Ok(quote!(#source #(#files)*))
}

/// Resolves `..` in a path that exists, so that messages are easy to read.
fn plain(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

struct Input {
    options: Options,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> Result<Input> {
        let mut options = Options::new(CRATE);
        if input.peek(token::Brace) {
            let content;
            braced!(content in input);
            let mut given: Vec<Ident> = Vec::new();
            while !content.is_empty() {
                let name: Ident = content.parse()?;
                if given.contains(&name) {
                    return Err(Error::new(name.span(), format!("`{name}` is given twice")));
                }
                content.parse::<Token![:]>()?;
                option(&mut options, &name, &content)?;
                given.push(name);
                if !content.is_empty() {
                    content.parse::<Token![,]>()?;
                }
            }
        } else if input.peek(LitStr) {
            options.world = Some(input.parse::<LitStr>()?.value());
            if input.parse::<Option<Token![in]>>()?.is_some() {
                options.paths.push(input.parse::<LitStr>()?.value().into());
            }
        }
        if !input.is_empty() {
            return Err(
                input.error("expected `\"world\"`, `\"world\" in \"path\"`, or `{ option: value, … }`")
            );
        }
        Ok(Input { options })
    }
}

fn option(options: &mut Options, name: &Ident, input: ParseStream<'_>) -> Result<()> {
    match name.to_string().as_str() {
        "path" => options.paths = strings(input)?.into_iter().map(PathBuf::from).collect(),
        "inline" => options.inline = Some(input.parse::<LitStr>()?.value()),
        "world" => options.world = Some(input.parse::<LitStr>()?.value()),
        "with" => options.with = pairs(input)?,
        "trappable_error_type" => options.trappable_error_type = pairs(input)?,
        "trappable_imports" => options.trappable_imports = selection(input)?,
        "store_imports" => options.store_imports = selection(input)?,
        "additional_derives" => {
            options.additional_derives = list::<syn::Path>(input)?.iter().map(path_text).collect();
        }
        "features" => options.features = strings(input)?,
        "all_features" => options.all_features = input.parse::<LitBool>()?.value,
        "deref_hosts" => options.deref_hosts = input.parse::<LitBool>()?.value,
        "crate_path" => {
            options.crate_path = path_text(&input.parse::<syn::Path>()?);
            options.name_crate = true;
        }
        _ => {
            return Err(Error::new(
                name.span(),
                format!(
                    "unknown option `{name}`; the options are: path, inline, world, with, trappable_error_type, \
                     trappable_imports, store_imports, additional_derives, features, all_features, deref_hosts, crate_path"
                ),
            ));
        }
    }
    Ok(())
}

fn path_text(path: &syn::Path) -> String {
    let text = path.to_token_stream().to_string();
    text.split_whitespace().collect()
}

fn list<T: Parse>(input: ParseStream<'_>) -> Result<Vec<T>> {
    let content;
    bracketed!(content in input);
    let items = Punctuated::<T, Token![,]>::parse_terminated(&content)?;
    Ok(items.into_iter().collect())
}

/// Parses `true` or `false` for all functions or none, or their names.
fn selection(input: ParseStream<'_>) -> Result<Selection> {
    if !input.peek(LitBool) {
        return Ok(Selection::Only(strings(input)?));
    }
    Ok(if input.parse::<LitBool>()?.value {
        Selection::All
    } else {
        Selection::None
    })
}

/// Parses one string, or a list of them.
fn strings(input: ParseStream<'_>) -> Result<Vec<String>> {
    if input.peek(LitStr) {
        return Ok(vec![input.parse::<LitStr>()?.value()]);
    }
    Ok(list::<LitStr>(input)?.iter().map(LitStr::value).collect())
}

/// Parses `{ "name": path, … }`, or the same with `=>`.
fn pairs(input: ParseStream<'_>) -> Result<Vec<(String, String)>> {
    let content;
    braced!(content in input);
    let pairs = Punctuated::<Pair, Token![,]>::parse_terminated(&content)?;
    Ok(pairs.into_iter().map(|pair| (pair.name, pair.path)).collect())
}

struct Pair {
    name: String,
    path: String,
}

impl Parse for Pair {
    fn parse(input: ParseStream<'_>) -> Result<Pair> {
        let name = input.parse::<LitStr>()?.value();
        if input.peek(Token![=>]) {
            input.parse::<Token![=>]>()?;
        } else {
            input.parse::<Token![:]>()?;
        }
        let path = path_text(&input.parse::<syn::Path>()?);
        Ok(Pair { name, path })
    }
}
