;; Components of components: aliases, nested instances, imports of registered instances; instances that trapped.
;; CanonicalABI.md: `canon lift`, `canon lower`, "Component Instance State".

;; One definition, several instances, each with its own state.
(component
  (component $counter
    (core module $m
      (global $n (mut i32) (i32.const 0))
      (func (export "next") (result i32)
        (global.set $n (i32.add (global.get $n) (i32.const 1)))
        (global.get $n)))
    (core instance $i (instantiate $m))
    (func (export "next") (result u32) (canon lift (core func $i "next"))))
  (instance $a (instantiate $counter))
  (instance $b (instantiate $counter))
  (export "a" (func $a "next"))
  (export "b" (func $b "next"))
  ;; The same function under another name.
  (export "also-a" (func $a "next")))
(assert_return (invoke "a") (u32.const 1))
(assert_return (invoke "a") (u32.const 2))
(assert_return (invoke "b") (u32.const 1))
(assert_return (invoke "also-a") (u32.const 3))

;; Through three levels, with an alias of an instance within an instance, and of what is outside.
(component
  (type $pair (tuple u32 u32))
  (component $outer
    (component $inner
      (alias outer 2 $pair (type $p))
      (core module $m
        (memory (export "mem") 1)
        (func (export "swap") (param i32 i32) (result i32)
          (i32.store (i32.const 16) (local.get 1))
          (i32.store (i32.const 20) (local.get 0))
          (i32.const 16)))
      (core instance $i (instantiate $m))
      (func (export "swap") (param "x" $p) (result $p)
        (canon lift (core func $i "swap") (memory (core memory $i "mem")))))
    (instance $inner (instantiate $inner))
    (instance (export "deep") (export "swap" (func $inner "swap"))))
  (instance $outer (instantiate $outer))
  (alias export $outer "deep" (instance $deep))
  (export "swap" (func $deep "swap")))
(assert_return (invoke "swap" (tuple.const (u32.const 1) (u32.const 2))) (tuple.const (u32.const 2) (u32.const 1)))
(assert_return (invoke "swap" (tuple.const (u32.const 0xffffffff) (u32.const 0)))
  (tuple.const (u32.const 0) (u32.const 0xffffffff)))

;; Values cross an adapter whole: between memories, and flat.
(component
  (component $callee
    (core module $m
      (memory (export "mem") 1)
      (global $next (mut i32) (i32.const 1024))
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local i32)
        (local.set 4 (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
        (global.set $next (i32.add (local.get 4) (local.get 3)))
        (local.get 4))
      (func (export "sum") (param i32 i32) (result i64) (local i64)
        (block $done
          (loop $l
            (br_if $done (i32.eqz (local.get 1)))
            (local.set 2 (i64.add (local.get 2) (i64.load (local.get 0))))
            (local.set 0 (i32.add (local.get 0) (i32.const 8)))
            (local.set 1 (i32.sub (local.get 1) (i32.const 1)))
            (br $l)))
        (local.get 2))
      (func (export "mixed") (param i32 i64 f32 f64) (result f64)
        (f64.add (f64.add (f64.convert_i32_u (local.get 0)) (f64.convert_i64_s (local.get 1)))
          (f64.add (f64.promote_f32 (local.get 2)) (local.get 3)))))
    (core instance $i (instantiate $m))
    (func (export "sum") (param "x" (list u64)) (result u64) (canon lift (core func $i "sum")
      (memory (core memory $i "mem")) (realloc (core func $i "realloc"))))
    (func (export "mixed") (param "a" u8) (param "b" s64) (param "c" float32) (param "d" float64) (result float64)
      (canon lift (core func $i "mixed"))))
  (component $caller
    (import "sum" (func $sum (param "x" (list u64)) (result u64)))
    (import "mixed" (func $mixed (param "a" u8) (param "b" s64) (param "c" float32) (param "d" float64) (result float64)))
    (core module $libc
      (memory (export "mem") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 512)))
    (core instance $libc (instantiate $libc))
    (core func $sum (canon lower (func $sum) (memory (core memory $libc "mem"))))
    (core func $mixed (canon lower (func $mixed)))
    (core module $m
      (import "" "sum" (func $sum (param i32 i32) (result i64)))
      (import "" "mixed" (func $mixed (param i32 i64 f32 f64) (result f64)))
      (func (export "sum") (param i32 i32) (result i64) (call $sum (local.get 0) (local.get 1)))
      (func (export "mixed") (param i32) (result f64)
        (call $mixed (local.get 0) (i64.const -3) (f32.const 0.5) (f64.const 0.25))))
    (core instance $i (instantiate $m (with "" (instance (export "sum" (func $sum)) (export "mixed" (func $mixed))))))
    (func (export "sum") (param "x" (list u64)) (result u64) (canon lift (core func $i "sum")
      (memory (core memory $libc "mem")) (realloc (core func $libc "realloc"))))
    (func (export "mixed") (param "x" u32) (result float64) (canon lift (core func $i "mixed"))))
  (instance $a (instantiate $callee))
  (instance $b (instantiate $caller (with "sum" (func $a "sum")) (with "mixed" (func $a "mixed"))))
  (export "sum" (func $b "sum"))
  (export "mixed" (func $b "mixed")))
(assert_return (invoke "sum" (list.const)) (u64.const 0))
(assert_return (invoke "sum" (list.const (u64.const 1) (u64.const 0x100000000) (u64.const 7))) (u64.const 0x100000008))
;; What is no u8 is cut to one as it crosses.
(assert_return (invoke "mixed" (u32.const 2)) (f64.const -0.25))
(assert_return (invoke "mixed" (u32.const 0x102)) (f64.const -0.25))

;; Registered instances serve as imports, and are shared by those that import them.
(component $shared
  (core module $m
    (global $n (mut i32) (i32.const 10))
    (func (export "next") (result i32)
      (global.set $n (i32.add (global.get $n) (i32.const 1)))
      (global.get $n)))
  (core instance $i (instantiate $m))
  (func (export "next") (result u32) (canon lift (core func $i "next"))))
(register "shared")
(component definition $User
  (import "shared" (instance $s (export "next" (func (result u32)))))
  (core func $next (canon lower (func $s "next")))
  (core module $m (import "" "next" (func $next (result i32)))
    (func (export "run") (result i32) (call $next)))
  (core instance $i (instantiate $m (with "" (instance (export "next" (func $next))))))
  (func (export "run") (result u32) (canon lift (core func $i "run"))))
(component instance $one $User)
(component instance $two $User)
(assert_return (invoke $one "run") (u32.const 11))
(assert_return (invoke $two "run") (u32.const 12))
(assert_return (invoke $shared "next") (u32.const 13))
(assert_return (invoke $one "run") (u32.const 14))

;; Missing, and of another type.
(assert_unlinkable (component (import "nowhere" (instance (export "f" (func))))) "nowhere")
(assert_unlinkable (component (import "shared" (instance (export "other" (func))))) "other")
(assert_unlinkable (component (import "absent" (func))) "absent")

;; A trap ends its instance, whatever is called next; others of the same definition are as good as new.
(component definition $Traps
  (core module $m
    (func (export "trap") unreachable)
    (func (export "divide") (param i32 i32) (result i32) (i32.div_u (local.get 0) (local.get 1))))
  (core instance $i (instantiate $m))
  (func (export "trap") (canon lift (core func $i "trap")))
  (func (export "divide") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "divide"))))
(component instance $t $Traps)
(assert_return (invoke "divide" (u32.const 6) (u32.const 2)) (u32.const 3))
(assert_trap (invoke "trap") "unreachable")
(assert_trap (invoke "divide" (u32.const 6) (u32.const 2)) "cannot enter component instance")
(component instance $t $Traps)
(assert_return (invoke "divide" (u32.const 6) (u32.const 2)) (u32.const 3))
(assert_trap (invoke "divide" (u32.const 6) (u32.const 0)) "integer divide by zero")
;; Also while it is made.
(assert_trap
  (component (core module $m (func $s unreachable) (start $s)) (core instance (instantiate $m)))
  "unreachable")
(assert_trap
  (component (core module $m (memory 1) (data (i32.const 65536) "x")) (core instance (instantiate $m)))
  "out of bounds memory access")
