//! The functions of WASI in linkers.

use airssys_wasm_component::component::{Component, Linker};
use airssys_wasm_component::error::Result;

use crate::view::{Attached, HasWasi};
use crate::{WasiView, bindings, p3, snapshot1};

/// Defines every interface of WASI 0.2 that the host implements, for components built against any 0.2 version, and the
/// functions of preview 1 for components that were core modules.
///
/// # Errors
/// [`Error::Redefined`](airssys_wasm_component::Error::Redefined) if the linker already defines one of them.
pub fn add_to_linker<T: WasiView>(linker: &mut Linker<T>) -> Result<()> {
    bindings::Imports::add_to_linker::<T, HasWasi>(linker, attached)?;
    snapshot1::add_to_linker(linker)
}

/// As [`add_to_linker`]: the functions of this host are synchronous.
///
/// # Errors
/// As [`add_to_linker`].
pub fn add_to_linker_sync<T: WasiView>(linker: &mut Linker<T>) -> Result<()> {
    add_to_linker(linker)
}

/// Defines the interfaces that `component` imports, of WASI 0.2 as [`add_to_linker`], and of WASI 0.3 as
/// [`p3::add_to_linker`](crate::p3::add_to_linker). For a linker of this component alone: a quarter of the instructions of a short run
/// are those of unused definitions.
///
/// # Errors
/// As [`add_to_linker`].
pub fn add_imports_to_linker<T: WasiView>(linker: &mut Linker<T>, component: &Component) -> Result<()> {
    let names = component.imports().iter().map(|(name, _)| name.as_str());
    let names = names.map(|name| name.split_once('@').unwrap_or((name, "")));
    let (new, old): (Vec<_>, Vec<_>) = names.partition(|(_, version)| p3::is_supported(version));
    p3::add_imports(linker, new)?;
    let mut wanted: Vec<&str> = old.into_iter().map(|(name, _)| name).collect();
    // A component may import an interface in several versions.
    wanted.sort_unstable();
    wanted.dedup();
    for name in wanted {
        if name == interface_of(snapshot1::INTERFACE) {
            snapshot1::add_to_linker(linker)?;
        } else {
            add_interface(linker, name)?;
        }
    }
    Ok(())
}

/// Returns the name of an interface without its version.
fn interface_of(import: &str) -> &str {
    import.split_once('@').map_or(import, |(name, _)| name)
}

pub(crate) fn attached<T: WasiView>(data: &mut T) -> Attached<'_> {
    Attached::new(data.ctx())
}

macro_rules! interfaces {
    ($($name:literal => $($module:ident)::+,)*) => {
        /// Names of all interfaces, without versions.
        #[cfg(test)]
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
    "wasi:io/error" => io::error,
    "wasi:io/poll" => io::poll,
    "wasi:io/streams" => io::streams,
    "wasi:clocks/monotonic-clock" => clocks::monotonic_clock,
    "wasi:clocks/wall-clock" => clocks::wall_clock,
    "wasi:filesystem/types" => filesystem::types,
    "wasi:filesystem/preopens" => filesystem::preopens,
    "wasi:random/random" => random::random,
    "wasi:random/insecure" => random::insecure,
    "wasi:random/insecure-seed" => random::insecure_seed,
    "wasi:sockets/network" => sockets::network,
    "wasi:sockets/instance-network" => sockets::instance_network,
    "wasi:sockets/ip-name-lookup" => sockets::ip_name_lookup,
    "wasi:sockets/tcp" => sockets::tcp,
    "wasi:sockets/tcp-create-socket" => sockets::tcp_create_socket,
    "wasi:sockets/udp" => sockets::udp,
    "wasi:sockets/udp-create-socket" => sockets::udp_create_socket,
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
    "wasi:http/outgoing-handler" => http::outgoing_handler,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interfaces_are_those_of_the_world() {
        let world = include_str!("../../../wit/wasi/world.wit");
        let imports = world
            .lines()
            .filter_map(|line| line.trim().strip_prefix("import "));
        let names: Vec<&str> = imports.map(interface_of).collect();
        assert_eq!(INTERFACES, names);
    }
}
