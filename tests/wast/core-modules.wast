;;! --host-instance
;; Core modules that components import: instantiated, passed on, exported again.

;; The host's, from its instance and at the root.
(component
  (import "host" (instance $host
    (export "simple-module" (core module
      (export "g" (global i32))
      (export "f" (func (result i32)))))))
  (import "simple-module" (core module $root (export "f" (func (result i32)))))
  (alias export $host "simple-module" (core module $simple))
  (core instance $simple (instantiate $simple))
  (core instance $root (instantiate $root))
  (core module $user
    (import "simple" "g" (global $g i32))
    (import "simple" "f" (func $f (result i32)))
    (import "root" "f" (func $root (result i32)))
    (func (export "all") (result i32)
      (i32.add (i32.mul (global.get $g) (i32.const 1000)) (i32.add (call $f) (call $root)))))
  (core instance $user (instantiate $user
    (with "simple" (instance $simple)) (with "root" (instance $root))))
  (func (export "f") (result u32) (canon lift (core func $simple "f")))
  (func (export "all") (result u32) (canon lift (core func $user "all"))))
(assert_return (invoke "f") (u32.const 101))
(assert_return (invoke "all") (u32.const 100202))

;; A component's.
(component $modules
  (core module $counter
    (global $count (mut i32) (i32.const 0))
    (func (export "next") (result i32)
      (global.set $count (i32.add (global.get $count) (i32.const 1)))
      (global.get $count)))
  (core module $half
    (func (export "half") (param f64 f32) (result f64)
      (f64.mul (f64.add (local.get 0) (f64.promote_f32 (local.get 1))) (f64.const 0.5))))
  (core module $allocator
    (memory (export "memory") 1)
    (global $free (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local i32)
      (local.set 4 (i32.and
        (i32.add (global.get $free) (i32.sub (local.get 2) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get 2))))
      (global.set $free (i32.add (local.get 4) (local.get 3)))
      (memory.copy (local.get 4) (local.get 0)
        (select (local.get 1) (local.get 3) (i32.lt_u (local.get 1) (local.get 3))))
      (local.get 4)))
  (core module $twice
    (import "env" "f" (func $f (result i32)))
    (import "env" "memory" (memory 1))
    (import "env" "table" (table 1 funcref))
    (import "other" "offset" (global $offset i32))
    (elem (i32.const 0) $indirect)
    (func $indirect (result i32) (i32.add (call $f) (global.get $offset)))
    (type $ty (func (result i32)))
    (func (export "run") (result i32)
      (i32.store (i32.const 8) (call_indirect (type $ty) (i32.const 0)))
      (i32.mul (i32.load (i32.const 8)) (i32.const 2))))
  (core module $starts
    (import "" "f" (func $f (result i32)))
    (global $seen (mut i32) (i32.const 0))
    (func $start (global.set $seen (call $f)))
    (start $start)
    (func (export "seen") (result i32) (global.get $seen)))
  (core module $traps (func $start unreachable) (start $start))
  (export "counter" (core module $counter))
  (export "half" (core module $half))
  (export "allocator" (core module $allocator))
  (export "twice" (core module $twice))
  (export "starts" (core module $starts))
  (export "traps" (core module $traps)))

;; Each instance has a state of its own.
(component
  (import "modules" (instance $modules
    (export "counter" (core module (export "next" (func (result i32)))))))
  (alias export $modules "counter" (core module $counter))
  (core instance $a (instantiate $counter))
  (core instance $b (instantiate $counter))
  (func (export "a") (result u32) (canon lift (core func $a "next")))
  (func (export "b") (result u32) (canon lift (core func $b "next"))))
(assert_return (invoke "a") (u32.const 1))
(assert_return (invoke "a") (u32.const 2))
(assert_return (invoke "b") (u32.const 1))
(assert_return (invoke "a") (u32.const 3))

;; Floats cross, to the host and to another module.
(component
  (import "modules" (instance $modules
    (export "half" (core module (export "half" (func (param f64 f32) (result f64)))))))
  (alias export $modules "half" (core module $half))
  (core instance $half (instantiate $half))
  (core module $user
    (import "half" "half" (func $half (param f64 f32) (result f64)))
    (func (export "quarter") (param f64) (result f64)
      (call $half (call $half (local.get 0) (f32.const 0)) (f32.const 1))))
  (core instance $user (instantiate $user (with "half" (instance $half))))
  (func (export "half") (param "a" f64) (param "b" f32) (result f64) (canon lift (core func $half "half")))
  (func (export "quarter") (param "a" f64) (result f64) (canon lift (core func $user "quarter"))))
(assert_return (invoke "half" (f64.const 3) (f32.const 0.5)) (f64.const 1.75))
(assert_return (invoke "quarter" (f64.const 10)) (f64.const 3))

;; Functions, memories, tables and globals given to it, in an order that is not its own, one of them unneeded.
(component
  (import "modules" (instance $modules
    (export "twice" (core module
      (import "other" "offset" (global i32))
      (import "other" "unneeded" (func (param i64)))
      (import "env" "table" (table 1 1 funcref))
      (import "env" "memory" (memory 2 3))
      (import "env" "f" (func (result i32)))
      (export "run" (func (result i32)))))))
  (import "host" (instance $host (export "return-three" (func (result u32)))))
  (alias export $modules "twice" (core module $twice))
  (core func $three (canon lower (func $host "return-three")))
  (core module $env
    (memory (export "memory") 2 3)
    (table (export "table") 1 1 funcref)
    (global (export "offset") i32 (i32.const 40))
    (func (export "unneeded") (param i64))
    (func (export "peek") (result i32) (i32.load (i32.const 8))))
  (core instance $env (instantiate $env))
  (core instance $twice (instantiate $twice
    (with "env" (instance
      (export "f" (func $three))
      (export "memory" (memory $env "memory"))
      (export "table" (table $env "table"))))
    (with "other" (instance $env))))
  (func (export "run") (result u32) (canon lift (core func $twice "run")))
  (func (export "peek") (result u32) (canon lift (core func $env "peek"))))
(assert_return (invoke "run") (u32.const 86))
(assert_return (invoke "peek") (u32.const 43))

;; Its memory and its realloc, for values that cross: to the host, and between two components.
(component
  (import "modules" (instance $modules
    (export "allocator" (core module
      (export "memory" (memory 1))
      (export "realloc" (func (param i32 i32 i32 i32) (result i32)))))))
  (alias export $modules "allocator" (core module $allocator))
  (component $inner
    (import "allocator" (core module $allocator
      (export "memory" (memory 1))
      (export "realloc" (func (param i32 i32 i32 i32) (result i32)))))
    (core instance $a (instantiate $allocator))
    (core module $m
      (import "a" "memory" (memory 1))
      (import "a" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
      (func (export "shout") (param i32 i32) (result i32) (local i32)
        (local.set 0 (call $realloc (local.get 0) (local.get 1) (i32.const 1) (i32.add (local.get 1) (i32.const 1))))
        (i32.store8 (i32.add (local.get 0) (local.get 1)) (i32.const 33))
        (local.set 2 (call $realloc (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 8)))
        (i32.store (local.get 2) (local.get 0))
        (i32.store offset=4 (local.get 2) (i32.add (local.get 1) (i32.const 1)))
        (local.get 2)))
    (core instance $m (instantiate $m (with "a" (instance $a))))
    (func (export "shout") (param "text" string) (result string)
      (canon lift (core func $m "shout") (memory (core memory $a "memory")) (realloc (core func $a "realloc")))))
  (component $outer
    (import "allocator" (core module $allocator
      (export "memory" (memory 1))
      (export "realloc" (func (param i32 i32 i32 i32) (result i32)))))
    (import "shout" (func $shout (param "text" string) (result string)))
    (core instance $a (instantiate $allocator))
    (core func $shout (canon lower (func $shout)
      (memory (core memory $a "memory")) (realloc (core func $a "realloc")) string-encoding=utf16))
    (core module $m
      (import "a" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
      (import "a" "shout" (func $shout (param i32 i32 i32)))
      (func (export "shout") (param i32 i32) (result i32) (local i32)
        (local.set 2 (call $realloc (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 8)))
        (call $shout (local.get 0) (local.get 1) (local.get 2))
        (local.get 2)))
    (core instance $m (instantiate $m (with "a" (instance
      (export "realloc" (func $a "realloc"))
      (export "shout" (func $shout))))))
    (func (export "shout") (param "text" string) (result string)
      (canon lift (core func $m "shout")
        (memory (core memory $a "memory")) (realloc (core func $a "realloc")) string-encoding=utf16)))
  (instance $inner (instantiate $inner (with "allocator" (core module $allocator))))
  (instance $outer (instantiate $outer
    (with "allocator" (core module $allocator)) (with "shout" (func $inner "shout"))))
  (export "direct" (func $inner "shout"))
  (export "through" (func $outer "shout")))
(assert_return (invoke "direct" (str.const "grüße")) (str.const "grüße!"))
(assert_return (invoke "through" (str.const "漢字")) (str.const "漢字!"))

;; Passed on to nested components, a component's own as well as an imported one.
(component
  (core type $ty (module (export "f" (func (result i32)))))
  (import "simple-module" (core module $imported (type $ty)))
  (core module $own (func (export "f") (result i32) (i32.const 7)))
  (component $inner
    (import "m" (core module $m (export "f" (func (result i32)))))
    (component $innermost
      (import "m" (core module $m (export "f" (func (result i32)))))
      (core instance $i (instantiate $m))
      (func (export "f") (result u32) (canon lift (core func $i "f"))))
    (instance $i (instantiate $innermost (with "m" (core module $m))))
    (export "f" (func $i "f")))
  (instance $a (instantiate $inner (with "m" (core module $imported))))
  (instance $b (instantiate $inner (with "m" (core module $own))))
  (export "imported" (func $a "f"))
  (export "own" (func $b "f")))
(assert_return (invoke "imported") (u32.const 101))
(assert_return (invoke "own") (u32.const 7))

;; Exported again, at the root and in an instance.
(component $again
  (import "modules" (instance $modules
    (export "counter" (core module (export "next" (func (result i32)))))))
  (alias export $modules "counter" (core module $counter))
  (core module $own (func (export "f") (result i32) (i32.const 9)))
  (export "counter" (core module $counter))
  (export "own" (core module $own)))
(component
  (import "again" (instance $again
    (export "counter" (core module (export "next" (func (result i32)))))
    (export "own" (core module (export "f" (func (result i32)))))))
  (alias export $again "counter" (core module $counter))
  (alias export $again "own" (core module $own))
  (core instance $counter (instantiate $counter))
  (core instance $own (instantiate $own))
  (func (export "next") (result u32) (canon lift (core func $counter "next")))
  (func (export "own") (result u32) (canon lift (core func $own "f"))))
(assert_return (invoke "next") (u32.const 1))
(assert_return (invoke "own") (u32.const 9))

;; Start functions run when it is instantiated.
(component
  (import "modules" (instance $modules
    (export "starts" (core module
      (import "" "f" (func (result i32)))
      (export "seen" (func (result i32)))))))
  (import "host" (instance $host (export "return-three" (func (result u32)))))
  (alias export $modules "starts" (core module $starts))
  (core func $three (canon lower (func $host "return-three")))
  (core instance $starts (instantiate $starts (with "" (instance (export "f" (func $three))))))
  (func (export "seen") (result u32) (canon lift (core func $starts "seen"))))
(assert_return (invoke "seen") (u32.const 3))

;; The reference engine's instances end with a trap, so that this is last.
(assert_trap
  (component
    (import "modules" (instance $modules (export "traps" (core module))))
    (alias export $modules "traps" (core module $traps))
    (core instance (instantiate $traps)))
  "unreachable")
