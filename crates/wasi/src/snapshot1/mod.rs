//! WASI preview 1 (`wasi_snapshot_preview1`) for core modules, implemented on this host's WASI 0.2.
//!
//! Converted modules (see `adapt`) import its functions as functions of numbers. The host implements them directly, so
//! that no adapter shares the module's memory: some toolchains' allocators use all the memory that they find, including
//! an adapter's pages. A module has the access and the limits of a component with the same [`WasiCtx`](super::WasiCtx).

mod descriptors;
mod errno;
mod files;
mod guest;
mod listing;
mod paths;
mod poll;
mod process;
mod stat;

pub(super) use descriptors::Descriptors;

use errno::Failure;
use guest::{Attached, Caller};

use super::WasiView;
use airssys_wasm_component::component::{CoreCaller, HostResult, Linker};
use airssys_wasm_component::error::Result;

/// The interface that converted modules import, as `adapt` names it.
pub(crate) const INTERFACE: &str = "airssys:preview1/wasi-snapshot-preview1@1.0.0";

/// A function of preview 1. It returns an error number.
type Function = fn(&mut dyn Caller, &[u64]) -> errno::Result;

/// All functions of preview 1, by their WIT names, with their parameters (`i` for an `i32`, `I` for an `i64`).
const FUNCTIONS: [(&str, &str, Function); 45] = [
    ("args-get", "ii", process::args_get),
    ("args-sizes-get", "ii", process::args_sizes_get),
    ("environ-get", "ii", process::environ_get),
    ("environ-sizes-get", "ii", process::environ_sizes_get),
    ("clock-res-get", "ii", process::clock_res_get),
    ("clock-time-get", "iIi", process::clock_time_get),
    ("fd-advise", "iIIi", files::advise),
    ("fd-allocate", "iII", files::allocate),
    ("fd-close", "i", files::close),
    ("fd-datasync", "i", files::datasync),
    ("fd-fdstat-get", "ii", files::fdstat_get),
    ("fd-fdstat-set-flags", "ii", files::fdstat_set_flags),
    ("fd-fdstat-set-rights", "iII", files::fdstat_set_rights),
    ("fd-filestat-get", "ii", files::filestat_get),
    ("fd-filestat-set-size", "iI", files::filestat_set_size),
    ("fd-filestat-set-times", "iIIi", files::filestat_set_times),
    ("fd-pread", "iiiIi", files::pread),
    ("fd-prestat-get", "ii", files::prestat_get),
    ("fd-prestat-dir-name", "iii", files::prestat_dir_name),
    ("fd-pwrite", "iiiIi", files::pwrite),
    ("fd-read", "iiii", files::read),
    ("fd-readdir", "iiiIi", files::readdir),
    ("fd-renumber", "ii", files::renumber),
    ("fd-seek", "iIii", files::seek),
    ("fd-sync", "i", files::sync),
    ("fd-tell", "ii", files::tell),
    ("fd-write", "iiii", files::write),
    ("path-create-directory", "iii", paths::create_directory),
    ("path-filestat-get", "iiiii", paths::filestat_get),
    ("path-filestat-set-times", "iiiiIIi", paths::filestat_set_times),
    ("path-link", "iiiiiii", paths::link),
    ("path-open", "iiiiiIIii", paths::open),
    ("path-readlink", "iiiiii", paths::readlink),
    ("path-remove-directory", "iii", paths::remove_directory),
    ("path-rename", "iiiiii", paths::rename),
    ("path-symlink", "iiiii", paths::symlink),
    ("path-unlink-file", "iii", paths::unlink_file),
    ("poll-oneoff", "iiii", poll::oneoff),
    ("proc-raise", "i", process::proc_raise),
    ("sched-yield", "", process::sched_yield),
    ("random-get", "ii", process::random_get),
    ("sock-accept", "iii", process::no_socket),
    ("sock-recv", "iiiiii", process::no_socket),
    ("sock-send", "iiiii", process::no_socket),
    ("sock-shutdown", "ii", process::no_socket),
];

/// Defines the functions, for all components that were core modules.
///
/// # Errors
/// [`Error::Redefined`](airssys_wasm_component::Error::Redefined).
pub(super) fn add_to_linker<T: WasiView>(linker: &mut Linker<T>) -> Result<()> {
    let mut instance = linker.instance(INTERFACE)?;
    for (name, params, function) in FUNCTIONS {
        let call = move |caller: &mut CoreCaller<'_, '_, T>, args: &[u64]| {
            answer(function(&mut Attached::new(caller), args))
        };
        instance.func_of_memory(name, params, "i", call)?;
    }
    // The only function without a result, since it does not return.
    let call = |caller: &mut CoreCaller<'_, '_, T>, args: &[u64]| {
        answer(process::proc_exit(&mut Attached::new(caller), args))
    };
    instance.func_of_memory("proc-exit", "i", "", call)
}

fn answer(result: errno::Result) -> HostResult<u32> {
    match result {
        Ok(()) => Ok(0),
        Err(Failure::Errno(errno)) => Ok(errno.0.into()),
        Err(Failure::Ended(cause)) => Err(cause),
    }
}
