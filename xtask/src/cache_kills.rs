//! `cargo xtask cache-kills`: kills processes that write the cache of compiled components, again and again.
//!
//! It runs the test that `cargo test` runs as well, with more kills: tests/artifact_cache.rs.

use crate::tools::{cargo_with, find_llvm, workspace_features};
use anyhow::Result;
use std::path::Path;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Number of processes to kill
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    kills: u32,
    /// Number of processes that write concurrently
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=64))]
    processes: u32,
}

/// Builds and runs the test; returns whether all entries were good.
pub(crate) fn run(root: &Path, options: &Options) -> Result<bool> {
    let llvm = find_llvm();
    let features = workspace_features(&llvm, true);
    let build = [
        "test",
        "--workspace",
        "--locked",
        "--release",
        "--features",
        &features,
    ];
    let test = [
        "--test",
        "artifact_cache",
        "--",
        "--nocapture",
        "--exact",
        "killed_writers_leave_no_bad_entry",
    ];
    let (kills, processes) = (options.kills.to_string(), options.processes.to_string());
    cargo_with(
        root,
        &[&build[..], &test[..]].concat(),
        &[
            ("AIRSSYS_TEST_CACHE_KILLS", &kills),
            ("AIRSSYS_TEST_CACHE_PROCESSES", &processes),
        ],
    )
}
