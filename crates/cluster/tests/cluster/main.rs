//! Several hosts over a real NATS server.

mod artifacts;
mod connect;
mod document;
mod durable;
mod envelope;
mod exclusive;
mod guests;
mod kill;
mod moving;
mod placement;
mod registry;
mod requests;

use std::path::Path;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use airssys_wasm::actors::{ActorError, ActorOptions, ActorSystem, ActorSystemBuilder};
use airssys_wasm::artifact::Trust;
use airssys_wasm::load::{LoadOptions, Loaded};
use airssys_wasm::security::Capability;
use airssys_wasm::store::{Store, StoreOptions};
use airssys_wasm::{ComponentOptions, ComponentRuntime, RuntimeConfig};
use airssys_wasm_cluster::{Address, Cluster, ClusterKey, ClusterOptions, Name};
use airssys_wasm_test_support::host::{Guest, id};
use airssys_wasm_test_support::nats::Server;

/// Time that nothing takes, for tests that wait.
const LONG: Duration = Duration::from_secs(60);

/// A guest that passes its message to the function `step` of its host, and answers with the byte that this returns; 1 traps.
fn obedient() -> Vec<u8> {
    Guest {
        execute: "(call $work (call $obey (i32.load (local.get 0)) (i32.load offset=4 (local.get 0))))",
        more: r#"
            (data (i32.const 3000) "step")
            (func $obey (param $args i32) (param $bytes i32) (result i32)
              (call $call-host-function (i32.const 3000) (i32.const 4) (local.get $args) (local.get $bytes)
                (i32.const 3100))
              (if (i32.load8_u (i32.const 3100)) (then unreachable))
              (i32.load8_u (i32.load (i32.const 3104))))
            (func $work (param $order i32) (result i32)
              (if (i32.eq (local.get $order) (i32.const 1)) (then unreachable))
              (call $answer (local.get $order)))"#,
        ..Guest::default()
    }
    .build()
}

/// A host with the components `a` and `b`, whose messages go to a function.
struct Host {
    runtime: ComponentRuntime,
    system: ActorSystem,
    loaded: Loaded,
    store: Option<Store>,
}

impl Host {
    fn new(step: impl Fn(&str, &[u8]) -> u8 + Send + Sync + 'static) -> Host {
        Host::with(&["a", "b"], step)
    }

    /// A host with other components.
    fn with(components: &[&str], step: impl Fn(&str, &[u8]) -> u8 + Send + Sync + 'static) -> Host {
        let system = ActorSystem::builder().with_workers(2);
        Host::start(system, &ActorOptions::new(), components, step)
    }

    /// A host whose actors are durable, in a file.
    fn durable(
        store: &Path,
        options: &ActorOptions,
        components: &[&str],
        step: impl Fn(&str, &[u8]) -> u8 + Send + Sync + 'static,
    ) -> Host {
        let store = Store::open(StoreOptions::new(store)).expect("it opens");
        let system = ActorSystem::builder().with_workers(2).with_store(store.clone());
        let options = options.clone().with_durable(true);
        let host = Host::start(system, &options, components, step);
        Host {
            store: Some(store),
            ..host
        }
    }

    fn start(
        system: ActorSystemBuilder,
        options: &ActorOptions,
        components: &[&str],
        step: impl Fn(&str, &[u8]) -> u8 + Send + Sync + 'static,
    ) -> Host {
        let config = RuntimeConfig::builder()
            .with_rt_actor_integration()
            .with_host_function("step", move |info, message| {
                Ok(vec![step(info.component.as_str(), message)])
            });
        let runtime =
            ComponentRuntime::new(config.build().expect("sound")).expect("the contract can be linked");
        let system = system.build().expect("threads");
        let loaded = runtime
            .loader()
            .load(&obedient().into(), &Trust::default(), &LoadOptions::default());
        let loaded = loaded.expect("it loads");
        let host = Host {
            runtime,
            system,
            loaded,
            store: None,
        };
        for name in components {
            host.start_component(name, options).expect("it starts");
        }
        host
    }

    /// Closes the store of a host whose system is shut down.
    fn close(&self) {
        self.store.as_ref().expect("it is durable").close();
    }

    /// Starts another actor of the same guest.
    fn start_component(&self, name: &str, options: &ActorOptions) -> Result<(), ActorError> {
        let component = ComponentOptions::new()
            .with_id(id(name))
            .with_capability(Capability::new("host-function:call").expect("a capability"));
        let started = self
            .runtime
            .start_actor(&self.loaded, component, &self.system, options.clone());
        started.wait().map(drop)
    }

    fn join(&self, options: ClusterOptions) -> Cluster {
        Cluster::join(&self.runtime, options).wait().expect("it joins")
    }
}

/// A door that handlers wait at.
#[derive(Default)]
struct Door(Mutex<bool>, Condvar);

impl Door {
    fn open(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_all();
    }

    fn pass(&self) {
        let closed = |open: &mut bool| !*open;
        drop(
            self.1
                .wait_timeout_while(self.0.lock().unwrap(), LONG, closed)
                .unwrap(),
        );
    }
}

/// The answer of the guest for a byte.
fn said(byte: u8) -> Vec<u8> {
    u32::from(byte).to_le_bytes().to_vec()
}

fn key(byte: u8) -> ClusterKey {
    ClusterKey::new(&[byte; 32]).expect("long enough")
}

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

fn to(text: &str) -> Address {
    text.parse().expect("an address")
}

/// Options of a host of the cluster `test`.
fn options(host: &str, server: &Server) -> ClusterOptions {
    ClusterOptions::new(name("test"), name(host), key(7)).with_server(server.url())
}
