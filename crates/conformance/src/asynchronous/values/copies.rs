//! The functions of the guests that copy through streams and futures.

use std::fmt::Write;

use super::guest::{Lift, Part};
use super::layout::size_align;
use crate::differential::abi::Core;
use crate::differential::guest::Text;
use crate::differential::types::Type;

impl Part<'_> {
    /// Adds the built-ins of a function's stream or future.
    pub(super) fn transmit(
        &self,
        index: usize,
        core: &mut Vec<(String, String, String)>,
        [options, memory]: [&str; 2],
    ) {
        let sort = self.sort(index);
        let copy = match sort {
            "stream" => "(param i32 i32 i32) (result i32)",
            _ => "(param i32 i32) (result i32)",
        };
        // The outer one waits in a set, the inner one in the built-ins.
        let is_async = if self.is_outer { "async" } else { "" };
        let mut add = |name: &str, signature: &str, canon: String| {
            core.push((format!("{name}{index}"), signature.to_owned(), canon));
        };
        add("new", "(result i64)", format!("canon {sort}.new $s{index}"));
        add(
            "read-raw",
            copy,
            format!("canon {sort}.read $s{index} {is_async} {options}"),
        );
        add(
            "write-raw",
            copy,
            format!("canon {sort}.write $s{index} {is_async} {memory}"),
        );
        add(
            "drop-r",
            "(param i32)",
            format!("canon {sort}.drop-readable $s{index}"),
        );
        add(
            "drop-w",
            "(param i32)",
            format!("canon {sort}.drop-writable $s{index}"),
        );
    }

    /// Writes reads and writes whose results are those of a stream: a future is one of a single element.
    fn copies(&self, index: usize, bodies: &mut String) {
        let is_stream = self.sort(index) == "stream";
        let length = if is_stream { "(local.get $n)" } else { "" };
        let result = match is_stream {
            true => "(local.get $c)",
            false => "(select (i32.const 17) (local.get $c) (i32.eqz (local.get $c)))",
        };
        let _ = writeln!(bodies, "(func $code{index} (param $c i32) (result i32) {result})");
        for copy in ["read", "write"] {
            let _ = writeln!(
                bodies,
                "(func ${copy}{index} (param $h i32) (param $p i32) (param $n i32) (result i32)\n\
                 (call $code{index} (call ${copy}-raw{index} (local.get $h) (local.get $p) {length})))"
            );
        }
    }

    /// Writes the inner one's function, which copies one element or two at a time after its return.
    pub(super) fn pipe(
        &self,
        index: usize,
        element: &Type,
        core: &mut Vec<(String, String, String)>,
        bodies: &mut String,
        memory: &str,
    ) {
        let name = format!("pipe{index}");
        let size = size_align(element).0;
        self.task_return(&name, &format!("$s{index}"), &[Core::I32], core, memory);
        self.copies(index, bodies);
        let code = if self.mode.lift == Lift::Callback {
            "(i32.const 0)"
        } else {
            ""
        };
        let _ = writeln!(
            bodies,
            "(func (export \"{name}\") (param $in i32) {result} (local $w i32) (local $ends i64)\n\
             (local $c i32) (local $k i32) (local $at i32) (local $buf i32)\n\
             (local.set $ends (call $new{index}))\n\
             (local.set $w (i32.wrap_i64 (i64.shr_u (local.get $ends) (i64.const 32))))\n\
             (call $return-{name} (i32.wrap_i64 (local.get $ends)))\n\
             (local.set $buf (call $room (i32.const {room})))\n\
             (block $gone (loop $more\n\
             (local.set $c (call $read{index} (local.get $in) (local.get $buf) (i32.const 2)))\n\
             (local.set $k (i32.shr_u (local.get $c) (i32.const 4)))\n\
             (local.set $at (i32.const 0))\n\
             (block $written (loop $rest\n\
             (br_if $written (i32.ge_u (local.get $at) (local.get $k)))\n\
             (local.set $at (i32.add (local.get $at) (i32.shr_u (call $write{index} (local.get $w)\n\
             (i32.add (local.get $buf) (i32.mul (local.get $at) (i32.const {size})))\n\
             (i32.sub (local.get $k) (local.get $at))) (i32.const 4))))\n\
             (br $rest)))\n\
             (br_if $more (i32.eqz (i32.and (local.get $c) (i32.const 15))))))\n\
             (call $drop-r{index} (local.get $in)) (call $drop-w{index} (local.get $w))\n\
             (call $reset (i32.const 0)) {code})",
            result = self.lifted_result(&[Core::I32]),
            room = size * 2 + 8,
        );
        self.callback(&name, bodies);
    }

    /// Writes the outer one's function, which writes a list and reads one, both in parts.
    pub(super) fn drive(
        &self,
        index: usize,
        element: &Type,
        core: &mut Vec<(String, String, String)>,
        bodies: &mut String,
        memory: &str,
    ) {
        let name = format!("values{index}");
        let list = Type::List(Box::new(element.clone()));
        let flat = [Core::I32, Core::I32];
        let size = size_align(element).0;
        let (signature, options) = match self.mode.lowers_async {
            true => ("(param i32 i32) (result i32)", "async (memory $memory)"),
            false => ("(param i32) (result i32)", ""),
        };
        core.push((
            format!("host-pipe{index}"),
            signature.to_owned(),
            format!("canon lower (func $host-pipe{index}) {options}"),
        ));
        self.task_return(&name, &Text(&list).to_string(), &flat, core, memory);
        self.finish(&name, &list, &flat, bodies);
        self.copies(index, bodies);
        let call = match self.mode.lowers_async {
            true => format!(
                "(call $await (call $host-pipe{index} (i32.wrap_i64 (local.get $ends)) (local.get $at)))\n\
                 (local.set $o (i32.load (local.get $at)))\n"
            ),
            false => format!("(local.set $o (call $host-pipe{index} (i32.wrap_i64 (local.get $ends))))\n"),
        };
        *bodies += &DRIVE
            .replace("NAME", &name)
            .replace("RESULT", &self.lifted_result(&flat))
            .replace("CALL", &call)
            .replace("SIZE", &size.to_string())
            .replace("INDEX", &index.to_string());
        *bodies += &self.end(&name);
        self.callback(&name, bodies);
    }
}

/// Writes and reads at a time; `$wb` and `$rb` are 0 before a copy, 1 during it, and 2 after the last.
const DRIVE: &str = r#"
(func (export "NAME") (param $p i32) (param $n i32) RESULT
  (local $ends i64) (local $w i32) (local $o i32) (local $set i32) (local $ev i32) (local $buf i32) (local $at i32)
  (local $wp i32) (local $rp i32) (local $wb i32) (local $rb i32) (local $c i32) (local $e i32)
(local.set $at (call $room (i32.const 8)))
(local.set $ev (call $room (i32.const 8)))
(local.set $buf (call $room (i32.mul (i32.add (local.get $n) (i32.const 4)) (i32.const SIZE))))
(local.set $ends (call $newINDEX))
(local.set $w (i32.wrap_i64 (i64.shr_u (local.get $ends) (i64.const 32))))
CALL(local.set $set (call $set-new))
(call $join (local.get $w) (local.get $set))
(call $join (local.get $o) (local.get $set))
(block $over (loop $more
  (local.set $e (i32.const 0))
  (if (i32.eqz (local.get $wb)) (then
    (if (i32.eq (local.get $wp) (local.get $n))
      (then (call $drop-wINDEX (local.get $w)) (local.set $wb (i32.const 2)))
      (else
        (local.set $c (call $writeINDEX (local.get $w)
          (i32.add (local.get $p) (i32.mul (local.get $wp) (i32.const SIZE)))
          (select (i32.const 2) (i32.const 1) (i32.gt_u (i32.sub (local.get $n) (local.get $wp)) (i32.const 1)))))
        (if (i32.eq (local.get $c) (i32.const -1))
          (then (local.set $wb (i32.const 1)))
          (else (local.set $e (i32.const 3))))))))
  (if (i32.and (i32.eqz (local.get $e)) (i32.eqz (local.get $rb))) (then
    (local.set $c (call $readINDEX (local.get $o)
      (i32.add (local.get $buf) (i32.mul (local.get $rp) (i32.const SIZE))) (i32.const 3)))
    (if (i32.eq (local.get $c) (i32.const -1))
      (then (local.set $rb (i32.const 1)))
      (else (local.set $e (i32.const 2))))))
  (br_if $over (i32.and (i32.eq (local.get $wb) (i32.const 2)) (i32.eq (local.get $rb) (i32.const 2))))
  (if (i32.and (i32.eqz (local.get $e)) (i32.and (i32.ne (local.get $wb) (i32.const 0)) (i32.ne (local.get $rb) (i32.const 0)))) (then
    (local.set $e (call $wait (local.get $set) (local.get $ev)))
    (local.set $c (call $codeINDEX (i32.load offset=4 (local.get $ev))))))
  (if (i32.or (i32.eq (local.get $e) (i32.const 3)) (i32.eq (local.get $e) (i32.const 5))) (then
    (local.set $wb (i32.const 0))
    (local.set $wp (i32.add (local.get $wp) (i32.shr_u (local.get $c) (i32.const 4))))
    (if (i32.and (local.get $c) (i32.const 15)) (then
      (call $drop-wINDEX (local.get $w)) (local.set $wb (i32.const 2))))))
  (if (i32.or (i32.eq (local.get $e) (i32.const 2)) (i32.eq (local.get $e) (i32.const 4))) (then
    (local.set $rb (i32.const 0))
    (local.set $rp (i32.add (local.get $rp) (i32.shr_u (local.get $c) (i32.const 4))))
    (if (i32.and (local.get $c) (i32.const 15)) (then
      (call $drop-rINDEX (local.get $o)) (local.set $rb (i32.const 2))))))
  (br $more)))
(call $set-drop (local.get $set))
(i32.store (local.get $at) (local.get $buf))
(i32.store offset=4 (local.get $at) (local.get $rp))
"#;
