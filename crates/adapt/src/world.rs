//! The world of a core module that does not contain its own.

use std::path::PathBuf;

use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, WorldId};

use super::AdaptError;

/// The world to lift a core module to. The description of a world in the module takes precedence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum World {
    /// The contract: `airssys:component-core/component@1.0.0`.
    #[default]
    Contract,
    /// A world in WIT sources.
    Wit {
        /// A file, or a folder with its `deps/`.
        path: PathBuf,
        /// The world's name; `None` for the package's only world.
        name: Option<String>,
    },
}

/// The packages of the contract, each after its dependencies.
const CONTRACT: [(&str, &str); 5] = [
    ("types.wit", include_str!("../../../wit/core/types.wit")),
    ("multicodec.wit", include_str!("../../../wit/core/multicodec.wit")),
    ("messaging.wit", include_str!("../../../wit/core/messaging.wit")),
    ("host.wit", include_str!("../../../wit/core/host.wit")),
    ("component.wit", include_str!("../../../wit/core/component.wit")),
];

impl World {
    /// Adds a description of this world to a module.
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

/// Adds a description of a world to a module.
pub(super) fn embed(module: &[u8], resolve: &Resolve, world: WorldId) -> Result<Vec<u8>, AdaptError> {
    let mut described = module.to_vec();
    embed_component_metadata(&mut described, resolve, world, StringEncoding::UTF8, false)
        .map_err(AdaptError::world)?;
    Ok(described)
}
