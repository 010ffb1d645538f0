//! Guests that attack their host.

use airssys_wasm::error::{CoreTrap, TrapKind};

/// An attack, and how it must end.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// A component with the function `attack`.
    pub(crate) text: &'static str,
    pub(crate) outcome: Outcome,
}

/// How an attack ends.
pub(crate) enum Outcome {
    /// It is stopped at its deadline.
    Interrupted,
    /// It traps.
    Trap(TrapKind),
    /// It ends in an error with these words.
    Refused(&'static str),
    /// It finds its limit, and answers: it traps itself if it got more.
    Answers,
}

/// A component that uses its whole memory of 512 KiB in each call, and returns its argument and one.
pub(crate) const NEIGHBOR: &str = r#"(component
    (core module $m
        (memory (export "memory") 1 8)
        (func (export "answer") (param i32) (result i32)
            (drop (memory.grow (i32.sub (i32.const 8) (memory.size))))
            (memory.fill (i32.const 0) (local.get 0) (i32.const 0x80000))
            (i32.add (i32.load8_u (i32.const 0x7ffff)) (i32.const 1))))
    (core instance $i (instantiate $m))
    (func (export "answer") (param "n" u32) (result u32) (canon lift (core func $i "answer"))))"#;

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "a loop",
        text: r#"(component
            (core module $m (func (export "attack") (loop $again (br $again))))
            (core instance $i (instantiate $m))
            (func (export "attack") (canon lift (core func $i "attack"))))"#,
        outcome: Outcome::Interrupted,
    },
    Attack {
        name: "a loop in a start function",
        text: r#"(component
            (core module $m (func $start (loop $again (br $again))) (start $start) (func (export "attack")))
            (core instance $i (instantiate $m))
            (func (export "attack") (canon lift (core func $i "attack"))))"#,
        outcome: Outcome::Interrupted,
    },
    Attack {
        name: "a loop of host calls",
        text: r#"(component
            (import "tick" (func $tick))
            (core func $lowered (canon lower (func $tick)))
            (core module $m (import "" "tick" (func $tick))
                (func (export "attack") (loop $again (call $tick) (br $again))))
            (core instance $i (instantiate $m (with "" (instance (export "tick" (func $lowered))))))
            (func (export "attack") (canon lift (core func $i "attack"))))"#,
        outcome: Outcome::Interrupted,
    },
    Attack {
        name: "a loop in a destructor",
        text: r#"(component
            (core module $m (func (export "drop") (param i32) (loop $again (br $again))))
            (core instance $i (instantiate $m))
            (type $r (resource (rep i32) (dtor (core func $i "drop"))))
            (core func $new (canon resource.new $r))
            (core module $n (import "" "new" (func $new (param i32) (result i32)))
                (func (export "attack") (result i32) (call $new (i32.const 7))))
            (core instance $j (instantiate $n (with "" (instance (export "new" (func $new))))))
            (export $exported "r" (type $r))
            (func (export "attack") (result (own $exported)) (canon lift (core func $j "attack"))))"#,
        outcome: Outcome::Interrupted,
    },
    Attack {
        name: "a loop in post-return",
        text: r#"(component
            (core module $m
                (func (export "attack") (result i32) (i32.const 1))
                (func (export "post") (param i32) (loop $again (br $again))))
            (core instance $i (instantiate $m))
            (func (export "attack") (result u32)
                (canon lift (core func $i "attack") (post-return (core func $i "post")))))"#,
        outcome: Outcome::Interrupted,
    },
    Attack {
        name: "a loop in realloc",
        text: r#"(component
            (import "tell" (func $tell (param "bytes" u32) (result (list u8))))
            (core module $memory (memory (export "memory") 1)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (loop $again (br $again)) (unreachable)))
            (core instance $mem (instantiate $memory))
            (core func $lowered (canon lower (func $tell)
                (memory (core memory $mem "memory")) (realloc (core func $mem "realloc"))))
            (core module $m (import "" "tell" (func $tell (param i32 i32)))
                (func (export "attack") (call $tell (i32.const 1000) (i32.const 0))))
            (core instance $i (instantiate $m (with "" (instance (export "tell" (func $lowered))))))
            (func (export "attack") (canon lift (core func $i "attack"))))"#,
        outcome: Outcome::Interrupted,
    },
    Attack {
        name: "fills of all memory",
        text: r#"(component
            (core module $m (memory 256)
                (func (export "attack") (loop $again
                    (memory.fill (i32.const 0) (i32.const 7) (i32.const 0x1000000)) (br $again))))
            (core instance $i (instantiate $m))
            (func (export "attack") (canon lift (core func $i "attack"))))"#,
        outcome: Outcome::Interrupted,
    },
    Attack {
        name: "memory without end",
        text: r#"(component
            (core module $m (memory 1) (func (export "attack")
                (block $end (loop $again
                    (br_if $end (i32.eq (memory.grow (i32.const 1)) (i32.const -1)))
                    (i32.store (i32.mul (i32.sub (memory.size) (i32.const 1)) (i32.const 65536)) (i32.const 1))
                    (br $again)))
                (if (i32.ne (memory.size) (i32.const 256)) (then unreachable))))
            (core instance $i (instantiate $m))
            (func (export "attack") (canon lift (core func $i "attack"))))"#,
        outcome: Outcome::Answers,
    },
    Attack {
        name: "many memories within their limit",
        text: r#"(component
            (core module $m (memory 128) (func $start (memory.fill (i32.const 0) (i32.const 1) (i32.const 0x800000))) (start $start)
                (func (export "attack")))
            (core instance (instantiate $m)) (core instance (instantiate $m)) (core instance (instantiate $m))
            (core instance (instantiate $m)) (core instance $i (instantiate $m))
            (func (export "attack") (canon lift (core func $i "attack"))))"#,
        outcome: Outcome::Refused("total_memory_bytes"),
    },
    Attack {
        name: "many memories that grow",
        text: r#"(component
            (core module $m (memory 1)
                (func (export "grow") (result i32)
                    (block $end (loop $again
                        (br_if $end (i32.eq (memory.grow (i32.const 8)) (i32.const -1)))
                        (br $again)))
                    (memory.fill (i32.const 0) (i32.const 1) (i32.mul (memory.size) (i32.const 65536)))
                    (memory.size)))
            (core instance $a (instantiate $m)) (core instance $b (instantiate $m))
            (core instance $c (instantiate $m)) (core instance $d (instantiate $m))
            (core module $n
                (import "a" "grow" (func $a (result i32))) (import "b" "grow" (func $b (result i32)))
                (import "c" "grow" (func $c (result i32))) (import "d" "grow" (func $d (result i32)))
                (func (export "attack")
                    (i32.add (i32.add (call $a) (call $b)) (i32.add (call $c) (call $d)))
                    (if (i32.gt_u (i32.const 512)) (then unreachable))))
            (core instance $i (instantiate $n (with "a" (instance $a)) (with "b" (instance $b))
                (with "c" (instance $c)) (with "d" (instance $d))))
            (func (export "attack") (canon lift (core func $i "attack"))))"#,
        outcome: Outcome::Answers,
    },
    Attack {
        name: "a table without end",
        text: r#"(component
            (core module $m (table $t 1 funcref) (func (export "attack")
                (block $end (loop $again
                    (br_if $end (i32.eq (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1)))
                    (br $again)))
                (if (i32.gt_u (table.size $t) (i32.const 100000)) (then unreachable))))
            (core instance $i (instantiate $m))
            (func (export "attack") (canon lift (core func $i "attack"))))"#,
        outcome: Outcome::Answers,
    },
    Attack {
        name: "a table that is large from the start",
        text: r#"(component
            (core module $m (table 4000000000 funcref) (func (export "attack")))
            (core instance $i (instantiate $m))
            (func (export "attack") (canon lift (core func $i "attack"))))"#,
        outcome: Outcome::Refused("table_elements"),
    },
    Attack {
        name: "handles without end",
        text: r#"(component
            (type $r (resource (rep i32)))
            (core func $new (canon resource.new $r))
            (core module $m (import "" "new" (func $new (param i32) (result i32)))
                (func (export "attack") (loop $again (drop (call $new (i32.const 7))) (br $again))))
            (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
            (func (export "attack") (canon lift (core func $i "attack"))))"#,
        outcome: Outcome::Refused("handles"),
    },
    Attack {
        name: "resources of the host without end",
        text: r#"(component
            (import "thing" (type $thing (sub resource)))
            (import "make" (func $make (result (own $thing))))
            (core func $lowered (canon lower (func $make)))
            (core module $m (import "" "make" (func $make (result i32)))
                (func (export "attack") (loop $again (drop (call $make)) (br $again))))
            (core instance $i (instantiate $m (with "" (instance (export "make" (func $lowered))))))
            (func (export "attack") (canon lift (core func $i "attack"))))"#,
        outcome: Outcome::Refused("handles"),
    },
    Attack {
        name: "calls without end",
        text: r#"(component
            (core module $m (func $f (export "attack") (call $f) (call $f)))
            (core instance $i (instantiate $m))
            (func (export "attack") (canon lift (core func $i "attack"))))"#,
        outcome: Outcome::Trap(TrapKind::Core(CoreTrap::StackOverflow)),
    },
    Attack {
        name: "calls without end, with large frames",
        text: r#"(component
            (import "tick" (func $tick))
            (core func $lowered (canon lower (func $tick)))
            (core module $m (import "" "tick" (func $tick))
                (func $f (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64)
                    (call $tick)
                    (i64.add (local.get 7) (call $f (local.get 1) (local.get 2) (local.get 3) (local.get 4)
                        (local.get 5) (local.get 6) (local.get 7) (i64.add (local.get 0) (i64.const 1)))))
                (func (export "attack") (drop (call $f (i64.const 0) (i64.const 1) (i64.const 2) (i64.const 3)
                    (i64.const 4) (i64.const 5) (i64.const 6) (i64.const 7)))))
            (core instance $i (instantiate $m (with "" (instance (export "tick" (func $lowered))))))
            (func (export "attack") (canon lift (core func $i "attack"))))"#,
        outcome: Outcome::Trap(TrapKind::Core(CoreTrap::StackOverflow)),
    },
    Attack {
        name: "a result of one text, a million times",
        text: r#"(component
            (core module $m (memory (export "memory") 129)
                (func (export "attack") (result i32) (local $at i32)
                    (loop $next
                        (i32.store (local.get $at) (i32.const 0x800000))
                        (i32.store offset=4 (local.get $at) (i32.const 1024))
                        (local.set $at (i32.add (local.get $at) (i32.const 8)))
                        (br_if $next (i32.lt_u (local.get $at) (i32.const 0x800000))))
                    (i32.store (i32.const 0x800800) (i32.const 0))
                    (i32.store (i32.const 0x800804) (i32.const 1000000))
                    (i32.const 0x800800)))
            (core instance $i (instantiate $m))
            (func (export "attack") (result (list string))
                (canon lift (core func $i "attack") (memory (core memory $i "memory")))))"#,
        outcome: Outcome::Refused("lift_bytes"),
    },
    Attack {
        name: "an argument of eight megabytes",
        text: r#"(component
            (import "hear" (func $hear (param "text" string) (result u32)))
            (core module $memory (memory (export "memory") 128))
            (core instance $mem (instantiate $memory))
            (core func $lowered (canon lower (func $hear) (memory (core memory $mem "memory"))))
            (core module $m (import "" "hear" (func $hear (param i32 i32) (result i32)))
                (func (export "attack") (drop (call $hear (i32.const 0) (i32.const 0x800000)))))
            (core instance $i (instantiate $m (with "" (instance (export "hear" (func $lowered))))))
            (func (export "attack") (canon lift (core func $i "attack"))))"#,
        outcome: Outcome::Refused("lift_bytes"),
    },
    Attack {
        name: "a pointer beyond memory",
        text: r#"(component
            (core module $m (memory (export "memory") 1)
                (func (export "attack") (result i32) (i32.const -8)))
            (core instance $i (instantiate $m))
            (func (export "attack") (result string) (canon lift (core func $i "attack") (memory (core memory $i "memory")))))"#,
        outcome: Outcome::Refused("canonical ABI"),
    },
];
