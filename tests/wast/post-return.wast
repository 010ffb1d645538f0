;; Post-return: when it runs, what it gets, and that it may not call out.
;; CanonicalABI.md: `canon lift` ("post-return"), `may_leave`.

(component definition $Counts
  (core module $m
    (memory (export "mem") 1)
    (data (i32.const 64) "\60\00\00\00\02\00\00\00")
    (data (i32.const 96) "ok")
    (global $runs (mut i32) (i32.const 0))
    (global $got (mut i32) (i32.const 0))
    (func (export "text") (result i32) (i32.const 64))
    (func (export "number") (result i32) (i32.const 7))
    (func (export "nothing"))
    (func (export "post") (param i32)
      ;; What was returned is not read again: this changes nothing for the caller.
      (if (i32.eq (local.get 0) (i32.const 64))
        (then (memory.fill (i32.const 64) (i32.const 0xff) (i32.const 64))))
      (global.set $got (local.get 0))
      (global.set $runs (i32.add (global.get $runs) (i32.const 1))))
    (func (export "post-nothing") (global.set $runs (i32.add (global.get $runs) (i32.const 100))))
    (func (export "runs") (result i32) (global.get $runs))
    (func (export "got") (result i32) (global.get $got)))
  (core instance $i (instantiate $m))
  (func (export "text") (result string) (canon lift (core func $i "text")
    (memory (core memory $i "mem")) (post-return (core func $i "post"))))
  (func (export "number") (result u32) (canon lift (core func $i "number") (post-return (core func $i "post"))))
  (func (export "nothing") (canon lift (core func $i "nothing") (post-return (core func $i "post-nothing"))))
  (func (export "runs") (result u32) (canon lift (core func $i "runs")))
  (func (export "got") (result u32) (canon lift (core func $i "got"))))

(component instance $a $Counts)
(assert_return (invoke "runs") (u32.const 0))
(assert_return (invoke "number") (u32.const 7))
(assert_return (invoke "runs") (u32.const 1))
(assert_return (invoke "got") (u32.const 7))
(assert_return (invoke "text") (str.const "ok"))
(assert_return (invoke "runs") (u32.const 2))
;; It gets the core result: a pointer.
(assert_return (invoke "got") (u32.const 64))
(assert_return (invoke "nothing"))
(assert_return (invoke "runs") (u32.const 102))

;; In the result of the caller's caller, the string is whole.
(component
  (component $callee
    (core module $m
      (memory (export "mem") 1)
      (data (i32.const 64) "\60\00\00\00\02\00\00\00")
      (data (i32.const 96) "ok")
      (global $runs (mut i32) (i32.const 0))
      (func (export "text") (result i32) (i32.const 64))
      (func (export "post") (param i32)
        (memory.fill (i32.const 64) (i32.const 0xff) (i32.const 64))
        (global.set $runs (i32.add (global.get $runs) (local.get 0))))
      (func (export "runs") (result i32) (global.get $runs)))
    (core instance $i (instantiate $m))
    (func (export "text") (result string) (canon lift (core func $i "text")
      (memory (core memory $i "mem")) (post-return (core func $i "post"))))
    (func (export "runs") (result u32) (canon lift (core func $i "runs"))))
  (component $caller
    (import "text" (func $text (result string)))
    (core module $libc
      (memory (export "mem") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 512)))
    (core instance $libc (instantiate $libc))
    (core func $text (canon lower (func $text)
      (memory (core memory $libc "mem")) (realloc (core func $libc "realloc"))))
    (core module $m
      (import "" "text" (func $text (param i32)))
      (func (export "text") (result i32) (call $text (i32.const 32)) (i32.const 32)))
    (core instance $i (instantiate $m (with "" (instance (export "text" (func $text))))))
    (func (export "text") (result string) (canon lift (core func $i "text") (memory (core memory $libc "mem")))))
  (instance $a (instantiate $callee))
  (instance $b (instantiate $caller (with "text" (func $a "text"))))
  (export "text" (func $b "text"))
  (export "runs" (func $a "runs")))
(assert_return (invoke "runs") (u32.const 0))
(assert_return (invoke "text") (str.const "ok"))
(assert_return (invoke "runs") (u32.const 64))

;; It may compute, and may not call out: nor make or drop resources.
(component definition $Leaves
  (component $other
    (core module $m (func (export "f")))
    (core instance $i (instantiate $m))
    (func (export "f") (canon lift (core func $i "f"))))
  (component $worker
    (import "f" (func $f))
    (type $r (resource (rep i32)))
    (core func $f (canon lower (func $f)))
    (core func $new (canon resource.new $r))
    (core func $drop (canon resource.drop $r))
    (core module $m
      (import "" "f" (func $f))
      (import "" "new" (func $new (param i32) (result i32)))
      (import "" "drop" (func $drop (param i32)))
      (func (export "run") (param i32) (result i32) (drop (call $new (i32.const 5))) (call $f) (local.get 0))
      (func (export "post") (param i32)
        (if (i32.eq (local.get 0) (i32.const 1)) (then (call $f)))
        (if (i32.eq (local.get 0) (i32.const 2)) (then (drop (call $new (i32.const 1)))))
        (if (i32.eq (local.get 0) (i32.const 3)) (then (call $drop (i32.const 1))))
        (if (i32.eq (local.get 0) (i32.const 4)) (then unreachable))))
    (core instance $i (instantiate $m (with "" (instance
      (export "f" (func $f)) (export "new" (func $new)) (export "drop" (func $drop))))))
    (func (export "run") (param "x" u32) (result u32)
      (canon lift (core func $i "run") (post-return (core func $i "post")))))
  (instance $other (instantiate $other))
  (instance $worker (instantiate $worker (with "f" (func $other "f"))))
  (export "run" (func $worker "run")))
(component instance $b $Leaves)
(assert_return (invoke "run" (u32.const 0)) (u32.const 0))
(assert_trap (invoke "run" (u32.const 1)) "cannot leave component instance")
(component instance $b $Leaves)
(assert_trap (invoke "run" (u32.const 2)) "cannot leave component instance")
(component instance $b $Leaves)
(assert_trap (invoke "run" (u32.const 3)) "cannot leave component instance")
(component instance $b $Leaves)
(assert_trap (invoke "run" (u32.const 4)) "unreachable")
