//! The world of a core module that does not carry its own.

use std::path::PathBuf;

use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, WorldId};

use super::AdaptError;

/// The world that a core module is for. One that carries a description of its own world is for that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum World {
    /// The contract's: `airssys:component-core/component@1.0.0`.
    #[default]
    Contract,
    /// One of WIT's sources.
    Wit {
        /// A file, or a folder with `deps/` in it.
        path: PathBuf,
        /// The world's name; without one, the package's only world.
        name: Option<String>,
    },
}

/// The contract, each package after those that it depends on.
const CONTRACT: [(&str, &str); 5] = [
    ("types.wit", include_str!("../../../wit/core/types.wit")),
    ("multicodec.wit", include_str!("../../../wit/core/multicodec.wit")),
    ("messaging.wit", include_str!("../../../wit/core/messaging.wit")),
    ("host.wit", include_str!("../../../wit/core/host.wit")),
    ("component.wit", include_str!("../../../wit/core/component.wit")),
];

impl World {
    /// The module with a description of this world.
    pub(super) fn embed(&self, module: &[u8]) -> Result<Vec<u8>, AdaptError> {
        let (resolve, world) = self.resolve()?;
        embed(module, &resolve, world)
    }

    fn resolve(&self) -> Result<(Resolve, WorldId), AdaptError> {
        let mut resolve = Resolve::default();
        let (package, name) = match self {
            World::Contract => {
                let mut last = None;
                for (file, text) in CONTRACT {
                    last = Some(resolve.push_str(file, text).map_err(AdaptError::world)?);
                }
                (last, Some("component"))
            }
            World::Wit { path, name } => {
                let pushed = resolve.push_path(path).map_err(AdaptError::world)?;
                (Some(pushed.0), name.as_deref())
            }
        };
        let packages: Vec<_> = package.into_iter().collect();
        let world = resolve.select_world(&packages, name).map_err(AdaptError::world)?;
        Ok((resolve, world))
    }
}

/// The module with a description of a world.
pub(super) fn embed(module: &[u8], resolve: &Resolve, world: WorldId) -> Result<Vec<u8>, AdaptError> {
    let mut described = module.to_vec();
    embed_component_metadata(&mut described, resolve, world, StringEncoding::UTF8, false)
        .map_err(AdaptError::world)?;
    Ok(described)
}
