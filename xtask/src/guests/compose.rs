//! Composition with wasm-compose: a component whose imports another one provides.

use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use wasm_compose::composer::ComponentComposer;
use wasm_compose::config::Config;

/// Imports that a composition may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Imports {
    None,
    /// Those of the consumer that the provider does not provide.
    Others,
}

/// Connects the imports of `consumer` to the exports of `provider`; the result has the exports of `consumer`.
pub(super) fn compose(
    scratch: &Path,
    name: &str,
    consumer: &[u8],
    provider: &[u8],
    imports: Imports,
) -> Result<Vec<u8>> {
    let folder = scratch.join("compose").join(name);
    fs::create_dir_all(&folder)?;
    let (outer, inner) = (folder.join("consumer.wasm"), folder.join("provider.wasm"));
    fs::write(&outer, consumer)?;
    fs::write(&inner, provider)?;
    let config = Config {
        dir: folder,
        definitions: vec![inner],
        disallow_imports: imports == Imports::None,
        ..Default::default()
    };
    ComponentComposer::new(&outer, &config)
        .compose()
        .context("wasm-compose cannot compose the two components")
}
