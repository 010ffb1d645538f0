//! `wast`: passed, failed and unsupported directives are counted separately.

use airssys_wasm::engine::Backend;
use serde_json::json;

use crate::process::{airssys, scratch_file};

const PASSING: &str = r#"
(component
  (core module $m
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "stop") unreachable))
  (core instance $i (instantiate $m))
  (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
  (func (export "stop") (canon lift (core func $i "stop"))))

(assert_return (invoke "add" (u32.const 1) (u32.const 2)) (u32.const 3))
(assert_trap (invoke "stop") "unreachable")
(assert_invalid (component (export "x" (func 0))) "function index out of bounds")
(assert_malformed (component quote "(nonsense)") "unexpected token")
(component definition $D (import "missing" (func)))
(assert_unlinkable (component (import "missing" (func))) "missing")
"#;

const FAILING: &str = r#"(component
  (core module $m (func (export "one") (result i32) (i32.const 1)))
  (core instance $i (instantiate $m))
  (func (export "one") (result u32) (canon lift (core func $i "one"))))
(assert_return (invoke "one") (u32.const 2))
(assert_trap (invoke "one") "unreachable")
(assert_return (invoke "two") (u32.const 2))
(assert_invalid (component) "anything")
(component (import "missing" (func)))
(assert_return (invoke "one") (u32.const 1))
"#;

const UNSUPPORTED: &str = r#"(component $A
  (core module $m (func (export "f")))
  (core instance $i (instantiate $m))
  (func (export "f") async (canon lift (core func $i "f") async)))
(assert_return (invoke "f"))
(module)
"#;

#[test]
fn what_passes_is_counted() {
    let script = scratch_file("passing.wast", PASSING.as_bytes());
    let ran = airssys(&["wast", &script]).ended(0);
    assert!(
        ran.stdout.ends_with("\n7 passed, 0 failed, 0 unsupported\n"),
        "{ran:?}"
    );
}

#[test]
fn every_backend_is_one_line() {
    let script = scratch_file("backends.wast", PASSING.as_bytes());
    let ran = airssys(&["wast", &script, "--backend", "all"]).ended(0);
    for backend in Backend::available() {
        let line = format!("[{backend}]: 7 passed, 0 failed, 0 unsupported");
        assert!(ran.stdout.contains(&line), "{ran:?}");
    }
}

#[test]
fn what_fails_is_shown_with_its_line() {
    let script = scratch_file("failing.wast", FAILING.as_bytes());
    let ran = airssys(&["wast", &script]).ended(1);
    for text in [
        "line 5: expected 2\n      got 1",
        "line 6: expected trap: unreachable\n      got 1",
        "line 7: expected 2\n      got there is no exported item `two`",
        "line 8: expected invalid: anything\n      got it is accepted",
        "line 9: expected an instance\n      got import `missing` is missing",
        "line 10: expected an instance\n      got it failed in line 9",
        "\n1 passed, 6 failed, 0 unsupported\n",
    ] {
        assert!(ran.stdout.contains(text), "{text:?} is not in {ran:?}");
    }
}

#[test]
fn what_is_unsupported_is_named() {
    let script = scratch_file("unsupported.wast", UNSUPPORTED.as_bytes());
    let ran = airssys(&["wast", &script]).ended(0);
    assert!(
        ran.stdout
            .contains("unsupported: component-model-async-stackful: 2 (line 1, 5)"),
        "{ran:?}"
    );
    assert!(
        ran.stdout
            .contains("unsupported: core modules outside of components: 1 (line 6)"),
        "{ran:?}"
    );
    assert!(
        ran.stdout.ends_with("\n0 passed, 0 failed, 3 unsupported\n"),
        "{ran:?}"
    );
}

#[test]
fn json_has_the_same() {
    let passing = scratch_file("json-passing.wast", PASSING.as_bytes());
    let failing = scratch_file("json-failing.wast", FAILING.as_bytes());
    let json = airssys(&["wast", "--json", &passing, &failing, "--backend", "cranelift"])
        .ended(1)
        .json();
    assert_eq!(json["passed"], 8);
    assert_eq!(json["failed"], 6);
    assert_eq!(json["unsupported"], 0);
    assert_eq!(json["files"][0]["file"], passing);
    assert_eq!(json["files"][0]["backend"], "cranelift");
    assert_eq!(json["files"][0]["failures"], json!([]));
    assert_eq!(
        json["files"][1]["failures"][0],
        json!({"line": 5, "expected": "2", "got": "1"})
    );
}

#[test]
fn instances_are_handed_on_by_register() {
    let script = scratch_file(
        "register.wast",
        br#"
(component $A
  (core module $m (func (export "twice") (param i32) (result i32) (i32.mul (i32.const 2) (local.get 0))))
  (core instance $i (instantiate $m))
  (func (export "twice") (param "n" u32) (result u32) (canon lift (core func $i "twice"))))
(register "a" $A)
(component
  (import "a" (instance $a (export "twice" (func (param "n" u32) (result u32)))))
  (core func $twice (canon lower (func $a "twice")))
  (core module $m
    (import "" "twice" (func $twice (param i32) (result i32)))
    (func (export "four-times") (param i32) (result i32) (call $twice (call $twice (local.get 0)))))
  (core instance $i (instantiate $m (with "" (instance (export "twice" (func $twice))))))
  (func (export "four-times") (param "n" u32) (result u32) (canon lift (core func $i "four-times"))))
(assert_return (invoke "four-times" (u32.const 10)) (u32.const 40))
(assert_return (invoke $A "twice" (u32.const 4)) (u32.const 8))
(assert_unlinkable
  (component (import "a" (instance (export "twice" (func (param "n" u64) (result u32))))))
  "wrong type")
"#,
    );
    let ran = airssys(&["wast", &script, "--backend", "all"]).ended(0);
    let count = Backend::available().len() * 6;
    assert!(
        ran.stdout
            .ends_with(&format!("\n{count} passed, 0 failed, 0 unsupported\n")),
        "{ran:?}"
    );
}

#[test]
fn the_host_instance_is_an_option() {
    let script = scratch_file(
        "host-instance.wast",
        br#"
(component
  (import "host" (instance $host
    (export "return-three" (func (result u32)))
    (export "resource1" (type $r (sub resource)))
    (export "[constructor]resource1" (func (param "r" u32) (result (own $r))))
    (export "[static]resource1.drops" (func (result u32)))))
  (alias export $host "resource1" (type $r))
  (core func $three (canon lower (func $host "return-three")))
  (core func $new (canon lower (func $host "[constructor]resource1")))
  (core func $drops (canon lower (func $host "[static]resource1.drops")))
  (core func $drop (canon resource.drop $r))
  (core module $m
    (import "" "three" (func $three (result i32)))
    (import "" "new" (func $new (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (import "" "drops" (func $drops (result i32)))
    (func (export "run") (result i32)
      (call $drop (call $new (i32.const 7)))
      (call $drop (call $new (i32.const 8)))
      (i32.add (call $three) (call $drops))))
  (core instance $i (instantiate $m (with "" (instance
    (export "three" (func $three)) (export "new" (func $new))
    (export "drop" (func $drop)) (export "drops" (func $drops))))))
  (func (export "run") (result u32) (canon lift (core func $i "run"))))
(assert_return (invoke "run") (u32.const 5))
"#,
    );
    let with = airssys(&["wast", &script, "--host-instance"]).ended(0);
    assert!(
        with.stdout.ends_with("\n2 passed, 0 failed, 0 unsupported\n"),
        "{with:?}"
    );
    let without = airssys(&["wast", &script]).ended(1);
    assert!(without.stdout.contains("import `host` is missing"), "{without:?}");
}

/// wasmtime's scripts import it from the instance `host`.
#[test]
fn the_core_module_of_the_host_instance_can_be_imported() {
    let script = scratch_file(
        "host-module.wast",
        br#"
(component
  (import "host" (instance $host (export "simple-module" (core module
    (export "g" (global i32)) (export "f" (func (result i32)))))))
  (alias export $host "simple-module" (core module $m))
  (core instance $i (instantiate $m))
  (func (export "f") (result u32) (canon lift (core func $i "f"))))
(assert_return (invoke "f") (u32.const 101))
(assert_unlinkable
  (component (import "simple-module" (core module (export "f" (func (result i64))))))
  "incompatible import type")
"#,
    );
    let ran = airssys(&["wast", &script, "--host-instance", "--backend", "all"]).ended(0);
    let passed = format!(
        "\n{} passed, 0 failed, 0 unsupported\n",
        3 * Backend::available().len()
    );
    assert!(ran.stdout.ends_with(&passed), "{ran:?}");
    let without = airssys(&["wast", &script]).ended(1);
    assert!(without.stdout.contains("import `host` is missing"), "{without:?}");
}

#[test]
fn a_guest_that_never_ends_is_stopped() {
    let script = scratch_file(
        "loop.wast",
        br#"
(component
  (core module $m (func (export "spin") (loop (br 0))))
  (core instance $i (instantiate $m))
  (func (export "spin") (canon lift (core func $i "spin"))))
(assert_trap (invoke "spin") "wasm trap: interrupt")
"#,
    );
    airssys(&["wast", &script]).ended(0);
}

#[test]
fn scripts_that_cannot_be_read() {
    airssys(&["wast", "no-such-file.wast"])
        .ended(3)
        .says("no-such-file.wast");
    let broken = scratch_file("broken.wast", b"(component\n  (nonsense))");
    let ran = airssys(&["wast", &broken]).ended(1);
    assert!(ran.stdout.contains("line 2: expected a script"), "{ran:?}");
    let binary = scratch_file("binary.wast", b"\xff\xfe");
    airssys(&["wast", &binary]).ended(3).says("cannot be read");
    let empty = scratch_file("empty.wast", b"");
    airssys(&["wast", &empty, "--backend", "nonsense"])
        .ended(2)
        .says("is not an engine");
}

/// wasmtime's scripts import these functions at the root.
#[test]
fn the_functions_at_the_root_come_with_the_host_instance() {
    let script = scratch_file(
        "host-root.wast",
        br#"
(component
  (import "host-return-two" (func $two (result u32)))
  (import "host-echo-u32" (func $echo (param "v" u32) (result u32)))
  (core func $two (canon lower (func $two)))
  (core func $echo (canon lower (func $echo)))
  (core module $m
    (import "" "two" (func $two (result i32)))
    (import "" "echo" (func $echo (param i32) (result i32)))
    (func (export "run") (result i32) (i32.add (call $two) (call $echo (i32.const 40)))))
  (core instance $i (instantiate $m (with "" (instance (export "two" (func $two)) (export "echo" (func $echo))))))
  (func (export "run") (result u32) (canon lift (core func $i "run"))))
(assert_return (invoke "run") (u32.const 42))
"#,
    );
    let ran = airssys(&["wast", &script, "--host-instance", "--backend", "all"]).ended(0);
    let passed = format!(
        "\n{} passed, 0 failed, 0 unsupported\n",
        2 * Backend::available().len()
    );
    assert!(ran.stdout.ends_with(&passed), "{ran:?}");
    airssys(&["wast", &script]).ended(1);
}

/// The host's second name for a resource type denotes that type and no other; unused imports are checked, too.
#[test]
fn resource_types_that_differ_from_the_host_s_do_not_link() {
    let used = r#"(export "return-three" (func (result u32))))) (alias export $h "return-three" (func $c))
        (core func $lc (canon lower (func $c)))
        (core module $m (import "" "c" (func (result i32))))
        (core instance (instantiate $m (with "" (instance (export "c" (func $lc))))))"#;
    let component = |alias: &str, rest: &str| {
        format!(
            r#"(component (import "host" (instance $h
                (export "resource1" (type $one (sub resource))) (export "resource2" (type $two (sub resource)))
                (export "resource1-again" (type (eq {alias}))) {rest})"#
        )
    };
    let script = format!(
        r#"{} {} (assert_unlinkable {} "mismatched resource types") (assert_unlinkable {} "mismatched resource types")"#,
        component("$one", used),
        component("$one", "))"),
        component("$two", used),
        component("$two", "))"),
    );
    let script = scratch_file("resource-eq.wast", script.as_bytes());
    let ran = airssys(&["wast", &script, "--host-instance", "--backend", "all"]).ended(0);
    let passed = format!(
        "\n{} passed, 0 failed, 0 unsupported\n",
        4 * Backend::available().len()
    );
    assert!(ran.stdout.ends_with(&passed), "{ran:?}");
}

#[test]
fn named_components_can_be_imported_by_their_names() {
    let script = scratch_file(
        "named.wast",
        br#"
(component $maker
  (core module $m
    (global $last (mut i32) (i32.const 0))
    (func (export "drop") (param i32) (global.set $last (local.get 0)))
    (func (export "last") (result i32) (global.get $last)))
  (core instance $i (instantiate $m))
  (type $thing' (resource (rep i32) (dtor (core func $i "drop"))))
  (core func $new (canon resource.new $thing'))
  (core module $n (import "" "new" (func $new (param i32) (result i32)))
    (func (export "make") (param i32) (result i32) (call $new (local.get 0))))
  (core instance $j (instantiate $n (with "" (instance (export "new" (func $new))))))
  (export $thing "thing" (type $thing'))
  (type $point' (record (field "x" u32)))
  (export $point "point" (type $point'))
  (func (export "make") (param "rep" u32) (result (own $thing)) (canon lift (core func $j "make")))
  (func (export "last") (result u32) (canon lift (core func $i "last"))))
(component $User
  (import "maker" (instance $maker
    (export "thing" (type $t (sub resource)))
    (export "make" (func (param "rep" u32) (result (own $t))))))
  (alias export $maker "thing" (type $t))
  (core func $make (canon lower (func $maker "make")))
  (core func $drop (canon resource.drop $t))
  (core module $m
    (import "" "make" (func $make (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func (export "run") (call $drop (call $make (i32.const 7)))))
  (core instance $i (instantiate $m (with "" (instance (export "make" (func $make)) (export "drop" (func $drop))))))
  (func (export "run") (canon lift (core func $i "run"))))
(assert_return (invoke "run"))
(assert_return (invoke $maker "last") (u32.const 7))
(assert_unlinkable (component (import "maker" (instance (export "last" (func (result u64)))))) "wrong type")
(assert_unlinkable (component (import "maker" (instance
  (type $p (record (field "y" u32))) (export "point" (type (eq $p)))))) "wrong type")
(assert_unlinkable (component (import "maker" (instance
  (type $p (record (field "x" u32))) (export "pixel" (type (eq $p)))))) "missing")
(component (import "maker" (instance (type $p (record (field "x" u32))) (export "point" (type (eq $p))))))
;; Each instance has resource types of its own.
(component definition $D (type $a (resource (rep i32))) (export "a" (type $a)))
(component instance $D1 $D)
(component instance $D2 $D)
(component (import "D1" (instance (export "a" (type (sub resource))))))
(assert_unlinkable
  (component (import "D1" (instance $d (export "a" (type (sub resource))))) (alias export $d "a" (type $a))
    (import "D2" (instance (alias outer 1 $a (type $o)) (export "a" (type (eq $o))))))
  "mismatched resource types")
"#,
    );
    let ran = airssys(&["wast", &script, "--backend", "all"]).ended(0);
    let passed = format!(
        "\n{} passed, 0 failed, 0 unsupported\n",
        13 * Backend::available().len()
    );
    assert!(ran.stdout.ends_with(&passed), "{ran:?}");
}

#[test]
fn a_script_that_never_ends_has_a_deadline() {
    let spin = r#"(component
  (core module $m (func (export "spin") (loop (br 0))))
  (core instance $i (instantiate $m))
  (func (export "spin") (canon lift (core func $i "spin"))))
"#;
    let mut script = format!("{spin}(assert_trap (invoke \"spin\") \"interrupt\")\n").repeat(20);
    script.push_str("(assert_return (invoke \"spin\"))");
    let script = scratch_file("endless.wast", script.as_bytes());
    let started = std::time::Instant::now();
    let ran = airssys(&["wast", &script, "--timeout", "900", "--call-timeout", "300"]).ended(1);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    assert!(
        ran.stdout.contains("expected the script's end within 900 ms"),
        "{ran:?}"
    );
    assert!(ran.stdout.contains("got timeout: this directive and "), "{ran:?}");
    let json = airssys(&[
        "wast",
        &script,
        "--timeout",
        "900",
        "--call-timeout",
        "300",
        "--json",
    ])
    .ended(1)
    .json();
    let all = ["passed", "failed", "unsupported"].map(|part| json[part].as_u64().expect("a number"));
    assert_eq!(all.iter().sum::<u64>(), 41, "nothing is left out: {json}");
    for (flag, value) in [
        ("--timeout", "0"),
        ("--timeout", "86400001"),
        ("--call-timeout", "-1"),
        ("--memory-limit", "0"),
        ("--memory-limit", "4097"),
    ] {
        airssys(&["wast", &script, &format!("{flag}={value}")])
            .ended(2)
            .says(flag);
    }
}

#[test]
fn memory_has_a_limit_only_if_one_is_given() {
    let script = scratch_file(
        "large.wast",
        br#"
(component
  (core module $m (memory 1) (func (export "grow") (result i32) (memory.grow (i32.const 20000))))
  (core instance $i (instantiate $m))
  (func (export "grow") (result u32) (canon lift (core func $i "grow"))))
(assert_return (invoke "grow") (u32.const 1))
"#,
    );
    airssys(&["wast", &script, "--backend", "all"]).ended(0);
    let ran = airssys(&["wast", &script, "--memory-limit", "1000"]).ended(1);
    assert!(ran.stdout.contains("got 4294967295"), "{ran:?}");
}
