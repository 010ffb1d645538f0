//! Strangers that publish on the cluster's subjects.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use airssys_wasm_cluster::{Cluster, ClusterOptions};
use futures_util::StreamExt;

use crate::{Host, LONG, key, name, options, said, to};
use airssys_wasm_test_support::nats::Server;

/// Runs a stranger's plain client.
pub(crate) fn stranger<T>(server: &Server, act: impl AsyncFnOnce(async_nats::Client) -> T) -> T {
    let url = server.url();
    block_on(async move {
        let client = async_nats::connect(url).await.expect("anyone can connect");
        let done = act(client.clone()).await;
        client.flush().await.expect("it is sent");
        done
    })
}

/// Subscribes, and awaits an answer of the server, which has read the subscription then: `flush` ends when it is written.
async fn listen(client: &async_nats::Client, subject: &'static str) -> async_nats::Subscriber {
    let subscriber = client.subscribe(subject).await.expect("it is written");
    client
        .request("$JS.API.INFO", "".into())
        .await
        .expect("the server answers");
    subscriber
}

async fn heard(subscriber: &mut async_nats::Subscriber) -> async_nats::Message {
    let next = tokio::time::timeout(LONG, subscriber.next()).await;
    next.expect("a message comes").expect("the subscription lasts")
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future)
}

/// Waits until a number of a host is reached.
pub(crate) fn until(cluster: &Cluster, mut reached: impl FnMut(&Cluster) -> bool) {
    let begun = Instant::now();
    while !reached(cluster) {
        assert!(begun.elapsed() < LONG, "{:?}", cluster.counters());
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn counting() -> (Host, Arc<AtomicU64>) {
    let calls = Arc::new(AtomicU64::new(0));
    let counted = calls.clone();
    let host = Host::new(move |_, _| {
        counted.fetch_add(1, Ordering::Relaxed);
        3
    });
    (host, calls)
}

#[test]
fn a_strangers_message_is_counted_and_reaches_no_component() {
    let server = Server::start();
    let (host, calls) = counting();
    let cluster = host.join(options("one", &server));
    let subject = "airssys.v1.test.request.one";
    stranger(&server, async |client| {
        for length in [0, 1, 31, 32, 33, 100, 100_000] {
            let forged = vec![1; length];
            client
                .publish_with_reply(subject, "airssys.v1.test.reply.x.y.z", forged.into())
                .await
                .unwrap();
        }
        client.publish(subject, "newer \u{2}".into()).await.unwrap();
    });
    until(&cluster, |cluster| {
        cluster.counters().forged == 7 && cluster.counters().other_version == 1
    });
    // A host of another key is a stranger too, and gets no answer.
    let other = ClusterOptions::new(name("test"), name("two"), key(8)).with_server(server.url());
    let (second, _) = counting();
    let other = second.join(other.with_request_timeout(Duration::from_millis(500)));
    other
        .send(&to("one/a"), [0])
        .wait()
        .expect_err("it is not answered");
    until(&cluster, |cluster| cluster.counters().forged == 8);
    assert_eq!((calls.load(Ordering::Relaxed), cluster.counters().served), (0, 0));
}

#[test]
fn a_message_that_is_sent_again_is_handled_once_and_answered_once() {
    let server = Server::start();
    let (host, calls) = counting();
    let (first, _) = counting();
    let two = host.join(options("two", &server));
    let one = first.join(options("one", &server));
    // It hears all, and sends it again: to the same subject, another host, and with another place for the reply.
    let request = stranger(&server, async |client| {
        let mut all = listen(&client, "airssys.v1.test.request.two").await;
        assert_eq!(one.send(&to("two/a"), [0]).await.unwrap(), said(3));
        let request = heard(&mut all).await;
        let reply = request.reply.clone().unwrap();
        let copy = || request.payload.clone();
        client
            .publish_with_reply(request.subject.clone(), reply.clone(), copy())
            .await
            .unwrap();
        client
            .publish_with_reply("airssys.v1.test.request.one", reply, copy())
            .await
            .unwrap();
        client
            .publish_with_reply(request.subject.clone(), "$JS.API.INFO", copy())
            .await
            .unwrap();
        client.publish(request.subject.clone(), copy()).await.unwrap();
        request
    });
    until(&two, |two| {
        two.counters().replayed == 1 && two.counters().malformed == 2
    });
    until(&one, |one| one.counters().forged == 1);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert_eq!(two.counters().served, 1);
    assert!(!request.payload.is_empty());
}

#[test]
fn a_request_is_refused_after_its_deadline() {
    let server = Server::start();
    let (host, calls) = counting();
    let (first, _) = counting();
    let one = first.join(options("one", &server).with_request_timeout(Duration::from_millis(200)));
    // Heard while its receiver is away, and sent again later.
    stranger(&server, async |client| {
        let mut all = listen(&client, "airssys.v1.test.request.two").await;
        one.send(&to("two/a"), [0])
            .await
            .expect_err("there is no such host");
        let request = heard(&mut all).await;
        let two = host.join(options("two", &server).with_clock_tolerance(Duration::ZERO));
        tokio::time::sleep(Duration::from_millis(250)).await;
        let reply = request.reply.clone().unwrap();
        client
            .publish_with_reply(request.subject.clone(), reply, request.payload.clone())
            .await
            .unwrap();
        client.flush().await.unwrap();
        until(&two, |two| two.counters().expired == 1);
        assert_eq!(two.counters().served, 0);
    });
    assert_eq!(calls.load(Ordering::Relaxed), 0);
}

#[test]
fn a_forged_reply_does_not_answer() {
    let server = Server::start();
    let (host, _) = counting();
    let (first, _) = counting();
    let two = host.join(options("two", &server));
    let one = first.join(options("one", &server));
    stranger(&server, async |client| {
        let mut all = listen(&client, "airssys.v1.test.request.>").await;
        two.leave(LONG).await.unwrap();
        // In the place of the host that left.
        let waiting = one.send(&to("two/a"), [0]);
        let request = heard(&mut all).await;
        let reply = request.reply.unwrap();
        client.publish(reply.clone(), vec![1; 100].into()).await.unwrap();
        client.publish(reply, request.payload).await.unwrap();
        client
            .publish("airssys.v1.test.reply.one", "x".into())
            .await
            .unwrap();
        client.flush().await.unwrap();
        until(&one, |one| one.counters().forged == 2);
        assert_eq!(one.counters().replies, 0);
        drop(waiting);
    });
}
