//! Actors with asynchronous functions, which workers of the system run in turns.

use airssys_wasm::actors::ActorOptions;
use airssys_wasm::codec::Codec;
use airssys_wasm::engine::Backend;
use airssys_wasm::{ComponentRuntime, RuntimeConfig};
use serde_json::json;

use super::host_support::{fixture, operation, read};
use super::{LONG, load, start_loaded, system};

const MESSAGES: usize = 60;

#[test]
fn asynchronous_guests_answer_on_every_worker() {
    for guest in ["text-processor-async.wasm", "text-processor-c-async.wasm"] {
        for backend in Backend::available() {
            let config = RuntimeConfig::builder().with_backend(*backend).build();
            let runtime =
                ComponentRuntime::new(config.expect("a backend")).expect("the contract can be linked");
            let system = system(3);
            let loaded = load(&runtime, &fixture(guest));
            let actors = ["one", "two"].map(|name| {
                let options = ActorOptions::new().with_instances(2);
                let started = start_loaded(&runtime, &loaded, &system, name, options);
                started.wait().expect("it starts")
            });
            let sent: Vec<_> = (0..MESSAGES)
                .map(|index| {
                    let text = "to be or not to be ".repeat(1 + index);
                    let question = operation(Codec::Json, "word-count", json!({ "text": text }));
                    runtime.send_message_to_component(&actors[index % 2], question)
                })
                .collect();
            for (index, sent) in sent.into_iter().enumerate() {
                let answer = sent.wait().expect("an answer");
                assert_eq!(read(&answer).1["count"], 6 * (1 + index), "{guest} on {backend}");
            }
            assert!(system.counters().add_up());
            drop(system.shutdown(LONG).wait());
        }
    }
}
