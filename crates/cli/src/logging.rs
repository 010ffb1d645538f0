//! The log, on standard error, with key-values.

use std::sync::OnceLock;

use log::{LevelFilter, Log, Metadata, Record};

/// Crates whose details are of no interest to people who run components.
const QUIET: [&str; 4] = ["cranelift", "regalloc2", "wasmer", "wasmtime_environ"];

/// Target of the events of actors, which are logged from the level `info` on, whatever the number of `-v`.
pub(crate) const EVENTS: &str = "airssys_wasm::events";

/// A second receiver of the log, once there is one.
static KEPT: OnceLock<Box<dyn Keep>> = OnceLock::new();

/// A second receiver of the log.
pub(crate) trait Keep: Send + Sync {
    /// Returns whether it takes records of this target and level.
    fn wants(&self, metadata: &Metadata<'_>) -> bool;

    /// Takes a record that it wants.
    fn keep(&self, record: &Record<'_>);
}

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
    logger.filter_module(EVENTS, level.max(LevelFilter::Info));
    logger.parse_default_env().format_timestamp(None);
    let logger = logger.build();
    let level = logger.filter();
    // Fails only if there is a logger already.
    if log::set_boxed_logger(Box::new(Both(logger))).is_ok() {
        log::set_max_level(level);
    }
}

/// Also passes the log to `receiver`, with its records up to `level`. Only the first receiver has an effect.
pub(crate) fn keep(receiver: Box<dyn Keep>, level: LevelFilter) {
    if KEPT.set(receiver).is_ok() {
        log::set_max_level(log::max_level().max(level));
    }
}

/// Standard error, and the second receiver.
struct Both(env_logger::Logger);

impl Log for Both {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.enabled(metadata) || KEPT.get().is_some_and(|kept| kept.wants(metadata))
    }

    fn log(&self, record: &Record<'_>) {
        self.0.log(record);
        if let Some(kept) = KEPT.get()
            && kept.wants(record.metadata())
        {
            kept.keep(record);
        }
    }

    fn flush(&self) {
        self.0.flush();
    }
}
