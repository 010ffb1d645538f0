;; Tasks that break the rules, each of which is a trap; its instance refuses what is called then.
;; CanonicalABI.md: `canon lift`, `canon task.return`, `canon waitable-set.wait`, "Task State".

(component definition $Bad
  (core module $libc (memory (export "mem") 1))
  (core instance $libc (instantiate $libc))
  (core func $ret (canon task.return (result u32)))
  (core func $ret-none (canon task.return))
  (core func $ret-u64 (canon task.return (result u64)))
  (core func $ret-s32 (canon task.return (result s32)))
  (core func $ret-string (canon task.return (result string) string-encoding=utf16 (memory (core memory $libc "mem"))))
  (core func $cancel (canon task.cancel))
  (core func $new-set (canon waitable-set.new))
  (core func $drop-set (canon waitable-set.drop))
  (core func $wait (canon waitable-set.wait (memory (core memory $libc "mem"))))
  (core module $m
    (import "" "mem" (memory 1))
    (import "" "ret" (func $ret (param i32)))
    (import "" "ret-none" (func $ret-none))
    (import "" "ret-u64" (func $ret-u64 (param i64)))
    (import "" "ret-s32" (func $ret-s32 (param i32)))
    (import "" "ret-string" (func $ret-string (param i32 i32)))
    (import "" "cancel" (func $cancel))
    (import "" "new-set" (func $new-set (result i32)))
    (import "" "drop-set" (func $drop-set (param i32)))
    (import "" "wait" (func $wait (param i32 i32) (result i32)))
    ;; Returns its argument as its code; the callback returns 5 and ends.
    (func (export "code") (param i32) (result i32) (local.get 0))
    (func (export "end") (param i32 i32 i32) (result i32) (call $ret (i32.const 5)) (i32.const 0))
    ;; The callback's code is what it was called with, which is nothing, and something above it.
    (func (export "end-bad") (param i32 i32 i32) (result i32) (i32.or (local.get 0) (i32.const 9)))
    (func (export "returned") (param i32) (result i32) (call $ret (local.get 0)) (i32.const 0xfffffff0))
    (func (export "never") (param i32) (result i32) (i32.const 0))
    (func (export "never-stack") (param i32))
    (func (export "twice") (param i32) (result i32) (call $ret (i32.const 1)) (call $ret (i32.const 1)) (i32.const 0))
    (func (export "twice-stack") (param i32) (call $ret (i32.const 1)) (call $ret (i32.const 1)))
    (func (export "empty") (param i32) (result i32) (i32.or (i32.const 2) (i32.shl (call $new-set) (i32.const 4))))
    (func (export "empty-stack") (param i32) (drop (call $wait (call $new-set) (i32.const 8))))
    (func (export "empty-sync") (param i32) (result i32) (call $wait (call $new-set) (i32.const 8)))
    (func (export "stale-set") (param i32) (result i32) (local i32)
      (local.set 1 (call $new-set))
      (call $drop-set (local.get 1))
      (i32.or (i32.const 2) (i32.shl (local.get 1) (i32.const 4))))
    (func (export "no-type") (param i32) (result i32) (call $ret-none) (i32.const 0))
    (func (export "other-type") (param i32) (result i32) (call $ret-u64 (i64.const 1)) (i32.const 0))
    (func (export "like-type") (param i32) (result i32) (call $ret-s32 (i32.const 1)) (i32.const 0))
    (func (export "encoding") (result i32) (call $ret-string (i32.const 0) (i32.const 0)) (i32.const 0))
    (func (export "cancel-none") (param i32) (result i32) (call $cancel) (i32.const 0))
    (func (export "ret-sync") (param i32) (result i32) (call $ret (local.get 0)) (local.get 0))
    (func (export "cancel-sync") (param i32) (result i32) (call $cancel) (local.get 0)))
  (core instance $i (instantiate $m (with "" (instance
    (export "mem" (memory $libc "mem")) (export "ret" (func $ret)) (export "ret-none" (func $ret-none))
    (export "ret-u64" (func $ret-u64)) (export "ret-s32" (func $ret-s32)) (export "ret-string" (func $ret-string))
    (export "cancel" (func $cancel)) (export "new-set" (func $new-set)) (export "drop-set" (func $drop-set))
    (export "wait" (func $wait))))))
  (func (export "code") async (param "x" u32) (result u32)
    (canon lift (core func $i "code") async (callback (core func $i "end"))))
  (func (export "returned") async (param "x" u32) (result u32)
    (canon lift (core func $i "returned") async (callback (core func $i "end"))))
  (func (export "never") async (param "x" u32) (result u32)
    (canon lift (core func $i "never") async (callback (core func $i "end"))))
  (func (export "twice") async (param "x" u32) (result u32)
    (canon lift (core func $i "twice") async (callback (core func $i "end"))))
  (func (export "empty") async (param "x" u32) (result u32)
    (canon lift (core func $i "empty") async (callback (core func $i "end"))))
  (func (export "stale-set") async (param "x" u32) (result u32)
    (canon lift (core func $i "stale-set") async (callback (core func $i "end"))))
  (func (export "no-type") async (param "x" u32) (result u32)
    (canon lift (core func $i "no-type") async (callback (core func $i "end"))))
  (func (export "other-type") async (param "x" u32) (result u32)
    (canon lift (core func $i "other-type") async (callback (core func $i "end"))))
  (func (export "like-type") async (param "x" u32) (result u32)
    (canon lift (core func $i "like-type") async (callback (core func $i "end"))))
  (func (export "cancel-none") async (param "x" u32) (result u32)
    (canon lift (core func $i "cancel-none") async (callback (core func $i "end"))))
  (func (export "later-code") async (param "x" u32) (result u32)
    (canon lift (core func $i "code") async (callback (core func $i "end-bad"))))
  (func (export "encoding") async (result string)
    (canon lift (core func $i "encoding") async (callback (core func $i "end")) (memory (core memory $libc "mem"))))
  (func (export "never-stack") async (param "x" u32) (result u32) (canon lift (core func $i "never-stack") async))
  (func (export "twice-stack") async (param "x" u32) (result u32) (canon lift (core func $i "twice-stack") async))
  (func (export "empty-stack") async (param "x" u32) (result u32) (canon lift (core func $i "empty-stack") async))
  (func (export "ret-sync") async (param "x" u32) (result u32) (canon lift (core func $i "ret-sync")))
  (func (export "ret-sync-plain") (param "x" u32) (result u32) (canon lift (core func $i "ret-sync")))
  (func (export "cancel-sync") async (param "x" u32) (result u32) (canon lift (core func $i "cancel-sync")))
  (func (export "cancel-sync-plain") (param "x" u32) (result u32) (canon lift (core func $i "cancel-sync")))
  (func (export "empty-sync") async (param "x" u32) (result u32) (canon lift (core func $i "empty-sync")))
  (func (export "empty-plain") (param "x" u32) (result u32) (canon lift (core func $i "empty-sync"))))

(component instance $i $Bad)
;; What is above the code does not count, except where it is a set.
(assert_return (invoke "returned" (u32.const 7)) (u32.const 7))
(assert_return (invoke "code" (u32.const 1)) (u32.const 5))
(assert_return (invoke "code" (u32.const 0xfffffff1)) (u32.const 5))

(component instance $i $Bad)
(assert_trap (invoke "code" (u32.const 3)) "callback code")

(component instance $i $Bad)
(assert_trap (invoke "code" (u32.const 4)) "callback code")

(component instance $i $Bad)
(assert_trap (invoke "code" (u32.const 15)) "callback code")

(component instance $i $Bad)
(assert_trap (invoke "code" (u32.const 19)) "callback code")

(component instance $i $Bad)
(assert_trap (invoke "code" (u32.const 4294967295)) "callback code")

(component instance $i $Bad)
(assert_trap (invoke "later-code" (u32.const 1)) "callback code")

(component instance $i $Bad)
(assert_trap (invoke "code" (u32.const 2)) "")

(component instance $i $Bad)
(assert_trap (invoke "code" (u32.const 18)) "")

(component instance $i $Bad)
(assert_trap (invoke "code" (u32.const 4294967282)) "")

(component instance $i $Bad)
(assert_trap (invoke "stale-set" (u32.const 1)) "")

(component instance $i $Bad)
(assert_trap (invoke "never" (u32.const 1)) "task.return")

(component instance $i $Bad)
(assert_trap (invoke "never-stack" (u32.const 1)) "task.return")

(component instance $i $Bad)
(assert_trap (invoke "code" (u32.const 0)) "task.return")

(component instance $i $Bad)
(assert_trap (invoke "twice" (u32.const 1)) "more than once")

(component instance $i $Bad)
(assert_trap (invoke "twice-stack" (u32.const 1)) "more than once")

(component instance $i $Bad)
(assert_trap (invoke "no-type" (u32.const 1)) "task.return")

(component instance $i $Bad)
(assert_trap (invoke "other-type" (u32.const 1)) "task.return")

(component instance $i $Bad)
(assert_trap (invoke "like-type" (u32.const 1)) "task.return")

(component instance $i $Bad)
(assert_trap (invoke "encoding") "task.return")

(component instance $i $Bad)
(assert_trap (invoke "cancel-none" (u32.const 1)) "task.cancel")

(component instance $i $Bad)
(assert_trap (invoke "ret-sync" (u32.const 1)) "")

(component instance $i $Bad)
(assert_trap (invoke "ret-sync-plain" (u32.const 1)) "")

(component instance $i $Bad)
(assert_trap (invoke "cancel-sync" (u32.const 1)) "")

(component instance $i $Bad)
(assert_trap (invoke "cancel-sync-plain" (u32.const 1)) "")

(component instance $i $Bad)
(assert_trap (invoke "empty" (u32.const 1)) "deadlock")

(component instance $i $Bad)
(assert_trap (invoke "empty-stack" (u32.const 1)) "deadlock")

(component instance $i $Bad)
(assert_trap (invoke "empty-sync" (u32.const 1)) "deadlock")
(assert_trap (invoke "returned" (u32.const 7)) "cannot enter component instance")

(component instance $i $Bad)
(assert_trap (invoke "empty-plain" (u32.const 1)) "cannot block a synchronous task")
