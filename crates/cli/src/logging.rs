//! The log, on standard error, with key-values.

use log::LevelFilter;

/// Crates whose details are of no interest to people who run components.
const QUIET: [&str; 4] = ["cranelift", "regalloc2", "wasmer", "wasmtime_environ"];

/// Starts the log at the level of `verbose`, the number of `-v`, unless `RUST_LOG` is set.
pub(crate) fn start(verbose: u8) {
    let level = match verbose {
        0 => LevelFilter::Warn,
        1 => LevelFilter::Info,
        2 => LevelFilter::Debug,
        _ => LevelFilter::Trace,
    };
    let mut logger = env_logger::Builder::new();
    logger.filter_level(level);
    for target in QUIET {
        logger.filter_module(target, LevelFilter::Warn);
    }
    logger.parse_default_env().format_timestamp(None);
    // Fails only if there is a logger already.
    let _ = logger.try_init();
}
