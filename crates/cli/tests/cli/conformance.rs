//! `conformance`: engines that agree, engines that differ, and invalid lists of calls.

use airssys_wasm::engine::Backend;

use crate::process::{airssys, fixture, scratch_file};

/// A component whose results depend on the engine: the NaN that results from two. The component is in text form.
const NAN: &str = r#"
(component
  (core module $m
    (func $nan (param i32 i32) (result f32)
      (f32.min (f32.reinterpret_i32 (local.get 0)) (f32.reinterpret_i32 (local.get 1))))
    (func (export "bits") (param i32 i32) (result i32)
      (i32.reinterpret_f32 (call $nan (local.get 0) (local.get 1))))
    (func (export "canonical") (param i32 i32) (result f32)
      (call $nan (local.get 0) (local.get 1))))
  (core instance $i (instantiate $m))
  (func (export "bits") (param "x" u32) (param "y" u32) (result u32) (canon lift (core func $i "bits")))
  (func (export "canonical") (param "x" u32) (param "y" u32) (result f32)
    (canon lift (core func $i "canonical"))))
"#;

fn calls(name: &str, text: &str) -> String {
    scratch_file(name, text.as_bytes())
}

fn engines() -> usize {
    Backend::available().len()
}

/// Reports whether this build has several engines to compare. In CI it does.
fn several() -> bool {
    if engines() > 1 {
        return true;
    }
    assert!(
        std::env::var_os("AIRSSYS_REQUIRE_ALL").is_none(),
        "one backend alone cannot be compared"
    );
    eprintln!("LEFT OUT: this build has one backend, and the comparison needs two");
    false
}

#[test]
fn engines_that_agree() {
    if !several() {
        return;
    }
    let calls = calls(
        "agree.toml",
        r#"
[[call]]
invoke = 'echo-person({name: "Ada", age: 36})'
expect = '{name: "Ada", age: 36, email: none}'

[[call]]
invoke = 'failing#trap()'
trap = 'unreachable'

[[call]]
invoke = 'nothings()'
expect = '0'
"#,
    );
    let ran = airssys(&["conformance", &fixture("types"), "--calls", &calls]).ended(0);
    assert!(
        ran.stdout
            .contains("agree   failing#trap() -> trap: unreachable\n"),
        "{ran:?}"
    );
    assert!(ran.stdout.contains(": 3 agree, 0 differ\n"), "{ran:?}");
    let json = airssys(&["conformance", &fixture("types"), "--calls", &calls, "--json"])
        .ended(0)
        .json();
    assert_eq!(json["agreed"], 3);
    assert_eq!(json["calls"][1]["answers"][0]["failure"], "trap: unreachable");
    assert_eq!(json["engines"].as_array().map(Vec::len), Some(engines()));
}

#[test]
fn an_answer_that_depends_on_the_engine() {
    if !several() {
        return;
    }
    let component = scratch_file("nan.wat", NAN.as_bytes());
    let calls = calls(
        "nan.toml",
        "[[call]]\ninvoke = 'canonical(0x7fc00001, 0x7fc00002)'\nexpect = 'nan'\n\
         [[call]]\ninvoke = 'bits(0x7fc00001, 0x7fc00002)'\n"
            .replace("0x7fc00001", "2143289345")
            .replace("0x7fc00002", "2143289346")
            .as_str(),
    );
    let ran = airssys(&["conformance", &component, "--calls", &calls]).ended(1);
    // Floats that cross the boundary are canonical on every engine; their bits as an integer are the engine's own.
    let agreed = "agree   canonical(2143289345, 2143289346) -> nan [0x7fc00000]\n";
    assert!(ran.stdout.contains(agreed), "{ran:?}");
    let differ = "DIFFER  bits(2143289345, 2143289346): the engines differ\n        cranelift   21432893";
    let differ = differ.replace(
        "cranelift   ",
        &format!("{:width$}  ", "cranelift", width = widest()),
    );
    assert!(ran.stdout.contains(&differ), "{differ:?} is not in {ran:?}");
    assert!(ran.stdout.ends_with(": 1 agree, 1 differ\n"), "{ran:?}");
}

fn widest() -> usize {
    let names = Backend::available().iter().map(|backend| backend.name().len());
    names.max().unwrap_or(0)
}

#[test]
fn an_answer_that_is_not_the_expected_one() {
    if !several() {
        return;
    }
    let calls = calls(
        "wrong.toml",
        "[[call]]\ninvoke = 'echo-u8(1)'\nexpect = '2'\n[[call]]\ninvoke = 'echo-u8(1)'\ntrap = 'unreachable'\n",
    );
    let ran = airssys(&["conformance", &fixture("types"), "--calls", &calls]).ended(1);
    assert!(ran.stdout.contains("WRONG   echo-u8(1): expected 2\n"), "{ran:?}");
    assert!(
        ran.stdout
            .contains("WRONG   echo-u8(1): expected a trap: unreachable\n"),
        "{ran:?}"
    );
    assert!(ran.stdout.contains(": 0 agree, 2 differ\n"), "{ran:?}");
}

#[test]
fn calls_that_make_no_sense() {
    let cases = [
        ("", "there are no calls"),
        ("call = []", "there are no calls"),
        ("[[call]]", "missing field `invoke`"),
        ("[[call]]\ninvoke = 'f()'\nanswer = '1'", "unknown field `answer`"),
        (
            "[[call]]\ninvoke = 'f()'\nexpect = '1'\ntrap = 'x'",
            "both `expect` and `trap`",
        ),
        ("[[call", "TOML"),
    ];
    for (index, (text, message)) in cases.iter().enumerate() {
        let calls = calls(&format!("senseless-{index}.toml"), text);
        let ran = airssys(&["conformance", &fixture("types"), "--calls", &calls]);
        // The wording of the parser's own error is not fixed by this test.
        let message = if *message == "TOML" {
            "is not a valid list of calls"
        } else {
            message
        };
        ran.ended(2).says(message);
    }
    if !several() {
        return;
    }
    for (text, message) in [
        ("[[call]]\ninvoke = 'no-such()'", "no function `no-such`"),
        ("[[call]]\ninvoke = 'echo-u8'", "is not a call"),
        ("[[call]]\ninvoke = 'echo-u8(256)'", "call 1"),
        ("[[call]]\ninvoke = 'echo-u8(1)'\nexpect = '\"x\"'", "`expect`"),
        ("[[call]]\ninvoke = 'nothing()'\nexpect = '1'", "without a result"),
        ("[[call]]\ninvoke = 'make(1)'", "resource"),
    ] {
        let calls = calls("senseless.toml", text);
        airssys(&["conformance", &fixture("types"), "--calls", &calls])
            .ended(2)
            .says(message);
    }
}

#[test]
fn engines_are_named_once_and_exist() {
    let calls = calls("engines.toml", "[[call]]\ninvoke = 'nothing()'\n");
    for (engines, message) in [
        ("cranelift", "a single engine"),
        ("cranelift,cranelift", "listed twice"),
        ("cranelift,v8", "is not an engine"),
    ] {
        let arguments = [
            "conformance",
            &fixture("types"),
            "--calls",
            &calls,
            "--engines",
            engines,
        ];
        airssys(&arguments).ended(2).says(message);
    }
}
