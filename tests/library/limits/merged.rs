//! The smallest limit of a resource applies, and its source is known.

use std::time::Duration;

use airssys_wasm::engine::StoreLimits;
use airssys_wasm::limits::{LimitSource, Resource, ResourceLimits};
use airssys_wasm::manifest::ComponentManifest;
use airssys_wasm::runtime::{InvalidConfig, InvalidOptions};
use airssys_wasm::security::{LimitsDraft, Policy, SecurityContext};
use airssys_wasm::{ComponentOptions, ComponentRuntime, RuntimeConfig, RuntimeError};
use airssys_wasm_test_support::host::{Guest, id};

use super::{effective, limit};

const MANIFEST: &str = r#"
[component]
name = "reader"
version = "1.0.0"

[wit-dependencies]
airssys-component-core = "1.0.0"
airssys-host-core = "1.0.0"
airssys-multicodec-core = "1.0.0"

[metadata]
memory-limit = "3MiB"
execution-timeout = "3s"
"#;

const MIB: u64 = 1 << 20;

#[test]
fn the_smallest_limit_applies_and_its_source_is_known() {
    let [runtime, options, manifest, policy] = [
        LimitSource::Runtime,
        LimitSource::Options,
        LimitSource::Manifest,
        LimitSource::Policy("builder".into()),
    ];
    // The manifest has 3 MiB.
    for (at_runtime, in_options, in_policy, expected) in [
        (None, None, None, (3 * MIB, manifest.clone())),
        (Some(2), None, None, (2 * MIB, runtime.clone())),
        (Some(4), Some(2), Some(5), (2 * MIB, options.clone())),
        (Some(4), Some(4), Some(1), (MIB, policy.clone())),
        (Some(4096), Some(4096), Some(4096), (3 * MIB, manifest)),
        // Of equal ones, the first in this order.
        (Some(2), Some(2), Some(2), (2 * MIB, runtime)),
        (None, Some(3), Some(3), (3 * MIB, options)),
    ] {
        let limits = |mib: Option<u64>| {
            mib.map_or(ResourceLimits::new(), |mib| {
                ResourceLimits::new().with_memory_bytes(mib * MIB)
            })
        };
        let builder = RuntimeConfig::builder().with_resource_limits(limits(at_runtime));
        let policy = Policy::builder().limits(LimitsDraft::new(limits(in_policy)));
        let context = SecurityContext::builder().policy(policy.build().expect("a policy"));
        let manifest = ComponentManifest::from_toml(MANIFEST).expect("a manifest");
        let options = ComponentOptions::new()
            .with_resource_limits(limits(in_options))
            .with_manifest_limits(&manifest.metadata)
            .with_security(context.build());
        let found = effective(builder.build().expect("sound"), &options);
        assert_eq!(limit(&found, Resource::Memory), expected);
        assert_eq!(limit(&found, Resource::CallTime), (3000, LimitSource::Manifest));
        assert_eq!(limit(&found, Resource::Sockets), (128, LimitSource::Default));
        assert_eq!(found.get(Resource::PayloadBytes), None);
    }
}

#[test]
fn limits_of_the_runtime_replace_the_defaults() {
    let limits = ResourceLimits::new()
        .with_memory_bytes(4 << 30)
        .with_mailbox_messages(9000)
        .with_mailbox_bytes(1 << 30)
        .with_open_files(5000)
        .with_call_time(Duration::from_secs(3600));
    let config = RuntimeConfig::builder()
        .with_resource_limits(limits.clone())
        .build();
    let found = effective(config.expect("sound"), &ComponentOptions::new());
    for (resource, value) in limits.iter() {
        assert_eq!(
            limit(&found, resource),
            (value, LimitSource::Runtime),
            "{resource}"
        );
    }
    // Explicit settings of the builder stay, if they are lower.
    let mut store = StoreLimits::default();
    store.memory_bytes = MIB;
    let builder = RuntimeConfig::builder().with_limits(store);
    let config = builder
        .with_mailbox_capacity(7)
        .with_longest_timeout(Duration::from_secs(60))
        .with_resource_limits(limits);
    let found = effective(config.build().expect("sound"), &ComponentOptions::new());
    for (resource, value) in [
        (Resource::Memory, MIB),
        (Resource::MailboxMessages, 7),
        (Resource::CallTime, 60_000),
    ] {
        assert_eq!(
            limit(&found, resource),
            (value, LimitSource::Runtime),
            "{resource}"
        );
    }
}

#[test]
fn a_short_call_time_shortens_the_default_time() {
    let limits = ResourceLimits::new().with_call_time(Duration::from_secs(2));
    let config = RuntimeConfig::builder().with_resource_limits(limits).build();
    let found = effective(config.expect("sound"), &ComponentOptions::new());
    assert_eq!(limit(&found, Resource::CallTime), (2000, LimitSource::Runtime));
}

#[test]
fn limits_that_cannot_be_used_are_refused() {
    for (resource, value, problem) in [
        (Resource::Memory, 0, "`memory` is 0B, and must be at least 64KiB"),
        (Resource::Memory, 65_535, "`memory` is 65535B, and must be"),
        (
            Resource::CallTime,
            0,
            "`call-time` is 0ms, and must be at least 1ms",
        ),
        (
            Resource::CpuTime,
            0,
            "`cpu-time` is 0ms, and must be at least 1ms",
        ),
        (Resource::Fuel, 0, "`fuel` is 0, and must be at least 1"),
        (
            Resource::Stack,
            65_535,
            "`stack` is 65535B, and must be at least 64KiB",
        ),
        (
            Resource::CoreInstances,
            0,
            "`core-instances` is 0, and must be at least 1",
        ),
        (Resource::MailboxMessages, 0, "`mailbox-messages` is 0"),
        (Resource::MailboxBytes, 0, "`mailbox-bytes` is 0B"),
        (Resource::PayloadBytes, 0, "`payload-bytes` is 0B"),
    ] {
        let limits = ResourceLimits::new().with(resource, value);
        let config = RuntimeConfig::builder()
            .with_resource_limits(limits.clone())
            .build();
        match config {
            Err(error @ InvalidConfig::Limit(_)) => {
                assert!(error.to_string().contains(problem), "{error}");
            }
            other => panic!("{other:?}"),
        }
        let runtime = ComponentRuntime::new(RuntimeConfig::builder().build().expect("sound"));
        let options = ComponentOptions::new().with_resource_limits(limits.clone());
        let refused = runtime
            .expect("it links")
            .load_component(&Guest::default().build(), options);
        let refused = refused.expect_err("it is refused");
        assert!(
            matches!(refused, RuntimeError::Options(InvalidOptions::Limit(_))),
            "{refused}"
        );
        let policy = Policy::builder().limits(LimitsDraft::new(limits)).build();
        let error = policy.expect_err("it is refused").to_string();
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn the_largest_limits_limit_nothing() {
    let limits = Resource::ALL
        .into_iter()
        .fold(ResourceLimits::new(), |limits, resource| {
            limits.with(resource, u64::MAX)
        });
    let config = RuntimeConfig::builder().build().expect("sound");
    let defaults = effective(config.clone(), &ComponentOptions::new());
    let options = ComponentOptions::new().with_resource_limits(limits.clone());
    let found = effective(config, &options);
    for limit in defaults.iter() {
        assert_eq!(found.get(limit.resource), Some(limit));
    }
    let config = RuntimeConfig::builder().with_resource_limits(limits).build();
    let runtime = ComponentRuntime::new(config.expect("sound")).expect("it links");
    let options = ComponentOptions::new().with_id(id("reader"));
    let id = runtime
        .load_component(&Guest::default().build(), options)
        .expect("it loads");
    runtime.init(&id).expect("it starts");
    runtime.execute(&id, b"").expect("it answers");
}

#[test]
fn the_document_has_every_limit_with_its_default() {
    let document = airssys_wasm_test_support::root().join("docs/security.md");
    let document = std::fs::read_to_string(document).expect("it is committed");
    let rows: Vec<_> = document
        .lines()
        .skip_while(|line| *line != "## Limits")
        .filter_map(|line| line.strip_prefix("| `"))
        .take(Resource::ALL.len())
        .map(|line| line.split(" | ").collect::<Vec<_>>())
        .collect();
    let config = RuntimeConfig::builder().build().expect("sound");
    let limits = effective(config, &ComponentOptions::new());
    for (resource, row) in Resource::ALL.into_iter().zip(rows) {
        let default = limits.get(resource).map(|limit| resource.show(limit.value));
        let default = default.unwrap_or("none".to_owned());
        assert_eq!(row[0].trim_end_matches('`'), resource.name());
        assert_eq!(row[2].trim_matches('`'), default, "{resource}");
    }
}
