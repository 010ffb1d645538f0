//! Options of a component that follows the contract, from the command line.

use std::path::Path;

use airssys_wasm::ComponentOptions;
use airssys_wasm::component::Component;
use airssys_wasm::load::{Loader, Source};
use airssys_wasm::manifest::ComponentManifest;
use airssys_wasm::wasi::WasiCtxBuilder;
#[cfg(feature = "wasix")]
use airssys_wasm::wasi::preview1;

use crate::args::{SecurityArgs, WasiArgs};
use crate::exit::Outcome;
#[cfg(feature = "wasix")]
use crate::program;
use crate::{manifest, policy};

/// The parts of a command line that concern one component.
pub(crate) struct Given<'a> {
    pub(crate) path: &'a Path,
    pub(crate) source: &'a Source<'a>,
    /// `None` for a module of the WAI tools.
    #[cfg_attr(
        not(feature = "wasix"),
        expect(dead_code, reason = "nothing depends on the component's imports")
    )]
    pub(crate) component: Option<&'a Component>,
    /// Keys and values.
    pub(crate) config: &'a [(String, String)],
    pub(crate) security: &'a SecurityArgs,
    pub(crate) wasi: &'a WasiArgs,
}

impl Given<'_> {
    /// Returns the options, with what the component's manifest and the policy say.
    pub(crate) fn options(&self, loader: &Loader, grants: WasiCtxBuilder) -> Outcome<ComponentOptions> {
        let mut options = self.plain(grants)?;
        let manifest = ComponentManifest::from_loader(loader, self.source).map_err(manifest::failure)?;
        if let Some(manifest) = &manifest {
            options = options.with_manifest_limits(&manifest.metadata);
        }
        if let Some(context) = policy::context(self.security)? {
            #[cfg(feature = "wasix")]
            if self.component.is_some_and(preview1::is_imported) {
                return Err(policy::wasix());
            }
            options = options.with_security(context);
            if let Some(manifest) = &manifest {
                options = options.with_requested_capabilities(&manifest.capabilities);
            }
        }
        Ok(options)
    }

    fn plain(&self, grants: WasiCtxBuilder) -> Outcome<ComponentOptions> {
        let options = ComponentOptions::new().with_name_of(self.path).with_wasi(grants);
        #[cfg(feature = "wasix")]
        let options = match self.component {
            Some(component) => options.with_preview1(program::grants_for(component, self.wasi, self.path)?),
            None => options,
        };
        let config = self.config.iter();
        let options = config.fold(options, |options, (key, value)| options.with_config(key, value));
        let env = self.wasi.env.iter();
        Ok(env.fold(options, |options, (name, value)| options.with_env(name, value)))
    }
}
