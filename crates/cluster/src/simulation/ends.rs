//! Single failures, each in a world without others.

use std::sync::Arc;
use std::time::Duration;

use airssys_wasm::actors::SendOptions;
use airssys_wasm::messaging::Topic;
use bytes::Bytes;
use tokio::time::{Instant, sleep};

use super::process::{MOVED, Process, host, id};
use super::schedule::Plan;
use super::world::World;
use crate::envelope::Kind;
use crate::error::ClusterError;
use crate::key::ClusterKey;
use crate::lease::token;
use crate::names::Address;
use crate::placement::Labels;

/// Time of each way to the servers, at most.
const DELAY: Duration = Duration::from_millis(20);

fn run(test: impl AsyncFnOnce(Arc<World>, Plan)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let mut plan = Plan::of(1);
    (plan.lease, plan.tolerance, plan.skew) = (5000, 500, 0);
    runtime.block_on(async {
        let world = World::new(1, ClusterKey::new(&[7; 32]).unwrap(), (0, 0, DELAY));
        test(world, plan).await;
    });
}

#[test]
fn a_withdrawal_that_had_no_answer_is_made_up() {
    run(async |world, plan| {
        let (one, two) = (
            Process::join(&world, &plan, 0).await,
            Process::join(&world, &plan, 1).await,
        );
        let moved = id(MOVED[0]);
        one.announce(&moved).await.unwrap();
        world.lock().lost = 1000;
        let withdrawn = one.node.withdraw(&moved).await;
        assert!(
            matches!(withdrawn, Err(ClusterError::Timeout { .. })),
            "{withdrawn:?}"
        );
        world.lock().lost = 0;
        assert!(!one.node.presence.is_announced(&moved));
        let refused = two.announce(&moved).await;
        assert!(
            matches!(refused, Err(ClusterError::Announced { .. })),
            "{refused:?}"
        );
        sleep(Duration::from_millis(plan.lease)).await;
        two.announce(&moved).await.unwrap();
        assert!(one.node.presence.is_held() && two.node.presence.holds(&moved));

        // One that is announced again meanwhile stays.
        world.lock().lost = 1000;
        assert!(two.node.withdraw(&moved).await.is_err());
        world.lock().lost = 0;
        two.announce(&moved).await.unwrap();
        sleep(Duration::from_millis(plan.lease)).await;
        assert!(two.node.presence.holds(&moved));
        assert!(one.announce(&moved).await.is_err());
    });
}

#[test]
fn an_announcement_that_had_no_answer_is_taken_back() {
    run(async |world, plan| {
        let (one, two) = (
            Process::join(&world, &plan, 0).await,
            Process::join(&world, &plan, 1).await,
        );
        let moved = id(MOVED[0]);
        let (node, id) = (one.node.clone(), moved.clone());
        let announced = tokio::spawn(async move { node.announce(&id).await });
        // What is sent arrives, and the answer to the write comes late.
        while world.written("component.first") == 0 {
            tokio::task::yield_now().await;
            sleep(Duration::from_micros(10)).await;
        }
        world.lock().lines[one.line].is_cut = true;
        let announced = announced.await.unwrap();
        assert!(
            matches!(announced, Err(ClusterError::Timeout { .. })),
            "{announced:?}"
        );
        world.lock().lines[one.line].is_cut = false;
        assert!(two.announce(&moved).await.is_err(), "it took effect");
        sleep(Duration::from_millis(plan.lease)).await;
        two.announce(&moved).await.unwrap();
    });
}

#[test]
fn a_record_that_cannot_be_read_is_not_taken_for_an_empty_one() {
    run(async |world, plan| {
        let one = Process::join(&world, &plan, 0).await;
        let node = &one.node;
        let topic = Topic::new("orders").unwrap();
        node.declare(&id("a"), Some(Labels::new())).await.unwrap();
        node.change_subscribers(&topic, &id("a"), true).await.unwrap();
        assert_eq!(node.placement().await.unwrap().len(), 1);

        let of_topic = format!("topic.{}", token("orders"));
        let mut revisions = Vec::new();
        for name in ["placement.declared", &*of_topic] {
            let (revision, good) = node.transport.read(name).await.unwrap().unwrap();
            let mut bad = good.to_vec();
            bad[40] ^= 1;
            let written = node.transport.write(name, bad.into(), revision).await;
            revisions.push(written.unwrap().unwrap());
        }
        let is_record = |error: Result<(), ClusterError>, name: &str| {
            assert!(
                matches!(&error, Err(ClusterError::Record { key, .. }) if key == name),
                "{error:?}"
            );
            let text = error.unwrap_err().to_string();
            assert!(
                text.contains("nats kv del airssys-v1-simulated-registry"),
                "{text}"
            );
        };
        is_record(node.placement().await.map(drop), "placement.declared");
        is_record(
            node.declare(&id("b"), Some(Labels::new())).await,
            "placement.declared",
        );
        is_record(node.change_subscribers(&topic, &id("b"), true).await, &of_topic);
        is_record(node.change_subscribers(&topic, &id("a"), false).await, &of_topic);

        // As the server marks keys that were removed.
        for (name, revision) in ["placement.declared", &*of_topic].into_iter().zip(revisions) {
            let removed = node.transport.write(name, Bytes::new(), revision).await;
            removed.unwrap().unwrap();
        }
        assert!(node.placement().await.unwrap().is_empty());
        node.declare(&id("b"), Some(Labels::new())).await.unwrap();
        node.change_subscribers(&topic, &id("b"), true).await.unwrap();
    });
}

#[test]
fn leaving_a_second_time_waits_for_the_first() {
    run(async |world, plan| {
        let one = Process::join(&world, &plan, 0).await;
        let node = one.node.clone();
        let first = tokio::spawn(async move { node.leave(Duration::from_secs(4)).await });
        tokio::task::yield_now().await;
        assert!(one.node.is_closing());
        // With less time than the first needs.
        one.node.leave(Duration::ZERO).await;
        assert!(!first.is_finished() && one.is_alive());
        one.node.leave(Duration::from_secs(4)).await;
        assert!(!one.is_alive(), "the first has ended the connection");
        first.await.unwrap();
        // The name is free at once.
        let begun = Instant::now();
        Process::join(&world, &plan, 0).await;
        assert!(begun.elapsed() < Duration::from_millis(plan.lease / 4));
    });
}

#[test]
fn leaving_stays_within_its_time_without_the_servers() {
    run(async |world, plan| {
        let one = Process::join(&world, &plan, 0).await;
        world.lock().lines[one.line].is_cut = true;
        let (begun, time) = (Instant::now(), Duration::from_millis(700));
        one.node.leave(time).await;
        // Timers have whole milliseconds.
        let elapsed = begun.elapsed();
        assert!(elapsed <= time + Duration::from_millis(2), "{elapsed:?}");
    });
}

#[test]
fn a_name_is_given_back_after_a_renewal_without_an_answer() {
    run(async |world, plan| {
        let one = Process::join(&world, &plan, 0).await;
        let before = world.written("host.host-0");
        while world.written("host.host-0") == before {
            sleep(Duration::from_micros(10)).await;
        }
        // The answer to the renewal comes after the last one that waited for it is gone.
        world.lock().lines[one.line].is_cut = true;
        sleep(Duration::from_millis(1200)).await;
        world.lock().lines[one.line].is_cut = false;
        one.node.leave(Duration::from_secs(4)).await;
        let begun = Instant::now();
        Process::join(&world, &plan, 0).await;
        assert!(begun.elapsed() < Duration::from_millis(plan.lease / 4));
    });
}

#[test]
fn requests_whose_results_were_dropped_do_not_fill_the_memory() {
    run(async |world, plan| {
        let one = Process::join(&world, &plan, 0).await;
        world.lock().lines[one.line].is_full = true;
        let to = Address::new(host(1), id("own"));
        let time = Some(Duration::from_secs(3));
        let body = || crate::body::request(b"", &SendOptions::new());
        let post = || {
            let posted = one.node.post_request(to.clone(), Kind::Request, body(), time);
            posted.map(drop)
        };
        for _ in 0..one.node.options.max_requests {
            post().unwrap();
        }
        let refused = post();
        assert!(
            matches!(refused, Err(ClusterError::TooManyRequests { .. })),
            "{refused:?}"
        );
        // Their time ends, though the client never takes one.
        sleep(Duration::from_secs(4)).await;
        post().unwrap();
    });
}
