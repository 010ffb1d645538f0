//! Options of the generator.

use std::path::PathBuf;

use crate::error::Error;

/// The WIT to read, and its form in Rust.
#[derive(Clone, Debug)]
pub struct Options {
    /// The path by which the generated source names the crate that runs components.
    pub crate_path: String,
    /// True if every type passes `crate_path` to its derives: needed if it is not the path that they assume.
    pub name_crate: bool,
    /// WIT files, and folders of them with their `deps`. Later ones may use earlier ones; the last contains the world,
    /// unless [`inline`](Options::inline) does.
    pub paths: Vec<PathBuf>,
    /// WIT text, which may use the packages of the paths.
    pub inline: Option<String>,
    /// The world's name, alone or as `ns:pkg/world@1.0.0`. `None` if there is only one.
    pub world: Option<String>,
    /// Rust paths to use instead of generating: of modules for interfaces (`ns:pkg/iface`) and packages (`ns:pkg`), of
    /// types for types (`ns:pkg/iface/type`).
    pub with: Vec<(String, String)>,
    /// Error types of the host's own, by the WIT type that they become: `ns:pkg/iface/error` and a Rust path.
    pub trappable_error_type: Vec<(String, String)>,
    /// The imported functions that may end in a trap: they return a `HostResult`, whose error is a trap.
    pub trappable_imports: Selection,
    /// The imported functions that get the store, and not the host's part in it alone. Asynchronous functions always get
    /// an accessor to it.
    pub store_imports: Selection,
    /// Rust paths of derives for records, variants and enums. Types that hold resources, streams or futures do not get
    /// them.
    pub additional_derives: Vec<String>,
    /// Features whose `@unstable` items are included.
    pub features: Vec<String>,
    /// True to include every `@unstable` item.
    pub all_features: bool,
    /// Implements the traits of hosts for everything that dereferences to an implementor, such as a guard, and not for
    /// references alone.
    pub deref_hosts: bool,
}

impl Options {
    /// Creates options with the path of the crate that runs components: `::name`, or `crate` within it.
    pub fn new(crate_path: impl Into<String>) -> Options {
        Options {
            crate_path: crate_path.into(),
            name_crate: false,
            paths: Vec::new(),
            inline: None,
            world: None,
            with: Vec::new(),
            trappable_error_type: Vec::new(),
            trappable_imports: Selection::None,
            store_imports: Selection::None,
            additional_derives: Vec::new(),
            features: Vec::new(),
            all_features: false,
            deref_hosts: false,
        }
    }

    /// Checks that paths are valid Rust paths.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let with = self.with.iter().map(|(_, path)| ("with", path));
        let errors = self.trappable_error_type.iter();
        let errors = errors.map(|(_, path)| ("trappable_error_type", path));
        let derives = self.additional_derives.iter();
        let derives = derives.map(|path| ("additional_derives", path));
        let own = [("crate_path", &self.crate_path)];
        for (option, path) in own.into_iter().chain(with).chain(errors).chain(derives) {
            if syn::parse_str::<syn::Path>(path).is_err() {
                let path = path.clone();
                return Err(Error::NoPath { option, path });
            }
        }
        Ok(())
    }
}

/// The imported functions that an option applies to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// None of them.
    #[default]
    None,
    /// All of them.
    All,
    /// These: `ns:pkg/iface/func`, `ns:pkg/iface/resource.method`, `ns:pkg/iface` for all functions of an interface, or
    /// the name alone for a function of the world.
    Only(Vec<String>),
}
