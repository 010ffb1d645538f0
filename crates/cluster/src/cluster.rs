//! The membership of a host.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use airssys_wasm::actors::SendOptions;
use airssys_wasm::artifact::Trust;
use airssys_wasm::messaging::Topic;
use airssys_wasm::{ComponentId, ComponentRuntime};

use crate::artifacts::{self, ArtifactDigest};
use crate::counters::ClusterCounters;
use crate::durable::{DurableOptions, Stored};
use crate::error::ClusterError;
use crate::executor::Executor;
use crate::names::{Address, Name};
use crate::node::Node;
use crate::options::ClusterOptions;
use crate::pending::Pending;
use crate::placer::Placer;
use crate::post::Post;
use crate::request;
use crate::told::Told;
use crate::topics::DurablePublished;

/// A host's membership of a cluster: its actors get the messages of other hosts, and it can send messages to theirs. Cheap to
/// clone.
///
/// When the last clone is dropped, the host leaves as with [`Cluster::leave`], in the background, within
/// [`ClusterOptions::with_drain_time`].
#[derive(Clone)]
pub struct Cluster {
    handle: Arc<Handle>,
}

/// State of a host in a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClusterState {
    /// It holds its name: it accepts messages of other hosts.
    Joined,
    /// The lease of its name ended, as the servers were away: it refuses messages of other hosts until it holds the name again.
    CutOff,
    /// It leaves, or has left.
    Left,
}

struct Handle {
    node: Arc<Node>,
    post: Arc<Post>,
    executor: Arc<Executor>,
}

impl Cluster {
    /// Connects to the first server that answers, checks its version, and accepts messages of other hosts to the actors of
    /// `runtime`, and those of its components to other hosts. Threads of the cluster's own do this. The host's name
    /// is this process's from then on; after a process that was killed, this waits for the end of its lease. If the connection is lost, it is made again without end.
    ///
    /// # Errors
    /// [`ClusterError::Options`], [`ClusterError::Read`] and [`ClusterError::Tls`] for options that cannot be used;
    /// [`ClusterError::Connect`] and [`ClusterError::Timeout`] without a server; [`ClusterError::ServerVersion`] for a server
    /// before 2.12; [`ClusterError::NoJetStream`]; [`ClusterError::HostTaken`]; [`ClusterError::Stream`]; [`ClusterError::Server`]; [`ClusterError::Threads`].
    pub fn join(runtime: &ComponentRuntime, options: ClusterOptions) -> Pending<Cluster> {
        let executor = match Executor::new() {
            Ok(executor) => Arc::new(executor),
            Err(error) => return Pending::ready(Err(error)),
        };
        let (runtime, own) = (runtime.clone(), executor.clone());
        executor.spawn(async move {
            let post = Node::join(runtime.clone(), options).await?;
            let node = post.node.clone();
            runtime.forward_messages(Some(Told::new(&node, &own)));
            let handle = Arc::new(Handle {
                node,
                post,
                executor: own,
            });
            Ok(Cluster { handle })
        })
    }

    /// Sends a message to a component of any host, this one included, and returns the answer of its `execute`.
    ///
    /// Messages that one thread sends to a host one after the other come into the mailboxes in that order. Each is handled at
    /// most once. For the component, the caller is the host application.
    ///
    /// # Errors
    /// [`ClusterError::TooLarge`], [`ClusterError::TooManyRequests`] and [`ClusterError::Left`] for a message that was not sent;
    /// [`ClusterError::NoHost`]; [`ClusterError::Failed`] with the failure of the component or of its host;
    /// [`ClusterError::Unanswered`] if it is unknown whether the message was handled.
    pub fn send(&self, to: &Address, payload: impl Into<Vec<u8>>) -> Pending<Vec<u8>> {
        self.send_with(to, payload, SendOptions::new())
    }

    /// Sends a message as [`Cluster::send`] does, with options. Its time is at most
    /// [`MAX_REQUEST_TIME`](crate::MAX_REQUEST_TIME), and [`ClusterOptions::with_request_timeout`] if they have none. The
    /// caller of the options is that of the component on this host only.
    ///
    /// # Errors
    /// Those of [`Cluster::send`], and [`ClusterError::LongOptions`].
    pub fn send_with(
        &self,
        to: &Address,
        payload: impl Into<Vec<u8>>,
        options: SendOptions,
    ) -> Pending<Vec<u8>> {
        match request::send(&self.handle.node, to.clone(), payload.into(), options) {
            Ok(answer) => self.handle.executor.spawn(answer),
            Err(error) => Pending::ready(Err(error)),
        }
    }

    /// Enters an actor of this host in the registry of the cluster, so that [`Cluster::send_to`] finds it, as long as this host is
    /// there. Returns its fencing number, which is larger than that of each earlier host of the identity: a system that keeps
    /// the largest number it has seen can refuse the writes of a host that was replaced without noticing it yet.
    ///
    /// If the host loses its name, because the servers were away for longer than
    /// [`ClusterOptions::with_lease_time`], it enters its components again when they are back, unless another host has.
    ///
    /// # Errors
    /// [`ClusterError::Failed`] if there is no such actor; [`ClusterError::Announced`]; [`ClusterError::Contended`];
    /// [`ClusterError::Left`]; [`ClusterError::Server`] and [`ClusterError::Timeout`].
    pub fn announce(&self, id: &ComponentId) -> Pending<u64> {
        let (node, id) = (self.handle.node.clone(), id.clone());
        self.handle
            .executor
            .spawn_detached(async move { node.announce(&id).await })
    }

    /// Removes a component of this host from the registry. None of this host's is left as it is. After an error the host tries
    /// again with each renewal of its lease, until the component is announced again.
    ///
    /// # Errors
    /// [`ClusterError::Contended`]; [`ClusterError::Server`] and [`ClusterError::Timeout`].
    pub fn withdraw(&self, id: &ComponentId) -> Pending<()> {
        let (post, id) = (self.handle.post.clone(), id.clone());
        self.handle
            .executor
            .spawn_detached(async move { post.withdraw(&id).await })
    }

    /// Returns the address of a component that a host has announced. It is remembered for at most 5 seconds.
    ///
    /// # Errors
    /// [`ClusterError::NotAnnounced`]; [`ClusterError::Left`]; [`ClusterError::Server`] and [`ClusterError::Timeout`].
    pub fn locate(&self, id: &ComponentId) -> Pending<Address> {
        let (node, id) = (self.handle.node.clone(), id.clone());
        self.handle.executor.spawn(async move { node.locate(&id).await })
    }

    /// Sends a message as [`Cluster::send_with`] does, to the host that has announced the component. If the component turns out to
    /// be elsewhere, it is looked up and sent to once more, with the same time again. Messages of one thread have no order.
    ///
    /// # Errors
    /// Those of [`Cluster::send_with`] and [`Cluster::locate`].
    pub fn send_to(
        &self,
        id: &ComponentId,
        payload: impl Into<Vec<u8>>,
        options: SendOptions,
    ) -> Pending<Vec<u8>> {
        let node = self.handle.node.clone();
        self.handle
            .executor
            .spawn(request::send_to(node, id.clone(), payload.into(), options))
    }

    /// Sends a durable message to a component, wherever it is or will be: the result is there when the stream on the servers has
    /// the message. It waits there until a host that has the component [accepts](Cluster::accept_durable) it.
    ///
    /// The message is handled at least once. Copies of it, those that are sent again with the same id included, are dropped by
    /// the receiver within the time for which its store remembers ids (`StoreOptions::with_seen`). Messages of one thread are
    /// handled in the order of sending; if one had to be sent again because of a failure, it may come behind later ones: await each
    /// result where that matters. There is no answer.
    ///
    /// Dropping the result does not take the message back.
    ///
    /// # Errors
    /// [`ClusterError::TooLarge`], [`ClusterError::LongOptions`], [`ClusterError::TooManyRequests`],
    /// [`ClusterError::MailFull`] and [`ClusterError::Left`] for a message that was not sent;
    /// [`ClusterError::NotKnownStored`] if that is not known: send it again with the id that the error has.
    pub fn send_durable(
        &self,
        to: &ComponentId,
        payload: impl Into<Vec<u8>>,
        options: DurableOptions,
    ) -> Pending<Stored> {
        match self.handle.post.post_durable(to, &payload.into(), options) {
            Ok(stored) => self
                .handle
                .executor
                .spawn(async move { stored.await.unwrap_or(Err(ClusterError::Left)) }),
            Err(error) => Pending::ready(Err(error)),
        }
    }

    /// Announces an actor of this host, as [`Cluster::announce`] does, and hands it the durable messages to its identity. The actor
    /// must be durable: each message and its id are in its store before the servers forget it.
    ///
    /// A message waits on the servers while the actor's mailbox is full, or while it is stopped or has given up. One that is
    /// larger than the mailbox accepts is a dead letter of its actor system, as is one whose time to live is over.
    /// [`Cluster::withdraw`] ends this.
    ///
    /// # Errors
    /// Those of [`Cluster::announce`]; [`ClusterError::Failed`] if the actor is not durable.
    pub fn accept_durable(&self, id: &ComponentId) -> Pending<u64> {
        let (post, id) = (self.handle.post.clone(), id.clone());
        self.handle
            .executor
            .spawn_detached(async move { post.receive(&id).await })
    }

    /// Subscribes a component to a durable topic, wherever it is or will be, until it is
    /// [unsubscribed](Cluster::unsubscribe_durable): it gets what is published after the result is there, on a host that
    /// [accepts](Cluster::accept_durable) its durable messages.
    ///
    /// # Errors
    /// [`ClusterError::TooManySubscribers`]; [`ClusterError::Contended`]; [`ClusterError::Record`]; [`ClusterError::Left`];
    /// [`ClusterError::Server`] and [`ClusterError::Timeout`].
    pub fn subscribe_durable(&self, id: &ComponentId, topic: &Topic) -> Pending<()> {
        self.change_subscribers(id, topic, true)
    }

    /// Ends the subscription of a component. Messages that were published before still come.
    ///
    /// # Errors
    /// [`ClusterError::Contended`]; [`ClusterError::Record`]; [`ClusterError::Left`]; [`ClusterError::Server`] and
    /// [`ClusterError::Timeout`].
    pub fn unsubscribe_durable(&self, id: &ComponentId, topic: &Topic) -> Pending<()> {
        self.change_subscribers(id, topic, false)
    }

    fn change_subscribers(&self, id: &ComponentId, topic: &Topic, is_in: bool) -> Pending<()> {
        let (node, id, topic) = (self.handle.node.clone(), id.clone(), topic.clone());
        self.handle
            .executor
            .spawn_detached(async move { node.change_subscribers(&topic, &id, is_in).await })
    }

    /// Sends a durable message, as [`Cluster::send_durable`] does, to each subscriber of a topic. The result is there when each of
    /// them has it in the stream, or has failed to: then publish it again with the same id. Publications of one thread come to
    /// each subscriber in the order of publishing. Dropping the result does not take the message back.
    ///
    /// # Errors
    /// [`ClusterError::TooManyRequests`], [`ClusterError::Left`], and [`ClusterError::Record`], [`ClusterError::Server`] and
    /// [`ClusterError::Timeout`] if the subscribers are not known: nothing was sent. Failures of single subscribers are in [`DurablePublished::failed`].
    pub fn publish_durable(
        &self,
        topic: &Topic,
        payload: impl Into<Vec<u8>>,
        options: DurableOptions,
    ) -> Pending<DurablePublished> {
        match self.handle.post.publish(topic, payload.into(), options) {
            Ok(published) => self
                .handle
                .executor
                .spawn(async move { published.await.unwrap_or(Err(ClusterError::Left)) }),
            Err(error) => Pending::ready(Err(error)),
        }
    }

    /// Declares a component, which is to run on one host with these labels of those that
    /// [take part](Cluster::place_components): the same on all of them, whichever host declares it. Declaring it again replaces its labels.
    ///
    /// # Errors
    /// [`ClusterError::PlacementFull`] beyond [`MAX_DECLARED`](crate::MAX_DECLARED) components or
    /// [`MAX_LABELS`](crate::MAX_LABELS); [`ClusterError::PlacementContended`]; [`ClusterError::Record`]; [`ClusterError::Left`];
    /// [`ClusterError::Server`] and [`ClusterError::Timeout`].
    pub fn declare_component(&self, id: &ComponentId, labels: impl IntoIterator<Item = Name>) -> Pending<()> {
        let (node, id) = (self.handle.node.clone(), id.clone());
        let labels = labels.into_iter().collect();
        self.handle
            .executor
            .spawn_detached(async move { node.declare(&id, Some(labels)).await })
    }

    /// Removes a declared component: its host stops it.
    ///
    /// # Errors
    /// [`ClusterError::PlacementContended`]; [`ClusterError::Record`]; [`ClusterError::Left`]; [`ClusterError::Server`] and
    /// [`ClusterError::Timeout`].
    pub fn remove_declared(&self, id: &ComponentId) -> Pending<()> {
        let (node, id) = (self.handle.node.clone(), id.clone());
        self.handle
            .executor
            .spawn_detached(async move { node.declare(&id, None).await })
    }

    /// Takes part in the placement of declared components, as a host with these labels: `placer` starts those that belong here, and
    /// stops those that do not any more. This is looked at after each third of
    /// [`ClusterOptions::with_lease_time`], and after each start. A component is entered in the registry before `placer` starts it,
    /// and withdrawn when `placer` has stopped it; so it starts on its next host only when it has stopped on the one before, unless
    /// that was cut off from the servers, was killed, or left without the time for it. It ends when the host leaves,
    /// which stops what runs then, as far as the time of [`Cluster::leave`] allows. Calling it again replaces the placer and the
    /// labels.
    ///
    /// # Errors
    /// [`ClusterError::PlacementFull`] beyond [`MAX_MEMBERS`](crate::MAX_MEMBERS) hosts or
    /// [`MAX_LABELS`](crate::MAX_LABELS); [`ClusterError::PlacementContended`]; [`ClusterError::Record`]; [`ClusterError::Left`];
    /// [`ClusterError::Server`] and [`ClusterError::Timeout`].
    pub fn place_components(
        &self,
        labels: impl IntoIterator<Item = Name>,
        placer: impl Placer,
    ) -> Pending<()> {
        let post = self.handle.post.clone();
        let labels = labels.into_iter().collect();
        self.handle
            .executor
            .spawn_detached(async move { post.place(labels, Arc::new(placer)).await })
    }

    /// Returns the declared components in order, each with the host that it belongs to at this moment: it may be starting there, or
    /// still be stopping elsewhere ([`Cluster::locate`]). `None`: no live host has its labels.
    ///
    /// # Errors
    /// [`ClusterError::Record`]; [`ClusterError::Server`] and [`ClusterError::Timeout`].
    pub fn placement(&self) -> Pending<Vec<(ComponentId, Option<Name>)>> {
        let node = self.handle.node.clone();
        self.handle.executor.spawn(async move { node.placement().await })
    }

    /// Stores an artifact in the object store of the servers, under the digest of its content, for hosts that lack it. An intact one
    /// that is there stays as it is; a damaged one is replaced. It need not be signed by a key that this host trusts.
    ///
    /// # Errors
    /// [`ClusterError::Artifact`] for a file that cannot be read or is no intact artifact;
    /// [`ClusterError::ArtifactTooLarge`]; [`ClusterError::Stream`] if the store has other limits;
    /// [`ClusterError::Server`], also if it is full; [`ClusterError::Timeout`].
    pub fn publish_artifact(&self, path: impl Into<PathBuf>) -> Pending<ArtifactDigest> {
        let (post, path) = (self.handle.post.clone(), path.into());
        self.handle
            .executor
            .spawn(async move { artifacts::publish(&post.node.options, &post.context, path).await })
    }

    /// Fetches an artifact into a folder of this host, unless it is there already, and returns its file: the digest with the
    /// extension `artifact`. The file has this name only once its digest is right, and a key of `trust` has signed it; so none of
    /// it is mapped before. Load it with the same trust ([`Source::open_artifact`](airssys_wasm::load::Source::open_artifact)).
    ///
    /// Only this user and root should be able to write to the folder. A process that is killed can leave a file with the
    /// extension `part` there, which a fetch of the same artifact removes two hours later.
    ///
    /// # Errors
    /// [`ClusterError::NoArtifact`]; [`ClusterError::ArtifactDigest`] for content that was changed;
    /// [`ClusterError::Artifact`] for an artifact that is unsigned, or not signed by a trusted key;
    /// [`ClusterError::ArtifactTooLarge`]; [`ClusterError::Write`]; [`ClusterError::Read`]; [`ClusterError::Stream`];
    /// [`ClusterError::Server`] and [`ClusterError::Timeout`].
    pub fn fetch_artifact(
        &self,
        digest: &ArtifactDigest,
        folder: impl Into<PathBuf>,
        trust: &Trust,
    ) -> Pending<PathBuf> {
        let (post, digest, trust) = (self.handle.post.clone(), *digest, trust.clone());
        let folder = folder.into();
        self.handle.executor.spawn(async move {
            artifacts::fetch(&post.node.options, &post.context, digest, folder, trust).await
        })
    }

    /// Returns the name of this host.
    pub fn host(&self) -> &Name {
        &self.handle.node.options.host
    }

    /// Returns the state of this host, by its own account.
    pub fn state(&self) -> ClusterState {
        let node = &self.handle.node;
        match (self.handle.post.is_closing(), node.presence.is_held()) {
            (true, _) => ClusterState::Left,
            (false, true) => ClusterState::Joined,
            (false, false) => ClusterState::CutOff,
        }
    }

    /// Returns the numbers of messages and events since the host joined.
    pub fn counters(&self) -> ClusterCounters {
        self.handle.node.counters.snapshot()
    }

    /// Returns the version of the server that the host is connected to, or was last.
    pub fn server_version(&self) -> String {
        self.handle.node.transport.server_version()
    }

    /// Leaves the cluster: no message of another host is accepted any more, those that are being handled are answered,
    /// [placed components](Cluster::place_components) are stopped, and the answers reach the server, as far as `time` allows. Then requests of this host that still wait end with
    /// [`ClusterError::Left`], as do later ones. Dropping the result changes nothing. A second call waits for the first, up to
    /// its own time.
    ///
    /// A part of `time` is kept for giving the host's name back and for the last messages.
    ///
    /// Shut the [`ActorSystem`](airssys_wasm::ActorSystem) down after this, not before.
    ///
    /// # Errors
    /// None.
    pub fn leave(&self, time: Duration) -> Pending<()> {
        // Whole, so that the threads do not end before.
        let handle = self.handle.clone();
        self.handle.executor.spawn_detached(async move {
            handle.post.leave(time).await;
            Ok(())
        })
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("cluster", &self.handle.node.options.cluster)
            .field("host", self.host())
            .finish_non_exhaustive()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let post = self.post.clone();
        self.executor.end_after(async move {
            let time = post.node.options.drain_time;
            post.leave(time).await;
        });
    }
}
