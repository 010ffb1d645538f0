//! Two components that pass values on by asynchronous functions, streams and futures, generated from types, as text.
//!
//! The host calls the outer one, that the inner one, and that the host. `echoN` passes its arguments on and the result
//! back. `valuesN` takes the elements of a stream (or the value of a future) as a list, writes them to the inner one's
//! `pipeN`, and returns the list of what it reads from the stream that `pipeN` returns.

use std::fmt::Write;

use super::layout::{Copy, record};
use crate::differential::abi::{Core, MAX_FLAT_PARAMS, flatten, size_bound};
use crate::differential::guest::{Encoding, MEMORY, Text};
use crate::differential::types::{Batch, Type};

/// `MAX_FLAT_ASYNC_PARAMS`.
const MAX_FLAT_ASYNC_PARAMS: usize = 4;

/// How a component's functions are lifted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Lift {
    Sync,
    Callback,
    Stackful,
}

/// How a component calls, and is called.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Mode {
    pub(super) lift: Lift,
    /// Calls are lowered asynchronously.
    pub(super) lowers_async: bool,
    pub(super) encoding: Encoding,
}

/// Returns the composed component, as text; `futures` has a true for each function whose value passes through a future
/// instead of a stream.
pub(super) fn text(batch: &Batch, futures: &[bool], outer: Mode, inner: Mode) -> String {
    let part = |mode, is_outer| Part {
        batch,
        futures,
        mode,
        is_outer,
    };
    let (outer, inner) = (part(outer, true), part(inner, false));
    format!(
        "(component\n{host}\n(component $inner\n{inner_text})\n(component $outer\n{outer_text})\n\
         (instance $i (instantiate $inner (with \"host\" (instance $host))))\n\
         (alias export $i \"guest\" (instance $ig))\n\
         (instance $o (instantiate $outer (with \"host\" (instance $ig))))\n\
         (alias export $o \"guest\" (instance $og))\n(export \"guest\" (instance $og)))",
        host = inner.import(),
        inner_text = inner.text(),
        outer_text = outer.text(),
    )
}

pub(super) struct Part<'a> {
    pub(super) batch: &'a Batch,
    pub(super) futures: &'a [bool],
    pub(super) mode: Mode,
    pub(super) is_outer: bool,
}

fn locals(types: &[Core], prefix: &str) -> String {
    let each = types.iter().enumerate();
    each.map(|(index, ty)| format!(" (local ${prefix}{index} {})", ty.name()))
        .collect()
}

fn params(types: &[Core]) -> String {
    types.iter().map(|ty| format!(" (param {})", ty.name())).collect()
}

impl Part<'_> {
    /// Returns the element's type, of a function with one parameter.
    fn element(&self, index: usize) -> Option<&Type> {
        match &self.batch.functions[index][..] {
            [ty] => Some(ty),
            _ => None,
        }
    }

    pub(super) fn sort(&self, index: usize) -> &'static str {
        match self.futures.get(index) {
            Some(true) => "future",
            _ => "stream",
        }
    }

    fn func(&self, index: usize) -> String {
        let mut text = String::from("(func async");
        for (place, ty) in self.batch.functions[index].iter().enumerate() {
            let _ = write!(text, " (param \"p{place}\" {})", Text(ty));
        }
        let _ = write!(text, " (result {}))", Text(&self.batch.result(index)));
        text
    }

    fn pipe_func(&self, index: usize, element: &Type) -> String {
        let sort = self.sort(index);
        let ty = Text(element);
        format!("(func async (param \"s\" ({sort} {ty})) (result ({sort} {ty})))")
    }

    fn import(&self) -> String {
        let mut text = String::from("(import \"host\" (instance $host\n");
        for declared in &self.batch.declared {
            let name = &declared.name;
            let _ = writeln!(text, "(type ${name}-body {})", Text(&**declared));
            let _ = writeln!(text, "(export \"{name}\" (type ${name} (eq ${name}-body)))");
        }
        for index in 0..self.batch.functions.len() {
            let _ = writeln!(text, "(export \"echo{index}\" {})", self.func(index));
            if let Some(element) = self.element(index).filter(|_| self.is_outer) {
                let func = self.pipe_func(index, element);
                let _ = writeln!(text, "(export \"pipe{index}\" {func})");
            }
        }
        text + "))\n"
    }

    fn lower(&self) -> &'static str {
        if self.mode.lowers_async { "async" } else { "" }
    }

    fn text(&self) -> String {
        let options = format!(
            "(memory $memory) (realloc $realloc) {}",
            self.mode.encoding.option()
        );
        let memory = format!("(memory $memory) {}", self.mode.encoding.option());
        let mut defs = format!("{}{MEMORY}", self.import());
        for core in Core::ALL.map(Core::name) {
            let _ = writeln!(
                defs,
                "(alias core export $memory \"reset-{core}\" (core func $reset-{core}))"
            );
        }
        for declared in &self.batch.declared {
            let name = &declared.name;
            let _ = writeln!(defs, "(alias export $host \"{name}\" (type ${name}))");
        }
        // Core functions: name, signature, definition.
        let mut core: Vec<(String, String, String)> = vec![
            (
                "set-new".into(),
                "(result i32)".into(),
                "canon waitable-set.new".into(),
            ),
            (
                "set-drop".into(),
                "(param i32)".into(),
                "canon waitable-set.drop".into(),
            ),
            (
                "join".into(),
                "(param i32 i32)".into(),
                "canon waitable.join".into(),
            ),
            (
                "wait".into(),
                "(param i32 i32) (result i32)".into(),
                "canon waitable-set.wait (memory $memory)".into(),
            ),
            (
                "subtask-drop".into(),
                "(param i32)".into(),
                "canon subtask.drop".into(),
            ),
            (
                "get".into(),
                "(result i32)".into(),
                "canon context.get i32 0".into(),
            ),
            (
                "set".into(),
                "(param i32)".into(),
                "canon context.set i32 0".into(),
            ),
        ];
        let mut bodies = String::from(AWAIT);
        let mut lifts = String::new();
        let mut exports = String::new();
        for index in 0..self.batch.functions.len() {
            self.echo(index, &mut core, &mut bodies, [&options, &memory]);
            let _ = writeln!(
                defs,
                "(alias export $host \"echo{index}\" (func $host-echo{index}))"
            );
            let result = self.batch.result(index);
            self.lift(
                &format!("echo{index}"),
                &self.func(index),
                &result,
                &options,
                &mut lifts,
            );
            let _ = writeln!(exports, "(export \"echo{index}\" (func $echo{index}))");
            let Some(element) = self.element(index) else {
                continue;
            };
            let sort = self.sort(index);
            let _ = writeln!(defs, "(type $s{index} ({sort} {}))", Text(element));
            self.transmit(index, &mut core, [&options, &memory]);
            let name = match self.is_outer {
                true => {
                    let _ = writeln!(
                        defs,
                        "(alias export $host \"pipe{index}\" (func $host-pipe{index}))"
                    );
                    self.drive(index, element, &mut core, &mut bodies, &memory);
                    let list = Type::List(Box::new(element.clone()));
                    let func = format!("(func async (param \"v\" {0}) (result {0}))", Text(&list));
                    self.lift(&format!("values{index}"), &func, &list, &options, &mut lifts);
                    format!("values{index}")
                }
                false => {
                    // It goes on after its return, which a function that is lifted synchronously cannot.
                    let part = match self.mode.lift {
                        Lift::Sync => Part {
                            mode: Mode {
                                lift: Lift::Stackful,
                                ..self.mode
                            },
                            ..*self
                        },
                        _ => Part { ..*self },
                    };
                    part.pipe(index, element, &mut core, &mut bodies, &memory);
                    let handle = Type::Scalar(crate::differential::types::Scalar::U32);
                    let func = self.pipe_func(index, element);
                    part.lift(&format!("pipe{index}"), &func, &handle, &options, &mut lifts);
                    format!("pipe{index}")
                }
            };
            let _ = writeln!(exports, "(export \"{name}\" (func ${name}))");
        }
        for (name, _, canon) in &core {
            let _ = writeln!(defs, "(core func $c-{name} ({canon}))");
        }
        let _ = writeln!(
            defs,
            "(core module $m\n(import \"\" \"memory\" (memory 1))\n(import \"\" \"room\" (func $room (param i32) (result i32)))\n\
             (import \"\" \"reset\" (func $reset (param i32)))"
        );
        for (name, signature, _) in &core {
            let _ = writeln!(defs, "(import \"\" \"{name}\" (func ${name} {signature}))");
        }
        defs += &bodies;
        defs += ")\n(core instance $m (instantiate $m (with \"\" (instance (export \"memory\" (memory $memory))\n\
                 (export \"room\" (func $memory \"room\")) (export \"reset\" (func $reset-i32))\n";
        for (name, ..) in &core {
            let _ = writeln!(defs, "(export \"{name}\" (func $c-{name}))");
        }
        defs += "))))\n";
        defs += &lifts;
        defs += "(instance $guest\n";
        for declared in &self.batch.declared {
            let _ = writeln!(defs, "(export \"{0}\" (type ${0}))", declared.name);
        }
        defs + &exports + ")\n(export \"guest\" (instance $guest))\n"
    }

    pub(super) fn lift(&self, name: &str, func: &str, result: &Type, options: &str, text: &mut String) {
        let mut flat = Vec::new();
        flatten(result, &mut flat);
        let reset = match flat[..] {
            [one] => one.name(),
            _ => "i32",
        };
        let more = match self.mode.lift {
            Lift::Sync => format!("(post-return $reset-{reset})"),
            Lift::Callback => format!("async (callback (core func $m \"{name}-callback\"))"),
            Lift::Stackful => String::from("async"),
        };
        let _ = writeln!(
            text,
            "(type $type-{name} {func})\n(func ${name} (type $type-{name}) \
             (canon lift (core func $m \"{name}\") {options} {more}))"
        );
    }

    /// Returns the result of the exported core function.
    pub(super) fn lifted_result(&self, flat: &[Core]) -> String {
        match (self.mode.lift, flat) {
            (Lift::Sync, [one]) => format!("(result {})", one.name()),
            (Lift::Sync | Lift::Callback, _) => String::from("(result i32)"),
            (Lift::Stackful, _) => String::new(),
        }
    }

    /// Writes a function that ends the task with a result whose memory is at its parameter, or returns it.
    pub(super) fn finish(&self, name: &str, result: &Type, flat: &[Core], bodies: &mut String) {
        let mut copy = Copy {
            loads: true,
            at: "$at",
            local: "$r",
            flat,
            text: String::new(),
        };
        let values: String = (0..flat.len())
            .map(|index| format!(" (local.get $r{index})"))
            .collect();
        let is_flat = match self.mode.lift {
            Lift::Sync => flat.len() == 1,
            _ => flat.len() <= MAX_FLAT_PARAMS,
        };
        if is_flat {
            copy.value(result, 0, 0);
        }
        let value = if is_flat {
            values
        } else {
            String::from(" (local.get $at)")
        };
        let (returns, end) = match self.mode.lift {
            Lift::Sync => (self.lifted_result(flat), value),
            _ => (
                String::new(),
                format!("(call $return-{name} {value}) (call $reset (i32.const 0))"),
            ),
        };
        let _ = writeln!(
            bodies,
            "(func $finish-{name} (param $at i32) {returns}{}\n{}{end})",
            locals(flat, "r"),
            copy.text
        );
    }

    /// Adds `task.return` of a type.
    pub(super) fn task_return(
        &self,
        name: &str,
        ty: &str,
        flat: &[Core],
        core: &mut Vec<(String, String, String)>,
        memory: &str,
    ) {
        if self.mode.lift == Lift::Sync {
            return;
        }
        let signature = match flat.len() > MAX_FLAT_PARAMS {
            true => String::from("(param i32)"),
            false => params(flat),
        };
        core.push((
            format!("return-{name}"),
            signature,
            format!("canon task.return (result {ty}) {memory}"),
        ));
    }

    /// The end of an exported function whose result is in memory at `$at`.
    pub(super) fn end(&self, name: &str) -> String {
        let code = match self.mode.lift {
            Lift::Callback => "(i32.const 0)",
            _ => "",
        };
        format!("(call $finish-{name} (local.get $at)) {code})\n")
    }

    fn echo(
        &self,
        index: usize,
        core: &mut Vec<(String, String, String)>,
        bodies: &mut String,
        [options, memory]: [&str; 2],
    ) {
        let name = format!("echo{index}");
        let types = &self.batch.functions[index];
        let result = self.batch.result(index);
        let (mut given, mut flat) = (Vec::new(), Vec::new());
        types.iter().for_each(|ty| flatten(ty, &mut given));
        flatten(&result, &mut flat);
        let in_memory = given.len() > MAX_FLAT_PARAMS;
        let most = if self.mode.lowers_async {
            MAX_FLAT_ASYNC_PARAMS
        } else {
            MAX_FLAT_PARAMS
        };
        let stores = !in_memory && given.len() > most;
        let by_pointer = self.mode.lowers_async || flat.len() != 1;

        let mut lowered = if given.len() > most {
            vec![Core::I32]
        } else {
            given.clone()
        };
        if by_pointer {
            lowered.push(Core::I32);
        }
        let lowered_result = match (self.mode.lowers_async, &flat[..]) {
            (true, _) => "(result i32)".to_owned(),
            (false, [one]) => format!("(result {})", one.name()),
            _ => String::new(),
        };
        core.push((
            format!("host-{name}"),
            format!("{}{lowered_result}", params(&lowered)),
            format!("canon lower (func $host-{name}) {} {options}", self.lower()),
        ));
        self.task_return(&name, &Text(&result).to_string(), &flat, core, memory);
        self.finish(&name, &result, &flat, bodies);

        let own = if in_memory { vec![Core::I32] } else { given.clone() };
        let _ = write!(bodies, "(func (export \"{name}\")");
        for (place, ty) in own.iter().enumerate() {
            let _ = write!(bodies, " (param $f{place} {})", ty.name());
        }
        let _ = writeln!(
            bodies,
            " {} (local $at i32) (local $args i32) (local $st i32) (local $one {})\n\
             (local.set $at (call $room (i32.const {})))",
            self.lifted_result(&flat),
            flat.first().copied().unwrap_or(Core::I32).name(),
            size_bound(&result) + 8
        );
        if stores {
            let _ = writeln!(
                bodies,
                "(local.set $args (call $room (i32.const {})))",
                record(types.iter()).0
            );
            let mut copy = Copy {
                loads: false,
                at: "$args",
                local: "$f",
                flat: &given,
                text: String::new(),
            };
            copy.record(types.iter(), 0, 0);
            *bodies += &copy.text;
        }
        let arguments = match (in_memory, stores) {
            (true, _) => String::from("(local.get $f0)"),
            (_, true) => String::from("(local.get $args)"),
            _ => (0..given.len())
                .map(|place| format!(" (local.get $f{place})"))
                .collect(),
        };
        let at = if by_pointer { "(local.get $at)" } else { "" };
        let call = format!("(call $host-{name} {arguments} {at})");
        if self.mode.lowers_async {
            *bodies += &self.await_call(&call);
        } else if by_pointer {
            *bodies += &call;
        } else {
            // A single flat value needs no memory.
            let end = match self.mode.lift {
                Lift::Sync => call,
                Lift::Callback => {
                    format!("(call $return-{name} {call}) (call $reset (i32.const 0)) (i32.const 0)")
                }
                Lift::Stackful => format!("(call $return-{name} {call}) (call $reset (i32.const 0))"),
            };
            let _ = writeln!(bodies, "{end})");
            self.callback(&name, bodies);
            return;
        }
        *bodies += &self.end(&name);
        self.callback(&name, bodies);
    }

    /// Waits for a call: in the callback, if the function has one.
    fn await_call(&self, call: &str) -> String {
        let st = "(local.get $st)";
        match self.mode.lift {
            Lift::Callback => format!(
                "(local.set $st {call})\n(if (i32.ne {st} (i32.const 2)) (then\n\
                 (return (call $later {st} (local.get $at)))))\n"
            ),
            _ => format!("(call $await {call})\n"),
        }
    }

    pub(super) fn callback(&self, name: &str, bodies: &mut String) {
        if self.mode.lift != Lift::Callback {
            return;
        }
        let _ = writeln!(
            bodies,
            "(func (export \"{name}-callback\") (param $e i32) (param $h i32) (param $st i32) (result i32) (local $at i32)\n\
             (if (i32.ne (local.get $e) (i32.const 1)) (then unreachable))\n\
             (if (i32.ne (local.get $st) (i32.const 2)) (then (return (i32.or (i32.const 2)\n\
             (i32.shl (i32.load offset=4 (call $get)) (i32.const 4))))))\n\
             (call $subtask-drop (local.get $h)) (call $set-drop (i32.load offset=4 (call $get)))\n\
             (local.set $at (i32.load (call $get)))\n{}",
            match name.starts_with("echo") {
                true => self.end(name),
                false => String::from("unreachable)"),
            }
        );
    }
}

/// Waits for subtasks: at once, and in the callback.
const AWAIT: &str = r#"
(func $await (param $st i32) (local $set i32) (local $ev i32)
  (if (i32.eq (local.get $st) (i32.const 2)) (then (return)))
  (local.set $st (i32.shr_u (local.get $st) (i32.const 4)))
  (local.set $set (call $set-new))
  (local.set $ev (call $room (i32.const 8)))
  (call $join (local.get $st) (local.get $set))
  (loop $more
    (drop (call $wait (local.get $set) (local.get $ev)))
    (br_if $more (i32.ne (i32.load offset=4 (local.get $ev)) (i32.const 2))))
  (call $subtask-drop (local.get $st))
  (call $set-drop (local.get $set)))
(func $later (param $st i32) (param $at i32) (result i32) (local $set i32) (local $cx i32)
  (local.set $set (call $set-new))
  (call $join (i32.shr_u (local.get $st) (i32.const 4)) (local.get $set))
  (local.set $cx (call $room (i32.const 8)))
  (i32.store (local.get $cx) (local.get $at))
  (i32.store offset=4 (local.get $cx) (local.get $set))
  (call $set (local.get $cx))
  (i32.or (i32.const 2) (i32.shl (local.get $set) (i32.const 4))))
"#;
