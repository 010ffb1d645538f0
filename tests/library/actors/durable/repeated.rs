//! Messages that come again while others are handled.

use airssys_wasm::actors::{ActorError, Pending, SendOptions};

use super::{Folder, durable, gated, system_with};
use crate::actors::{Gate, LONG, start};

/// It counted as stored for a moment before it left the mailbox, and a worker that was free then handled it a second time.
#[test]
fn a_message_that_came_before_is_never_handled_on_its_way_out() {
    let folder = Folder::new();
    let (store, gate) = (folder.store(), Gate::default());
    gate.open();
    let (runtime, handled) = gated(&gate);
    let system = system_with(&store);
    let actor = start(&runtime, &system, "a", durable()).unwrap();
    let (rounds, messages) = (150, 100);
    for round in 0..rounds {
        let tell = |number: usize| {
            let name = format!("{round} {number}");
            runtime.tell_once(&actor, &*name, &*name, SendOptions::new())
        };
        // Some again at once, and all those of this round at its end.
        let told: Vec<Pending<()>> = (0..messages)
            .flat_map(|number| [tell(number), tell(number)])
            .collect();
        let again: Vec<Pending<()>> = (0..messages).map(tell).collect();
        for (at, told) in told.into_iter().enumerate() {
            let told = told.wait();
            let is_right = match at % 2 {
                0 => told.is_ok(),
                _ => matches!(told, Err(ActorError::Repeated(_))),
            };
            assert!(is_right, "{told:?}");
        }
        for again in again {
            let again = again.wait();
            assert!(matches!(again, Err(ActorError::Repeated(_))), "{again:?}");
        }
    }
    system.shutdown(LONG).wait().unwrap();
    assert_eq!(handled.lock().unwrap().len(), rounds * messages);
    store.close();
}
