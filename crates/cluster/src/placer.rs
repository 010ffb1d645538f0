//! The application's part in placement: it starts and stops the actors of placed components.

use std::error::Error as StdError;
use std::io;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use airssys_wasm::ComponentId;
use tokio::sync::oneshot;

use crate::error::ClusterError;
use crate::placed::Carrier;
use crate::placement::Labels;
use crate::post::Post;
use crate::transport::Boxed;

/// Pause before a component is stopped for which no thread could be created.
const PAUSE: Duration = Duration::from_millis(100);

/// Starts and stops the components that are placed on a host, for [`Cluster::place_components`](crate::Cluster::place_components). Its methods may
/// block. At most one component is started at a time; others may be stopped meanwhile, each once at a time.
///
/// A clone of the [`Cluster`](crate::Cluster) in it keeps the host joined until [`Cluster::leave`](crate::Cluster::leave), even if
/// all others are dropped. Then the placer is dropped.
pub trait Placer: Send + Sync + 'static {
    /// Starts an actor with this identity, such as from an artifact that [`Cluster::fetch_artifact`](crate::Cluster::fetch_artifact)
    /// returned. The identity is this host's in the registry already, so that no other host starts it: requests to it fail
    /// with [`FailureKind::Unknown`](crate::FailureKind::Unknown) until this has added the actor. One that is durable gets its
    /// durable messages then.
    ///
    /// A host that leaves waits for a start, and stops what was started, as far as its time allows. A start that takes long should
    /// fail once [`Cluster::state`](crate::Cluster::state) is [`ClusterState::Left`](crate::ClusterState::Left).
    ///
    /// # Errors
    /// Any: it is logged, other hosts may have the component, and the start is tried again while it belongs here.
    fn start(&self, id: &ComponentId) -> Result<(), Box<dyn StdError + Send + Sync>>;

    /// Stops the actor, and returns when it has stopped: the component belongs to another host, which starts it then, or is not
    /// declared any more, or this host leaves.
    fn stop(&self, id: &ComponentId);
}

/// A placer, and the durable messages of its host.
struct Carried {
    post: Weak<Post>,
    placer: Arc<dyn Placer>,
}

impl Post {
    /// Takes part in placement.
    pub(crate) async fn place(
        self: &Arc<Self>,
        labels: Labels,
        placer: Arc<dyn Placer>,
    ) -> Result<(), ClusterError> {
        let post = Arc::downgrade(self);
        let carrier = Arc::new(Carried { post, placer });
        self.placing.take_part(labels, carrier).await
    }
}

impl Carrier for Carried {
    fn start(&self, id: &ComponentId) -> Boxed<'static, Result<(), String>> {
        let (placer, id) = (self.placer.clone(), id.clone());
        Box::pin(async move {
            match on_thread(move || placer.start(&id)) {
                Ok(started) => match started.await {
                    Ok(started) => started.map_err(|error| error.to_string()),
                    Err(_) => Err("the placer panicked".to_owned()),
                },
                Err(error) => Err(format!("no thread can be created: {error}")),
            }
        })
    }

    fn announce(&self, id: &ComponentId) -> Boxed<'static, Result<u64, ClusterError>> {
        let (post, id) = (self.post.clone(), id.clone());
        Box::pin(async move {
            let post = post.upgrade().ok_or(ClusterError::Left)?;
            match post.runtime.is_durable_actor(&id) {
                Ok(true) => post.receive(&id).await,
                _ => post.node.announce(&id).await,
            }
        })
    }

    fn stop(&self, id: &ComponentId) -> Boxed<'static, ()> {
        let (post, placer, id) = (self.post.clone(), self.placer.clone(), id.clone());
        Box::pin(async move {
            // Its durable messages wait for the next host.
            if let Some(post) = post.upgrade() {
                post.receivers.end(&id).await;
            }
            loop {
                let (stopping, of_stop) = (placer.clone(), id.clone());
                match on_thread(move || stopping.stop(&of_stop)) {
                    Ok(stopped) => {
                        if stopped.await.is_err() {
                            log::error!("the placer panicked when it stopped `{id}`");
                        }
                        return;
                    }
                    Err(error) => log::warn!("`{id}` is not stopped yet: no thread can be created: {error}"),
                }
                tokio::time::sleep(PAUSE).await;
            }
        })
    }
}

/// Runs a call on a thread of its own: it may block for long, and the threads of the cluster are few. Without a result, it
/// panicked.
fn on_thread<T: Send + 'static>(
    call: impl FnOnce() -> T + Send + 'static,
) -> io::Result<oneshot::Receiver<T>> {
    let (sender, receiver) = oneshot::channel();
    let work = move || {
        // The task that waits lives as long as the threads of the cluster.
        let _ = sender.send(call());
    };
    thread::Builder::new()
        .name("cluster-place".to_owned())
        .spawn(work)?;
    Ok(receiver)
}
