//! The guest: three instances of an interpreter of scripts, each of which calls the next, and the last one the host.
//!
//! A script calls any built-in with any operands. The result of each is reported to the host's function `log`, with the
//! place of the instruction; so are its begin, with its operands, events that a callback gets, and the starts of tasks.

use std::fmt::Write;

use super::script::{FORMS, INSTRUCTIONS, SCRIPTS, SPECIALS, ops};

/// Instances, the first of which the host calls.
pub const INSTANCES: [&str; 3] = ["a", "b", "c"];
/// The place in the log of a task's start.
pub const STARTED: u32 = 0xfffe;
/// The place in the log of an event that a callback gets.
pub const EVENT: u32 = 0xffff;

/// The bit in a place of an instruction that begins.
pub const BEGIN: u32 = 0x8000;

/// Memory addresses: the special numbers, the scripts, the registers of the tasks.
const SPECIALS_AT: u32 = 0x40;
const PATTERN_AT: u32 = 0x400;
const SCRIPTS_AT: u32 = 0x1000;
const FRAMES_AT: u32 = 0x4000;
const FRAMES_END: u32 = 0xf000;

/// The functions that an instance exports, and imports from the next.
const FUNCTIONS: &str = r#"
(export "plain" (func (param "script" u32) (result u32)))
"#;

fn types() -> String {
    let mut text = String::from(FUNCTIONS);
    for form in FORMS {
        let _ = writeln!(
            text,
            r#"(export "run-{form}" (func async (param "script" u32) (result u32)))
               (export "take-{form}" (func async (param "script" u32) (param "s" (stream u32)) (param "f" (future u32)) (result u32)))
               (export "give-{form}" (func async (param "script" u32) (result (tuple (stream u32) (future u32)))))"#
        );
    }
    text
}

const LOG: &str =
    r#"(import "log" (func $log (param "at" u32) (param "a" u32) (param "b" u32) (param "c" u32)))"#;

/// Returns the composed component, as text.
pub fn text() -> String {
    let mut text = format!(
        "(component {LOG}\n(import \"next\" (instance $host {}))\n(component $interpreter\n{})\n",
        types(),
        part()
    );
    let mut next = "host";
    for instance in INSTANCES.iter().rev() {
        let _ = writeln!(
            text,
            "(instance ${instance} (instantiate $interpreter (with \"log\" (func $log)) \
             (with \"next\" (instance ${next}))))\n(export \"{instance}\" (instance ${instance}))"
        );
        next = instance;
    }
    text.push(')');
    text
}

/// The content of one instance.
fn part() -> String {
    let mut text = format!(
        "{LOG}\n(import \"next\" (instance $next {}))\n\
         (type $s (stream u32)) (type $f (future u32)) (type $ends (tuple $s $f))\n\
         (core module $libc (memory (export \"mem\") 1)\n\
         (func (export \"realloc\") (param i32 i32 i32 i32) (result i32)\n\
         (if (i32.gt_u (local.get 3) (i32.const {})) (then unreachable)) (i32.const {SCRIPTS_AT})))\n\
         (core instance $libc (instantiate $libc))\n\
         (alias core export $libc \"mem\" (core memory $mem))\n\
         (core func $core-log (canon lower (func $log)))\n",
        types(),
        SCRIPTS * INSTRUCTIONS * 4
    );
    let mut exports = vec![String::from("plain")];
    for form in FORMS {
        exports.extend(["run", "take", "give"].map(|kind| format!("{kind}-{form}")));
    }
    for name in &exports {
        let _ = writeln!(text, "(alias export $next \"{name}\" (func ${name}))");
    }
    for op in ops() {
        if let Some((_, canon)) = &op.import {
            let _ = writeln!(text, "(core func $b-{} ({canon}))", op.name);
        }
    }
    text +=
        "(core func $frame-get (canon context.get i32 0)) (core func $frame-set (canon context.set i32 0))\n";
    text += &module();
    text += "(core instance $i (instantiate $m (with \"\" (instance (export \"mem\" (memory $mem)) (export \"log\" (func $core-log))\n\
             (export \"context-get-0\" (func $frame-get)) (export \"context-set-0\" (func $frame-set))\n";
    for op in ops() {
        if op.import.is_some() {
            let _ = writeln!(text, "(export \"{0}\" (func $b-{0}))", op.name);
        }
    }
    text += "))))\n";
    text += "(func (export \"load\") (param \"id\" u32) (param \"scripts\" (list u8)) \
             (canon lift (core func $i \"load\") (memory $mem) (realloc (core func $libc \"realloc\"))))\n\
             (func (export \"plain\") (param \"script\" u32) (result u32) (canon lift (core func $i \"run-sync\")))\n";
    for form in FORMS {
        let options = match form {
            "callback" => "async (callback (core func $i \"callback\"))",
            "stackful" => "async",
            _ => "",
        };
        let kinds = [
            ("run", "", "u32"),
            ("take", "(param \"s\" $s) (param \"f\" $f)", "u32"),
            ("give", "", "$ends"),
        ];
        for (kind, params, result) in kinds {
            let memory = match (kind, form) {
                ("give", "sync") => "(memory $mem)",
                _ => "",
            };
            let _ = writeln!(
                text,
                "(func (export \"{kind}-{form}\") async (param \"script\" u32) {params} (result {result}) \
                 (canon lift (core func $i \"{kind}-{form}\") {options} {memory}))"
            );
        }
    }
    text
}

fn module() -> String {
    let mut specials = String::new();
    for special in SPECIALS {
        for byte in special.to_le_bytes() {
            let _ = write!(specials, "\\{byte:02x}");
        }
    }
    let mut text = String::from(
        "(core module $m\n(import \"\" \"mem\" (memory 1))\n\
         (import \"\" \"log\" (func $core-log (param i32 i32 i32 i32)))\n",
    );
    for op in ops() {
        if let Some((signature, _)) = &op.import {
            let _ = writeln!(text, "(import \"\" \"{0}\" (func ${0} {signature}))", op.name);
        }
    }
    let _ = writeln!(
        text,
        r#"(import "" "context-get-0" (func $frame-get (result i32)))
(import "" "context-set-0" (func $frame-set (param i32)))
(data (i32.const {SPECIALS_AT}) "{specials}")
(global $id (mut i32) (i32.const 0))
(global $frames (mut i32) (i32.const {FRAMES_AT}))
(func (export "load") (param $id i32) (param i32 i32) (local $at i32)
  (global.set $id (local.get $id))
  (loop $fill
    (i32.store offset={PATTERN_AT} (local.get $at)
      (i32.or (i32.shl (local.get $id) (i32.const 16)) (local.get $at)))
    (local.set $at (i32.add (local.get $at) (i32.const 4)))
    (br_if $fill (i32.lt_u (local.get $at) (i32.const 512)))))
;; The address of a register.
(func $register (param $f i32) (param $index i32) (result i32)
  (i32.add (local.get $f) (i32.shl (i32.and (local.get $index) (i32.const 15)) (i32.const 2))))
(func $value (param $f i32) (param $byte i32) (result i32)
  (if (i32.lt_u (local.get $byte) (i32.const 16))
    (then (return (i32.load (call $register (local.get $f) (local.get $byte))))))
  (if (i32.ge_u (local.get $byte) (i32.const 240))
    (then (return (i32.load offset={SPECIALS_AT}
      (i32.shl (i32.sub (local.get $byte) (i32.const 240)) (i32.const 2))))))
  (i32.sub (local.get $byte) (i32.const 16)))
(func $place (param $f i32) (param $at i32) (result i32)
  (i32.or (i32.or
    (i32.shl (global.get $id) (i32.const 28))
    (i32.shl (i32.shr_u (i32.sub (local.get $f) (i32.const {FRAMES_AT})) (i32.const 7)) (i32.const 16)))
    (i32.and (local.get $at) (i32.const 0xffff))))
;; Reports the end of an instruction.
(func $done (param $f i32) (param $a i32) (param $b i32) (param $c i32)
  (call $core-log
    (call $place (local.get $f)
      (i32.shr_u (i32.sub (i32.load offset=64 (local.get $f)) (i32.const {first})) (i32.const 2)))
    (local.get $a) (local.get $b) (local.get $c)))
(func $log (param $f i32) (param $a i32) (param $b i32)
  (call $done (local.get $f) (local.get $a) (local.get $b) (i32.const 0)))
(func $frame (param $script i32) (result i32) (local $f i32)
  (local.set $f (global.get $frames))
  (if (i32.ge_u (local.get $f) (i32.const {FRAMES_END})) (then unreachable))
  (global.set $frames (i32.add (local.get $f) (i32.const 128)))
  (i32.store offset=64 (local.get $f) (i32.add (i32.const {SCRIPTS_AT})
    (i32.mul (i32.and (local.get $script) (i32.const {mask})) (i32.const {stride}))))
  (i32.store offset=60 (local.get $f) (i32.const {PATTERN_AT}))
  (call $core-log (call $place (local.get $f) (i32.const {STARTED}))
    (local.get $script) (i32.const 0) (i32.const 0))
  (local.get $f))"#,
        first = SCRIPTS_AT + 4,
        mask = SCRIPTS - 1,
        stride = INSTRUCTIONS * 4,
    );
    text += &exec();
    text += &entries();
    text.push_str(")\n");
    text
}

/// The function that runs a task until it ends, waits in its callback, or traps.
fn exec() -> String {
    let mut text = String::from(
        r#"(func $exec (param $f i32) (result i32)
  (local $pc i32) (local $op i32) (local $d i32) (local $x i32) (local $y i32) (local $yr i32)
  (local $r i32) (local $e i32) (local $p i32) (local $w i64)
(loop $next
  (local.set $pc (i32.load offset=64 (local.get $f)))
  (i32.store offset=64 (local.get $f) (i32.add (local.get $pc) (i32.const 4)))
  (local.set $op (i32.load8_u (local.get $pc)))
  (local.set $d (i32.load8_u offset=1 (local.get $pc)))
  (local.set $x (call $value (local.get $f) (i32.load8_u offset=2 (local.get $pc))))
  (local.set $yr (i32.load8_u offset=3 (local.get $pc)))
  (local.set $y (call $value (local.get $f) (local.get $yr)))
  (local.set $r (i32.const 0)) (local.set $e (i32.const 0)) (local.set $p (i32.const 0))
"#,
    );
    let _ = writeln!(
        text,
        "(call $core-log (call $place (local.get $f) (i32.or (i32.const {BEGIN}) \
         (i32.shr_u (i32.sub (local.get $pc) (i32.const {SCRIPTS_AT})) (i32.const 2)))) \
         (local.get $x) (local.get $y) (i32.const 0))\n(block $end"
    );
    for index in (0..ops().len()).rev() {
        let _ = writeln!(text, "(block $op{index}");
    }
    text += "(br_table";
    for index in 0..ops().len() {
        let _ = write!(text, " $op{index}");
    }
    text += " $op0 (local.get $op))";
    for op in ops() {
        let _ = writeln!(text, ")\n;; {}\n{}", op.name, op.body);
        for (index, (kind, local)) in op.gives.iter().zip(["$r", "$e", "$p"]).enumerate() {
            if *kind != super::script::Kind::None {
                let _ = writeln!(
                    text,
                    "(i32.store (call $register (local.get $f) (i32.add (local.get $d) (i32.const {index}))) (local.get {local}))"
                );
            }
        }
        text += "(br $end)";
    }
    text += ")\n(call $done (local.get $f) (local.get $r) (local.get $e) (local.get $p))\n(br $next))\nunreachable)\n";
    text
}

/// The exported functions.
fn entries() -> String {
    let mut text = String::from(
        r#"(func (export "callback") (param $event i32) (param $a i32) (param $b i32) (result i32) (local $f i32)
  (local.set $f (call $frame-get))
  (i32.store offset=32 (local.get $f) (local.get $event))
  (i32.store offset=36 (local.get $f) (local.get $a))
  (i32.store offset=40 (local.get $f) (local.get $b))
  (call $core-log (call $place (local.get $f) (i32.const 0xffff))
    (local.get $event) (local.get $a) (local.get $b))
  (call $exec (local.get $f)))
"#,
    );
    let kinds = [
        ("run", "", ""),
        (
            "take",
            "(param $s i32) (param $e i32)",
            "(i32.store (local.get $f) (local.get $s)) (i32.store offset=4 (local.get $f) (local.get $e))",
        ),
        ("give", "", ""),
    ];
    for (kind, params, store) in kinds {
        let start = format!(
            "(param $script i32) {params} RESULT (local $f i32)\n\
             (local.set $f (call $frame (local.get $script))) {store}\n"
        );
        let with = |result: &str| start.replace("RESULT", result);
        let synced = match kind {
            // The result's place: a copy of the first two registers.
            "give" => {
                "(i64.store offset=80 (local.get $f) (i64.load (local.get $f)))\n\
                 (i32.add (local.get $f) (i32.const 80))"
            }
            _ => "(i32.load (local.get $f))",
        };
        let _ = writeln!(
            text,
            "(func (export \"{kind}-sync\") {}(drop (call $exec (local.get $f)))\n{synced})\n\
             (func (export \"{kind}-callback\") {}(call $frame-set (local.get $f))\n(call $exec (local.get $f)))\n\
             (func (export \"{kind}-stackful\") {}(drop (call $exec (local.get $f))))",
            with("(result i32)"),
            with("(result i32)"),
            with("")
        );
    }
    text
}
