//! The actors of a simulated host. Each handles one message at a time, and answers with the message.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use airssys_wasm::ComponentId;
use airssys_wasm::actors::{ActorError, SendOptions};
use airssys_wasm::messaging::SendError;
use tokio::sync::Mutex;

use super::world::World;
use crate::transport::{Actors, Boxed};

pub(super) struct Handlers {
    world: Arc<World>,
    line: usize,
    actors: BTreeMap<ComponentId, Arc<Mutex<()>>>,
}

impl Handlers {
    pub(super) fn new(world: &Arc<World>, line: usize, ids: impl Iterator<Item = ComponentId>) -> Handlers {
        Handlers {
            world: world.clone(),
            line,
            actors: ids.map(|id| (id, Arc::default())).collect(),
        }
    }
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handlers")
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

impl Actors for Handlers {
    fn send(
        &self,
        to: &ComponentId,
        payload: Vec<u8>,
        options: SendOptions,
    ) -> Boxed<'static, Result<Vec<u8>, ActorError>> {
        let Some(turn) = self.actors.get(to).cloned() else {
            let unknown = ActorError::Unknown(to.clone());
            return Box::pin(std::future::ready(Err(unknown)));
        };
        let (world, line, to) = (self.world.clone(), self.line, to.clone());
        let work = {
            let mut inner = world.lock();
            inner.requests.came(&payload, line);
            Duration::from_millis(inner.random.u64(..40))
        };
        let time = options.timeout.unwrap_or(Duration::MAX);
        Box::pin(async move {
            let handled = async {
                let _turn = turn.lock().await;
                tokio::time::sleep(work).await;
                if world.lock().lines[line].is_killed {
                    std::future::pending::<()>().await;
                }
                world.lock().requests.handled(&payload, line);
            };
            match tokio::time::timeout(time, handled).await {
                Ok(()) => Ok([b"answer to ", &*payload].concat()),
                Err(_) => Err(ActorError::Expired { id: to, after: time }),
            }
        })
    }

    /// The simulation has no messages of components.
    fn deliver(
        &self,
        _: ComponentId,
        to: &ComponentId,
        _: Vec<u8>,
        _: SendOptions,
    ) -> Boxed<'static, Result<(), SendError>> {
        let unknown = SendError::UnknownTarget(to.as_str().to_owned());
        Box::pin(std::future::ready(Err(unknown)))
    }

    fn check(&self, id: &ComponentId) -> Result<(), ActorError> {
        match self.actors.contains_key(id) {
            true => Ok(()),
            false => Err(ActorError::Unknown(id.clone())),
        }
    }
}
