//! Instructions of the interpreter that guests are.
//!
//! A script is a list of instructions of four bytes: operation, destination register, and two operands. An operand is a
//! register, a small number, or one of [`SPECIALS`]. Operations are numbered by their position in [`ops`]; a number beyond
//! them is the first one, which ends the task.

use std::fmt::Write;
use std::sync::LazyLock;

/// Registers of a task.
pub const REGISTERS: u8 = 16;
/// The register that holds the address of the buffer for copies.
pub const BUFFER: u8 = 15;
/// The first operand byte of a small number, which is 0.
pub const NUMBERS: u8 = REGISTERS;
/// The first operand byte of the special numbers.
pub const SPECIAL: u8 = 240;
/// Numbers at the edges of what lengths, addresses, handles and codes can be.
pub const SPECIALS: [u32; 16] = [
    0xffff_ffff,
    0xffff_fffe,
    0x8000_0000,
    0x7fff_ffff,
    0x1000_0000,
    0x0fff_ffff,
    0x1_0000,
    0xffff,
    0xfffc,
    0xfffd,
    0x4000,
    0x4001,
    0x401,
    0x402,
    0x3fff,
    0xf000_0002,
];
/// Scripts of one instance.
pub const SCRIPTS: usize = 32;
/// Most instructions of a script. The last one is followed by the next script.
pub const INSTRUCTIONS: usize = 64;

/// Kinds of functions, by the way in which they are lifted. The last one has a type that is not `async`.
pub const FORMS: [&str; 3] = ["sync", "callback", "stackful"];

/// A meaning that a register's value has for a generator of scripts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// No operand or result.
    None,
    Number,
    /// The number of elements of a copy.
    Length,
    /// The number of a script.
    Script,
    Set,
    Subtask,
    StreamRead,
    StreamWrite,
    FutureRead,
    FutureWrite,
    /// A number or address that may be odd.
    Address,
    /// A member of a set.
    Waitable,
    /// A set, or 0.
    SetOrNone,
}

/// An operation.
#[derive(Clone, Debug)]
pub struct Op {
    pub name: String,
    /// The operands.
    pub takes: [Kind; 2],
    /// The results, in registers from the destination on.
    pub gives: [Kind; 3],
    /// Parameters and results of the core function that it calls, and its definition; empty if it calls none.
    pub import: Option<(String, String)>,
    /// Core instructions that set `$r`, `$e` and `$p`, from `$x` and `$y`.
    pub body: String,
}

/// Returns all operations.
pub fn ops() -> &'static [Op] {
    static OPS: LazyLock<Vec<Op>> = LazyLock::new(build);
    &OPS
}

/// Returns an operation's number.
pub fn code(name: &str) -> Option<u8> {
    let position = ops().iter().position(|op| op.name == name)?;
    u8::try_from(position).ok()
}

fn op(name: &str, takes: [Kind; 2], gives: [Kind; 3], body: &str) -> Op {
    Op {
        name: name.to_owned(),
        takes,
        gives,
        import: None,
        body: body.to_owned(),
    }
}

/// Makes an operation that calls a built-in. `canon` is its definition without the parentheses.
fn builtin(name: &str, takes: [Kind; 2], gives: [Kind; 3], [signature, canon]: [&str; 2], body: &str) -> Op {
    Op {
        import: Some((signature.to_owned(), format!("canon {canon}"))),
        ..op(
            name,
            takes,
            gives,
            &body.replace("CALL", &format!("call ${name}")),
        )
    }
}

const MEMORY: &str = "(memory $mem)";
const ONE: &str = "(param i32)";
const ONE_GIVES: &str = "(param i32) (result i32)";
const NONE: [Kind; 3] = [Kind::None; 3];

/// Skips the next instruction if a comparison holds.
fn skip(comparison: &str) -> String {
    format!(
        "(if ({comparison} (local.get $x) (local.get $y)) (then (i32.store offset=64 (local.get $f) \
         (i32.add (i32.load offset=64 (local.get $f)) (i32.const 4)))))"
    )
}

fn build() -> Vec<Op> {
    use Kind::{Address, Number, Set, SetOrNone, Subtask, Waitable};
    let nothing = [Kind::None; 2];
    let number = [Number, Kind::None, Kind::None];
    let takes = |kind| [kind, Kind::None];
    let gives = |kind| [kind, Kind::None, Kind::None];
    let mut ops = vec![
        op(
            "halt",
            nothing,
            NONE,
            "(call $log (local.get $f) (i32.const 0) (i32.const 0)) (return (i32.const 0))",
        ),
        op(
            "code",
            takes(Number),
            NONE,
            "(call $log (local.get $f) (local.get $x) (i32.const 0)) (return (local.get $x))",
        ),
        op(
            "code-wait",
            takes(Set),
            NONE,
            "(call $log (local.get $f) (local.get $x) (i32.const 2)) \
             (return (i32.or (i32.const 2) (i32.shl (local.get $x) (i32.const 4))))",
        ),
        op("move", takes(Number), number, "(local.set $r (local.get $x))"),
        op(
            "buffer",
            takes(Address),
            NONE,
            "(i32.store offset=60 (local.get $f) (local.get $x))",
        ),
        op(
            "load",
            nothing,
            number,
            "(local.set $r (i32.load (i32.load offset=60 (local.get $f))))",
        ),
        op(
            "store",
            takes(Number),
            NONE,
            "(i32.store (i32.load offset=60 (local.get $f)) (local.get $x))",
        ),
        // Skips the next instruction.
        op("when", [Number; 2], NONE, &skip("i32.ne")),
        op("unless", [Number; 2], NONE, &skip("i32.eq")),
        // What an asynchronous call has returned.
        op(
            "result",
            nothing,
            [Kind::StreamRead, Kind::FutureRead, Kind::None],
            "(local.set $r (i32.load offset=80 (local.get $f))) (local.set $e (i32.load offset=84 (local.get $f)))",
        ),
    ];
    let r = "(local.set $r (CALL (local.get $x)))";
    let event = "(local.set $r (CALL (local.get $x) (i32.add (local.get $f) (i32.const 72)))) \
                 (local.set $e (i32.load offset=72 (local.get $f))) \
                 (local.set $p (i32.load offset=76 (local.get $f)))";
    let none = "(CALL (local.get $x))";
    let two = "(param i32 i32) (result i32)";
    ops.extend([
        builtin(
            "wait",
            takes(Set),
            [Number; 3],
            [two, &format!("waitable-set.wait {MEMORY}")],
            event,
        ),
        builtin(
            "poll",
            takes(Set),
            [Number; 3],
            [two, &format!("waitable-set.poll {MEMORY}")],
            event,
        ),
        builtin(
            "yield",
            nothing,
            number,
            ["(result i32)", "thread.yield"],
            "(local.set $r (CALL))",
        ),
    ]);
    for (suffix, option) in [("", ""), ("-async", " async")] {
        let canon = format!("subtask.cancel{option}");
        ops.push(builtin(
            &format!("subtask-cancel{suffix}"),
            takes(Subtask),
            number,
            [ONE_GIVES, &canon],
            r,
        ));
    }
    ops.extend([
        builtin(
            "return",
            takes(Number),
            NONE,
            [ONE, "task.return (result u32)"],
            none,
        ),
        builtin(
            "return-ends",
            [Kind::StreamRead, Kind::FutureRead],
            NONE,
            ["(param i32 i32)", "task.return (result $ends)"],
            "(CALL (local.get $x) (local.get $y))",
        ),
        builtin("cancel", nothing, NONE, ["", "task.cancel"], "(CALL)"),
        builtin(
            "set-new",
            nothing,
            gives(Set),
            ["(result i32)", "waitable-set.new"],
            "(local.set $r (CALL))",
        ),
        builtin("set-drop", takes(Set), NONE, [ONE, "waitable-set.drop"], none),
        builtin(
            "join",
            [Waitable, SetOrNone],
            NONE,
            ["(param i32 i32)", "waitable.join"],
            "(CALL (local.get $x) (local.get $y))",
        ),
        builtin("subtask-drop", takes(Subtask), NONE, [ONE, "subtask.drop"], none),
        builtin("inc", nothing, NONE, ["", "backpressure.inc"], "(CALL)"),
        builtin("dec", nothing, NONE, ["", "backpressure.dec"], "(CALL)"),
        // The value that the task has is that of its registers' address.
        op("get", nothing, number, "(local.set $r (call $frame-get))"),
        op(
            "set",
            takes(Number),
            number,
            "(local.set $pc (call $frame-get)) (call $frame-set (local.get $x)) \
             (local.set $r (call $frame-get)) (call $frame-set (local.get $pc))",
        ),
    ]);
    transmits(&mut ops);
    calls(&mut ops);
    ops
}

/// The built-ins of `stream<u32>` and `future<u32>`.
fn transmits(ops: &mut Vec<Op>) {
    let sorts = [
        ("stream", "$s", Kind::StreamRead, Kind::StreamWrite),
        ("future", "$f", Kind::FutureRead, Kind::FutureWrite),
    ];
    for (sort, ty, readable, writable) in sorts {
        let is_stream = sort == "stream";
        ops.push(builtin(
            &format!("{sort}-new"),
            [Kind::None; 2],
            [readable, writable, Kind::None],
            ["(result i64)", &format!("{sort}.new {ty}")],
            "(local.set $w (CALL)) (local.set $r (i32.wrap_i64 (local.get $w))) \
             (local.set $e (i32.wrap_i64 (i64.shr_u (local.get $w) (i64.const 32))))",
        ));
        for (end, dropped, kind) in [("read", "readable", readable), ("write", "writable", writable)] {
            for (suffix, option) in [("", " async"), ("-sync", "")] {
                let (signature, length) = match is_stream {
                    true => ("(param i32 i32 i32) (result i32)", " (local.get $y)"),
                    false => ("(param i32 i32) (result i32)", ""),
                };
                let takes = [kind, if is_stream { Kind::Length } else { Kind::None }];
                let gives = [Kind::Number, Kind::None, Kind::None];
                ops.push(builtin(
                    &format!("{sort}-{end}{suffix}"),
                    takes,
                    gives,
                    [signature, &format!("{sort}.{end} {ty}{option} {MEMORY}")],
                    &format!(
                        "(local.set $r (CALL (local.get $x) (i32.load offset=60 (local.get $f)){length}))"
                    ),
                ));
                ops.push(builtin(
                    &format!("{sort}-cancel-{end}{suffix}"),
                    [kind, Kind::None],
                    gives,
                    [ONE_GIVES, &format!("{sort}.cancel-{end} {ty}{option}")],
                    "(local.set $r (CALL (local.get $x)))",
                ));
            }
            ops.push(builtin(
                &format!("{sort}-drop-{end}"),
                [kind, Kind::None],
                NONE,
                [ONE, &format!("{sort}.drop-{dropped} {ty}")],
                "(CALL (local.get $x))",
            ));
        }
    }
}

/// Calls of the next instance: each function, lowered synchronously and asynchronously.
fn calls(ops: &mut Vec<Op>) {
    let second = "(i32.load (call $register (local.get $f) (local.get $yr))) \
                  (i32.load (call $register (local.get $f) (i32.add (local.get $yr) (i32.const 1))))";
    let mut functions = vec![(String::from("plain"), "")];
    for form in FORMS {
        functions.push((format!("run-{form}"), ""));
        functions.push((format!("take-{form}"), second));
        functions.push((format!("give-{form}"), ""));
    }
    for (function, more) in &functions {
        let is_pair = function.starts_with("give");
        let params = match more.is_empty() {
            true => "i32",
            false => "i32 i32 i32",
        };
        let takes = match more.is_empty() {
            true => [Kind::Script, Kind::None],
            false => [Kind::Script, Kind::StreamRead],
        };
        let at = "(i32.add (local.get $f) (i32.const 80))";
        let both = "(local.set $r (i32.load offset=80 (local.get $f))) (local.set $e (i32.load offset=84 (local.get $f)))";
        let lower = |option: &str| format!("lower (func ${function}){option}");
        let (signature, body, gives, options) = match is_pair {
            true => (
                format!("(param {params} i32)"),
                format!("(CALL (local.get $x) {more} {at}) {both}"),
                [Kind::StreamRead, Kind::FutureRead, Kind::None],
                format!(" {MEMORY}"),
            ),
            false => (
                format!("(param {params}) (result i32)"),
                format!("(local.set $r (CALL (local.get $x) {more}))"),
                [Kind::Number, Kind::None, Kind::None],
                String::new(),
            ),
        };
        ops.push(builtin(
            &format!("call-{function}"),
            takes,
            gives,
            [&signature, &lower(&options)],
            &body,
        ));
        if function == "plain" {
            // Only functions of type `async` are lowered asynchronously.
            continue;
        }
        ops.push(builtin(
            &format!("start-{function}"),
            takes,
            [Kind::Number, Kind::Subtask, Kind::None],
            [
                &format!("(param {params} i32) (result i32)"),
                &lower(&format!(" async {MEMORY}")),
            ],
            &format!(
                "(local.set $r (CALL (local.get $x) {more} {at})) \
                 (local.set $e (i32.shr_u (local.get $r) (i32.const 4)))"
            ),
        ));
    }
}

/// Describes a script, one instruction a line, up to its last one that does anything.
pub fn describe(script: &[[u8; 4]]) -> String {
    let end = script.iter().rposition(|instruction| instruction[0] != 0);
    let mut text = String::new();
    for (index, [code, to, x, y]) in script.iter().take(end.map_or(0, |end| end + 2)).enumerate() {
        let Some(op) = ops().get(usize::from(*code)).or_else(|| ops().first()) else {
            continue;
        };
        let operand = |byte: u8| match byte {
            0..NUMBERS => format!("r{byte}"),
            SPECIAL.. => format!("{:#x}", SPECIALS[usize::from(byte - SPECIAL)]),
            _ => (byte - NUMBERS).to_string(),
        };
        let _ = write!(text, "    {index}: ");
        if op.gives[0] != Kind::None {
            let _ = write!(text, "r{} = ", to % REGISTERS);
        }
        let operands: Vec<String> = [*x, *y]
            .into_iter()
            .zip(op.takes)
            .filter(|(_, kind)| *kind != Kind::None)
            .map(|(byte, _)| operand(byte))
            .collect();
        let _ = writeln!(text, "{}({})", op.name, operands.join(", "));
    }
    text
}
