//! `conformance`: engines that agree, engines that do not, and lists of calls that make no sense.

use airssys_wasm::engine::Backend;

use crate::process::{airssys, fixture, scratch_file};

/// A component whose answers depend on the engine: the bits of a NaN that it computes.
const NAN: &str = r#"
(component
  (core module $m
    (func (export "bits") (param f32) (result i32)
      (i32.reinterpret_f32 (f32.div (local.get 0) (local.get 0))))
    (func (export "folded") (result i32)
      (i32.reinterpret_f32 (f32.sqrt (f32.const -1))))
    (func (export "canonical") (param f32) (result f32)
      (f32.div (local.get 0) (local.get 0))))
  (core instance $i (instantiate $m))
  (func (export "bits") (param "x" f32) (result u32) (canon lift (core func $i "bits")))
  (func (export "folded") (result u32) (canon lift (core func $i "folded")))
  (func (export "canonical") (param "x" f32) (result f32) (canon lift (core func $i "canonical"))))
"#;

fn calls(name: &str, text: &str) -> String {
    scratch_file(name, text.as_bytes())
}

fn engines() -> usize {
    Backend::available().len()
}

/// Whether there is something to compare with. In CI there is.
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
    assert!(ran.stdout.contains(": 3 agree, 0 do not\n"), "{ran:?}");
    let json = airssys(&["conformance", &fixture("types"), "--calls", &calls, "--json"])
        .ended(0)
        .json();
    assert_eq!(json["agreed"], 3);
    assert_eq!(json["calls"][1]["answers"][0]["failure"], "trap: unreachable");
    assert_eq!(json["engines"].as_array().map(Vec::len), Some(engines()));
}

#[test]
fn an_answer_that_depends_on_the_engine() {
    if !several() || !Backend::Llvm.is_available() {
        return;
    }
    let component = scratch_file("nan.wasm", &wat::parse_str(NAN).expect("the text parses"));
    let calls = calls(
        "nan.toml",
        "[[call]]\ninvoke = 'canonical(0)'\nexpect = 'nan'\n[[call]]\ninvoke = 'bits(0)'\n[[call]]\ninvoke = 'folded()'\n",
    );
    let arguments = [
        "conformance",
        &component,
        "--calls",
        &calls,
        "--engines",
        "cranelift,llvm",
    ];
    let ran = airssys(&arguments).ended(1);
    assert!(
        ran.stdout.contains("agree   canonical(0) -> nan [0x7fc00000]\n"),
        "{ran:?}"
    );
    assert!(
        ran.stdout.contains("DIFFER  folded(): the engines differ\n"),
        "{ran:?}"
    );
    assert!(ran.stdout.contains("        cranelift  "), "{ran:?}");
    assert!(ran.stdout.contains("        llvm       "), "{ran:?}");
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
    assert!(ran.stdout.contains(": 0 agree, 2 do not\n"), "{ran:?}");
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
        // The word of the parser's own error is not ours to fix.
        let message = if *message == "TOML" {
            "is no list of calls"
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
        ("[[call]]\ninvoke = 'echo-u8'", "is no call"),
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
        ("cranelift", "one engine alone"),
        ("cranelift,cranelift", "named twice"),
        ("cranelift,v8", "is no engine"),
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
