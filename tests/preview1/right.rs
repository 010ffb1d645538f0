//! Results where wasmer-wasix alone is wrong, on every backend; and the table of those that stay wrong.
//!
//! Based on the preview 1 programs of WebAssembly/wasi-testsuite, which revealed these.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use airssys_wasm::engine::Engine;
use airssys_wasm::wasi::preview1::Preview1;
use airssys_wasm::wasi::{FsPerms, WasiCtxBuilder};

use super::answers::{Make, RIGHT};
use super::different::DIFFERENT;
use super::guest::{Guest, Kind};
use super::names::NAMES;
use super::{Scene, engines, own, run};

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

/// Statuses of a program that has one folder, `/data`, or its errors: one, if the engines agree.
fn found(test: &str, engines: &[Engine], kind: Kind, make: Make) -> BTreeSet<String> {
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

/// The same by this host's own WASI. The status of a process has eight bits.
fn found_by_own(test: &str, engines: &[Engine], make: Make) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for engine in engines {
        let scene = scene(test);
        let mut guest = Guest::new(Kind::Plain);
        let body = make(&mut guest);
        let mut grants = WasiCtxBuilder::new();
        grants
            .preopened_dir(scene.granted(), "/data", FsPerms::ReadWrite)
            .expect("it is a folder");
        found.insert(match own::run_module(engine, &guest.program(&body), &grants) {
            Ok(exit) => exit.code.to_string(),
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
    for (what, right, make) in RIGHT.iter().chain(NAMES) {
        let found = found("right", engines, Kind::Plain, *make);
        if found != BTreeSet::from([right.to_string()]) {
            wrong.push(format!("{what}: {found:?} in the place of {right}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The memory of a module with threads is not looked at.
#[cfg(unix)]
#[test]
fn closing_holds_in_a_module_with_shared_memory() {
    let cases = RIGHT.iter().filter(|(what, ..)| what.contains("was closed"));
    let mut count = 0;
    for (what, right, make) in cases {
        let found = found("shared", &engines()[..1], Kind::Shared, *make);
        assert_eq!(found, BTreeSet::from([right.to_string()]), "{what}");
        count += 1;
    }
    assert!(count >= 8, "{count} cases");
}

#[cfg(unix)]
#[test]
fn own_answers_are_those_of_the_specification_and_of_linux() {
    let engines = &engines()[..1];
    let mut wrong = Vec::new();
    for (what, right, make) in RIGHT.iter().chain(NAMES) {
        let found = found_by_own("own-right", engines, *make);
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
    let rows: Vec<Vec<String>> = document
        .lines()
        .skip_while(|line| !line.starts_with("| call "))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells = line.trim_matches('|').split('|');
            cells.map(|cell| cell.trim().to_owned()).collect()
        })
        .collect();
    let listed: Vec<Vec<String>> = DIFFERENT
        .iter()
        .map(|row| {
            let program = match row.program {
                "" => String::new(),
                program => format!("`{program}`"),
            };
            vec![row.call.to_owned(), row.right.text(), row.here.text(), program]
        })
        .collect();
    let mut wrong = Vec::new();
    for row in DIFFERENT {
        assert_ne!(row.right, row.here, "{}", row.call);
        let host = found("different", &engines(), row.kind, row.make);
        if host != BTreeSet::from([row.here.status().to_string()]) {
            wrong.push(format!("{}: {host:?} in the place of {:?}", row.call, row.here));
        }
        if row.kind != Kind::Plain {
            continue;
        }
        let own = found_by_own("own-different", &engines(), row.make);
        if own != BTreeSet::from([(row.right.status() & 0xff).to_string()]) {
            wrong.push(format!(
                "{}: {own:?} by our own in the place of {:?}",
                row.call, row.right
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(rows, listed);
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
    // A time that no test reaches.
    const LATER: u64 = 300_000 * MS;
    let (realtime, monotonic) = (0, 1);
    let cases: [(&[Subscription], u32, Duration); 7] = [
        (
            &[(monotonic, LATER, false), (monotonic, 20 * MS, false)],
            120,
            Duration::from_millis(20),
        ),
        (
            &[(monotonic, 20 * MS, false), (realtime, LATER, false)],
            110,
            Duration::from_millis(20),
        ),
        (&[(realtime, 20 * MS, true)], 110, Duration::from_millis(19)),
        (&[(monotonic, 20 * MS, true)], 110, Duration::from_millis(19)),
        (
            &[(realtime, 20 * MS, true), (monotonic, LATER, true)],
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
