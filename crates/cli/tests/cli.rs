//! Tests of the command-line program as a process: its output and its exit codes.

#[path = "cli/about.rs"]
mod about;
#[path = "cli/artifacts.rs"]
mod artifacts;
#[path = "cli/backends.rs"]
mod backends;
#[path = "cli/bindgen.rs"]
mod bindgen;
#[path = "cli/compiling.rs"]
mod compiling;
#[path = "cli/conformance.rs"]
mod conformance;
#[path = "cli/faults.rs"]
mod faults;
#[path = "cli/files.rs"]
mod files;
#[cfg(target_os = "linux")]
#[path = "cli/host.rs"]
mod host;
#[cfg(target_os = "linux")]
#[path = "cli/host_clients.rs"]
mod host_clients;
#[cfg(all(target_os = "linux", feature = "nats"))]
#[path = "cli/host_cluster.rs"]
mod host_cluster;
#[cfg(all(target_os = "linux", feature = "nats"))]
#[path = "cli/host_joining.rs"]
mod host_joining;
#[cfg(all(target_os = "linux", feature = "nats"))]
#[path = "cli/host_placed.rs"]
mod host_placed;
#[cfg(target_os = "linux")]
#[path = "cli/host_state.rs"]
mod host_state;
use airssys_wasm_test_support::host as host_support;
#[path = "cli/inspect.rs"]
mod inspect;
#[path = "cli/invoke.rs"]
mod invoke;
#[path = "cli/lacking.rs"]
mod lacking;
#[path = "cli/manifest.rs"]
mod manifest;
#[cfg(feature = "wasix")]
#[path = "cli/panics.rs"]
mod panics;
#[path = "cli/policy.rs"]
mod policy;
#[cfg(feature = "wasix")]
#[path = "cli/preview1.rs"]
mod preview1;
#[path = "cli/process.rs"]
mod process;
#[path = "cli/program.rs"]
mod program;
#[path = "cli/run.rs"]
mod run;
#[path = "cli/secrets.rs"]
mod secrets;
#[path = "cli/serve.rs"]
mod serve;
#[path = "cli/snapshots.rs"]
mod snapshots;
#[path = "cli/statuses.rs"]
mod statuses;
#[path = "cli/stops.rs"]
mod stops;
#[cfg(target_os = "linux")]
#[path = "cli/threads.rs"]
mod threads;
#[cfg(feature = "wai")]
#[path = "cli/wai.rs"]
mod wai;
#[path = "cli/wast.rs"]
mod wast;
#[path = "cli/wit.rs"]
mod wit;
