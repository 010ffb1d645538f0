//! Results where wasmer-wasix alone is wrong, on every backend; and the table of those that stay wrong.
//!
//! Based on the preview 1 programs of WebAssembly/wasi-testsuite, which revealed these.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use airssys_wasm::engine::Engine;
use airssys_wasm::wasi::preview1::Preview1;

use super::answers::{DIFFERENT, RIGHT};
use super::guest::{Guest, Kind};
use super::{Scene, engines, run};

fn scene(name: &str) -> Scene {
    let scene = Scene::new(name);
    fs::create_dir(scene.granted().join("full")).unwrap();
    fs::write(scene.granted().join("full/one"), "one").unwrap();
    #[cfg(unix)]
    for (contents, link) in [("loop", "loop"), ("inner", "symdir"), ("nothing", "dangling")] {
        std::os::unix::fs::symlink(contents, scene.granted().join(link)).unwrap();
    }
    scene
}

/// Returns the distinct statuses or errors of a program with one folder, `/data`: one, if the engines agree.
fn found(test: &str, engines: &[Engine], kind: Kind, make: fn(&mut Guest) -> String) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for engine in engines {
        let scene = scene(test);
        let mut guest = Guest::new(kind);
        let body = make(&mut guest);
        let deadline = Instant::now().checked_add(Duration::from_secs(20));
        let grants = Preview1::new().folder(scene.granted(), "/data", true).unwrap();
        let ended = run(engine, &guest.program(&body), grants.deadline(deadline));
        found.insert(match ended {
            Ok(ended) => ended.status.to_string(),
            Err(error) => error.to_string(),
        });
    }
    found
}

#[cfg(unix)]
#[test]
fn answers_are_those_of_the_specification_and_of_linux() {
    // The imports are the same on each backend; the other tests here run on all.
    let engines = &engines()[..1];
    let mut wrong = Vec::new();
    for (what, right, make) in RIGHT {
        let found = found("right", engines, Kind::Plain, *make);
        if found != BTreeSet::from([right.to_string()]) {
            wrong.push(format!("{what}: {found:?} in the place of {right}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[cfg(unix)]
#[test]
fn what_differs_is_in_the_document() {
    let document = include_str!("../../docs/preview1.md");
    let rows: Vec<Vec<&str>> = document
        .lines()
        .skip_while(|line| !line.starts_with("| call "))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let listed: Vec<Vec<String>> = DIFFERENT
        .iter()
        .map(|(what, right, here, _, _)| vec![(*what).to_owned(), right.text(), here.text()])
        .collect();
    assert_eq!(rows, listed);
    for (what, right, here, kind, make) in DIFFERENT {
        assert_ne!(right, here);
        let found = found("different", &engines(), *kind, *make);
        assert_eq!(found, BTreeSet::from([here.status().to_string()]), "{what}");
    }
}

/// A clock's number, nanoseconds, and the flag for absolute times.
type Subscription = (u32, u64, bool);

/// Waits for clocks. The status is the number of events and their user data, a digit each.
fn clocks(subscriptions: &[Subscription]) -> String {
    let mut body = String::new();
    for (place, (clock, nanoseconds, absolute)) in subscriptions.iter().enumerate() {
        let at = 100 + 48 * place;
        let time = match absolute {
            false => format!("(i64.const {nanoseconds})"),
            true => {
                body += &format!(
                    "(drop (call $clock_time_get (i32.const {clock}) (i64.const 1) (i32.const 16)))"
                );
                format!("(i64.add (i64.load (i32.const 16)) (i64.const {nanoseconds}))")
            }
        };
        body += &format!(
            "(i64.store (i32.const {at}) (i64.const {})) (i32.store (i32.const {}) (i32.const {clock}))
             (i64.store (i32.const {}) {time}) (i32.store16 (i32.const {}) (i32.const {}))",
            place + 1,
            at + 16,
            at + 24,
            at + 40,
            u32::from(*absolute),
        );
    }
    let count = subscriptions.len();
    body + &format!(
        "(if (call $poll_oneoff (i32.const 100) (i32.const 1000) (i32.const {count}) (i32.const 16)) (then unreachable))
         (i32.add (i32.mul (i32.load (i32.const 16)) (i32.const 100))
            (i32.add (i32.mul (i32.load (i32.const 1000)) (i32.const 10)) (i32.load (i32.const 1032))))"
    )
}

#[test]
fn each_clock_rings_at_its_own_time() {
    const MS: u64 = 1_000_000;
    let (realtime, monotonic) = (0, 1);
    let cases: [(&[Subscription], u32, Duration); 7] = [
        (
            &[(monotonic, 300 * MS, false), (monotonic, 20 * MS, false)],
            120,
            Duration::from_millis(20),
        ),
        (
            &[(monotonic, 20 * MS, false), (realtime, 300 * MS, false)],
            110,
            Duration::from_millis(20),
        ),
        (&[(realtime, 20 * MS, true)], 110, Duration::from_millis(19)),
        (&[(monotonic, 20 * MS, true)], 110, Duration::from_millis(19)),
        (
            &[(realtime, 20 * MS, true), (monotonic, 300 * MS, true)],
            110,
            Duration::from_millis(19),
        ),
        (&[(monotonic, 0, false)], 110, Duration::ZERO),
        (
            &[(monotonic, 0, false), (realtime, 0, false)],
            212,
            Duration::ZERO,
        ),
    ];
    for engine in engines() {
        for (subscriptions, right, least) in &cases {
            let program = Guest::new(Kind::Plain).program(&clocks(subscriptions));
            let start = Instant::now();
            let deadline = start.checked_add(Duration::from_secs(20));
            let ended = run(&engine, &program, Preview1::new().deadline(deadline));
            let took = start.elapsed();
            assert_eq!(
                ended.unwrap().status,
                *right,
                "{}: {subscriptions:?}",
                engine.backend()
            );
            assert!(took >= *least, "{subscriptions:?} took {took:?}");
        }
    }
}

#[test]
fn several_folders_stand_behind_the_one_that_holds_them() {
    let scene = scene("several");
    let grants = Preview1::new().folder(scene.granted(), "/one", true).unwrap();
    let grants = grants.folder(scene.granted().join("inner"), "two", true).unwrap();
    let body = "(local.set $one (i32.const 3))
        (loop $on
            (if (i32.eqz (call $fd_prestat_get (local.get $one) (i32.const 16)))
                (then (local.set $one (i32.add (local.get $one) (i32.const 1))) (br $on))))
        (local.get $one)";
    for engine in engines() {
        let program = Guest::new(Kind::Plain).program(body);
        assert_eq!(run(&engine, &program, grants.clone()).unwrap().status, 6);
    }
}
