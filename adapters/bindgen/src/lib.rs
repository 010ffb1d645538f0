//! Generates readable Rust host glue from a WIT world.
//!
//! [`generate`] reads WIT, selects a world, and prints Rust source: the world's types, a trait for each interface that
//! the host provides, a struct for each interface that the component provides. Imported functions that run concurrently or
//! need the store have a trait of their own (`with_store`). The conversion of values is not
//! generated here: the types derive it. Every function's plan is computed once, so that a function without a plan is an
//! error with its place in the WIT.
//!
//! ```
//! let mut options = airssys_wasm_bindgen::Options::new("::host");
//! options.inline = Some("package a:b; world greeter { export greet: func(name: string) -> string; }".into());
//! let output = airssys_wasm_bindgen::generate(&options)?;
//! assert!(output.source.contains("pub struct Greeter"));
//! assert!(output.source.contains("pub fn call_greet("));
//! # Ok::<(), airssys_wasm_bindgen::Error>(())
//! ```

mod check;
mod context;
mod defs;
mod error;
mod exports;
mod forms;
mod functions;
mod imports;
mod keys;
mod names;
mod options;
mod scope;
mod source;
mod text;
mod types;
mod with_store;
mod world;

use std::path::PathBuf;

pub use error::{Error, Place};
pub use options::{Options, Selection};

/// The result of [`generate`].
#[derive(Clone, Debug)]
pub struct Output {
    /// Rust source, formatted.
    pub source: String,
    /// The files that were read. If one of them changes, the source must be generated again.
    pub files: Vec<PathBuf>,
}

/// Generates the Rust source for one world.
///
/// # Errors
/// Each case of [`Error`].
pub fn generate(options: &Options) -> Result<Output, Error> {
    options.check()?;
    let source = source::read(options)?;
    let facts = check::check(&source.resolve, source.world)?;
    let context = context::Context::new(&source.resolve, source.world, options, facts)?;
    let text = world::source(&context);
    let file = syn::parse_file(&text).map_err(|error| Error::Syntax(error.to_string()))?;
    Ok(Output {
        source: text::finish(&prettyplease::unparse(&file), &options.crate_path),
        files: source.files,
    })
}
