//! Our side of messages and of idle actors.

use super::NAME;
use crate::measure::Side;
use crate::messages::{Pairs, Reports};
use airssys_wasm::actors::{ActorOptions, ActorSystem, GuestMessages};
use airssys_wasm::artifact::{PublicKey, Trust};
use airssys_wasm::engine::Backend;
use airssys_wasm::load::{LoadOptions, Loaded, Source};
use airssys_wasm::runtime::{ComponentId, RuntimeConfigBuilder};
use airssys_wasm::security::{Policy, SecurityContext};
use airssys_wasm::{ComponentOptions, ComponentRuntime, RuntimeConfig};
use anyhow::{Context, Result};
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

/// Actors that are started at the same time.
const TOGETHER: usize = 64;

/// Pairs of actors that pass messages on to each other.
#[derive(Debug)]
pub(crate) struct Actors {
    runtime: ComponentRuntime,
    _system: ActorSystem,
    pairs: Vec<[ComponentId; 2]>,
    reports: Arc<Reports>,
}

impl Actors {
    pub(crate) fn new(backend: Backend, guest: &[u8], pairs: usize) -> Result<Actors> {
        let reports = Arc::new(Reports::default());
        let (done, stamp) = (reports.clone(), reports.clone());
        let config = config(backend)
            .with_host_function("done", move |_, _| {
                done.done();
                Ok(Vec::new())
            })
            .with_host_function("stamp", move |_, pair| {
                stamp.stamp(pair);
                Ok(Vec::new())
            });
        let runtime = ComponentRuntime::new(config.build()?)?;
        let system = ActorSystem::new()?;
        let loaded = runtime
            .loader()
            .load(&guest.into(), &Trust::default(), &LoadOptions::default())?;
        let security = security()?;
        let start = |id: &ComponentId, next: &ComponentId| -> Result<()> {
            let component = ComponentOptions::new()
                .with_security(security.clone())
                .with_id(id.clone())
                .with_config("next", next.as_str());
            let actor = ActorOptions::new().with_guest_messages(GuestMessages::Execute);
            runtime.start_actor(&loaded, component, &system, actor).wait()?;
            Ok(())
        };
        let mut all = Vec::new();
        for number in 0..pairs {
            let pair: [ComponentId; 2] = [
                format!("first-{number}").parse()?,
                format!("second-{number}").parse()?,
            ];
            start(&pair[0], &pair[1])?;
            start(&pair[1], &pair[0])?;
            all.push(pair);
        }
        Ok(Actors {
            runtime,
            _system: system,
            pairs: all,
            reports,
        })
    }
}

impl Pairs for Actors {
    fn reports(&self) -> &Arc<Reports> {
        &self.reports
    }

    fn send(&self, pair: usize, second: bool, message: Vec<u8>) -> Result<()> {
        let pair = self.pairs.get(pair).context("no such pair")?;
        self.runtime.tell(&pair[usize::from(second)], message).wait()?;
        Ok(())
    }
}

/// Measures the call of a message alone: a component that is not an actor, and whose message is not passed on.
pub(crate) fn call_alone(backend: Backend, guest: &[u8], message: Vec<u8>) -> Result<Side<'static>> {
    let config = config(backend).with_host_function("done", |_, _| Ok(Vec::new()));
    let runtime = ComponentRuntime::new(config.build()?)?;
    let options = ComponentOptions::new().with_security(security()?);
    let id = runtime.load_component(guest, options)?;
    runtime.init(&id)?;
    Ok(Side::new(NAME, move |times| {
        for _ in 0..times {
            black_box(runtime.execute(&id, black_box(&message))?);
        }
        Ok(())
    }))
}

pub(super) fn config(backend: Backend) -> RuntimeConfigBuilder {
    RuntimeConfig::builder().with_backend(backend)
}

/// Returns the policy of all components.
pub(super) fn security() -> Result<SecurityContext> {
    let policy = Policy::builder().allow("host-function:call").build()?;
    Ok(SecurityContext::builder().policy(policy).build())
}

/// A precompiled guest, of which there are any number of idle actors, or of components without actors.
#[derive(Debug)]
pub(crate) struct Idle {
    runtime: ComponentRuntime,
    system: ActorSystem,
    loaded: Loaded,
    security: SecurityContext,
}

impl Idle {
    pub(crate) fn new(backend: Backend, file: &Path, signer: PublicKey) -> Result<Idle> {
        let runtime = ComponentRuntime::new(config(backend).build()?)?;
        let source = Source::open_artifact(file)?;
        let loaded = runtime
            .loader()
            .load(&source, &Trust::new([signer]), &LoadOptions::default())?;
        Ok(Idle {
            runtime,
            system: ActorSystem::new()?,
            loaded,
            security: security()?,
        })
    }

    fn options(&self) -> ComponentOptions {
        ComponentOptions::new()
            .with_security(self.security.clone())
            .with_name_of("relay.wasm")
    }

    /// Starts `count` actors, some at a time: what waits to be started is no idle actor.
    pub(crate) fn actors(&self, count: usize) -> Result<Vec<ComponentId>> {
        let start = || {
            let options = self.options();
            self.runtime
                .start_actor(&self.loaded, options, &self.system, ActorOptions::new())
        };
        let mut all = Vec::with_capacity(count);
        while all.len() < count {
            let some = (count - all.len()).min(TOGETHER);
            let started: Vec<_> = std::iter::repeat_with(start).take(some).collect();
            for started in started {
                all.push(started.wait()?);
            }
        }
        Ok(all)
    }

    /// Loads and initializes `count` components that are not actors.
    pub(crate) fn components(&self, count: usize) -> Result<Vec<ComponentId>> {
        let load = || {
            let options = self.options();
            let id = self.runtime.load_loaded(&self.loaded, options)?;
            self.runtime.init(&id)?;
            Ok(id)
        };
        std::iter::repeat_with(load).take(count).collect()
    }
}
