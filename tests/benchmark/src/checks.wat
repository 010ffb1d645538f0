;; Calls a function of the host application as often as asked. Its allocator returns the same place again: a result is there
;; until the next call.
(component
  (import "airssys:host-core/host-capabilities@1.0.0" (instance $capabilities
    (type $host-function-error (variant
      (case "unknown" string)
      (case "denied" string)
      (case "failed" string)))
    (export "host-function-error" (type $error (eq $host-function-error)))
    (export "call-host-function" (func
      (param "function-name" string)
      (param "args" (list u8))
      (result (result (list u8) (error $error)))))))
  (core module $memory
    (memory (export "memory") 1)
    (data (i32.const 1024) "prices.find")
    (data (i32.const 2048) "\550123456789abcde")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      i32.const 4096))
  (core instance $memory (instantiate $memory))
  (core func $call (canon lower
    (func $capabilities "call-host-function")
    (memory (core memory $memory "memory"))
    (realloc (core func $memory "realloc"))))
  (core module $guest
    (import "host" "call" (func $call (param i32 i32 i32 i32 i32)))
    (import "memory" "memory" (memory 1))
    (func (export "run") (param $times i32) (result i32)
      (local $failed i32)
      (block $done
        (loop $again
          (br_if $done (i32.eqz (local.get $times)))
          (call $call (i32.const 1024) (i32.const 11) (i32.const 2048) (i32.const 16) (i32.const 0))
          (local.set $failed (i32.add (local.get $failed) (i32.load8_u (i32.const 0))))
          (local.set $times (i32.sub (local.get $times) (i32.const 1)))
          (br $again)))
      (local.get $failed)))
  (core instance $guest (instantiate $guest
    (with "host" (instance (export "call" (func $call))))
    (with "memory" (instance $memory))))
  ;; The number of calls that failed.
  (func (export "run") (param "times" u32) (result u32)
    (canon lift (core func $guest "run"))))
