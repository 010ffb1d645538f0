//! The functions of WASI 0.3 in linkers.

use airssys_wasm_component::component::{
    AsContextMut, Component, ComponentNamedList, Instance, Linker, TypedFunc,
};
use airssys_wasm_component::error::Result;

use super::bindings;
use crate::WasiView;
use crate::link::attached;
use crate::view::HasWasi;

/// The version of the definitions.
const VERSION: &str = "0.3.0";

/// The release candidate with the types of [`VERSION`], which tools emitted before it. A pre-release is compatible with itself alone, so
/// it has definitions of its own.
const CANDIDATE: &str = "0.3.0-rc-2026-03-15";

/// Returns whether the host has this version of WASI 0.3.
pub(crate) fn is_supported(version: &str) -> bool {
    version == CANDIDATE || (version.starts_with("0.3.") && !version.contains('-'))
}

/// Finds a function of an interface that an instance exports, in any version that [`is_supported`].
///
/// # Errors
/// As [`Instance::get_typed_func`], of the release.
pub(crate) fn exported<P: ComponentNamedList, R: ComponentNamedList>(
    mut store: impl AsContextMut,
    instance: &Instance,
    interface: &str,
    function: &str,
) -> Result<TypedFunc<P, R>> {
    let mut find = |version: &str| {
        let interface = format!("{interface}@{version}");
        instance.get_typed_func(&mut store, [interface.as_str(), function])
    };
    find(VERSION).or_else(|error| find(CANDIDATE).map_err(|_| error))
}

/// Returns whether a component imports an interface of WASI 0.3 that the host implements.
pub fn is_imported(component: &Component) -> bool {
    component.imports().iter().any(|(import, _)| {
        let (name, version) = import.split_once('@').unwrap_or((import, ""));
        is_supported(version) && INTERFACES.contains(&name)
    })
}

/// Defines every interface of WASI 0.3 that the host implements, for components built against any 0.3 version or against the release
/// candidate 0.3.0-rc-2026-03-15.
///
/// # Errors
/// [`Error::Redefined`](airssys_wasm_component::Error::Redefined) if the linker already defines one of them.
pub fn add_to_linker<T: WasiView>(linker: &mut Linker<T>) -> Result<()> {
    bindings::Imports::add_to_linker::<T, HasWasi>(linker, attached)?;
    INTERFACES.iter().try_for_each(|name| add_candidate(linker, name))
}

/// Defines one interface for the release candidate, which is defined for the release.
fn add_candidate<T: WasiView>(linker: &mut Linker<T>, name: &str) -> Result<()> {
    linker.alias_instance(&format!("{name}@{VERSION}"), &format!("{name}@{CANDIDATE}"))
}

/// Defines the interfaces of these names and versions, each of which [`is_supported`]; others define nothing.
///
/// # Errors
/// As [`add_to_linker`].
pub(crate) fn add_imports<'a, T: WasiView>(
    linker: &mut Linker<T>,
    imports: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<()> {
    let imports = imports
        .into_iter()
        .filter(|(name, version)| INTERFACES.contains(name) && is_supported(version))
        .map(|(name, version)| (name, version == CANDIDATE));
    let mut wanted: Vec<(&str, bool)> = imports.collect();
    // A component may import an interface in several versions.
    wanted.sort_unstable();
    wanted.dedup();
    let mut last = None;
    for (name, is_candidate) in wanted {
        if last != Some(name) {
            add_interface(linker, name)?;
            last = Some(name);
        }
        if is_candidate {
            add_candidate(linker, name)?;
        }
    }
    Ok(())
}

macro_rules! interfaces {
    ($($name:literal => $($module:ident)::+,)*) => {
        /// Names of all interfaces that have functions, without versions. Others need no definition.
        const INTERFACES: &[&str] = &[$($name),*];

        /// Defines the interface of this name; others define nothing.
        fn add_interface<T: WasiView>(linker: &mut Linker<T>, name: &str) -> Result<()> {
            match name {
                $($name => bindings::wasi::$($module)::+::add_to_linker::<T, HasWasi>(linker, attached),)*
                _ => Ok(()),
            }
        }
    };
}

interfaces! {
    "wasi:clocks/monotonic-clock" => clocks::monotonic_clock,
    "wasi:clocks/system-clock" => clocks::system_clock,
    "wasi:filesystem/types" => filesystem::types,
    "wasi:filesystem/preopens" => filesystem::preopens,
    "wasi:sockets/types" => sockets::types,
    "wasi:sockets/ip-name-lookup" => sockets::ip_name_lookup,
    "wasi:random/random" => random::random,
    "wasi:random/insecure" => random::insecure,
    "wasi:random/insecure-seed" => random::insecure_seed,
    "wasi:cli/environment" => cli::environment,
    "wasi:cli/exit" => cli::exit,
    "wasi:cli/stdin" => cli::stdin,
    "wasi:cli/stdout" => cli::stdout,
    "wasi:cli/stderr" => cli::stderr,
    "wasi:cli/terminal-input" => cli::terminal_input,
    "wasi:cli/terminal-output" => cli::terminal_output,
    "wasi:cli/terminal-stdin" => cli::terminal_stdin,
    "wasi:cli/terminal-stdout" => cli::terminal_stdout,
    "wasi:cli/terminal-stderr" => cli::terminal_stderr,
    "wasi:http/types" => http::types,
    "wasi:http/handler" => http::handler,
    "wasi:http/client" => http::client,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interfaces_are_those_of_the_world() {
        let world = include_str!("../../../../wit/wasi3/world.wit");
        let imports = world
            .lines()
            .filter_map(|line| line.trim().strip_prefix("import "));
        let names = imports.filter_map(|import| import.split('@').next());
        let without_functions = ["wasi:clocks/types", "wasi:cli/types"];
        let names: Vec<&str> = names.filter(|name| !without_functions.contains(name)).collect();
        assert_eq!(INTERFACES, names);
    }

    /// The component package names the versions in its messages.
    #[test]
    fn messages_know_the_same_versions() {
        for version in ["0.3.0", "0.3.2", CANDIDATE, "0.3.0-rc-2026-01-06", "0.4.0"] {
            let name = format!("wasi:cli/run@{version}");
            let said = airssys_wasm_component::component::described([name.as_str()], []).unwrap();
            assert_eq!(said.contains("run it with"), is_supported(version), "{said}");
        }
    }

    #[test]
    fn releases_and_one_candidate_are_supported() {
        for version in ["0.3.0", "0.3.2", CANDIDATE] {
            assert!(is_supported(version), "{version}");
        }
        for version in ["", "0.2.6", "0.3", "0.3.0-rc-2026-01-06", "0.3.1-rc", "0.30.0"] {
            assert!(!is_supported(version), "{version}");
        }
    }
}
